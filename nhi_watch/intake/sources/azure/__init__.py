"""Azure: the activity log of subscriptions, the logs of storage accounts (read, write, delete) and of key vaults.

Native shapes: records of diagnostic settings (`operationName` is text), and those of the REST interface and its
libraries (`operationName`, or `operation_name`, is an object with `value`). Decisions:

- Who acts is told by the claims of the token: identities of `_microsoft`. A managed identity is known by the claim
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

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from nhi_watch.context import agents, networks
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import BEHALF, Event, Identity
from nhi_watch.core.timestamps import render
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import dataset
from nhi_watch.intake.shapes.microsoft import guid
from nhi_watch.intake.shapes.times import moment
from nhi_watch.intake.shapes.values import bound, filled, plain, text
from nhi_watch.intake.sources.azure import facts, keyvault
from nhi_watch.intake.sources.azure.facts import NAMES, OBJECT_ID
from nhi_watch.intake.sources.azure.shapes import native_of, object_of

NAME = "azure"
SPLUNK_SOURCETYPES = ("azure:monitor:activity", "azure:monitor:resource", "mscs:azure:audit")
ELASTIC_INDICES = ("logs-azure.activitylogs-*", "logs-azure.platformlogs-*")

Row = Mapping[str, Any]
Parts = tuple[tuple[Any, ...], object, str, str]
"""shape, time, session, target"""

_CATEGORIES = {
    "Administrative", "Security", "ServiceHealth", "ResourceHealth", "Alert", "Autoscale", "Recommendation", "Policy",
    "Action", "Write", "Delete",
}  # fmt: skip
_NONE: Row = {}
_NO_KEY = ("",) * 7
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
        return _is_ours(row, operation) or keyvault.is_vaults(row)
    if operation.__class__ is dict or "operation_name" in row:
        return "eventTimestamp" in row or "event_timestamp" in row or "time" in row
    if "operationName.value" in row or "operation_name.value" in row:
        return True
    raw = row.get("_raw")
    if raw.__class__ is str:
        marks = '"operationName"' in raw or '"operation_name"' in raw
        if marks and any(f'"{category}"' in raw for category in _STORAGE):
            return True
        place = '"Administrative"' in raw or "/subscriptions/" in raw.lower()
        return marks and place and "kube-audit" not in raw and '"initiatedBy"' not in raw
    if dataset(row) == "azure.activitylogs":
        return not microsoft.relayed(row)
    return keyvault.is_vaults(row)


def _is_ours(row: Row, operation: str) -> bool:
    category = row.get("category")
    if category.__class__ is str and category in _STORAGE:
        return True
    resource = row.get("resourceId")
    if category is None and "/" not in operation:
        return resource.__class__ is str and "/storageaccounts/" in resource.lower()
    known = category is None or (category.__class__ is str and category in _CATEGORIES)
    return known and "/" in operation and " " not in operation


def _record_id(row: Row, when: str, operation: str, outcome: str, target: str) -> str:
    of = row.get
    result, resource = plain(of("resultType")), plain(of("resourceId")).lower()[-90:]
    request = plain(of("correlationId"))
    told = bound(request or "-", when, result, operation.lower(), resource, outcome, target)
    return f"{request[:64]}:{when}:{told[-12:]}"


def _parts(row: Row, properties: Any) -> Parts:
    """What every record tells."""
    of, identity = row.get, _part(row.get("identity"))
    given = _part(identity.get("claims")).get
    more = _part(properties)
    if properties.__class__ is str:
        more = _part(object_of(properties))
    evidence = _part(_part(identity.get("authorization")).get("evidence"))
    resource, operation = plain(of("resourceId")), plain(of("operationName"))
    mine, account = given(OBJECT_ID) or evidence.get("principalId"), more.get("accountName")
    methods = given(facts.METHODS) or given("amr")
    shape = (
        operation, _subscription(resource), given(facts.TENANT) or of("tenantId"), given("appid"), mine,
        next(filter(None, map(given, _NAMES)), None),
        given("idtyp") or evidence.get("principalType"), given("xms_mirid"), given("appidacr"),
        of("callerIpAddress") or given("ipaddr"),
        more.get("userAgentHeader") or of("userAgent"), of("resultType") or of("statusText"),
        of("resultSignature") or of("statusCode"), of("location"), account,
        "y" if methods and "mfa" in plain(methods) else "", "y" if plain(of("category")) in _OF_AZURE else "",
        facts.deepen(operation, more, text(mine)) if facts.is_deep(operation) else "",
        *(_storage_key(identity, of("uri")) if account else _NO_KEY),
    )  # fmt: skip
    target = _name(resource) if not account else plain(more.get("objectKey"))[:200] or plain(account)
    return shape, of("time"), plain(given("uti"))[:256], target


def _part(value: Any) -> Row:
    return value if value.__class__ is dict else _NONE


def _storage_key(identity: Row, uri: object) -> tuple[Any, ...]:
    """The parts of a storage record's identity, and whether its address is signed."""
    asked = _part(identity.get("requester")).get
    return (
        identity.get("type") or "none",
        identity.get("tokenHash"),
        asked("tenantId"),
        asked("appId"),
        asked("objectId"),
        asked("upn"),
        "y" if "sig=" in plain(uri) else "",
    )


@lru_cache(maxsize=4096)
def _subscription(resource: str) -> str:
    steps = resource.lower().split("/")
    return steps[2][:64] if len(steps) > 2 and steps[1] == "subscriptions" else ""


@lru_cache(maxsize=8192)
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


@lru_cache(maxsize=4096)
def _event(shape: tuple[str, ...]) -> Event:
    (name, subscription, tenant, _, object_id, _, _, _, strength, caller, user_agent, result, signature, location,
     account, mfa, _, deep, *_) = shape  # fmt: skip
    service, operation = facts.split(name)
    identity, credential, kind, delegated = _actor(shape)
    address = microsoft.host(caller)
    outcome, error = _outcome(result, signature)
    family = agents.family(user_agent)
    person = identity.kind == "user"
    told = {
        "delegated": delegated,
        "browser": person and family == "browser",
        "console": person and guid(shape[3]) in microsoft.PORTALS,
        "mfa": person and bool(mfa),
        "attack_tool": agents.is_attack_tool(user_agent),
    }
    return Event(
        time=0,
        provider="azure",
        account=subscription or account[:64] or guid(tenant),
        identity=identity,
        credential=credential,
        credential_type=kind or {"1": "key", "2": "certificate"}.get(strength, "session"),
        session="",
        action=f"{service}:{operation}"[:128],
        service=service,
        access=facts.level_of(service, operation),
        outcome=outcome,
        error=error,
        address=address,
        network=networks.network_of(address),
        agent=family,
        region="" if location.lower() == "global" else location[:64].lower(),
        target_class="own",
        traits=tuple(sorted({*(trait for trait, holds in told.items() if holds), *deep.split()})),
        links=(BEHALF + guid(object_id),) if delegated else microsoft.links(identity, guid(object_id)),
    )


def _actor(shape: tuple[str, ...]) -> tuple[Identity, str, str, bool]:
    """Identity, credential, its kind if a storage account's, and whether an app acts for a user."""
    tenant, app_id, object_id, name, kind, machine = shape[2:8]
    tenant = guid(tenant)
    kind_of_key, token, home, app, unique, upn, signed = shape[18:]
    if kind_of_key and not app_id:
        requester = {"tenantId": home, "appId": app, "objectId": unique, "upn": upn}
        told = {"type": kind_of_key, "tokenHash": token, "requester": requester}
        return (*facts.storage_actor(told, shape[14][:64].lower(), bool(signed)), False)
    if shape[16]:
        return microsoft.service(tenant, "Azure"), "", "none", False
    identity, delegated = facts.identity_of(tenant, (guid(app_id), guid(object_id), name), kind, machine)
    return identity, "", "managed" if machine else "", delegated


def _outcome(result: str, signature: str) -> tuple[str, str]:
    """Outcome and error code; the signature of a failure is its HTTP status or reason."""
    lowered = result.lower()
    code = signature.partition(".")[0] if signature else result
    if signature[:3] in ("401", "403") or any(mark in (lowered + signature.lower()) for mark in _DENIED[2:]):
        return "denied", (code or result)[:128]
    failed = lowered.startswith(_FAILED) or (signature[:1] in ("4", "5") and signature[:3].isdigit())
    return ("failure", (code or result)[:128]) if failed else ("success", "")
