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

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from nhi_watch.context import agents, networks
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import Tree, dataset, native, part, rebuild
from nhi_watch.intake.shapes.json import parse
from nhi_watch.intake.shapes.microsoft import guid
from nhi_watch.intake.shapes.times import moment
from nhi_watch.intake.shapes.values import filled, plain, text
from nhi_watch.intake.sources.entra import audit
from nhi_watch.intake.sources.m365 import facts

NAME = "m365"
SPLUNK_SOURCETYPES = ("o365:management:activity",)
ELASTIC_INDICES = ("logs-o365.audit-*",)

Row = Mapping[str, Any]
Parts = tuple[tuple[Any, ...], Any, object, str, str]
"""shape, time, record id, session, target"""
# Elastic gives a few operations names of its own.
_ACTIONS = {
    "added-user-account": "Add user.",
    "modified-user-account": "Update user.",
    "deleted-user-account": "Delete user.",
    "added-users-to-group": "MemberAdded",
    "added-group-account-to": "TeamCreated",
}
_LOGONS = (15, 9, "15", "9")
_NOBODY = ("", "")
_HTTP_AGENT = "User-Agent"
_NONE: Row = {}
_IN = "o365.audit"
_BESIDES = {
    "CreationTime": "@timestamp", "Id": "event.id", "Workload": "event.provider", "OrganizationId": "organization.id",
    "UserId": "user.id", "UserAgent": "user_agent.original", "ObjectId": "url.original", "action": "event.action",
    "code": "event.code", "email": "user.email", "ClientIP": "client.address", "ClientIP|2": "client.ip",
    "ClientIP|3": "source.ip",
}  # fmt: skip
"""Where Elastic's integration puts what it takes out of the record."""


def _completed(row: Tree) -> Tree:
    """What of a document needs more than another name."""
    action = row.get("action")
    row["Operation"] = row.get("Operation") or (_ACTIONS.get(action, action) if action.__class__ is str else None)
    if row.get("MailboxOwnerUPN") is None and row.get("code") == "ExchangeItem":
        row["MailboxOwnerUPN"] = row.get("email")
    return row


def claims(record: object) -> bool:
    """Whether the record is one of the unified audit log, in any of its three shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Row, record)
    if "Operation" in row:
        return "RecordType" in row or ("Workload" in row and "CreationTime" in row)
    raw = row.get("_raw")
    if raw.__class__ is str:
        return '"Operation"' in raw and '"CreationTime"' in raw and ('"Workload"' in raw or '"RecordType"' in raw)
    return dataset(row) == "o365.audit"


def _parts(row: Row) -> Parts:
    """What every record tells."""
    of = row.get
    context = of("AppAccessContext")
    context = context if context.__class__ is dict else _NONE
    in_directory = of("Workload") == facts.DIRECTORY
    logon = of("RecordType") in _LOGONS
    app_id = of("ClientAppId") or of("AppId") or context.get("ClientAppId") or of("ApplicationId") or of("AadAppId")
    who, owner, errors = plain(of("UserId")), plain(of("MailboxOwnerUPN")), of("ErrorNumber")
    operation = microsoft.operation(plain(of("Operation")))
    user_agent = of("UserAgent")
    if in_directory and not user_agent:
        user_agent = _extended(of("ExtendedProperties"))
    by_app = in_directory and "@" not in who
    traits, issued = facts.deepen(operation, row) if facts.is_deep(operation, in_directory) else ("", "")
    shape = (
        operation, of("Workload"), of("OrganizationId"), who, of("UserType"), None if "@" in who else of("UserKey"),
        None if in_directory else app_id, app_id if logon else None,
        of("ClientIPAddress") or of("ClientIP") or of("ActorIpAddress"), user_agent,
        None if user_agent else of("ClientInfoString"), of("ResultStatus"),
        of("LogonError") or (None if errors in (0, "0") else errors), _mail_access(of("OperationProperties")),
        *(facts.actor_of(row) if by_app else _NOBODY), "y" if owner and owner.lower() != who.lower() else "",
        traits, issued,
    )  # fmt: skip
    session = plain(context.get("UniqueTokenId") or context.get("AADSessionId") or of("SessionId"))[:256]
    return shape, of("CreationTime"), of("Id"), session, _target(row, owner, in_directory and not logon)


def _extended(properties: Any) -> str:
    found = microsoft.value_of(properties, "UserAgent")
    if found:
        return found
    details = microsoft.value_of(properties, "additionalDetails")
    return _agent_of(details) if _HTTP_AGENT in details else ""


@lru_cache(maxsize=2048)
def _agent_of(details: str) -> str:
    try:
        found = parse(details)
    except (ValueError, RecursionError):
        return ""
    return text(found.get(_HTTP_AGENT)) if isinstance(found, dict) else ""


def _mail_access(properties: Any) -> str:
    """How mail was accessed: `Bind`, `Sync`, and whether so much that it was throttled."""
    if not properties:
        return ""
    throttled = microsoft.value_of(properties, "IsThrottled") == "True"
    return microsoft.value_of(properties, "MailAccessType") + ("+" if throttled else "")


def _target(row: Row, owner: str, changed: bool) -> str:
    if changed:
        return facts.changed_thing(row)[:200]
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
    told = text(record_id, 256)
    event = _event(*map(text, shape))
    if row.get("Workload") == facts.DIRECTORY:
        event = audit.app_of(event, facts.change_of(row), facts.app_id_of(row))
    return filled(event, moment(time), told, session, target, row.get("ObjectId"), row.get("CorrelationId"))


@lru_cache(maxsize=4096)
def _event(
    operation: str, workload: str, tenant: str, who: str, kind: str, key: str, app_id: str, signed_in_to: str,
    client: str, user_agent: str, client_info: str, result: str, error: str, mail: str, program: str,
    program_id: str, other: str, deep: str, issued: str,
) -> Event:  # fmt: skip
    service = facts.service_of(workload)
    tenant, user_agent = guid(tenant), user_agent or facts.client_of(client_info)
    identity, delegated = facts.identity_of(tenant, (who, kind, key), app_id, (program, program_id))
    outcome, code = facts.outcome_of(operation, result, error)
    address = microsoft.host(client)
    family = agents.family(user_agent)
    told = {
        "delegated": delegated,
        "browser": family == "browser" and identity.kind == "user",
        "console": guid(signed_in_to) in microsoft.PORTALS,
        "attack_tool": agents.is_attack_tool(user_agent),
        "other_mailbox": bool(other) and not delegated,
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
        access=facts.level_of(service, operation),
        outcome=outcome,
        error=code[:128],
        address=address,
        network=networks.network_of(address),
        agent=family,
        target_class="own",
        traits=tuple(sorted({*(trait for trait, holds in told.items() if holds), *deep.split()})),
        issued=issued,
        links=microsoft.links(identity, facts.principal_of(who), (who or key).lower()[:128] if delegated else ""),
    )


def _native(record: object) -> Row:
    row, is_ecs = native(record)
    return _of_ecs(row) if is_ecs else row


def _of_ecs(document: Tree) -> Row:
    told = {k: v for k, v in part(document, _IN).items() if v is not None}
    return _completed({**rebuild(document, _BESIDES), **told})
