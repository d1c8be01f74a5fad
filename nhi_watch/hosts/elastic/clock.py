"""The cluster's clock, by which windows, leases and what is written go: the host's own may be wrong by any amount."""

from __future__ import annotations

import time
from collections.abc import Callable

from elasticsearch import Elasticsearch

from nhi_watch.hosts.elastic.store_errors import explained


def now(client: Elasticsearch, index: str) -> float:
    """Seconds since the epoch as the cluster has them: it says what `now` is in the name of a bucket.

    Needs the right to read `index` and nothing else.
    """
    asked = {"date_range": {"field": "@timestamp", "ranges": [{"from": "now"}]}}
    told = client.search(index=index, size=0, aggs={"now": asked}, request_cache=False)
    return float(told["aggregations"]["now"]["buckets"][0]["from"]) / 1000


class ClusterClock:
    """Tells the cluster's time; asked once, and counted on from there whatever is done to the host's clock."""

    def __init__(self, client: Elasticsearch, index: str, passed: Callable[[], float] = time.monotonic) -> None:
        """Raises StoreError when the cluster does not tell."""
        self._client = client
        self._index = index
        self._passed = passed
        self._offset = 0.0
        self.look()

    def look(self) -> None:
        """Ask again.

        Raises:
            StoreError: the cluster does not tell.
        """
        with explained("asking for the time"):
            before = self._passed()
            there = now(self._client, self._index)
            self._offset = there - (before + self._passed()) / 2

    def __call__(self) -> float:
        return self._passed() + self._offset
