"""Native records of Azure, Entra ID and Google Cloud as OCSF 1.1.0, as AWS's integrations for Security Lake map them.

Written from aws-samples/sample-aws-security-lake-integrations (its templates for API activity and for sign-ins of
service principals), not from our reader: what a template does not name is lost, what a record does not tell becomes
`unknown`, and dashes go from Azure's ids. The templates keep no `raw_data`.
"""

from __future__ import annotations

from typing import Any

from nhi_watch.intake.shapes.forms import at, inner, rows_of
from nhi_watch.intake.shapes.times import moment

Tree = dict[str, Any]
VERSION = "1.1.0"
_CLAIM = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"


_NATIVE = ("callerIpAddress", "correlationId", "operationName", "operationVersion", "resourceId", "resultType",
           "resultSignature", "tenantId", "callerIp", "durationMs")  # fmt: skip
_NOW = "2026-01-01T00:00:00Z"
"""What a template writes where the time that it asks for is missing: when it ran."""
_LOWER = {name.lower(): name for name in _NATIVE}


def spelt(record: Any) -> Any:
    """A record as its product spells it: authors of rule tests write `callerIP` and `tenantid`.

    >>> spelt({"tenantid": 1, "a": {"callerIP": "x"}})
    {'tenantId': 1, 'a': {'callerIp': 'x'}}
    """
    if not isinstance(record, dict):
        return record
    return {_LOWER.get(name.lower(), name): spelt(value) for name, value in record.items()}


def _event(kind: int, product: str, vendor: str, feature: str, told: Tree) -> Tree:
    metadata = {"version": VERSION, "product": {"name": product, "vendor_name": vendor, "feature": {"name": feature}}}
    return {"class_uid": kind, **told, "metadata": {**metadata, **told["metadata"]}}


def gcp(record: Tree) -> Tree:
    """An entry of Google Cloud's audit log."""
    payload = inner(record, "protoPayload")
    status, who = inner(payload, "status"), inner(payload, "authenticationInfo")
    code, mail = status.get("code"), who.get("principalEmail")
    places = at(payload, "resourceLocation.currentLocations")
    caller = inner(payload, "requestMetadata")
    return _event(6003, "Google Cloud Audit Logs", "Google Cloud", "Cloud Audit Logs", {
        "time": moment(record.get("timestamp")) * 1000, "status_code": str(code or "0"),
        "status_detail": status.get("message") or "",
        "metadata": {"uid": record.get("insertId"), "original_time": record.get("timestamp")},
        "cloud": {"provider": "GCP", "account": {"uid": at(record, "resource.labels.project_id")},
                  "region": places[0] if isinstance(places, list) and places else "global"},
        "api": {"operation": payload.get("methodName"), "service": {"name": payload.get("serviceName")}},
        "actor": {"user": {"uid": str(mail or "unknown").replace("@", "_at_").replace(".", "_"),
                           "name": mail or "Unknown User", "email_addr": mail or ""},
                  "authorizations": [{"decision": "Allow" if one.get("granted") else "Deny",
                                      "policy": {"name": one.get("permission")}}
                                     for one in rows_of(payload.get("authorizationInfo"))]},
        "src_endpoint": {"ip": caller.get("callerIp") or "0.0.0.0",  # noqa: S104
                         "user_agent": caller.get("callerSuppliedUserAgent")},
        "resources": {"uid": payload.get("resourceName") or "", "type": at(record, "resource.type")},
        "unmapped": {"log_name": record.get("logName") or "", "severity": record.get("severity") or ""},
    })  # fmt: skip


def azure(record: Tree) -> Tree:
    """A record of Azure's activity log."""
    claims, evidence = at(record, "identity.claims") or {}, at(record, "identity.authorization.evidence") or {}
    result = record.get("resultType")
    hierarchy = str(at(record, "properties.hierarchy") or "").split("/")
    return _event(6003, "Azure Monitor", "Microsoft", "Activity Logs", {
        "time": moment(record.get("time")) * 1000, "status_detail": record.get("resultSignature") or "",
        "message": f"Azure API Activity: {record.get('operationName')} - {result or 'Unknown'}",
        "status": {"Success": "Success", "Failure": "Failure", "Failed": "Failure"}.get(str(result), "Unknown"),
        "metadata": {"uid": record.get("correlationId"), "correlation_uid": record.get("correlationId"),
                     "original_time": record.get("time")},
        "cloud": {"provider": "Azure", "account": {"uid": hierarchy[1] if len(hierarchy) > 1 else "unknown"},
                  "region": record.get("RoleLocation") or "unknown"},
        "api": {"operation": record.get("operationName")},
        "actor": {"user": {"uid": str(evidence.get("principalId") or claims.get(_CLAIM) or "").replace("-", "")
                           or "unknown", "name": claims.get("name") or "Unknown User",
                           "email_addr": claims.get(_UPN) or "", "type": evidence.get("principalType") or "Unknown"},
                  "idp": {"uid": record.get("tenantId")}, "app_uid": claims.get("appid") or ""},
        "src_endpoint": {"ip": record.get("callerIpAddress") or "0.0.0.0"},  # noqa: S104
        "resources": {"uid": record.get("resourceId") or ""},
    })  # fmt: skip


def signin(record: Tree) -> Tree:
    """A sign-in of a service principal or of a managed identity."""
    of = inner(record, "properties").get
    feature = "Managed Identity" if str(record.get("category")).startswith("Managed") else "Service Principal"
    return _event(3002, "Microsoft Entra ID", "Microsoft", f"{feature} Sign-In Logs", {
        "time": moment(of("createdDateTime")) * 1000, "status_code": str(at(record, "properties.status.errorCode")),
        "metadata": {"uid": of("id"), "correlation_uid": record.get("correlationId")},
        "cloud": {"tenant_uid": record.get("tenantId")},
        "actor": {"user": {"name": of("servicePrincipalName") or "Unknown SP", "uid": of("servicePrincipalId")},
                  "app_name": of("appDisplayName") or "", "app_uid": of("appId")},
        "src_endpoint": {"ip": of("ipAddress"), "agent_list": [{"name": of("userAgent")}] if of("userAgent") else []},
        "dst_endpoint": {"svc_name": of("resourceDisplayName") or "Azure Resource", "uid": of("resourceId")},
        "risk_level": of("riskLevelAggregated") or "",
        "unmapped": {"risk_detail": of("riskDetail") or "", "risk_state": of("riskState") or ""},
    })  # fmt: skip


def user_signin(record: Tree) -> Tree:
    """A sign-in of a user, by himself or by his refresh token."""
    of = inner(record, "properties").get
    by_token = str(record.get("category")).startswith("NonInteractive")
    resource, app = of("resourceDisplayName"), of("appDisplayName")
    names = {"is_interactive": "isInteractive", "authentication_protocol": "authenticationProtocol",
             "authentication_requirement": "authenticationRequirement", "client_app_used": "clientAppUsed",
             "risk_detail": "riskDetail", "risk_state": "riskState", "home_tenant_id": "homeTenantId",
             "risk_level_during_signin": "riskLevelDuringSignIn", "resource_tenant_id": "resourceTenantId",
             "cross_tenant_access_type": "crossTenantAccessType",
             **({} if by_token else {"client_credential_type": "clientCredentialType"})}  # fmt: skip
    agent, token = of("userAgent") or at(record, "properties.deviceDetail.browser"), of("uniqueTokenIdentifier")
    feature = f"{'Non-Interactive' if by_token else 'Interactive'} User Sign-In Logs"
    return _event(3002, "Microsoft Entra ID", "Microsoft", feature, {
        "time": moment(of("createdDateTime") or _NOW) * 1000,
        "status_code": str(at(record, "properties.status.errorCode")),
        "metadata": {"uid": of("id"), "correlation_uid": record.get("correlationId")},
        "cloud": {"tenant_uid": record.get("tenantId")},
        "actor": {"user": {"name": of("userDisplayName") or "Unknown", "uid": of("userId"),
                           "email_addr": of("userPrincipalName"), "type": "User"},
                  "app_name": app or "", "app_uid": of("appId"),
                  "session": {"uid": of("sessionId") or "", **({"issuer": token} if token else {})}},
        "src_endpoint": {"ip": of("ipAddress"), "agent_list": [{"name": agent}] if agent else []},
        "dst_endpoint": {"svc_name": (resource if by_token else app or resource) or "Azure Resource",
                         "uid": of("resourceId") or ("" if by_token else of("appId"))},
        "risk_level": of("riskLevelAggregated") or "",
        "unmapped": {name: of(native) if of(native) is not None else "" for name, native in names.items()},
    })  # fmt: skip


def audit(record: Tree) -> Tree:
    """An entry of Entra ID's audit log."""
    told = inner(record, "properties")
    user, app = at(told, "initiatedBy.user") or {}, at(told, "initiatedBy.app") or {}
    thing = next(iter(rows_of(told.get("targetResources"))), {})
    name = user.get("userPrincipalName") if user else app.get("displayName")
    unique = user.get("id") if user else app.get("servicePrincipalId") or app.get("appId")
    who = {"uid": str(unique or "").replace("-", "") or "unknown", "name": name or "Unknown User",
           "type": "User" if user else "ServicePrincipal", **({"email_addr": name} if user else {})}  # fmt: skip
    result = str(told.get("result") or "").lower()
    return _event(6003, "Azure Active Directory", "Microsoft", "Audit Logs", {
        "time": moment(record.get("time")) * 1000, "status_detail": told.get("resultReason") or "",
        "message": f"Azure AD Audit: {told.get('activityDisplayName') or record.get('operationName')} - "
                   f"{told.get('result') or 'Unknown'}",
        "status": {"success": "Success", "failure": "Failure"}.get(result, "Unknown"),
        "metadata": {"uid": record.get("correlationId"), "correlation_uid": record.get("correlationId"),
                     "original_time": record.get("time")},
        "cloud": {"provider": "Azure", "account": {"uid": record.get("tenantId")}},
        "api": {"operation": record.get("operationName"), "service": {"name": told.get("loggedByService")}},
        "actor": {"user": who, "idp": {"uid": record.get("tenantId")}, "app_uid": app.get("appId") or ""},
        "src_endpoint": {"ip": user.get("ipAddress") or "0.0.0.0"},  # noqa: S104
        "resources": {"uid": thing.get("id") or "unknown", "type": thing.get("type"),
                      "name": thing.get("displayName") or thing.get("userPrincipalName") or ""},
        "unmapped": {"activity_category": told.get("category") or "", "category": record.get("category") or "",
                     "logged_by_service": told.get("loggedByService") or "",
                     "additional_details": told.get("additionalDetails") or ""},
    })  # fmt: skip
