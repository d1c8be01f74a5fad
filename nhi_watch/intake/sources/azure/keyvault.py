"""Key Vault's own log of what is done with secrets, keys and certificates, in the words of the activity log."""

from __future__ import annotations

import re
from typing import Any

from nhi_watch.intake.shapes.forms import at, dataset
from nhi_watch.intake.shapes.values import plain, text
from nhi_watch.intake.sources.azure.facts import OBJECT_ID, TENANT, Row, claims_of
from nhi_watch.intake.sources.kubernetes.aks import category

CATEGORY = "AuditEvent"
_LOGS = "azure.platformlogs"
DATASET = _LOGS
ECS = {
    "time": "@timestamp",
    "operationName": f"{_LOGS}.operation_name",
    "operationName|2": "event.action",
    "resourceId": "azure.resource.id",
    "resourceId|2": "azure.resource_id",
    "correlationId": "azure.correlation_id",
    "category": f"{_LOGS}.category",
    "resultType": f"{_LOGS}.result_type",
    "resultType|2": "event.outcome",
    "resultSignature": f"{_LOGS}.result_signature",
    "callerIpAddress": "source.ip",
    "callerIpAddress|2": f"{_LOGS}.callerIpAddress",
    "tenantId": f"{_LOGS}.tenantId",
    "tenantId|2": "azure.tenant_id",
    "location": "geo.name",
    "identity.claim": f"{_LOGS}.identity.claim",
    "properties": f"{_LOGS}.properties",
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
    return dataset(row) == DATASET or _PLACE.search(plain(row.get("resourceId"))) is not None


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
