"""Entra ID Protection: risk detections and risky principals, of workload identities, of agents and of users.

From the diagnostic settings (categories UserRiskEvents, RiskyUsers, ServicePrincipalRiskEvents,
RiskyServicePrincipals, AgentRiskEvents, RiskyAgents), from the Graph API (riskDetection, riskyUser and their like of
service principals and agents; an agent's identity is a service principal, or a user of its own), and from Elastic's
azure.identity_protection. Closed are risks that were dismissed, remediated or confirmed safe; a principal that is at
risk `none` has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import Tree, at
from nhi_watch.intake.shapes.json import parsed
from nhi_watch.intake.shapes.microsoft import guid
from nhi_watch.intake.shapes.values import text
from nhi_watch.intake.sources.alerts.actors import CRITICAL, Alert, Told, kind_of, severity_of

Row = Mapping[str, Any]

PRODUCT = "EntraRisk"
_NONE: Row = {}
CATEGORIES = ("UserRiskEvents", "RiskyUsers", "ServicePrincipalRiskEvents", "RiskyServicePrincipals", "AgentRiskEvents",
              "RiskyAgents")  # fmt: skip
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
    return any(name in told_ for name in ("riskEventType", "riskLastUpdatedDateTime", "riskLastModifiedDateTime"))


def told(row: Row) -> Told:
    """The alert in a risk.

    Raises:
        RejectError: closed, no_identity.
    """
    found = row.get("properties", row)
    if found.__class__ is str:
        found = parsed(found)
    if found.__class__ is not dict:
        found = _NONE
    of = found.get
    agent = (of("agentId") or of("id")) if "agentDisplayName" in found or "agentId" in found else None
    is_user = text(of("identityType")).lower() == "agentuser"
    keys = of("keyIds")
    category, resource, state, level, kind, name, user_name, address = (text(value, 512) for value in (
        row.get("category"), row.get("resourceId"), of("riskState"), of("riskLevel"),
        of("riskEventType") or of("riskType"),
        of("servicePrincipalDisplayName") or of("appDisplayName") or of("displayName") or of("agentDisplayName"),
        of("userPrincipalName"), of("ipAddress") or row.get("callerIpAddress"),
    ))  # fmt: skip
    tenant, app, principal, user_id, unique, key = (guid(text(value, 512)) for value in (
        row.get("tenantId") or of("homeTenantId"), of("appId"),
        of("servicePrincipalId") or (None if is_user else agent), of("userId") or (agent if is_user else None),
        of("id") if "riskEventType" not in found else "",
        keys[0] if keys.__class__ is list and keys else keys,
    ))  # fmt: skip
    if state.lower() in _CLOSED or (level == "none" and state in ("none", "")):
        raise RejectError("closed", f"the risk's state is {state or 'none'}")
    home = tenant or microsoft.tenant_of(resource)
    if category == "RiskyUsers" or (user_name and not user_id and not app):
        identity = microsoft.user(home, user_id or unique, user_name)
    else:
        if category == "RiskyServicePrincipals" or "servicePrincipalType" in found:
            principal = principal or unique
        identity = microsoft.app(home, app, principal, name) or microsoft.user(home, user_id, user_name)
    if identity is None:
        raise RejectError("no_identity", "neither a user nor an app is told")
    severity = CRITICAL if state == "confirmedCompromised" else severity_of(level)
    links = tuple(f"{kind_}:{value}" for kind_, value in (("app", app), ("sp", principal)) if value)
    alert = Alert(PRODUCT, kind_of(kind or _RISKY), severity, identity, home, key, microsoft.host(address),
                  links=links)  # fmt: skip
    time = (of("activityDateTime") or of("detectedDateTime") or of("riskLastUpdatedDateTime")
            or of("lastUpdatedDateTime") or of("riskLastModifiedDateTime") or row.get("time"))  # fmt: skip
    is_state = not kind and of("id")
    return Told(alert, time, f"{text(of('id'), 200)}:{text(of('riskState'), 40)}" if is_state else of("id"))


_RENAMED = {
    "activityDatetime": "activityDateTime", "detectedDatetime": "detectedDateTime",
    "lastUpdatedDatetime": "lastUpdatedDateTime", "riskLastModifiedDatetime": "riskLastModifiedDateTime",
    "riskLastUpdatedDatetime": "riskLastUpdatedDateTime",
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
