"""Security Hub's findings in its own format (ASFF), of AWS's products and others.

- A finding that GuardDuty tells itself and Security Hub passes on has one record id (GuardDuty's ARN of it), one
  product and one kind, so it counts once.
- Findings about configuration (`Software and Configuration Checks`) say what could happen, not what was done: posture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Identity
from nhi_watch.intake.shapes.forms import Tree, rebuild
from nhi_watch.intake.shapes.values import listed, text, true
from nhi_watch.intake.sources.alerts import actors
from nhi_watch.intake.sources.alerts.actors import Alert, Raw, kind_of, severity_of

Row = Mapping[str, Any]

_NONE: Row = {}
_CLOSED = ("RESOLVED", "SUPPRESSED")
_GUARDDUTY = re.compile(r"([A-Za-z]+:[A-Za-z0-9]+)-(.+)")
"""`Recon:IAMUser-TorIPCaller`: ASFF keeps `/` for its own levels."""
_IDENTITIES = ("AwsIamAccessKey", "AwsIamUser", "AwsIamRole")
_KEY_PREFIX = "AWS::IAM::AccessKey:"
_ECS = {
    "Id": "aws.securityhub_findings.id",
    "AwsAccountId": "aws.securityhub_findings.aws_account_id",
    "AwsAccountId|2": "cloud.account.id",
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


def claims(row: Row) -> bool:
    """Whether a record is a finding in Security Hub's format, bare or in an event of EventBridge."""
    if "ProductArn" in row and "GeneratorId" in row:
        return True
    return row.get("source") == "aws.securityhub" and row.get("detail").__class__ is dict


def raw(row: Row) -> Raw:
    """The values of a finding; of an event with several findings, of the first."""
    found = row
    if row.get("detail").__class__ is dict:
        inside = row["detail"].get("findings")
        found = next((one for one in listed(inside) if one.__class__ is dict), _NONE)
    of = found.get
    resources = [one for one in listed(of("Resources")) if one.__class__ is dict]
    actor: tuple[object, ...] = _NOBODY
    target = ""
    for resource in resources:
        kind = _sort_of(resource)
        if kind and actor is _NOBODY:
            actor = _values(kind, resource)
        if not target and resource.get("Type") not in _IDENTITIES:
            target = text(resource.get("Id"), 200)
    *values, key = actor
    session = ""
    if key.__class__ is str and key[:4] == "ASIA":
        session, key = str(key)[:128], "ASIA"
    types, level, call = of("Types"), _part(found, "Severity"), _part(_part(found, "Action"), "AwsApiCallAction")
    shape = (
        types[0] if types.__class__ is list and types else types, level.get("Label") or level.get("label"),
        level.get("Normalized") or level.get("normalized"), of("AwsAccountId"), of("Region"), of("ProductArn"),
        of("ProductName"), of("Title"), of("RecordState"),
        _part(found, "Workflow").get("Status"), "y" if true(of("Sample")) else "", _address(found), key, *values,
    )  # fmt: skip
    api = call.get("Api") or _passed_on(found, "api")
    service = call.get("ServiceName") or _passed_on(found, "serviceName")
    if not target and api:
        target = f"{text(service, 64).partition('.')[0]}:{text(api, 64)}"
    return Raw(shape, of("LastObservedAt") or of("UpdatedAt") or of("CreatedAt"), of("Id"), session, target)


_NOBODY: tuple[object, ...] = ("",) * 8


def _values(kind: str, resource: Row) -> tuple[object, ...]:
    """Of a resource that is an identity: kind, id, details, and the access key's id."""
    details = _part(_part(resource, "Details"), kind)
    if kind != "AwsIamAccessKey":
        return (kind, resource.get("Id"), details.get("UserId") or details.get("RoleId"), "", "", "", "", "")
    issuer = _part(_part(details, "SessionContext"), "SessionIssuer")
    name = issuer.get("UserName") or details.get("PrincipalName") or details.get("UserName")
    key = details.get("AccessKeyId") or text(resource.get("Id"), 200).removeprefix(_KEY_PREFIX)
    principal = details.get("PrincipalId") or issuer.get("PrincipalId")
    return kind, issuer.get("Arn"), principal, name, details.get("PrincipalType"), details.get("AccountId"), "", key


def alert_of(shape: tuple[object, ...]) -> Alert:
    """The alert of a finding's values.

    Raises:
        RejectError: sample_finding, closed, posture, no_identity.
    """
    (kind, label, score, account, region, arn, product, title, record_state, workflow, is_sample, address, key,
     sort, unique, principal, name, user_type, home, _) = (text(value, 512) for value in shape)  # fmt: skip
    if is_sample:
        raise RejectError("sample_finding", "the finding was made as a sample")
    if record_state.upper() == "ARCHIVED" or workflow.upper() in _CLOSED:
        raise RejectError("closed", "the finding is archived, resolved or suppressed")
    if kind.startswith("Software and Configuration Checks"):
        raise RejectError("posture", "the finding is about configuration, not about what was done")
    identity: Optional[Identity] = None
    if sort == "AwsIamAccessKey":
        identity = actors.aws(actors.AwsActor(user_type, principal, name, home or account, unique))
    elif sort:
        user_type = "IAMUser" if sort == "AwsIamUser" else "Role"
        identity = actors.aws(actors.AwsActor(user_type, principal, "", account, unique))
    if identity is None:
        raise RejectError("no_identity", "the finding names no identity, only a resource")
    named, kind = _kind(arn, product, kind, title)
    return Alert(named, kind, severity_of(label, score), identity, account[:64], actors.credential_of(key)[0],
                 address[:64], region[:64])  # fmt: skip


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
    details = _part(resource, "Details")
    found = next((kind for kind in _IDENTITIES if kind in details), "")
    return found or next((kind for kind in _IDENTITIES if kind == resource.get("Type")), "")


def _address(found: Row) -> object:
    action, network = _part(found, "Action"), _part(found, "Network")
    for name in ("AwsApiCallAction", "NetworkConnectionAction"):
        told = _part(_part(action, name), "RemoteIpDetails").get("IpAddressV4")
        if told:
            return told
    return network.get("SourceIpV4") or network.get("SourceIpV6") or _passed_on(found, "remoteIpDetails/ipAddressV4")


def _passed_on(found: Row, name: str) -> object:
    """What GuardDuty told of a call, and Security Hub passed on among the product's own fields."""
    return _part(found, "ProductFields").get("aws/guardduty/service/action/awsApiCallAction/" + name)


def _part(row: Row, name: str) -> Row:
    found = row.get(name)
    return found if found.__class__ is dict else _NONE


def of_ecs(document: Row) -> Tree:
    """The native finding out of Elastic's aws.securityhub_findings document."""
    return rebuild(document, _ECS)
