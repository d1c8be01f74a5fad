"""Records in the shape of each product's log, and the files that hold them."""

import base64
import hashlib
import json
import re
import struct
import zlib
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

from nhi_watch_lab.fourth_world.calls import AWS_CALLS, TABLES, AwsCall
from nhi_watch_lab.fourth_world.life import World
from nhi_watch_lab.fourth_world.model import Dice, Event
from nhi_watch_lab.fourth_world.tenant import Tenant

# ---- cloudTrail records

WORD = re.compile(r"\{(\w+)\}")
KEBAB = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
ITYPES = ["m5.large", "c5.xlarge", "t3.medium", "r5.2xlarge", "g4dn.xlarge", "m6i.large", "c6i.4xlarge", "g5.2xlarge", "t3.small"]
MANAGED = ["ReadOnlyAccess", "AmazonS3FullAccess", "AmazonSSMManagedInstanceCore", "CloudWatchLogsFullAccess", "AdministratorAccess", "AmazonDynamoDBFullAccess", "PowerUserAccess"]
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%s,"Resource":"*"}]}'
ACTIONS = ['"s3:*"', '["logs:PutLogEvents","logs:CreateLogStream"]', '"secretsmanager:GetSecretValue"', '"*"', '"sts:AssumeRole"', '["dynamodb:GetItem","dynamodb:Query"]', '"lambda:InvokeFunction"']
UPPER = {"ec2"}
CODES = {"throttled": ("ThrottlingException", "Rate exceeded"), "missing": ("ResourceNotFoundException", "The requested resource does not exist."),
         "invalid": ("ValidationException", "1 validation error detected: Value failed to satisfy constraint."), "expired": ("ExpiredTokenException", "The security token included in the request is expired")}
CODES_BY_SERVICE = {("s3", "missing"): ("NoSuchKey", "The specified key does not exist."), ("ec2", "throttled"): ("Client.RequestLimitExceeded", "Request limit exceeded."),
                    ("iam", "missing"): ("NoSuchEntityException", "The entity cannot be found."), ("iam", "throttled"): ("Throttling", "Rate exceeded"), ("ec2", "missing"): ("Client.InvalidInstanceID.NotFound", "The instance ID does not exist")}


def stamp(t: int) -> str:
    return datetime.fromtimestamp(t // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def made(dice: Dice, word: str) -> str:
    """A value of that name from thin air."""
    simple: Dict[str, Callable[[], str]] = {
        "uuid": dice.uuid, "small": lambda: str(dice.randint(1, 9)), "akia": lambda: "AKIA" + dice.base32(16), "asia": lambda: "ASIA" + dice.base32(16), "aroa": lambda: "AROA" + dice.base32(17),
        "aida": lambda: "AIDA" + dice.base32(17), "token": lambda: "IQoJb3JpZ2luX2VjE" + dice.alnum(24), "file": lambda: f"{dice.pick(['part-00', 'data_', 'export-', '2026/03/', 'batch'])}{dice.hexes(6)}.{dice.pick(['parquet', 'csv.gz', 'json', 'snappy.parquet', 'zip'])}",
        "json": lambda: POLICY % dice.pick(ACTIONS), "itype": lambda: dice.pick(ITYPES), "managed": lambda: dice.early(MANAGED), "strangerid": lambda: dice.digits(12), "cidr": lambda: dice.pick(["0.0.0.0/0", f"10.{dice.randint(0, 250)}.0.0/16", f"{dice.randint(20, 200)}.{dice.randint(0, 250)}.{dice.randint(0, 250)}.7/32"]),
        "stranger": lambda: f"arn:aws:iam::{dice.digits(12)}:root", "sname": lambda: dice.hexes(12)}
    if word in simple:
        return simple[word]()
    if word.startswith("hex"):
        return dice.hexes(int(word[3:]))
    if word.startswith("up"):
        return dice.base32(int(word[2:]))
    return dice.alnum(int(word[5:])) if word.startswith("token") else word


def fill(text: str, e: Event, dice: Dice, tenant: Tenant) -> str:
    def value(match: "re.Match[str]") -> str:
        word = match.group(1)
        if word in e.args:
            return e.args[word]
        known = {"account": e.who.account, "self": e.who.name, "domain": tenant.domain, "region": tenant.regions[0], "day": stamp(e.t)[:10]}
        if word in known:
            return known[word]
        if word in ("word", "newuser"):
            return dice.pick(tenant.apps) + ("-svc" if word == "newuser" else "")
        return made(dice, word)
    return WORD.sub(value, text) if "{" in text else text


def nest(pairs: List[Tuple[str, str]], e: Event, dice: Dice, tenant: Tenant) -> Any:
    """Dotted paths to objects and, where a part is a number, lists."""
    root: Dict[str, Any] = {}
    for path, text in pairs:
        parts = path.split(".") if not path.startswith("aws:") and "x-amz" not in path else [path]
        value: Any = fill(text, e, dice, tenant)
        if text.startswith("#"):
            value = {"true": True, "false": False}[text[1:]] if text[1:] in ("true", "false") else int(value[1:])
        node: Any = root
        for part, after in zip(parts, parts[1:] + [""]):
            fresh: Any = value if after == "" else ([] if after.isdigit() else {})
            if part.isdigit():
                while len(node) <= int(part):
                    node.append(fresh)
                node = node[int(part)]
            else:
                node = node.setdefault(part, {} if parts[-1] == part and value == "" and part.endswith("Set") else fresh)
    return root or None


def identity(e: Event, tenant: Tenant) -> Dict[str, Any]:
    who, session = e.who, e.session
    if who.kind == "service":
        return {"type": "AWSService", "invokedBy": who.name}
    if who.kind == "account":
        return {"type": "AWSAccount", "principalId": who.id, "accountId": who.extra["vendor_account"]}
    if who.kind == "web":
        provider = _provider(e, tenant)
        return {"type": "WebIdentityUser", "principalId": f"{provider}:sts.amazonaws.com:{who.name}", "userName": who.name, "identityProvider": provider}
    if who.kind == "user":
        out: Dict[str, Any] = {"type": "IAMUser", "principalId": who.id, "arn": who.label, "accountId": who.account, "accessKeyId": session.key, "userName": who.name}
        if session.how == "console":
            out["sessionContext"] = {"attributes": {"creationDate": stamp(session.start), "mfaAuthenticated": "true" if who.human else "false"}}
        return out
    attributes = {"creationDate": stamp(session.start), "mfaAuthenticated": "false"}
    issuer = {"type": "Role", "principalId": who.id, "arn": who.label, "accountId": who.account, "userName": who.name}
    context: Dict[str, Any] = {"sessionIssuer": issuer, "attributes": attributes}
    if session.how in ("irsa", "gha"):
        context = {"sessionIssuer": issuer, "webIdFederationData": {"federatedProvider": _provider(e, tenant), "attributes": {}}, "attributes": attributes}
    if session.how == "inst":
        context["ec2RoleDelivery"] = "2.0"
    out = {"type": "AssumedRole", "principalId": f"{who.id}:{session.name}", "arn": f"arn:aws:sts::{who.account}:assumed-role/{who.name}/{session.name}", "accountId": who.account, "accessKeyId": session.key, "sessionContext": context}
    if e.source.ip.endswith(".amazonaws.com"):
        out["invokedBy"] = e.source.ip
    return out


def _provider(e: Event, tenant: Tenant) -> str:
    host = "token.actions.githubusercontent.com" if "gha" in (e.who.extra.get("how"), e.session.how) else f"oidc.eks.{tenant.regions[0]}.amazonaws.com/id/{tenant.ids['oidc']}"
    return f"arn:aws:iam::{e.who.account}:oidc-provider/{host}"


def _error(e: Event, call: AwsCall, who: Dict[str, Any]) -> Tuple[str, str]:
    if e.error != "denied":
        return CODES_BY_SERVICE.get((call.service, e.error), CODES[e.error])
    code = {"ec2": "Client.UnauthorizedOperation", "s3": "AccessDenied", "iam": "AccessDenied", "sts": "AccessDenied", "kms": "AccessDenied"}.get(call.service, "AccessDeniedException")
    name = re.sub(r"\d{8}(v2)?$", "", call.name)
    return code, f"User: {who.get('arn', who.get('principalId', ''))} is not authorized to perform: {call.service}:{name} because no identity-based policy allows the {call.service}:{name} action"


def _resources(e: Event, call: AwsCall, params: Any) -> List[Dict[str, str]]:
    if call.service == "s3" and call.data:
        bucket = f"arn:aws:s3:::{params['bucketName']}"
        found = [{"type": "AWS::S3::Object", "ARN": f"{bucket}/{params['key']}"}] if "key" in params else [{"type": "AWS::S3::Object", "ARNPrefix": f"{bucket}/"}]
        return found + [{"accountId": e.who.account, "type": "AWS::S3::Bucket", "ARN": bucket}]
    if call.name.startswith("AssumeRole"):
        return [{"accountId": params["roleArn"].split(":")[4], "type": "AWS::IAM::Role", "ARN": params["roleArn"]}]
    if call.service == "kms" and params and str(params.get("keyId", "")).startswith("arn"):
        return [{"accountId": e.who.account, "type": "AWS::KMS::Key", "ARN": params["keyId"]}]
    return []


def render(e: Event, dice: Dice, tenant: Tenant) -> Dict[str, Any]:
    """The record as CloudTrail delivers it."""
    call = AWS_CALLS[e.call]
    region = {"iam": "us-east-1", "organizations": "us-east-1", "route53": "us-east-1", "cloudfront": "us-east-1"}.get(call.service, e.args.get("region", tenant.regions[0]))
    if call.name == "AssumeRoleWithWebIdentity":
        e = e._replace(args=dict(e.args, self=e.who.extra["role"], subject=e.who.name, provider=_provider(e, tenant)))
    if "newkey" in e.args:
        e = e._replace(args=dict(e.args, asia=e.args["newkey"], expiry=datetime.fromtimestamp(e.t // 1000 + 3600, timezone.utc).strftime("%b %d, %Y, %I:%M:%S %p")))
    e = e._replace(args=dict(e.args, region=region))
    who, params = identity(e, tenant), nest(call.request, e, dice, tenant)
    service = {"monitoring": "monitoring"}.get(call.service, call.service)
    record: Dict[str, Any] = {"eventVersion": "1.11" if not call.data else "1.10", "userIdentity": who, "eventTime": stamp(e.t), "eventSource": f"{service}.amazonaws.com", "eventName": call.name, "awsRegion": region, "sourceIPAddress": e.source.ip,
                              "userAgent": e.agent.replace("{api}", call.service).replace("{cmd}", f"{call.service}.{KEBAB.sub('-', re.sub(chr(92) + 'd{8}(v2)?$', '', call.name)).lower()}")}
    if e.error:
        record["errorCode"], record["errorMessage"] = _error(e, call, who)
    record["requestParameters"] = params
    record["responseElements"] = nest(call.response, e, dice, tenant) if not e.error and call.response else None
    if call.service == "s3":
        record["additionalEventData"] = {"SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256", "bytesTransferredIn": 0, "AuthenticationMethod": "AuthHeader", "x-amz-id-2": dice.alnum(44), "bytesTransferredOut": int(dice.wide(200, 5e6)) if call.data else dice.randint(200, 4000)}
    if call.service == "signin":
        record["additionalEventData"] = {"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "Yes" if e.who.human else "No"}
    record.update(requestID=dice.uuid(), eventID=dice.uuid(), readOnly=not call.write)
    resources = _resources(e, call, params)
    if resources:
        record["resources"] = resources
    record.update(eventType="AwsConsoleSignIn" if call.service == "signin" else "AwsApiCall", managementEvent=not call.data, recipientAccountId=e.who.account)
    if e.who.kind in ("service", "account"):
        record["sharedEventID"] = dice.uuid()
    if e.source.vpce:
        record["vpcEndpointId"], record["vpcEndpointAccountId"] = e.source.vpce, e.who.account
    record["eventCategory"] = "Data" if call.data else "Management"
    if not e.source.ip.endswith(".amazonaws.com"):
        record["tlsDetails"] = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": f"{call.service}.{region}.amazonaws.com"}
    if e.session.how == "console":
        record["sessionCredentialFromConsole"] = "true"
    return record


# ---- records of the identity providers, GitHub, Kubernetes, Snowflake, Vault and Google Cloud

def _iso(t: int, digits: int = 3) -> str:
    return f"{stamp(t)[:-1]}.{t % 1000:03d}{str(t * 7919 % 999_983 + 1_000_000)[1:][:digits - 3]}Z"


def _stable(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def _guid(*parts: str) -> str:
    h = _stable(*parts)
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:32]}"


def okta(e: Event, dice: Dice, tenant: Tenant) -> Dict[str, Any]:
    text, kind, target = TABLES["okta"][e.call]
    name = fill(target, e, dice, tenant)
    human = e.who.human
    actor = {"id": "00u" + _stable(e.who.id)[:17], "type": "PublicClientApp" if e.who.kind == "oauth" else "User", "alternateId": e.who.name if human else f"{e.who.name}@{tenant.domain}", "displayName": e.who.name.split("@")[0], "detailEntry": None}
    geo = {"city": e.source.city, "state": None, "country": e.source.country, "postalCode": None, "geolocation": None}
    debug: Dict[str, Any] = {"requestId": dice.alnum(27), "requestUri": "/api/v1/" + ("authn" if human else "users"), "url": "/api/v1/" + ("authn?" if human else "users?limit=200")}
    detail = {} if human or e.who.kind == "oauth" else {"requestApiTokenId": "00T" + e.session.key[:17]}
    failed = bool(e.error)
    return {"actor": actor, "client": {"userAgent": {"rawUserAgent": e.agent, "os": "Unknown", "browser": "CHROME" if "Chrome" in e.agent else "UNKNOWN"}, "zone": "null", "device": "Computer" if human else "Unknown", "id": None, "ipAddress": e.source.ip, "geographicalContext": geo},
            "device": None, "authenticationContext": {"authenticationProvider": None, "credentialProvider": None, "credentialType": None, "issuer": None, "interface": None, "authenticationStep": 0, "externalSessionId": "trs" + dice.alnum(22)},
            "displayMessage": text, "eventType": e.call, "outcome": {"result": "FAILURE" if failed else "SUCCESS", "reason": "The client does not have permission" if failed else None}, "published": _iso(e.t), "securityContext": {"asNumber": None, "asOrg": e.source.org.lower(), "isp": e.source.org.lower(), "domain": None, "isProxy": False},
            "severity": "WARN" if failed else "INFO", "debugContext": {"debugData": debug}, "legacyEventType": None, "transaction": {"type": "WEB", "id": debug["requestId"], "detail": detail}, "uuid": dice.uuid(), "version": "0",
            "request": {"ipChain": [{"ip": e.source.ip, "geographicalContext": geo, "version": "V4", "source": None}]}, "target": [{"id": "0oa" + _stable(name)[:17], "type": kind, "alternateId": name, "displayName": name, "detailEntry": None}]}


def entra(e: Event, dice: Dice, tenant: Tenant) -> Dict[str, Any]:
    category, target = TABLES["entra"][e.call]
    name, aad = fill(target, e, dice, tenant), tenant.ids["aad"]
    ident = dice.uuid()
    head: Dict[str, Any] = {"time": _iso(e.t, 7), "resourceId": f"/tenants/{aad}/providers/Microsoft.aadiam", "operationName": "Sign-in activity", "operationVersion": "1.0", "category": category, "tenantId": aad, "resultType": "0", "resultSignature": "None", "durationMs": 0, "callerIpAddress": e.source.ip, "correlationId": dice.uuid(), "Level": 4}
    if "ignin" in e.call:
        status: Dict[str, Any] = {"errorCode": 0 if not e.error else 7000215}
        if e.error:
            head.update(resultType="7000215", resultDescription="Invalid client secret provided.")
            status["failureReason"] = "Invalid client secret provided."
        props: Dict[str, Any] = {"id": ident, "createdDateTime": _iso(e.t - dice.randint(30, 900), 7), "ipAddress": e.source.ip, "status": status, "location": {"city": e.source.city, "countryOrRegion": e.source.country, "geoCoordinates": {}}, "resourceDisplayName": name, "resourceId": _guid("res", name), "correlationId": head["correlationId"], "conditionalAccessStatus": "notApplied", "riskState": "none", "riskLevelDuringSignIn": "none", "uniqueTokenIdentifier": dice.alnum(22)}
        if e.who.human:
            app = dice.pick(["Azure Portal", "Office365 Shell WCSS-Client", "Microsoft Teams", "One Outlook Web", "Microsoft Azure CLI"])
            props.update(userDisplayName=e.who.name.split("@")[0], userPrincipalName=e.who.name, userId=e.who.id, appId=_guid("app", app), appDisplayName=app, clientAppUsed="Browser", userAgent=e.agent, isInteractive=e.call == "usersignin", authenticationRequirement="multiFactorAuthentication")
        else:
            managed = e.who.kind == "managed"
            head["category"] = "ManagedIdentitySignInLogs" if managed else "ServicePrincipalSignInLogs"
            props.update(servicePrincipalId=e.who.extra["object"], servicePrincipalName=e.who.name, appId=e.who.extra["appid"], appOwnerTenantId=tenant.ids["owner"], servicePrincipalCredentialKeyId="" if managed else _guid(e.session.key), clientCredentialType="none" if managed else "clientSecret", isInteractive=False, userAgent=e.agent)
        return dict(head, properties=props)
    who: Dict[str, Any] = {"user": {"id": e.who.id, "displayName": None, "userPrincipalName": e.who.name, "ipAddress": e.source.ip, "roles": []}} if e.who.human else {"app": {"appId": e.who.extra["appid"], "displayName": e.who.name, "servicePrincipalId": e.who.extra["object"], "servicePrincipalName": None}}
    kind = "User" if category == "UserManagement" or target == "{upn}" else ("ServicePrincipal" if "principal" in e.call else "Application")
    changed = [{"displayName": "KeyDescription", "oldValue": "[]", "newValue": f'["[KeyIdentifier={dice.uuid()},KeyType=Password,KeyUsage=Verify,DisplayName={dice.pick(tenant.apps)}]"]'}] if "credential" in e.call.lower() or "Certificates" in e.call else []
    if "grant" in e.call or "Consent" in e.call:
        changed = [{"displayName": "ConsentAction.Permissions", "oldValue": "[]", "newValue": f"[[Id: {dice.alnum(20)}, ClientId: {dice.uuid()}, PrincipalId: , ResourceId: {dice.uuid()}, ConsentType: AllPrincipals, Scope: {e.args.get('scope', dice.pick(['User.Read', 'User.Read offline_access', 'Mail.Read offline_access', 'Files.Read.All', 'Calendars.ReadWrite']))}]]"}]
    if e.call == "Add member to role":
        changed = [{"displayName": "Role.DisplayName", "oldValue": "", "newValue": '"' + e.args.get("admin", dice.pick(["Reports Reader", "Helpdesk Administrator", "Application Administrator"])) + '"'}]
    head.update(operationName=e.call, resultSignature="None" if not e.error else "Forbidden")
    return dict(head, properties={"id": f"Directory_{ident}", "category": category, "correlationId": head["correlationId"], "result": "failure" if e.error else "success", "resultReason": "Insufficient privileges to complete the operation." if e.error else "", "activityDisplayName": e.call, "activityDateTime": _iso(e.t, 7), "loggedByService": "Core Directory", "operationType": e.call.split()[0], "initiatedBy": who,
                                  "targetResources": [{"id": _guid("dir", name), "displayName": name, "type": kind, "userPrincipalName": name if kind == "User" else None, "modifiedProperties": changed, "administrativeUnits": []}], "additionalDetails": [{"key": "User-Agent", "value": e.agent}] if e.agent else []})


def m365(e: Event, dice: Dice, tenant: Tenant) -> Dict[str, Any]:
    load, kind, target = TABLES["m365"][e.call]
    obj = fill(target, e, dice, tenant)
    user = e.who.name if e.who.human else (obj if "@" in obj and load == "Exchange" else "app@sharepoint")
    record: Dict[str, Any] = {"CreationTime": stamp(e.t)[:-1], "Id": dice.uuid(), "Operation": e.call, "OrganizationId": tenant.ids["aad"], "RecordType": int(kind), "ResultStatus": "Failed" if e.error else "Succeeded", "UserKey": _stable(user)[:16].upper(), "UserType": 0 if e.who.human else 5, "Version": 1, "Workload": load, "UserId": user}
    appid = "" if e.who.human else e.who.extra["appid"]
    if load == "Exchange":
        record.update(AppId=appid or _guid("owa"), ClientAppId=appid, ClientIPAddress=e.source.ip, ClientInfoString=e.agent, ExternalAccess=False, InternalLogonType=0, LogonType=0, MailboxGuid=_guid("mbx", obj), MailboxOwnerUPN=obj if not e.who.human else e.who.name, OrganizationName=tenant.domain, OriginatingServer=f"{dice.base32(9)} (15.20.8813.0{dice.randint(10, 27)})")
        if e.call == "MailItemsAccessed":
            record.update(OperationProperties=[{"Name": "MailAccessType", "Value": "Bind"}, {"Name": "IsThrottled", "Value": "False"}], Folders=[{"Id": dice.alnum(40), "Path": "\\" + dice.pick(["Inbox", "Sent Items", "Archive"]), "FolderItems": [{"InternetMessageId": f"<{dice.alnum(30)}@{tenant.domain}>"}]}], OperationCount=dice.randint(1, 40) if not e.who.human else 1)
        elif e.call in ("New-InboxRule", "Set-Mailbox", "Add-MailboxPermission"):
            record.update(ClientIP=e.source.ip, ObjectId=obj, Parameters=[{"Name": "Identity", "Value": obj}] + ([{"Name": "ForwardTo", "Value": e.args["forward"]}] if "forward" in e.args else []))
    elif load in ("SharePoint", "OneDrive"):
        record.update(ClientIP=e.source.ip, ObjectId=obj, ApplicationId=appid or _guid("spo"), CorrelationId=dice.uuid(), EventSource="SharePoint", ItemType="File", SiteUrl=obj.split("/Shared")[0] + "/", SourceFileName=obj.rsplit("/", 1)[-1], UserAgent=e.agent, Site=_guid("site", obj.split("/Shared")[0]), AppAccessContext={"ClientAppId": appid, "CorrelationId": dice.uuid()})
    elif load == "AzureActiveDirectory":
        record.update(ClientIP=e.source.ip, ObjectId=_guid("obj", obj), ActorIpAddress=e.source.ip, AzureActiveDirectoryEventType=1, ExtendedProperties=[{"Name": "UserAgent", "Value": e.agent}], ModifiedProperties=[{"Name": "ConsentAction.Permissions", "NewValue": f"[] => [[ConsentType: AllPrincipals, Scope: {e.args.get('scope', 'User.Read openid profile')}]]; ", "OldValue": ""}] if "Consent" in e.call else [],
                      Actor=[{"ID": user, "Type": 5}], ActorContextId=tenant.ids["aad"], Target=[{"ID": _guid("obj", obj), "Type": 2}, {"ID": obj, "Type": 1}], TargetContextId=tenant.ids["aad"])
    else:
        record.update(ClientIP=e.source.ip, ObjectId=obj, CommunicationType=dice.pick(["Channel", "OneOnOne", "GroupChat"]), ChatThreadId=f"19:{dice.hexes(32)}@thread.v2", AppAccessContext={"ClientAppId": appid})
    return record


def gcp(e: Event, dice: Dice, tenant: Tenant) -> Dict[str, Any]:
    service, permission, name, flag = TABLES["gcp"][e.call]
    project = e.args.get("project") or (e.who.name.split("@")[1].split(".")[0] if not e.who.human else tenant.stock["gcp"]["project"][0])
    e = e._replace(args=dict(e.args, project=project))
    auth: Dict[str, Any] = {"principalEmail": e.who.name}
    if e.who.kind == "sakey":
        auth["serviceAccountKeyName"] = f"//iam.googleapis.com/projects/{project}/serviceAccounts/{e.who.name}/keys/{e.session.key}"
    elif not e.who.human:
        auth["principalSubject"] = f"serviceAccount:{e.who.name}"
    resource = fill(name, e, dice, tenant)
    kind = {"storage": "gcs_bucket", "compute": "gce_instance", "bigquery": "bigquery_resource", "iam": "service_account", "iamcredentials": "service_account"}.get(service.split(".")[0], "audited_resource")
    payload: Dict[str, Any] = {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "status": {"code": 7, "message": f"Permission '{permission}' denied on resource (or it may not exist)."} if e.error else {}, "authenticationInfo": auth, "requestMetadata": {"callerIp": e.source.ip, "callerSuppliedUserAgent": e.agent, "requestAttributes": {"time": _iso(e.t, 6), "auth": {}}, "destinationAttributes": {}},
                               "serviceName": service, "methodName": e.call, "authorizationInfo": [{"resource": resource or f"projects/{project}", "permission": permission, "granted": not e.error, "resourceAttributes": {}}], "resourceName": resource}
    if e.call == "SetIamPolicy":
        payload["serviceData"] = {"@type": "type.googleapis.com/google.iam.v1.logging.AuditData", "policyDelta": {"bindingDeltas": [{"action": "ADD", "role": e.args.get("grant", dice.pick(["roles/viewer", "roles/storage.objectViewer", "roles/editor"])), "member": e.args.get("member", f"serviceAccount:{dice.pick(tenant.stock['gcp']['sa'])}")}]}}
    return {"protoPayload": payload, "insertId": dice.alnum(13).lower(), "resource": {"type": kind, "labels": {"project_id": project}}, "timestamp": _iso(e.t, 6), "severity": "ERROR" if e.error else ("NOTICE" if flag == "W" else "INFO"), "logName": f"projects/{project}/logs/cloudaudit.googleapis.com%2F{'activity' if flag == 'W' else 'data_access'}", "receiveTimestamp": _iso(e.t + dice.randint(300, 2500), 6)}


def github(e: Event, dice: Dice, tenant: Tenant) -> Dict[str, Any]:
    operation, scoped = TABLES["github"][e.call]
    kind = {"pat": "Personal access token (classic)", "install": "GitHub App server-to-server token", "key": "Deploy key", "human": "OAuth access token"}[e.who.kind]
    record: Dict[str, Any] = {"@timestamp": e.t, "_document_id": dice.alnum(22), "action": e.call, "actor": e.who.name, "actor_id": int(_stable(e.who.id)[:7], 16), "actor_ip": e.source.ip, "actor_is_bot": not e.who.human, "actor_location": {"country_code": e.source.country}, "business": tenant.ids["business"], "created_at": e.t, "operation_type": operation, "org": tenant.domain.split(".")[0], "org_id": int(_stable(tenant.domain)[:7], 16)}
    if scoped == "1":
        repo = e.args.get("ghrepo", e.who.extra["repo"])
        record.update(repo=repo, repo_id=int(_stable(repo)[:7], 16), repository=repo, repository_public=False)
    if e.call.startswith("git."):
        record.update(transport_protocol=2 if e.who.kind == "key" else 1, transport_protocol_name="ssh" if e.who.kind == "key" else "http")
    if e.call.startswith("workflows."):
        record.update(event="push", head_branch="main", head_sha=dice.hexes(40), workflow_run_id=dice.randint(10**9, 10**10), trigger_id=None)
    if not e.who.human or dice.chance(0.5):
        record.update(hashed_token=base64.b64encode(hashlib.sha256(e.session.key.encode()).digest()).decode(), programmatic_access_type=kind, token_scopes="repo,read:org,workflow" if e.who.kind == "pat" else "", token_id=int(_stable(e.session.key)[:7], 16))
    return dict(record, user_agent=e.agent, request_id=dice.uuid(), **({"error": "forbidden"} if e.error else {}))


def kubernetes(e: Event, dice: Dice, tenant: Tenant) -> Dict[str, Any]:
    group, kind, sub = TABLES["kubernetes"][e.call]
    verb, who = e.call.split()[0], e.who
    parts = who.name.split(":")
    space = e.args.get("namespace") or (parts[2] if not who.human and dice.chance(0.6) else e.args.get("ns", "default"))
    cluster = kind in ("nodes", "namespaces", "clusterroles", "clusterrolebindings", "mutatingwebhookconfigurations", "selfsubjectaccessreviews", "selfsubjectrulesreviews", "tokenreviews", "certificatesigningrequests")
    named = verb not in ("list", "watch") and not (verb == "create" and not sub)
    path = (f"/apis/{group}/v1" if group else "/api/v1") + ("" if cluster else f"/namespaces/{space}") + f"/{kind}" + (f"/{e.args['k8sname']}" if named else "") + (f"/{sub}" if sub else "")
    user: Dict[str, Any] = {"username": who.name, "uid": who.id, "groups": ["system:serviceaccounts", f"system:serviceaccounts:{parts[2]}", "system:authenticated"] if not who.human else ["system:authenticated", "oidc:engineering"]}
    if who.kind == "pod":
        user["extra"] = {"authentication.kubernetes.io/pod-name": [e.session.name], "authentication.kubernetes.io/pod-uid": [_guid("pod", e.session.name)]}
    ref: Dict[str, str] = {"resource": kind}
    ref.update({} if cluster else {"namespace": space})
    ref.update({"name": e.args["k8sname"]} if named else {})
    ref.update({"apiGroup": group} if group else {})
    ref.update(apiVersion="v1", **({"subresource": sub} if sub else {}))
    code = {"": 201 if verb == "create" else 200, "denied": 403, "missing": 404, "conflict": 409}[e.error]
    status: Dict[str, Any] = {"metadata": {}, "code": code}
    if e.error:
        status = {"metadata": {}, "status": "Failure", "message": f'{kind} is forbidden: User "{who.name}" cannot {verb} resource "{kind}"' if code == 403 else f"{kind} error", "reason": {403: "Forbidden", 404: "NotFound", 409: "Conflict"}[code], "code": code}
    reason = f'RBAC: allowed by ClusterRoleBinding "{parts[-1]}" of ClusterRole "{parts[-1]}" to ServiceAccount "{parts[-1]}/{parts[2]}"' if not who.human else 'RBAC: allowed by ClusterRoleBinding "engineering"'
    return {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": dice.uuid(), "stage": "ResponseComplete", "requestURI": path + ("?limit=500" if verb == "list" else ""), "verb": verb, "user": user, "sourceIPs": [e.source.ip], "userAgent": e.agent, "objectRef": ref, "responseStatus": status,
            "requestReceivedTimestamp": _iso(e.t, 6), "stageTimestamp": _iso(e.t + dice.randint(1, 40), 6), "annotations": {"authorization.k8s.io/decision": "forbid" if code == 403 else "allow", "authorization.k8s.io/reason": "" if code == 403 else reason}}


def snowflake(e: Event, dice: Dice, tenant: Tenant) -> Dict[str, Any]:
    kind, text = TABLES["snowflake"][e.call]
    when = _iso(e.t).replace("T", " ").replace("Z", " +0000")
    if e.call == "login":
        client, _, version = e.agent.partition(" ")
        factor = {"sfkey": "RSA_KEYPAIR", "password": "PASSWORD", "human": "SAML_ASSERTION"}[e.who.kind]
        return {"EVENT_ID": dice.randint(10**14, 10**15), "EVENT_TIMESTAMP": when, "EVENT_TYPE": "LOGIN", "USER_NAME": e.who.name, "CLIENT_IP": e.source.ip, "REPORTED_CLIENT_TYPE": client, "REPORTED_CLIENT_VERSION": version, "FIRST_AUTHENTICATION_FACTOR": factor, "SECOND_AUTHENTICATION_FACTOR": None, "IS_SUCCESS": "NO" if e.error else "YES", "ERROR_CODE": 390100 if e.error else None, "ERROR_MESSAGE": "INCORRECT_USERNAME_PASSWORD" if e.error else None, "RELATED_EVENT_ID": 0, "CONNECTION": None}
    rows = int(dice.wide(1e4, 5e7) if e.call in ("dump", "copyout", "get") else dice.wide(1, 2e5))
    return {"QUERY_ID": f"01b{dice.hexes(5)}-{dice.hexes(4)}-{dice.hexes(4)}-0000-{dice.hexes(12)}", "QUERY_TEXT": fill(text, e, dice, tenant), "DATABASE_NAME": e.args.get("sfdb"), "SCHEMA_NAME": "PUBLIC", "QUERY_TYPE": kind, "SESSION_ID": int(_stable(e.who.name, str(e.t // 14_400_000))[:12], 16), "USER_NAME": e.who.name, "ROLE_NAME": "ANALYST" if e.who.human else f"{e.who.name[:24]}_ROLE", "WAREHOUSE_NAME": e.args.get("wh", tenant.stock["snowflake"]["wh"][len(e.who.name) % 3]),
            "WAREHOUSE_SIZE": "Medium", "QUERY_TAG": "", "EXECUTION_STATUS": "FAIL" if e.error else "SUCCESS", "ERROR_CODE": "003001" if e.error else None, "ERROR_MESSAGE": "SQL access control error: Insufficient privileges" if e.error else None, "START_TIME": when, "END_TIME": _iso(e.t + dice.randint(40, 90000)).replace("T", " ").replace("Z", " +0000"), "TOTAL_ELAPSED_TIME": dice.randint(40, 90000), "BYTES_SCANNED": rows * 117, "ROWS_PRODUCED": rows}


def vault(e: Event, dice: Dice, tenant: Tenant) -> Dict[str, Any]:
    operation, path = TABLES["vault"][e.call]
    token = _stable(e.session.key, e.session.name, str(e.t // 14_400_000))
    role = e.who.name.split("-", 1)[1]
    auth = {"client_token": f"hmac-sha256:{token}", "accessor": f"hmac-sha256:{_stable(token)}", "display_name": e.who.name, "policies": ["default", role], "token_policies": ["default", role], "metadata": {"role_name": role}, "entity_id": _guid(e.who.id), "token_type": "service", "token_ttl": 3600, "token_issue_time": stamp(e.t - e.t % 14_400_000)}
    where = fill(path, e, dice, tenant)
    mount = "/".join(where.split("/")[: 2 if where.startswith("auth/") else 1])
    request: Dict[str, Any] = {"id": dice.uuid(), "client_id": _guid(e.who.id), "operation": operation, "mount_point": mount + "/", "mount_type": {"secret": "kv", "sys": "system"}.get(mount, mount.split("/")[-1]), "client_token": auth["client_token"], "client_token_accessor": auth["accessor"], "namespace": {"id": "root"}, "path": where, "remote_address": e.source.ip, "remote_port": dice.randint(1024, 65000), "headers": {"user-agent": [e.agent]}}
    record: Dict[str, Any] = {"time": _iso(e.t, 9), "type": "response", "auth": auth, "request": request, "response": {"mount_type": request["mount_type"], "mount_point": request["mount_point"]}}
    if e.error:
        record["error"] = "1 error occurred:\n\t* permission denied\n\n"
    return record


RENDER: Dict[str, Callable[[Event, Dice, Tenant], Dict[str, Any]]] = {"okta": okta, "entra": entra, "m365": m365, "gcp": gcp, "github": github, "kubernetes": kubernetes, "snowflake": snowflake, "vault": vault}
PAIRED: List[str] = ["vault"]


# ---- from events to the files on disk

Places = Dict[int, List[Tuple[str, int]]]


class Gzip:
    """A gzip member without name, time or system, so that the same text gives the same bytes."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._file.write(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        self._crc, self._size, self.lines = 0, 0, 0

    def line(self, record: Dict[str, Any]) -> None:
        data = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        self._crc, self._size, self.lines = zlib.crc32(data, self._crc), self._size + len(data), self.lines + 1
        self._file.write(self._deflate.compress(data))

    def close(self) -> None:
        self._file.write(self._deflate.flush() + struct.pack("<II", self._crc, self._size & 0xFFFFFFFF))
        self._file.close()


def _pair(record: Dict[str, Any]) -> List[Dict[str, Any]]:
    """A request line before the response line, as an audit device writes them."""
    asked = {k: v for k, v in record.items() if k not in ("response", "error")}
    return [dict(asked, type="request"), record]


def write(world: World, folder: Path) -> Places:
    """Write every product's file in time order; say where each incident's records are."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.ndjson.gz"):
        old.unlink()
    mix, tenant, places = world.tenant.dice("order"), world.tenant, {}  # type: Tuple[Dice, Any, Places]
    by_product: Dict[str, List[Tuple[int, float, int, Event]]] = {}
    for i, event in enumerate(world.events):
        by_product.setdefault(event.who.product, []).append((event.t, mix.random(), i, event))
    for product in tenant.products:
        rows, dice = sorted(by_product.get(product, []), key=lambda row: row[:3]), tenant.dice("write", product)
        name = f"{product}.ndjson.gz"
        out = Gzip(folder / name)
        made = RENDER.get(product, render)
        for _, _, _, event in rows:
            record = made(event, dice, tenant)
            for line in _pair(record) if product in PAIRED else [record]:
                out.line(line)
                if event.tag >= 0:
                    places.setdefault(event.tag, []).append((name, out.lines))
        out.close()
    return places
