"""AWS CloudTrail: management and data events of an AWS account.

Every record, whatever its shape, becomes one tuple of values (`values_of`; `FIELDS` tells which); one function
makes the Event of it, and `traits` adds what only the parameters of a call tell. Decisions:

- Outcome `denied` is a refusal for lack of permission; a record with a message but no code has failed, one whose code
  is HTTP's for success (Managed Grafana writes 200) has not.
- Where a proxy lists addresses, the last public one counts: what stands before it the client may have written.
- Answers of LookupEvents (`CloudTrailEvent`) and EventBridge's deliveries (`detail`) are the record that they hold.
- The network is the calling service's, when `invokedBy` or the address names one (the console's proxy does
  not count: its address is the person's), the VPC endpoint's for a private address, else the address's. An endpoint of
  another account than the caller's and the trail's is a place in that account, whatever addresses its network has.
- A record of a time before 2006 (AWS began) or from 2100 on is rejected as `clock`.
- Wrong types in values that nothing stands on count as not told.

Reject reasons: not_object, bad_json, too_deep, bad_type, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from json import dumps
from operator import itemgetter
from typing import Any, Optional, cast

from nhi_watch.context import actions, networks
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.identity import PERSON, SSO_ROLE, Actor, identify
from nhi_watch.core.timestamps import parse
from nhi_watch.intake.shapes.forms import at, hit, is_alert, java_map, object_of, single, unflatten
from nhi_watch.intake.shapes.values import event, filled
from nhi_watch.intake.sources.cloudtrail.traits import DEEP, Record, deepen, leaves

Values = tuple[Any, ...]
"""What a record's Event depends on, as it came: those of FIELDS, the accounts of the resources, and the target."""

_TARGET = 200
_AWS, _WHO = "aws.cloudtrail.", "userIdentity."
_OF_WHO, _CONTEXT = _AWS + "user_identity.", _WHO + "sessionContext."
_ISSUER = _OF_WHO + "session_context.session_issuer."

FIELDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("eventTime", "@timestamp", ()),
    ("eventID", "event.id", ("metadata.uid",)),
    ("eventSource", "event.provider", ("api.service.name",)),
    ("eventName", "event.action", ("api.operation",)),
    ("errorCode", _AWS + "error_code", ("api.response.error",)),
    ("errorMessage", _AWS + "error_message", ("api.response.message",)),
    ("awsRegion", "cloud.region", ("cloud.region",)),
    ("sourceIPAddress", "source.address", ("src_endpoint.ip", "src_endpoint.domain")),
    ("userAgent", "user_agent.original", ("http_request.user_agent",)),
    ("recipientAccountId", _AWS + "recipient_account_id", ()),
    ("vpcEndpointId", _AWS + "vpc_endpoint_id", ("src_endpoint.uid",)),
    ("sessionCredentialFromConsole", "", ()),
    ("vpcEndpointAccountId", "", ()),
    ("readOnly", _AWS + "read_only", ()),
    (_WHO + "type", _OF_WHO + "type", ("actor.user.type",)),
    (_WHO + "principalId", "user.id", ()),
    (_WHO + "arn", _OF_WHO + "arn", ()),
    (_WHO + "accountId", "cloud.account.id", ("actor.user.account.uid", "actor.user.account_uid")),
    (_WHO + "accessKeyId", _OF_WHO + "access_key_id", ("actor.user.credential_uid",)),
    (_WHO + "userName", "user.name", ("actor.user.name",)),
    (_WHO + "invokedBy", _OF_WHO + "invoked_by", ("actor.invoked_by",)),
    (_WHO + "identityProvider", "", ("actor.idp.name",)),
    (_CONTEXT + "sessionIssuer.principalId", _ISSUER + "principal_id", ()),
    (_CONTEXT + "sessionIssuer.arn", _ISSUER + "arn", ("actor.session.issuer",)),
    (_CONTEXT + "attributes.mfaAuthenticated", _OF_WHO + "session_context.mfa_authenticated",
     ("actor.session.is_mfa", "actor.session.mfa")),
    (_WHO + "onBehalfOf.userId", "actor.entity.id", ()),
)  # fmt: skip
"""Of each value the native path, which is the name of Splunk's field, too; the field of Elastic's integration, and the
first of OCSF's paths that tells it. "" and (): where that shape does not tell it, or needs more than another name."""
PATHS = tuple(native for native, _, _ in FIELDS)
ECS = {native: field for native, field, _ in FIELDS if field}
OCSF = {native: paths for native, _, paths in FIELDS}
_SOURCE, _ADDRESS = PATHS.index("eventSource"), PATHS.index("sourceIPAddress")

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


def _keys(parent: str) -> tuple[str, ...]:
    """The names of FIELDS right below a native object; those of one object stand together."""
    return tuple(path[len(parent) :] for path in PATHS if path.startswith(parent) and "." not in path[len(parent) :])


_TOP, _ACTOR = _keys(""), _keys(_WHO)


def native_values(record: Record) -> Values:
    """Values of a native record; a part of the wrong type counts as empty.

    Raises:
        RejectError: `bad_type`, when userIdentity is no object.
    """
    actor = record.get("userIdentity") or _EMPTY
    if actor.__class__ is not dict:
        raise RejectError("bad_type", "userIdentity is no object")
    of, issuer_id, issuer_arn, mfa = actor.get, None, None, None
    context = of("sessionContext")
    if context and context.__class__ is dict:
        issuer, attributes = context.get("sessionIssuer"), context.get("attributes")
        if issuer.__class__ is dict:
            issuer_id, issuer_arn = issuer.get("principalId"), issuer.get("arn")
        if attributes.__class__ is dict:
            mfa = attributes.get("mfaAuthenticated")
    person, params, resources = of("onBehalfOf"), record.get("requestParameters"), record.get("resources")
    person = person.get("userId") if person.__class__ is dict else None
    target = target_of(record.get("eventSource"), params) if params else ""
    owners, arn = owners_of(resources) if resources else (None, "")
    return (*map(record.get, _TOP), *map(of, _ACTOR), issuer_id, issuer_arn, mfa, person, owners, target or arn)


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


# ---- splunk
#
# CloudTrail as Splunk has it: a flat mapping of field name → text, or a list of texts for a multi-value.
#
# Either `_raw` holds the record, or the fields are there that JSON extraction makes, as in
# `userIdentity.sessionContext.sessionIssuer.arn` and `resources{}.accountId`.


_EXTRACTION_LIMIT = 5_000
"""Splunk's JSON extraction stops after this many characters: longer records are read from `_raw`."""

_SPLUNK_TARGETS = {
    source: tuple(f"requestParameters.{key}{end}" for key in keys for end in ("", "{}"))
    for source, keys in TARGETS.items()
}
SPLUNK_FIELDS = (
    *PATHS,
    "resources{}.accountId",
    "resources{}.ARN",
    *sorted({f for fields in _SPLUNK_TARGETS.values() for f in fields}),
)
"""The extracted fields that are read of events whose parameters do not matter."""


def splunk_values(row: Record) -> Values:
    """Values of extracted Splunk fields. A value that should be single and is not counts as missing."""
    values = list(map(row.get, PATHS))
    if row.get("eventName").__class__ is list:  # everything was extracted twice
        values = list(map(single, values))
    source, target = values[_SOURCE], cast(object, "")
    for field in _SPLUNK_TARGETS.get(source, _NONE) if source.__class__ is str else _NONE:
        target = row.get(field)
        if target:
            target = joined(split(single(target)))
            break
    accounts = row.get("resources{}.accountId")
    owners = join_accounts(split(accounts)) if accounts else None
    if not target:
        target = joined(min(split(row.get("resources{}.ARN")) or [""]))
    return (*values, owners, target)


def split(value: object) -> list[str]:
    """A multi-value as a list: Splunk gives lists, or lines."""
    if isinstance(value, list):
        return [v for v in value if isinstance(v, str)]
    return [part for part in value.split("\n") if part] if isinstance(value, str) else []


def is_splunk(record: Record) -> bool:
    """Whether this is a flat Splunk event: `_raw`, or a row of which at least one name is a path.

    A record may be without any userIdentity, as the console's own are; a native record's names hold no dots.
    """
    if "userIdentity.type" in record or "_raw" in record:
        return True
    return "eventName" in record and ("_time" in record or "." in "".join(map(str, record)))


def has_fields(row: Record) -> bool:
    """Whether the extracted fields are there and can be trusted to be complete."""
    raw = row.get("_raw")
    return bool(row.get("eventName")) and not (isinstance(raw, str) and len(raw) > _EXTRACTION_LIMIT)


def from_splunk(row: Record) -> Record:
    """A native record out of `_raw`, or out of the fields."""
    raw = row.get("_raw")
    if isinstance(raw, str) and raw.lstrip()[:1] == "{":
        try:
            return object_of(raw)
        except RejectError:
            if not row.get("eventName"):
                raise
    return unflatten(row)


# ---- ecs
#
# CloudTrail as Elastic's aws.cloudtrail integration writes it, nested (`_source`) or flattened (`fields`).
#
# Names as in elastic/integrations, packages/aws/data_stream/cloudtrail, ingest pipeline default.yml. A
# document without `event.original` lacks three facts that the pipeline drops: sessionCredentialFromConsole,
# vpcEndpointAccountId and identityProvider; onBehalfOf is there where actors are mapped, no ARN stands in its place.
# All else is there.


_RESOURCES = _AWS + "resources"
_ECS_DEEP = {
    "requestParameters": "request_parameters",
    "responseElements": "response_elements",
    "additionalEventData": "additional_eventdata",
    "serviceEventDetails": "service_event_details",
}
ECS_FIELDS = (
    *ECS.values(),
    *(f"{_AWS}{kind}{name}" for name in _ECS_DEEP.values() for kind in ("", "flattened.")),
    _RESOURCES + ".account_id",
    _RESOURCES + ".arn",
    "source.ip",
    "event.original",
)
"""The fields that are read from ECS documents, for a search that asks only for what is needed."""

_TELLING = tuple(_AWS + name for name in ("event_version", "user_identity.type", "recipient_account_id"))
_MARKS = ("_source", "fields", "aws", "event", "event.dataset", *_TELLING)
"""Of which every such document has one at its top."""


def is_ecs(record: Record) -> bool:
    """Whether this is a document of the aws.cloudtrail integration, or a hit that holds one."""
    if record.keys().isdisjoint(_MARKS):
        return False
    document = hit(record)
    if is_alert(document):
        return False
    aws = document.get("aws")
    if isinstance(aws, dict):
        return "cloudtrail" in aws
    if first(document, "event.dataset") == "aws.cloudtrail":
        return True
    return not document.keys().isdisjoint(_TELLING)


_NAMES = tuple(field for _, field, _ in FIELDS)


def _plan(names: Iterable[str]) -> tuple[list[tuple[int, str]], list[int]]:
    """Where each object lies (in which one, by which key), outer ones first, and which ones are wanted.

    >>> _plan(["a.b.c", "a.d", ""])
    ([(0, 'a'), (1, 'b'), (2, 'c'), (1, 'd')], [3, 4, -1])
    """
    steps: dict[tuple[int, str], int] = {}
    wanted = []
    for name in names:
        at = 0 if name else -1
        for key in name.split(".") if name else ():
            at = steps.setdefault((at, key), len(steps) + 1)
        wanted.append(at)
    return list(steps), wanted


_STEPS, _WANTED = _plan(_NAMES)


def ecs_values(document: Record) -> Values:
    """Values of a document, flattened or nested."""
    lists = [document.get(name) for name in _NAMES] if "event.action" in document else _nested(document)
    values = [v[0] if v.__class__ is list and v else v for v in lists]
    values[_ADDRESS] = values[_ADDRESS] or first(document, "source.ip")
    owners, arn = owners_of(_ecs_resources(document))
    source = values[_SOURCE]
    wanted = source.__class__ is str and source in TARGETS
    target = target_of(source, _tree(document, "request_parameters")) if wanted else ""
    return (*values, owners, target or arn)


def _nested(document: Record) -> list[Any]:
    nodes: list[Any] = [document]
    for index, key in _STEPS:
        node = nodes[index]
        nodes.append(node.get(key) if node.__class__ is dict else None)
    nodes.append(None)
    return [nodes[index] for index in _WANTED]


def _tree(document: Record, name: str) -> Any:
    """Parameters as an object: kept as one since 2021, before that as Java text only."""
    tree = first(document, f"{_AWS}flattened.{name}")
    return tree if isinstance(tree, dict) else java_map(first(document, _AWS + name))


def from_ecs(record: Record) -> Record:
    """A native record out of `event.original`, or out of the ECS fields."""
    document = hit(record)
    original = first(document, "event.original")
    if isinstance(original, str) and original.lstrip()[:1] == "{":
        try:
            return object_of(original)
        except RejectError:
            if not isinstance(first(document, "event.action"), str):
                raise
    flat = {path: first(document, name) for path, name in ECS.items()}
    native = unflatten({**flat, "sourceIPAddress": flat["sourceIPAddress"] or first(document, "source.ip")})
    for path, name in _ECS_DEEP.items():
        native[path] = _tree(document, name)
    native["resources"] = _ecs_resources(document)
    return native


def first(document: Record, name: str) -> Any:
    """A field's value, flattened (in a list of one) or nested."""
    value = document.get(name)
    if value is None:
        value = at(document, name)
    return value[0] if value.__class__ is list and value else value


def _ecs_resources(document: Record) -> list[dict[str, Any]]:
    found = at(document, _RESOURCES)
    if found is None:
        found = document.get(_RESOURCES)
    if found.__class__ is list:
        kept = [r for r in found if r.__class__ is dict]
        return [{"accountId": r.get("account_id"), "ARN": r.get("arn") or r.get("ARN")} for r in kept]
    accounts, arns = document.get(_RESOURCES + ".account_id"), document.get(_RESOURCES + ".arn")
    return [*({"accountId": account} for account in split(accounts)), *({"ARN": arn} for arn in split(arns))]


NAME = "cloudtrail"
SPLUNK_SOURCETYPES = ("aws:cloudtrail",)
ELASTIC_INDICES = ("logs-aws.cloudtrail-*",)

_CALLS_OF_NOBODY = frozenset({"insightDetails", "digestS3Object"})
"""What Insights and digests have: CloudTrail's own records, which tell of no call (`no_action`)."""
_DOMAIN = ".amazonaws.com"
_ID, _AGENT = 256, 2048
_TOLD = itemgetter(*range(2, PATHS.index("sessionCredentialFromConsole")),
                   *range(PATHS.index("userIdentity.type"), PATHS.index("userIdentity.userName")))  # fmt: skip
"""Of a record's values those that all shapes tell alike."""
_FIRST, _LAST = "2006", "2100"
_SESSIONS = ("AssumedRole", "FederatedUser")
_WITH_SESSION = ("AWSAccount", "Role", None, "")
"""Types whose principalId is `ID:session` where there is no issuer to name the role."""
_DENIED = re.compile(r"AccessDenied|Unauthorized|AuthFailure|AuthorizationError|NotAuthorized|Forbidden")
_FINE = re.compile(r"2\d\d")
_MODEL_CALLS = ("InvokeModel", "Converse", "CallWithBearerToken")
_LOWERED = {
    name.lower(): name
    for name in ("eventTime", "eventID", "eventSource", "eventName", "errorCode", "errorMessage", "awsRegion",
                 "sourceIPAddress", "userAgent", "userIdentity", "recipientAccountId", "vpcEndpointId",
                 "vpcEndpointAccountId", "readOnly", "requestParameters", "responseElements", "additionalEventData",
                 "serviceEventDetails", "sharedEventID", "tlsDetails")
}  # fmt: skip
"""Athena and data lakes lower the names of columns."""


def claims(record: object) -> bool:
    """Whether the record is CloudTrail's, in any of its three shapes."""
    if record.__class__ is not dict:
        return False
    record = cast(Record, record)
    if "eventName" in record and ("eventSource" in record or "userIdentity" in record):
        return True
    raw = record.get("_raw")
    if raw.__class__ is str:
        named = '"eventName"' in raw and '"eventSource"' in raw
        return named or '"CloudTrailEvent"' in raw or ('"eventname"' in raw and '"eventsource"' in raw)
    return is_ecs(record) or is_wrapped(record) or not _CALLS_OF_NOBODY.isdisjoint(record)


def _trimmed(values: Values) -> tuple[Values, str]:
    """The values without what changes from record to record (time, id, message, session, target); and the session."""
    (_, _, source, name, error, message, region, address, agent, recipient, endpoint, console, owner, read_only,
     kind, principal, arn, account, key, user, invoked_by, provider, issuer_id, issuer_arn, mfa, person, owners,
     _) = values  # fmt: skip
    session = ""
    if key.__class__ is str and key[:4] == "ASIA":
        session, key = key[:_ID], "ASIA"
    if issuer_id and issuer_arn.__class__ is str and kind in _SESSIONS:
        if SSO_ROLE not in issuer_arn:
            principal = arn = user = None
    elif principal.__class__ is str and kind in _WITH_SESSION:
        principal = principal.partition(":")[0]
    if error is None and message:
        error = "Unspecified"
    if kind != PERSON:
        person = None
    return (
        source, name, error, region, address, agent, recipient, endpoint, console, owner, read_only, kind,
        principal, arn, account, key, user, invoked_by, provider, issuer_id, issuer_arn, mfa, person, owners,
    ), session  # fmt: skip


def read(record: object) -> Event:
    """The Event of a record of any shape.

    Raises:
        RejectError: with one of the reasons above.
    """
    if not isinstance(record, dict):
        raise RejectError("not_object", f"the record is no object but {type(record).__name__}")
    values = values_of(record)
    name = values[3]
    if name is None and not _CALLS_OF_NOBODY.isdisjoint(record):
        raise RejectError("no_action", "CloudTrail's own record, an Insight or a digest of log files: no call")
    seconds = _seconds(values[0])
    shape, session = _trimmed(values)
    made = filled(_event(shape), seconds, _record_id(values, record, seconds), session, values[-1])
    return deepen(to_native(record), name, made) if is_deep(name) else made


def is_deep(name: object) -> bool:
    """Whether a call is one of those whose parameters and answer count as well."""
    return name.__class__ is str and name in DEEP


def _seconds(time: object) -> int:
    if time in (None, ""):
        raise RejectError("no_time", "eventTime is missing")
    seconds = parse(time)
    if not _FIRST <= cast(str, time) < _LAST:
        raise RejectError("clock", f"eventTime {cast(str, time)[:40]!r} is not between {_FIRST} and {_LAST}")
    return seconds


def _record_id(values: Values, record: Record, seconds: int) -> str:
    """eventID, or a digest of what all three shapes tell."""
    told = values[1]
    if told and isinstance(told, str):
        return told[:_ID]
    content = [seconds, [*map(_text, _TOLD(values))], _plain(to_native(record).get("requestParameters")) or ""]
    return "sha256:" + sha256(dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _plain(value: Any, depth: int = 0) -> Any:
    """A tree without empty parts, its leaves as text: as the least talkative shape has it."""
    if depth > 20:
        return ""
    if isinstance(value, dict):
        parts = {str(k): _plain(v, depth + 1) for k, v in value.items()}
        return {k: v for k, v in parts.items() if v not in ("", None, {}, [])}
    if isinstance(value, list):
        return [v for v in (_plain(v, depth + 1) for v in value) if v not in ("", None, {}, [])]
    return ("true" if value else "false") if isinstance(value, bool) else "" if value is None else str(value)


def _event(shape: Values) -> Event:
    """The Event of a shape, without what differs from record to record."""
    try:
        return _event_of(shape)
    except TypeError:  # an unhashable value, of the wrong type therefore
        return _event_of(tuple([None if isinstance(v, (dict, list)) else v for v in shape]))


@lru_cache(maxsize=16_384)  # with 4,096 a third of 1,700 machines' records were read anew; 25 MB more
def _event_of(shape: Values) -> Event:
    (source, name, error, region, address, agent, recipient, endpoint, console, owner, read_only, kind, principal, arn,
     account, key, user, invoked, provider, issuer_id, issuer_arn, mfa, person, owners) = map(_text, shape)  # fmt: skip
    if not source or not name:
        raise RejectError("no_action", "eventSource or eventName is missing or no text")
    error = "" if _FINE.fullmatch(error) else error
    address = _caller(address) if "," in address else address
    service = source.strip()[:64].lower().partition(_DOMAIN)[0]
    operation = actions.canonical(name.strip()[:100])
    identity = identify(Actor(
        kind, principal, arn, account, user, invoked, issuer_id, issuer_arn, provider, person, address=address,
        recipient=recipient,
    ))  # fmt: skip
    home = recipient or identity.account
    refused = "ValidationException" in error and operation.startswith(_MODEL_CALLS)
    abroad = owner if owner not in (identity.account, home) else ""
    marks = {
        "mfa": mfa.lower() == "true",
        "console": console.lower() == "true" or invoked.startswith("signin."),
        "probe": refused or "DryRunOperation" in error,
        "cross_account": identity.account and recipient and identity.account != recipient,
    }
    return event(
        0, identity, f"{service}:{operation}", provider="aws", account=home, credential=key if key != "ASIA" else "",
        credential_type=_credential_type(kind, key, identity.kind), access=_access(service, operation, read_only),
        outcome=_outcome(error), error=error[:128], address=address,
        network=_network(address, invoked, endpoint, abroad), user_agent=agent, region=region[:64], marks=marks,
        target_class=_target_class(identity.account, owners or home),
    )  # fmt: skip


def _text(value: object) -> str:
    """Bounded text; truth values as Splunk spells them; anything else counts as not told.

    1 is taken for True, because shapes that are equal to Python must give equal Events.
    """
    if isinstance(value, str):
        return value[:_AGENT]
    return "true" if value == 1 else "false" if value == 0 else ""


def _outcome(error: str) -> str:
    if not error:
        return "success"
    return "denied" if _DENIED.search(error) else "failure"


def _caller(listed: str) -> str:
    """Who called the last proxy of a list `client, proxy, …`."""
    told = [address.strip() for address in listed.split(",")]
    public = (one for one in reversed(told) if networks.describe(networks.network_of(one)).kind != "private")
    return next(public, told[-1])


def _access(service: str, operation: str, read_only: str) -> str:
    level = actions.access(service, operation)
    if level == "unknown" and read_only:
        return "read" if read_only.lower() == "true" else "write"
    return level


def _credential_type(kind: str, key: str, identity_kind: str) -> str:
    if identity_kind in ("service", "web_identity"):
        return identity_kind
    if key == "ASIA" or kind in _SESSIONS:
        return "session"
    return "key" if key else "none"


def _network(address: str, invoked: str, endpoint: str, abroad: str) -> str:
    if invoked.endswith(_DOMAIN) and not invoked.startswith("signin."):
        return networks.network_of(invoked)
    if endpoint and abroad:
        return networks.endpoint_of(abroad[:12], endpoint[:64])
    found = networks.network_of(address)
    private = endpoint and (not found or networks.describe(found).kind == "private")
    return f"vpce:{endpoint[:64]}" if private else found


def _target_class(account: str, owners: str) -> str:
    if not account or not owners:
        return ""
    return "own" if set(owners.split(",")) == {account} else "foreign"


def values_of(record: Record) -> Values:
    """Values of a record of any shape, the cheap way: extracted Splunk fields are not made a record first."""
    if record.get("userIdentity").__class__ is dict:
        return native_values(record)
    is_row = is_splunk(record)
    if is_row and has_fields(record):
        return splunk_values(record)
    if is_ecs(record):
        document = hit(record)
        if first(document, "event.original") is None:
            return ecs_values(document)
    elif not is_row:
        return native_values(unwrapped(record))
    return native_values(to_native(record))


def to_native(record: Record) -> Record:
    """Any of the three shapes as a native record.

    Raises:
        RejectError: `not_object`, `bad_json`, `too_deep`, of the JSON text inside.
    """
    if isinstance(record.get("userIdentity"), dict):
        return record
    if is_splunk(record):
        return unwrapped(from_splunk(record))
    return unwrapped(from_ecs(record) if is_ecs(record) else record)


def is_wrapped(record: Record) -> bool:
    """Whether it is an answer of LookupEvents, EventBridge's, or a row of a table that lowers names."""
    detail = record.get("detail")
    if detail.__class__ is dict:
        return "eventSource" in detail and "eventName" in detail
    return (
        "CloudTrailEvent" in record
        or "detail.eventSource" in record
        or ("eventname" in record and "eventsource" in record)
    )


def unwrapped(record: Record) -> Record:
    """The record inside an answer of LookupEvents, or inside what EventBridge delivers.

    Raises:
        RejectError: `not_object`, `bad_json`, `too_deep`, of the JSON text inside.

    >>> unwrapped({"CloudTrailEvent": '{"eventName": "x"}'}), unwrapped({"detail": {"eventSource": 1, "eventName": 2}})
    ({'eventName': 'x'}, {'eventSource': 1, 'eventName': 2})
    """
    if not is_wrapped(record):
        return record
    if "eventname" in record:
        row = unflatten(record) if any("." in name for name in record if isinstance(name, str)) else record
        return {_LOWERED.get(name, name): value for name, value in row.items()}
    inner = record.get("CloudTrailEvent")
    if isinstance(inner, str):
        return object_of(inner)
    detail = record.get("detail") or unflatten(record).get("detail")
    return detail if isinstance(detail, dict) else record
