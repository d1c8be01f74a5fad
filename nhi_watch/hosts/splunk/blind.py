"""Blind spots by the clock: which logs have fallen silent.

On files a day is judged once a later one has begun. In Splunk the log that was switched off may be the only one, and
nobody waits for midnight, so yesterday and today are judged as far as they have come. A silence belongs to the first
day on which it was too long, so its notable has the id that the judge gives to that day's once it is over.
"""

from __future__ import annotations

from typing import Any

from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.detect import blind_spots
from nhi_watch.detect.telemetry import WINDOW, Days, Gap, Rhythms, gaps, is_silent
from nhi_watch.state.rows import Rows

LATE = 2 * HOUR
"""Seconds by which the events of a log may come after they happened."""


def by_clock(rows: Rows, now: int) -> list[dict[str, Any]]:
    """Put the blind spots of yesterday and today into the state, as they stand now; returns them."""
    today, until = now // DAY, now - LATE
    days = Rhythms(rows).days(range(today - WINDOW - 1, today + 1))
    found: list[dict[str, Any]] = []
    for day in (today - 1, today):
        silent = _silent(days, day, until)
        if silent:
            found += blind_spots.settle(rows, days, day, silent).notables
    return found


def _silent(days: Days, day: int, now: int) -> list[Gap]:
    """The silences that a day was the first to show, each up to its end or to now."""
    before = {(gap.stream, gap.since) for gap in gaps(days, day - 1)}
    fresh = (gap for gap in gaps(days, day) if (gap.stream, gap.since) not in before)
    followed = (_followed(gap, days, now) for gap in fresh)
    return [gap for gap in followed if is_silent(gap.until - gap.since, gap.pause)]


def _followed(gap: Gap, days: Days, now: int) -> Gap:
    later = (
        day * DAY + hour * HOUR
        for day in sorted(days)
        if day >= gap.since // DAY and gap.stream in days[day]
        for hour in range(24)
        if days[day][gap.stream].hours >> hour & 1
    )
    end = next((second for second in later if second >= gap.since), None)
    return gap._replace(until=now, open=True) if end is None else gap._replace(until=end, open=False)
