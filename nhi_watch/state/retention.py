"""Which days have rows, and which were forgotten.

Days are counted, not subtracted: one record of a wrong clock, years ahead, must not make all others look old.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import NamedTuple

RETAIN_DAYS = 35
"""Days with records whose behaviours are kept besides the latest: a late record still finds its place in them."""
RETAIN_DELTAS = 120
"""Days with records whose deltas are kept besides the latest."""
RETAIN_GROUPS = 8
"""Days for which the profiles of groups are kept, so that late records cost little."""


class Limits(NamedTuple):
    """Before which day each kind of row is forgotten."""

    day: int
    delta: int
    groups: int


class Daybook:
    """The days whose deltas are kept, and from which day on behaviours are whole.

    >>> book = Daybook([1, 2, 40000], 0)
    >>> book.add(3); book.between(2, 9), book.after(2)
    ([2, 3], [3, 40000])
    """

    def __init__(self, days: list[int], closed: int) -> None:
        self.days = days
        """In order."""
        self.closed = closed
        """Earlier days have lost behaviours: records of them are too late."""

    def add(self, day: int) -> None:
        """Note that a day has a delta."""
        at = bisect_left(self.days, day)
        if at == len(self.days) or self.days[at] != day:
            insort(self.days, day)

    def between(self, low: int, high: int) -> list[int]:
        """Days with `low <= day < high`."""
        return self.days[bisect_left(self.days, low) : bisect_left(self.days, high)]

    def after(self, day: int) -> list[int]:
        """Days later than `day`."""
        return self.days[bisect_left(self.days, day + 1) :]

    def forget(self) -> tuple[Limits, list[int]]:
        """Move on: what is now too old, and the days whose deltas go."""
        limits = Limits(self._newest(RETAIN_DAYS), self._newest(RETAIN_DELTAS), self._newest(RETAIN_GROUPS - 1))
        gone = self.between(0, limits.delta)
        self.days = self.days[len(gone) :]
        self.closed = max(self.closed, limits.day)
        return limits, gone

    def _newest(self, besides: int) -> int:
        return self.days[-besides - 1] if len(self.days) > besides else 0
