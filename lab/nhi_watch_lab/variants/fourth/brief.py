"""A tenant's first file in which a theft is one to five calls by hand, and deployments make the same calls in dozens."""

from __future__ import annotations

from pathlib import Path

from nhi_watch_lab.fourth_world import model
from nhi_watch_lab.fourth_world.attack import Hand, Technique
from nhi_watch_lab.fourth_world.model import DAY, HOUR, MINUTE, Dice, Machine
from nhi_watch_lab.tables import text
from nhi_watch_lab.variants.fourth import benign, first, thefts
from nhi_watch_lab.variants.fourth.first import Raid
from nhi_watch_lab.variants.fourth.tables import trades

BASE = 610_000
"""Its tenants are none of the family's other ones."""
TECHNIQUES = tuple(thefts.technique(line) for line in text(__file__, "brief.txt").strip().splitlines())
NETWORKS = {"home": 0.42, "hosting": 0.22, "vpn": 0.16, "proxy": 0.04, "tor": 0.1, "aws": 0.06}
CARRIED = {"key", "token", "secret", "pat", "satoken", "sfkey", "approle", "app", "sakey"}
"""Sessions of credentials that work wherever they are brought."""


def make(seed: int, out: Path) -> None:
    """Write out/events/<product>.ndjson.gz and out/labels.json."""
    dice = Dice(f"{seed}|brief file")
    span = dice.wide(15, 200) * MINUTE if dice.chance(0.5) else dice.wide(3.5, 24) * HOUR
    wanted = first.plan(dice)._replace(
        span=min(int(span), DAY), attacks=dice.pick([0, 0, 1, 1, 1, 1, 2]), busy=dice.pick([0] * 6 + [1, 2]),
        strange=0.06,
    )
    wanted = wanted._replace(machines=max(wanted.machines, dice.randint(1, 12)))
    first.make_planned(wanted, BASE + seed, dice, out, Short)


class Short(Raid):
    """Thefts of a few calls from a command line."""

    def busy(self, runs: int) -> None:
        """Someone applies all of a stack: severe acts are among its dozens of calls."""
        world, dice = self.world, self.dice
        able = [t for t in trades() if t.product in world.tenant.products and set(t.sessions) & {"gha", "ci", "key"}]
        for one in benign.hire(dice, world, [dice.pick(able)], 1) if runs and able else []:
            for _ in range(runs):
                benign.shift(world, one, int(dice.between(self.low, world.end)), dice, int(dice.wide(6, 30)))

    def play(self, count: int) -> None:
        """Attacks that begin in this file."""
        for number in range(count):
            dice = self.world.tenant.dice("brief raid", number)
            product, origin = dice.pick(self.world.tenant.products), "external" if dice.chance(0.9) else "inside"
            victim = self._victim(dice, product, origin)
            if victim:
                self._technique(dice, victim, origin)

    def _victim(self, dice: Dice, product: str, origin: str) -> Machine | None:
        """Mostly one whose credential works anywhere, often one that nobody else uses in the file."""
        robbed = {one.identity for one in self.incidents}
        able = [m for m in self.world.machines if m.who.product == product and m.who.label not in robbed]
        able = [m for m in able if m.session not in ("slr", "cfn") and m.place.style != "service"]
        carried = [m for m in able if m.session in CARRIED]
        if not carried or dice.chance(0.3):
            spare = [t for t in trades() if t.product == product and set(t.sessions) & CARRIED]
            hired = benign.hire(dice, self.world, [dice.pick(spare)], 1) if spare else []
            carried += [one.machine for one in hired if one.machine.session in CARRIED]
        pool = carried if carried and dice.chance(0.85) else able or carried
        return dice.pick(pool) if pool else None

    def _hand(self, dice: Dice, origin: str, technique: Technique) -> Hand:
        hand = Hand(self.world, dice, origin, technique)
        hand.insider, hand.sources = None, [model.address(dice, dice.weighted(NETWORKS))]
        hand.foreign_tool, hand.family = origin == "external", dice.pick(["cli", "cli", "laptop"])
        return hand

    def _technique(self, dice: Dice, victim: Machine, origin: str) -> None:
        played = {one.technique for one in self.incidents}
        fit = [x for x in TECHNIQUES if x.phases[0].product == victim.who.product and x.name not in played]
        technique = dice.pick([x for x in fit if self._visible(x)])
        hand, number = self._hand(dice, origin, technique), len(self.incidents)
        t = self._start(dice, victim, origin)
        for step in technique.phases[0].steps:
            if not step.optional or dice.chance(0.5):
                for _ in range(dice.randint(step.low, step.high)):
                    self.steps._step(dice, hand, victim, step, min(t, self.world.end - 1), number, 0.0)
                    t += int(dice.wide(1.5, 60) * 1000)
        self._close(technique.name, origin, victim)
