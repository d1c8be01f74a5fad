"""Microsoft Sentinel's tables (Log Analytics), as its data export, its API and its portal (CSV) give them.

A row is undone into the record that the connector read: CloudTrail, GuardDuty, Entra's sign-ins, audit log and Graph
activity and risks, Azure's activity log, storage and key vault logs, AKS's audit log, Microsoft 365's and Google
Cloud's audit logs, Workspace's reports, Okta's system log, Salesforce's event log files; of the older AzureDiagnostics
what key vaults and AKS write. Of a table of a customer's own (`…_CL`) the columns are the record's,
less their suffixes. What the tables have no column for is lost: of AWS who came through web identity federation or the
console's credentials, of Azure home tenant and region, of Microsoft 365 the session and why a sign-in failed, of Google
Cloud all labels but the project.

A time of the portal's is the day first, unless it has AM or PM: then the month.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.schemas.ocsf.undo import Steps, steps, undone
from nhi_watch.intake.shapes.forms import Tree, hit, record_in
from nhi_watch.intake.shapes.json import parse

NAME = "sentinel"
SPLUNK_SOURCETYPES: tuple[str, ...] = ()
ELASTIC_INDICES: tuple[str, ...] = ()
"""None: its rows lie in files."""

_TIME = "TimeGenerated"
_PORTAL = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}),? (\d{1,2}):(\d\d):(\d\d(?:\.\d+)?)(?: ([AP])M)?", re.ASCII)
_SUFFIX = re.compile(r"_(?:CF|[sdbgt])$")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OWN = ("TenantId", "Type", "SourceSystem", "MG", "ManagementGroupName", "Computer", "RawData", "_ResourceId", _TIME)

_AWS = steps({
    "eventTime": _TIME, "eventID": "AwsEventId", "eventVersion": "EventVersion", "eventSource": "EventSource",
    "eventType": "EventTypeName", "eventName": "EventName", "awsRegion": "AWSRegion", "errorCode": "ErrorCode",
    "sourceIPAddress": "SourceIpAddress", "userAgent": "UserAgent", "errorMessage": "ErrorMessage",
    "requestParameters": "RequestParameters", "responseElements": "ResponseElements", "resources": "Resources",
    "additionalEventData": "AdditionalEventData", "requestID": "AwsRequestId_", "readOnly": "ReadOnly",
    "recipientAccountId": "RecipientAccountId", "sharedEventID": "SharedEventId", "vpcEndpointId": "VpcEndpointId",
    "serviceEventDetails": "ServiceEventDetails", "managementEvent": "ManagementEvent", "apiVersion": "APIVersion",
    "userIdentity.type": "UserIdentityType", "userIdentity.principalId": "UserIdentityPrincipalid",
    "userIdentity.arn": "UserIdentityArn", "userIdentity.accountId": "UserIdentityAccountId",
    "userIdentity.invokedBy": "UserIdentityInvokedBy", "userIdentity.accessKeyId": "UserIdentityAccessKeyId",
    "userIdentity.userName": "UserIdentityUserName", "userIdentity.onBehalfOf.userId": "UserIdentityUserId",
    "userIdentity.onBehalfOf.identityStoreArn": "UserIdentityStoreArn",
    "userIdentity.sessionContext.attributes.mfaAuthenticated": "SessionMfaAuthenticated",
    "userIdentity.sessionContext.attributes.creationDate": "SessionCreationDate",
    "userIdentity.sessionContext.sessionIssuer.type": "SessionIssuerType",
    "userIdentity.sessionContext.sessionIssuer.principalId": "SessionIssuerPrincipalId",
    "userIdentity.sessionContext.sessionIssuer.arn": "SessionIssuerArn",
    "userIdentity.sessionContext.sessionIssuer.accountId": "SessionIssuerAccountId",
    "userIdentity.sessionContext.sessionIssuer.userName": "SessionIssuerUserName",
})  # fmt: skip
_ACTIVITY = steps({
    "time": _TIME, "operationName": "OperationNameValue", "resultType": "ActivityStatusValue",
    "resultSignature": "ActivitySubstatusValue", "category": "CategoryValue", "callerIpAddress": "CallerIpAddress",
    "correlationId": "CorrelationId", "eventDataId": "EventDataId", "resourceId": "_ResourceId",
    "resourceId|2": "ResourceId", "identity.authorization": "Authorization_d", "identity.claims": "Claims_d",
    "identity.authorization|2": "Authorization", "identity.claims|2": "Claims", "properties": "Properties_d",
    "properties|2": "Properties", "level": "Level", "caller": "Caller",
})  # fmt: skip
_OFFICE = steps({
    "CreationTime": _TIME, "Id": "OfficeId", "Workload": "OfficeWorkload", "ObjectId": "OfficeObjectId",
    "ClientIPAddress": "Client_IPAddress", "ClientIP": "ClientIP", "LogonType": "Logon_Type", "SiteUrl": "Site_Url",
    "OrganizationId": "OrganizationId", "UserKey": "UserKey", "UserId": "UserId", "UserType": "UserType",
    "Operation": "Operation", "ResultStatus": "ResultStatus", "UserAgent": "UserAgent", "AppId": "AppId",
    "ClientAppId": "ClientAppId", "RecordType": "RecordType", "ClientInfoString": "ClientInfoString",
    "MailboxOwnerUPN": "MailboxOwnerUPN", "ExternalAccess": "ExternalAccess", "Parameters": "Parameters",
    "AppAccessContext": "AppAccessContext", "SourceFileName": "SourceFileName", "EventSource": "Event_Source",
    "OperationProperties": "OperationProperties", "Actor": "Actor", "Target": "Target",
    "ExtendedProperties": "ExtendedProperties", "ModifiedProperties": "ModifiedProperties",
})  # fmt: skip
_GCP = steps({
    "timestamp": "Timestamp", "timestamp|2": _TIME, "insertId": "InsertId", "logName": "LogName",
    "severity": "Severity", "resource.type": "GCPResourceType", "resource.labels.project_id": "ProjectId",
    "protoPayload.methodName": "MethodName", "protoPayload.serviceName": "ServiceName",
    "protoPayload.resourceName": "GCPResourceName", "protoPayload.authenticationInfo": "AuthenticationInfo",
    "protoPayload.authorizationInfo": "AuthorizationInfo", "protoPayload.requestMetadata": "RequestMetadata",
    "protoPayload.request": "Request", "protoPayload.response": "Response", "protoPayload.status": "Status",
    "protoPayload.metadata": "Metadata", "protoPayload.serviceData": "ServiceData",
    "protoPayload.resourceLocation": "ResourceLocation",
    "protoPayload.resourceOriginalState": "ResourceOriginalState",
})  # fmt: skip
_STORAGE = steps({
    "time": _TIME, "operationName": "OperationName", "category": "Category", "callerIpAddress": "CallerIpAddress",
    "statusCode": "StatusCode", "statusText": "StatusText", "correlationId": "CorrelationId", "uri": "Uri",
    "location": "Location", "resourceId": "_ResourceId", "identity.type": "AuthenticationType",
    "identity.tokenHash": "AuthenticationHash", "identity.requester.appId": "RequesterAppId",
    "identity.requester.objectId": "RequesterObjectId", "identity.requester.tenantId": "RequesterTenantId",
    "identity.requester.upn": "RequesterUpn", "properties.accountName": "AccountName",
    "properties.objectKey": "ObjectKey", "properties.userAgentHeader": "UserAgentHeader",
})  # fmt: skip
_WORKSPACE = steps({
    "id.time": "IdTime", "id.time|2": _TIME, "id.uniqueQualifier": "IdUniqueQualifier", "kind": "Kind",
    "id.applicationName": "IdApplicationName", "id.customerId": "IdCustomerId", "actor.email": "ActorEmail",
    "actor.callerType": "ActorCallerType", "actor.profileId": "ActorProfileId", "actor.key": "ActorKey",
    "ipAddress": "SrcIpAddr", "name": "EventName", "parameters": "EventParameters",
})  # fmt: skip
_GUARDDUTY = steps({
    "type": "ActivityType", "arn": "Arn", "id": "Id", "accountId": "AccountId", "region": "Region", "title": "Title",
    "severity": "Severity", "resource": "ResourceDetails", "service": "ServiceDetails", "partition": "Partition",
    "createdAt": "TimeCreated", "updatedAt": _TIME, "schemaVersion": "SchemaVersion", "description": "Description",
})  # fmt: skip
_OKTA = steps({
    "published": _TIME, "uuid": "EventOriginalUid", "eventType": "EventOriginalType", "request": "Request",
    "target": "OriginalTarget", "displayMessage": "EventMessage", "severity": "OriginalSeverity",
    "actor.id": "OriginalUserId", "actor.type": "OriginalUserType", "actor.displayName": "ActorDisplayName",
    "actor.alternateId": "OriginalActorAlternateId", "actor.detailEntry": "ActorDetailEntry",
    "legacyEventType": "LegacyEventType", "outcome.result": "OriginalOutcomeResult",
    "outcome.reason": "EventOriginalResultDetails", "client.ipAddress": "SrcIpAddr",
    "client.userAgent.rawUserAgent": "HttpUserAgent", "client.device": "OriginalClientDevice",
    "securityContext.isProxy": "SecurityContextIsProxy",
    "authenticationContext.externalSessionId": "ActorSessionId", "debugContext.debugData": "DebugData",
    "transaction.id": "TransactionId", "transaction.type": "TransactionType", "transaction.detail": "TransactionDetail",
})  # fmt: skip
_VAULT = steps({
    "time": _TIME, "operationName": "OperationName", "resultType": "ResultType", "resultSignature": "ResultSignature",
    "callerIpAddress": "CallerIpAddress", "callerIpAddress|2": "CallerIPAddress", "correlationId": "CorrelationId",
    "resourceId": "_ResourceId", "resourceId|2": "ResourceId", "properties.id": "Id", "properties.id|2": "id_s",
    "properties.clientInfo": "ClientInfo", "properties.clientInfo|2": "clientInfo_s",
    "properties.requestUri": "RequestUri", "properties.requestUri|2": "requestUri_s",
    "properties.httpStatusCode": "HttpStatusCode", "properties.httpStatusCode|2": "httpStatusCode_d",
    "identity": "Identity",
})  # fmt: skip
_AKS = steps({
    "time": _TIME, "resourceId": "_ResourceId", "properties.log.level": "Level",
    "properties.log.auditID": "AuditId", "properties.log.stage": "Stage",
    "properties.log.requestURI": "RequestUri", "properties.log.verb": "Verb", "properties.log.user": "User",
    "properties.log.sourceIPs": "SourceIps", "properties.log.userAgent": "UserAgent",
    "properties.log.objectRef": "ObjectRef", "properties.log.responseStatus": "ResponseStatus",
    "properties.log.requestObject": "RequestObject", "properties.log.responseObject": "ResponseObject",
    "properties.log.requestReceivedTimestamp": "RequestReceivedTime",
    "properties.log.stageTimestamp": "StageReceivedTime", "properties.log.annotations": "Annotations",
    "properties.log.impersonatedUser": "ImpersonatedUser",
})  # fmt: skip
_CLAIM = re.compile(r"identity_claim_(?:http_schemas_\w+_identity_claims_)?(\w+)_[sgdb]")
"""A claim of a token, as AzureDiagnostics names its column."""
_SHORT = {"objectidentifier": "oid", "tenantid": "tid"}
_ENTRA = {
    "SigninLogs": "SignInLogs", "AADNonInteractiveUserSignInLogs": "NonInteractiveUserSignInLogs",
    "AADServicePrincipalSignInLogs": "ServicePrincipalSignInLogs", "AuditLogs": "AuditLogs",
    "AADManagedIdentitySignInLogs": "ManagedIdentitySignInLogs",
    "MicrosoftGraphActivityLogs": "MicrosoftGraphActivityLogs",
    "AADUserRiskEvents": "UserRiskEvents", "AADRiskyUsers": "RiskyUsers",
    "AADServicePrincipalRiskEvents": "ServicePrincipalRiskEvents",
    "AADRiskyServicePrincipals": "RiskyServicePrincipals",
}  # fmt: skip
_SALESFORCE = "SalesforceServiceCloudV"
_SPELT = {"IPAddress": "ipAddress", "AADTenantId": "aadTenantId"}
_TABLES: dict[str, Steps] = {
    "AWSCloudTrail": _AWS, "AzureActivity": _ACTIVITY, "OfficeActivity": _OFFICE, "GCPAuditLogs": _GCP,
    "GoogleWorkspaceReports": _WORKSPACE, "AWSGuardDuty": _GUARDDUTY, "OktaV2_CL": _OKTA, "AZKVAuditLogs": _VAULT,
    "AKSAudit": _AKS, "AKSAuditAdmin": _AKS, **dict.fromkeys(
        ("StorageBlobLogs", "StorageFileLogs", "StorageQueueLogs", "StorageTableLogs"), _STORAGE),
}  # fmt: skip
_MADE = {"AZKVAuditLogs": {"category": "AuditEvent"}, "AKSAudit": {"category": "kube-audit"},
         "AKSAuditAdmin": {"category": "kube-audit-admin"}}  # fmt: skip
"""Of which category a table is."""
_OLDER = "AzureDiagnostics"


def carries(record: Mapping[str, Any]) -> bool:
    """Whether the record is a row of Log Analytics."""
    raw = record.get("_raw")
    if raw.__class__ is str:
        return '"TimeGenerated' in raw and carries(record_in(raw) or {})
    row = hit(record)
    return (_TIME in row or f"{_TIME} [UTC]" in row) and row.get("Type").__class__ is str and "TenantId" in row


def native(record: Mapping[str, Any]) -> Tree:
    """The record that the connector read.

    Raises:
        RejectError: unknown_product: a table that is not read.
    """
    raw = record.get("_raw")
    row = {name.partition(" [")[0]: _value(value) for name, value in
           (record_in(raw) or {} if raw.__class__ is str else hit(record)).items()}  # fmt: skip
    table = row["Type"]
    if table in _ENTRA:
        return _of_entra(row, _ENTRA[table])
    if table in _TABLES:
        return {**undone(row, _TABLES[table]), **_MADE.get(table, {})}
    if table == _OLDER:
        return _of_resource(row)
    if table.startswith(_SALESFORCE):
        return {_WORD.sub("_", name).upper(): value for name, value in row.items() if name not in _OWN}
    if table.endswith("_CL"):
        return {_SUFFIX.sub("", name): value for name, value in row.items() if name not in _OWN}
    known = ", ".join((*_TABLES, *_ENTRA, _OLDER, f"{_SALESFORCE}…_CL"))
    raise RejectError("unknown_product", f"Sentinel's table {table[:60]!r} is not read; read are {known}, and tables "
                      "of your own (…_CL)")  # fmt: skip


def _of_resource(row: Tree) -> Tree:
    """What a key vault or AKS wrote, out of the table that resources without one of their own share."""
    category = row.get("Category")
    if category == "AuditEvent":
        claims = {_SHORT.get(found[1], found[1]): value for name, value in row.items()
                  if (found := _CLAIM.fullmatch(name))}  # fmt: skip
        return {**undone(row, _VAULT), "category": category, "identity": {"claim": claims}}
    if category in ("kube-audit", "kube-audit-admin"):
        place = row.get("_ResourceId") or row.get("ResourceId")
        return {"time": row.get(_TIME), "category": category, "resourceId": place,
                "properties": {"log": row.get("log_s")}}  # fmt: skip
    raise RejectError("unknown_product", f"category {str(category)[:60]!r} of {_OLDER} is not read; read are "
                      "AuditEvent (key vaults), kube-audit and kube-audit-admin (AKS)")  # fmt: skip


def _of_entra(row: Tree, category: str) -> Tree:
    """As a diagnostic setting writes it: the columns are the properties, their first letter large."""
    told = {_SPELT.get(name, name[:1].lower() + name[1:]): value for name, value in row.items() if name not in _OWN}
    for name in ("status", "deviceDetail", "locationDetails"):
        told[name] = told.get(name) or told.get(f"{name}_dynamic") or told.get(f"{name}_string")
    return {
        "time": row.get(_TIME), "category": category, "operationName": row.get("OperationName"),
        "resultType": row.get("ResultType"), "resultSignature": row.get("ResultSignature"),
        "callerIpAddress": row.get("IPAddress"), "correlationId": row.get("CorrelationId"),
        "tenantId": row.get("AADTenantId") or row.get("AadTenantId"), "properties": told,
    }  # fmt: skip


def _value(told: Any) -> Any:
    """Objects out of their text, and times of the portal's as logs have them."""
    if told.__class__ is not str:
        return told
    if told[:1] in ("{", "["):
        return _parsed(told)
    found = _PORTAL.fullmatch(told) if "/" in told else None
    return _time(found) if found else told


def _parsed(told: str) -> Any:
    try:
        return parse(told)
    except (ValueError, RecursionError):
        return told


def _time(found: re.Match[str]) -> str:
    first, second, year, hour, minute, rest, half = found.groups()
    day, month = (second, first) if half else (first, second)
    whole = int(hour) % 12 + 12 * (half == "P") if half else int(hour)
    return f"{year}-{int(month):02d}-{int(day):02d}T{whole:02d}:{minute}:{rest}Z"
