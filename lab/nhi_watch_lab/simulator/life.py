"""People, and what happens to machines over time."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from nhi_watch_lab.simulator import basics
from nhi_watch_lab.simulator.archetypes import MIX
from nhi_watch_lab.simulator.basics import WORDS, Dice, Pool, dice
from nhi_watch_lab.simulator.machines import HOUR, Activity, Machine, Place, Rhythm, Step
from nhi_watch_lab.simulator.parts import Parts, Ways, now_and_then, regular, runners
from nhi_watch_lab.simulator.records import Template, denied, failed
from nhi_watch_lab.tables import lists

# ---- the people of an account: Identity Center roles in browsers and on the command line, a few IAM users

_FIRST = lists(__file__, "tables.json/first")
_LAST = lists(__file__, "tables.json/last")
_SETS = lists(__file__, "tables.json/sets")
_ZONES = {"us": -5, "de": 1, "gb": 0, "fr": 1, "es": 1, "in": 5, "jp": 9}


def make_people(parts: Parts, count: int, days: int) -> list[Machine]:
    """`count` people of the account, each a Machine with `human` set."""
    sso = dice(parts.world.seed, "sso").chance(0.75)
    people = [_person(parts, dice(parts.world.seed, "person", number), number, sso) for number in range(count)]
    _bad_days(parts, people, days)
    for person in people:
        person.weekend = parts.ways.weekend
        _sometimes(parts, person)
        _clumsy(parts, person)
    for number in range(parts.ways.both_doors):
        people += _two_doors(parts, dice(parts.world.seed, "doors", number), number)
    return people


def _bad_days(parts: Parts, people: list[Machine], days: int) -> None:
    """Outages, on which many people look everywhere and change things; and new colleagues."""
    d = dice(parts.world.seed, "outages")
    for _ in range(d.poisson(days / 20)):
        day = d.between(1, max(1, days - 1))
        for person in d.some(people, max(2, len(people) // 3)):
            steps = [Step(parts.reads(d), 30, 5), Step(parts.writes(d), 3, 30)]
            person.activities.append(Activity(Rhythm("burst", 3), steps, day, day + 1, scale=False))
    for person in people[4:]:
        if d.chance(0.08 * days / 30):
            person.born = d.between(1, max(1, days - 1))


def _place(parts: Parts, d: Dice, name: str) -> Place:
    world = parts.world
    spots = [*world.office, world.vpn, basics.address(d, basics.ISPS[world.country])]

    def draw(x: Dice) -> str:
        if x.chance(parts.ways.travel):  # a train, a hotel, a telephone
            if parts.ways.vpn and x.chance(parts.ways.vpn):
                return basics.address(x, basics.VPN if x.chance(0.7) else basics.RESIDENTIAL_ABROAD)
            return basics.address(x, basics.ISPS[x.pick(list(basics.ISPS)) if x.chance(0.3) else world.country])
        return x.pick(spots)

    return Place(draw, fixed=False, name=name)


def _person(parts: Parts, d: Dice, number: int, sso: bool) -> Machine:
    world = parts.world
    name = f"{d.pick(_FIRST)}.{d.pick(_LAST)}{number if d.chance(0.3) else ''}"
    place, email = _place(parts, d, name), f"{name}@{world.org}.example"
    if sso or number % 4:
        sets = _SETS[: 4 + number // 25 % 5]
        chosen = sets[number % len(sets)]
        team = "" if number < 24 else f"-{number // 24}"
        role = f"AWSReservedSSO_{chosen}{team}_{dice(world.seed, chosen, team).hexes(16)}"
        path = f"role/aws-reserved/sso.amazonaws.com/{world.home}/{role}"
        principal = dice(world.seed, chosen, team, "id").ident("AROA")
        kind = "cli" if d.chance(0.35) else "sso"
        person = Machine(email, "person", "role", world.arn("iam", path), principal, world.home, place, "", kind)
    else:
        kind = "console"
        person = Machine(
            name, "person", "user", world.arn("iam", f"user/{name}"), d.ident("AIDA"), world.home, place, "", kind
        )
    system = d.pick(["mac", "linux", "windows"])
    person.agent = basics.cli(d, system) if kind == "cli" else basics.browser(d)
    person.human, person.subject, person.rotate = True, email, d.pick([4, 8]) * HOUR
    person.zone = _ZONES[world.country] + (d.between(-6, 6) if d.chance(0.1) else 0)
    person.activities = _habits(parts, d)
    return person


def _habits(parts: Parts, d: Dice) -> list[Activity]:
    known = parts.reads(d)
    activities = [Activity(Rhythm("burst", d.lognormal(1.6, 0.7)), [Step(known, d.lognormal(14, 0.7), 6)], scale=False)]
    if d.chance(0.55):
        rate = d.lognormal(0.25, 0.8)
        activities.append(
            Activity(Rhythm("burst", rate), [Step(known, 4, 9), Step(parts.writes(d), 3, 20)], scale=False)
        )
    return activities


def _sometimes(parts: Parts, person: Machine) -> None:
    d = dice(parts.world.seed, "sometimes", person.name)
    if d.chance(parts.ways.seldom):
        person.activities.append(now_and_then(parts.world, d, person.arn))


def _clumsy(parts: Parts, person: Machine) -> None:
    """Makes some of a person's calls fail: no permission, or a mistyped name."""
    share = parts.ways.mistakes
    if not share:
        return
    d = dice(parts.world.seed, "clumsy", person.name)
    for activity in person.activities:
        for number, step in enumerate(activity.steps):
            wrong = [
                denied(t, person.arn) if d.chance(0.7) else failed(t, "ValidationException", "Invalid value")
                for t in d.some(step.pool.items, 1 + len(step.pool.items) // 10)
            ]
            pool = Pool([*step.pool.items, *wrong], [*step.pool.weights(1 - share), *Pool(wrong).weights(share)])
            activity.steps[number] = step._replace(pool=pool)


def _two_doors(parts: Parts, d: Dice, number: int) -> list[Machine]:
    """A user who works in the console, and with a long-lived key on the command line: one identity, two machines."""
    world = parts.world
    name = f"{d.pick(_FIRST)}.{d.pick(_LAST)}.{number}"
    place, zone = _place(parts, d, name), _ZONES[world.country]
    arn, principal = world.arn("iam", f"user/{name}"), d.ident("AIDA")
    system = d.pick(["mac", "linux", "windows"])
    doors = []
    for session, agent in (("console", basics.browser(d)), ("key", basics.cli(d, system))):
        door = Machine(
            f"{name}-{session}", "person", "user", arn, principal, world.home, place, agent, session,
            rotate=d.pick([2, 4, 8]) * HOUR, human=True, subject=f"{name}@{world.org}.example", zone=zone,
            weekend=parts.ways.weekend,
        )  # fmt: skip
        door.activities = _habits(parts, d)
        _sometimes(parts, door)
        _clumsy(parts, door)
        doors.append(door)
    key = doors[1]
    key.keys = [(0, d.ident("AKIA", 16))]
    if d.chance(0.5):
        key.clients = [key.agent, *(d.pick([basics.cli, basics.boto3, basics.terraform])(d) for _ in range(2))]
    if d.chance(0.25):  # a job of one's own, from a desk that is always on
        calls = parts.some_reads(d, d.between(1, 5))
        key.activities.append(Activity(Rhythm("every", d.pick([3600, 14_400, 43_200])), [Step(Pool(calls), 3)]))
    return doors


# ---- what happens to honest machines over the weeks: everything that a naive detector takes for an attack

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
    machine.activities.append(Activity(Rhythm("steady", d.lognormal(8, 1)), [Step(Pool.zipf(extra))], since=day))


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
    machine.activities.append(Activity(Rhythm("cron", at=d.between(7, 17) * HOUR), steps, day, day + 1, scale=False))


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
            Step(Pool([_in_region(t, region) for t in step.pool.items]), step.size, step.gap) for step in activity.steps
        ]
        machine.activities.append(Activity(activity.rhythm, moved, day, activity.until, activity.scale))
        activity.until = day


def _in_region(base: Template, region: str) -> Template:
    return base._replace(record={**base.record, "awsRegion": region})


def _new_key(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    if machine.kind == "user":
        machine.keys = sorted([*machine.keys, (day, d.ident("AKIA", 16))])


def _new_schedule(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    for activity in [a for a in machine.activities if a.rhythm.kind == "cron" and a.active(day) and a.until > day + 1]:
        later = activity.rhythm._replace(at=d.between(0, 23) * HOUR + d.between(0, 59) * 60)
        machine.activities.append(Activity(later, activity.steps, day, activity.until, activity.scale))
        activity.until = day


def _new_agent(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    if machine.session in ("instance", "sdk", "web", "lambda", "key"):
        machine.agents.append((day, d.pick(basics.SDKS)(d)))


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
        Activity(Rhythm("every", 12 * HOUR, d.between(0, HOUR)), [Step(parts.reads(d), 25, 2)], since=day, scale=False)
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
            d.pick(basics.SDKS),
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
