"""How machines change: deploys, upgrades, moves, rotations, new regions, wider targets, rollouts. Made before the routine is lived."""
from __future__ import annotations

from typing import List

from .chance import Chance
from .makers import agent_of, new_places
from .model import DAY, Habit, Identity, Place
from .tenant import FAR_REGIONS
from .world import World, new_key

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
