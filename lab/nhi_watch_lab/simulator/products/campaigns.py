"""Which campaigns a company suffers, when, and what is known about each afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nhi_watch_lab.simulator.basics import Dice, dice
from nhi_watch_lab.simulator.products import (
    campaigns_apps,
    campaigns_clouds,
    campaigns_code,
    campaigns_data,
    campaigns_hosts,
    noise,
)
from nhi_watch_lab.simulator.products.labels import identity, record_id
from nhi_watch_lab.simulator.products.raid import ORIGINS, Raid
from nhi_watch_lab.simulator.products.register import PARTS, REGISTER, Parts, Technique
from nhi_watch_lab.simulator.products.workers import Line, iso
from nhi_watch_lab.simulator.raid import Manner

if TYPE_CHECKING:
    from nhi_watch_lab.simulator.products.tenant import Tenant

FAMILIES = (campaigns_code, campaigns_clouds, campaigns_apps, campaigns_hosts, campaigns_data)
"""The modules that fill the register."""
TECHNIQUES = tuple(REGISTER)
"""Names of all techniques."""
Incident = dict[str, Any]
_ALERTED = 0.45
"""How many campaigns another product notices: an assumption."""


class Ran(NamedTuple):
    """What a happening left in the logs, and its label (none if it left nothing)."""

    lines: list[Line]
    label: Incident | None


class Campaign(NamedTuple):
    """A campaign that will start on a day."""

    number: int
    day: int
    technique: Technique
    origin: str
    cast: dict[str, Any]
    manner: Manner = Manner()

    def run(self, tenant: Tenant) -> Ran:
        """Play it."""
        d = dice(tenant.spec.seed, "campaign", self.number)
        raid = Raid(tenant, self.day, self.origin, d)
        raid.manner, raid.quiet = self.manner, self.manner.quiet or raid.quiet
        self.technique.act(raid, Parts(self.cast))
        alarms = self._alarms(tenant, raid, d) if d.chance(_ALERTED) else []
        end = tenant.company.midnight(tenant.spec.days)
        lines = sorted((line for line in raid.lines if line.second < end), key=lambda line: line.second)
        alarms = [line for line in alarms if line.second < end]
        return Ran(lines + alarms + raid.issued, self._label(lines, alarms) if lines else None)

    def _alarms(self, tenant: Tenant, raid: Raid, d: Dice) -> list[Line]:
        found: list[Line] = []
        for line in d.some([line for line in raid.lines if line.product != "exposure"], d.between(1, 3)):
            found += noise.about(tenant, line, self.day, d)
        return found

    def _label(self, lines: list[Line], alarms: list[Line]) -> Incident:
        every = [*lines, *alarms]
        return {
            "id": f"incident-{self.number:04d}",
            "technique": self.technique.name,
            "origin": self.origin,
            "tactics": list(self.technique.tactics),
            "mitre": self.technique.mitre,
            "identities": [{"name": who, "products": sorted({line.product for line in every if line.who == who})}
                           for who in dict.fromkeys(line.who for line in every)],
            "names": list(dict.fromkeys(identity(line) for line in lines)),
            "products": sorted({line.product for line in lines}),
            "alerts": len(alarms),
            "record_ids": [record_id(line) for line in every],
            "first_time": iso(lines[0].second, 0),
            "last_time": iso(lines[-1].second, 0),
            "distinguishable": True,
        }  # fmt: skip


def plan(tenant: Tenant) -> list[Campaign]:
    """Campaigns with victims of their own, techniques and origins dealt from a shuffled deck."""
    spec, d = tenant.spec, dice(tenant.spec.seed, "campaigns")
    last, first = spec.days - 1, min(spec.quiet_days, spec.days - 1)
    count = spec.campaigns if spec.campaigns is not None else round((last - first + 1) * spec.nhis / 300)
    deck = d.some([(t, origin) for t in REGISTER.values() for origin in ORIGINS], 2 * len(REGISTER))
    taken: set[int] = set()
    found: list[Campaign] = []
    for number in range(3 * count):
        chosen, origin = deck[number % len(deck)]
        day = d.between(first, last)
        cast = cast_of(tenant, chosen, day, taken, d)
        if cast is not None:
            taken.update(map(id, cast.values()))
            found.append(Campaign(number, day, chosen, origin, cast))
        if len(found) == count:
            break
    return found


def cast_of(tenant: Tenant, technique: Technique, day: int, taken: set[int], d: Dice) -> dict[str, Any] | None:
    """Part → who plays it on a day, none of them taken (by `id()`); None: nobody fits."""
    cast: dict[str, Any] = {}
    for part in technique.parts:
        fitting = [who for who in PARTS[part](tenant, day) if id(who) not in taken]
        if not fitting:
            return None
        cast[part] = d.pick(fitting)
    return cast
