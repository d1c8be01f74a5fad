"""A native record as hosts would hold it, where that is mechanical; and which shape a sample has.

Elastic's integrations write fields of their own, which no rule makes out of a native record: those are samples only.
"""

from __future__ import annotations

import json
from typing import Any

from nhi_watch.intake.shapes.forms import hit

Tree = dict[str, Any]
SHAPES = ("native", "splunk_raw", "splunk_fields", "ecs_original", "ecs", "ecs_fields", "ocsf")
"""ecs: a document's own fields, nested; ecs_fields: a search hit's `fields`, each value in a list."""
DATASETS = {
    "cloudtrail": "aws.cloudtrail", "entra": "azure.signinlogs", "azure": "azure.activitylogs", "m365": "o365.audit",
    "okta": "okta.system", "github": "github.audit", "gitlab": "gitlab.audit", "gcp": "gcp.audit",
    "workspace": "google_workspace.admin", "kubernetes": "kubernetes.audit_logs", "ai": "aws_bedrock.invocation",
    "salesforce": "salesforce.login", "vault": "hashicorp_vault.audit", "alerts": "aws.guardduty",
    "snowflake": "snowflake.login_history",
}  # fmt: skip
"""Of integrations that can keep a record's own text."""


def splunk_raw(record: Tree) -> Tree:
    """An event of which only `_raw` is asked for.

    >>> splunk_raw({"a": 1})["_raw"]
    '{"a": 1}'
    """
    return {"_raw": json.dumps(record), "_time": "1700000000"}


def splunk_fields(record: Tree) -> Tree:
    """Fields as Splunk's JSON extraction makes them: dots for objects, `{}` for lists, all values as text.

    >>> splunk_fields({"a": {"b": [1, {"c": True}]}, "d": None})
    {'a.b{}': '1', 'a.b{}.c': 'true'}
    """
    found: dict[str, list[str]] = {}
    _collect(record, "", found)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _collect(value: Any, path: str, found: dict[str, list[str]]) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _collect(inner, f"{path}.{name}" if path else name, found)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, path + "{}", found)
    elif value is not None:
        found.setdefault(path, []).append(value if isinstance(value, str) else json.dumps(value))


def ecs_original(record: Tree, dataset: str) -> Tree:
    """A document that keeps the record's text in `event.original`.

    >>> ecs_original({"a": 1}, "x.y")["event"]
    {'dataset': 'x.y', 'original': '{"a": 1}'}
    """
    event = {"dataset": dataset, "original": json.dumps(record)}
    return {"@timestamp": "2023-11-14T22:13:20.000Z", "data_stream": {"dataset": dataset}, "event": event}


def shape_of(sample: Any) -> str:
    """Which of SHAPES a sample of `tests/data/sources` has."""
    record, host = sample["record"], sample["shape"].partition("_")[0]
    if host == "splunk":
        return "splunk_raw" if "_raw" in record else "splunk_fields"
    if host == "ecs":
        document = hit(record)
        event = document.get("event")
        original = isinstance(event, dict) and "original" in event
        return "ecs_fields" if document is record.get("fields") else "ecs_original" if original else "ecs"
    return "native"
