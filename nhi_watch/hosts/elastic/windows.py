"""What a run has to read, noted in the state before it is read, so that a killed run is run again alike.

A task is a window of time of ingestion over some index patterns, cut into parts by event time. A part is read,
scored, written and committed by itself: memory holds one part, and what is done stays done. Each pattern has a
checkpoint of its own, so that a pattern that is new is read from far back and the others are not.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Optional

import orjson
from elasticsearch import Elasticsearch

from nhi_watch.core.errors import StoreError
from nhi_watch.core.timestamps import DAY
from nhi_watch.hosts.elastic import read
from nhi_watch.hosts.elastic.read import ALL, Span, Window
from nhi_watch.hosts.elastic.store_errors import explained
from nhi_watch.state.store import Store

OVERLAP = 600
"""Seconds read again before the checkpoint; records are deduplicated by their own ids."""
FIRST = 30 * DAY
"""How far back a first run reads without --since."""
PART = 200_000
"""Documents from which on a part ends with its day: about 200 MB where behaviours seldom repeat."""
PART_PUSHED = 1_000_000
"""The same where the cluster groups them: what is held are behaviours without marks of each record."""
PUSH_FROM = 50_000
NEVER = 1 << 62
_PENDING = "elastic:pending"
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
    push: bool = False
    """Whether the cluster is to group CloudTrail's documents."""

    def spans(self) -> list[Span]:
        """The parts that are left; together all of event time."""
        ends = [None, *self.cuts, None]
        return [Span(low, high) for low, high in zip(ends, ends[1:])][self.done :]


class Wanted(NamedTuple):
    """What the caller wants to be read."""

    patterns: tuple[str, ...]
    since: Optional[int]
    """Read from here, whatever the checkpoints say."""
    lag: int


def pending(store: Store) -> list[Task]:
    """What a killed run has left to do."""
    row = store.get("meta", [_PENDING]).get(_PENDING)
    return [_from_row(plain) for plain in orjson.loads(row)] if row else []


def _from_row(plain: dict[str, Any]) -> Task:
    ranges, own = (tuple((low, high) for low, high in plain[name]) for name in ("ranges", "own"))
    window = Window(plain["pattern"], plain["since"], plain["until"], ranges, own)
    return Task(window, tuple(plain["cuts"]), plain["done"], plain["documents"], plain["push"])


def note(store: Store, tasks: Sequence[Task]) -> None:
    """Put down what is to be done; committed before anything is read."""
    rows = [{**task.window._asdict(), **{name: value for name, value in task._asdict().items() if name != "window"}}
            for task in tasks]  # fmt: skip
    store.put("meta", [(_PENDING, orjson.dumps(rows) if rows else None)])


def advance(store: Store, tasks: Sequence[Task]) -> list[Task]:
    """Put down that the first task's next part is done; with the last one its checkpoints move."""
    first, *others = tasks
    if len(first.spans()) > 1:
        left = [first._replace(done=first.done + 1), *others]
    else:
        left = others
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
    """What is to be read now: patterns that begin at the same time share a window."""
    if any(len(pattern.encode()) > _LONGEST for pattern in wanted.patterns):
        raise StoreError(f"the name of a source index is too long: at most {_LONGEST} bytes; use a pattern")
    until = int(time.time()) - wanted.lag
    begun: dict[int, list[str]] = {}
    for pattern, read_until in checkpoints(store, wanted.patterns).items():
        since = until - FIRST if read_until is None else read_until - OVERLAP
        begun.setdefault(since if wanted.since is None else wanted.since, []).append(pattern)
    return [Window(",".join(patterns), since, max(since, until)) for since, patterns in sorted(begun.items())]


def cut(client: Elasticsearch, window: Window, push_from: int) -> Task:
    """Plan a window's parts by how many documents each day has."""
    with explained(f"planning {window.pattern}"):
        days = count_by(client, window, DAY)
    documents = sum(days.values())
    push = documents >= push_from
    cuts, held = [], 0
    for day, count in sorted(days.items()):
        if held >= (PART_PUSHED if push else PART):
            cuts.append(day)
            held = 0
        held += count
    return Task(window, tuple(cuts), 0, documents, push)


def count_by(client: Elasticsearch, window: Window, seconds: int, span: Span = ALL) -> dict[int, int]:
    """Start of each stretch of event time → documents of the window in it."""
    by = read.clocks(client, window.pattern)
    steps = {"field": read.TIMESTAMP, "fixed_interval": f"{seconds}s", "min_doc_count": 1}
    told = client.search(
        index=window.pattern,
        query=read.query(window, by, span),
        size=0,
        aggs={"steps": {"date_histogram": steps}},
        ignore_unavailable=True,
        allow_partial_search_results=False,
    )
    buckets = told.body.get("aggregations", {}).get("steps", {}).get("buckets", [])
    return {bucket["key"] // 1000: bucket["doc_count"] for bucket in buckets}
