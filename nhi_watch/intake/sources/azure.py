"""Azure: the activity log of subscriptions, the logs of storage accounts (read, write, delete) and of key vaults.

Native shapes: records of diagnostic settings (`operationName` is text), and those of the REST interface and its
libraries (`operationName`, or `operation_name`, is an object with `value`). Decisions:

- The claims of the token say who acts: identities of `_microsoft`. A managed identity is known by the claim
  `xms_mirid`. Access with a storage account's key or a shared access signature is an identity of its own
  (`storage_key`): the hash that the log gives of it is the credential.
- Key vaults: operations are named as roles name them (`vaults/secrets/getsecret/action`), the secret is the target.
- Service and operation are in lower case, `microsoft.compute:virtualmachines/write`, since Azure spells them both
  ways. Storage operations are `storage:GetBlob`.
- The account is the subscription; the session is the token (`uti`). Start, Accept and Success of one operation
  are records of their own. The log gives records no id: correlation, time, result, operation and resource make one.

Traits, besides browser, console, mfa and attack_tool: delegated, role_grant, admin_policy, for_other, open_ingress,
public, federated_credential, mass_export (a disk's or snapshot's content is given out), logging_reduced.

Reject reasons: not_object, bad_json, too_deep, no_action, no_time, bad_time, clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from nhi_watch.context import actions
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import BEHALF, Event, Identity
from nhi_watch.core.remembered import remembered
from nhi_watch.core.timestamps import render
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import Table, Tree, at, dataset, inner, native, part, rebuild
from nhi_watch.intake.shapes.json import parsed
from nhi_watch.intake.shapes.microsoft import PLATFORM, category, guid
from nhi_watch.intake.shapes.values import bound, build_event, filled, moment, plain, text

# ---- facts
#
# Azure activity: who acts by the claims of a token, the level of an operation, what request bodies mean.


Row = Mapping[str, Any]

_MICROSOFT = "http://schemas.microsoft.com/identity/claims/"
_XMLSOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
OBJECT_ID = _MICROSOFT + "objectidentifier"
TENANT = _MICROSOFT + "tenantid"
METHODS = "http://schemas.microsoft.com/claims/authnmethodsreferences"
NAMES = (_XMLSOAP + "upn", _XMLSOAP + "name", _XMLSOAP + "emailaddress", "unique_name", "name")

_DOTTED = (OBJECT_ID, TENANT, METHODS, *NAMES[:3])

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


def claims_of(claims: Any) -> Row:
    """Claims under their own names: Elastic has `_` for dots, Splunk's rows are nested at dots.

    >>> claims_of({"http://schemas_microsoft_com/identity/claims/tenantid": "t"})[TENANT]
    't'
    """
    if not isinstance(claims, dict):
        return {}
    missing = {name: claims.get(name.replace(".", "_"), at(claims, name)) for name in _DOTTED if name not in claims}
    return {**claims, **{name: value for name, value in missing.items() if value is not None}}


def identity_of(tenant: str, ids: tuple[str, str, str], kind: str, machine: str) -> tuple[Identity, bool]:
    """The identity, and whether an app acts for a user.

    `ids` are application id, object id and user name; `kind` is what is given of the principal (`app`,
    `ServicePrincipal`, `User`…), `machine` the resource whose managed identity it is.
    """
    app_id, object_id, name = ids
    is_app = kind.lower() in ("app", "serviceprincipal") or not (name or kind.lower() == "user")
    if is_app:
        shown = machine.rpartition("/")[2] or name
        identity = microsoft.app(tenant, app_id, object_id, shown, "managed_identity" if machine else "app")
        return identity or _nobody(tenant, name), False
    if app_id and not microsoft.first_party(app_id):
        return microsoft.app(tenant, app_id, "") or _nobody(tenant, name), True
    return microsoft.user(tenant, object_id, name) or _nobody(tenant, name), False


def _nobody(tenant: str, name: str) -> Identity:
    """An unnamed identity: one bucket for each tenant, watched like an identity."""
    unknown = Identity(f"azure:unknown:{tenant}", "not told", "unknown", "azure", tenant, "")
    return microsoft.service(tenant, name) if name else unknown


@remembered(8192)
def split(operation: str) -> tuple[str, str]:
    """Service and operation, in lower case because Azure spells them both ways.

    >>> split("MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE"), split("getblob")
    (('microsoft.compute', 'virtualmachines/write'), ('storage', 'GetBlob'))
    """
    head, parts, tail = operation[:200].partition("/")
    if not parts:
        verb = _VERB.match(head)
        return "storage", (verb[1].title() + verb[2].title() if verb else re.sub(r"[^0-9A-Za-z]", "", head))[:60]
    return head.lower().replace(":", ""), re.sub(r"[\s:]", "", tail.lower())[:100]


@remembered(4096)
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


@remembered(4096)
def is_deep(operation: str) -> bool:
    """Whether the request body or the name of an operation matters."""
    return DEEP.search(operation.lower()) is not None


def deepen(stored_name: str, properties: Any, mine: str) -> str:
    """The traits that the request body and the operation's name show; `mine` is the object id of who acts."""
    operation = split(stored_name)[1]
    body = _body(properties)
    grants = operation.startswith("roleassignments/write") or "roledefinitions/write" in operation
    marked_traits = {
        "role_grant": grants,
        "admin_policy": "elevateaccess" in operation or (grants and bool(_POWERFUL.search(body) or '"*"' in body)),
        "for_other": grants and (not mine or guid(mine) not in body.lower()),
        "open_ingress": "security" in operation and _OPEN.search(body) is not None and '"Deny"' not in body,
        "public": _PUBLIC.search(body) is not None,
        "federated_credential": "federatedidentitycredentials" in operation,
        "mass_export": "getaccess" in operation,
        "logging_reduced": _LOGS.search(operation) is not None,
    }
    return " ".join(trait for trait, holds in marked_traits.items() if holds)


def _body(properties: Any) -> str:
    """The request body's text without blanks; bounded."""
    body = properties.get("requestbody") or properties.get("requestBody") if properties.__class__ is dict else None
    if isinstance(body, dict):
        try:
            body = json.dumps(body)
        except RecursionError:
            return ""
    return re.sub(r"\s+", "", body[:65536]) if isinstance(body, str) else ""


def storage_actor(
    account: str, kind: str, token: str, tenant: str, app: str, user: str, name: str, signed: str
) -> tuple[Identity, str, str]:
    """Who reads or writes a storage account: identity, credential and its kind."""
    app, user, kind, token = guid(app), guid(user), kind.lower(), token[:128]
    if app or user:
        return identity_of(guid(tenant), (app, user, name), "User" if name else "app", "")[0], "", "session"
    if token or signed or kind in ("sas", "accountkey", "delegationsas"):
        name = f"key of {account}" if kind == "accountkey" else f"shared access signature of {account}"
        unique = token.partition(",")[0] or "sas"  # the key with which a signature was made
        identity = Identity(f"azure:storage_key:{account}:{unique}", name, "storage_key", "azure", account, "")
        return identity, token, "key" if kind == "accountkey" else "sas"
    return Identity(f"azure:anonymous:{account}", "anonymous", "anonymous", "azure", account, ""), "", "none"


# ---- keyvault
#
# Key Vault's own log of what is done with secrets, keys and certificates, in the words of the activity log.


CATEGORY = "AuditEvent"
_PLACE = re.compile(r"/providers/microsoft\.keyvault/(?:vaults|managedhsms)/", re.IGNORECASE)
_OPERATION = re.compile(r"(Vault|Secret|Key|Certificate|ManagedStorageAccount)([A-Z]\w*)")
_OBJECT = re.compile(r"https://[^/]+/(secrets|keys|certificates|storage)/([^/?]+)")
_ACTIONS = {
    "SecretGet": "secrets/getsecret/action",
    "SecretSet": "secrets/setsecret/action",
    "VaultGet": "read",
    "SecretList": "secrets/readmetadata/action",
    "SecretListVersions": "secrets/readmetadata/action",
    "VaultPut": "write",
    "VaultPatch": "write",
    "VaultDelete": "delete",
    "VaultRecover": "write",
}
"""Operations as roles name them: those that tables and signals know."""
_SHORT = {OBJECT_ID: "oid", TENANT: "tid"}


def is_vaults(row: Row) -> bool:
    """Whether a record, or a document of Elastic's, is of a vault's log."""
    if category(row) != CATEGORY:
        return False
    return dataset(row) == PLATFORM or _PLACE.search(plain(row.get("resourceId"))) is not None


def as_activity(row: Row) -> Row:
    """The record as the activity log would have it; what was touched becomes a part of the resource."""
    properties: Any = row.get("properties")
    given = claims_of(at(row, "identity.claim"))
    claims = {**given, **{long: given[short] for long, short in _SHORT.items() if short in given and long not in given}}
    touched = _OBJECT.match(plain(at(properties, "id")) or plain(at(properties, "requestUri")))
    place = plain(row.get("resourceId")) + (f"/{touched[1]}/{touched[2]}" if touched else "")
    return {
        **row,
        "operationName": f"Microsoft.KeyVault/vaults/{_named(plain(row.get('operationName')).strip())}",
        "category": "Administrative",
        "resourceId": place,
        "identity": {"claims": claims},
        "properties": {},
        "resultSignature": text(at(properties, "httpStatusCode")) or row.get("resultSignature"),
        "userAgent": at(properties, "clientInfo"),
    }


def _named(operation: str) -> str:
    match = _OPERATION.fullmatch(operation)
    if operation in _ACTIONS or match is None:
        return _ACTIONS.get(operation) or f"{operation}/action" if operation else ""
    return f"{match[1].lower()}s/{match[2].lower()}/action"


# ---- shapes
#
# The shapes of Azure's activity log → a record as diagnostic settings write it.


_NONE: Row = {}
_LOGS_OF = "azure.activitylogs"


def _table(logs: str) -> Table:
    """Where Elastic's integration puts what a record says."""
    paths = ("category", "identity.claim", "identity.claims", "identity.authorization", "properties")
    return {
        **{name: f"{logs}.{name}" for name in paths},
        "time": "@timestamp",
        "correlationId": "azure.correlation_id",
        "operationName": (f"{logs}.operation_name", "event.action"),
        "location": "geo.name",
        "resourceId": ("azure.resource.id", "azure.resource_id"),
        "resultSignature": f"{logs}.result_signature",
        "resultType": (f"{logs}.result_type", "event.outcome"),
        "callerIpAddress": ("source.ip", "source.address", "client.ip", f"{logs}.callerIpAddress"),
        "tenantId": (f"{logs}.tenantId", f"{logs}.tenant_id", "azure.tenant_id"),
        "identity.name": f"{logs}.identity.claims_initiated_by_user.fullname",
    }


def _named_shapes(row: Tree) -> Tree:
    """The identity of a document in the words of diagnostic settings."""
    identity = row.get("identity")
    if identity:
        full = identity.get("name")
        identity["claims"] = {**({"name": full} if full else {}), **claims_of(identity.get("claims"))}
        if identity.get("authorization"):
            identity["authorization"] = microsoft.camel(identity["authorization"])
    return row


def native_of(record: object) -> Row:
    """The record in the words of diagnostic settings, whatever its shape."""
    row, is_ecs = native(record)
    if is_ecs and dataset(row) == microsoft.PLATFORM:
        row, is_ecs = rebuild(row, _table(PLATFORM)), False
    if is_vaults(row):
        return as_activity(row)
    if is_ecs:
        return _named_shapes(rebuild(row, _table(_LOGS_OF)))
    if row.get("operationName").__class__ is dict or "operation_name" in row:
        return of_rest(row)
    identity = row.get("identity")
    if identity.__class__ is dict and not microsoft.is_native(record if isinstance(record, dict) else {}):
        return {**row, "identity": {**identity, "claims": claims_of(identity.get("claims"))}}
    return row


def of_rest(row: Row) -> Row:
    """A record of the REST interface, or of its libraries (`event_timestamp`), in the words of diagnostic settings."""
    spelt = {microsoft.spelt(name): value for name, value in row.items() if name.__class__ is str}
    of = spelt.get
    operation = _value(of("operationName"))
    if "time" in row and "identity" in row:
        return {**row, "operationName": operation}
    caller, given = text(of("caller")), claims_of(of("claims"))
    ask = inner(spelt, "httpRequest").get
    person = {"name": caller} if "@" in caller and not any(map(given.get, NAMES)) else {}
    return {
        "time": of("eventTimestamp"),
        "operationName": operation,
        "resourceId": of("resourceId"),
        "correlationId": of("eventDataId") or of("correlationId"),
        "resultType": _value(of("status")),
        "callerIpAddress": ask("clientIpAddress") or ask("client_ip_address"),
        "resultSignature": _value(of("subStatus")),
        "tenantId": of("tenantId"),
        "identity": {"claims": {**person, **given}},
        "properties": of("properties"),
    }


def _value(claim: Any) -> Any:
    """A localised text is an object with a `value`."""
    return claim.get("value") if claim.__class__ is dict else None


# ---- azure


NAME = "azure"
SPLUNK_SOURCETYPES = ("azure:monitor:activity", "azure:monitor:resource", "mscs:azure:audit")
ELASTIC_INDICES = ("logs-azure.activitylogs-*", "logs-azure.platformlogs-*")

Parts = tuple[tuple[Any, ...], object, str, str]
"""shape, time, session, target"""

_CATEGORIES = {
    "Administrative",
    "Security",
    "ServiceHealth",
    "ResourceHealth",
    "Alert",
    "Autoscale",
    "Recommendation",
    "Policy",
    "Action",
    "Write",
    "Delete",
}
_NO_KEY = ("",) * 7
_ASKED = ("tenantId", "appId", "objectId", "upn")
_NAMES = (*NAMES, "upn")
_STORAGE = {"StorageRead", "StorageWrite", "StorageDelete"}
_OF_AZURE = {"ServiceHealth", "ResourceHealth", "Alert", "Autoscale", "Recommendation"}
"""Categories of what Azure itself does."""
_FAILED = ("fail", "error", "cancel", "client", "server", "forbidden", "unauthorized")
_DENIED = ("403", "401", "forbidden", "unauthorized", "authorizationfailed", "requestdisallowedbypolicy")


def claims(record: object) -> bool:
    """Whether the record is one of Azure's activity, storage or key vault logs, in any of its three shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Row, record)
    operation = row.get("operationName")
    if operation.__class__ is str:
        return _is_ours(row, operation) or is_vaults(row)
    if operation.__class__ is dict or "operation_name" in row:
        return "eventTimestamp" in row or "event_timestamp" in row or "time" in row
    if "operationName.value" in row or "operation_name.value" in row:
        return True
    raw = row.get("_raw")
    if raw.__class__ is str:
        is_activity = '"operationName"' in raw or '"operation_name"' in raw
        if is_activity and any(f'"{name}"' in raw for name in _STORAGE):
            return True
        place = '"Administrative"' in raw or "/subscriptions/" in raw.lower()
        return is_activity and place and "kube-audit" not in raw and '"initiatedBy"' not in raw
    if dataset(row) == _LOGS_OF:
        return not microsoft.relayed(row)
    return is_vaults(row)


def _is_ours(row: Row, operation: str) -> bool:
    category_name = row.get("category")
    if category_name.__class__ is str and category_name in _STORAGE:
        return True
    resource = row.get("resourceId")
    if category_name is None and "/" not in operation:
        return resource.__class__ is str and "/storageaccounts/" in resource.lower()
    known = category_name is None or (category_name.__class__ is str and category_name in _CATEGORIES)
    return known and "/" in operation and " " not in operation


def _record_id(row: Row, when: str, operation: str, outcome: str, target: str) -> str:
    of = row.get
    result, resource = plain(of("resultType")), plain(of("resourceId")).lower()[-90:]
    request = plain(of("correlationId"))
    bound_id = bound(request or "-", when, result, operation.lower(), resource, outcome, target)
    return f"{request[:64]}:{when}:{bound_id[-12:]}"


def _parts(row: Row, properties: Any) -> Parts:
    """What every record holds."""
    of, identity = row.get, inner(row, "identity")
    given = inner(identity, "claims").get
    more = parsed(properties) if properties.__class__ is str else properties
    more = more if more.__class__ is dict else _NONE
    evidence = part(identity, "authorization.evidence")
    resource, operation = plain(of("resourceId")), plain(of("operationName"))
    mine, account = given(OBJECT_ID) or evidence.get("principalId"), more.get("accountName")
    account = account[:200] if account.__class__ is str else account  # Azure's own have at most 24 characters
    methods, asked = given(METHODS) or given("amr"), inner(identity, "requester").get
    shape = (
        operation, _subscription(resource), given(TENANT) or of("tenantId"), given("appid"), mine,
        next(filter(None, map(given, _NAMES)), None),
        given("idtyp") or evidence.get("principalType"), given("xms_mirid"), given("appidacr"),
        of("callerIpAddress") or given("ipaddr"),
        more.get("userAgentHeader") or of("userAgent"), of("resultType") or of("statusText"),
        of("resultSignature") or of("statusCode"), of("location"), account,
        "y" if methods and "mfa" in plain(methods) else "", "y" if plain(of("category")) in _OF_AZURE else "",
        deepen(operation, more, text(mine)) if is_deep(operation) else "",
        *((identity.get("type") or "none", identity.get("tokenHash"), *map(asked, _ASKED),
           "y" if "sig=" in plain(of("uri")) else "") if account else _NO_KEY),
    )  # fmt: skip
    target = _name(resource) if not account else plain(more.get("objectKey"))[:200] or plain(account)
    return shape, of("time"), plain(given("uti"))[:256], target


@remembered(4096)
def _subscription(resource: str) -> str:
    steps = resource.lower().split("/")
    return steps[2][:64] if len(steps) > 2 and steps[1] == "subscriptions" else ""


@remembered(8192)
def _name(resource: str) -> str:
    """Type and name of a resource, in lower case."""
    return "/".join(resource.lower().split("/")[-2:])[:200]


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    row = native_of(record)
    shape, time, session, target = _parts(row, row.get("properties"))
    if not shape[0].strip("/"):
        raise RejectError("no_action", "operationName is missing")
    seconds = moment(time)
    event = _event(tuple(map(text, shape)))
    record_id = _record_id(row, render(seconds), shape[0], event.outcome, target)
    return filled(event, seconds, record_id, session, target)


@remembered(4096)
def _event(shape: tuple[str, ...]) -> Event:
    (name, subscription, tenant, _, object_id, _, _, _, strength, caller, user_agent, result, signature, location,
     account, mfa, _, deep, *_) = shape  # fmt: skip
    service, operation = split(name)
    identity, credential, kind, delegated = _actor(shape)
    outcome, error = _outcome(result, signature)
    marked_traits = {"delegated": delegated}
    if identity.kind == "user":
        marked_traits.update(console=guid(shape[3]) in microsoft.PORTALS, mfa=bool(mfa))
    else:
        marked_traits["browser"] = False
    return build_event(
        0,
        identity,
        f"{service}:{operation}",
        provider="azure",
        account=subscription or account[:64] or guid(tenant),
        credential=credential,
        access=level_of(service, operation),
        outcome=outcome,
        error=error,
        credential_type=kind or {"1": "key", "2": "certificate"}.get(strength, "session"),
        address=microsoft.host(caller),
        user_agent=user_agent,
        target_class="own",
        marks=marked_traits,
        traits=deep.split(),
        region="" if location.lower() == "global" else location[:64].lower(),
        links=(BEHALF + guid(object_id),) if delegated else microsoft.links(identity, guid(object_id)),
    )


def _actor(shape: tuple[str, ...]) -> tuple[Identity, str, str, bool]:
    """Identity, credential, its kind if a storage account's, and whether an app acts for a user."""
    tenant, app_id, object_id, name, kind, machine = shape[2:8]
    tenant = guid(tenant)
    if shape[18] and not app_id:
        return (*storage_actor(shape[14][:64].lower(), *shape[18:]), False)
    if shape[16]:
        return microsoft.service(tenant, "Azure"), "", "none", False
    identity, delegated = identity_of(tenant, (guid(app_id), guid(object_id), name), kind, machine)
    return identity, "", "managed" if machine else "", delegated


def _outcome(result: str, signature: str) -> tuple[str, str]:
    """Outcome and error code; the signature of a failure is its HTTP status or reason."""
    lowered = result.lower()
    code = signature.partition(".")[0] if signature else result
    if signature[:3] in ("401", "403") or any(mark in (lowered + signature.lower()) for mark in _DENIED[2:]):
        return "denied", (code or result)[:128]
    failed = lowered.startswith(_FAILED) or (signature[:1] in ("4", "5") and signature[:3].isdigit())
    return ("failure", (code or result)[:128]) if failed else ("success", "")
