"""Entra ID's records as Splunk's extracted fields and as Elastic's documents: what `peek` needs of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import Tree, at, dataset, part
from nhi_watch.intake.shapes.look import ROW, Form, Plan, inner
from nhi_watch.intake.shapes.values import plain
from nhi_watch.intake.sources.entra.audit import is_deep

_TOP = ("time", "category", "tenantId", "resourceId", "callerIpAddress", "resultType", "resultSignature",
        "operationName", "identity", "correlationId")  # fmt: skip
_SIGN_IN = (
    "id", "createdDateTime", "appId", "servicePrincipalId", "servicePrincipalName", "appDisplayName", "userId",
    "userPrincipalName", "ipAddress", "userAgent", "status.errorCode", "authenticationRequirement",
    "authenticationProtocol", "clientAppUsed", "servicePrincipalCredentialKeyId",
    "servicePrincipalCredentialThumbprint", "federatedCredentialId", "clientCredentialType", "riskLevelDuringSignIn",
    "riskState", "riskEventType", "crossTenantAccessType", "appOwnerTenantId", "uniqueTokenIdentifier", "sessionId",
    "resourceDisplayName", "resourceId", "tenantId", "resourceTenantId", "homeTenantId", "isInteractive",
    "signInEventTypes{}",
)  # fmt: skip
_AUDIT = (
    "id", "activityDisplayName", "activityDateTime", "result", "loggedByService", "correlationId",
    "initiatedBy.user.id", "initiatedBy.user.userPrincipalName", "initiatedBy.user.ipAddress", "initiatedBy.app.appId",
    "initiatedBy.app.servicePrincipalId", "initiatedBy.app.displayName", "initiatedBy.app.ipAddress",
)  # fmt: skip
_LISTS = ("additionalDetails{}.key", "additionalDetails{}.value", "targetResources{}.id",
          "targetResources{}.displayName", "targetResources{}.userPrincipalName", "targetResources{}.type")  # fmt: skip
_GRAPH = (
    "requestId", "requestMethod", "requestUri", "responseStatusCode", "appId", "servicePrincipalId", "userId",
    "ipAddress", "userAgent", "clientAuthMethod", "signInActivityId", "timeGenerated", "tenantId",
)  # fmt: skip
_NAMES = tuple(dict.fromkeys((*_SIGN_IN, *_AUDIT, *_LISTS, *_GRAPH)))


def _shallow(row: Tree) -> Tree:
    """A row does not tell which property was changed in which thing: such records are for `read`."""
    told = row.get("properties", row)
    if is_deep(microsoft.operation(plain(told.get("activityDisplayName") or row.get("operationName")))):
        raise TypeError("what was changed matters")
    return row


_MOMENTS = ("createdDateTime", "activityDateTime", "timeGenerated")
_CHANGING = ("id", "uniqueTokenIdentifier", "sessionId", "requestId", "signInActivityId", "correlationId")
_TIMES = ("time", *(f"properties.{name}" for name in _MOMENTS))
_FREE = ("correlationId", *(f"properties.{name}" for name in _CHANGING))
_OF_ROW = (*_TOP, *(f"properties.{name}" for name in _NAMES))
_ROW = Plan.of_row(_OF_ROW, _shallow, _TIMES, _FREE)
_LOWERED_ROW = Plan(
    {**{path: path for path in _OF_ROW}, **{f"{path}|2": path.lower() for path in _TOP}}, _shallow, _TIMES, _FREE
)
"""Some writers lower the names of the top level."""
_OBJECT_ROW = Plan.of_row(_NAMES, _shallow, _MOMENTS, _CHANGING)
"""Objects of the Graph API lie in a row without `properties`."""
_ALSO = {"createdDateTime": "created_at", "activityDateTime": "activity_datetime",
         "riskLevelDuringSignIn": "risk_level_during_signin"}  # fmt: skip
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


def _snake(path: str) -> str:
    return re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), path.replace("{}", ""))


def _plan(stream: str, names: tuple[str, ...]) -> Plan:
    inside = f"azure.{stream}"
    table: dict[str, list[str]] = {}
    for name in _TOP:
        own = [f"{inside}.{_snake(name)}", f"{inside}.{name}"]
        table[name] = (
            [*_ADDRESS, *own] if name == "callerIpAddress" else [*filter(None, [_TOP_BESIDES.get(name)]), *own]
        )
    for name in names:
        *steps, last = name.replace("{}", "").split(".")
        mixed = ".".join([*map(_snake, steps), last])  # the integration renames one field after the other
        options = dict.fromkeys((_ALSO.get(name), _snake(name), mixed, name.replace("{}", "")))
        table[f"properties.{name}"] = [f"{inside}.properties.{option}" for option in options if option]
    for name, field in _BESIDES[stream].items():
        table[f"properties.{name.partition('|')[0]}"].append(field)
    flat = {f"{path}|{i}": field for path, fields in table.items() for i, field in enumerate(dict.fromkeys(fields))}
    return Plan(
        {path.replace("{}", ""): field for path, field in flat.items()}, _audited if names is _AUDITED else None,
        _TIMES, _FREE,
    )  # fmt: skip


def _audited(row: Tree) -> Tree:
    """Objects in lists have Elastic's names as well; that a document is of the audit log, its data set tells."""
    told = row.setdefault("properties", {})
    told["loggedByService"] = told.get("loggedByService") or ""
    told["targetResources"] = microsoft.camel(told.get("targetResources"))
    return row


_AUDITED = (*_AUDIT, "additionalDetails", "targetResources")
_DOCUMENTS = {
    "azure.signinlogs": _plan("signinlogs", _SIGN_IN),
    "azure.auditlogs": _plan("auditlogs", _AUDITED),
    "azure.graphactivitylogs": _plan("graphactivitylogs", _GRAPH),
}


def plan_of(found: Mapping[str, Any], form: Form) -> Optional[Plan]:
    """Which plan it is, a row or a document itself tells."""
    if form is ROW:
        if "operationname" in found or "calleripaddress" in found:
            return _LOWERED_ROW
        return _ROW if "category" in found or "properties.id" in found else _OBJECT_ROW
    return _DOCUMENTS.get(dataset(found))


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
    return _audited(row) if stream == "auditlogs" else row
