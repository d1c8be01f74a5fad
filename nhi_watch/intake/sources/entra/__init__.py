"""Microsoft Entra ID: sign-ins of users, apps and managed identities, the audit log, Microsoft Graph activity.

Native shapes: records of diagnostic settings (`category`, `properties`…, as event hubs, storage and the
`azure:monitor:aad` sourcetype have them, also with lower-case names) and the objects of the Graph API (`signIn`,
`directoryAudit`, as `azure:aad:signin` and `azure:aad:audit` have them). Risk detections are other products'
alerts and not read here. Decisions:

- Identities and how they are linked to Microsoft 365: `_microsoft`. An app's name is its principal's name.
- A sign-in's credential is the id of the app's secret or certificate. Its session is the token that it hands
  out (`uniqueTokenIdentifier`); Graph activity names the same one (`signInActivityId`), so do Azure activity
  (`uti`) and Microsoft 365 (`AppAccessContext`).
- Sign-in operations: UserSignIn, NonInteractiveSignIn, ServicePrincipalSignIn, ManagedIdentitySignIn; target is
  the API that the token is for. Graph operations are method and route, as in `GET:/users/{id}/messages`.
- A refusal by policy, assignment or consent is denied; a wrong secret or password is a failure.
- What a user does with another company's app in Graph is the app's doing (`delegated`).

Traits, besides browser, console, mfa and attack_tool: risky_signin (Microsoft's own judgement), device_code,
legacy_auth, cross_account, third_party (the app belongs to another tenant), delegated; of the audit log: consent,
scope_growth, tenant_wide (for all users or by an administrator), mail_and_files, offline_access,
lookalike (a name made to be mistaken for a vendor's), scope:NAME (each wide permission), admin_policy (rights over
the directory), role_grant, new_credential_on_app, federated_credential, owner_added, reply_address,
publisher_changed, trust_domain, for_other (the app is not the actor itself).

Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import dataset, native
from nhi_watch.intake.shapes.json import parsed
from nhi_watch.intake.shapes.values import filled, moment, plain, text
from nhi_watch.intake.sources.entra import audit
from nhi_watch.intake.sources.entra.audit import of_ecs

NAME = "entra"
SPLUNK_SOURCETYPES = ("azure:monitor:aad", "azure:aad:signin", "azure:aad:audit")
ELASTIC_INDICES = ("logs-azure.signinlogs-*", "logs-azure.auditlogs-*", "logs-azure.graphactivitylogs-*")

_GRAPH = "MicrosoftGraphActivityLogs"
_CATEGORIES = {*audit.OPERATIONS, _GRAPH}
_STREAMS = ("azure.signinlogs", "azure.auditlogs", "azure.graphactivitylogs")
_PARTS: dict[str, Callable[[Any, Any, object], audit.Parts]] = {
    "signin": audit.parts_signin,
    "audit": audit.parts,
    "graph": audit.parts_graph,
}
_EVENTS: dict[str, Callable[[tuple[str, ...]], Event]] = {
    "signin": audit.event_of_signin,
    "audit": audit.event_of,
    "graph": audit.event_of_graph,
}
_NAMES = ("callerIpAddress", "operationName", "resourceId", "tenantId", "correlationId", "resultType")
_LOWERED = {name.lower(): name for name in _NAMES}
_RAW_MARKS = (
    ('"initiatedBy"', '"activityDisplayName"'),
    ('"initiatedBy"', '"loggedByService"'),
    ('"Sign-in activity"', '"createdDateTime"'),
    ('"Sign-in activity"', '"category"', '"properties"'),
    (f'"{_GRAPH}"', '"requestUri"'),
    ('"createdDateTime"', '"appId"', '"resourceDisplayName"'),
)
_NONE: Mapping[str, Any] = {}


def claims(record: object) -> bool:
    """Whether the record is one of Entra ID's, in any of its three shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Mapping[str, Any], record)
    properties = row.get("properties")
    if properties.__class__ is dict:
        return _kind(row, properties) != ""
    raw = row.get("_raw")
    if raw.__class__ is str:
        return any(all(mark in raw for mark in names) for names in _RAW_MARKS)
    category = row.get("category")
    if category.__class__ is str and category in _CATEGORIES:
        return True
    if "activityDisplayName" in row or "createdDateTime" in row:
        return _kind(row, row) != "" or any(k.startswith("initiatedBy.") for k in row if k.__class__ is str)
    dotted = "properties.loggedByService" in row or "properties.activityDisplayName" in row
    return dotted or dataset(row) in _STREAMS or microsoft.relayed(row)


def _kind(row: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    """signin, audit, graph, or "" when it is none of them."""
    category = row.get("category")
    if category.__class__ is str:
        if category in audit.OPERATIONS:
            return "signin"
        if category == _GRAPH:
            return "graph"
    of = fields.get
    if of("initiatedBy") is not None or of("loggedByService") is not None:  # Intune too has the category AuditLogs
        return "audit"
    if of("createdDateTime") and of("appId") and (of("userId") or of("servicePrincipalId")):
        return "" if of("riskEventType") else "signin"
    return ""


def _tenant(row: Mapping[str, Any], fields: Mapping[str, Any]) -> Any:
    tenant = row.get("tenantId") or fields.get("tenantId") or microsoft.tenant_of(plain(row.get("resourceId")))
    return tenant or fields.get("resourceTenantId") or fields.get("homeTenantId")


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    row, fields = _native(record)
    kind = _kind(row, fields)
    if not kind:
        raise RejectError("no_action", "neither a sign-in nor an audit record nor a request")
    shape, time, record_id, session, target = _PARTS[kind](row, fields, _tenant(row, fields))
    if kind == "audit" and not shape[0]:
        raise RejectError("no_action", "activityDisplayName and operationName are missing")
    seconds = moment(time)
    event, unique = _EVENTS[kind](tuple(map(text, shape))), text(record_id, 256)
    if kind == "audit" and audit.is_deep(shape[0]):
        change = next(iter(audit.changes(fields)), audit.DirectoryChange())
        details = microsoft.value_of(fields.get("additionalDetails"), "AppId", "key", "value")
        event = audit.app_of(event, change, microsoft.guid(details))
    return filled(event, seconds, unique, session, target, row.get("correlationId"), target)


def _native(record: object) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The record and its `properties`, which in records of the Graph API are the record itself."""
    row, is_ecs = native(record)
    if is_ecs:
        row = of_ecs(row)
    if "operationname" in row or "calleripaddress" in row:
        row = {_LOWERED.get(name, name): value for name, value in row.items()}
    properties: Any = row.get("properties", row)
    if properties.__class__ is str:
        properties = parsed(properties)
    return row, properties if properties.__class__ is dict else _NONE
