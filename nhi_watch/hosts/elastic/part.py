"""One part of a run: the documents of a stretch of event time → days → notables and rows of state, not yet committed.

CloudTrail's hours that the cluster has grouped, or is to group now, are made anew; all else is added to what is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from elasticsearch import Elasticsearch

from nhi_watch.context.context import Context
from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.detect.episodes import nothing_missing
from nhi_watch.detect.judge import Judge
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.run import Result
from nhi_watch.hosts.elastic import access, aside, hits, read, templates
from nhi_watch.hosts.elastic.hits import SOURCES, Hit
from nhi_watch.hosts.elastic.pushdown import queries, remake
from nhi_watch.hosts.elastic.pushdown.buckets import CannotPushError
from nhi_watch.hosts.elastic.pushdown.evidence import Evidence
from nhi_watch.hosts.elastic.pushdown.trail import Made, Trail, is_trail_pattern
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
    pushed: Json
    """How many documents the cluster grouped, in how many bytes, and why it did not where it could not."""


class Task(NamedTuple):
    """What a part reads."""

    window: Window
    span: Span
    push: bool
    """Whether the cluster is to group CloudTrail's documents."""
    trails: tuple[str, ...] = ()
    """All patterns of CloudTrail that can be read: an hour is made anew from all of them, not the window's alone."""


class Part:
    """Reads and scores one stretch of event time of a window."""

    def __init__(self, client: Elasticsearch, store: Store, known: Tables, task: Task) -> None:
        self._client = client
        self._store = store
        self._task = task
        self._state = State(store)
        self._known = known
        patterns = task.window.pattern.split(",")
        self._others = ",".join(pattern for pattern in patterns if not is_trail_pattern(pattern))
        trails = [pattern for pattern in patterns if is_trail_pattern(pattern)]
        self._own_trails, every = (",".join(dict.fromkeys(some)) for some in (trails, [*trails, *task.trails]))
        self._asides = aside.listed(store)
        left_out = self._without(self._own_trails) if trails else []
        now = task.window.until
        self._trail = self._trail_of(every, left_out) if trails else None
        self._evidence = Evidence(self._trail, task.window.until) if self._trail else None
        complete = self._evidence.complete if self._evidence else nothing_missing
        self._intake = hits.intake_of(SOURCES, known.context, self._state.load_day, now, self._state.known)
        self._judge = Judge(self._state, known.model, known.context, known.budget, complete)
        self._rejects: list[tuple[Hit, str]] = []
        self._pushed: Json = {"documents": 0, "bytes": 0, "completed": 0, "why_not": []}

    def _trail_of(self, pattern: str, left_out: Sequence[Json]) -> Trail:
        reputation, page, now = self._known.context.reputation, self._known.page, self._task.window.until
        return Trail(self._client, pattern, reputation, page, left_out, now, self._state.known)

    def run(self, keep: Callable[[], object], on_stage: Stage) -> Done:
        """Read and score; the rows are put into the store, committing them is the caller's business."""
        started = time.perf_counter()
        again = self._make_again(self._trail) if self._trail else frozenset()
        self._add(again, keep)
        self._make_sure_of_remotes()
        seen = {name for wholes in self._intake.days.values() for name in wholes}
        read_seconds = time.perf_counter() - started
        keep()
        result = self._judge.settle(self._intake.days, on_stage)
        result.run["seconds"]["read"] = round(read_seconds, 3)
        if self._evidence:
            self._pushed["completed"] = self._evidence.asked
        return Done(result, seen, self._rejects, self._pushed)

    def _without(self, pattern: str) -> list[Json]:
        """What was set aside."""
        return aside.without(self._client, self._asides, pattern, self._task.window.pattern)

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

    def _make_again(self, trail: Trail) -> frozenset[int]:
        """CloudTrail's hours that have to be made anew, and now are."""
        window, span, push, _ = self._task
        with explained(f"planning {self._own_trails}"):
            steps = read.count_by(self._client, window._replace(pattern=self._own_trails), HOUR, span)
        known = remake.pushed(self._store)
        end = self._intake.days.horizon.end  # the reader tells of what is later
        hours = frozenset(step // HOUR for step in steps if step < end)
        again = hours if push else hours & known
        if not again:
            return again
        made = self._made(trail, again, sum(steps.values()))
        replaced = remake.replace(self._intake.days, made.intake.days, again, self._state.load_day)
        self._count(made, replaced)
        by_cluster = again if made.documents else frozenset()
        oldest = self._state.daybook.closed * (DAY // HOUR)
        pushed = (known - again) | by_cluster | (known & replaced.kept)
        remake.note_pushed(self._store, (hour for hour in pushed if hour >= oldest))
        return again

    def _made(self, trail: Trail, hours: frozenset[int], documents: int) -> Made:
        if self._task.push:
            try:
                return trail.grouped(hours, documents, self._task.window.until, self._refuse)
            except CannotPushError as reason:
                self._pushed["why_not"].append(str(reason))
        return trail.read(hours, self._task.window.until, self._refuse)

    def _count(self, made: Made, replaced: remake.Replaced) -> None:
        days, fresh = self._intake.days, made.intake.days
        days.parsed += fresh.parsed + made.documents
        days.duplicates += fresh.duplicates + replaced.known
        self._pushed["documents"] += made.documents
        self._pushed["bytes"] += made.bytes
        for reason, documents in [*fresh.rejected.items(), *made.rejected]:
            days.reject(reason, documents)
        self._store.put("day", [(f"{day:06d}/{name}", None) for day, name in replaced.gone])

    def _add(self, again: frozenset[int], keep: Callable[[], object]) -> None:
        """Read what is not made anew, and add it to what is known."""
        window, span, _, _ = self._task
        patterns = [(self._others, False), (self._own_trails, True)] if again else [
            (window.pattern, False)
        ]  # fmt: skip
        for pattern, is_trail in patterns:
            if not pattern:
                continue
            with explained(f"reading {pattern}"):
                clocks = read.clocks(self._client, pattern)
                wanted = read.query(window, clocks, span, self._without(pattern))
            if is_trail:
                wanted = queries.all_of(wanted, without=[queries.spans(again)])
            for page in read.pages(self._client, pattern, wanted, self._known.page):
                keep()
                hits.feed(self._intake, page, self._refuse)
