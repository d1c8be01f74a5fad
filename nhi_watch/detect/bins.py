"""Bins of signal values: fixed for life, so that what was counted once can be weighed by any later model."""

from __future__ import annotations

from bisect import bisect_left
from typing import Optional

EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0, 16.0, 20.0, 24.0, 32.0)
"""Upper edges; a value on an edge belongs to the bin below it."""
BINS = len(EDGES) + 1
"""Bin 0 is the ordinary value 0; the last one has no upper edge."""

Bin = Optional[int]
"""None: cannot tell."""


def bin_of(value: Optional[float]) -> Bin:
    """The bin of a value.

    >>> [bin_of(v) for v in (0.0, 0.2, 0.5, 2.3, 33.0, None)]
    [0, 1, 1, 5, 21, None]
    """
    return None if value is None else bisect_left(EDGES, value)
