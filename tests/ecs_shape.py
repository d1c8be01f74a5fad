"""CloudTrail in Elasticsearch as the aws.cloudtrail integration keeps it: a strict mapping, and documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Optional

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

import cloudtrail_shapes
from nhi_watch.intake.sources.cloudtrail import ECS

Tree = dict[str, Any]

_KINDS: dict[str, Tree] = {
    "@timestamp": {"type": "date"},
    "event.ingested": {"type": "date"},
    "event.original": {"type": "keyword", "index": False, "doc_values": False},
    "source.ip": {"type": "ip"},
    "aws.cloudtrail.read_only": {"type": "boolean"},
    **{
        f"aws.cloudtrail.flattened.{name}": {"type": "flattened"}
        for name in ("request_parameters", "response_elements", "additional_eventdata", "service_event_details")
    },
}
_KEYWORDS = (
    *ECS.values(),
    "event.kind",
    "event.dataset",
    "user.name",
    "aws.cloudtrail.request_parameters",
    "aws.cloudtrail.response_elements",
    "aws.cloudtrail.additional_eventdata",
    "aws.cloudtrail.service_event_details",
    "aws.cloudtrail.resources.arn",
    "aws.cloudtrail.resources.account_id",
    "aws.cloudtrail.resources.type",
)


def mappings(without: Iterable[str] = ()) -> Tree:
    """Strict, as far as a document of ours goes."""
    root: Tree = {"dynamic": "strict", "properties": {}}
    fields = {name: {"type": "keyword", "ignore_above": 1024} for name in _KEYWORDS} | _KINDS
    for name, kind in fields.items():
        if name in without:
            continue
        *steps, last = name.split(".")
        node = root["properties"]
        for step in steps:
            node = node.setdefault(step, {"properties": {}})["properties"]
        node[last] = kind
    return root


def template(client: Elasticsearch, stream: str, without: Iterable[str] = (), replicas: int = 0) -> None:
    """Make writing to `stream` create a data stream with that mapping."""
    client.indices.put_index_template(
        name=stream,
        index_patterns=[stream],
        priority=300,
        data_stream={},
        template={
            "mappings": mappings(without),
            "settings": {"number_of_shards": 1, "number_of_replicas": replicas, "refresh_interval": "-1"},
        },
    )


def document(record: Tree, original: bool, ingested: Optional[str]) -> Tree:
    """What the integration makes of a native record, with or without `event.original`."""
    built = cloudtrail_shapes.ecs_original(record) if original else cloudtrail_shapes.ecs(record)
    if ingested is not None:
        built["event"]["ingested"] = ingested
    return built


def load(client: Elasticsearch, stream: str, documents: Iterable[Tree]) -> int:
    """Write documents and make them searchable; returns how many."""
    actions: Iterator[Tree] = ({"_op_type": "create", "_index": stream, "_source": d} for d in documents)
    count, _ = bulk(client, actions, chunk_size=2000)
    client.indices.refresh(index=stream)
    return int(count)
