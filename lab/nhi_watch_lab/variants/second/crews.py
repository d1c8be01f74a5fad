"""Crews: identities of the second world that are odd by nature, and when they do what.

A crew has chores. A chore is a rhythm (tickets that come in clusters, sprints of two weeks, a maintenance window, once
a quarter) and a recipe that is drawn anew each time. What a crew calls on a day, it may never have called before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple, Optional, Union

from nhi_watch_lab.second_world import base
from nhi_watch_lab.second_world.base import DAY, Place, Tenant, operators, place
from nhi_watch_lab.second_world.routine import expand
from nhi_watch_lab.second_world.saas import Agent, Product
from nhi_watch_lab.second_world.trail import Actor, AwsLog

# ---- rhythms: the moments of a day at which a chore begins


@dataclass
class Crew:
    """One odd identity with its chores; `product`: None in AWS."""

    title: str
    who: Union[Actor, Agent]
    product: Optional[Product]
    chores: Sequence[Chore]
    rng: Random
    hands: bool = False
    """Whether a person's fingers do it."""
    wanders: float = 0.0
    """Chance, day by day, that it calls from somewhere else from now on."""
    fresh: bool = False
    """Whether each run has an address of its own."""
    refused: float = 0.01
    phase: float = 0.0
    liking: dict[str, float] = field(default_factory=dict)


Rhythm = Callable[[Crew, Tenant, float], list[float]]
Recipe = Callable[[Crew], list[str]]


class Chore(NamedTuple):
    """What is done when."""

    when: Rhythm
    what: Recipe


def tickets(mean: float) -> Rhythm:
    """Requests of colleagues, some of them in a row."""

    def moments(crew: Crew, tenant: Tenant, day: float) -> list[float]:
        rng, found = crew.rng, list[float]()
        for _ in range(base.poisson(rng, mean * (0.08 if base.weekday(day) >= 5 else 1.0))):
            t = base.office_time(tenant, rng, day)
            found += [t + n * rng.uniform(60, 900) for n in range(rng.choice([1, 1, 1, 2, 4]))]
        return found

    return moments


def sprint(mean: float) -> Rhythm:
    """Little at first, much at the end of each two weeks."""

    def moments(crew: Crew, tenant: Tenant, day: float) -> list[float]:
        if base.weekday(day) >= 5:
            return []
        at = (int(day // DAY) + int(crew.phase * 14)) % 14
        level = mean * (2.4 if at in (9, 10, 11) else 0.5)
        return [base.office_time(tenant, crew.rng, day) for _ in range(base.poisson(crew.rng, level))]

    return moments


def rounds(times: int) -> Rhythm:
    """So often each day, evenly."""

    def moments(crew: Crew, tenant: Tenant, day: float) -> list[float]:
        step = DAY / times
        return [day + (n + crew.phase) * step % DAY + crew.rng.uniform(0, 240) for n in range(times)]

    return moments


def window(share: float = 1.0) -> Rhythm:
    """At night from Saturday to Sunday, on some weekends."""

    def moments(crew: Crew, tenant: Tenant, day: float) -> list[float]:
        night = base.weekday(day) == 5 and crew.rng.random() < share
        return [day + 79_000 + crew.rng.uniform(0, 6000)] if night else []

    return moments


def seldom(share: float) -> Rhythm:
    """Hardly ever: on so many of all days, at whatever hour it is needed."""

    def moments(crew: Crew, tenant: Tenant, day: float) -> list[float]:
        return [day + crew.rng.uniform(0, DAY)] if crew.rng.random() < share else []

    return moments


def quarterly(crew: Crew, tenant: Tenant, day: float) -> list[float]:
    """Once while the tenant is watched."""
    chosen = int(Random(f"quarter/{crew.title}/{crew.phase}").uniform(0.1, 0.95) * tenant.days)
    return [base.office_time(tenant, crew.rng, day)] if int((day - tenant.start) // DAY) == chosen else []


# ---- recipes: what is called


def calls(routine: str) -> Recipe:
    """The same each time: `A B*3`."""
    return lambda crew: expand(routine)


def ops(names: Sequence[str], low: int = 1, high: int = 1) -> Recipe:
    """Each of some operations, each so often."""
    return lambda crew: [name for name in names for _ in range(crew.rng.randint(low, high))]


def bundles(groups: Sequence[Sequence[str]], low: int, high: int) -> Recipe:
    """Some of many small changes, each of a few calls that belong together."""
    return lambda crew: [
        name for group in crew.rng.sample(list(groups), crew.rng.randint(low, high)) for name in expand(" ".join(group))
    ]


def spread(pool: Sequence[str], low: int, high: int, repeat: int = 1) -> Recipe:
    """Different ones of a pool; a crew likes some of them better than others."""

    def draw(crew: Crew) -> list[str]:
        rng, names = crew.rng, dict.fromkeys(pool)
        for name in names:
            crew.liking.setdefault(name, rng.lognormvariate(0, 1.1))
        keys = sorted(names, key=lambda name: rng.random() ** (1 / crew.liking[name]), reverse=True)
        chosen = keys[: min(len(keys), rng.randint(low, high))]
        rng.shuffle(chosen)
        return [name for name in chosen for _ in range(rng.randint(1, repeat))]

    return draw


def then(*parts: Recipe) -> Recipe:
    """One after another."""
    return lambda crew: [name for part in parts for name in part(crew)]


def maybe(share: float, part: Recipe) -> Recipe:
    """Only sometimes."""
    return lambda crew: part(crew) if crew.rng.random() < share else []


# ---- a day of a crew


def day_of(crew: Crew, tenant: Tenant, log: AwsLog, day: float) -> None:
    """All chores of a day."""
    rng, who = crew.rng, crew.who
    if not who.born <= day + DAY / 2 < who.dies:
        return
    if crew.wanders and rng.random() < crew.wanders:
        who.place = elsewhere(rng)
    for chore in crew.chores:
        for t in sorted(chore.when(crew, tenant, day)):
            run(crew, log, t, chore.what(crew))


def elsewhere(rng: Random) -> Place:
    """Another flat, another hotspot, another office."""
    return place(
        rng, rng.choice(operators("residential", "residential", "mobile", "hotel", "office") or ["comcast"]), 1
    )


def run(crew: Crew, log: AwsLog, t: float, names: Sequence[str]) -> None:
    """One chore from beginning to end."""
    rng, who = crew.rng, crew.who
    spot = place(rng, who.place.operator, 1) if crew.fresh else who.place
    gap = rng.uniform(15, 90) if crew.hands else rng.uniform(0.2, 4)
    for name in names:
        t += rng.expovariate(1 / gap)
        err = rng.random() < crew.refused
        if crew.product is None:
            assert isinstance(who, Actor)
            region = rng.choice(who.regions)
            log.call(who, t, name, place=spot, err="denied" if err else "", explore=rng.random() < 0.7, region=region)
        else:
            assert isinstance(who, Agent)
            crew.product.emit(who, t, name, place=spot, err=err, explore=rng.random() < 0.7)
