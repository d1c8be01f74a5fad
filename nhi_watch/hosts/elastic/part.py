"""One part of a run: the documents of a stretch of event time → notables and rows of state, not yet committed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from elasticsearch import Elasticsearch

from nhi_watch.context.context import Context
from nhi_watch.core.errors import RejectError
from nhi_watch.detect.judge import Judge
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.run import Result
from nhi_watch.hosts.elastic import access, hits, read, templates, windows
from nhi_watch.hosts.elastic.hits import SOURCES, Hit
from nhi_watch.hosts.elastic.read import Span, Window
from nhi_watch.hosts.elastic.store_errors import PassingError, explained
from nhi_watch.hosts.elastic.totals import MAX_REJECTS
from nhi_watch.state.state import State
from nhi_watch.state.store import Store

Json = dict[str, Any]
Stage = Callable[[str, int, int], None]


class Tables(NamedTuple):
    """What is loaded once for all parts."""

    model: Scorecard
    context: Context
    budget: float
    page: int


class Done(NamedTuple):
    """A part's result, and what is said of it."""

    result: Result
    identities: set[str]
    rejects: list[tuple[Hit, str]]


class Task(NamedTuple):
    """What a part reads."""

    window: Window
    span: Span


class Part:
    """Reads and scores one stretch of event time of a window."""

    def __init__(self, client: Elasticsearch, store: Store, known: Tables, task: Task) -> None:
        self._client = client
        self._task = task
        self._known = known
        self._store = store
        state = State(store)
        until, seen = task.window.until, (state.known, state.newcomers)
        self._intake = hits.intake_of(SOURCES, known.context, state.load, until, *seen)
        self._judge = Judge(state, known.model, known.context, known.budget)
        self._rejects: list[tuple[Hit, str]] = []

    def run(self, keep: Callable[[], object], on_stage: Stage) -> Done:
        """Read and score; the rows are put into the store, committing them is the caller's business."""
        started = time.perf_counter()
        self._read(keep)
        self._make_sure_of_remotes()
        seen = {name for wholes in self._intake.days.values() for name in wholes}
        read_seconds = time.perf_counter() - started
        keep()
        result = self._judge.settle(self._intake.days, on_stage)
        result.run["seconds"]["read"] = round(read_seconds, 3)
        return Done(result, seen, self._rejects)

    def _read(self, keep: Callable[[], object]) -> None:
        window, span = self._task
        with explained(f"reading {window.pattern}"):
            clocks = read.clocks(self._client, window.pattern)
            wanted = read.query(window, clocks, span, windows.left_out(self._store, window.pattern, clocks))
        for page in read.pages(self._client, window.pattern, wanted, self._known.page):
            keep()
            hits.feed(self._intake, page, self._refuse)

    def _refuse(self, hit: Hit, error: RejectError) -> None:
        if len(self._rejects) < MAX_REJECTS:
            self._rejects.append((hit, error.reason))

    def _make_sure_of_remotes(self) -> None:
        """A point in time over a remote cluster that is away looks like one over nothing.

        Raises:
            PassingError: one is away.
        """
        remote = [pattern for pattern in self._task.window.pattern.split(",") if access.cluster(pattern)]
        unread = access.reach(self._client, remote, templates.READ).unread if remote else ()
        if unread:
            raise PassingError(f"reading {unread[0].pattern}: {unread[0].why}")
