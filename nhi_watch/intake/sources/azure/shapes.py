"""The shapes of Azure's activity log → a record as diagnostic settings write it."""

from __future__ import annotations

from typing import Any

from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import Tree, dataset, native, rebuild
from nhi_watch.intake.shapes.json import parse
from nhi_watch.intake.shapes.values import text
from nhi_watch.intake.sources.azure import keyvault
from nhi_watch.intake.sources.azure.facts import Row, claims_of, named

_NONE: Row = {}


def object_of(told: str) -> Any:
    """A JSON text's value, or None."""
    try:
        return parse(told)
    except (ValueError, RecursionError):
        return None


_LOGS = "azure.activitylogs"
_ECS = {
    "time": "@timestamp",
    "operationName": f"{_LOGS}.operation_name",
    "operationName|2": "event.action",
    "resourceId": "azure.resource.id",
    "correlationId": "azure.correlation_id",
    "category": f"{_LOGS}.category",
    "resultType": f"{_LOGS}.result_type",
    "resultType|2": "event.outcome",
    "resultSignature": f"{_LOGS}.result_signature",
    "callerIpAddress": "source.ip",
    "callerIpAddress|2": "source.address",
    "callerIpAddress|3": "client.ip",
    "location": "geo.name",
    "tenantId": f"{_LOGS}.tenant_id",
    "tenantId|2": "azure.tenant_id",
    "identity.claims": f"{_LOGS}.identity.claims",
    "identity.name": f"{_LOGS}.identity.claims_initiated_by_user.fullname",
    "identity.authorization": f"{_LOGS}.identity.authorization",
    "properties": f"{_LOGS}.properties",
}


def _named(row: Tree) -> Tree:
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
        row, is_ecs = rebuild(row, keyvault.ECS), False
    if keyvault.is_vaults(row):
        return keyvault.told(row)
    if is_ecs:
        return _named(rebuild(row, _ECS))
    if row.get("operationName").__class__ is dict or "operation_name" in row:
        return of_rest(row)
    identity = row.get("identity")
    if identity.__class__ is dict and not microsoft.is_native(record if isinstance(record, dict) else {}):
        return {**row, "identity": {**identity, "claims": claims_of(identity.get("claims"))}}
    return row


def of_rest(row: Row) -> Row:
    """A record of the REST interface, or of its libraries (`event_timestamp`), in the words of diagnostic settings."""
    of = row.get
    if "time" in row and "identity" in row:
        return {**row, "operationName": _value(of("operationName"))}
    caller, given = text(of("caller")), claims_of(of("claims"))
    request = of("httpRequest") or of("http_request")
    ask = request.get if request.__class__ is dict else _NONE.get
    return {
        "time": of("eventTimestamp") or of("event_timestamp"),
        "operationName": _value(of("operationName") or of("operation_name")),
        "resourceId": of("resourceId") or of("resource_id"),
        "correlationId": (of("eventDataId") or of("event_data_id") or of("correlationId") or of("correlation_id")),
        "resultType": _value(of("status")),
        "resultSignature": _value(of("subStatus") or of("sub_status")),
        "callerIpAddress": ask("clientIpAddress") or ask("client_ip_address"),
        "tenantId": of("tenantId") or of("tenant_id"),
        "identity": {"claims": {**({"name": caller} if "@" in caller and not named(given) else {}), **given}},
        "properties": of("properties"),
    }


def _value(told: Any) -> Any:
    """A localised text is an object with a `value`."""
    return told.get("value") if told.__class__ is dict else None
