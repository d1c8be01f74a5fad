"""AWS CloudTrail: management and data events of an AWS account.

Every record, whatever its shape, becomes one `Raw` (`raw_values`); one function makes the Event of it, and `traits`
adds what only the parameters of a call tell. Decisions:

- Outcome `denied` is a refusal for lack of permission; a record with a message but no code has failed, one whose code
  is HTTP's for success (Managed Grafana writes 200) has not.
- Where a proxy lists addresses, the last public one counts: what stands before it the client may have written.
- Answers of LookupEvents (`CloudTrailEvent`) and EventBridge's deliveries (`detail`) are the record that they hold.
- The network is the calling service's, when `invokedBy` or the address names one (the console's proxy does
  not count: its address is the person's), the VPC endpoint's for a private address, else the address's.
- A record of a time before 2006 (AWS began) or from 2100 on is rejected as `clock`.
- Wrong types in values that nothing stands on count as not told.

Reject reasons: not_object, bad_json, too_deep, bad_type, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from json import dumps
from typing import Any, cast

from nhi_watch.context import actions, agents, networks
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.identity import PERSON, SSO_ROLE, Actor, identify
from nhi_watch.core.timestamps import parse
from nhi_watch.intake.shapes.unflatten import unflatten
from nhi_watch.intake.shapes.values import filled
from nhi_watch.intake.sources.cloudtrail.native import (
    Raw,
    Record,
    ecs_document,
    ecs_values,
    first,
    from_ecs,
    from_splunk,
    has_fields,
    is_ecs,
    is_splunk,
    native_values,
    parse_json,
    splunk_values,
)
from nhi_watch.intake.sources.cloudtrail.traits import DEEP, deepen

NAME = "cloudtrail"
SPLUNK_SOURCETYPES = ("aws:cloudtrail",)
ELASTIC_INDICES = ("logs-aws.cloudtrail-*",)

_CALLS_OF_NOBODY = frozenset({"insightDetails", "digestS3Object"})
"""What Insights and digests have: CloudTrail's own records, which tell of no call (`no_action`)."""
_DOMAIN = ".amazonaws.com"
_ID, _NAME, _AGENT = 256, 512, 2048
_CALL, _SHARED = Raw._fields.index("source"), Raw._fields.index("user")
"""Between them, all shapes have the same values in Raw."""
Values = tuple[Any, ...]
"""Those of a Raw."""
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
                 "sourceIPAddress", "userAgent", "userIdentity", "recipientAccountId", "vpcEndpointId", "readOnly",
                 "requestParameters", "responseElements", "additionalEventData", "serviceEventDetails",
                 "sharedEventID", "tlsDetails")
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


def _trimmed(raw: Raw) -> tuple[Values, str]:
    """Raw without what changes from record to record (time, id, message, session, target); and the session."""
    (_, _, source, name, error, message, region, address, agent, recipient, endpoint, kind, principal, arn,
     account, key, user, invoked_by, issuer_id, issuer_arn, mfa, console, read_only, provider, person, owners,
     _) = raw  # fmt: skip
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
        None, None, source, name, error, None, region, address, agent, recipient, endpoint, kind, principal, arn,
        account, key, user, invoked_by, issuer_id, issuer_arn, mfa, console, read_only, provider, person, owners, "",
    ), session  # fmt: skip


def read(record: object) -> Event:
    """The Event of a record of any shape.

    Raises:
        RejectError: with one of the reasons above.
    """
    if not isinstance(record, dict):
        raise RejectError("not_object", f"the record is no object but {type(record).__name__}")
    raw = raw_values(record)
    if raw.name is None and not _CALLS_OF_NOBODY.isdisjoint(record):
        raise RejectError("no_action", "CloudTrail's own record, an Insight or a digest of log files: no call")
    seconds = _seconds(raw.time)
    shape, session = _trimmed(raw)
    event = filled(_event(shape), seconds, _record_id(raw, record, seconds), session, raw.target)
    return _deepened(event, record, raw.name) if is_deep(raw.name) else event


def is_deep(name: object) -> bool:
    """Whether a call is one of those whose parameters and answer count as well."""
    return name.__class__ is str and name in DEEP


def _deepened(event: Event, record: Record, name: str) -> Event:
    deep = deepen(to_native(record), name, event)
    return event._replace(
        identity=event.identity._replace(name=deep.name) if deep.name else event.identity,
        outcome=deep.outcome or event.outcome,
        error=deep.error or event.error,
        target_class=deep.target_class or event.target_class,
        traits=tuple(sorted({*event.traits, *deep.traits})) if deep.traits else event.traits,
        issued=deep.issued,
    )


def _seconds(time: object) -> int:
    if time in (None, ""):
        raise RejectError("no_time", "eventTime is missing")
    seconds = parse(time)
    if not _FIRST <= cast(str, time) < _LAST:
        raise RejectError("clock", f"eventTime {cast(str, time)[:40]!r} is not between {_FIRST} and {_LAST}")
    return seconds


def _record_id(raw: Raw, record: Record, seconds: int) -> str:
    """eventID, or a digest of what all three shapes tell."""
    if isinstance(raw.record_id, str) and raw.record_id:
        return raw.record_id[:_ID]
    told = [_text(value) for value in raw[_CALL:_SHARED]]
    content = [seconds, told, _plain(to_native(record).get("requestParameters")) or ""]
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
    of = Raw._make(map(_text, shape))
    if not of.source or not of.name:
        raise RejectError("no_action", "eventSource or eventName is missing or no text")
    if _FINE.fullmatch(of.error):
        of = of._replace(error="")
    if "," in of.address:
        of = of._replace(address=_caller(of.address))
    service = of.source.strip()[:64].lower().partition(_DOMAIN)[0]
    operation = actions.canonical(of.name.strip()[:100])
    identity = identify(Actor(
        of.kind, of.principal, of.arn, of.account, of.user, of.invoked_by, of.issuer_id, of.issuer_arn, of.provider,
        of.person, address=of.address, recipient=of.recipient,
    ))  # fmt: skip
    home = of.recipient or identity.account
    traits = _traits((operation, of.error), of.agent, of.invoked_by, (of.mfa, of.console))
    if identity.account and of.recipient and identity.account != of.recipient:
        traits.append("cross_account")
    return Event(
        time=0,
        provider="aws",
        account=home,
        identity=identity,
        credential=of.key if of.key != "ASIA" else "",
        credential_type=_credential_type(of.kind, of.key, identity.kind),
        session="",
        action=f"{service}:{operation}"[:128],
        service=service,
        access=_access(service, operation, of.read_only),
        outcome=_outcome(of.error),
        error=of.error[:128],
        address=of.address[:128],
        network=_network(of.address, of.invoked_by, of.endpoint),
        agent=agents.family(of.agent),
        region=of.region[:64],
        target_class=_target_class(identity.account, of.owners or home),
        traits=tuple(sorted(traits)),
    )


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


def _network(address: str, invoked: str, endpoint: str) -> str:
    if invoked.endswith(_DOMAIN) and not invoked.startswith("signin."):
        return networks.network_of(invoked)
    found = networks.network_of(address)
    private = endpoint and (not found or networks.describe(found).kind == "private")
    return f"vpce:{endpoint[:64]}" if private else found


def _target_class(account: str, owners: str) -> str:
    if not account or not owners:
        return ""
    return "own" if set(owners.split(",")) == {account} else "foreign"


def _traits(call: tuple[str, str], user_agent: str, invoked: str, evidence: tuple[str, str]) -> list[str]:
    """What the plain values tell."""
    operation, error = call
    mfa, console = evidence
    family = agents.family(user_agent)
    by_console = console.lower() == "true" or invoked.startswith("signin.")
    refused = "ValidationException" in error and operation.startswith(_MODEL_CALLS)
    told = {
        "mfa": mfa.lower() == "true",
        "console": by_console,
        "browser": family == "browser",
        "attack_tool": agents.is_attack_tool(user_agent),
        "probe": refused or "DryRunOperation" in error,
    }
    return [trait for trait, holds in told.items() if holds]


def raw_values(record: Record) -> Raw:
    """Raw of a record of any shape, the cheap way: extracted Splunk fields are not made a record first."""
    if record.get("userIdentity").__class__ is dict:
        return native_values(record)
    is_row = is_splunk(record)
    if is_row and has_fields(record):
        return splunk_values(record)
    if is_ecs(record):
        document = ecs_document(record)
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
        return parse_json(inner)
    detail = record.get("detail") or unflatten(record).get("detail")
    return detail if isinstance(detail, dict) else record
