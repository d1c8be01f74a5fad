"""Okta System Log, Microsoft Entra sign-ins and audits, and the Microsoft 365 unified audit log."""
from typing import Any, Dict, List

from .addresses import geography
from .model import Credential, Identity, Op, Record, World
from .rand import B62, Rand, iso_fraction, moment

DISPLAY = {"user.session.start": "User login to Okta", "user.authentication.sso": "User single sign on to app",
           "app.oauth2.token.grant.access_token": "OAuth2 access token is granted",
           "user.account.privilege.grant": "Grant user privilege", "system.api_token.create": "Create API token",
           "system.org.rate_limit.warning": "Rate limit warning", "user.account.update_profile": "Update user profile for Okta"}
GRANTED = {"AppRole.Value": "perm", "DelegatedPermissionGrant.Scope": "perm", "ConsentContext.IsAdminConsent": "perm",
           "Role.DisplayName": "aadrole"}
GRAPH = "00000003-0000-0000-c000-000000000000"


def place(ip: str) -> Record:
    country, (city, state, postal, _, lat, lon), _, _ = geography(ip)
    return {"city": city, "state": state, "country": country, "postalCode": postal, "geolocation": {"lat": lat, "lon": lon}}


def okta(world: World, time: int, who: Identity, op: Op, cred: Credential, rand: Rand, details: Record) -> Record:
    values: Dict[str, str] = details["values"]
    kind = world.fill(op.params, who, time, rand, details)
    _, _, network, number = geography(cred.ip)
    raw = cred.client.string("okta", op.name)
    human = cred.client.family in ("browser", "safari", "firefox")
    wide = bool(details["wide"])
    targets: List[Record] = []
    if kind["target"] == "user":
        mail = values.get("mail") or world.value("mail", who, time, rand, True)
        targets.append({"id": "00u" + Rand("okta", mail).letters(17, B62), "type": "User", "alternateId": mail,
                        "displayName": mail.split("@")[0].replace(".", " ").title(), "detailEntry": None})
    elif kind["target"] in ("token", "grant", "idp", "policy", "group", "factor"):
        name = values.get("newname") or world.value("param", who, time, rand, wide)
        targets.append({"id": "00" + rand.letters(18, B62), "type": {"token": "Token", "grant": "access_token", "idp":
                        "IdentityProvider", "policy": "PolicyRule", "group": "UserGroup", "factor": "AuthenticatorEnrollment"}[
                        kind["target"]], "alternateId": "unknown", "displayName": name, "detailEntry": None})
    if kind["target"] in ("app", "session") or kind.get("app"):
        app = values.get("app") or world.value("oktaapp", who, time, rand, wide)
        targets.append({"id": "0oa" + Rand("app", app).letters(17, B62), "type": "AppInstance", "alternateId": app,
                        "displayName": app, "detailEntry": None})
    if kind.get("group"):
        group = values.get("group") or world.value("group", who, time, rand, wide)
        targets.append({"id": "00g" + Rand("group", group).letters(17, B62), "type": "UserGroup", "alternateId": "unknown",
                        "displayName": group, "detailEntry": None})
    request = rand.hex(32)
    debug: Record = {"requestId": request, "dtHash": rand.hex(64)}
    if op.name == "user.account.privilege.grant":
        debug["privilegeGranted"] = values.get("privilege") or world.value("privilege", who, time, rand, True)
    if kind["target"] == "grant":
        debug.update(grantType="client_credentials", requestedScopes=values.get("scopes") or world.value(
            "scopes", who, time, rand, False))
    debug.update(requestUri="/oauth2/v1/token" if kind["target"] == "grant" else "/api/v1/users", url="/api/v1/users?limit=200")
    detail: Record = {}
    if who.kind == "okta-token":
        detail["requestApiTokenId"] = cred.key
    where = place(cred.ip)
    return {"actor": {"id": who.unique, "type": "PublicClientApp" if who.kind == "okta-app" else "User",
                      "alternateId": who.label, "displayName": who.name, "detailEntry": None},
            "client": {"userAgent": {"rawUserAgent": raw, "os": "Mac OS X" if "Mac" in raw else "Unknown",
                                     "browser": "CHROME" if human else "UNKNOWN"}, "zone": "null",
                       "device": "Computer" if human else "Unknown", "id": who.unique if who.kind == "okta-app" else None,
                       "ipAddress": cred.ip, "geographicalContext": where},
            "authenticationContext": {"authenticationProvider": None, "credentialProvider": None, "credentialType": None,
                                      "issuer": None, "interface": None, "authenticationStep": 0,
                                      "externalSessionId": "trs" + rand.letters(22, B62), "rootSessionId": None},
            "displayMessage": DISPLAY.get(op.name, op.name.split(".")[-1].replace("_", " ").capitalize()),
            "eventType": op.name,
            "outcome": {"result": "FAILURE", "reason": "no_matching_scope" if kind["target"] == "grant" else "FORBIDDEN"}
            if details["error"] else {"result": "SUCCESS", "reason": None},
            "published": iso_fraction(time, 3, rand),
            "securityContext": {"asNumber": number, "asOrg": network, "isp": network, "domain": ".", "isProxy": False},
            "severity": "WARN" if "rate_limit" in op.name or details["error"] else "INFO",
            "debugContext": {"debugData": debug}, "legacyEventType": None,
            "transaction": {"type": "WEB", "id": request, "detail": detail}, "uuid": rand.uuid(), "version": "0",
            "request": {"ipChain": [{"ip": cred.ip, "geographicalContext": where, "version": "V4", "source": None}]},
            "target": targets or None}


def entra(world: World, time: int, who: Identity, op: Op, cred: Credential, rand: Rand, details: Record) -> Record:
    kind = world.fill(op.params, who, time, rand, details)
    tenant = who.extra["tenant"]
    correlation = rand.uuid()
    failed = bool(details["error"])
    head: Record = {"time": iso_fraction(time, 7, rand), "resourceId": f"/tenants/{tenant}/providers/Microsoft.aadiam",
                    "operationName": op.name, "operationVersion": "1.0", "category": kind.get("log", "AuditLogs"),
                    "tenantId": tenant}
    if "log" in kind:
        return sign_in(head, time, who, cred, rand, details, correlation)
    values: Dict[str, str] = details["values"]
    target_name = values.get("target") or world.value("mail" if kind["target"] == "User" else "azapp", who, time, rand, True)
    if who.kind.startswith("entra-"):
        actor: Record = {"app": {"appId": None, "displayName": who.name, "servicePrincipalId": who.unique,
                                 "servicePrincipalName": None}}
    else:
        actor = {"user": {"id": who.unique, "displayName": None, "userPrincipalName": who.label, "ipAddress": cred.ip,
                          "roles": []}}
    head.update(resultSignature="None", durationMs=0, callerIpAddress=cred.ip, correlationId=correlation, Level=4)
    pool = GRANTED.get(kind["property"], "")
    new = (values.get(pool) or world.value(pool, who, time, rand, True)) if pool else rand.uuid()
    head["properties"] = {
        "id": f"Directory_{correlation}_{rand.letters(5)}_{rand.digits(8)}", "category": kind["category"],
        "correlationId": correlation, "result": "failure" if failed else "success",
        "resultReason": "Insufficient privileges to complete the operation." if failed else "",
        "activityDisplayName": op.name, "activityDateTime": iso_fraction(time, 7, rand), "loggedByService": "Core Directory",
        "operationType": "Update" if "pdate" in op.name else "Add" if "Add" in op.name else "Assign", "initiatedBy": actor,
        "userAgent": cred.client.string("graph", op.key),
        "targetResources": [{"id": Rand("entra", target_name).uuid(), "displayName": target_name, "type": kind["target"],
                             "modifiedProperties": [{"displayName": kind["property"], "oldValue": "[]", "newValue":
                                                     f"[\"{new}\"]"}]}],
        "additionalDetails": [{"key": "User-Agent", "value": cred.client.string("graph", op.key)}]}
    return head


def sign_in(head: Record, time: int, who: Identity, cred: Credential, rand: Rand, details: Record, correlation: str) -> Record:
    where = place(cred.ip)
    failed = bool(details["error"])
    code = (7000222 if who.kind.startswith("entra") else 50126) if failed else 0
    head.update(resultType=str(code), resultSignature="None" if not failed else "FAILURE", durationMs=0,
                callerIpAddress=cred.ip, correlationId=correlation, Level=4, location=where["country"])
    properties: Record = {"id": rand.uuid(), "createdDateTime": iso_fraction(time, 7, rand)}
    if who.kind.startswith("entra"):
        managed = who.kind == "entra-mi"
        properties.update(appId=who.extra["app"], appDisplayName="" if not managed else who.name, ipAddress=cred.ip,
                          servicePrincipalId=who.unique, servicePrincipalName=who.name,
                          servicePrincipalCredentialKeyId="" if managed else cred.key,
                          managedServiceIdentity={"msiType": "SystemAssigned" if managed else "None"},
                          clientCredentialType="none" if managed else who.extra["credential"])
    else:
        properties.update(userPrincipalName=who.label, userId=who.unique, userDisplayName=who.name, ipAddress=cred.ip,
                          appDisplayName=details["values"].get("app", "Office 365 Exchange Online"), clientAppUsed="Browser",
                          isInteractive=True, authenticationRequirement="multiFactorAuthentication",
                          userAgent=cred.client.string("graph", "login"))
    resource, rid = details["values"].get("resource", "") or who.extra.get("resource", "Microsoft Graph"), GRAPH
    if resource != "Microsoft Graph":
        rid = Rand("resource", resource).uuid()
    properties.update(correlationId=correlation, conditionalAccessStatus="notApplied", incomingTokenType="none",
                      tokenIssuerType="AzureAD", resourceDisplayName=resource, resourceId=rid,
                      location={"city": where["city"], "state": where["state"], "countryOrRegion": where["country"],
                                "geoCoordinates": {"latitude": where["geolocation"]["lat"], "longitude":
                                                   where["geolocation"]["lon"]}},
                      status={"errorCode": code}, uniqueTokenIdentifier=rand.letters(22, B62),
                      autonomousSystemNumber=geography(cred.ip)[3])
    head["properties"] = properties
    return head


def m365(world: World, time: int, who: Identity, op: Op, cred: Credential, rand: Rand, details: Record) -> Record:
    kind = world.fill(op.params, who, time, rand, details)
    values: Dict[str, str] = details["values"]
    mail = values.get("mail") or world.value("mail", who, time, rand, bool(details["wide"]))
    app = who.kind == "m365-app"
    record: Record = {"CreationTime": moment(time).strftime("%Y-%m-%dT%H:%M:%S"), "Id": rand.uuid(), "Operation": op.name,
                      "OrganizationId": who.extra["tenant"], "RecordType": kind["type"],
                      "ResultStatus": "Failed" if details["error"] else "Succeeded",
                      "UserKey": who.unique, "UserType": 5 if app else 0, "Version": 1, "Workload": kind["workload"],
                      "UserId": f"ServicePrincipal_{who.unique}" if app else who.label}
    agent = cred.client.string("graph", op.key)
    if kind["workload"] == "Exchange":
        record.update(AppId=who.extra["app"], ClientAppId=who.extra["app"], ClientIPAddress=cred.ip,
                      ClientInfoString=f"Client=REST;Client=RESTSystem;UserAgent=[{agent}];", ExternalAccess=False,
                      InternalLogonType=0, LogonType=0, MailboxGuid=Rand("box", mail).uuid(), MailboxOwnerUPN=mail)
        if op.name == "MailItemsAccessed":
            record["OperationProperties"] = [{"Name": "MailAccessType", "Value": "Bind"}, {"Name": "IsThrottled", "Value":
                                             "False"}]
            record["OperationCount"] = int(values.get("items", 1 + int(rand.lognormal(2, 1.2))))
        elif kind["type"] == 1:
            record["Parameters"] = [{"Name": "Identity", "Value": mail}, {"Name": "User", "Value": values.get("newname", who.name)}]
        record["OrganizationName"] = who.extra["domain"]
    else:
        site = f"https://{who.extra['domain'].split('.')[0]}.sharepoint.com/sites/{world.value('site', who, time, rand, bool(details['wide']))}"
        file = f"{world.value('param', who, time, rand, True)}-{rand.whole(1, 400)}.docx"
        record.update(ClientIP=cred.ip, AppAccessContext=application(who, rand), ApplicationId=who.extra["app"],
                      EventSource="SharePoint", ItemType="File", ObjectId=f"{site}/Shared Documents/{file}",
                      SiteUrl=site + "/", SourceFileExtension="docx", SourceFileName=file,
                      SourceRelativeUrl="Shared Documents", UserAgent=agent)
    return record


def application(who: Identity, rand: Rand) -> Dict[str, Any]:
    return {"AADSessionId": rand.uuid(), "ClientAppId": who.extra["app"], "CorrelationId": rand.uuid(),
            "UniqueTokenId": rand.letters(22, B62)}


