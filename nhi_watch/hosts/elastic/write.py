"""Writes alerts: each once, whatever is run again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from elasticsearch import Elasticsearch
from elasticsearch.helpers import streaming_bulk

from nhi_watch.core.errors import StoreError
from nhi_watch.detect.explain import ocsf
from nhi_watch.hosts.elastic.store_errors import BUSY, PassingError, explained, refused
from nhi_watch.report import ecs

Json = Mapping[str, Any]
_CHUNK = 500
"""Ids that are asked about at once."""
_SENT = 2_000
"""Documents that are sent at once: what follows each request, a refresh, takes longer than a thousand of them."""
BELOW = "below"
"""`nhi.change` of what has no place in the budget."""
_TOP = {
    "shown": {
        "filter": {"bool": {"must_not": {"term": {"nhi.change": BELOW}}}},
        "aggs": {"severity": {"max": {"field": "event.severity"}}},
    },
    "revision": {"max": {"field": "nhi.notable.revision"}},
}
_MAX_BYTES = 10_000_000
_RETRIES = 5


class _Written(NamedTuple):
    """What the stream holds of one notable."""

    severity: int
    """0: it had no place yet."""
    revision: int


def write(
    client: Elasticsearch, notables: Sequence[Json], stream: str, created: str, as_ocsf: bool = False
) -> dict[str, int]:
    """Create the alerts of notables in a data stream; returns how many were `created` and how many `existed`.

    An id is unique within one backing index only (elasticsearch#44794), so the whole stream is asked first
    which ids it has; 409 catches what it does not find yet.

    Raises:
        StoreError: an alert was refused; those before it are written.
    """
    with explained(f"writing {stream}"):
        known = existing(client, stream, [ecs.document_id(notable) for notable in notables])
        new = [notable for notable in notables if ecs.document_id(notable) not in known]
        written = _written(client, stream, [notable["id"] for notable in new])
        actions = (_action(notable, stream, created, written.get(notable["id"]), as_ocsf) for notable in new)
        statuses = list(bulk(client, actions, stream))
    return {"created": statuses.count(201), "existed": len(notables) - statuses.count(201)}


def bulk(client: Elasticsearch, actions: Iterator[dict[str, Any]], stream: str) -> Iterator[int]:
    """Send actions; gives each one's status: 200 and 201 written, 409 there already, or there in a newer version.

    Refreshed, so that what a killed run has written is found by the next one, whatever the stream's settings.

    Raises:
        StoreError: one was refused; those before it are written.
    """
    results = streaming_bulk(
        client, actions, chunk_size=_SENT, max_chunk_bytes=_MAX_BYTES, max_retries=_RETRIES,
        raise_on_error=False, refresh=True,
    )  # fmt: skip
    for _, item in results:
        (result,) = item.values()
        if result["status"] not in (200, 201, 409):
            failed = PassingError if result["status"] in BUSY else StoreError
            raise failed(f"{stream} refused document {result['_id']}: {refused(result.get('error', {}))}")
        yield result["status"]


def _action(
    notable: Json, stream: str, created: str, before: _Written | None, as_ocsf: bool = False
) -> dict[str, Any]:
    name = ecs.document_id(notable)
    if before is not None and notable["revision"] <= before.revision:
        # A killed run wrote this revision of other records, or of fewer: this is the next one.
        notable = {**notable, "revision": before.revision + 1}
    namespace = stream.rsplit("-", 1)[1]
    document = ecs.alert(notable, created=created, change=_change(notable, before), namespace=namespace)
    document["event"]["ingested"] = created
    if as_ocsf:
        document["ocsf"] = ocsf.finding(notable)
    return {"_op_type": "create", "_index": stream, "_id": name, "_source": document}


def _change(notable: Json, before: _Written | None) -> str:
    """Only first revisions and rises in severity become Kibana alerts (integrations#19549).

    One that goes on as part of another is merged: `nhi elastic feedback` closes its Kibana alert.
    """
    if notable["merged_into"]:
        return "merged"
    if not notable["listed"]:
        return BELOW
    if before is None or not before.severity:
        return "new"
    return "escalated" if ecs.SEVERITY_CODES[notable["severity"]] > before.severity else "updated"


def existing(client: Elasticsearch, stream: str, ids: Sequence[str]) -> set[str]:
    """Which of some ids the whole stream has."""
    found: set[str] = set()
    for start in range(0, len(ids), _CHUNK):
        some = ids[start : start + _CHUNK]
        answer = client.search(
            index=stream,
            query={"ids": {"values": some}},
            source=False,
            size=len(some),
            ignore_unavailable=True,
            allow_partial_search_results=False,
        )
        found.update(hit["_id"] for hit in answer["hits"]["hits"])
    return found


def _written(client: Elasticsearch, stream: str, names: Sequence[str]) -> dict[str, _Written]:
    """Notable id → the highest severity and revision of its alerts so far."""
    found: dict[str, _Written] = {}
    for start in range(0, len(names), _CHUNK):
        some = list(names[start : start + _CHUNK])
        answer = client.search(
            index=stream,
            query={"terms": {"event.id": some}},
            aggs={"names": {"terms": {"field": "event.id", "size": len(some)}, "aggs": _TOP}},
            size=0,
            ignore_unavailable=True,
            allow_partial_search_results=False,
            request_cache=False,
        )
        for bucket in answer.get("aggregations", {}).get("names", {}).get("buckets", []):
            top = (bucket["shown"]["severity"]["value"], bucket["revision"]["value"])
            found[bucket["key"]] = _Written(*(int(value or 0) for value in top))
    return found
