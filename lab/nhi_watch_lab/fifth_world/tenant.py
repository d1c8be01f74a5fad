"""A tenant, and the values that fill the parameters of its calls."""

from __future__ import annotations

import calendar
import re
import time as clock
from datetime import date
from typing import Any, Callable, Dict, List, Optional

from nhi_watch_lab.fifth_world import model
from nhi_watch_lab.fifth_world.clients import Network
from nhi_watch_lab.fifth_world.model import ALNUM, MIXED, UPPER, Account, Chance, Identity, Streams

# ---- one tenant: its habits, its accounts and the things in them

REGIONS = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2", "eu-north-1", "ap-southeast-1", "eu-west-2", "us-east-2", "ap-south-1"]
FAR_REGIONS = ["ap-northeast-1", "ap-northeast-3", "ca-central-1", "sa-east-1", "eu-west-3", "ap-southeast-2", "eu-south-1", "us-west-1", "ap-northeast-2"]
OPTIONAL = ["entra", "azure", "m365", "gcp", "github", "kubernetes", "okta", "snowflake", "vault"]
SECRETS = ["db", "api-key", "token", "smtp", "oauth", "stripe", "signing"]
MODELS = ["anthropic.claude-3-5-sonnet-20240620-v1:0", "anthropic.claude-3-haiku-20240307-v1:0", "amazon.titan-embed-text-v2:0", "amazon.nova-lite-v1:0",
    "anthropic.claude-sonnet-4-20250514-v1:0", "meta.llama3-70b-instruct-v1:0", "amazon.nova-pro-v1:0",
          "cohere.embed-multilingual-v3", "mistral.mistral-large-2407-v1:0", "anthropic.claude-opus-4-20250514-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"]


def draw_habits(rng: Chance) -> Dict[str, float]:
    """How this tenant lives; every rate is drawn widely."""
    spans = {"new_call_days": (0.001, 0.04), "upgrade_days": (0.004, 0.05), "move_days": (0.001, 0.012), "rotation_days": (0.001, 0.02), "debug_days": (0.002, 0.03),
        "region_days": (0.0003, 0.006), "widen_days": (0.003, 0.04),
             "error_share": (0.002, 0.02), "records_per_machine_day": (7.5, 12.5), "own_targets": (0.9, 0.995), "jitter": (0.02, 0.3), "person_script_days": (0.02, 0.3), "loudest_share": (0.03, 0.25)}
    habits = {name: rng.log_between(low, high) for name, (low, high) in spans.items()}
    flat = {"people_share": (0.10, 0.30), "newcomers": (0.02, 0.14), "retirees": (0.01, 0.08), "weekend": (0.05, 0.5), "aws_share": (0.58, 0.73), "external_workers": (0.0, 0.25),
        "console_share": (0.4, 0.9), "timezone": (-6, 3)}
    habits.update({name: rng.uniform(low, high) for name, (low, high) in flat.items()})
    counts = {"migrations": (1, 6), "rollouts": (1, 6), "outages": (0, 4), "pentests": (0, 2), "cleanups": (1, 5), "backfills": (2, 9), "drills": (0, 2), "responses": (0, 3), "audits": (0,
        2), "loads": (0, 5), "handovers": (0, 8)}
    habits.update({name: float(rng.randint(low, high)) for name, (low, high) in counts.items()})
    habits["data_events"] = float(rng.chance(0.88))
    habits["naming"] = float(rng.randint(0, 5))
    return {name: round(value, 5) for name, value in habits.items()}


class Tenant:
    """Names, accounts, resources and the calendar."""

    def __init__(self, streams: Streams, identities: int, days: int, history_days: int, start: date) -> None:
        rng = streams("tenant")
        self.streams, self.days, self.history_days, self.first = streams, days, history_days, start
        self.start = float(calendar.timegm(start.timetuple()))
        self.end = self.start + days * 86400.0
        self.cut = self.start + history_days * 86400.0
        self.habits = draw_habits(streams("habits"))
        self.network = Network(streams("network"))
        self.company = rng.choice(model.COMPANY)
        self.domain = f"{self.company}.{rng.choice(['com', 'io', 'eu', 'net'])}"
        self.regions = rng.sample(REGIONS, rng.randint(2, 4))
        optional = rng.sample(OPTIONAL, rng.randint(5, 8))
        self.products = ["aws"] + [name for name in OPTIONAL if name in optional]
        self.entra_id, self.okta_org = rng.uuid(), f"{self.company}.okta.com"
        self.github_org, self.github_org_id = rng.choice([self.company, f"{self.company}-dev", f"{self.company}hq"]), rng.randint(10**7, 10**8)
        count = rng.randint(2, 3 + min(9, identities // 40))
        self.accounts = [self._account(rng, number) for number in range(count)]
        self.things = self._shared(rng, identities)

    def _account(self, rng: Chance, number: int) -> Account:
        name = (["production", "shared", "security", "data", "staging", "sandbox"] + [f"{team}-prod" for team in model.TEAMS])[number]
        account = Account(rng.digits(12), name, rng.sample(self.regions, rng.randint(1, len(self.regions))))
        company, size = self.company, rng.randint(8, 30)
        ids = {"instance": "i-", "volume": "vol-", "snapshot": "snap-", "ami": "ami-", "sg": "sg-", "subnet": "subnet-", "vpc": "vpc-", "lt": "lt-"}
        things: Dict[str, List[str]] = {name: [mark + rng.hexs(17) for _ in range(max(2, size if name in ("instance", "volume", "snapshot") else size // 3))] for name, mark in ids.items()}
        things["bucket"] = model.many(lambda: model.bucket(rng, company), size)
        things["table"] = model.many(lambda: f"{rng.choice(model.SYSTEMS)}{rng.choice(['', '-items', '-state', '-events', '-users', '-locks'])}", size)
        things["secret"] = [f"arn:aws:secretsmanager:{rng.choice(account.regions)}:{account.id}:secret:{item}-{rng.text(6, 'ABCDEFabcdefghijk0123456789')}" for item in
                            model.many(lambda: f"{rng.choice(['prod', 'prod', 'shared', 'dev'])}/{rng.choice(model.SYSTEMS)}/{rng.choice(SECRETS)}", size + 10)]
        things["kmsarn"] = [f"arn:aws:kms:{rng.choice(account.regions)}:{account.id}:key/{rng.uuid()}" for _ in range(size // 2)]
        things["func"] = model.many(lambda: f"{rng.choice(model.SYSTEMS)}-{rng.choice(model.PARTS)}", size)
        things["queue"], things["stream"] = things["func"][: size // 2], things["func"][size // 2:]
        things["topic"] = [f"arn:aws:sns:{account.regions[0]}:{account.id}:{item}-topic" for item in things["func"][:6]]
        things["cluster"] = [f"{company}-{env}" for env in rng.sample(["prod", "staging", "data", "tools"], 2)]
        things["db"] = model.many(lambda: f"{rng.choice(model.SYSTEMS)}-{rng.choice(['db', 'pg', 'mysql', 'aurora'])}", 8)
        things["loggroup"] = [f"/aws/{rng.choice(['lambda', 'ecs', 'eks', 'rds'])}/{item}" for item in things["func"]]
        things["repo"] = things["func"][: max(3, size // 2)]
        things["stack"] = [f"{item}-stack" for item in things["func"][:8]]
        things["param"] = model.many(lambda: f"/{rng.choice(['prod', 'dev'])}/{rng.choice(model.SYSTEMS)}/{rng.choice(['db_password', 'api_url', 'token', 'feature', 'key'])}", size)
        things["trail"] = [f"arn:aws:cloudtrail:{self.regions[0]}:{account.id}:trail/{company}-org-trail"]
        things["zone"] = ["Z" + rng.text(20, UPPER) for _ in range(3)]
        things["asg"] = [f"{item}-asg" for item in things["func"][:5]]
        things["tg"] = [f"arn:aws:elasticloadbalancing:{account.regions[0]}:{account.id}:targetgroup/{item}/{rng.hexs(16)}" for item in things["func"][:8]]
        things["keypair"] = [f"{company}-ops", f"{company}-legacy"]
        things["policyarn"] = [f"arn:aws:iam::{account.id}:policy/{item}-policy" for item in things["func"][:8]]
        things["kb"], things["guardrail"] = [rng.text(10, UPPER) for _ in range(4)], [rng.text(12) for _ in range(2)]
        things["pool"] = [f"{account.regions[0]}_{rng.text(9, MIXED)}" for _ in range(3)]
        things["dist"], things["cert"], things["detector"] = ["E" + rng.text(13, UPPER) for _ in range(4)], [rng.uuid() for _ in range(5)], [rng.hexs(32)]
        things["rolename"] = ["OrganizationAccountAccessRole"]
        things["user"], things["accesskey"] = rng.sample(["legacy-admin", "ses-smtp-user", "old-ci", "root-backup", "vendor-upload"], 2), ["AKIA" + rng.text(16, UPPER) for _ in range(2)]
        account.things = things
        return account

    def _shared(self, rng: Chance, identities: int) -> Dict[str, List[str]]:
        company = self.company
        tables = model.many(lambda: f"{rng.choice(model.SYSTEMS).upper()}{rng.choice(['', '_FACT', '_DIM', '_EVENTS', '_PII', '_DAILY'])}", 40)
        shared = {"team": rng.sample(model.TEAMS, 8), "service": model.many(lambda: f"{rng.choice(model.SYSTEMS)}-{rng.choice(model.PARTS)}", 40), "model": rng.sample(MODELS, 6),
                  "partner": [rng.digits(12) for _ in range(rng.randint(3, 8))], "partnerdomain": model.many(lambda: model.domain(rng), 10),
                      "partnerbucket": [f"{rng.choice(model.VENDORS)}-{rng.choice(model.SYSTEMS)}-{rng.text(5)}" for _ in range(4)],
                  "project": [f"{company}-{item}-{rng.text(4)}" for item in rng.sample(["prod", "data", "ml", "shared", "dev", "analytics"], rng.randint(2, 5))],
                  "gbucket": model.many(lambda: model.bucket(rng, company), 16), "dataset": rng.sample(model.SYSTEMS, 8),
                      "gsecret": model.many(lambda: f"{rng.choice(model.SYSTEMS)}-{rng.choice(['db', 'token', 'key'])}", 14),
                  "ginstance": [f"gke-main-pool-{rng.hexs(8)}-{rng.text(4)}" for _ in range(12)], "subscription": [rng.uuid() for _ in range(rng.randint(1, 4))],
                      "group": [f"rg-{item}-{rng.choice(['prod', 'dev', 'shared'])}" for item in rng.sample(model.SYSTEMS, 8)],
                  "vm": [f"vm-{rng.choice(model.SYSTEMS)}-{n:02d}" for n in range(14)], "storage": [f"st{company}{rng.choice(model.SYSTEMS)}{rng.text(3)}"[:24] for _ in range(8)],
                      "keyvault": [f"kv-{company}-{rng.choice(model.SYSTEMS)}" for _ in range(6)],
                  "ghrepo": model.many(lambda: f"{rng.choice(model.SYSTEMS)}-{rng.choice(model.PARTS)}", max(12, identities // 5)), "ghsecret": ["AWS_ACCESS_KEY_ID", "NPM_TOKEN",
                      "DEPLOY_KEY", "SONAR_TOKEN", "DOCKER_PASSWORD", "SLACK_WEBHOOK"],
                  "namespace": [item for item in rng.sample(model.SYSTEMS, 10)] + ["kube-system", "monitoring", "argocd", "default", "ingress"],
                      "kcluster": [f"{company}-{env}" for env in ("prod", "staging")][: rng.randint(1, 2)],
                  "sdb": ["ANALYTICS", "RAW", "FINANCE", "MARTS"], "stable": tables, "swarehouse": ["LOAD_WH", "TRANSFORM_WH", "BI_WH", "ADHOC_WH"], "srole": ["LOADER", "TRANSFORMER",
                      "REPORTER", "ANALYST", "SYSADMIN", "ACCOUNTADMIN", "SECURITYADMIN"],
                  "vleaf": model.many(lambda: f"{rng.choice(model.TEAMS)}/{rng.choice(model.SYSTEMS)}/{rng.choice(['db', 'api', 'tls', 'smtp', 'cloud'])}", 40),
                      "db": model.many(lambda: f"sql-{rng.choice(model.SYSTEMS)}-{rng.choice(['prod', 'dev'])}", 5), "oktaapp": ["Salesforce", "AWS IAM Identity Center", "Slack",
                          "GitHub Enterprise", "Workday", "Snowflake", "Jira", "Zoom"],
                  "site": [f"https://{company}.sharepoint.com/sites/{item}" for item in rng.sample(model.TEAMS, 6)], "upn": [], "gsa": [], "suser": [], "login": [], "appname": []}
        return shared

    def rolearn(self, account: Account, name: str) -> str:
        return f"arn:aws:iam::{account.id}:role/{name}"


# ---- fills the variables of a call's parameters from arguments, from the caller's own things, from its account, or by

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
    "principalarn": lambda f: f"arn:aws:iam::{f.var('peer')}:{f.rng.choice(['root', 'root', 'role/' + f.rng.choice(model.SYSTEMS)])}",
        "account": lambda f: f.who.account.id if f.who.account else f.tenant.accounts[0].id, "region": lambda f: f.who.region or f.tenant.regions[0],
    "otherregion": lambda f: f.rng.choice(f.tenant.regions), "newregion": lambda f: f.rng.choice(FAR_REGIONS), "az": lambda f: f.var("region") + f.rng.choice("abc"),
        "newname": lambda f: model.invented(f.rng), "NEWNAME": lambda f: model.invented(f.rng).upper().replace("-", "_"),
    "newbucket": lambda f: model.bucket(f.rng, f.tenant.company) + "-" + f.rng.text(4), "uuid": lambda f: f.rng.uuid(), "stamp": lambda f: iso(f.time)[:16].replace(":", "-").lower(),
        "date": lambda f: iso(f.time)[:10], "millis": lambda f: int(f.time * 1000),
    "awsdate": lambda f: _awsdate(f.time), "awsexpiry": lambda f: _awsdate(f.time + 3600), "count": lambda f: 1 + int(f.rng.expovariate(0.3)), "size": _one(8, 16, 20, 50, 100, 100, 200,
        500), "flag": _one(True, False), "port": _one(443, 443, 8443, 5432, 22, 3306, 8080, 3389),
    "cidr": lambda f: f.rng.pick([(f"10.{f.rng.randint(0, 250)}.0.0/16", 6.0), (f.tenant.network.draw(f.rng, f.rng.choice(["office", "vendor", "home", "hosting"])) + "/32", 4.0), ("0.0.0.0/0", 1.0)]),
    "note": lambda f: f.rng.choice(model.NOTES), "team": _shared("team"), "service": _shared("service"), "model": _shared("model"), "env": _one("prod", "staging", "dev"),
        "tagkey": _one("Name", "team", "cost-center", "Environment"),
    "itype": _one("t3.medium", "m6i.large", "c6i.xlarge", "m7g.xlarge", "r6i.large", "t3.small", "g5.2xlarge", "p3.2xlarge", "c6a.8xlarge"), "document": _one("AWS-RunPatchBaseline",
        "AWS-RunPatchBaseline", "AWS-RunShellScript", "AWS-RunShellScript", "AWS-RunPowerShellScript"), "timeout": _one(600, 3600, 3600, 7200, 43200),
    "sessionname": lambda f: f.rng.pick([("botocore-session-" + str(int(f.time)), 4.0), ("aws-go-sdk-" + str(int(f.time * 1e6)), 2.0), (f.var("service"), 3.0)]),
        "strongpolicy": lambda f: "arn:aws:iam::aws:policy/" + f.rng.choice(STRONG), "principal": lambda f: f.rng.choice(["events.amazonaws.com", "s3.amazonaws.com",
            "apigateway.amazonaws.com", f.var("peer"), "*"]),
    "domain": lambda f: f.rng.choice(f.tenant.things["partnerdomain"]) if f.rng.chance(0.8) else model.domain(f.rng), "tenantdomain": lambda f: f.tenant.domain,
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
    "gsa": _shared("gsa"), "gmember": lambda f: f.rng.pick([("serviceAccount:" + f.var("gsa"), 6.0), (f"user:{model.person(f.rng)}@{f.tenant.domain}", 2.0),
        (f"user:{model.person(f.rng).replace('.', '')}@gmail.com", 0.5), ("allAuthenticatedUsers", 0.2)]), "grole": _one("roles/viewer", "roles/editor", "roles/owner",
            "roles/storage.admin", "roles/bigquery.dataViewer", "roles/run.invoker"),
    "vm": _shared("vm"), "storage": _shared("storage"), "keyvault": _shared("keyvault"), "group": _shared("group"), "azrole": _one("Contributor", "Reader", "Reader",
        "Storage Blob Data Reader", "AcrPull", "Owner", "User Access Administrator"),
    "graphrole": _one("User.Read.All", "Group.Read.All", "Mail.Read", "Files.Read.All", "Directory.Read.All", "Mail.ReadWrite", "Sites.Read.All", "RoleManagement.ReadWrite.Directory",
        "AppRoleAssignment.ReadWrite.All"), "graphscope": _one("User.Read openid profile", "Mail.Read offline_access", "Files.Read.All offline_access", "Calendars.Read", "User.Read",
            "Mail.ReadWrite Mail.Send offline_access"),
    "entrarole": _one("Directory Readers", "Exchange Administrator", "Application Administrator", "Global Administrator", "Reports Reader", "Privileged Role Administrator"),
        "castate": _one("enabled", "disabled", "enabledForReportingButNotEnforced"), "upn": _shared("upn"),
    "outsideorg": lambda f: f.rng.choice(["", "the"]) + f.rng.choice(model.COMPANY) + f.rng.choice(["-dev", "", "io"]), "outsideuser": lambda f: f.rng.choice(f.tenant.things["login"])
        if f.rng.chance(0.8) else model.person(f.rng).replace(".", f.rng.choice(["-", "", "_"])) + str(f.rng.randint(1, 99)),
    "ghworkflow": _one("CI", "Deploy", "Release", "Nightly", "Lint", "Security scan"), "ghbranch": lambda f: f.rng.pick([("main", 5.0),
        (f"feature/{f.rng.choice(model.SYSTEMS)}-{f.rng.randint(1, 999)}", 3.0), ("develop", 1.0), (f"dependabot/npm-{f.rng.text(5)}", 1.0)]), "ghsecret": _shared("ghsecret"),
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
