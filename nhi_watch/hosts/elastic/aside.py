"""Parts that were given up: their documents are named, the job goes on without them, and they can be read again.

`nhi elastic window show|skip|retry` is for people; what stands here is not read by any run until then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from elasticsearch import Elasticsearch

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.elastic import read, windows
from nhi_watch.hosts.elastic.read import Span, Window
from nhi_watch.hosts.elastic.store_errors import complete, explained
from nhi_watch.hosts.elastic.windows import Task
from nhi_watch.state.store import Store

NAMED = 20
"""Documents that are named by their ids."""
_ASIDE = "elastic:aside"

Json = dict[str, Any]


class Aside(NamedTuple):
    """One part."""

    window: Window
    span: Span
    why: str
    when: int
    documents: int
    named: tuple[tuple[str, str], ...] = ()
    """Index and id of the first of them."""

    def told(self) -> Json:
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
            "ids": [{"index": index, "id": name} for index, name in self.named],
        }


def listed(store: Store) -> list[Aside]:
    """All of them, oldest first."""
    row = store.get("meta", [_ASIDE]).get(_ASIDE)
    return [_from_row(plain) for plain in orjson.loads(row)] if row else []


def _from_row(plain: Json) -> Aside:
    named = tuple((index, name) for index, name in plain["named"])
    window = windows.from_row(plain["task"]).window
    return Aside(window, Span(*plain["span"]), plain["why"], plain["when"], plain["documents"], named)


def put(store: Store, asides: Iterable[Aside]) -> None:
    """Put the list down; committing is the caller's business."""
    rows = [
        {**each._asdict(), "task": windows.to_row(Task(each.window)), "window": None, "span": list(each.span)}
        for each in asides
    ]
    store.put("meta", [(_ASIDE, orjson.dumps(rows) if rows else None)])


def made(client: Elasticsearch, task: Task, why: str, when: int) -> Aside:
    """A task's next part, with its documents.

    Raises:
        StoreError: they cannot be searched.
    """
    window, span = task.window, task.spans()[0]
    with explained(f"naming documents of {window.pattern}"):
        told = client.search(
            index=window.pattern, query=read.query(window, read.clocks(client, window.pattern), span), size=NAMED,
            source=False, track_total_hits=True, ignore_unavailable=True,
        )  # fmt: skip
    hits = complete(told.body, "naming documents")["hits"]
    named = tuple((hit["_index"], hit["_id"]) for hit in hits["hits"])
    return Aside(window, span, why, when, hits["total"]["value"], named)


def without(client: Elasticsearch, asides: Sequence[Aside], pattern: str, of: str) -> list[Json]:
    """Queries of what is left out of a pattern, which is one of those of a window; `of`: all that window's patterns."""
    chosen = [each for each in asides if set(of.split(",")) <= set(each.window.pattern.split(","))]
    if not chosen:
        return []
    with explained(f"reading {pattern}"):
        by = read.clocks(client, pattern)
    return [read.query(each.window, by, each.span) for each in chosen]


# ---- by hand


def skip_next(client: Elasticsearch, store: Store, now: int) -> Aside:
    """Set aside the part that the next run would begin with.

    Raises:
        InputError: there is none.
    """
    tasks = windows.pending(store)
    if not tasks:
        raise InputError("no part of a window is noted: there is nothing to skip")
    given = made(client, tasks[0], "skipped by hand", now)
    put(store, [*listed(store), given])
    windows.advance(store, tasks)
    return given


def forget(store: Store, number: int) -> Aside:
    """Give a part up for good.

    Raises:
        InputError: there is no such number.
    """
    return _taken(store, number)


def retry(store: Store, number: int) -> Aside:
    """Let the next run read a part again.

    Raises:
        InputError: there is no such number.
    """
    taken = _taken(store, number)
    windows.note(store, [*windows.pending(store), Task(taken.window, documents=taken.documents, only=taken.span)])
    return taken


def _taken(store: Store, number: int) -> Aside:
    asides = listed(store)
    if not 1 <= number <= len(asides):
        raise InputError(f"no part has the number {number}: `nhi elastic window show` lists {len(asides)}")
    taken = asides.pop(number - 1)
    put(store, asides)
    return taken
