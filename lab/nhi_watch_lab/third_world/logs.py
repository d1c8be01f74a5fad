"""Records of each product, in the shape that its log has."""

import json
from typing import Any, Dict, List, Tuple

from nhi_watch_lab.third_world.model import B62, HOUR, MINUTE, Client, Credential, Host, Identity, Op, Rand, Record, World, geography, iso, iso_fraction, moment, spoken

# ---- cloudTrail: how a call, and the beginning of a session, is written down

VERSIONS = {"s3": "1.11", "kms": "1.11", "sts": "1.08", "ec2": "1.10", "iam": "1.09", "lambda": "1.11", "signin": "1.08"}
GLOBAL = {"iam", "cloudfront", "route53", "organizations", "account", "ce", "budgets", "support"}
VPC_SERVICES = {"s3", "sts", "kms", "secretsmanager", "ssm", "ecr", "logs", "ec2"}
HOSTNAMES = {"monitoring": "monitoring", "ses": "email", "bedrock": "bedrock-runtime", "tagging": "tagging"}
SOURCES = {"bedrock": "bedrock.amazonaws.com", "config": "config.amazonaws.com"}
LIFE = {"irsa": HOUR, "lambda": 12 * HOUR, "ecs": 6 * HOUR, "ec2": 6 * HOUR, "gha": HOUR, "terraform": HOUR, "saas": HOUR,
        "linked": HOUR, "chained": HOUR, "sso": 8 * HOUR}
DENIED = {"s3": "AccessDenied", "iam": "AccessDenied", "sts": "AccessDenied", "rds": "AccessDenied", "cloudformation":
          "AccessDenied", "ses": "AccessDenied", "sns": "AuthorizationErrorException", "sqs": "AccessDenied", "route53":
          "AccessDenied", "autoscaling": "AccessDenied", "elasticloadbalancing": "AccessDenied", "monitoring": "AccessDenied"}
MISSING = {"s3": ("NoSuchKey", "The specified key does not exist."), "secretsmanager": ("ResourceNotFoundException",
           "Secrets Manager can't find the specified secret."), "ssm": ("ParameterNotFound", None), "iam":
           ("NoSuchEntityException", "The entity cannot be found."), "ec2": ("Client.InvalidInstanceID.NotFound",
           "The instance ID does not exist"), "ecr": ("ImageNotFoundException", "The requested image was not found")}


def refusal(error: str, who_arn: str, op: Op, account: str, rand: Rand) -> Tuple[str, str]:
    """CloudTrail's (errorCode, errorMessage) for `denied`, `missing`, `throttled` or `invalid`."""
    if error == "throttled":
        return ("Client.RequestLimitExceeded", "Request limit exceeded.") if op.service == "ec2" else (
            "ThrottlingException", "Rate exceeded")
    if error == "missing":
        code, text = MISSING.get(op.service, ("ResourceNotFoundException", "The resource was not found."))
        return code, text or ""
    if error == "invalid":
        return "ValidationException", "The request is not valid."
    action = f"{op.service}:{op.name.replace('20150331v2', '').replace('20150331', '')}"
    if op.service == "ec2":
        return "Client.UnauthorizedOperation", (f"You are not authorized to perform this operation. User: {who_arn} is not "
               f"authorized to perform: {action} because no identity-based policy allows the {action} action")
    tail = f" on resource: arn:aws:{op.service}:us-east-1:{account}:* because no identity-based policy allows the {action} action"
    return DENIED.get(op.service, "AccessDeniedException"), f"User: {who_arn} is not authorized to perform: {action}{tail}"


def resources(op: Op, params: Any, account: str, region: str) -> Any:
    """The `resources` member of the services that write one."""
    if not isinstance(params, dict):
        return None
    if op.service == "s3" and op.kind[0] == "D" and "bucketName" in params:
        arn = f"arn:aws:s3:::{params['bucketName']}"
        rows = [{"accountId": account, "type": "AWS::S3::Bucket", "ARN": arn}]
        if "key" in params:
            rows.insert(0, {"type": "AWS::S3::Object", "ARN": f"{arn}/{params['key']}"})
        return rows
    if op.service == "kms" and "keyId" in params:
        key = params["keyId"]
        key = key if key.startswith("arn:") else f"arn:aws:kms:{region}:{account}:key/{key}"
        return [{"accountId": account, "type": "AWS::KMS::Key", "ARN": key}]
    if op.service == "sts" and "roleArn" in params:
        return [{"accountId": account, "type": "AWS::IAM::Role", "ARN": params["roleArn"]}]
    if op.name in ("GetParameter", "PutParameter"):
        return [{"accountId": account, "ARN": f"arn:aws:ssm:{region}:{account}:parameter{params['name']}"}]
    if op.name == "Invoke":
        return [{"accountId": account, "type": "AWS::Lambda::Function", "ARN": params["functionName"]}]
    return None


def build(world: World, time: int, who: Identity, op: Op, cred: Credential, rand: Rand, details: Record) -> Record:
    """One CloudTrail record, members in the order the service writes them."""
    account = who.account
    region = "us-east-1" if op.service in GLOBAL else details["region"]
    inside = bool(cred.private) and op.service in VPC_SERVICES and bool(account.endpoint) and not cred.service
    values: Dict[str, str] = details["values"]
    values.setdefault("asia", "ASIA" + rand.letters(16))
    values.setdefault("later", spoken(time + HOUR))
    values.setdefault("session", cred.name or who.name)
    params = world.fill(op.params, who, time, rand, details)
    record: Record = {"eventVersion": VERSIONS.get(op.service, "1.11" if op.kind[0] == "D" else "1.09")}
    record["userIdentity"] = cred.block
    record["eventTime"] = iso(time)
    record["eventSource"] = SOURCES.get(op.service, f"{op.service}.amazonaws.com")
    record["eventName"] = op.name
    record["awsRegion"] = region
    record["sourceIPAddress"] = cred.service or (cred.private if inside else cred.ip)
    record["userAgent"] = cred.service or cred.client.string(op.service, op.name)
    error = details["error"]
    if error:
        code, text = refusal(error, cred.block.get("arn", ""), op, account.id, rand)
        record["errorCode"] = code
        if text:
            record["errorMessage"] = text
    record["requestParameters"] = params
    reply = None if error else world.fill(op.reply, who, time, rand, details)
    record["responseElements"] = reply
    if op.service == "s3":
        record["additionalEventData"] = {"SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256",
                                         "bytesTransferredIn": 0 if op.kind != "DW" else int(rand.lognormal(30000, 2)),
                                         "AuthenticationMethod": "AuthHeader", "x-amz-id-2": rand.letters(75, B62) + "=",
                                         "bytesTransferredOut": int(rand.lognormal(60000 if op.name == "GetObject" else
                                                                                   700, 2 if op.name == "GetObject" else 1))}
    record["requestID"] = rand.letters(16) if op.service == "s3" else rand.uuid()
    record["eventID"] = rand.uuid()
    record["readOnly"] = op.kind in ("R", "DR")
    rows = resources(op, params, account.id, region)
    if rows:
        record["resources"] = rows
    record["eventType"] = "AwsApiCall"
    record["managementEvent"] = op.kind[0] != "D"
    record["recipientAccountId"] = account.id
    if inside:
        record["vpcEndpointId"] = account.endpoint
        record["vpcEndpointAccountId"] = account.id
    record["eventCategory"] = "Data" if op.kind[0] == "D" else "Management"
    if not cred.service:
        host = "" if op.service in GLOBAL else f"{region}."
        record["tlsDetails"] = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
                                "clientProvidedHostHeader": f"{HOSTNAMES.get(op.service, op.service)}.{host}amazonaws.com"}
    if cred.client.family in ("browser", "safari", "firefox"):
        record.pop("tlsDetails", None)
        record["sessionCredentialFromConsole"] = "true"
    return record


def role_block(who: Identity, session: str, key: str, created: int) -> Record:
    """userIdentity of a role's session."""
    account = who.account.id
    issuer = {"type": "Role", "principalId": who.unique, "arn": who.label, "accountId": account, "userName": who.name}
    context: Record = {"sessionIssuer": issuer}
    if who.kind in ("irsa", "gha"):
        context["webIdFederationData"] = {"federatedProvider": who.extra["provider"], "attributes": {}}
    context["attributes"] = {"creationDate": iso(created), "mfaAuthenticated": "false"}
    if who.kind == "ec2":
        context["ec2RoleDelivery"] = "2.0"
    return {"type": "AssumedRole", "principalId": f"{who.unique}:{session}",
            "arn": f"arn:aws:sts::{account}:assumed-role/{who.name}/{session}", "accountId": account, "accessKeyId": key,
            "sessionContext": context}


def user_block(who: Identity, key: str) -> Record:
    return {"type": "IAMUser", "principalId": who.unique, "arn": who.label, "accountId": who.account.id,
            "accessKeyId": key, "userName": who.name}


def federated_block(who: Identity, name: str, key: str, created: int) -> Record:
    """userIdentity of a session made by GetFederationToken."""
    account = who.account.id
    issuer = {"type": "IAMUser", "principalId": who.unique, "arn": who.label, "accountId": account, "userName": who.name}
    return {"type": "FederatedUser", "principalId": f"{account}:{name}", "arn": f"arn:aws:sts::{account}:federated-user/{name}",
            "accountId": account, "accessKeyId": key, "sessionContext": {"sessionIssuer": issuer, "attributes": {
                "creationDate": iso(created), "mfaAuthenticated": "false"}}}


def session_name(who: Identity, host: Host, time: int, rand: Rand) -> str:
    if who.kind in ("lambda", "ecs", "ec2", "linked"):
        return host.name
    if who.kind == "irsa" or who.kind == "chained":
        family = host.client.family
        if family.startswith("boto3") or family.startswith("datadog"):
            return f"botocore-session-{time // 1000}"
        if family.startswith("java"):
            return f"aws-sdk-java-{time}"
        if family.startswith("js"):
            return f"aws-sdk-js-session-{time}"
        return f"{time}{rand.digits(6)}"
    if who.kind in ("gha", "terraform"):
        style = str(who.extra.get("naming", "GitHubActions"))
        return style.replace("#", host.name)
    if who.kind == "saas":
        return str(who.extra.get("session", "")) or f"{time // 1000}-{rand.hex(6)}"
    return host.name


def open_session(world: World, time: int, who: Identity, host: Host, rand: Rand, tag: str = "") -> Credential:
    """New temporary keys for a role, with the STS record that hands them out, or a user's lasting key."""
    if who.kind == "user":
        key = str(who.extra["key"])
        return Credential(key, who.name, time, 10**15, user_block(who, key), host.ip, host.client, host.private)
    created = time - rand.whole(1, 900)
    life = LIFE[who.kind]
    if who.kind == "lambda":
        life = int(rand.between(2, 11) * HOUR)
    name = session_name(who, host, created, rand)
    key = "ASIA" + rand.letters(16)
    cred = Credential(key, name, created, created + life - MINUTE, role_block(who, name, key, created), host.ip, host.client,
                      host.private, str(who.extra.get("service", "")) if who.kind == "linked" else "")
    if cred.service:
        cred.block["invokedBy"] = cred.service
    write_issue(world, created, who, host, cred, rand, tag)
    return cred


def write_issue(world: World, time: int, who: Identity, host: Host, cred: Credential, rand: Rand, tag: str = "") -> None:
    """The AssumeRole or AssumeRoleWithWebIdentity record behind a session."""
    account = who.account.id
    base: Dict[str, Any] = {"roleArn": who.label, "roleSessionName": cred.name}
    reply: Record = {"credentials": {"accessKeyId": cred.key, "sessionToken": rand.letters(64, B62),
                                     "expiration": spoken(cred.expires + MINUTE)},
                     "assumedRoleUser": {"assumedRoleId": f"{who.unique}:{cred.name}", "arn": cred.block["arn"]}}
    name, source, agent = "AssumeRole", host.ip, host.client.string("sts", "AssumeRole")
    block: Record
    if who.kind in ("irsa", "gha"):
        name = "AssumeRoleWithWebIdentity"
        subject = str(who.extra["subject"])
        block = {"type": "WebIdentityUser", "principalId": f"{who.extra['provider']}:sts.amazonaws.com:{subject}",
                 "userName": subject, "identityProvider": who.extra["provider"]}
        reply.update(subjectFromWebIdentityToken=subject, provider=who.extra["provider"], audience="sts.amazonaws.com")
        agent = host.client.string("sts", name)
        if who.kind == "gha":
            base["durationSeconds"] = 3600
    elif who.kind in ("lambda", "ecs", "ec2", "linked"):
        service = {"lambda": "lambda.amazonaws.com", "ecs": "ecs-tasks.amazonaws.com", "ec2": "ec2.amazonaws.com"}.get(
            who.kind, str(who.extra.get("service")))
        block, source, agent = {"type": "AWSService", "invokedBy": service}, service, service
    elif who.kind == "saas":
        partner = str(who.extra["partner"])
        base["externalId"] = who.extra["external"]
        block = {"type": "AWSAccount", "principalId": who.extra["caller"], "accountId": partner}
    else:
        block = who.extra.get("via") or {"type": "AWSAccount", "principalId": who.unique, "accountId": account}
        base["durationSeconds"] = 3600
    region = who.account.region
    record: Record = {"eventVersion": "1.08", "userIdentity": block, "eventTime": iso(time),
                      "eventSource": "sts.amazonaws.com", "eventName": name, "awsRegion": region, "sourceIPAddress": source,
                      "userAgent": agent, "requestParameters": base, "responseElements": reply, "requestID": rand.uuid(),
                      "eventID": rand.uuid(), "readOnly": True,
                      "resources": [{"accountId": account, "type": "AWS::IAM::Role", "ARN": who.label}],
                      "eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": account}
    if block["type"] in ("AWSService", "AWSAccount"):
        record["sharedEventID"] = rand.uuid()
    record["eventCategory"] = "Management"
    if block["type"] != "AWSService":
        record["tlsDetails"] = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
                                "clientProvidedHostHeader": f"sts.{region}.amazonaws.com"}
    world.sink.add("cloudtrail", time, rand.bits(30), record, tag)


def console_login(world: World, time: int, who: Identity, cred: Credential, rand: Rand, *, mfa: bool = True,
                  error: str = "", tag: str = "") -> None:
    """A sign-in at the console, by password or through the identity provider."""
    federated = cred.block["type"] == "AssumedRole"
    record: Record = {"eventVersion": "1.08", "userIdentity": {k: v for k, v in cred.block.items() if k != "accessKeyId"},
                      "eventTime": iso(time), "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin",
                      "awsRegion": who.account.region, "sourceIPAddress": cred.ip,
                      "userAgent": cred.client.string("signin", "ConsoleLogin")}
    if error:
        record["errorMessage"] = "Failed authentication"
    record.update(requestParameters=None, responseElements={"ConsoleLogin": "Failure" if error else "Success"},
                  additionalEventData={"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No",
                                       "MFAUsed": "No" if federated or not mfa else "Yes"},
                  eventID=rand.uuid(), readOnly=False, eventType="AwsConsoleSignIn", managementEvent=True,
                  recipientAccountId=who.account.id, eventCategory="Management",
                  tlsDetails={"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
                              "clientProvidedHostHeader": f"{who.account.region}.signin.aws.amazon.com"})
    world.sink.add("cloudtrail", time, rand.bits(30), record, tag)


def laptop_client(rand: Rand, own: bool = False) -> Client:
    """What a person types into on an ordinary day."""
    return Client(rand, rand.weighted([("cli2", 8.0), ("boto3", 2.0), ("terraform", 0.7), ("js3", 0.5), ("cli1", 0.3)]), own=own)


# ---- okta System Log, Microsoft Entra sign-ins and audits, and the Microsoft 365 unified audit log

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


# ---- kubernetes, GitHub, Vault and Google Cloud audit records

GROUPS = {"deployments": "apps", "daemonsets": "apps", "statefulsets": "apps", "cronjobs": "batch", "jobs": "batch",
          "roles": "rbac.authorization.k8s.io", "rolebindings": "rbac.authorization.k8s.io", "ingresses":
          "networking.k8s.io", "clusterroles": "rbac.authorization.k8s.io", "clusterrolebindings":
          "rbac.authorization.k8s.io", "leases": "coordination.k8s.io", "selfsubjectrulesreviews":
          "authorization.k8s.io", "selfsubjectaccessreviews": "authorization.k8s.io", "validatingwebhookconfigurations":
          "admissionregistration.k8s.io", "mutatingwebhookconfigurations": "admissionregistration.k8s.io"}
CLUSTERED = ("nodes", "namespaces", "clusterroles", "clusterrolebindings", "selfsubjectrulesreviews",
             "selfsubjectaccessreviews", "validatingwebhookconfigurations", "mutatingwebhookconfigurations")


def kubernetes(world: World, time: int, who: Identity, op: Op, cred: Credential, rand: Rand, details: Record) -> Record:
    verb, _, path = op.name.partition("/")
    resource, _, sub = path.partition(".")
    values: Dict[str, str] = details["values"]
    group = GROUPS.get(resource, "")
    wide = bool(details["wide"])
    space = values.get("namespace") or (who.extra["namespace"] if not wide else world.value("namespace", who, time, rand, True))
    clustered = resource in CLUSTERED
    everywhere = verb in ("list", "watch") and (wide or who.power != "narrow") and rand.chance(0.6)
    name = ""
    if verb not in ("list", "watch", "create") or sub:
        name = values.get("object") or world.value("node" if resource == "nodes" else "object", who, time, rand, wide)
        if resource == "leases":
            name = who.name if who.kind != "k8s-node" else who.extra["node"]
    root = f"/apis/{group}/v1" if group else "/api/v1"
    uri = root + ("" if clustered or everywhere else f"/namespaces/{space}") + f"/{resource}"
    uri += (f"/{name}" if name else "") + (f"/{sub}" if sub else "")
    if verb == "list":
        uri += "?limit=500" if cred.client.family == "kubectl" else "?resourceVersion=0"
    elif sub == "exec":
        uri += f"?command=sh&container={space}&stdin=true&stdout=true&tty=true"
    code = {"denied": 403, "missing": 404, "throttled": 429, "invalid": 422}.get(str(details["error"]), 200)
    if code == 200 and verb == "create":
        code = 101 if sub == "exec" else 201
    record: Record = {"kind": "Event", "apiVersion": "audit.k8s.io/v1",
                      "level": "Metadata" if verb in ("get", "list", "watch") or resource == "secrets" else "RequestResponse",
                      "auditID": rand.uuid(), "stage": "ResponseComplete", "requestURI": uri, "verb": verb,
                      "user": cred.block, "sourceIPs": [cred.ip], "userAgent": cred.client.string("k8s", verb)}
    target: Record = {"resource": resource}
    if not (clustered or everywhere):
        target["namespace"] = space
    if name:
        target["name"] = name
    if group:
        target["apiGroup"] = group
    target["apiVersion"] = "v1"
    if sub:
        target["subresource"] = sub
    record["objectRef"] = target
    status: Record = {"metadata": {}, "code": code}
    if code >= 400:
        status.update(status="Failure", reason={403: "Forbidden", 404: "NotFound", 429: "TooManyRequests"}.get(code, "Invalid"))
        status["message"] = f"{resource} is forbidden: User \"{who.label}\" cannot {verb} resource \"{resource}\" in API group " \
                            f"\"{group}\"" if code == 403 else f"{resource if name else 'namespaces'} \"{name or space}\" not found"
    record["responseStatus"] = status
    if record["level"] == "RequestResponse" and code < 400:
        record["requestObject"] = request_object(world, who, time, rand, resource, name or world.value("object", who, time, rand, True),
                                                 space, values)
    record["requestReceivedTimestamp"] = iso_fraction(time, 6, rand)
    record["stageTimestamp"] = iso_fraction(time + rand.whole(1, 60), 6, rand)
    record["annotations"] = {"authorization.k8s.io/decision": "forbid" if code == 403 else "allow",
                             "authorization.k8s.io/reason": "" if code == 403 else str(who.extra.get("reason", ""))}
    return record


def request_object(world: World, who: Identity, time: int, rand: Rand, resource: str, name: str, space: str,
                   values: Dict[str, str]) -> Record:
    def chosen(kind: str) -> str:
        return values.get(kind) or world.value(kind, who, time, rand, False)
    body: Record = {"metadata": {"name": name, "namespace": space}}
    if resource.endswith("rolebindings"):
        body["roleRef"] = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                           "name": chosen("k8srole")}
    elif resource in ("deployments", "daemonsets", "jobs", "cronjobs", "pods"):
        body["spec"] = {"containers": [{"name": name, "image": chosen("image8"),
                                        "securityContext": {"privileged": chosen("privileged") == "yes"}}]}
    return body


def github(world: World, time: int, who: Identity, op: Op, cred: Credential, rand: Rand, details: Record) -> Record:
    params: Record = world.fill(op.params, who, time, rand, details) or {}
    record: Record = {"action": op.name, "actor": who.name, "actor_id": int(who.unique), "actor_ip": cred.ip,
                      "actor_is_bot": who.kind == "gh-app", "actor_location": {"country_code": geography(cred.ip)[0]}}
    record["@timestamp"] = time
    record["created_at"] = time
    record["_document_id"] = rand.letters(22, B62)
    record["org"] = who.extra["org"]
    record["org_id"] = who.extra["org_id"]
    record["operation_type"] = {"R": "access", "W": "modify"}[op.kind] if "create" not in op.name else "create"
    for key, value in params.items():
        record[key] = value
        if key == "repo":
            record["repo_id"] = int(Rand("repo", value).digits(9))
            record["public_repo"] = False
    if op.name.startswith("git."):
        ssh = who.kind == "gh-key"
        record.update(transport_protocol=2 if ssh else 1, transport_protocol_name="ssh" if ssh else "http")
        record["repository"] = record["repo"]
        record["repository_public"] = False
    if who.extra.get("access"):
        record["programmatic_access_type"] = who.extra["access"]
        record["hashed_token"] = cred.key
        if "token_id" in who.extra:
            record["token_id"] = who.extra["token_id"]
    if "email" in who.extra:
        record["external_identity_nameid"] = who.extra["email"]
    record["user_agent"] = cred.client.string("git", op.name)
    record["request_id"] = f"{rand.hex(4).upper()}:{rand.hex(6).upper()}:{rand.hex(7).upper()}"
    if details["error"] and op.name.startswith("workflows.completed"):
        record["conclusion"] = "failure"
    return record


def hmac(rand: Rand) -> str:
    return "hmac-sha256:" + rand.hex(64)


def vault(world: World, time: int, who: Identity, op: Op, cred: Credential, rand: Rand, details: Record) -> Record:
    values: Dict[str, str] = details["values"]
    values.setdefault("mount", str(who.extra["mount"]))
    params = world.fill(op.params, who, time, rand, details)
    path = world.fill(json.dumps(op.name), who, time, rand, details)
    login = path.endswith("/login")
    kind = params["mount"]
    policies: List[str] = ["default"] + list(who.extra["policies"])
    auth: Record = {}
    if not login or not details["error"]:
        auth = {"client_token": cred.key, "accessor": cred.name, "display_name": who.label, "policies": policies,
                "token_policies": policies, "policy_results": {"allowed": not details["error"]},
                "metadata": who.extra["metadata"], "entity_id": who.unique, "token_type": "service",
                "token_ttl": 2764800 if who.power == "admin" else 3600, "token_issue_time": iso(cred.created)}
    request: Record = {"id": rand.uuid(), "client_id": who.unique, "operation": params["operation"],
                       "mount_point": path.split("/")[0] + "/", "mount_type": kind, "mount_accessor":
                       f"{kind}_{Rand('mount', kind).hex(8)}"}
    if not login:
        request.update(client_token=cred.key, client_token_accessor=cred.name)
    request.update(namespace={"id": "root"}, path=path, remote_address=cred.ip, remote_port=rand.whole(32768, 60999))
    if params["operation"] == "update":
        request["data"] = {"role_id": hmac(rand), "secret_id": hmac(rand)} if login else {"value": hmac(rand)}
    request["headers"] = {"user-agent": [cred.client.string("vault", params["operation"])]}
    record: Record = {"time": iso_fraction(time, 9, rand), "type": "response", "auth": auth, "request": request,
                      "response": {"mount_point": request["mount_point"], "mount_type": kind}}
    if not details["error"] and params["operation"] == "read" and kind in ("kv", "aws", "database"):
        record["response"]["data"] = {"data": hmac(rand)} if kind == "kv" else {"access_key": hmac(rand)}
    if details["error"]:
        record["error"] = "1 error occurred:\n\t* permission denied\n\n" if details["error"] != "missing" else "unsupported path"
    return record


def gcp(world: World, time: int, who: Identity, op: Op, cred: Credential, rand: Rand, details: Record) -> Record:
    params: Record = world.fill(op.params, who, time, rand, details)
    project = who.extra["project"]
    service, resource = params["service"], params["resource"]
    permission = op.name if op.name.startswith("storage.") else f"{service.split('.')[0]}.{op.key.partition(':')[2]}"
    actor: Record = {"principalEmail": who.label}
    if who.extra.get("key_name"):
        actor["serviceAccountKeyName"] = who.extra["key_name"] if not cred.key.startswith("//iam") else cred.key
    prefix = "serviceAccount" if who.kind == "gcp-sa" else "user"
    actor["principalSubject"] = f"{prefix}:{who.label}"
    denied = bool(details["error"])
    payload: Record = {"@type": "type.googleapis.com/google.cloud.audit.AuditLog",
                       "status": {"code": 7, "message": f"Permission '{permission}' denied on resource"} if denied else {},
                       "authenticationInfo": actor,
                       "requestMetadata": {"callerIp": cred.ip, "callerSuppliedUserAgent": cred.client.string("gcp", "run"),
                                           "requestAttributes": {"time": iso_fraction(time, 9, rand), "auth": {}},
                                           "destinationAttributes": {}},
                       "serviceName": service, "methodName": op.name,
                       "authorizationInfo": [{"resource": resource, "permission": permission, "granted": not denied,
                                              "resourceAttributes": {}}], "resourceName": resource}
    if op.key in ("gcp:iam.set", "gcp:bucket.iam"):
        member = details["values"].get("member") or world.value("member", who, time, rand, True)
        payload["serviceData"] = {"@type": "type.googleapis.com/google.iam.v1.logging.AuditData", "policyDelta": {
            "bindingDeltas": [{"action": "ADD", "role": details["values"].get("gcprole") or world.value("gcprole", who, time, rand, True), "member": member}]}}
    labels: Dict[str, Any] = {"project_id": project}
    if params["type"] == "gcs_bucket":
        labels.update(bucket_name=resource.split("/")[3] if "/buckets/" in resource else "", location="us")
    log = "activity" if op.kind == "W" and not service.startswith(("storage", "bigquery")) else "data_access"
    return {"protoPayload": payload, "insertId": rand.letters(13, "abcdefghijklmnopqrstuvwxyz0123456789"),
            "resource": {"type": params["type"], "labels": labels}, "timestamp": iso_fraction(time, 9, rand),
            "severity": "ERROR" if denied else ("NOTICE" if log == "activity" else "INFO"),
            "logName": f"projects/{project}/logs/cloudaudit.googleapis.com%2F{log}",
            "receiveTimestamp": iso_fraction(time + rand.whole(200, 2000), 9, rand)}
