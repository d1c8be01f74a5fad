"""CloudTrail as Elastic's aws.cloudtrail integration writes it, nested (`_source`) or flattened (`fields`).

Names as in elastic/integrations, packages/aws/data_stream/cloudtrail, ingest pipeline default.yml. A
document without `event.original` lacks three facts that the pipeline drops: sessionCredentialFromConsole,
onBehalfOf and identityProvider. All else is there.
"""

from __future__ import annotations

from typing import Any

from nhi_watch.sources._cloudtrail_native import Record, parse_json
from nhi_watch.sources._cloudtrail_splunk import split
from nhi_watch.sources._unflatten import java_map, unflatten

_AWS = "aws.cloudtrail."
_WHO = _AWS + "user_identity."
_ISSUER = _WHO + "session_context.session_issuer."
# Native path → ECS field. Where two are named, the first that is there.
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
    "userIdentity.sessionContext.sessionIssuer.type": _ISSUER + "type",
    "userIdentity.sessionContext.sessionIssuer.principalId": _ISSUER + "principal_id",
    "userIdentity.sessionContext.sessionIssuer.arn": _ISSUER + "arn",
    "userIdentity.sessionContext.sessionIssuer.accountId": _ISSUER + "account_id",
    "userIdentity.sessionContext.attributes.mfaAuthenticated": _WHO + "session_context.mfa_authenticated",
}
_ECS_DEEP = {
    "requestParameters": "request_parameters",
    "responseElements": "response_elements",
    "additionalEventData": "additional_eventdata",
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


def ecs_document(record: Record) -> Record:
    """The document inside a search hit, or the record itself."""
    for wrapper in ("_source", "fields"):
        inner = record.get(wrapper)
        if isinstance(inner, dict) and inner:
            return inner
    return record


def is_ecs(record: Record) -> bool:
    """Whether this is a document of the aws.cloudtrail integration, or a hit that holds one."""
    document = ecs_document(record)
    aws = document.get("aws")
    if isinstance(aws, dict):
        return "cloudtrail" in aws
    if _first(document, "event.dataset") == "aws.cloudtrail":
        return True
    names = ("event_version", "user_identity.type", "recipient_account_id")
    return any(_AWS + name in document for name in names)


def from_ecs(record: Record) -> Record:
    """A native record out of `event.original`, or out of the ECS fields."""
    document = ecs_document(record)
    original = _first(document, "event.original")
    if isinstance(original, str) and original.lstrip()[:1] == "{":
        return parse_json(original)
    flat = {path: _first(document, name) for path, name in ECS.items()}
    flat["sourceIPAddress"] = flat["sourceIPAddress"] or _first(document, "source.ip")
    native = unflatten({path: value for path, value in flat.items() if value is not None})
    for path, name in _ECS_DEEP.items():
        tree = _first(document, f"{_AWS}flattened.{name}")
        native[path] = tree if isinstance(tree, dict) else java_map(_first(document, _AWS + name))
    native["resources"] = _ecs_resources(document)
    return native


def _first(document: Record, name: str) -> Any:
    """A field's value, flattened (in a list of one) or nested."""
    value = document.get(name)
    if value is None:
        node: Any = document
        for step in name.split("."):
            node = node.get(step) if isinstance(node, dict) else None
        value = node
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
