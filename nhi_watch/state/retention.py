"""Which days have rows, which of them are closed, and which were forgotten."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import NamedTuple, Optional

OPEN = 2
"""Days that are open: that of the clock, and the one before. A day closes at the second midnight after it."""
RETAIN_DAYS = 35
"""Days with records whose behaviours are kept besides the latest."""
RETAIN_DELTAS = 120
"""Days with records of which it is kept what they taught, besides the latest."""
SPREAD = 40
"""Days that the episodes of one notable may lie apart, by the rules of `detect.cases`: none of them is forgotten before
its notable is."""


class RetentionLimits(NamedTuple):
    """Before which day each kind of row is forgotten."""

    day: int
    delta: int
    episode: int


class Daybook:
    """The days of which something is kept, the last one that is closed, and the day that the clock is in.

    The clock is the latest time that a provider wrote. Days are counted, not subtracted, when old ones are forgotten: a
    tenant that was quiet for months has lost nothing.

    >>> book = Daybook([1, 2, 3], closed=1, clock=3)
    >>> book.between(2, 9), book.is_closed(1), book.due(4)
    ([2, 3], True, 2)
    """

    def __init__(self, days: list[int], closed: int = -1, clock: int = -1, learnt: Optional[int] = None) -> None:
        self.days = days
        """In order."""
        self.closed = closed
        """The last day that is final: what comes of it from now on is late."""
        self.clock = clock
        self.learnt = closed if learnt is None else learnt
        """The last day that was scored once more and learnt; before `closed` while a close goes on."""
        self.moved = False
        """Whether this run added a day: only then may something have become too old."""

    def add(self, day: int) -> None:
        """Note that a day has rows."""
        at = bisect_left(self.days, day)
        if at == len(self.days) or self.days[at] != day:
            insort(self.days, day)
            self.moved = True

    def is_closed(self, day: int) -> bool:
        """Whether a day is final; so is one before all, of which nothing came in time."""
        return day <= self.closed

    @property
    def first_open(self) -> int:
        """The first day that is not closed."""
        return self.closed + 1

    @property
    def first_unlearnt(self) -> int:
        """The first day that the profiles have not learnt, or not all of them."""
        return self.learnt + 1

    @property
    def first_kept(self) -> int:
        """The first day of which it is still known which records it had."""
        return self._newest(RETAIN_DAYS)

    @property
    def closed_days(self) -> list[int]:
        """Those of the days that are final."""
        return self.between(0, self.first_open)

    @staticmethod
    def due(clock: int) -> int:
        """The last day that is to be closed once the clock is in a day."""
        return clock - OPEN

    def between(self, low: int, high: int) -> list[int]:
        """Days with `low <= day < high`."""
        return self.days[bisect_left(self.days, low) : bisect_left(self.days, high)]

    def forget(self) -> RetentionLimits:
        """Move on: what is now too old."""
        first = self._newest(RETAIN_DELTAS)
        limits = RetentionLimits(self._newest(RETAIN_DAYS), first, max(0, first - SPREAD))
        self.days = self.between(limits.delta, self.days[-1] + 1) if self.days else []
        return limits

    def _newest(self, besides: int) -> int:
        return self.days[-besides - 1] if len(self.days) > besides else 0
