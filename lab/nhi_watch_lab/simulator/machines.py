"""A machine: who it is, where it sits, how its sessions turn over, what it does and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

from nhi_watch_lab.simulator import networks
from nhi_watch_lab.simulator.dice import Dice, Pool, dice
from nhi_watch_lab.simulator.records import Template

HOUR = 3600
DAY = 86_400


class Step(NamedTuple):
    """Part of a run: about `size` calls out of a pool, `gap` seconds between two."""

    pool: Pool[Template]
    size: float = 1.0
    gap: float = 1.0


class Rhythm(NamedTuple):
    """When an activity happens.

    `kind`: steady (`rate` events a day, any time), office (`rate` in working hours), every (each `rate` seconds),
    cron (at second `at` of each `days`-th day), burst (`rate` runs a day in working hours).
    """  # noqa: E501

    kind: str
    rate: float = 1.0
    at: int = 0
    days: int = 1
    offset: int = 0


@dataclass
class Activity:
    """A habit: a rhythm and either a mix of calls (`steady`, `office`) or a run of steps."""

    rhythm: Rhythm
    steps: list[Step]
    since: int = 0
    until: int = 1 << 30
    scale: bool = True
    """Whether its volume follows the tenant's volume factor."""

    def active(self, day: int) -> bool:
        """Whether it happens at all on a day."""
        return self.since <= day < self.until


@dataclass
class Place:
    """Where a machine's packets come from; shared by the machines of a subnet."""

    draw: Callable[[Dice], str]
    """Makes an address for a session."""
    fixed: bool = True
    """One address for all sessions, until it moves."""
    vpce: str = ""
    moves: list[int] = field(default_factory=list)
    """Days on which the address changes."""
    name: str = ""

    def address(self, day: int, dice_of_session: Dice) -> str:
        """The address of a session that starts on a day."""
        if not self.fixed:
            return self.draw(dice_of_session)
        return self.draw(dice(self.name, sum(1 for move in self.moves if move <= day)))


@dataclass
class Machine:
    """One identity with its habits. A person is one too, with `human` set."""

    name: str
    archetype: str
    kind: str
    """role | user | service | account"""
    arn: str
    principal: str
    region: str
    place: Place
    agent: str
    session: str
    """instance | lambda | web | ci | sdk | chained | sso | console | cli | key | federation | service | foreign"""
    rotate: int = 12 * HOUR
    human: bool = False
    activities: list[Activity] = field(default_factory=list)
    at_start: list[Step] = field(default_factory=list)
    """What each new session does first."""
    keys: list[tuple[int, str]] = field(default_factory=list)
    """A user's access keys with the day from which each is used."""
    agents: list[tuple[int, str]] = field(default_factory=list)
    """Agents after an upgrade, with its day."""
    clients: list[str] = field(default_factory=list)
    """Agents of which each session uses one; empty: always the one of `agent_on`."""
    principals: list[tuple[int, str]] = field(default_factory=list)
    """Immutable ids after a re-creation, with its day."""
    born: int = 0
    dies: int = 1 << 30
    growth: float = 0.0
    """Growth of its volume per day, e.g. 0.01."""
    volume: float = 1.0
    subject: str = ""
    """The OIDC subject, the e-mail address, or the parent's ARN."""
    zone: int = 0
    """Hours ahead of UTC in which its people live."""
    weekend: float = 0.06
    """How likely it works office hours on a day of the weekend."""
    secrets: list[str] = field(default_factory=list)
    buckets: list[str] = field(default_factory=list)
    parent: Machine | None = None

    @property
    def phase(self) -> int:
        """Seconds by which its sessions turn over before the full period."""
        return crc32(self.name.encode()) % (self.rotate or DAY)

    def session_at(self, second: int) -> int:
        """Which of the day's sessions is valid at a second."""
        return (second + self.phase) // self.rotate if self.rotate else second

    def session_start(self, number: int) -> int:
        """The second at which the numbered session of a day was issued; the first one at midnight."""
        return max(0, number * self.rotate - self.phase) if self.rotate else number

    def alive(self, day: int) -> bool:
        """Whether it exists on a day."""
        return self.born <= day < self.dies

    def agent_on(self, day: int) -> str:
        """Its agent on a day, after upgrades."""
        return _latest(self.agents, day) or self.agent

    def principal_on(self, day: int) -> str:
        """Its immutable id on a day."""
        return _latest(self.principals, day) or self.principal

    def key_on(self, day: int) -> str:
        """The access key in use on a day, or nothing."""
        return _latest(self.keys, day)


def _latest(changes: list[tuple[int, str]], day: int) -> str:
    return next((value for since, value in reversed(changes) if since <= day), "")


def moments(
    machine: Machine, activity: Activity, day: int, load: float, d: Dice
) -> Iterator[tuple[int, bool]]:
    """(second of the day, whether a whole run starts there); `load` scales what may be scaled."""
    kind, rate, at, days, offset = activity.rhythm
    load = load * machine.volume * (1 + machine.growth) ** day if activity.scale else 1.0
    if kind == "steady":
        for _ in range(d.poisson(rate * load * d.lognormal(1, 0.15))):
            yield int(d.random() * DAY), False
    elif kind == "every":
        first = at % max(1, int(rate))
        for second in range(first, DAY, max(60, int(rate / max(load, 0.02)))):
            yield min(DAY - 1, second + d.between(0, 3)), True
    elif kind == "cron":
        if day % days == offset % days:
            yield min(DAY - 1, at + d.between(0, 40)), True
    elif weekday(day) < 5 or d.chance(machine.weekend):
        for _ in range(d.poisson(rate * load * d.lognormal(1, 0.4))):
            yield office_second(machine.zone, d), kind == "burst"


def weekday(day: int) -> int:
    """0 is Monday: day 0 of every tenant is one."""
    return day % 7


def office_second(zone: int, d: Dice) -> int:
    """A second of a working day, most of them around late morning and mid-afternoon."""
    hour = 9 + 8 * d.random() + (1.5 * d.normal() if d.chance(0.15) else 0)
    return int((hour - zone) * HOUR) % DAY


def lambda_place(region: str, name: str) -> Place:
    """A function outside a VPC: another address of the region for each session."""
    return Place(lambda d: networks.aws_address(d, region), fixed=False, name=name)
