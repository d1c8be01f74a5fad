"""Reads slices of a window that another process's run has planned: on the same host, or on another one."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import NamedTuple, Optional

from elasticsearch import Elasticsearch

from nhi_watch import __version__
from nhi_watch.context import networks
from nhi_watch.context.reputation import Reputation
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.errors import NhiError, RejectError
from nhi_watch.core.gc_pause import few_collections
from nhi_watch.core.timestamps import HOUR
from nhi_watch.hosts.elastic import read
from nhi_watch.hosts.elastic.client import connect
from nhi_watch.hosts.elastic.connection import Connection
from nhi_watch.hosts.elastic.hits import SOURCES, Hit, Intake, sources_of
from nhi_watch.hosts.elastic.lease import Lease, LeaseHeldError
from nhi_watch.hosts.elastic.read import Span
from nhi_watch.hosts.elastic.slices import Board, Plan, Result, claim
from nhi_watch.hosts.elastic.store import ElasticStore
from nhi_watch.hosts.elastic.store_errors import PassingError, explained
from nhi_watch.hosts.elastic.totals import MAX_REJECTS
from nhi_watch.intake.days import Grouping
from nhi_watch.state.day_rows import pack
from nhi_watch.state.state import State

LEASE = 30
"""Seconds for which a slice is claimed; renewed while it is read."""
_POLL = 0.5


class Lists(NamedTuple):
    """What must be alike wherever records are read."""

    reputation: Reputation
    digest: str


def digest(networks: Optional[Path], files: Sequence[Path], intel: str) -> str:
    """Tells one set of lists from another; streams of indicators change from one minute to the next."""
    whole = sha256(f"{__version__}|{intel}|{len(files)}".encode())
    for path in [*([networks] if networks else []), *files]:
        whole.update(sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def read_slice(client: Elasticsearch, index: str, task: tuple[Plan, int], lists: Lists,
               keep: Callable[[], None]) -> Result:  # fmt: skip
    """Read one slice over what the state holds of its days."""
    plan, number = task
    span = plan.spans[number]
    state = State(ElasticStore(client, index))
    grouping = Grouping(sources_of(SOURCES), lambda day: only(state.load_day(day), span), lists.reputation)
    refused: list[tuple[Hit, RejectError]] = []
    intake = Intake(grouping)
    with explained(f"reading {plan.window.pattern}"):
        wanted = read.query(plan.window, read.clocks(client, plan.window.pattern), span)
    for hits in read.pages(client, plan.window.pattern, wanted, plan.page):
        keep()
        intake.feed(hits, lambda hit, error: refused.append((hit, error)))
    return _result(grouping, span, refused)


def only(wholes: dict[str, IdentityDay], span: Span) -> dict[str, IdentityDay]:
    """Days as they are, with the behaviours of a span's hours only."""
    for whole in wholes.values():
        for key in [key for key in whole.behaviours if not holds(span, key[1])]:
            del whole.behaviours[key]
    return wholes


def holds(span: Span, hour: int) -> bool:
    """Whether an hour lies in a span that is cut at full hours.

    >>> holds(Span(None, 7200), 1), holds(Span(7200, None), 1)
    (True, False)
    """
    at = hour * HOUR
    return (span.low is None or at >= span.low) and (span.high is None or at < span.high)


def _result(grouping: Grouping, span: Span, refused: Sequence[tuple[Hit, RejectError]]) -> Result:
    changed = [grouping.days[day][name] for day, names in grouping.changed().items() for name in names]
    is_whole = all(holds(span, hour) for whole in changed for _, hour in whole.behaviours)
    return Result(
        grouping.parsed,
        grouping.duplicates,
        grouping.alerts,
        Counter(error.reason for _, error in refused),
        [[hit.index, hit.id, error.reason] for hit, error in refused[:MAX_REJECTS]],
        is_whole,
        [pack(whole) for whole in changed] if is_whole else [],
    )


class Hand:
    """Helps whatever run is under way on an index."""

    def __init__(self, client: Elasticsearch, index: str, lists: Lists, lease: int = LEASE) -> None:
        self._client = client
        self._index = index
        self._lists = lists
        self._lease = lease
        self._board = Board(client, index)
        self.read = 0
        """Slices that were read."""

    def once(self) -> bool:
        """Read one slice, if there is one to read.

        Raises:
            StoreError: the cluster cannot be read or written.
        """
        plan = self._board.plan()
        if plan is None or plan.lists != self._lists.digest:
            return False
        for number, lease in claimed(self._client, self._index, plan, self._lease):
            result = read_slice(self._client, self._index, (plan, number), self._lists, lease.keep)
            self._board.put(plan, number, result)
            self.read += 1
            return True
        return False

    def until(self, stop: Callable[[float], bool]) -> None:
        """Help until `stop`, which waits for so many seconds, says so."""
        pause = 0.0
        while not stop(pause):
            pause = self._patiently()

    def _patiently(self) -> float:
        """Read one slice; returns how long to wait before the next one."""
        try:
            return 0.0 if self.once() else _POLL
        except PassingError:
            return random.uniform(_POLL, 20 * _POLL)
        except LeaseHeldError:
            return _POLL  # too slow: somebody else has taken the slice


def claimed(client: Elasticsearch, index: str, plan: Plan, seconds: int) -> Iterator[tuple[int, Lease]]:
    """Slices that nobody has read or reads, each claimed when it is asked for; in any order."""
    left = list(set(range(len(plan.spans))) - Board(client, index).done(plan))
    random.shuffle(left)
    for number in left:
        lease = Lease(client, index, seconds, name=claim(plan, number))
        try:
            lease.acquire()
        except LeaseHeldError:
            continue
        yield number, lease


def serve(where: Connection, index: str, lists: Lists, told: tuple[Optional[Path], int]) -> None:
    """The body of a helping process on the run's own host; it ends with the process that started it."""
    listed, lease = told
    parent = os.getppid()
    never = Event()

    def stop(pause: float) -> bool:
        return never.wait(pause) or os.getppid() != parent

    if listed:
        networks.load_custom(listed)
    with connect(where) as client, few_collections():
        try:
            Hand(client, index, lists, lease).until(stop)
        except NhiError:
            return  # the run reads all slices that nobody else reads, and says what is wrong
