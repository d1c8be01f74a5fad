"""The first file of a small tenant of the third world: minutes to days, one product mostly, often with a break-in.

A plot's steps are as in the odd machines' errands: `op`, `op*20-60`, `~pool*25-140` that many different ones.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple, Optional

from nhi_watch_lab.tables import sections
from nhi_watch_lab.third_world import life
from nhi_watch_lab.third_world.attacks import Incident, Technique, disguise, equip, perform, take, turn
from nhi_watch_lab.third_world.generate import found
from nhi_watch_lab.third_world.model import DAY, HOUR, MINUTE, Client, Credential, Entry, Identity, Rand, World, address
from nhi_watch_lab.variants.third import odd
from nhi_watch_lab.variants.third.tenant import finish

# ---- what is broken into on a first day


class Plot(NamedTuple):
    name: str
    product: str
    pause: tuple[float, float]
    """Milliseconds between calls."""
    steps: list[str]


TABLES = sections(__file__, "plots.txt")
PACES = {"tool": (60.0, 900.0), "hand": (3000.0, 60000.0)}
VALUES = {
    "managed": "AdministratorAccess", "family": "*", "k8srole": "cluster-admin", "aadrole": "Global Administrator",
    "gcprole": "roles/owner", "privilege": "Super administrator", "perm": "Mail.ReadWrite",
}  # fmt: skip


def read_plot(line: str) -> Plot:
    """A line of the tables."""
    head, _, steps = line.partition(" | ")
    name, product, pace = head.split()
    return Plot(name, product, PACES[pace], steps.split())


PLOTS = [read_plot(line) for line in TABLES["plots"].strip().splitlines()]
PLACES = [
    ("tor", 3.0), ("hosting", 3.0), ("vpn", 2.0), ("home", 2.5), ("mobile", 0.5), ("gcp", 0.7), ("azure", 0.7),
    ("aws:us-east-1", 0.7),
]  # fmt: skip
AGENTS = [(product, agent) for product, _, agent in (line.partition(" | ") for line in TABLES["agents"].splitlines())]


class Tool(Client):
    """A program with a user agent of its own."""

    def __init__(self, rand: Rand, agent: str) -> None:
        super().__init__(rand, "requests")
        self._agent = agent

    def string(self, service: str, name: str) -> str:
        return self._agent.format(
            svc=service, cmd="".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
        )


# ---- a tenant that somebody tries with one file


class Layer(NamedTuple):
    """How the files of a layer are drawn."""

    name: str
    offset: int
    """What sets its tenants apart from those of other layers."""
    minutes: tuple[tuple[float, float], ...]
    """Which a file covers, at least and at most."""
    odd: tuple[float, ...]
    """Shares of the machines that are odd by nature, of which one is drawn."""
    break_ins: Callable[[World, str, tuple[int, int], Rand], list[Incident]]
    attacked: float
    """Share of the files in which something is stolen."""
    people: tuple[int, ...] = (0, 1, 2, 4, 8)
    """How many there are, of which one is drawn."""


def write(seed: int, folder: Path) -> None:
    """Write its logs to `events` and its labels to `labels.json`."""
    minutes = (4, 60), (60, 900), (900, 4300)
    write_layer(Layer("first third world", 70_000, minutes, (0.1, 0.3, 0.6), break_ins, 0.6), seed, folder)


def write_layer(layer: Layer, seed: int, folder: Path) -> None:
    """The same of any layer."""
    rand = Rand(layer.name, seed)
    minutes = rand.pick([rand.logbetween(*least_and_most) for least_and_most in layer.minutes])
    size, people = math.ceil(rand.logbetween(0.7, 20)), rand.pick(layer.people)
    days = 2 + int(minutes / 1440)
    world = found(seed + layer.offset, date(2026, rand.whole(1, 11), rand.whole(1, 28)), days, 0, 70)
    odd.add_ops(world)
    life.hire(world, max(3, people))
    start = world.at(0, (world.habits["noon_utc"] - rand.between(1, 6)) % 24 * HOUR)
    end = min(start + int(minutes * MINUTE), world.at(days, 0))
    product = rand.weighted([(name, 5.0 if name == "cloudtrail" else 1.0) for name in world.habits["products"]])
    others = rand.some([name for name in world.habits["products"] if name != product], rand.pick([0, 0, 0, 1, 2]))
    staff(world, (product, *others), (size, layer.odd), (start, end), rand)
    world.staff = world.staff[:people]
    life.work(world)
    attacked = rand.chance(layer.attacked)
    incidents = layer.break_ins(world, product, (start, end), rand) if attacked else []
    for name in list(world.sink.entries):
        shown = name in (product, *others)
        kept = [entry for entry in world.sink.entries[name] if entry.tag or (shown and start <= entry.time < end)]
        world.sink.entries[name] = kept
        if not kept:
            del world.sink.entries[name]
    finish(world, incidents, folder)


def staff(
    world: World, products: tuple[str, ...], sizes: tuple[int, tuple[float, ...]], span: tuple[int, int], rand: Rand
) -> None:
    """The machines that are seen in the span, ordinary and odd ones; the first of them in the first product."""
    size, shares = sizes
    hurry = DAY / max(DAY / 24, span[1] - span[0])
    usual = rand.shuffled([m for m in world.machines if m.product in products])
    unsteady = odd.hire(world, math.ceil(size * rand.pick(shares)), products)
    world.machines = []
    for who, kind in unsteady:
        _errand_in(world, who, kind, span, rand)
        world.machines.append(who)
    for who in [m for m in usual if m.product == products[0]] + [m for m in usual if m.product != products[0]]:
        if len(world.machines) >= size:
            break
        before = {name: len(entries) for name, entries in world.sink.entries.items()}
        who.born, who.dies = 0, 10**9
        who.rate = min(400.0, max(who.rate, rand.logbetween(0.3, 6) * hurry))
        who.schedule = "steady" if who.schedule in ("daily", "weekly", "monthly", "release") else who.schedule
        life.live(world, who)
        if any(span[0] <= entry.time < span[1] for entry in _new(world, before)):
            world.machines.append(who)
        else:
            for name in world.sink.entries:
                del world.sink.entries[name][before.get(name, 0) :]


def _new(world: World, before: dict[str, int]) -> list[Entry]:
    return [entry for name, entries in world.sink.entries.items() for entry in entries[before.get(name, 0) :]]


def _errand_in(world: World, who: Identity, kind: odd.Odd, span: tuple[int, int], rand: Rand) -> None:
    """Some errands of an odd machine that fall into the span."""
    tastes = odd.tastes_of(rand)
    for errand in rand.some(kind.errands, rand.whole(1, 2)):
        runs = 1 if errand.cadence in ("once", "week", "month") else rand.whole(1, 4)
        for at in sorted(int(rand.between(span[0], span[1])) for _ in range(runs)):
            odd.run(world, who, at, odd.expand(errand.steps, tastes, rand), rand)


# ---- the break-in


def break_ins(world: World, product: str, span: tuple[int, int], rand: Rand) -> list[Incident]:
    """One theft, or two."""
    made: list[Incident] = []
    able = [m for m in world.machines if m.product == product and m.kind not in ("linked", "entra-mi")]
    victims = rand.shuffled([m for m in able if m.sessions])
    plots = rand.shuffled([plot for plot in PLOTS if plot.product == product])
    for number, (plot, victim) in enumerate(zip(plots, victims[: 1 if rand.chance(0.75) else 2])):
        own = Rand(world.seed, "break-in", number)
        technique = Technique(f"first_{plot.name}", plot.product, [], [], [])
        origin = "external" if own.chance(0.7) and victim.kind != "k8s-node" else "inside"
        incident = Incident(number, technique, origin, "fast", False, victim, own, id=f"incident-{number + 1:03d}")
        at_once = number == 0 and own.chance(0.5)
        begin = span[0] + int((span[1] - span[0]) * (0.0 if at_once else own.between(0.1, 0.9)))
        if _break_in(world, incident, plot, begin, span, own):
            made.append(incident)
    return made


def _break_in(world: World, incident: Incident, plot: Plot, begin: int, span: tuple[int, int], rand: Rand) -> bool:
    equip(world, incident, rand)
    incident.home = rand.weighted(PLACES)
    incident.ips = [address(rand, incident.home) for _ in range(rand.pick([1, 1, 1, 3]))]
    if rand.chance(0.4):
        incident.client = Tool(rand, rand.pick([agent for name, agent in AGENTS if name == plot.product]))
    incident.values.update(VALUES)
    credential = stolen(world, incident, begin, span, rand)
    if credential is None:
        return False
    (time, cred), who = credential, incident.victim
    tastes = odd.tastes_of(rand)
    steps = [key for step in plot.steps for key in ([step] if step[0] == "@" else odd.expand([step], tastes, rand))]
    pause = min(rand.logbetween(*plot.pause), (span[1] - time) / (len(steps) + 1))
    for step in steps:
        if time >= span[1]:
            break
        if step[0] == "@":
            who, cred = turn(world, incident, step, who, time, cred)
            continue
        if incident.origin == "external" and len(incident.ips) > 1:
            cred = disguise(world, incident, who, cred)
        perform(world, incident, who, step, cred, time)
        time += int(rand.waiting(pause)) + 10
    return incident.first > 0


def stolen(
    world: World, incident: Incident, begin: int, span: tuple[int, int], rand: Rand
) -> Optional[tuple[int, Credential]]:
    """A credential that lives in the span, as the thief shows it."""
    for at in (begin, span[0]):
        try:
            time, cred = take(world, incident, incident.victim, at)
        except LookupError:
            continue
        if time < span[1] - 30_000:
            return time, replace(cred, expires=10**15)
    return None
