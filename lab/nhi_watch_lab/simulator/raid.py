"""An attacker at work, and the register of techniques."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from nhi_watch_lab.simulator import basics
from nhi_watch_lab.simulator.basics import Dice, Pool, dice
from nhi_watch_lab.simulator.machines import DAY, Machine, Moment, iam_user, office_second, open_session
from nhi_watch_lab.simulator.records import Actor, Detail, Record, Template, denied, mishap, stamp, template
from nhi_watch_lab.simulator.shapes import call

# ---- what an intruder has in hand: somebody's credential, a place, an agent, a clock

if TYPE_CHECKING:
    from nhi_watch_lab.simulator.tenant import Tenant

Timed = tuple[int, int, Record]
"""Day, second of the day, record."""


class Outlook(NamedTuple):
    """How an intruder looks from outside."""

    draw: Callable[[Dice], str]
    agent: str


class Manner(NamedTuple):
    """How an intruder goes about it."""

    quiet: float = 0.0
    """How much is done: 0.1 next to nothing, 1 everything at once; 0: drawn by the raid."""
    most: int = 0
    """No more calls than these; 0: as many as it takes."""
    looks: float = 1.0
    """Factor on how likely it looks around first."""
    padding: float = 0.0
    """About so many harmless calls beside each of its own: the victim's usual ones, and reads new to it."""


PADDED_AT_MOST = 60
"""Harmless calls of a padded raid."""


class Raid:
    """One campaign while it runs."""

    def __init__(self, tenant: Tenant, victim: Machine, day: int, origin: str, d: Dice) -> None:
        self.tenant, self.world, self.victim, self.origin, self.dice = tenant, tenant.world, victim, origin, d
        self.quiet = d.pick([0.3, 0.3, 0.6, 1.0])
        """How much is done: 0.3 a few calls, 1 everything at once."""
        self.day, self.out = day, list[Timed]()
        self.clock = float(
            office_second(victim.zone, d) if origin == "inside" or d.chance(0.4) else d.between(0, DAY - 3600)
        )
        self.others: list[tuple[str, str]] = []
        """ARN and id of further identities that belong to the incident."""
        self.foreign = f"{d.between(100_000_000_000, 989_999_999_999)}"
        self.outlook = _outlook(tenant, victim, d)
        self._address = self.outlook.draw(d)
        self._actors: dict[tuple[int, int], Actor] = {}
        self._as: Actor | None = None
        self._job = self.clock
        self.manner = Manner()
        self._padded = 0
        self.beside = False
        """Whether an intruder inside sits on another host of the victim's network."""
        self.openings: list[Timed] = []
        """How the log shows that the victim's sessions were issued to it; not part of the incident."""

    def few(self, most: int) -> int:
        """At least one, at most `most`; fewer when quiet."""
        return max(1, round(most * self.quiet * (0.5 + self.dice.random())))

    def actor(self) -> Actor:
        """The credential in use now."""
        if self._as is not None:
            return self._as
        day, second = self.day + int(self.clock) // DAY, int(self.clock) % DAY
        bucket = self.victim.session_at(second) if self.victim.rotate else int(self._job) % DAY
        found = self._actors.get((day, bucket))
        if found is None:
            opened = open_session(self.world, self.victim, Moment(day, self.tenant.date(day), second), bucket)
            found = self._actors[day, bucket] = self._place(opened.actor)
            if opened.call is not None and opened.caller is not None and day == self.day and self._unseen(bucket):
                start = self.victim.session_start(bucket)
                issued = stamp(opened.call, opened.caller, self.tenant.date(day), start, self.dice)
                self.openings.append((day, start, issued))
        return found

    def _unseen(self, bucket: int) -> bool:
        known = (self.victim.name, bucket) in self.tenant.opened
        self.tenant.opened.add((self.victim.name, bucket))
        return not known

    def _place(self, actor: Actor) -> Actor:
        if self.origin == "inside":
            near = self.beside and actor.address[:1].isdigit()
            return actor._replace(address=basics.neighbour(self.dice, actor.address)) if near else actor
        return Actor(actor.identity, self._address, self.outlook.agent)

    def move(self) -> None:
        """Another exit of the same provider."""
        self._address = self.outlook.draw(self.dice)
        self._actors.clear()

    def become(self, identity: Record, arn: str, principal: str) -> None:
        """Go on as somebody else, from the same place."""
        base = self.actor()
        self._as = base._replace(identity=identity, vpce=base.vpce)
        self.others.append((arn, principal))

    def browse(self) -> None:
        """Go on in a browser."""
        self._as = self.actor()._replace(agent=basics.browser(self.dice))

    def become_user(self, arn: str, principal: str, key: str) -> None:
        """Go on with a key of another user."""
        self.become(iam_user(arn, principal, key), arn, principal)

    def wait(self, seconds: float) -> None:
        """Do nothing for about that long."""
        self.clock += seconds * (0.5 + self.dice.random())

    def send(self, made: Template, gap: float = 8) -> None:
        """One call, and what hides it."""
        if self.manner.most and len(self.out) >= self.manner.most:
            return
        self._send(made, gap)
        for _ in range(self.dice.poisson(self.manner.padding) if self.manner.padding else 0):
            if self._padded < PADDED_AT_MOST:
                self._padded += 1
                self._send(self._harmless(), gap)

    def _harmless(self) -> Template:
        usual = self._usual()
        if usual and self.dice.chance(0.5):
            return self.dice.pick(usual).draw(self.dice)
        return self.tenant.parts.some_reads(self.dice, 1)[0]

    def _send(self, made: Template, gap: float) -> None:
        errors = self.tenant.spec.ways.errors
        if errors and self.dice.chance(errors):
            made = mishap(made, self.dice)
        day, second = self.day + int(self.clock) // DAY, int(self.clock) % DAY
        if day < self.tenant.spec.days:
            self.out.append((day, second, stamp(made, self.actor(), self.tenant.date(day), second, self.dice)))
        self.wait(gap if self.quiet > 0.5 else gap * 6)

    def do(self, action: str, detail: Detail | None = None, region: str = "") -> None:
        """One call, with ordinary parameters or with these."""
        self.send(self.made(action, detail, region))

    def made(self, action: str, detail: Detail | None = None, region: str = "") -> Template:
        """The template of a call."""
        place = region or self.victim.region
        if detail is None:
            return call(self.world, self.dice, action, place)
        if action.startswith(("iam:", "organizations:")):
            place = "us-east-1"
        return template(self.world.account, place, action, detail)

    def all_of(self, names: str) -> None:
        """Each of some blank-separated actions once, in order; the quiet do fewer."""
        actions = names.split()
        for action in actions[: max(1, round(len(actions) * self.quiet))]:
            self.do(action)

    def refused(self, action: str, detail: Detail | None = None, region: str = "") -> None:
        """One call without permission."""
        self.send(denied(self.made(action, detail, region), str(self.actor().identity.get("arn", ""))))

    def as_usual(self, count: int) -> None:
        """What the victim does anyway."""
        pools = self._usual()
        for _ in range(count if pools else 0):
            self.send(self.dice.pick(pools).draw(self.dice), 4)

    def _usual(self) -> list[Pool[Template]]:
        return [
            step.pool for activity in self.victim.activities if activity.active(self.day) for step in activity.steps
        ]


def _outlook(tenant: Tenant, victim: Machine, d: Dice) -> Outlook:
    world = tenant.world
    provider = d.pick(list(basics.HOSTING.values()))
    options: list[tuple[float, Callable[[Dice], str]]] = [
        (0.32, lambda x: basics.address(x, provider)),
        (0.18, lambda x: basics.address(x, basics.VPN)),
        (0.05, lambda x: basics.address(x, basics.TOR)),
        (0.10, lambda x: basics.address(x, basics.RESIDENTIAL_ABROAD)),
        (0.07, lambda x: basics.address(x, basics.ISPS[world.country])),
        (0.20, lambda x: basics.aws_address(x, victim.region)),
        (0.08, lambda x: basics.address(x, basics.AZURE)),
    ]
    at, draw = d.random(), options[0][1]
    for share, candidate in options:
        if at < share:
            draw = candidate
            break
        at -= share
    return Outlook(draw, _agent(victim, d))


def _agent(victim: Machine, d: Dice) -> str:
    if d.chance(0.4):
        return victim.agent
    return d.pick([basics.boto3, basics.boto3, basics.golang, basics.cli, basics.cli])(d)


def raid_dice(seed: int, number: int) -> Dice:
    """Dice of the numbered campaign of a tenant."""
    return dice(seed, "campaign", number)


# ---- the register of techniques

Act = Callable[[Raid], None]


class Technique(NamedTuple):
    """One way to misuse an identity."""

    name: str
    act: Act
    mitre: str
    tactics: tuple[str, ...]
    fits: Callable[[Machine], bool]


REGISTER: dict[str, Technique] = {}
"""All techniques by name, in the order of definition."""


def technique(
    mitre: str,
    tactics: str,
    fits: Callable[[Machine], bool] = lambda m: True,
    register: dict[str, Technique] = REGISTER,
) -> Callable[[Act], Act]:
    """Registers a technique under its function's name."""

    def add(act: Act) -> Act:
        register[act.__name__] = Technique(act.__name__, act, mitre, tuple(tactics.split()), fits)
        return act

    return add
