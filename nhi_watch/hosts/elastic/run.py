"""`nhi elastic run` and `learn`: what was ingested since the checkpoint → notables → state, checkpoint → alerts.

In this order, part by part, so that a run may be killed anywhere: what is to be read is noted first, and what was
noted but not finished is done again; the checkpoint is the last row; the state knows what is published and not yet
written (`publish.unconfirmed`), and alerts have ids made of notable and revision.
A part that fails three times is set aside, and the job goes on; whatever ends a run leaves a heartbeat.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Optional, TypeVar

from elasticsearch import ApiError, BadRequestError, Elasticsearch, TransportError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from nhi_watch.context import assets, networks
from nhi_watch.context.context import Context
from nhi_watch.context.networks import SHIPPED
from nhi_watch.core.errors import InputError, NhiError, RejectError, StoreError
from nhi_watch.core.gc_pause import few_collections
from nhi_watch.core.timestamps import DAY, HOUR, render
from nhi_watch.detect import expected, feedback, model, publish
from nhi_watch.detect.model import Model
from nhi_watch.detect.run import Totals
from nhi_watch.detect.session import Session
from nhi_watch.hosts.elastic import cluster, read, setup, windows, write
from nhi_watch.hosts.elastic.cluster import PassingError, ReadablePatterns, explained
from nhi_watch.hosts.elastic.read import SOURCES, Hit, Window
from nhi_watch.hosts.elastic.store import SECONDS, ClusterClock, ElasticStore, Lease, LeaseTakenError, holder_name
from nhi_watch.hosts.elastic.windows import Begun, Planned, ReadRequest, Task

# ---- run


Json = dict[str, Any]
Stage = Callable[[str, int, int], None]
MAX_REJECTS = 100
LAG = 120
"""Seconds: what was ingested later may not be searchable yet."""
DEFECTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    NameError,
    NhiError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a document may do to a program that has a defect: the others must not wait for it."""
_SLACK = 600
"""Seconds by which what is asked for may lie ahead of the cluster's clock."""
PATIENCE = 120.0
"""Seconds for which a part is tried again while the cluster is away or busy."""

Done = TypeVar("Done")


class ReadJob(NamedTuple):
    """What to read, and how to score it."""

    pattern: str = setup.SOURCE_INDICES
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
    ocsf: bool = False
    """Keep each alert as an OCSF finding as well."""
    kibana: str = ""
    """URL that links in alerts begin with; "": alerts have none."""
    alerts: bool = True
    """False: only learn."""

    reputation: Sequence[Path] = ()
    """Files of indicators."""
    intel: str = ""
    """Pattern of the streams of indicators; "": none is read."""
    look: int = windows.EVERY
    """Seconds from one look for late documents to the next."""

    @property
    def state(self) -> str:
        """Name of the state's index."""
        return f"{setup.STATE}-{self.namespace}"

    @property
    def stream(self) -> str:
        """Name of the alerts' data stream."""
        return f"{setup.ALERTS}-{self.namespace}"


def tables(client: Elasticsearch, job: ReadJob) -> tuple[Model, Context]:
    """Load the model, the customer's tables and the lists of indicators.

    Raises:
        InputError: a table is wrong.
        ModelError: the model does not match its manifest.
        StoreError: the streams of indicators cannot be read.
    """
    own = networks.load(job.networks) if job.networks else SHIPPED
    known = assets.load(job.assets) if job.assets else {}
    listed = read.load(client, job.reputation, job.intel, int(time.time()))
    return model.load(job.model), Context(known, listed, own)


def run(client: Elasticsearch, job: ReadJob, on_stage: Stage = lambda stage, done, total: None) -> Json:
    """Do one run, see `Worker.round`."""
    return Worker(client, job).round(on_stage)


class Worker:
    """Does runs, one or many: what it has loaded and remembers of the state outlives a round, the lease does not."""

    def __init__(self, client: Elasticsearch, job: ReadJob) -> None:
        self._client = client
        self._job = job
        self._holder = holder_name()
        self._store: Optional[ElasticStore] = None
        self._stamp: list[float] = []
        """The hour in which the tables were loaded, and when their files had been written."""
        self._tables: Optional[tuple[Model, Context]] = None

    def round(self, on_stage: Stage = lambda stage, done, total: None) -> Json:
        """Do one run; returns run.json's content, with the `window`, the `alerts`, the first `rejects`, what is wrong.

        Raises:
            LeaseHeldError: another run works.
            StoreError: Elasticsearch cannot be read or written, or is not set up.
        """
        client, job = self._client, self._job
        with reporting(client, job, time.time()):
            patterns, own = job.pattern.split(","), setup.own(job.namespace)
            reach = patiently(job, lambda: cluster.readable_patterns(client, patterns, setup.READ, own))
            clock = clock_of(client, job)
            known = self._known()
        lease = Lease(client, job.state, job.lease, clock, self._holder)
        goes_on = lease.acquire(job.wait)
        began = clock()
        with reporting(client, job, began, clock), self._leased(lease, goes_on) as store, few_collections():
            outcome = LeasedRun(client, job, known, Resources(lease, store, clock, reach)).once(on_stage)
        self._job = job._replace(since=None)
        times = write.Times(began, clock())
        return {**outcome, "heartbeat": write.beat(client, job.namespace, times, outcome) or "written"}

    def _known(self) -> tuple[Model, Context]:
        """Model and tables; loaded again each hour, and when a file has changed."""
        job = self._job
        files = [path for path in (job.assets, job.networks, *job.reputation) if path is not None and path.exists()]
        stamp = [time.time() // HOUR, *(path.stat().st_mtime for path in files)]
        if self._tables is None or stamp != self._stamp:
            self._tables, self._stamp = tables(self._client, job), stamp
        return self._tables

    @contextmanager
    def _leased(self, lease: Lease, goes_on: bool) -> Iterator[ElasticStore]:
        """The state, as long as the lease is held; what is remembered of it counts if nobody else has written since."""
        try:
            if self._store is None:
                # the clock has asked the same index
                self._store = ElasticStore(self._client, self._job.state, remember=True, is_there=True)
            elif not goes_on:
                self._store.close()
            self._store.guard = lease.keep
            yield self._store
        except BaseException:
            if self._store is not None:
                self._store.close()
            raise
        finally:
            with suppress(StoreError):  # where the cluster is away, the lease expires by itself
                lease.release()


def clock_of(client: Elasticsearch, job: ReadJob) -> ClusterClock:
    """The cluster's clock.

    Raises:
        StoreError: the cluster is not set up.
    """
    return ClusterClock(client, job.state)


@contextmanager
def reporting(
    client: Elasticsearch, job: ReadJob, began: float, clock: Callable[[], float] = time.time
) -> Iterator[None]:
    """Leave a heartbeat of whatever goes wrong, and let it go on its way."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, LeaseTakenError) and _is_set_up(client, job):
            write.failed(client, job.namespace, write.Times(began, clock()), error)
        raise


def _is_set_up(client: Elasticsearch, job: ReadJob) -> bool:
    """Whether the job's streams are known; else what is written would make indices that nobody wants."""
    try:
        return bool(client.options(max_retries=0, request_timeout=10).indices.exists(index=job.state))
    except (ApiError, TransportError):
        return False


def patiently(job: ReadJob, work: Callable[[], Done], reset: Callable[[], None] = lambda: None) -> Done:
    """Work, and again from its beginning when the cluster was away or busy: nothing half done is kept."""
    trying = Retrying(
        retry=retry_if_exception_type(PassingError),
        wait=wait_random_exponential(multiplier=1, max=20),
        stop=stop_after_delay(job.patience),
        before_sleep=lambda state: reset(),
        reraise=True,
    )
    return trying(work)


class Resources(NamedTuple):
    """What a run works with."""

    lease: Lease
    store: ElasticStore
    clock: ClusterClock
    reach: ReadablePatterns


def _rejected(hit: Hit, error: RejectError) -> Json:
    return {"index": hit.index, "id": hit.id, "reason": error.reason, "detail": error.detail[:300]}


_NOTHING: Json = {
    "read": 0,
    "parsed": 0,
    "duplicates": 0,
    "events": 0,
    "rejected": {},
    "alerts": {"created": 0},
    "seconds": {},
}
"""What run.json says where there were no new documents."""


class LeasedRun:
    """The work under a lease."""

    def __init__(self, client: Elasticsearch, job: ReadJob, known: tuple[Model, Context], resources: Resources) -> None:
        self._client = client
        self._job = job
        self._model, self._context = known
        self._lease, self._store, self._clock, self._reach = resources
        self._clocks: dict[str, read.Clocks] = {}
        self._window: list[Window] = []
        self._late = 0
        self._unread = {each.pattern: each.why for each in self._reach.unread}
        self._aside: list[Json] = []
        self._rejects: list[Json] = []
        """Where the first rejected documents lie, for they stay where they are."""
        self.totals = Totals()

    def once(self, on_stage: Stage) -> Json:
        """What is pending, and then what is new; never from the future on: checkpoints would move past the unread."""
        started = time.perf_counter()
        since, patterns = self._job.since, self._reach.patterns
        if since is not None and since > self._clock() + _SLACK:
            now = render(int(self._clock()))
            raise InputError(f"--since {render(since)} is in the future: by the cluster's clock it is {now}")
        pending = patiently(self._job, lambda: windows.pending(self._store, patterns))
        self._ledger = windows.Ledger(self._store, int(self._clock()), self._job.look)
        left = windows.narrowed(pending, patterns)
        for pattern in {task.window.pattern for task in pending} - {task.window.pattern for task in left}:
            self._ledger.forget(pattern)
        due = windows.due(self._store)
        if due is None:
            self._patiently(self._import)
        if pending:
            self.work(left, on_stage)
        if due is not None and due <= self._clock():
            self._patiently(self._publish)
            self._patiently(partial(self._reprocess, on_stage))
            self._patiently(self._publish)
        if since is not None:  # who says from when on to read means all of it
            windows.put_asides(self._store, [a for a in windows.asides(self._store) if a.window.until <= since])
        fresh = windows.windows(self._store, ReadRequest(patterns, since, int(self._clock()) - self._job.lag))
        planned = [each for begun in fresh for each in self._planned(begun)]
        self._late = sum(each.late for each in planned)
        if self._ledger.is_due and self._job.alerts:
            write.forget(self._client, self._wanted())
        tasks = [each.task for each in planned]
        idle = [task for task in tasks if not task.documents and task.window.until - task.window.since <= DAY]
        self.work([task for task in tasks if task not in idle], on_stage, idle)
        return self.outcome(time.perf_counter() - started)

    def _planned(self, begun: Begun) -> list[Planned]:
        """A window, planned; and one of the indices that are read apart, which have checkpoints of their own.

        Where that is refused, pattern by pattern: one may be in the others' way.
        """
        try:
            suspect = self._patiently(lambda: self._by(begun.pattern)).suspect
            named = ",".join(pattern for pattern in begun.pattern.split(",") if pattern not in suspect)
            rest = begun._replace(pattern=named)
            planned = self._patiently(lambda: self._ledger.plan(self._client, rest, self._by(named)))
        except PassingError:
            raise
        except StoreError as error:
            patterns = begun.pattern.split(",")
            if len(patterns) == 1:
                self._unread[begun.pattern] = str(error)[:300]
                return []
            return [each for pattern in patterns for each in self._planned(begun._replace(pattern=pattern))]
        others = (
            windows.windows(self._store, ReadRequest(suspect, self._job.since, begun.until), begun.pattern)
            if suspect
            else []
        )
        return [planned, *(each for other in others for each in self._planned(other))]

    def _by(self, pattern: str) -> read.Clocks:
        """By which field a pattern is read; asked once, and again after anything went wrong."""
        if pattern not in self._clocks:
            with explained(f"reading {pattern}"):
                self._clocks[pattern] = read.clocks(self._client, pattern)
        return self._clocks[pattern]

    def outcome(self, seconds: float) -> Json:
        """What was done, as in run.json."""
        rejects = {"rejects": self._rejects[:MAX_REJECTS]}
        totals = {**_NOTHING, "model": {"id": self._model.id}, **self.totals.to_json(), **rejects}
        wrong = {"set_aside": self._aside, "unread": [{"index": i, "why": why} for i, why in self._unread.items()]}
        if not self._window:
            return {"skipped": "no new documents", **wrong}
        window = {
            "index": ",".join(dict.fromkeys(window.pattern for window in self._window)),
            "since": render(min(window.since for window in self._window)),
            "until": render(max(window.until for window in self._window)),
        }
        taken = {**totals["seconds"], "total": round(seconds, 3)}
        return {**totals, **wrong, "late": self._late, "window": window, "seconds": taken}

    def work(self, tasks: list[Task], on_stage: Stage, idle: Sequence[Task] = ()) -> None:
        """Do the tasks, part by part; of windows into which nothing came only the checkpoints move.

        What an earlier run has left to be written comes first: a part may publish the next revision of the same.
        """
        tasks = windows.begun(tasks)
        self._patiently(partial(self._note, tasks, idle))
        self._window += [task.window for task in (*idle, *tasks)]
        if tasks:
            self._patiently(self._store.look)
        self._patiently(self._publish)
        while tasks:
            tasks = self._patiently(partial(self._step, tasks, on_stage))
            self._patiently(self._publish)

    def _note(self, tasks: list[Task], idle: Sequence[Task] = ()) -> None:
        windows.note(self._store, tasks)
        for task in idle:
            windows.move(self._store, task.window)
        self._ledger.put(self._store)
        self._store.commit(refresh=bool(tasks))

    def _patiently(self, work: Callable[[], Done]) -> Done:
        return patiently(self._job, work, self._reset)

    def _reset(self) -> None:
        """Keep nothing that was put, nor what is known of the cluster."""
        self._store.close()
        self._clocks.clear()

    def _step(self, tasks: list[Task], on_stage: Stage) -> list[Task]:
        """Do the next part, or give it up; returns what is left to do."""
        why = tasks[0].given_up()
        if why:
            return self._set_aside(tasks, why)
        try:
            return self._part(tasks, on_stage)
        except StoreError as error:
            if not isinstance(error.__cause__, BadRequestError):
                raise
            reason = str(error)
            if self._refused(tasks[0].window):
                self._reset()
                self._ledger.forget(tasks[0].window.pattern)
                self._note(left := windows.begun(tasks[1:]))
                return left
        except DEFECTS as error:
            reason = write.described(error)
        self._reset()
        left = windows.failed(tasks, reason)
        self._note(left)
        return left

    def _refused(self, window: Window) -> bool:
        """Whether the pattern itself cannot be read now, whatever the part: no document of it is at fault.

        Its checkpoint stays, and the next run plans it again from there.
        """
        try:
            with explained(f"counting {window.pattern}"):
                read.count_by(self._client, window, DAY)
        except PassingError:
            raise
        except StoreError as error:
            self._unread[window.pattern] = str(error)[:300]
            return True
        return False

    def _set_aside(self, tasks: list[Task], why: str) -> list[Task]:
        self._lease.keep()
        given = windows.set_aside(self._client, self._store, tasks[0], why, int(self._clock()))
        left = windows.advance(self._store, tasks)
        self._store.commit()
        self._aside.append(given.to_json())
        now = self._clock()  # recorded at once: the run may yet end otherwise, and later ones say nothing of it
        error = StoreError(write.troubles({"set_aside": [given.to_json()]})[0])
        write.failed(self._client, self._job.namespace, write.Times(now, now), error)
        return left

    def _part(self, tasks: list[Task], on_stage: Stage) -> list[Task]:
        """Read, score, write state; returns what is left to do."""
        self._lease.keep()
        self._store.look()
        started, window = time.perf_counter(), tasks[0].window
        session, rejects = self._session(window.until), list[Json]()
        clocks = self._by(window.pattern)
        left_out = windows.left_out(self._store, window.pattern, clocks)
        wanted = read.query(window, clocks, tasks[0].spans()[0], left_out)
        for page in read.pages(self._client, window.pattern, wanted, self._job.page):
            self._lease.keep()
            read.feed(session, page, lambda hit, error: rejects.append(_rejected(hit, error)))
            del rejects[MAX_REJECTS:]
        taken = time.perf_counter() - started
        self._lease.keep()
        result = session.finish(on_stage)
        result.run["seconds"]["read"] = round(taken, 3)
        left = windows.advance(self._store, tasks)
        self._store.commit(refresh=False)
        self.totals.add(result, session.identities)
        self._rejects += rejects
        return left

    def _session(self, until: int) -> Session:
        return Session(
            self._store,
            read.sources_of(SOURCES),
            self._context,
            self._clock,
            model=self._model,
            budget=self._job.budget,
            patience=publish.PATIENCE,
            until=until,
            received=read.received,
            kept=self._store.kept_days,
        )

    def _reprocess(self, on_stage: Stage) -> None:
        """Process without new records: verdicts and exceptions that were given, or have ended, take effect."""
        self._lease.keep()
        self._store.look()
        now = int(self._clock())
        result = self._session(now).finish(on_stage)
        windows.put_due(self._store, expected.next_end(self._store, now))
        self._store.commit(refresh=False)
        self.totals.add(result)

    def _import(self) -> None:
        """Take over what the stream has of notables that the state does not know as published, by an older version."""
        revisions = write.published(self._client, self._job.stream)
        publish.imported(self._store, revisions)
        known = [item["id"] for item in publish.stored(self._store, include_closed=False) if item["id"] in revisions]
        self._store.put("notable", [(publish.OUT + name, b"1") for name in known])  # to be among the latest, too
        windows.put_due(self._store, expected.next_end(self._store, int(self._clock())))
        self._store.commit(refresh=False)

    def _publish(self) -> None:
        """Write what was published and has not arrived, by this run or one before; who only learns writes nothing."""
        events, job = publish.unconfirmed(self._store), self._job
        if not events:
            return
        if job.alerts:
            self._lease.keep()
            verdicts = feedback.standing(feedback.verdicts(self._store))
            self.totals.count("alerts", write.write(self._client, events, self._wanted(), verdicts))
        publish.confirm(self._store, {event.document["id"]: event.document["revision"] for event in events})
        self._store.commit(refresh=False)

    def _wanted(self) -> write.AlertOptions:
        return write.AlertOptions(self._job.namespace, int(self._clock()), self._job.ocsf, self._job.kibana)
