"""Variants of the fourth family: tenants full of identities that are odd by nature, tenants' first files, short thefts.

The frozen world writes the records; its tables get further calls while a variant is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nhi_watch_lab import fourth_world
from nhi_watch_lab.evaluation.exams import Raw, written
from nhi_watch_lab.fourth_world import life, tenant
from nhi_watch_lab.fourth_world.attack import Campaign
from nhi_watch_lab.fourth_world.life import World
from nhi_watch_lab.fourth_world.model import DAY, PRODUCTS, Dice
from nhi_watch_lab.fourth_world.write import write
from nhi_watch_lab.variants.fourth import benign
from nhi_watch_lab.variants.fourth import brief as brief_file
from nhi_watch_lab.variants.fourth import first as first_file
from nhi_watch_lab.variants.fourth import short as short_thefts
from nhi_watch_lab.variants.fourth.tables import further_calls, trades
from nhi_watch_lab.variants.fourth.thefts import Thefts

BASE = 410_000
"""Its tenants are none of the family's other ones."""
ODD = tuple(sorted({noun for trade in trades() for noun in trade.nouns}))
"""Parts of the names of identities that are odd by nature; of no other machine's name."""


def unsteady(seed: int) -> tuple[frozenset[str], Iterator[Raw]]:
    """A tenant of whose machines one in eight to one in four is odd by nature."""
    return written(lambda folder: make(seed, folder))


def first(seed: int) -> tuple[frozenset[str], Iterator[Raw]]:
    """A tenant's first file."""
    return written(lambda folder: make_first(seed, folder))


def brief(seed: int) -> tuple[frozenset[str], Iterator[Raw]]:
    """A tenant's first file in which a theft is one to five calls."""
    return written(lambda folder: make_brief(seed, folder))


def short(seed: int) -> tuple[frozenset[str], Iterator[Raw]]:
    """A grown tenant in which each theft is one to five calls of an identity with a past."""
    return written(lambda folder: make_short(seed, folder))


def make_short(seed: int, out: Path) -> None:
    """Write the tenant of a seed with short thefts of established identities."""
    dice = Dice(f"{seed}|short")
    identities, days, history = dice.randint(60, 88), dice.randint(20, 26), dice.randint(8, 12)
    with further_calls():
        world, _, _ = _benign(short_thefts.BASE + seed, dice, identities, days, history, pods=identities // 8)
        campaign = Campaign(world, world.begin + history * DAY, False)
        short_thefts.Raids(world, campaign, dice).play(dice.randint(28, 36))
        places = write(world, out / "events")
        fourth_world._labels(world, campaign, places, out, len(world.machines), days, history, False)


def make_brief(seed: int, out: Path) -> None:
    """Write the file of a seed with short thefts."""
    with further_calls():
        brief_file.make(seed, out)


def make_first(seed: int, out: Path) -> None:
    """Write the first file of a seed."""
    with further_calls():
        first_file.make(seed, out)


def make(seed: int, out: Path) -> None:
    """Write an unsteady tenant: out/events/<product>.ndjson.gz and out/labels.json."""
    dice = Dice(f"{seed}|unsteady")
    identities, days, history = dice.randint(70, 130), dice.randint(20, 27), dice.randint(8, 12)
    with further_calls():
        world, odd, released = _benign(BASE + seed, dice, identities, days, history)
        campaign = Thefts(world, world.begin + history * DAY, odd)
        campaign.deploy(released, dice.randint(3, 5))
        campaign.rob(dice.randint(9, 13))
        campaign.play(len(campaign.incidents) + dice.randint(6, 9))
        places = write(world, out / "events")
        fourth_world._labels(world, campaign, places, out, identities, days, history, False)


def _benign(
    number: int, dice: Dice, identities: int, days: int, history: int, pods: int = 0
) -> tuple[World, list[benign.Odd], list[benign.Released]]:
    """The numbered tenant with its machines, its people, its odd identities and its releases; `pods` asks for a
    cluster with so many more service accounts."""
    place = tenant.found(number, identities)
    if pods:
        place.products = [product for product in PRODUCTS if product in {*place.products, "kubernetes"}]
    begin = 1_772_409_600_000 + dice.randint(0, 26) * 7 * DAY
    world = World(place, begin, begin + days * DAY)
    world.people = life.employ(place, identities)
    strange = max(identities // 8, int(identities * dice.between(0.13, 0.25)))
    world.machines = tenant.hire(place, identities - strange - identities // 9, begin, days, history)
    fourth_world._scale(world.machines, days, len(world.machines), place.dice("scale"), place.habits["scanner"])
    odd = benign.hire(dice, world, benign.wanted(dice, place, strange), days)
    benign.services(dice, world, identities // 9, days)
    if pods:
        short_thefts.enlist(world, pods, days)
    crew = {id(one.machine) for one in odd}
    for m in world.machines:
        if id(m) not in crew:
            m.debugged = dice.chance(0.1)
            life.live(world, m)
    for one in odd:
        benign.live(world, one)
    for person in world.people:
        life.live_person(world, person, 1.0)
    for day in range(begin, world.end, DAY):
        life.debug(world, day)
    released = benign.pairs(world, dice)
    benign.releases(world, dice, released)
    return world, odd, released
