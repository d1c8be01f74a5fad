"""Hire the machines of a tenant: names, credentials, places, rhythms and later changes."""
from typing import Dict, List, Tuple

from . import clients, net
from .aws_calls import AWS_CALLS
from .dice import Dice, split
from .kinds import KINDS, SERVICES, Kind
from .model import DAY, HOUR, Change, Machine, Place, Principal, Rhythm, Source
from .tenant import Tenant, inside

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
    city = net.REGION_CITY[tenant.regions[0]]
    if style == "nat":
        return Place("nat", tenant.nats.get(account) or tenant.nats[tenant.accounts[0]], dice.randint(1, 4), int(dice.wide(2, 60) * DAY))
    if style == "hosts":
        return Place("hosts", [], int(dice.wide(1, 9)), int(dice.wide(0.3, 60) * DAY))
    if style in ("vpce", "pods"):
        return Place(style, [inside(dice, account) if style == "vpce" else net.private(dice, "10.2")], int(dice.wide(1, 5)), int(dice.wide(0.5, 30) * DAY))
    if style == "onprem":
        return Place(style, dice.some(tenant.datacentre, dice.randint(1, 2)))
    if style == "corp":
        return Place(style, tenant.offices)
    if style == "saas":
        network = "hosting" if dice.chance(tenant.habits["hosted_saas"]) else dice.pick(["aws", "aws", "gcp", "azure"])
        return Place(style, net.neighbours(dice, network, dice.randint(1, 6)))
    if style in ("azure", "gcp"):
        return Place("saas", [net.address(dice, style) for _ in range(dice.randint(1, 3))])
    return Place(style, [net.address(dice, "aws", "", city)], 1, 2 * HOUR)


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
        out.append(Change(moment(), "client", clients.upgrade(dice, m.agent) if dice.chance(0.85) else clients.client(dice, m.who.product, dice.pick([c for c in kind.clients if c != "service"] or ["java"]) if m.who.product == "cloudtrail" else "go"), m.place, ()))
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
            agent = SERVICES[kind.name] if kind.name in SERVICES and style == "service" else clients.client(dice, product, family if family != "service" else "java", tenant.name(dice, kind.name))
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
    return Machine(who, old.kind, clients.upgrade(dice, old.agent), place(dice, tenant, old.place.style if dice.chance(0.6) else dice.pick(kind.places), account), old.rhythm, old.volume, old.mix, old.rare, old.session, old.span, old.region, born, begin + (days + 1) * DAY, old.ordered, 0.0, old.novelty)


def service_source(name: str) -> Source:
    return Source(name, "", "", "Amazon.com, Inc.")
