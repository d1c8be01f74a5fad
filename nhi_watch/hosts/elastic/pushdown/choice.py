"""Whether it pays to let the cluster group CloudTrail: by how alike the documents of some hours are.

Reading costs for each document. Grouping costs for each request, of which there is one for each service and more,
however few documents there are, and for each group. Where most documents are alike it is many times faster; where
hardly two are, it is slower. So some hundred documents of some hours are read for a try; how many groups an hour has is
estimated from how many of them were alone, and how many in pairs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import mean
from typing import Any, NamedTuple

from elasticsearch import Elasticsearch

from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import HOUR
from nhi_watch.hosts.elastic import read
from nhi_watch.hosts.elastic.pushdown import checks, fields, queries
from nhi_watch.hosts.elastic.pushdown.trail import is_trail_pattern, pieces
from nhi_watch.hosts.elastic.read import Window
from nhi_watch.hosts.elastic.store_errors import explained
from nhi_watch.intake.days import FORESEEN
from nhi_watch.intake.sources import cloudtrail

Json = dict[str, Any]
FIXED = 5_000
"""Documents that are read in the time that grouping takes before the first group: docs/decisions/0006-elastic.md."""
REQUEST = 350
"""Documents that are read in the time that one request for groups takes."""
DEAR = 4.5
"""Documents that are read in the time that a group takes."""
SAMPLE = 200
"""Documents that are read for a try: few, so that trying costs little beside the cheaper way."""
_HOURS = (3, 9)
"""In how many hours is looked: in few where they have many documents, since those of an hour are compared."""


class Sample(NamedTuple):
    """What was seen of an hour."""

    documents: int
    """As far as the cluster can group them."""
    read: int
    groups: int
    alone: int
    """Groups of which one document was seen."""
    pairs: int
    """Groups of which two were."""

    def estimate(self) -> float:
        """Groups of the whole hour: between what is too few where some groups are large and most are small (Chao's
        bound), and what is too many where all are of a size (each document more being new as often as the last ones).

        >>> [round(each.estimate()) for each in (Sample(1000, 100, 10, 0, 0), Sample(1000, 100, 100, 100, 0))]
        [10, 1000]
        >>> Sample(100, 100, 60, 50, 2).estimate()
        60.0
        """
        least = self.groups + self.alone * (self.alone - 1) / 2 / (self.pairs + 1)
        most = self.groups + (self.documents - self.read) * self.alone / max(1, self.read)
        return min(self.documents, most, math.sqrt(least * most))


class Look(NamedTuple):
    """What was seen of some hours."""

    hours: dict[int, Sample]
    """By when they begin."""
    providers: tuple[str, ...]


def pays(client: Elasticsearch, window: Window, hours: dict[int, int]) -> bool:
    """Whether to let the cluster group the documents of a window; `hours`: when they begin → its documents.

    Raises:
        StoreError: the cluster cannot be searched.
    """
    pattern = ",".join(each for each in window.pattern.split(",") if is_trail_pattern(each))
    if not pattern:
        return False
    trails = window._replace(pattern=pattern)
    by = read.clocks(client, pattern)
    if pattern != window.pattern:
        hours = read.counted(read.aggregated(client, pattern, read.query(trails, by), read.steps(HOUR)))
    if sum(hours.values()) <= FIXED or checks.obstacle(client, pattern):
        return False
    chosen = typical(hours)
    return cheaper(hours, chosen, look(client, pattern, read.query(trails, by), set(chosen)))


def cheaper(hours: dict[int, int], chosen: Sequence[int], seen: Look) -> bool:
    """Whether grouping all hours costs less than reading them, by what was seen of those that were chosen.

    Each stands for as many documents as any other, however many it has itself: what counts is its share of groups.
    """
    samples = [(hours[start], seen.hours[start]) for start in chosen if start in seen.hours]
    if not samples:
        return False
    total = sum(hours.values())
    documents = total * mean(sample.documents / count for count, sample in samples)
    groups = total * mean(sample.estimate() / count for count, sample in samples)
    return documents > FIXED + REQUEST * _requests(seen.providers) * pieces(total) + DEAR * groups


def _requests(providers: Iterable[str]) -> int:
    return len(queries.requests({}, providers, frozenset(fields.PARAMETERS)))


def typical(hours: dict[int, int]) -> list[int]:
    """Hours in which documents ordinarily lie, each of which stands for as many of them; one may stand there twice.

    >>> typical({0: 1, 3600: 5000, 7200: 900})
    [3600, 3600, 3600]
    >>> typical(dict.fromkeys(range(9), 10))
    [0, 1, 2, 3, 4, 5, 6, 7, 8]
    """
    total, found, before = sum(hours.values()), list[int](), 0
    least, most = _HOURS
    places = min(most, max(least, least * SAMPLE * len(hours) // total))
    for start in sorted(hours):
        before += hours[start]
        while len(found) < places and total * (len(found) + 0.5) / places < before:
            found.append(start)
    return found


def look(client: Elasticsearch, pattern: str, wanted: Json, starts: set[int]) -> Look:
    """Read some of the documents of hours that the cluster can group."""
    within = queries.all_of(wanted, queries.spans(start // HOUR for start in starts), queries.pushable())
    some = {"top_hits": {"size": SAMPLE // max(_HOURS[0], len(starts))}}
    aggs = {
        "providers": {"terms": {"field": fields.PROVIDER, "size": 1_000}},
        "hours": {**read.steps(HOUR)["steps"], "aggs": {"some": some}},
    }
    with explained(f"looking at {pattern}"):
        told = read.aggregated(client, pattern, {"function_score": {"query": within, "random_score": {}}}, aggs)
    seen = {each["key"] // 1000: _sample(each) for each in told["hours"]["buckets"]}
    return Look(seen, tuple(each["key"] for each in told["providers"]["buckets"]))


def _sample(hour: Json) -> Sample:
    hits = hour["some"]["hits"]["hits"]
    sizes = Counter(Counter(_keys(hits)).values())
    return Sample(hour["doc_count"], len(hits), sum(sizes.values()), sizes[1], sizes[2])


def _keys(hits: Iterable[Json]) -> Iterable[object]:
    """What the cluster would group by."""
    for hit in hits:
        try:
            with FORESEEN:
                event = cloudtrail.read(hit.get("_source", {}))
        except RejectError:
            continue
        yield event._replace(time=event.time // HOUR, record_id="")
