"""What a signal's value is worth at home: how much more usual it is on days of attack than on the tenant's own.

    points = log2(share of attack days that reach the value ÷ share of the tenant's own identity-days that do)

The home share is shrunk towards the world's by STRENGTH identity-days, and by as many as are missing until the tenant
has FULL days of history of its own. A ratio of two shares is not monotone by itself: points are its running maximum
over the bins, never below 0, rounded to 0.01, so that all hosts agree to the last digit.

An identity's own days count from the first on, with OWN_STRENGTH days of the home share beside them: a value that it
reaches on most days is no news. They take away at most half of a signal's points, and what was news itself waits.

People's long-lived keys are weighed by the habits of people's keys, machines by those of machines.

What is counted lies in the tenant's profile as the dimension `signal` (value `KIND/NAME:BIN` → identity-days, `KIND/*`
→ how many were counted, once an identity has a history of HISTORY days) and in the identity's own as `habit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import log2
from typing import NamedTuple, Optional

from nhi_watch.detect.model import BINS, KINDS, Scorecard, bin_of
from nhi_watch.detect.signals import SIGNALS
from nhi_watch.state.baseline import EVERY, HABIT, HISTORY, SIGNAL, Delta, Profile, Seen

MACHINE, PERSON = KINDS
SETTLED = 2
"""Active days from which they count for itself."""
FULL = 14
"""Days of history from which a tenant stands for itself."""
STRENGTH = 20.0
"""Identity-days that the world's shares weigh beside the tenant's own."""
OWN_STRENGTH = 8.0
"""Days that the home share weighs beside the identity's own."""
NEAR = 0.6
"""Part of a value that an earlier day must have reached for the value to be no news."""
LINKED = frozenset(signal.name for signal in SIGNALS if signal.scope == "linked")
"""Signals that no identity's day shows by itself: they are not counted at home, where they have the world's share."""
LEAST = 1e-9
FIRST = 1.5
"""What points count on a tenant's first day: its news is usual in the world, and sums of ordinary days reach two thirds
of what they reach later."""
COLD = 3
"""Days of a tenant's history before which amounts are read absolutely: there is no past to hold them against."""
BLUNT = {"mass_by_stranger": 8}
"""Signal → bin from which it is then worth BLUNT_POINTS by itself: six hundred reads a day by somebody hardly known."""
BLUNT_POINTS = 8.0

Row = Sequence[Optional[float]]
Points = tuple[float, ...]
Own = tuple[int, int]
"""The identity's earlier days that came near a value, and how many are counted."""


def counted(names: Sequence[str], values: Row) -> dict[str, int]:
    """What a day adds to a dimension: each signal's bin.

    >>> counted(("bulk", "new_action", "new_agent"), (0.0, 3.0, None))
    {'new_action:6': 1, 'new_agent:?': 1}
    """
    return {f"{name}:{'?' if value is None else bin_of(value)}": 1 for name, value in zip(names, values) if value != 0}


class Usual(NamedTuple):
    """How usual a value is, in counts that can be checked."""

    signal: str
    bin: int
    home: tuple[int, int]
    """Identity-days of the tenant that reached the bin, of how many that could tell."""
    own: Own
    attack: float
    """Share of days of attack that reach it."""


class Home:
    """The points of every signal's bins for a tenant's machines, or its people's keys, on the eve of a day."""

    def __init__(self, card: Scorecard, tenant: Profile, today: int, kind: str = MACHINE) -> None:
        history = today - tenant.first if tenant.days else 0
        self.card = card
        self._times = 1.0 if history else FIRST
        self.kind = kind
        self._seen = tenant.dimension(SIGNAL).values
        known = self._seen.get(f"{kind}/{EVERY}")
        self.total = known.days if known else 0
        age = today - known.first if known else 0
        self._world = card.world_at(kind, history)
        self._blunt = BLUNT if history < COLD else {}
        self.strength = STRENGTH + max(0, FULL - age) * (self.total / max(1, age) if known else 1.0)
        self._tables: dict[int, tuple[tuple[int, ...], int]] = {}
        self._points: dict[int, Points] = {}

    def reached(self, at: int) -> tuple[tuple[int, ...], int]:
        """By bin: identity-days that reached it or a higher one; and how many could tell."""
        found = self._tables.get(at)
        if found is None and self.card.signals[at] in LINKED:
            found = self._tables[at] = (0,) * BINS, 0
        elif found is None:
            name = f"{self.kind}/{self.card.signals[at]}"
            days = [_days(self._seen, f"{name}:{bin}") for bin in range(BINS)]
            total = self.total - _days(self._seen, f"{name}:?")
            found = self._tables[at] = (tuple(_from_the_top(days)), max(0, total))
        return found

    def share(self, at: int, bin: int) -> float:
        """The tenant's share of identity-days that reach a bin, shrunk towards the world's."""
        reached, total = self.reached(at)
        return (reached[bin] + self.strength * self._world[at][bin]) / (total + self.strength)

    def points(self, at: int) -> Points:
        """The points of a signal's bins."""
        found = self._points.get(at)
        if found is None:
            found = self._points[at] = tuple(self._rising(at))
        return found

    def _rising(self, at: int) -> Iterable[float]:
        most = 0.0
        blunt = self._blunt.get(self.card.signals[at], BINS)
        yield 0.0
        for bin in range(1, BINS):
            attack = self.card.attack[at][bin]
            if attack > 0:
                most = max(most, self._times * log2(attack / max(LEAST, self.share(at, bin))))
            if bin >= blunt:
                most = max(most, BLUNT_POINTS)
            yield round(most, 2)

    def worth(self, at: int, bin: int, own: Own) -> float:
        """The points of a bin for an identity of which so many days came near it, of so many."""
        usual, (near, days) = self.points(at)[bin], own
        if not usual or not days:
            return usual
        share = self._own_share(at, bin, near, days)
        news = self._times * log2(max(LEAST, self.card.attack[at][bin]) / max(LEAST, share))
        return round(min(usual, max(usual / 2, news)), 2)

    def _own_share(self, at: int, bin: int, near: int, days: int) -> float:
        return (near + OWN_STRENGTH * self.share(at, bin)) / (days + OWN_STRENGTH)


class Bound:
    """The model as it holds for one identity of a tenant, on the eve of a day."""

    __slots__ = ("_bins", "_days", "_own", "home")

    def __init__(self, home: Home, own: Profile) -> None:
        self.home = home
        self._own = own.dimension(HABIT).values
        self._days = _days(self._own, EVERY)
        self._bins: Optional[dict[str, list[int]]] = None

    @property
    def card(self) -> Scorecard:
        """The model itself."""
        return self.home.card

    def points(self, values: Row) -> Points:
        """The points of each signal; 0 for what is ordinary, cannot be told, or is unknown to the model."""
        return tuple([self.worth(at, value) if value else 0.0 for at, value in enumerate(values)])

    def total(self, values: Row) -> float:
        """The sum of the points."""
        return total(self.points(values))

    def worth(self, at: int, value: float) -> float:
        """The points of a signal's value."""
        bin = bin_of(value) or 0
        if not self.home.points(at)[bin]:
            return 0.0
        return self.home.worth(at, bin, self.own(at, value))

    def own(self, at: int, value: float) -> Own:
        """The identity's earlier days that came near a value, and how many are counted."""
        name, low = self.card.signals[at], bin_of(NEAR * value) or 0
        if self._bins is None:
            self._bins = _by_bin(self._own)
        return sum(self._bins.get(name, _NONE)[max(1, low) :]), self._days

    def usual(self, at: int, value: float) -> Usual:
        """How usual a value is, for whoever wants to check its points."""
        bin = bin_of(value) or 0
        reached, size = self.home.reached(at)
        return Usual(self.card.signals[at], bin, (reached[bin], size), self.own(at, value), self.card.attack[at][bin])


def total(points: Sequence[float]) -> float:
    """The sum of points, the same on every host."""
    return round(sum(round(each * 100) for each in points if each) / 100, 2)


def _days(seen: Mapping[str, Seen], value: str) -> int:
    found = seen.get(value)
    return found.days if found is not None else 0


def _by_bin(seen: Mapping[str, Seen]) -> dict[str, list[int]]:
    """Signal → its days by bin; where it could not tell is no bin."""
    found: dict[str, list[int]] = {}
    for value, told in seen.items():
        name, _, bin = value.rpartition(":")
        if bin.isdecimal() and int(bin) < BINS:
            found.setdefault(name, [0] * BINS)[int(bin)] = told.days
    return found


_NONE: list[int] = []


def _from_the_top(days: Sequence[int]) -> list[int]:
    """By bin: the sum of its days and those of all higher ones."""
    found, above = [0] * len(days), 0
    for bin in range(len(days) - 1, -1, -1):
        above += days[bin]
        found[bin] = above
    return found


# ---- what an identity's day leaves behind for later days

LIKELIHOOD = "likelihood"
"""Dimension of an identity's own profile: how likely an intrusion its days were, in whole percent."""
LOOKS_BAD = 17.0
"""Likelihood from which a behaviour, or all that is news in a day, is learnt only when it has come back, see
`Profile.hold`: at the calibrated prevalence a day in a hundred is so likely."""
ODD = 4.0
"""Likelihood from which a day's signal values are a habit only when they have come back, lest days that just pass
unseen make the next one look usual. Twice within QUARANTINE days it is as bad as LOOKS_BAD, lest what is tried piece by
piece is learnt piece by piece; what is odd once is learnt at once."""


def highest(own: Profile, since: int) -> float:
    """The highest likelihood that an identity is remembered to have had on a day from `since` on; 0 without any."""
    seen = own.dimension(LIKELIHOOD).values
    return max((float(told) for told, each in seen.items() if each.last >= since), default=0.0)


def remembered(bound: Bound, days: int, values: Sequence[Optional[float]], likelihood: float) -> tuple[Delta, Delta]:
    """What a day's signals leave in the profiles at once, and what only when it has come back; `days`: known before."""
    now: Delta = {LIKELIHOOD: {str(int(likelihood)): 1}}
    later: Delta = {}
    told, kind = counted(bound.card.signals, values), bound.home.kind
    waits = likelihood >= ODD
    if days >= SETTLED:
        now[HABIT] = {EVERY: 1, **({} if waits else told)}
        later[HABIT] = told if waits else {}
    if days >= HISTORY:
        at_home = {f"{kind}/{name}": 1 for name in told}
        now[SIGNAL] = {f"{kind}/{EVERY}": 1, **({} if waits else at_home)}
        later[SIGNAL] = at_home if waits else {}
    return now, {name: values for name, values in later.items() if values}
