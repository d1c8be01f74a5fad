"""CloudTrail, EKS's audit log and Security Hub's findings out of OCSF."""

from __future__ import annotations

from typing import Any

from nhi_watch.core.timestamps import render
from nhi_watch.intake.schemas.ocsf.undo import steps, undone
from nhi_watch.intake.shapes.forms import Tree, at, every, inner, record_in
from nhi_watch.intake.shapes.times import moment
from nhi_watch.intake.shapes.values import listed, text
from nhi_watch.intake.sources.kubernetes.actions import from_uri

_WHO = "userIdentity."
_CLOUDTRAIL = steps({
    "eventID": "metadata.uid",
    "eventSource": "api.service.name",
    "eventName": "api.operation",
    "eventType": "metadata.event_code",
    "errorCode": "api.response.error",
    "errorMessage": "api.response.message",
    "awsRegion": "cloud.region",
    "sourceIPAddress": "src_endpoint.ip",
    "sourceIPAddress|2": "src_endpoint.domain",
    "userAgent": "http_request.user_agent",
    "vpcEndpointId": "src_endpoint.uid",
    _WHO + "type": "actor.user.type",
    _WHO + "accountId": "actor.user.account.uid",
    _WHO + "accountId|2": "actor.user.account_uid",
    _WHO + "accessKeyId": "actor.user.credential_uid",
    _WHO + "userName": "actor.user.name",
    _WHO + "invokedBy": "actor.invoked_by",
    _WHO + "identityProvider": "actor.idp.name",
    _WHO + "sessionContext.sessionIssuer.arn": "actor.session.issuer",
    _WHO + "sessionContext.attributes.mfaAuthenticated": "actor.session.is_mfa",
    _WHO + "sessionContext.attributes.mfaAuthenticated|2": "actor.session.mfa",
    "additionalEventData.LoginTo": "dst_endpoint.svc_name",
})
_REQUEST, _RESPONSE = "api.request.data", "api.response.data"
_ACCOUNT_CHANGE = 3001


def cloudtrail(event: Tree) -> Tree:
    """CloudTrail's record. Since 1.1 `uid` is the ARN and `uid_alt` the principal; before, `uid` was the principal."""
    record = undone(event, _CLOUDTRAIL)
    record["eventTime"] = _time(event)
    record["userIdentity"] = {**inner(record, "userIdentity"), **_principal(event)}
    params = record_in(at(event, _REQUEST))
    record["requestParameters"] = params or {**_whom(event), **inner(record, "requestParameters")}
    record["responseElements"] = record_in(at(event, _RESPONSE)) or record.get("responseElements")
    record.setdefault("recipientAccountId", at(event, "cloud.account.uid"))
    resources = [_resource(one) for one in listed(event.get("resources")) if one.__class__ is dict]
    record["resources"] = resources or record.get("resources")
    mfa = event.get("is_mfa", event.get("mfa"))
    if mfa is not None:
        used = "Yes" if text(mfa) == "true" else "No"
        record["additionalEventData"] = {"MFAUsed": used, **inner(record, "additionalEventData")}
    return record


def _principal(event: Tree) -> Tree:
    """Principal and ARN; a person of the identity center has neither, and no access key, but a sign-in's id."""
    user = inner(inner(event, "actor"), "user")
    uid, other = text(user.get("uid")), text(user.get("uid_alt"))
    arn = uid if uid.startswith("arn:") else text(user.get("uuid"))
    if text(user.get("type")) == "IdentityCenterUser" and other:
        return {"onBehalfOf": {"userId": other}, "arn": arn, "accessKeyId": None, "userName": None}
    return {"principalId": other or (uid if uid != arn else ""), "arn": arn}


def _whom(event: Tree) -> Tree:
    """The parameter that Account Change of 1.0 has in the place of whom it is done to."""
    name = at(event, "user.name") if event["class_uid"] == _ACCOUNT_CHANGE else None
    return {"roleName" if "Role" in text(at(event, "api.operation")) else "userName": name} if name else {}


def _resource(told: Tree) -> Tree:
    owner = at(told, "account.uid") or at(told, "owner.account.uid") or told.get("account_uid")
    return {"ARN": told.get("uid"), "accountId": owner, "type": told.get("type")}


def _time(event: Tree) -> str:
    return render(moment(event.get("time") or event.get("time_dt")))


_EKS = steps({
    "level": "metadata.log_level",
    "auditID": "api.request.uid",
    "stage": "message",
    "requestURI": "http_request.url.path",
    "verb": "api.operation",
    "user.username": "actor.user.name",
    "user.uid": "actor.user.uid",
    "userAgent": "http_request.user_agent",
    "objectRef.namespace": "resources.namespace",
    "objectRef.name": "resources.name",
    "objectRef.uid": "resources.uid",
    "objectRef.apiGroup": "api.group.name",
    "responseStatus.code": "api.response.code",
    "responseStatus.message": "api.response.message",
    "responseStatus.reason": "api.response.error",
    "responseStatus.status": "api.response.error_message",
    "stageTimestamp": "time",
    "stageTimestamp|2": "time_dt",
})
_PROOFS = {"accessKeyId": "actor.session.credential_uid", "canonicalArn": "actor.session.issuer",
           "sessionName": "actor.session.uid", "arn": "cloud.account.uid"}  # fmt: skip


def eks(event: Tree) -> Tree:
    """The audit event of a cluster."""
    record = {**undone(event, _EKS), "kind": "Event", "apiVersion": at(event, "metadata.product.version")}
    user = inner(record, "user")
    proofs = {name: [value] for name, path in _PROOFS.items() if (value := at(event, path))}
    record["user"] = {**user, "groups": every(event, "actor.user.groups.name"),
                      "extra": {**inner(user, "extra"), **proofs}}  # fmt: skip
    record["sourceIPs"] = listed(record.get("sourceIPs")) or every(event, "src_endpoint.ip")
    record["objectRef"] = {**inner(record, "objectRef"), **_object(event, text(record.get("requestURI")))}
    record["requestObject"] = record_in(at(event, _REQUEST)) or record.get("requestObject")
    record["responseObject"] = record_in(at(event, _RESPONSE)) or record.get("responseObject")
    return record


def _object(event: Tree, uri: str) -> Tree:
    """Resource and subresource, which the mapping writes one behind the other."""
    told = text(at(event, "resources.type"))
    resource, sub, *_ = from_uri(uri) if uri else (None, None)
    if resource and told.replace("/", "") == f"{resource}{sub or ''}":
        return {"resource": resource, "subresource": sub}
    resource, _, sub = told.partition("/")
    return {"resource": resource, "subresource": sub}


_FINDING = steps({
    "Id": "finding_info.uid",
    "Id|2": "finding.uid",
    "AwsAccountId": "cloud.account.uid",
    "AwsAccountId|2": "cloud.account_uid",
    "Region": "cloud.region",
    "ProductArn": "metadata.product.uid",
    "ProductName": "metadata.product.name",
    "GeneratorId": "metadata.product.feature.uid",
    "Title": "finding_info.title",
    "Title|2": "finding.title",
    "Types": "finding_info.types",
    "Types|2": "finding.types",
    "Severity.Label": "severity",
    "LastObservedAt": "finding_info.last_seen_time_dt",
    "LastObservedAt|2": "finding_info.last_seen_time",
    "LastObservedAt|3": "finding.last_seen_time",
    "UpdatedAt": "time",
    "Workflow.Status": "status",
    "Workflow.Status|2": "state",
    "Action.AwsApiCallAction.Api": "evidences.api.operation",
    "Action.AwsApiCallAction.ServiceName": "evidences.api.service.name",
    "Action.AwsApiCallAction.RemoteIpDetails.IpAddressV4": "evidences.src_endpoint.ip",
})


def is_securityhub(event: Tree) -> bool:
    """Whether a finding came through Security Hub, whose format the mapping starts from."""
    return ":securityhub:" in text(at(event, "metadata.product.uid"))


def securityhub(event: Tree) -> Tree:
    """The finding in Security Hub's own format."""
    record = undone(event, _FINDING)
    resources = event.get("resources") or event.get("resource")
    record["Resources"] = [_finding_resource(one) for one in listed(resources) if one.__class__ is dict]
    return record


def _finding_resource(told: Tree) -> dict[str, Any]:
    details = record_in(told.get("data")) or record_in(told.get("details"))
    return {"Type": told.get("type"), "Id": told.get("uid"), "Region": told.get("region"), "Details": details or {}}
