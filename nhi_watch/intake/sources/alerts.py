"""Other products' alerts: each becomes an event of the identity that it names.

Read are GuardDuty's findings (API, CLI, EventBridge), Security Hub's (ASFF), risks of Entra ID Protection (users and
workload identities), and OCSF's Detection and Security Findings of any product (Google's Security Command Center,
Microsoft Defender). Alerts of a SIEM's own rules are none of them: they rate records that are read anyway.

- The identity has the id that its own product's source gives it, where the alert says what that takes. Otherwise it is
  an identity by name, and a link (its ARN, its application's id) joins it to the other.
- The action is `alert:Product/kind`, the kind as the product calls it (a finding type, a rule's name).
- The time is that of what was alerted about, where given. The record id is the alert's own, so updates of one alert
  count once a day; a finding of both GuardDuty and Security Hub counts once.
- A long-lived access key is the credential, a temporary one the session.

Traits: alert, and one of alert_low, alert_medium, alert_high, alert_critical.

Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock; no_identity (it names a machine or
a bucket, nobody), closed (its product or an analyst closed it), posture (about configuration), sample_finding,
own_notable (our own must not come back).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Optional, cast

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.identity import Actor, account_of, identify
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import OF_ELASTIC, Tree, at, dataset, every, inner, native, part, rebuild, renamed
from nhi_watch.intake.shapes.json import parsed
from nhi_watch.intake.shapes.microsoft import guid
from nhi_watch.intake.shapes.values import build_event, filled, google, listed, moment, text
from nhi_watch.intake.sources.kubernetes import actions as k8s

NAME = "alerts"
SPLUNK_SOURCETYPES = (
    "aws:cloudwatch:guardduty",
    "aws:securityhub:finding",
    "azure:aad:identity_protection:risk_detection",
    "azure:aad:identity_protection:risky_user",
)
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


AlertDetails = tuple[Alert, object, object, str, object]
"""The alert, its time, record id, session and target."""


@remembered(4096)
def kind_of(name: str) -> str:
    """A rule's name as one word, bounded.

    >>> kind_of("Threat - AWS Key, odd use - Rule"), kind_of("Recon:IAMUser/TorIPCaller")
    ('Threat-AWS-Key-odd-use-Rule', 'Recon:IAMUser/TorIPCaller')
    """
    return re.sub(r"-{2,}", "-", _UNSAFE.sub("-", name[:200])).strip("-")[:100]


@remembered(1024)
def severity_of(label: str, score: str = "") -> str:
    """The severity of a label, else of a score from 0 to 100; medium where there is neither.

    >>> severity_of("Informational"), severity_of("", "61.5"), severity_of("?", "x")
    ('low', 'high', 'medium')
    """
    severity = _LABELS.get(label.strip().lower())
    if severity is not None:
        return severity
    try:
        number = float(score)
    except ValueError:
        return MEDIUM
    if number != number or number < 0:
        return MEDIUM
    return next((level for most, level in _BANDS if number <= most), CRITICAL)


# ---- who
#
# Whom an alert names: the same identity ids as the product's own source gives, as far as the alert names them.
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


@remembered(4096)
def aws(names: AwsActor) -> Optional[Identity]:
    """The identity of an AWS actor; None where nothing is given.

    >>> aws(AwsActor("AssumedRole", "AROAEXAMPLE:i-1", "app", "111111111111")).id
    'aws:111111111111:role:AROAEXAMPLE'
    >>> aws(AwsActor("IAMUser", "AIDAEXAMPLE", "ci", "111111111111")).name
    'arn:aws:iam::111111111111:user/ci'
    """
    if not (names.principal or names.name or names.arn or names.kind == "Root"):
        return None
    unique, _, session = names.principal.partition(":")
    if names.kind in ("AssumedRole", "Role") or unique.startswith("AROA"):
        arn = names.arn or _arn(names.account, "role", names.name)
        issued = unique if unique.startswith("AROA") else ""
        actor = Actor(
            "AssumedRole",
            names.principal,
            _of_session(arn, session),
            names.account,
            issuer_id=issued,
            issuer_arn=arn if ":role/" in arn else "",
        )
        return identify(actor)
    if names.kind == "IAMUser" or unique.startswith("AIDA"):
        arn = names.arn or _arn(names.account, "user", names.name)
        return identify(Actor("IAMUser", unique, arn, names.account, names.name))
    return identify(Actor(names.kind, names.principal, names.arn, names.account, names.name, recipient=names.account))


def _arn(account: str, kind: str, name: str) -> str:
    return f"arn:aws:iam::{account}:{kind}/{name}" if account and name else ""


def _of_session(arn: str, session: str) -> str:
    """The ARN of a role's session, from which `identify` takes the person behind an SSO role."""
    if not session or ":role/" not in arn:
        return arn
    return f"{arn.partition(':role/')[0].replace(':iam:', ':sts:')}:assumed-role/{arn.rpartition('/')[2]}/{session}"


@remembered(4096)
def named(name: str, account: str = "") -> Optional[Identity]:
    """The identity in a text that says by itself whose it is: an ARN, a unique id of AWS, a principal of a cloud.

    >>> named("arn:aws:sts::111111111111:assumed-role/app/i-1").id
    'aws:111111111111:role:app'
    >>> named("build@shop.iam.gserviceaccount.com").kind, named("ann")
    ('service_account', None)
    """
    name = name.strip()[:512]
    if name.startswith("arn:"):
        return _by_arn(name)
    unique = _UNIQUE.fullmatch(name)
    if unique:
        return aws(AwsActor("AssumedRole" if unique[1] == "AROA" else "IAMUser", name, "", account))
    if name.endswith("gserviceaccount.com") or name.startswith(("serviceAccount:", "principal://", "principalSet://")):
        return google(name, account)
    if name.startswith("system:serviceaccount:"):
        return k8s.identify(name)
    return None


def _by_arn(arn: str) -> Optional[Identity]:
    account = account_of(arn)
    if ":assumed-role/" in arn:
        return identify(Actor("AssumedRole", arn=arn))
    if ":role/" in arn:
        return identify(Actor("AssumedRole", issuer_arn=arn, arn=arn))
    if ":user/" in arn:
        return identify(Actor("IAMUser", arn=arn))
    return identify(Actor("Root", arn=arn, account=account)) if arn.endswith(":root") else None


def first_named(texts: Iterable[str], account: str = "") -> Optional[Identity]:
    """The identity in the first text that says whose it is."""
    return next((identity for identity in (named(content, account) for content in texts if content) if identity), None)


def by_name(provider: str, account: str, name: str) -> Optional[Identity]:
    """The identity of a bare name within a product; None where the name is none.

    >>> by_name("okta", "", "Ci@example.com").id, by_name("okta", "", "unknown")
    ('okta::name:ci@example.com', None)
    """
    plain_name = name.strip()[:256]
    if plain_name.lower() in _NO_NAMES:
        return None
    if provider == microsoft.ENTRA:
        return microsoft.user(account, "", plain_name)
    if provider == "gcp" and "@" in plain_name:
        return google(plain_name, account)
    if provider == "aws":
        return aws(AwsActor("IAMUser", "", plain_name, account))
    if provider == k8s.PROVIDER:
        return k8s.identify(plain_name)
    return Identity(f"{provider}:{account}:name:{plain_name.lower()}"[:512], plain_name, "user", provider, account, "")


def key_of(key: str) -> tuple[str, str]:
    """Credential (of a long-lived access key) and session (of a temporary one).

    >>> key_of("ASIA-1"), key_of("AKIAIOSFODNN7EXAMPLE"), key_of("x")
    (('', 'ASIA-1'), ('AKIAIOSFODNN7EXAMPLE', ''), ('', ''))
    """
    return ("", key[:128]) if key[:4] == "ASIA" else (key if _KEY.fullmatch(key) else "", "")


# ---- what is read, by a table for each product


def _values(row: Row, table: Mapping[str, str]) -> dict[str, str]:
    """Of each name the first value that is given at one of its paths, as text."""
    return {
        name: text(next(filter(None, (_single(at(row, path)) for path in paths.split())), ""), 4096)
        for name, paths in table.items()
    }


def _single(value: object) -> object:
    return value[0] if isinstance(value, list) and value else value


def _details(
    product: str,
    kind: str,
    severity: str,
    identity: Optional[Identity],
    fields: Mapping[str, str],
    target: object,
    links: tuple[str, ...] = (),
) -> AlertDetails:
    """The alert, of what all tables name alike.

    Raises:
        RejectError: no_identity.
    """
    if identity is None or identity.kind == "anonymous":
        raise RejectError("no_identity", "it names no identity, only a resource or a machine")
    credential, session = key_of(fields["key"])
    alert = Alert(
        product,
        kind_of(kind),
        severity,
        identity,
        fields["account"][:64],
        credential,
        fields["address"][:64],
        fields["region"][:64],
        links,
    )
    return alert, fields["time"], fields["id"], session, target


def _refuse(reasons: Mapping[tuple[str, str], object]) -> None:
    for (reason, words), holds in reasons.items():
        if holds:
            raise RejectError(reason, words)


_SAMPLE = "sample_finding", "the finding is a sample"
_CLOSED = "closed", "it is archived, resolved or dismissed"


def _called(service: str, api: str) -> str:
    return f"{service[:64].partition('.')[0]}:{api[:64]}" if api else ""


# ---- guardduty
#
# GuardDuty's findings: as the API and EventBridge give them, as the CLI does, and as Elastic keeps them.
#
# Severities: docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html (critical from 9, high from 7,
# medium from 4).


_CALLS = ("awsApiCallAction", "kubernetesApiCallAction", "rdsLoginAttemptAction", "networkConnectionAction")
_KEY_OF, _USER_OF = "resource.accessKeyDetails", "resource.kubernetesDetails.kubernetesUserDetails"
_SEQUENCE = "service.detection.sequence"
"""Of an attack sequence the first actor and the first address are read."""
_GUARDDUTY = {
    "kind": "type", "level": "severity", "account": "accountId", "region": "region", "id": "arn id",
    "time": "service.eventLastSeen updatedAt createdAt", "sample": "service.additionalInfo.sample",
    "archived": "service.archived", "type": f"{_KEY_OF}.userType", "principal": f"{_KEY_OF}.principalId",
    "name": f"{_KEY_OF}.userName", "role": "resource.lambdaDetails.role",
    "key": f"{_KEY_OF}.accessKeyId {_SEQUENCE}.actors.user.credentialUid", "user": f"{_USER_OF}.username",
    "uid": f"{_USER_OF}.uid", "actor_type": f"{_SEQUENCE}.actors.user.type", "actor": f"{_SEQUENCE}.actors.user.uid",
    "actor_name": f"{_SEQUENCE}.actors.user.name", "actor_account": f"{_SEQUENCE}.actors.user.account.uid",
    "address": " ".join((*(f"service.action.{call}.remoteIpDetails.ipAddressV{version}" for version in "46"
                           for call in _CALLS), f"{_SEQUENCE}.endpoints.ip")),
    "service": " ".join(f"service.action.{call}.serviceName" for call in _CALLS),
    "api": " ".join(f"service.action.{call}.api" for call in _CALLS),
    "touched": " ".join((
        *(f"service.action.{call}.affectedResources.AWS::{kind}" for kind in
          ("S3::Bucket", "IAM::Role", "IAM::User", "CloudTrail::Trail") for call in _CALLS),
        *(f"resource.{part}.{key}" for part in ("s3BucketDetails", "eksClusterDetails", "lambdaDetails",
                                                "instanceDetails", "rdsDbInstanceDetails")
          for key in ("arn", "name", "functionArn", "instanceId", "dbInstanceArn")),
    )),
}  # fmt: skip


def is_guardduty(row: Row) -> bool:
    """Whether a record is a finding of GuardDuty, with names in either case, bare or in an event of EventBridge."""
    if row.get("source") == "aws.guardduty" and row.get("detail").__class__ is dict:
        return True
    arn = row.get("arn") or row.get("Arn")
    return arn.__class__ is str and ":guardduty:" in arn and "/finding/" in arn


def guardduty(row: Row) -> AlertDetails:
    """The alert in a finding.

    Raises:
        RejectError: sample_finding, closed, no_identity.
    """
    detail: Row = row["detail"] if row.get("detail").__class__ is dict else row
    fields = _values(renamed(detail, _lowered) if "Arn" in detail and "arn" not in detail else detail, _GUARDDUTY)
    _refuse({_SAMPLE: fields["sample"] == "true", _CLOSED: fields["archived"] == "true"})
    account = fields["account"]
    identity = aws(AwsActor(fields["type"], fields["principal"], fields["name"], account))
    if identity is None and k8s.is_kubernetes(fields["user"]):
        identity = k8s.identify(fields["user"], fields["uid"], address=fields["address"])
    identity = identity or (named(fields["role"], account) if fields["role"] else None)
    actor = AwsActor(fields["actor_type"], fields["actor"], fields["actor_name"], fields["actor_account"] or account)
    touched = fields["touched"] or _called(fields["service"], fields["api"])
    return _details(
        "GuardDuty", fields["kind"], _level_of_number(fields["level"]), identity or aws(actor), fields, touched
    )


def _level_of_number(level: str) -> str:
    """The severity of GuardDuty's number, or of Security Hub's copy of it."""
    try:
        number = float(level)
    except ValueError:
        return severity_of(level)
    return CRITICAL if number >= 9 else HIGH if number >= 7 else MEDIUM if number >= 4 else LOW


def _lowered(name: str) -> str:
    """A name with a small first letter, as the API's own JSON has it; the CLI and boto3 write large ones."""
    return name if ":" in name else name[:1].lower() + name[1:]


_STEPS = {"vpcid": "vpcId", "accesskey_id": "accessKeyId", "user_name": "username"}
_STEP = re.compile(r"_([a-z0-9])")


def guardduty_of_ecs(document: Row) -> Tree:
    """The native finding out of Elastic's aws.guardduty document."""
    tree: Tree = renamed(part(document, "aws.guardduty"), lambda name: _STEPS.get(name) or _STEP.sub(_large, name))
    resource, service = inner(tree, "resource"), inner(tree, "service")
    key, level = inner(resource, "accessKeyDetails"), tree.get("severity")
    who = {"userName": at(key, "user.name"), "userType": at(key, "user.type")}
    return {
        **tree,
        "severity": level.get("code") if level.__class__ is dict else level,
        "resource": {**resource, **({"accessKeyDetails": {**key, **who}} if key else {})},
        "service": {**service, "eventLastSeen": at(service, "event.lastSeen")},
    }


def _large(match: re.Match[str]) -> str:
    return match[1].upper()


# ---- securityhub
#
# Security Hub's findings in its own format (ASFF), of AWS's products and others.
#
# - A finding that GuardDuty sends itself and Security Hub passes on has one record id (GuardDuty's ARN of it), one
#   product and one kind, so it counts once.
# - Findings about configuration (`Software and Configuration Checks`) say what could happen, not what was done.


_RESOLVED = ("RESOLVED", "SUPPRESSED")
_OF_GUARDDUTY = re.compile(r"([A-Za-z]+:[A-Za-z0-9]+)-(.+)")
"""`Recon:IAMUser-TorIPCaller`: ASFF keeps `/` for its own levels."""
_IDENTITIES = ("AwsIamAccessKey", "AwsIamUser", "AwsIamRole")
_KEY_PREFIX = "AWS::IAM::AccessKey:"
_API = "Action.AwsApiCallAction"
_PASSED_ON = "aws/guardduty/service/action/awsApiCallAction/"
"""What GuardDuty said of a call, and Security Hub passed on among the product's own fields."""
_ASFF = {
    "kind": "Types", "account": "AwsAccountId", "region": "Region", "arn": "ProductArn", "product": "ProductName",
    "title": "Title", "time": "LastObservedAt UpdatedAt CreatedAt", "id": "Id", "sample": "Sample",
    "state": "RecordState", "workflow": "Workflow.Status", "label": "Severity.Label Severity.label",
    "points": "Severity.Normalized Severity.normalized", "api": f"{_API}.Api ProductFields.{_PASSED_ON}api",
    "service": f"{_API}.ServiceName ProductFields.{_PASSED_ON}serviceName",
    "address": f"{_API}.RemoteIpDetails.IpAddressV4 Action.NetworkConnectionAction.RemoteIpDetails.IpAddressV4 "
               f"Network.SourceIpV4 Network.SourceIpV6 ProductFields.{_PASSED_ON}remoteIpDetails/ipAddressV4",
}  # fmt: skip
_ISSUER = "SessionContext.SessionIssuer"
_ASFF_ACTOR = {
    "key": "AccessKeyId",
    "type": "PrincipalType",
    "principal": f"PrincipalId {_ISSUER}.PrincipalId",
    "name": f"{_ISSUER}.UserName PrincipalName UserName",
    "account": "AccountId",
    "arn": f"{_ISSUER}.Arn",
    "unique": "UserId RoleId",
}
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


def securityhub(row: Row) -> AlertDetails:
    """The alert in a finding; of an event with several findings, in the first.

    Raises:
        RejectError: sample_finding, closed, posture, no_identity.
    """
    finding: Row = row
    if row.get("detail").__class__ is dict:
        finding = next((item for item in listed(row["detail"].get("findings")) if item.__class__ is dict), _NONE)
    fields = _values(finding, _ASFF)
    is_over = fields["state"].upper() == "ARCHIVED" or fields["workflow"].upper() in _RESOLVED
    about = "posture", "the finding is about configuration, not about an act"
    _refuse(
        {
            _SAMPLE: fields["sample"] == "true",
            _CLOSED: is_over,
            about: fields["kind"].startswith("Software and Configuration Checks"),
        }
    )
    resources = [resource for resource in listed(finding.get("Resources")) if resource.__class__ is dict]
    sort, who = next(((sort, resource) for resource in resources if (sort := _sort_of(resource))), ("", _NONE))
    actor, fields["key"] = _actor(sort, who, fields["account"])
    touched = (text(resource.get("Id"), 200) for resource in resources if resource.get("Type") not in _IDENTITIES)
    target = next(filter(None, touched), "") or _called(fields["service"], fields["api"])
    severity = severity_of(fields["label"], fields["points"])
    return _details(
        *_kind(fields["arn"], fields["product"], fields["kind"], fields["title"]),
        severity,
        aws(actor) if sort else None,
        fields,
        target,
    )


def _actor(sort: str, resource: Row, account: str) -> tuple[AwsActor, str]:
    """The actor that a resource is, and its access key's id."""
    fields, unique = _values(inner(inner(resource, "Details"), sort), _ASFF_ACTOR), text(resource.get("Id"))
    if sort == "AwsIamAccessKey":
        actor = AwsActor(
            fields["type"], fields["principal"], fields["name"], fields["account"] or account, fields["arn"]
        )
        return actor, fields["key"] or unique.removeprefix(_KEY_PREFIX)
    return AwsActor("IAMUser" if sort == "AwsIamUser" else "Role", fields["unique"], "", account, unique), ""


def _kind(arn: str, name: str, kind: str, title: str) -> tuple[str, str]:
    """Product and kind; GuardDuty's as GuardDuty spells them."""
    if arn.endswith("/aws/guardduty"):
        return "GuardDuty", _OF_GUARDDUTY.sub(r"\1/\2", kind.rpartition("/")[2])
    return re.sub(r"\W+", "", name)[:40] or "SecurityHub", kind if kind.count("/") > 1 else title or kind


def _sort_of(resource: Row) -> str:
    """What sort of identity a resource is, by its details (extracted fields mix the types up); "" for none."""
    kinds = (*inner(resource, "Details"), resource.get("Type"))
    return next((kind for kind in kinds if kind in _IDENTITIES), "")


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


CATEGORIES = (
    "UserRiskEvents",
    "RiskyUsers",
    "ServicePrincipalRiskEvents",
    "RiskyServicePrincipals",
    "AgentRiskEvents",
    "RiskyAgents",
)
_DISMISSED = ("dismissed", "remediated", "confirmedsafe")
_ENTRA = {
    "category": "category", "resource": "resourceId", "state": "properties.riskState", "level": "properties.riskLevel",
    "kind": "properties.riskEventType properties.riskType", "user_name": "properties.userPrincipalName",
    "name": "properties.servicePrincipalDisplayName properties.appDisplayName properties.displayName "
            "properties.agentDisplayName",
    "address": "properties.ipAddress callerIpAddress", "tenant": "tenantId properties.homeTenantId",
    "app": "properties.appId", "principal": "properties.servicePrincipalId", "user": "properties.userId",
    "agent": "properties.agentId", "id": "properties.id", "key": "properties.keyIds",
    "sort": "properties.identityType", "agent_name": "properties.agentDisplayName",
    "time": "properties.activityDateTime properties.detectedDateTime properties.riskLastUpdatedDateTime "
            "properties.lastUpdatedDateTime properties.riskLastModifiedDateTime time",
}  # fmt: skip
_RISKY = "risky"
"""The kind of a record that says that a principal is at risk, but not why."""


def is_entra(row: Row) -> bool:
    """Whether a record is a risk of Entra ID Protection, with or without the frame of diagnostic settings."""
    category = row.get("category")
    if category.__class__ is str and category in CATEGORIES:
        return True
    inside = row.get("properties", row)
    if inside.__class__ is not dict or "riskLevel" not in inside or "riskState" not in inside:
        return "properties.riskLevel" in row and "properties.riskState" in row
    return any(name in inside for name in ("riskEventType", "riskLastUpdatedDateTime", "riskLastModifiedDateTime"))


def entra(row: Row) -> AlertDetails:
    """The alert in a risk.

    Raises:
        RejectError: closed, no_identity.
    """
    properties = row.get("properties", row)
    properties = parsed(properties) if properties.__class__ is str else properties
    properties = properties if properties.__class__ is dict else _NONE
    fields = _values({**row, "properties": properties}, _ENTRA)
    _refuse(
        {
            _CLOSED: fields["state"].lower() in _DISMISSED
            or (fields["level"] == "none" and fields["state"] in ("none", ""))
        }
    )
    app, principal, user, agent, unique = (guid(fields[name]) for name in ("app", "principal", "user", "agent", "id"))
    if fields["agent"] or fields["agent_name"]:
        agent = agent or unique
        principal, user = (
            (principal, user or agent) if fields["sort"].lower() == "agentuser" else (principal or agent, user)
        )
    unique = "" if "riskEventType" in properties else unique
    tenant = guid(fields["tenant"]) or microsoft.tenant_of(fields["resource"])
    if fields["category"] == "RiskyUsers" or (fields["user_name"] and not user and not app):
        identity = microsoft.user(tenant, user or unique, fields["user_name"])
    else:
        if fields["category"] == "RiskyServicePrincipals" or "servicePrincipalType" in properties:
            principal = principal or unique
        identity = microsoft.app(tenant, app, principal, fields["name"]) or microsoft.user(
            tenant, user, fields["user_name"]
        )
    severity = CRITICAL if fields["state"] == "confirmedCompromised" else severity_of(fields["level"])
    links = tuple(f"{kind}:{value}" for kind, value in (("app", app), ("sp", principal)) if value)
    if not fields["kind"] and fields["id"]:
        fields["id"] = f"{fields['id'][:200]}:{fields['state'][:40]}"
    key = guid(fields["key"])
    fields.update(account=tenant, address=microsoft.host(fields["address"]), region="", key="")
    alert, time, record_id, _, _ = _details(
        "EntraRisk", fields["kind"] or _RISKY, severity, identity, fields, "", links
    )
    return alert._replace(credential=key), time, record_id, "", ""


_RENAMED = {
    "activityDatetime": "activityDateTime",
    "detectedDatetime": "detectedDateTime",
    "lastUpdatedDatetime": "lastUpdatedDateTime",
    "riskLastModifiedDatetime": "riskLastModifiedDateTime",
    "riskLastUpdatedDatetime": "riskLastUpdatedDateTime",
}


def entra_of_ecs(document: Row) -> Tree:
    """The record of the diagnostic settings out of Elastic's azure.identity_protection document."""
    protection = at(document, "azure.identityprotection")
    camel: Tree = microsoft.camel(protection) if protection.__class__ is dict else {}
    nested = camel.get("properties")
    properties = {_RENAMED.get(k, k): v for k, v in nested.items()} if nested.__class__ is dict else {}
    more = {
        "time": at(document, "@timestamp"),
        "tenantId": at(document, "azure.tenant_id"),
        "resourceId": at(document, "azure.resource.id"),
        "callerIpAddress": at(document, "source.ip"),
    }
    return {**camel, **{k: v for k, v in more.items() if v is not None}, "properties": properties}


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
_OCSF_USER = {
    "type": "type",
    "uid": "uid",
    "other": "uid_alt",
    "name": "name",
    "mail": "email_addr",
    "account": "account.uid",
    "key": "credential_uid",
}
_OCSF = {
    "product": "metadata.product.name", "vendor": "metadata.product.vendor_name", "severity": "severity",
    "status": "status state", "cloud": "cloud.provider", "account": "cloud.account.uid cloud.account_uid",
    "region": "cloud.region", "address": "evidences.src_endpoint.ip src_endpoint.ip",
    "kind": "finding_info.types finding.types", "id": "finding_info.uid finding.uid metadata.uid",
    "title": "finding_info.analytic.name finding_info.title finding.title", "resource": "resources.uid",
    "time": "finding_info.last_seen_time finding.last_seen_time time time_dt",
    "service": "evidences.api.service.name", "api": "evidences.api.operation",
}  # fmt: skip
_CLOUDS = {
    "aws": "aws",
    "amazon": "aws",
    "gcp": "gcp",
    "google": "gcp",
    "azure": microsoft.ENTRA,
    "microsoft": microsoft.ENTRA,
}
_MOST = 20


def is_ocsf(row: Row) -> bool:
    """Whether a record is such a finding."""
    return row.get("class_uid") in _CLASSES and "metadata" in row


def ocsf(row: Row) -> AlertDetails:
    """The alert in a finding.

    Raises:
        RejectError: own_notable, closed, no_identity.
    """
    users = (at(row, path) for path in _OCSF_USERS)
    user = _values(next((user for user in users if user.__class__ is dict and user), _NONE), _OCSF_USER)
    fields = _values(row, _OCSF)
    ours = "own_notable", "nhi wrote this finding itself"
    _refuse({ours: fields["product"] == OURS, _CLOSED: fields["status"].lower() in _OVER})
    fields.update(account=(fields["account"] or user["account"])[:64], key=user["key"][:128])
    vendor = fields["vendor"] or fields["product"]
    provider = _CLOUDS.get((fields["cloud"] or fields["vendor"]).lower().partition(" ")[0], "") or _word(vendor)
    identity = _ocsf_user(provider, fields["account"], user) or first_named(_named(row), fields["account"])
    label = re.sub(r"\W+", "", fields["product"] or vendor)[:40] or "OCSF"
    target = _called(fields["service"], fields["api"]) or fields["resource"]
    return _details(label, fields["kind"] or fields["title"], severity_of(fields["severity"]), identity, fields, target)


def _named(row: Row) -> list[str]:
    values = [*every(row, "resources.uid"), *every(row, "resources.name"), *every(row, "observables.value")]
    return [text(value, 256) for value in values[:_MOST] if value.__class__ is str and "\n" not in value]


def _word(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower())[:40].strip("_") or "ocsf"


def _ocsf_user(provider: str, account: str, user: Mapping[str, str]) -> Optional[Identity]:
    """Of the user: an AWS actor, a text that says whose it is, else a name within the product."""
    uid, other, name = user["uid"], user["other"], user["name"]
    if provider == "aws" and (uid or other or name):
        arn = uid if uid.startswith("arn:") else ""
        return aws(AwsActor(user["type"], other or ("" if arn else uid), name, account, arn))
    return first_named((uid, other, name), account) or by_name(provider, account, user["mail"] or name or uid)


# ---- alerts


_PRODUCTS: tuple[tuple[Callable[[Row], bool], Callable[[Row], AlertDetails]], ...] = (
    (is_guardduty, guardduty),
    (is_securityhub, securityhub),
    (is_entra, entra),
    (is_ocsf, ocsf),
)
"""Of each product whether an alert is its, and how it is read."""
_ECS: dict[str, Callable[[Tree], Tree]] = {
    "aws.guardduty": guardduty_of_ecs,
    "aws.securityhub_findings": securityhub_of_ecs,
    "azure.identity_protection": entra_of_ecs,
}
_RAW = (
    (":guardduty:", "/finding/", 'chemaVersion"'),
    ('"ProductArn"', '"GeneratorId"'),
    ('"riskState"', '"riskLevel"'),
)
_FIELD_MARKS = (
    {"service.serviceName", "resource.resourceType", "arn"},
    {"detail.service.serviceName", "detail.resource.resourceType"},
    {"detail.findings{}.ProductArn", "detail.findings{}.GeneratorId"},
)
"""Names of Splunk's extracted fields, all of which show that a row is of one of the products."""


def claims(record: object) -> bool:
    """Whether the record is another product's alert, in any of its shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Row, record)
    raw = row.get("_raw")
    if raw.__class__ is str:
        return any(all(mark in raw for mark in names) for names in _RAW)
    if any(claimed(row) for claimed, _ in _PRODUCTS):
        return True
    if OF_ELASTIC.isdisjoint(row):
        return any(names <= row.keys() for names in _FIELD_MARKS)
    return dataset(row) in _ECS


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    row, is_ecs = native(record)
    of_ecs = _ECS.get(dataset(row)) if is_ecs else None
    row = of_ecs(row) if of_ecs else row
    reader = next((of_product for claimed, of_product in _PRODUCTS if claimed(row)), None)
    if reader is None:
        raise RejectError("no_action", "not an alert of a known product")
    alert, time, record_id, session, touched = reader(row)
    if not alert.kind:
        raise RejectError("no_action", "the alert has neither type nor rule")
    target = text(touched, 200)
    return filled(_event(alert), moment(time), text(record_id, 256), session, target, target)


@remembered(4096)
def _event(alert: Alert) -> Event:
    """The Event of an alert, without what differs from record to record."""
    return build_event(
        0,
        alert.identity,
        f"alert:{alert.product}/{alert.kind}",
        account=alert.account,
        credential=alert.credential,
        credential_type="key" if alert.credential else "none",
        address=alert.address,
        region=alert.region,
        traits=("alert", f"alert_{alert.severity}"),
        links=alert.links,
    )
