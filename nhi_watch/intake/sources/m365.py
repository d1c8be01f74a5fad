r"""Microsoft 365: the unified audit log (Exchange, SharePoint, OneDrive, Teams, compliance, Entra's part of it).

Decisions:

- Identities are those of `_microsoft`, so that the app of a consent in Entra and the app that reads mail here are
  one. `ServicePrincipal_…` actors are apps; their application id is among the actors of directory records.
- Access with an app of another company than Microsoft is the app's doing, for whomever (`delegated`). With
  Microsoft's own apps it is the user's. Users are named by their sign-in name, because mailbox and file records
  give no object id. Exchange's own service accounts (`NT AUTHORITY\SYSTEM (…)`) are services.
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

import re
from collections.abc import Mapping
from typing import Any, Optional

from nhi_watch.context import actions
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import Tree, claimant, inner, native, part, rebuild, rows_of
from nhi_watch.intake.shapes.json import parsed
from nhi_watch.intake.shapes.microsoft import GUID, guid, named
from nhi_watch.intake.shapes.values import build_event, filled, moment, plain, text, true
from nhi_watch.intake.sources.entra import audit

# ---- facts
#
# What a record of Microsoft 365's audit log says: who acts, how well it went, what deep values mean.


Row = Mapping[str, Any]

DIRECTORY = "AzureActiveDirectory"
SERVICES = {
    "AzureActiveDirectory": "entra",
    "SecurityComplianceCenter": "compliance",
    "MicrosoftTeams": "teams",
    "MicrosoftFlow": "powerautomate",
}
_PRINCIPAL = "ServicePrincipal_"
_NOBODY_FACTS = ("", "not available", "not-found", "unknown", "anonymous")
_CLIENT = re.compile(r"Client=([^;]*);(.*)", re.DOTALL)
_READS = re.compile(
    r"(?:Accessed|Viewed|Previewed|Downloaded(?:Full|Partial)?|Searched|Exported|ViewSignaled)$|Search|Get|Test-"
)
_FAILED = ("failed", "failure", "false", "error", "unauthorized", "denied")
_NAMES = (1, 5, "1", "5")
"""Types of ids in Actor and Target that are names."""
_PROGRAMS = ("5", "6", "Application", "ServicePrincipal")

DEEP = re.compile(
    r"InboxRule|Set-Mailbox$|Set-MailboxAuditBypass|TransportRule|MailboxPermission|RecipientPermission|RoleAssignment"
    r"|Set-AdminAuditLogConfig|AuditLog|Sharing|SecureLink|AnonymousLink|ComplianceSearch|CompanyLink|GuestSharing"
    r"|Set-CASMailbox|ManagementRole|Connector|JournalRule"
)
"""Operations whose parameters say more."""
_OUTSIDE = {
    "ForwardTo",
    "RedirectTo",
    "ForwardAsAttachmentTo",
    "ForwardingSmtpAddress",
    "BlindCopyTo",
    "RedirectMessageTo",
}
_ONLY_BY_PARAMETER = ("Set-Mailbox", "Set-AdminAuditLogConfig", "Set-CASMailbox")
"""Frequent commands that mean something only with one of these parameters."""
_TELLING = {*_OUTSIDE, "AuditEnabled", "UnifiedAuditLogIngestionEnabled", "Role"}


# ---- who


def actor_of(row: Row) -> tuple[str, str]:
    """Name and application id of the app among the actors of a directory record.

    >>> actor_of({"Actor": [{"ID": "Sync", "Type": 1}, {"ID": "f0ae4899-d877-4d3c-ae25-679e38eea492", "Type": 2}]})
    ('Sync', 'f0ae4899-d877-4d3c-ae25-679e38eea492')
    """
    name = app_id = ""
    for actor in rows_of(row.get("Actor")):
        actor_id, kind = text(actor.get("ID")), text(actor.get("Type"))
        if kind == "1":
            name = name or actor_id
        elif kind == "2" and not app_id and GUID.fullmatch(actor_id):
            app_id = actor_id
    return name, app_id


@remembered(8192)
def identity_of(
    tenant: str, named_as: tuple[str, str, str], app_id: str, program: tuple[str, str]
) -> tuple[Identity, bool]:
    """The identity, and whether an app acts for a user.

    `named_as` are UserId, UserType and UserKey; `program` is what `actor_of` says.
    """
    who, kind, key = named_as
    app_id = guid(app_id)
    if who.startswith(_PRINCIPAL):
        identity = microsoft.app(tenant, guid(program[1]), principal_of(who), program[0])
        return identity or microsoft.service(tenant, program[0]), False
    person = _person(tenant, who, kind, key)
    if app_id and not microsoft.first_party(app_id):
        identity = microsoft.app(tenant, app_id, "")
        if identity:
            return identity, person is not None
    if person:
        return person, False
    if kind in _PROGRAMS and GUID.fullmatch(who):
        return microsoft.app(tenant, guid(who), "") or microsoft.service(tenant, who), False
    if who.lower() in _NOBODY_FACTS or who.startswith("urn:spo:anon"):
        return Identity(f"{microsoft.ENTRA}:anonymous", "anonymous", "anonymous", microsoft.ENTRA, tenant, ""), False
    return microsoft.service(tenant, who), False


def _person(tenant: str, who: str, kind: str, key: str) -> Optional[Identity]:
    """By sign-in name, because mailbox and file records give no object id; else by object id."""
    if who.lower() == "app@sharepoint" or who.startswith("NT AUTHORITY"):
        return None
    if "@" in who:
        return microsoft.user(tenant, "", who.rpartition("#")[2].rpartition("|")[2].lower())
    if GUID.fullmatch(who) and kind not in (*_PROGRAMS, "4") and guid(who) != tenant:
        return microsoft.user(tenant, guid(who), "")
    if who.lower() in _NOBODY_FACTS and GUID.fullmatch(key):
        return microsoft.user(tenant, guid(key), "")
    return None


# ---- how


@remembered(4096)
def service_of(workload: str) -> str:
    """The part of an action before the colon.

    >>> service_of("AzureActiveDirectory"), service_of("OneDrive"), service_of("")
    ('entra', 'onedrive', 'm365')
    """
    return SERVICES.get(workload) or re.sub(r"[^a-z0-9]", "", workload.lower())[:40] or "m365"


@remembered(4096)
def level_of(service: str, operation: str) -> str:
    """Access level of an operation.

    >>> level_of("sharepoint", "FileDownloaded"), level_of("exchange", "Set-Mailbox"), level_of("x", "Frobnicated")
    ('read', 'write', 'write')
    """
    level = actions.access(service, operation)
    if level != "unknown":
        return level
    return "read" if _READS.search(operation) else "write"


def outcome_of(operation: str, result: str, error: str) -> tuple[str, str]:
    """Outcome and error code.

    >>> outcome_of("UserLoginFailed", "Success", "InvalidPassword"), outcome_of("Send", "PartiallySucceeded", "")
    (('failure', 'InvalidPassword'), ('success', ''))
    """
    failed = result.lower() in _FAILED or operation.endswith(("Failed", "LoginError"))
    refused = "denied" in operation.lower() or "unauthorized" in (result + error).lower() or "AccessDenied" in error
    if refused or "BlockedByConditionalAccess" in error:
        return "denied", error or result or "Denied"
    return ("failure", error or result) if failed else ("success", "")


@remembered(4096)
def client_of(info: str) -> str:
    """The user agent inside an Exchange client's text.

    >>> client_of("Client=OWA;Mozilla/5.0 (X11);"), client_of("Client=REST;Client=RESTSystem;;"), client_of("")
    ('Mozilla/5.0 (X11);', 'REST', '')
    """
    match = _CLIENT.match(info)
    if match is None:
        return info
    rest = match[2].strip()
    return rest if rest.startswith("Mozilla") or "/" in rest.partition(";")[0] else match[1]


# ---- deep values


@remembered(2048)
def is_deep(operation: str, in_directory: bool) -> bool:
    """Whether an operation has parameters, or changes something, that matters."""
    return audit.is_deep(operation) if in_directory else DEEP.search(operation) is not None


def deepen(operation: str, row: Row) -> tuple[str, str]:
    """What parameters or changed properties say: traits in one text, and the id of a key that was handed out."""
    if row.get("Workload") == DIRECTORY:
        mine = (guid(actor_of(row)[1]), principal_of(text(row.get("UserId"))))
        traits, issued = audit.deepen(operation, [change_of(row)], mine)
        return " ".join(traits), issued
    parameters = row.get("Parameters")
    if parameters.__class__ is list and operation in _ONLY_BY_PARAMETER and _TELLING.isdisjoint(map(_name, parameters)):
        return "", ""
    return " ".join(sorted({*_of_exchange(operation, named(parameters)), *_of_sharing(operation, row)})), ""


def principal_of(who: str) -> str:
    """The object id of an app in a UserId, or ""."""
    return guid(who[len(_PRINCIPAL) :]) if who.startswith(_PRINCIPAL) else ""


def _name(parameter: Any) -> str:
    return plain(parameter.get("Name")) if parameter.__class__ is dict else ""


def changed_thing(row: Row) -> str:
    """Name or id of what a directory record says was changed."""
    things = rows_of(row.get("Target"))
    for thing in things:
        if thing.get("Type") in _NAMES:
            return text(thing.get("ID"))
    return next(
        (guid(identifier) for identifier in (text(thing.get("ID")) for thing in things) if GUID.fullmatch(identifier)),
        "",
    )


def change_of(row: Row) -> audit.DirectoryChange:
    """What a directory record says of the thing that was changed."""
    ids = [(text(t.get("ID")), text(t.get("Type"))) for t in rows_of(row.get("Target"))]
    kind = next(
        (
            identifier.partition("_")[0]
            for identifier, _ in ids
            if "_" in identifier and GUID.fullmatch(identifier.partition("_")[2])
        ),
        "",
    )
    unique = next((guid(thing_id) for thing_id, _ in ids if GUID.fullmatch(thing_id)), "")
    name = next((thing_id for thing_id, number in ids if number in ("1", "5")), "")
    properties = row.get("ModifiedProperties")
    old, new = named(properties, "Name", "OldValue"), named(properties, "Name", "NewValue")
    if isinstance(properties, dict) and "Name" not in properties:
        old = {str(k): text(v.get("OldValue"), 8192) for k, v in properties.items() if isinstance(v, dict)}
        new = {str(k): text(v.get("NewValue"), 8192) for k, v in properties.items() if isinstance(v, dict)}
    return audit.DirectoryChange(kind, unique, name, old, new)


def app_id_of(row: Row) -> str:
    """The application id of the app that a directory record says was changed, or ""."""
    things = (thing for thing in rows_of(row.get("Target")) if thing.get("Type") in (4, "4"))
    ids = (text(thing.get("ID")).partition(";")[0] for thing in things)
    return next((guid(name) for name in ids if GUID.fullmatch(name)), "")


def _of_exchange(operation: str, fields: Mapping[str, str]) -> list[str]:
    impersonates = fields.get("Role", "") == "ApplicationImpersonation" or "full_access_as_app" in fields.get(
        "Role", ""
    )
    reduced = [
        operation == "Set-AdminAuditLogConfig" and fields.get("UnifiedAuditLogIngestionEnabled", "").lower() == "false",
        operation == "Set-MailboxAuditBypassAssociation" and true(fields.get("AuditBypassEnabled")),
        operation == "Set-Mailbox" and fields.get("AuditEnabled", "").lower() == "false",
        operation.startswith("Remove-UnifiedAuditLog"),
    ]
    marked_traits = {
        "mail_forwarding": any(fields.get(name) for name in _OUTSIDE),
        "hides_mail": "InboxRule" in operation and (true(fields.get("DeleteMessage")) or "MoveToFolder" in fields),
        "mailbox_grant": operation in ("Add-MailboxPermission", "Add-RecipientPermission"),
        "impersonation": impersonates,
        "admin_policy": impersonates or ("RoleAssignment" in operation and operation.startswith("New")),
        "logging_reduced": any(reduced),
        "mass_export": operation == "New-ComplianceSearchAction" and true(fields.get("Export")),
    }
    return [mark for mark, holds in marked_traits.items() if holds]


def _of_sharing(operation: str, row: Row) -> list[str]:
    traits = []
    if operation in ("AnonymousLinkCreated", "AnonymousLinkUpdated"):
        traits.append("public")
    guest = text(row.get("TargetUserOrGroupType")) in ("Guest", "Everyone", "Anonymous")
    if guest and re.search(r"Added|Set|Created|Invit", operation):
        traits.append("shared_outside")
    return traits


# ---- m365


NAME = "m365"
SPLUNK_SOURCETYPES = ("o365:management:activity",)
ELASTIC_INDICES = ("logs-o365.audit-*",)

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
_BESIDES = {
    "CreationTime": "@timestamp", "Id": "event.id", "Workload": "event.provider", "OrganizationId": "organization.id",
    "UserId": "user.id", "UserAgent": "user_agent.original", "ObjectId": "url.original", "action": "event.action",
    "code": "event.code", "email": "user.email", "ClientIP": ("client.address", "client.ip", "source.ip"),
}  # fmt: skip
"""Where Elastic's integration puts what it takes out of the record."""


def _completed(row: Tree) -> Tree:
    """What of a document needs more than another name."""
    action = row.get("action")
    row["Operation"] = row.get("Operation") or (_ACTIONS.get(action, action) if action.__class__ is str else None)
    if row.get("MailboxOwnerUPN") is None and row.get("code") == "ExchangeItem":
        row["MailboxOwnerUPN"] = row.get("email")
    return row


def _is_row(row: Tree) -> bool:
    return "Operation" in row and ("RecordType" in row or ("Workload" in row and "CreationTime" in row))


claims = claimant(_is_row, (('"Operation"',), ('"CreationTime"',), ('"Workload"', '"RecordType"')), "o365.audit")
"""Whether the record is one of the unified audit log, in any of its three shapes."""


def _parts(row: Row) -> Parts:
    """What every record holds."""
    of = row.get
    context = inner(row, "AppAccessContext")
    in_directory = of("Workload") == DIRECTORY
    logon = of("RecordType") in _LOGONS
    app_id = of("ClientAppId") or of("AppId") or context.get("ClientAppId") or of("ApplicationId") or of("AadAppId")
    who, owner, errors = plain(of("UserId")), plain(of("MailboxOwnerUPN")), of("ErrorNumber")
    operation = microsoft.operation(plain(of("Operation")))
    user_agent = of("UserAgent")
    if in_directory and not user_agent:
        user_agent = _extended(of("ExtendedProperties"))
    by_app = in_directory and "@" not in who
    traits, issued = deepen(operation, row) if is_deep(operation, in_directory) else ("", "")
    shape = (
        operation, of("Workload"), of("OrganizationId"), who, of("UserType"), None if "@" in who else of("UserKey"),
        None if in_directory else app_id, app_id if logon else None,
        of("ClientIPAddress") or of("ClientIP") or of("ActorIpAddress"), user_agent,
        None if user_agent else of("ClientInfoString"), of("ResultStatus"),
        of("LogonError") or (None if errors in (0, "0") else errors), _mail_access(of("OperationProperties")),
        *(actor_of(row) if by_app else _NOBODY), "y" if owner and owner.lower() != who.lower() else "",
        traits, issued,
    )  # fmt: skip
    session = plain(context.get("UniqueTokenId") or context.get("AADSessionId") or of("SessionId"))[:256]
    return shape, of("CreationTime"), of("Id"), session, _target(row, owner, in_directory and not logon)


def _extended(properties: Any) -> str:
    agent = microsoft.value_of(properties, "UserAgent")
    if agent:
        return agent
    details = microsoft.value_of(properties, "additionalDetails")
    return _agent_of(details) if _HTTP_AGENT in details else ""


@remembered(2048)
def _agent_of(details: str) -> str:
    parsed_details = parsed(details)
    return text(parsed_details.get(_HTTP_AGENT)) if isinstance(parsed_details, dict) else ""


def _mail_access(properties: Any) -> str:
    """How mail was accessed: `Bind`, `Sync`, and whether so much that it was throttled."""
    if not properties:
        return ""
    throttled = microsoft.value_of(properties, "IsThrottled") == "True"
    return microsoft.value_of(properties, "MailAccessType") + ("+" if throttled else "")


def _target(row: Row, owner: str, changed: bool) -> str:
    if changed:
        return changed_thing(row)[:200]
    return (owner or plain(row.get("SiteUrl") or row.get("ObjectId")).strip())[:200]


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    row, is_ecs = native(record)
    if is_ecs:
        fields = {name: value for name, value in part(row, "o365.audit").items() if value is not None}
        row = _completed({**rebuild(row, _BESIDES), **fields})
    shape, time, record_id, session, target = _parts(row)
    if not shape[0]:
        raise RejectError("no_action", "Operation is missing")
    event = _event(*map(text, shape))
    if row.get("Workload") == DIRECTORY:
        event = audit.app_of(event, change_of(row), app_id_of(row))
    return filled(
        event, moment(time), text(record_id, 256), session, target, row.get("ObjectId"), row.get("CorrelationId")
    )


@remembered(4096)
def _event(
    operation: str,
    workload: str,
    tenant: str,
    who: str,
    kind: str,
    key: str,
    app_id: str,
    signed_in_to: str,
    client: str,
    user_agent: str,
    client_info: str,
    result: str,
    error: str,
    mail: str,
    program: str,
    program_id: str,
    other: str,
    deep: str,
    issued: str,
) -> Event:
    service = service_of(workload)
    tenant, user_agent = guid(tenant), user_agent or client_of(client_info)
    identity, delegated = identity_of(tenant, (who, kind, key), app_id, (program, program_id))
    outcome, code = outcome_of(operation, result, error)
    marked_traits = {
        "delegated": delegated,
        "console": guid(signed_in_to) in microsoft.PORTALS,
        "other_mailbox": other and not delegated,
        "mass_export": mail.startswith("Sync") or mail.endswith("+"),
        **({} if identity.kind == "user" else {"browser": False}),
    }
    return build_event(
        0,
        identity,
        f"{service}:{operation}",
        provider="m365",
        account=tenant,
        credential_type="session" if delegated or identity.kind == "user" else "none",
        access=level_of(service, operation),
        outcome=outcome,
        error=code[:128],
        address=microsoft.host(client),
        user_agent=user_agent,
        target_class="own",
        marks=marked_traits,
        traits=deep.split(),
        issued=issued,
        links=microsoft.links(identity, principal_of(who), (who or key).lower()[:128] if delegated else ""),
    )
