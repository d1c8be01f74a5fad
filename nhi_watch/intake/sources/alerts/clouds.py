"""Alerts of clouds: GuardDuty, Security Hub, Entra ID Protection, and OCSF's findings of any product."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Optional

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Identity
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import Tree, at, every, inner, rebuild, renamed
from nhi_watch.intake.shapes.json import parsed
from nhi_watch.intake.shapes.microsoft import guid
from nhi_watch.intake.shapes.values import first, listed, text, true
from nhi_watch.intake.sources.alerts.actors import (
    CRITICAL,
    HIGH,
    LOW,
    MEDIUM,
    Alert,
    AwsActor,
    Told,
    aws,
    by_name,
    credential_of,
    first_named,
    key_of,
    kind_of,
    named,
    severity_of,
)
from nhi_watch.intake.sources.kubernetes import actions as k8s

Row = Mapping[str, Any]
_NONE: Row = {}


# ---- guardduty
#
# GuardDuty's findings: as the API and EventBridge give them, as the CLI does, and as Elastic keeps them.
#
# Severities: docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html (critical from 9, high from 7,
# medium from 4).


_CALLS = ("awsApiCallAction", "kubernetesApiCallAction", "rdsLoginAttemptAction", "networkConnectionAction")
_TOUCHED = ("AWS::S3::Bucket", "AWS::IAM::Role", "AWS::IAM::User", "AWS::CloudTrail::Trail")


def is_guardduty(row: Row) -> bool:
    """Whether a record is a finding of GuardDuty, with names in either case, bare or in an event of EventBridge."""
    if row.get("source") == "aws.guardduty" and row.get("detail").__class__ is dict:
        return True
    arn = row.get("arn") or row.get("Arn")
    return arn.__class__ is str and ":guardduty:" in arn and "/finding/" in arn


def guardduty(row: Row) -> Told:
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
    actor, endpoint = _sequence(service) if "detection" in service else _NO_ACTOR
    (kind, level, account, region, user_type, principal, user, key, role, address) = (text(value, 512) for value in (
        found.get("type"), found.get("severity"), found.get("accountId"), found.get("region"), held.get("userType"),
        held.get("principalId"), held.get("userName"), held.get("accessKeyId") or actor[3],
        inner(resource, "lambdaDetails").get("role"), remote.get("ipAddressV4") or endpoint,
    ))  # fmt: skip
    identity = aws(AwsActor(user_type, principal, user, account))
    if identity is None and caller.__class__ is dict and k8s.is_kubernetes(text(caller.get("username"), 512)):
        identity = k8s.identify(
            text(caller.get("username"), 512), text(caller.get("uid"), 512),
            address=address or text(remote.get("ipAddressV6"), 64),
        )  # fmt: skip
    if identity is None and role:
        identity = named(role, account)
    identity = identity or aws(AwsActor(actor[0], actor[1], actor[2], actor[4] or account))
    if identity is None or identity.kind == "anonymous":
        raise RejectError("no_identity", "the finding names no identity, only a resource")
    credential, session = key_of(key)
    alert = Alert("GuardDuty", kind_of(kind), _level_of_number(level), identity, account[:64], credential,
                  (address or text(remote.get("ipAddressV6"), 512))[:64], region[:64])  # fmt: skip
    time = service.get("eventLastSeen") or found.get("updatedAt") or found.get("createdAt")
    return Told(alert, time, found.get("arn") or found.get("id"), session, _touched_by(resource, call))


_NO_ACTOR: tuple[tuple[str, ...], str] = (("",) * 5, "")


def _sequence(service: Row) -> tuple[tuple[str, ...], str]:
    """Of an attack sequence: type, id, name, key and account of its first actor, and the first address."""
    told = (text(at(service, f"detection.sequence.actors.user.{path}"), 256) for path in _ACTOR)
    return tuple(told), text(next(iter(every(service, "detection.sequence.endpoints.ip")), ""), 64)


_ACTOR = ("type", "uid", "name", "credentialUid", "account.uid")


def _level_of_number(told: str) -> str:
    """The severity of GuardDuty's number, or of Security Hub's copy of it."""
    try:
        number = float(told)
    except ValueError:
        return severity_of(told)
    return CRITICAL if number >= 9 else HIGH if number >= 7 else MEDIUM if number >= 4 else LOW


def _touched_by(resource: Row, call: Row) -> str:
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


def guardduty_of_ecs(document: Row) -> Tree:
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


# ---- securityhub
#
# Security Hub's findings in its own format (ASFF), of AWS's products and others.
#
# - A finding that GuardDuty tells itself and Security Hub passes on has one record id (GuardDuty's ARN of it), one
#   product and one kind, so it counts once.
# - Findings about configuration (`Software and Configuration Checks`) say what could happen, not what was done.


_RESOLVED = ("RESOLVED", "SUPPRESSED")
_GUARDDUTY = re.compile(r"([A-Za-z]+:[A-Za-z0-9]+)-(.+)")
"""`Recon:IAMUser-TorIPCaller`: ASFF keeps `/` for its own levels."""
_IDENTITIES = ("AwsIamAccessKey", "AwsIamUser", "AwsIamRole")
_KEY_PREFIX = "AWS::IAM::AccessKey:"
_SECURITYHUB = {
    "Id": "aws.securityhub_findings.id",
    "AwsAccountId": ("aws.securityhub_findings.aws_account_id", "cloud.account.id"),
    "UpdatedAt": "aws.securityhub_findings.updated_at",
    "CreatedAt": "aws.securityhub_findings.created_at",
    "LastObservedAt": "aws.securityhub_findings.last_observed_at",
    "Severity": "aws.securityhub_findings.severity",
    "Types": "aws.securityhub_findings.types",
    "ProductName": "aws.securityhub_findings.product.name",
    "ProductArn": "aws.securityhub_findings.product.arn",
    "GeneratorId": "aws.securityhub_findings.generator.id",
    "Title": "aws.securityhub_findings.title",
    "RecordState": "aws.securityhub_findings.record_state",
    "Workflow.Status": "aws.securityhub_findings.workflow.status",
    "Region": "aws.securityhub_findings.region",
    "Resources": "aws.securityhub_findings.resources",
    "Sample": "aws.securityhub_findings.sample",
    "Action.AwsApiCallAction.Api": "aws.securityhub_findings.action.aws_api_call.api",
    "Action.AwsApiCallAction.ServiceName": "aws.securityhub_findings.action.aws_api_call.service.name",
    "Action.AwsApiCallAction.RemoteIpDetails.IpAddressV4":
        "aws.securityhub_findings.action.aws_api_call.remote_ip.ip.address_v4",
    "Network.SourceIpV4": "source.ip",
}  # fmt: skip


def is_securityhub(row: Row) -> bool:
    """Whether a record is a finding in Security Hub's format, bare or in an event of EventBridge."""
    if "ProductArn" in row and "GeneratorId" in row:
        return True
    return row.get("source") == "aws.securityhub" and row.get("detail").__class__ is dict


def securityhub(row: Row) -> Told:
    """The alert in a finding; of an event with several findings, in the first.

    Raises:
        RejectError: sample_finding, closed, posture, no_identity.
    """
    found = row
    if row.get("detail").__class__ is dict:
        inside = row["detail"].get("findings")
        found = next((one for one in listed(inside) if one.__class__ is dict), _NONE)
    of, level, call = found.get, inner(found, "Severity"), inner(inner(found, "Action"), "AwsApiCallAction")
    types, workflow = of("Types"), text(inner(found, "Workflow").get("Status"), 512)
    kind, account, region, arn, product, title, address = (text(value, 512) for value in (
        types[0] if types.__class__ is list and types else types, of("AwsAccountId"), of("Region"), of("ProductArn"),
        of("ProductName"), of("Title"), _address(found),
    ))  # fmt: skip
    if true(of("Sample")):
        raise RejectError("sample_finding", "the finding was made as a sample")
    if text(of("RecordState"), 512).upper() == "ARCHIVED" or workflow.upper() in _RESOLVED:
        raise RejectError("closed", "the finding is archived, resolved or suppressed")
    if kind.startswith("Software and Configuration Checks"):
        raise RejectError("posture", "the finding is about configuration, not about what was done")
    resources = [one for one in listed(of("Resources")) if one.__class__ is dict]
    sort, who = next(((sort, one) for one in resources if (sort := _sort_of(one))), ("", _NONE))
    actor, key = _actor(sort, who, account)
    identity = aws(actor) if sort else None
    if identity is None:
        raise RejectError("no_identity", "the finding names no identity, only a resource")
    credential, session = key_of(key)
    severity = severity_of(text(level.get("Label") or level.get("label"), 512),
                           text(level.get("Normalized") or level.get("normalized"), 512))  # fmt: skip
    alert = Alert(*_kind(arn, product, kind, title), severity, identity, account[:64], credential, address[:64],
                  region[:64])  # fmt: skip
    touched = (text(one.get("Id"), 200) for one in resources if one.get("Type") not in _IDENTITIES)
    target, api = next(filter(None, touched), ""), call.get("Api") or _passed_on(found, "api")
    if not target and api:
        service = text(call.get("ServiceName") or _passed_on(found, "serviceName"), 64)
        target = f"{service.partition('.')[0]}:{text(api, 64)}"
    return Told(alert, of("LastObservedAt") or of("UpdatedAt") or of("CreatedAt"), of("Id"), session, target)


def _actor(sort: str, resource: Row, account: str) -> tuple[AwsActor, str]:
    """The actor that a resource is, and its access key's id."""
    details = inner(inner(resource, "Details"), sort)
    if sort != "AwsIamAccessKey":
        unique = text(details.get("UserId") or details.get("RoleId"), 512)
        kind = "IAMUser" if sort == "AwsIamUser" else "Role"
        return AwsActor(kind, unique, "", account, text(resource.get("Id"), 512)), ""
    issuer = inner(inner(details, "SessionContext"), "SessionIssuer")
    key = text(details.get("AccessKeyId"), 512) or text(resource.get("Id"), 200).removeprefix(_KEY_PREFIX)
    kind, principal, name, home, arn = (text(value, 512) for value in (
        details.get("PrincipalType"), details.get("PrincipalId") or issuer.get("PrincipalId"),
        issuer.get("UserName") or details.get("PrincipalName") or details.get("UserName"), details.get("AccountId"),
        issuer.get("Arn"),
    ))  # fmt: skip
    return AwsActor(kind, principal, name, home or account, arn), key


def _kind(arn: str, name: str, kind: str, title: str) -> tuple[str, str]:
    """Product and kind; GuardDuty's as GuardDuty spells them."""
    if arn.endswith("/aws/guardduty"):
        last = kind.rpartition("/")[2]
        match = _GUARDDUTY.fullmatch(last)
        return "GuardDuty", kind_of(f"{match[1]}/{match[2]}" if match else last)
    product = re.sub(r"\W+", "", name)[:40] or "SecurityHub"
    return product, kind_of(kind if kind.count("/") > 1 else title or kind)


def _sort_of(resource: Row) -> str:
    """What sort of identity a resource is, by its details (extracted fields mix the types up); "" for none."""
    details = inner(resource, "Details")
    found = next((kind for kind in _IDENTITIES if kind in details), "")
    return found or next((kind for kind in _IDENTITIES if kind == resource.get("Type")), "")


def _address(found: Row) -> object:
    action, network = inner(found, "Action"), inner(found, "Network")
    for name in ("AwsApiCallAction", "NetworkConnectionAction"):
        told = inner(inner(action, name), "RemoteIpDetails").get("IpAddressV4")
        if told:
            return told
    return network.get("SourceIpV4") or network.get("SourceIpV6") or _passed_on(found, "remoteIpDetails/ipAddressV4")


def _passed_on(found: Row, name: str) -> object:
    """What GuardDuty told of a call, and Security Hub passed on among the product's own fields."""
    return inner(found, "ProductFields").get("aws/guardduty/service/action/awsApiCallAction/" + name)


def securityhub_of_ecs(document: Row) -> Tree:
    """The native finding out of Elastic's aws.securityhub_findings document."""
    return rebuild(document, _SECURITYHUB)


# ---- entra
#
# Entra ID Protection: risk detections and risky principals, of workload identities, of agents and of users.
#
# From the diagnostic settings (categories UserRiskEvents, RiskyUsers, ServicePrincipalRiskEvents,
# RiskyServicePrincipals, AgentRiskEvents, RiskyAgents), from the Graph API (riskDetection, riskyUser and their like of
# service principals and agents; an agent's identity is a service principal, or a user of its own), and from Elastic's
# azure.identity_protection. Closed are risks that were dismissed, remediated or confirmed safe; a principal that is at
# risk `none` has none.


CATEGORIES = ("UserRiskEvents", "RiskyUsers", "ServicePrincipalRiskEvents", "RiskyServicePrincipals", "AgentRiskEvents",
              "RiskyAgents")  # fmt: skip
_DISMISSED = ("dismissed", "remediated", "confirmedsafe")
_RISKY = "risky"
"""The kind of a record that tells that a principal is at risk, but not why."""


def is_entra(row: Row) -> bool:
    """Whether a record is a risk of Entra ID Protection, with or without the frame of diagnostic settings."""
    category = row.get("category")
    if category.__class__ is str and category in CATEGORIES:
        return True
    inside = row.get("properties", row)
    if inside.__class__ is not dict or "riskLevel" not in inside or "riskState" not in inside:
        return "properties.riskLevel" in row and "properties.riskState" in row
    return any(name in inside for name in ("riskEventType", "riskLastUpdatedDateTime", "riskLastModifiedDateTime"))


def entra(row: Row) -> Told:
    """The alert in a risk.

    Raises:
        RejectError: closed, no_identity.
    """
    found = row.get("properties", row)
    if found.__class__ is str:
        found = parsed(found)
    if found.__class__ is not dict:
        found = _NONE
    of = found.get
    agent = (of("agentId") or of("id")) if "agentDisplayName" in found or "agentId" in found else None
    is_user = text(of("identityType")).lower() == "agentuser"
    keys = of("keyIds")
    category, resource, state, level, kind, name, user_name, address = (text(value, 512) for value in (
        row.get("category"), row.get("resourceId"), of("riskState"), of("riskLevel"),
        of("riskEventType") or of("riskType"),
        of("servicePrincipalDisplayName") or of("appDisplayName") or of("displayName") or of("agentDisplayName"),
        of("userPrincipalName"), of("ipAddress") or row.get("callerIpAddress"),
    ))  # fmt: skip
    tenant, app, principal, user_id, unique, key = (guid(text(value, 512)) for value in (
        row.get("tenantId") or of("homeTenantId"), of("appId"),
        of("servicePrincipalId") or (None if is_user else agent), of("userId") or (agent if is_user else None),
        of("id") if "riskEventType" not in found else "",
        keys[0] if keys.__class__ is list and keys else keys,
    ))  # fmt: skip
    if state.lower() in _DISMISSED or (level == "none" and state in ("none", "")):
        raise RejectError("closed", f"the risk's state is {state or 'none'}")
    home = tenant or microsoft.tenant_of(resource)
    if category == "RiskyUsers" or (user_name and not user_id and not app):
        identity = microsoft.user(home, user_id or unique, user_name)
    else:
        if category == "RiskyServicePrincipals" or "servicePrincipalType" in found:
            principal = principal or unique
        identity = microsoft.app(home, app, principal, name) or microsoft.user(home, user_id, user_name)
    if identity is None:
        raise RejectError("no_identity", "neither a user nor an app is told")
    severity = CRITICAL if state == "confirmedCompromised" else severity_of(level)
    links = tuple(f"{kind_}:{value}" for kind_, value in (("app", app), ("sp", principal)) if value)
    alert = Alert("EntraRisk", kind_of(kind or _RISKY), severity, identity, home, key, microsoft.host(address),
                  links=links)  # fmt: skip
    time = (of("activityDateTime") or of("detectedDateTime") or of("riskLastUpdatedDateTime")
            or of("lastUpdatedDateTime") or of("riskLastModifiedDateTime") or row.get("time"))  # fmt: skip
    is_state = not kind and of("id")
    return Told(alert, time, f"{text(of('id'), 200)}:{text(of('riskState'), 40)}" if is_state else of("id"))


_RENAMED = {
    "activityDatetime": "activityDateTime", "detectedDatetime": "detectedDateTime",
    "lastUpdatedDatetime": "lastUpdatedDateTime", "riskLastModifiedDatetime": "riskLastModifiedDateTime",
    "riskLastUpdatedDatetime": "riskLastUpdatedDateTime",
}  # fmt: skip


def entra_of_ecs(document: Row) -> Tree:
    """The record of the diagnostic settings out of Elastic's azure.identity_protection document."""
    part = at(document, "azure.identityprotection")
    found: Tree = microsoft.camel(part) if part.__class__ is dict else {}
    inner = found.get("properties")
    properties = {_RENAMED.get(k, k): v for k, v in inner.items()} if inner.__class__ is dict else {}
    more = {
        "time": at(document, "@timestamp"),
        "tenantId": at(document, "azure.tenant_id"),
        "resourceId": at(document, "azure.resource.id"),
        "callerIpAddress": at(document, "source.ip"),
    }
    return {**found, **{k: v for k, v in more.items() if v is not None}, "properties": properties}


# ---- ocsf
#
# OCSF's Detection and Security Findings (2004, 2001) of any product, as `nhi_watch.intake.schemas.ocsf` hands them on.
#
# Who: the user of the evidence, else of the finding; else the first resource or observable that says by itself whose it
# is (an ARN, a service account), since classes lose whom a product meant.


OURS = "nhi_watch"
"""Product of our own findings (`report.ocsf`)."""
_CLASSES = (2001, 2004)
_OVER = ("resolved", "suppressed", "archived", "deleted")
_OCSF_USERS = ("evidences.actor.user", "evidences.user", "actor.user", "user")
_OF_USER = ("type", "uid", "uid_alt", "name", "email_addr")
_CLOUDS = {"aws": "aws", "amazon": "aws", "gcp": "gcp", "google": "gcp", "azure": microsoft.ENTRA,
           "microsoft": microsoft.ENTRA}  # fmt: skip
_MOST = 20


def is_ocsf(row: Row) -> bool:
    """Whether a record is such a finding."""
    return row.get("class_uid") in _CLASSES and "metadata" in row


def ocsf(row: Row) -> Told:
    """The alert in a finding.

    Raises:
        RejectError: own_notable, closed, no_identity.
    """
    users = (at(row, path) for path in _OCSF_USERS)
    user = next((one for one in users if one.__class__ is dict and one), {})
    product, vendor, severity, status, cloud, account, region, address, kind, title = (text(value, 4096) for value in (
        at(row, "metadata.product.name"), at(row, "metadata.product.vendor_name"), row.get("severity"),
        row.get("status") or row.get("state"), at(row, "cloud.provider"),
        at(row, "cloud.account.uid") or at(row, "cloud.account_uid") or at(user, "account.uid"),
        at(row, "cloud.region"), at(row, "evidences.src_endpoint.ip") or at(row, "src_endpoint.ip"),
        first(*(at(row, f"{info}.types") for info in ("finding_info", "finding"))),
        first(at(row, "finding_info.analytic.name"), at(row, "finding_info.title"), at(row, "finding.title")),
    ))  # fmt: skip
    if product == OURS:
        raise RejectError("own_notable", "the finding is our own")
    if status.lower() in _OVER:
        raise RejectError("closed", f"the finding is {status[:20].lower()}")
    provider = _CLOUDS.get((cloud or vendor).lower().partition(" ")[0], "") or _word(vendor or product)
    actor = [text(user.get(name), 4096) for name in _OF_USER]
    identity = _ocsf_user(provider, account[:64], actor) or first_named(_named(row), account[:64])
    if identity is None:
        raise RejectError("no_identity", "the finding names no identity, only a resource or a machine")
    label = re.sub(r"\W+", "", product or vendor)[:40] or "OCSF"
    credential, session = credential_of(text(user.get("credential_uid"), 128))
    alert = Alert(label, kind_of(kind or title), severity_of(severity), identity, account[:64], credential,
                  address[:64], region[:64])  # fmt: skip
    times = ("finding_info.last_seen_time", "finding.last_seen_time", "time", "time_dt")
    time = next((value for value in (at(row, path) for path in times) if value), None)
    unique = first(at(row, "finding_info.uid"), at(row, "finding.uid"), at(row, "metadata.uid"))
    return Told(alert, time, unique, session, _called(row))


def _named(row: Row) -> list[str]:
    found = [*every(row, "resources.uid"), *every(row, "resources.name"), *every(row, "observables.value")]
    return [text(one, 256) for one in found[:_MOST] if one.__class__ is str and "\n" not in one]


def _called(row: Row) -> str:
    service, call = text(at(row, "evidences.api.service.name"), 64), text(at(row, "evidences.api.operation"), 64)
    return f"{service.partition('.')[0]}:{call}" if call else first(at(row, "resources.uid"))


def _word(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower())[:40].strip("_") or "ocsf"


def _ocsf_user(provider: str, account: str, actor: list[str]) -> Optional[Identity]:
    """Of the user: an AWS actor, a text that says whose it is, else a name within the product."""
    kind, uid, other, name, mail = actor
    if provider == "aws" and (uid or other or name):
        arn = uid if uid.startswith("arn:") else ""
        return aws(AwsActor(kind, other or ("" if arn else uid), name, account, arn))
    return first_named((uid, other, name), account) or by_name(provider, account, mail or name or uid)
