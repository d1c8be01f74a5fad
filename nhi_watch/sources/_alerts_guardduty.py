"""GuardDuty's findings: as the API and EventBridge give them, as the CLI does, and as Elastic keeps them.

Severities: docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html (critical from 9, high from 7,
medium from 4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Optional

from nhi_watch.errors import RejectError
from nhi_watch.event import Identity
from nhi_watch.sources import _alerts_who as who
from nhi_watch.sources import _kubernetes_actions as k8s
from nhi_watch.sources._alerts_told import CRITICAL, HIGH, LOW, MEDIUM, Alert, Told, first, kind_of, severity_of
from nhi_watch.sources._shapes import Tree, at, every
from nhi_watch.sources._values import text, true

Row = Mapping[str, Any]

PRODUCT = "GuardDuty"
_NONE: Row = {}
_CALLS = ("awsApiCallAction", "kubernetesApiCallAction", "rdsLoginAttemptAction", "networkConnectionAction")
_TOUCHED = ("AWS::S3::Bucket", "AWS::IAM::Role", "AWS::IAM::User", "AWS::CloudTrail::Trail")


def claims(row: Row) -> bool:
    """Whether a record is a finding of GuardDuty, with names in either case, bare or in an event of EventBridge."""
    if row.get("source") == "aws.guardduty" and row.get("detail").__class__ is dict:
        return True
    arn = row.get("arn") or row.get("Arn")
    return arn.__class__ is str and ":guardduty:" in arn and "/finding/" in arn


def told(row: Row) -> Told:
    """The alert in a finding.

    Raises:
        RejectError: sample_finding, closed, no_identity.
    """
    found: Row = row["detail"] if row.get("detail").__class__ is dict else row
    if "Arn" in found and "arn" not in found:
        found = _lowered(found)
    service, resource = _part(found, "service"), _part(found, "resource")
    if true(_part(service, "additionalInfo").get("sample")):
        raise RejectError("sample_finding", "GuardDuty made this finding as a sample")
    if true(service.get("archived")):
        raise RejectError("closed", "the finding is archived")
    account = text(found.get("accountId"), 64)
    key = _part(resource, "accessKeyDetails")
    identity, key_id = _identity(resource, service, account), text(key.get("accessKeyId"), 128)
    action = _part(service, "action")
    call: Row = next((action[name] for name in _CALLS if action.get(name).__class__ is dict), _NONE)
    remote = _part(call, "remoteIpDetails")
    address = first(remote.get("ipAddressV4"), remote.get("ipAddressV6"), *_endpoints(service))
    credential, session = who.credential_of(key_id or _actor(service, "user.credentialUid"))
    alert = Alert(
        PRODUCT, kind_of(text(found.get("type"), 200)), _level(text(found.get("severity"), 20)), identity, account,
        credential, address, text(found.get("region"), 64),
    )  # fmt: skip
    time = service.get("eventLastSeen") or found.get("updatedAt") or found.get("createdAt")
    return Told(alert, time, first(found.get("arn"), found.get("id"))[:256], session, _target(resource, call))


def _part(row: Row, name: str) -> Row:
    found = row.get(name)
    return found if found.__class__ is dict else _NONE


def _identity(resource: Row, service: Row, account: str) -> Identity:
    key, cluster = _part(resource, "accessKeyDetails"), _part(resource, "kubernetesDetails")
    user = _part(cluster, "kubernetesUserDetails")
    name = text(user.get("username"), 256)
    found: Optional[Identity] = None
    if key:
        found = who.aws(_of_key(key, account))
    if found is None and k8s.is_kubernetes(name):
        found = k8s.identify(name, text(user.get("uid"), 128))
    if found is None:
        role = text(_part(resource, "lambdaDetails").get("role"))
        found = who.named(role, account) if role else _sequence_identity(service, account)
    if found is None or found.kind == "anonymous":
        raise RejectError("no_identity", "the finding names no identity, only a resource")
    return found


def _of_key(key: Row, account: str) -> who.AwsActor:
    return who.AwsActor(
        text(key.get("userType"), 40), text(key.get("principalId"), 256), text(key.get("userName"), 128), account
    )


def _actor(service: Row, path: str) -> str:
    """Of an attack sequence: a value of the first actor."""
    if "detection" not in service:
        return ""
    return text(at(service, f"detection.sequence.actors.{path}"), 256)


def _sequence_identity(service: Row, account: str) -> Optional[Identity]:
    kind, unique, name = (_actor(service, f"user.{path}") for path in ("type", "uid", "name"))
    return who.aws(who.AwsActor(kind, unique, name, _actor(service, "user.account.uid") or account))


def _endpoints(service: Row) -> list[Any]:
    return every(service, "detection.sequence.endpoints.ip")[:1] if "detection" in service else []


def _level(told: str) -> str:
    """The severity of GuardDuty's number, or of Security Hub's copy of it."""
    try:
        number = float(told)
    except ValueError:
        return severity_of(told)
    return CRITICAL if number >= 9 else HIGH if number >= 7 else MEDIUM if number >= 4 else LOW


def _target(resource: Row, call: Row) -> str:
    affected = _part(call, "affectedResources")
    for name in _TOUCHED:
        if name in affected:
            return text(affected[name], 200)
    for name in ("s3BucketDetails", "eksClusterDetails", "lambdaDetails", "instanceDetails", "rdsDbInstanceDetails"):
        part = resource.get(name)
        if part:
            one = part[0] if part.__class__ is list else part
            found = first(*(at(one, key) for key in ("arn", "name", "functionArn", "instanceId", "dbInstanceArn")))
            if found:
                return found[:200]
    service, api = text(call.get("serviceName"), 64), text(call.get("api"), 64)
    return f"{service.partition('.')[0]}:{api}" if api else ""


def _lowered(tree: Any, depth: int = 0) -> Any:
    """Names with small first letters, as the API's own JSON has them; the CLI and boto3 write large ones."""
    if depth > 12:
        return None
    if tree.__class__ is list:
        return [_lowered(one, depth + 1) for one in tree]
    if tree.__class__ is not dict:
        return tree
    named = ((k if ":" in k else k[:1].lower() + k[1:], v) for k, v in tree.items() if k.__class__ is str)
    return {k: _lowered(v, depth + 1) for k, v in named}


_STEPS = {"vpcid": "vpcId", "accesskey_id": "accessKeyId", "user_name": "username"}
_STEP = re.compile(r"_([a-z0-9])")


def of_ecs(document: Row) -> Tree:
    """The native finding out of Elastic's aws.guardduty document."""
    part = at(document, "aws.guardduty")
    tree: Tree = _camel(part) if part.__class__ is dict else {}
    resource, service = dict(_part(tree, "resource")), dict(_part(tree, "service"))
    key = dict(_part(resource, "accessKeyDetails"))
    if key:
        user = _part(key, "user")
        resource["accessKeyDetails"] = {**key, "userName": user.get("name"), "userType": user.get("type")}
    event = _part(service, "event")
    service.update({"eventLastSeen": event.get("lastSeen"), "eventFirstSeen": event.get("firstSeen")})
    level = tree.get("severity")
    tree.update({"resource": resource, "service": service})
    tree["severity"] = level.get("code") if level.__class__ is dict else level
    return tree


def _camel(tree: Any, depth: int = 0) -> Any:
    if depth > 12:
        return None
    if tree.__class__ is list:
        return [_camel(one, depth + 1) for one in tree]
    if tree.__class__ is not dict:
        return tree
    return {_named(k): _camel(v, depth + 1) for k, v in tree.items() if k.__class__ is str}


@lru_cache(maxsize=1024)
def _named(name: str) -> str:
    return _STEPS.get(name) or _STEP.sub(lambda m: m[1].upper(), name)
