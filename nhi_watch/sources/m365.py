"""Microsoft 365: the unified audit log (Exchange, SharePoint, OneDrive, Teams, compliance, Entra's part of it).

Decisions:

- Identities are those of `_microsoft`, so that the app of a consent in Entra and the app that reads mail here are
  one. `ServicePrincipal_…` actors are apps; their application id is among the actors of directory records.
- Access with an app of another company than Microsoft is the app's doing, for whomever (`delegated`). With
  Microsoft's own apps it is the user's. Users are named by their sign-in name, because mailbox and file records
  tell no object id. Exchange's own service accounts (`NT AUTHORITY\\SYSTEM (…)`) are services.
- The service of an action is the workload; directory changes are `entra:…` as in Entra's own audit log.
- Sessions: the token (`AppAccessContext.UniqueTokenId`), else the sign-in session.
- Names of operations come with trailing dots and blanks, `CreationTime` without a zone: it is UTC.

Traits, besides browser, console and attack_tool, and those of `entra` for directory changes: delegated, mass_export
(a mailbox was synchronised or throttled, search results exported), other_mailbox (not the user's own),
mail_forwarding, hides_mail (a rule that deletes or moves), mailbox_grant, impersonation, logging_reduced, public,
shared_outside.

Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Optional, cast

from nhi_watch import agent, network
from nhi_watch.errors import RejectError
from nhi_watch.event import Event
from nhi_watch.sources import Peek, _m365_facts
from nhi_watch.sources import _microsoft as microsoft
from nhi_watch.sources._microsoft import guid, named
from nhi_watch.sources._shapes import at, dataset, native
from nhi_watch.sources._times import moment, spelled
from nhi_watch.sources._values import made_id, plain, text, texts

NAME = "m365"
SPLUNK_SOURCETYPES = ("o365:management:activity",)
ELASTIC_INDICES = ("logs-o365.audit-*",)

Row = Mapping[str, Any]
Parts = tuple[tuple[Any, ...], object, object, str, str]
# Elastic gives a few operations names of its own.
_ACTIONS = {
    "added-user-account": "Add user.",
    "modified-user-account": "Update user.",
    "deleted-user-account": "Delete user.",
    "added-users-to-group": "MemberAdded",
    "added-group-account-to": "TeamCreated",
}
_LOGONS = ("15", "9")
_NOBODY = ("", "")
_HTTP_AGENT = "User-Agent"


def claims(record: object) -> bool:
    """Whether the record is one of the unified audit log, in any of its three shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Row, record)
    if "Operation" in row:
        return "RecordType" in row or ("Workload" in row and "CreationTime" in row)
    raw = row.get("_raw")
    if raw.__class__ is str:
        return '"Operation"' in raw and '"Workload"' in raw and '"CreationTime"' in raw
    return dataset(row) == "o365.audit"


def peek(record: object) -> Optional[Peek]:
    """The cheap reading of a native record; see `nhi_watch.sources`."""
    if record.__class__ is not dict:
        return None
    row = cast(Row, record)
    record_id, time = row.get("Id"), row.get("CreationTime")
    if not microsoft.is_native(row) or record_id.__class__ is not str or not 1 < len(record_id) <= 256:
        return None
    when = spelled(time + "Z" if time.__class__ is str and len(time) == 19 else time)
    if when is None or row.get("Operation").__class__ is not str:
        return None
    try:
        shape, _, _, session, target = _parts(row)
    except (TypeError, AttributeError):
        return None
    if not shape[0]:
        return None
    return cast(Peek, (shape, when, record_id, session, target))


def _parts(row: Row) -> Parts:
    """What every record tells."""
    of = row.get
    workload = plain(of("Workload"))
    context = of("AppAccessContext")
    context = context if context.__class__ is dict else {}
    in_directory = workload == "AzureActiveDirectory"
    logon = plain(of("RecordType")) in _LOGONS
    more = named(of("ExtendedProperties")) if in_directory else {}
    client = plain(of("ClientIPAddress") or of("ClientIP") or of("ActorIpAddress"))
    app_id = of("ClientAppId") or of("AppId") or context.get("ClientAppId") or of("ApplicationId") or of("AadAppId")
    who = plain(of("UserId"))
    owner = plain(of("MailboxOwnerUPN"))
    operation = microsoft.operation(plain(of("Operation")))
    shape = (operation, *texts((
        workload, of("OrganizationId"), who, of("UserType"), None if "@" in who else of("UserKey"),
        None if in_directory else app_id, app_id if logon else None, client, _user_agent(row, more),
        of("ResultStatus"), of("LogonError") or _error_number(of("ErrorNumber")), _mail_access(row),
    )), _m365_facts.actor_of(row) if in_directory and "@" not in who else _NOBODY,
        bool(owner) and owner.lower() != who.lower(), _m365_facts.deepen(workload, operation, row),
    )  # fmt: skip
    session = plain(context.get("UniqueTokenId") or context.get("AADSessionId") or of("SessionId"))[:256]
    return shape, of("CreationTime"), of("Id"), session, _target(row, owner, in_directory and not logon)


def _error_number(value: object) -> str:
    told = plain(value)
    return "" if told == "0" else told


def _user_agent(row: Row, more: Mapping[str, str]) -> str:
    found = row.get("UserAgent") or more.get("UserAgent")
    if found:
        return plain(found)
    details = more.get("additionalDetails", "")
    if _HTTP_AGENT in details:
        return _agent_of(details)
    return _m365_facts.client_of(plain(row.get("ClientInfoString")))


@lru_cache(maxsize=2048)
def _agent_of(details: str) -> str:
    try:
        found = json.loads(details)
    except (ValueError, RecursionError):
        return ""
    return text(found.get(_HTTP_AGENT)) if isinstance(found, dict) else ""


def _mail_access(row: Row) -> str:
    """How mail was accessed: `Bind`, `Sync`, and whether so much that it was throttled."""
    if "OperationProperties" not in row:
        return ""
    told = named(row.get("OperationProperties"))
    return told.get("MailAccessType", "") + ("+" if told.get("IsThrottled") == "True" else "")


def _target(row: Row, owner: str, changed: bool) -> str:
    if changed:
        change = _m365_facts.change_of({"Target": row.get("Target")})
        return (change.name or change.id)[:200]
    return (owner or plain(row.get("SiteUrl") or row.get("ObjectId")).strip())[:200]


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    row = _native(record)
    shape, time, record_id, session, target = _parts(row)
    if not shape[0]:
        raise RejectError("no_action", "Operation is missing")
    event = _event(shape)._replace(time=moment(time), session=session, target=target)
    told = text(record_id, 256)
    return event._replace(record_id=told or made_id(event, row.get("ObjectId"), row.get("CorrelationId")))


def aliases(record: object) -> Optional[tuple[str, str]]:
    """`entra:app:…` and `entra:sp:…` of the acting app, where this record tells both: the proof that they are one."""
    row = _native(record)
    head, found, object_id = text(row.get("UserId")).partition("ServicePrincipal_")
    return microsoft.alias(_m365_facts.actor_of(row)[1], object_id) if found and not head else None


@lru_cache(maxsize=4096)
def _event(shape: tuple[Any, ...]) -> Event:
    (operation, workload, tenant, who, kind, key, app_id, signed_in_to, client, user_agent, result, error, mail,
     program, other, (deep, issued)) = shape  # fmt: skip
    service = _m365_facts.service_of(text(workload))
    tenant, user_agent = guid(tenant), text(user_agent, 2048)
    identity, delegated = _m365_facts.identity_of(tenant, (text(who), text(kind), text(key)), text(app_id), program)
    outcome, code = _m365_facts.outcome_of(operation, text(result), text(error))
    address = microsoft.host(text(client))
    family = agent.family(user_agent)
    told = {
        "delegated": delegated,
        "browser": family == "browser" and identity.kind == "user",
        "console": guid(signed_in_to) in microsoft.PORTALS,
        "attack_tool": agent.is_attack_tool(user_agent),
        "other_mailbox": other and not delegated,
        "mass_export": mail.startswith("Sync") or mail.endswith("+"),
    }
    return Event(
        time=0,
        provider="m365",
        account=tenant,
        identity=identity,
        credential="",
        credential_type="session" if delegated or identity.kind == "user" else "none",
        session="",
        action=f"{service}:{operation}"[:128],
        service=service,
        access=_m365_facts.level_of(service, operation),
        outcome=outcome,
        error=code[:128],
        address=address,
        network=network.network_of(address),
        agent=family,
        region="",
        target="",
        target_class="own",
        traits=tuple(sorted({*(trait for trait, holds in told.items() if holds), *deep})),
        issued=issued,
        record_id="",
    )


def _native(record: object) -> Row:
    row, is_ecs = native(record)
    return _of_ecs(row) if is_ecs else row


def _of_ecs(document: Row) -> Row:
    part = at(document, "o365.audit")
    told = part if part.__class__ is dict else {}
    action = at(document, "event.action")
    found = {
        "CreationTime": at(document, "@timestamp"),
        "Id": at(document, "event.id"),
        "Operation": _ACTIONS.get(action, action) if action.__class__ is str else None,
        "Workload": at(document, "event.provider"),
        "OrganizationId": at(document, "organization.id"),
        "UserId": at(document, "user.id"),
        "ClientIP": at(document, "client.address") or at(document, "client.ip") or at(document, "source.ip"),
        "UserAgent": at(document, "user_agent.original"),
        "ObjectId": at(document, "url.original"),
        "MailboxOwnerUPN": at(document, "user.email") if at(document, "event.code") == "ExchangeItem" else None,
    }
    return {**{k: v for k, v in found.items() if v is not None}, **told}
