"""Whether the cluster may group a source's documents: its mappings, and what a look at the documents tells."""

from __future__ import annotations

from typing import Any, Optional

import orjson
from elasticsearch import Elasticsearch

from nhi_watch.hosts.elastic.pushdown import fields
from nhi_watch.hosts.elastic.pushdown.buckets import CannotPushError
from nhi_watch.hosts.elastic.read import TIMESTAMP

Json = dict[str, Any]
ORIGINAL = "event.original"
_SAMPLE = 40
_KEYWORDS = (*fields.SHARED, *fields.PERSONAL, fields.KEY, fields.ARN, fields.RECORD, fields.MESSAGE, fields.VERSION)
_TEXTS = {"keyword", "constant_keyword", "wildcard", "boolean"}
_NEEDED = (fields.ACTION, fields.PROVIDER, fields.RECORD)


def obstacle(client: Elasticsearch, pattern: str) -> Optional[str]:
    """What stands in the way; None: nothing does."""
    named = [*_KEYWORDS, fields.FLATTENED, fields.RESOURCES, TIMESTAMP]
    caps = client.field_caps(index=pattern, fields=named, ignore_unavailable=True)["fields"]
    for name in (*_KEYWORDS, fields.FLATTENED, fields.RESOURCES, TIMESTAMP):
        kinds = {kind: told for kind, told in caps.get(name, {}).items() if kind != "unmapped"}
        if not kinds and name not in _NEEDED:
            continue
        if len(kinds) != 1 or not kinds.keys() <= _allowed(name):
            return f"{name} is mapped as {', '.join(sorted(kinds)) or 'nothing'}"
        if name != fields.RESOURCES and not all(told["aggregatable"] for told in kinds.values()):
            return f"{name} cannot be aggregated"
    return _normalized(client, pattern)


def _allowed(name: str) -> set[str]:
    return {fields.FLATTENED: {"flattened"}, fields.RESOURCES: {"object"}, TIMESTAMP: {"date"}}.get(name, _TEXTS)


def _normalized(client: Elasticsearch, pattern: str) -> Optional[str]:
    """A normalizer changes the values that aggregations see."""
    told = client.indices.get_field_mapping(index=pattern, fields=list(_KEYWORDS), ignore_unavailable=True).body
    for index, found in told.items():
        for name, mapping in found["mappings"].items():
            if any("normalizer" in leaf for leaf in mapping["mapping"].values()):
                return f"{name} has a normalizer in {index}"
    return None


def look(client: Elasticsearch, pit: str, documents: Json) -> list[str]:
    """Look at some documents, and for records that lie there twice; returns the services that were called.

    Each shard finds all that it holds twice; for those that two shards hold, ids that begin with 00 are looked at.

    Raises:
        CannotPushError: documents keep `event.original`, or records are there twice.
    """
    sampled = {"function_score": {"query": documents, "random_score": {}}}
    twice = {"terms": {"field": fields.RECORD, "size": 1, "min_doc_count": 2}}
    across = {"terms": {"field": fields.RECORD, "size": 1, "shard_size": 20_000, "min_doc_count": 2, "include": "00.*"}}
    providers = {"terms": {"field": fields.PROVIDER, "size": 10_000}}
    told: Any = client.search(
        pit={"id": pit, "keep_alive": "5m"},
        query=sampled,
        size=_SAMPLE,
        source={"includes": [ORIGINAL]},
        track_total_hits=False,
        aggs={"twice": twice, "across": across, "providers": providers},
        allow_partial_search_results=False,
    )
    answer = orjson.loads(told.body)
    if any(hit.get("_source") for hit in answer["hits"]["hits"]):
        raise CannotPushError(f"documents keep {ORIGINAL}, which tells more than the fields that can be aggregated")
    if any(answer["aggregations"][name]["buckets"] for name in ("twice", "across")):
        raise CannotPushError("some records lie there twice, and only the reader leaves one of them out")
    return [bucket["key"] for bucket in answer["aggregations"]["providers"]["buckets"]]


def told(client: Elasticsearch, pit: str) -> frozenset[str]:
    """Fields of a behaviour that any document has; the cluster looks up what it knows of each field, not documents."""
    names = (*fields.SHARED, *fields.PERSONAL, fields.KEY, fields.ARN, *fields.PARAMETERS)
    answer: Any = client.search(
        pit={"id": pit, "keep_alive": "5m"},
        size=0,
        track_total_hits=False,
        aggs={str(number): {"filter": {"exists": {"field": name}}} for number, name in enumerate(names)},
        allow_partial_search_results=False,
    )
    found = orjson.loads(answer.body)["aggregations"]
    return frozenset(name for number, name in enumerate(names) if found[str(number)]["doc_count"])


def multiple(client: Elasticsearch, pit: str, documents: Json) -> set[str]:
    """Calls some of whose documents have several values in a field where one is ordinary.

    Raises:
        CannotPushError: there is no such call, so the reason is another one.
    """
    names = (*fields.SHARED, *fields.PERSONAL, fields.KEY, fields.ARN, *fields.PARAMETERS)
    inside: Json = {}
    for number, name in enumerate(names):
        inside[f"values{number}"] = {"value_count": {"field": name}}
        inside[f"documents{number}"] = {"filter": {"exists": {"field": name}}}
    told: Any = client.search(
        pit={"id": pit, "keep_alive": "5m"},
        query=documents,
        size=0,
        aggs={"calls": {"terms": {"field": fields.ACTION, "size": 10_000}, "aggs": inside}},
        allow_partial_search_results=False,
    )
    calls = orjson.loads(told.body)["aggregations"]["calls"]["buckets"]
    found = {
        call["key"]
        for call in calls
        if any(call[f"values{i}"]["value"] > call[f"documents{i}"]["doc_count"] for i in range(len(names)))
    }
    if not found:
        raise CannotPushError("groups do not add up to the documents")
    return found
