"""A change in the directory: the audit log of Entra ID, and the same changes in the audit log of Microsoft 365."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from nhi_watch.context import actions, agents, networks
from nhi_watch.core.event import Event, Identity
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.microsoft import guid, rows
from nhi_watch.intake.shapes.values import plain, text
from nhi_watch.intake.sources.entra.signin import Part, Parts

DEEP = re.compile(
    r"Consent|Add(?:Delegated|AppRole|Owner|ServicePrincipal|Application|Member|EligibleMember|Policy)"
    r"|Update(?:Application|ServicePrincipal|Policy)|CertificatesAndSecrets|RoleAssignment|Federat"
    r"|DomainAuthentication|Credential|DelegatedPermission|HasElevated"
)
"""Operations whose traits depend on what was changed."""
_KEY = re.compile(r"KeyIdentifier=([0-9a-f-]{36})", re.IGNORECASE)
_CREDENTIALS = ("KeyDescription", "Credential", "PasswordCredentials", "KeyCredentials")
_ADDRESSES = ("AppAddress", "ReplyUrls", "RedirectUris", "Web", "Spa", "PublicClient")


Deep = tuple[tuple[str, ...], str]
"""Traits, and the id of a credential that was handed out, or else of the app that was given power."""
_EMPOWERS = frozenset({"consent", "scope_growth", "role_grant", "reply_address", "owner_added", "federated_credential",
                       "publisher_changed"})  # fmt: skip
NOTHING: Deep = ((), "")
_NONE: Part = {}
_APPS = ("ServicePrincipal", "Application")


class Change(NamedTuple):
    """What a directory record tells of the thing that was changed."""

    kind: str = ""
    """ServicePrincipal, Application, User, Role…"""
    id: str = ""
    name: str = ""
    old: Mapping[str, str] = {}
    """Property → old value."""
    new: Mapping[str, str] = {}


def parts(record: Part, told: Part, tenant: object) -> Parts:
    """What an audit record tells."""
    of = told.get
    by = _part(of("initiatedBy"))
    who, what = _part(by.get("user")), _part(by.get("app"))
    name = of("activityDisplayName") or record.get("operationName")
    address = who.get("ipAddress") or what.get("ipAddress") or record.get("callerIpAddress")
    operation = microsoft.operation(plain(name))
    details = of("additionalDetails")
    deep = NOTHING
    if is_deep(operation):
        mine = guid(what.get("appId")), guid(what.get("servicePrincipalId"))
        deep = deepen(operation, changes(told), mine, guid(microsoft.value_of(details, "AppId", "key", "value")))
    shape = (
        operation, tenant, who.get("id"), who.get("userPrincipalName"), what.get("appId"),
        what.get("servicePrincipalId"), what.get("displayName"), address,
        microsoft.value_of(details, "User-Agent", "key", "value") if details else "",
        of("result") or record.get("resultType"), of("loggedByService"), record.get("identity"), " ".join(deep[0]),
        deep[1],
    )  # fmt: skip
    time, session = of("activityDateTime") or record.get("time"), plain(of("correlationId"))[:256]
    return shape, time, of("id"), session, _target(told)


def _part(value: object) -> Part:
    return value if value.__class__ is dict else _NONE


def changes(told: Part) -> list[Change]:
    """The things changed, with old and new values as text."""
    return [_change(row) for row in rows(told.get("targetResources"))]


def _target(told: Part) -> str:
    """Name or id of the first thing that was changed."""
    found = told.get("targetResources")
    if not found:
        return ""
    if found.__class__ is not list or not found or found[0].__class__ is not dict:
        found = rows(found) or [_NONE]
    of = found[0].get
    return (text(of("displayName")) or text(of("userPrincipalName")) or guid(of("id")))[:200]


def _change(row: Part) -> Change:
    modified = [m for m in rows(row.get("modifiedProperties")) if m.get("displayName")]
    return Change(
        text(row.get("type")),
        guid(row.get("id")),
        text(row.get("displayName")) or text(row.get("userPrincipalName")),
        {text(m.get("displayName")): text(m.get("oldValue"), 8192) for m in modified},
        {text(m.get("displayName")): text(m.get("newValue"), 8192) for m in modified},
    )


@lru_cache(maxsize=4096)
def event_of(shape: tuple[str, ...]) -> Event:
    """The Event of a shape, but for time, record id, session and target."""
    operation, tenant, _, _, _, _, _, address, user_agent, result, _, _, deep, issued = shape
    failed = result.lower() not in ("", "success", "succeeded", "true", "0")
    family = agents.family(user_agent)
    identity = _identity(shape)
    told = {"browser": family == "browser", "attack_tool": agents.is_attack_tool(user_agent)}
    return Event(
        time=0,
        provider="entra",
        account=guid(tenant),
        identity=identity,
        credential="",
        credential_type="none",
        session="",
        action=f"entra:{operation}",
        service="entra",
        access=level_of(operation),
        outcome="failure" if failed else "success",
        error=result[:128] if failed else "",
        address=microsoft.host(address),
        network=networks.network_of(microsoft.host(address)),
        agent=family,
        target_class="own",
        traits=tuple(sorted({*(trait for trait, holds in told.items() if holds), *deep.split()})),
        issued=issued,
        links=microsoft.links(identity, guid(shape[5])),
    )


def _identity(shape: tuple[str, ...]) -> Identity:
    _, tenant, user_id, user_name, app_id, object_id, app_name, _, _, _, logged_by, named_as = shape[:12]
    tenant = guid(tenant)
    person = microsoft.user(tenant, guid(user_id), user_name)
    program = microsoft.app(tenant, guid(app_id), guid(object_id), app_name)
    return person or program or microsoft.service(tenant, app_name or named_as or logged_by)


def level_of(operation: str) -> str:
    """Access level of a directory operation: what the tables say, else by its verb, else write.

    >>> level_of("ConsentToApplication"), level_of("UpdateDevice"), level_of("Frobnicate"), level_of("DownloadUsers")
    ('permissions', 'write', 'write', 'read')
    """
    level = actions.access("entra", operation)
    return "write" if level == "unknown" else level


def app_of(event: Event, change: Change, app_id: str) -> Event:
    """The event with the app that it was done to, where that is another than who acted."""
    if change.kind not in _APPS or not is_deep(event.action.partition(":")[2]):
        return event
    client = guid(change.new.get("ServicePrincipal.ObjectID", "").strip('"'))
    if client:  # of a grant the target is the resource; who may now use it is the client
        ids = guid(change.new.get("ServicePrincipal.AppId", "").strip('"')), client
        app = microsoft.app(event.account, *ids, change.new.get("ServicePrincipal.DisplayName", "").strip('"'))
    else:
        app = microsoft.app(event.account, app_id, change.id, change.name)
    return event if app is None or app.id == event.identity.id else event._replace(about=app)


# ---- what was changed


@lru_cache(maxsize=1024)
def is_deep(operation: str) -> bool:
    """Whether what was changed matters."""
    return DEEP.search(operation) is not None


def deepen(operation: str, changed: list[Change], mine: tuple[str, ...], app: str = "") -> Deep:
    """What changes tell: sorted traits, and the id of a credential that was added, or of the app that it is about.

    `mine` are all ids of who acts: what an app changes in itself is not `for_other`. `app` is the application id of
    what was changed, where the record tells it.
    """
    old: dict[str, str] = {}
    new: dict[str, str] = {}
    for change in changed:
        old.update(change.old)
        new.update(change.new)
    first = changed[0] if changed else Change()
    added = added_keys(old, new)
    found = _of_permissions(operation, changed, old, new)
    found += _of_apps(operation, first, old, new, added)
    if "HasElevatedTheirAccess" in operation:
        found.append("admin_policy")
    own = first.id and first.id in mine
    if ("new_credential_on_app" in found or "owner_added" in found) and not own:
        found.append("for_other")
    telling = not own and not _EMPOWERS.isdisjoint(found) and "new_credential_on_app" not in found
    about = (app or first.id) if telling else ""
    return tuple(sorted(set(found))), added[0] if added else about


def added_keys(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Ids of keys and secrets that an app has now and had not before."""
    now = [key.lower() for name in _CREDENTIALS for key in _KEY.findall(new.get(name, ""))]
    before = {key.lower() for name in _CREDENTIALS for key in _KEY.findall(old.get(name, ""))}
    return sorted(set(now) - before)


def _of_permissions(operation: str, changed: list[Change], old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    consent = operation.startswith("Consent")
    grant = operation.startswith(("AddDelegatedPermission", "AddAppRoleAssignment", "UpdateDelegatedPermission"))
    role = "MemberToRole" in operation or ("RoleAssignment" in operation and not grant)
    if operation.startswith(("Remove", "Delete")) or not (consent or grant or role):
        return []
    values = " ".join([*new.values(), *(change.name for change in changed if role)])
    before = " ".join(old.values())
    by_admin = flag(new, "ConsentContext.OnBehalfOfAll") or flag(new, "ConsentContext.IsAdminConsent")
    everybody = by_admin or "AllPrincipals" in values
    known = microsoft.permission_traits(before)
    found = [trait for trait in microsoft.permission_traits(values) if trait not in known]
    found += ["consent"] if consent else ["scope_growth"] if grant else ["role_grant"]
    if not role:
        had = microsoft.wide_scopes(before)
        found += [scope for scope in microsoft.wide_scopes(values) if scope not in had]
        names = [*(change.name for change in changed), new.get("ServicePrincipal.DisplayName", "")]
        found += ["lookalike"] if any(map(microsoft.lookalike, names)) else []
    return [*found, "tenant_wide"] if everybody and not role else found


def flag(values: Mapping[str, str], name: str) -> bool:
    """Whether a property says yes; Elastic has `_` for the dots of its name."""
    return "true" in (values.get(name) or values.get(name.replace(".", "_")) or "").lower()


def _of_apps(
    operation: str, first: Change, old: Mapping[str, str], new: Mapping[str, str], added: list[str]
) -> list[str]:
    on_app = first.kind in ("ServicePrincipal", "Application", "") or "Application" in operation
    told = {
        "new_credential_on_app": (added and on_app)
        or operation in ("AddServicePrincipalCredentials", "AddApplicationCredentials")
        or (operation.endswith("CertificatesAndSecretsManagement") and len(_key_text(new)) > len(_key_text(old))),
        "federated_credential": "FederatedIdentityCredentials" in new or "ederatedIdentityCredential" in operation,
        "owner_added": operation in ("AddOwnerToApplication", "AddOwnerToServicePrincipal"),
        "reply_address": operation.startswith("Update") and any(_grown(name, old, new) for name in _ADDRESSES),
        "publisher_changed": "ublisher" in operation or "VerifiedPublisher" in new or "PublisherDomain" in new,
        "trust_domain": "FederationSettings" in operation or "DomainAuthentication" in operation,
    }
    return [trait for trait, holds in told.items() if holds]


def _key_text(values: Mapping[str, str]) -> str:
    return "".join(values.get(name, "") for name in _CREDENTIALS)


def _grown(name: str, old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    return name in new and new[name].strip('[]" ') != "" and new[name] != old.get(name, "")
