"""A CloudTrail document's bytes → what `cloudtrail.peek` would say, without making objects of what nobody reads.

The fields are those of `sources/_cloudtrail_ecs`, which stays the reference: a document that holds anything
unusual (a list where one value is ordinary, dotted names, parameters kept as Java text only) is left to it.
"""

from __future__ import annotations

from typing import Any, Optional

import msgspec

from nhi_watch.intake.sources import Peek
from nhi_watch.intake.sources.cloudtrail import _FIRST as FIRST
from nhi_watch.intake.sources.cloudtrail import _ID as LONGEST_ID
from nhi_watch.intake.sources.cloudtrail import _LAST as LAST
from nhi_watch.intake.sources.cloudtrail import _trimmed as trimmed
from nhi_watch.intake.sources.cloudtrail.native import TARGETS, owners_of, target_of
from nhi_watch.intake.sources.cloudtrail.traits import DEEP

_RAW = msgspec.Raw(b"")


class _Event(msgspec.Struct, gc=False):
    id: Any = None
    provider: Any = None
    action: Any = None
    original: Any = None


class _Issuer(msgspec.Struct, gc=False):
    principal_id: Any = None
    arn: Any = None


class _Context(msgspec.Struct, gc=False):
    session_issuer: Optional[_Issuer] = None
    mfa_authenticated: Any = None


class _Who(msgspec.Struct, gc=False):
    type: Any = None
    arn: Any = None
    access_key_id: Any = None
    invoked_by: Any = None
    session_context: Optional[_Context] = None


class _Flattened(msgspec.Struct, gc=False):
    request_parameters: msgspec.Raw = _RAW


class _Trail(msgspec.Struct, gc=False):
    user_identity: Optional[_Who] = None
    error_code: Any = None
    error_message: Any = None
    recipient_account_id: Any = None
    vpc_endpoint_id: Any = None
    read_only: Any = None
    request_parameters: msgspec.Raw = _RAW
    resources: msgspec.Raw = _RAW
    flattened: Optional[_Flattened] = None


class _Aws(msgspec.Struct, gc=False):
    cloudtrail: Optional[_Trail] = None


class _Id(msgspec.Struct, gc=False):
    id: Any = None


class _Cloud(msgspec.Struct, gc=False):
    region: Any = None
    account: Optional[_Id] = None


class _Source(msgspec.Struct, gc=False):
    address: Any = None
    ip: Any = None


class _Agent(msgspec.Struct, gc=False):
    original: Any = None


class _User(msgspec.Struct, gc=False):
    id: Any = None
    name: Any = None


class Document(msgspec.Struct, gc=False):
    event: Optional[_Event] = None
    aws: Optional[_Aws] = None
    cloud: Optional[_Cloud] = None
    source: Optional[_Source] = None
    user_agent: Optional[_Agent] = None
    user: Optional[_User] = None
    time: Any = msgspec.field(name="@timestamp", default=None)


class _OnlyEvent(msgspec.Struct, gc=False):
    event: Optional[_Event] = None


_decode = msgspec.json.Decoder(Document).decode
_plain = msgspec.json.Decoder().decode
_decode_event = msgspec.json.Decoder(_OnlyEvent).decode
REFUSALS = (msgspec.DecodeError, UnicodeError, RecursionError)
_NOBODY, _NOTHING, _NO_ISSUER = _Who(), _Flattened(), _Issuer()
_NO_CONTEXT, _NOWHERE, _NO_ADDRESS, _NO_AGENT, _NO_USER = _Context(), _Cloud(), _Source(), _Agent(), _User()


def original(source: bytes) -> Optional[bytes]:
    """The bytes of `event.original` where it is JSON's, else None.

    >>> original(b'{"event":{"original":"{}"},"x":1}'), original(b'{"event":{"id":"1"}}')
    (b'{}', None)
    """
    if b'"original":"{' not in source:
        return None
    try:
        event = _decode_event(source).event
        text = event.original if event is not None else None
        return text.encode() if text.__class__ is str and text[:1] == "{" else None
    except REFUSALS:
        return None


def decode(source: bytes) -> Optional[Document]:
    """The fields that matter; None where the document is built differently."""
    try:
        return _decode(source)
    except REFUSALS:
        return None


def is_trail(of: Optional[Document]) -> bool:
    """Whether the document is CloudTrail's, beyond doubt."""
    return of is not None and of.aws is not None and of.aws.cloudtrail is not None


def peek(of: Document) -> Optional[Peek]:
    """The cheap reading of an ordinary CloudTrail document without `event.original`; None: needs the long way."""
    event, trail = of.event, of.aws and of.aws.cloudtrail
    if event is None or not trail or event.original is not None or event.action.__class__ is not str:
        return None
    time, record_id = of.time, event.id
    if event.action in DEEP or time.__class__ is not str or record_id.__class__ is not str or not record_id:
        return None
    if time.endswith(".000Z"):
        time = f"{time[:-5]}Z"
    target = _target(event.provider, trail)
    if target is None or not FIRST <= time < LAST:
        return None
    shape, session = trimmed(_raw(of, trail, (time, record_id), target))
    return shape, time, record_id[:LONGEST_ID], session, target[1]  # type: ignore[return-value]


def _raw(of: Document, trail: _Trail, record: tuple[Any, Any], target: tuple[Any, str]) -> tuple[Any, ...]:
    """The values in the order of `_cloudtrail_native.PATHS`, then owners and target."""
    who = trail.user_identity or _NOBODY
    context = who.session_context or _NO_CONTEXT
    issuer = context.session_issuer or _NO_ISSUER
    cloud, place = of.cloud or _NOWHERE, of.source or _NO_ADDRESS
    agent, user = of.user_agent or _NO_AGENT, of.user or _NO_USER
    account = cloud.account.id if cloud.account is not None else None
    event: Any = of.event
    return (
        *record, event.provider, event.action, trail.error_code, trail.error_message, cloud.region,
        place.address or place.ip, agent.original, trail.recipient_account_id, trail.vpc_endpoint_id,
        who.type, user.id, who.arn, account, who.access_key_id, user.name, who.invoked_by,
        issuer.principal_id, issuer.arn, context.mfa_authenticated, None, trail.read_only, None, None, *target,
    )  # fmt: skip


def _target(provider: Any, trail: _Trail) -> Optional[tuple[Any, str]]:
    """Owners of the resources, and the target; None where only the long way can tell."""
    owners, arn = None, ""
    if trail.resources:
        listed = _plain(trail.resources)
        if listed.__class__ is not list:
            return None
        found = [r for r in listed if r.__class__ is dict]
        named = [{"accountId": r.get("account_id"), "ARN": r.get("arn") or r.get("ARN")} for r in found]
        owners, arn = owners_of(named)
    if provider.__class__ is not str or provider not in TARGETS:
        return owners, arn
    kept = (trail.flattened or _NOTHING).request_parameters
    if not kept:
        return None if trail.request_parameters else (owners, arn)
    parameters = _plain(kept)
    if parameters.__class__ is not dict:
        return None
    return owners, target_of(provider, parameters) or arn
