"""Whether it pays to let the cluster group CloudTrail: by how alike the documents of some hours are.

Reading costs for each document; grouping for each group, and for some dozen requests however few documents there are.
Where most documents are alike grouping is many times faster; where hardly two are, it is slower. So some hundred
documents of some hours are read for a try; how many groups whole hours have is estimated from how many of them were
alone, and how many in pairs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from elasticsearch import Elasticsearch

from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import HOUR
from nhi_watch.hosts.elastic import read
from nhi_watch.hosts.elastic.pushdown import checks, queries
from nhi_watch.hosts.elastic.pushdown.trail import is_trail_pattern
from nhi_watch.hosts.elastic.read import Window
from nhi_watch.hosts.elastic.store_errors import explained
from nhi_watch.intake.sources import cloudtrail

FIXED = 10_000
"""Documents that are read in the time that the requests for groups take: measured, see docs/method/elastic.md."""
DEAR = 2
"""Documents that are read in the time that a group takes."""
SAMPLE = 300
"""Documents that are read for a try: few, so that trying costs little beside the cheaper way."""
_PLACES = (1, 3, 5)
"""Sixths of the documents, in order of time, in whose hours is looked."""


class Sample(NamedTuple):
    """What was seen of some hours."""

    documents: int
    """Of the whole hours, as far as the cluster can group them."""
    read: int
    groups: int
    alone: int
    """Groups of which one document was seen."""
    pairs: int
    """Groups of which two were."""

    def estimate(self) -> float:
        """Groups of the whole hours: between what is too few where some groups are large and most are small (Chao's
        bound), and what is too many where all are of a size (each document more being new as often as the last ones).

        >>> [round(each.estimate()) for each in (Sample(1000, 100, 10, 0, 0), Sample(1000, 100, 100, 100, 0))]
        [10, 1000]
        """
        least = self.groups + self.alone * (self.alone - 1) / 2 / (self.pairs + 1)
        most = self.groups + (self.documents - self.read) * self.alone / max(1, self.read)
        return min(self.documents, math.sqrt(least * most))


def pays(client: Elasticsearch, window: Window) -> bool:
    """Whether to let the cluster group the documents of a window.

    Raises:
        StoreError: the cluster cannot be searched.
    """
    pattern = ",".join(each for each in window.pattern.split(",") if is_trail_pattern(each))
    if not pattern:
        return False
    trails = window._replace(pattern=pattern)
    hours = read.count_by(client, trails, HOUR)
    total = sum(hours.values())
    if total <= FIXED or checks.obstacle(client, pattern):
        return False
    chosen = typical(hours)
    sample = look(client, trails, chosen)
    of_all = total / sum(hours[start] for start in chosen)
    return sample.documents * of_all > FIXED + DEAR * sample.estimate() * of_all


def typical(hours: dict[int, int]) -> list[int]:
    """Hours in which documents ordinarily lie.

    >>> typical({0: 1, 3600: 5000, 7200: 900})
    [3600]
    """
    total, found, before = sum(hours.values()), [], 0
    for start in sorted(hours):
        if any(before <= total * place / 6 < before + hours[start] for place in _PLACES):
            found.append(start)
        before += hours[start]
    return found


def look(client: Elasticsearch, window: Window, starts: Iterable[int]) -> Sample:
    """Read some of the documents of hours that the cluster can group."""
    with explained(f"looking at {window.pattern}"):
        wanted = read.query(window, read.clocks(client, window.pattern))
        within = queries.all_of(wanted, queries.spans(start // HOUR for start in starts), queries.pushable())
        sampled = {"function_score": {"query": within, "random_score": {}}}
        told = client.search(
            index=window.pattern, query=sampled, size=SAMPLE, track_total_hits=True, ignore_unavailable=True
        )
    found = told.body["hits"]
    sizes = Counter(Counter(_keys(found["hits"])).values())
    return Sample(found["total"]["value"], len(found["hits"]), sum(sizes.values()), sizes[1], sizes[2])


def _keys(hits: Iterable[dict[str, Any]]) -> Iterable[object]:
    """What the cluster would group by."""
    for hit in hits:
        try:
            event = cloudtrail.read(hit.get("_source", {}))
        except RejectError:
            continue
        yield event._replace(time=event.time // HOUR, record_id="")
