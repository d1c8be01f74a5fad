"""A whole account, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from nhi_watch_lab.simulator.campaigns import Campaign, Incident, plan
from nhi_watch_lab.simulator.dice import dice
from nhi_watch_lab.simulator.life import fleet, make_machines
from nhi_watch_lab.simulator.machines import DAY, Activity, Machine, moments
from nhi_watch_lab.simulator.oddities import Oddity, plan_oddities
from nhi_watch_lab.simulator.parts import Parts
from nhi_watch_lab.simulator.people import make_people
from nhi_watch_lab.simulator.records import Actor, Record, Template, mishap, stamp
from nhi_watch_lab.simulator.sessions import Moment, open_session
from nhi_watch_lab.simulator.ways import DEFAULT, Ways
from nhi_watch_lab.simulator.world import make_world


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
            sum(self._count(m, day, load) for m in [*self.machines, *self.people])
            for day, load in ((8, 1.0), (8, 0.0))
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

    def __init__(
        self, tenant: Tenant, machine: Machine, number: int, text: str, out: list[tuple[int, Record]]
    ) -> None:
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
            opening = open_session(
                self.tenant.world, self.machine, Moment(self.number, self.text, second), bucket
            )
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
