"""What `State` keeps, read from the rows of a lookup table, and back.

A day is judged against the baseline as it stood on its eve, so what a table knows of that day and of later ones is
left out. What is put stays in memory. Of whole days only those of exposed identities are kept: their uses since the
exposure are looked at for weeks; all others can be read from the summary index again.
"""

from __future__ import annotations

import heapq
import json
import re
import zlib
from base64 import b64decode, b64encode
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Optional

from nhi_watch.hosts.splunk.lookup import ELIGIBLE, EMPTY, KEPT, LEARNT, Table, dump, parse
from nhi_watch.hosts.splunk.shelf import Shelf, of_bytes, of_texts
from nhi_watch.state import inventory
from nhi_watch.state.state import GROUPS, OLD

Lesson = list[Any]
"""[what is learnt at once, what later, peer group]"""
DRIFT = "drift/"
RHYTHM = "rhythm/"
"""Beginnings of the keys of `meta` that a table keeps: the spread of each day's scores and signals, the hours in which
each log told something, and from how many rows a day was learnt. A day follows."""
_TOLD = ("exposed", "resolved", "quarantined")
"""Changes of a credential after which its use is followed."""


class TableStore:
    """What `State` keeps, read from a table up to the eve of a day; what is put lies on shelves."""

    def __init__(self, table: Table, before: int) -> None:
        self._table = table
        self.thin: Optional[int] = None
        """A day of which `scan` gives what was judged, without what it teaches: that of all identities is much. Its
        rhythm is known of all, and is not put again."""
        self._hidden: set[int] = set()
        """Days that teach nothing of groups: not all of their identities are here."""
        self._days = [day for day in table.days if day < before]
        self._put: dict[str, Shelf[bytes]] = defaultdict(of_bytes)
        self._settled: set[str] = set()
        """Days of which deltas were put, as keys begin."""
        self._lesson: tuple[str, dict[str, str]] = "", {}
        """An identity, and by day the JSON of what it taught: its days are asked for one after the other."""
        self._judged = of_bytes()
        """How days were judged, without what they teach, also of those whom nobody gave."""
        known = {day for day in (int(key[:6]) for key in table.kept["day"]) if day < before}
        days = sorted(known.union(self._days))
        self._put["meta"].update({"days": pack(dump([days, table.base + 1]))} if table.last >= 0 else {})
        self._put["meta"].update((key, row) for key, row in _unkept(table, "meta") if day_in(key) < before)
        self._put["profile"].update(_snapshot(table, before))
        self._put["day"].update((key, row) for key, row in _unkept(table, "day") if int(key[:6]) < before)
        for name in ("inventory", "ledger"):
            self._put[name].update(_unkept(table, name))

    def get(self, table: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The rows that exist among `keys`."""
        found = {key: self._one(table, key) for key in keys}
        return {key: row for key, row in found.items() if row is not None}

    def _one(self, table: str, key: str) -> Optional[bytes]:
        row = self._put[table].get(key) if table != "delta" or key[:6] in self._settled else None
        if row is not None:
            return row
        if table == "profile":
            own = self._table.own.get(key[len(OLD) + 1 :] if key.startswith(f"{OLD}/") else key)
            return pack(own.profile) if own is not None else None
        return self._delta(int(key[:6]), key[7:]) if table == "delta" else None

    def _delta(self, day: int, scope: str) -> Optional[bytes]:
        if day not in self._days:
            return None
        if scope != self._lesson[0]:
            self._lesson = scope, lessons(scope, (self._table.own.get(scope) or EMPTY).deltas)
        told = self._lesson[1].get(str(day))
        return pack(f"{told[:-1]},0.0,0.0,0.0,false,null]") if told else None

    def scan(self, table: str, low: str, high: str) -> Iterator[tuple[str, bytes]]:
        """Rows in key order."""
        if table != "delta":
            return self._put[table].scan(low, high)
        if self.thin is not None and low == f"{self.thin:06d}/":
            return self._judged.scan(low, high)
        return self._lessons(low, high)

    def hide(self, day: int) -> None:
        """Let a day of which only some identities are here teach nothing of groups but what the table has learnt."""
        self._hidden.add(day)
        if day in self._table.days:
            self._put["profile"].update(_snapshot(self._table, day + 1))

    def know(self, day: int, judged: Iterable[tuple[str, Lesson]]) -> None:
        """While the day is `thin`, scans also give how others' day was judged before; what it taught nobody knows."""
        self._judged.update((f"{day:06d}/{name}", pack(dump([{}, {}, *rest]))) for name, rest in judged)

    def _lessons(self, low: str, high: str) -> Iterator[tuple[str, bytes]]:
        last, put = "", self._put["delta"].scan(low, high)
        for key, row in heapq.merge(put, self._learnt(low, high), key=itemgetter(0)):  # of equal keys what was put
            if key != last and int(key[:6]) not in self._hidden:
                yield key, row
            last = key

    def _learnt(self, low: str, high: str) -> Iterator[tuple[str, bytes]]:
        """The deltas of the table, in order."""
        for day in [day for day in self._days if low <= f"{day:06d}/" < high]:
            for scope in self._table.own:
                row = self._delta(day, scope)
                if row is not None:
                    yield f"{day:06d}/{scope}", row

    def put(self, table: str, rows: Iterable[tuple[str, Optional[bytes]]]) -> None:
        """Replace or delete rows."""
        known = self._put[table]
        followed = self.followed() if table == "day" else set()
        told = f"{RHYTHM}{self.thin:06d}" if table == "meta" and self.thin is not None else ""
        for key, row in rows:
            if key == told:
                continue
            if table == "delta" and key[7:] not in self._table.own:  # it has a history from now on, if only of deltas
                self._put["profile"].setdefault(key[7:], _NEWCOMER)
            if row is None:
                known.pop(key, None)
                if table == "delta":
                    self._judged.pop(key, None)
            elif table != "day" or key[7:] in followed:
                known[key] = row
                if table == "delta":
                    self._settled.add(key[:6])
                    self._judged[key] = pack(dump([{}, {}, *unpack(row)[2:]]))

    def followed(self) -> set[str]:
        """Ids of the identities of which whole days are kept."""
        names = {u.id for c in inventory.credentials(self) for u in c.users if any(d.what in _TOLD for d in c.changes)}
        done = inventory.every_name(self)
        held = {name for name, changes in done.items() if any(change.what in _TOLD for change in changes)}
        if held:
            everybody = inventory.identities(self).values()
            names |= {one.identity.id for one in everybody if inventory.name_key(one.identity) in held}
        return names

    def kept(self) -> dict[str, Shelf[str]]:
        """What the next table keeps of the state's tables."""
        found = {name: of_texts() for name in KEPT}
        for name in KEPT[:2]:
            found[name].update((key, unpack_text(row)) for key, row in self._put[name].scan())
        found["day"].update((key, b64encode(row).decode("ascii")) for key, row in self._put["day"].scan())
        own = (DRIFT, RHYTHM, LEARNT, ELIGIBLE)
        meta = ((key, unpack_text(row)) for key, row in self._put["meta"].scan() if key.startswith(own))
        found["meta"].update(meta)
        return found


def pack(text: str) -> bytes:
    """A row of JSON as the state packs it."""
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 0)


def lessons(scope: str, deltas: str) -> dict[str, str]:
    """Day → the JSON of what it taught, of a cell that is cut and not parsed: nothing else has a list under a number.

    Raises:
        StoreError: naming the scope.

    >>> lessons("s", '{"20000":[{"a":{"1":2}},{},"p"],"20001":[{},{},"p"]}')
    {'20000': '[{"a":{"1":2}},{},"p"]', '20001': '[{},{},"p"]'}
    """
    told = _DAY.split(deltas.rstrip("}"))
    if told[0] or len(told) < 3:
        return {day: dump(row) for day, row in parse(scope, deltas).items()} if deltas else {}
    return dict(zip(told[1::2], told[2::2]))


_DAY = re.compile(r'[{,]"(\d+)":(?=\[)')
_NEWCOMER = pack(EMPTY.profile)


def day_in(key: str) -> int:
    """The day of a key of `meta` that a table keeps.

    >>> day_in("rhythm/020000")
    20000
    """
    return int(key.partition("/")[2])


def _unkept(table: Table, name: str) -> Iterator[tuple[str, bytes]]:
    return ((key, b64decode(text) if name == "day" else pack(text)) for key, text in table.kept[name].scan())


def unpack_text(raw: bytes) -> str:
    """The JSON text of a row."""
    return zlib.decompress(raw).decode("utf-8", "surrogatepass")


def unpack(raw: bytes) -> Any:
    """The plain value of a row."""
    return json.loads(zlib.decompress(raw))


def _snapshot(table: Table, before: int) -> Iterator[tuple[str, bytes]]:
    """The groups as they stood on the last day before a day on which any of them changed."""
    stood = {scope: bisect_left(days, before) - 1 for scope, (days, _) in table.groups.items()}
    cells = {scope: row for scope, row in stood.items() if row >= 0}
    if cells:
        day = max(table.groups[scope][0][row] for scope, row in cells.items())
        texts = (f"{json.dumps(scope)}:{table.groups[scope][1][row]}" for scope, row in sorted(cells.items()))
        yield f"{GROUPS}/{day:06d}", pack("{" + ",".join(texts) + "}")
