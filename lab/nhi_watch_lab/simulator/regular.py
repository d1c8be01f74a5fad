"""What machines do again and again: weekly and monthly jobs, duties that look bad, pipelines that always move."""

from __future__ import annotations

from nhi_watch_lab.simulator import agents, networks
from nhi_watch_lab.simulator.calls import call
from nhi_watch_lab.simulator.dice import Dice, Pool, dice
from nhi_watch_lab.simulator.machines import HOUR, Activity, Machine, Place, Rhythm, Step
from nhi_watch_lab.simulator.parts import Parts
from nhi_watch_lab.simulator.records import denied
from nhi_watch_lab.simulator.seldom import SELDOM, now_and_then, seldom
from nhi_watch_lab.tables import lists

_DUTIES = lists(__file__, "tables.json/duties")
"""Duties that some machine has every day and that are an intruder's words elsewhere: an assumption."""


def regular(parts: Parts, d: Dice, machine: Machine, days: int) -> None:
    """Gives a machine the jobs of its tenant's calendar."""
    ways = parts.ways
    if machine.archetype in ("service", "servicelinked", "sleeper", "partner"):
        return
    if ways.own_moves and machine.place.fixed and machine.place not in parts.subnets:
        moves = d.poisson(ways.own_moves * days / 30)
        machine.place.moves += [d.between(1, max(1, days - 1)) for _ in range(moves)]
    if machine.archetype == "vendor" and d.chance(ways.federation):
        machine.session = "federation"
    if machine.archetype == "vendor" and d.chance(ways.hosting):
        provider = d.pick(list(networks.HOSTING.values()))
        name, fixed = f"hosted-{machine.name}", d.chance(0.7)
        machine.place = Place(lambda x: networks.address(x, provider), fixed=fixed, name=name)
    for share, period in ((ways.weekly, 7), (ways.monthly, 30)):
        if d.chance(share):
            calls = parts.some_reads(d, d.between(2, 8)) + parts.some_writes(d, d.between(0, 3))
            rhythm = Rhythm("cron", at=d.between(0, 23 * HOUR), days=period, offset=d.between(0, period - 1))
            steps = [Step(Pool([each]), d.pick([1, 1, d.lognormal(6, 0.9)]), d.pick([1, 4, 30])) for each in calls]
            machine.activities.append(Activity(rhythm, steps, scale=False))
    if d.chance(ways.chores):
        calls = [call(parts.world, d, name, machine.region) for name in d.pick(_DUTIES).split()]
        if d.chance(0.3):
            calls = seldom(parts.world, d, d.some(list(SELDOM), d.between(1, 3)))
        if d.chance(0.35):
            calls = [denied(each, machine.arn) for each in calls]
        since = 0 if d.chance(0.75) else d.between(1, max(1, days - 1))
        step = Step(Pool(calls), max(len(calls), d.lognormal(12, 0.9)), d.pick([1, 4, 30]))
        rhythm = Rhythm("cron", at=d.between(0, 23 * HOUR))
        machine.activities.append(Activity(rhythm, [step], since=since, scale=False))
    if machine.buckets and machine.kind in ("role", "user") and d.chance(ways.bulk):
        _copies(parts, d, machine, d.between(1, max(1, days - 1)))


def _copies(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    """A migration, a restore, an export: objects by the hundred within an hour or three."""
    calls = [t for _ in range(20) for t in parts.own(machine, "s3:GetObject", d)]
    if d.chance(0.25):
        machine.born = max(machine.born, day)
    steps = [Step(Pool(parts.own(machine, "s3:ListObjects", d)), 3), Step(Pool(calls), d.lognormal(700, 0.6), 3)]
    rhythm = Rhythm("cron", at=d.between(0, 20 * HOUR))
    machine.activities.append(Activity(rhythm, steps, since=day, until=day + 1, scale=False))


def runners(parts: Parts, machine: Machine) -> None:
    """Where and with what a pipeline's jobs run, and how much of what they do they never did before."""
    d, ways = dice(parts.world.seed, "runners", machine.name), parts.ways
    if d.chance(ways.dynamic_ci):
        clouds = d.some([networks.AZURE, networks.GOOGLE, networks.HOSTING["hetzner"],
                         *networks.AWS_EGRESS.values()], d.between(2, 5))  # fmt: skip
        machine.place = Place(lambda x: networks.address(x, x.pick(clouds)), fixed=False, name=machine.name)
        makers = [agents.cli, agents.boto3, agents.javascript, agents.golang, agents.terraform]
        machine.clients = [d.pick(makers)(d) for _ in range(d.between(3, 12))]
        sizes = d.lognormal(6, 0.7) * ways.ci_news, d.lognormal(2, 0.7) * ways.ci_news
        tail = [Step(parts.reads(d), sizes[0], 2), Step(parts.writes(d), sizes[1], 5)]
        rhythm = Rhythm("burst", d.lognormal(2, 0.7))
        machine.activities.append(Activity(rhythm, [Step(parts.identity), *tail], scale=False))
    elif d.chance(ways.static_ci):
        machine.place = parts.own_host(d)
    if d.chance(ways.seldom):
        machine.activities.append(now_and_then(parts.world, d, machine.arn))
