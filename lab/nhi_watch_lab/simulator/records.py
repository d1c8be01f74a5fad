"""The calls there are, and records in the shape of CloudTrail."""

from __future__ import annotations

from typing import Any, NamedTuple

from nhi_watch_lab.simulator.basics import Dice
from nhi_watch_lab.tables import table, text

# ---- what an account's explorers (people, deployers, scanners) call: a broad list of real CloudTrail event names

READS = text(__file__, "catalogue_reads.txt")

WRITES = text(__file__, "catalogue_writes.txt")

_READ_PREFIXES = table(__file__, "tables.json/read_prefixes")
_READ_NAMES = {
    *[
        "AssumeRole",
        "AssumeRoleWithWebIdentity",
        "AssumeRoleWithSAML",
        "Decrypt",
        "Encrypt",
        "Sign",
        "GenerateDataKey",
        "GenerateMac",
    ],
    *["InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream", "AccessKubernetesApi"],
    *["GenerateCredentialReport", "StartQuery", "ValidateTemplate", "Query", "Scan", "Verify"],
}


def actions(text: str) -> list[str]:
    """`service:Name` of a table above, in its order.

    >>> actions("kms: Sign Verify")
    ['kms:Sign', 'kms:Verify']
    """
    rows = (line.split(":") for line in text.strip().splitlines())
    return [f"{service}:{name}" for service, names in rows for name in names.split()]


def is_read(name: str) -> bool:
    """What CloudTrail's `readOnly` says for an event name."""
    return name in _READ_NAMES or name.startswith(_READ_PREFIXES)


# ---- native CloudTrail records: templates made once, stamped per event

Record = dict[str, Any]
"""One CloudTrail record in its native JSON shape."""

_VERSION_10 = {"logs", "kms", "secretsmanager", "sts", "ssm"}
_API_VERSION = {"logs": "20140328", "elasticloadbalancing": "2015-12-01", "route53": "2013-04-01"}
_DATA = {
    *[
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:DeleteObjects",
        "s3:CopyObject",
        "s3:ListObjects",
        "s3:HeadObject",
    ],
    *[
        "lambda:Invoke",
        "dynamodb:Query",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "sqs:SendMessage",
        "sns:Publish",
        "kinesis:PutRecords",
    ],
}
_CODES = {
    "ec2": "Client.UnauthorizedOperation",
    **dict.fromkeys(
        ("secretsmanager", "dynamodb", "ssm", "kms", "ecs", "logs", "lambda", "bedrock", "organizations", "ecr"),
        "AccessDeniedException",
    ),
}
_MISHAPS = [
    ("ThrottlingException", "Rate exceeded"),
    ("ResourceNotFoundException", "Requested resource not found"),
    ("ValidationException", "1 validation error detected"),
    ("ResourceInUseException", "Attempt to change a resource which is still in use"),
]
CLOCK = [f"T{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}Z" for s in range(86_400)]
"""The time of day of each second of a day, as in an RFC 3339 time."""


class Actor(NamedTuple):
    """Who sends, from where and with what, for as long as one session lasts."""

    identity: Record
    address: str
    agent: str
    vpce: str = ""
    console: bool = False
    """A session of the web console."""


class Template(NamedTuple):
    """A record without its sender and its time."""

    record: Record
    action: str
    """`service:Name`, name as logged."""


class Detail(NamedTuple):
    """What a call says beyond its name."""

    params: Any = None
    response: Any = None
    resources: Any = None
    extra: Any = None
    error: str = ""
    message: str = ""


def template(account: str, region: str, action: str, detail: Detail = Detail()) -> Template:  # noqa: B008
    """A template of `action` (`service:Name`) in `account` and `region`."""
    service, name = action.split(":")
    data = action in _DATA
    record: Record = {
        "eventVersion": "1.10" if service in _VERSION_10 else "1.11",
        "userIdentity": None,
        "eventTime": "",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "",
        "userAgent": "",
    }
    if detail.error:
        record["errorCode"] = detail.error
        record["errorMessage"] = detail.message
    record["requestParameters"] = detail.params
    record["responseElements"] = None if detail.error else detail.response
    if detail.extra is not None:
        record["additionalEventData"] = detail.extra
    record["requestID"] = record["eventID"] = ""
    record["readOnly"] = is_read(name)
    if detail.resources is not None:
        record["resources"] = detail.resources
    record["eventType"] = "AwsConsoleSignIn" if service == "signin" else "AwsApiCall"
    if service in _API_VERSION:
        record["apiVersion"] = _API_VERSION[service]
    record["managementEvent"] = not data
    record["recipientAccountId"] = account
    record["eventCategory"] = "Data" if data else "Management"
    record["tlsDetails"] = _tls(service, region)
    return Template(record, action)


def _tls(service: str, region: str) -> Record:
    host = "iam.amazonaws.com" if service == "iam" else f"{service}.{region}.amazonaws.com"
    if service == "signin":
        host = f"{region}.signin.aws.amazon.com"
    return {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": host}


def denied(base: Template, who: str, resource: str = "*") -> Template:
    """The same call, refused for lack of permission; `who` is the caller's ARN."""
    service, name = base.action.split(":")
    code = _CODES.get(service, "AccessDenied")
    action = f"{service}:{name.rstrip('0123456789v') if service == 'lambda' else name}"
    message = f"User: {who} is not authorized to perform: {action}"
    message += f" on resource: {resource} because no identity-based policy allows the {action} action"
    if service == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
    return failed(base, code, message)


def failed(base: Template, code: str, message: str) -> Template:
    """The same call with an error."""
    record: Record = {}
    for key, value in base.record.items():
        if key == "requestParameters":
            record["errorCode"], record["errorMessage"] = code, message
        if key not in ("errorCode", "errorMessage"):
            record[key] = value
    record["responseElements"] = None
    return Template(record, base.action)


def mishap(base: Template, dice: Dice) -> Template:
    """The same call, failed as any may fail now and then."""
    if base.action == "s3:GetObject":
        return failed(base, "NoSuchKey", "The specified key does not exist.")
    code, message = dice.pick(_MISHAPS)
    return failed(base, code, message)


def stamp(base: Template, actor: Actor, day: str, second: int, dice: Dice) -> Record:
    """One event: `day` is a date (YYYY-MM-DD), `second` the second of that day."""
    record = base.record.copy()
    record["userIdentity"] = actor.identity
    record["eventTime"] = day + CLOCK[second]
    record["sourceIPAddress"] = actor.address
    record["userAgent"] = actor.agent
    text = f"{dice.getrandbits(192):048x}"
    tail = text[20:32]
    record["requestID"] = f"{text[32:40]}-{text[40:44]}-{text[44:48]}-{text[:4]}-{tail}"
    record["eventID"] = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{tail}"
    if actor.vpce:
        record["vpcEndpointId"] = actor.vpce
        record["vpcEndpointAccountId"] = record["recipientAccountId"]
    elif actor.address == actor.agent:
        del record["tlsDetails"]
        if actor.identity.get("type") == "AWSService":
            record["sharedEventID"] = f"{text[8:16]}-{text[:4]}-{text[36:40]}-{text[44:48]}-{tail}"
    if actor.console:
        record["sessionCredentialFromConsole"] = "true"
    return record
