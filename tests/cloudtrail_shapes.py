"""A native CloudTrail record as Splunk and Elastic would hold it: written from their documents, for tests."""

from __future__ import annotations

import json
from typing import Any

from nhi_watch.intake.sources.cloudtrail.ecs import ECS
from nhi_watch_lab.evaluation.shapes import splunk_fields

Tree = dict[str, Any]
__all__ = ["ecs", "ecs_flat", "ecs_hit", "ecs_original", "ecs_text_only", "java", "splunk_fields", "splunk_raw"]


def splunk_raw(record: Tree) -> Tree:
    """An event of which only `_raw` is asked for."""
    return {"_raw": json.dumps(record), "_time": "1700000000", "sourcetype": "aws:cloudtrail"}


def ecs(record: Tree) -> Tree:
    """The `_source` of Elastic's integration, without event.original."""
    kept = _dropped(record) or {}
    flat = ecs_flat(kept)
    nested: Tree = {}
    for name, value in flat.items():
        node = nested
        *steps, last = name.split(".")
        for step in steps:
            node = node.setdefault(step, {})
        node[last] = value
    return nested


def ecs_flat(record: Tree) -> Tree:
    kept = _dropped(record) or {}
    flat: Tree = {"event.kind": "event", "event.dataset": "aws.cloudtrail"}
    for path, name in ECS.items():
        value: Any = kept
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            flat[name] = value
    if "eventTime" in kept and isinstance(kept["eventTime"], str):
        flat["@timestamp"] = kept["eventTime"].replace("Z", ".000Z")
    issuer = (kept.get("userIdentity", {}).get("sessionContext") or {}).get("sessionIssuer") or {}
    if issuer.get("userName"):
        flat["user.name"] = issuer["userName"]
    for native, name in (
        ("requestParameters", "request_parameters"),
        ("responseElements", "response_elements"),
        ("additionalEventData", "additional_eventdata"),
    ):
        if native in kept:
            flat["aws.cloudtrail." + name] = java(kept[native])
            flat["aws.cloudtrail.flattened." + name] = kept[native]
    if "resources" in kept:
        names = {"ARN": "arn", "accountId": "account_id"}
        flat["aws.cloudtrail.resources"] = [_renamed(r, names) for r in kept["resources"]]
    return flat


def _renamed(value: Any, names: dict[str, str]) -> Any:
    return {names.get(k, k): v for k, v in value.items()} if isinstance(value, dict) else value


def ecs_hit(record: Tree) -> Tree:
    """A search hit that holds `fields`, every value in a list, and no `_source`."""
    flat = ecs_flat(record)
    resources = flat.pop("aws.cloudtrail.resources", [])
    fields = {name: value if isinstance(value, list) else [value] for name, value in flat.items()}
    for leaf in ("account_id", "arn"):
        values = [r[leaf] for r in resources if isinstance(r, dict) and leaf in r]
        if values:
            fields["aws.cloudtrail.resources." + leaf] = values
    return {"_index": ".ds-logs-aws.cloudtrail-default-000001", "_id": "x", "fields": fields}


def ecs_text_only(record: Tree) -> Tree:
    """As the integration wrote before it kept parameters as objects: Java text alone."""
    document = ecs(record)
    document.get("aws", {}).get("cloudtrail", {}).pop("flattened", None)
    return document


def ecs_original(record: Tree) -> Tree:
    """A document that preserves the original event."""
    document = ecs(record)
    document["event"]["original"] = json.dumps(record)
    return document


def java(value: Any) -> str:
    """Java's Map.toString, in which Elastic keeps parameters."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}={java(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(java(v) for v in value) + "]"
    return value if isinstance(value, str) else json.dumps(value)


def _dropped(value: Any) -> Any:
    """Without nulls and empty parts, as the pipeline drops them."""
    if isinstance(value, dict):
        parts = {k: _dropped(v) for k, v in value.items()}
        return {k: v for k, v in parts.items() if v is not None} or None
    if isinstance(value, list):
        return [v for v in map(_dropped, value) if v is not None] or None
    return None if value == "" else value
