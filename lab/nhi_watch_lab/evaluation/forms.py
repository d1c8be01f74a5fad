"""A native record in the forms in which hosts hold it, written from their documents and not from our readers.

- Splunk's rows, and a document that keeps the record's own text: of any product
- CloudTrail as Elastic's pipeline aws.cloudtrail (default.yml) keeps it, without `event.original`
- CloudTrail as OCSF, by the tables of ocsf/examples (markdown/AWS/v*/CloudTrail): 1.0.0-rc.2 (Security Lake's source
  version 1), 1.1.0 (version 2) and 1.5.0. What a table does not name goes to `unmapped`: dotted names, texts, lists
  joined by commas

Elastic's other integrations write fields of their own, which no rule makes out of a native record: samples only.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import parse
from nhi_watch.intake.shapes.forms import hit
from nhi_watch.intake.sources.cloudtrail import ECS

Tree = dict[str, Any]
EARLY, SECOND, LATEST = VERSIONS = "1.0.0-rc.2", "1.1.0", "1.5.0"
SHAPES = (
    "native",
    "splunk_raw",
    "splunk_fields",
    "ecs_original",
    "ecs",
    "ecs_fields",
    *(f"ocsf_{version}" for version in VERSIONS),
)
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
    fields: dict[str, list[str]] = {}
    _collect(record, "", fields)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _collect(value: Any, path: str, fields: dict[str, list[str]]) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _collect(inner, f"{path}.{name}" if path else name, fields)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, path + "{}", fields)
    elif value is not None:
        fields.setdefault(path, []).append(value if isinstance(value, str) else json.dumps(value))


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


# ---- CloudTrail in Elastic


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


# ---- CloudTrail as OCSF

_COMMON = {
    "userIdentity.accessKeyId": "actor.user.credential_uid",
    "userIdentity.userName": "actor.user.name",
    "userIdentity.type": "actor.user.type",
    "userIdentity.sessionContext.sessionIssuer.arn": "actor.session.issuer",
    "userIdentity.invokedBy": "actor.invoked_by",
    "userIdentity.identityProvider": "actor.idp.name",
    "userIdentity.webIdFederationData.federatedProvider": "actor.idp.name",
    "vpcEndpointId": "src_endpoint.uid",
    "requestID": "api.request.uid",
    "eventSource": "api.service.name",
    "apiVersion": "api.version",
    "eventName": "api.operation",
    "awsRegion": "cloud.region",
    "userAgent": "http_request.user_agent",
    "eventVersion": "metadata.product.version",
    "eventCategory": "metadata.product.feature.name",
    "eventID": "metadata.uid",
    "errorCode": "api.response.error",
    "errorMessage": "api.response.message",
}
_RC2 = {
    "userIdentity.accountId": "actor.user.account_uid",
    "userIdentity.principalId": "actor.user.uid",
    "userIdentity.arn": "actor.user.uuid",
    "userIdentity.sessionContext.attributes.creationDate": "actor.session.created_time",
    "userIdentity.sessionContext.attributes.mfaAuthenticated": "actor.session.mfa",
}
_LATER = {
    "userIdentity.accountId": "actor.user.account.uid",
    "userIdentity.principalId": "actor.user.uid_alt",
    "userIdentity.arn": "actor.user.uid",
    "userIdentity.sessionContext.attributes.creationDate": "actor.session.created_time_dt",
    "userIdentity.sessionContext.attributes.mfaAuthenticated": "actor.session.is_mfa",
    "eventType": "metadata.event_code",
}
_DATA = {"requestParameters": "api.request.data", "responseElements": "api.response.data"}
_NAMES = {3001: ("Account Change", 3), 3002: ("Authentication", 3), 6003: ("API Activity", 6)}
_ACCOUNTS = re.compile(
    r"(Create|Delete|Update|Attach|Detach|Put|Enable|Disable|Change|Deactivate|Resync|Upload)\w*"
    r"(User|Role|AccessKey|LoginProfile|MFADevice|Password)\w*"
)
_SIGN_INS = re.compile(r"AssumeRole\w*|Get(Session|Federation)Token|\w*Login\w*|\w*Authentication|CredentialChallenge")
_FLAGS = ("actor.session.mfa", "actor.session.is_mfa")


def ocsf(record: Tree, version: str = SECOND) -> Tree:
    """The event that a lake keeps of a record."""
    left = copy.deepcopy(record)
    kind = _class_of(record)
    event: Tree = {}
    for native, path in (_COMMON | (_RC2 if version == EARLY else _LATER)).items():
        value = _taken(left, native)
        if value is not None:
            _put(event, path, (str(value).lower() == "true") if path in _FLAGS else value)
    if version == LATEST or (version == SECOND and kind != 3002):  # 1.1's page of Authentication has no data
        for native, path in _DATA.items():
            value = _taken(left, native)
            if value is not None:
                _put(event, path, json.dumps(value, separators=(",", ":")))
    _conditional(record, left, event, kind, version)
    name, category = _NAMES[kind]
    early = version == EARLY
    event |= {
        "class_uid": 3005 if early and kind == 6003 else kind,
        "class_name": name,
        "category_uid": 3 if early else category,
        "severity_id": 1,
        "severity": "Informational",
        "status": "Failure" if record.get("errorCode") else "Success",
        "activity_id": 99,
    }
    _put(event, "cloud.provider", "AWS")
    _put(event, "metadata.version", version)
    for path, value in (("name", "CloudTrail"), ("vendor_name", "AWS")):
        _put(event, f"metadata.product.{path}", value)
    event["unmapped"] = dict(_flat(left))
    return event


def _class_of(record: Tree) -> int:
    name, service = str(record.get("eventName")), str(record.get("eventSource")).partition(".")[0]
    if service == "iam" and _ACCOUNTS.fullmatch(name):
        return 3001
    return 3002 if service in ("sts", "signin") and _SIGN_INS.fullmatch(name) else 6003


def _conditional(record: Tree, left: Tree, event: Tree, kind: int, version: str) -> None:
    """What the tables map by conditions: time, address, recipient, resources, whom it is done to, a sign-in's MFA."""
    time = left.pop("eventTime", None)
    try:
        event["time"] = parse(time) * 1000
    except RejectError:
        event["time"] = time
    address = left.pop("sourceIPAddress", None)
    if address is not None:
        _put(event, "src_endpoint.ip" if _is_address(address) else "src_endpoint.domain", address)
    if version == LATEST:
        recipient = left.pop("recipientAccountId", None)
        if recipient is not None:
            _put(event, "cloud.account.uid", recipient)
        person = _taken(left, "userIdentity.onBehalfOf.userId")
        if person is not None:
            _put(event, "actor.user.uid_alt", person)
    resources = left.get("resources")
    if version != EARLY and kind == 6003 and isinstance(resources, list) and resources:
        del left["resources"]
        event["resources"] = [_resource(resource) for resource in resources if isinstance(resource, dict)]
    if kind == 3001:
        _account(record, left, event, version)
    used = _taken(left, "additionalEventData.MFAUsed") if kind == 3002 else None
    if used is not None:
        event["mfa" if version == EARLY else "is_mfa"] = used == "Yes"
    landing = _taken(left, "additionalEventData.LoginTo") if kind == 3002 else None
    if landing is not None:
        _put(event, "dst_endpoint.svc_name", landing)


def _account(record: Tree, left: Tree, event: Tree, version: str) -> None:
    requested = record.get("requestParameters")
    params: Tree = requested if isinstance(requested, dict) else {}
    for name in ("userName", "roleName"):
        if params.get(name):
            _put(event, "user.name", params[name])
            if version == EARLY:
                left["requestParameters"].pop(name)
            return


def _resource(resource: Tree) -> Tree:
    return {"uid": resource.get("ARN"), "account": {"uid": resource.get("accountId")}, "type": resource.get("type")}


def _is_address(text: object) -> bool:
    try:
        ip_address(str(text))
    except ValueError:
        return False
    return True


def _taken(tree: Tree, path: str) -> Any:
    """The value at a path, which is then no longer there."""
    *steps, last = path.split(".")
    node: Any = tree
    for step in steps:
        node = node.get(step) if isinstance(node, dict) else None
    return node.pop(last, None) if isinstance(node, dict) else None


def _put(tree: Tree, path: str, value: Any) -> None:
    *steps, last = path.split(".")
    for step in steps:
        tree = tree.setdefault(step, {})
    tree.setdefault(last, value)


def _flat(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Dotted names and texts; the values of a list behind one name, with commas between."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        joined: dict[str, list[str]] = {}
        for item in value:
            for name, text in _flat(item, at + "[]"):
                joined.setdefault(name, []).append(text)
        yield from ((name, ",".join(texts)) for name, texts in joined.items())
    elif value is not None:
        yield at, value if isinstance(value, str) else json.dumps(value)
