"""A tenant, the kinds of machines that there are, and those that it has."""

from dataclasses import dataclass
from typing import Callable, Dict, List, NamedTuple, Tuple

from nhi_watch_lab.fourth_world import model
from nhi_watch_lab.fourth_world.calls import AWS_CALLS
from nhi_watch_lab.fourth_world.model import DAY, HOUR, PRODUCTS, REGION_CITY, Change, Dice, Machine, Place, Principal, Rhythm, Source, address, neighbours, private, split
from nhi_watch_lab.tables import sections, table

# ---- one enterprise: its trade, accounts, networks, habits and the things it owns

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


# ---- ways of life of machines: what kinds exist, how many, and what each does

_TEXT = sections(__file__, "kinds.txt")


class Kind(NamedTuple):
    name: str
    share: float
    session: str
    places: List[str]
    clients: List[str]
    rhythms: List[str]
    volume: float
    breadth: int
    usual: List[str]
    rare: List[str]


def _calls(text: str) -> List[str]:
    return [word.replace("~", " ") for word in text.split()]


def _kind(line: str) -> Tuple[str, Kind]:
    name, share, session, places, clients, rhythms, volume, breadth, usual, rare = line.split("|")
    return name, Kind(name, float(share), session, places.split(), clients.split(), rhythms.split(), float(volume), int(breadth), _calls(usual), _calls(rare))


KINDS: Dict[str, Dict[str, Kind]] = {product: dict(map(_kind, text.strip().splitlines())) for product, text in _TEXT.items()}
# Services that call in the name of a role, by kind.
SERVICES = {"glue": "glue.amazonaws.com", "cfn": "cloudformation.amazonaws.com", "scaling": "autoscaling.amazonaws.com"}


# ---- hire the machines of a tenant: names, credentials, places, rhythms and later changes

# What teams call such a machine, where the kind's own name is not what they would say.
NOUNS = {"lambda": "fn handler trigger hook router", "ec2app": "api web worker app server", "fleet": "host node vm instance", "task": "svc worker api job", "irsa": "controller dns secrets ingress worker", "glue": "etl loader curate lake", "query": "bi dashboards tableau reporting",
         "onprem": "sftp batch mainframe export sync nas", "agent": "agent copilot assistant bot mcp", "sp": "app connector graph api", "mi": "vm identity fn", "approle": "app api batch", "k8sauth": "api web worker", "civault": "pipeline deploy", "gha": "deploy release publish",
         "jenkins": "jenkins deployer ci builder", "terraform": "terraform infra platform tf", "cideploy": "deployer release", "run": "run api fn", "redshift": "dwh mart refresh", "emr": "spark cluster emr", "scanner": "audit cspm inventory"}
VENDORS = ("datadog wiz orca cloudhealth fivetran vanta lacework snowflake newrelic drata cloudzero sumologic hightouch rubrik veeam "
           "databricks segment census tableau workday zscaler opsgenie").split()
APP_WORDS = ["Connector", "Sync", "for Microsoft 365", "Integration", "Add-in", "Archiver"]
SPANS = {"func": 4, "inst": 6, "task": 6, "irsa": 1, "glue": 1, "sm": 4, "vendor": 1, "gha": 1, "ci": 1, "cfn": 1, "slr": 1}
PREFIX = {"gha": "github-", "vendor": "", "irsa": "eks-", "fleet": "ssm-"}


def place(dice: Dice, tenant: Tenant, style: str, account: str) -> Place:
    """Draw addresses for a style of network."""
    city = model.REGION_CITY[tenant.regions[0]]
    if style == "nat":
        return Place("nat", tenant.nats.get(account) or tenant.nats[tenant.accounts[0]], dice.randint(1, 4), int(dice.wide(2, 60) * DAY))
    if style == "hosts":
        return Place("hosts", [], int(dice.wide(1, 9)), int(dice.wide(0.3, 60) * DAY))
    if style in ("vpce", "pods"):
        return Place(style, [inside(dice, account) if style == "vpce" else model.private(dice, "10.2")], int(dice.wide(1, 5)), int(dice.wide(0.5, 30) * DAY))
    if style == "onprem":
        return Place(style, dice.some(tenant.datacentre, dice.randint(1, 2)))
    if style == "corp":
        return Place(style, tenant.offices)
    if style == "saas":
        network = "hosting" if dice.chance(tenant.habits["hosted_saas"]) else dice.pick(["aws", "aws", "gcp", "azure"])
        return Place(style, model.neighbours(dice, network, dice.randint(1, 6)))
    if style in ("azure", "gcp"):
        return Place("saas", [model.address(dice, style) for _ in range(dice.randint(1, 3))])
    return Place(style, [model.address(dice, "aws", "", city)], 1, 2 * HOUR)


def rhythm(dice: Dice, style: str) -> Rhythm:
    per_day = {"steady": dice.wide(3, 40), "hourly": 24.0 / dice.pick([1, 1, 2, 3, 4, 6]), "office": dice.wide(2, 12), "deploy": dice.wide(0.3, 4), "batch": dice.wide(0.3, 2.5)}.get(style, 1.0)
    hour = dice.between(0, 5) if style == "night" else dice.between(0, 24)
    return Rhythm(style, per_day, hour, dice.randint(0, 6), dice.pick([1, 2, 5, 10, 12, 15, 20, 22, 25]))


def _principal(dice: Dice, tenant: Tenant, product: str, kind: Kind, account: str) -> Principal:
    noun = dice.pick(NOUNS.get(kind.name, kind.name).split())
    if product == "cloudtrail":
        name = PREFIX.get(kind.session, "") + tenant.name(dice, noun)
        extra: Dict[str, str] = {}
        if kind.session == "vendor":
            vendor = dice.pick(["wiz", "orca", "lacework", "prisma", "steampipe"] if kind.name == "scanner" else VENDORS)
            name, extra = f"{vendor.capitalize()}{dice.pick(['IntegrationRole', '-access', 'ReadOnly', 'CrossAccountRole'])}", {"vendor": vendor, "vendor_account": dice.digits(12)}
        if kind.session == "gha":
            extra["subject"] = f"repo:{dice.pick(tenant.stock['github']['ghrepo'])}:{dice.pick(['ref:refs/heads/main', 'environment:production', 'ref:refs/heads/release'])}"
        if kind.session == "irsa":
            extra["subject"] = f"system:serviceaccount:{dice.pick(tenant.stock['kubernetes']['ns'])}:{name}"
        if kind.session == "slr":
            name, extra["path"] = f"AWSServiceRoleForAutoScaling_{dice.hexes(4)}", "aws-service-role/autoscaling.amazonaws.com/"
        if kind.name in SERVICES:
            extra["service"] = SERVICES[kind.name]
        user = kind.session == "key"
        return Principal(product, "user" if user else "role", name, ("AIDA" if user else "AROA") + dice.base32(17), account, False, extra)
    name = {"okta": f"{dice.pick(VENDORS)}-{noun}", "gcp": f"{tenant.name(dice, noun).replace('_', '-').lower()}@{dice.pick(tenant.stock['gcp']['project'])}.iam.gserviceaccount.com",
            "m365": dice.pick(tenant.stock["m365"]["aadapp"] + [f"{dice.pick(VENDORS).capitalize()} {dice.pick(APP_WORDS)}" for _ in range(9)]), "entra": dice.pick(tenant.stock["entra"]["aadapp"] + [tenant.name(dice, noun)] * 9),
            "kubernetes": f"system:serviceaccount:{dice.pick(tenant.stock['kubernetes']['ns'])}:{tenant.name(dice, noun).lower().replace('_', '-')}",
            "snowflake": tenant.name(dice, noun).upper().replace("-", "_"), "vault": f"{'kubernetes' if kind.session == 'k8s' else 'approle'}-{tenant.name(dice, noun)}",
            "github": f"{dice.pick(VENDORS + ['renovate', 'dependabot', 'snyk', 'sonar'])}[bot]" if kind.name == "ghapp" else tenant.name(dice, "bot")}[product]
    return Principal(product, kind.session, name, dice.uuid(), product, False, {"appid": tenant.dice("app", name).uuid(), "object": tenant.dice("sp", name).uuid(), "repo": dice.pick(tenant.stock["github"]["ghrepo"])})


def _mix(dice: Dice, tenant: Tenant, product: str, kind: Kind) -> List[Tuple[str, float]]:
    usual = kind.usual
    if product == "cloudtrail" and tenant.habits["trail_data"] < 0.25:
        usual = [c for c in usual if not AWS_CALLS[c].data] or ["sts:GetCallerIdentity"]
    breadth = len(usual) if kind.name in ("fleet", "scanner") else max(1, min(len(usual), int(dice.around(kind.breadth, 0.45))))
    first = max(1, min(breadth, kind.breadth))
    chosen = dice.some(usual, breadth) if kind.breadth < 4 else usual[:first] + dice.some(usual[first:], breadth - first)
    return [(call, dice.wide(0.15, 3.0)) for call in chosen]


def _changes(dice: Dice, tenant: Tenant, m: Machine, kind: Kind, begin: int, end: int) -> List[Change]:
    """Upgrades, moves and new features at moments of working days."""
    out: List[Change] = []
    def moment() -> int:
        return int(dice.between(begin, end))
    if dice.chance(tenant.habits["upgrades"]) and m.place.style != "service":
        out.append(Change(moment(), "client", model.upgrade(dice, m.agent) if dice.chance(0.85) else model.client(dice, m.who.product, dice.pick([c for c in kind.clients if c != "service"] or ["java"]) if m.who.product == "cloudtrail" else "go"), m.place, ()))
    if dice.chance(tenant.habits["moves"]):
        out.append(Change(moment(), "place", m.agent, place(dice, tenant, dice.pick(kind.places) if dice.chance(0.5) else m.place.style, m.who.account), ()))
    if m.failing and dice.chance(0.6):
        out.append(Change(moment(), "fail", m.agent, m.place, ()))
    if dice.chance(tenant.habits["rotation"]):
        out.append(Change(moment(), "rotate", m.agent, m.place, ()))
    if dice.chance(tenant.habits["moves"] * 1.5):
        fresh = [c for c in kind.usual + kind.rare[:3] if c not in dict(m.mix)]
        out.append(Change(moment(), "calls", m.agent, m.place, tuple(dice.some(fresh, 1 + int(dice.random() * 2)))))
    return sorted(out, key=lambda change: change.t)


def hire(tenant: Tenant, identities: int, begin: int, days: int, history: int) -> List[Machine]:
    """All machines, in a stable order; some are born or retired within the time."""
    dice = tenant.dice("machines")
    shares = [(p, 1.5 * dice.between(0.85, 1.15) * max(1, len(tenant.products) - 1) if p == "cloudtrail" else dice.wide(0.5, 2.0)) for p in tenant.products]
    machines: List[Machine] = []
    names = set()
    for product, count in split(identities, shares).items():
        kinds = KINDS[product]
        weights = {k.name: k.share * dice.around(1.0, 0.5) * (tenant.habits["agents"] if k.name in ("agent", "bedrock") else 1) for k in kinds.values()}
        weights.pop("scanner", None)
        for i in range(count):
            kind = kinds["scanner" if product == "cloudtrail" and i == 0 else dice.weighted(weights)]
            account = product if product != "cloudtrail" else dice.early(tenant.accounts)
            who = _principal(dice, tenant, product, kind, account)
            while (who.product, who.account, who.name) in names:
                who.name = f"{who.name}2" if who.product != "gcp" else f"x{who.name}"
            names.add((who.product, who.account, who.name))
            style = dice.pick(kind.places)
            family = dice.pick(kind.clients) if product == "cloudtrail" else "go"
            agent = SERVICES[kind.name] if kind.name in SERVICES and style == "service" else model.client(dice, product, family if family != "service" else "java", tenant.name(dice, kind.name))
            beat = rhythm(dice, dice.pick(kind.rhythms))
            sigma = 0.5 if kind.name == "scanner" else 0.9
            m = Machine(who, kind.name, agent, place(dice, tenant, style, account), beat, dice.around(kind.volume, sigma), _mix(dice, tenant, product, kind), kind.rare, kind.session,
                        SPANS.get(kind.session, 24) * HOUR, dice.early(tenant.regions), begin, begin + (days + 1) * DAY, dice.chance(0.6), dice.pick([0.0] * 25 + [0.02, 0.1, 1.0]), tenant.habits["novelty"] * dice.around(1.0, 0.7) * (6 if kind.name in ("agent", "notebook") else 1))
            if kind.name != "scanner" and dice.chance(tenant.habits["newcomers"]):
                m.born = begin + int(dice.between(history, days - 1) * DAY)
            elif dice.chance(tenant.habits["retired"]):
                m.dies = begin + int(dice.between(days * 0.3, days) * DAY)
                if dice.chance(0.4):
                    machines.append(_successor(dice, tenant, m, kind, begin, days))
            m.changes = _changes(dice, tenant, m, kind, begin, begin + days * DAY)
            machines.append(m)
    for m in machines:
        key = {"user": "user", "role": "role"}.get(m.who.kind)
        if m.who.product == "cloudtrail" and key:
            tenant.stock[m.who.account].setdefault(key, []).append(m.who.name)
        if m.who.product == "gcp":
            tenant.stock["gcp"]["sa"].append(m.who.name)
    for account in tenant.accounts:
        tenant.stock[account]["role"] += [tenant.name(dice, "role") for _ in range(6)] + ["OrganizationAccountAccessRole", "AdminBreakGlass"]
    tenant.stock["gcp"]["sa"].append(f"default@{tenant.stock['gcp']['project'][0]}.iam.gserviceaccount.com")
    return machines


def _successor(dice: Dice, tenant: Tenant, old: Machine, kind: Kind, begin: int, days: int) -> Machine:
    """A migration: the same work under a new name, often in another account."""
    account = dice.pick(tenant.accounts) if old.who.product == "cloudtrail" else old.who.account
    who = Principal(old.who.product, old.who.kind, f"{old.who.name}-v2" if old.who.product != "gcp" else f"v2-{old.who.name}", old.who.id[:4] + dice.base32(17) if old.who.product == "cloudtrail" else dice.uuid(), account, False, dict(old.who.extra))
    born = max(begin, old.dies - int(dice.between(0.2, 3) * DAY))
    return Machine(who, old.kind, model.upgrade(dice, old.agent), place(dice, tenant, old.place.style if dice.chance(0.6) else dice.pick(kind.places), account), old.rhythm, old.volume, old.mix, old.rare, old.session, old.span, old.region, born, begin + (days + 1) * DAY, old.ordered, 0.0, old.novelty)


def service_source(name: str) -> Source:
    return Source(name, "", "", "Amazon.com, Inc.")
