"""Variants of the fifth family: tenants full of identities that are odd by nature, and tenants' first files.

The frozen world writes the records; its catalogue gets further calls while a variant is made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from nhi_watch_lab import fifth_world
from nhi_watch_lab.evaluation.exams import Raw, written
from nhi_watch_lab.fifth_world import episodes, life, makers
from nhi_watch_lab.fifth_world.attack import Incident, Planner, labels
from nhi_watch_lab.fifth_world.model import Chance, Streams, stream
from nhi_watch_lab.fifth_world.tenant import Tenant
from nhi_watch_lab.fifth_world.world import World
from nhi_watch_lab.variants.fifth import benign, thefts
from nhi_watch_lab.variants.fifth import brief as brief_file
from nhi_watch_lab.variants.fifth import first as first_file
from nhi_watch_lab.variants.fifth import short as short_thefts
from nhi_watch_lab.variants.fifth.tables import callings, further_calls

BASE = 750_000
SHORT_BASE = 790_000
"""Their tenants are none of the family's other ones."""
ODD = tuple(sorted({f"-{calling.name}" for calling in callings()}))
"""Parts of the names of identities that are odd by nature; no other machine's name has one."""


def unsteady(seed: int) -> tuple[frozenset[str], Iterator[Raw]]:
    """A tenant of whose machines one in nine to one in four is odd by nature."""
    return written(lambda folder: make(seed, folder))


def first(seed: int) -> tuple[frozenset[str], Iterator[Raw]]:
    """A tenant's first file."""
    return written(lambda folder: make_first(seed, folder))


def brief(seed: int) -> tuple[frozenset[str], Iterator[Raw]]:
    """A tenant's first file in which a theft is one to five calls."""
    return written(lambda folder: make_brief(seed, folder))


def short(seed: int) -> tuple[frozenset[str], Iterator[Raw]]:
    """A grown tenant in which a theft is one to five calls of an established identity."""
    return written(lambda folder: make_short(seed, folder))


def make_short(seed: int, out: Path) -> None:
    """Write a grown tenant with short thefts."""
    rng = stream("short tenant", seed)
    identities, days, history = rng.randint(60, 100), rng.randint(20, 26), rng.randint(8, 12)
    with further_calls():
        world, _, _ = _benign(SHORT_BASE + seed, rng, identities, days, history)
        _write(world, short_thefts.rob(world, seed), out, history)


def make_brief(seed: int, out: Path) -> None:
    """Write the file of a seed with short thefts."""
    with further_calls():
        world, done = brief_file.make(seed)
        _write(world, done, out, 0)


def make_first(seed: int, out: Path) -> None:
    """Write the first file of a seed."""
    with further_calls():
        world, done = first_file.make(seed)
        _write(world, done, out, 0)


def make(seed: int, out: Path) -> None:
    """Write an unsteady tenant: out/events/<product>.ndjson.gz and out/labels.json."""
    rng = stream("unsteady", seed)
    identities, days, history = rng.randint(65, 120), rng.randint(21, 28), rng.randint(8, 12)
    with further_calls():
        world, odd, found = _benign(BASE + seed, rng, identities, days, history)
        taken: list[str] = []
        done = thefts.deploying(world, found, rng.randint(3, 5), taken)
        done += _incidents(thefts.Robber(world, odd, taken), rng, rng.randint(9, 13), 0)
        ordinary = Planner(world)
        ordinary.taken = taken
        done += _incidents(ordinary, rng, rng.randint(6, 9), 5000)
        _write(world, done, out, history)


def _benign(
    seed: int, rng: Chance, identities: int, days: int, history: int
) -> tuple[World, list[benign.Odd], list[benign.Release]]:
    """The tenant with its machines, its people, its odd identities and its releases."""
    streams = Streams(seed)
    begin = date(2026, 1, 5) + timedelta(days=7 * rng.randint(0, 30))
    world = World(seed, Tenant(streams, identities, days, history, begin), streams)
    life.hire(world, max(3, int(identities * world.tenant.habits["people_share"])))
    strange = max(identities // 9, int(identities * rng.uniform(0.15, 0.26)))
    makers.populate(world, identities - strange - identities // 9)
    life.scale(world)
    episodes.plan_outages(world)
    makers.change_all(world)
    taken = {who.name.lower().replace("_", "-"): 1 for who in world.machines}
    odd = benign.hire(world, benign.choose(rng, world.tenant, strange), rng, taken)
    crew = {id(one.who) for one in odd}
    benign.services(world, rng, taken, identities // 9)
    found = benign.releases(world, rng)
    for who in world.machines:
        if id(who) not in crew:
            life.live(world, who)
    for one in odd:
        benign.live(world, one)
    benign.bring_out(world, found, rng)
    for person in world.people:
        life.work(world, person)
    episodes.befall(world)
    world.services()
    return world, odd, found


def _incidents(planner: Planner, rng: Chance, count: int, number: int) -> list[Incident]:
    """Incidents of a planner, from outside and from inside by turns."""
    done: list[Incident] = []
    for index in range(count):
        origin = "external" if index % 2 == 0 else "inside"
        incident = planner.one(number + index, origin, False, rng.chance(0.15))
        if incident is not None:
            done.append(incident)
    return done


def _write(world: World, done: list[Incident], out: Path, history: int) -> None:
    """The events and the labels, as the frozen world writes them."""
    done = sorted(done, key=lambda incident: min(ref.time for ref in incident.refs))
    pairs: list[Any] = [(incident, []) for incident in done]
    lines = {ref.number: 0 for incident in done for ref in incident.refs}
    world.sink.write(out / "events", lines)
    tenant = world.tenant
    about = {
        "seed": world.seed, "days": tenant.days, "history_days": history, "products": tenant.products,
        "habits": tenant.habits, "machines": len(world.machines), "records": world.sink.count,
    }  # fmt: skip
    body = {"world": about, "incidents": labels(pairs, lines, False), "people": fifth_world._people(world)}
    (out / "labels.json").write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
