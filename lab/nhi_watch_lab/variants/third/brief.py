"""The first file of a small tenant of the third world in which a theft is one to five calls from a command line."""

from pathlib import Path
from typing import NamedTuple, Optional

from nhi_watch_lab.third_world import life
from nhi_watch_lab.third_world.attacks import Incident, Technique, disguise, equip, perform
from nhi_watch_lab.third_world.life import by_hand
from nhi_watch_lab.third_world.model import Client, Identity, Rand, World, address
from nhi_watch_lab.variants.third import odd
from nhi_watch_lab.variants.third.small import TABLES, Layer, Plot, read_plot, stolen, write_layer

PLACES = [("home", 4.0), ("hosting", 2.2), ("vpn", 1.8), ("mobile", 0.6), ("tor", 1.0), ("aws:us-east-1", 0.8)]
SHELLS = [("cli2", 5.0), ("cli1", 0.8), ("boto3", 2.0), ("powershell", 0.4), ("go2", 0.3)]
CARRIED = ("user", "gh-pat", "gh-key", "okta-token", "okta-app", "entra-sp", "m365-app", "gcp-sa", "vault", "k8s-sa")
"""Kinds whose credential works wherever it is brought."""


class Short(NamedTuple):
    """A theft of a few calls, and the values that make it what it is."""

    plot: Plot
    values: dict[str, str]


def read_short(line: str) -> Short:
    steps, _, values = line.rpartition(" |")
    pairs = (item.partition("=") for item in values.split())
    return Short(read_plot(steps), {name: value.replace("_", " ") for name, _, value in pairs})


SHORTS = [read_short(line) for line in TABLES["brief"].strip().splitlines()]


def write(seed: int, folder: Path) -> None:
    """Write its logs to `events` and its labels to `labels.json`."""
    minutes = (5, 70), (70, 500), (500, 1430)
    write_layer(Layer("brief third world", 170_000, minutes, (0.0, 0.0, 0.12), break_ins, 0.7, (1, 2, 4, 8)), seed, folder)


# ---- the thefts


def break_ins(world: World, product: str, span: tuple[int, int], rand: Rand) -> list[Incident]:
    """One, seldom two."""
    made: list[Incident] = []
    shorts = rand.shuffled([short for short in SHORTS if short.plot.product == product])
    for number, short in enumerate(shorts[: 1 if rand.chance(0.8) else 2]):
        own = Rand(world.seed, "short theft", number)
        victim = _victim(world, product, [incident.victim for incident in made], own)
        if victim is None:
            break
        technique = Technique(f"brief_{short.plot.name}", product, [], [], [])
        origin = "external" if own.chance(0.9) else "inside"
        incident = Incident(number, technique, origin, "hand", True, victim, own, id=f"incident-{number + 1:03d}")
        begin = span[0] + int((span[1] - span[0]) * own.between(0.02, 0.9))
        if _play(world, incident, short, begin, span, own):
            made.append(incident)
    return made


def _victim(world: World, product: str, robbed: list[Identity], rand: Rand) -> Optional[Identity]:
    """Mostly one whose credential works anywhere, and who may do much: others are of little use to a thief."""
    able = [m for m in world.machines if m.product == product and m.sessions and m not in robbed]
    able = [m for m in able if m.kind not in ("linked", "entra-mi", "k8s-node")]
    carried = [m for m in able if m.kind.startswith(CARRIED)]
    if not carried or rand.chance(0.25):
        carried += _idle(world, product, rand)
    pool = carried if carried and rand.chance(0.85) else able
    if not pool:
        return None
    victim = rand.pick(pool)
    victim.power = "admin" if rand.chance(0.7) else victim.power
    return victim


def _idle(world: World, product: str, rand: Rand) -> list[Identity]:
    """One whose key nobody uses in the file."""
    kinds = [each for each in odd.MACHINES if each.product == product and each.kind.startswith(CARRIED)]
    found = [odd.machine(world, rand, rand.pick(kinds), 900)] if kinds else []
    for who in found:
        before = {name: len(entries) for name, entries in world.sink.entries.items()}
        life.live(world, who)
        for name, entries in world.sink.entries.items():
            del entries[before.get(name, 0) :]
    return [who for who in found if who.sessions]


def _play(world: World, incident: Incident, short: Short, begin: int, span: tuple[int, int], rand: Rand) -> bool:
    equip(world, incident, rand)
    incident.home, product = rand.weighted(PLACES), short.plot.product
    incident.ips = [address(rand, incident.home)]
    incident.client = Client(rand, rand.weighted(SHELLS)) if product == "cloudtrail" else by_hand(rand, product)
    incident.tool = None
    incident.values.update(foreign=rand.digits(12), **short.values)
    credential = stolen(world, incident, begin, span, rand)
    if credential is None:
        return False
    time, cred = credential
    for key in _calls(short.plot, rand):
        if time >= span[1]:
            break
        perform(world, incident, incident.victim, key, disguise(world, incident, incident.victim, cred), time)
        time += int(rand.between(*short.plot.pause)) + 10
    return incident.first > 0


def _calls(plot: Plot, rand: Rand) -> list[str]:
    kept = [step.lstrip("?") for step in plot.steps if step[0] != "?" or rand.chance(0.5)]
    return odd.expand(kept, odd.tastes_of(rand), rand)
