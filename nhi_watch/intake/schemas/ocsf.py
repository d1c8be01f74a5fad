"""OCSF, as Security Lake, Splunk (`aws:asl`, `aws:cloudtrail:lake`, federated) and Elastic's integration have it.

The mappings that ocsf/examples publishes are undone, and those of AWS's integrations for Security Lake: what comes out
is the record of CloudTrail, EKS's audit log or Security Hub, and its source reads it as any other. Where `raw_data`
holds the record, that is it, of any product.
`unmapped` fills in what the classes lose. Findings of any other product stay as they are, for the source `alerts`.

Read are classes 6003, 3001, 3002, 3003, 3004, 3006, and 2001, 2003, 2004 (and 3005 of 1.0.0-rc.2, where it is API
Activity), of versions 1.0.0-rc.2 to 1.5.0. What is lost for good: docs/method/ocsf.md.

Reject reasons: unknown_version, unknown_class, unknown_product, unknown_envelope (each with what is nearest to it),
no_action, no_time, bad_time, clock, bad_json, too_deep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import render
from nhi_watch.intake.shapes import forms
from nhi_watch.intake.shapes.forms import Table, Tree, at, every, inner, record_in, unflatten
from nhi_watch.intake.shapes.values import listed, moment, text, whole_number
from nhi_watch.intake.sources.cloudtrail import OCSF as OF_CLOUDTRAIL
from nhi_watch.intake.sources.kubernetes.actions import from_uri

# ---- undo
#
# Undoing a mapping: values back to their native places, and what was `unmapped` around them.


_DEEPEST = 24
Steps = tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...]


def steps(table: Table) -> Steps:
    """A table (native path → OCSF path, or several) as it is walked for each record."""
    paths = (
        (native.split("."), path.split("."))
        for native, paths in table.items()
        for path in ((paths,) if isinstance(paths, str) else paths)
    )
    return tuple((tuple(path), tuple(native[:-1]), native[-1]) for native, path in paths)


def undone(event: Tree, table: Steps) -> Tree:
    """The native record: by the table, and what is unmapped where the table has nothing.

    >>> undone({"a": [{"b": 1}], "unmapped": {"n.m": "2", "n.l[]": "3,4"}}, steps({"n.k": ("a.b", "a"),}))
    {'n': {'k': 1, 'm': '2', 'l': ['3', '4']}}
    """
    tree: Tree = {}
    for path, within, last in table:
        value: Any = event
        for step in path:
            if value.__class__ is list and value:
                value = value[0]
            value = value.get(step) if value.__class__ is dict else None
        if value is None:
            continue
        node = tree
        for step in within:
            node = node.setdefault(step, {})
        node.setdefault(last, value)
    return merged(tree, _unmapped(event.get("unmapped")))


def _unmapped(value: Any) -> Tree:
    """As a tree. It comes as one, as dotted names, as JSON text, or as the pairs of a Parquet map."""
    if value.__class__ is str:
        value = record_in(value)
    if value.__class__ is list:
        pairs = [(item.get("key"), item.get("value")) if item.__class__ is dict else item for item in value]
        value = {pair[0]: pair[1] for pair in pairs if pair.__class__ in (list, tuple) and len(pair) == 2}
    if value.__class__ is not dict:
        return {}
    return unflatten(
        {name.replace("[]", "{}"): _many(name, value) for name, value in value.items() if name.__class__ is str}
    )


def _many(name: str, value: Any) -> Any:
    """Lists are flattened to texts with commas."""
    return value.split(",") if "[]" in name and value.__class__ is str else value


def merged(first: Tree, second: Tree, depth: int = 0) -> Tree:
    """Both trees as one; where both have a value, the first's, unless it is none.

    >>> merged({"a": {"b": 1, "c": None}}, {"a": {"b": 2, "c": 3}, "d": 4})
    {'a': {'b': 1, 'c': 3}, 'd': 4}
    """
    merged_tree = dict(first)
    for name, value in second.items():
        mine = merged_tree.get(name)
        if mine.__class__ is dict and value.__class__ is dict and depth < _DEEPEST:
            merged_tree[name] = merged(mine, value, depth + 1)
        elif mine is None or mine == "":
            merged_tree[name] = value
    return merged_tree


# ---- aws
#
# CloudTrail, EKS's audit log and Security Hub's findings out of OCSF.


_CLOUDTRAIL = steps(
    {**OF_CLOUDTRAIL, "eventType": "metadata.event_code", "additionalEventData.LoginTo": "dst_endpoint.svc_name"}
)
_REQUEST, _RESPONSE = "api.request.data", "api.response.data"
_ACCOUNT_CHANGE = 3001


def cloudtrail(event: Tree) -> Tree:
    """CloudTrail's record. Since 1.1 `uid` is the ARN and `uid_alt` the principal; before, `uid` was the principal."""
    record = undone(event, _CLOUDTRAIL)
    record["eventTime"] = _time(event)
    record["userIdentity"] = {**inner(record, "userIdentity"), **_principal(event)}
    params = record_in(at(event, _REQUEST))
    record["requestParameters"] = params or {**_whom(event), **inner(record, "requestParameters")}
    record["responseElements"] = record_in(at(event, _RESPONSE)) or record.get("responseElements")
    record.setdefault("recipientAccountId", at(event, "cloud.account.uid"))
    resources = [_resource(resource) for resource in listed(event.get("resources")) if resource.__class__ is dict]
    record["resources"] = resources or record.get("resources")
    mfa = event.get("is_mfa", event.get("mfa"))
    if mfa is not None:
        used = "Yes" if text(mfa) == "true" else "No"
        record["additionalEventData"] = {"MFAUsed": used, **inner(record, "additionalEventData")}
    return record


def _principal(event: Tree) -> Tree:
    """Principal and ARN; a person of the identity center has neither, and no access key, but a sign-in's id."""
    user = inner(inner(event, "actor"), "user")
    uid, other = text(user.get("uid")), text(user.get("uid_alt"))
    arn = uid if uid.startswith("arn:") else text(user.get("uuid"))
    if text(user.get("type")) == "IdentityCenterUser" and other:
        return {"onBehalfOf": {"userId": other}, "arn": arn, "accessKeyId": None, "userName": None}
    return {"principalId": other or (uid if uid != arn else ""), "arn": arn}


def _whom(event: Tree) -> Tree:
    """The parameter that Account Change of 1.0 has in the place of whom it is done to."""
    name = at(event, "user.name") if event["class_uid"] == _ACCOUNT_CHANGE else None
    return {"roleName" if "Role" in text(at(event, "api.operation")) else "userName": name} if name else {}


def _resource(resource: Tree) -> Tree:
    owner = at(resource, "account.uid") or at(resource, "owner.account.uid") or resource.get("account_uid")
    return {"ARN": resource.get("uid"), "accountId": owner, "type": resource.get("type")}


def _time(event: Tree) -> str:
    return render(moment(event.get("time") or event.get("time_dt")))


_EKS = steps({
    "level": "metadata.log_level", "auditID": "api.request.uid", "stage": "message",
    "requestURI": "http_request.url.path", "verb": "api.operation", "user.username": "actor.user.name",
    "user.uid": "actor.user.uid", "userAgent": "http_request.user_agent", "objectRef.namespace": "resources.namespace",
    "objectRef.name": "resources.name", "objectRef.uid": "resources.uid", "objectRef.apiGroup": "api.group.name",
    "responseStatus.code": "api.response.code", "responseStatus.message": "api.response.message",
    "responseStatus.reason": "api.response.error", "responseStatus.status": "api.response.error_message",
    "stageTimestamp": ("time", "time_dt"),
})  # fmt: skip
_PROOFS = {
    "accessKeyId": "actor.session.credential_uid",
    "canonicalArn": "actor.session.issuer",
    "sessionName": "actor.session.uid",
    "arn": "cloud.account.uid",
}


def eks(event: Tree) -> Tree:
    """The audit event of a cluster."""
    record = {**undone(event, _EKS), "kind": "Event", "apiVersion": at(event, "metadata.product.version")}
    user = inner(record, "user")
    proofs = {name: [value] for name, path in _PROOFS.items() if (value := at(event, path))}
    record["user"] = {
        **user,
        "groups": every(event, "actor.user.groups.name"),
        "extra": {**inner(user, "extra"), **proofs},
    }
    record["sourceIPs"] = listed(record.get("sourceIPs")) or every(event, "src_endpoint.ip")
    record["objectRef"] = {**inner(record, "objectRef"), **_object(event, text(record.get("requestURI")))}
    record["requestObject"] = record_in(at(event, _REQUEST)) or record.get("requestObject")
    record["responseObject"] = record_in(at(event, _RESPONSE)) or record.get("responseObject")
    return record


def _object(event: Tree, uri: str) -> Tree:
    """Resource and subresource, which the mapping writes one behind the other."""
    content = text(at(event, "resources.type"))
    resource, sub, *_ = from_uri(uri) if uri else (None, None)
    if resource and content.replace("/", "") == f"{resource}{sub or ''}":
        return {"resource": resource, "subresource": sub}
    resource, _, sub = content.partition("/")
    return {"resource": resource, "subresource": sub}


_FINDING = steps({
    "Id": ("finding_info.uid", "finding.uid"), "AwsAccountId": ("cloud.account.uid", "cloud.account_uid"),
    "Region": "cloud.region", "ProductArn": "metadata.product.uid", "ProductName": "metadata.product.name",
    "GeneratorId": "metadata.product.feature.uid", "Title": ("finding_info.title", "finding.title"),
    "Types": ("finding_info.types", "finding.types"), "Severity.Label": "severity",
    "LastObservedAt": ("finding_info.last_seen_time_dt", "finding_info.last_seen_time", "finding.last_seen_time"),
    "UpdatedAt": "time", "Workflow.Status": ("status", "state"),
    "Action.AwsApiCallAction.Api": "evidences.api.operation",
    "Action.AwsApiCallAction.ServiceName": "evidences.api.service.name",
    "Action.AwsApiCallAction.RemoteIpDetails.IpAddressV4": "evidences.src_endpoint.ip",
})  # fmt: skip


def is_securityhub(event: Tree) -> bool:
    """Whether a finding came through Security Hub, whose format the mapping starts from."""
    return ":securityhub:" in text(at(event, "metadata.product.uid"))


def securityhub(event: Tree) -> Tree:
    """The finding in Security Hub's own format."""
    record = undone(event, _FINDING)
    resources = event.get("resources") or event.get("resource")
    record["Resources"] = [_finding_resource(resource) for resource in listed(resources) if resource.__class__ is dict]
    return record


def _finding_resource(resource: Tree) -> dict[str, Any]:
    details = record_in(resource.get("data")) or record_in(resource.get("details"))
    return {
        "Type": resource.get("type"),
        "Id": resource.get("uid"),
        "Region": resource.get("region"),
        "Details": details or {},
    }


# ---- ocsf


NAME = "ocsf"
SPLUNK_SOURCETYPES = ("aws:asl", "aws:cloudtrail:lake")
ELASTIC_INDICES = ("logs-amazon_security_lake.*",)
MARKS = ("class_uid", "ocsf", "ocsf.class_uid", "_raw", "_source", "fields")

VERSIONS = ("1.0.0-rc.2", "1.0.0-rc.3", "1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0")
CLASSES = {
    2001: "Security Finding",
    2003: "Compliance Finding",
    2004: "Detection Finding",
    3001: "Account Change",
    3002: "Authentication",
    3003: "Authorize Session",
    3004: "Entity Management",
    3006: "Group Management",
    6003: "API Activity",
}
_EARLY = {"1.0.0-rc.2": {3005: 6003}, "1.0.0-rc.3": {3005: 6003}}
"""Classes that had another number then."""
_PRODUCTS: dict[str, Callable[[Tree], Tree]] = {"cloudtrail": cloudtrail, "eks": eks}
"""Words of a product's name → what undoes its mapping."""
_ECS = {
    "time": "@timestamp", "message": "message", "metadata.uid": "event.id", "metadata.event_code": "event.code",
    "cloud.account.uid": "cloud.account.id", "cloud.provider": "cloud.provider", "cloud.region": "cloud.region",
    "actor.user.uid": "user.id", "actor.user.name": "user.name", "actor.user.email_addr": "user.email",
    "user.uid": "user.target.id", "user.name": "user.target.name", "user.email_addr": "user.target.email",
    "group.uid": "group.id", "group.name": "group.name", "src_endpoint.ip": "source.ip",
    "src_endpoint.domain": "source.domain", "http_request.user_agent": "user_agent.original",
    "http_request.http_method": "http.request.method", "http_request.url.path": "url.path",
}  # fmt: skip
"""What Elastic's pipeline takes out of `ocsf`, unless the integration is set to keep duplicates."""


def carries(record: Mapping[str, Any]) -> bool:
    """Whether the record is an OCSF event: as JSON, a row of Splunk's, or a document of Elastic's."""
    if "class_uid" in record or "ocsf" in record or "ocsf.class_uid" in record:
        return True
    raw = record.get("_raw")
    if raw.__class__ is str:
        return '"class_uid"' in raw and _has_class(raw)
    document = record.get("_source") or record.get("fields")
    return document.__class__ is dict and ("ocsf" in document or "ocsf.class_uid" in document)


def _has_class(raw: str) -> bool:
    """Whether it says so itself, not some text that a client wrote into another product's record."""
    try:
        return "class_uid" in forms.object_of(raw[max(raw.find("{"), 0) :])
    except RejectError:
        return False


def native(record: Mapping[str, Any]) -> Tree:
    """The record of the product, or a finding as it is.

    Raises:
        RejectError: with one of the reasons above.
    """
    event = _event(record)
    version, product = text(at(event, "metadata.version")), text(at(event, "metadata.product.name"))
    if not version:
        raise RejectError("unknown_envelope", "class_uid is present, but not metadata.version, which OCSF events have")
    if version not in VERSIONS:
        raise RejectError(
            "unknown_version",
            f"OCSF {version[:20]!r} is not read; the nearest that is: "
            + max(VERSIONS, key=lambda known: (known <= version, known)),
        )
    kind = _class_of(event, version)
    inside = record_in(event.get("raw_data"))
    if inside is not None:
        return inside
    event = {**event, "class_uid": kind}
    named = f" {' '.join(re.findall(r'[a-z0-9]+', product.lower()))} "
    undo = next((undo for words, undo in _PRODUCTS.items() if f" {words} " in named), None)
    if undo is not None:
        return _filled(undo(event))
    if kind // 1000 == 2:
        return securityhub(event) if is_securityhub(event) else event
    raise RejectError(
        "unknown_product",
        f"{CLASSES[kind]} of {product[:60]!r} is not read, and its raw_data holds no "
        f"record; {_near(product.lower(), tuple(_PRODUCTS))}",
    )


def _event(record: Mapping[str, Any]) -> Tree:
    """The event as one tree, out of any host's form."""
    tree, _ = forms.native(record)
    document = forms.nested(forms.hit(tree)) if "class_uid" not in tree else tree
    product_fields = document.get("ocsf")
    return merged(product_fields, forms.rebuild(document, _ECS)) if product_fields.__class__ is dict else document


def _class_of(event: Tree, version: str) -> int:
    class_uid = whole_number(event.get("class_uid"))
    kind = _EARLY.get(version, {}).get(class_uid or 0, class_uid)
    if kind in CLASSES:
        return kind
    name = text(event.get("class_name"), 60) or "without a name"
    near = [known for known in CLASSES if known // 1000 == (kind or 0) // 1000] or CLASSES
    raise RejectError(
        "unknown_class",
        f"class {text(event.get('class_uid'), 20)} ({name}) of OCSF {version} is not "
        "read; read are " + ", ".join(f"{known} {CLASSES[known]}" for known in near),
    )


def _near(name: str, known: tuple[str, ...]) -> str:
    matches = get_close_matches(name, known, 1, 0.6)
    return f"the nearest that is: {matches[0]}" if matches else "read are " + ", ".join(known)


def _filled(record: Tree) -> Tree:
    if not any(record.get(name) for name in ("eventName", "verb")):
        raise RejectError("no_action", "neither api.operation nor metadata.event_code says what was done")
    return record
