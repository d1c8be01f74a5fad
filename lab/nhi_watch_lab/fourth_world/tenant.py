"""One enterprise: its trade, accounts, networks, habits and the things it owns."""
from dataclasses import dataclass
from typing import Callable, Dict, List

from .dice import Dice
from .model import PRODUCTS, Source
from .net import REGION_CITY, address, neighbours, private
from nhi_watch_lab.tables import table

INDUSTRIES = table(__file__, "tables.json/industries")
COMMON = "gateway notify reports mailer audit auth sessions cache events metrics warehouse finance hr archive sync intranet portal"
FIRST = ("Ana Ben Carla Dmitri Elif Farid Grace Hugo Ines Jonas Kavya Liam Mei Noah Olga Pedro Quinn Rosa Sam Tara Umar Vera Wei Xenia Yusuf Zoe Amir "
         "Bianca Chen Dario Emma Finn Gita Hana Ivan Julia Karl Lena Marco Nadia Oscar Priya Rafael Sofia Tomas Uma Victor Wanda Yara Zack").split()
LAST = ("Abbott Bauer Costa Dubois Eriksen Fischer Garcia Hughes Ito Jansen Kumar Lopez Meyer Novak Okafor Patel Quist Rossi Schmidt Tanaka Ueda "
        "Vargas Walsh Xu Young Zeman Adler Brandt Chopra Doyle Engel Farrell Gomez Haas Iyer Joshi Keller Lind Moreau Nilsen").split()
MODELS = ["anthropic.claude-3-5-sonnet-20240620-v1:0", "anthropic.claude-3-haiku-20240307-v1:0", "us.anthropic.claude-sonnet-4-20250514-v1:0",
          "amazon.titan-embed-text-v2:0", "amazon.nova-pro-v1:0", "meta.llama3-1-70b-instruct-v1:0", "cohere.embed-english-v3"]
AAD_RESOURCES = ["Microsoft Graph", "Office 365 Exchange Online", "Azure Key Vault", "Windows Azure Service Management API",
                 "Office 365 SharePoint Online", "Azure Storage", "Office 365 Management APIs", "Log Analytics API"]
AAD_APPS = ["Calendly", "Zoom", "DocuSign", "Grammarly", "Notion", "Slack", "Asana", "Miro", "Veeam Backup for M365", "HubSpot", "Salesforce Sync",
            "Mimecast", "Rewind", "ServiceNow Graph Connector", "Otter.ai", "Workato", "Zapier", "CloudM Migrate", "Box", "Perplexity Connector"]


@dataclass
class Tenant:
    seed: int
    industry: str
    domain: str
    accounts: List[str]
    regions: List[str]
    utc: float
    products: List[str]
    ids: Dict[str, str]
    stock: Dict[str, Dict[str, List[str]]]
    nats: Dict[str, List[Source]]
    offices: List[Source]
    datacentre: List[Source]
    vpn: List[Source]
    apps: List[str]
    habits: Dict[str, float]
    style: str

    def dice(self, *parts: object) -> Dice:
        return Dice("|".join([str(self.seed), *map(str, parts)]))

    def things(self, account: str, kind: str) -> List[str]:
        return self.stock[account].get(kind, [])

    def name(self, dice: Dice, noun: str) -> str:
        env, app = dice.pick(["prod", "prod", "prod", "stage", "dev", "shared"]), dice.pick(self.apps)
        text = {"a": f"{env}-{app}-{noun}", "b": f"{app}-{noun}-{env}", "c": f"{app}_{noun}", "d": f"svc-{app}-{noun}"}[self.style]
        return text if dice.chance(0.85) else f"{app}{noun.capitalize()}{dice.pick(['', 'V2', 'New', 'Legacy'])}"


def _aws_stock(dice: Dice, tenant: Tenant, scale: float) -> Dict[str, List[str]]:
    def many(noun: str, low: int, high: int) -> List[str]:
        count = max(2, int(dice.wide(low, high) * scale))
        return [f"{tenant.name(dice, noun)}{dice.pick(['', '', f'-{i}'])}" for i in range(count)]

    def idents(make: Callable[[], str], low: int, high: int) -> List[str]:
        return [make() for _ in range(max(2, int(dice.wide(low, high) * scale)))]

    org = tenant.domain.split(".")[0]
    return {"bucket": [f"{org}-{b}".lower().replace("_", "-") for b in many("data", 8, 40)], "prefix": [f"{dice.pick(tenant.apps)}/{dice.pick(['raw', 'curated', 'export', 'in', 'v1', 'logs'])}" for _ in range(20)],
            "secret": [f"{tenant.name(dice, 'db').replace('-', '/')}-{dice.alnum(6)}" for _ in range(max(4, int(dice.wide(12, 60) * scale)))],
            "param": ["/" + tenant.name(dice, "cfg").replace("-", "/") for _ in range(25)], "table": many("table", 5, 20), "gluedb": many("lake", 2, 8), "gluetable": many("facts", 10, 50),
            "kms": idents(dice.uuid, 4, 20), "user": many("key", 6, 20), "policy": many("policy", 6, 25), "func": many("fn", 10, 60),
            "instance": idents(lambda: "i-" + dice.hexes(17), 15, 80), "volume": idents(lambda: "vol-" + dice.hexes(17), 15, 60), "snapshot": idents(lambda: "snap-" + dice.hexes(17), 10, 60),
            "ami": idents(lambda: "ami-" + dice.hexes(17), 3, 12), "vpc": idents(lambda: "vpc-" + dice.hexes(17), 1, 5), "sg": idents(lambda: "sg-" + dice.hexes(17), 6, 30),
            "topic": many("topic", 3, 12), "queue": many("queue", 4, 15), "repo": many("img", 5, 25), "cluster": many("eks", 1, 4), "ecscluster": many("ecs", 1, 4), "workgroup": many("wg", 2, 6),
            "emr": idents(lambda: "j-" + dice.base32(13), 2, 6), "rs": many("dwh", 1, 3), "rds": many("db", 3, 12), "stack": many("stack", 6, 30), "loggroup": many("log", 8, 30), "trail": ["org-trail", "management-events"],
            "zone": idents(lambda: "Z" + dice.base32(13), 2, 6), "distribution": idents(lambda: "E" + dice.base32(13), 2, 6), "statemachine": many("flow", 3, 10), "model": dice.some(MODELS, dice.randint(2, 6)), "role": []}


def _other_stock(dice: Dice, tenant: Tenant) -> Dict[str, Dict[str, List[str]]]:
    def many(noun: str, count: int) -> List[str]:
        return [tenant.name(dice, noun) for _ in range(count)]

    def upper(names: List[str]) -> List[str]:
        return [name.replace("-", "_").upper() for name in names]

    org, apps = tenant.domain.split(".")[0], tenant.apps
    office = dice.some(AAD_APPS, dice.randint(6, 18))
    projects = [f"{org}-{app}-{dice.hexes(4)}" for app in dice.some(apps, dice.randint(2, 6))]
    return {"okta": {"app": ["AWS IAM Identity Center", "Salesforce", "Workday", "GitHub Enterprise", "Snowflake", "Slack", "Zoom", "Jira"], "upn": []},
            "entra": {"aadres": AAD_RESOURCES, "aadapp": office + many("app", 8), "upn": []},
            "m365": {"upn": [], "site": [f"https://{org}.sharepoint.com/sites/{app}" for app in apps], "doc": [f"Shared Documents/{a} {n}.{x}" for a in apps[:8] for n, x in (("plan", "docx"), ("budget 2026", "xlsx"), ("deck", "pptx"))],
                     "aadapp": office, "aadres": AAD_RESOURCES[:2]},
            "gcp": {"project": projects, "gbucket": many("gcs", 12), "prefix": apps, "bqset": [n.replace("-", "_") for n in many("mart", 8)], "gsecret": many("secret", 10), "gvm": many("vm", 12), "sa": []},
            "github": {"ghrepo": [f"{org}/{app}{suffix}" for app in apps for suffix in dice.some(["", "-api", "-web", "-infra", "-etl"], 2)], "upn": []},
            "kubernetes": {"ns": apps[:10] + ["kube-system", "monitoring", "default"], "k8sname": many("app", 40)},
            "snowflake": {"sfdb": upper(dice.some(apps, 5)), "sftable": upper(many("tbl", 30)), "wh": ["ETL_WH", "BI_WH", "ADHOC_WH"]},
            "vault": {"vpath": [n.replace("-", "/") for n in many("creds", 25)], "vrole": many("role", 12)}}


def found(seed: int, identities: int) -> Tenant:
    """Draw an enterprise."""
    dice = Dice(f"{seed}|tenant")
    industry = dice.pick(list(INDUSTRIES))
    apps = dice.some(INDUSTRIES[industry].split(), 12) + dice.some(COMMON.split(), 9)
    region = dice.pick(list(REGION_CITY))
    country = {"us": "US", "eu": "GB" if region == "eu-west-1" else "DE", "ap": "AU"}[region[:2]]
    org = dice.pick("north blue harbor summit cedar lumen atlas quartz river meridian osprey granite".split()) + dice.pick("field mark wood line path works stone gate".split())
    others = dice.some(PRODUCTS[1:], dice.randint(3, 7))
    habits = {"novelty": dice.wide(0.001, 0.05), "debugging": dice.wide(0.08, 2.5), "newcomers": dice.between(0.02, 0.12), "retired": dice.between(0.01, 0.08), "moves": dice.between(0.01, 0.12),
              "upgrades": dice.between(0.05, 0.5), "rotation": dice.between(0.0, 0.3), "vpce": dice.between(0.0, 0.4), "scanner": dice.between(0.08, 0.4), "errors": dice.wide(0.002, 0.03),
              "clickops": dice.between(0.1, 1.0), "personal_keys": dice.between(0.1, 0.7), "agents": dice.wide(0.3, 3.0), "hosted_saas": dice.between(0.1, 0.6), "brief": dice.between(0.03, 0.14), "travel": dice.wide(0.003, 0.05),
              "trail_data": dice.between(0.0, 1.0), "night_people": dice.between(0.0, 0.15), "population": dice.between(0.12, 0.3), "bursts": dice.wide(0.002, 0.03), "customer_keys": dice.random(), "hiring": dice.between(0.0, 0.15)}
    accounts = [dice.digits(12) for _ in range(1 + int(dice.random() ** 1.5 * 12))]
    regions = [region] + dice.some([r for r in REGION_CITY if r != region], dice.randint(0, 2))
    tenant = Tenant(seed, industry, f"{org}.{dice.pick(['com', 'org', 'io', 'co.uk'])}", accounts, regions, {"US": -6.0, "GB": 0.0, "DE": 1.0, "AU": 10.0}[country],
                    [p for p in PRODUCTS if p == "cloudtrail" or p in others], {}, {}, {}, [], [], [], apps, habits, dice.pick("abcd"))
    tenant.ids = {"aad": dice.uuid(), "org": "o-" + dice.base32(10).lower(), "okta": "00o" + dice.alnum(17), "gcp": dice.digits(12), "cluster": tenant.name(dice, "cluster"), "country": country, "business": org, "oidc": dice.hexes(32).upper(), "owner": dice.uuid()}
    for i, account in enumerate(accounts):
        tenant.stock[account] = _aws_stock(dice, tenant, (1.0 if i == 0 else dice.between(0.3, 0.9)) * (0.5 if identities < 120 else 1.0))
        tenant.nats[account] = [address(dice, "aws", "", REGION_CITY[region]) for _ in range(dice.randint(1, 3))]
    tenant.stock.update(_other_stock(dice, tenant))
    tenant.offices = neighbours(dice, "isp", dice.randint(1, 5), country)
    tenant.datacentre = neighbours(dice, "isp", dice.randint(1, 3), country)
    tenant.vpn = neighbours(dice, dice.pick(["isp", "aws", "azure", "hosting", "vpn"]), dice.randint(1, 6))
    return tenant


def inside(dice: Dice, account: str) -> Source:
    """A private address as seen through a VPC endpoint, stable parts per account."""
    return private(dice, f"10.{int(account[-2:]) + 10}")._replace(vpce=f"vpce-0{account[:8]}{account[4:12]}")
