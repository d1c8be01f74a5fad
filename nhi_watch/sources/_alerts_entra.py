"""Entra ID Protection: risk detections and risky principals, of workload identities and of users.

From the diagnostic settings (categories UserRiskEvents, RiskyUsers, ServicePrincipalRiskEvents,
RiskyServicePrincipals), from the Graph API (riskDetection, servicePrincipalRiskDetection, riskyUser,
riskyServicePrincipal), and from Elastic's azure.identity_protection. Closed are risks that were dismissed, remediated
or confirmed safe; a principal that is at risk `none` has none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Optional

from nhi_watch.errors import RejectError
from nhi_watch.event import Identity
from nhi_watch.sources import _microsoft as microsoft
from nhi_watch.sources._alerts_told import CRITICAL, Alert, Told, first, kind_of, severity_of
from nhi_watch.sources._microsoft import guid
from nhi_watch.sources._shapes import Tree, at
from nhi_watch.sources._values import listed, text

Row = Mapping[str, Any]

PRODUCT = "EntraRisk"
CATEGORIES = ("UserRiskEvents", "RiskyUsers", "ServicePrincipalRiskEvents", "RiskyServicePrincipals")
_CLOSED = ("dismissed", "remediated", "confirmedsafe")
_RISKY = "risky"
"""The kind of a record that tells that a principal is at risk, but not why."""


def claims(row: Row) -> bool:
    """Whether a record is a risk of Entra ID Protection, with or without the frame of diagnostic settings."""
    category = row.get("category")
    if category.__class__ is str and category in CATEGORIES:
        return True
    told_ = row.get("properties", row)
    if told_.__class__ is not dict or "riskLevel" not in told_ or "riskState" not in told_:
        return "properties.riskLevel" in row and "properties.riskState" in row
    return "riskEventType" in told_ or "riskLastUpdatedDateTime" in told_


def told(row: Row) -> Told:
    """The alert in a risk.

    Raises:
        RejectError: closed, no_identity.
    """
    found = row.get("properties", row)
    if found.__class__ is str:
        found = _parsed(found)
    if found.__class__ is not dict:
        raise RejectError("no_identity", "properties hold nothing")
    of = found.get
    state, level = text(of("riskState"), 40), text(of("riskLevel"), 40)
    if state.lower() in _CLOSED or (level == "none" and state in ("none", "")):
        raise RejectError("closed", f"the risk's state is {state or 'none'}")
    tenant = guid(row.get("tenantId") or of("homeTenantId")) or _tenant_of(text(row.get("resourceId")))
    identity = _identity(found, tenant, text(row.get("category"), 60))
    if identity is None:
        raise RejectError("no_identity", "neither a user nor an app is told")
    kind = first(of("riskEventType"), of("riskType")) or _RISKY
    severity = CRITICAL if state == "confirmedCompromised" else severity_of(level)
    keys = [guid(key) for key in listed(of("keyIds"))]
    address = microsoft.host(first(of("ipAddress"), row.get("callerIpAddress")))
    alert = Alert(PRODUCT, kind_of(kind), severity, identity, tenant, keys[0] if keys else "", address,
                  links=_links(found))  # fmt: skip
    time = (of("activityDateTime") or of("detectedDateTime") or of("riskLastUpdatedDateTime")
            or of("lastUpdatedDateTime") or row.get("time"))  # fmt: skip
    unique = text(of("id"), 200)
    return Told(alert, time, f"{unique}:{state}" if unique and kind == _RISKY else unique)


def _parsed(content: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _identity(found: Row, tenant: str, category: str) -> Optional[Identity]:
    of = found.get
    app_id, object_id = guid(of("appId")), guid(of("servicePrincipalId"))
    name = first(of("servicePrincipalDisplayName"), of("appDisplayName"))
    user_id, user_name = guid(of("userId")), text(of("userPrincipalName"), 200)
    if category == "RiskyUsers" or (user_name and not user_id and not app_id):
        return microsoft.user(tenant, user_id or guid(of("id")), user_name)
    if category == "RiskyServicePrincipals" or "servicePrincipalType" in found:
        object_id, name = object_id or guid(of("id")), name or text(of("displayName"), 200)
    if app_id or object_id:
        return microsoft.app(tenant, app_id, object_id, name)
    return microsoft.user(tenant, user_id, user_name)


def _links(found: Row) -> tuple[str, ...]:
    told_ = (("app", guid(found.get("appId"))), ("sp", guid(found.get("servicePrincipalId"))))
    return tuple(f"{kind}:{value}" for kind, value in told_ if value)


@lru_cache(maxsize=256)
def _tenant_of(resource: str) -> str:
    steps = resource.lower().split("/")
    return steps[2] if len(steps) > 2 and steps[1] == "tenants" else ""


_RENAMED = {
    "activityDatetime": "activityDateTime", "detectedDatetime": "detectedDateTime",
    "lastUpdatedDatetime": "lastUpdatedDateTime", "riskLastUpdatedDatetime": "riskLastUpdatedDateTime",
}  # fmt: skip


def of_ecs(document: Row) -> Tree:
    """The record of the diagnostic settings out of Elastic's azure.identity_protection document."""
    part = at(document, "azure.identityprotection")
    found: Tree = microsoft.camel(part) if part.__class__ is dict else {}
    inner = found.get("properties")
    properties = {_RENAMED.get(k, k): v for k, v in inner.items()} if inner.__class__ is dict else {}
    more = {
        "time": at(document, "@timestamp"),
        "tenantId": at(document, "azure.tenant_id"),
        "resourceId": at(document, "azure.resource.id"),
        "callerIpAddress": at(document, "source.ip"),
    }
    return {**found, **{k: v for k, v in more.items() if v is not None}, "properties": properties}
