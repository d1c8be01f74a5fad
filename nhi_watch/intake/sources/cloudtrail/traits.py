"""What only the parameters and the answer of a CloudTrail call tell: one small function a question.

`DEEP` names the calls to which a question belongs; all others need no deep reading. A call that failed still
shows what was tried; the Event's outcome says that it failed. Where parameters are missing, so is the trait.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from nhi_watch.core.event import Event
from nhi_watch.core.identity import account_of
from nhi_watch.intake.shapes.policy import wildcard
from nhi_watch.intake.sources.cloudtrail.native import Record, leaves
from nhi_watch.intake.sources.cloudtrail.sharing import SHARING, Call, Question, Questions

_MANY = 10
"""So many instances in one call count as large."""


class Deep(NamedTuple):
    """What the deep reading adds to an Event; "" leaves the Event's own."""

    traits: tuple[str, ...] = ()
    issued: str = ""
    outcome: str = ""
    error: str = ""
    target_class: str = ""
    name: str = ""
    """Of a person who signs in to IAM Identity Center: elsewhere only an id is told."""


def _wildcard(call: Call) -> Iterator[str]:
    if any(wildcard(policy) for policy in leaves(call.params, "policyDocument")):
        yield "wildcard_policy"


_ADMIN = {"AdministratorAccess", "PowerUserAccess", "IAMFullAccess"}


def _attached(call: Call) -> Iterator[str]:
    for arn in call.texts("policyArn", "managedPolicyArn"):
        name = arn.rpartition("/")[2]
        if name in _ADMIN:
            yield "admin_policy"
        if name.startswith("AWSCompromisedKeyQuarantine"):
            yield "quarantine"


def _ingress(call: Call) -> Iterator[str]:
    sources = call.texts(
        "cidrIp", "cIDRIP", "cidrBlock", "ipv6CidrBlock", "ipPermissions.items{}.ipRanges.items{}.cidrIp",
        "ipPermissions.items{}.ipv6Ranges.items{}.cidrIpv6",
        "ModifySecurityGroupRulesRequest.SecurityGroupRule.SecurityGroupRule.CidrIpv4",
    )  # fmt: skip
    outward = "true" in call.texts("egress") or "deny" in call.texts("ruleAction")
    if not outward and any(source.endswith("/0") for source in sources):  # host bits before it mean nothing
        yield "open_ingress"


_LARGE = re.compile(
    r"(?:ml\.)?(?:(?:p|g|gr|trn|inf|dl|vt)\d+[a-z]*\.|[a-z0-9-]+\.(?:metal|(?:[89]|\d\d+)xlarge))"
)
"""GPU and accelerator families, whole machines, and everything from 8xlarge on."""
_TEMPLATE = tuple(f"CreateLaunchTemplate{kind}Request.LaunchTemplateData" for kind in ("", "Version"))


def _compute(call: Call) -> Iterator[str]:
    sizes = call.texts(
        "instanceType", "instanceType.value", "launchSpecification.instanceType",
        "resourceConfig.instanceType", *(f"{t}.InstanceType" for t in _TEMPLATE),
    )  # fmt: skip
    counts = call.texts("instancesSet.items{}.maxCount", "instanceCount", "desiredCapacity")
    many = any(text.isdigit() and len(text) < 9 and int(text) >= _MANY for text in counts)
    if many or any(_LARGE.match(size) for size in sizes):
        yield "large_compute"


def _user_data(call: Call) -> Iterator[str]:
    told = call.texts(
        "userData", "userData.value", "launchSpecification.userData", *(f"{t}.UserData" for t in _TEMPLATE)
    )
    if told or "userData" in call.texts("attribute"):
        yield "user_data"


def _reads_user_data(call: Call) -> Iterator[str]:
    if "userData" in call.texts("attribute"):
        yield "reads_user_data"


def _trail_reduced(call: Call) -> Iterator[str]:
    flags = ("isMultiRegionTrail", "includeGlobalServiceEvents", "enableLogFileValidation", "enable")
    if "false" in call.texts(*flags):
        yield "logging_reduced"


def _selectors_reduced(call: Call) -> Iterator[str]:
    """Selectors that leave management events out, or all but reads or writes, or whole services."""
    kinds = call.texts("eventSelectors{}.readWriteType")
    kept = call.texts("eventSelectors{}.includeManagementEvents")
    left_out = call.texts("eventSelectors{}.excludeManagementEventSources{}")
    if left_out or (kinds and "All" not in kinds) or (kept and "true" not in kept):
        yield "logging_reduced"


def _bucket_logging(call: Call) -> Iterator[str]:
    """An empty status turns a bucket's access log off."""
    if call.params.get("bucketName") and not leaves(call.params, "BucketLoggingStatus.LoggingEnabled"):
        yield "logging_reduced"


def _short_lived(call: Call) -> Iterator[str]:
    """Objects or logs that expire within a day: how logs are made to vanish without deleting a trail."""
    days = call.texts(
        "LifecycleConfiguration.Rule.Expiration.Days", "LifecycleConfiguration.Rule{}.Expiration.Days",
        "retentionInDays",
    )  # fmt: skip
    if "1" in days:
        yield "logging_reduced"


def _for_other(call: Call) -> Iterator[str]:
    names = call.texts("userName")
    identity = call.event.identity
    own = identity.name.rpartition("/")[2] if identity.kind == "user" else ""
    if names and names[0] != own:
        yield "for_other"


def _key_status(call: Call) -> Iterator[str]:
    """Whether an access key was switched off or on again."""
    status = call.texts("status")
    if status:
        yield "deactivated" if "Inactive" in status else "reactivated"


def _sessions_revoked(call: Call) -> Iterator[str]:
    """IAM's console revokes a role's older sessions by an inline policy of this name."""
    if "AWSRevokeOlderSessions" in call.texts("policyName"):
        yield "sessions_revoked"


def _login(call: Call) -> Iterator[str]:
    yield "console"
    if leaves(call.extra, "MFAUsed") == ["Yes"]:
        yield "mfa"


def _nothing(call: Call) -> Iterator[str]:
    return iter(())


_CREDENTIAL_CALLS = (
    "CreateAccessKey", "CreateLoginProfile", "UpdateLoginProfile", "CreateServiceSpecificCredential",
    "ResetServiceSpecificCredential", "UploadSSHPublicKey", "UploadSigningCertificate",
)  # fmt: skip
_ISSUING_CALLS = (
    "AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "GetSessionToken",
    "GetFederationToken", "CreateAccessKey", "CreateServiceSpecificCredential",
)  # fmt: skip
_SIGN_INS = ("ConsoleLogin", "UserAuthentication", "CredentialVerification")
"""Calls that tell whether they failed in no error code; the latter two are IAM Identity Center's."""
_TEMPLATES = ("CreateLaunchTemplate", "CreateLaunchTemplateVersion", "CreateLaunchConfiguration")
_LAUNCHES = ("RunInstances", "RequestSpotInstances", "ModifyInstanceAttribute", *_TEMPLATES)
_QUESTIONS: Questions = (
    *SHARING,
    (_wildcard, ("PutUserPolicy", "PutRolePolicy", "PutGroupPolicy", "CreatePolicy", "CreatePolicyVersion")),
    (_attached, ("AttachUserPolicy", "AttachRolePolicy", "AttachGroupPolicy")),
    (_attached, ("AttachManagedPolicyToPermissionSet",)),
    (_ingress, ("AuthorizeSecurityGroupIngress", "AuthorizeDBSecurityGroupIngress")),
    (_ingress, ("ModifySecurityGroupRules", "AuthorizeClusterSecurityGroupIngress")),
    (_ingress, ("CreateNetworkAclEntry", "ReplaceNetworkAclEntry")),
    (_compute, _LAUNCHES),
    (_compute, ("CreateNotebookInstance", "CreateTrainingJob")),
    (_compute, ("CreateAutoScalingGroup", "UpdateAutoScalingGroup")),
    (_user_data, _LAUNCHES),
    (_reads_user_data, ("DescribeInstanceAttribute",)),
    (_trail_reduced, ("UpdateTrail", "UpdateDetector")),
    (_selectors_reduced, ("PutEventSelectors",)),
    (_bucket_logging, ("PutBucketLogging",)),
    (_short_lived, ("PutBucketLifecycle", "PutBucketLifecycleConfiguration", "PutRetentionPolicy")),
    (_for_other, _CREDENTIAL_CALLS),
    (_key_status, ("UpdateAccessKey",)),
    (_sessions_revoked, ("PutRolePolicy", "PutUserPolicy")),
    (_login, ("ConsoleLogin",)),
    (_nothing, _SIGN_INS[1:]),
    (_nothing, _ISSUING_CALLS),
)
# Lambda's calls carry the API's version; they are named here so that looking one up stays one step.
_DATED = ("AddPermission", "AddLayerVersionPermission", "CreateFunctionUrlConfig", "UpdateFunctionUrlConfig")
_DATES = ("20150331", "20150331v2", "20181031", "20211031")


def _by_name(questions: Questions) -> dict[str, tuple[Question, ...]]:
    names = {name for _, calls in questions for name in calls}
    table = {n: tuple(question for question, calls in questions if n in calls) for n in names}
    table.update({base + date: table[base] for base in _DATED for date in _DATES})
    return table


DEEP = _by_name(_QUESTIONS)
"""Name of a call → the questions that its deep reading answers."""

_ISSUED = (
    "credentials.accessKeyId",
    "accessKey.accessKeyId",
    "serviceSpecificCredential.serviceSpecificCredentialId",
)


def deepen(record: Record, name: str, event: Event) -> Deep:
    """Answers the questions of a native record of the DEEP call `name`."""
    names = ("requestParameters", "responseElements", "additionalEventData")
    params, answer, extra = (_tree(record.get(name)) for name in names)
    call = Call(params, answer, extra, event)
    traits = {trait for question in DEEP[name] for trait in question(call)}
    told = call.answer if name == "ConsoleLogin" else _tree(record.get("serviceEventDetails"))
    failed = name in _SIGN_INS and "Failure" in leaves(told, name)
    return Deep(
        tuple(sorted(traits)),
        _issued(call),
        "failure" if failed else "",
        (event.error or "Failure") if failed else "",
        _assumed(call),
        _signed_in(call),
    )


def _tree(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _issued(call: Call) -> str:
    found = [leaf for path in _ISSUED for leaf in leaves(call.answer, path) if isinstance(leaf, str)]
    return found[0][:256] if found else ""


def _signed_in(call: Call) -> str:
    found = leaves(call.extra, "UserName") if call.event.identity.kind == "identity_center" else []
    told = [leaf for leaf in found if isinstance(leaf, str) and not leaf.startswith("HIDDEN_")]
    return told[0][:256] if told else ""


def _assumed(call: Call) -> str:
    """Own or foreign, by the account of the role that was assumed."""
    account = next((account_of(arn) for arn in call.texts("roleArn")), "")
    home = call.event.identity.account
    return ("own" if account == home else "foreign") if account and home else ""
