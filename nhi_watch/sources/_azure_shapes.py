"""The shapes of Azure's activity log → a record as diagnostic settings write it."""

from __future__ import annotations

import json
from typing import Any

from nhi_watch.sources import _azure_facts
from nhi_watch.sources import _microsoft as microsoft
from nhi_watch.sources._azure_facts import Row
from nhi_watch.sources._shapes import at, native
from nhi_watch.sources._values import text


def object_of(told: str) -> Any:
    """A JSON text's value, or None."""
    try:
        return json.loads(told)
    except (ValueError, RecursionError):
        return None


def native_of(record: object) -> Row:
    """The record in the words of diagnostic settings, whatever its shape."""
    row, is_ecs = native(record)
    if is_ecs:
        return _of_ecs(row)
    if row.get("operationName").__class__ is dict or "operation_name" in row:
        return _of_rest(row)
    identity = row.get("identity")
    if identity.__class__ is dict and not microsoft.is_native(record if isinstance(record, dict) else {}):
        return {**row, "identity": {**identity, "claims": _azure_facts.claims_of(identity.get("claims"))}}
    return row


def _of_rest(row: Row) -> Row:
    """A record of the REST interface in the words of diagnostic settings."""
    told: Row = microsoft.camel(row)
    caller = text(told.get("caller"))
    given: dict[str, Any] = {}
    if caller and "@" in caller and not _azure_facts.named(_azure_facts.claims_of(row.get("claims"))):
        given["name"] = caller
    return {
        "time": told.get("eventTimestamp"),
        "operationName": at(told, "operationName.value"),
        "resourceId": told.get("resourceId"),
        "correlationId": told.get("eventDataId") or told.get("correlationId"),
        "resultType": at(told, "status.value"),
        "resultSignature": at(told, "subStatus.value"),
        "callerIpAddress": at(told, "httpRequest.clientIpAddress"),
        "tenantId": told.get("tenantId"),
        "identity": {"claims": {**given, **_azure_facts.claims_of(row.get("claims"))}},
        "properties": row.get("properties"),
    }


def _of_ecs(document: Row) -> Row:
    part = at(document, "azure.activitylogs")
    part = part if part.__class__ is dict else {}
    given = at(part, "identity.claims")
    full = at(part, "identity.claims_initiated_by_user.fullname")
    return {
        "time": at(document, "@timestamp"),
        "operationName": part.get("operation_name") or at(document, "event.action"),
        "resourceId": at(document, "azure.resource.id"),
        "correlationId": at(document, "azure.correlation_id"),
        "category": part.get("category"),
        "resultType": part.get("result_type") or at(document, "event.outcome"),
        "resultSignature": part.get("result_signature"),
        "callerIpAddress": at(document, "source.ip") or at(document, "source.address") or at(document, "client.ip"),
        "location": at(document, "geo.name"),
        "tenantId": part.get("tenant_id") or at(document, "azure.tenant_id"),
        "identity": {
            "claims": {**({"name": full} if full else {}), **_azure_facts.claims_of(given)},
            "authorization": microsoft.camel(at(part, "identity.authorization")),
        },
        "properties": part.get("properties"),
    }
