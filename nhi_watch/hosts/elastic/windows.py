"""What a run has to read, noted in the state before it is read, so that a killed run is run again alike.

A task is a window of time of ingestion over some index patterns, cut into parts by event time. A part is read,
scored, written and committed by itself: memory holds one part, and what is done stays done. Each pattern has a
checkpoint of its own, so that a pattern that is new is read from far back and the others are not. A part that fails
again and again is set aside and reported, so that it does not hold up what comes after it; `--since` reads it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional

import orjson
from elasticsearch import Elasticsearch

from nhi_watch.core.errors import StoreError
from nhi_watch.core.timestamps import DAY, Span, fewer, render, stretches
from nhi_watch.hosts.elastic import read
from nhi_watch.hosts.elastic.cluster import explained
from nhi_watch.hosts.elastic.read import LATE, Clocks, TimeSpan, Window
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
_DUE = "elastic:next"
_NEVER = 1 << 40
_CHECKPOINT = "elastic:checkpoint:"
_SINCE = "elastic:since:"
_LONGEST = 400
_URL = 2_000
"""Bytes of patterns in a request's first line, of which Elasticsearch reads 4,096."""


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

    def spans(self) -> list[TimeSpan]:
        """The parts that are left; of a window that was just planned, together all of event time."""
        ends = [None, *self.cuts, None]
        return [TimeSpan(low, high) for low, high in zip(ends, ends[1:])][self.done :]

    def given_up(self) -> str:
        """Why the next part is not tried again; "" where it is."""
        if len(self.failures) >= FAILURES:
            return self.failures[-1]
        if self.starts > STARTS:
            return f"started {STARTS} times by processes that were killed: is there too little memory?"
        return ""


class ReadRequest(NamedTuple):
    """What the caller wants to be read."""

    patterns: tuple[str, ...]
    since: Optional[int]
    """Read from here, whatever the checkpoints say."""
    until: int


def pending(store: Store, patterns: Iterable[str] = ()) -> list[Task]:
    """What a killed run has left to do; asked together with what else will be asked of some patterns."""
    keys = [_PENDING, _DUE, _COUNTS, _ASIDE, *(f"{_CHECKPOINT}{pattern}" for pattern in patterns)]
    row = store.get("meta", keys).get(_PENDING)
    return [from_row(plain) for plain in orjson.loads(row)] if row else []


def from_row(plain: dict[str, Any]) -> Task:
    """A task out of a row of state."""
    fields = {name: _tuples(value) for name, value in plain.items()}
    window = Window(**{name: fields.pop(name) for name in Window._fields if name in fields})
    return Task(window, **fields)


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
    windows = []
    for task in tasks:
        left = [pattern for pattern in task.window.pattern.split(",") if pattern in patterns]
        if task.window.of and set(task.window.of.split(",")) <= set(patterns):
            windows.append(task)
        elif left:
            windows.append(task._replace(window=task.window._replace(pattern=",".join(left))))
    return windows


def advance(store: Store, tasks: Sequence[Task]) -> list[Task]:
    """Put down that the first task's next part is done; with the last one its checkpoints move."""
    first, *others = tasks
    if len(first.spans()) > 1:
        left = begun([first._replace(done=first.done + 1, starts=0, failures=()), *others])
    else:
        left = begun(others)
        move(store, first.window)
    note(store, left)
    return left


def move(store: Store, window: Window) -> None:
    """Put down that a window was read."""
    patterns = window.pattern.split(",")
    before, since = checkpoints(store, patterns), starts(store, patterns)
    moved = {pattern: max(window.until, at or 0) for pattern, at in before.items()}
    store.put("meta", [(f"{_CHECKPOINT}{pattern}", b"%d" % at) for pattern, at in moved.items()])
    earlier = [pattern for pattern, at in before.items() if at is None or window.since < (since[pattern] or 0)]
    store.put("meta", [(f"{_SINCE}{pattern}", b"%d" % window.since) for pattern in earlier])


def checkpoints(store: Store, patterns: Iterable[str]) -> dict[str, Optional[int]]:
    """Pattern → until when it was read; None: never."""
    return _times(store, _CHECKPOINT, tuple(patterns))


def starts(store: Store, patterns: Iterable[str]) -> dict[str, Optional[int]]:
    """Pattern → from when on it was read; None: never, or by an earlier version."""
    return _times(store, _SINCE, tuple(patterns))


def _times(store: Store, name: str, patterns: Sequence[str]) -> dict[str, Optional[int]]:
    rows = store.get("meta", [f"{name}{pattern}" for pattern in patterns])
    times = {pattern: rows.get(f"{name}{pattern}") for pattern in patterns}
    return {pattern: int(raw) if raw is not None else None for pattern, raw in times.items()}


def due(store: Store) -> Optional[int]:
    """When a verdict or an exception begins or ends to hold, in seconds since the epoch; None: no run has noted it."""
    row = store.get("meta", [_DUE]).get(_DUE)
    return int(row) if row is not None else None


def put_due(store: Store, at: Optional[int]) -> None:
    """Put that down, None: none will; committing is the caller's business."""
    store.put("meta", [(_DUE, b"%d" % (_NEVER if at is None else at))])


class Begun(NamedTuple):
    """From when on patterns are read now."""

    pattern: str
    since: int
    until: int
    goes_on: bool
    """Whether they were read up to there."""
    of: str = ""
    """For indices that are read apart from others: the patterns that they match."""


def windows(store: Store, wanted: ReadRequest, of: str = "") -> list[Begun]:
    """What is to be read now: patterns that begin at the same time share a window.

    A checkpoint of the future, by a clock that was wrong, counts as now.
    """
    if any(len(pattern.encode()) > _LONGEST for pattern in wanted.patterns):
        raise StoreError(f"the name of a source index is too long: at most {_LONGEST} bytes; use a pattern")
    by_window: dict[tuple[int, bool], list[str]] = {}
    for pattern, read_until in checkpoints(store, wanted.patterns).items():
        goes_on = wanted.since is None and read_until is not None
        since = min(read_until, wanted.until) if read_until is not None else wanted.until - FIRST
        since = since if wanted.since is None else wanted.since
        by_window.setdefault((since, goes_on), []).append(pattern)
    return [
        Begun(pattern, since, max(since, wanted.until), goes_on, of)
        for (since, goes_on), patterns in sorted(by_window.items())
        for pattern in joined(patterns)
    ]


def joined(patterns: Iterable[str]) -> Iterator[str]:
    """Patterns with commas, so many in each text that it fits into a URL.

    >>> list(joined(["a" * 1_000, "b" * 1_000, "c"])) == ["a" * 1_000, f"{'b' * 1_000},c"]
    True
    """
    group = ""
    for pattern in patterns:
        if group and len(group) + len(pattern) >= _URL:
            yield group
            group = ""
        group = f"{group},{pattern}" if group else pattern
    if group:
        yield group


# ---- late
#
# What becomes searchable after its time was read. An index numbers what is written into it: each run reads of the last
# days what has a higher number than any that it has counted, so that nothing is read twice. An index of several shards
# numbers in each, one may have its numbers switched off, and a copy may show a number before a lower one. So once an
# hour the documents of the last days are counted by slot, and where there are more than were read, the slot is read
# again. Documents that do not say when they were ingested are counted by their own time.


DAYS = 3
"""How far back it is looked; what comes later still is not found."""
SLOT = 300
"""Seconds of a slot."""
EVERY = 3600
"""Seconds from one count of the last days to the next."""
AGAIN = {"told": 600, "own": LATE}
"""Seconds that are read once more where nobody knows what was read."""
_COUNTS = "elastic:counts"
_STRETCHES = 200
"""Of a window at most: each is a clause of the query."""
_INDICES = 500
"""Whose numbers are kept: likewise. Of more of them late documents are found by the count alone."""

Json = dict[str, Any]
Counted = dict[int, int]


class Planned(NamedTuple):
    """A window, planned."""

    task: Task
    late: int
    """How many of its documents came after their time was read."""


class Ledger:
    """How many documents were read by when they were ingested (`told`) or happened (`own`), for each group of patterns.

    A group has `until`, up to where it was read; the highest number of each index, and when that was seen; and for each
    kind `since` and counts by slot.
    """

    def __init__(self, store: Store, now: int, every: int = EVERY) -> None:
        row = store.get("meta", [_COUNTS]).get(_COUNTS)
        self._looked, self._groups = unpack(row) if row else (0, {})
        self.is_due = now - self._looked >= every
        """Whether the last days are counted by this run."""
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
        pattern, since, until, *_ = begun
        with explained(f"planning {pattern}"):
            before = self._known(begun)
            kinds = {kind: _Kind(kind, begun, before.get(kind)) for kind in AGAIN}
            numbers: dict[str, list[int]] = before.get("numbers", {}) if by.numbered else {}
            seen = tuple((index, number) for index, (number, _) in sorted(numbers.items()))
            asked = {
                f"{kind}_{name}": histogram
                for kind, each in kinds.items()
                for name, histogram in each.histograms(by, seen, self.is_due)
            }
            aggregations: Json = {}
            if asked:
                then = read.any_of([each["filter"] for each in asked.values()])
                wanted = {"bool": {"filter": [then], "must_not": [read.FROZEN, *by.apart()]}}
                more = {"numbers": read.NUMBERS} if by.numbered else {}
                aggregations = read.aggregated(client, pattern, wanted, {**asked, **more}, by)
            noted = {
                kind: each.noted({name: read.counted(aggregations.get(f"{kind}_{name}", {})) for name in _Kind.NAMES})
                for kind, each in kinds.items()
            }
            window = Window(
                pattern,
                kinds["told"].since,
                until,
                noted["told"].spans,
                noted["own"].spans,
                noted["told"].newer,
                noted["own"].newer,
                seen,
                begun.of,
            )
            documents = sum(kind.documents for kind in noted.values())
            days: Counted = {}
            if documents >= PART or until - since > DAY:
                days = read.count_by(client, window, DAY)
                documents = sum(days.values())
        self.forget(pattern)
        self._looked = self._now if self.is_due else self._looked
        rows = {kind: kind_plan.row for kind, kind_plan in noted.items()}
        self._groups[pattern] = {"until": until, "numbers": self._numbers(numbers, aggregations), **rows}
        return Planned(Task(window, tuple(_cuts(days)), 0, documents), sum(kind.late for kind in noted.values()))

    def _known(self, begun: Begun) -> Json:
        """What was counted of the patterns of a window, also where they were in other groups then.

        Groups that are read together from now on are added up. Of a part of an earlier group the numbers are known, but
        not what was read of each slot: what is there now counts as read.
        """
        wanted = frozenset(begun.pattern.split(","))
        groups: dict[frozenset[str], Json] = {
            frozenset(pattern.split(",")): group
            for pattern, group in self._groups.items()
            if begun.goes_on and group["until"] == begun.since and "numbers" in group
        }
        if wanted in groups:
            return groups[wanted]
        parts = [patterns for patterns in groups if patterns <= wanted]
        if parts and wanted == set().union(*parts):
            return _added([groups[patterns] for patterns in parts])
        group = next((group for patterns, group in groups.items() if wanted < patterns), None)
        return {**group, **{kind: [group[kind][0], None] for kind in AGAIN}} if group else {}

    def _numbers(self, before: Mapping[str, list[int]], aggregations: Json) -> dict[str, list[int]]:
        """Index → the highest number that was counted, and when; of an index that is quiet for long none is needed."""
        kept = {index: counts for index, counts in before.items() if counts[1] >= self._now - (DAYS + 1) * DAY}
        for index, number in read.numbers(aggregations).items():
            kept[index] = [max(number, kept[index][0] if index in kept else number), self._now]
        return kept


def _added(groups: Sequence[Json]) -> Json:
    """Groups as one."""
    merged: Json = {"numbers": {index: counts for group in groups for index, counts in group["numbers"].items()}}
    for kind in AGAIN:
        counts: Counter[int] = Counter()
        for group in groups:
            counts.update({int(at): n for at, n in group[kind][1].items()})
        merged[kind] = [max(group[kind][0] for group in groups), counts]
    return merged


class _Noted(NamedTuple):
    """What was found of one kind."""

    row: list[Any]
    spans: tuple[Span, ...]
    newer: tuple[int, int]
    """Where late ones are read by their number; (0, 0): there are none."""
    documents: int
    late: int


class _Kind:
    """Documents of a window that say when they were ingested, or those that do not."""

    NAMES = ("newer", "slots", "new")

    def __init__(self, kind: str, begun: Begun, row: Optional[list[Any]]) -> None:
        self._kind = kind
        self._until = begun.until
        back = begun.goes_on or kind == "own"
        self.since = begun.since if row else max(0, begun.since - AGAIN[kind] * back)
        """From when on all is read."""
        self._first = row[0] if row else self.since
        self._before: Optional[Counted] = {}
        """Documents of each slot that were read; None: nobody knows."""
        if row:
            self._before = None if row[1] is None else {int(at): n for at, n in row[1].items()}
        self._oldest = max(self._first, _slot(begun.until - DAYS * DAY))
        """From when on late ones are looked for."""

    def histograms(self, by: Clocks, seen: Sequence[tuple[str, int]], is_due: bool) -> Iterator[tuple[str, Json]]:
        """What is counted: what is new, what has a higher number than all before, and, where it is due, the rest."""
        if self._kind == "told" and by.field == read.TIMESTAMP:
            return
        if 0 < len(seen) <= _INDICES and self._oldest < self.since:
            yield "newer", _histogram(self._kind, (self._oldest, self.since), by, seen)
        if (is_due or self._before is None) and self._oldest < self.since:
            yield "slots", _histogram(self._kind, (self._oldest, self.since), by)
        if self.since < self._until:
            yield "new", _histogram(self._kind, (max(self.since, self._oldest), self._until), by)

    def noted(self, by_index: Mapping[str, Counted]) -> _Noted:
        """The next row of the ledger, and what is to be read: all since then, what is newer, and what has grown."""
        newer, new = by_index["newer"], by_index["new"]
        before = by_index["slots"] if self._before is None else self._before
        counts = {at: n for at, n in before.items() if at >= _slot(self._oldest)}
        for at, n in newer.items():
            counts[at] = counts.get(at, 0) + n
        grown = {at: n - counts.get(at, 0) for at, n in by_index["slots"].items() if n > counts.get(at, 0)}
        counts.update(by_index["slots"])
        for at, n in new.items():
            counts[at] = counts.get(at, 0) + n
        late = sum(newer.values()) + sum(grown.values())
        spans = fewer([*stretches(grown, SLOT), (self.since, self._until)], _STRETCHES)
        reach = (self._oldest, self.since) if newer else (0, 0)
        return _Noted([self._first, counts], spans, reach, late + sum(new.values()), late)


def _slot(at: int) -> int:
    return at - at % SLOT


def _histogram(kind: str, span: tuple[int, int], by: Clocks, seen: Sequence[tuple[str, int]] = ()) -> Json:
    documents, field = (read.ingested_between, read.INGESTED) if kind == "told" else (read.lacking, read.TIMESTAMP)
    then = read.newer(documents(*span, by), seen) if seen else documents(*span, by)
    return {"filter": then, "aggs": read.steps(SLOT, field)}


def _cuts(days: Counted) -> Iterator[int]:
    """Where parts end: with the day with which one has enough documents."""
    size = 0
    for day, documents in sorted(days.items()):
        if size >= PART:
            yield day
            size = 0
        size += documents


# ---- parts that were given up


class Aside(NamedTuple):
    """A part whose documents are left out from now on; without this they would be read again beside a late one."""

    window: Window
    span: TimeSpan
    why: str
    when: int
    documents: int

    def to_json(self) -> dict[str, Any]:
        """For people and programs."""
        ends = {name: render(at) for name, at in self.span._asdict().items() if at is not None}
        return {
            "index": self.window.pattern,
            "since": render(self.window.since),
            "until": render(self.window.until),
            "events": ends,
            "documents": self.documents,
            "why": self.why,
            "set_aside": render(self.when),
        }


def asides(store: Store) -> list[Aside]:
    """All of them, oldest first."""
    row = store.get("meta", [_ASIDE]).get(_ASIDE)
    return (
        [
            Aside(from_row(each["task"]).window, TimeSpan(*each["span"]), each["why"], each["when"], each["documents"])
            for each in orjson.loads(row)
        ]
        if row
        else []
    )


def put_asides(store: Store, given: Sequence[Aside]) -> None:
    """Put the list down; committing is the caller's business."""
    rows = [
        {
            "task": to_row(Task(each.window)),
            "span": list(each.span),
            "why": each.why,
            "when": each.when,
            "documents": each.documents,
        }
        for each in given
    ]
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
