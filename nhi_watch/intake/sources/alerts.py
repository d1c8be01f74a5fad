"""Other products' alerts: each becomes an event of the identity that it names.

Read are GuardDuty's findings (API, CLI, EventBridge), Security Hub's (ASFF), risks of Entra ID Protection (users and
workload identities), and OCSF's Detection and Security Findings of any product (Google's Security Command Center,
Microsoft Defender). Alerts of a SIEM's own rules are none of them: they judge the records that are read here anyhow.

- The identity has the id that its own product's source gives it, where the alert tells what that takes. Otherwise it is
  an identity by name, and a link (its ARN, its application's id) joins it to the other.
- The action is `alert:Product/kind`, the kind as the product calls it (a finding type, a rule's name).
- The time is that of what was alerted about, where told. The record id is the alert's own, so updates of one alert
  count once a day; a finding that both GuardDuty and Security Hub tell counts once.
- A long-lived access key is the credential, a temporary one the session.

Traits: alert, and one of alert_low, alert_medium, alert_high, alert_critical.

Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock; no_identity (it names a machine or
a bucket, nobody), closed (its product or an analyst closed it), posture (about configuration), sample_finding,
own_notable (our own must not come back).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Optional, cast

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.identity import Actor, account_of, identify
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import OF_ELASTIC, Tree, at, dataset, every, inner, native, rebuild, renamed
from nhi_watch.intake.shapes.json import parsed
from nhi_watch.intake.shapes.microsoft import guid
from nhi_watch.intake.shapes.values import event, filled, first, google, listed, moment, text, true
from nhi_watch.intake.sources.kubernetes import actions as k8s

NAME = "alerts"
SPLUNK_SOURCETYPES = (
    "aws:cloudwatch:guardduty", "aws:securityhub:finding", "azure:aad:identity_protection:risk_detection",
    "azure:aad:identity_protection:risky_user",
)  # fmt: skip
ELASTIC_INDICES = ("logs-aws.guardduty-*", "logs-aws.securityhub_findings-*", "logs-azure.identity_protection-*")

Row = Mapping[str, Any]
_NONE: Row = {}
LOW, MEDIUM, HIGH, CRITICAL = "low", "medium", "high", "critical"
_LABELS = {
    "informational": LOW, "information": LOW, "info": LOW, "undefined": LOW, "none": LOW, "low": LOW,
    "medium": MEDIUM, "moderate": MEDIUM, "hidden": MEDIUM, "unknown": MEDIUM,
    "high": HIGH, "severe": HIGH, "critical": CRITICAL, "fatal": CRITICAL,
}  # fmt: skip
_BANDS = ((20.0, LOW), (40.0, LOW), (60.0, MEDIUM), (80.0, HIGH))
_UNSAFE = re.compile(r"[^\w:./!&()+-]+")


class Alert(NamedTuple):
    """All that the Event of an alert depends on, but time, record id, session and target."""

    product: str
    kind: str
    """The product's own name for the sort of alert: a finding type, a rule's name."""
    severity: str
    """low | medium | high | critical"""
    identity: Identity
    account: str
    credential: str = ""
    address: str = ""
    region: str = ""
    links: tuple[str, ...] = ()


Told = tuple[Alert, object, object, str, object]
"""The alert, its time, record id, session and target."""


@lru_cache(maxsize=4096)
def kind_of(name: str) -> str:
    """A rule's name as one word, bounded.

    >>> kind_of("Threat - AWS Key, odd use - Rule"), kind_of("Recon:IAMUser/TorIPCaller")
    ('Threat-AWS-Key-odd-use-Rule', 'Recon:IAMUser/TorIPCaller')
    """
    return re.sub(r"-{2,}", "-", _UNSAFE.sub("-", name[:200])).strip("-")[:100]


@lru_cache(maxsize=1024)
def severity_of(label: str, score: str = "") -> str:
    """The severity of a label, else of a score from 0 to 100; medium where neither tells.

    >>> severity_of("Informational"), severity_of("", "61.5"), severity_of("?", "x")
    ('low', 'high', 'medium')
    """
    found = _LABELS.get(label.strip().lower())
    if found is not None:
        return found
    try:
        number = float(score)
    except ValueError:
        return MEDIUM
    if number != number or number < 0:
        return MEDIUM
    return next((level for most, level in _BANDS if number <= most), CRITICAL)


# ---- who
#
# Whom an alert names: the same identity ids as the product's own source gives, as far as the alert tells them.
#
# An ARN without the unique id behind it gives an identity by name. Its name is the ARN, by which links join it to the
# identity that CloudTrail's records give.


_KEY = re.compile(r"AKIA[A-Z0-9]{12,124}")
_UNIQUE = re.compile(r"(AROA|AIDA)[A-Z0-9]{8,32}(?::(.*))?", re.DOTALL)
_NO_NAMES = frozenset({"", "unknown", "n/a", "none", "null", "-", "anonymous", "undefined", "not available"})


class AwsActor(NamedTuple):
    """How GuardDuty and Security Hub name who acted."""

    kind: str = ""
    """userType: IAMUser, AssumedRole, Role, Root, FederatedUser, AWSAccount, AWSService…"""
    principal: str = ""
    name: str = ""
    """Of the user or role, without path."""
    account: str = ""
    arn: str = ""


@lru_cache(maxsize=4096)
def aws(told: AwsActor) -> Optional[Identity]:
    """The identity of an AWS actor; None where nothing is told.

    >>> aws(AwsActor("AssumedRole", "AROAEXAMPLE:i-1", "app", "111111111111")).id
    'aws:111111111111:role:AROAEXAMPLE'
    >>> aws(AwsActor("IAMUser", "AIDAEXAMPLE", "ci", "111111111111")).name
    'arn:aws:iam::111111111111:user/ci'
    """
    if not (told.principal or told.name or told.arn or told.kind == "Root"):
        return None
    unique, _, session = told.principal.partition(":")
    if told.kind in ("AssumedRole", "Role") or unique.startswith("AROA"):
        arn = told.arn or _arn(told.account, "role", told.name)
        issued = unique if unique.startswith("AROA") else ""
        actor = Actor("AssumedRole", told.principal, _of_session(arn, session), told.account, issuer_id=issued,
                      issuer_arn=arn if ":role/" in arn else "")  # fmt: skip
        return identify(actor)
    if told.kind == "IAMUser" or unique.startswith("AIDA"):
        arn = told.arn or _arn(told.account, "user", told.name)
        return identify(Actor("IAMUser", unique, arn, told.account, told.name))
    return identify(Actor(told.kind, told.principal, told.arn, told.account, told.name, recipient=told.account))


def _arn(account: str, kind: str, name: str) -> str:
    return f"arn:aws:iam::{account}:{kind}/{name}" if account and name else ""


def _of_session(arn: str, session: str) -> str:
    """The ARN of a role's session, from which `identify` takes the person behind an SSO role."""
    if not session or ":role/" not in arn:
        return arn
    return f"{arn.partition(':role/')[0].replace(':iam:', ':sts:')}:assumed-role/{arn.rpartition('/')[2]}/{session}"


@lru_cache(maxsize=4096)
def named(told: str, account: str = "") -> Optional[Identity]:
    """The identity in a text that says by itself whose it is: an ARN, a unique id of AWS, a principal of a cloud.

    >>> named("arn:aws:sts::111111111111:assumed-role/app/i-1").id
    'aws:111111111111:role:app'
    >>> named("build@shop.iam.gserviceaccount.com").kind, named("ann")
    ('service_account', None)
    """
    told = told.strip()[:512]
    if told.startswith("arn:"):
        return _by_arn(told)
    unique = _UNIQUE.fullmatch(told)
    if unique:
        return aws(AwsActor("AssumedRole" if unique[1] == "AROA" else "IAMUser", told, "", account))
    if told.endswith("gserviceaccount.com") or told.startswith(("serviceAccount:", "principal://", "principalSet://")):
        return google(told, account)
    if told.startswith("system:serviceaccount:"):
        return k8s.identify(told)
    return None


def _by_arn(told: str) -> Optional[Identity]:
    account = account_of(told)
    if ":assumed-role/" in told:
        return identify(Actor("AssumedRole", arn=told))
    if ":role/" in told:
        return identify(Actor("AssumedRole", issuer_arn=told, arn=told))
    if ":user/" in told:
        return identify(Actor("IAMUser", arn=told))
    return identify(Actor("Root", arn=told, account=account)) if told.endswith(":root") else None


def first_named(texts: Iterable[str], account: str = "") -> Optional[Identity]:
    """The identity in the first text that says whose it is."""
    return next((found for found in (named(told, account) for told in texts if told) if found), None)


def by_name(provider: str, account: str, name: str) -> Optional[Identity]:
    """The identity of a bare name within a product; None where the name is none.

    >>> by_name("okta", "", "Ci@example.com").id, by_name("okta", "", "unknown")
    ('okta::name:ci@example.com', None)
    """
    told = name.strip()[:256]
    if told.lower() in _NO_NAMES:
        return None
    if provider == microsoft.ENTRA:
        return microsoft.user(account, "", told)
    if provider == "gcp" and "@" in told:
        return google(told, account)
    if provider == "aws":
        return aws(AwsActor("IAMUser", "", told, account))
    if provider == k8s.PROVIDER:
        return k8s.identify(told)
    return Identity(f"{provider}:{account}:name:{told.lower()}"[:512], told, "user", provider, account, "")


def key_of(key: str) -> tuple[str, str]:
    """Credential (of a long-lived access key) and session (of a temporary one).

    >>> key_of("ASIA-1"), key_of("AKIAIOSFODNN7EXAMPLE"), key_of("x")
    (('', 'ASIA-1'), ('AKIAIOSFODNN7EXAMPLE', ''), ('', ''))
    """
    return ("", key[:128]) if key[:4] == "ASIA" else (key if _KEY.fullmatch(key) else "", "")


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
    return alert, time, found.get("arn") or found.get("id"), session, _touched_by(resource, call)


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
_HUB = "aws.securityhub_findings"
_CALL_OF_HUB = f"{_HUB}.action.aws_api_call"
_SECURITYHUB = {
    "Id": f"{_HUB}.id", "AwsAccountId": (f"{_HUB}.aws_account_id", "cloud.account.id"), "Title": f"{_HUB}.title",
    "UpdatedAt": f"{_HUB}.updated_at", "CreatedAt": f"{_HUB}.created_at", "Severity": f"{_HUB}.severity",
    "LastObservedAt": f"{_HUB}.last_observed_at", "Types": f"{_HUB}.types", "ProductName": f"{_HUB}.product.name",
    "ProductArn": f"{_HUB}.product.arn", "GeneratorId": f"{_HUB}.generator.id", "Region": f"{_HUB}.region",
    "RecordState": f"{_HUB}.record_state", "Workflow.Status": f"{_HUB}.workflow.status", "Sample": f"{_HUB}.sample",
    "Resources": f"{_HUB}.resources", "Network.SourceIpV4": "source.ip",
    "Action.AwsApiCallAction.Api": f"{_CALL_OF_HUB}.api",
    "Action.AwsApiCallAction.ServiceName": f"{_CALL_OF_HUB}.service.name",
    "Action.AwsApiCallAction.RemoteIpDetails.IpAddressV4": f"{_CALL_OF_HUB}.remote_ip.ip.address_v4",
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
    return alert, of("LastObservedAt") or of("UpdatedAt") or of("CreatedAt"), of("Id"), session, target


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
    unique = of("id") if kind or not of("id") else f"{text(of('id'), 200)}:{text(of('riskState'), 40)}"
    return alert, time, unique, "", ""


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
    credential, session = key_of(text(user.get("credential_uid"), 128))
    alert = Alert(label, kind_of(kind or title), severity_of(severity), identity, account[:64], credential,
                  address[:64], region[:64])  # fmt: skip
    times = ("finding_info.last_seen_time", "finding.last_seen_time", "time", "time_dt")
    time = next((value for value in (at(row, path) for path in times) if value), None)
    unique = first(at(row, "finding_info.uid"), at(row, "finding.uid"), at(row, "metadata.uid"))
    return alert, time, unique, session, _called(row)


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


# ---- alerts


_PRODUCTS: tuple[tuple[Callable[[Row], bool], Callable[[Row], Told]], ...] = (
    (is_guardduty, guardduty), (is_securityhub, securityhub), (is_entra, entra), (is_ocsf, ocsf),
)  # fmt: skip
"""Of each product whether an alert is its, and how it is read."""
_ECS: dict[str, Callable[[Tree], Tree]] = {
    "aws.guardduty": guardduty_of_ecs, "aws.securityhub_findings": securityhub_of_ecs,
    "azure.identity_protection": entra_of_ecs,
}  # fmt: skip
_RAW = (
    (":guardduty:", "/finding/", 'chemaVersion"'), ('"ProductArn"', '"GeneratorId"'), ('"riskState"', '"riskLevel"'),
)  # fmt: skip
_FIELD_MARKS = (
    {"service.serviceName", "resource.resourceType", "arn"},
    {"detail.service.serviceName", "detail.resource.resourceType"},
    {"detail.findings{}.ProductArn", "detail.findings{}.GeneratorId"},
)
"""Names of Splunk's extracted fields, all of which tell that a row is of one of the products."""


def claims(record: object) -> bool:
    """Whether the record is another product's alert, in any of its shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Row, record)
    raw = row.get("_raw")
    if raw.__class__ is str:
        return any(all(mark in raw for mark in marks) for marks in _RAW)
    if any(claimed(row) for claimed, _ in _PRODUCTS):
        return True
    if OF_ELASTIC.isdisjoint(row):
        return any(marks <= row.keys() for marks in _FIELD_MARKS)
    return dataset(row) in _ECS


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    row, is_ecs = native(record)
    made = _ECS.get(dataset(row)) if is_ecs else None
    row = made(row) if made else row
    reader = next((told for claimed, told in _PRODUCTS if claimed(row)), None)
    if reader is None:
        raise RejectError("no_action", "no alert of a product that is known")
    alert, time, record_id, session, touched = reader(row)
    if not alert.kind:
        raise RejectError("no_action", "the alert has neither type nor rule")
    target = text(touched, 200)
    return filled(_event(alert), moment(time), text(record_id, 256), session, target, target)


@lru_cache(maxsize=4096)
def _event(alert: Alert) -> Event:
    """The Event of an alert, without what differs from record to record."""
    return event(
        0, alert.identity, f"alert:{alert.product}/{alert.kind}", account=alert.account, credential=alert.credential,
        credential_type="key" if alert.credential else "none", address=alert.address, region=alert.region,
        traits=("alert", f"alert_{alert.severity}"), links=alert.links,
    )  # fmt: skip
