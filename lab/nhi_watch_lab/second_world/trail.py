"""CloudTrail: the calls there are, what fills their parameters, who makes them, how sessions begin, and the records.

Parameter names follow the services' API models and public CloudTrail samples. A leading `*`
marks a data event. `-` stands for null parameters.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from random import Random
from typing import Any, Callable, Optional

from nhi_watch_lab.second_world import base
from nhi_watch_lab.second_world.base import Account, Json, Person, Place, Sink, Tenant, hexa, private_ip
from nhi_watch_lab.tables import text

# ---- cloudTrail read calls: service, event name, request parameters ($name is filled per record)

READS = text(__file__, "aws_reads_reads.txt")


# ---- cloudTrail write calls and the response elements that their records carry

WRITES = text(__file__, "aws_writes_writes.txt")

# response elements of writes; anything else answers null
RESPONSES = text(__file__, "aws_writes_responses.txt")


# ---- fills the parameter templates of CloudTrail calls with a tenant's resources

TOKEN = re.compile(r"\$(\w+)")
FIELD = re.compile(r"@(\w+)")


@dataclass
class Spec:
    service: str
    name: str
    read: bool
    data: bool
    template: Optional[str]


def _specs() -> dict[str, Spec]:
    found = {}
    for table, read in ((READS, True), (WRITES, False)):
        for line in table.strip().splitlines():
            data = line.startswith("*")
            service, name, template = line.lstrip("*").split(" ", 2)
            if name in found:   # the same name in two services: keep both, the second under a prefix
                name = service + ":" + name
            found[name] = Spec(service, name.split(":")[-1], read, data, None if template == "-" else template)
    return found


SPECS = _specs()
RESPONSE: dict[str, str] = dict(line.split(" ", 1) for line in RESPONSES.strip().splitlines())
# calls that CloudTrail files as writes or reads against their catalogue side
_READ_WRITES = {"AssumeRole", "GetFederationToken", "StartQuery", "GetQueryResults", "InitiateLayerUpload"}
MODELS = ["anthropic.claude-3-5-sonnet-20241022-v2:0", "anthropic.claude-3-haiku-20240307-v1:0", "amazon.titan-embed-text-v2:0", "amazon.nova-pro-v1:0",
          "anthropic.claude-sonnet-4-20250514-v1:0", "meta.llama3-1-70b-instruct-v1:0", "cohere.embed-english-v3"]
POLICIES = ["AdministratorAccess", "AmazonS3FullAccess", "PowerUserAccess", "ReadOnlyAccess", "AmazonEC2ReadOnlyAccess", "IAMFullAccess",
            "service-role/AWSLambdaBasicExecutionRole", "AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy", "AmazonBedrockFullAccess"]
TYPES = ["t3.micro", "t3.medium", "m6i.large", "m7g.xlarge", "c6i.2xlarge", "r6i.xlarge", "c7g.4xlarge", "g5.xlarge", "g4dn.xlarge", "p3.2xlarge", "c5.18xlarge", "g5.12xlarge"]


def is_read(spec: Spec) -> bool:
    return spec.read or spec.name in _READ_WRITES


def _new(kind: str, tenant: Tenant, account: Account, rng: Random) -> str:
    """A resource of a kind, in the tenant's style."""
    word, env = rng.choice(tenant.words), account.env
    prefixed = {"instance": "i-", "volume": "vol-", "snap": "snap-", "ami": "ami-", "sg": "sg-", "subnet": "subnet-", "vpc": "vpc-", "eni": "eni-", "flowlog": "fl-"}
    if kind in prefixed:
        return prefixed[kind] + hexa(rng, 17)
    low = f"{env}-{word}".lower()
    tail = rng.choice(["api", "worker", "export", "store", "raw", "jobs", "sync", "batch", "cache", "web", "stream", "index"])
    made = {"bucket": f"{tenant.corp}-{low}-{tail}", "kmsid": base.uuid4(rng), "detector": hexa(rng, 32), "zone": "Z" + base.pick_chars(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 20),
            "dist": "E" + base.pick_chars(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 13), "dbsnap": f"{low}-{rng.randint(1, 28):02d}-manual", "param": f"/{env}/{word}/{rng.choice(['db_password', 'api_key', 'endpoint', 'feature_flags', 'token'])}",
            "secretname": f"{env}/{word}/{rng.choice(['db', 'stripe', 'apikey', 'oauth', 'smtp', 'signing'])}-{rng.randint(1, 9)}", "objkey": f"{word}/{tail}/", "model": rng.choice(MODELS), "loggroup": f"/aws/lambda/{low}-{tail}",
            "role": tenant.name(env, word, tail, "role"), "user": tenant.name("svc", word, tail).lower(), "trail": f"{tenant.corp}-org-trail", "gluedb": f"{word}_lake", "gluetable": f"{word}_{tail}"}
    return made.get(kind, f"{low}-{tail}")


def pool(tenant: Tenant, account: Account, kind: str) -> list[str]:
    """All resources of a kind in an account (made on first use)."""
    if kind not in account.pools:
        rng = Random(f"{tenant.seed}/{account.id}/{kind}")
        size = {"trail": 1, "detector": 1, "cluster": 2, "ecscluster": 2, "instance": 40, "objkey": 25, "secretname": 30, "param": 30, "bucket": 18, "role": 40, "vpc": 3}.get(kind, 15)
        account.pools[kind] = sorted({_new(kind, tenant, account, rng) for _ in range(size)})
    return account.pools[kind]


class Filler:
    """Values of one call: `pick` returns a resource of a kind, sticky for ordinary life."""

    def __init__(self, tenant: Tenant, account: Account, region: str, rng: Random, t: float, pick: Callable[[str], str], session: str, over: Json) -> None:
        self.tenant, self.account, self.region, self.rng, self.t = tenant, account, region, rng, t
        self.pick, self.session, self.over = pick, session, over

    def value(self, token: str) -> str:
        if token in self.over:
            return str(self.over[token])
        maker: Optional[Callable[[Filler], str]] = MAKERS.get(token)
        if maker:
            return maker(self)
        return self.pick(token) if token.islower() else "$" + token

    def text(self, template: str) -> str:
        def swap(match: re.Match[str]) -> str:
            value = self.value(match.group(1))
            return json.dumps(value)[1:-1] if '"' in value or "\\" in value else value
        return TOKEN.sub(swap, template)

    def params(self, template: Optional[str]) -> Optional[Json]:
        return None if template is None else json.loads(self.text(template))

    def response(self, name: str, params: Optional[Json]) -> Optional[Json]:
        if name not in RESPONSE:
            return None
        flat: Json = dict(params or {})
        flat["rolename"] = str(flat.get("roleArn", "")).rsplit("/", 1)[-1]
        text = FIELD.sub(lambda m: str(flat.get(m.group(1), "")), RESPONSE[name])
        made: Any = json.loads(self.text(text))
        return made if isinstance(made, dict) else None


def _arn(service: str, kind: str, sep: str = ":") -> Callable[[Filler], str]:
    return lambda f: f"arn:aws:{service}:{f.region}:{f.account.id}:{sep}{f.pick(kind)}"


def _secret(f: Filler) -> str:
    name = f.pick("secretname")
    return f"arn:aws:secretsmanager:{f.region}:{f.account.id}:secret:{name}-{base.pick_chars(Random(name + f.account.id), base.ALNUM, 6)}"


def _objkey(f: Filler) -> str:
    ext = f.rng.choice(["json.gz", "parquet", "csv", "pdf", "jpg", "zip", "log.gz"])
    day = base.iso(f.t - 86400 * f.rng.randint(0, 30))[:10].replace("-", "/")
    return f"{f.pick('objkey')}{day}/{hexa(f.rng, 12)}.{ext}"


def _trust(f: Filler) -> str:
    who = f.over.get("principal") or f.rng.choice([f"arn:aws:iam::{f.account.id}:root", f"arn:aws:iam::{f.rng.choice(f.tenant.partners)}:root"])
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": who}, "Action": "sts:AssumeRole"}]})


def _poldoc(f: Filler) -> str:
    action = f.over.get("action") or f.rng.choice(["s3:GetObject", "s3:*", "sqs:*", "dynamodb:*", "logs:*", "*", "ec2:Describe*"])
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})


def _rolearn(f: Filler) -> str:
    return f"arn:aws:iam::{f.account.id}:role/{f.value('role')}"


MAKERS: dict[str, Callable[[Filler], str]] = {
    "region": lambda f: f.region, "account": lambda f: f.account.id, "uuid": lambda f: base.uuid4(f.rng), "now": lambda f: base.aws_date(f.t), "later": lambda f: base.aws_date(f.t + 3600),
    "token": lambda f: "IQoJb3JpZ2luX2VjE" + base.b64(f.rng, 60), "akia": lambda f: base.aws_id(f.rng, "AKIA", f.account.id), "asia": lambda f: base.aws_id(f.rng, "ASIA", f.account.id),
    "aida": lambda f: base.aws_id(f.rng, "AIDA", f.account.id), "aroa": lambda f: base.aws_id(f.rng, "AROA", f.account.id), "anpa": lambda f: base.aws_id(f.rng, "ANPA", f.account.id),
    "hex7": lambda f: hexa(f.rng, 7), "hex17": lambda f: hexa(f.rng, 17), "hex32": lambda f: hexa(f.rng, 32), "hex40": lambda f: hexa(f.rng, 40), "hex64": lambda f: hexa(f.rng, 64),
    "b64key": lambda f: base.b64(f.rng, 32), "sessname": lambda f: f.session, "count": lambda f: str(f.rng.randint(1, 9)), "port": lambda f: f.rng.choice(["22", "443", "3306", "5432", "3389", "8080"]),
    "cidr": lambda f: f.rng.choice(["0.0.0.0/0", "10.0.0.0/8", f"{f.tenant.office.pool[0]}/32", f"{f.tenant.vpn.pool[0]}/32"]), "days": lambda f: f.rng.choice(["1", "7", "30", "90", "365"]), "size": lambda f: str(f.rng.randint(2000, 40000000)),
    "itype": lambda f: f.rng.choice(TYPES), "secret": _secret, "objkey": _objkey, "prefix": lambda f: f.pick("objkey"), "prefixname": lambda f: f.account.env + "/", "parampath": lambda f: f"/{f.account.env}/{f.rng.choice(f.tenant.words)}",
    "trust": _trust, "poldoc": _poldoc, "rolearn": _rolearn, "policy": lambda f: f"arn:aws:iam::{f.account.id}:policy/{f.pick('polname')}", "awspolicy": lambda f: "arn:aws:iam::aws:policy/" + f.rng.choice(POLICIES),
    "kmsarn": lambda f: f"arn:aws:kms:{f.region}:{f.account.id}:key/{f.pick('kmsid')}", "fnarn": _arn("lambda", "fn", "function:"), "topic": _arn("sns", "topicname"), "queuearn": _arn("sqs", "queuename"), "exec": lambda f: f"arn:aws:states:{f.region}:{f.account.id}:execution:{f.pick('sfnname')}:{base.uuid4(f.rng)}",
    "sfn": _arn("states", "sfnname", "stateMachine:"), "queue": lambda f: f"https://sqs.{f.region}.amazonaws.com/{f.account.id}/{f.pick('queuename')}", "taskdef": lambda f: f"{f.pick('svc')}:{f.rng.randint(10, 60)}",
    "taskarn": lambda f: f"arn:aws:ecs:{f.region}:{f.account.id}:task/{f.pick('ecscluster')}/{hexa(f.rng, 32)}", "tgarn": lambda f: f"arn:aws:elasticloadbalancing:{f.region}:{f.account.id}:targetgroup/{f.pick('svc')}/{hexa(f.rng, 16)}",
    "logstream": lambda f: base.iso(f.t)[:10].replace("-", "/") + "/[$LATEST]" + hexa(f.rng, 32), "change": lambda f: "C" + hexa(f.rng, 20).upper(), "shortname": lambda f: f"{f.rng.choice(f.tenant.words)}-{f.rng.choice(['tmp', 'backup', 'sync', 'test', 'migrate', 'v2', 'ops', 'audit'])}{f.rng.randint(1, 99)}",
    "partner": lambda f: f.rng.choice(f.tenant.partners), "partnerbucket": lambda f: f"{f.rng.choice(f.tenant.words)}-replica-{hexa(f.rng, 6)}", "otherregion": lambda f: f.rng.choice(["af-south-1", "eu-south-1", "me-south-1", "ap-east-1"]), "email": lambda f: f"{f.rng.choice(['noreply', 'info', 'news', 'billing'])}@{f.tenant.domain}",
    "domain2": lambda f: f"{f.rng.choice(f.tenant.words)}.{f.tenant.domain}", "oidcurl": lambda f: "https://" + f.rng.choice(["token.actions.githubusercontent.com", "gitlab.com", f"oidc.eks.{f.region}.amazonaws.com/id/{hexa(f.rng, 32).upper()}", "app.terraform.io"]),
    "image": lambda f: f"{f.account.id}.dkr.ecr.{f.region}.amazonaws.com/{f.pick('repo')}:{hexa(f.rng, 7)}", "privip": lambda f: f"10.{f.rng.randint(0, 60)}.{f.rng.randint(0, 255)}.{f.rng.randint(4, 254)}", "host": lambda f: f.pick("svc"), "azl": lambda f: f.rng.choice("abc"),
    "ctxkey": lambda f: f.rng.choice(["aws:s3:arn", "SecretARN", "aws:lambda:FunctionArn", "PARAMETER_ARN"]), "ctxval": lambda f: f"arn:aws:s3:::{f.pick('bucket')}", "group": lambda f: f.rng.choice(["admins", "developers", "ops", "readonly"]), "istore": lambda f: "d-" + f.account.id[:10],
}


# ---- who calls AWS: machines and people, their sessions, their sticky habits

TTL = {"lambda": 12 * 3600.0, "ec2": 6 * 3600.0, "ecs": 6 * 3600.0, "irsa": 3600.0, "vendor": 3600.0, "ci": 3600.0, "batch": 3600.0, "sso": 8 * 3600.0, "role": 3600.0, "slr": 3600.0}


@dataclass
class Session:
    key: str
    name: str
    created: float
    lane: int
    host: str


@dataclass
class Actor:
    """One AWS identity. `flavour` says how it gets credentials; `user` has long-lived keys."""
    name: str
    flavour: str
    account: Account
    regions: list[str]
    pid: str
    place: Place
    uas: list[tuple[float, str]]
    routine: list[str]
    runs: float
    rhythm: str
    lanes: int = 1
    path: str = ""
    keys: list[tuple[float, str]] = field(default_factory=list)
    vpce: str = ""
    job: str = ""
    fails: dict[str, float] = field(default_factory=dict)
    pools: dict[str, list[str]] = field(default_factory=dict)
    born: float = 0.0
    dies: float = 9e18
    person: Optional[Person] = None
    trusted: str = ""
    phase: float = 0.0
    open_ips: float = 0.0
    sessions: dict[tuple[int, int], Session] = field(default_factory=dict)
    announced: dict[str, bool] = field(default_factory=dict)
    console: tuple[float, str] = (0.0, "")

    @property
    def arn(self) -> str:
        kind = "user" if self.flavour == "user" else "role"
        return f"arn:aws:iam::{self.account.id}:{kind}/{self.path}{self.name}"

    def alive(self, t: float) -> bool:
        return self.born <= t < self.dies

    def ua(self, t: float) -> str:
        current = self.uas[0][1]
        for when, ua in self.uas:
            current = ua if t >= when else current
        return current

    def key(self, t: float) -> str:
        current = self.keys[0][1]
        for when, key in self.keys:
            current = key if t >= when else current
        return current

    def session(self, tenant: Tenant, t: float, lane: int = 0) -> Session:
        """The session that is live at a time; a pure function of time, so nobody can break its clock."""
        ttl = TTL.get(self.flavour, 3600.0)
        shift = (self.phase + lane * 0.37) % 1.0 * ttl
        slot = int((t - shift) // ttl)
        if (lane, slot) not in self.sessions:
            own = f"{tenant.seed}/{self.pid}/{self.person.upn if self.person else self.name}/{lane}"
            rng = Random(f"{own}/{slot}")
            created = slot * ttl + shift
            lane_rng = Random(own)
            self.sessions[lane, slot] = Session(base.aws_id(rng, "ASIA", self.account.id), session_name(self, tenant, rng, lane_rng, created), created, lane, private_ip(lane_rng))
        return self.sessions[lane, slot]

    def pick(self, tenant: Tenant, kind: str, rng: Random) -> str:
        """A resource that this identity always uses."""
        if kind not in self.pools:
            whole = pool(tenant, self.account, kind)
            size = len(whole) if self.job in ("scanner", "backup", "admin") else rng.choice([1, 1, 2, 3])
            self.pools[kind] = rng.sample(whole, min(size, len(whole)))
        return rng.choice(self.pools[kind])


def session_name(who: Actor, tenant: Tenant, rng: Random, lane_rng: Random, created: float) -> str:
    """Session names as each service or SDK gives them."""
    if who.person:
        return who.person.upn
    if who.flavour == "ec2":
        return "i-" + base.hexa(lane_rng, 17)
    if who.flavour == "lambda":
        return who.name.replace("role", "fn").replace("Role", "Fn")
    if who.flavour == "ecs":
        return base.hexa(rng, 32)
    if who.flavour == "ci":
        return rng.choice(["GitHubActions", "GitHubActions", f"run-{base.digits(rng, 11)}"]) if who.trusted == "github" else f"gitlab-{base.digits(rng, 9)}"
    if who.flavour == "batch":
        return f"job-{base.hexa(rng, 16)}"
    if who.flavour == "vendor":
        return {"monitoring": "DatadogAWSIntegration", "cost": f"cost-ingest-{base.hexa(rng, 8)}", "security": "WizScanner"}.get(who.job, who.job or "integration")
    if who.flavour == "irsa":
        style = lane_rng.choice(["botocore", "go", "java", "js"])
        return {"botocore": f"botocore-session-{int(created)}", "go": f"{int(created * 1e9) + rng.randint(0, 10 ** 9)}", "java": f"aws-sdk-java-{int(created * 1000)}", "js": f"token-file-web-identity-{int(created * 1000)}"}[style]
    return f"botocore-session-{int(created)}"


# ---- how a role session begins in CloudTrail: AssumeRole in its several forms


SERVICES = {"lambda": "lambda.amazonaws.com", "ec2": "ec2.amazonaws.com", "ecs": "ecs-tasks.amazonaws.com", "batch": "states.amazonaws.com", "role": "scheduler.amazonaws.com"}


def birth(log: AwsLog, who: Actor, session: Session) -> Optional[Json]:
    if who.flavour in ("irsa", "ci"):
        return web_identity(log, who, session, subject(log, who))
    if who.flavour == "vendor":
        caller: Json = {"type": "AWSAccount", "principalId": base.aws_id(Random(who.pid), "AROA", who.trusted) + ":integration", "accountId": who.trusted}
        return assume(log, who, session, caller, who.place.ip(log.rng, session.created), who.ua(session.created), {"externalId": base.hexa(Random(who.pid), 32)})
    if who.flavour == "sso":
        return saml(log, who, session)
    service = "eks.amazonaws.com" if who.flavour == "slr" else SERVICES.get(who.flavour, "ec2.amazonaws.com")
    if who.flavour == "slr":
        service = who.trusted
    return assume(log, who, session, {"type": "AWSService", "invokedBy": service}, service, service, {})


def subject(log: AwsLog, who: Actor) -> str:
    """The subject claim: a Kubernetes service account, or a repository's branch."""
    if who.flavour == "irsa":
        return f"system:serviceaccount:{who.trusted or 'default'}:{who.name.lower()}"
    return f"repo:{log.tenant.corp}/{who.job or 'infra'}:ref:refs/heads/main" if who.trusted == "github" else f"project_path:{log.tenant.corp}/{who.job or 'infra'}:ref_type:branch:ref:main"


def _credentials(log: AwsLog, who: Actor, session: Session) -> Json:
    return {"credentials": {"accessKeyId": session.key, "sessionToken": "IQoJb3JpZ2luX2VjE" + base.b64(log.rng, 60), "expiration": base.aws_date(session.created + TTL.get(who.flavour, 3600.0))},
            "assumedRoleUser": {"assumedRoleId": f"{who.pid}:{session.name}", "arn": f"arn:aws:sts::{who.account.id}:assumed-role/{who.name}/{session.name}"}}


def _frame(log: AwsLog, who: Actor, session: Session, name: str, caller: Json, ip: str, ua: str, params: Json, extra: Json) -> Json:
    answer = _credentials(log, who, session)
    answer.update(extra)
    record: Json = {"eventVersion": log.version, "userIdentity": caller, "eventTime": base.iso(session.created), "eventSource": "sts.amazonaws.com", "eventName": name, "awsRegion": who.regions[0],
                    "sourceIPAddress": ip, "userAgent": ua, "requestParameters": {"roleArn": who.arn, "roleSessionName": session.name, **params}, "responseElements": answer, "requestID": base.uuid4(log.rng),
                    "eventID": base.uuid4(log.rng), "readOnly": True, "resources": [{"accountId": who.account.id, "type": "AWS::IAM::Role", "ARN": who.arn}], "eventType": "AwsApiCall", "managementEvent": True,
                    "recipientAccountId": who.account.id, "eventCategory": "Management"}
    if caller["type"] in ("AWSService", "AWSAccount"):
        record["sharedEventID"] = base.uuid4(log.rng)
    if caller["type"] != "AWSService":
        record["tlsDetails"] = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": f"sts.{who.regions[0]}.amazonaws.com"}
    return record


def assume(log: AwsLog, who: Actor, session: Session, caller: Json, ip: str, ua: str, params: Json) -> Json:
    return _frame(log, who, session, "AssumeRole", caller, ip, ua, params, {})


def web_identity(log: AwsLog, who: Actor, session: Session, sub: str, ip: str = "", ua: str = "") -> Json:
    source = provider(who)
    caller: Json = {"type": "WebIdentityUser", "principalId": f"{source}:sts.amazonaws.com:{sub}", "userName": sub, "identityProvider": source}
    extra: Json = {"subjectFromWebIdentityToken": sub, "provider": source, "audience": "sts.amazonaws.com"}
    return _frame(log, who, session, "AssumeRoleWithWebIdentity", caller, ip or who.place.ip(log.rng, session.created), ua or who.ua(session.created), {}, extra)


def saml(log: AwsLog, who: Actor, session: Session) -> Json:
    name = f"arn:aws:iam::{who.account.id}:saml-provider/AWSSSO_{base.hexa(log.rng, 16)}_DO_NOT_DELETE"
    caller: Json = {"type": "SAMLUser", "principalId": f"{base.b64(log.rng, 20)}:{session.name}", "userName": session.name, "identityProvider": base.b64(log.rng, 20)}
    extra: Json = {"subject": session.name, "subjectType": "persistent", "issuer": f"https://portal.sso.{who.regions[0]}.amazonaws.com/saml/assertion/{base.b64(log.rng, 15)}",
                   "audience": "https://signin.aws.amazon.com/saml", "nameQualifier": base.b64(log.rng, 20)}
    return _frame(log, who, session, "AssumeRoleWithSAML", caller, who.place.ip(log.rng, session.created), "aws-internal/3 aws-sdk-java/1.12.780 Linux/5.10.234 OpenJDK_64-Bit_Server_VM/17.0.14 java/17.0.14", {"principalArn": name, "durationSeconds": 28800}, extra)


# ---- writes CloudTrail records. The same code writes ordinary life and attacks

GLOBAL = {"iam", "organizations", "account", "cloudfront", "route53", "sts-global", "support", "health", "ce", "cur", "shield"}
SOURCES = {"cloudwatch": "monitoring"}
HOSTS = {"ses": "email", "cloudwatch": "monitoring", "bedrock": "bedrock-runtime"}
VPCE = {"s3", "dynamodb", "secretsmanager", "ssm", "sqs", "kms", "ecr", "logs", "sts", "kinesis"}
API_VERSIONS = {"logs": "20140328", "elasticloadbalancing": "2015-12-01", "elasticache": "2015-02-02"}
# services that use a key in the caller's name
FOLLOW = {"GetSecretValue": "secretsmanager.amazonaws.com", "GetParametersByPath": "ssm.amazonaws.com", "BatchGetSecretValue": "secretsmanager.amazonaws.com"}
CLIENT_EC2 = "Client.UnauthorizedOperation"
WORDY = {"iam", "sts", "s3", "cloudformation", "sqs", "sns", "ses", "rds", "autoscaling", "cloudwatch", "elasticloadbalancing", "redshift", "route53", "cloudfront", "elasticache", "organizations"}


def federated(who: Actor, session: Session) -> Json:
    """A session from GetFederationToken."""
    arn = f"arn:aws:sts::{who.account.id}:federated-user/{session.name}"
    issuer = {"type": "IAMUser", "principalId": who.pid, "arn": who.arn, "accountId": who.account.id, "userName": who.name}
    return {"type": "FederatedUser", "principalId": f"{who.account.id}:{session.name}", "arn": arn, "accountId": who.account.id, "accessKeyId": session.key,
            "sessionContext": {"sessionIssuer": issuer, "attributes": {"creationDate": base.iso(session.created), "mfaAuthenticated": "false"}}}


def console_user(who: Actor, t: float, rng: Random) -> Json:
    """An IAM user in the console has temporary keys."""
    if not who.console[0] <= t < who.console[0] + 43200:
        who.console = (t - rng.uniform(1, 900), base.aws_id(rng, "ASIA", who.account.id))
    return {"type": "IAMUser", "principalId": who.pid, "arn": who.arn, "accountId": who.account.id, "accessKeyId": who.console[1], "userName": who.name,
            "sessionContext": {"attributes": {"creationDate": base.iso(who.console[0]), "mfaAuthenticated": "true"}}}


def identity(who: Actor, session: Optional[Session], t: float) -> Json:
    """The userIdentity element."""
    if who.flavour == "user":
        if session is not None:
            return federated(who, session)
        return {"type": "IAMUser", "principalId": who.pid, "arn": who.arn, "accountId": who.account.id, "accessKeyId": who.key(t), "userName": who.name}
    assert session is not None
    context: Json = {"sessionIssuer": {"type": "Role", "principalId": who.pid, "arn": who.arn, "accountId": who.account.id, "userName": who.name}}
    if who.flavour == "irsa" or who.flavour == "ci":
        context["webIdFederationData"] = {"federatedProvider": provider(who), "attributes": {}}
    context["attributes"] = {"creationDate": base.iso(session.created), "mfaAuthenticated": "false"}
    if who.flavour == "ec2":
        context["ec2RoleDelivery"] = "2.0"
    made: Json = {"type": "AssumedRole", "principalId": f"{who.pid}:{session.name}", "arn": f"arn:aws:sts::{who.account.id}:assumed-role/{who.name}/{session.name}",
                  "accountId": who.account.id, "accessKeyId": session.key, "sessionContext": context}
    scope = {"lambda": ("AWS::Lambda::Function", f"arn:aws:lambda:{who.regions[0]}:{who.account.id}:function:{session.name}"), "ec2": ("AWS::EC2::Instance", f"arn:aws:ec2:{who.regions[0]}:{who.account.id}:instance/{session.name}")}
    if who.flavour in scope:
        made["inScopeOf"] = {"issuerType": scope[who.flavour][0], "credentialsIssuedTo": scope[who.flavour][1]}
    return made


def provider(who: Actor) -> str:
    """The OIDC provider behind a web identity."""
    if who.flavour == "ci":
        return f"arn:aws:iam::{who.account.id}:oidc-provider/" + ("token.actions.githubusercontent.com" if who.trusted == "github" else "gitlab.com")
    return f"arn:aws:iam::{who.account.id}:oidc-provider/oidc.eks.{who.regions[0]}.amazonaws.com/id/{hexa(Random(who.account.id), 32).upper()}"


def denial(spec: Spec, arn: str) -> Json:
    action = f"{spec.service}:{spec.name.split('2015')[0].split('2018')[0]}"
    if spec.service == "ec2":
        return {"errorCode": CLIENT_EC2, "errorMessage": f"You are not authorized to perform this operation. User: {arn} is not authorized to perform: {action} because no identity-based policy allows the {action} action"}
    code = "AccessDenied" if spec.service in WORDY else "AccessDeniedException"
    return {"errorCode": code, "errorMessage": f"User: {arn} is not authorized to perform: {action} on resource: * because no identity-based policy allows the {action} action"}


def _error(err: str, spec: Spec, arn: str) -> Json:
    if err == "denied":
        return denial(spec, arn)
    known = {"ThrottlingException": "Rate exceeded", "NoSuchKey": "The specified key does not exist.", "ResourceNotFoundException": "Requested resource not found",
             "ValidationException": "The provided request is not valid.", "NoSuchEntity": "The requested entity cannot be found.", "Client.InstanceLimitExceeded": "You have requested more vCPU capacity than your current vCPU limit allows.",
             "InvalidClientTokenId": "The security token included in the request is invalid", "Client.DryRunOperation": "Request would have succeeded, but DryRun flag is set."}
    return {"errorCode": err, "errorMessage": known.get(err, "An error occurred")}


class AwsLog:
    def __init__(self, tenant: Tenant, sink: Sink, rng: Random) -> None:
        self.tenant, self.sink, self.rng = tenant, sink, rng
        self.version = rng.choice(["1.09", "1.10", "1.11", "1.11"])
        self.vpc_accounts = rng.random() < 0.7
        self.own_keys = rng.random() < 0.5    # secrets under customer keys: their use leaves a Decrypt

    def call(self, who: Actor, t: float, name: str, *, lane: int = 0, err: str = "", region: str = "", place: Optional[Place] = None, ua: str = "",
             explore: bool = False, over: Optional[Json] = None, via: str = "", session: Optional[Session] = None) -> None:
        """One API call by an actor, from its own place and client unless told otherwise."""
        spec = SPECS[name]
        if spec.data and self.tenant.habits.get(spec.service + "_data", 1.0) == 0.0:
            return
        if session is None and who.flavour != "user":
            session = self.live(who, t, lane)
        region = "us-east-1" if spec.service in GLOBAL else (region or who.regions[0])
        fill = self._filler(who, session, region, t, explore, over or {})
        record = self._head(who, session, t, spec, region)
        record.update(self._origin(who, session, t, spec, place, ua, via))
        if via:
            record["userIdentity"]["invokedBy"] = via
            if who.flavour == "slr":
                record["userIdentity"].pop("accessKeyId", None)
        self._body(record, spec, fill, err, who, session)
        if not via:
            record["tlsDetails"] = self._tls(spec, region, record)
        if (who.person and session is None) or who.flavour == "sso":
            self._console(record, who, t)
        self.sink.add("cloudtrail", t, record)
        if self.own_keys and not err and name in FOLLOW:
            self.call(who, t + 0.08, "Decrypt", lane=lane, region=region, via=FOLLOW[name], session=session, explore=explore)

    def _console(self, record: Json, who: Actor, t: float) -> None:
        if "Mozilla" in record["userAgent"]:
            record["sessionCredentialFromConsole"] = "true"
            if who.flavour == "user":
                record["userIdentity"] = console_user(who, t, self.rng)

    def assume(self, who: Actor, t: float, target: Actor, *, name: str, place: Optional[Place] = None, ua: str = "", lane: int = 0) -> Session:
        """One identity takes another role; the new session has its own key and name."""
        made = Session(base.aws_id(self.rng, "ASIA", target.account.id), name, t, 0, "10.0.9.20")
        over: Json = {"rolearn": target.arn, "asia": made.key, "sessname": name, "aroa": target.pid, "account": target.account.id}
        self.call(who, t, "AssumeRole", place=place, ua=ua, over=over, lane=lane)
        return made

    def live(self, who: Actor, t: float, lane: int) -> Session:
        """The session in use; its birth leaves an AssumeRole record."""
        session = who.session(self.tenant, t, lane)
        if session.key not in who.announced:
            who.announced[session.key] = True
            self._birth(who, session)
        return session

    def _filler(self, who: Actor, session: Optional[Session], region: str, t: float, explore: bool, over: Json) -> Filler:
        def pick(kind: str) -> str:
            return self.rng.choice(pool(self.tenant, who.account, kind)) if explore else who.pick(self.tenant, kind, self.rng)
        return Filler(self.tenant, who.account, region, self.rng, t, pick, session.name if session else who.name, over)

    def _head(self, who: Actor, session: Optional[Session], t: float, spec: Spec, region: str) -> Json:
        user = identity(who, session, t)
        if self.version != "1.11":
            user.pop("inScopeOf", None)
        return {"eventVersion": self.version, "userIdentity": user, "eventTime": base.iso(t),
                "eventSource": SOURCES.get(spec.service, spec.service) + ".amazonaws.com", "eventName": spec.name, "awsRegion": region}

    def _origin(self, who: Actor, session: Optional[Session], t: float, spec: Spec, place: Optional[Place], ua: str, via: str) -> Json:
        if via:
            return {"sourceIPAddress": via, "userAgent": via}
        if place is None and who.vpce and spec.service in VPCE:
            host = session.host if session else "10.0.12.7"
            return {"sourceIPAddress": host, "userAgent": ua or who.ua(t)}
        lane = session.lane if session and who.flavour == "ec2" else None
        return {"sourceIPAddress": (place or who.place).ip(self.rng, t, lane), "userAgent": ua or who.ua(t)}

    def _body(self, record: Json, spec: Spec, fill: Filler, err: str, who: Actor, session: Optional[Session]) -> None:
        if err:
            record.update(_error(err, spec, record["userIdentity"].get("arn", who.arn)))
        record["requestParameters"] = fill.params(spec.template)
        record["responseElements"] = None if err else fill.response(spec.name, record["requestParameters"])
        if spec.service == "s3":
            record["additionalEventData"] = {"SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256", "bytesTransferredIn": 0 if spec.read else self.rng.randint(200, 90000), "AuthenticationMethod": "AuthHeader",
                                             "x-amz-id-2": base.b64(self.rng, 56), "bytesTransferredOut": 243 if err else int(self.rng.lognormvariate(8, 2)) if spec.read else 0}
        record["requestID"] = self._request_id(spec)
        record["eventID"] = base.uuid4(self.rng)
        record["readOnly"] = is_read(spec)
        self._resources(record, spec, fill)
        record["eventType"] = "AwsApiCall"
        if spec.service in API_VERSIONS:
            record["apiVersion"] = API_VERSIONS[spec.service]
        record["managementEvent"] = not spec.data
        record["recipientAccountId"] = who.account.id
        if record["sourceIPAddress"].startswith("10."):
            record["vpcEndpointId"] = who.vpce
            if self.vpc_accounts:
                record["vpcEndpointAccountId"] = who.account.id
        record["eventCategory"] = "Data" if spec.data else "Management"

    def _request_id(self, spec: Spec) -> str:
        if spec.service == "s3":
            return base.pick_chars(self.rng, "ABCDEFGHJKMNPQRSTVWXYZ0123456789", 16)
        if spec.service == "dynamodb":
            return base.pick_chars(self.rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 52)
        return base.uuid4(self.rng)

    def _resources(self, record: Json, spec: Spec, fill: Filler) -> None:
        params = record["requestParameters"] or {}
        account = fill.account.id
        if spec.service == "s3" and "bucketName" in params:
            bucket = {"accountId": account, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::" + str(params["bucketName"])}
            key = {"type": "AWS::S3::Object", "ARN": f"{bucket['ARN']}/{params['key']}"} if "key" in params else None
            record["resources"] = [key, bucket] if key else [bucket]
        elif spec.service == "kms":
            arn = str(params.get("keyId") or fill.value("kmsarn"))
            record["resources"] = [{"accountId": account, "type": "AWS::KMS::Key", "ARN": arn if arn.startswith("arn") else f"arn:aws:kms:{fill.region}:{account}:key/{arn}"}]
        elif spec.name == "AssumeRole":
            record["resources"] = [{"accountId": account, "type": "AWS::IAM::Role", "ARN": params["roleArn"]}]
        elif spec.service == "dynamodb" and spec.data:
            record["resources"] = [{"accountId": account, "type": "AWS::DynamoDB::Table", "ARN": f"arn:aws:dynamodb:{fill.region}:{account}:table/{params['tableName']}"}]

    def _tls(self, spec: Spec, region: str, record: Json) -> Json:
        host = HOSTS.get(spec.service, spec.service) if not spec.name.startswith(("Invoke", "Converse")) or spec.service != "lambda" else "lambda"
        name = f"{host}.amazonaws.com" if spec.service in GLOBAL else f"{host}.{region}.amazonaws.com"
        if spec.service == "s3" and record["requestParameters"]:
            name = record["requestParameters"].get("Host", name)
        return {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": name}

    def _birth(self, who: Actor, session: Session) -> None:
        record = birth(self, who, session)
        if record:
            self.sink.add("cloudtrail", session.created, record, tag="")
