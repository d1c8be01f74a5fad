"""Days → scores, notables and a new baseline: the pipeline over the rows of a lookup table.

A day is judged against the baseline as it stood on its eve, so what a table knows of that day and of later ones
is left out, and days are settled one after the other. A table is a function of the one before and of the days;
the same days again give the same table.
"""

from __future__ import annotations

import json
import re
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Optional

from nhi_watch import baseline
from nhi_watch.baseline import Profile
from nhi_watch.behaviour import IdentityDay
from nhi_watch.model import Scorecard
from nhi_watch.pipeline import Options, Pipeline, Result
from nhi_watch.scoring import TENANT
from nhi_watch.splunk.lookup import EMPTY, Own, Table, dump, parse, profile_of
from nhi_watch.state import GROUPS, OLD, State, learn_groups, teach

KEEP = 7
"""Days whose deltas stay apart: so late may an event be and still be learnt."""
RETIRE = 400
"""Days after which an identity that was not seen again is forgotten."""
_LAST = re.compile(r"\[-?\d+,-?\d+,-?\d+,(-?\d+),")
Lesson = list[Any]
"""[what is learnt at once, what later, peer group]"""


class TableStore:
    """What `State` keeps, read from a table up to the eve of a day; what is put stays in memory."""

    def __init__(self, table: Table, before: int) -> None:
        self._table = table
        self._days = [day for day in table.days if day < before]
        self._put: dict[str, dict[str, bytes]] = {}
        self._deltas: dict[str, dict[str, Lesson]] = {}
        self._put["meta"] = {"days": _pack(dump([self._days, table.base + 1]))} if table.last >= 0 else {}
        self._put["profile"] = dict(_snapshot(table, before))

    def get(self, table: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The rows that exist among `keys`."""
        found = {key: self._one(table, key) for key in keys}
        return {key: row for key, row in found.items() if row is not None}

    def _one(self, table: str, key: str) -> Optional[bytes]:
        row = self._put.get(table, {}).get(key)
        if row is not None:
            return row
        if table == "profile":
            own = self._table.own.get(key[len(OLD) + 1 :] if key.startswith(f"{OLD}/") else key)
            return _pack(own.profile) if own is not None else None
        return self._delta(int(key[:6]), key[7:]) if table == "delta" else None

    def _delta(self, day: int, scope: str) -> Optional[bytes]:
        own = self._table.own.get(scope)
        if own is None or not own.deltas or day not in self._days:
            return None
        if scope not in self._deltas:
            self._deltas[scope] = parse(scope, own.deltas)
        lesson = self._deltas[scope].get(str(day))
        return _pack(dump([*lesson, 0.0, 0.0, 0.0, False, None])) if lesson else None

    def scan(self, table: str, low: str, high: str) -> Iterator[tuple[str, bytes]]:
        """Rows in key order."""
        rows = {key: row for key, row in self._put.get(table, {}).items() if low <= key < high}
        if table == "delta":
            for day in [day for day in self._days if low <= f"{day:06d}/" < high]:
                for scope in self._table.own:
                    row = self._delta(day, scope)
                    if row is not None:
                        rows.setdefault(f"{day:06d}/{scope}", row)
        yield from sorted(rows.items())

    def put(self, table: str, rows: Iterable[tuple[str, Optional[bytes]]]) -> None:
        """Replace or delete rows; days themselves are not kept, the summary index has them."""
        if table == "day":
            return
        known = self._put.setdefault(table, {})
        for key, row in rows:
            if row is None:
                known.pop(key, None)
            else:
                known[key] = row


def _pack(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 0)


def _unpack(raw: bytes) -> Any:
    return json.loads(zlib.decompress(raw))


def _snapshot(table: Table, before: int) -> Iterator[tuple[str, bytes]]:
    """The groups as they stood on the last day before a day on which any of them changed."""
    stood = {scope: bisect_left(days, before) - 1 for scope, (days, _) in table.groups.items()}
    cells = {scope: row for scope, row in stood.items() if row >= 0}
    if cells:
        day = max(table.groups[scope][0][row] for scope, row in cells.items())
        texts = (f"{json.dumps(scope)}:{table.groups[scope][1][row]}" for scope, row in sorted(cells.items()))
        yield f"{GROUPS}/{day:06d}", _pack("{" + ",".join(texts) + "}")


def settle(
    store: TableStore, model: Scorecard, options: Options, days: Mapping[int, Mapping[str, IdentityDay]]
) -> Result:
    """Score, rank and learn whole days."""
    pipeline = Pipeline(State(store), model, [], options)
    for day, wholes in days.items():
        pipeline.grouping.days[day] = dict(wholes)
        pipeline.grouping.parsed += sum(whole.events() for whole in wholes.values())
    return pipeline.finish()


# ---- the table after learning


class Learnt:
    """Makes the next table out of one, and of the days that were settled over it."""

    def __init__(self, table: Table, first: int) -> None:
        self._table = table
        self._first = first
        self._deltas: dict[str, dict[int, Lesson]] = {}
        self._groups: list[tuple[int, dict[str, Profile]]] = []
        """Day → the groups that changed on it."""

    def take(self, store: TableStore, day: int) -> None:
        """Note what a settled day has taught."""
        rows = {key[7:]: _unpack(raw)[:3] for key, raw in store.scan("delta", f"{day:06d}/", f"{day:06d}0")}
        for scope, lesson in rows.items():
            self._deltas.setdefault(scope, {})[day] = lesson
        eve = store.get("profile", [f"{GROUPS}/{day - 1:06d}"]).get(f"{GROUPS}/{day - 1:06d}")
        told = _unpack(eve) if eve else {}
        groups = {scope: baseline.from_row(row) for scope, row in told.items()}
        lessons: list[tuple[Any, Any, str]] = [(now, later, peer) for now, later, peer in rows.values()]
        learn_groups(groups, day, lessons)
        changed = {TENANT, *(peer for _, _, peer in lessons)}
        self._groups.append((day, {scope: groups[scope] for scope in sorted(changed)}))

    def table(self, keep: int, retire: int) -> Table:
        """The next table: deltas of the last `keep` days, all before folded in, and nobody who is long gone."""
        days = sorted({*(day for day in self._table.days if day < self._first), *(day for day, _ in self._groups)})
        gone, kept = days[: max(0, len(days) - keep)], days[max(0, len(days) - keep) :]
        base = max([self._table.base, *gone]) if self._table.own or gone else (kept or [0])[0] - 1
        found = Table()
        found.days = kept
        for scope in sorted({*self._table.own, *self._deltas}):
            own = self._own(scope, base)
            if own.deltas or not _is_gone(own, (days or [base])[-1] - retire):
                found.own[scope] = own
        self._add_groups(found, base)
        return found

    def _own(self, scope: str, base: int) -> Own:
        old = self._table.own.get(scope, EMPTY)
        told = parse(scope, old.deltas) if old.deltas else {}
        deltas = {int(day): lesson for day, lesson in told.items() if int(day) < self._first}
        deltas.update(self._deltas.get(scope, {}))
        folded = sorted(day for day in deltas if day <= base)
        profile = old.profile
        if folded:
            grown = profile_of(scope, profile)
            for day in folded:
                now, later, *_ = deltas[day]
                teach(grown, day, now, later)
            profile = dump(baseline.to_row(grown))
        later_days = {str(day): deltas[day] for day in sorted(deltas) if day > base}
        return Own(base, profile, dump(later_days) if later_days else "")

    def _add_groups(self, found: Table, base: int) -> None:
        """Of each group its last row up to the base, and all later ones."""
        for scope, (days, texts) in self._table.groups.items():
            upto = bisect_left(days, self._first)
            found.groups[scope] = (days[:upto], texts[:upto])
        for day, groups in self._groups:
            for scope, profile in groups.items():
                days, texts = found.groups.setdefault(scope, ([], []))
                days.append(day)
                texts.append(dump(baseline.to_row(profile)))
        for scope, (days, texts) in list(found.groups.items()):
            start = max(0, bisect_left(days, base + 1) - 1)
            found.groups[scope] = (days[start:], texts[start:])
            if not days:
                del found.groups[scope]


def _is_gone(own: Own, before: int) -> bool:
    match = _LAST.match(own.profile)
    return match is not None and 0 <= int(match[1]) < before
