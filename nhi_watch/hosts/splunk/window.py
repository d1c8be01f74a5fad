"""Which days a search covers from their first second on: only those can be ranked or learnt."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from nhi_watch.core.timestamps import DAY, render_day
from nhi_watch.hosts.splunk.protocol import Search


class Days(NamedTuple):
    """Days of which a search has rows, in order."""

    whole: list[int]
    cut: list[int]
    """Began before the search's window did."""
    open: list[int]
    """Not over at the end of the window."""


def days_of(search: Search, found: Iterable[int], last: int = 0) -> Days:
    """The days with rows, sorted out; `last`: so many up to today alone, whatever the search covers, 0: all.

    >>> days_of(Search([], earliest=86400.0, latest=3 * 86400.0 + 5), [0, 1, 2, 3])
    Days(whole=[1, 2, 3], cut=[0], open=[3])
    """
    today = int(search.latest or time.time()) // DAY
    ordered = sorted(day for day in found if not last or day > today - last)
    whole = [day for day in ordered if day * DAY >= search.earliest]
    return Days(whole, [day for day in ordered if day * DAY < search.earliest], [d for d in ordered if d >= today])


def spoken(days: list[int]) -> str:
    """Days as people say them.

    >>> spoken([1, 2, 4]), spoken([3]), spoken([])
    ('1970-01-02 to 1970-01-05', '1970-01-04', 'no day')
    """
    if not days:
        return "no day"
    return render_day(days[0]) if len(days) == 1 else f"{render_day(days[0])} to {render_day(days[-1])}"
