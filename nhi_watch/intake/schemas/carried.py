"""Records as carriers deliver them: an event of CloudWatch Logs (EKS), a message of Pub/Sub (GKE, Google Cloud).

What is carried is one JSON record, as text, as an object, or as Base64 (a push subscription's). A carrier that holds
anything else is left as it is: no source knows it, and it is rejected as such.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Optional

from nhi_watch.intake.shapes.forms import Tree, dataset, hit, record_in

NAME = "carried"
SPLUNK_SOURCETYPES: tuple[str, ...] = ()
ELASTIC_INDICES: tuple[str, ...] = ()
"""None of their own: point `--index` at what a generic input fills, as `logs-aws.cloudwatch_logs-*`."""

MARKS = ("_raw", "_source", "fields", "message", "data")
_STREAMS = ("aws.cloudwatch_logs", "gcp_pubsub.generic")
_BESIDE = {
    "timestamp",
    "id",
    "logGroup",
    "logStream",
    "owner",
    "subscription",
    "messageId",
    "attributes",
    "publishTime",
}
"""Of which a carrier has some beside what it carries, and nothing else."""
_STARTS = ('{"message":', '{"data":', '{"logGroup":', '{"subscription":')


def carries(record: Mapping[str, Any]) -> bool:
    """Whether the record is a carrier of another one."""
    raw = record.get("_raw")
    if raw.__class__ is str:
        return raw[:20].replace(" ", "").startswith(_STARTS) and _carried(record_in(raw) or {}) is not None
    if "message" in record or "data" in record:
        return _carried(record) is not None
    document = hit(record)
    return document is not record and dataset(record) in _STREAMS and _inside(document.get("message")) is not None


def native(record: Mapping[str, Any]) -> Tree:
    """The record that is carried."""
    raw = record.get("_raw")
    carried = _carried(record_in(raw) or {} if raw.__class__ is str else record)
    carried = carried if carried is not None else _inside(hit(record).get("message"))
    assert carried is not None, "used only for records that wrap another record"
    return carried


def _carried(row: Mapping[str, Any]) -> Optional[Tree]:
    if dataset(row) in _STREAMS:
        return _inside(hit(row).get("message"))
    name = "message" if "message" in row else "data"
    if row.keys() - _BESIDE != {name}:
        return None
    value = row[name]
    if name == "message" and value.__class__ is dict and "data" in value and not value.keys() - _BESIDE - {"data"}:
        return _inside(_decoded(value["data"]))
    return _inside(value) if len(row) > 1 or value.__class__ is str else None


def _decoded(content: Any) -> Any:
    try:
        return b64decode(content, validate=True).decode() if content.__class__ is str else content
    except ValueError:
        return content


def _inside(value: Any) -> Optional[Tree]:
    """The record, unless what is given holds none."""
    if value.__class__ is list and len(value) == 1:
        value = value[0]
    return record_in(value)
