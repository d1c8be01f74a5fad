"""Machines are made, and change."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from nhi_watch_lab.fifth_world import clients, model
from nhi_watch_lab.fifth_world.kinds import aws_kinds, other_kinds
from nhi_watch_lab.fifth_world.model import DAY, MIXED, UPPER, Account, Chance, Habit, Identity, Kind, Place, stream
from nhi_watch_lab.fifth_world.tenant import FAR_REGIONS, Tenant
from nhi_watch_lab.fifth_world.world import World, new_key

# ---- makes machines: their names, credentials, own things, places and habits

OWN = {"aws": {"bucket": 3, "table": 3, "secret": 3, "kmsarn": 1, "param": 3, "func": 3, "queue": 2, "topic": 1, "stream": 1, "cluster": 1, "repo": 2, "loggroup": 1, "stack": 1, "db": 2,
    "zone": 1, "asg": 2, "instance": 8, "volume": 8, "snapshot": 8, "service": 2, "team": 1, "model": 2, "kb": 1, "pool": 1, "dist": 1},
       "gcp": {"gbucket": 2, "dataset": 2, "gsecret": 2, "project": 1, "service": 2, "table": 4, "gsa": 1}, "azure": {"group": 2, "vm": 4, "storage": 2, "keyvault": 1, "service": 2,
           "subscription": 1}, "github": {"ghrepo": 3, "service": 1}, "kubernetes": {"namespace": 1, "service": 2},
       "snowflake": {"sdb": 1, "table": 6, "service": 1}, "vault": {"vleaf": 3, "service": 2}, "okta": {"oktaapp": 2, "team": 2}, "entra": {"team": 2}, "m365": {"site": 2, "upn": 6, "service": 3}}
WIDE = {"scan": 12, "iac": 5, "secrets": 8, "ops": 6}
RUNTIMES = {"boto3": "python3.12", "jssdk": "nodejs20.x"}


def pick_kinds(tenant: Tenant, rng: Chance, count: int) -> List[Kind]:
    """As many kinds as there are machines, by share."""
    kinds = [kind for kind in aws_kinds() + other_kinds() if kind.product in tenant.products]
    total_other = sum(kind.share for kind in kinds if kind.product != "aws")
    total_aws = sum(kind.share for kind in kinds if kind.product == "aws")
    share = rng.uniform(0.5, 0.68)
    weights = [(kind, kind.share * rng.log_between(0.4, 2.5) * (share / total_aws if kind.product == "aws" else (1 - share) / total_other)) for kind in kinds]
    return [rng.pick(weights) for _ in range(count)]


def _own_things(tenant: Tenant, account: Optional[Account], kind: Kind, rng: Chance) -> Dict[str, List[str]]:
    factor = max([WIDE.get(tag, 1) for tag in kind.tags] + [1])
    own: Dict[str, List[str]] = {}
    for name, count in OWN[kind.product].items():
        pool = (account.things.get(name) if account else None) or tenant.things.get("stable" if name == "table" and kind.product in ("snowflake", "gcp") else name, [])
        if pool:
            own[name] = rng.sample(pool, min(len(pool), max(1, rng.randint(1, count) * factor)))
    own["prefix"] = model.many(lambda: f"{rng.choice(['raw', 'in', 'out', 'daily', 'exports', 'assets', 'events'])}/{rng.choice(model.SYSTEMS)}/", rng.randint(1, 2))
    return own


def _role_ids(tenant: Tenant, kind: Kind, auth: str, account: Account, name: str, rng: Chance) -> Dict[str, str]:
    ids = {"rolename": name, "role": "AROA" + rng.text(17, UPPER), "arn": f"arn:aws:iam::{account.id}:role/{name}"}
    if auth == "eks":
        ids["issuer"] = f"oidc.eks.{account.regions[0]}.amazonaws.com/id/{rng.hexs(32).upper()}"
        ids["subject"] = f"system:serviceaccount:{rng.choice(tenant.things['namespace'])}:{name.lower().replace('_', '-')}"
        ids["style"] = rng.choice(["botocore-session-", "aws-sdk-java-", "aws-go-sdk-", "aws-sdk-js-session-"])
    if auth == "oidc":
        ids["issuer"] = "token.actions.githubusercontent.com"
        ids["subject"] = f"repo:{tenant.github_org}/{rng.choice(tenant.things['ghrepo'])}:{rng.choice(['ref:refs/heads/main', 'ref:refs/heads/main', 'environment:production', 'pull_request'])}"
    if auth == "vendor":
        vendor = rng.choice(model.VENDORS)
        ids.update({"vendor": f"{vendor}-{rng.text(6)}", "vendoraccount": rng.digits(12), "external": rng.uuid(), "outer": "AROA" + rng.text(17, UPPER)})
    if auth == "service":
        ids.update({"rolename": "AWSServiceRoleForConfig", "role": "AROA" + stream("config", account.id).text(17, UPPER), "by": "config.amazonaws.com",
            "arn": f"arn:aws:iam::{account.id}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"})
    return ids


def _aws(tenant: Tenant, kind: Kind, auth: str, name: str, rng: Chance) -> Identity:
    account = rng.choice(tenant.accounts)
    who = Identity(name, "aws", kind, auth, account, rng.choice(account.regions))
    if auth == "eks":
        who.region = account.regions[0]
    if auth == "user":
        who.ids = {"username": name, "user": "AIDA" + rng.text(17, UPPER), "arn": f"arn:aws:iam::{account.id}:user/{name}"}
        account.things["user"].append(name)
        who.keys = [(0.0, new_key("aws", rng))]
        account.things["accesskey"].append(who.keys[0][1])
    else:
        who.ids = _role_ids(tenant, kind, auth, account, name, rng)
        account.things["rolename"].append(who.ids["rolename"])
    who.ids.update({"custom": str(int(rng.chance(0.5))), "bytes": str(int(rng.log_between(800, 3e6)))})
    who.label = who.ids["arn"]
    return who


def _microsoft(tenant: Tenant, kind: Kind, auth: str, name: str, rng: Chance) -> Identity:
    who = Identity(name, kind.product, kind, auth)
    who.ids = {"app": rng.uuid(), "object": rng.uuid(), "display": name, "credential": rng.choice(["clientSecret", "clientSecret", "certificate"]),
        "resource": {"azure": "Windows Azure Service Management API", "m365": "Office 365 Exchange Online"}.get(kind.product) or rng.choice(["Microsoft Graph", "Microsoft Graph",
            "Azure Key Vault", "Azure Storage"]),
               "mirid": f"/subscriptions/{tenant.things['subscription'][0]}/resourcegroups/{rng.choice(tenant.things['group'])}"
                        f"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}",
               "azrole": rng.choice(["Contributor", "Contributor", "Reader", "Owner"])}
    who.keys = [(0.0, new_key("entra", rng))]
    who.label = name if kind.product == "entra" else who.ids["object"] if kind.product == "azure" else "ServicePrincipal_" + who.ids["object"]
    tenant.things["appname"].append(name)
    return who


def _other(tenant: Tenant, kind: Kind, auth: str, name: str, rng: Chance) -> Identity:
    product = kind.product
    who = Identity(name, product, kind, auth)
    who.keys = [(0.0, new_key(product, rng))]
    low = name.lower().replace("_", "-")
    if product == "kubernetes":
        space = rng.choice(tenant.things["namespace"])
        who.ids = {"namespace": space, "account": low, "uid": rng.uuid(), "poduid": rng.uuid(), "binding": low, "clusterrole": low, "hostpath": str(int(rng.chance(0.08)))}
        who.label = f"system:serviceaccount:{space}:{low}"
    elif product == "github":
        actor = {"app": low + "[bot]", "key": "deploy_key"}.get(auth, low)
        who.ids = {"actor": actor, "actorid": rng.digits(8), "tokenid": rng.digits(9), "scopes": rng.choice(["repo", "repo,workflow", "repo,read:org", "admin:org,repo,workflow",
            "read:packages,repo"]), "ssh": str(int(rng.chance(0.3)))}
        who.label = actor if auth != "key" else who.keys[0][1]
    elif product == "gcp":
        project = rng.choice(tenant.things["project"])
        who.name = who.label = f"{low[:30]}@{project}.iam.gserviceaccount.com"
        who.ids = {"project": project, "bytes": str(int(rng.log_between(1e5, 1e10)))}
        tenant.things["gsa"].append(who.name)
    elif product == "okta":
        kinds = {"token": "User", "client": "PublicClientApp", "system": "SystemPrincipal"}
        actor = f"{low}@{tenant.domain}" if auth == "token" else "0oa" + rng.text(17, MIXED) if auth == "client" else f"system-{low}@okta.com"
        who.ids = {"object": ("00u" if auth == "token" else "0oa") + rng.text(17, MIXED), "type": kinds[auth], "actor": actor, "display": name, "scopes": rng.choice(["okta.users.read",
            "okta.groups.read", "okta.apps.manage", "okta.users.read okta.logs.read", "okta.users.manage okta.groups.manage okta.apps.read"])}
        who.label = actor
    elif product == "snowflake":
        who.name = who.label = name.upper().replace("-", "_")
        who.ids = {"role": rng.choice(["LOADER", "TRANSFORMER", "REPORTER"]), "warehouse": rng.choice(tenant.things["swarehouse"]), "database": rng.choice(tenant.things["sdb"]),
            "rows": str(int(rng.log_between(20, 200000))), "tag": rng.choice(["", "", low])}
        tenant.things["suser"].append(who.name)
    else:
        mount = {"kubernetes": "kubernetes", "approle": "approle", "jwt": "jwt", "aws": "aws", "token": "token"}[auth]
        who.ids = {"display": f"{mount}-{low}", "policies": f"default,{low}", "role": low, "entity": rng.uuid(), "mount": mount, "accessor": rng.hexs(8)}
        who.label = who.ids["display"]
    return who


def _host(kind: Kind, auth: str, name: str, rng: Chance) -> str:
    if auth == "ec2":
        return "i-" + rng.hexs(17)
    if auth == "ecs":
        return rng.hexs(32)
    if auth == "vendor":
        return f"{rng.choice(['session', 'integration', 'scan'])}-{rng.text(8)}"
    if kind.product == "kubernetes":
        return f"ip-10-{rng.randint(0, 250)}-{rng.randint(0, 60)}-{rng.randint(2, 250)}.internal" if auth == "node" else f"{name.lower().replace('_', '-')}-{rng.hexs(9)}-{rng.text(5)}"
    return name if auth in ("lambda", "chain", "service") else rng.text(8)


def agent_of(kind: Kind, auth: str, rng: Chance) -> str:
    families = [item for item in kind.clients if item in RUNTIMES] or ["boto3"] if auth == "lambda" else list(kind.clients)
    family = rng.choice(families)
    agent = clients.make(family, rng)
    while "person" not in kind.tags and any(mark in agent for mark in ("os/macos", "os/windows", "darwin", "MACOSX", "windows/amd64", "HOMEBREW")):
        agent = clients.make(family, rng)
    return agent + f" exec-env/AWS_Lambda_{RUNTIMES[family]}" if auth == "lambda" and family in RUNTIMES else agent


def new_places(tenant: Tenant, who: Identity, rng: Chance, old: Optional[List[Place]] = None, net: str = "") -> List[Place]:
    """The hosts of a machine; given old ones only what was asked for changes."""
    kind = who.kind
    count = rng.randint(2, 6) if "fleet" in kind.tags else rng.pick([(1, 6), (2, 2), (3, 1)])
    net, agent = net or rng.choice(kind.nets), agent_of(kind, who.auth, rng)
    net = "public" if who.auth == "lambda" else rng.choice(["nat", "vpc"]) if who.auth in ("ecs", "eks", "ec2") and net in ("dc", "office", "hosting", "corpvpn", "vendor") else net
    shared = tenant.network.draw(rng, net)
    places: List[Any] = []
    for number in range(len(old) if old else count):
        alone = net in ("vpc", "pod", "public") or net == "vendor" and rng.chance(0.5)
        ip = "config.amazonaws.com" if who.auth == "service" else tenant.network.draw(rng, net) if alone or rng.chance(0.2) else shared
        endpoint = tenant.network.endpoint if net == "vpc" and kind.product == "aws" else ""
        if alone is False and rng.chance(0.2) and who.auth != "service" and places:
            places.append(places[-1]._replace(ip=tenant.network.draw(rng, net)))
        places.append(Place(ip, "config.amazonaws.com" if who.auth == "service" else agent, old[number].host if old else _host(kind, who.auth, who.name, rng), endpoint))
    return places


def _habits(who: Identity, rng: Chance) -> List[Habit]:
    kind = who.kind
    width = min(len(kind.core), rng.randint(*kind.width))
    chosen = sorted(rng.sample(range(len(kind.core)), width) + [0])
    habits = []
    for index in sorted({position: 0 for position in chosen}):
        op, weight = kind.core[index].rsplit("*", 1)
        args: Dict[str, Any] = {"_error": "denied"} if "constantfail" in kind.tags and rng.chance(0.08) else {}
        habits.append(Habit(op, float(weight) * rng.log_between(0.5, 2.0), args))
    return habits


def make_machine(world: World, kind: Kind, rng: Chance, taken: Dict[str, int]) -> Identity:
    tenant = world.tenant
    auth = rng.choice(kind.auth)
    name = model.machine(rng, int(tenant.habits["naming"]) if rng.chance(0.75) else rng.randint(0, 5), kind.name)
    while name.lower().replace("_", "-") in taken:
        name = f"{name}-{rng.randint(2, 99)}"
    taken[name.lower().replace("_", "-")] = 1
    who = _aws(tenant, kind, auth, name, rng) if kind.product == "aws" else _microsoft(tenant, kind, auth, name, rng) if kind.product in ("entra", "azure", "m365") else _other(tenant,
        kind, auth, name, rng)
    who.things = _own_things(tenant, who.account, kind, rng)
    if "namespace" in who.ids:
        wide = "scan" in kind.tags or "strong" in kind.tags or kind.name in ("metrics", "node")
        who.things["namespace"] = rng.sample(tenant.things["namespace"], rng.randint(4, 10)) if wide else [who.ids["namespace"]]
    who.dynamic = kind.nets[0] if "dynamic" in kind.tags and kind.nets[0] == "runner" and rng.chance(0.75) else ""
    who.habits, who.phase = _habits(who, rng), rng.uniform(0, 86400)
    who.places = [(0.0, new_places(tenant, who, rng))]
    who.rate = rng.log_between(*kind.rate) * rng.lognormvariate(0, 0.35)
    who.errors = rng.pick([(0.0, 5.0), (tenant.habits["error_share"], 4.0), (tenant.habits["error_share"] * 4, 1.0)])
    who.retries = rng.chance(0.6)
    return who


def populate(world: World, count: int) -> None:
    """All machines of the tenant, with births and retirements."""
    tenant = world.tenant
    taken: Dict[str, int] = {}
    kinds = pick_kinds(tenant, world.streams("kinds"), count)
    for number, kind in enumerate(kinds):
        rng = world.streams("machine", number)
        who = make_machine(world, kind, rng, taken)
        if who.auth == "chain":
            users = [item for item in world.machines if item.auth == "user" and item.account is who.account]
            who.mate = users[0] if users else None
            who.auth = "chain" if users else "ecs"
        if rng.chance(tenant.habits["newcomers"]):
            who.born = tenant.start + rng.uniform(0.1, 0.95) * tenant.days * 86400
        elif rng.chance(tenant.habits["retirees"]):
            who.gone = tenant.start + rng.uniform(0.2, 0.98) * tenant.days * 86400
        world.machines.append(who)


# ---- how machines change: deploys, upgrades, moves, rotations, new regions, wider targets, rollouts. Made before the 

TARGETS = {"aws": ["bucket", "table", "secret", "param", "func", "kmsarn", "queue", "model"], "gcp": ["gbucket", "gsecret", "dataset"], "azure": ["group", "vm", "storage"],
    "github": ["ghrepo"], "kubernetes": ["namespace"], "snowflake": ["table", "sdb"], "vault": ["vleaf"], "m365": ["site", "upn"], "okta": ["oktaapp"], "entra": ["team"]}


def _mean_weight(who: Identity) -> float:
    return sum(habit.weight for habit in who.habits) / max(1, len(who.habits))


def new_calls(who: Identity, time: float, rng: Chance, ops: List[str]) -> None:
    """Calls a deploy brings: often for good, sometimes only for hours."""
    for op in ops:
        until = 1e12 if rng.chance(0.65) else time + rng.uniform(0.1, 3) * DAY
        who.habits.append(Habit(op, _mean_weight(who) * rng.log_between(0.05, 1.5), {}, time, until))


def grown(who: Identity, rng: Chance, low: int = 1, high: int = 3) -> List[str]:
    known = [habit.op for habit in who.habits]
    fresh = [op.split("*")[0] for op in list(who.kind.grow) + list(who.kind.core) if op.split("*")[0] not in known]
    return rng.sample(fresh, min(len(fresh), rng.randint(low, high)))


def upgrade(who: Identity, time: float, agent: str) -> None:
    if who.auth != "service":
        who.places.append((time, [place._replace(agent=agent) for place in who.places_at(time)]))
        who.places.sort(key=lambda item: item[0])


def move(world: World, who: Identity, time: float, rng: Chance, net: str = "") -> None:
    """New addresses; the client mostly stays."""
    old = who.places_at(time)
    fresh = new_places(world.tenant, who, rng, old, net)
    if rng.chance(0.8):
        fresh = [new._replace(agent=was.agent) for new, was in zip(fresh, old)]
    who.places.append((time, fresh))
    who.places.sort(key=lambda item: item[0])


def renew_hosts(world: World, who: Identity, time: float, rng: Chance) -> None:
    """Instances replaced: new host names, and new addresses where hosts have their own."""
    fresh = new_places(world.tenant, who, rng)
    old = who.places_at(time)
    keep = [Place(old[0].ip if not old[0].ip.startswith("10.") else item.ip, old[0].agent, item.host, old[0].endpoint) for item in fresh]
    who.places.append((time, keep))
    who.places.sort(key=lambda item: item[0])


def rotate(world: World, who: Identity, time: float, rng: Chance) -> None:
    """A new credential; in AWS the records of the rotation by somebody who may."""
    if not who.keys:
        return
    old, fresh = who.key_at(time), new_key(who.product, rng)
    who.keys.append((time + rng.uniform(60, 4000), fresh))
    who.keys.sort(key=lambda item: item[0])
    if who.product != "aws":
        return
    admins = [item for item in world.people + world.machines if item.product == "aws" and item.account is who.account and ("strong" in item.kind.tags) and item.alive(time)]
    if not admins or not who.account:
        return
    admin = rng.choice(admins)
    place = person_place(world, admin, time, rng)
    base = {"user": who.ids["username"]}
    world.act(admin, "iam:CreateAccessKey", time, rng, place, base)
    later = time + rng.uniform(0.05, 2) * DAY
    later_place = person_place(world, admin, later, rng)
    world.act(admin, "iam:UpdateAccessKey", later, rng, later_place, {**base, "accesskey": old})
    if rng.chance(0.7):
        world.act(admin, "iam:DeleteAccessKey", later + rng.uniform(5, 90000), rng, later_place if not later_place.host.startswith("@") else None, {**base, "accesskey": old})


def person_place(world: World, who: Identity, time: float, rng: Chance) -> Place:
    """Where somebody sits; people's roles start a session with the sitting."""
    place = rng.choice(who.places_at(time))
    return place._replace(host=f"@{time - rng.uniform(5, 2000):.0f}|{place.host}") if who.human and who.auth == "sso" else place


def _one_day(world: World, who: Identity, day: int, rng: Chance) -> None:
    """What may happen to one machine on one day."""
    habits, time = world.tenant.habits, world.tenant.start + (day + rng.random()) * DAY
    quick = 3.0 if "ci" in who.kind.tags or "iac" in who.kind.tags else 0.5 if "old" in who.kind.tags else 1.0
    if rng.chance(habits["new_call_days"] * quick):
        new_calls(who, time, rng, grown(who, rng))
    if rng.chance(habits["upgrade_days"] * quick * 0.5):
        upgrade(who, time, agent_of(who.kind, who.auth, rng))
    if rng.chance(habits["move_days"]) and who.auth != "service":
        move(world, who, time, rng)
    if rng.chance(habits["move_days"] * 3) and "fleet" in who.kind.tags and who.auth in ("ec2", "ecs", "sa"):
        renew_hosts(world, who, time, rng)
    if rng.chance(habits["rotation_days"]):
        rotate(world, who, time, rng)
    if rng.chance(habits["region_days"]) and who.product == "aws":
        region = rng.choice(world.tenant.regions + FAR_REGIONS[:2])
        for habit in rng.sample(who.habits, min(len(who.habits), rng.randint(1, 4))):
            who.habits.append(Habit(habit.op, habit.weight * rng.uniform(0.1, 1), {**habit.args, "region": region}, time, time + rng.uniform(0.2, 30) * DAY))
    if rng.chance(habits["widen_days"]) and TARGETS.get(who.product):
        _widen(world, who, time, rng)


def _widen(world: World, who: Identity, time: float, rng: Chance) -> None:
    """A new target for a known call."""
    name = rng.choice(TARGETS[who.product])
    pool = (who.account.things.get(name) if who.account else None) or world.tenant.things.get("stable" if name == "table" else name, [])
    if pool:
        target = rng.choice(pool)
        for habit in rng.sample(who.habits, min(len(who.habits), 2)):
            who.habits.append(Habit(habit.op, habit.weight * rng.log_between(0.05, 1), {**habit.args, name: target}, time, 1e12 if rng.chance(0.6) else time + rng.uniform(0.2, 5) * DAY))


def rollout(world: World, rng: Chance) -> None:
    """The same change reaches several machines on one day."""
    start = world.tenant.start + rng.uniform(0.1, 0.97) * world.tenant.days * DAY
    lead = rng.choice(world.machines)
    group = [who for who in world.machines if who.product == lead.product and (who.kind.name == lead.kind.name or rng.chance(0.15)) and who.auth != "service"]
    group = rng.sample(group, max(1, int(len(group) * rng.uniform(0.3, 1.0))))
    change = rng.choice(["calls", "calls", "client", "net", "target", "hosts"])
    ops, agent = grown(lead, rng, 1, 4), agent_of(lead.kind, lead.auth, rng)
    net = rng.choice(lead.kind.nets)
    for who in group:
        time = start + rng.uniform(0, 6) * 3600
        if change == "calls":
            new_calls(who, time, rng, ops)
        elif change == "client":
            upgrade(who, time, agent)
        elif change == "net":
            move(world, who, time, rng, net)
        elif change == "hosts":
            renew_hosts(world, who, time, rng)
        else:
            _widen(world, who, time, rng)


def handover(world: World, rng: Chance) -> None:
    """A key goes to another host: a new network and a new client for the same work."""
    carriers = [who for who in world.machines if who.auth in ("user", "sp", "pat", "gkey", "password", "keypair", "token") and not who.dynamic]
    if not carriers:
        return
    who, time = rng.choice(carriers), world.tenant.start + rng.uniform(0.2, 0.97) * world.tenant.days * DAY
    move(world, who, time, rng, rng.choice(["hosting", "vendor", "nat", "dc", "public"]))
    upgrade(who, time + 1, agent_of(who.kind, who.auth, rng))


def change_all(world: World) -> None:
    for who in world.machines:
        rng = world.streams("change", who.name)
        for day in range(world.tenant.days):
            _one_day(world, who, day, rng)
    habits = world.tenant.habits
    for number in range(int(habits["rollouts"])):
        rollout(world, world.streams("rollout", number))
    for number in range(int(habits["handovers"])):
        handover(world, world.streams("handover", number))
