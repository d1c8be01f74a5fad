"""Entra sign-in and audit logs, Azure Activity, Microsoft 365 management activity."""
from __future__ import annotations

from typing import Any, Dict, List

from .chance import MIXED, Chance
from .fill import Filler, iso, iso_fraction
from .model import Identity, Op, Place, Record
from .network import ASNS, city_of, kind_of

RESOURCES = [("Microsoft Graph", "00000003-0000-0000-c000-000000000000"), ("Windows Azure Service Management API", "797f4846-ba00-4fd7-ba43-dac1f8f63013"), ("Azure Key Vault",
    "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"), ("Azure Storage", "e406a681-f3d4-42a8-90b6-c2b029497af1"), ("Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000")]
DENIED = {"denied": ("7000215", "Invalid client secret provided."), "expired": ("7000222", "The provided client secret keys for app are expired.")}


def signin(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    tenant = world.tenant
    managed, human = who.auth == "mi", who.human
    category = "SignInLogs" if human else "ManagedIdentitySignInLogs" if managed else "ServicePrincipalSignInLogs"
    wanted = str(args.get("resource", who.ids.get("resource", "Microsoft Graph")))
    name, resource = next((pair for pair in RESOURCES if pair[0] == wanted), RESOURCES[0])
    code, reason = DENIED.get(error, ("0", "")) if error != "outage" else ("90033", "A transient error has occurred. Please try again.")
    city, state, country, lat, lon = city_of(place.ip)
    stamp = iso_fraction(time, 7, rng)
    props: Dict[str, Any] = {"id": rng.uuid(), "createdDateTime": iso_fraction(time - 0.4, 7, rng), "ipAddress": "" if managed else place.ip, "appId": who.ids["app"],
        "appDisplayName": who.ids["display"], "resourceDisplayName": name, "resourceId": resource, "correlationId": rng.uuid(),
                             "status": {"errorCode": int(code), **({"failureReason": reason} if reason else {})}, "location": {} if managed else {"city": city, "state": state,
                                 "countryOrRegion": country, "geoCoordinates": {"latitude": lat, "longitude": lon}},
                             "conditionalAccessStatus": "notApplied", "uniqueTokenIdentifier": rng.text(22, MIXED), "tenantId": tenant.entra_id, "resourceTenantId": tenant.entra_id}
    if human:
        props.update({"userPrincipalName": who.name, "userId": who.ids["object"], "userDisplayName": who.name.split("@")[0].replace(".", " ").title(), "isInteractive": True,
            "userAgent": place.agent, "clientAppUsed": "Browser", "authenticationRequirement": "multiFactorAuthentication"})
    else:
        props.update({"servicePrincipalId": who.ids["object"], "servicePrincipalName": who.ids["display"], "resourceServicePrincipalId": rng.uuid()[:8] + resource[8:],
            "autonomousSystemNumber": 0 if managed else ASNS.get(kind_of(place.ip), (8075, ""))[0]})
        if not managed:
            props.update({"servicePrincipalCredentialKeyId": who.key_at(time), "clientCredentialType": who.ids["credential"], "servicePrincipalCredentialThumbprint": "", "userAgent": place.agent})
    body = {"time": stamp, "resourceId": f"/tenants/{tenant.entra_id}/providers/Microsoft.aadiam", "operationName": "Sign-in activity", "operationVersion": "1.0", "category": category,
        "tenantId": tenant.entra_id, "resultType": code, "resultSignature": "FAILURE" if error else "SUCCESS",
            "resultDescription": reason, "durationMs": 0, "callerIpAddress": "" if managed else place.ip, "correlationId": props["correlationId"], "Level": "4",
                "location": "" if managed else country, "properties": props}
    return [Record("entra_signin.ndjson.gz", time, body)]


def audit(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    if op.key == "entra/signin":
        return signin(world, who, op, time, rng, place, args, error)
    tenant = world.tenant
    f = Filler(tenant, who, rng, time, args)
    activity, kind, category = op.key[6:], op.response, op.note
    if who.human:
        actor: Dict[str, Any] = {"user": {"id": who.ids["object"], "userPrincipalName": who.name, "ipAddress": place.ip}}
    else:
        actor = {"app": {"appId": who.ids["app"], "displayName": who.ids["display"], "servicePrincipalId": who.ids["object"]}}
    changes = [{"displayName": key, "oldValue": "[]", "newValue": f'"{value}"'} for key, value in sorted((f.fill(op.params) or {}).items())]
    target: Dict[str, Any] = {"id": args.get("targetid") or rng.uuid(), "type": kind, "modifiedProperties": changes, "administrativeUnits": []}
    if kind == "User":
        target["userPrincipalName"] = str(f.var("upn"))
    else:
        target["displayName"] = str(args.get("target") or (f.favourite(tenant.things["appname"]) if kind in ("ServicePrincipal", "Application") else f.var("team")))
    ident = rng.uuid()
    props = {"id": f"Directory_{ident}_{rng.text(5).upper()}_{rng.digits(8)}", "category": category, "correlationId": ident, "result": "failure" if error else "success",
        "resultReason": "Insufficient privileges to complete the operation." if error else "", "activityDisplayName": activity, "activityDateTime": iso_fraction(time, 7, rng),
             "loggedByService": "Core Directory", "operationType": activity.split(" ")[0], "initiatedBy": actor, "targetResources": [target], "additionalDetails": [{"key": "User-Agent",
                 "value": place.agent}]}
    body = {"time": iso_fraction(time, 7, rng), "resourceId": f"/tenants/{tenant.entra_id}/providers/Microsoft.aadiam", "operationName": activity, "operationVersion": "1.0",
        "category": "AuditLogs", "tenantId": tenant.entra_id, "resultSignature": "None", "resultDescription": props["resultReason"], "durationMs": 0,
            "callerIpAddress": place.ip, "correlationId": ident, "identity": who.name if who.human else who.ids["display"], "Level": 4, "properties": props}
    return [Record("entra_audit.ndjson.gz", time, body)]


def activity(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    tenant = world.tenant
    f = Filler(tenant, who, rng, time, args)
    name = op.key[3:]
    scope = f"/SUBSCRIPTIONS/{f.var('subscription') if 'subscription' in f.known or who.things.get('subscription') else tenant.things['subscription'][0]}/RESOURCEGROUPS/{str(f.var('group')).upper()}"
    resource = scope + str(f.fill(op.response)).upper()
    claims: Dict[str, Any] = {"aud": "https://management.core.windows.net/", "iss": f"https://sts.windows.net/{tenant.entra_id}/", "iat": str(int(time) - rng.randint(60, 3000)),
        "appid": who.ids["app"], "appidacr": "2" if who.auth == "mi" else "1", "http://schemas.microsoft.com/identity/claims/objectidentifier": who.ids["object"],
                              "http://schemas.microsoft.com/identity/claims/tenantid": tenant.entra_id, "idtyp": "user" if who.human else "app", "ipaddr": place.ip, "uti": rng.text(22,
                                  MIXED), "ver": "1.0"}
    if who.auth == "mi":
        claims["xms_mirid"] = who.ids["mirid"]
    if who.human:
        claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] = who.name
    evidence = {"role": who.ids.get("azrole", "Contributor"), "roleAssignmentScope": scope.split("/RESOURCEGROUPS")[0].lower(), "principalId": who.ids["object"].replace("-", ""),
        "principalType": "User" if who.human else "ServicePrincipal"}
    props: Dict[str, Any] = {"eventCategory": "Administrative", "entity": resource, "message": name, "hierarchy": f"{tenant.entra_id}/{scope.split('/')[2]}"}
    if op.params:
        props["requestbody"] = str(f.fill(op.params)).replace("'", '"')
    failed = bool(error)
    body = {"time": iso_fraction(time, 7, rng), "resourceId": resource, "operationName": name.upper(), "category": "Administrative", "resultType": "Failure" if failed else "Success",
        "resultSignature": ("Failed.Forbidden" if error == "denied" else "Failed.InternalServerError") if failed else "Succeeded.",
            "durationMs": str(rng.randint(20, 900)), "callerIpAddress": place.ip, "correlationId": rng.uuid(), "identity": {"authorization": {"scope": resource, "action": name,
                "evidence": evidence}, "claims": claims}, "level": "Error" if failed else "Information", "properties": props,
            "tenantId": tenant.entra_id, "eventDataId": rng.uuid()}
    return [Record("azure_activity.ndjson.gz", time, body)]


def management(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    tenant = world.tenant
    f = Filler(tenant, who, rng, time, args)
    name, workload, kind = op.key[5:], op.response, int(op.note)
    user = who.name if who.human else f"ServicePrincipal_{who.ids['object']}"
    body: Dict[str, Any] = {"CreationTime": iso(time)[:-1], "Id": rng.uuid(), "Operation": name, "OrganizationId": tenant.entra_id, "RecordType": kind,
        "ResultStatus": "Failed" if error else "Succeeded", "UserKey": who.ids["object"], "UserType": 0 if who.human else 4, "Version": 1, "Workload": workload,
                            "ClientIP": place.ip, "UserId": user, "AppId": who.ids["app"], "ClientAppId": who.ids["app"]}
    if workload == "Exchange":
        box = str(f.var("upn"))
        body.update({"MailboxOwnerUPN": box, "ClientInfoString": f"Client=REST;Client=RESTSystem;{place.agent};[AppId={who.ids['app']}]", "LogonType": 0 if who.human else 1,
            "OrganizationName": tenant.domain, "OriginatingServer": f"DB{rng.randint(1, 9)}PR04MB{rng.digits(4)} (15.20.{rng.digits(4)}.022)"})
        if name == "MailItemsAccessed":
            body["OperationCount"] = 1 + int(rng.expovariate(0.3) * float(f.known.get("scale", 1)))
            body["OperationProperties"] = [{"Name": "MailAccessType", "Value": "Bind"}, {"Name": "IsThrottled", "Value": "False"}]
            body["Folders"] = [{"Path": rng.choice(["\\Inbox", "\\Inbox", "\\Sent Items", "\\Archive"]), "FolderItems": [{"InternetMessageId": f"<{rng.text(20).upper()}@{box.split('@')[-1]}>"}]}]
        if op.params:
            body["Parameters"] = [{"Name": key, "Value": str(value)} for key, value in f.fill(op.params).items()]
            body["ObjectId"] = box
    elif workload in ("SharePoint", "OneDrive"):
        site = str(f.favourite(who.things["site"])) if "site" not in f.known else str(f.known["site"])
        file = f"{f.var('service')}-{rng.randint(1, 400)}.{rng.choice(['docx', 'xlsx', 'pdf', 'pptx', 'csv'])}"
        body.update({"ObjectId": f"{site}/Shared Documents/{file}", "SiteUrl": site + "/", "SourceFileName": file, "SourceFileExtension": file.rsplit(".", 1)[1],
            "SourceRelativeUrl": "Shared Documents", "ItemType": "File", "EventSource": "SharePoint", "UserAgent": place.agent,
                     "CorrelationId": rng.uuid(), "ApplicationId": who.ids["app"], "ApplicationDisplayName": who.ids["display"]})
    else:
        body.update({"ObjectId": "", "TeamName": str(f.var("team")), "ChannelName": "General", "MessageId": str(int(time * 1000)), "ChatThreadId": f"19:{rng.hexs(32)}@thread.v2"})
    return [Record("m365_activity.ndjson.gz", time, body)]
