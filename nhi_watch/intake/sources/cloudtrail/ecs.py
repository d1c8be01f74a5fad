"""CloudTrail as Elastic's aws.cloudtrail integration writes it, nested (`_source`) or flattened (`fields`).

Names as in elastic/integrations, packages/aws/data_stream/cloudtrail, ingest pipeline default.yml. A
document without `event.original` lacks two facts that the pipeline drops: sessionCredentialFromConsole and
identityProvider; onBehalfOf is there where actors are mapped, and no ARN stands in its place. All else is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.forms import is_alert
from nhi_watch.intake.shapes.unflatten import java_map, unflatten
from nhi_watch.intake.sources.cloudtrail.native import PATHS, TARGETS, Raw, Record, owners_of, parse_json, target_of
from nhi_watch.intake.sources.cloudtrail.splunk import split

_AWS = "aws.cloudtrail."
_WHO = _AWS + "user_identity."
_ISSUER = _WHO + "session_context.session_issuer."
# Native path → ECS field.
ECS: dict[str, str] = {
    "eventTime": "@timestamp",
    "eventID": "event.id",
    "eventSource": "event.provider",
    "eventName": "event.action",
    "errorCode": _AWS + "error_code",
    "errorMessage": _AWS + "error_message",
    "awsRegion": "cloud.region",
    "sourceIPAddress": "source.address",
    "userAgent": "user_agent.original",
    "recipientAccountId": _AWS + "recipient_account_id",
    "vpcEndpointId": _AWS + "vpc_endpoint_id",
    "readOnly": _AWS + "read_only",
    "userIdentity.type": _WHO + "type",
    "userIdentity.principalId": "user.id",
    "userIdentity.arn": _WHO + "arn",
    "userIdentity.accountId": "cloud.account.id",
    "userIdentity.accessKeyId": _WHO + "access_key_id",
    "userIdentity.userName": "user.name",
    "userIdentity.invokedBy": _WHO + "invoked_by",
    "userIdentity.onBehalfOf.userId": "actor.entity.id",
    "userIdentity.sessionContext.sessionIssuer.type": _ISSUER + "type",
    "userIdentity.sessionContext.sessionIssuer.principalId": _ISSUER + "principal_id",
    "userIdentity.sessionContext.sessionIssuer.arn": _ISSUER + "arn",
    "userIdentity.sessionContext.sessionIssuer.accountId": _ISSUER + "account_id",
    "userIdentity.sessionContext.attributes.mfaAuthenticated": _WHO + "session_context.mfa_authenticated",
}
_SOURCE, _ADDRESS = PATHS.index("eventSource"), PATHS.index("sourceIPAddress")
_ECS_DEEP = {
    "requestParameters": "request_parameters",
    "responseElements": "response_elements",
    "additionalEventData": "additional_eventdata",
    "serviceEventDetails": "service_event_details",
}
ECS_FIELDS = (
    *ECS.values(),
    *(f"{_AWS}{kind}{name}" for name in _ECS_DEEP.values() for kind in ("", "flattened.")),
    _AWS + "resources.account_id",
    _AWS + "resources.arn",
    "source.ip",
    "event.original",
)
"""The fields that are read from ECS documents, for a search that asks only for what is needed."""

_TELLING = tuple(_AWS + name for name in ("event_version", "user_identity.type", "recipient_account_id"))
_MARKS = ("_source", "fields", "aws", "event", "event.dataset", *_TELLING)
"""Of which every such document has one at its top."""


def ecs_document(record: Record) -> Record:
    """The document inside a search hit, or the record itself."""
    for wrapper in ("_source", "fields"):
        inner = record.get(wrapper)
        if isinstance(inner, dict) and inner:
            return inner
    return record


def is_ecs(record: Record) -> bool:
    """Whether this is a document of the aws.cloudtrail integration, or a hit that holds one."""
    if record.keys().isdisjoint(_MARKS):
        return False
    document = ecs_document(record)
    if is_alert(document):
        return False
    aws = document.get("aws")
    if isinstance(aws, dict):
        return "cloudtrail" in aws
    if first(document, "event.dataset") == "aws.cloudtrail":
        return True
    return not document.keys().isdisjoint(_TELLING)


_NAMES = tuple(ECS.get(path, "") for path in PATHS)


def _plan(names: Iterable[str]) -> tuple[list[tuple[int, str]], list[int]]:
    """Where each object lies (in which one, by which key), outer ones first, and which ones are wanted.

    >>> _plan(["a.b.c", "a.d", ""])
    ([(0, 'a'), (1, 'b'), (2, 'c'), (1, 'd')], [3, 4, -1])
    """
    steps: dict[tuple[int, str], int] = {}
    wanted = []
    for name in names:
        at = 0 if name else -1
        for key in name.split(".") if name else ():
            at = steps.setdefault((at, key), len(steps) + 1)
        wanted.append(at)
    return list(steps), wanted


_STEPS, _WANTED = _plan(_NAMES)


def ecs_values(document: Record) -> Raw:
    """Raw of a document, flattened or nested."""
    lists = [document.get(name) for name in _NAMES] if "event.action" in document else _nested(document)
    values = [v[0] if v.__class__ is list and v else v for v in lists]
    values[_ADDRESS] = values[_ADDRESS] or first(document, "source.ip")
    owners, arn = owners_of(_ecs_resources(document))
    source = values[_SOURCE]
    wanted = source.__class__ is str and source in TARGETS
    target = target_of(source, _tree(document, "request_parameters")) if wanted else ""
    return Raw._make((*values, owners, target or arn))


def _at(document: Record, steps: list[str]) -> Any:
    node: Any = document
    for step in steps:
        node = node.get(step) if node.__class__ is dict else None
    return node[0] if node.__class__ is list and node else node


def _nested(document: Record) -> list[Any]:
    nodes: list[Any] = [document]
    for at, key in _STEPS:
        node = nodes[at]
        nodes.append(node.get(key) if node.__class__ is dict else None)
    nodes.append(None)
    return [nodes[at] for at in _WANTED]


def _tree(document: Record, name: str) -> Any:
    """Parameters as an object: kept as one since 2021, before that as Java text only."""
    tree = first(document, f"{_AWS}flattened.{name}")
    return tree if isinstance(tree, dict) else java_map(first(document, _AWS + name))


def from_ecs(record: Record) -> Record:
    """A native record out of `event.original`, or out of the ECS fields."""
    document = ecs_document(record)
    original = first(document, "event.original")
    if isinstance(original, str) and original.lstrip()[:1] == "{":
        try:
            return parse_json(original)
        except RejectError:
            if not isinstance(first(document, "event.action"), str):
                raise
    flat = {path: first(document, name) for path, name in ECS.items()}
    flat["sourceIPAddress"] = flat["sourceIPAddress"] or first(document, "source.ip")
    native = unflatten({path: value for path, value in flat.items() if value is not None})
    for path, name in _ECS_DEEP.items():
        native[path] = _tree(document, name)
    native["resources"] = _ecs_resources(document)
    return native


def first(document: Record, name: str) -> Any:
    """A field's value, flattened (in a list of one) or nested."""
    value = document.get(name)
    if value is None:
        return _at(document, name.split("."))
    return value[0] if isinstance(value, list) and value else value


def _ecs_resources(document: Record) -> list[dict[str, Any]]:
    nested: Any = document
    for step in ("aws", "cloudtrail", "resources"):
        nested = nested.get(step) if isinstance(nested, dict) else None
    if nested is None:
        nested = document.get(_AWS + "resources")
    if isinstance(nested, list):
        found = [r for r in nested if isinstance(r, dict)]
        return [{"accountId": r.get("account_id"), "ARN": r.get("arn") or r.get("ARN")} for r in found]
    accounts, arns = document.get(_AWS + "resources.account_id"), document.get(_AWS + "resources.arn")
    made = [{"accountId": a} for a in split(accounts)]
    return made + [{"ARN": a} for a in split(arns)]
