"""Conformal p-values of a tenant against its own recent quiet time, and the threshold that a budget asks for.

p(s) = (1 + identity-days that score at least s) / (1 + all of them), each counted by how likely it was benign (one
minus its probability), after Vovk, Gammerman and Shafer (2005), "Algorithmic learning in a random world", and
Tibshirani et al. (2019), "Conformal prediction under covariate shift", for the weights. If today is like the last
weeks (exchangeable with them), a benign identity-day has p <= a with probability a at most. So, with `room` notables
a day for `identities`, writing where p <= room / identities makes the expected number of false ones the budget.

Where today is not like the last weeks (a fleet gets a new agent, a gateway moves), more passes than was expected;
then the hard cap of the budget holds, and what had no room is counted as overflow.

Days are remembered in the tenant's profile by their signals' bins, as values of the dimension QUIET, and weighed again
under today's tables: scores of different tables cannot be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Optional

from nhi_watch.detect.home import HISTORY, SETTLED, Bound, Home, counted, total
from nhi_watch.detect.model import bin_of
from nhi_watch.state.baseline import EVERY, HABIT, QUIET, SIGNAL, Delta, Profile

SCORE = "score"
"""Dimension of an identity's own profile: what its days scored."""
LEAST_BENIGN = 0.1
"""What a day counts at least among the quiet ones, however high it scored: many such days are a habit."""
WINDOW = 28
"""Days that count as recent."""
ENOUGH = 3.0
"""Identity-days over the threshold that the quiet time must hold, on average, before a threshold is trusted."""
LOWEST = 1.0
"""Score from which a day is remembered by its bins; what is below has no threshold under it."""
LOOKS_BAD = 20.0
"""Score from which a behaviour, or all that is news in a day, is learnt only when it has come back, see `Profile.hold`:
at the calibrated prevalence a day in a hundred scores so high."""
ODD = 4.0
"""Score from which a day's signal values are a habit only when they have come back, lest days that just pass unseen
make the next one look usual. Twice within QUARANTINE days it is as bad as LOOKS_BAD, lest what is tried piece by piece
is learnt piece by piece; what is odd once is learnt at once."""


def highest(own: Profile, since: int) -> float:
    """The highest score that an identity is remembered to have had on a day from `since` on; 0 without any."""
    seen = own.dimension(SCORE).values
    return max((float(score) for score, each in seen.items() if each.last >= since), default=0.0)


def remembered(bound: Bound, days: int, values: Sequence[Optional[float]], score: float) -> tuple[Delta, Delta]:
    """What a day's signals leave in the profiles at once, and what only when it has come back; `days`: known before."""
    now: Delta = {SCORE: {str(int(score)): 1}}
    later: Delta = {}
    told, kind = counted(bound.card.signals, values), bound.home.kind
    waits = score >= ODD
    if days >= SETTLED:
        now[HABIT] = {EVERY: 1, **({} if waits else told)}
        later[HABIT] = told if waits else {}
    if days >= HISTORY:
        at_home = {f"{kind}/{name}": 1 for name in told}
        now[SIGNAL] = {f"{kind}/{EVERY}": 1, **({} if waits else at_home)}
        later[SIGNAL] = at_home if waits else {}
        now[QUIET] = {EVERY: 1, **({packed(bound, values): 1} if score >= LOWEST else {})}
    return now, {name: values for name, values in later.items() if values}


def packed(bound: Bound, values: Sequence[Optional[float]]) -> str:
    """A day's signals as text: the kind; name, bin, and the identity's own days that came near, of how many."""
    held = ((at, value) for at, value in enumerate(values) if value)
    parts = ((bound.card.signals[at], bin_of(value), *bound.own(at, value)) for at, value in held)
    return ",".join([bound.home.kind, *(f"{name}.{bin}.{near}.{days}" for name, bin, near, days in parts)])


def weighed_again(homes: Mapping[str, Home], places: Mapping[str, int], row: str) -> float:
    """The points of a packed row under today's tables; signals of another version have none."""
    kind, *told = row.split(",")
    parts = (part.split(".") for part in told)
    return total([
        homes[kind].worth(places[name], int(bin), (int(near), int(days)))
        for name, bin, near, days in parts if name in places
    ])  # fmt: skip


class Quiet(NamedTuple):
    """A tenant's recent quiet time."""

    scores: tuple[tuple[float, float], ...]
    """(score, how many benign identity-days had it), the highest first."""
    total: float

    def p_value(self, score: float) -> float:
        """Share of quiet identity-days that scored as high; 1 before there was any."""
        above = sum(weight for known, weight in self.scores if known >= score)
        return round((1 + above) / (1 + self.total), 6)

    def threshold(self, room: int, identities: int) -> float:
        """The lowest score that is worth a notable, one whose p-value is at most room / identities.

        0 while too little is known to tell.

        >>> quiet = Quiet(((50.0, 2.0), (5.0, 6.0), (1.1, 991.0)), 999.0)
        >>> quiet.threshold(3, 300), quiet.threshold(1, 300), quiet.threshold(9, 10)
        (1.2, 5.1, 0.0)
        """
        share = room / max(1, identities)
        if share >= 0.5 or self.total * share < ENOUGH:
            return 0.0
        above = 1.0
        for score, weight in self.scores:
            above += weight
            if above > share * (1 + self.total):
                return round(score + 0.1, 1)
        return 0.0


NOTHING = Quiet((), 0.0)


def quiet_time(tenant: Profile, homes: Mapping[str, Home], today: int) -> Quiet:
    """What the tenant's profile holds of the last weeks before a day, weighed by today's tables of each kind."""
    found: dict[float, float] = {}
    card = next(iter(homes.values())).card
    places = {name: at for at, name in enumerate(card.signals)}
    days = 0
    for value, seen in tenant.dimension(QUIET).values.items():
        if not today - WINDOW <= seen.last < today:
            continue
        row = value.partition(":")[2]
        if row == EVERY:
            days += seen.days
            continue
        score = card.score(weighed_again(homes, places, row))
        found[score] = found.get(score, 0.0) + seen.days * max(LEAST_BENIGN, 1 - score / 100)
    return Quiet(tuple(sorted(found.items(), reverse=True)), float(days))
