"""A tenant of the third world in which many machines are odd by nature, as attackers' victims too."""

import contextlib
import json
from datetime import date
from pathlib import Path
from typing import Any

from nhi_watch_lab.third_world import life
from nhi_watch_lab.third_world.attacks import UNSEEN, Incident, Technique, choose, deck, fits, play
from nhi_watch_lab.third_world.generate import found, label, names, write_events
from nhi_watch_lab.third_world.model import Identity, Rand, World
from nhi_watch_lab.variants.third import odd

ATTACKS = 32
ON_ODD = 0.5
"""Share of the attacks whose victim is odd by nature, where one fits."""


def write(seed: int, folder: Path) -> None:
    """Write a tenant's logs to `events` and its labels to `labels.json`."""
    rand = Rand("unsteady third world", seed)
    history, attacked = rand.whole(7, 12), rand.whole(9, 15)
    start = date(2026, rand.whole(1, 9), rand.whole(1, 28))
    usual, unusual = rand.whole(40, 64), rand.whole(14, 26)
    world = found(seed + 40_000, start, history + attacked, history, usual)
    odd.add_ops(world)
    life.hire(world, rand.whole(8, 20))
    for machine in world.machines:
        life.live(world, machine)
    unsteady = odd.hire(world, unusual)
    for who, kind in unsteady:
        odd.live(world, who, kind)
    odd.release(world, rand)
    life.work(world)
    incidents = attack(world, [who for who, _ in unsteady])
    finish(world, incidents, folder)


def finish(world: World, incidents: list[Incident], folder: Path) -> None:
    """Write what the world's sink holds."""
    _, places = write_events(world, folder / "events")
    told = [label(one, places, False) for one in incidents if places.get(one.id)]
    labels: dict[str, Any] = {"incidents": told, "people": names(world)}
    (folder / "labels.json").write_text(json.dumps(labels, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def attack(world: World, unsteady: list[Identity]) -> list[Incident]:
    """The frozen world's techniques on machines of both kinds, each at most once."""
    rand = Rand(world.seed, "attacks on odd machines")
    made: list[Incident] = []
    used: set[int] = set()
    plans = deck(world, ATTACKS, rand)
    origins = rand.shuffled(["external", "inside"] * (ATTACKS // 2 + 1))
    for number, technique in enumerate(plans):
        own = Rand(world.seed, "attack on an odd machine", number)
        incident = _attempt(world, technique, number, origins[number], used, unsteady, own)
        if incident:
            made.append(incident)
    return made


def _attempt(
    world: World, technique: Technique, number: int, origin: str, used: set[int], unsteady: list[Identity], rand: Rand
) -> Any:
    if technique.name == UNSEEN:
        origin = "inside"
    for _ in range(6):
        free = [who for who in unsteady if id(who) not in used and fits(world, who, technique, origin)]
        victim = rand.pick(free) if free and rand.chance(ON_ODD) else choose(world, technique, origin, used, rand)
        if victim is None:
            return None
        pace, short = rand.weighted([("fast", 4.0), ("hand", 4.0), ("slow", 2.5)]), rand.chance(0.2)
        incident = Incident(
            number,
            technique,
            origin,
            pace,
            short and technique.name != UNSEEN,
            victim,
            rand,
            id=f"incident-{number + 1:03d}",
        )
        used.add(id(victim))
        with contextlib.suppress(LookupError):
            play(world, incident, False)
        if incident.first:
            return incident
    return None
