"""Azure activity: who acts by the claims of a token, the level of an operation, what request bodies mean."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from nhi_watch.context import actions
from nhi_watch.core.event import Identity
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import at
from nhi_watch.intake.shapes.microsoft import guid
from nhi_watch.intake.shapes.values import text

Row = Mapping[str, Any]

_MICROSOFT = "http://schemas.microsoft.com/identity/claims/"
_XMLSOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
OBJECT_ID = _MICROSOFT + "objectidentifier"
TENANT = _MICROSOFT + "tenantid"
METHODS = "http://schemas.microsoft.com/claims/authnmethodsreferences"
NAMES = (_XMLSOAP + "upn", _XMLSOAP + "name", _XMLSOAP + "emailaddress", "unique_name", "name")

_DOTTED = (OBJECT_ID, TENANT, METHODS, *NAMES[:3])
_UNDOTTED = {name: name.replace(".", "_") for name in _DOTTED}

# Role definitions that give away a subscription: Owner, Contributor, User Access Administrator, RBAC Administrator.
_POWERFUL = re.compile(
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635|b24988ac-6180-42a0-ab88-20f7382dd24c|18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
    "|f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    re.IGNORECASE,
)
_OPEN = re.compile(r'"sourceAddressPrefix":"(?:\*|0\.0\.0\.0/0|internet|any)"', re.IGNORECASE)
_PUBLIC = re.compile(
    r'"allowBlobPublicAccess":true|"defaultAction":"Allow"|"publicAccess":"(?:Container|Blob)"'
    r'|"publicNetworkAccess":"Enabled"|"startIpAddress":"0\.0\.0\.0"',
    re.IGNORECASE,
)
_LOGS = re.compile(r"diagnosticsettings/delete|flowlogs/delete|activitylogalerts/delete")
_VERB = re.compile(r"(get|put|set|delete|list|copy|create|append|undelete|snapshot)([a-z0-9]+)$", re.IGNORECASE)
DEEP = re.compile(
    r"roleassignments/write|roledefinitions/write|elevateaccess|securityrules/write|networksecuritygroups/write"
    r"|storageaccounts/(?:blobservices/containers/)?write|firewallrules/write|vaults/write|federatedidentitycredentials/write"
    r"|servers/write|accesspolicies/write|getaccess|" + _LOGS.pattern
)
"""Operations whose request body, or whose name, has traits."""


def claims_of(told: Any) -> Row:
    """Claims under their own names: Elastic has `_` for dots, Splunk's rows are nested at dots.

    >>> claims_of({"http://schemas_microsoft_com/identity/claims/tenantid": "t"})[TENANT]
    't'
    """
    if not isinstance(told, dict):
        return {}
    found = dict(told)
    for name in _DOTTED:
        if name not in found:
            value = told.get(_UNDOTTED[name])
            if value is None:
                value = at(told, name)
            if value is not None:
                found[name] = value
    return found


def named(claims: Row) -> bool:
    """Whether the claims name a user."""
    return any(claims.get(name) for name in NAMES)


def identity_of(tenant: str, ids: tuple[str, str, str], kind: str, machine: str) -> tuple[Identity, bool]:
    """The identity, and whether an app acts for a user.

    `ids` are application id, object id and user name; `kind` is what is told of the principal (`app`,
    `ServicePrincipal`, `User`…), `machine` the resource whose managed identity it is.
    """
    app_id, object_id, name = ids
    is_app = kind.lower() in ("app", "serviceprincipal") or not (name or kind.lower() == "user")
    if is_app:
        shown = machine.rpartition("/")[2] or name
        found = microsoft.app(tenant, app_id, object_id, shown, "managed_identity" if machine else "app")
        return found or _nobody(tenant, name), False
    if app_id and not microsoft.first_party(app_id):
        return microsoft.app(tenant, app_id, "") or _nobody(tenant, name), True
    return microsoft.user(tenant, object_id, name) or _nobody(tenant, name), False


def _nobody(tenant: str, name: str) -> Identity:
    """Who is not told: one bucket for each tenant, watched like an identity."""
    return (
        microsoft.service(tenant, name)
        if name
        else Identity(f"azure:unknown:{tenant}", "not told", "unknown", "azure", tenant, "")
    )


@lru_cache(maxsize=8192)
def split(operation: str) -> tuple[str, str]:
    """Service and operation, in lower case because Azure spells them both ways.

    >>> split("MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE"), split("getblob")
    (('microsoft.compute', 'virtualmachines/write'), ('storage', 'GetBlob'))
    """
    head, found, tail = operation[:200].partition("/")
    if not found:
        verb = _VERB.match(head)
        return "storage", (verb[1].title() + verb[2].title() if verb else re.sub(r"[^0-9A-Za-z]", "", head))[:60]
    return head.lower().replace(":", ""), re.sub(r"[\s:]", "", tail.lower())[:100]


@lru_cache(maxsize=4096)
def level_of(service: str, operation: str) -> str:
    """Access level: what the tables say, else by the last part of the name.

    >>> level_of("microsoft.compute", "disks/read"), level_of("microsoft.authorization", "locks/write")
    ('read', 'permissions')
    >>> level_of("microsoft.web", "sites/restart/action"), level_of("microsoft.web", "sites/listhosts/action")
    ('write', 'read')
    """
    level = actions.access(service, operation)
    if level != "unknown":
        return level
    parts = operation.split("/")
    if service == "microsoft.authorization" and parts[-1] != "read":
        return "permissions"
    listing = parts[-1] == "action" and len(parts) > 1 and parts[-2].startswith(("list", "get", "query", "search"))
    return "read" if parts[-1] == "read" or listing else "write"


@lru_cache(maxsize=4096)
def is_deep(operation: str) -> bool:
    """Whether the request body or the name of an operation matters."""
    return DEEP.search(operation.lower()) is not None


def deepen(told_as: str, properties: Any, mine: str) -> str:
    """The traits that the request body and the operation's name tell; `mine` is the object id of who acts."""
    operation = split(told_as)[1]
    body = _body(properties)
    grants = operation.startswith("roleassignments/write") or "roledefinitions/write" in operation
    told = {
        "role_grant": grants,
        "admin_policy": "elevateaccess" in operation or (grants and bool(_POWERFUL.search(body) or '"*"' in body)),
        "for_other": grants and (not mine or guid(mine) not in body.lower()),
        "open_ingress": "security" in operation and _OPEN.search(body) is not None and '"Deny"' not in body,
        "public": _PUBLIC.search(body) is not None,
        "federated_credential": "federatedidentitycredentials" in operation,
        "mass_export": "getaccess" in operation,
        "logging_reduced": _LOGS.search(operation) is not None,
    }
    return " ".join(trait for trait, holds in told.items() if holds)


def _body(properties: Any) -> str:
    """The request body's text without blanks; bounded."""
    told = properties.get("requestbody") or properties.get("requestBody") if properties.__class__ is dict else None
    if isinstance(told, dict):
        try:
            told = json.dumps(told)
        except RecursionError:
            return ""
    return re.sub(r"\s+", "", told[:65536]) if isinstance(told, str) else ""


def storage_actor(identity: Any, account: str, signed: bool) -> tuple[Identity, str, str]:
    """Who reads or writes a storage account: identity, credential and its kind."""
    kind = text(at(identity, "type")).lower()
    requester = at(identity, "requester")
    if isinstance(requester, dict):
        tenant, app_id = guid(requester.get("tenantId")), guid(requester.get("appId"))
        name, object_id = text(requester.get("upn")), guid(requester.get("objectId"))
        if app_id or object_id:
            return identity_of(tenant, (app_id, object_id, name), "User" if name else "app", "")[0], "", "session"
    token = text(at(identity, "tokenHash"), 128)
    if token or signed or kind in ("sas", "accountkey", "delegationsas"):
        name = f"key of {account}" if kind == "accountkey" else f"shared access signature of {account}"
        unique = token.partition(",")[0] or "sas"  # the key with which a signature was made
        made = Identity(f"azure:storage_key:{account}:{unique}", name, "storage_key", "azure", account, "")
        return made, token, "key" if kind == "accountkey" else "sas"
    return Identity(f"azure:anonymous:{account}", "anonymous", "anonymous", "azure", account, ""), "", "none"
