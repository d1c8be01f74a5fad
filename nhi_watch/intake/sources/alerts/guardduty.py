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
from nhi_watch.intake.shapes.forms import Tree, at, every, inner, renamed
from nhi_watch.intake.shapes.values import first, text, true
from nhi_watch.intake.sources.alerts import actors
from nhi_watch.intake.sources.alerts.actors import CRITICAL, HIGH, LOW, MEDIUM, Alert, Told, kind_of, severity_of
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


def told(row: Row) -> Told:
    """The alert in a finding.

    Raises:
        RejectError: sample_finding, closed, no_identity.
    """
    found: Row = row["detail"] if row.get("detail").__class__ is dict else row
    if "Arn" in found and "arn" not in found:
        found = renamed(found, _lowered)
    service, resource = inner(found, "service"), inner(found, "resource")
    if true(inner(service, "additionalInfo").get("sample")):
        raise RejectError("sample_finding", "GuardDuty made this finding as a sample")
    if true(service.get("archived")):
        raise RejectError("closed", "the finding is archived")
    held, action = inner(resource, "accessKeyDetails"), inner(service, "action")
    caller = at(resource, "kubernetesDetails.kubernetesUserDetails") or _NONE
    call = next((inner(action, name) for name in _CALLS if name in action), _NONE)
    remote = inner(call, "remoteIpDetails")
    actor, endpoint = _sequence(service) if "detection" in service else _NOBODY
    (kind, level, account, region, user_type, principal, user, key, role, address) = (text(value, 512) for value in (
        found.get("type"), found.get("severity"), found.get("accountId"), found.get("region"), held.get("userType"),
        held.get("principalId"), held.get("userName"), held.get("accessKeyId") or actor[3],
        inner(resource, "lambdaDetails").get("role"), remote.get("ipAddressV4") or endpoint,
    ))  # fmt: skip
    identity = actors.aws(actors.AwsActor(user_type, principal, user, account))
    if identity is None and caller.__class__ is dict and k8s.is_kubernetes(text(caller.get("username"), 512)):
        identity = k8s.identify(text(caller.get("username"), 512), text(caller.get("uid"), 512))
    if identity is None and role:
        identity = actors.named(role, account)
    identity = identity or actors.aws(actors.AwsActor(actor[0], actor[1], actor[2], actor[4] or account))
    if identity is None or identity.kind == "anonymous":
        raise RejectError("no_identity", "the finding names no identity, only a resource")
    credential, session = actors.key_of(key)
    alert = Alert(PRODUCT, kind_of(kind), _level(level), identity, account[:64], credential,
                  (address or text(remote.get("ipAddressV6"), 512))[:64], region[:64])  # fmt: skip
    time = service.get("eventLastSeen") or found.get("updatedAt") or found.get("createdAt")
    return Told(alert, time, found.get("arn") or found.get("id"), session, _target(resource, call))


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
    affected = inner(call, "affectedResources")
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
    resource, service = dict(inner(tree, "resource")), dict(inner(tree, "service"))
    key = dict(inner(resource, "accessKeyDetails"))
    if key:
        user = inner(key, "user")
        resource["accessKeyDetails"] = {**key, "userName": user.get("name"), "userType": user.get("type")}
    event = inner(service, "event")
    service.update({"eventLastSeen": event.get("lastSeen"), "eventFirstSeen": event.get("firstSeen")})
    level = tree.get("severity")
    tree.update({"resource": resource, "service": service})
    tree["severity"] = level.get("code") if level.__class__ is dict else level
    return tree


@lru_cache(maxsize=1024)
def _camel(name: str) -> str:
    return _STEPS.get(name) or _STEP.sub(lambda m: m[1].upper(), name)
