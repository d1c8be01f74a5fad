"""AWS CloudTrail: management and data events of an AWS account.

Every record, however a host holds it, becomes one tuple of values (`parted`; `FIELDS` says which); one function
makes the Event of it, and `traits` adds what only the parameters of a call show. Decisions:

- Outcome `denied` is a refusal for lack of permission; a record with a message but no code has failed, one whose code
  is HTTP's for success (Managed Grafana writes 200) has not.
- Where a proxy lists addresses, the last public one counts: what stands before it the client may have written.
- Answers of LookupEvents (`CloudTrailEvent`) and EventBridge's deliveries (`detail`) are the record that they hold.
- The network is the calling service's, when `invokedBy` or the address names one (the console's proxy does
  not count: its address is the person's), the VPC endpoint's for a private address, else the address's. An endpoint of
  another account than the caller's and the trail's is a place in that account, whatever addresses its network has.
- `ec2RoleDelivery` says that EC2 handed the session to a machine: used from outside of AWS it is `instance_outside`.
- Logstash's codec for CloudTrail moves `eventTime` to `@timestamp`, so that counts where the former is missing.
- A record of a time before 2006 (AWS began) or from 2100 on is rejected as `clock`.
- Wrong types in values that nothing depends on count as missing.

Reject reasons: not_object, bad_json, too_deep, bad_type, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from hashlib import sha256
from ipaddress import ip_network
from json import dumps
from typing import Any, Optional, cast

from nhi_watch.context import actions, networks
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.identity import AWS, PERSON, SSO_ROLE, Actor, identify
from nhi_watch.core.remembered import remembered
from nhi_watch.core.timestamps import parse
from nhi_watch.intake.shapes.forms import at, dataset, hit, is_alert, object_of, of_document, of_row, rebuild
from nhi_watch.intake.shapes.values import build_event, filled, listed
from nhi_watch.intake.sources.cloudtrail.traits import DEEP, Record, deepen, leaves

Values = tuple[Any, ...]
"""The shape of a record: values of FIELDS as they came, and the accounts of the resources. Many records share one."""
Own = tuple[Any, Any, str, str]
"""What differs from record to record: time, id, session and target."""

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
    (
        _CONTEXT + "attributes.mfaAuthenticated",
        _OF_WHO + "session_context.mfa_authenticated",
        ("actor.session.is_mfa", "actor.session.mfa"),
    ),
    (_WHO + "onBehalfOf.userId", "actor.entity.id", ()),
    (_CONTEXT + "ec2RoleDelivery", "", ()),
)
"""Of each value the native path, which is the name of Splunk's field, too; the field of Elastic's integration, and the
first of OCSF's paths that has it. "" and (): where that shape does not have it, or needs more than another name."""
PATHS = tuple(native for native, _, _ in FIELDS)
ECS = {native: field for native, field, _ in FIELDS if field}
OCSF = {native: paths for native, _, paths in FIELDS}

TARGETS: dict[str, tuple[str, ...]] = {
    source: tuple(keys.split()) for source, keys in actions.table("cloudtrail")["targets"].items()
}
"""What a call touches: keys of requestParameters, the first one that is there."""
_NONE: tuple[str, ...] = ()
_EMPTY: dict[str, Any] = {}


def _keys(parent: str) -> tuple[str, ...]:
    """The names of FIELDS right below a native object; those of one object stand together."""
    return tuple(path[len(parent) :] for path in PATHS if path.startswith(parent) and "." not in path[len(parent) :])


_TOP, _ACTOR = _keys(""), _keys(_WHO)


def parted(record: Record) -> tuple[Values, Own]:
    """The shape of a native record, and its own values; a part of the wrong type counts as empty.

    Raises:
        RejectError: `bad_type`, when userIdentity is not an object.
    """
    actor = record.get("userIdentity") or _EMPTY
    if actor.__class__ is not dict:
        raise RejectError("bad_type", "userIdentity is not an object")
    of, issuer_id, issuer_arn, mfa, delivery = actor.get, None, None, None, None
    context = of("sessionContext")
    if context and context.__class__ is dict:
        delivery = context.get("ec2RoleDelivery")
        issuer, attributes = context.get("sessionIssuer"), context.get("attributes")
        if issuer.__class__ is dict:
            issuer_id, issuer_arn = issuer.get("principalId"), issuer.get("arn")
        if attributes.__class__ is dict:
            mfa = attributes.get("mfaAuthenticated")
    person, params, resources = of("onBehalfOf"), record.get("requestParameters"), record.get("resources")
    person = person.get("userId") if person.__class__ is dict else None
    (time, record_id, source, name, error, message, region, address, agent, recipient, endpoint, console, owner,
     read_only) = map(record.get, _TOP)  # fmt: skip
    kind, principal, arn, account, key, user, invoked_by, provider = map(of, _ACTOR)
    target = target_of(source, params) if params else ""
    owners, resource = owners_of(resources) if resources else (None, "")
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
        principal, arn, account, key, user, invoked_by, provider, issuer_id, issuer_arn, mfa, person, delivery, owners,
    ), (time, record_id, session, target or resource)  # fmt: skip


def target_of(source: Any, params: Any) -> str:
    """What the parameters of a service's call name as its target, or ""."""
    if params.__class__ is not dict or source.__class__ is not str:
        return ""
    get = params.get
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
        resource = resources[0]
        return resource.get("accountId"), joined(resource.get("ARN"))
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


SPLUNK_FIELDS = (
    *PATHS,
    "resources{}.accountId",
    "resources{}.ARN",
    *sorted({f"requestParameters.{key}{end}" for keys in TARGETS.values() for key in keys for end in ("", "{}")}),
)
"""The extracted fields that are read of events whose parameters do not matter."""


# ---- ecs
#
# CloudTrail as Elastic's aws.cloudtrail integration writes it, nested (`_source`) or flattened (`fields`).
#
# Names as in elastic/integrations, packages/aws/data_stream/cloudtrail, ingest pipeline default.yml. A
# document without `event.original` lacks three facts that the pipeline drops: sessionCredentialFromConsole,
# vpcEndpointAccountId and identityProvider; onBehalfOf is there where actors are mapped, no ARN stands in its place.


_ECS = {
    **ECS,
    "sourceIPAddress": (ECS["sourceIPAddress"], "source.ip"),
    "requestParameters": f"{_AWS}flattened.request_parameters",
    "responseElements": f"{_AWS}flattened.response_elements",
    "additionalEventData": f"{_AWS}flattened.additional_eventdata",
    "serviceEventDetails": f"{_AWS}flattened.service_event_details",
}
_RESOURCES = _AWS + "resources"
ECS_FIELDS = (
    *(field for paths in _ECS.values() for field in ((paths,) if isinstance(paths, str) else paths)),
    _RESOURCES + ".account_id",
    _RESOURCES + ".arn",
    "event.original",
)
"""The fields that are read from ECS documents, for a search that asks only for what is needed."""
_TELLING = tuple(_AWS + name for name in ("event_version", "user_identity.type", "recipient_account_id"))
_MARKS = ("_source", "fields", "aws", "event", "event.dataset", "data_stream", "data_stream.dataset", *_TELLING)
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
    return dataset(record) == "aws.cloudtrail" or not document.keys().isdisjoint(_TELLING)


def _of_ecs(document: Record) -> Record:
    raw_resources = at(document, _RESOURCES)
    resources_list = raw_resources if raw_resources.__class__ is list else []
    resources = [
        {"accountId": r.get("account_id"), "ARN": r.get("arn") or r.get("ARN")}
        for r in resources_list
        if r.__class__ is dict
    ]
    if raw_resources.__class__ is dict:
        resources = [
            {name: resource}
            for name, key in (("accountId", "account_id"), ("ARN", "arn"))
            for resource in listed(raw_resources.get(key))
        ]
    return {**rebuild(document, _ECS), "resources": resources}


NAME = "cloudtrail"
SPLUNK_SOURCETYPES = ("aws:cloudtrail",)
ELASTIC_INDICES = ("logs-aws.cloudtrail-*",)

_CALLS_OF_NOBODY = frozenset({"insightDetails", "digestS3Object"})
"""What Insights and digests have: CloudTrail's own records, which show no call (`no_action`)."""
_DOMAIN = ".amazonaws.com"
_ID, _AGENT = 256, 2048
_DETAILS = _TOP[_TOP.index("eventSource") : _TOP.index("sessionCredentialFromConsole")]
_ACTOR_FIELDS = _ACTOR[: _ACTOR.index("userName")]
"""Of a record's values those that are alike in all shapes."""
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


def read(record: object) -> Event:
    """The Event of a record of any shape.

    Raises:
        RejectError: with one of the reasons above.
    """
    if not isinstance(record, dict):
        raise RejectError("not_object", f"the record is not an object but {type(record).__name__}")
    native = to_native(record)
    shape, (time, text, session, target) = parted(native)
    name = shape[1]
    if name is None and not _CALLS_OF_NOBODY.isdisjoint(record):
        raise RejectError("no_action", "a CloudTrail Insight or a digest of log files: not a call")
    seconds = _seconds(time or native.get("@timestamp") or record.get("@timestamp"))
    event = filled(_event(shape), seconds, _record_id(text, native, seconds), session, target)
    return deepen(native, name, event) if is_deep(name) else event


def is_deep(name: object) -> bool:
    """Whether a call is one of those whose parameters and answer count as well."""
    return name.__class__ is str and name in DEEP


def _seconds(time: object) -> int:
    if time in (None, ""):
        raise RejectError("no_time", "eventTime is missing")
    seconds = parse(time)
    if isinstance(time, str) and not _FIRST <= time < _LAST:
        raise RejectError("clock", f"eventTime {time[:40]!r} is not between {_FIRST} and {_LAST}")
    return seconds


def _record_id(event_id: object, record: Record, seconds: int) -> str:
    """eventID, or a digest of what all three shapes have."""
    if event_id and isinstance(event_id, str):
        return event_id[:_ID]
    actor = record.get("userIdentity") or _EMPTY
    values = (*map(record.get, _DETAILS), *map(actor.get, _ACTOR_FIELDS))
    content = [seconds, [*map(_text, values)], _plain(record.get("requestParameters")) or ""]
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


@remembered(16_384)  # with 4,096 a third of 1,700 machines' records were read again; 25 MB more
def _event_of(shape: Values) -> Event:
    (
        source,
        name,
        error,
        region,
        address,
        agent,
        recipient,
        endpoint,
        console,
        owner,
        read_only,
        kind,
        principal,
        arn,
        account,
        key,
        user,
        invoked,
        provider,
        issuer_id,
        issuer_arn,
        mfa,
        person,
        delivery,
        owners,
    ) = map(_text, shape)
    if not source or not name:
        raise RejectError("no_action", "eventSource or eventName is missing or not text")
    error = "" if _FINE.fullmatch(error) else error
    address = _caller(address) if "," in address else address
    service = source.strip()[:64].lower().partition(_DOMAIN)[0]
    operation = actions.canonical(name.strip()[:100])
    identity = identify(
        Actor(
            kind,
            principal,
            arn,
            account,
            user,
            invoked,
            issuer_id,
            issuer_arn,
            provider,
            person,
            address=address,
            recipient=recipient,
        )
    )
    own_account = recipient or identity.account
    refused = "ValidationException" in error and operation.startswith(_MODEL_CALLS)
    abroad = owner if owner not in (identity.account, own_account) else ""
    network = _network(address, invoked, endpoint, abroad)
    marked_traits = {
        "mfa": mfa.lower() == "true",
        "console": console.lower() == "true" or invoked.startswith("signin."),
        "probe": refused or "DryRunOperation" in error,
        "cross_account": identity.account and recipient and identity.account != recipient,
        "instance_outside": delivery and _is_outside(network),
    }
    return build_event(
        0,
        identity,
        f"{service}:{operation}",
        provider="aws",
        account=own_account,
        credential=key if key != "ASIA" else "",
        credential_type=_credential_type(kind, key, identity.kind),
        access=_access(service, operation, read_only),
        outcome=_outcome(error),
        error=error[:128],
        address=address,
        network=network,
        user_agent=agent,
        region=region[:64],
        marks=marked_traits,
        target_class=_target_class(identity.account, owners or own_account),
    )


def _text(value: object) -> str:
    """Bounded text; truth values as Splunk spells them; anything else counts as missing.

    1 is taken for True, because shapes that are equal to Python must give equal Events.
    """
    if isinstance(value, str):
        return value[:_AGENT]
    return "true" if value == 1 else "false" if value == 0 else ""


def _outcome(error: str) -> str:
    if not error:
        return "success"
    return "denied" if _DENIED.search(error) else "failure"


def _caller(forwarded: str) -> str:
    """Who called the last proxy of a list `client, proxy, …`."""
    addresses = [address.strip() for address in forwarded.split(",")]
    public = (
        address for address in reversed(addresses) if networks.describe(networks.network_of(address)).kind != "private"
    )
    return next(public, addresses[-1])


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
    caller_network = networks.network_of(address)
    private = endpoint and (not caller_network or networks.describe(caller_network).kind == "private")
    return f"vpce:{endpoint[:64]}" if private else caller_network


def _is_outside(network: str) -> bool:
    """Whether a network is none of AWS's: what EC2 hands to a machine has no business there.

    >>> [_is_outside(one) for one in ("8.8.8.0/24", "52.95.110.0/24", "203.0.113.0/24", "vpce:vpce-1", "")]
    [True, False, False, False, False]
    """
    network_info = networks.describe(network)
    if not network or network_info.kind in ("private", "service") or network_info.owner == AWS:
        return False
    try:
        return ip_network(network).is_global  # no address of a documentation's or of a test
    except ValueError:
        return network_info.kind == "hosting"  # an endpoint in another account, where an own one is of no kind


def _target_class(account: str, owners: str) -> str:
    if not account or not owners:
        return ""
    return "own" if set(owners.split(",")) == {account} else "foreign"


def to_native(record: Record) -> Record:
    """A record of any shape as CloudTrail wrote it.

    Raises:
        RejectError: `not_object`, `bad_json`, `too_deep`, of the JSON text inside.
    """
    if record.get("userIdentity").__class__ is dict:
        return record
    if "_raw" not in record and is_ecs(record):
        tree, is_document = of_document(record)
        return unwrapped(_of_ecs(tree) if is_document else tree)
    raw: Any = record.get("_raw")
    alone = raw.__class__ is str and raw[:1] == "{" and not record.get("eventName")
    return unwrapped(object_of(raw) if alone else of_row(record))


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
        return {_LOWERED.get(name, name): value for name, value in record.items()}
    inner = record.get("CloudTrailEvent")
    return object_of(inner) if isinstance(inner, str) else record.get("detail") or record
