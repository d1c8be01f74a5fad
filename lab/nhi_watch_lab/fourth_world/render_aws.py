"""CloudTrail records."""
import re
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Tuple

from .aws_calls import AWS_CALLS, AwsCall
from .dice import Dice
from .model import Event
from .tenant import Tenant

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
