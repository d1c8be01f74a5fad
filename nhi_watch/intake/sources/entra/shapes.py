"""Entra ID's records out of Elastic's documents."""

from __future__ import annotations

from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import Tree, at, dataset, inner, part

_ADDRESS = ("source.ip", "client.ip", "source.address")
_BESIDES: dict[str, dict[str, str]] = {
    "signinlogs": {"id": "event.id", "userAgent": "user_agent.original"},
    "auditlogs": {"id": "event.id", "result": "event.outcome"},
    "graphactivitylogs": {
        "requestId": "http.request.id", "requestId|2": "event.id", "requestMethod": "http.request.method",
        "requestUri": "url.original", "responseStatusCode": "http.response.status_code",
        "userAgent": "user_agent.original", "userId": "user.id",
    },
}  # fmt: skip
"""What Elastic's integration takes out of the properties."""
_TOP_BESIDES = {
    "time": "@timestamp",
    "tenantId": "azure.tenant_id",
    "resourceId": "azure.resource.id",
    "correlationId": "azure.correlation_id",
}


def _audited(row: Tree) -> Tree:
    """Objects in lists have Elastic's names as well; that a document is of the audit log, its data set tells."""
    told = row.setdefault("properties", {})
    told["loggedByService"] = told.get("loggedByService") or ""
    told["targetResources"] = microsoft.camel(told.get("targetResources"))
    return row


def of_ecs(document: Tree) -> Tree:
    """The record in the words of diagnostic settings."""
    stream = dataset(document).partition(".")[2]
    found = microsoft.camel(part(document, f"azure.{stream}"))
    told = {k: v for k, v in inner(found, "properties").items() if v is not None}
    for name, field in _BESIDES.get(stream, {}).items():
        path = name.partition("|")[0]
        if told.get(path) is None:
            told[path] = at(document, field)
    more = {name: at(document, field) for name, field in _TOP_BESIDES.items()}
    more["callerIpAddress"] = next(filter(None, (at(document, field) for field in _ADDRESS)), None)
    row = {**found, **{k: v for k, v in more.items() if v is not None}, "properties": told}
    return _audited(row) if stream == "auditlogs" or row.get("category") == "AuditLogs" else row
