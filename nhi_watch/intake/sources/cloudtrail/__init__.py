"""AWS CloudTrail: management and data events of an AWS account.

Every record, whatever its shape, becomes one tuple of raw values (`_cloudtrail_shapes`); one function makes
the Event of it, and `_cloudtrail_traits` adds what only the parameters of a call tell. Decisions:

- Outcome `denied` is a refusal for lack of permission; a record with a message but no code has failed.
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
from typing import Any, Optional, cast

from nhi_watch.context import actions, agents, networks
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.identity import SSO_ROLE, Actor, identify
from nhi_watch.core.timestamps import parse
from nhi_watch.intake.sources import Peek
from nhi_watch.intake.sources.cloudtrail.ecs import is_ecs
from nhi_watch.intake.sources.cloudtrail.native import PATHS, Raw, Record, native_values
from nhi_watch.intake.sources.cloudtrail.shapes import is_wrapped, raw_values, to_native
from nhi_watch.intake.sources.cloudtrail.traits import DEEP, Deep, deepen

NAME = "cloudtrail"
SPLUNK_SOURCETYPES = ("aws:cloudtrail",)
ELASTIC_INDICES = ("logs-aws.cloudtrail-*",)

_DOMAIN = ".amazonaws.com"
_ID, _NAME, _AGENT = 256, 512, 2048
_SHARED = PATHS.index("userIdentity.userName")  # up to here, all shapes have the same values in Raw
_FIRST, _LAST = "2006", "2100"
_TRUE = (True, "true", "True")
_SESSIONS = ("AssumedRole", "FederatedUser")
_WITH_SESSION = ("AWSAccount", "Role", None, "")
"""Types whose principalId is `ID:session` where there is no issuer to name the role."""
_DENIED = re.compile(r"AccessDenied|Unauthorized|AuthFailure|AuthorizationError|NotAuthorized|Forbidden")
_MODEL_CALLS = ("InvokeModel", "Converse", "CallWithBearerToken")


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
    return is_ecs(record) or is_wrapped(record)


def peek(record: object) -> Optional[Peek]:
    """The cheap reading of an ordinary record; None: needs `read`.

    A plain tuple in Peek's order is returned: making the named one takes as long as a third of the reading.
    """
    try:
        of = cast(Record, record)
        raw = native_values(of) if of.get("userIdentity").__class__ is dict else raw_values(of)
    except (RejectError, TypeError, AttributeError):
        return None
    time, record_id = raw[0], raw[1]
    if raw[3].__class__ is not str or raw[3] in DEEP:
        return None
    if time.__class__ is not str or record_id.__class__ is not str or not record_id:
        return None
    if not _FIRST <= time < _LAST:
        return None
    shape, session = _trimmed(raw)
    return cast(Peek, (shape, time, record_id[:_ID], session, raw[-1]))


def _trimmed(raw: Raw) -> tuple[tuple[object, ...], str]:
    """Raw without what changes from session to session, and the session."""
    (_, _, source, name, error, message, region, address, user_agent, recipient, endpoint, kind, principal,
     arn, account, key, user, invoked, issuer_id, issuer_arn, mfa, console, read_only, provider, person,
     owners, _) = raw  # fmt: skip
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
    return (
        source, name, error, region, address, user_agent, recipient, endpoint, kind, principal, arn, account,
        key, user, invoked, issuer_id, issuer_arn, mfa, console, read_only, provider, person, owners,
    ), session  # fmt: skip


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    if not isinstance(record, dict):
        raise RejectError("not_object", f"the record is no object but {type(record).__name__}")
    raw = raw_values(record)
    seconds = _seconds(raw[0])
    shape, session = _trimmed(raw)
    event = _event(shape)
    deep = deepen(to_native(record), raw[3], event) if raw[3] in DEEP else Deep()
    return event._replace(
        time=seconds,
        record_id=_record_id(raw, record, seconds),
        session=session,
        target=raw[-1],
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
    if isinstance(raw[1], str) and raw[1]:
        return raw[1][:_ID]
    told = [_text(value) for value in raw[2:_SHARED]]
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


def _event(shape: tuple[object, ...]) -> Event:
    """The Event of a shape, without what differs from record to record."""
    try:
        return _event_of(shape)
    except TypeError:  # an unhashable value, of the wrong type therefore
        return _event_of(tuple(None if isinstance(v, (dict, list)) else v for v in shape))


@lru_cache(maxsize=4096)
def _event_of(shape: tuple[object, ...]) -> Event:
    (source, name, error, region, address, user_agent, recipient, endpoint, kind, principal, arn, account,
     key, user, invoked, issuer_id, issuer_arn, mfa, console, read_only, provider, person,
     owners) = map(_text, shape)  # fmt: skip
    if not source or not name:
        raise RejectError("no_action", "eventSource or eventName is missing or no text")
    service = source.strip()[:64].lower().partition(_DOMAIN)[0]
    operation = actions.canonical(name.strip()[:100])
    actor = Actor(kind, principal, arn, account, user, invoked, issuer_id, issuer_arn, provider, person)
    identity = identify(actor._replace(address=address, recipient=recipient))
    home = recipient or identity.account
    traits = _traits((operation, error), user_agent, invoked, (mfa, console))
    if identity.account and recipient and identity.account != recipient:
        traits.append("cross_account")
    return Event(
        time=0,
        provider="aws",
        account=home,
        identity=identity,
        credential=key if key and key != "ASIA" else "",
        credential_type=_credential_type(kind, key, identity.kind),
        session="",
        action=f"{service}:{operation}"[:128],
        service=service,
        access=_access(service, operation, read_only),
        outcome=_outcome(error),
        error=error[:128],
        address=address[:128],
        network=_network(address, invoked, endpoint),
        agent=agents.family(user_agent),
        region=region[:64],
        target="",
        target_class=_target_class(identity.account, owners or home),
        traits=tuple(sorted(traits)),
        issued="",
        record_id="",
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
    by_console = console.lower() == "true" or family == "console" or invoked.startswith("signin.")
    refused = "ValidationException" in error and operation.startswith(_MODEL_CALLS)
    told = {
        "mfa": mfa.lower() == "true",
        "console": by_console or "exec-env/cloudshell" in user_agent.lower(),
        "browser": family == "browser",
        "attack_tool": agents.is_attack_tool(user_agent),
        "probe": refused or "DryRunOperation" in error,
    }
    return [trait for trait, holds in told.items() if holds]
