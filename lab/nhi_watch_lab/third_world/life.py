"""A machine's days: when it runs, what it calls, and the surprises that are nobody's attack."""
from dataclasses import replace
from typing import List

from .addresses import address
from .clients import Client
from .model import Credential, Identity, World
from .rand import DAY, HOUR, MINUTE, Rand, moment
from .sessions import by_hand, current, lend, refused

QUIRKS = [("call", 3.0), ("release", 1.5), ("region", 0.6), ("client", 0.7), ("address", 1.2), ("burst", 1.5), ("resource", 1.2),
          ("odd hours", 0.8), ("failing", 1.0), ("tool", 0.5), ("sweep", 0.4)]

GRAVE = {"cloudtrail:StopLogging", "guardduty:UpdateDetector", "config:StopConfigurationRecorder", "kms:ScheduleKeyDeletion",
         "vault:audit.disable", "gcp:sink.delete", "rolesanywhere:CreateTrustAnchor", "iam:CreateOpenIDConnectProvider",
         "bedrock:DeleteModelInvocationLoggingConfiguration", "gh:branch.destroy", "okta:idp.create", "ec2:DeleteFlowLogs",
         "entra:add-role-member", "k8s:create/mutatingwebhookconfigurations"}


def office_time(world: World, rand: Rand) -> int:
    """Milliseconds into the day, gathered about the tenant's working hours."""
    hour = world.habits["noon_utc"] + 3.0 * rand.normal() if rand.chance(0.82) else rand.between(0, 24)
    return int((hour % 24) * HOUR)


def runs(world: World, who: Identity, day: int, rand: Rand) -> List[int]:
    """The times of day, in ms, at which the machine does something."""
    weekend = world.weekday(day) >= 5
    mood = rand.lognormal(1, 0.25)
    minute = int(who.extra["minute"])
    plan, rate = who.schedule, who.rate * mood
    if plan == "steady":
        return [int(rand.between(0, DAY)) for _ in range(rand.count(rate))]
    if plan in ("diurnal", "release"):
        rate *= world.habits["weekend"] if weekend else 1.0
        if plan == "release" and world.weekday(day) == 4:
            rate *= 0.6
        return [office_time(world, rand) for _ in range(rand.count(rate))]
    if plan == "cron":
        step = DAY / max(1.0, round(who.rate))
        start = minute * MINUTE % step
        return [int(start + n * step + rand.between(0, 9000)) for n in range(int(max(1, round(who.rate))))]
    if plan == "bursty":
        found: List[int] = []
        for _ in range(rand.count(min(4.0, 0.4 + rate / 6))):
            centre = rand.between(0, DAY)
            found += [int(centre + rand.waiting(4 * MINUTE)) for _ in range(1 + rand.count(rate / 3))]
        return found
    if plan == "daily":
        times = max(1, min(4, round(who.rate)))
        return [int((minute * MINUTE + n * DAY / times) % DAY + rand.waiting(90000)) for n in range(times)]
    if plan == "weekly":
        return [minute * MINUTE] if world.weekday(day) == who.extra["weekday"] else []
    if plan == "monthly":
        date = moment(world.at(day, 0)).day
        return [minute * MINUTE] if date == who.extra["monthday"] else []
    sweeps = 1 + minute % 4
    each = rand.count(rate) // sweeps
    return [int((minute * MINUTE + n * DAY / sweeps) % DAY + k * rand.between(900, 3000)) for n in range(sweeps)
            for k in range(each)]


def act(world: World, who: Identity, time: int, ops: List[str], cred: Credential, rand: Rand, pause: float = 1500.0,
        *, wide: bool = False, region: str = "", failing: bool = False) -> None:
    """Calls one after another with one credential."""
    for key in ops:
        op = world.ops[key]
        error = ""
        if failing or refused(world, who, op):
            error = "denied"
        elif rand.chance(0.006):
            error = rand.pick(["throttled", "missing", "missing", "invalid"])
        world.do(time, who, key, cred, rand, error=error, wide=wide, region=region)
        time += int(rand.waiting(pause)) + rand.whole(20, 400)


def script(who: Identity, rand: Rand) -> List[str]:
    length = max(1, who.length + (rand.whole(-1, 1) if who.length > 2 else 0))
    return [rand.weighted(who.ops) for _ in range(length)]


def unusual(who: Identity, rand: Rand) -> List[str]:
    """One to six calls the machine rarely or never made: mostly of its trade, at times an odd one."""
    source = who.rare or [key for key, _ in who.ops]
    picked = [rand.pick(source) for _ in range(rand.whole(1, 3))]
    return [key for key in picked for _ in range(rand.whole(1, 2))]


def ordinary(world: World, who: Identity, rand: Rand) -> str:
    """A call that may join the machine's routine for good."""
    fit = [key for key in who.rare if world.ops[key].kind != "W" or who.power == "narrow"]
    return rand.pick(fit or [who.ops[0][0]])


def changes(who: Identity, rand: Rand) -> List[str]:
    """What an apply run changes this time: seldom anything grave."""
    picked = [rand.pick(who.rare) for _ in range(rand.whole(1, 4))]
    return [key for key in picked if key not in GRAVE or rand.chance(0.12)]


def sweep_ops(world: World, who: Identity, rand: Rand) -> List[str]:
    """A read-only round through the identity's product, as an inventory script makes it."""
    reads = [op.key for op in world.ops.values() if op.product == who.product and op.kind == "R" and op.name.split("/")[0].
             startswith(("List", "Describe", "Get", "list", "storage.buckets", "read")) and "Password" not in op.name]
    return rand.some(reads, rand.whole(5, 25)) or unusual(who, rand)


def live(world: World, who: Identity) -> None:
    """All the days of one machine."""
    rand = Rand(world.seed, "life", who.unique, who.name)
    fixed = script(who, rand)
    novelty = min(0.3, world.habits["novelty"] * rand.lognormal(1, 0.8) * (3 if who.power != "narrow" else 1))
    for day in range(world.days):
        if not who.alive(day):
            continue
        if day == who.upgrade_day:
            who.client = who.client.upgrade(rand)
            if rand.chance(0.3):
                who.ops = who.ops + [(ordinary(world, who, rand), who.ops[0][1])]
        debugging = rand.chance(world.habits["debugging"] / 8) and who.kind not in ("linked", "saas", "k8s-node", "entra-mi")
        quirk = rand.weighted(QUIRKS) if rand.chance(novelty) else ""
        times = runs(world, who, day, rand)
        if quirk == "burst":
            times = [int(t + rand.between(0, 3 * HOUR)) for t in times or [office_time(world, rand)] for _ in
                     range(rand.whole(3, 20))][:600]
        if quirk == "odd hours":
            times = times + [int(rand.between(0, DAY))] * rand.whole(1, 3)
        if quirk == "client" and who.kind != "linked":
            who.client = by_hand(rand, who.product) if rand.chance(0.3) else Client(rand, rand.pick(["boto3", "go2", "js3"])
                         if who.product == "cloudtrail" else who.client.family, who.client.runtime)
        if quirk == "release":
            who.ops = who.ops + [(ordinary(world, who, rand), who.ops[0][1] * rand.between(0.2, 1.5))]
            fixed = script(who, rand)
        scale = rand.whole(2, 6) if who.hosts > 1 and rand.chance(0.06) else 0
        for time in sorted(times):
            at = world.at(day, time)
            cred = current(world, at, who, rand, who.hosts + scale)
            if quirk == "address" and not cred.service:
                cred = replace(cred, ip=address(Rand(world.seed, who.unique, day), f"aws:{who.account.region}" if rand.chance(
                    0.9) else "hosting"), private="")
            steps = fixed if who.schedule in ("cron", "daily") and rand.chance(0.93) else script(who, rand)
            if who.power == "admin" and who.rare and rand.chance(world.habits["applies"]):
                steps = steps + changes(who, rand)
            act(world, who, at, steps, cred, rand, wide=quirk == "resource" or who.schedule.startswith("loud") or
                who.schedule == "release", failing=bool(who.extra["failing"]) and rand.chance(0.7) or (
                quirk == "failing" and rand.chance(0.8)))
        special(world, who, day, quirk, rand)
        if debugging and world.staff:
            debug(world, who, world.at(day, office_time(world, rand)), rand)


def special(world: World, who: Identity, day: int, quirk: str, rand: Rand) -> None:
    """The quirk's own calls, besides the day's usual ones."""
    if quirk not in ("call", "release", "region", "tool", "sweep"):
        return
    at = world.at(day, office_time(world, rand))
    cred = current(world, at, who, rand)
    if quirk == "tool" and not cred.service:
        cred = replace(cred, client=by_hand(rand, who.product))
    region = rand.pick(["us-east-1", "us-west-2", "eu-west-1", "ap-southeast-2"]) if quirk == "region" else ""
    ops = sweep_ops(world, who, rand) if quirk == "sweep" else script(who, rand) if region else unusual(who, rand)
    act(world, who, at, ops, cred, rand, rand.logbetween(400, 30000), wide=rand.chance(0.5), region=region)


def debug(world: World, who: Identity, at: int, rand: Rand) -> None:
    """Someone looks for a fault with the machine's own rights."""
    person = rand.pick(world.staff)
    cred = lend(world, at, who, person, rand)
    at += rand.whole(2000, 60000)
    ops = ["sts:GetCallerIdentity"] if who.product == "cloudtrail" and rand.chance(0.7) else []
    for _ in range(rand.whole(1, 9)):
        ops += [rand.weighted(who.ops)] if rand.chance(0.6) else unusual(who, rand)
    if rand.chance(0.15):
        ops += sweep_ops(world, who, rand)[:8]
    act(world, who, at, ops, cred, rand, 25000, wide=rand.chance(0.5))
