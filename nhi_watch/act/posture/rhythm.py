"""Whether silence means that nobody needs an identity any more: a job that runs once a year is silent 364 days.

| what is known | silence is unusual when |
|---|---|
| active in more than one week | it is longer than the limit and than 1.5 × the longest pause so far |
| all activity within one week | never: it may come back every year. Longer than 400 days it is unusual all the same |

The second row is why a log of less than a year says *cannot tell* about what ran only once.
"""

from __future__ import annotations

from typing import NamedTuple

from nhi_watch.state.baseline import Profile

YEAR = 400
"""Days after which even a yearly job should have come back."""
ONCE = 7
"""All activity within so many days counts as one run."""
STRETCH = 1.5


class Silence(NamedTuple):
    """How long an identity was silent, and what that means."""

    days: int
    verdict: str
    """unusual | within_rhythm | cannot_tell | short"""
    sentence: str


def silence(profile: Profile, today: int, limit: int) -> Silence:
    """The silence of an identity on a day.

    >>> monthly = Profile()
    >>> for day in (0, 30, 60, 90): monthly.learn(day, {})
    >>> [silence(monthly, day, 20).verdict for day in (100, 120, 150)]
    ['short', 'within_rhythm', 'unusual']
    """
    if profile.last < 0:
        return Silence(0, "cannot_tell", "never seen in the logs")
    days = today - profile.last
    if days < limit:
        return Silence(days, "short", f"last seen {days} days ago")
    span = profile.last - profile.first + 1
    if span <= ONCE:
        return _once(days, span)
    pause = profile.gaps
    told = f"silent for {days} days; its longest pause in {span} days before was {pause}"
    return Silence(days, "unusual" if days > STRETCH * (pause + 1) else "within_rhythm", told)


def _once(days: int, span: int) -> Silence:
    if days > YEAR:
        return Silence(days, "unusual", f"silent for {days} days after a single run of {span} days")
    return Silence(days, "cannot_tell", f"ran once, {days} days ago: it may be a yearly job")


def calls_unused(profile: Profile, today: int, limit: int) -> list[str]:
    """Calls that a busy identity has not made for longer than its own rhythm of making them explains.

    A call seen on fewer than three days has no rhythm yet and is left alone.
    """
    unused = []
    for action, seen in profile.dimension("action").values.items():
        if seen.days < 3:
            continue
        between = (seen.last - seen.first) / (seen.days - 1)
        if today - seen.last > max(limit, 3 * between):
            unused.append(action)
    return sorted(unused)
