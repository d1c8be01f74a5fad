"""What a signal's value is worth at home: how much more usual it is on days of attack than on the tenant's own.

    points = log2(share of attack days that reach the value ÷ share of the tenant's own identity-days that do)

The home share is shrunk towards the world's by STRENGTH identity-days, and by as many as are missing until the tenant
has FULL days of history of its own. A ratio of two shares is not monotone by itself: points are its running maximum
over the bins, never below 0, rounded to 0.01, so that all hosts agree to the last digit.

An identity's own days count from the first on, with OWN_STRENGTH days of the home share beside them: a value that it
reaches on most days is no news. They take away at most half of a signal's points, and what was news itself waits.

What people have said of notables moves points within bounds, see `verdict_days`.

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
from nhi_watch.detect.verdict_days import Count, Odds, Word
from nhi_watch.state.baseline import EVERY, HABIT, SIGNAL, Profile, Seen

MACHINE, PERSON = KINDS
HISTORY = 7
"""Active days from which an identity's days count at home."""
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
of what they reach later (99 to 99.7% of training days at most 4.5 to 5.2, against 6.0 to 8.3)."""
COLD = 3
"""Days of a tenant's history before which amounts are read absolutely: there is no past to hold them against."""
BLUNT = {"mass_by_stranger": 8}
"""Signal → bin from which it is then worth a line by itself: six hundred reads a day by somebody hardly known."""
LINE = 0.12
"""Probability that is enough for a line."""

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
    told: tuple[Count, ...]
    """Days that verdicts add for the identity, its peers, the tenant; empty: none."""


class Home:
    """The points of every signal's bins for a tenant's machines, or its people's keys, on the eve of a day."""

    def __init__(self, card: Scorecard, tenant: Profile, today: int, kind: str = MACHINE) -> None:
        history = today - tenant.first if tenant.days else 0
        self.card = card if history else card._replace(weights=tuple(FIRST * weight for weight in card.weights))
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
        most, weight = 0.0, self.card.weights[at]
        blunt = self._blunt.get(self.card.signals[at], BINS) if weight else BINS
        yield 0.0
        for bin in range(1, BINS):
            attack = self.card.attack[at][bin]
            if attack > 0:
                most = max(most, weight * log2(attack / max(LEAST, self.share(at, bin))))
            if bin >= blunt:
                most = max(most, self.card.points(LINE))
            yield round(most, 2)

    def worth(self, at: int, bin: int, own: Own) -> float:
        """The points of a bin for an identity of which so many days came near it, of so many."""
        usual, (near, days) = self.points(at)[bin], own
        if not usual or not days:
            return usual
        share = self._own_share(at, bin, near, days)
        news = self.card.weights[at] * log2(max(LEAST, self.card.attack[at][bin]) / max(LEAST, share))
        return round(min(usual, max(usual / 2, news)), 2)

    def _own_share(self, at: int, bin: int, near: int, days: int) -> float:
        return (near + OWN_STRENGTH * self.share(at, bin)) / (days + OWN_STRENGTH)

    def judged(self, at: int, bin: int, own: Own, word: Word, told: Sequence[Count]) -> float:
        """The same after what people have said."""
        odds = Odds(self.points(at)[bin], self.card.attack[at][bin], max(LEAST, self.share(at, bin)),
                    self.card.weights[at])  # fmt: skip
        share = self._own_share(at, bin, *own), own[1] + OWN_STRENGTH
        return word.moved(self.worth(at, bin, own), odds, share, told)


class Bound:
    """The scorecard as it holds for one identity of a tenant, on the eve of a day."""

    __slots__ = ("_bins", "_days", "_own", "_profile", "_word", "home")

    def __init__(self, home: Home, own: Profile, word: Optional[Word] = None) -> None:
        self.home = home
        self._profile, self._word = own, word
        self._own = own.dimension(HABIT).values
        self._days = _days(self._own, EVERY)
        self._bins: Optional[dict[str, list[int]]] = None

    @property
    def card(self) -> Scorecard:
        """The scorecard itself."""
        return self.home.card

    @property
    def unjudged(self) -> Bound:
        """The same as if nobody had said anything: what is learnt follows it, or verdicts would teach others."""
        return self if self._word is None else Bound(self.home, self._profile)

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
        own, told = self.own(at, value), self._told(at, value)
        if self._word is not None and told:
            return self.home.judged(at, bin, own, self._word, told)
        return self.home.worth(at, bin, own)

    def _told(self, at: int, value: float) -> tuple[Count, ...]:
        if self._word is None:
            return ()
        return self._word.told(self.card.signals[at], bin_of(value) or 0, max(1, bin_of(NEAR * value) or 0))

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
        name, attack = self.card.signals[at], self.card.attack[at][bin]
        return Usual(name, bin, (reached[bin], size), self.own(at, value), attack, self._told(at, value))


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
