"""Conformal p-values of a tenant against its own recent quiet time, and the threshold that a budget asks for.

p(s) = (1 + identity-days that scored at least s) / (1 + all of them), each counted by how likely it was benign (one
minus its probability), after Vovk, Gammerman and Shafer (2005), "Algorithmic learning in a random world", and
Tibshirani et al. (2019), "Conformal prediction under covariate shift", for the weights. If today is like the last
weeks (exchangeable with them), a benign identity-day has p <= a with probability a at most. So, with `room` notables
a day for `identities`, writing where p <= room / identities makes the expected number of false ones the budget.

Where today is not like the last weeks (a fleet gets a new agent, a gateway moves), more passes than was expected;
then the hard cap of the budget holds, and what had no room is counted as overflow.

Scores are remembered by week in the tenant's profile, as values of the dimension `score`; old weeks fall out by
themselves, because a profile keeps the latest values only.
"""

from __future__ import annotations

from typing import NamedTuple

from nhi_watch.state.baseline import Profile

DIMENSION = "score"
WEEKS = 4
"""Weeks that count as recent, besides the one that runs."""
ENOUGH = 3.0
"""Identity-days over the threshold that the quiet time must hold, on average, before a threshold is trusted."""


def mark(day: int, score: float) -> str:
    """The value under which a day's score is remembered: its week and its score, finer where most thresholds lie.

    >>> mark(20150, 3.21), mark(20150, 47.8)
    ('2878:3.2', '2878:47')
    """
    return f"{day // 7}:{score:.1f}" if score < 10 else f"{day // 7}:{int(score)}"


def highest(own: Profile, since: int) -> float:
    """The highest score that an identity is remembered to have had on a day from `since` on; 0 without any."""
    seen = own.dimension(DIMENSION).values
    return max((float(mark.partition(":")[2]) for mark, each in seen.items() if each.last >= since), default=0.0)


class Quiet(NamedTuple):
    """A tenant's recent quiet time."""

    scores: tuple[tuple[float, float], ...]
    """(score, how many benign identity-days had it), the highest first."""
    total: float

    def p_value(self, score: float) -> float:
        """Share of quiet identity-days that scored as high; 1 before there was any."""
        above = sum(weight for known, weight in self.scores if known >= _known(score))
        return round((1 + above) / (1 + self.total), 6)

    def threshold(self, room: int, identities: int) -> float:
        """The lowest score that is worth a notable, one whose p-value is at most room / identities.

        0 while too little is known to tell.

        >>> quiet = Quiet(((50.0, 2.0), (5.0, 6.0), (0.1, 991.0)), 999.0)
        >>> quiet.threshold(3, 300), quiet.threshold(1, 300), quiet.threshold(9, 10)
        (0.2, 5.1, 0.0)
        """
        share = room / max(1, identities)
        if share >= 0.5 or self.total * share < ENOUGH:
            return 0.0
        above = 1.0
        for score, weight in self.scores:
            above += weight
            if above > share * (1 + self.total):
                return round(score + (0.1 if score < 10 else 1.0), 1)
        return 0.0


def _known(score: float) -> float:
    return float(mark(0, score).partition(":")[2])


NOTHING = Quiet((), 0.0)


def quiet_time(tenant: Profile, today: int) -> Quiet:
    """What the tenant's profile holds of the last weeks before a day."""
    found: dict[float, float] = {}
    for value, seen in tenant.dimension(DIMENSION).values.items():
        week, colon, text = value.partition(":")
        if colon and today // 7 - WEEKS <= int(week) <= today // 7:
            score = float(text)
            found[score] = found.get(score, 0.0) + seen.days * (1 - score / 100)
    ordered = tuple(sorted(found.items(), reverse=True))
    return Quiet(ordered, sum(weight for _, weight in ordered))
