"""CloudTrail: how a call, and the beginning of a session, is written down."""
from typing import Any, Dict, Tuple

from .clients import Client
from .model import Credential, Host, Identity, Op, Record, World
from .rand import B62, HOUR, MINUTE, Rand, iso, spoken

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
