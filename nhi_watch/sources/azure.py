"""Azure: the activity log of subscriptions, and the read, write and delete logs of storage accounts.

Native shapes: records of diagnostic settings (`operationName` is text), and those of the REST interface and its
libraries (`operationName`, or `operation_name`, is an object with `value`). Decisions:

- Who acts is told by the claims of the token: identities of `_microsoft`. A managed identity is known by the claim
  `xms_mirid`. Access with a storage account's key or a shared access signature is an identity of its own
  (`storage_key`): the hash that the log gives of it is the credential.
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
from typing import Any, Optional, cast

from nhi_watch import agent, network
from nhi_watch.errors import RejectError
from nhi_watch.event import Event, Identity
from nhi_watch.sources import Peek, _azure_facts
from nhi_watch.sources import _microsoft as microsoft
from nhi_watch.sources._azure_facts import claim
from nhi_watch.sources._azure_shapes import native_of, object_of
from nhi_watch.sources._microsoft import guid
from nhi_watch.sources._shapes import at, dataset
from nhi_watch.sources._times import moment, spelled
from nhi_watch.sources._values import plain, text, texts
from nhi_watch.timestamps import render

NAME = "azure"
SPLUNK_SOURCETYPES = ("azure:monitor:activity", "mscs:azure:audit")
ELASTIC_INDICES = ("logs-azure.activitylogs-*",)

Row = Mapping[str, Any]
Parts = tuple[tuple[Any, ...], object, str, str]
"""shape, time, session, target"""

_CATEGORIES = {
    "Administrative", "Security", "ServiceHealth", "ResourceHealth", "Alert", "Autoscale", "Recommendation", "Policy",
    "Action", "Write", "Delete",
}  # fmt: skip
_STORAGE = {"StorageRead", "StorageWrite", "StorageDelete"}
_OF_AZURE = {"ServiceHealth", "ResourceHealth", "Alert", "Autoscale", "Recommendation"}
"""Categories of what Azure itself does."""
_FAILED = ("fail", "error", "cancel", "client", "server", "forbidden", "unauthorized")
_DENIED = ("403", "401", "forbidden", "unauthorized", "authorizationfailed", "requestdisallowedbypolicy")


def claims(record: object) -> bool:
    """Whether the record is one of Azure's activity or storage logs, in any of its three shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Row, record)
    operation = row.get("operationName")
    if operation.__class__ is str:
        return _is_ours(row, operation)
    if operation.__class__ is dict or "operation_name" in row:
        return "eventTimestamp" in row or "event_timestamp" in row
    if "operationName.value" in row or "operation_name.value" in row:
        return True
    raw = row.get("_raw")
    if raw.__class__ is str:
        marks = '"operationName"' in raw or '"operation_name"' in raw
        return marks and "/subscriptions/" in raw.lower() and "kube-audit" not in raw and '"initiatedBy"' not in raw
    return dataset(row) == "azure.activitylogs"


def _is_ours(row: Row, operation: str) -> bool:
    category = row.get("category")
    if category.__class__ is str and category in _STORAGE:
        return True
    resource = row.get("resourceId")
    if category is None and "/" not in operation:
        return resource.__class__ is str and "/storageaccounts/" in resource.lower()
    known = category is None or (category.__class__ is str and category in _CATEGORIES)
    return known and "/" in operation and " " not in operation


def peek(record: object) -> Optional[Peek]:
    """The cheap reading of a native record of diagnostic settings; see `nhi_watch.sources`."""
    if record.__class__ is not dict:
        return None
    row = cast(Row, record)
    operation = row.get("operationName")
    if operation.__class__ is not str or not operation or not microsoft.is_native(row):
        return None
    properties = row.get("properties")
    if properties.__class__ is str:
        return None
    try:
        shape, time, session, target = _parts(row, properties)
        when = spelled(time)
        if when is None:
            return None
        record_id = _record_id(row, when, shape[0])
    except (TypeError, AttributeError):
        return None
    return cast(Peek, (shape, when, record_id, session, target))


def _record_id(row: Row, spelled: str, operation: str) -> str:
    told = (plain(row.get("correlationId")), spelled, plain(row.get("resultType")), operation.lower())
    return ":".join((*told, plain(row.get("resourceId")).lower()[-90:]))[:256]


def _parts(row: Row, properties: Any) -> Parts:
    """What every record tells."""
    of = row.get
    identity = of("identity")
    identity = identity if identity.__class__ is dict else {}
    given = identity.get("claims")
    more = properties if properties.__class__ is dict else {}
    evidence = at(identity, "authorization.evidence") if "authorization" in identity else None
    evidence = evidence if evidence.__class__ is dict else {}
    resource = plain(of("resourceId"))
    account = plain(more.get("accountName"))
    operation, object_id = plain(of("operationName")), claim(given, _azure_facts.OBJECT_ID)
    mine = object_id or plain(evidence.get("principalId"))
    shape = (operation, _subscription(resource), guid(claim(given, _azure_facts.TENANT) or of("tenantId")),
        *texts((
            claim(given, "appid"), mine, _azure_facts.named(given),
            claim(given, "idtyp") or evidence.get("principalType"), claim(given, "xms_mirid"),
            claim(given, "appidacr"), of("callerIpAddress"), more.get("userAgentHeader") or of("userAgent"),
            of("resultType") or of("statusText"), of("resultSignature") or of("statusCode"), of("location"), account,
        )),
        _by_mfa(given), plain(of("category")) in _OF_AZURE,
        _azure_facts.deepen(operation, properties, mine) if _azure_facts.is_deep(operation) else (),
        _storage_key(identity, row) if account else None,
    )  # fmt: skip
    target = _name(resource) if not account else plain(more.get("objectKey"))[:200] or account
    return shape, of("time"), claim(given, "uti")[:256], target


def _by_mfa(given: Any) -> bool:
    return "mfa" in claim(given, _azure_facts.METHODS) or "mfa" in claim(given, "amr")


def _storage_key(identity: Row, row: Row) -> tuple[str, ...]:
    """The parts of a storage record's identity, and whether its address is signed."""
    requester = identity.get("requester")
    requester = requester if requester.__class__ is dict else {}
    ids = tuple(plain(requester.get(name)) for name in ("tenantId", "appId", "objectId", "upn"))
    return (
        plain(identity.get("type")),
        plain(identity.get("tokenHash")),
        *ids,
        "y" * ("sig=" in plain(row.get("uri"))),
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
    properties = row.get("properties")
    if properties.__class__ is str:
        properties = object_of(properties)
    shape, time, session, target = _parts(row, properties)
    if not text(shape[0]).strip("/"):
        raise RejectError("no_action", "operationName is missing")
    seconds = moment(time)
    event = _event(shape)._replace(time=seconds, session=session, target=target)
    return event._replace(record_id=_record_id(row, render(seconds), shape[0]))


def aliases(record: object) -> Optional[tuple[str, str]]:
    """`entra:app:…` and `entra:sp:…` of the acting app, where this record tells both: the proof that they are one."""
    given = at(native_of(record), "identity.claims")
    if claim(given, "idtyp") != "app" and _azure_facts.named(given):
        return None
    return microsoft.alias(claim(given, "appid"), claim(given, _azure_facts.OBJECT_ID))


@lru_cache(maxsize=4096)
def _event(shape: tuple[Any, ...]) -> Event:
    (name, subscription, tenant, _, _, _, _, _, strength, caller, user_agent, result, signature, location, account,
     mfa, _, deep, _) = shape  # fmt: skip
    service, operation = _azure_facts.split(name)
    identity, credential, kind, delegated = _actor(shape)
    address = microsoft.host(text(caller))
    outcome, error = _outcome(text(result), text(signature))
    family = agent.family(text(user_agent, 2048))
    person = identity.kind == "user"
    told = {
        "delegated": delegated,
        "browser": person and family == "browser",
        "console": person and guid(shape[3]) in microsoft.PORTALS,
        "mfa": person and mfa,
        "attack_tool": agent.is_attack_tool(text(user_agent, 2048)),
    }
    return Event(
        time=0,
        provider="azure",
        account=subscription or text(account, 64) or tenant,
        identity=identity,
        credential=credential,
        credential_type=kind or {"1": "key", "2": "certificate"}.get(text(strength), "session"),
        session="",
        action=f"{service}:{operation}"[:128],
        service=service,
        access=_azure_facts.level_of(service, operation),
        outcome=outcome,
        error=error,
        address=address,
        network=network.network_of(address),
        agent=family,
        region="" if text(location).lower() == "global" else text(location, 64).lower(),
        target="",
        target_class="own",
        traits=tuple(sorted({*(trait for trait, holds in told.items() if holds), *deep})),
        issued="",
        record_id="",
    )


def _actor(shape: tuple[Any, ...]) -> tuple[Identity, str, str, bool]:
    """Identity, credential, its kind if a storage account's, and whether an app acts for a user."""
    tenant, app_id, object_id, name, kind, machine = (text(value) for value in shape[2:8])
    if shape[-1] is not None and not app_id:
        kind_of_key, token, home, app, unique, upn, signed = shape[-1]
        requester = {"tenantId": home, "appId": app, "objectId": unique, "upn": upn}
        told = {"type": kind_of_key, "tokenHash": token, "requester": requester}
        return (*_azure_facts.storage_actor(told, text(shape[14], 64).lower(), bool(signed)), False)
    if shape[16]:
        return microsoft.service(tenant, "Azure"), "", "none", False
    identity, delegated = _azure_facts.identity_of(tenant, (guid(app_id), guid(object_id), name), kind, machine)
    return identity, "", "managed" if machine else "", delegated


def _outcome(result: str, signature: str) -> tuple[str, str]:
    """Outcome and error code; the signature of a failure is its HTTP status or reason."""
    lowered = result.lower()
    code = signature.partition(".")[0] if signature else result
    if signature[:3] in ("401", "403") or any(mark in (lowered + signature.lower()) for mark in _DENIED[2:]):
        return "denied", (code or result)[:128]
    failed = lowered.startswith(_FAILED) or (signature[:1] in ("4", "5") and signature[:3].isdigit())
    return ("failure", (code or result)[:128]) if failed else ("success", "")
