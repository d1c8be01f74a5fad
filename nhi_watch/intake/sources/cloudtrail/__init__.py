"""AWS CloudTrail: management and data events of an AWS account.

Every record, whatever its shape, becomes one tuple of values (`values_of`; `native.FIELDS` tells which); one function
makes the Event of it, and `traits` adds what only the parameters of a call tell. Decisions:

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
from operator import itemgetter
from typing import Any, cast

from nhi_watch.context import actions, networks
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.identity import PERSON, SSO_ROLE, Actor, identify
from nhi_watch.core.timestamps import parse
from nhi_watch.intake.shapes.forms import hit, object_of
from nhi_watch.intake.shapes.unflatten import unflatten
from nhi_watch.intake.shapes.values import event, filled
from nhi_watch.intake.sources.cloudtrail.native import (
    PATHS,
    Record,
    Values,
    ecs_values,
    first,
    from_ecs,
    from_splunk,
    has_fields,
    is_ecs,
    is_splunk,
    native_values,
    splunk_values,
)
from nhi_watch.intake.sources.cloudtrail.traits import DEEP, deepen

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


def _trimmed(values: Values) -> tuple[Values, str]:
    """The values without what changes from record to record (time, id, message, session, target); and the session."""
    (_, _, source, name, error, message, region, address, agent, recipient, endpoint, console, read_only, kind,
     principal, arn, account, key, user, invoked_by, provider, issuer_id, issuer_arn, mfa, person, owners,
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
        source, name, error, region, address, agent, recipient, endpoint, console, read_only, kind, principal, arn,
        account, key, user, invoked_by, provider, issuer_id, issuer_arn, mfa, person, owners,
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
    (source, name, error, region, address, agent, recipient, endpoint, console, read_only, kind, principal, arn,
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
    marks = {
        "mfa": mfa.lower() == "true",
        "console": console.lower() == "true" or invoked.startswith("signin."),
        "probe": refused or "DryRunOperation" in error,
        "cross_account": identity.account and recipient and identity.account != recipient,
    }
    return event(
        0, identity, f"{service}:{operation}", provider="aws", account=home, credential=key if key != "ASIA" else "",
        credential_type=_credential_type(kind, key, identity.kind), access=_access(service, operation, read_only),
        outcome=_outcome(error), error=error[:128], address=address, network=_network(address, invoked, endpoint),
        user_agent=agent, region=region[:64], target_class=_target_class(identity.account, owners or home),
        marks=marks,
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
