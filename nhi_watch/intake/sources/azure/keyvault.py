"""Key Vault's own log of what is done with secrets, keys and certificates, in the words of the activity log."""

from __future__ import annotations

import re
from typing import Any

from nhi_watch.intake.shapes.forms import at, dataset
from nhi_watch.intake.shapes.microsoft import PLATFORM, category
from nhi_watch.intake.shapes.values import plain, text
from nhi_watch.intake.sources.azure.facts import OBJECT_ID, TENANT, Row, claims_of

CATEGORY = "AuditEvent"
ECS = {
    "time": "@timestamp",
    "operationName": f"{PLATFORM}.operation_name",
    "operationName|2": "event.action",
    "resourceId": "azure.resource.id",
    "resourceId|2": "azure.resource_id",
    "correlationId": "azure.correlation_id",
    "category": f"{PLATFORM}.category",
    "resultType": f"{PLATFORM}.result_type",
    "resultType|2": "event.outcome",
    "resultSignature": f"{PLATFORM}.result_signature",
    "callerIpAddress": "source.ip",
    "callerIpAddress|2": f"{PLATFORM}.callerIpAddress",
    "tenantId": f"{PLATFORM}.tenantId",
    "tenantId|2": "azure.tenant_id",
    "location": "geo.name",
    "identity.claim": f"{PLATFORM}.identity.claim",
    "properties": f"{PLATFORM}.properties",
}
_PLACE = re.compile(r"/providers/microsoft\.keyvault/(?:vaults|managedhsms)/", re.IGNORECASE)
_OPERATION = re.compile(r"(Vault|Secret|Key|Certificate|ManagedStorageAccount)([A-Z]\w*)")
_OBJECT = re.compile(r"https://[^/]+/(secrets|keys|certificates|storage)/([^/?]+)")
_ACTIONS = {
    "SecretGet": "secrets/getsecret/action", "SecretSet": "secrets/setsecret/action", "VaultGet": "read",
    "SecretList": "secrets/readmetadata/action", "SecretListVersions": "secrets/readmetadata/action",
    "VaultPut": "write", "VaultPatch": "write", "VaultDelete": "delete", "VaultRecover": "write",
}  # fmt: skip
"""Operations as roles name them: those that tables and signals know."""
_SHORT = {OBJECT_ID: "oid", TENANT: "tid"}


def is_vaults(row: Row) -> bool:
    """Whether a record, or a document of Elastic's, is of a vault's log."""
    if category(row) != CATEGORY:
        return False
    return dataset(row) == PLATFORM or _PLACE.search(plain(row.get("resourceId"))) is not None


def told(row: Row) -> Row:
    """The record as the activity log would tell it; what was touched becomes a part of the resource."""
    properties: Any = row.get("properties")
    given = claims_of(at(row, "identity.claim"))
    claims = {**given, **{long: given[short] for long, short in _SHORT.items() if short in given and long not in given}}
    touched = _OBJECT.match(plain(at(properties, "id")) or plain(at(properties, "requestUri")))
    place = plain(row.get("resourceId")) + (f"/{touched[1]}/{touched[2]}" if touched else "")
    return {
        **row, "operationName": f"Microsoft.KeyVault/vaults/{_named(plain(row.get('operationName')).strip())}",
        "category": "Administrative", "resourceId": place, "identity": {"claims": claims}, "properties": {},
        "resultSignature": text(at(properties, "httpStatusCode")) or row.get("resultSignature"),
        "userAgent": at(properties, "clientInfo"),
    }  # fmt: skip


def _named(operation: str) -> str:
    found = _OPERATION.fullmatch(operation)
    if operation in _ACTIONS or found is None:
        return _ACTIONS.get(operation) or f"{operation}/action" if operation else ""
    return f"{found[1].lower()}s/{found[2].lower()}/action"
