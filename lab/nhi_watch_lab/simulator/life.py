"""What happens to honest machines over the weeks: everything that a naive detector takes for an attack."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from nhi_watch_lab.simulator import agents
from nhi_watch_lab.simulator.archetypes import MIX
from nhi_watch_lab.simulator.dice import Dice, Pool, dice
from nhi_watch_lab.simulator.machines import HOUR, Activity, Machine, Rhythm, Step
from nhi_watch_lab.simulator.parts import Parts
from nhi_watch_lab.simulator.records import Template, denied
from nhi_watch_lab.simulator.regular import regular, runners
from nhi_watch_lab.simulator.ways import Ways
from nhi_watch_lab.simulator.world import WORDS

Event = Callable[[Parts, Dice, Machine, int], None]
"""Changes a machine from a day on."""
_FIXED = ("scanner", "service", "sleeper", "servicelinked")


def make_machines(parts: Parts, count: int, days: int) -> list[Machine]:
    """All machines that ever live within `days`, each with the changes of its life."""
    kinds = Pool([(maker, word) for maker, word, _ in MIX], _weights(parts))
    machines = []
    for number in range(count):
        d = dice(parts.world.seed, "machine", number)
        maker, word = MIX[number][:2] if number < len(MIX) and count >= 40 else kinds.draw(d)
        name = parts.world.role_name(d.pick(WORDS), d.pick(parts.world.envs), word) + (
            f"-{number}" if d.chance(0.6) else f"-{d.hexes(4)}"
        )
        machine = maker(parts, d, name)
        machine.weekend = parts.ways.weekend
        _live(parts, dice(parts.world.seed, "life", number), machine, days)
        regular(parts, dice(parts.world.seed, "regular", number), machine, days)
        if word in ("deploy", "infra"):
            runners(parts, machine)
        machines.append(machine)
    return machines + [_successor(parts, m, days) for m in machines if m.dies < days and m.kind == "role"]


def _weights(parts: Parts) -> list[float]:
    d, ways = dice(parts.world.seed, "mix"), parts.ways
    factors = {"audit": ways.scanners, "agent": ways.failing, "deploy": ways.pipelines, "infra": ways.pipelines,
               "integration": ways.keys, "legacy": ways.keys}  # fmt: skip
    return [weight * d.lognormal(1, 0.5) * factors.get(word, 1.0) for _, word, weight in MIX]


def _live(parts: Parts, d: Dice, machine: Machine, days: int) -> None:
    for happening, monthly, rate in HAPPENINGS:
        for _ in range(d.poisson(monthly * rate(parts.ways) * days / 30)):
            if machine.archetype not in _FIXED:
                happening(parts, d, machine, d.between(1, max(1, days - 1)))
    if machine.archetype == "scanner":
        for _ in range(d.poisson(3 * days / 30)):
            _new_checks(parts, d, machine, d.between(1, max(1, days - 1)))


def _newcomer(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    machine.born = max(machine.born, day)


def _adopts(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    """A new version calls something new from now on."""
    extra = parts.some_reads(d, d.between(1, 4)) if d.chance(0.7) else parts.some_writes(d, d.between(1, 2))
    machine.activities.append(
        Activity(Rhythm("steady", d.lognormal(8, 1)), [Step(Pool.zipf(extra))], since=day)
    )


def _new_secret(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    """It gets secrets that it never read."""
    other = Machine(**{**machine.__dict__, "secrets": d.some(parts.world.secrets, d.between(1, 3))})
    pool = Pool(parts.own(other, "secretsmanager:GetSecretValue", d))
    machine.activities.append(Activity(Rhythm("steady", d.lognormal(4, 0.8)), [Step(pool)], since=day))


def _rare_job(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    """A monthly or quarterly job of many calls that shows up once in these weeks."""
    calls = parts.some_reads(d, d.between(3, 12)) + parts.own(machine, "s3:GetObject", d)
    rhythm = Rhythm("cron", at=d.between(0, 23 * HOUR), days=d.pick([30, 31, 90]), offset=day)
    machine.activities.append(Activity(rhythm, [Step(Pool(calls), d.lognormal(30, 0.9), 4)], scale=False))


def _bug_hunt(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    """One day of start-up checks and diagnostics: many calls that never come back."""
    steps = [Step(parts.reads(d), d.lognormal(9, 0.8), 20)]
    machine.activities.append(
        Activity(Rhythm("cron", at=d.between(7, 17) * HOUR), steps, day, day + 1, scale=False)
    )


def _new_feature(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    """A big release: a handful of services at once, changes among them."""
    calls = parts.some_reads(d, d.between(3, 9)) + parts.some_writes(d, d.between(1, 4))
    machine.activities.append(
        Activity(Rhythm("steady", d.lognormal(20, 0.8)), [Step(Pool.zipf(calls, 0.5))], since=day)
    )


def _refused(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    """A policy change breaks it for some hours: its own calls are refused, over and over."""
    own = [
        denied(t, machine.arn)
        for activity in machine.activities
        for step in activity.steps
        for t in step.pool.items[:20]
    ]
    if own:
        rhythm = Rhythm("cron", at=d.between(0, 22) * HOUR)
        machine.activities.append(
            Activity(rhythm, [Step(Pool(own), d.lognormal(60, 0.8), 15)], day, day + 1, scale=False)
        )


def _moves_region(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    region = d.pick(parts.world.regions)
    for activity in [a for a in machine.activities if a.active(day) and a.rhythm.kind in ("steady", "every")]:
        moved = [
            Step(Pool([_in_region(t, region) for t in step.pool.items]), step.size, step.gap)
            for step in activity.steps
        ]
        machine.activities.append(Activity(activity.rhythm, moved, day, activity.until, activity.scale))
        activity.until = day


def _in_region(base: Template, region: str) -> Template:
    return base._replace(record={**base.record, "awsRegion": region})


def _new_key(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    if machine.kind == "user":
        machine.keys = sorted([*machine.keys, (day, d.ident("AKIA", 16))])


def _new_schedule(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    for activity in [
        a for a in machine.activities if a.rhythm.kind == "cron" and a.active(day) and a.until > day + 1
    ]:
        later = activity.rhythm._replace(at=d.between(0, 23) * HOUR + d.between(0, 59) * 60)
        machine.activities.append(Activity(later, activity.steps, day, activity.until, activity.scale))
        activity.until = day


def _new_agent(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    if machine.session in ("instance", "sdk", "web", "lambda", "key"):
        machine.agents.append((day, d.pick(agents.SDKS)(d)))


def _recreated(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    if machine.kind == "role":
        machine.principals.append((day, d.ident("AROA")))


def _grows(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    machine.growth = d.lognormal(0.015, 0.6)


def _renamed(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    if machine.kind == "role" and machine.parent is None:
        machine.dies = max(day, machine.born + 1)


def _new_checks(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    machine.activities.append(
        Activity(
            Rhythm("every", 12 * HOUR, d.between(0, HOUR)),
            [Step(parts.reads(d), 25, 2)],
            since=day,
            scale=False,
        )
    )


def _successor(parts: Parts, old: Machine, days: int) -> Machine:
    d = dice(parts.world.seed, "successor", old.name)
    new = Machine(
        **{
            **old.__dict__,
            "name": f"{old.name}-v2",
            "arn": f"{old.arn}-v2",
            "principal": d.ident("AROA"),
            "born": old.dies,
        }
    )
    new.dies, new.principals = 1 << 30, []
    return new


def fleet(parts: Parts, machines: list[Machine], days: int) -> None:
    """Days on which a whole subnet changes its address, or a whole fleet its SDK version."""
    d = dice(parts.world.seed, "fleet")
    for place in parts.subnets:
        moves = d.poisson(0.12 * parts.ways.moves * days / 30)
        place.moves.extend(d.between(1, max(1, days - 1)) for _ in range(moves))
    for _ in range(d.poisson(2.0 * parts.ways.upgrades * days / 30)):
        day, maker, session = (
            d.between(1, max(1, days - 1)),
            d.pick(agents.SDKS),
            d.pick(["instance", "sdk", "web", "lambda"]),
        )
        version = maker(d)
        stem = version.split("/")[0]
        for machine in machines:
            if machine.session == session and machine.agent.startswith(stem):
                machine.agents.append((day, version))
    for machine in machines:
        machine.agents.sort()


HAPPENINGS: list[tuple[Event, float, Callable[[Ways], float]]] = [
    (_newcomer, 0.06, attrgetter("turnover")),
    (_adopts, 0.1, attrgetter("news")),
    (_new_secret, 0.1, attrgetter("news")),
    (_rare_job, 0.05, attrgetter("news")),
    (_bug_hunt, 0.06, attrgetter("news")),
    (_new_feature, 0.05, attrgetter("news")),
    (_refused, 0.04, attrgetter("news")),
    (_moves_region, 0.03, attrgetter("moves")),
    (_new_key, 0.1, attrgetter("rotation")),
    (_new_schedule, 0.1, attrgetter("rotation")),
    (_new_agent, 0.12, attrgetter("upgrades")),
    (_recreated, 0.03, attrgetter("rotation")),
    (_grows, 0.2, lambda ways: 1.0),
    (_renamed, 0.03, attrgetter("turnover")),
]
"""What may happen to a machine, how often a month, and which of the tenant's ways is a factor."""
