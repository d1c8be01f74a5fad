"""A tenant's first file: minutes to days of a few identities, with or without an attack in it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from nhi_watch_lab import fourth_world
from nhi_watch_lab.fourth_world import attack, calls, life
from nhi_watch_lab.fourth_world import tenant as tenants
from nhi_watch_lab.fourth_world.attack import Hand, Incident, Step, Technique
from nhi_watch_lab.fourth_world.life import World
from nhi_watch_lab.fourth_world.model import DAY, HOUR, MINUTE, PRODUCTS, Dice, Machine
from nhi_watch_lab.fourth_world.tenant import found
from nhi_watch_lab.fourth_world.write import write
from nhi_watch_lab.tables import text
from nhi_watch_lab.variants.fourth import benign, thefts
from nhi_watch_lab.variants.fourth.benign import Odd
from nhi_watch_lab.variants.fourth.tables import trades

BASE = 510_000
"""Its tenants are none of the family's other ones."""
TECHNIQUES = tuple(thefts.technique(line) for line in text(__file__, "first.txt").strip().splitlines())


class Plan(NamedTuple):
    """What the file is of."""

    machines: int
    people: int
    span: int
    """Milliseconds from its first record to its last."""
    products: list[str]
    attacks: int
    busy: int
    """Runs of odd identities that do much of what they can, for good reasons."""
    strange: float = 0.35
    """Share of the machines that are odd by nature."""


def plan(dice: Dice) -> Plan:
    """Draw one."""
    machines = max(1, int(dice.wide(1, 31)))
    spans = {
        "minutes": dice.wide(15, 170) * MINUTE,
        "hours": dice.wide(3, 23) * HOUR,
        "days": dice.between(1, 4.5) * DAY,
    }
    span = int(spans[dice.weighted({"minutes": 0.35, "hours": 0.3, "days": 0.35})])
    first = "cloudtrail" if dice.chance(0.5) else dice.pick(list(PRODUCTS[1:]))
    others = dice.some([p for p in PRODUCTS if p != first], dice.pick([0, 0, 0, 0, 1, 2]))
    return Plan(machines, dice.randint(0, 8), span, [p for p in PRODUCTS if p == first or p in others],
                dice.pick([0, 0, 0, 1, 1, 2]), dice.pick([0, 1, 1, 2]))  # fmt: skip


def make(seed: int, out: Path) -> None:
    """Write out/events/<product>.ndjson.gz and out/labels.json."""
    dice = Dice(f"{seed}|first file")
    make_planned(plan(dice), BASE + seed, dice, out)


def make_planned(wanted: Plan, seed: int, dice: Dice, out: Path, raid_of: type[Raid] | None = None) -> None:
    """The file of a plan, with raids of a kind."""
    tenant = found(seed, max(40, wanted.machines))
    tenant.products = wanted.products
    days = wanted.span // DAY + 2
    begin = 1_772_409_600_000 + dice.randint(0, 200) * DAY
    world = World(tenant, begin, begin + days * DAY)
    world.data_events = world.data_events or dice.chance(0.5)
    odd = _populate(dice, world, wanted, days)
    low = _cut(dice, world, wanted.span)
    raid = (raid_of or Raid)(dice, world, low, odd)
    raid.busy(wanted.busy)
    raid.play(wanted.attacks)
    at_work = {e.who.product for e in world.events}
    tenant.products = [product for product in tenant.products if product in at_work]
    places = write(world, out / "events")
    fourth_world._labels(world, raid.steps, places, out, len(world.machines), days, 0, False)


def _populate(dice: Dice, world: World, wanted: Plan, days: int) -> list[Odd]:
    """The few machines and people, and what they do of themselves."""
    tenant = world.tenant
    world.people = dice.some(life.employ(tenant, 40), wanted.people)
    staff = [m for m in tenants.hire(tenant, 60, world.begin, days, 0) if m.kind != "scanner" or dice.chance(0.15)]
    strange = sum(dice.chance(wanted.strange) for _ in range(wanted.machines))
    world.machines = dice.some(staff, max(0, wanted.machines - strange))
    for m in world.machines:
        m.born, m.volume = world.begin, m.volume * dice.wide(0.6, 6)
        life.live(world, m)
    trades_here = [t for t in trades() if t.product in tenant.products]
    odd = benign.hire(dice, world, [dice.pick(trades_here) for _ in range(strange)], days)
    for one in odd:
        benign.live(world, one)
    for person in world.people:
        life.live_person(world, person, dice.wide(0.5, 3))
    return odd


def _cut(dice: Dice, world: World, span: int) -> int:
    """Keep a window in which some machine is at work; returns its begin."""
    own = {id(m.who) for m in world.machines}
    latest = world.begin + DAY
    times = sorted(e.t for e in world.events if id(e.who) in own and e.t < latest) or [world.begin + 10 * HOUR]
    low = max(world.begin, dice.pick(times) - int(dice.between(0.0, 0.8) * min(span, 5 * HOUR)))
    world.events = [e for e in world.events if low <= e.t < low + span]
    world.begin, world.end = low, low + span
    return low


class Raid:
    """Plays what happens in the window besides; holds the incidents."""

    def __init__(self, dice: Dice, world: World, low: int, odd: list[Odd]) -> None:
        self.world, self.low, self.dice, self.odd = world, low, dice, odd
        self.steps = attack.Campaign(world, low, False)
        self.incidents: list[Incident] = self.steps.incidents

    def busy(self, runs: int) -> None:
        """Honest days with much in them: a first apply, an audit, a restore, a container's first start."""
        world, dice = self.world, self.dice
        if runs and not self.odd:
            here = [t for t in trades() if t.product in world.tenant.products]
            self.odd += benign.hire(dice, world, [dice.pick(here)], 1)
        for _ in range(runs):
            one = dice.pick(self.odd)
            benign.shift(world, one, int(dice.between(self.low, world.end)), dice, int(dice.wide(3, 22)))

    def play(self, count: int) -> None:
        """Attacks that begin in this file."""
        for number in range(count):
            dice = self.world.tenant.dice("raid", number)
            product = dice.pick(self.world.tenant.products)
            origin = "external" if dice.chance(0.75) else "inside"
            victim = self._victim(dice, product, origin)
            wide = product in ("cloudtrail", "kubernetes", "gcp")
            if victim and wide and dice.chance(0.4):
                self._reconnaissance(dice, victim, origin)
            elif victim:
                self._technique(dice, victim, origin)

    def _victim(self, dice: Dice, product: str, origin: str) -> Machine | None:
        """One of the file's machines; from outside at times one that nobody else uses in it."""
        seen = {id(e.who) for e in self.world.events}
        robbed = {one.identity for one in self.incidents}
        able = [
            m
            for m in self.world.machines
            if m.who.product == product
            and m.session not in ("slr", "cfn")
            and id(m.who) in seen
            and m.who.label not in robbed
        ]
        if origin == "external" and (not able or dice.chance(0.25)):
            spare = [
                t
                for t in trades()
                if t.product == product
                and set(t.sessions) & {"key", "token", "secret", "pat", "satoken", "sfkey", "approle", "app", "sakey"}
            ]
            able = [one.machine for one in benign.hire(dice, self.world, [dice.pick(spare)], 1)] if spare else able
        return dice.pick(able) if able else None

    def _hand(self, dice: Dice, origin: str, technique: Technique) -> Hand:
        hand = Hand(self.world, dice, origin, technique)
        hand.insider, hand.sources = None, thefts.strangers(dice)
        return hand

    def _start(self, dice: Dice, victim: Machine, origin: str) -> int:
        """Somewhere in the window; from inside beside the victim's own work."""
        times = [e.t for e in self.world.events if e.who is victim.who and e.t < self.world.end - 5 * MINUTE]
        if origin == "inside" and times:
            return dice.pick(times) + dice.randint(1, 60) * 1000
        return int(dice.between(self.low, self.low + 0.85 * (self.world.end - self.low)))

    def _close(self, name: str, origin: str, victim: Machine) -> None:
        number = len(self.incidents)
        if any(e.tag == 2 * number for e in self.world.events):
            self.incidents.append(Incident(name, origin, victim.who.label, True, []))

    def _reconnaissance(self, dice: Dice, victim: Machine, origin: str) -> None:
        """Distinct calls in one go, many of them refused; then perhaps one of the techniques."""
        product = victim.who.product
        if product == "cloudtrail":
            able = [
                name
                for name, call in calls.AWS_CALLS.items()
                if not call.write and not call.data and not name.startswith("sts:Assume")
            ]
        else:
            able = [name for name in calls.TABLES[product] if _looks(product, name)]
        chosen = dice.some(able, int(dice.wide(18, min(140, len(able)))))
        technique = TECHNIQUES[0]._replace(
            phases=[attack.Phase(product, ("any",), [Step(c, 1, 1, False, False, ()) for c in chosen])]
        )
        hand = self._hand(dice, origin, technique)
        t, number, refused, gap = (
            self._start(dice, victim, origin),
            len(self.incidents),
            dice.between(0.15, 0.95),
            dice.wide(0.1, 25),
        )
        for step in technique.phases[0].steps:
            self.steps._step(dice, hand, victim, step, t, number, refused)
            t += int(gap * dice.wide(0.3, 3) * 1000)
        if dice.chance(0.4):
            fit = [x for x in TECHNIQUES if x.phases[0].product == product]
            self._steps(dice, hand, victim, dice.pick(fit), t, number)
        self._close("reconnaissance-burst", origin, victim)

    def _technique(self, dice: Dice, victim: Machine, origin: str) -> None:
        played = {one.technique for one in self.incidents}
        fit = [
            x
            for x in TECHNIQUES
            if x.phases[0].product == victim.who.product and self._visible(x) and x.name not in played
        ]
        technique = dice.pick(fit)
        hand, number = self._hand(dice, origin, technique), len(self.incidents)
        self._steps(dice, hand, victim, technique, self._start(dice, victim, origin), number)
        self._close(technique.name, origin, victim)

    def _visible(self, technique: Technique) -> bool:
        product = technique.phases[0].product
        return all(attack._visible(self.world, s, product) for s in technique.phases[0].steps if s.core)

    def _steps(self, dice: Dice, hand: Hand, victim: Machine, technique: Technique, t: int, number: int) -> None:
        """All phases, at a pace that fits into the window."""
        room = max(MINUTE, self.world.end - t)
        gap = min(dice.wide(0.08, 60), room / 1000 / 40)
        denied = dice.pick([0.0, 0.0, 0.1, 0.4])
        self.steps._names(dice, technique, hand, victim)
        current: Machine | None = victim
        for index, phase in enumerate(technique.phases):
            if index:
                current = self.steps._next(dice, phase, t, hand.origin, hand, victim, number)
            if current is None:
                return
            for step in attack._plan(self.world, dice, phase, "fast", False):
                self.steps._step(dice, hand, current, step, t, number, denied)
                t += int(gap * dice.wide(0.3, 3) * 1000) + 20


def _looks(product: str, name: str) -> bool:
    """Whether a call of Kubernetes or Google Cloud only reads."""
    if product == "kubernetes":
        return name.split()[0] in ("get", "list", "watch") or "selfsubject" in name
    return calls.TABLES[product][name][-1] != "W"
