"""One tenant: its habits, its accounts and the things in them."""
from __future__ import annotations

import calendar
from datetime import date
from typing import Dict, List

from . import names
from .chance import MIXED, UPPER, Chance, Streams
from .model import Account
from .network import Network

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
        self.company = rng.choice(names.COMPANY)
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
        name = (["production", "shared", "security", "data", "staging", "sandbox"] + [f"{team}-prod" for team in names.TEAMS])[number]
        account = Account(rng.digits(12), name, rng.sample(self.regions, rng.randint(1, len(self.regions))))
        company, size = self.company, rng.randint(8, 30)
        ids = {"instance": "i-", "volume": "vol-", "snapshot": "snap-", "ami": "ami-", "sg": "sg-", "subnet": "subnet-", "vpc": "vpc-", "lt": "lt-"}
        things: Dict[str, List[str]] = {name: [mark + rng.hexs(17) for _ in range(max(2, size if name in ("instance", "volume", "snapshot") else size // 3))] for name, mark in ids.items()}
        things["bucket"] = names.many(lambda: names.bucket(rng, company), size)
        things["table"] = names.many(lambda: f"{rng.choice(names.SYSTEMS)}{rng.choice(['', '-items', '-state', '-events', '-users', '-locks'])}", size)
        things["secret"] = [f"arn:aws:secretsmanager:{rng.choice(account.regions)}:{account.id}:secret:{item}-{rng.text(6, 'ABCDEFabcdefghijk0123456789')}" for item in
                            names.many(lambda: f"{rng.choice(['prod', 'prod', 'shared', 'dev'])}/{rng.choice(names.SYSTEMS)}/{rng.choice(SECRETS)}", size + 10)]
        things["kmsarn"] = [f"arn:aws:kms:{rng.choice(account.regions)}:{account.id}:key/{rng.uuid()}" for _ in range(size // 2)]
        things["func"] = names.many(lambda: f"{rng.choice(names.SYSTEMS)}-{rng.choice(names.PARTS)}", size)
        things["queue"], things["stream"] = things["func"][: size // 2], things["func"][size // 2:]
        things["topic"] = [f"arn:aws:sns:{account.regions[0]}:{account.id}:{item}-topic" for item in things["func"][:6]]
        things["cluster"] = [f"{company}-{env}" for env in rng.sample(["prod", "staging", "data", "tools"], 2)]
        things["db"] = names.many(lambda: f"{rng.choice(names.SYSTEMS)}-{rng.choice(['db', 'pg', 'mysql', 'aurora'])}", 8)
        things["loggroup"] = [f"/aws/{rng.choice(['lambda', 'ecs', 'eks', 'rds'])}/{item}" for item in things["func"]]
        things["repo"] = things["func"][: max(3, size // 2)]
        things["stack"] = [f"{item}-stack" for item in things["func"][:8]]
        things["param"] = names.many(lambda: f"/{rng.choice(['prod', 'dev'])}/{rng.choice(names.SYSTEMS)}/{rng.choice(['db_password', 'api_url', 'token', 'feature', 'key'])}", size)
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
        tables = names.many(lambda: f"{rng.choice(names.SYSTEMS).upper()}{rng.choice(['', '_FACT', '_DIM', '_EVENTS', '_PII', '_DAILY'])}", 40)
        shared = {"team": rng.sample(names.TEAMS, 8), "service": names.many(lambda: f"{rng.choice(names.SYSTEMS)}-{rng.choice(names.PARTS)}", 40), "model": rng.sample(MODELS, 6),
                  "partner": [rng.digits(12) for _ in range(rng.randint(3, 8))], "partnerdomain": names.many(lambda: names.domain(rng), 10),
                      "partnerbucket": [f"{rng.choice(names.VENDORS)}-{rng.choice(names.SYSTEMS)}-{rng.text(5)}" for _ in range(4)],
                  "project": [f"{company}-{item}-{rng.text(4)}" for item in rng.sample(["prod", "data", "ml", "shared", "dev", "analytics"], rng.randint(2, 5))],
                  "gbucket": names.many(lambda: names.bucket(rng, company), 16), "dataset": rng.sample(names.SYSTEMS, 8),
                      "gsecret": names.many(lambda: f"{rng.choice(names.SYSTEMS)}-{rng.choice(['db', 'token', 'key'])}", 14),
                  "ginstance": [f"gke-main-pool-{rng.hexs(8)}-{rng.text(4)}" for _ in range(12)], "subscription": [rng.uuid() for _ in range(rng.randint(1, 4))],
                      "group": [f"rg-{item}-{rng.choice(['prod', 'dev', 'shared'])}" for item in rng.sample(names.SYSTEMS, 8)],
                  "vm": [f"vm-{rng.choice(names.SYSTEMS)}-{n:02d}" for n in range(14)], "storage": [f"st{company}{rng.choice(names.SYSTEMS)}{rng.text(3)}"[:24] for _ in range(8)],
                      "keyvault": [f"kv-{company}-{rng.choice(names.SYSTEMS)}" for _ in range(6)],
                  "ghrepo": names.many(lambda: f"{rng.choice(names.SYSTEMS)}-{rng.choice(names.PARTS)}", max(12, identities // 5)), "ghsecret": ["AWS_ACCESS_KEY_ID", "NPM_TOKEN",
                      "DEPLOY_KEY", "SONAR_TOKEN", "DOCKER_PASSWORD", "SLACK_WEBHOOK"],
                  "namespace": [item for item in rng.sample(names.SYSTEMS, 10)] + ["kube-system", "monitoring", "argocd", "default", "ingress"],
                      "kcluster": [f"{company}-{env}" for env in ("prod", "staging")][: rng.randint(1, 2)],
                  "sdb": ["ANALYTICS", "RAW", "FINANCE", "MARTS"], "stable": tables, "swarehouse": ["LOAD_WH", "TRANSFORM_WH", "BI_WH", "ADHOC_WH"], "srole": ["LOADER", "TRANSFORMER",
                      "REPORTER", "ANALYST", "SYSADMIN", "ACCOUNTADMIN", "SECURITYADMIN"],
                  "vleaf": names.many(lambda: f"{rng.choice(names.TEAMS)}/{rng.choice(names.SYSTEMS)}/{rng.choice(['db', 'api', 'tls', 'smtp', 'cloud'])}", 40),
                      "db": names.many(lambda: f"sql-{rng.choice(names.SYSTEMS)}-{rng.choice(['prod', 'dev'])}", 5), "oktaapp": ["Salesforce", "AWS IAM Identity Center", "Slack",
                          "GitHub Enterprise", "Workday", "Snowflake", "Jira", "Zoom"],
                  "site": [f"https://{company}.sharepoint.com/sites/{item}" for item in rng.sample(names.TEAMS, 6)], "upn": [], "gsa": [], "suser": [], "login": [], "appname": []}
        return shared

    def rolearn(self, account: Account, name: str) -> str:
        return f"arn:aws:iam::{account.id}:role/{name}"
