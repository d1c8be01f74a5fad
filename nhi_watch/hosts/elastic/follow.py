"""`nhi elastic run --follow`: the same work, every few seconds, until it is told to stop.

It takes the lease and keeps it; another copy waits for it and takes over. When the cluster is away it waits, and goes
on from the checkpoint: nothing is lost, and nothing is written twice.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Event
from typing import Any, Optional, TypeVar

from elasticsearch import Elasticsearch

from nhi_watch.core.errors import StoreError
from nhi_watch.core.gc_pause import few_collections
from nhi_watch.hosts.elastic import access, heartbeat, templates
from nhi_watch.hosts.elastic.lease import Lease, LeaseHeldError
from nhi_watch.hosts.elastic.part import Tables
from nhi_watch.hosts.elastic.run import Held, Job, Run, clock_of, reporting, tables
from nhi_watch.hosts.elastic.store import ElasticStore
from nhi_watch.hosts.elastic.store_errors import PassingError
from nhi_watch.hosts.elastic.watch import Watch
from nhi_watch.hosts.elastic.windows import OVERLAP, Task

LAG = 1
"""Seconds: what was ingested later is mostly not searchable yet, and would be read twice."""
_LONGEST_WAIT = 30.0

Json = dict[str, Any]
Report = Callable[[Json], None]
Done = TypeVar("Done")


def follow(client: Elasticsearch, job: Job, stop: Event, report: Report) -> None:
    """Work until `stop` is set; `report` gets each heartbeat's outcome, and what stands in the way.

    Raises:
        LeaseHeldError: the lease was lost while working.
        StoreError: something that does not pass by itself.
    """
    waiting = _Waiting(stop, report)
    with reporting(client, job, time.time()):
        clock = waiting.until(lambda: clock_of(client, job))
        known = waiting.until(lambda: _known(client, job))
    if clock is None or known is None:
        return
    lease = Lease(client, job.state, job.lease, clock)
    store = waiting.until(lambda: ElasticStore(client, job.state, lease.keep, remember=True))
    try:
        if store is not None and waiting.until(lambda: _acquired(lease)) is not None:
            with reporting(client, job, clock(), clock), few_collections():
                _Following(client, job, known, Held(lease, store, clock)).until(stop, store, report)
    finally:
        with suppress(StoreError):  # where the cluster is away, the lease expires by itself
            lease.release()


def _known(client: Elasticsearch, job: Job) -> Tables:
    access.demand(client, templates.own(job.namespace))
    return tables(client, job)


class _Waiting:
    """Tries again what cannot be done yet: the cluster is away, or another copy works."""

    def __init__(self, stop: Event, report: Report) -> None:
        self._stop = stop
        self._report = report
        self._told = ""

    def until(self, attempt: Callable[[], Done]) -> Optional[Done]:
        """What an attempt gave; None where it was told to stop before one succeeded."""
        while not self._stop.is_set():
            try:
                return attempt()
            except (LeaseHeldError, PassingError) as error:
                self._tell(error)
            self._stop.wait(1.0)
        return None

    def _tell(self, obstacle: StoreError) -> None:
        if type(obstacle).__name__ != self._told:
            self._told = type(obstacle).__name__
            self._report({"waiting": str(obstacle)})


def _acquired(lease: Lease) -> Lease:
    lease.acquire()
    return lease


class _Following:
    """The loop, and what it knows from one round to the next."""

    def __init__(self, client: Elasticsearch, job: Job, known: Tables, held: Held) -> None:
        self._client = client
        self._job = job
        self._clock = held.clock
        self._new_run = partial(Run, client, job._replace(since=None), known, held)
        self._run = Run(client, job, known, held)
        self._watch: Optional[Watch] = None
        """Of the patterns that can be read; None: all is read as a run by itself reads it."""
        self._began = self._clock()
        self._until = 0.0
        """Until when all was read; too long ago, and it is read as a run by itself reads it."""

    def until(self, stop: Event, store: ElasticStore, report: Report) -> None:
        """Rounds, one after the other."""
        failures = 0
        while not stop.is_set():
            started = time.monotonic()
            try:
                self._round(report)
                failures = 0
            except PassingError as error:
                store.close()
                self._watch = None
                failures += 1
                self._fail(error, report)
                stop.wait(random.uniform(0, min(_LONGEST_WAIT, 2.0**failures)))
            stop.wait(max(0.0, self._job.every - (time.monotonic() - started)))

    def _round(self, report: Report) -> None:
        now = self._clock()
        if self._watch is None or now - self._until > OVERLAP / 2:
            self._begin(now, report)
            return
        window = self._watch.due(int(now) - self._job.lag)
        if window is not None:
            self._run.work([Task(window, documents=self._watch.documents())], _unseen)
        self._watch.done()
        self._until = now
        if self._clock() - self._began >= heartbeat.EVERY:
            self._run.look_back(self._watch.pattern, int(now) - self._job.lag)
            self._beat(report)

    def _begin(self, now: float, report: Report) -> None:
        """Read as a run by itself does, and watch from there on; what comes in meanwhile the next round reads."""
        watch = Watch(self._client, ",".join(self._run.reach()))
        watch.due(int(now) - self._job.lag)
        self._run.once(_unseen)
        watch.done()
        self._watch, self._until = watch, now
        self._beat(report)

    def _beat(self, report: Report) -> None:
        outcome = self._run.outcome(self._clock() - self._began)
        times = heartbeat.Times(self._began, self._clock())
        wrong = heartbeat.beat(self._client, self._job.namespace, times, outcome)
        report({**outcome, "heartbeat": wrong or "written"})
        self._renew(outcome)

    def _renew(self, outcome: Json) -> None:
        """Begin to count anew; what could not be read may be there again."""
        self._anew()
        if outcome["unread"] and self._watch and ",".join(self._run.reach()) != self._watch.pattern:
            self._watch = None

    def _fail(self, error: PassingError, report: Report) -> None:
        report({"waiting": str(error)})
        if self._clock() - self._began >= heartbeat.EVERY:
            times = heartbeat.Times(self._began, self._clock())
            heartbeat.failed(self._client, self._job.namespace, times, error)
            self._anew()

    def _anew(self) -> None:
        self._run, self._began = self._new_run(), self._clock()


def _unseen(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
