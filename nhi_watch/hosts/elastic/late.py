"""Documents that become searchable long after they were ingested: counted by slots of time, and read.

A run reads from ten minutes before its checkpoint. What comes later than that would be lost without a word. So each run
notes how many documents each slot held when it was read, and once an hour the cluster counts the slots of the last
days again: a slot that has grown is read again. Documents that do not tell when they were ingested are counted by slots
of their own time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from elasticsearch import Elasticsearch

from nhi_watch.core.timestamps import DAY
from nhi_watch.hosts.elastic import read
from nhi_watch.hosts.elastic.read import LATE, Clocks, Window
from nhi_watch.hosts.elastic.store_errors import explained
from nhi_watch.state.store import Store

DAYS = 3
"""How far back it is looked; what comes later still is not found."""
SLOT = 300
"""Seconds of a slot; windows begin at full ones."""
EVERY = 3600
"""Seconds from one look to the next."""
_COUNTS = "elastic:counts"
_LOOKED = "elastic:looked"

Json = dict[str, Any]
Slots = dict[int, int]


class Counts(NamedTuple):
    """Documents by slot."""

    told: Slots
    """By when they were ingested."""
    own: Slots
    """By their own time, of those that do not tell."""


class Ledger:
    """What was counted of each group of patterns when it was read."""

    def __init__(self, store: Store, now: int) -> None:
        rows = store.get("meta", [_COUNTS, _LOOKED])
        self._oldest = now - DAYS * DAY
        self._now = now
        self._looked = int(rows.get(_LOOKED, b"0"))
        self._groups: dict[str, Json] = orjson.loads(rows[_COUNTS]) if _COUNTS in rows else {}

    def note(self, pattern: str, since: int, counts: Counts) -> None:
        """What slots hold that are read now; `since`: from when on a group that is new is read."""
        group = self._groups.setdefault(pattern, {"from": since, "told": {}, "own": {}})
        group["from"] = min(group["from"], since)
        for name, slots in counts._asdict().items():
            group[name].update((str(slot), count) for slot, count in slots.items())

    def put(self, store: Store) -> None:
        """Put it down, without what is too old; committing is the caller's business."""
        kept = {pattern: self._recent(group) for pattern, group in self._groups.items()}
        kept = {pattern: group for pattern, group in kept.items() if group["told"] or group["own"]}
        store.put("meta", [(_COUNTS, orjson.dumps(kept)), (_LOOKED, str(self._looked).encode())])

    def _recent(self, group: Json) -> Json:
        oldest = self._oldest - LATE
        slots = {name: {at: n for at, n in group[name].items() if int(at) >= oldest} for name in ("told", "own")}
        return {"from": group["from"], **slots}

    def due(self, every: int = EVERY) -> bool:
        """Whether it is time to look again."""
        return self._now - self._looked >= every

    def look(self, client: Elasticsearch, patterns: Sequence[str], before: int) -> Iterator[tuple[Window, int]]:
        """Windows of slots that have grown, and by how many documents: of what was ingested before a time.

        Raises:
            StoreError: the cluster cannot be searched.
        """
        self._looked = self._now
        for pattern, group in list(self._groups.items()):
            low = max(group["from"], self._oldest)
            low += -low % SLOT
            if not set(pattern.split(",")) <= set(patterns) or low >= before:
                continue
            found = count(client, pattern, (low, before), (max(0, low - LATE), before - LATE))
            grown = [_grown(group[name], slots) for name, slots in found._asdict().items()]
            self.note(pattern, group["from"], found)
            if any(grown):
                told, own = (read.stretches(sorted(slots), SLOT) for slots in grown)
                window = Window(pattern, min(low for low, _ in (*told, *own)), self._now, told, own)
                yield window, sum(sum(slots.values()) for slots in grown)


def count(client: Elasticsearch, pattern: str, told: tuple[int, int], own: tuple[int, int]) -> Counts:
    """Count documents by slot: those that tell when they were ingested, and others by their own time.

    Raises:
        StoreError: the cluster cannot be searched.
    """
    with explained(f"counting {pattern}"):
        by = read.clocks(client, pattern)
        ways = read.told(*told, by), read.lacking(*own, by)
        wanted = {"bool": {"filter": [read.any_of(list(ways))], "must_not": [read.FROZEN]}}
        return counts(read.aggregated(client, pattern, wanted, _both(by, *ways)))


def aggregations(by: Clocks, since: int, until: int) -> Json:
    """What counts the documents of a window by slot."""
    return _both(by, read.told(since, until, by), read.lacking(max(0, since - LATE), until, by))


def _both(by: Clocks, told: Json, own: Json) -> Json:
    """Nothing where some index maps the time of ingestion otherwise: it would refuse."""
    return {} if by.odd else {"told": _by_slot(told, read.INGESTED), "own": _by_slot(own, read.TIMESTAMP)}


def _by_slot(documents: Json, field: str) -> Json:
    steps = {"field": field, "fixed_interval": f"{SLOT}s", "min_doc_count": 1}
    return {"filter": documents, "aggs": {"slots": {"date_histogram": steps}}}


def counts(found: Json) -> Counts:
    """What the aggregations found."""
    return Counts(*({bucket["key"] // 1000: bucket["doc_count"]
                     for bucket in found.get(name, {}).get("slots", {}).get("buckets", [])}
                    for name in ("told", "own")))  # fmt: skip


def _grown(before: Json, now: Slots) -> Slots:
    """Slot → documents more."""
    return {slot: n - before.get(str(slot), 0) for slot, n in now.items() if n > before.get(str(slot), 0)}
