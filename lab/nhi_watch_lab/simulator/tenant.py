"""A whole account, day by day: campaigns, harmless oddities, the days, the files."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from nhi_watch.intake.sources import cloudtrail
from nhi_watch_lab.simulator import basics, techniques
from nhi_watch_lab.simulator.basics import Dice, dice, make_world
from nhi_watch_lab.simulator.life import fleet, make_machines, make_people
from nhi_watch_lab.simulator.machines import DAY, Activity, Machine, Moment, moments, open_session
from nhi_watch_lab.simulator.parts import DEFAULT, Parts, Ways
from nhi_watch_lab.simulator.raid import REGISTER, Manner, Outlook, Raid, Technique, Timed, raid_dice
from nhi_watch_lab.simulator.records import Actor, Record, Template, mishap, stamp

# ---- which campaigns a tenant suffers, when, and what is known about each afterwards

_BARE = ("key_validation", "recon_burst", "slow_discovery", "permission_probing", "ordinary_use")
_LOOKS = [
    f"{service}:{name}"
    for service, names in (
        (
            "iam",
            "ListUsers ListRoles GetUser ListAttachedUserPolicies ListAccessKeys GetAccountSummary ListGroups",  # noqa: E501
        ),
        ("s3", "ListBuckets GetBucketAcl"),
        ("ec2", "DescribeInstances DescribeSnapshots DescribeSecurityGroups DescribeRegions DescribeVpcs"),
        ("lambda", "ListFunctions20150331"),
        ("secretsmanager", "ListSecrets"),
        ("rds", "DescribeDBInstances"),
        ("organizations", "DescribeOrganization"),
    )
    for name in names.split()
]
ORIGINS = ("external", "inside")
Incident = dict[str, Any]
"""What `labels.json` says about one incident; see `Ran`."""
IMMUNE = ("service", "servicelinked", "partner", "failing", "scanner", "person")
"""Kinds of machine that no campaign uses."""
TECHNIQUES = tuple(REGISTER)
"""Names of all techniques."""
FAMILIES = (techniques,)
"""What fills the register."""


class Ran(NamedTuple):
    """What a happening left in the log: its records, and the label (none if it left nothing)."""

    timed: list[Timed]
    label: Incident | None


class Campaign(NamedTuple):
    """A campaign that will start on a day."""

    number: int
    day: int
    technique: Technique
    origin: str
    victim: Machine
    manner: Manner = Manner()

    def run(self, tenant: Tenant) -> Ran:
        """Play it."""
        d = raid_dice(tenant.spec.seed, self.number)
        raid = Raid(tenant, self.victim, self.day, self.origin, d)
        raid.manner, raid.quiet = self.manner, self.manner.quiet or raid.quiet
        plain = self.technique.name == "ordinary_use"
        if plain:
            raid.outlook = Outlook(self.victim.place.draw, self.victim.agent_on(self.day))
            raid.move()
        elif self.technique.name not in _BARE and not 0 < self.manner.most < 4:
            self._look_around(raid, d)
        self.technique.act(raid)
        return Ran(raid.out + raid.openings, self._label(raid, distinguishable=not plain) if raid.out else None)

    def _look_around(self, raid: Raid, d: Dice) -> None:
        """Most intruders first want to know where they are; from inside, fewer need to."""
        if d.chance((0.75 if self.origin == "external" else 0.5) * self.manner.looks):
            raid.do("sts:GetCallerIdentity")
            for action in d.some(_LOOKS, raid.few(9) - 1):
                (raid.refused if d.chance(0.3) else raid.do)(action)

    def _label(self, raid: Raid, distinguishable: bool) -> Incident:
        victim = (self.victim.arn, self.victim.principal_on(self.day))
        times = [record["eventTime"] for _, _, record in raid.out]
        return {
            "id": f"incident-{self.number:04d}",
            "technique": self.technique.name,
            "origin": self.origin,
            "tactics": list(self.technique.tactics),
            "mitre": self.technique.mitre,
            "identities": [{"arn": arn, "principal_id": principal} for arn, principal in [victim, *raid.others]],
            "names": list(dict.fromkeys(cloudtrail.read(record).identity.name for _, _, record in raid.out)),
            "record_ids": [record["eventID"] for _, _, record in raid.out],
            "first_time": min(times),
            "last_time": max(times),
            "distinguishable": distinguishable,
        }


def plan(tenant: Tenant) -> list[Campaign]:
    """Campaigns on distinct victims, techniques and origins dealt from a shuffled deck."""
    spec, d = tenant.spec, dice(tenant.spec.seed, "campaigns")
    last, first = spec.days - 1, min(spec.quiet_days, spec.days - 1)
    count = spec.campaigns if spec.campaigns is not None else round((last - first + 1) * spec.machines / 400)
    deck = [(technique, origin) for technique in REGISTER.values() for origin in ORIGINS]
    deck = d.some(deck, len(deck))
    free = [m for m in tenant.machines if m.kind in ("role", "user") and m.archetype not in IMMUNE]
    found: list[Campaign] = []
    for number in range(3 * count if count else 0):
        technique, origin = deck[number % len(deck)]
        day = d.between(first, last)
        victim = victim_of(free, technique, origin, day, d)
        if victim is not None:
            free.remove(victim)
            found.append(Campaign(number, day, technique, origin, victim))
        if len(found) == count:
            break
    return found


def victim_of(free: list[Machine], technique: Technique, origin: str, day: int, d: Dice) -> Machine | None:
    """One of the free machines whom a technique fits on a day."""
    fitting = [m for m in free if m.born <= max(0, day - 3) and m.dies > day + 2 and technique.fits(m)]
    if technique.name == "ordinary_use" and origin == "external":
        fitting = [m for m in fitting if m.session == "lambda" and not m.place.fixed and not m.place.vpce]
    if technique.name != "dormant_key":
        fitting = [m for m in fitting if m.archetype != "sleeper"]
    return d.pick(fitting) if fitting else None


# ---- benign things that look bad and are worth studying one by one


class Oddity(NamedTuple):
    """A person who works with a machine's credential from the office, to find a fault."""

    number: int
    day: int
    machine: Machine

    def run(self, tenant: Tenant) -> Ran:
        """Play it."""
        d = dice(tenant.spec.seed, "oddity", self.number)
        raid = Raid(tenant, self.machine, self.day, "external", d)
        person = d.pick(tenant.people)
        raid.outlook = Outlook(person.place.draw, basics.cli(d, d.pick(["mac", "linux"])))
        raid.move()
        raid.do("sts:GetCallerIdentity")
        raid.as_usual(raid.few(6))
        for template in tenant.parts.some_reads(d, raid.few(10)):
            raid.send(template)
        label = {
            "id": f"oddity-{self.number:04d}",
            "kind": "human_debugging",
            "identities": [{"arn": self.machine.arn, "principal_id": self.machine.principal_on(self.day)}],
            "record_ids": [record["eventID"] for _, _, record in raid.out],
        }
        return Ran(raid.out + raid.openings, label if raid.out else None)


def plan_oddities(tenant: Tenant) -> list[Oddity]:
    """About one a week for 200 machines; never on a campaign's victim."""
    d, spec = dice(tenant.spec.seed, "oddities"), tenant.spec
    victims = {id(campaign.victim) for campaign in tenant.campaigns}
    free = [
        m
        for m in tenant.machines
        if m.kind in ("role", "user") and m.session in ("sdk", "instance", "lambda", "key") and id(m) not in victims
    ]
    if not free:
        return []
    count = d.poisson(spec.days * spec.machines / 1400 * spec.ways.debugging)
    chosen = [(d.between(0, spec.days - 1), d.pick(free)) for _ in range(count)]
    return [Oddity(number, day, m) for number, (day, m) in enumerate(chosen) if m.alive(day)]


# ---- A whole account, day by day


@dataclass(frozen=True)
class Spec:
    """What to simulate; the same Spec gives the same bytes."""

    days: int
    machines: int
    seed: int
    start: str = "2025-03-03"
    """The first day; better a Monday, since day 0 counts as one."""
    campaigns: int | None = None
    """How many incidents; None: one per 2 days and 200 machines."""
    events: int = 0
    """About how many events in all; 0: about 45 a machine and day."""
    quiet_days: int = 7
    """Days at the start without campaigns."""
    human_share: float = 0.15
    ways: Ways = DEFAULT
    """How the tenant lives."""


class Day(NamedTuple):
    """One simulated day."""

    date: str
    records: list[Record]
    """Sorted by eventTime."""
    incidents: list[Incident]
    """Those that ended on this day."""
    oddities: list[Incident]


class Tenant:
    """An account: `days()` yields its log, one day at a time; memory does not grow with the days."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.world = make_world(spec.seed, spec.machines)
        self.parts = Parts(self.world, spec.ways)
        self.machines = make_machines(self.parts, spec.machines, spec.days)
        fleet(self.parts, self.machines, spec.days)
        self.people = make_people(self.parts, max(2, round(spec.machines * spec.human_share)), spec.days)
        self.opened: set[tuple[str, int]] = set()
        """Sessions (machine, number) that the log of the current day shows."""
        self.load = 1.0
        self.load = self._load()
        self.campaigns: list[Campaign] = plan(self)
        self.oddities: list[Oddity] = plan_oddities(self)

    def _load(self) -> float:
        """The factor that brings the scalable volume to what the Spec wants."""
        wanted = self.spec.events or 45 * self.spec.machines * self.spec.days
        sample = [
            sum(self._count(m, day, load) for m in [*self.machines, *self.people]) for day, load in ((8, 1.0), (8, 0.0))
        ]
        per_day = wanted / self.spec.days
        return max(0.01, (per_day - sample[1]) / max(1, sample[0] - sample[1]))

    def _count(self, machine: Machine, day: int, load: float) -> float:
        if not machine.alive(day):
            return 0
        d, total = dice(self.spec.seed, "count", machine.name), 0.0
        for activity in machine.activities:
            if activity.active(day):
                size = sum(step.size for step in activity.steps)
                total += sum(size if run else 1 for _, run in moments(machine, activity, day, load, d))
        return total

    def days(self) -> Iterator[Day]:
        """Day after day."""
        first = date.fromisoformat(self.spec.start)
        late: dict[int, list[tuple[int, Record]]] = {}
        for number in range(self.spec.days):
            text = (first + timedelta(days=number)).isoformat()
            timed = self._day(number, text)
            incidents = [c.run(self) for c in self.campaigns if c.day == number]
            oddities = [o.run(self) for o in self.oddities if o.day == number]
            for happening in [*incidents, *oddities]:
                for day, second, record in happening.timed:
                    late.setdefault(day, []).append((second, record))
            timed += late.pop(number, [])
            timed.sort(key=lambda pair: pair[0])
            yield Day(
                text,
                [record for _, record in timed],
                [i.label for i in incidents if i.label],
                [o.label for o in oddities if o.label],
            )

    def date(self, day: int) -> str:
        """The date of a numbered day."""
        return (date.fromisoformat(self.spec.start) + timedelta(days=day)).isoformat()

    def _day(self, number: int, text: str) -> list[tuple[int, Record]]:
        out: list[tuple[int, Record]] = []
        self.opened.clear()
        for machine in [*self.machines, *self.people]:
            if machine.alive(number):
                Shift(self, machine, number, text, out).work()
        return out


class Shift:
    """One machine on one day."""

    def __init__(self, tenant: Tenant, machine: Machine, number: int, text: str, out: list[tuple[int, Record]]) -> None:
        self.tenant, self.machine, self.number, self.text, self.out = tenant, machine, number, text, out
        self.dice = dice(tenant.spec.seed, "day", machine.name, number)
        self.actors: dict[int, Actor] = {}

    def work(self) -> None:
        """Everything that it does today."""
        for activity in self.machine.activities:
            if activity.active(self.number):
                for second, run in moments(self.machine, activity, self.number, self.tenant.load, self.dice):
                    if run:
                        self._run(activity, second)
                    else:
                        self._send(activity.steps[0].pool.draw(self.dice), second, self.actor(second))

    def _run(self, activity: Activity, second: int) -> None:
        actor, at, d = self.actor(second, run=True), float(second), self.dice
        for step in activity.steps:
            for _ in range(d.poisson(step.size) if step.size > 1 else int(d.chance(step.size))):
                self._send(step.pool.draw(d), int(at), actor)
                at = min(DAY - 1.0, at + step.gap * 2 * d.random())

    def actor(self, second: int, run: bool = False) -> Actor:
        """The session at a second: the one of its time bucket, or one of this run's own."""
        bucket = self.machine.session_at(second) if self.machine.rotate or run else 0
        found = self.actors.get(bucket)
        if found is None:
            opening = open_session(self.tenant.world, self.machine, Moment(self.number, self.text, second), bucket)
            found = self.actors[bucket] = opening.actor
            self.tenant.opened.add((self.machine.name, bucket))
            if opening.call is not None and opening.caller is not None:
                self._send(opening.call, self.machine.session_start(bucket), opening.caller)
            self._start(second, found)
        return found

    def _start(self, second: int, actor: Actor) -> None:
        for step in self.machine.at_start:
            for template in step.pool.items:
                self._send(template, second, actor)

    def _send(self, template: Template, second: int, actor: Actor) -> None:
        errors = self.tenant.spec.ways.errors
        if errors and self.dice.chance(errors):
            template = mishap(template, self.dice)
        self.out.append((second, stamp(template, actor, self.text, second, self.dice)))


# ---- A simulated account as files

_CHUNK = 1000


def write(folder: Path, spec: Spec, tenant: Tenant | None = None) -> dict[str, Any]:
    """Writes `events/YYYY-MM-DD.ndjson.gz`, one event a line, and `labels.json`; returns the labels.

    Raises:
        OSError: the folder cannot be written.
    """
    whole = tenant or Tenant(spec)
    (folder / "events").mkdir(parents=True, exist_ok=True)
    labels = collect(_written(folder, whole.days()))
    labels["account"], labels["seed"] = whole.world.account, spec.seed
    labels["humans"] = sorted({person.arn for person in whole.people})
    (folder / "labels.json").write_bytes(orjson.dumps(labels, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    return labels


def collect(days: Iterable[Day]) -> dict[str, Any]:
    """The labels of all days."""
    labels: dict[str, Any] = {"incidents": [], "benign_oddities": []}
    for day in days:
        labels["incidents"] += day.incidents
        labels["benign_oddities"] += day.oddities
    return labels


def _written(folder: Path, days: Iterator[Day]) -> Iterator[Day]:
    for day in days:
        path = folder / "events" / f"{day.date}.ndjson.gz"
        with path.open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, 0) as packed:
            for start in range(0, len(day.records), _CHUNK):
                packed.write(
                    b"".join(
                        orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in day.records[start : start + _CHUNK]
                    )
                )
        yield day
