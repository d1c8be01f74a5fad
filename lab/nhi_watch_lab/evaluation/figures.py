"""What mornings come to: shares and rates of some tenants, their intervals, and whether likelihoods are true.

The next company is of another family, and a tenant's incidents and mornings are alike: so intervals resample families,
tenants within each, and incidents and mornings within each tenant (bootstrap); what is compared is resampled alike.
Incidents of the worlds are weighed down to PREVALENCE of identity-days where likelihoods and severities are held
against the truth.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import mean
from typing import Any, NamedTuple, Optional

from nhi_watch.core.notable import SEVERITIES
from nhi_watch_lab.evaluation.mornings import Case, Morning, Tenant
from nhi_watch_lab.training.fit import PREVALENCE

COMPANY = 400
"""Identities of the company to which figures a morning are scaled."""
FIRST = (5, 10)
"""Rows that an analyst surely reads."""
RESAMPLED = 1000


class Figures(NamedTuple):
    """What the mornings of some tenants come to."""

    outside: float
    inside: float
    counts: tuple[int, int]
    first: tuple[tuple[float, float], ...]
    """By FIRST: outside, inside."""
    benign: float
    repeats: float
    graver: float
    read: float
    waiting: float


class Sample(NamedTuple):
    """Of one tenant: what is counted, each incident and morning as often as it was drawn."""

    identities: float
    cases: Sequence[Case]
    mornings: Sequence[Morning]


def figures(tenants: Iterable[Tenant]) -> Figures:
    """Shares over all incidents; rates over all identity-days."""
    return _figures([Sample(tenant.identities, tenant.cases, tenant.mornings) for tenant in tenants])


def _figures(samples: Sequence[Sample]) -> Figures:
    cases = [case for sample in samples for case in sample.cases]
    sides = [[c for c in cases if c.origin != "inside"], [c for c in cases if c.origin == "inside"]]
    days = sum(sample.identities * len(sample.mornings) for sample in samples)
    mornings = [morning for sample in samples for morning in sample.mornings]

    def share(side: Sequence[Case], first: float) -> float:
        return sum(c.place is not None and c.place < first for c in side) / max(1, len(side))

    def rate(count: Callable[[Morning], int]) -> float:
        return sum(map(count, mornings)) / max(1.0, days)

    return Figures(
        share(sides[0], 1e9),
        share(sides[1], 1e9),
        (len(sides[0]), len(sides[1])),
        tuple((share(sides[0], first), share(sides[1], first)) for first in FIRST),
        1000 * rate(lambda m: m.benign),
        COMPANY * rate(lambda m: m.repeats),
        COMPANY * rate(lambda m: m.graver),
        COMPANY * rate(lambda m: m.lines),
        COMPANY * rate(lambda m: m.waiting),
    )


def families_of(tenants: Iterable[Tenant]) -> list[str]:
    """Their families, in order."""
    return sorted({tenant.family for tenant in tenants})


def mean_of_families(tenants: Sequence[Tenant]) -> Figures:
    """Each family counts the same, however many tenants and incidents it has."""
    return _mean([figures(t for t in tenants if t.family == family) for family in families_of(tenants)])


def _mean(figures: Sequence[Figures]) -> Figures:
    def of(value: Callable[[Figures], float]) -> float:
        return mean(map(value, figures))

    first = tuple((mean(o for o, _ in each), mean(i for _, i in each)) for each in zip(*(f.first for f in figures)))
    counts = sum(f.counts[0] for f in figures), sum(f.counts[1] for f in figures)
    return Figures(
        of(lambda f: f.outside),
        of(lambda f: f.inside),
        counts,
        first,
        of(lambda f: f.benign),
        of(lambda f: f.repeats),
        of(lambda f: f.graver),
        of(lambda f: f.read),
        of(lambda f: f.waiting),
    )


# ---- intervals

Interval = tuple[float, float]


class Resampled:
    """The mean of families of some tenants, resampled; equal worlds are resampled alike, whatever the detector."""

    def __init__(self, tenants: Sequence[Tenant]) -> None:
        dice, self.drawn = random.Random(1), list[Figures]()
        by_world = {tenant.world: tenant for tenant in tenants}
        families: dict[str, list[str]] = {}
        for world in sorted(by_world):
            families.setdefault(by_world[world].family, []).append(world)
        for _ in range(RESAMPLED):
            drawn = [
                [_resampled(by_world[world], dice) for world in dice.choices(worlds, k=len(worlds))]
                for worlds in dice.choices([*families.values()], k=len(families))
            ]
            self.drawn.append(_mean(list(map(_figures, drawn))))

    def interval(self, value: Callable[[Figures], float]) -> Interval:
        """In which nine of ten lie."""
        return _middle(map(value, self.drawn))

    def ahead_of(self, other: Resampled, value: Callable[[Figures], float]) -> Interval:
        """The same of the difference to another detector's."""
        return _middle(value(mine) - value(theirs) for mine, theirs in zip(self.drawn, other.drawn))


def _middle(values: Iterable[float]) -> Interval:
    ordered = sorted(values)
    return ordered[len(ordered) // 20], ordered[-1 - len(ordered) // 20]


def _resampled(tenant: Tenant, dice: random.Random) -> Sample:
    """Incidents from outside and from inside apart: each side keeps its number."""

    def some(all_of_them: Sequence[Any]) -> list[Any]:
        return dice.choices(all_of_them, k=len(all_of_them)) if all_of_them else []

    sides = [[case for case in tenant.cases if (case.origin == "inside") == inside] for inside in (False, True)]
    return Sample(tenant.identities, [case for side in sides for case in some(side)], some(tenant.mornings))


# ---- whether the likelihood is true


class Calibration(NamedTuple):
    """How often notables are intrusions, by what they say."""

    error: float
    """Mean distance of likelihood and truth over tenths, by their weight."""
    tenths: list[tuple[float, float, int]]
    """Mean likelihood (0 to 1), share of intrusions, notables."""
    severities: Mapping[str, tuple[float, int]]
    """Severity → share of intrusions among those with a row, and how many these are."""


def calibration(tenants: Sequence[Tenant]) -> Calibration:
    """Over the notables of some tenants."""
    rows = [(notable, _weight(tenant) if notable.bad else 1.0) for tenant in tenants for notable in tenant.notables]
    total, tenths, error = sum(weight for _, weight in rows), list[tuple[float, float, int]](), 0.0
    for low in range(0, 100, 10):
        part = [(row, w) for row, w in rows if low <= row.likelihood < low + 10 or (low == 90 and row.likelihood >= 90)]
        weight = sum(w for _, w in part)
        if weight:
            said = sum(row.likelihood * w for row, w in part) / weight / 100
            true = sum(w for row, w in part if row.bad) / weight
            tenths.append((said, true, len(part)))
            error += weight * abs(said - true) / total
    curve = {
        name: _precision([(row.bad, w) for row, w in rows if row.severity == name and row.listed])
        for name in SEVERITIES
    }
    return Calibration(error, tenths, {name: item for name, item in curve.items() if item is not None})


def _precision(rows: Sequence[tuple[bool, float]]) -> Optional[tuple[float, int]]:
    return (sum(w for bad, w in rows if bad) / sum(w for _, w in rows), len(rows)) if rows else None


def _weight(tenant: Tenant) -> float:
    """By what an incident counts so that they are PREVALENCE of a tenant's identity-days."""
    return min(1.0, PREVALENCE * tenant.identities * len(tenant.mornings) / max(1, len(tenant.cases)))
