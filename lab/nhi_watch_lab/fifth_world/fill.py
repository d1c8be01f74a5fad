"""Fills the variables of a call's parameters from arguments, from the caller's own things, from its account, or by making them up."""
from __future__ import annotations

import re
import time as clock
from typing import Any, Callable, Dict, List, Optional

from . import names
from .chance import ALNUM, MIXED, UPPER, Chance
from .model import Identity
from .tenant import FAR_REGIONS, Tenant

VARIABLE = re.compile(r"\$(?:\{([A-Za-z0-9]+)\}|([A-Za-z0-9]+))")
FRESH = ("uuid", "hex17", "b64", "base16", "base17", "b43", "hex64")
SUFFIXES = ("parquet", "json.gz", "csv", "log.gz", "avro", "json")
STRONG = ["AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "AmazonS3FullAccess", "IAMFullAccess", "AmazonEC2FullAccess", "SecurityAudit", "AmazonSSMManagedInstanceCore",
    "AmazonBedrockFullAccess", "CloudWatchFullAccess"]
_PARTS: Dict[str, List[str]] = {}
_DATES: Dict[int, str] = {}


def iso(time: float) -> str:
    """2026-03-02T01:02:03Z, quick for many times of the same day."""
    whole = int(time)
    day, rest = divmod(whole, 86400)
    if day not in _DATES:
        _DATES[day] = clock.strftime("%Y-%m-%d", clock.gmtime(day * 86400))
    return f"{_DATES[day]}T{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}Z"


def iso_fraction(time: float, digits: int, rng: Chance) -> str:
    """The same with a fraction of a second."""
    fraction = int((time - int(time)) * 1000)
    text = f"{fraction:03d}" + (rng.text(digits - 3, "0123456789") if digits > 3 else "")
    return iso(time)[:-1] + "." + text[:digits] + "Z"


def _object_key(f: "Filler") -> str:
    prefix = f.var("prefix")
    day = iso(f.time - (f.rng.randint(0, 2) if f.rng.chance(0.7) else f.rng.randint(0, 90)) * 86400)[:10].replace("-", "/")
    return f"{prefix}{day}/{f.rng.choice(['part-', '', 'data-'])}{f.rng.hexs(8)}.{f.rng.choice(SUFFIXES)}"


def _policy(f: "Filler") -> str:
    action, resource = f.rng.choice([('"s3:GetObject"', f"arn:aws:s3:::{f.var('bucket')}/*"), ('"sqs:*"', "*"), ('"kms:Decrypt"', f.var("kmsarn")), ('"*"', "*"), ('["s3:*","dynamodb:*"]',
        "*"), ('"sts:AssumeRole"', "*"), ('"iam:PassRole"', "*"), ('["logs:*"]', "*")])
    return '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%s,"Resource":"%s"}]}' % (action, resource)


def _trust(f: "Filler") -> str:
    who = f.rng.pick([('{"Service":"%s.amazonaws.com"}' % f.rng.choice(["lambda", "ecs-tasks", "ec2", "states"]), 6.0), ('{"AWS":"%s"}' % f.var("principalarn"), 3.0)])
    return '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":%s,"Action":"sts:AssumeRole"}]}' % who


def _share(f: "Filler") -> str:
    return '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"%s"},"Action":"%s","Resource":"*"}]}' % (f.var("principalarn"), f.rng.choice(["*", "kms:Decrypt",
        "secretsmanager:GetSecretValue", "ecr:BatchGetImage"]))


def _peer(f: "Filler") -> str:
    inner = [account.id for account in f.tenant.accounts]
    return f.rng.choice(inner) if f.rng.chance(0.7) else (f.rng.choice(f.tenant.things["partner"]) if f.rng.chance(0.9) else f.rng.digits(12))


def _shared(name: str) -> Callable[["Filler"], Any]:
    return lambda f: f.favourite(f.tenant.things[name])


def _one(*options: Any) -> Callable[["Filler"], Any]:
    return lambda f: f.rng.choice(options)


def _text(count: int, alphabet: str) -> Callable[["Filler"], str]:
    return lambda f: f.rng.text(count, alphabet)


MAKERS: Dict[str, Callable[["Filler"], Any]] = {
    "key": _object_key, "prefix": lambda f: f.rng.choice(["raw/", "exports/", "daily/", "in/", "backups/", "reports/"]), "policydoc": _policy, "trustdoc": _trust, "sharepolicy": _share, "peer": _peer,
    "principalarn": lambda f: f"arn:aws:iam::{f.var('peer')}:{f.rng.choice(['root', 'root', 'role/' + f.rng.choice(names.SYSTEMS)])}",
        "account": lambda f: f.who.account.id if f.who.account else f.tenant.accounts[0].id, "region": lambda f: f.who.region or f.tenant.regions[0],
    "otherregion": lambda f: f.rng.choice(f.tenant.regions), "newregion": lambda f: f.rng.choice(FAR_REGIONS), "az": lambda f: f.var("region") + f.rng.choice("abc"),
        "newname": lambda f: names.invented(f.rng), "NEWNAME": lambda f: names.invented(f.rng).upper().replace("-", "_"),
    "newbucket": lambda f: names.bucket(f.rng, f.tenant.company) + "-" + f.rng.text(4), "uuid": lambda f: f.rng.uuid(), "stamp": lambda f: iso(f.time)[:16].replace(":", "-").lower(),
        "date": lambda f: iso(f.time)[:10], "millis": lambda f: int(f.time * 1000),
    "awsdate": lambda f: _awsdate(f.time), "awsexpiry": lambda f: _awsdate(f.time + 3600), "count": lambda f: 1 + int(f.rng.expovariate(0.3)), "size": _one(8, 16, 20, 50, 100, 100, 200,
        500), "flag": _one(True, False), "port": _one(443, 443, 8443, 5432, 22, 3306, 8080, 3389),
    "cidr": lambda f: f.rng.pick([(f"10.{f.rng.randint(0, 250)}.0.0/16", 6.0), (f.tenant.network.draw(f.rng, f.rng.choice(["office", "vendor", "home", "hosting"])) + "/32", 4.0), ("0.0.0.0/0", 1.0)]),
    "note": lambda f: f.rng.choice(names.NOTES), "team": _shared("team"), "service": _shared("service"), "model": _shared("model"), "env": _one("prod", "staging", "dev"),
        "tagkey": _one("Name", "team", "cost-center", "Environment"),
    "itype": _one("t3.medium", "m6i.large", "c6i.xlarge", "m7g.xlarge", "r6i.large", "t3.small", "g5.2xlarge", "p3.2xlarge", "c6a.8xlarge"), "document": _one("AWS-RunPatchBaseline",
        "AWS-RunPatchBaseline", "AWS-RunShellScript", "AWS-RunShellScript", "AWS-RunPowerShellScript"), "timeout": _one(600, 3600, 3600, 7200, 43200),
    "sessionname": lambda f: f.rng.pick([("botocore-session-" + str(int(f.time)), 4.0), ("aws-go-sdk-" + str(int(f.time * 1e6)), 2.0), (f.var("service"), 3.0)]),
        "strongpolicy": lambda f: "arn:aws:iam::aws:policy/" + f.rng.choice(STRONG), "principal": lambda f: f.rng.choice(["events.amazonaws.com", "s3.amazonaws.com",
            "apigateway.amazonaws.com", f.var("peer"), "*"]),
    "domain": lambda f: f.rng.choice(f.tenant.things["partnerdomain"]) if f.rng.chance(0.8) else names.domain(f.rng), "tenantdomain": lambda f: f.tenant.domain,
        "sinkbucket": lambda f: f.var("bucket" if f.who.account else "gbucket") if f.rng.chance(0.75) else f.rng.choice(f.tenant.things["partnerbucket"]),
    "versioning": _one("Enabled", "Enabled", "Suspended"), "expirydays": _one(1, 7, 14, 30, 90, 365), "window": _one(7, 7, 14, 30, 30), "filter": _one("ERROR", "Exception", "timeout",
        "password", "token", "status=500"), "quotaservice": _one("ec2", "bedrock", "lambda", "ses"),
    "rolearn": lambda f: f.tenant.rolearn(f.who.account or f.tenant.accounts[0], f.var("rolename")), "bucketarn": lambda f: f"arn:aws:s3:::{f.var('bucket')}",
        "objectarn": lambda f: f"arn:aws:s3:::{f.var('bucket')}/{f.var('key')}",
    "assumedarn": lambda f: f.var("rolearn").replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/" + f.var("sessionname"),
        "tablearn": lambda f: f"arn:aws:dynamodb:{f.var('region')}:{f.var('account')}:table/{f.var('table')}",
            "funcarn": lambda f: f"arn:aws:lambda:{f.var('region')}:{f.var('account')}:function:{f.var('func')}",
                "repoarn": lambda f: f"arn:aws:ecr:{f.var('region')}:{f.var('account')}:repository/{f.var('repo')}",
    "paramarn": lambda f: f"arn:aws:ssm:{f.var('region')}:{f.var('account')}:parameter{f.var('param')}",
        "endpointarn": lambda f: f"arn:aws:sagemaker:{f.var('region')}:{f.var('account')}:endpoint/{f.var('service')}",
            "metricarn": lambda f: f"arn:aws:cloudwatch:{f.var('region')}:{f.var('account')}:metric/*",
                "kbarn": lambda f: f"arn:aws:bedrock:{f.var('region')}:{f.var('account')}:knowledge-base/{f.var('kb')}",
    "fingerprint": lambda f: ":".join(f.rng.hexs(2) for _ in range(20)), "b64": lambda f: f.rng.text(44, MIXED) + "==", "b43": _text(43, MIXED), "base8": _text(8, UPPER), "base9": _text(9,
        MIXED), "base10": _text(10, UPPER), "base13": _text(13, UPPER), "base16": _text(16, UPPER), "base17": _text(17, UPPER),
    "alnum6": _text(6, MIXED), "alnum12": _text(12, ALNUM), "alnum32": _text(32, ALNUM), "ALNUM8": lambda f: f.rng.text(7, UPPER), "HEX8": lambda f: f.rng.hexs(8).upper(),
        "int8": lambda f: int(f.rng.digits(8)), "int10": lambda f: int(f.rng.digits(10)), "session": lambda f: f.who.ids.get("session", f.rng.text(9)),
    "project": _shared("project"), "gbucket": _shared("gbucket"), "gsink": lambda f: f.var("gbucket"), "dataset": _shared("dataset"), "gsecret": _shared("gsecret"),
        "ginstance": _shared("ginstance"), "gzone": _one("europe-west1-b", "europe-west1-c", "us-central1-a"), "gtype": _one("e2-standard-4", "n2-standard-8", "a2-highgpu-1g", "e2-small"),
    "gsa": _shared("gsa"), "gmember": lambda f: f.rng.pick([("serviceAccount:" + f.var("gsa"), 6.0), (f"user:{names.person(f.rng)}@{f.tenant.domain}", 2.0),
        (f"user:{names.person(f.rng).replace('.', '')}@gmail.com", 0.5), ("allAuthenticatedUsers", 0.2)]), "grole": _one("roles/viewer", "roles/editor", "roles/owner",
            "roles/storage.admin", "roles/bigquery.dataViewer", "roles/run.invoker"),
    "vm": _shared("vm"), "storage": _shared("storage"), "keyvault": _shared("keyvault"), "group": _shared("group"), "azrole": _one("Contributor", "Reader", "Reader",
        "Storage Blob Data Reader", "AcrPull", "Owner", "User Access Administrator"),
    "graphrole": _one("User.Read.All", "Group.Read.All", "Mail.Read", "Files.Read.All", "Directory.Read.All", "Mail.ReadWrite", "Sites.Read.All", "RoleManagement.ReadWrite.Directory",
        "AppRoleAssignment.ReadWrite.All"), "graphscope": _one("User.Read openid profile", "Mail.Read offline_access", "Files.Read.All offline_access", "Calendars.Read", "User.Read",
            "Mail.ReadWrite Mail.Send offline_access"),
    "entrarole": _one("Directory Readers", "Exchange Administrator", "Application Administrator", "Global Administrator", "Reports Reader", "Privileged Role Administrator"),
        "castate": _one("enabled", "disabled", "enabledForReportingButNotEnforced"), "upn": _shared("upn"),
    "outsideorg": lambda f: f.rng.choice(["", "the"]) + f.rng.choice(names.COMPANY) + f.rng.choice(["-dev", "", "io"]), "outsideuser": lambda f: f.rng.choice(f.tenant.things["login"])
        if f.rng.chance(0.8) else names.person(f.rng).replace(".", f.rng.choice(["-", "", "_"])) + str(f.rng.randint(1, 99)),
    "ghworkflow": _one("CI", "Deploy", "Release", "Nightly", "Lint", "Security scan"), "ghbranch": lambda f: f.rng.pick([("main", 5.0),
        (f"feature/{f.rng.choice(names.SYSTEMS)}-{f.rng.randint(1, 999)}", 3.0), ("develop", 1.0), (f"dependabot/npm-{f.rng.text(5)}", 1.0)]), "ghsecret": _shared("ghsecret"),
            "ghroute": _one("/repos/:owner/:repo/contents", "/orgs/:org/repos", "/repos/:owner/:repo/pulls", "/orgs/:org/members", "/repos/:owner/:repo/actions/runs", "/search/code"),
    "sdb": _shared("sdb"), "sschema": _one("PUBLIC", "CORE", "MART"), "stage": lambda f: f.var("service").upper().replace("-", "_"), "srole": _shared("srole"),
        "swarehouse": _shared("swarehouse"), "swsize": _one("SMALL", "MEDIUM", "LARGE", "XLARGE"), "suser": _shared("suser"), "days": _one(0, 1, 7, 30, 90),
    "vleaf": _shared("vleaf"), "vpath": lambda f: "secret/data/" + f.var("vleaf"), "vlist": lambda f: "secret/metadata/" + f.var("vleaf").rsplit("/", 1)[0],
        "vmount": lambda f: f.who.ids.get("mount", "approle")}


def _awsdate(time: float) -> str:
    moment = clock.gmtime(int(time))
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"{months[moment.tm_mon - 1]} {moment.tm_mday}, {moment.tm_year}, {moment.tm_hour % 12 or 12}:{moment.tm_min:02d}:{moment.tm_sec:02d} {'AM' if moment.tm_hour < 12 else 'PM'}"


class Filler:
    """Variables of one record; a name keeps its value within the record, apart from ids."""

    tenant: Tenant
    who: Identity
    rng: Chance
    time: float

    def __init__(self, tenant: Tenant, who: Identity, rng: Chance, time: float, args: Optional[Dict[str, Any]] = None) -> None:
        self.tenant, self.who, self.rng, self.time = tenant, who, rng, time
        self.known: Dict[str, Any] = dict(args) if args else {}

    def favourite(self, items: List[Any]) -> Any:
        """Earlier items are taken more often."""
        return items[int(len(items) * self.rng.random() ** 2)] if items else self.rng.text(8)

    def var(self, name: str) -> Any:
        if name in self.known:
            return self.known[name]
        value = self._make(name)
        if name not in FRESH:
            self.known[name] = value
        return value

    def _make(self, name: str) -> Any:
        own = self.who.things.get(name)
        if own:
            return self.favourite(own)
        account = self.who.account
        if name == "table" and self.who.product in ("gcp", "snowflake"):
            return self.favourite(self.tenant.things["stable"])
        if account is not None and account.things.get(name):
            return self.favourite(account.things[name])
        maker = MAKERS.get(name)
        if maker is not None:
            return maker(self)
        if self.tenant.things.get(name):
            return self.favourite(self.tenant.things[name])
        if name.startswith("hex"):
            return self.rng.hexs(int(name[3:]))
        return "$" + name

    def fill(self, template: Any) -> Any:
        if isinstance(template, str):
            return self._text(template) if "$" in template else template
        if isinstance(template, dict):
            return {key: self.fill(value) for key, value in template.items()}
        if isinstance(template, list):
            return [self.fill(value) for value in template]
        return template

    def _text(self, template: str) -> Any:
        parts = _PARTS.get(template)
        if parts is None:
            parts = _PARTS[template] = [piece for piece in VARIABLE.split(template)]
        if len(parts) == 4 and not parts[0] and not parts[3]:
            return self.var(parts[1] or parts[2])
        out = [parts[0]]
        for index in range(1, len(parts), 3):
            out.append(str(self.var(parts[index] or parts[index + 1])))
            out.append(parts[index + 2])
        return "".join(out)
