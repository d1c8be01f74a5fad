"""Whether it pays to let the cluster group CloudTrail: by how alike the documents of some hours are.

Reading costs for each document; grouping for each group, and for some hundred requests however few documents there are.
Where most documents are alike grouping is many times faster; where hardly two are, it is slower. So a few documents of
some hours are read for a try; how many groups whole hours have is estimated from how many were alone among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from elasticsearch import Elasticsearch

from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import HOUR
from nhi_watch.hosts.elastic import read
from nhi_watch.hosts.elastic.pushdown import checks, queries
from nhi_watch.hosts.elastic.pushdown.trail import is_trail_pattern
from nhi_watch.hosts.elastic.read import Span, Window
from nhi_watch.hosts.elastic.store_errors import explained
from nhi_watch.intake.sources import cloudtrail

FIXED = 80_000
"""Documents that are read in the time that the requests for groups take: measured, see docs/method/elastic.md."""
DEAR = 10
"""Documents that are read in the time that a group takes."""
_PLACES = (1, 3, 5)
"""Sixths of the documents, in order of time, in whose hours is looked."""
_SHARE = 60
"""One in so many documents is read of each hour that is looked at: a twentieth in all."""
_LEAST, _LARGEST = 100, 2_000


class Sample(NamedTuple):
    """What was seen of one hour."""

    documents: int
    """Of the whole hour, as far as the cluster can group them."""
    read: int
    groups: int
    alone: int
    """Groups of which one document was seen."""

    def estimate(self) -> float:
        """Groups of the whole hour: what was alone in the sample tells how often the next document begins a new one.

        >>> Sample(1000, 100, 10, 0).estimate(), Sample(1000, 100, 100, 100).estimate()
        (10.0, 1000.0)
        """
        return self.groups + (self.documents - self.read) * self.alone / max(1, self.read)


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
    size = min(_LARGEST, max(_LEAST, total // _SHARE))
    chosen = typical(hours)
    samples = [look(client, trails, start, size) for start in chosen]
    of_all = total / sum(hours[start] for start in chosen)
    documents, groups = sum(each.documents for each in samples), sum(each.estimate() for each in samples)
    return documents * of_all > FIXED + DEAR * groups * of_all


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


def look(client: Elasticsearch, window: Window, start: int, size: int) -> Sample:
    """Read so many of an hour's documents that the cluster can group."""
    with explained(f"looking at {window.pattern}"):
        wanted = read.query(window, read.clocks(client, window.pattern), Span(start, start + HOUR))
        sampled = {"function_score": {"query": queries.all_of(wanted, queries.pushable()), "random_score": {}}}
        told = client.search(
            index=window.pattern, query=sampled, size=size, track_total_hits=True, ignore_unavailable=True
        )
    found = told.body["hits"]
    keys = Counter(_keys(found["hits"]))
    alone = sum(n == 1 for n in keys.values())
    return Sample(found["total"]["value"], len(found["hits"]), len(keys), alone)


def _keys(hits: Iterable[dict[str, Any]]) -> Iterable[object]:
    """What the cluster would group by."""
    for hit in hits:
        try:
            event = cloudtrail.read(hit.get("_source", {}))
        except RejectError:
            continue
        yield event._replace(time=0, record_id="")
