"""A change in the directory: the audit log of Entra ID, and the same changes in the audit log of Microsoft 365."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Optional
from urllib.parse import unquote

from nhi_watch.context import actions
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import Table, Tree, at, dataset, inner, part, rebuild, rows_of
from nhi_watch.intake.shapes.microsoft import guid
from nhi_watch.intake.shapes.values import build_event, listed, plain, text, true

# ---- shapes
#
# Entra ID's records out of Elastic's documents.


_ADDRESS = ("source.ip", "client.ip", "source.address")
_BESIDES: dict[str, Table] = {
    "signinlogs": {"id": "event.id", "userAgent": "user_agent.original"},
    "auditlogs": {"id": "event.id", "result": "event.outcome"},
    "graphactivitylogs": {
        "requestId": ("http.request.id", "event.id"),
        "requestMethod": "http.request.method",
        "requestUri": "url.original",
        "responseStatusCode": "http.response.status_code",
        "userAgent": "user_agent.original",
        "userId": "user.id",
    },
}
"""What Elastic's integration takes out of the properties."""
_TOP_BESIDES = {
    "time": "@timestamp",
    "tenantId": "azure.tenant_id",
    "resourceId": "azure.resource.id",
    "correlationId": "azure.correlation_id",
}


def _audited(row: Tree) -> Tree:
    """Objects in lists have Elastic's names as well; that a document is of the audit log, its data set says."""
    properties = row.setdefault("properties", {})
    properties["loggedByService"] = properties.get("loggedByService") or ""
    properties["targetResources"] = microsoft.camel(properties.get("targetResources"))
    return row


def of_ecs(document: Tree) -> Tree:
    """The record in the words of diagnostic settings."""
    stream = dataset(document).partition(".")[2]
    own_fields = microsoft.camel(part(document, f"azure.{stream}"))
    own = {k: v for k, v in inner(own_fields, "properties").items() if v is not None}
    fields = {**rebuild(document, _BESIDES.get(stream, {})), **own}
    address = next(filter(None, (at(document, field) for field in _ADDRESS)), own_fields.get("callerIpAddress"))
    row = {**own_fields, **rebuild(document, _TOP_BESIDES), "callerIpAddress": address, "properties": fields}
    return _audited(row) if stream == "auditlogs" or row.get("category") == "AuditLogs" else row


# ---- signin
#
# A sign-in of Entra ID: of a user, by a user's refresh token, of an app, of a managed identity.


Row = Mapping[str, Any]
Parts = tuple[tuple[Any, ...], object, object, str, str]
"""shape, time, record id, session, target"""

OPERATIONS = {
    "SignInLogs": "UserSignIn",
    "NonInteractiveUserSignInLogs": "NonInteractiveSignIn",
    "ServicePrincipalSignInLogs": "ServicePrincipalSignIn",
    "MicrosoftServicePrincipalSignInLogs": "ServicePrincipalSignIn",
    "ManagedIdentitySignInLogs": "ManagedIdentitySignIn",
    "ADFSSignInLogs": "UserSignIn",
}
# "Microsoft Entra authentication and authorization error codes": not assigned, blocked by conditional access,
# no consent, disabled, from a tenant that is not let in.
_DENIED = {
    "50020", "50057", "50105", "53000", "53001", "53002", "53003", "53004", "53009", "65001", "65004", "90093",
    "90094", "500021", "500212", "530004", "530032", "530034", "650052", "7000112", "7000114",
}  # fmt: skip
_CREDENTIALS_SIGNIN = {
    "clientsecret": "key",
    "clientassertion": "certificate",
    "certificate": "certificate",
    "federatedidentitycredential": "web_identity",
    "managedidentity": "managed",
}
_LEGACY = ("imap", "pop", "smtp", "activesync", "mapi", "other clients", "exchange web services", "autodiscover")


def parts_signin(record: Row, fields: Row, tenant: object) -> Parts:
    """What a sign-in says. `fields` is the record's `properties`, or the record itself."""
    of = fields.get
    status = of("status")
    code = status.get("errorCode") if status.__class__ is dict else None
    resource = of("resourceDisplayName") or of("resourceId")
    shape = (
        kind_of(record, fields), tenant, of("appId"), of("servicePrincipalId"), of("servicePrincipalName"),
        of("appDisplayName"), of("userId"), of("userPrincipalName"),
        of("ipAddress") or record.get("callerIpAddress"), of("userAgent"),
        record.get("resultType") if code in (None, "") else code, of("authenticationRequirement"),
        of("authenticationProtocol"), of("clientAppUsed"),
        of("servicePrincipalCredentialKeyId") or of("servicePrincipalCredentialThumbprint")
        or of("federatedCredentialId"),
        of("clientCredentialType"), of("riskLevelDuringSignIn"), of("riskState"), of("crossTenantAccessType"),
        of("appOwnerTenantId"),
    )  # fmt: skip
    session = plain(of("uniqueTokenIdentifier") or of("sessionId"))[:256]
    return shape, of("createdDateTime") or record.get("time"), of("id"), session, plain(resource)[:200]


def kind_of(record: Row, fields: Row) -> str:
    """The operation; of a record without category, by what it says."""
    category = record.get("category")
    if category.__class__ is str and category in OPERATIONS:
        return OPERATIONS[category]
    types = [text(kind).lower() for kind in listed(fields.get("signInEventTypes"))]
    if "managedidentity" in types:
        return "ManagedIdentitySignIn"
    if fields.get("servicePrincipalId") and not fields.get("userPrincipalName"):
        return "ServicePrincipalSignIn"
    by_person = true(fields.get("isInteractive")) and "noninteractiveuser" not in types
    return "UserSignIn" if by_person else "NonInteractiveSignIn"


@remembered(4096)
def event_of_signin(shape: tuple[str, ...]) -> Event:
    """The Event of a shape, but for time, record id, session and target."""
    (name, tenant, _, _, _, _, _, _, address, user_agent, code, _, _, _, key, credential, _, _, crossing, _) = shape
    tenant = guid(tenant)
    error = "" if code.lower() in ("0", "success", "none") else code[:128]
    identity = _identity_signin(shape)
    foreign = crossing not in ("", "none")
    return build_event(
        0,
        identity,
        f"entra:{name}",
        provider="entra",
        account=tenant,
        credential=guid(key),
        credential_type=_credential_type(name, key, credential),
        access="write",
        error=error,
        outcome="denied" if error in _DENIED else "failure" if error else "success",
        address=microsoft.host(address),
        user_agent=user_agent,
        target_class="foreign" if foreign else "own",
        marks=_traits(shape, not error),
        links=microsoft.links(identity, guid(shape[3])),
    )


def _identity_signin(shape: tuple[str, ...]) -> Identity:
    name, tenant, app_id, object_id, principal, app_name, user_id, user_name = shape[:8]
    tenant = guid(tenant)
    identity: Optional[Identity] = None
    if name == "ManagedIdentitySignIn":
        identity = microsoft.app(tenant, guid(app_id), guid(object_id), principal or app_name, "managed_identity")
    elif name == "ServicePrincipalSignIn":
        identity = microsoft.app(tenant, guid(app_id), guid(object_id), principal or app_name)
    identity = identity or microsoft.user(tenant, guid(user_id), user_name)
    return identity or microsoft.app(tenant, guid(app_id), guid(object_id), app_name) or microsoft.service(tenant, "")


def _credential_type(name: str, key: str, credential: str) -> str:
    usual = {"ManagedIdentitySignIn": "managed", "NonInteractiveSignIn": "session"}.get(name, "none")
    usual = "key" if name == "ServicePrincipalSignIn" and key else usual
    return _CREDENTIALS_SIGNIN.get(credential.lower(), usual)


def _traits(shape: tuple[str, ...], passed: bool) -> dict[str, bool]:
    (name, tenant, app_id, _, _, _, _, _, _, _, _, requirement, protocol, client, _, _, risk, state,
     crossing, owner) = shape  # fmt: skip
    return {
        "console": name == "UserSignIn" and guid(app_id) in microsoft.PORTALS,
        "mfa": passed and requirement == "multiFactorAuthentication",
        "risky_signin": risk in ("medium", "high") or state in ("atRisk", "confirmedCompromised"),
        "device_code": protocol == "deviceCode",
        "legacy_auth": client.lower().startswith(_LEGACY),
        "cross_account": crossing not in ("", "none", "microsoftSupport"),
        "third_party": name == "ServicePrincipalSignIn" and guid(owner) not in ("", guid(tenant)),
    }


# ---- audit


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
_EMPOWERS = frozenset(
    {
        "consent",
        "scope_growth",
        "role_grant",
        "reply_address",
        "owner_added",
        "federated_credential",
        "publisher_changed",
    }
)
NOTHING: Deep = ((), "")
_NONE: Row = {}
_APPS = ("ServicePrincipal", "Application")


class DirectoryChange(NamedTuple):
    """What a directory record says of the thing that was changed."""

    kind: str = ""
    """ServicePrincipal, Application, User, Role…"""
    id: str = ""
    name: str = ""
    old: Mapping[str, str] = {}
    """Property → old value."""
    new: Mapping[str, str] = {}


def parts(record: Row, fields: Row, tenant: object) -> Parts:
    """What an audit record says."""
    of = fields.get
    by = inner(fields, "initiatedBy")
    who, what = inner(by, "user"), inner(by, "app")
    name = of("activityDisplayName") or record.get("operationName")
    address = who.get("ipAddress") or what.get("ipAddress") or record.get("callerIpAddress")
    operation = microsoft.operation(plain(name))
    details = of("additionalDetails")
    deep = NOTHING
    if is_deep(operation):
        mine = guid(what.get("appId")), guid(what.get("servicePrincipalId"))
        deep = deepen(operation, changes(fields), mine, guid(microsoft.value_of(details, "AppId", "key", "value")))
    shape = (
        operation, tenant, who.get("id"), who.get("userPrincipalName"), what.get("appId"),
        what.get("servicePrincipalId"), what.get("displayName"), address,
        microsoft.value_of(details, "User-Agent", "key", "value") if details else "",
        of("result") or record.get("resultType"), of("loggedByService"), record.get("identity"), " ".join(deep[0]),
        deep[1],
    )  # fmt: skip
    time, session = of("activityDateTime") or record.get("time"), plain(of("correlationId"))[:256]
    return shape, time, of("id"), session, _target(fields)


def changes(fields: Row) -> list[DirectoryChange]:
    """The things changed, with old and new values as text."""
    return [_change(row) for row in rows_of(fields.get("targetResources"))]


def _target(fields: Row) -> str:
    """Name or id of the first thing that was changed."""
    targets = fields.get("targetResources")
    if not targets:
        return ""
    if targets.__class__ is not list or not targets or targets[0].__class__ is not dict:
        targets = rows_of(targets) or [_NONE]
    of = targets[0].get
    return (text(of("displayName")) or text(of("userPrincipalName")) or guid(of("id")))[:200]


def _change(row: Row) -> DirectoryChange:
    modified = [m for m in rows_of(row.get("modifiedProperties")) if m.get("displayName")]
    old, new = (
        {text(m.get("displayName")): text(m.get(name), 8192) for m in modified} for name in ("oldValue", "newValue")
    )
    name = text(row.get("displayName")) or text(row.get("userPrincipalName"))
    return DirectoryChange(text(row.get("type")), guid(row.get("id")), name, old, new)


@remembered(4096)
def event_of(shape: tuple[str, ...]) -> Event:
    """The Event of a shape, but for time, record id, session and target."""
    operation, tenant, _, _, _, _, _, address, user_agent, result, _, _, deep, issued = shape
    failed = result.lower() not in ("", "success", "succeeded", "true", "0")
    identity = _identity(shape)
    return build_event(
        0,
        identity,
        f"entra:{operation}",
        provider="entra",
        account=guid(tenant),
        access=level_of(operation),
        outcome="failure" if failed else "success",
        error=result[:128] if failed else "",
        address=microsoft.host(address),
        user_agent=user_agent,
        target_class="own",
        traits=deep.split(),
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


def app_of(event: Event, change: DirectoryChange, app_id: str) -> Event:
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


@remembered(1024)
def is_deep(operation: str) -> bool:
    """Whether what was changed matters."""
    return DEEP.search(operation) is not None


def deepen(operation: str, changed: list[DirectoryChange], mine: tuple[str, ...], app: str = "") -> Deep:
    """What changes say: sorted traits, and the id of a credential that was added, or of the app that it is about.

    `mine` are all ids of who acts: what an app changes in itself is not `for_other`. `app` is the application id of
    what was changed, where the record gives it.
    """
    old: dict[str, str] = {}
    new: dict[str, str] = {}
    for change in changed:
        old.update(change.old)
        new.update(change.new)
    first = changed[0] if changed else DirectoryChange()
    added = added_keys(old, new)
    traits = _of_permissions(operation, changed, old, new)
    traits += _of_apps(operation, first, old, new, added)
    if "HasElevatedTheirAccess" in operation:
        traits.append("admin_policy")
    own = first.id and first.id in mine
    if ("new_credential_on_app" in traits or "owner_added" in traits) and not own:
        traits.append("for_other")
    telling = not own and not _EMPOWERS.isdisjoint(traits) and "new_credential_on_app" not in traits
    about = (app or first.id) if telling else ""
    return tuple(sorted(set(traits))), added[0] if added else about


def added_keys(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Ids of keys and secrets that an app has now and had not before."""
    now = [key.lower() for name in _CREDENTIALS for key in _KEY.findall(new.get(name, ""))]
    before = {key.lower() for name in _CREDENTIALS for key in _KEY.findall(old.get(name, ""))}
    return sorted(set(now) - before)


def _of_permissions(
    operation: str, changed: list[DirectoryChange], old: Mapping[str, str], new: Mapping[str, str]
) -> list[str]:
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
    traits = [trait for trait in microsoft.permission_traits(values) if trait not in known]
    traits += ["consent"] if consent else ["scope_growth"] if grant else ["role_grant"]
    if not role:
        had = microsoft.wide_scopes(before)
        traits += [scope for scope in microsoft.wide_scopes(values) if scope not in had]
        names = [*(change.name for change in changed), new.get("ServicePrincipal.DisplayName", "")]
        traits += ["lookalike"] if any(map(microsoft.lookalike, names)) else []
    return [*traits, "tenant_wide"] if everybody and not role else traits


def flag(values: Mapping[str, str], name: str) -> bool:
    """Whether a property says yes; Elastic has `_` for the dots of its name."""
    return "true" in (values.get(name) or values.get(name.replace(".", "_")) or "").lower()


def _of_apps(
    operation: str, first: DirectoryChange, old: Mapping[str, str], new: Mapping[str, str], added: list[str]
) -> list[str]:
    on_app = first.kind in ("ServicePrincipal", "Application", "") or "Application" in operation
    marked_traits = {
        "new_credential_on_app": (added and on_app)
        or operation in ("AddServicePrincipalCredentials", "AddApplicationCredentials")
        or (operation.endswith("CertificatesAndSecretsManagement") and len(_key_text(new)) > len(_key_text(old))),
        "federated_credential": "FederatedIdentityCredentials" in new or "ederatedIdentityCredential" in operation,
        "owner_added": operation in ("AddOwnerToApplication", "AddOwnerToServicePrincipal"),
        "reply_address": operation.startswith("Update") and any(_grown(name, old, new) for name in _ADDRESSES),
        "publisher_changed": "ublisher" in operation or "VerifiedPublisher" in new or "PublisherDomain" in new,
        "trust_domain": "FederationSettings" in operation or "DomainAuthentication" in operation,
    }
    return [trait for trait, holds in marked_traits.items() if holds]


def _key_text(values: Mapping[str, str]) -> str:
    return "".join(values.get(name, "") for name in _CREDENTIALS)


def _grown(name: str, old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    return name in new and new[name].strip('[]" ') != "" and new[name] != old.get(name, "")


# ---- graph
#
# A request of the Microsoft Graph activity log.


_METHODS = {"1": "key", "2": "certificate"}
_LEVELS = {"GET": "read", "HEAD": "read", "OPTIONS": "read"}
# A segment that names one thing: it has a digit, a sign or is longer than any word of the API.
_ID = re.compile(r"(?!oauth2permissiongrants$)(?:.*[0-9@=!%']|.{41,})")
_LETTERS = re.compile(r"[a-z.$]+")
_KEYED = re.compile(r"([a-z]+)\((.*)\)")


def parts_graph(record: Row, fields: Row, tenant: object) -> Parts:
    """What a request says."""
    of = fields.get
    uri = plain(of("requestUri"))
    status = of("responseStatusCode")
    shape = (
        route(uri),
        of("requestMethod"),
        tenant,
        of("appId"),
        of("servicePrincipalId"),
        of("userId"),
        of("ipAddress") or record.get("callerIpAddress"),
        of("userAgent"),
        record.get("resultSignature") if status in (None, "") else status,
        of("clientAuthMethod"),
    )
    session = plain(of("signInActivityId"))[:256]
    return shape, of("timeGenerated") or record.get("time"), of("requestId"), session, path(uri)


@remembered(16384)
def path(uri: str) -> str:
    """The path of a request, without host, version and query.

    >>> path("https://graph.microsoft.com/v1.0/users/7/messages?$top=5")
    '/users/7/messages'
    """
    tail = uri.partition("?")[0].partition("://")[2]
    steps = tail.split("/")[1:]
    if steps and (steps[0] == "beta" or steps[0][:1] == "v"):
        steps = steps[1:]
    return "/" + "/".join(step for step in steps if step)[:199]


@remembered(16384)
def route(uri: str) -> str:
    """The path with `{id}` for what names one thing, in lower case.

    >>> route("https://graph.microsoft.com/beta/Users('a@b.c')/sendMail")
    '/users/{id}/sendmail'
    >>> route("https://graph.microsoft.com/v1.0/oauth2PermissionGrants/7f2c-1")
    '/oauth2permissiongrants/{id}'

    Graph answers to other spellings of a step as well:

    >>> route("https://graph.microsoft.com/v1.0/us%65rs/7/microsoft.graph.sendMail")
    '/users/{id}/sendmail'
    """
    steps = []
    for segment in path(uri).split("/")[1:9]:
        step = _spelled(segment.lower())
        keyed = _KEYED.match(step)
        if keyed:
            steps += [keyed[1], "{id}"] if keyed[2] else [keyed[1]]
        else:
            steps.append("{id}" if _ID.match(step) else step)
    return "/" + "/".join(steps)[:100].replace(" ", "")


def _spelled(step: str) -> str:
    """A step without its qualifier, and decoded where only letters were encoded; what else was, names one thing."""
    plain_step = unquote(step).lower() if "%" in step else step
    if plain_step != step and not (_KEYED.match(plain_step) or _LETTERS.fullmatch(plain_step)):
        return step
    return plain_step.removeprefix("microsoft.graph.").removeprefix("graph.")


@remembered(8192)
def event_of_graph(shape: tuple[str, ...]) -> Event:
    """The Event of a shape, but for time, record id, session and target."""
    where, method, tenant, _, _, _, address, user_agent, status, authenticated = shape
    tenant, method = guid(tenant), method.strip()[:8].upper()
    operation = f"{method}:{where}"
    level = actions.access("graph", operation)
    identity, delegated = _actor(shape)
    no_browser = {} if identity.kind == "user" else {"browser": False}
    return build_event(
        0,
        identity,
        f"graph:{operation}",
        provider="entra",
        account=tenant,
        credential_type=_METHODS.get(authenticated, "session"),
        access=_LEVELS.get(method, "write") if level == "unknown" else level,
        outcome="denied" if status in ("401", "403") else "success" if status[:1] in ("2", "3", "") else "failure",
        error="" if status[:1] in ("2", "3") else status[:128],
        address=microsoft.host(address),
        user_agent=user_agent,
        target_class="own",
        marks={"delegated": delegated, **no_browser},
        links=microsoft.links(identity, guid(shape[4]), guid(shape[5]) if delegated else ""),
    )


def _actor(shape: tuple[str, ...]) -> tuple[Identity, bool]:
    """Who acts, and whether for a user."""
    tenant, app_id, object_id, user_id = guid(shape[2]), guid(shape[3]), guid(shape[4]), guid(shape[5])
    person = microsoft.user(tenant, user_id, "")
    program = microsoft.app(tenant, app_id, object_id)
    if person and (program is None or microsoft.first_party(app_id)):
        return person, False
    return program or microsoft.service(tenant, ""), person is not None
