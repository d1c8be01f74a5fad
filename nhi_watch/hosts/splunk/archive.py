"""The state without closed identity-days: deleted once they are learnt, read again from the summary index on demand.

An identity-day takes some 20 kB, and nearly nobody asks for a closed one. Three do: a record that came late, to see
whether it is a copy; an exposed credential, to see who used it before; a control, to see whether it was carried out.
So closed days are deleted from the KV store, except of those identities that may be asked for: who acted oddly on the
day, whose credentials were changed, and whose days were read back before. What an identity taught is deleted later.

The summary index has the rows of which a day was made. Those that were indexed after its close began came late: they
are no part of the closed day. It stays for some hours, because *Close* reads the rows of two days once more.

A day is listed as deleted before the first of its rows is, and deleting it again does no harm, so a run that dies
leaves nothing that the next one does not mend.

| key of `meta` | row |
|---|---|
| splunk/read | the second up to which rows of the index were read |
| splunk/closed | closed day → that second when its close began, and how far deleting it is (Stage) |
| splunk/kept/identity | the day on which its closed days were read back |
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Optional

from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.errors import RejectError, StoreError
from nhi_watch.core.timestamps import DAY, HOUR, render_day
from nhi_watch.hosts.splunk import parts
from nhi_watch.hosts.splunk.kvstore import Generation, KvStore
from nhi_watch.hosts.splunk.parts import PartialDay
from nhi_watch.hosts.splunk.rest import Collection
from nhi_watch.state import day_rows, inventory
from nhi_watch.state.retention import RETAIN_DAYS, Daybook
from nhi_watch.state.state import SUSPICIOUS
from nhi_watch.state.store import pack, span, unpack

REREAD = 6 * HOUR
"""Seconds from the begin of a close after which a day's identity-days are deleted."""
RECENT = 3
"""Days that are older are deleted at once: they were closed by a look back, and *Close* does not read them again."""
LESSONS = 10
"""Closed days of which it all stays what they taught: by it most late records are seen to be nothing new."""
AT_ONCE = 10
"""Identities whose days are read back by one search: some 350 identity-days."""
READ, CLOSED, KEPT = "splunk/read", "splunk/closed", "splunk/kept/"
ONLY = "| eval nhi_indexed=_indextime | fields nhi_part nhi_indexed | fields - _raw"
Find = Callable[[str, int, int], Iterable[Mapping[str, str]]]
"""Runs a search over a stretch of time."""
GoesOn = Callable[[], bool]


class Stage(IntEnum):
    """How far deleting a closed day is."""

    STAYS = 0
    DELETING_DAYS = 1
    DELETED_DAYS = 2
    DELETING_LESSONS = 3
    DELETED_LESSONS = 4


_STEPS = (
    ("day", 0, Stage.DELETING_DAYS, Stage.DELETED_DAYS),
    ("delta", LESSONS, Stage.DELETING_LESSONS, Stage.DELETED_LESSONS),
)
"""Table, how many closed days stay there, and the stages while its rows are deleted and afterwards."""


class ArchivedStore(KvStore):
    """The state in the KV store; `get` reads closed identity-days that were deleted from the summary index."""

    def __init__(self, collection: Collection, claim: Callable[[], Generation], find: Find) -> None:
        """`find` searches the summary index."""
        super().__init__(collection, claim)
        self._find = find
        self._book: Optional[dict[int, tuple[int, Stage]]] = None
        self.failed = ""
        """Why closed days could not be read from the index."""

    # ---- up to when rows were read

    def note_read(self, second: int) -> None:
        """Note that rows of the index were read up to a second."""
        if second > self._read_until():
            self.put("meta", [(READ, pack(second))])

    def _read_until(self) -> int:
        raw = super().get("meta", [READ]).get(READ)
        return int(unpack(raw)) if raw else 0

    def note_closing(self, days: Iterable[int]) -> None:
        """Note that days are about to be closed: what is read from now on came late."""
        book, until = self._closed(), self._read_until()
        fresh = [day for day in days if day not in book]
        if fresh:
            book.update((day, (until, Stage.STAYS)) for day in fresh)
            self._keep_book()

    def _closed(self) -> dict[int, tuple[int, Stage]]:
        """Closed day → until when its rows were indexed, and how far deleting it is."""
        if self._book is None:
            raw = super().get("meta", [CLOSED]).get(CLOSED)
            self._book = {day: (until, Stage(stage)) for day, until, stage in unpack(raw)} if raw else {}
        return self._book

    def _keep_book(self) -> None:
        book = self._closed()
        for day in sorted(book)[:-RETAIN_DAYS]:
            del book[day]
        self.put("meta", [(CLOSED, pack([[day, *entry] for day, entry in sorted(book.items())]))])

    # ---- reading closed days

    def get(self, table: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The rows that exist among `keys`; of identity-days also those that were deleted after their close."""
        rows = super().get(table, keys)
        if table == "day":
            rows.update(self._read_back([key for key in keys if key not in rows]))
        return rows

    def _read_back(self, missing: Sequence[str]) -> dict[str, bytes]:
        book, wanted = self._closed(), dict[str, list[str]]()
        for key in missing:
            day, _, name = key.partition("/")
            if day.isdecimal() and book.get(int(day), (0, Stage.STAYS))[1] > Stage.STAYS:
                wanted.setdefault(name, []).append(key)
        kept = super().get("meta", [KEPT + name for name in wanted]) if wanted else {}
        names = sorted(name for name in wanted if KEPT + name not in kept)
        result: dict[str, bytes] = {}
        for start in range(0, len(names), AT_ONCE):
            some = names[start : start + AT_ONCE]
            try:
                rows = self._rebuilt(some)
            except StoreError as error:
                self.failed = str(error)
                break
            there = super().get("day", [*rows])
            self.put("day", [(key, raw) for key, raw in rows.items() if key not in there])
            self.put("meta", [(KEPT + name, pack(max(book))) for name in some])
            result.update((key, rows[key]) for name in some for key in wanted[name] if key in rows)
        return result

    def _rebuilt(self, names: Sequence[str]) -> dict[str, bytes]:
        """All deleted days of some identities, made of the rows of the index."""
        until = {day: until for day, (until, stage) in self._closed().items() if stage > Stage.STAYS}
        keys = [parts.key_of(name) for name in names]
        asked = ", ".join(f'"{key}"' for key in sorted({*keys, *(key[: parts.GROUPED] for key in keys)}))
        search = f"`nhi_behaviours` nhi_key IN ({asked}) {ONLY}"
        rebuilt: dict[tuple[int, str], PartialDay] = {}
        for row in self._find(search, min(until) * DAY, (max(until) + 1) * DAY):
            try:
                unpacked = parts.unpack(row["nhi_part"])
            except RejectError:
                continue  # Rank has counted it when it came
            for name in unpacked.keys() & names:
                partial_day = unpacked[name]
                if int(row["nhi_indexed"]) <= until.get(partial_day.day, -1):
                    mine = rebuilt.setdefault((partial_day.day, name), partial_day)
                    if mine is not partial_day:
                        mine.merge(partial_day)
        return {
            f"{day:06d}/{name}": day_rows.pack(_identity_day(partial_day))
            for (day, name), partial_day in rebuilt.items()
        }

    # ---- deleting closed days

    def delete_closed(self, book: Daybook, goes_on: GoesOn) -> bool:
        """Delete what nobody is expected to ask for of days that are learnt; False: `goes_on` ended it before."""
        now = self._read_until()
        closed = sorted(
            day
            for day, (until, _) in self._closed().items()
            if day <= book.learnt and (until <= now - REREAD or day < now // DAY - RECENT)
        )
        for table, stay, begun, done in _STEPS:
            for day in closed[: max(0, len(closed) - stay)]:
                until, stage = self._closed()[day]
                if stage >= done:
                    continue
                if stage < begun:
                    self._closed()[day] = until, begun
                    self._keep_book()
                self.flush()  # a day is listed before the first of its rows is gone
                if not self._delete_day(table, day, goes_on):
                    return False
                self._closed()[day] = until, done
                self._keep_book()
        return True

    def _delete_day(self, table: str, day: int, goes_on: GoesOn) -> bool:
        low, high = span(day)
        kept = sorted(f"{table}/{low}{name}" for name in self._needed(day))
        for keys in self.pages_of_keys(f"{table}/{low}", f"{table}/{high}"):
            for first, last in _between(keys, kept):
                self.delete_range(first, last)
            if not goes_on():
                return False
        return True

    def _needed(self, day: int) -> set[str]:
        """Whose closed days may be asked for."""
        unusual = {
            key[len(SUSPICIOUS) + 7 :]
            for key, _ in self.scan("delta", f"{SUSPICIOUS}{day:06d}/", f"{SUSPICIOUS}{day:06d}0")
        }
        changed = {
            user.id for credential in inventory.credentials(self) if credential.changes for user in credential.users
        }
        kept = {key[len(KEPT) :]: int(unpack(raw)) for key, raw in self.scan("meta", KEPT, KEPT[:-1] + "0")}
        over = [name for name, since in kept.items() if since < day - RETAIN_DAYS]
        self.put("meta", [(KEPT + name, None) for name in over])
        return unusual | changed | (kept.keys() - {*over})

    def message(self) -> str:
        """What the user has to know; "": nothing."""
        days = [day for day, (_, stage) in self._closed().items() if stage > Stage.STAYS]
        if not self.failed or not days:
            return ""
        return (
            f"closed days from {render_day(min(days))} to {render_day(max(days))} could not be read from the index "
            f"nhi_summary, so copies of late records may count again and exposures may lack earlier uses: "
            f"{self.failed}. May the owner of NHI Watch - Rank search nhi_summary?"
        )


def _identity_day(partial_day: PartialDay) -> IdentityDay:
    identity_day = IdentityDay(partial_day.day)
    partial_day.give(identity_day)
    identity_day.scored = identity_day.events()
    return identity_day


def _between(keys: Sequence[str], kept: Sequence[str]) -> Iterator[tuple[str, str]]:
    """First and last key of each stretch of keys in which none is kept; both in order.

    >>> list(_between(["a", "b", "c", "d", "e"], ["c", "e", "x"]))
    [('a', 'b'), ('d', 'd')]
    """
    start = 0
    for key in kept[bisect_left(kept, keys[0]) :]:
        end = bisect_left(keys, key)
        if end > start:
            yield keys[start], keys[end - 1]
        if end == len(keys):
            return
        start = end + (keys[end] == key)
    if start < len(keys):
        yield keys[start], keys[-1]
