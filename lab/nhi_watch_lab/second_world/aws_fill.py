# ruff: noqa: E501
"""Fills the parameter templates of CloudTrail calls with a tenant's resources."""
from __future__ import annotations

import json
import re
from dataclasses import dataclass
from random import Random
from typing import Any, Callable, Optional

from nhi_watch_lab.second_world import ids
from nhi_watch_lab.second_world.aws_reads import READS
from nhi_watch_lab.second_world.aws_writes import RESPONSES, WRITES
from nhi_watch_lab.second_world.ids import Json, hexa
from nhi_watch_lab.second_world.tenant import Account, Tenant

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
    made = {"bucket": f"{tenant.corp}-{low}-{tail}", "kmsid": ids.uuid4(rng), "detector": hexa(rng, 32), "zone": "Z" + ids.pick_chars(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 20),
            "dist": "E" + ids.pick_chars(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 13), "dbsnap": f"{low}-{rng.randint(1, 28):02d}-manual", "param": f"/{env}/{word}/{rng.choice(['db_password', 'api_key', 'endpoint', 'feature_flags', 'token'])}",
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
    return f"arn:aws:secretsmanager:{f.region}:{f.account.id}:secret:{name}-{ids.pick_chars(Random(name + f.account.id), ids.ALNUM, 6)}"


def _objkey(f: Filler) -> str:
    ext = f.rng.choice(["json.gz", "parquet", "csv", "pdf", "jpg", "zip", "log.gz"])
    day = ids.iso(f.t - 86400 * f.rng.randint(0, 30))[:10].replace("-", "/")
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
    "region": lambda f: f.region, "account": lambda f: f.account.id, "uuid": lambda f: ids.uuid4(f.rng), "now": lambda f: ids.aws_date(f.t), "later": lambda f: ids.aws_date(f.t + 3600),
    "token": lambda f: "IQoJb3JpZ2luX2VjE" + ids.b64(f.rng, 60), "akia": lambda f: ids.aws_id(f.rng, "AKIA", f.account.id), "asia": lambda f: ids.aws_id(f.rng, "ASIA", f.account.id),
    "aida": lambda f: ids.aws_id(f.rng, "AIDA", f.account.id), "aroa": lambda f: ids.aws_id(f.rng, "AROA", f.account.id), "anpa": lambda f: ids.aws_id(f.rng, "ANPA", f.account.id),
    "hex7": lambda f: hexa(f.rng, 7), "hex17": lambda f: hexa(f.rng, 17), "hex32": lambda f: hexa(f.rng, 32), "hex40": lambda f: hexa(f.rng, 40), "hex64": lambda f: hexa(f.rng, 64),
    "b64key": lambda f: ids.b64(f.rng, 32), "sessname": lambda f: f.session, "count": lambda f: str(f.rng.randint(1, 9)), "port": lambda f: f.rng.choice(["22", "443", "3306", "5432", "3389", "8080"]),
    "cidr": lambda f: f.rng.choice(["0.0.0.0/0", "10.0.0.0/8", f"{f.tenant.office.pool[0]}/32", f"{f.tenant.vpn.pool[0]}/32"]), "days": lambda f: f.rng.choice(["1", "7", "30", "90", "365"]), "size": lambda f: str(f.rng.randint(2000, 40000000)),
    "itype": lambda f: f.rng.choice(TYPES), "secret": _secret, "objkey": _objkey, "prefix": lambda f: f.pick("objkey"), "prefixname": lambda f: f.account.env + "/", "parampath": lambda f: f"/{f.account.env}/{f.rng.choice(f.tenant.words)}",
    "trust": _trust, "poldoc": _poldoc, "rolearn": _rolearn, "policy": lambda f: f"arn:aws:iam::{f.account.id}:policy/{f.pick('polname')}", "awspolicy": lambda f: "arn:aws:iam::aws:policy/" + f.rng.choice(POLICIES),
    "kmsarn": lambda f: f"arn:aws:kms:{f.region}:{f.account.id}:key/{f.pick('kmsid')}", "fnarn": _arn("lambda", "fn", "function:"), "topic": _arn("sns", "topicname"), "queuearn": _arn("sqs", "queuename"), "exec": lambda f: f"arn:aws:states:{f.region}:{f.account.id}:execution:{f.pick('sfnname')}:{ids.uuid4(f.rng)}",
    "sfn": _arn("states", "sfnname", "stateMachine:"), "queue": lambda f: f"https://sqs.{f.region}.amazonaws.com/{f.account.id}/{f.pick('queuename')}", "taskdef": lambda f: f"{f.pick('svc')}:{f.rng.randint(10, 60)}",
    "taskarn": lambda f: f"arn:aws:ecs:{f.region}:{f.account.id}:task/{f.pick('ecscluster')}/{hexa(f.rng, 32)}", "tgarn": lambda f: f"arn:aws:elasticloadbalancing:{f.region}:{f.account.id}:targetgroup/{f.pick('svc')}/{hexa(f.rng, 16)}",
    "logstream": lambda f: ids.iso(f.t)[:10].replace("-", "/") + "/[$LATEST]" + hexa(f.rng, 32), "change": lambda f: "C" + hexa(f.rng, 20).upper(), "shortname": lambda f: f"{f.rng.choice(f.tenant.words)}-{f.rng.choice(['tmp', 'backup', 'sync', 'test', 'migrate', 'v2', 'ops', 'audit'])}{f.rng.randint(1, 99)}",
    "partner": lambda f: f.rng.choice(f.tenant.partners), "partnerbucket": lambda f: f"{f.rng.choice(f.tenant.words)}-replica-{hexa(f.rng, 6)}", "otherregion": lambda f: f.rng.choice(["af-south-1", "eu-south-1", "me-south-1", "ap-east-1"]), "email": lambda f: f"{f.rng.choice(['noreply', 'info', 'news', 'billing'])}@{f.tenant.domain}",
    "domain2": lambda f: f"{f.rng.choice(f.tenant.words)}.{f.tenant.domain}", "oidcurl": lambda f: "https://" + f.rng.choice(["token.actions.githubusercontent.com", "gitlab.com", f"oidc.eks.{f.region}.amazonaws.com/id/{hexa(f.rng, 32).upper()}", "app.terraform.io"]),
    "image": lambda f: f"{f.account.id}.dkr.ecr.{f.region}.amazonaws.com/{f.pick('repo')}:{hexa(f.rng, 7)}", "privip": lambda f: f"10.{f.rng.randint(0, 60)}.{f.rng.randint(0, 255)}.{f.rng.randint(4, 254)}", "host": lambda f: f.pick("svc"), "azl": lambda f: f.rng.choice("abc"),
    "ctxkey": lambda f: f.rng.choice(["aws:s3:arn", "SecretARN", "aws:lambda:FunctionArn", "PARAMETER_ARN"]), "ctxval": lambda f: f"arn:aws:s3:::{f.pick('bucket')}", "group": lambda f: f.rng.choice(["admins", "developers", "ops", "readonly"]), "istore": lambda f: "d-" + f.account.id[:10],
}
