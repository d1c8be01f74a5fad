"""The reading of large windows, shared by several processes: the run plans slices, reads along, and puts together.

A slice is a stretch of event time, so that all copies of a record lie in the same one and each of a day's hours is
made by one process. Which process read what makes no difference to what comes out.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import accumulate
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple, Optional

from elasticsearch import Elasticsearch

from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import HOUR
from nhi_watch.hosts.elastic import hand, read, windows
from nhi_watch.hosts.elastic.connection import Connection
from nhi_watch.hosts.elastic.hand import Lists, claimed, holds, read_slice
from nhi_watch.hosts.elastic.hits import Hit, Intake, Refuse
from nhi_watch.hosts.elastic.read import Span, Window
from nhi_watch.hosts.elastic.slices import Board, Plan, Result
from nhi_watch.hosts.elastic.store_errors import explained
from nhi_watch.intake.days import Grouping
from nhi_watch.state.day_rows import unpack

FROM = 20_000
"""Documents from which on others may help: below, planning takes longer than reading."""
_SLICE = 20_000
"""Documents of a slice, about: two seconds of work, lost where its reader dies."""
_FEWEST = 2
"""Slices for each process, so that none waits long for the last one."""
_POLL = 0.1


class Wanted(NamedTuple):
    """What a part reads."""

    window: Window
    span: Span
    page: int


class Sizes(NamedTuple):
    """How the work is shared."""

    workers: int = 1
    """Processes on this host, this one included; 1: nothing is shared."""
    share_from: int = FROM
    lease: int = hand.LEASE
    where: Optional[Connection] = None
    """How helping processes reach the cluster; None: there are none on this host."""
    networks: Optional[Path] = None


class Crew:
    """The processes that help one run."""

    def __init__(self, client: Elasticsearch, index: str, lists: Lists, sizes: Sizes) -> None:
        self._client = client
        self._index = index
        self._lists = lists
        self._sizes = sizes
        self._board = Board(client, index)
        self._helpers: list[BaseProcess] = []
        self.slices = 0
        self.helped = 0
        """Slices that others read."""

    def _start(self) -> None:
        """Start the processes of this host, once."""
        if self._helpers or self._sizes.where is None:
            return
        spawn = get_context("spawn")
        told = (self._sizes.where, self._index, self._lists, (self._sizes.networks, self._sizes.lease))
        for _ in range(self._sizes.workers - 1):
            helper = spawn.Process(target=hand.serve, args=told, daemon=True)
            helper.start()
            self._helpers.append(helper)

    def close(self) -> None:
        """End them."""
        for helper in self._helpers:
            helper.terminate()
            helper.join()
        self._helpers = []

    def plan(self, wanted: Wanted) -> Optional[Plan]:
        """Slices of about as many documents each; None where it is not worth while."""
        window, span, page = wanted
        with explained(f"planning {window.pattern}"):
            hours = windows.count_by(self._client, window, HOUR, span)
        total = sum(hours.values())
        if self._sizes.workers == 1 or total < self._sizes.share_from:
            return None
        number = max(_FEWEST * self._sizes.workers, total // _SLICE)
        return Plan(secrets.token_hex(8), window, cut(hours, number, span), page, self._lists.digest)

    def read(self, plan: Plan, into: Grouping, refuse: Refuse, keep: Callable[[], None]) -> dict[str, int]:
        """Read all slices, with whoever helps, into a grouping; returns how many were rejected beyond those refused.

        Raises:
            StoreError: the cluster cannot be read or written.
        """
        self._start()
        self._board.publish(plan)
        more: dict[str, int] = {}
        left = set(range(len(plan.spans)))
        while left:
            keep()
            number, result = self._next(plan, left, keep)
            left.discard(number)
            if not result.is_whole or not take(into, result, plan.spans[number]):
                self._read_here(plan, number, into, refuse)
                continue
            for reason, count in _beyond(result, refuse).items():
                more[reason] = more.get(reason, 0) + count
        self._board.clear(plan)
        return more

    def _next(self, plan: Plan, left: set[int], keep: Callable[[], None]) -> tuple[int, Result]:
        """The next slice that is done: by somebody else, or here and now."""
        while True:
            keep()
            for number in sorted(self._board.done(plan) & left):
                self.slices += 1
                self.helped += 1
                return number, self._board.get(plan, number)
            for number, lease in claimed(self._client, self._index, plan, self._sizes.lease):
                both = partial(_each, (keep, lease.keep))
                result = read_slice(self._client, self._index, (plan, number), self._lists, both)
                self._board.put(plan, number, result._replace(rows=[]))
                self.slices += 1
                return number, result
            time.sleep(_POLL)

    def _read_here(self, plan: Plan, number: int, into: Grouping, refuse: Refuse) -> None:
        """Read a slice over what is known already: some of its records belong to hours of other slices."""
        with explained(f"reading {plan.window.pattern}"):
            wanted = read.query(plan.window, read.clocks(self._client, plan.window.pattern), plan.spans[number])
        intake = Intake(into)
        for hits in read.pages(self._client, plan.window.pattern, wanted, plan.page):
            intake.feed(hits, refuse)


def _each(calls: Iterable[Callable[[], None]]) -> None:
    for call in calls:
        call()


def cut(hours: dict[int, int], number: int, span: Span) -> tuple[Span, ...]:
    """Cut a span at full hours into about as many slices of about as many documents.

    >>> cut({0: 5, 3600: 5, 7200: 9, 10800: 1}, 2, Span())
    (Span(low=None, high=7200), Span(low=7200, high=None))
    """
    starts = sorted(hours)
    before = [0, *accumulate(hours[start] for start in starts)]
    share = max(1, before[-1] // number)
    edges = [at for at, low, high in zip(starts[1:], before[1:], before) if low // share > high // share]
    ends = [span.low, *(edge for edge in edges if edge % HOUR == 0), span.high]
    return tuple(Span(low, high) for low, high in zip(ends, ends[1:]))


def take(into: Grouping, result: Result, span: Span) -> bool:
    """Put a slice's hours in place of what a grouping holds of them.

    False, and nothing is taken, where another slice had one of its records.
    """
    fresh = [unpack(row) for row in result.rows]
    if not all(_apart(into, whole) for whole in fresh):
        return False
    for whole in fresh:
        mine = into.identity_day(whole.identity.id, whole.day)
        for key in [key for key in mine.behaviours if holds(span, key[1])]:
            del mine.behaviours[key]
        mine.behaviours.update(whole.behaviours)
        mine.seen |= whole.seen
    into.parsed += result.parsed
    into.duplicates += result.duplicates
    into.alerts += result.alerts
    return True


def _apart(into: Grouping, whole: IdentityDay) -> bool:
    """Whether what is new in a day is new here, too: both began with what the state holds."""
    mine = into.identity_day(whole.identity.id, whole.day)
    apart = len(mine.seen | whole.seen) == len(mine.seen) + len(whole.seen) - mine.stored
    if not mine.behaviours:
        del into.days[whole.day][whole.identity.id]
    return apart


def _beyond(result: Result, refuse: Refuse) -> dict[str, int]:
    """Refuse what a slice rejected, as far as it is named; how many of each reason are left."""
    left = dict(result.rejected)
    for index, name, reason in result.rejects:
        refuse(Hit(index, name), RejectError(reason, ""))
        left[reason] -= 1
    return left
