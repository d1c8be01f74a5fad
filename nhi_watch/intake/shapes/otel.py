"""OpenTelemetry logs, in each form in which hosts hold them, as one flat record with `_` for the dots of names.

- OTLP JSON: `resourceLogs`, `scopeLogs`, `logRecords`, as collectors write it; in files it is cut to one record each
- Splunk: the body as `_raw` and the attributes as fields (the collector's HEC exporter), or OTLP JSON as `_raw`
- Elastic: `attributes` and `resource.attributes`; attributes at the top, where a pipeline put them; `labels` (APM)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.forms import Tree, inner, rows_of
from nhi_watch.intake.shapes.values import listed

ENVELOPE = "resourceLogs"
MOST = 100_000
"""Log records of a document that are cut to one each; the rest is rejected as one (`many_records`)."""
_WIDEST = 1_000
"""Attributes of a resource or a record that are read."""
_DEEPEST = 8
_ATTRIBUTES = ("attributes", "labels", "numeric_labels")


def flat(tree: Tree) -> Tree:
    """Attributes of what `forms.native` gave, then what is given beside them (`body`, times), then its resource's.

    Raises:
        RejectError: many_records: one document that holds several.

    >>> flat({"attributes": {"event.name": "a"}, "resource": {"attributes": {"service": {"name": "b"}}}, "body": "c"})
    {'event_name': 'a', 'body': 'c', 'service_name': 'b'}
    """
    if ENVELOPE in tree:
        tree = _of_otlp(tree)
    flat_tree: Tree = {}
    for name in _ATTRIBUTES:
        _spread(flat_tree, "", inner(tree, name), 0)
    resource = inner(tree, "resource")
    _spread(flat_tree, "", {k: v for k, v in tree.items() if k not in (*_ATTRIBUTES, "resource")}, 0)
    _spread(flat_tree, "", resource.get("attributes") if "attributes" in resource else resource, 0)
    return flat_tree


def single_records(document: Mapping[str, Any]) -> Iterator[Tree]:
    """The records of an OTLP document, each in an envelope of its own; a part without records comes back as it is.

    >>> log = {"resource": {}, "scopeLogs": [{"scope": {}, "logRecords": [{"a": 1}, {"b": 2}]}]}
    >>> [one["resourceLogs"][0]["scopeLogs"][0]["logRecords"] for one in single_records({"resourceLogs": [log]})]
    [[{'a': 1}], [{'b': 2}]]
    """
    parts = _parts(document)
    for resource, scope, log in islice(parts, MOST):
        logs = [] if log is None else [log]
        yield {ENVELOPE: [{**_beside(resource), "scopeLogs": [{**_beside(scope), "logRecords": logs}]}]}
    rest: list[Tree] = [{}] * sum(1 for _ in parts)
    if rest:
        yield {ENVELOPE: [{"scopeLogs": [{"logRecords": rest}]}]}


def _parts(document: Mapping[str, Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Resource, scope and log record; None where there is none."""
    for resource in listed(document.get(ENVELOPE)):
        for scope in listed(resource.get("scopeLogs") if isinstance(resource, dict) else None) or [None]:
            for log in listed(scope.get("logRecords") if isinstance(scope, dict) else None) or [None]:
                yield resource, scope, log


def _beside(holder: Any) -> Tree:
    """What is read of a resource or a scope besides its records, which share it."""
    return {name: holder[name] for name in ("resource", "scope") if name in holder} if holder.__class__ is dict else {}


def _of_otlp(tree: Tree) -> Tree:
    records = [
        (log, resource, scope)
        for resource in rows_of(tree[ENVELOPE])
        for scope in rows_of(resource.get("scopeLogs"))
        for log in rows_of(scope.get("logRecords"))
    ]
    if len(records) != 1:
        raise RejectError(
            "many_records",
            f"an OTLP document of {len(records)} log records where one is expected; let "
            "the collector send them one by one, or read it as a file",
        )
    log, resource, scope = records[0]
    fields: Tree = {name: log[name] for name in ("timeUnixNano", "observedTimeUnixNano", "severityText") if name in log}
    return {
        "attributes": _attributes(log),
        "body": _value(log.get("body")),
        "event_name": log.get("eventName"),
        **fields,
        "scope": {"name": inner(scope, "scope").get("name")},
        "resource": {"attributes": _SHARED.of(inner(resource, "resource"))},
    }


def _attributes(holder: Tree) -> Tree:
    pairs = rows_of(holder.get("attributes"))[:_WIDEST]
    return {pair["key"]: _value(pair.get("value")) for pair in pairs if pair.get("key").__class__ is str}


class _Shared:
    """The attributes of the resource that was met last: its records follow each other, and it may be large."""

    def __init__(self) -> None:
        self._last: tuple[Tree, Tree] = {}, {}

    def of(self, resource: Tree) -> Tree:
        if self._last[0] is not resource:
            self._last = resource, _attributes(resource)
        return self._last[1]


_SHARED = _Shared()


def _value(content: Any) -> Any:
    """The value inside an AnyValue: `{"stringValue": "a"}`, `{"arrayValue": {"values": […]}}`."""
    value = next(iter(content.values()), None) if content.__class__ is dict else content
    return [_value(item) for item in listed(value.get("values"))] if value.__class__ is dict else value


def _spread(fields: Tree, prefix: str, tree: Any, depth: int) -> None:
    for name, value in tree.items() if tree.__class__ is dict else ():
        if name.__class__ is not str:
            continue
        key = prefix + name.replace(".", "_")
        if value.__class__ is dict and depth < _DEEPEST:
            _spread(fields, key + "_", value, depth + 1)
        elif value is not None:
            fields.setdefault(key, value)
