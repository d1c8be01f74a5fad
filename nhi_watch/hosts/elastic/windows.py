"""What a run has to read, noted in the state before it is read, so that a killed run is run again alike.

A task is a window of time of ingestion over some index patterns, cut into parts by event time. A part is read,
scored, written and committed by itself: memory holds one part, and what is done stays done. Each pattern has a
checkpoint of its own, so that a pattern that is new is read from far back and the others are not. A part that fails
again and again is set aside and told, so that it does not hold up what comes after it; `--since` reads it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Optional

import orjson
from elasticsearch import Elasticsearch

from nhi_watch.core.errors import StoreError
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.hosts.elastic import cluster, read
from nhi_watch.hosts.elastic.cluster import explained
from nhi_watch.hosts.elastic.read import LATE, Clocks, Span, Window
from nhi_watch.state.store import Store

# ---- late
#
# Documents that become searchable long after they were ingested: counted by slots of time, and read.
#
# A run reads from ten minutes before its checkpoint. What comes later than that would be lost without a word. So each
# run
# notes how many documents each slot held when it was read, and once an hour the cluster counts the slots of the last
# days again: a slot that has grown is read again. Documents that do not tell when they were ingested are counted by
# slots
# of their own time.


DAYS = 3
"""How far back it is looked; what comes later still is not found."""
SLOT = 300
"""Seconds of a slot; windows begin at full ones."""
EVERY = 3600
"""Seconds from one look to the next."""
_COUNTS = "elastic:counts"
_LOOKED = "elastic:looked"

Json = dict[str, Any]
Slots = dict[int, int]


class Counts(NamedTuple):
    """Documents by slot."""

    told: Slots
    """By when they were ingested."""
    own: Slots
    """By their own time, of those that do not tell."""


class Ledger:
    """What was counted of each group of patterns when it was read."""

    def __init__(self, store: Store, now: int) -> None:
        rows = store.get("meta", [_COUNTS, _LOOKED])
        self._oldest = now - DAYS * DAY
        self._now = now
        self._looked = int(rows.get(_LOOKED, b"0"))
        self._groups: dict[str, Json] = orjson.loads(rows[_COUNTS]) if _COUNTS in rows else {}

    def note(self, pattern: str, since: int, counts: Counts) -> None:
        """What slots hold that are read now; `since`: from when on a group that is new is read."""
        group = self._groups.setdefault(pattern, {"from": since, "told": {}, "own": {}})
        group["from"] = min(group["from"], since)
        for name, slots in counts._asdict().items():
            group[name].update((str(slot), count) for slot, count in slots.items())

    def put(self, store: Store) -> None:
        """Put it down, without what is too old; committing is the caller's business."""
        kept = {pattern: self._recent(group) for pattern, group in self._groups.items()}
        kept = {pattern: group for pattern, group in kept.items() if group["told"] or group["own"]}
        store.put("meta", [(_COUNTS, orjson.dumps(kept)), (_LOOKED, str(self._looked).encode())])

    def _recent(self, group: Json) -> Json:
        oldest = self._oldest - LATE
        slots = {name: {at: n for at, n in group[name].items() if int(at) >= oldest} for name in ("told", "own")}
        return {"from": group["from"], **slots}

    def due(self, every: int = EVERY) -> bool:
        """Whether it is time to look again."""
        return self._now - self._looked >= every

    def look(self, client: Elasticsearch, patterns: Sequence[str], before: int) -> Iterator[tuple[Window, int]]:
        """Windows of slots that have grown, and by how many documents: of what was ingested before a time.

        Raises:
            StoreError: the cluster cannot be searched.
        """
        self._looked = self._now
        for pattern, group in list(self._groups.items()):
            low = max(group["from"], self._oldest)
            low += -low % SLOT
            if not set(pattern.split(",")) <= set(patterns) or low >= before:
                continue
            found = count(client, pattern, (low, before), (max(0, low - LATE), before - LATE))
            grown = [_grown(group[name], slots) for name, slots in found._asdict().items()]
            self.note(pattern, group["from"], found)
            if any(grown):
                told, own = (read.stretches(sorted(slots), SLOT) for slots in grown)
                window = Window(pattern, min(low for low, _ in (*told, *own)), self._now, told, own)
                yield window, sum(sum(slots.values()) for slots in grown)


def count(client: Elasticsearch, pattern: str, told: tuple[int, int], own: tuple[int, int]) -> Counts:
    """Count documents by slot: those that tell when they were ingested, and others by their own time.

    Raises:
        StoreError: the cluster cannot be searched.
    """
    with explained(f"counting {pattern}"):
        by = read.clocks(client, pattern)
        ways = read.told(*told, by), read.lacking(*own, by)
        wanted = {"bool": {"filter": [read.any_of(list(ways))], "must_not": [read.FROZEN]}}
        return counts(read.aggregated(client, pattern, wanted, _both(by, *ways)))


def aggregations(by: Clocks, since: int, until: int) -> Json:
    """What counts the documents of a window by slot."""
    return _both(by, read.told(since, until, by), read.lacking(max(0, since - LATE), until, by))


def _both(by: Clocks, told: Json, own: Json) -> Json:
    """Nothing where some index maps the time of ingestion otherwise: it would refuse."""
    return {} if by.odd else {"told": _by_slot(told, read.INGESTED), "own": _by_slot(own, read.TIMESTAMP)}


def _by_slot(documents: Json, field: str) -> Json:
    steps = {"field": field, "fixed_interval": f"{SLOT}s", "min_doc_count": 1}
    return {"filter": documents, "aggs": {"slots": {"date_histogram": steps}}}


def counts(found: Json) -> Counts:
    """What the aggregations found."""
    return Counts(*({bucket["key"] // 1000: bucket["doc_count"]
                     for bucket in found.get(name, {}).get("slots", {}).get("buckets", [])}
                    for name in ("told", "own")))  # fmt: skip


def _grown(before: Json, now: Slots) -> Slots:
    """Slot → documents more."""
    return {slot: n - before.get(str(slot), 0) for slot, n in now.items() if n > before.get(str(slot), 0)}


# ---- windows


OVERLAP = 600
"""Seconds read again before the checkpoint; records are deduplicated by their own ids."""
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


def pending(store: Store) -> list[Task]:
    """What a killed run has left to do."""
    row = store.get("meta", [_PENDING]).get(_PENDING)
    return [from_row(plain) for plain in orjson.loads(row)] if row else []


def from_row(plain: dict[str, Any]) -> Task:
    """A task out of a row of state."""
    ranges, own = (tuple((low, high) for low, high in plain[name]) for name in ("ranges", "own"))
    window = Window(plain["pattern"], plain["since"], plain["until"], ranges, own)
    return Task(window, tuple(plain["cuts"]), plain["done"], plain["documents"],
                plain.get("starts", 0), tuple(plain.get("failures", ())))  # fmt: skip


def to_row(task: Task) -> dict[str, Any]:
    """The same the other way."""
    told = {name: value for name, value in task._asdict().items() if name != "window"}
    return {**task.window._asdict(), **told}


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
    return {pattern: _number(rows.get(f"{_CHECKPOINT}{pattern}")) for pattern in patterns}


def _number(raw: Optional[bytes]) -> Optional[int]:
    return int(raw) if raw is not None else None


def windows(store: Store, wanted: Wanted) -> list[Window]:
    """What is to be read now: patterns of one cluster that begin at the same time share a window.

    A window begins at a full slot, so that what is counted of a slot was read. A checkpoint of the future, by a clock
    that was wrong, counts as now.
    """
    if any(len(pattern.encode()) > _LONGEST for pattern in wanted.patterns):
        raise StoreError(f"the name of a source index is too long: at most {_LONGEST} bytes; use a pattern")
    begun: dict[tuple[int, str], list[str]] = {}
    for pattern, read_until in checkpoints(store, wanted.patterns).items():
        since = wanted.until - FIRST if read_until is None else min(read_until, wanted.until) - OVERLAP
        since = since if wanted.since is None else wanted.since
        begun.setdefault((since - since % SLOT, cluster.cluster(pattern)), []).append(pattern)
    return [Window(",".join(patterns), since, max(since, wanted.until))
            for (since, _), patterns in sorted(begun.items())]  # fmt: skip


class Planned(NamedTuple):
    """A window, planned."""

    task: Task
    counts: Counts
    """How many documents each slot of its time has, which are then read."""


def cut(client: Elasticsearch, window: Window) -> Planned:
    """Plan a window's parts by how many documents each day has.


    Raises:
        PassingError: not all that it reads answered.
    """
    with explained(f"planning {window.pattern}"):
        by = read.clocks(client, window.pattern)
        since = max(window.since, window.until - DAYS * DAY)
        told = read.aggregated(client, window.pattern, read.query(window, by), {
            **read.steps(DAY), **aggregations(by, since, window.until)
        })  # fmt: skip
    days = read.counted(told)
    cuts, held = [], 0
    for day, count in sorted(days.items()):
        if held >= PART:
            cuts.append(day)
            held = 0
        held += count
    return Planned(Task(window, tuple(cuts), 0, sum(days.values())), counts(told))


# ---- parts that were given up


class Aside(NamedTuple):
    """A part whose documents are left out from now on; without this the overlap would read them again."""

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

