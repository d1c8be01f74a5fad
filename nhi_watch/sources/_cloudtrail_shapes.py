"""CloudTrail's three shapes. Each yields the same tuple of raw values, `Raw`, and can become a native record.

- native: the record as AWS writes it
- Splunk: a flat mapping of field name → text, or a list of texts for a multi-value; with `_raw`, or with the
  fields that JSON extraction makes (`userIdentity.sessionContext.sessionIssuer.arn`, `resources{}.accountId`)
- ECS: what Elastic's aws.cloudtrail integration writes, nested (`_source`) or flattened (`fields`);
  names as in elastic/integrations, packages/aws/data_stream/cloudtrail, ingest pipeline default.yml

The ECS document without `event.original` lacks three facts: sessionCredentialFromConsole, onBehalfOf and
identityProvider. All else is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Optional

from nhi_watch.errors import RejectError
from nhi_watch.sources._unflatten import java_map, unflatten

Record = Mapping[str, Any]
Raw = tuple[Any, ...]
"""time, record id, then SHAPE's values in order, then target; untrimmed and unchecked."""

_TARGET = 200
_EXTRACTION_LIMIT = 5_000
"""Splunk's JSON extraction stops after this many characters: longer records are read from `_raw`."""

# Native paths of the values that every record has, in the order of Raw.
PATHS = (
    "eventTime",
    "eventID",
    "eventSource",
    "eventName",
    "errorCode",
    "errorMessage",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "recipientAccountId",
    "vpcEndpointId",
    "userIdentity.type",
    "userIdentity.principalId",
    "userIdentity.arn",
    "userIdentity.accountId",
    "userIdentity.accessKeyId",
    "userIdentity.userName",
    "userIdentity.invokedBy",
    "userIdentity.sessionContext.sessionIssuer.principalId",
    "userIdentity.sessionContext.sessionIssuer.arn",
    "userIdentity.sessionContext.attributes.mfaAuthenticated",
    "sessionCredentialFromConsole",
    "readOnly",
    "userIdentity.identityProvider",
    "userIdentity.onBehalfOf.userId",
)

# What a call touches: keys of requestParameters, the first one that is there.
TARGETS: dict[str, tuple[str, ...]] = {
    "s3.amazonaws.com": ("bucketName",),
    "secretsmanager.amazonaws.com": ("secretId", "name"),
    "ssm.amazonaws.com": ("name", "names", "path", "instanceId", "instanceIds", "documentName"),
    "sts.amazonaws.com": ("roleArn",),
    "lambda.amazonaws.com": ("functionName", "layerName"),
    "kms.amazonaws.com": ("keyId",),
    "dynamodb.amazonaws.com": ("tableName",),
    "sqs.amazonaws.com": ("queueUrl", "queueName"),
    "sns.amazonaws.com": ("topicArn", "name"),
    "iam.amazonaws.com": ("userName", "roleName", "groupName", "policyArn", "policyName", "instanceProfileName"),
    "bedrock.amazonaws.com": ("modelId", "guardrailIdentifier"),
    "ecr.amazonaws.com": ("repositoryName",),
    "logs.amazonaws.com": ("logGroupName",),
    "rds.amazonaws.com": ("dBInstanceIdentifier", "dBSnapshotIdentifier", "dBClusterIdentifier"),
    "cloudtrail.amazonaws.com": ("name", "trailName"),
    "eks.amazonaws.com": ("name", "clusterName"),
    "ec2.amazonaws.com": (
        "instanceId",
        "snapshotId",
        "imageId",
        "volumeId",
        "groupId",
        "vpcId",
        "instancesSet.items{}.instanceId",
    ),
}
_NONE: tuple[str, ...] = ()
_EMPTY: dict[str, Any] = {}


def native_values(record: Record) -> Raw:
    """Raw of a native record; a part of the wrong type counts as empty. Written out for speed.

    Raises:
        RejectError: `bad_type`, when userIdentity is no object.
    """
    get = record.get
    actor = get("userIdentity") or _EMPTY
    if actor.__class__ is not dict:
        raise RejectError("bad_type", "userIdentity is no object")
    of = actor.get
    context = of("sessionContext")
    issuer_id = issuer_arn = mfa = None
    if context and context.__class__ is dict:
        issuer = context.get("sessionIssuer")
        if issuer and issuer.__class__ is dict:
            issuer_id, issuer_arn = issuer.get("principalId"), issuer.get("arn")
        attributes = context.get("attributes")
        if attributes and attributes.__class__ is dict:
            mfa = attributes.get("mfaAuthenticated")
    person = of("onBehalfOf")
    if person is not None:
        person = person.get("userId") if person.__class__ is dict else None
    source = get("eventSource")
    resources = get("resources")
    params = get("requestParameters")
    target = ""
    if params and source.__class__ is str and params.__class__ is dict:
        for key in TARGETS.get(source, _NONE):
            value = params.get(key) or ("{" in key and leaves(params, key))
            if value:
                target = value[:_TARGET] if value.__class__ is str else joined(value)
                break
    owners = None
    if resources and resources.__class__ is list:
        owners, arn = _owners(resources)
        target = target or arn
    return (
        get("eventTime"), get("eventID"), source, get("eventName"), get("errorCode"), get("errorMessage"),
        get("awsRegion"), get("sourceIPAddress"), get("userAgent"), get("recipientAccountId"),
        get("vpcEndpointId"), of("type"), of("principalId"), of("arn"), of("accountId"), of("accessKeyId"),
        of("userName"), of("invokedBy"), issuer_id, issuer_arn, mfa, get("sessionCredentialFromConsole"),
        get("readOnly"), of("identityProvider"), person, owners, target,
    )  # fmt: skip


def _owners(resources: list[Any]) -> tuple[Optional[str], str]:
    """The accounts of the resources, as one text, and the first ARN by alphabet: ECS forgets the order."""
    if len(resources) == 1 and resources[0].__class__ is dict:
        one = resources[0]
        return one.get("accountId"), joined(one.get("ARN"))
    accounts = [r.get("accountId") for r in resources if r.__class__ is dict]
    arns = [r.get("ARN") for r in resources if r.__class__ is dict]
    return join_accounts(accounts), min((a[:_TARGET] for a in arns if isinstance(a, str)), default="")


def join_accounts(accounts: object) -> Optional[str]:
    """Distinct accounts as one text, or None when there are none."""
    texts = accounts if isinstance(accounts, list) else [accounts]
    return ",".join(sorted({a for a in texts if isinstance(a, str) and a})) or None


def joined(value: object) -> str:
    """A target as short text: a text, or a list's texts with commas between.

    >>> joined("a"), joined(["b", "a"]), joined({"a": 1})
    ('a', 'b,a', '')
    """
    if isinstance(value, str):
        return value[:_TARGET]
    if isinstance(value, list):
        return ",".join(v for v in value[:20] if isinstance(v, str))[:_TARGET]
    return ""


def leaves(value: object, path: str) -> list[Any]:
    """All leaves at a path like `items{}.id`, in order."""
    found = [value]
    for step in path.split("."):
        name = step[:-2] if step.endswith("{}") else step
        found = [v[name] for v in found if isinstance(v, dict) and name in v]
        if name != step:
            found = [item for v in found if isinstance(v, list) for item in v]
    return found


# --- Splunk

_SPLUNK_TARGETS = {
    source: tuple(f"requestParameters.{key}" for key in keys) for source, keys in TARGETS.items()
}
SPLUNK_FIELDS = (
    *PATHS,
    "resources{}.accountId",
    "resources{}.ARN",
    *sorted({f + end for fields in _SPLUNK_TARGETS.values() for f in fields for end in ("", "{}")}),
)
"""The fields that `peek` reads from extracted Splunk events."""


def splunk_values(row: Record) -> Raw:
    """Raw of extracted Splunk fields. A value that should be single and is not counts as missing."""
    values = tuple(map(row.get, PATHS))
    target: object = ""
    for field in _SPLUNK_TARGETS.get(values[2], _NONE) if values[2].__class__ is str else _NONE:
        target = row.get(field) or row.get(field + "{}")
        if target:
            target = joined(_split(target))
            break
    owners = join_accounts(_split(row.get("resources{}.accountId")))
    if not target:
        target = joined(min(_split(row.get("resources{}.ARN")) or [""]))
    return (*values, owners, target)


def _split(value: object) -> list[str]:
    """A multi-value as a list: Splunk gives lists, or lines."""
    if isinstance(value, list):
        return [v for v in value if isinstance(v, str)]
    return [part for part in value.split("\n") if part] if isinstance(value, str) else []


def is_splunk(record: Record) -> bool:
    """Whether this is a flat Splunk event."""
    return "userIdentity.type" in record or "_raw" in record or "eventVersion" in record and "_time" in record


def has_fields(row: Record) -> bool:
    """Whether the extracted fields are there and can be trusted to be complete."""
    return bool(row.get("eventName")) and len(row.get("_raw") or "") <= _EXTRACTION_LIMIT


def from_splunk(row: Record) -> Record:
    """A native record out of `_raw`, or out of the fields."""
    raw = row.get("_raw")
    if isinstance(raw, str) and raw.lstrip()[:1] == "{":
        try:
            return parse_json(raw)
        except RejectError:
            if not row.get("eventName"):
                raise
    return unflatten(row)


def parse_json(text: str) -> Record:
    """A JSON object's text as a record.

    Raises:
        RejectError: `bad_json` or `too_deep`.
    """
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise RejectError("too_deep", "nested too deeply") from error
    except ValueError as error:
        raise RejectError("bad_json", str(error)) from error
    if not isinstance(value, dict):
        raise RejectError("not_object", "the text holds no JSON object")
    return value


# --- ECS

_AWS = "aws.cloudtrail."
_WHO = _AWS + "user_identity."
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
    "userIdentity.sessionContext.sessionIssuer.type": _WHO + "session_context.session_issuer.type",
    "userIdentity.sessionContext.sessionIssuer.principalId": _WHO + "session_context.session_issuer.principal_id",
    "userIdentity.sessionContext.sessionIssuer.arn": _WHO + "session_context.session_issuer.arn",
    "userIdentity.sessionContext.sessionIssuer.accountId": _WHO + "session_context.session_issuer.account_id",
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
    return any(_AWS + name in document for name in ("event_version", "user_identity.type", "recipient_account_id"))


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
    made = [{"accountId": a} for a in _split(accounts)]
    return made + [{"ARN": a} for a in _split(arns)]


def to_native(record: object) -> Record:
    """Any of the three shapes as a native record.

    Raises:
        RejectError: `not_object`, `bad_json`, `too_deep`.
    """
    if not isinstance(record, dict):
        raise RejectError("not_object", f"the record is no object but {type(record).__name__}")
    if isinstance(record.get("userIdentity"), dict):
        return record
    if is_splunk(record):
        return from_splunk(record)
    return from_ecs(record) if is_ecs(record) else record
