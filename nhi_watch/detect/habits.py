"""Habits: how often a tenant's and an identity's own days reach each value, and how much of a signal that leaves.

`Bound.features` is the one way from signal values to what the trees read. The likelihood of a day, of a call and of
linked identities, Shapley shares, counterfactuals, bounds, receipts, `nhiscore` and the training all use it.

**Points** say how much more usual a value is on days of attack than on the tenant's own days:

    points = log2(share of attack days that reach the value ÷ share of the tenant's own identity-days that do)

The tenant's share is shrunk towards the world's by STRENGTH identity-days, and by as many as are missing until the
tenant has FULL days of history. A ratio of two shares is not monotone by itself: points are its running maximum over
the bins, never below 0, rounded to 0.01, so that all hosts agree to the last digit.

**Habit** then reduces them. An identity's own share of days that reached at least 60% of a value (NEAR) is shrunk
towards the tenant's by OWN_STRENGTH days, and used instead of the tenant's share. What is left of the points, down to
zero, also shortens the signal's bin: in the same proportion, rounded. Both are running maxima over the bins, so a
larger value never counts less. A value above all that the identity has reached is not reduced.

**Learning.** When a day is closed, the bins that its signals reached are counted, however unusual it was: in the
identity's own profile as the dimension `habit` (value `NAME:BIN` → days), in the tenant's as `signal` (value
`KIND/NAME:BIN` → identity-days, `KIND/*` → how many were counted, once an identity has a history of HISTORY days).
One identity that reaches a bin day after day does not make it a habit of the tenant: see `_counts_for_tenant`. Signals
of UNTAUGHT never become habits: they keep the world's share. People's long-lived keys are weighed by the habits of
people's keys, machines by those of machines.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from math import log2
from typing import Any, NamedTuple, Optional

from nhi_watch.detect.model import BINS, EDGES, MACHINE, Features, Model, bin_of
from nhi_watch.detect.signals import UNTAUGHT
from nhi_watch.state.baseline import EVERY, HABIT, HISTORY, SIGNAL, Delta, Profile, SeenValue

STABLE_AFTER = 2
"""Active days from which an identity's days count as its habits."""
FULL = 14
"""Days of history from which a tenant stands for itself."""
STRENGTH = 20.0
"""Identity-days that the world's shares weigh beside the tenant's own."""
OWN_STRENGTH = 8.0
"""Days that the tenant's share weighs beside the identity's own."""
NEAR = 0.6
"""Share of a value that an earlier day must have reached for the value to count as usual."""
WAIT = 7
"""Days for which a bin that an identity reaches for the first time is no habit yet; nor is a single day ever. Else a
thief could make his acts a habit of the victim within a few days (decision 19)."""
LEAST = 1e-9
FIRST = 1.5
"""Factor of points on a tenant's first day: everything is new then, so new values have few points, and sums of ordinary
days reach two thirds of what they reach later."""
COLD = 3
"""Days of a tenant's history before which amounts are compared with fixed limits: there is no history yet."""
BLUNT = {"mass_by_stranger": 8}
"""Signal → bin from which it then counts BLUNT_POINTS by itself: six hundred reads a day by a newcomer."""
BLUNT_POINTS = 8.0
FREELY, THEN_EACH = 3, 10
"""An identity's first days in a bin, and each tenth later one, count as habits of the tenant."""

_LAST_EDGE = 48.0
"""Stands for the upper edge of the last bin, which has none."""
_NEAR_BINS = tuple(bin_of(NEAR * edge) or 0 for edge in (*EDGES, _LAST_EDGE))
"""By bin: the lowest bin that comes near all of its values."""
_ALL_BINS = tuple(range(BINS))

Row = Sequence[Optional[float]]
Points = tuple[float, ...]
Own = tuple[int, int]
"""The identity's earlier days that came near a value, and how many are counted."""


class TenantHabits:
    """The points of every signal's bins for a tenant's machines, or its people's keys, before a day.

    `linked`: signals that no identity's day shows by itself: they are not counted, and have the world's share.
    """

    def __init__(
        self, model: Model, tenant: Profile, today: int, kind: str = MACHINE, linked: Collection[str] = ()
    ) -> None:
        history = today - tenant.first if tenant.days else 0
        self.model = model if history else model.on_first_day()
        self.today = today
        self.kind = kind
        self.times = 1.0 if history else FIRST
        self._uncounted = {*linked, *UNTAUGHT}
        self._seen = tenant.dimension(SIGNAL).values
        known = self._seen.get(f"{kind}/{EVERY}")
        self.total = known.days if known else 0
        age = today - known.first if known else 0
        self._world = model.world_at(kind, history)
        self._blunt = BLUNT if history < COLD else {}
        self.strength = STRENGTH + max(0, FULL - age) * (self.total / max(1, age) if known else 1.0)
        self._reached: dict[int, tuple[tuple[int, ...], int]] = {}
        self._shares: dict[int, tuple[float, ...]] = {}
        self._points: dict[int, Points] = {}

    def reached(self, at: int) -> tuple[tuple[int, ...], int]:
        """By bin: identity-days that reached it or a higher one; and how many had a value."""
        known = self._reached.get(at)
        if known is None:
            known = self._reached[at] = self._count(self.model.signals[at])
        return known

    def _count(self, signal: str) -> tuple[tuple[int, ...], int]:
        if signal in self._uncounted:
            return (0,) * BINS, 0
        name = f"{self.kind}/{signal}"
        days = [_days(self._seen, f"{name}:{index}") for index in range(BINS)]
        return _from_the_top(days), max(0, self.total - _days(self._seen, f"{name}:?"))

    def shares(self, at: int) -> tuple[float, ...]:
        """By bin: the tenant's share of identity-days that reach it, shrunk towards the world's."""
        known = self._shares.get(at)
        if known is None:
            reached, total = self.reached(at)
            known = self._shares[at] = tuple(
                (days + self.strength * world) / (total + self.strength)
                for days, world in zip(reached, self._world[at])
            )
        return known

    def points(self, at: int) -> Points:
        """The points of a signal's bins."""
        known = self._points.get(at)
        if known is None:
            blunt = self._blunt.get(self.model.signals[at], BINS)
            worth = [self.times * bits for bits in _bits(self.model.attack[at], self.shares(at))]
            worth[blunt:] = [max(each, BLUNT_POINTS) for each in worth[blunt:]]
            known = self._points[at] = tuple(round(each, 2) for each in accumulate(worth, max))
        return known


class _Left(NamedTuple):
    """What an identity's habit leaves of one signal, by bin."""

    points: Points
    bins: tuple[int, ...]


class Bound:
    """The model as it holds for one identity of a tenant, before a day."""

    __slots__ = ("_days", "_features", "_left", "_own", "_reached", "tenant_habits")

    def __init__(self, tenant_habits: TenantHabits, own: Profile) -> None:
        self.tenant_habits = tenant_habits
        self._own = own.dimension(HABIT).values
        self._days = _days(self._own, EVERY)
        self._reached: Optional[dict[str, tuple[int, ...]]] = None
        self._left: dict[int, _Left] = {}
        self._features: dict[tuple[Optional[float], ...], Features] = {}
        """Signal values → features: most calls of a day have the values of another one, and each is asked twice."""

    @property
    def model(self) -> Model:
        """The model itself."""
        return self.tenant_habits.model

    def features(self, values: Row) -> Features:
        """What the trees read of a row of signal values: 0 for what is ordinary or cannot tell."""
        row = tuple(values)
        known = self._features.get(row)
        if known is None:
            points, bins = [0.0] * len(row), [0] * len(row)
            for at, value in enumerate(row):
                if value:
                    points[at], bins[at] = self.left(at, value)
            known = self._features[row] = Features(tuple(points), tuple(bins))
        return known

    def left(self, at: int, value: float) -> tuple[float, int]:
        """The points and the bin of a signal's value."""
        left, index = self._left.get(at), bin_of(value) or 0
        if left is None:
            left = self._left[at] = self._reduce(at)
        return left.points[index], left.bins[index]

    def likelihood(self, values: Row) -> float:
        """How likely a day with these signal values is an intrusion, in percent."""
        return self.model.likelihood(self.features(values))

    def total(self, values: Row) -> float:
        """The sum of the points."""
        return total(self.features(values).points)

    def _reduce(self, at: int) -> _Left:
        tenant_points, reached = self.tenant_habits.points(at), self._days_reaching(at)
        if not reached:
            return _Left(tenant_points, _ALL_BINS)
        near = [reached[low] for low in _NEAR_BINS]
        weight = self._days + OWN_STRENGTH
        shares = [(days + OWN_STRENGTH * share) / weight for days, share in zip(near, self.tenant_habits.shares(at))]
        worth = [self.tenant_habits.times * bits for bits in _bits(self.model.attack[at], shares)]
        points = [min(usual, each) if days else usual for usual, each, days in zip(tenant_points, worth, near)]
        points = [round(each, 2) for each in accumulate(points, max)]
        bins = [
            int(index * left / usual + 0.5) if usual else index
            for index, left, usual in zip(_ALL_BINS, points, tenant_points)
        ]
        return _Left(tuple(points), tuple(accumulate(bins, max)))

    def _days_reaching(self, at: int) -> tuple[int, ...]:
        """By bin: the identity's own days that reached it or a higher one, but for the first; empty without any."""
        if self._reached is None:
            known = _by_bin(self._own, self.tenant_habits.today - WAIT)
            self._reached = {
                name: tuple(max(0, count - 1) for count in _from_the_top(days)) for name, days in known.items()
            }
        return self._reached.get(self.model.signals[at], ())

    def own(self, at: int, value: float) -> Own:
        """The identity's earlier days that came near a value, and how many are counted."""
        reached = self._days_reaching(at)
        return (reached[_NEAR_BINS[bin_of(value) or 0]] if reached else 0), self._days

    def usual(self, at: int, value: float) -> list[Any]:
        """How usual a value is, in counts with which its points can be checked: the signal, the bin, identity-days of
        the tenant that reached it, of how many; the identity's own; the share of days of attack that reach it."""
        index = bin_of(value) or 0
        reached, size = self.tenant_habits.reached(at)
        return [
            self.model.signals[at],
            index,
            (reached[index], size),
            self.own(at, value),
            self.model.attack[at][index],
        ]

    def _counts_for_tenant(self, name: str) -> bool:
        """Whether a bin that the identity reaches now counts as a habit of the tenant too: on its first FREELY days
        there, then on each tenth. Else one noisy identity would devalue a signal for all others; and if later
        days never counted, what everybody does daily would seem ever rarer as days are added up."""
        days = _days(self._own, name)
        return days < FREELY or days % THEN_EACH == 0

    def habits(self, days: int, values: Row, is_stranger: bool = False) -> Delta:
        """What a day with these signal values leaves in the profiles; `days`: active ones of the identity before it.

        A stranger was never allowed anything: days of refusals must not become a habit.
        """
        reached, kind = counted(self.model.signals, values), self.tenant_habits.kind
        delta: Delta = {}
        if days >= STABLE_AFTER and not is_stranger:
            delta[HABIT] = {EVERY: 1, **reached}
        if days >= HISTORY:
            shared = {f"{kind}/{name}": 1 for name in reached if self._counts_for_tenant(name)}
            delta[SIGNAL] = {f"{kind}/{EVERY}": 1, **shared}
        return delta


def together(parts: Sequence[Features]) -> Features:
    """The features of linked identities: of each signal the most that habit leaves to one of them."""
    if len(parts) == 1:
        return parts[0]
    points, bins = (tuple(map(max, zip(*each))) for each in zip(*parts))
    return Features(points, bins)


def counted(names: Sequence[str], values: Row) -> dict[str, int]:
    """What a day adds to a dimension: each signal's bin.

    >>> counted(("bulk", "new_action", "new_agent", "attack_tool"), (0.0, 3.0, None, 1.0))
    {'new_action:6': 1, 'new_agent:?': 1}
    """
    reached = ((name, value) for name, value in zip(names, values) if value != 0 and name not in UNTAUGHT)
    return {f"{name}:{'?' if value is None else bin_of(value)}": 1 for name, value in reached}


def total(points: Sequence[float]) -> float:
    """The sum of points, the same on every host."""
    return round(sum(round(each * 100) for each in points if each) / 100, 2)


def _bits(attack: Sequence[float], shares: Sequence[float]) -> list[float]:
    """By bin: by how many bits days of attack reach it more often than others; 0 where none is known to reach it."""
    pairs = zip(attack[1:], shares[1:])
    return [0.0, *(max(0.0, log2(bad / max(LEAST, share))) if bad > 0 else 0.0 for bad, share in pairs)]


def _days(seen: Mapping[str, SeenValue], value: str) -> int:
    seen_value = seen.get(value)
    return seen_value.days if seen_value is not None else 0


def _from_the_top(days: Sequence[int]) -> tuple[int, ...]:
    return tuple(accumulate(reversed(days)))[::-1]


def _by_bin(seen: Mapping[str, SeenValue], until: int) -> dict[str, list[int]]:
    """Signal → its days by bin, of bins first reached by a day; None has no bin."""
    bins: dict[str, list[int]] = {}
    for value, each in seen.items():
        name, _, index = value.rpartition(":")
        if index.isdecimal() and 0 < int(index) < BINS and each.first <= until:
            bins.setdefault(name, [0] * BINS)[int(index)] = each.days
    return bins
