"""A native CloudTrail record as Elastic's aws.cloudtrail pipeline (default.yml) keeps it, without `event.original`."""

from __future__ import annotations

import json
from typing import Any

from nhi_watch.intake.sources.cloudtrail import ECS

Tree = dict[str, Any]


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
    """The same, flat: dotted names."""
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
    actor = flat.get("aws.cloudtrail.user_identity.arn") or flat.get("actor.entity.id")
    if actor:
        flat["actor.entity.id"] = [actor]
    issuer = (kept.get("userIdentity", {}).get("sessionContext") or {}).get("sessionIssuer") or {}
    if issuer.get("userName"):
        flat["user.name"] = issuer["userName"]
    for native, name in (
        ("requestParameters", "request_parameters"),
        ("responseElements", "response_elements"),
        ("additionalEventData", "additional_eventdata"),
        ("serviceEventDetails", "service_event_details"),
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
