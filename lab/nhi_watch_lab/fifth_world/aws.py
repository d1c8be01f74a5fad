"""CloudTrail records."""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from nhi_watch_lab.fifth_world.model import UPPER, Chance, Identity, Op, Place, Record, stream
from nhi_watch_lab.fifth_world.tenant import Filler, Tenant, iso

FILE = "cloudtrail.ndjson.gz"
GLOBAL = ("iam", "route53", "cloudfront", "organizations", "ce", "support", "health", "signin", "account", "route53domains")
HOSTS = {"iam": "iam.amazonaws.com", "route53": "route53.amazonaws.com", "cloudfront": "cloudfront.amazonaws.com", "cloudwatch": "monitoring.{r}.amazonaws.com",
    "ecr": "api.ecr.{r}.amazonaws.com", "bedrock": "bedrock-runtime.{r}.amazonaws.com", "ce": "ce.us-east-1.amazonaws.com"}
SOURCES = {"cloudwatch": "monitoring", "wafv2": "wafv2"}
LENGTHS = {"ec2": 21600, "ecs": 21600, "lambda": 43200, "eks": 43200, "vendor": 43200, "chain": 43200, "service": 43200}
CIPHERS = (("TLSv1.3", "TLS_AES_128_GCM_SHA256"), ("TLSv1.3", "TLS_AES_256_GCM_SHA384"), ("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"))
MESSAGES = {"ThrottlingException": "Rate exceeded", "NoSuchKey": "The specified key does not exist.", "ResourceNotFoundException": "Requested resource not found",
    "ValidationException": "The provided model identifier is invalid.", "ServiceUnavailable": "The service is temporarily unavailable. Please try again shortly.",
            "InternalFailure": "An internal error occurred", "NoSuchEntity": "The requested entity cannot be found.", "Client.RequestLimitExceeded": "Request limit exceeded.",
                "Client.DryRunOperation": "Request would have succeeded, but DryRun flag is set.", "InvalidClientTokenId": "The security token included in the request is invalid.",
            "NoSuchBucketPolicy": "The bucket policy does not exist", "ExpiredTokenException": "The security token included in the request is expired",
                "LimitExceededException": "Cannot exceed quota.", "Client.InsufficientInstanceCapacity": "We currently do not have sufficient capacity in the requested Availability Zone."}
S3_CODES = {"AccessDenied": "Access Denied"}


def session_of(world: Any, who: Identity, place: Place, time: float) -> Dict[str, Any]:
    """Temporary credentials of a role: name, key and start; a new one when the old has run out. The first use writes the STS record."""
    if place.host.startswith("@"):
        start, name = place.host[1:].split("|", 1)
        begun = float(start)
    else:
        length = LENGTHS.get(who.auth, 43200)
        begun = ((time - who.phase) // length) * length + who.phase
        name = place.host
    mark = f"{who.name}|{who.ids['role']}|{name}|{begun:.0f}"
    session: Optional[Dict[str, Any]] = world.sessions.get(mark)
    if session is None:
        rng = stream(world.seed, "session", mark)
        session = world.sessions[mark] = {"name": _session_name(who, name, begun, rng), "key": "ASIA" + rng.text(16, UPPER), "begun": begun}
        if world.tenant.start <= begun and who.auth not in ("sso", "service"):
            world.issue(who, session, place, rng)
    return session


def borrow(world: Any, caller: Identity, who: Identity, time: float, rng: Chance, place: Place, name: str) -> Tuple[str, List[Any]]:
    """Somebody else takes the role: the record of it, and the host name under which the session is known."""
    key = rng.text(16, UPPER)
    refs = world.act(caller, "sts:AssumeRole", time, rng, place, {"rolearn": who.ids["arn"], "sessionname": name, "base16": key})
    world.sessions[f"{who.name}|{who.ids['role']}|{name}|{time:.0f}"] = {"name": name, "key": "ASIA" + key, "begun": float(int(time)), "borrowed": True}
    return f"@{time:.0f}|{name}", refs


def _session_name(who: Identity, host: str, begun: float, rng: Chance) -> str:
    if who.auth == "eks":
        return who.ids["style"] + (str(int(begun * 1000)) if who.ids["style"].endswith("-") else "")
    return host


def issue_record(world: Any, who: Identity, session: Dict[str, Any], place: Place, rng: Chance) -> Record:
    """The STS call by which the role was taken."""
    tenant, role, account = world.tenant, who.ids["arn"], who.account
    time = max(session["begun"], tenant.start)
    response: Dict[str, Any] = {"credentials": {"accessKeyId": session["key"], "sessionToken": rng.text(64), "expiration": Filler(tenant, who, rng, time).var("awsexpiry")},
                                "assumedRoleUser": {"assumedRoleId": f"{who.ids['role']}:{session['name']}", "arn": _session_arn(who, session["name"])}}
    params: Dict[str, Any] = {"roleArn": role, "roleSessionName": session["name"]}
    name, source_ip, agent = "AssumeRole", place.ip, place.agent
    if who.auth in ("eks", "oidc"):
        name = "AssumeRoleWithWebIdentity"
        issuer = who.ids["issuer"]
        subject = who.ids["subject"]
        caller: Dict[str, Any] = {"type": "WebIdentityUser", "principalId": f"arn:aws:iam::{account.id}:oidc-provider/{issuer}:sts.amazonaws.com:{subject}", "userName": subject,
            "identityProvider": f"arn:aws:iam::{account.id}:oidc-provider/{issuer}"}
        response.update({"subjectFromWebIdentityToken": subject, "provider": f"arn:aws:iam::{account.id}:oidc-provider/{issuer}", "audience": "sts.amazonaws.com"})
        params["durationSeconds"] = 3600
    elif who.auth == "vendor":
        caller = {"type": "AWSAccount", "principalId": f"{who.ids['outer']}:{who.ids['vendor']}", "accountId": who.ids["vendoraccount"]}
        params["externalId"] = who.ids["external"]
    elif who.auth == "chain" and who.mate is not None:
        caller = identity_block(world, who.mate, place, time)
    else:
        service = {"ecs": "ecs-tasks", "ec2": "ec2", "lambda": "lambda"}.get(who.auth, "ec2") + ".amazonaws.com"
        caller, source_ip, agent = {"type": "AWSService", "invokedBy": service}, service, service
    body = _envelope(time, caller, "sts", name, who.region, source_ip, agent, params, response, rng, account.id, True)
    body["resources"] = [{"accountId": account.id, "type": "AWS::IAM::Role", "ARN": role}]
    if caller["type"] in ("AWSService", "AWSAccount"):
        body["sharedEventID"] = rng.uuid()
    return Record(FILE, time, body)


def _session_arn(who: Identity, name: str) -> str:
    return f"arn:aws:sts::{who.account.id}:assumed-role/{who.ids['rolename']}/{name}"


def identity_block(world: Any, who: Identity, place: Place, time: float) -> Dict[str, Any]:
    account = who.account.id
    if who.auth == "user":
        return {"type": "IAMUser", "principalId": who.ids["user"], "arn": who.ids["arn"], "accountId": account, "accessKeyId": who.key_at(time), "userName": who.ids["username"]}
    session = session_of(world, who, place, time)
    context: Dict[str, Any] = {"sessionIssuer": {"type": "Role", "principalId": who.ids["role"], "arn": who.ids["arn"], "accountId": account, "userName": who.ids["rolename"]},
                               "attributes": {"creationDate": iso(session["begun"]), "mfaAuthenticated": "false"}}
    if who.auth in ("eks", "oidc") and not session.get("borrowed"):
        context["webIdFederationData"] = {"federatedProvider": f"arn:aws:iam::{account}:oidc-provider/{who.ids['issuer']}", "attributes": {}}
    if who.auth == "ec2" and not session.get("borrowed"):
        context["ec2RoleDelivery"] = "2.0"
    block = {"type": "AssumedRole", "principalId": f"{who.ids['role']}:{session['name']}", "arn": _session_arn(who, session["name"]), "accountId": account, "accessKeyId": session["key"],
        "sessionContext": context}
    if who.auth == "service":
        block["invokedBy"] = who.ids["by"]
    return block


def _envelope(time: float, caller: Dict[str, Any], service: str, name: str, region: str, ip: str, agent: str, params: Any, response: Any, rng: Chance, account: str, read: bool) -> Dict[str, Any]:
    return {"eventVersion": "1.11", "userIdentity": caller, "eventTime": iso(time), "eventSource": f"{SOURCES.get(service, service)}.amazonaws.com", "eventName": name, "awsRegion": region,
        "sourceIPAddress": ip, "userAgent": agent,
            "requestParameters": params, "responseElements": response, "requestID": rng.uuid(), "eventID": rng.uuid(), "readOnly": read, "eventType": "AwsApiCall", "managementEvent": True,
                "recipientAccountId": account, "eventCategory": "Management"}


def _refusal(service: str, name: str, caller: Dict[str, Any]) -> str:
    call = f"{service}:{name}"
    return f"User: {caller.get('arn', '')} is not authorized to perform: {call} because no identity-based policy allows the {call} action"


def _error_text(code: str, service: str, name: str, caller: Dict[str, Any]) -> str:
    if code in ("AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation"):
        if service == "s3":
            return S3_CODES["AccessDenied"]
        if code.startswith("Client"):
            return f"You are not authorized to perform this operation. {_refusal(service, name, caller)}."
        return _refusal(service, name, caller)
    return MESSAGES.get(code, "An error occurred")


def denial(service: str) -> str:
    """How a service words a refusal."""
    return "Client.UnauthorizedOperation" if service == "ec2" else "AccessDenied" if service in ("s3", "iam", "sts", "cloudwatch", "sns", "elasticloadbalancing", "autoscaling",
        "cloudformation", "redshift", "ses") else "AccessDeniedException"


def _s3_extra(f: Filler, op: Op, who: Identity, rng: Chance) -> Dict[str, Any]:
    scale = float(f.known.get("bytes", who.ids.get("bytes", "20000")))
    sent = int(rng.lognormvariate(0, 1) * scale) if op.read and op.data else 0
    received = int(rng.lognormvariate(0, 1) * scale) if op.key.endswith("PutObject") else 0
    return {"SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256", "bytesTransferredIn": received, "AuthenticationMethod": "AuthHeader", "x-amz-id-2": rng.text(56) + "=",
        "bytesTransferredOut": sent}


def render(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    tenant: Tenant = world.tenant
    service, name = op.key.split(":", 1)
    if op.data and not tenant.habits["data_events"] and service != "cloudwatch":
        return []
    f = Filler(tenant, who, rng, time, args)
    region = "us-east-1" if service in GLOBAL else f.var("region")
    caller = identity_block(world, who, place, time)
    code = denial(service) if error == "denied" else error
    params = f.fill(op.params)
    response = f.fill(op.response) if not code else None
    body = _envelope(time, caller, service, name, region, place.ip, place.agent, params, response, rng, who.account.id, op.read)
    if code:
        body["errorCode"], body["errorMessage"] = code, _error_text(code, service, name, caller)
    if service == "s3":
        body["additionalEventData"] = _s3_extra(f, op, who, rng)
    if op.data:
        body["managementEvent"], body["eventCategory"] = False, "Data"
    if op.note:
        kind, variable = op.note.rsplit(":", 1)
        body["resources"] = [{"accountId": who.account.id, "type": kind, "ARN": f.var(variable)}]
    if place.endpoint and service in ("s3", "dynamodb", "kms", "secretsmanager", "sts", "ssm", "logs"):
        body["vpcEndpointId"] = place.endpoint
    if who.auth != "service":
        tls, cipher = CIPHERS[len(place.agent) % 3]
        host = HOSTS.get(service, service + ".{r}.amazonaws.com").format(r=region)
        body["tlsDetails"] = {"tlsVersion": tls, "cipherSuite": cipher, "clientProvidedHostHeader": f"{f.var('bucket')}.s3.{region}.amazonaws.com"
            if service == "s3" and name != "ListBuckets" else host}
    if "Mozilla" in place.agent:
        body["sessionCredentialFromConsole"] = "true"
    records = [Record(FILE, time, body)]
    if service == "secretsmanager" and name == "GetSecretValue" and not code and who.ids.get("custom") == "1":
        records.append(_decrypt(who, f, caller, time, rng, region))
    return records


def _decrypt(who: Identity, f: Filler, caller: Dict[str, Any], time: float, rng: Chance, region: str) -> Record:
    """Secrets Manager opening the secret with the customer's key, in the caller's name."""
    service = "secretsmanager.amazonaws.com"
    body = _envelope(time, dict(caller, invokedBy=service), "kms", "Decrypt", region, service, service, {"encryptionContext": {"SecretARN": f.var("secret"), "SecretVersionId": rng.uuid()},
        "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}, None, rng, who.account.id, True)
    body["resources"] = [{"accountId": who.account.id, "type": "AWS::KMS::Key", "ARN": f.var("kmsarn")}]
    return Record(FILE, time, body)


def service_record(world: Any, account: Any, time: float, rng: Chance) -> Record:
    """A call that a service makes in its own name."""
    who = Identity("service", "aws", world.machines[0].kind, "service", account, account.regions[0])
    f = Filler(world.tenant, who, rng, time)
    service, source, name, params, read = rng.choice([("cloudtrail", "s3", "GetBucketAcl", {"bucketName": "$bucket", "acl": ""}, True), ("cloudtrail", "kms", "GenerateDataKey",
        {"keyId": "$kmsarn", "keySpec": "AES_256"}, True), ("autoscaling", "ec2", "DescribeInstanceStatus", {"instancesSet": {}}, True),
                                                      ("delivery.logs", "logs", "CreateLogStream", {"logGroupName": "$loggroup"}, False), ("eks", "kms", "Decrypt",
                                                          {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}, True), ("rds", "kms", "CreateGrant", {"keyId": "$kmsarn",
                                                              "operations": ["Decrypt"]}, False), ("dynamodb", "kms", "Decrypt", {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}, True)])
    invoker = service + ".amazonaws.com"
    body = _envelope(time, {"type": "AWSService", "invokedBy": invoker}, source, name, account.regions[0], invoker, invoker, f.fill(params), None, rng, account.id, read)
    body["sharedEventID"] = rng.uuid()
    return Record(FILE, time, body)


def console_login(world: Any, who: Identity, time: float, rng: Chance, place: Place) -> Record:
    body = _envelope(time, identity_block(world, who, place, time), "signin", "ConsoleLogin", "us-east-1", place.ip, place.agent, None, {"ConsoleLogin": "Success"}, rng, who.account.id, False)
    body["eventType"] = "AwsConsoleSignIn"
    body["additionalEventData"] = {"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "No"}
    return Record(FILE, time, body)
