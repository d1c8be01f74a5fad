"""Reads CloudTrail documents from Elasticsearch: a point in time, page after page.

The whole `_source` is fetched: the server takes longer to pick 30 fields out of it than to send it, and
nothing is missing (measured: docs/decisions/0006-elastic.md). A document with `event.original` becomes the
native record; one without is read from its ECS fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import orjson
from elasticsearch import Elasticsearch

from nhi_watch.elastic.client import explained
from nhi_watch.timestamps import render

PAGE = 2_000
INGESTED, TIMESTAMP = "event.ingested", "@timestamp"
_KEEP_ALIVE = "5m"
_ORDER = ["_shard_doc"]
"""The order in which it lies there; nothing in the core depends on the order."""

Hit = dict[str, Any]


class Window(NamedTuple):
    """Which documents to read."""

    pattern: str
    since: int
    """Seconds since the epoch, inclusive."""
    until: int
    """Exclusive."""


def time_field(client: Elasticsearch, index: str) -> str:
    """`event.ingested` where a source maps it, else `@timestamp`."""
    caps = client.field_caps(index=index, fields=[INGESTED], ignore_unavailable=True)
    return INGESTED if INGESTED in caps["fields"] else TIMESTAMP


def query(window: Window, field: str) -> dict[str, Any]:
    """Documents of the window; those that lack the time of ingestion go by their own time."""
    ends = {"gte": render(window.since), "lt": render(window.until)}
    inside = {"range": {field: ends}}
    if field == TIMESTAMP:
        return inside
    lacking = [{"range": {TIMESTAMP: ends}}]
    alone = {"bool": {"filter": lacking, "must_not": [{"exists": {"field": field}}]}}
    return {"bool": {"should": [inside, alone], "minimum_should_match": 1}}


def pages(client: Elasticsearch, window: Window, size: int = PAGE) -> Iterator[list[Hit]]:
    """The window's hits, a page at a time; the next page is fetched while the caller works on this one.

    Raises:
        StoreError: a shard failed or the search timed out: half an answer is none.
    """
    with explained(f"reading {window.pattern}"):
        field = time_field(client, window.pattern)
        pit = client.open_point_in_time(
            index=window.pattern,
            keep_alive=_KEEP_ALIVE,
            ignore_unavailable=True,
            allow_partial_search_results=False,
        )["id"]
        request: dict[str, Any] = {
            "size": size,
            "query": query(window, field),
            "sort": _ORDER,
            "track_total_hits": False,
            "allow_partial_search_results": False,
        }
        try:
            yield from _walk(client, pit, request)
        finally:
            client.options(ignore_status=404).close_point_in_time(id=pit)


def _walk(client: Elasticsearch, pit: str, request: dict[str, Any]) -> Iterator[list[Hit]]:
    def fetch(after: Any, pit: str) -> Any:
        extra = {"search_after": after} if after else {}
        return client.search(pit={"id": pit, "keep_alive": _KEEP_ALIVE}, **request, **extra).body

    with ThreadPoolExecutor(1) as ahead:
        waiting = ahead.submit(fetch, None, pit)
        while True:
            answer = waiting.result()
            hits: list[Hit] = answer.get("hits", {}).get("hits", [])
            if len(hits) == request["size"]:
                waiting = ahead.submit(fetch, hits[-1]["sort"], answer.get("pit_id", pit))
            if hits:
                yield hits
            if len(hits) < request["size"]:
                return


def record(hit: Hit) -> object:
    """What a source can read: the native record where the document holds it, else the document."""
    document = hit.get("_source", {})
    event = document.get("event")
    original = event.get("original") if event.__class__ is dict else document.get("event.original")
    if original.__class__ is str:
        try:
            return orjson.loads(original)
        except orjson.JSONDecodeError:
            pass  # The source reads it its own way, or falls back on the fields.
    return document
