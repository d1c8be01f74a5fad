"""A tenant's first file: minutes to days of a few identities, with or without an attack in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from nhi_watch_lab.fifth_world import clients, life, makers, model
from nhi_watch_lab.fifth_world.attack import Incident, all_techniques
from nhi_watch_lab.fifth_world.catalogue import CATALOGUE
from nhi_watch_lab.fifth_world.model import DAY, HOUR, Chance, Identity, Place, Streams, block, stream
from nhi_watch_lab.fifth_world.techniques import Step, Technique, t
from nhi_watch_lab.fifth_world.tenant import OPTIONAL, Tenant
from nhi_watch_lab.fifth_world.world import World
from nhi_watch_lab.variants.fifth import benign
from nhi_watch_lab.variants.fifth.tables import callings, deeds

BASE = 850_000
"""Its tenants are none of the family's other ones."""


class Plan(NamedTuple):
    """What the file is of."""

    machines: int
    people: int
    seconds: float
    products: list[str]
    attacks: int
    busy: int
    """Sessions of odd identities with many tickets in them, for good reasons."""
    strange: float = 0.35
    """Share of the machines that are odd by nature."""


Attack = Callable[[World, int, "list[Incident]"], "Incident | None"]
"""What the attack of a number comes to in a world, after others."""


def plan(rng: Chance) -> Plan:
    """Draw one."""
    seconds = rng.choice([rng.log_between(600, 2.5 * HOUR), rng.log_between(2.5 * HOUR, DAY), rng.uniform(1, 4) * DAY])
    main = "aws" if rng.chance(0.5) else rng.choice([*OPTIONAL, "kubernetes"])
    others = rng.sample([name for name in ["aws", *OPTIONAL] if name != main], rng.pick([(0, 6.0), (1, 2.0), (2, 1.0)]))
    machines = min(30, int(rng.log_between(1, 34)))
    return Plan(machines, rng.pick([(0, 2.0), (2, 3.0), (5, 2.0), (9, 1.0)]), seconds, [main, *others],
                rng.pick([(0, 4.0), (1, 4.0), (2, 1.0)]), rng.pick([(0, 3.0), (1, 3.0), (3, 2.0)]))  # fmt: skip


def make(seed: int) -> tuple[World, list[Incident]]:
    """The world, cut to the file's window, and its incidents."""
    rng = stream("first file", seed)
    return made(plan(rng), BASE + seed, rng, lambda world, at, done: _attack(world, stream(seed, "raid", at), done))


def made(wanted: Plan, seed: int, rng: Chance, attack: Attack) -> tuple[World, list[Incident]]:
    """The world of a plan, with what attacks of a kind do in it."""
    streams = Streams(seed)
    days = int(wanted.seconds / DAY) + 2
    tenant = Tenant(streams, 30, days, 0, date(2026, 1, 5) + timedelta(days=rng.randint(0, 200)))
    tenant.products = wanted.products
    if rng.chance(0.6):
        tenant.habits["data_events"] = 1.0
    world = World(seed, tenant, streams)
    _employ(world, wanted.people, rng)
    odd = _populate(world, wanted, rng)
    _cut(world, wanted.seconds, rng)
    _busy(world, odd, wanted, rng)
    done: list[Incident] = []
    for number in range(wanted.attacks):
        incident = attack(world, number, done)
        done += [incident] if incident else []
    return world, done


# ---- who is there


def _employ(world: World, count: int, rng: Chance) -> None:
    """People; each in one of the file's products."""
    tenant = world.tenant
    logins = model.many(lambda: model.person(rng), count + 14)
    tenant.things["upn"] = [f"{login}@{tenant.domain}" for login in logins]
    tenant.things["login"] = [login.replace(".", "-") for login in logins]
    for login in logins[:count]:
        who = life._person(world, login, rng.choice(tenant.products), world.streams("person", login), rng.chance(0.2))
        who.rate = rng.lognormvariate(0.3, 0.6)
        world.people.append(who)


def _populate(world: World, wanted: Plan, rng: Chance) -> list[benign.Odd]:
    """The machines and what they do of themselves."""
    strange = sum(rng.chance(wanted.strange) for _ in range(wanted.machines))
    makers.populate(world, max(0, wanted.machines - strange))
    for who in world.machines:
        who.born, who.gone, who.rate = 0.0, 1e12, who.rate * rng.log_between(0.5, 4)
        life.live(world, who)
    able = [calling for calling in callings() if calling.product in wanted.products]
    taken = {who.name.lower().replace("_", "-"): 1 for who in world.machines}
    odd = benign.hire(world, [rng.choice(able) for _ in range(strange)], rng, taken)
    for one in odd:
        benign.live(world, one)
    return odd


def _cut(world: World, seconds: float, rng: Chance) -> None:
    """Keep a window in which some machine is at work, and the people in it; later calls are taken in it only."""
    files, tenant = world.sink.files, world.tenant
    times = sorted(row[0] for rows in files.values() for row in rows if row[0] < tenant.start + DAY) or [
        tenant.start + 11 * HOUR
    ]
    low = max(tenant.start, rng.choice(times) - rng.uniform(0, 0.8) * min(seconds, 4 * HOUR))
    for person in world.people:
        life.work(world, person)
    for name in list(files):
        files[name] = [row for row in files[name] if low <= row[0] < low + seconds]
        if not files[name]:
            del files[name]
    tenant.start, tenant.end, tenant.cut = low, low + seconds, low


def _busy(world: World, odd: list[benign.Odd], wanted: Plan, rng: Chance) -> None:
    """Honest sessions with much in them: a first apply, an audit, a restore, a migration."""
    if wanted.busy and not odd:
        able = [calling for calling in callings() if calling.product in wanted.products]
        odd += benign.hire(world, [rng.choice(able)], rng, {})
    for _ in range(wanted.busy):
        work = benign.Work(world, rng.choice(odd), rng)
        work.session(world.tenant.start + rng.random() * wanted.seconds, int(rng.log_between(2, 16)))


# ---- attacks

TOR = ("185.220.100", "185.220.101", "23.129.64", "199.249.230", "171.25.193", "192.42.116")
TOOLS = {
    "aws": [
        "aws-cli/2.17.22 md/awscrt#0.20.11 ua/2.0 os/linux#6.8.11-kali2-amd64 md/arch#x86_64 lang/python#3.11.9 "
        "md/pyimpl#CPython cfg/retry-mode#standard",
        "Boto3/1.34.46 md/Botocore#1.34.46 ua/2.0 os/linux#6.6.15-kali-amd64 md/arch#x86_64 lang/python#3.11.8 "
        "md/pyimpl#CPython Botocore/1.34.46",
        "TruffleHog",
    ],
    "kubernetes": ["kube-hunter", "peirates/v0.0.0 (linux/amd64) kubernetes/$Format"],
    "github": ["TruffleHog", "gitleaks"],
    "azure": ["azurehound/v2.1.8"],
    "entra": ["azurehound/v2.1.8", "AADInternals"],
    "m365": ["rclone/v1.67.0"],
}
"""Clients that give their users away; most attackers have others."""
QUICK = [
    "storage_keys_listed", "owner_assignment", "run_command_on_machines", "app_settings_harvest",
    "google_owner_grant", "google_key_minting", "google_bucket_theft", "secrets_sweep", "backdoor_user_with_admin",
    "trail_stopped", "iam_enumeration", "permission_probe_with_failures", "snapshot_shared_out",
    "github_secrets_sweep", "secret_added_to_app", "warehouse_backdoor_user", "vault_policy_rewrite",
    "okta_admin_granted", "trust_policy_backdoor",
]  # fmt: skip
"""The family's usual techniques that are seen for what they are without a past."""
VERBS = ("list", "get")
RESOURCES = [
    "pods", "secrets", "configmaps", "services", "namespaces", "nodes", "serviceaccounts", "endpoints", "events",
    "persistentvolumes", "persistentvolumeclaims", "resourcequotas", "deployments.apps", "daemonsets.apps",
    "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch", "ingresses.networking.k8s.io",
    "networkpolicies.networking.k8s.io", "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io", "customresourcedefinitions.apiextensions.k8s.io",
    "leases.coordination.k8s.io", "mutatingwebhookconfigurations.admissionregistration.k8s.io",
]  # fmt: skip


class Raid(Incident):  # type: ignore[misc, unused-ignore]
    """An incident within the file: at once, from where such people sit."""

    def _seats(self) -> list[Place]:
        if self.origin == "inside":
            return []
        rng, product = self.rng, self.who.product
        agent = rng.choice(TOOLS[product]) if product in TOOLS and rng.chance(0.25) else clients.loose(product, rng)
        net = rng.pick([("tor", 0.3), ("hosting", 0.3), ("home", 0.22), ("vpn", 0.12), ("aws", 0.06)])
        count = rng.choice([1, 1, 2, 4])
        return [
            Place(f"{rng.choice(TOR)}.{rng.randint(2, 253)}" if net == "tor" else self._elsewhere(net), agent)
            for _ in range(count)
        ]

    def _elsewhere(self, net: str) -> str:
        ip = self.world.tenant.network.address(self.rng, net)
        while block(ip) in self.who.nets:
            ip = self.world.tenant.network.address(self.rng, net)
        return ip

    def _begin(self) -> float:
        tenant, rng = self.world.tenant, self.rng
        length = tenant.end - tenant.start
        self.pace, self.run = "burst" if length < 5 * HOUR or rng.chance(0.7) else "hand", None
        runs = [item for item in self.who.runs if tenant.start <= item[0] < tenant.end - 0.1 * length]
        if runs and (self.origin == "inside" or self.who.auth in ("oidc", "chain")):
            begun, self.run = rng.choice(runs)
            return float(begun) + rng.uniform(3, 60)
        return float(tenant.start + rng.random() * 0.8 * length)


def _attack(world: World, rng: Chance, before: list[Incident]) -> Incident | None:
    """One attack on one of the machines, or on a credential that nobody else uses in the file."""
    origin = "external" if rng.chance(0.75) else "inside"
    played, robbed = [one.technique.name for one in before], [one.who.label for one in before]
    able = [
        who
        for who in world.machines
        if who.auth not in ("service", "system", "node", "key", "mi")
        and (origin == "external" or who.count)
        and who.label not in robbed
    ]
    if origin == "external" and (not able or rng.chance(0.25)):
        fit = [
            c
            for c in callings()
            if c.product in world.tenant.products
            and set(c.auth) & {"user", "token", "pat", "sp", "gkey", "keypair", "password", "approle"}
        ]
        able = [one.who for one in benign.hire(world, [rng.choice(fit)], rng, {})] if fit else able
    if not able:
        return None
    who = rng.choice(able)
    technique = (
        _wide(who, rng)
        if who.product in ("aws", "kubernetes", "gcp") and rng.chance(0.4)
        else _deed(world, who, rng, played)
    )
    if technique is None:
        return None
    incident = Raid(world, technique, who, origin, rng)
    incident.carry_out()
    return incident if incident.refs else None


def _deed(world: World, who: Identity, rng: Chance, played: list[str]) -> Technique | None:
    seen = bool(world.tenant.habits["data_events"])
    fit = [item for item in deeds("first") if item.product == who.product] * 2 + [
        item for item in all_techniques() if item.name in QUICK and item.product == who.product
    ]
    fit = [item for item in fit if item.name not in played and (seen or not item.data)]
    return rng.choice(fit) if fit else None


def _wide(who: Identity, rng: Chance) -> Technique:
    """Reconnaissance: many kinds of calls in one go, many of them refused."""
    if who.product == "kubernetes":
        ops = [f"k8s/{verb} {resource}" for resource in RESOURCES for verb in VERBS]
    else:
        ops = sorted(
            op.key
            for op in CATALOGUE.values()
            if op.product == who.product and op.read and not op.data and "AssumeRole" not in op.key
        )
    chosen = rng.sample(ops, min(len(ops), int(rng.log_between(18, 130))))
    refused = rng.uniform(0.15, 0.95)
    return t(
        "first_reconnaissance", who.product, *(Step(op, 1, 1, 1.0, refused, "", {}, "") for op in chosen), paces="burst"
    )
