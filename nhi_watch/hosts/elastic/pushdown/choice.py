"""Whether it pays to let the cluster group CloudTrail: by how alike the documents of some hours are.

Reading costs for each document, grouping for each group and a little for each document. Where most documents are alike
grouping is many times faster; where hardly two are, it is slower. So some hours are grouped for a try.
"""

from __future__ import annotations

from elasticsearch import Elasticsearch

from nhi_watch.core.timestamps import HOUR
from nhi_watch.hosts.elastic import read
from nhi_watch.hosts.elastic.hits import Hit
from nhi_watch.hosts.elastic.pushdown.buckets import CannotPushError
from nhi_watch.hosts.elastic.pushdown.trail import Trail, is_trail_pattern
from nhi_watch.hosts.elastic.read import Window

FEWEST = 10_000
"""Documents of CloudTrail below which the cluster is not asked: reading them takes a second or two."""
_SAMPLE = 2_000
"""Documents after which the sample is large enough."""
_HOURS = 24
"""Hours that are tried at most."""
MOST = 0.1
"""Groups for each document up to which grouping pays: measured, see decision 6."""


def pays(client: Elasticsearch, window: Window) -> bool:
    """Whether to let the cluster group the documents of a window.

    Raises:
        StoreError: the cluster cannot be searched.
    """
    pattern = ",".join(each for each in window.pattern.split(",") if is_trail_pattern(each))
    if not pattern:
        return False
    hours = read.count_by(client, window._replace(pattern=pattern), HOUR)
    if sum(hours.values()) < FEWEST:
        return False
    chosen = sample(hours)
    try:
        made = Trail(client, pattern).grouped(chosen, window.until, _unheard)
    except CannotPushError:
        return False
    # Whole hours are grouped, and compared with what would be read of them: little, where most was read before.
    to_read = sum(hours[hour * HOUR] for hour in chosen) - made.grouping.parsed
    return made.groups <= MOST * to_read


def _unheard(hit: Hit, error: Exception) -> None:
    """The run itself will refuse it."""


def sample(hours: dict[int, int]) -> list[int]:
    """Some hours, none of them with unusually many or few documents.

    >>> sample({0: 1, 3600: 5000, 7200: 900})
    [2, 0]
    """
    by_size = sorted(hours, key=lambda start: hours[start])
    middle = len(by_size) // 2
    ordered = sorted(range(len(by_size)), key=lambda place: abs(place - middle))
    chosen, held = [], 0
    for start in (by_size[place] for place in ordered[:_HOURS]):
        if held >= _SAMPLE:
            break
        chosen.append(start // HOUR)
        held += hours[start]
    return chosen
