"""Azure's activity log, Entra's audit log and sign-ins, and Google Cloud's audit log out of OCSF, as AWS's
integrations for Security Lake map them (1.1.0), without `raw_data`. What is lost for good: docs/method/ocsf.md."""

from __future__ import annotations

from nhi_watch.intake.schemas.ocsf.undo import Steps, steps, undone
from nhi_watch.intake.shapes.forms import Tree, at, every, inner, rows_of
from nhi_watch.intake.shapes.values import text, whole

_UNKNOWN = ("unknown", "Unknown User", "0.0.0.0")  # noqa: S104
"""What the mapping writes where the record told nothing."""
_CLAIMS = "http://schemas.microsoft.com/identity/claims/"
_UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"

_GCP = steps({
    "insertId": "metadata.uid",
    "timestamp": "metadata.original_time",
    "timestamp|2": "time_dt",
    "timestamp|3": "time",
    "logName": "unmapped.log_name",
    "protoPayload.methodName": "api.operation",
    "protoPayload.serviceName": "api.service.name",
    "protoPayload.resourceName": "resources.uid",
    "protoPayload.authenticationInfo.principalEmail": "actor.user.email_addr",
    "protoPayload.requestMetadata.callerIp": "src_endpoint.ip",
    "protoPayload.requestMetadata.callerSuppliedUserAgent": "src_endpoint.user_agent",
    "protoPayload.requestMetadata.callerSuppliedUserAgent|2": "http_request.user_agent",
    "protoPayload.status.message": "status_detail",
    "resource.type": "resources.type",
    "resource.labels.project_id": "cloud.account.uid",
})  # fmt: skip


def gcp(event: Tree) -> Tree:
    """The entry of Google Cloud's audit log."""
    record = undone(_without_unknown(event), _GCP)
    payload = record.setdefault("protoPayload", {})
    code = whole(text(event.get("status_code")))
    payload["status"] = {**inner(payload, "status"), "code": code} if code else {}
    place = text(at(event, "cloud.region"))
    if place and place != "global":
        payload["resourceLocation"] = {"currentLocations": [place]}
    payload["authorizationInfo"] = [
        {"permission": at(one, "policy.name"), "granted": text(one.get("decision")) == "Allow"}
        for one in rows_of(at(event, "actor.authorizations"))
    ]
    return record


_WHEN = {"time": "metadata.original_time", "time|2": "time_dt", "time|3": "time"}
_ACTIVITY = steps({
    **_WHEN,
    "operationName": "api.operation",
    "resourceId": "resources.uid",
    "resultType": "status",
    "resultSignature": "status_detail",
    "callerIpAddress": "src_endpoint.ip",
    "correlationId": "metadata.correlation_uid",
    "tenantId": "actor.idp.uid",
    "identity.authorization.evidence.principalType": "actor.user.type",
    "identity.claims.appid": "actor.app_uid",
})  # fmt: skip


def azure(event: Tree) -> Tree:
    """The record of Azure's activity log."""
    record = undone(_without_unknown(event), _ACTIVITY)
    record["category"] = "Administrative"
    told = text(event.get("message")).rpartition(" - ")  # `status` has no word for what has only begun
    if told[0].startswith("Azure API Activity: "):
        record["resultType"] = told[2]
    claims = record.setdefault("identity", {}).setdefault("claims", {})
    who = text(at(event, "actor.user.uid"))
    claims[f"{_CLAIMS}objectidentifier"] = None if who in _UNKNOWN else _dashed(who)
    claims[_UPN] = at(event, "actor.user.email_addr")
    name = at(event, "actor.user.name")
    claims["name"] = None if name in _UNKNOWN else name
    return record


def _dashed(told: str) -> str:
    """A GUID whose dashes the mapping takes away."""
    return "-".join((told[:8], told[8:12], told[12:16], told[16:20], told[20:])) if len(told) == 32 else told


_SIGNIN = {
    "time": "time_dt",
    "time|2": "time",
    "correlationId": "metadata.correlation_uid",
    "tenantId": "cloud.tenant_uid",
    "properties.id": "metadata.uid",
    "properties.createdDateTime": "time_dt",
    "properties.createdDateTime|2": "time",
    "properties.appId": "actor.app_uid",
    "properties.appDisplayName": "actor.app_name",
    "properties.ipAddress": "src_endpoint.ip",
    "properties.resourceId": "dst_endpoint.uid",
    "properties.riskState": "unmapped.risk_state",
    "properties.riskDetail": "unmapped.risk_detail",
    "properties.riskLevelAggregated": "risk_level",
    "properties.status.errorCode": "status_code",
}
_RESOURCE = {"properties.resourceDisplayName": "dst_endpoint.svc_name"}
"""Not of a person's own sign-in: there the mapping has the app's name."""
_OF_WORKLOAD = steps({
    **_SIGNIN, **_RESOURCE,
    "properties.servicePrincipalId": "actor.user.uid",
    "properties.servicePrincipalName": "actor.user.name",
})  # fmt: skip
_USER = {
    **_SIGNIN,
    "properties.userId": "actor.user.uid",
    "properties.userPrincipalName": "actor.user.email_addr",
    "properties.userDisplayName": "actor.user.name",
    "properties.uniqueTokenIdentifier": "actor.session.issuer",
    "properties.sessionId": "actor.session.uid",
    "properties.isInteractive": "unmapped.is_interactive",
    "properties.authenticationProtocol": "unmapped.authentication_protocol",
    "properties.authenticationRequirement": "unmapped.authentication_requirement",
    "properties.clientAppUsed": "unmapped.client_app_used",
    "properties.clientCredentialType": "unmapped.client_credential_type",
    "properties.riskLevelDuringSignIn": "unmapped.risk_level_during_signin",
    "properties.crossTenantAccessType": "unmapped.cross_tenant_access_type",
    "properties.homeTenantId": "unmapped.home_tenant_id",
    "properties.resourceTenantId": "unmapped.resource_tenant_id",
}
_OF_USER, _BY_TOKEN = steps(_USER), steps({**_USER, **_RESOURCE})
_SIGNINS = {
    "service principal": ("ServicePrincipalSignInLogs", _OF_WORKLOAD),
    "managed identity": ("ManagedIdentitySignInLogs", _OF_WORKLOAD),
    "non-interactive user": ("NonInteractiveUserSignInLogs", _BY_TOKEN),
    "interactive user": ("SignInLogs", _OF_USER),
}
"""Word of the feature's name → category of the diagnostic log, and what undoes its mapping."""


def is_signin(event: Tree) -> bool:
    """Whether it is a sign-in of one of the kinds that are mapped."""
    return _kind(event) is not None


def _kind(event: Tree) -> tuple[str, Steps] | None:
    feature = text(at(event, "metadata.product.feature.name")).lower()
    return next((kind for word, kind in _SIGNINS.items() if word in feature), None)


def signin(event: Tree) -> Tree:
    """The sign-in of a service principal, of a managed identity or of a user."""
    category, table = _kind(event) or ("", _OF_USER)
    record = undone(_without_unknown(event), table)
    record.update(operationName="Sign-in activity", category=category)
    record["resultType"] = text(event.get("status_code"))
    agents = every(event, "src_endpoint.agent_list.name")
    if agents:
        record.setdefault("properties", {})["userAgent"] = agents[0]
    return record


def _without_unknown(event: Tree) -> Tree:
    place, cloud = inner(event, "src_endpoint"), inner(event, "cloud")
    return {
        **event, "cloud": {name: value for name, value in cloud.items() if value not in _UNKNOWN},
        "src_endpoint": {name: value for name, value in place.items() if value not in _UNKNOWN},
    }  # fmt: skip


def _known(told: str) -> str:
    return "" if told in _UNKNOWN else told


_AUDIT = steps({
    **_WHEN,
    "operationName": "api.operation",
    "correlationId": "metadata.correlation_uid",
    "tenantId": "cloud.account.uid",
    "properties.activityDisplayName": "api.operation",
    "properties.correlationId": "metadata.correlation_uid",
    "properties.resultReason": "status_detail",
    "properties.category": "unmapped.activity_category",
    "properties.loggedByService": "unmapped.logged_by_service",
    "properties.additionalDetails": "unmapped.additional_details",
})  # fmt: skip


def audit(event: Tree) -> Tree:
    """The entry of Entra ID's audit log; of what was changed only the first thing is told, and nothing of how."""
    event = _without_unknown(event)
    record = undone(event, _AUDIT)
    who, thing = inner(inner(event, "actor"), "user"), inner(event, "resources")
    unique, name = (_known(told) for told in (_dashed(text(who.get("uid"))), text(who.get("name"))))
    told = record.setdefault("properties", {})
    told["result"] = text(event.get("status")).lower().replace("unknown", "")
    said = text(event.get("message")).removeprefix("Azure AD Audit: ").rpartition(" - ")  # says more than `status`
    if said[0] and said[0] != text(event.get("message")):
        told["activityDisplayName"] = said[0]
        told["result"] = said[2].lower().replace("unknown", "")
    if text(who.get("type")) == "User":
        by = {"user": {"id": unique, "userPrincipalName": text(who.get("email_addr")),
                       "ipAddress": text(at(event, "src_endpoint.ip"))}}  # fmt: skip
    else:
        by = {"app": {"servicePrincipalId": unique, "displayName": name,
                      "appId": text(at(event, "actor.app_uid"))}}  # fmt: skip
    told["initiatedBy"] = by
    unique = text(thing.get("uid")).replace("unknown", "")
    told["targetResources"] = [{"id": unique, "displayName": thing.get("name"), "type": thing.get("type")}]
    record["category"] = "AuditLogs"
    return record
