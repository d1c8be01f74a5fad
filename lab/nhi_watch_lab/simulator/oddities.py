"""Benign things that look bad and are worth studying one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nhi_watch_lab.simulator import agents
from nhi_watch_lab.simulator.campaigns import Ran
from nhi_watch_lab.simulator.dice import dice
from nhi_watch_lab.simulator.machines import Machine
from nhi_watch_lab.simulator.raid import Outlook, Raid

if TYPE_CHECKING:
    from nhi_watch_lab.simulator.tenant import Tenant


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
        raid.outlook = Outlook(person.place.draw, agents.cli(d, d.pick(["mac", "linux"])))
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
        if m.kind in ("role", "user")
        and m.session in ("sdk", "instance", "lambda", "key")
        and id(m) not in victims
    ]
    if not free:
        return []
    count = d.poisson(spec.days * spec.machines / 1400 * spec.ways.debugging)
    chosen = [(d.between(0, spec.days - 1), d.pick(free)) for _ in range(count)]
    return [Oddity(number, day, m) for number, (day, m) in enumerate(chosen) if m.alive(day)]
