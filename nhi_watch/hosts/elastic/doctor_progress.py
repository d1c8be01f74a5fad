"""Does the job move? What waits, what is noted and fails, what was set aside, and what cannot be reached."""

from __future__ import annotations

from collections.abc import Iterator

from elasticsearch import Elasticsearch

from nhi_watch.core.timestamps import render
from nhi_watch.hosts.elastic import access, clock, read, templates, windows
from nhi_watch.hosts.elastic.check import FAIL, OK, WARN, Check, Wanted
from nhi_watch.hosts.elastic.doctor_sources import span
from nhi_watch.hosts.elastic.lease import held
from nhi_watch.hosts.elastic.read import Window
from nhi_watch.hosts.elastic.store import ElasticStore

_AGAIN = 2
"""How often a part may have been begun before it is called stuck."""


def checks(client: Elasticsearch, wanted: Wanted) -> Iterator[Check]:
    """All answers about progress; none where there is no state."""
    index = f"{templates.STATE}-{wanted.namespace}"
    if not client.indices.exists(index=index):
        return
    store = ElasticStore(client, index)
    reach = access.reach(client, wanted.pattern.split(","), templates.READ)
    for each in reach.unread:
        yield Check("reach", FAIL, f"{each.pattern} is not read: {each.why}", "", {"index": each.pattern})
    now = int(clock.now(client, index))
    yield _noted(client, store, (index, wanted.late, now))
    yield from _aside(store)
    yield from _backlog(client, store, wanted._replace(pattern=",".join(reach.patterns)), now)


def _noted(client: Elasticsearch, store: ElasticStore, asked: tuple[str, int, int]) -> Check:
    """A part that was noted and is not done: by a run at work, or by one that comes to nothing every time."""
    index, late, now = asked
    tasks = windows.pending(store)
    if not tasks:
        return Check("progress", OK, "no part of a window is left over")
    lease = held(client, index)
    at_work = lease is not None and lease.until > now
    first = tasks[0]
    left = sum(len(task.spans()) for task in tasks)
    facts = {"parts_left": left, "begun": first.starts, "failures": list(first.failures)}
    told = f"{left} parts of windows are left; the next one was noted for {first.window.pattern}"
    told += f" until {render(first.window.until)} and begun {first.starts} times"
    if first.failures:
        told += f"; it failed {len(first.failures)} times: {first.failures[-1]}"
    stuck = bool(first.failures) or first.starts > _AGAIN or (not at_work and now - first.window.until > late)
    if stuck:
        remedy = "look at the job's output; after three failures the part is set aside"
        return Check("progress", FAIL, f"the job does not move: {told}", remedy, facts)
    return Check("progress", OK, f"{told}; {'a run is' if at_work else 'the next run will be'} at it", "", facts)


def _aside(store: ElasticStore) -> Iterator[Check]:
    parts = windows.asides(store)
    if parts:
        documents = sum(part.documents for part in parts)
        told = f"{documents:,} documents in {len(parts)} parts were set aside and are not read; the last one for"
        since = render(min(part.window.since for part in parts))
        remedy = f"after an upgrade `nhi elastic run --since {since}` reads them again"
        yield Check("set aside", FAIL, f"{told}: {parts[-1].why}", remedy, {"parts": [part.told() for part in parts]})


def _backlog(client: Elasticsearch, store: ElasticStore, wanted: Wanted, now: int) -> Iterator[Check]:
    begun = {p: at for p, at in windows.checkpoints(store, wanted.pattern.split(",")).items() if at is not None}
    if not begun:
        yield Check("backlog", WARN, "nothing was read yet", "run `nhi elastic run`")
        return
    oldest = min(begun.values())
    window = Window(",".join(begun), oldest, now)
    waiting = sum(read.count_by(client, window, 86_400).values()) if now > oldest else 0
    facts = {"behind": now - oldest, "documents": waiting}
    told = f"read until {span(now - oldest)} ago; about {waiting:,} documents wait"
    if now - oldest > wanted.late and waiting:
        yield Check("backlog", FAIL, told, "run it more often, or see docs/elastic.md on tuning", facts)
    elif oldest - now > wanted.late:
        told = f"a checkpoint is {span(oldest - now)} in the future: a clock was wrong"
        yield Check("backlog", WARN, told, "nothing: the next run puts it right", facts)
    else:
        yield Check("backlog", OK, told, "", facts)
