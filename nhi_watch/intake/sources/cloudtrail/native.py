"""A native CloudTrail record → the tuple of raw values that all shapes yield."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional, cast

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.json import parse

Record = Mapping[str, Any]

_TARGET = 200


class Raw(NamedTuple):
    """The values of a record on which its Event depends, as they came: whatever shape it has, they are these."""

    time: Any
    record_id: Any
    source: Any
    name: Any
    error: Any
    message: Any
    region: Any
    address: Any
    agent: Any
    recipient: Any
    """Account in which it happened."""
    endpoint: Any
    """Id of the VPC endpoint that it came through."""
    kind: Any
    """userIdentity.type"""
    principal: Any
    arn: Any
    account: Any
    key: Any
    user: Any
    invoked_by: Any
    issuer_id: Any
    issuer_arn: Any
    mfa: Any
    console: Any
    read_only: Any
    provider: Any
    person: Any
    owners: Optional[str]
    """Accounts of the resources, with commas between."""
    target: str


# Native paths of the values that every record has: Raw's, but for the last two.
PATHS = (
    "eventTime",
    "eventID",
    "eventSource",
    "eventName",
    "errorCode",
    "errorMessage",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "recipientAccountId",
    "vpcEndpointId",
    "userIdentity.type",
    "userIdentity.principalId",
    "userIdentity.arn",
    "userIdentity.accountId",
    "userIdentity.accessKeyId",
    "userIdentity.userName",
    "userIdentity.invokedBy",
    "userIdentity.sessionContext.sessionIssuer.principalId",
    "userIdentity.sessionContext.sessionIssuer.arn",
    "userIdentity.sessionContext.attributes.mfaAuthenticated",
    "sessionCredentialFromConsole",
    "readOnly",
    "userIdentity.identityProvider",
    "userIdentity.onBehalfOf.userId",
)

# What a call touches: keys of requestParameters, the first one that is there.
TARGETS: dict[str, tuple[str, ...]] = {
    "s3.amazonaws.com": ("bucketName",),
    "secretsmanager.amazonaws.com": ("secretId", "name", "secretIdList"),
    "ssm.amazonaws.com": ("name", "names", "path", "instanceId", "instanceIds", "documentName"),
    "sts.amazonaws.com": ("roleArn",),
    "lambda.amazonaws.com": ("functionName", "layerName"),
    "kms.amazonaws.com": ("keyId",),
    "dynamodb.amazonaws.com": ("tableName", "tableArn"),
    "ebs.amazonaws.com": ("snapshotId",),
    "athena.amazonaws.com": ("workGroup",),
    "codecommit.amazonaws.com": ("repositoryName",),
    "datasync.amazonaws.com": ("taskArn",),
    "sqs.amazonaws.com": ("queueUrl", "queueName"),
    "sns.amazonaws.com": ("topicArn", "name"),
    # The key comes first: whether it was switched off or deleted is asked by its id.
    "iam.amazonaws.com": ("accessKeyId", "userName", "roleName", "groupName", "policyArn", "policyName"),
    "bedrock.amazonaws.com": ("modelId", "guardrailIdentifier"),
    "ecr.amazonaws.com": ("repositoryName",),
    "logs.amazonaws.com": ("logGroupName",),
    "rds.amazonaws.com": ("dBInstanceIdentifier", "dBSnapshotIdentifier", "dBClusterIdentifier"),
    "cloudtrail.amazonaws.com": ("name", "trailName"),
    "eks.amazonaws.com": ("name", "clusterName"),
    "ec2.amazonaws.com": (
        "instanceId",
        "snapshotId",
        "imageId",
        "volumeId",
        "groupId",
        "vpcId",
        "instancesSet.items{}.instanceId",
    ),
}
_NONE: tuple[str, ...] = ()
_EMPTY: dict[str, Any] = {}


def native_values(record: Record) -> Raw:
    """Raw of a native record; a part of the wrong type counts as empty. Written out for speed.

    Raises:
        RejectError: `bad_type`, when userIdentity is no object.
    """
    get = record.get
    actor = get("userIdentity") or _EMPTY
    if actor.__class__ is not dict:
        raise RejectError("bad_type", "userIdentity is no object")
    of = actor.get
    context = of("sessionContext")
    issuer_id = issuer_arn = mfa = None
    if context and context.__class__ is dict:
        issuer = context.get("sessionIssuer")
        if issuer and issuer.__class__ is dict:
            issuer_id, issuer_arn = issuer.get("principalId"), issuer.get("arn")
        attributes = context.get("attributes")
        if attributes and attributes.__class__ is dict:
            mfa = attributes.get("mfaAuthenticated")
    person = of("onBehalfOf")
    if person is not None:
        person = person.get("userId") if person.__class__ is dict else None
    source = get("eventSource")
    params = get("requestParameters")
    target = target_of(source, params) if params else ""
    owners = None
    resources = get("resources")
    if resources:
        owners, arn = owners_of(resources)
        target = target or arn
    return Raw(
        get("eventTime"), get("eventID"), source, get("eventName"), get("errorCode"), get("errorMessage"),
        get("awsRegion"), get("sourceIPAddress"), get("userAgent"), get("recipientAccountId"),
        get("vpcEndpointId"), of("type"), of("principalId"), of("arn"), of("accountId"), of("accessKeyId"),
        of("userName"), of("invokedBy"), issuer_id, issuer_arn, mfa, get("sessionCredentialFromConsole"),
        get("readOnly"), of("identityProvider"), person, owners, target,
    )  # fmt: skip


def target_of(source: Any, params: object) -> str:
    """What the parameters of a service's call name as its target, or ""."""
    if params.__class__ is not dict or source.__class__ is not str:
        return ""
    get = cast(Record, params).get
    for key in TARGETS.get(source, _NONE):
        value = get(key) or ("{" in key and leaves(params, key))
        if value:
            return value[:_TARGET] if value.__class__ is str else joined(value)
    return ""


def owners_of(resources: object) -> tuple[Optional[str], str]:
    """The accounts of the resources, as one text, and the first ARN by alphabet: ECS forgets the order."""
    if not isinstance(resources, list):
        return None, ""
    if len(resources) == 1 and resources[0].__class__ is dict:
        one = resources[0]
        return one.get("accountId"), joined(one.get("ARN"))
    accounts = [r.get("accountId") for r in resources if r.__class__ is dict]
    arns = [r.get("ARN") for r in resources if r.__class__ is dict]
    return join_accounts(accounts), min((a[:_TARGET] for a in arns if isinstance(a, str)), default="")


def join_accounts(accounts: object) -> Optional[str]:
    """Distinct accounts as one text, or None when there are none."""
    texts = accounts if isinstance(accounts, list) else [accounts]
    return ",".join(sorted({a for a in texts if isinstance(a, str) and a})) or None


def joined(value: object) -> str:
    """A target as short text: a text, or a list's texts with commas between.

    >>> joined("a"), joined(["b", "a"]), joined({"a": 1})
    ('a', 'b,a', '')
    """
    if isinstance(value, str):
        return value[:_TARGET]
    if isinstance(value, list):
        return ",".join(v for v in value[:20] if isinstance(v, str))[:_TARGET]
    return ""


def leaves(value: object, path: str) -> list[Any]:
    """All leaves at a path like `items{}.id`, in order."""
    found = [value]
    for step in path.split("."):
        name = step[:-2] if step.endswith("{}") else step
        found = [v[name] for v in found if isinstance(v, dict) and name in v]
        if name != step:
            found = [item for v in found if isinstance(v, list) for item in v]
    return found


def parse_json(text: str) -> Record:
    """A JSON object's text as a record.

    Raises:
        RejectError: `bad_json` or `too_deep`.
    """
    try:
        value = parse(text)
    except RecursionError as error:
        raise RejectError("too_deep", "nested too deeply") from error
    except ValueError as error:
        raise RejectError("bad_json", str(error)) from error
    if not isinstance(value, dict):
        raise RejectError("not_object", "the text holds no JSON object")
    return value
