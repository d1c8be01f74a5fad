"""Security Hub's findings in its own format (ASFF), of AWS's products and others.

- A finding that GuardDuty tells itself and Security Hub passes on has one record id (GuardDuty's ARN of it), one
  product and one kind, so it counts once.
- Findings about configuration (`Software and Configuration Checks`) say what could happen, not what was done: posture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

from nhi_watch.errors import RejectError
from nhi_watch.event import Identity
from nhi_watch.sources import _alerts_who as who
from nhi_watch.sources._alerts_told import Alert, Told, first, kind_of, severity_of
from nhi_watch.sources._shapes import Tree, at, part, rebuild
from nhi_watch.sources._values import listed, text, true

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
    types = listed(found.get("Types"))
    kind = text(types[0], 200) if types else ""
    _refuse(found, kind)
    account = text(found.get("AwsAccountId"), 64)
    resources = [one for one in listed(found.get("Resources")) if one.__class__ is dict]
    identity = next((one for one in (_identity(r, account) for r in resources) if one), None)
    if identity is None:
        raise RejectError("no_identity", "the finding names no identity, only a resource")
    key = next((k for k in map(_key_of, resources) if k), "")
    credential, session = who.credential_of(key)
    product, kind = _kind(found, kind)
    alert = Alert(
        product, kind, _severity(found), identity, account, credential, _address(found), text(found.get("Region"), 64)
    )
    time = found.get("LastObservedAt") or found.get("UpdatedAt") or found.get("CreatedAt")
    return Told(alert, time, text(found.get("Id"), 256), session, _target(found, resources))


def _refuse(found: Row, kind: str) -> None:
    if true(found.get("Sample")):
        raise RejectError("sample_finding", "the finding was made as a sample")
    state = text(at(found, "Workflow.Status"), 20).upper()
    if text(found.get("RecordState"), 20).upper() == "ARCHIVED" or state in _CLOSED:
        raise RejectError("closed", "the finding is archived, resolved or suppressed")
    if kind.startswith("Software and Configuration Checks"):
        raise RejectError("posture", "the finding is about configuration, not about what was done")


def _kind(found: Row, kind: str) -> tuple[str, str]:
    """Product and kind; GuardDuty's as GuardDuty spells them."""
    arn, name = text(found.get("ProductArn"), 200), text(found.get("ProductName"), 60)
    if arn.endswith("/aws/guardduty"):
        last = kind.rpartition("/")[2]
        match = _GUARDDUTY.fullmatch(last)
        return "GuardDuty", kind_of(f"{match[1]}/{match[2]}" if match else last)
    product = re.sub(r"\W+", "", name)[:40] or "SecurityHub"
    return product, kind_of(kind if kind.count("/") > 1 else text(found.get("Title"), 200) or kind)


def _severity(found: Row) -> str:
    told_ = found.get("Severity")
    level: Row = told_ if told_.__class__ is dict else _NONE
    return severity_of(text(level.get("Label") or level.get("label"), 20),
                       text(level.get("Normalized") or level.get("normalized"), 20))  # fmt: skip


def _identity(resource: Row, account: str) -> Optional[Identity]:
    kind, unique = _sort_of(resource), text(resource.get("Id"))
    if not kind:
        return None
    details = part(resource, f"Details.{kind}")
    if kind == "AwsIamAccessKey":
        issuer = part(details, "SessionContext.SessionIssuer")
        principal = first(details.get("PrincipalId"), issuer.get("PrincipalId"))
        name = first(issuer.get("UserName"), details.get("PrincipalName"), details.get("UserName"))
        arn = text(issuer.get("Arn"))
        home = first(details.get("AccountId"), account)
        return who.aws(who.AwsActor(text(details.get("PrincipalType"), 40), principal, name, home, arn))
    if kind == "AwsIamUser":
        return who.aws(who.AwsActor("IAMUser", text(details.get("UserId"), 128), "", account, unique))
    return who.aws(who.AwsActor("Role", text(details.get("RoleId"), 128), "", account, unique))


def _sort_of(resource: Row) -> str:
    """What sort of identity a resource is, by its details (extracted fields mix the types up); "" for none."""
    details = part(resource, "Details")
    found = next((kind for kind in _IDENTITIES if kind in details), "")
    return found or next((kind for kind in _IDENTITIES if kind == resource.get("Type")), "")


def _key_of(resource: Row) -> str:
    if _sort_of(resource) != "AwsIamAccessKey":
        return ""
    told_ = text(at(resource, "Details.AwsIamAccessKey.AccessKeyId"), 128)
    return told_ or text(resource.get("Id"), 200).removeprefix(_KEY_PREFIX)


def _address(found: Row) -> str:
    action = part(found, "Action")
    remote = (at(action, f"{name}.RemoteIpDetails.IpAddressV4")
              for name in ("AwsApiCallAction", "NetworkConnectionAction"))  # fmt: skip
    return first(*remote, at(found, "Network.SourceIpV4"), at(found, "Network.SourceIpV6"))[:64]


def _target(found: Row, resources: list[Any]) -> str:
    """The first resource that is no identity; else the call."""
    other = next((text(r.get("Id"), 200) for r in resources if text(r.get("Type"), 60) not in _IDENTITIES), "")
    call = part(found, "Action.AwsApiCallAction")
    api = text(call.get("Api"), 64)
    return other or (f"{text(call.get('ServiceName'), 64).partition('.')[0]}:{api}" if api else "")


def of_ecs(document: Row) -> Tree:
    """The native finding out of Elastic's aws.securityhub_findings document."""
    return rebuild(document, _ECS)
