"""Identities that are odd by nature, and releases of workloads, in a tenant of the fourth family."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from nhi_watch_lab.fourth_world import calls, model
from nhi_watch_lab.fourth_world.life import World, local, work
from nhi_watch_lab.fourth_world.model import DAY, HOUR, MINUTE, Change, Dice, Machine, Place, Rhythm
from nhi_watch_lab.fourth_world.tenant import (
    FIRST,
    KINDS,
    LAST,
    PREFIX,
    SPANS,
    Kind,
    Tenant,
    _mix,
    _principal,
    place,
    rhythm,
)
from nhi_watch_lab.variants.fourth.tables import Trade, client, trades

# ---- hiring


@dataclass
class Odd:
    """An identity of such a trade."""

    trade: Trade
    machine: Machine
    deck: list[tuple[str, ...]]
    """Its chores in the order of its own liking: the first ones come most often."""
    walked: int = 0
    """How far it has come through those that it does one after another."""
    days: set[int] = field(default_factory=set)
    """Begins of its days of work, where the rhythm is one of few days."""


def wanted(dice: Dice, tenant: Tenant, count: int) -> list[Trade]:
    """As many trades as asked for: two deploy; the first products have one each; seldom does one come again."""
    found: list[Trade] = []
    weights = {product: 2.2 if product == "cloudtrail" else dice.wide(0.4, 1.2) for product in tenant.products}
    shares = {t.name: t.share * dice.around(1.0, 0.6) for t in trades()}
    drawn: dict[tuple[str, str], int] = {}
    for index in range(count):
        product = (tenant.products[:3] + ["cloudtrail"] * 2)[index] if index < 5 else dice.weighted(weights)
        able = [t for t in trades() if t.product == product]
        table = {t.name: shares[t.name] * 0.25 ** drawn.get((product, t.name), 0) for t in able}
        chosen = {0: "deployer", 3: "tofu", 4: "deployer"}.get(index) if product == "cloudtrail" else None
        chosen = chosen or dice.weighted(table)
        drawn[product, chosen] = drawn.get((product, chosen), 0) + 1
        found.append(next(t for t in able if t.name == chosen))
    return found


def hire(dice: Dice, world: World, chosen: list[Trade], days: int) -> list[Odd]:
    """Machines of those trades; they join the world's."""
    tenant, names = world.tenant, {(m.who.product, m.who.account, m.who.name) for m in world.machines}
    crew: list[Odd] = []
    homes = _busiest(world)
    for trade in chosen:
        account = trade.product if trade.product != "cloudtrail" else dice.early(tenant.accounts)
        if trade.name == "deployer" and homes and trade.product == "cloudtrail":
            account = homes.pop(0)
        session, noun = dice.pick(list(trade.sessions)), dice.pick(list(trade.nouns))
        kind = Kind(noun, 1.0, session, list(trade.places), list(trade.clients), [], 1.0, 1, [], [])
        who = _principal(dice, tenant, trade.product, kind, account)
        if trade.product == "cloudtrail" and session != "vendor":
            who.name = PREFIX.get(session, "") + (noun if dice.chance(0.35) else tenant.name(dice, noun))
        if trade.rhythm == "person":
            name = f"{dice.pick(FIRST)}.{dice.pick(LAST)}-{noun}"
            who.name = (
                name.upper().replace(".", "_").replace("-", "_") if trade.product == "snowflake" else name.lower()
            )
        while (who.product, who.account, who.name) in names:
            who.name = f"{who.name}{dice.randint(2, 9)}" if who.product != "gcp" else f"x{who.name}"
        names.add((who.product, who.account, who.name))
        agent = client(dice, trade.product, dice.pick(list(trade.clients)), noun)
        deck = dice.some(trade.deck, len(trade.deck))
        mix = [(call, 1.0) for call in trade.every] + [(call, 0.2) for chore in deck for call in chore]
        spot = _place(dice, tenant, dice.pick(list(trade.places)), account)
        m = Machine(
            who, trade.name, agent, spot, Rhythm("odd", 1.0), 1.0, list(dict(mix).items()), [], session,
            SPANS.get(session, 24) * HOUR, dice.early(tenant.regions), world.begin, world.begin + (days + 1) * DAY,
        )  # fmt: skip
        if dice.chance(0.25):
            m.changes = [
                Change(int(dice.between(world.begin, world.end)), "client", model.upgrade(dice, agent), m.place, ())
            ]
        crew.append(Odd(trade, m, deck))
        world.machines.append(m)
        _known(tenant, m)
    return crew


def _busiest(world: World) -> list[str]:
    """The accounts, the one with the most workloads first: who deploys them works there."""
    of = [m.who.account for m in world.machines if m.kind in WORKLOADS["cloudtrail"]]
    return sorted(world.tenant.accounts, key=lambda account: -of.count(account))


def _known(tenant: Tenant, m: Machine) -> None:
    """Others may name the identity in their calls."""
    key = {"user": "user", "role": "role"}.get(m.who.kind)
    if m.who.product == "cloudtrail" and key:
        tenant.stock[m.who.account].setdefault(key, []).append(m.who.name)
    if m.who.product == "gcp":
        tenant.stock["gcp"]["sa"].append(m.who.name)


def _place(dice: Dice, tenant: Tenant, style: str, account: str) -> Place:
    if style != "roam":
        return place(dice, tenant, style, account)
    home = model.address(dice, "home", tenant.ids["country"])
    return Place("saas", [home, dice.pick(tenant.offices), dice.pick(tenant.vpn), model.address(dice, "home")])


# ---- their days


def live(world: World, odd: Odd) -> None:
    """All days of one of them."""
    dice = world.tenant.dice("odd", odd.machine.who.product, odd.machine.who.label)
    odd.days = _few_days(dice, world, odd.trade.rhythm)
    for day in range(world.begin, world.end, DAY):
        for t in moments(world, odd, day, dice):
            shift(world, odd, t, dice)


def _few_days(dice: Dice, world: World, rhythm: str) -> set[int]:
    """Days of work of those who rest in between."""
    days = range(world.begin, world.end, DAY)
    if rhythm == "seldom":
        return set(dice.some(list(days), dice.pick([1, 1, 1, 2, 2, 3])))
    if rhythm == "drill":
        first, gap = dice.randint(0, max(0, min(9, len(days) - 1))), dice.pick([7, 14, 14, 28, 28])
        return {day for index, day in enumerate(days) if index >= first and (index - first) % gap == 0}
    found, at = set(), dice.randint(0, 3)
    while at < len(days):
        found.add(days[at])
        at += dice.randint(2, 6)
    return found


def moments(world: World, odd: Odd, day: int, dice: Dice) -> list[int]:
    """When it sets to work on a day."""
    trade = odd.trade
    weekend = local(world, day + 12 * HOUR).weekday() > 4
    if trade.rhythm == "reconcile":
        count = dice.randint(*trade.runs)
        return [day + int((i + dice.random()) * DAY / count) for i in range(count)]
    if trade.rhythm == "night":
        return [day + int((2 - world.tenant.utc) % 24 * HOUR) + dice.randint(0, 20) * MINUTE]
    if trade.rhythm in ("seldom", "drill", "every-few"):
        if day not in odd.days or (weekend and trade.rhythm == "every-few" and dice.chance(0.7)):
            return []
    elif dice.chance({"workday": 0.97 if weekend else 0.06, "person": 0.9 if weekend else 0.45}[trade.rhythm]):
        return []
    night = trade.rhythm == "drill" or (trade.rhythm == "seldom" and dice.chance(0.4))
    hours = [
        dice.between(0, 24) if night else min(21.0, max(6.0, dice.gauss(13.5, 2.8)))
        for _ in range(dice.randint(*trade.runs))
    ]
    return sorted(day + int((hour - world.tenant.utc) % 24 * HOUR) for hour in hours)


def shift(world: World, odd: Odd, t: int, dice: Dice, chores: int = -1) -> None:
    """One run: what each begins with, and some chores."""
    trade = odd.trade
    count = chores if chores >= 0 else dice.randint(*trade.chores)
    if trade.rhythm in ("reconcile", "night") and chores < 0 and not dice.chance(0.3):
        count = 0
    done = list(trade.every)
    for _ in range(count):
        done += _chore(odd, dice)
    away = trade.rhythm == "person" and dice.chance(0.05)
    work(world, dice, odd.machine, t, done, trade.fresh if count else 0.02, trade.refused if count else 0.0, away)


def _chore(odd: Odd, dice: Dice) -> tuple[str, ...]:
    """One of its favourites, or the next of those that come round once in a while."""
    if dice.chance(0.45):
        return dice.early(odd.deck)
    odd.walked += 1
    return odd.deck[-odd.walked % len(odd.deck)]


# ---- releases: a deployment by the workload's usual deployer, and what is new afterwards

WORKLOADS = {
    "cloudtrail": ("lambda", "task", "irsa", "bedrock", "redshift", "ec2app"),
    "kubernetes": ("app", "controller", "operator"),
}
DEPLOYERS = {"cloudtrail": ("deployer", "gha", "jenkins"), "kubernetes": ("rollout", "cideploy", "gitops", "argocd")}
READS = {
    "cloudtrail": ["secretsmanager:GetSecretValue"] * 2 + ["ssm:GetParameter", "ssm:GetParameters"],
    "kubernetes": ["get secrets", "get secrets", "get configmaps"],
}
KUBERNETES_NEWS = [
    "get configmaps", "list services", "get secrets", "create events", "list endpoints", "get leases", "create jobs",
    "list pods", "create selfsubjectaccessreviews", "watch configmaps", "get serviceaccounts", "update configmaps",
    "create serviceaccounts/token",
]  # fmt: skip


class Released(NamedTuple):
    """A workload, and who usually deploys it."""

    workload: Machine
    deployer: Machine


def services(dice: Dice, world: World, count: int, days: int) -> None:
    """Further workloads, in the accounts and clusters of those who deploy; they join the world's machines."""
    tenant, names = world.tenant, {(m.who.product, m.who.account, m.who.name) for m in world.machines}
    homes = {(m.who.product, m.who.account) for m in world.machines if m.kind in DEPLOYERS.get(m.who.product, ())}
    for _ in range(count if homes else 0):
        product, account = dice.pick(sorted(homes))
        kind = KINDS[product][dice.pick(["lambda", "lambda", "task", "irsa"] if product == "cloudtrail" else ["app"])]
        who = _principal(dice, tenant, product, kind, account)
        while (product, account, who.name) in names:
            who.name = f"{who.name}{dice.randint(2, 9)}"
        names.add((product, account, who.name))
        agent = model.client(dice, product, dice.pick(kind.clients), tenant.name(dice, kind.name))
        spot, beat = place(dice, tenant, dice.pick(kind.places), account), rhythm(dice, dice.pick(kind.rhythms))
        world.machines.append(Machine(
            who, kind.name, agent, spot, beat, dice.around(kind.volume, 0.8), _mix(dice, tenant, product, kind),
            kind.rare, kind.session, SPANS.get(kind.session, 24) * HOUR, dice.early(tenant.regions), world.begin,
            world.begin + (days + 1) * DAY,
        ))  # fmt: skip
        _known(tenant, world.machines[-1])


def pairs(world: World, dice: Dice) -> list[Released]:
    """The workloads that are released now and then, each with its deployer."""
    found: list[Released] = []
    for product, kinds in WORKLOADS.items():
        if product not in world.tenant.products:
            continue
        able = [
            m
            for m in world.machines
            if m.who.product == product
            and m.kind in DEPLOYERS[product]
            and m.session in ("gha", "ci", "key", "satoken", "pod")
        ]
        work_of = [m for m in world.machines if m.who.product == product and m.kind in kinds and m.dies > world.end]
        share = dice.between(0.45, 0.8)
        for m in work_of:
            near = [d for d in able if d.who.account == m.who.account]
            if near and dice.chance(share):
                found.append(Released(m, dice.early(near)))
    return found


def deployment(m: Machine) -> list[tuple[str, dict[str, str]]]:
    """The calls that bring out a new version of a workload, each with what it is about."""
    name = m.who.name.split(":")[-1]
    if m.who.product == "kubernetes":
        space = m.who.name.split(":")[2]
        return [
            ("get deployments", {"namespace": space, "k8sname": name}),
            ("patch deployments", {"namespace": space, "k8sname": name}),
        ]
    if m.session == "func":
        return [
            ("lambda:UpdateFunctionCode20150331v2", {"func": name}),
            ("lambda:PublishVersion20150331", {"func": name}),
        ]
    if m.session == "inst":
        return [("codedeploy:CreateDeployment", {"word": name})]
    if m.session == "irsa":
        return [("ecr:PutImage", {"repo": name}), ("eks:DescribeCluster", {})]
    return [
        ("ecr:PutImage", {"repo": name}),
        ("ecs:RegisterTaskDefinition", {"word": name, "role": name}),
        ("ecs:UpdateService", {"word": name}),
    ]


def release(world: World, dice: Dice, pair: Released, t: int) -> int:
    """The deployer brings out a version; returns when it is out."""
    m, by = pair
    source, host = world.where(by, t, dice)
    session = world.session(by, t, source, host, world.agent(by, t))
    steps: list[tuple[str, dict[str, str]]] = [(call, {}) for call, _ in by.mix[:3]]
    for call, args in steps + deployment(m):
        world.act(
            dice,
            by.who,
            call,
            t,
            source,
            world.agent(by, t),
            session,
            by.slots,
            0.02,
            args={"host": host, "region": m.region, **args},
        )
        t += int(dice.wide(0.4, 40) * 1000)
    return t


def news(world: World, dice: Dice, m: Machine, t: int) -> None:
    """What the workload does for the first time after a release: new calls, a new secret, now and then a new client."""
    known = {call for call, _ in m.mix}
    fresh = [call for call in _pool(m) if call not in known and world_knows(m, call)]
    brought = dice.some(fresh, dice.pick([0, 1, 1, 2, 2, 3, 4]))
    read = dice.pick(READS[m.who.product]) if dice.chance(0.65) else ""
    if dice.chance(0.35):
        m.changes.append(Change(t, "client", model.upgrade(dice, m.agent), m.place, ()))
    lasting = dice.chance(0.6)
    until = world.end if lasting else t + int(dice.between(0.05, 1.2) * DAY)
    at = t + int(dice.wide(0.3, 600) * MINUTE) if dice.chance(0.8) else t + int(dice.between(0.4, 0.95) * DAY)
    secret = _secret(world, dice, m) if read else {}
    refused = dice.chance(0.12)
    while at < min(until, world.end):
        source, host = world.where(m, at, dice)
        agent = world.agent(m, at)
        session = world.session(m, at, source, host, agent)
        tasks: list[tuple[str, dict[str, str]]] = [(call, {}) for call in brought if dice.chance(0.8)]
        for call, args in tasks + ([(read, secret)] if read else []):
            wrong = "denied" if refused and at < t + 6 * HOUR and dice.chance(0.7) else ""
            world.act(
                dice,
                m.who,
                call,
                at,
                source,
                agent,
                session,
                m.slots,
                0.1,
                wrong,
                args={"host": host, "region": m.region, **args},
            )
            at += int(dice.wide(0.05, 20) * 1000)
        at += int(dice.wide(0.15, 14) * HOUR) if at < t + DAY else int(dice.wide(6, 60) * HOUR)


def world_knows(m: Machine, call: str) -> bool:
    """Whether there is such a call in the workload's product."""
    return call in (calls.AWS_CALLS if m.who.product == "cloudtrail" else calls.TABLES[m.who.product])


def _pool(m: Machine) -> list[str]:
    if m.who.product == "kubernetes":
        return KUBERNETES_NEWS
    kind = KINDS["cloudtrail"][m.kind]
    return (
        kind.usual
        + kind.rare
        + [
            "sts:GetCallerIdentity",
            "kms:GenerateDataKey",
            "sqs:GetQueueAttributes",
            "events:PutTargets",
            "sts:AssumeRole",
        ]
    )


def _secret(world: World, dice: Dice, m: Machine) -> dict[str, str]:
    if m.who.product == "kubernetes":
        _, _, space, name = m.who.name.split(":")
        return {
            "namespace": space,
            "k8sname": f"{name}-{dice.pick(['db', 'api', 'smtp', 'oauth', 'tls'])}-{dice.hexes(4)}",
        }
    stock = world.tenant.stock[m.who.account]
    return {"secret": dice.pick(stock["secret"]), "param": dice.pick(stock["param"])}


def releases(world: World, dice: Dice, chosen: list[Released]) -> None:
    """All releases of the time, in working hours of working days."""
    for pair in chosen:
        gap = dice.wide(1.5, 12)
        at = world.begin + dice.random() * gap * DAY
        while at < world.end:
            day = int(at) - int(at) % DAY
            t = day + int((min(20.0, max(7.0, dice.gauss(13, 2.5))) - world.tenant.utc) % 24 * HOUR)
            if local(world, t).weekday() < 5 and pair.workload.born <= t < world.end - HOUR:
                out = release(world, dice, pair, t)
                if dice.chance(0.7):
                    news(world, dice, pair.workload, out)
            at += dice.wide(0.5, 2.0) * gap * DAY
