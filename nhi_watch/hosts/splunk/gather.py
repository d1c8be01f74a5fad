"""Rows of a search → parts of identity-days: the one reader behind nhigroup, nhirank and `nhi health`.

Three kinds of rows may come, mixed: events (`_raw`, or extracted fields), parts, and notables. What a log's own text
says of parts and notables is not believed: see `fields.SOURCE`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import IO, Any, Optional, TypeVar

from nhi_watch.context.reputation import NOTHING, Reputation
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, done_to
from nhi_watch.core.timestamps import DAY
from nhi_watch.hosts.splunk import parts, reasons
from nhi_watch.hosts.splunk.parts import PartialDay
from nhi_watch.hosts.splunk.rows import Body, ChunkColumns, Row, read
from nhi_watch.intake.batch import FORESEEN, Sources
from nhi_watch.intake.horizon import Horizon, day_received
from nhi_watch.intake.schemas import opened
from nhi_watch.intake.sources import every

SHARDS = 256
"""Shards of the state, by the first digits of identities' keys."""
MAX_BUFFERED = 1 << 24
"""Characters that are held in memory."""
Place = tuple[int, str]
"""Day and bucket: the first digits of identities' keys."""


class Spool:
    """Takes texts in, and gives those of a day back, bucket by bucket."""

    def __init__(self, limit: int = MAX_BUFFERED) -> None:
        self._limit = limit
        self._buffered = 0
        self._waiting: dict[Place, list[str]] = {}
        self._written: dict[Place, list[tuple[int, int]]] = {}
        self.counts: dict[int, int] = {}
        """Day → parts of identities that were taken in."""
        self._file: Optional[IO[bytes]] = None

    def add(self, day: int, key: str, text: str) -> None:
        """Keep a text of parts; `key`: of one of its identities, or its first digits. The text holds no line feed."""
        place = (day, key[: parts.GROUPED])
        self._waiting.setdefault(place, []).append(text)
        self.counts[day] = self.counts.get(day, 0) + parts.identities_in(text)
        self._buffered += len(text)
        if self._buffered > self._limit:
            self._flush()

    def _flush(self) -> None:
        file = self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115 - it is open as long as the spool
        at = file.seek(0, 2)
        for place, texts in self._waiting.items():
            size = file.write("\n".join(texts).encode("ascii"))
            self._written.setdefault(place, []).append((at, size))
            at += size
        self._waiting, self._buffered = {}, 0

    def days(self) -> set[int]:
        """Days of which something is kept."""
        return {day for day, _ in (*self._waiting, *self._written)}

    def of(self, day: int) -> Iterator[list[str]]:
        """The texts of a day, bucket by bucket, those of one shard behind each other; they stay."""
        there = {bucket for d, bucket in (*self._waiting, *self._written) if d == day}
        for bucket in sorted(there):
            texts: list[str] = []
            for at, size in self._written.get((day, bucket), ()):
                assert self._file is not None
                self._file.seek(at)
                texts += self._file.read(size).decode("ascii").split("\n")
            yield texts + self._waiting.get((day, bucket), [])


Name = tuple[int, str]
"""Day and identity id."""
Record = dict[str, Any]
AT_ONCE = 500
"""Identities whose rows are given at once: what the state holds of them is asked for by one request."""


Sifted = tuple[list[str], Collection[str]]
"""Texts that are to be unpacked, and the identities whose parts are to be left out of them."""
Sieve = Callable[[list[str]], Sifted]


def _sifted(buckets: Iterator[list[str]], sieve: Sieve) -> Iterator[Sifted]:
    pending: list[str] = []
    for texts in buckets:
        pending += texts
        if len(pending) >= AT_ONCE:
            yield sieve(pending)
            pending = []
    yield sieve(pending)


class Gatherer:
    """Takes rows in; the caller takes what was gathered out."""

    def __init__(self, hold: bool = False, reputation: Reputation = NOTHING) -> None:
        """`hold`: parts that come packed are asked for later, by day."""
        self.parts: dict[Name, PartialDay] = {}
        self.spool = Spool()
        """Parts that came packed and stay so until their day is taken."""
        self.notables: list[str] = []
        """JSON of notables that came by."""
        self.verdicts: list[dict[str, str]] = []
        """Rows of nhi_feedback that came by."""
        self.ahead: list[str] = []
        """What was said of logs whose events are dated later than tomorrow."""
        self.rejected: dict[str, int] = {}
        self.seen: dict[tuple[int, str], int] = {}
        """Hour and sourcetype → events that were read, by the time that Splunk gave them."""
        self.counted: dict[tuple[int, str], int] = {}
        """The same, of rows that say so."""
        self.indexed = 0
        """The latest second at which a row of the summary index had been indexed."""
        self._hold = hold
        self._mark = reputation.mark
        self._sources = Sources(every())
        self.horizon = Horizon()

    def feed(self, body: Body) -> None:
        """Take in one chunk."""
        rows = read(body)
        columns = ChunkColumns(next(rows, []))
        for row in rows:
            with self.rejecting():
                self._row(columns, row)

    @contextmanager
    def rejecting(self) -> Iterator[None]:
        """Count what cannot be read in the block."""
        try:
            yield
        except RejectError as error:
            self.reject(error.reason)
        except RecursionError:
            self.reject("too_deep")

    def reject(self, reason: str, count: int = 1) -> None:
        """Count rows that could not be read."""
        self.rejected[reason] = self.rejected.get(reason, 0) + count

    def clear(self) -> None:
        """Forget what was gathered."""
        self.parts, self.notables, self.rejected, self.ahead, self.seen, self.counted = {}, [], {}, [], {}, {}
        self.horizon.ahead.clear()

    def days(self) -> list[int]:
        """Days of which something was gathered, in order."""
        return sorted({day for day, _ in self.parts} | self.spool.days())

    def of(self, day: int, sieve: Optional[Sieve] = None) -> Iterator[dict[str, PartialDay]]:
        """Identity id → all that was gathered of a day, some identities at a time.

        `sieve` takes all texts of some identities, and says which are to be unpacked.
        """
        for key in [key for key in self.parts if key[0] == day]:  # of events that came beside parts
            self.spool.add(day, parts.key_of(key[1]), parts.pack([self.parts.pop(key)]))
        by_identity: dict[str, PartialDay] = {}
        unsifted: Iterator[Sifted] = ((texts, ()) for texts in self.spool.of(day))
        for texts, left_out in unsifted if sieve is None else _sifted(self.spool.of(day), sieve):
            for text in texts:
                with self.rejecting():
                    for name, partial_day in parts.unpack(text).items():
                        if name not in left_out:
                            _add(by_identity, name, partial_day)
            if len(by_identity) >= AT_ONCE:  # all of each identity is in one bucket
                yield by_identity
                by_identity = {}
        yield by_identity

    def _row(self, columns: ChunkColumns, row: Row) -> None:
        packed = columns.part(row)
        if packed:
            self.indexed = max(self.indexed, columns.indexed(row))
            self._part(packed, columns.place(row) if self._hold else None)
        elif columns.ahead(row):
            self.ahead.append(columns.ahead(row))
        elif (seen := columns.seen(row)) is not None:
            self.counted[seen[:2]] = self.counted.get(seen[:2], 0) + seen[2]
        elif columns.failed(row):
            self.reject(reasons.code_of(columns.cell(row, "nhi_error")), columns.errors(row))
        elif columns.notable(row):
            self.notables.append(columns.notable(row))
        elif columns.verdict(row):
            self.verdicts.append(columns.verdict(row))
        elif columns.cell(row, "count") and not columns.cell(row, "_raw"):
            self.reject("bad_group")
        else:
            place = columns.hour(row)
            self.seen[place] = self.seen.get(place, 0) + 1
            self._event(columns.record(row), columns.cell(row, "_indextime"))

    def _part(self, packed: str, place: Optional[tuple[int, str]]) -> None:
        if place is not None:
            self.spool.add(*place, packed)
            return
        for name, partial_day in parts.unpack(packed).items():
            _add(self.parts, (partial_day.day, name), partial_day)

    # ---- events

    def _event(self, record: Record, indexed: str) -> None:
        with FORESEEN:
            native = opened(record)
            event: Event = self._sources.of(native).read(native)
        self.horizon.demand(event, day_received({"_indextime": indexed} if indexed else record))
        event = self._mark(event)
        self._part_of(event).add(event)
        if event.about is not None:
            done = done_to(event)
            self._part_of(done).add(done)

    def _part_of(self, event: Event) -> PartialDay:
        name = (event.time // DAY, event.identity.id)
        part = self.parts.get(name)
        if part is None:
            part = self.parts[name] = PartialDay(name[0])
        return part


_Key = TypeVar("_Key")


def _add(gathered: dict[_Key, PartialDay], key: _Key, partial_day: PartialDay) -> None:
    mine = gathered.setdefault(key, partial_day)
    if mine is not partial_day:
        mine.merge(partial_day)
