"""Search peers of the stand-in: each holds a share of the events, and each may fail, be late, or answer twice.

What splunkd does then is in the specification of savedsearches.conf and in limits.conf's: a peer that fails ends the
search where `dispatch.allow_partial_results` is false, and else leaves a hole; `dispatch.max_time` finalizes a search,
so that what has come by then is its whole result, and no command can tell.

https://docs.splunk.com/Documentation/Splunk/9.3.1/Admin/Savedsearchesconf
https://docs.splunk.com/Documentation/Splunk/9.3.1/Admin/Limitsconf
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from splunk_process import Row

PEER = "_peer"
"""Where a row lies; no field of Splunk's."""
WAYS = ("down", "late", "lost", "twice")
SLOW = 400
"""Seconds after which a late peer answers."""


class Fault(NamedTuple):
    """What is wrong with a peer during a search."""

    peer: int
    how: str
    """down: splunkd notices; lost: nobody notices; late: answers after SLOW seconds; twice: each row comes twice."""


class Limits(NamedTuple):
    """What ends a search early."""

    partial: bool = True
    """dispatch.allow_partial_results"""
    max_time: int = 0
    """dispatch.max_time; 0: none"""


class Window(NamedTuple):
    """What a search looks at: event time and index time, each from (inclusive) to (exclusive)."""

    earliest: int
    latest: int
    index_earliest: int = 0
    index_latest: int = 1 << 60


class SearchFailedError(Exception):
    """The job failed: nothing behind its failure ran, so nothing was written."""


def inside(row: Row, window: Window) -> bool:
    """Whether an event lies in a window."""
    at, indexed = int(row["_time"][0]), int(row["_indextime"][0])
    return window.earliest <= at < window.latest and window.index_earliest <= indexed < window.index_latest


def answers(rows: Iterable[Row], faults: Iterable[Fault], limits: Limits) -> list[Row]:
    """What comes of rows, from peers of which some are at fault.

    Raises:
        SearchFailedError: a peer failed, and partial results are not allowed.
    """
    by_peer = {str(fault.peer): fault.how for fault in faults}
    if "down" in by_peer.values() and not limits.partial:
        raise SearchFailedError("a search peer failed")
    gone = {"down", "lost"} | ({"late"} if 0 < limits.max_time < SLOW else set())
    result = []
    for row in rows:
        how = by_peer.get(row[PEER][0], "")
        if how not in gone:
            result += [row, dict(row)] if how == "twice" else [row]
    return result


def at_each(rows: list[Row], run: Callable[[list[Row]], list[Row]]) -> list[Row]:
    """What a streaming command makes of rows: each peer runs it over its own; rows of none, the search head."""
    shares: dict[str, list[Row]] = {}
    for row in rows:
        shares.setdefault(row.get(PEER, [""])[0], []).append(row)
    result = []
    for peer, share in sorted(shares.items()):
        bare = [{name: values for name, values in row.items() if name != PEER} for row in share]
        result += [{**row, PEER: [peer]} if peer else row for row in run(bare)]
    return result


_INDEX = re.compile(r'\bindex\s*(?:=|IN)\s*(\([^)]*\)|"[^"]+"|\S+)')


def every_index(condition: str) -> bool:
    """Whether a condition asks for all indexes: that opens every bucket of the time span.

    >>> every_index("index=* sourcetype=a"), every_index("index=aws"), every_index("sourcetype=a")
    (True, False, True)
    """
    named = _INDEX.findall(condition)
    return not named or any("*" in each for each in named)
