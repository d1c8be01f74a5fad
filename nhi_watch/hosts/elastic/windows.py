"""What a run has to read, noted in the state before it is read, so that a killed run is run again alike.

A task is a window of time of ingestion over some index patterns, cut into parts by event time. A part is read,
scored, written and committed by itself: memory holds one part, and what is done stays done. Each pattern has a
checkpoint of its own, so that a pattern that is new is read from far back and the others are not. A part that fails
again and again is set aside and told, so that it does not hold up what comes after it; `--since` reads it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional

import orjson
from elasticsearch import Elasticsearch

from nhi_watch.core.errors import StoreError
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.hosts.elastic import cluster, read
from nhi_watch.hosts.elastic.cluster import explained
from nhi_watch.hosts.elastic.read import LATE, Clocks, Span, Window
from nhi_watch.state.store import Store, pack, unpack

# ---- windows


FIRST = 30 * DAY
"""How far back a first run reads without --since."""
PART = 200_000
"""Documents from which on a part ends with its day: about 200 MB where behaviours seldom repeat."""
FAILURES = 3
"""How often a part may fail."""
STARTS = 6
"""How often a part may be begun by processes that were then killed: by a host short of memory, say."""
_PENDING = "elastic:pending"
_ASIDE = "elastic:aside"
_CHECKPOINT = "elastic:checkpoint:"
_LONGEST = 400


class Task(NamedTuple):
    """One window, and how much of it is done."""

    window: Window
    cuts: tuple[int, ...] = ()
    """Seconds since the epoch at which one part ends and the next begins, in order."""
    done: int = 0
    """Parts that are committed."""
    documents: int = 0
    """How many there were when it was planned."""

    starts: int = 0
    """How many processes have begun the part that is next."""
    failures: tuple[str, ...] = ()
    """What went wrong with it."""

    def spans(self) -> list[Span]:
        """The parts that are left; of a window that was just planned, together all of event time."""
        ends = [None, *self.cuts, None]
        return [Span(low, high) for low, high in zip(ends, ends[1:])][self.done :]

    def given_up(self) -> str:
        """Why the next part is not tried again; "" where it is."""
        if len(self.failures) >= FAILURES:
            return self.failures[-1]
        if self.starts > STARTS:
            return f"begun {STARTS} times by processes that were killed: is there too little memory?"
        return ""


class Wanted(NamedTuple):
    """What the caller wants to be read."""

    patterns: tuple[str, ...]
    since: Optional[int]
    """Read from here, whatever the checkpoints say."""
    until: int


def pending(store: Store, patterns: Iterable[str] = ()) -> list[Task]:
    """What a killed run has left to do; asked together with what else will be asked of some patterns."""
    keys = [_PENDING, _COUNTS, _ASIDE, *(f"{_CHECKPOINT}{pattern}" for pattern in patterns)]
    row = store.get("meta", keys).get(_PENDING)
    return [from_row(plain) for plain in orjson.loads(row)] if row else []


def from_row(plain: dict[str, Any]) -> Task:
    """A task out of a row of state."""
    told = {name: _tuples(value) for name, value in plain.items()}
    window = Window(*(told.pop(name) for name in Window._fields))
    return Task(window, **told)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def to_row(task: Task) -> dict[str, Any]:
    """The same the other way."""
    return {**task.window._asdict(), **{name: value for name, value in task._asdict().items() if name != "window"}}


def note(store: Store, tasks: Sequence[Task]) -> None:
    """Put down what is to be done; committed before anything is read."""
    rows = [to_row(task) for task in tasks]
    store.put("meta", [(_PENDING, orjson.dumps(rows) if rows else None)])


def begun(tasks: Sequence[Task]) -> list[Task]:
    """The same, with the first one's next part begun once more."""
    return [tasks[0]._replace(starts=tasks[0].starts + 1), *tasks[1:]] if tasks else []


def failed(tasks: Sequence[Task], why: str) -> list[Task]:
    """The same, with the first one's next part failed once more."""
    return [tasks[0]._replace(failures=(*tasks[0].failures, why)), *tasks[1:]]


def narrowed(tasks: Iterable[Task], patterns: Sequence[str]) -> list[Task]:
    """Tasks without the patterns that cannot be read now: those are read from their checkpoints, later."""
    found = []
    for task in tasks:
        left = [pattern for pattern in task.window.pattern.split(",") if pattern in patterns]
        if left:
            found.append(task._replace(window=task.window._replace(pattern=",".join(left))))
    return found


def advance(store: Store, tasks: Sequence[Task]) -> list[Task]:
    """Put down that the first task's next part is done; with the last one its checkpoints move."""
    first, *others = tasks
    if len(first.spans()) > 1:
        left = begun([first._replace(done=first.done + 1, starts=0, failures=()), *others])
    else:
        left = begun(others)
        _move(store, first.window)
    note(store, left)
    return left


def _move(store: Store, window: Window) -> None:
    keys = [f"{_CHECKPOINT}{pattern}" for pattern in window.pattern.split(",")]
    before = store.get("meta", keys)
    rows = [(key, str(max(window.until, int(before.get(key, b"0")))).encode()) for key in keys]
    store.put("meta", rows)


def checkpoints(store: Store, patterns: Iterable[str]) -> dict[str, Optional[int]]:
    """Pattern → until when it was read; None: never."""
    rows = store.get("meta", [f"{_CHECKPOINT}{pattern}" for pattern in patterns])
    found = {pattern: rows.get(f"{_CHECKPOINT}{pattern}") for pattern in patterns}
    return {pattern: int(raw) if raw is not None else None for pattern, raw in found.items()}


class Begun(NamedTuple):
    """From when on patterns of one cluster are read now."""

    pattern: str
    since: int
    until: int
    goes_on: bool
    """Whether they were read up to there."""


def windows(store: Store, wanted: Wanted) -> list[Begun]:
    """What is to be read now: patterns of one cluster that begin at the same time share a window.

    A checkpoint of the future, by a clock that was wrong, counts as now.
    """
    if any(len(pattern.encode()) > _LONGEST for pattern in wanted.patterns):
        raise StoreError(f"the name of a source index is too long: at most {_LONGEST} bytes; use a pattern")
    found: dict[tuple[int, bool, str], list[str]] = {}
    for pattern, read_until in checkpoints(store, wanted.patterns).items():
        goes_on = wanted.since is None and read_until is not None
        since = min(read_until, wanted.until) if read_until is not None else wanted.until - FIRST
        since = since if wanted.since is None else wanted.since
        found.setdefault((since, goes_on, cluster.cluster(pattern)), []).append(pattern)
    return [Begun(",".join(patterns), since, max(since, wanted.until), goes_on)
            for (since, goes_on, _), patterns in sorted(found.items())]  # fmt: skip


# ---- late
#
# What becomes searchable after its time was read. Each run counts the documents of the last minutes again, by second of
# ingestion, and once an hour those of the last days, by slot: where there are more than were read, it reads that second
# or slot again. So nothing is read twice but what lies beside a late one. Documents that do not tell when they were
# ingested are counted by their own time, for longer and less finely.


DAYS = 3
"""How far back it is looked; what comes later still is not found."""
SLOT = 300
"""Seconds of a slot."""
EVERY = 3600
"""Seconds from one look at the last days to the next."""
RECENT = {"told": (600, 1), "own": (LATE, 10)}
"""How far back each run looks, and by how many seconds it counts."""
_COUNTS = "elastic:counts"
_STRETCHES = 200
"""Of a window at most: each is a clause of the query."""

Json = dict[str, Any]
Counted = dict[int, int]


class Planned(NamedTuple):
    """A window, planned."""

    task: Task
    late: int
    """How many of its documents came after their time was read."""


class Ledger:
    """How many documents were read by when they were ingested (`told`) or happened (`own`), for each group of patterns.

    A group has `until`, up to where it was read, and for each kind `since` and counts: by step from the slot on that
    lies its reach before `until`, and by slot before that.
    """

    def __init__(self, store: Store, now: int, every: int = EVERY) -> None:
        row = store.get("meta", [_COUNTS]).get(_COUNTS)
        self._looked, self._groups = unpack(row) if row else (0, {})
        self._is_due = now - self._looked >= every
        self._now = now

    def put(self, store: Store) -> None:
        """Put it down, without what is too old; committing is the caller's business."""
        oldest = self._now - DAYS * DAY
        kept = {pattern: group for pattern, group in self._groups.items() if group["until"] >= oldest}
        store.put("meta", [(_COUNTS, pack([self._looked, kept]))])

    def forget(self, pattern: str) -> None:
        """What was counted of a group was not read after all."""
        self._groups.pop(pattern, None)

    def plan(self, client: Elasticsearch, begun: Begun, by: Clocks) -> Planned:
        """Count, note what there is, and plan to read what is more than was read.

        Raises:
            PassingError: not all that it reads answered.
        """
        pattern, since, until, goes_on = begun
        with explained(f"planning {pattern}"):
            before = self._groups.get(pattern)
            if before is not None and not (goes_on and before["until"] == since):
                before = None
            kinds = {kind: _Kind(kind, begun, before and before[kind]) for kind in RECENT}
            asked = {} if by.odd else {f"{kind}_{name}": histogram for kind, each in kinds.items()
                                       for name, histogram in each.histograms(by, self._is_due)}  # fmt: skip
            then = read.any_of([each["filter"] for each in asked.values()]) if asked else {}
            wanted = {"bool": {"filter": [then], "must_not": [read.FROZEN]}}
            found = read.aggregated(client, pattern, wanted, asked) if asked else {}
            told = {kind: each.noted({name: read.counted(found.get(f"{kind}_{name}", {})) for name in _Kind.NAMES})
                    for kind, each in kinds.items()}  # fmt: skip
            starts = [each.since for each in kinds.values()]
            window = Window(pattern, starts[0], until, *(one.stretches for one in told.values()))
            documents = sum(one.documents for one in told.values())
            days: Counted = {}
            if by.odd or documents >= PART or until - since > DAY:
                days = read.count_by(client, window, DAY)
                documents = sum(days.values())
        self.forget(pattern)
        self._looked = self._now if self._is_due else self._looked
        if not by.odd:  # else each run reads its last minutes again
            self._groups[pattern] = {"until": until, **{kind: one.row for kind, one in told.items()}}
        return Planned(Task(window, tuple(_cuts(days)), 0, documents), sum(one.late for one in told.values()))


class _Noted(NamedTuple):
    """What was found of one kind."""

    row: list[Any]
    stretches: tuple[tuple[int, int], ...]
    documents: int
    late: int


class _Kind:
    """Documents of a window that tell when they were ingested, or those that do not."""

    NAMES = ("again", "slots", "past", "new")

    def __init__(self, kind: str, begun: Begun, row: Optional[list[Any]]) -> None:
        self._kind = kind
        self._until = begun.until
        reach, self._step = RECENT[kind]
        back = begun.goes_on or kind == "own"
        self.since = begun.since if row else max(0, begun.since - reach * back)
        """From when on all is read."""
        self._first = row[0] if row else self.since
        self._before: Counted = {int(at): n for at, n in row[1].items()} if row else {}
        self._fine = max(_slot(begun.since - reach), self._first) if row else self.since
        self._next = _slot(begun.until - reach)
        """From when on it is counted by step after this run."""

    def histograms(self, by: Clocks, is_due: bool) -> Iterator[tuple[str, Json]]:
        """What is counted: again since when it was read, by slot and by step, and what is new."""
        oldest = self._until - DAYS * DAY
        slots = max(self._first, oldest)
        asked = {
            "again": (self._fine, self.since, self._step),
            "slots": (slots + -slots % SLOT, self._fine if is_due else 0, SLOT),
            "past": (max(self.since, _slot(oldest)), self._next, SLOT),
            "new": (max(self.since, self._next), self._until, self._step),
        }
        for name, (low, high, step) in asked.items():
            if low < high:
                yield name, _histogram(self._kind, (low, high), by, step)

    def noted(self, found: Mapping[str, Counted]) -> _Noted:
        """The next row of the ledger, and what is to be read: all since then, and what has grown before."""
        counts = dict(self._before)
        grown: dict[int, list[int]] = {self._step: [], SLOT: []}
        late = 0
        for name, step in (("again", self._step), ("slots", SLOT)):
            more = {at: n - counts.get(at, 0) for at, n in found[name].items() if n > counts.get(at, 0)}
            late += sum(more.values())
            grown[step] += more
            counts.update((at, found[name][at]) for at in more)
        for at, n in (*found["past"].items(), *found["new"].items()):
            counts[at] = counts.get(at, 0) + n
        row: Counted = {}
        for at, n in counts.items():
            place = at if at >= self._next else _slot(at)
            if place >= self._until - DAYS * DAY - SLOT:
                row[place] = row.get(place, 0) + n
        stretches = [each for step, starts in grown.items() for each in read.stretches(starts, step)]
        documents = late + sum(sum(found[name].values()) for name in ("past", "new"))
        whole = (self.since, self._until)
        return _Noted([self._first, row], _few([*stretches, whole]), documents, late)


def _slot(at: int) -> int:
    return at - at % SLOT


def _histogram(kind: str, span: tuple[int, int], by: Clocks, step: int) -> Json:
    documents, field = (read.told, read.INGESTED) if kind == "told" else (read.lacking, read.TIMESTAMP)
    steps = {"field": field, "fixed_interval": f"{step}s", "min_doc_count": 1}
    return {"filter": documents(*span, by), "aggs": {"steps": {"date_histogram": steps}}}


def _few(stretches: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The same stretches in order; where there are too many, those that lie nearest to each other are joined."""
    ordered = sorted(stretches)
    while len(ordered) > _STRETCHES:
        gaps = [after[0] - before[1] for before, after in zip(ordered, ordered[1:])]
        at = gaps.index(min(gaps))
        ordered[at : at + 2] = [(ordered[at][0], max(ordered[at][1], ordered[at + 1][1]))]
    return tuple(ordered)


def _cuts(days: Counted) -> Iterator[int]:
    """Where parts end: with the day with which one has enough documents."""
    held = 0
    for day, documents in sorted(days.items()):
        if held >= PART:
            yield day
            held = 0
        held += documents


# ---- parts that were given up


class Aside(NamedTuple):
    """A part whose documents are left out from now on; without this they would be read again beside a late one."""

    window: Window
    span: Span
    why: str
    when: int
    documents: int

    def told(self) -> dict[str, Any]:
        """For people and programs."""
        ends = {name: render(at) for name, at in self.span._asdict().items() if at is not None}
        return {
            "index": self.window.pattern, "since": render(self.window.since), "until": render(self.window.until),
            "events": ends, "documents": self.documents, "why": self.why, "set_aside": render(self.when),
        }  # fmt: skip


def asides(store: Store) -> list[Aside]:
    """All of them, oldest first."""
    row = store.get("meta", [_ASIDE]).get(_ASIDE)
    return [Aside(from_row(each["task"]).window, Span(*each["span"]), each["why"], each["when"], each["documents"])
            for each in orjson.loads(row)] if row else []  # fmt: skip


def put_asides(store: Store, given: Sequence[Aside]) -> None:
    """Put the list down; committing is the caller's business."""
    rows = [{"task": to_row(Task(each.window)), "span": list(each.span), "why": each.why, "when": each.when,
             "documents": each.documents} for each in given]  # fmt: skip
    store.put("meta", [(_ASIDE, orjson.dumps(rows) if rows else None)])


def set_aside(client: Elasticsearch, store: Store, task: Task, why: str, when: int) -> Aside:
    """Give a task's next part up.

    Raises:
        StoreError: its documents cannot be counted.
    """
    window, span = task.window, task.spans()[0]
    with explained(f"counting documents of {window.pattern}"):
        documents = sum(read.count_by(client, window, DAY, span).values())
    given = Aside(window, span, why, when, documents)
    put_asides(store, [*asides(store), given])
    return given


def left_out(store: Store, pattern: str, by: read.Clocks) -> list[dict[str, Any]]:
    """Queries of what was set aside of a window's patterns."""
    chosen = [each for each in asides(store) if set(pattern.split(",")) <= set(each.window.pattern.split(","))]
    return [read.query(each.window, by, each.span) for each in chosen]

