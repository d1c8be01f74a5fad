"""What an identity's day leaves behind for later days: its signals' bins as habits, at once or after quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from nhi_watch.detect.home import HISTORY, SETTLED, Bound, counted
from nhi_watch.state.baseline import EVERY, HABIT, SIGNAL, Delta, Profile

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
