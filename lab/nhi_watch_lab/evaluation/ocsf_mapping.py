"""A native CloudTrail record as OCSF, by the mappings that ocsf/examples publishes (markdown/AWS/v*/CloudTrail).

Written from the tables of those pages, not from our reader: 1.0.0-rc.2 (Security Lake's source version 1), 1.1.0
(version 2) and 1.5.0. What a table does not name goes to `unmapped`: dotted names, texts, lists joined by commas.
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

Tree = dict[str, Any]
EARLY, SECOND, LATEST = "1.0.0-rc.2", "1.1.0", "1.5.0"
VERSIONS = (EARLY, SECOND, LATEST)

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
        "class_uid": 3005 if early and kind == 6003 else kind, "class_name": name,
        "category_uid": 3 if early else category, "severity_id": 1, "severity": "Informational",
        "status": "Failure" if record.get("errorCode") else "Success", "activity_id": 99,
    }  # fmt: skip
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
    told = left.pop("eventTime", None)
    try:
        event["time"] = parse(told) * 1000
    except RejectError:
        event["time"] = told
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
        event["resources"] = [_resource(one) for one in resources if isinstance(one, dict)]
    if kind == 3001:
        _account(record, left, event, version)
    used = _taken(left, "additionalEventData.MFAUsed") if kind == 3002 else None
    if used is not None:
        event["mfa" if version == EARLY else "is_mfa"] = used == "Yes"
    landing = _taken(left, "additionalEventData.LoginTo") if kind == 3002 else None
    if landing is not None:
        _put(event, "dst_endpoint.svc_name", landing)


def _account(record: Tree, left: Tree, event: Tree, version: str) -> None:
    told = record.get("requestParameters")
    params: Tree = told if isinstance(told, dict) else {}
    for name in ("userName", "roleName"):
        if params.get(name):
            _put(event, "user.name", params[name])
            if version == EARLY:
                left["requestParameters"].pop(name)
            return


def _resource(told: Tree) -> Tree:
    return {"uid": told.get("ARN"), "account": {"uid": told.get("accountId")}, "type": told.get("type")}


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
        found: dict[str, list[str]] = {}
        for one in value:
            for name, text in _flat(one, at + "[]"):
                found.setdefault(name, []).append(text)
        yield from ((name, ",".join(texts)) for name, texts in found.items())
    elif value is not None:
        yield at, value if isinstance(value, str) else json.dumps(value)
