"""`nhi elastic run` and `learn`: what was ingested since the checkpoint → notables → alerts → state → checkpoint.

In this order, part by part, so that a run may be killed anywhere: what is to be read is noted first, and what was
noted but not finished is done again, alike; alerts have ids made of their content; the checkpoint is the last row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Optional, TypeVar

from elasticsearch import Elasticsearch
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from nhi_watch.context import assets, operators
from nhi_watch.context.context import Context
from nhi_watch.context.operators import SHIPPED
from nhi_watch.core.errors import NhiError, StoreError
from nhi_watch.core.gc_pause import few_collections
from nhi_watch.core.timestamps import render
from nhi_watch.detect import model
from nhi_watch.hosts.elastic import entities, heartbeat, intel, read, templates, windows, write
from nhi_watch.hosts.elastic.lease import SECONDS, Lease
from nhi_watch.hosts.elastic.part import Part, Tables
from nhi_watch.hosts.elastic.part import Task as PartTask
from nhi_watch.hosts.elastic.read import Window
from nhi_watch.hosts.elastic.store import ElasticStore
from nhi_watch.hosts.elastic.store_errors import PassingError
from nhi_watch.hosts.elastic.totals import Totals
from nhi_watch.hosts.elastic.windows import Task, Wanted

LAG = 120
"""Seconds: what was ingested later may not be searchable yet."""
PATIENCE = 120.0
"""Seconds for which a part is tried again while the cluster is away or busy."""

Json = dict[str, Any]
Done = TypeVar("Done")
Stage = Callable[[str, int, int], None]


class Job(NamedTuple):
    """What to read, and how to judge it."""

    pattern: str = templates.SOURCE_INDICES
    namespace: str = "default"
    since: Optional[int] = None
    """Read from here, whatever the checkpoint says."""
    budget: float = 10.0
    assets: Optional[Path] = None
    networks: Optional[Path] = None
    model: Path = model.FOLDER
    page: int = read.PAGE
    lag: int = LAG
    lease: int = SECONDS
    wait: float = 0.0
    """Seconds to wait for another run to end."""
    patience: float = PATIENCE
    every: float = 1.0
    """Seconds from one round to the next, with --follow."""
    alerts: bool = True
    """False: only learn."""
    push_from: int = windows.PUSH_FROM
    """Documents from which on the cluster is asked to group CloudTrail's."""
    reputation: Sequence[Path] = ()
    """Files of indicators."""
    intel: str = ""
    """Pattern of the streams of indicators; "": none is read."""

    @property
    def state(self) -> str:
        """Name of the state's index."""
        return f"{templates.STATE}-{self.namespace}"

    @property
    def stream(self) -> str:
        """Name of the alerts' data stream."""
        return f"{templates.ALERTS}-{self.namespace}"


def tables(client: Elasticsearch, job: Job) -> Tables:
    """Load the model, the customer's tables and the lists of indicators.

    Raises:
        InputError: a table is wrong.
        ModelError: the model does not match its manifest.
        StoreError: the streams of indicators cannot be read.
    """
    networks = operators.load(job.networks) if job.networks else SHIPPED
    known = assets.load(job.assets) if job.assets else {}
    listed = intel.load(client, job.reputation, job.intel, int(time.time()))
    return Tables(model.load(job.model), Context(known, listed, networks), job.budget, job.page)


def run(client: Elasticsearch, job: Job, on_stage: Stage = lambda stage, done, total: None) -> Json:
    """Do one run; returns run.json's content, with the `window`, the `alerts` and the first `rejects`.

    Raises:
        LeaseHeldError: another run works.
        StoreError: Elasticsearch cannot be read or written, or is not set up.
    """
    began = time.time()
    known = tables(client, job)
    lease = Lease(client, job.state, job.lease)
    store = ElasticStore(client, job.state, lease.keep)
    lease.acquire(job.wait)
    try:
        with few_collections():
            outcome = Run(client, job, known, (lease, store)).once(on_stage)
    except NhiError as error:
        heartbeat.failed(client, job.namespace, began, error)
        raise
    finally:
        store.close()
        with suppress(StoreError):  # where the cluster is away, the lease expires by itself
            lease.release()
    return {**outcome, "heartbeat": heartbeat.beat(client, job.namespace, began, outcome) or "written"}


class Run:
    """The work under a lease."""

    def __init__(self, client: Elasticsearch, job: Job, known: Tables, held: tuple[Lease, ElasticStore]) -> None:
        self._client = client
        self._job = job
        self._known = known
        self._lease, self._store = held
        self._window: list[Window] = []
        self.totals = Totals()

    def once(self, on_stage: Stage) -> Json:
        """What is pending, and then what is new."""
        started = time.perf_counter()
        self.work(windows.pending(self._store), on_stage)
        wanted = Wanted(tuple(self._job.pattern.split(",")), self._job.since, self._job.lag)
        fresh = windows.windows(self._store, wanted)
        self.work([self._patiently(partial(self._cut, window)) for window in fresh], on_stage)
        return self.outcome(time.perf_counter() - started)

    def _cut(self, window: Window) -> Task:
        return windows.cut(self._client, window, self._job.push_from)

    def outcome(self, seconds: float) -> Json:
        """What was done, as run.json tells it."""
        whole = self.totals.whole()
        if not self._window:
            return {"skipped": "nothing came in"}
        return {
            **whole,
            "window": {
                "index": ",".join(dict.fromkeys(window.pattern for window in self._window)),
                "since": render(min(window.since for window in self._window)),
                "until": render(max(window.until for window in self._window)),
            },
            "seconds": {**whole["seconds"], "total": round(seconds, 3)},
        }

    def work(self, tasks: list[Task], on_stage: Stage) -> None:
        """Do the tasks, part by part."""
        if not tasks:
            return
        self._patiently(partial(self._note, tasks))
        self._window += [task.window for task in tasks]
        while tasks:
            tasks = self._patiently(partial(self._part, tasks, on_stage))

    def _note(self, tasks: list[Task]) -> None:
        windows.note(self._store, tasks)
        self._store.commit(refresh=False)

    def _patiently(self, work: Callable[[], Done]) -> Done:
        """Work, and again from its beginning when the cluster was away or busy: nothing half done is kept."""
        trying = Retrying(
            retry=retry_if_exception_type(PassingError),
            wait=wait_random_exponential(multiplier=1, max=20),
            stop=stop_after_delay(self._job.patience),
            before_sleep=lambda state: self._store.close(),
            reraise=True,
        )
        return trying(work)

    def _part(self, tasks: list[Task], on_stage: Stage) -> list[Task]:
        """Read, score, write alerts, write state; returns what is left to do."""
        self._lease.keep()
        first = tasks[0]
        part = Part(self._client, self._store, self._known, PartTask(first.window, first.spans()[0], first.push))
        done = part.run(self._lease.keep, on_stage)
        written, described = {"created": 0, "existed": 0}, {"risk": 0, "inventory": 0, "latest": 0}
        if self._job.alerts:
            self._lease.keep()
            now, writer = render(int(time.time())), entities.Writer(self._client, self._store, self._job.namespace)
            written = write.write(self._client, done.result.changed, self._job.stream, now)
            described = writer.write(self._known.context.assets, self._known.model.id, now)
        left = windows.advance(self._store, tasks)
        self._store.commit()
        self.totals.add(
            {
                **done.result.run,
                "alerts": written,
                "entities": described,
                "push_down": done.pushed,
            },
            done.identities,
            done.result.notables,
        )
        for hit, reason in done.rejects:
            self.totals.reject(hit.index, hit.id, reason)
        return left
