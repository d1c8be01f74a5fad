"""Security Hub's findings in its own format (ASFF), of AWS's products and others.

- A finding that GuardDuty tells itself and Security Hub passes on has one record id (GuardDuty's ARN of it), one
  product and one kind, so it counts once.
- Findings about configuration (`Software and Configuration Checks`) say what could happen, not what was done: posture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.forms import Tree, inner, rebuild
from nhi_watch.intake.shapes.values import listed, text, true
from nhi_watch.intake.sources.alerts import actors
from nhi_watch.intake.sources.alerts.actors import Alert, Told, kind_of, severity_of

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


def told(row: Row) -> Told:
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
    if text(of("RecordState"), 512).upper() == "ARCHIVED" or workflow.upper() in _CLOSED:
        raise RejectError("closed", "the finding is archived, resolved or suppressed")
    if kind.startswith("Software and Configuration Checks"):
        raise RejectError("posture", "the finding is about configuration, not about what was done")
    resources = [one for one in listed(of("Resources")) if one.__class__ is dict]
    sort, who = next(((sort, one) for one in resources if (sort := _sort_of(one))), ("", _NONE))
    actor, key = _actor(sort, who, account)
    identity = actors.aws(actor) if sort else None
    if identity is None:
        raise RejectError("no_identity", "the finding names no identity, only a resource")
    credential, session = actors.key_of(key)
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


def _actor(sort: str, resource: Row, account: str) -> tuple[actors.AwsActor, str]:
    """The actor that a resource is, and its access key's id."""
    details = inner(inner(resource, "Details"), sort)
    if sort != "AwsIamAccessKey":
        unique = text(details.get("UserId") or details.get("RoleId"), 512)
        kind = "IAMUser" if sort == "AwsIamUser" else "Role"
        return actors.AwsActor(kind, unique, "", account, text(resource.get("Id"), 512)), ""
    issuer = inner(inner(details, "SessionContext"), "SessionIssuer")
    key = text(details.get("AccessKeyId"), 512) or text(resource.get("Id"), 200).removeprefix(_KEY_PREFIX)
    kind, principal, name, home, arn = (text(value, 512) for value in (
        details.get("PrincipalType"), details.get("PrincipalId") or issuer.get("PrincipalId"),
        issuer.get("UserName") or details.get("PrincipalName") or details.get("UserName"), details.get("AccountId"),
        issuer.get("Arn"),
    ))  # fmt: skip
    return actors.AwsActor(kind, principal, name, home or account, arn), key


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


def of_ecs(document: Row) -> Tree:
    """The native finding out of Elastic's aws.securityhub_findings document."""
    return rebuild(document, _ECS)
