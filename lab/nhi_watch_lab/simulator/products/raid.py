"""What an intruder has in hand: credentials of several products, a place, an agent, a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Union

from nhi_watch_lab.simulator import basics
from nhi_watch_lab.simulator import basics as clouds
from nhi_watch_lab.simulator.basics import Dice
from nhi_watch_lab.simulator.machines import DAY, Machine, office_second
from nhi_watch_lab.simulator.products import (
    ai,
    azure,
    entra,
    gcp,
    github,
    gitlab,
    kubernetes,
    okta,
    pipelines,
    rare,
    salesforce,
    snowflake,
    vault,
)
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Sender, Worker
from nhi_watch_lab.simulator.raid import PADDED_AT_MOST, Manner, Outlook
from nhi_watch_lab.simulator.raid import Raid as CloudRaid

if TYPE_CHECKING:
    from nhi_watch_lab.simulator.products.tenant import Tenant

Role = Union[Worker, Machine]
_AGENTS: dict[str, Callable[[Dice], str]] = {
    "github": github.agents_of, "snowflake": snowflake.clients, "ai": ai.agent, "salesforce": salesforce.agent,
    "entra": lambda d: d.pick(entra.AGENTS), "azure": lambda d: d.pick(entra.AGENTS),
    "m365": lambda d: d.pick(entra.AGENTS),
    "okta": lambda d: d.pick(okta.AGENTS), "gcp": lambda d: d.pick(gcp.AGENTS),
    "gitlab": lambda d: d.pick(gitlab.AGENTS),
    "kubernetes": lambda d: d.pick(kubernetes.AGENTS + kubernetes.KUBECTL), "vault": lambda d: d.pick(vault.AGENTS),
    "blob": lambda d: d.pick(azure.BLOB_AGENTS),
}
"""Agents as legitimate scripts of each product have them: an intruder's are no others."""
ORIGINS = ("external", "inside")


class Raid:
    """One campaign while it runs; every record that it leaves is in `lines`."""

    def __init__(self, tenant: Tenant, day: int, origin: str, d: Dice) -> None:
        self.tenant, self.company, self.origin, self.dice, self.day = tenant, tenant.company, origin, d, day
        self.quiet = d.pick([0.3, 0.3, 0.6, 1.0])
        """How much is done: 0.3 a little, 1 everything at once."""
        zone = tenant.company.people[0].zone
        working = origin == "inside" or d.chance(0.4)
        second = office_second(zone, d) if working else d.between(0, DAY - 5400)
        self.clock = self.company.midnight(day) + second + d.random()
        self.lines: list[Line] = []
        self.issued: list[Line] = []
        """How the log shows that AWS sessions were issued to their owner; not part of the incident."""
        self._draw = _outside(tenant, d)
        self.address = self._draw(d)
        self._agents: dict[str, str] = {}
        self._mine = d.chance(0.4)
        """Whether the victims' own agents are copied."""
        self._sessions: dict[str, str] = {}
        self.manner = Manner()
        self._padded = 0

    @property
    def external(self) -> bool:
        """Whether it comes from elsewhere than the victim does."""
        return self.origin == "external"

    def few(self, most: float) -> int:
        """At least one, at most about `most`; fewer when quiet."""
        return max(1, round(most * self.quiet * (0.5 + self.dice.random())))

    def wait(self, seconds: float) -> None:
        """Do nothing for about that long."""
        self.clock += seconds * (0.5 + self.dice.random())

    def move(self) -> None:
        """Another exit of the same provider."""
        self.address = self._draw(self.dice)

    def sender(self, worker: Worker, inside: bool | None = None) -> Sender:
        """A worker in the intruder's hands: from its own place, or from the intruder's with a session of its own."""
        second = (self.clock - self.company.midnight(0)) % DAY
        own = worker.sender(self.company.seed, pipelines.day_of(self.company, self.clock), second)
        if not self.external if inside is None else inside:
            return own
        session = self._sessions.setdefault(worker.name, self.dice.hexes(32))
        return own._replace(address=self.address, agent=self.agent(worker), session=session)

    def agent(self, worker: Worker) -> str:
        """The agent used with a worker's credential from outside."""
        short = worker.name.partition("-")[0]
        product = {"gh": "github", "storage": "blob", "k8s": "kubernetes"}.get(short, short)
        if self._mine or product not in _AGENTS:
            return worker.agent
        return self._agents.setdefault(product, _AGENTS[product](self.dice))

    def do(self, worker: Worker, *deeds: Deed, gap: float = 8, inside: bool | None = None) -> None:
        """One or more deeds in a worker's name."""
        for deed in deeds:
            if self.manner.most and len(self.lines) >= self.manner.most:
                return
            self.add(deed(self.sender(worker, inside), At(self.clock, self.dice)), gap)
            for harmless in self._padding(worker):
                self.add(harmless(self.sender(worker, inside), At(self.clock, self.dice)), gap)

    def _padding(self, worker: Worker) -> list[Deed]:
        """Harmless deeds that hide one of its own: the worker's usual ones, and looks around."""
        count = self.dice.poisson(self.manner.padding) if self.manner.padding else 0
        count = min(count, PADDED_AT_MOST - self._padded)
        usual = [deed for habit in worker.habits for step in habit.steps for deed in step.pool.items]
        product = next((p for p, staff in self.tenant.staff.items() for w in staff if w.name == worker.name), "")
        deeds = usual + rare.looks(self.company, product, worker) if count else []
        found = [self.dice.pick(deeds) for _ in range(count)] if deeds else []
        self._padded += len(found)
        return found

    def many(self, worker: Worker, count: int, deeds: list[Deed], gap: float = 4) -> None:
        """So many deeds, each drawn from some."""
        for _ in range(count):
            self.do(worker, self.dice.pick(deeds), gap=gap)

    def habits(self, worker: Worker, count: int) -> None:
        """What the worker does anyway."""
        deeds = [deed for habit in worker.habits for step in habit.steps for deed in step.pool.items]
        self.many(worker, count, deeds)

    def add(self, lines: list[Line], gap: float = 8) -> None:
        """Records that were made elsewhere."""
        self.lines += lines
        self.wait(gap if self.quiet > 0.5 else gap * 6)

    def cloud(self, machine: Machine, inside: bool | None = None, fresh: bool = False) -> CloudRaid:
        """A hand on an AWS identity, at this moment and from this place; give it back with `landed`.

        `fresh`: with a session that is issued now, to the intruder; else with the one that its owner has.
        """
        machine = replace(machine, rotate=0) if fresh else machine
        near = not self.external if inside is None else inside
        raid = CloudRaid(self.company.aws, machine, self.day, "inside" if near else "external", self.dice)
        raid.quiet, raid.manner = self.quiet, self.manner
        agent = machine.agent_on(self.day)
        if not self._mine:
            agent = self.dice.pick([clouds.boto3, clouds.golang, clouds.cli, clouds.boto3])(self.dice)
        raid.outlook = Outlook(lambda _: self.address, agent)
        raid.move()
        raid.clock = max(0.0, self.clock - self.company.midnight(self.day))
        raid._job = raid.clock  # a pipeline's session begins now
        return raid

    def landed(self, raid: CloudRaid) -> None:
        """Take over what an AWS hand did, and how its session was issued."""
        self.clock = self.company.midnight(self.day) + raid.clock
        mine = raid.victim.rotate == 0
        for day, _, record in raid.openings:
            if mine and raid.origin == "external":
                record.update({"sourceIPAddress": self.address, "userAgent": raid.outlook.agent})
            opened = pipelines.cloud_lines([record], self.company.midnight(day))
            (self.lines if mine else self.issued).extend(opened)
        for day, _, record in raid.out:
            self.lines += pipelines.cloud_lines([record], self.company.midnight(day))


def _outside(tenant: Tenant, d: Dice) -> Callable[[Dice], str]:
    """Hosting mostly; VPNs, residential lines, clouds, the victim's own country."""
    world = tenant.company.aws.world
    provider = d.pick(list(basics.HOSTING.values()))
    options: list[tuple[float, str]] = [
        (0.32, provider), (0.18, basics.VPN), (0.05, basics.TOR), (0.10, basics.RESIDENTIAL_ABROAD),
        (0.07, basics.ISPS[world.country]), (0.12, basics.AWS_EGRESS[world.home]), (0.08, basics.AZURE),
        (0.08, basics.GOOGLE),
    ]  # fmt: skip
    at, chosen = d.random(), provider
    for share, prefixes in options:
        if at < share:
            chosen = prefixes
            break
        at -= share
    return lambda x: basics.address(x, chosen)
