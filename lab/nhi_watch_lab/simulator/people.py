"""The people of an account: Identity Center roles in browsers and on the command line, a few IAM users."""

from __future__ import annotations

from nhi_watch_lab.simulator import agents, networks
from nhi_watch_lab.simulator.dice import Dice, Pool, dice
from nhi_watch_lab.simulator.machines import HOUR, Activity, Machine, Place, Rhythm, Step
from nhi_watch_lab.simulator.parts import Parts
from nhi_watch_lab.simulator.records import denied, failed
from nhi_watch_lab.simulator.seldom import now_and_then
from nhi_watch_lab.tables import lists

_FIRST = lists(__file__, "tables.json/first")
_LAST = lists(__file__, "tables.json/last")
_SETS = lists(__file__, "tables.json/sets")
_ZONES = {"us": -5, "de": 1, "gb": 0, "fr": 1, "es": 1, "in": 5, "jp": 9}


def make_people(parts: Parts, count: int, days: int) -> list[Machine]:
    """`count` people of the account, each a Machine with `human` set."""
    sso = dice(parts.world.seed, "sso").chance(0.75)
    people = [
        _person(parts, dice(parts.world.seed, "person", number), number, sso) for number in range(count)
    ]
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
    spots = [*world.office, world.vpn, networks.address(d, networks.ISPS[world.country])]

    def draw(x: Dice) -> str:
        if x.chance(parts.ways.travel):  # a train, a hotel, a telephone
            if parts.ways.vpn and x.chance(parts.ways.vpn):
                return networks.address(x, networks.VPN if x.chance(0.7) else networks.RESIDENTIAL_ABROAD)
            return networks.address(
                x, networks.ISPS[x.pick(list(networks.ISPS)) if x.chance(0.3) else world.country]
            )
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
        person = Machine(
            email, "person", "role", world.arn("iam", path), principal, world.home, place, "", kind
        )
    else:
        kind = "console"
        person = Machine(
            name,
            "person",
            "user",
            world.arn("iam", f"user/{name}"),
            d.ident("AIDA"),
            world.home,
            place,
            "",
            kind,
        )
    system = d.pick(["mac", "linux", "windows"])
    person.agent = agents.cli(d, system) if kind == "cli" else agents.browser(d)
    person.human, person.subject, person.rotate = True, email, d.pick([4, 8]) * HOUR
    person.zone = _ZONES[world.country] + (d.between(-6, 6) if d.chance(0.1) else 0)
    person.activities = _habits(parts, d)
    return person


def _habits(parts: Parts, d: Dice) -> list[Activity]:
    known = parts.reads(d)
    activities = [
        Activity(Rhythm("burst", d.lognormal(1.6, 0.7)), [Step(known, d.lognormal(14, 0.7), 6)], scale=False)
    ]
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
    for session, agent in (("console", agents.browser(d)), ("key", agents.cli(d, system))):
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
        key.clients = [key.agent, *(d.pick([agents.cli, agents.boto3, agents.terraform])(d) for _ in range(2))]
    if d.chance(0.25):  # a job of one's own, from a desk that is always on
        calls = parts.some_reads(d, d.between(1, 5))
        key.activities.append(Activity(Rhythm("every", d.pick([3600, 14_400, 43_200])), [Step(Pool(calls), 3)]))
    return doors
