"""What has come in since the last look: for `--follow`, which reads every document once and soon.

A document becomes searchable some time after it was ingested, and not in that order. So the cluster counts its
documents by second of ingestion, for the last ten minutes; a second that has more of them than were read is read
again. Documents that do not tell when they were ingested are counted by minute of their own time, for three hours.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

from elasticsearch import Elasticsearch

from nhi_watch.hosts.elastic import read
from nhi_watch.hosts.elastic.read import LATE, Window
from nhi_watch.hosts.elastic.store_errors import complete, explained
from nhi_watch.hosts.elastic.windows import OVERLAP

Json = dict[str, Any]
_MINUTE = 60
_CLOCKS_FOR = 300
"""Seconds for which it is believed how indices are mapped."""


class _Look(NamedTuple):
    """How many documents there are."""

    told: dict[int, int]
    """By second of ingestion."""
    own: dict[int, int]
    """By minute of their own time, of those that do not tell."""


_NOTHING = _Look({}, {})


class Watch:
    """Looks for what was not read yet. `due` says what; `done` that it was read."""

    def __init__(self, client: Elasticsearch, pattern: str) -> None:
        self._client = client
        self.pattern = pattern
        self._read = _NOTHING
        self._look = _NOTHING
        self._clocks: Optional[read.Clocks] = None
        self._clocks_until = 0

    def due(self, until: int) -> Optional[Window]:
        """What came in before `until` and was not read; None: nothing."""
        self._look = self._count(until)
        told = _grown(self._read.told, self._look.told)
        own = _grown(self._read.own, self._look.own)
        if not told and not own:
            return None
        return Window(self.pattern, until - OVERLAP, until, read.stretches(told, 1), read.stretches(own, _MINUTE))

    def done(self) -> None:
        """All that the last look saw was read."""
        self._read = self._look

    def documents(self) -> int:
        """How many the last look found that were not read."""
        pairs = ((self._read.told, self._look.told), (self._read.own, self._look.own))
        return sum(max(0, count - before.get(at, 0)) for before, now in pairs for at, count in now.items())

    def _count(self, until: int) -> _Look:
        with explained(f"looking at {self.pattern}"):
            by = self._by(until)
            told = read.told(until - OVERLAP, until, by)
            own = read.lacking(until - until % _MINUTE - LATE, until, by)
            steps = {"own": _steps(own, read.TIMESTAMP, _MINUTE)}
            if not by.odd:  # else some index would refuse; all is read anew every five minutes anyway
                steps["told"] = _steps(told, read.INGESTED, 1)
            answer = self._client.search(
                index=self.pattern,
                query=read.any_of([told, own]),
                size=0,
                track_total_hits=False,
                aggs=steps,
                ignore_unavailable=True,
                allow_partial_search_results=False,
                request_cache=False,
            )
            complete(answer.body, f"looking at {self.pattern}")
        found = answer.body.get("aggregations", {})
        return _Look(_counts(found, "told"), _counts(found, "own"))

    def _by(self, now: int) -> read.Clocks:
        if self._clocks is None or now >= self._clocks_until:
            self._clocks, self._clocks_until = read.clocks(self._client, self.pattern), now + _CLOCKS_FOR
        return self._clocks


def _steps(documents: Json, field: str, seconds: int) -> Json:
    steps = {"field": field, "fixed_interval": f"{seconds}s", "min_doc_count": 1}
    return {"filter": documents, "aggs": {"steps": {"date_histogram": steps}}}


def _counts(found: Json, name: str) -> dict[int, int]:
    buckets = found.get(name, {}).get("steps", {}).get("buckets", [])
    return {bucket["key"] // 1000: bucket["doc_count"] for bucket in buckets}


def _grown(before: dict[int, int], now: dict[int, int]) -> list[int]:
    return sorted(at for at, count in now.items() if count > before.get(at, 0))
