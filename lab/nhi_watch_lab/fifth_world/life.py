"""The routine of machines: flows of calls and runs of jobs, with errors, retries and outages."""
from __future__ import annotations

from typing import Any, Dict, List, Optional

from .chance import Chance
from .model import DAY, Habit, Identity, Place
from .rhythm import flow_times, run_times
from .world import World

FLOWS = ("poll", "office", "day")
FAULTS = {"aws": ["ThrottlingException", "denied", "ResourceNotFoundException", "ServiceUnavailable", "ThrottlingException"], "s3": ["NoSuchKey", "NoSuchKey", "denied"],
    "entra": ["denied", "expired", "outage"]}
DOWN = {"aws": "ServiceUnavailable", "entra": "outage"}
RUNS_A_DAY = {"nightly": 1.0, "hourly": 24.0, "weekly": 1 / 7, "monthly": 1 / 30, "quarterly": 1 / 91, "sparse": 0.28}


def expected(who: Identity, weekend: float) -> float:
    """Calls a day to expect of a machine, before scaling."""
    kind, total = who.kind, sum(habit.weight for habit in who.habits)
    if kind.rhythm in FLOWS:
        return who.rate * ((5 + 2 * weekend) / 7 if kind.rhythm == "office" else 1)
    if kind.rhythm == "runs":
        return min(25.0, who.rate) * total * (5 + 2 * weekend) / 7
    return RUNS_A_DAY[kind.rhythm] * total * who.rate


def scale(world: World) -> None:
    """Brings volume and the share of AWS to what the tenant's habits say."""
    habits, tenant = world.tenant.habits, world.tenant
    span = {id(who): max(0.0, min(who.gone, tenant.end) - max(who.born, tenant.start)) / DAY for who in world.machines}
    total = habits["records_per_machine_day"] * len(world.machines) * tenant.days
    sums = {True: 1.0, False: 1.0}
    for who in world.machines:
        sums[who.product == "aws"] += expected(who, habits["weekend"]) * span[id(who)]
    loudest = world.streams("loudest").choice([who for who in world.machines if who.product == "aws" and who.kind.rhythm in FLOWS] or world.machines)
    loud = habits["loudest_share"] * total
    for who in world.machines:
        aws = who.product == "aws"
        factor = ((habits["aws_share"] - 0.09) * total - loud if aws else (1 - habits["aws_share"]) * total) / sums[aws]
        cap = 0.06 * total
        own = expected(who, habits["weekend"]) * span[id(who)] * factor
        who.rate *= min(5.0, max(0.15, factor)) * min(1.0, cap / max(own, 1.0))
    loudest.rate *= loud / max(1.0, expected(loudest, habits["weekend"]) * max(1.0, span[id(loudest)]))


def signs_in(world: World, who: Identity, time: float, rng: Chance, place: Place, odds: float) -> None:
    """Apps of Azure and Microsoft 365 fetch tokens from Entra."""
    if who.product in ("azure", "m365") and "entra" in world.tenant.products and rng.chance(odds):
        world.act(who, "entra/signin", time, rng, place, None, rng.choice(["outage", "expired"]) if rng.chance(0.004) else "")


def active(who: Identity, time: float) -> List[Habit]:
    return [habit for habit in who.habits if habit.since <= time < habit.until]


def call(world: World, who: Identity, habit: Habit, time: float, rng: Chance, place: Place) -> float:
    """One routine call with what may go wrong; returns the time after it."""
    args: Dict[str, Any] = dict(habit.args)
    error = str(args.pop("_error", ""))
    service = habit.op.split(":")[0]
    down = world.failing(who.product, habit.op, time, rng)
    if down:
        error = DOWN.get(who.product, "outage")
    elif not error and rng.chance(who.errors):
        error = rng.choice(FAULTS.get(service) or FAULTS.get(who.product) or ["denied", "outage"])
    if "vendor" in who.auth or "scan" in who.kind.tags:
        if who.account and rng.chance(0.4):
            args.setdefault("region", rng.choice(who.account.regions))
    world.act(who, habit.op, time, rng, place, args, error)
    if error and (who.retries or down):
        for _ in range(rng.randint(1, 3)):
            time += rng.uniform(0.5, 20)
            world.act(who, habit.op, time, rng, place, args, error if down or rng.chance(0.4) else "")
    return time


def run_place(world: World, who: Identity, time: float, rng: Chance) -> Place:
    """A run's host: a fresh runner or one of the machine's own."""
    place = rng.choice(who.places_at(time))
    if who.dynamic:
        place = place._replace(ip=world.tenant.network.draw(rng, who.dynamic), endpoint="")
    if who.auth in ("oidc", "chain"):
        place = place._replace(host=f"@{time:.0f}|{'GitHubActions' if rng.chance(0.7) else 'gh-' + rng.digits(10)}")
    if who.auth == "vendor" and rng.chance(0.3):
        place = place._replace(host=f"@{time:.0f}|{place.host}")
    return place


def run(world: World, who: Identity, time: float, rng: Chance, size: float = 1.0, place: Optional[Place] = None) -> float:
    """One run of a job, in the order of its habits."""
    where = place or run_place(world, who, time, rng)
    gap = rng.log_between(0.4, 12)
    signs_in(world, who, time - 3, rng, where, 0.9)
    iac, before, start = "iac" in who.kind.tags, who.count, time
    for habit in active(who, time):
        mean = habit.weight * size
        count = int(mean) + (1 if rng.chance(mean - int(mean)) else 0)
        for _ in range(max(0, int(round(count * rng.uniform(0.75, 1.25)))) if count > 2 else count):
            time = call(world, who, habit, time, rng, where) + rng.expovariate(1 / gap)
    if iac and rng.chance(0.55) and who.kind.grow:
        for _ in range(rng.randint(1, 5)):
            time = call(world, who, Habit(rng.choice(who.things.get("iac") or list(who.kind.grow)), 1, {}), time, rng, where) + rng.expovariate(1 / gap)
    if who.count > before and (who.dynamic or where.host.startswith("@")):
        who.runs.append((start, where))
    return time


def live(world: World, who: Identity) -> None:
    """The whole routine of one machine."""
    tenant, rng = world.tenant, world.streams("life", who.name)
    if "iac" in who.kind.tags:
        who.things["iac"] = rng.sample(list(who.kind.grow), min(len(who.kind.grow), rng.randint(5, 14)))
    for day in range(tenant.days):
        noon = tenant.start + (day + 0.5) * DAY
        if not who.alive(noon) or rng.chance(0.004):
            continue
        if who.kind.rhythm in FLOWS:
            _flow(world, who, day, rng)
            continue
        for time in run_times(tenant, who, day, rng):
            if not who.alive(time):
                continue
            size = 1.0 if who.kind.rhythm == "runs" else who.rate
            if who.kind.rhythm == "sparse":
                _sitting(world, who, time, rng)
            else:
                run(world, who, time, rng, size)


def _flow(world: World, who: Identity, day: int, rng: Chance) -> None:
    habits = active(who, world.tenant.start + (day + 0.5) * DAY)
    weighted = [(habit, habit.weight) for habit in habits]
    for time in flow_times(world.tenant, who, day, who.rate, rng):
        if who.alive(time):
            place = rng.choice(who.places_at(time))
            signs_in(world, who, time - rng.uniform(1, 900), rng, place, 0.12)
            call(world, who, rng.pick(weighted), time, rng, place)


def _sitting(world: World, who: Identity, time: float, rng: Chance) -> None:
    """An irregular session: some of the habits, in any order."""
    weighted = [(habit, habit.weight) for habit in active(who, time)]
    place = run_place(world, who, time, rng)
    for _ in range(max(1, rng.poisson(2 + 8 * min(3.0, who.rate)))):
        time = call(world, who, rng.pick(weighted), time, rng, place) + rng.expovariate(1 / 25)


def bulk(world: World, who: Identity, time: float, rng: Chance, times: float) -> None:
    """A backfill: the usual work many times over."""
    for _ in range(int(times)):
        time = run(world, who, time, rng, max(0.3, min(who.rate, 3.0))) + rng.uniform(1, 300)
        if time > world.tenant.end:
            return


