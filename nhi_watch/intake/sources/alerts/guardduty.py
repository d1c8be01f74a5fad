"""GuardDuty's findings: as the API and EventBridge give them, as the CLI does, and as Elastic keeps them.

Severities: docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html (critical from 9, high from 7,
medium from 4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.forms import Tree, at, every, renamed
from nhi_watch.intake.shapes.values import first, text, true
from nhi_watch.intake.sources.alerts import actors
from nhi_watch.intake.sources.alerts.actors import CRITICAL, HIGH, LOW, MEDIUM, Alert, Raw, kind_of, severity_of
from nhi_watch.intake.sources.kubernetes import actions as k8s

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


def raw(row: Row) -> Raw:
    """The values of a finding."""
    found: Row = row["detail"] if row.get("detail").__class__ is dict else row
    if "Arn" in found and "arn" not in found:
        found = renamed(found, _lowered)
    service, resource = _part(found, "service"), _part(found, "resource")
    key, action = _part(resource, "accessKeyDetails"), _part(service, "action")
    user = _part(_part(resource, "kubernetesDetails"), "kubernetesUserDetails")
    call: Row = _NONE
    for name in _CALLS:
        if name in action:
            call = _part(action, name)
            break
    remote = _part(call, "remoteIpDetails")
    actor, endpoint = _sequence(service) if "detection" in service else _NOBODY
    key_id = key.get("accessKeyId") or actor[3]
    session = ""
    if key_id.__class__ is str and key_id[:4] == "ASIA":
        session, key_id = key_id[:128], "ASIA"
    shape = (
        found.get("type"), found.get("severity"), found.get("accountId"), found.get("region"), key.get("userType"),
        key.get("principalId"), key.get("userName"), key_id, user.get("username"), user.get("uid"),
        _part(resource, "lambdaDetails").get("role"), remote.get("ipAddressV4") or endpoint, remote.get("ipAddressV6"),
        *actor[:3], actor[4], _yes(service.get("archived")), _yes(_part(service, "additionalInfo").get("sample")),
    )  # fmt: skip
    time = service.get("eventLastSeen") or found.get("updatedAt") or found.get("createdAt")
    return Raw(shape, time, found.get("arn") or found.get("id"), session, _target(resource, call))


def alert_of(shape: tuple[object, ...]) -> Alert:
    """The alert of a finding's values.

    Raises:
        RejectError: sample_finding, closed, no_identity.
    """
    (kind, level, account, region, user_type, principal, user, key, name, uid, role, address, other, actor_type,
     actor, actor_name, home, archived, is_sample) = (text(value, 512) for value in shape)  # fmt: skip
    if is_sample:
        raise RejectError("sample_finding", "GuardDuty made this finding as a sample")
    if archived:
        raise RejectError("closed", "the finding is archived")
    identity = actors.aws(actors.AwsActor(user_type, principal, user, account))
    if identity is None and k8s.is_kubernetes(name):
        identity = k8s.identify(name, uid)
    if identity is None and role:
        identity = actors.named(role, account)
    identity = identity or actors.aws(actors.AwsActor(actor_type, actor, actor_name, home or account))
    if identity is None or identity.kind == "anonymous":
        raise RejectError("no_identity", "the finding names no identity, only a resource")
    return Alert(PRODUCT, kind_of(kind), _level(level), identity, account[:64], actors.credential_of(key)[0],
                 (address or other)[:64], region[:64])  # fmt: skip


def _yes(value: object) -> str:
    return "y" if value and true(value) else ""


def _part(row: Row, name: str) -> Row:
    found = row.get(name)
    return found if found.__class__ is dict else _NONE


_NOBODY: tuple[tuple[str, ...], str] = (("",) * 5, "")


def _sequence(service: Row) -> tuple[tuple[str, ...], str]:
    """Of an attack sequence: type, id, name, key and account of its first actor, and the first address."""
    told = (text(at(service, f"detection.sequence.actors.user.{path}"), 256) for path in _ACTOR)
    return tuple(told), text(next(iter(every(service, "detection.sequence.endpoints.ip")), ""), 64)


_ACTOR = ("type", "uid", "name", "credentialUid", "account.uid")


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


def _lowered(name: str) -> str:
    """A name with a small first letter, as the API's own JSON has it; the CLI and boto3 write large ones."""
    return name if ":" in name else name[:1].lower() + name[1:]


_STEPS = {"vpcid": "vpcId", "accesskey_id": "accessKeyId", "user_name": "username"}
_STEP = re.compile(r"_([a-z0-9])")


def of_ecs(document: Row) -> Tree:
    """The native finding out of Elastic's aws.guardduty document."""
    part = at(document, "aws.guardduty")
    tree: Tree = renamed(part, _camel) if part.__class__ is dict else {}
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


@lru_cache(maxsize=1024)
def _camel(name: str) -> str:
    return _STEPS.get(name) or _STEP.sub(lambda m: m[1].upper(), name)
