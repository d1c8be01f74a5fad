"""A worker of a company: a machine identity or a person, what it does, when, and with which credential.

Products know the same worker under their own names; `facts` holds what their records say of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, NamedTuple

from nhi_watch_lab.simulator.basics import Dice, Pool, dice
from nhi_watch_lab.simulator.machines import DAY, HOUR, Place, Rhythm, office_second, weekday

Record = dict[str, Any]


class Line(NamedTuple):
    """One record of a product's log."""

    second: float
    """Seconds since the epoch, UTC."""
    product: str
    who: str
    """Who acts, as that product names it."""
    action: str
    record: Record


class At(NamedTuple):
    """A moment, and the dice for what varies from record to record."""

    second: float
    dice: Dice

    def later(self, seconds: float) -> At:
        """The same a little later."""
        return self._replace(second=self.second + seconds)


@dataclass
class Step:
    """Part of a run: about `size` deeds out of a pool, `gap` seconds between two."""

    pool: Pool[Deed]
    size: float = 1.0
    gap: float = 2.0


@dataclass
class Habit:
    """What is done at a rhythm: one deed of the first step (`steady`, `office`) or a run of all steps."""

    rhythm: Rhythm
    steps: list[Step]
    since: int = 0
    until: int = 1 << 30

    def active(self, day: int) -> bool:
        """Whether it happens at all on a day."""
        return self.since <= day < self.until


@dataclass
class Worker:
    """One identity with its habits."""

    name: str
    """Unique within the company; all dice of the worker come from it."""
    kind: str
    who: str
    """How its product names it, as `github:token:anna-adler`."""
    place: Place
    agent: str
    facts: dict[str, Any] = field(default_factory=dict)
    """What the records of its products say of it."""
    keys: list[tuple[int, str]] = field(default_factory=list)
    """Long-lived credentials, with the day from which each is used."""
    agents: list[tuple[int, str]] = field(default_factory=list)
    """Agents after upgrades, with the day."""
    habits: list[Habit] = field(default_factory=list)
    opening: list[Deed] = field(default_factory=list)
    """What a new session does first: how it signs in."""
    rotate: int = 12 * HOUR
    zone: int = 0
    human: bool = False
    weekend: float = 0.06
    """How likely it works office hours on a day of the weekend."""
    born: int = 0
    dies: int = 1 << 30
    volume: float = 1.0

    def alive(self, day: int) -> bool:
        """Whether it exists on a day."""
        return self.born <= day < self.dies

    def sender(self, seed: int, day: int, second: float) -> Sender:
        """The worker as it sends at a second of a numbered day: credential, session, address, agent."""
        bucket = int(second) // self.rotate
        d = dice(seed, "session", self.name, day, bucket)
        address = self.place.address(day, d)
        agent = _latest(self.agents, day) or self.agent
        return Sender(self, address, agent, d.hexes(32), _latest(self.keys, day), bucket)


class Sender(NamedTuple):
    """Who sends, from where and with what, for as long as one session lasts."""

    worker: Worker
    address: str
    agent: str
    session: str
    """32 hexadecimal digits, from which products make their ids of tokens and sessions."""
    key: str
    bucket: int = 0

    @property
    def facts(self) -> dict[str, Any]:
        """What records say of the worker."""
        return self.worker.facts

    def line(self, at: At, product: str, action: str, record: Record) -> list[Line]:
        """One line in the worker's name."""
        return [Line(at.second, product, self.worker.who, action, record)]


Deed = Callable[[Sender, At], "list[Line]"]
"""Something that a worker does: the records that it leaves."""


def steady(rate: float, deeds: list[Deed], since: int = 0) -> Habit:
    """About `rate` deeds a day at any time, the first of the list the most usual."""
    return Habit(Rhythm("steady", rate), [Step(Pool.zipf(deeds, 0.8))], since)


def office(rate: float, deeds: list[Deed], since: int = 0) -> Habit:
    """About `rate` deeds a day in working hours."""
    return Habit(Rhythm("office", rate), [Step(Pool.zipf(deeds, 0.8))], since)


def run(rhythm: Rhythm, *steps: tuple[list[Deed], float, float]) -> Habit:
    """Runs of steps, each given by deeds, size and gap."""
    return Habit(rhythm, [Step(Pool.zipf(deeds, 0.5), size, gap) for deeds, size, gap in steps])


def _latest(changes: list[tuple[int, str]], day: int) -> str:
    return next((value for since, value in reversed(changes) if since <= day), "")


def moments(worker: Worker, habit: Habit, day: int, d: Dice) -> Iterator[tuple[float, bool]]:
    """(second of the day, whether a whole run starts there)."""
    kind, rate, at, days, offset = habit.rhythm
    if kind == "steady":
        for _ in range(d.poisson(rate * worker.volume * d.lognormal(1, 0.15))):
            yield d.random() * DAY, False
    elif kind == "every":
        for second in range(at % max(1, int(rate)), DAY, max(60, int(rate))):
            yield min(DAY - 1, second + 3 * d.random()), True
    elif kind == "cron":
        if day % days == offset % days:
            yield min(DAY - 1, at + 40 * d.random()), True
    elif weekday(day) < 5 or d.chance(worker.weekend):
        for _ in range(d.poisson(rate * worker.volume * d.lognormal(1, 0.4))):
            yield office_second(worker.zone, d) + d.random(), kind == "burst"


def play(habit: Habit, sender: Sender, at: At, whole: bool) -> Iterator[Line]:
    """The records of one moment of a habit."""
    if not whole:
        yield from habit.steps[0].pool.draw(at.dice)(sender, at)
        return
    for step in habit.steps:
        count = at.dice.poisson(step.size) if step.size != 1 else 1
        for _ in range(count):
            yield from step.pool.draw(at.dice)(sender, at)
            at = at.later(step.gap * 2 * at.dice.random())


def iso(second: float, digits: int = 3, end: str = "Z") -> str:
    """RFC 3339 with a fraction of 0, 3, 6, 7 or 9 digits.

    >>> iso(1772445601.25), iso(1772445601.25, 7, "+00:00"), iso(1772445601.25, 0, "")
    ('2026-03-02T10:00:01.250Z', '2026-03-02T10:00:01.2500000+00:00', '2026-03-02T10:00:01')
    """
    text = datetime.fromtimestamp(int(second), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{int(second % 1 * 10**9):09d}"[: 20 + digits if digits else 19] + end
