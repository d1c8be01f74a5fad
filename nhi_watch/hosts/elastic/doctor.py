"""`nhi elastic doctor`: is everything there that the job needs, and does it run? One answer for each question.

It only reads. What the key may not look at is told as not known, with the privilege that it lacks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

import orjson
from elasticsearch import ApiError, Elasticsearch

from nhi_watch.core.errors import RejectError, StoreError
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY, parse, render
from nhi_watch.hosts.elastic import cluster, read, setup, windows
from nhi_watch.hosts.elastic.cluster import explained
from nhi_watch.hosts.elastic.read import SOURCES, Hit, Item, Window, sources_of
from nhi_watch.hosts.elastic.setup import HEALTH
from nhi_watch.hosts.elastic.store import ElasticStore, held
from nhi_watch.hosts.elastic.store import now as cluster_now
from nhi_watch.intake.days import FORESEEN
from nhi_watch.report.words import span

# ---- check
#
# What the doctor is asked, and what it answers.


Json = dict[str, Any]
OK, WARN, FAIL, UNKNOWN = "ok", "warn", "fail", "unknown"


class Check(NamedTuple):
    """One question and its answer."""

    name: str
    status: str
    """ok | warn | fail | unknown"""
    detail: str
    remedy: str = ""
    facts: Json = {}  # noqa: RUF012 - never changed
    """The same for programs."""


class Wanted(NamedTuple):
    """What is examined."""

    pattern: str
    namespace: str
    late: int
    """Seconds after which a heartbeat, or what was not read yet, is too old."""


# ---- doctor sources
#
# What the doctor asks of a source: is it there, how late is it, does the reader understand it, what does it not tell?
#
# The newest documents are read as a run would read them. So it is the reader itself that says which facts about events
# are missing.


SAMPLE = 200
_ENOUGH = 50
"""Events from which on it counts that none of them tells a fact."""
_TOLD = ("address", "agent", "region", "session", "credential")
"""Facts that ordinary events have; a session names the credential, too."""
_SKEW = 300
"""Seconds by which what is sampled may be ahead of this host's clock."""
_QUIET = 6 * 3600
"""Seconds without a document after which a source is called quiet."""


@dataclass
class Source:
    """What was found of one index pattern."""

    pattern: str
    there: bool = False
    newest: int = 0
    """Seconds since the newest document was ingested; 0: there is none."""
    documents: int = 0
    """How many were looked at."""
    understood: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    """Reason → documents that are no events."""
    delay: float = 0.0
    """Median of the seconds from an event to its ingestion."""
    missing: list[str] = field(default_factory=list)
    """Facts that no event tells: the signals that go by them are silent."""

    def facts(self) -> Json:
        """All of it, for programs."""
        return {
            "there": self.there, "seconds_since_newest": self.newest, "sampled": self.documents,
            "understood": self.understood, "rejected": self.reasons, "median_delay": self.delay,
            "missing": self.missing,
        }  # fmt: skip


def look(client: Elasticsearch, pattern: str) -> Source:
    """Look at a source and its newest documents."""
    source = Source(pattern)
    resolved = client.indices.resolve_index(name=pattern, expand_wildcards="all", ignore_unavailable=True).body
    source.there = bool(resolved["data_streams"] or resolved["indices"])
    if not source.there:
        return source
    newest = [{read.TIMESTAMP: {"order": "desc", "unmapped_type": "date"}}]
    hits = client.search(index=pattern, size=SAMPLE, sort=newest, ignore_unavailable=True)["hits"]["hits"]
    _judge_times(source, hits)
    events = _read(source, hits)
    if len(events) >= _ENOUGH:
        told = {fact for fact in _TOLD if any(getattr(event, fact) for event in events)}
        told |= {"session", "credential"} if told & {"session", "credential"} else set()
        source.missing = [fact for fact in _TOLD if fact not in told]
    return source


def _judge_times(source: Source, hits: Sequence[Json]) -> None:
    now = int(time.time())
    ingested = [_time(hit, "event", "ingested") for hit in hits]
    happened = [_time(hit, read.TIMESTAMP) for hit in hits]
    known = [at for at in (*ingested, *happened) if at and at <= now + _SKEW]
    source.newest = max(1, now - max(known)) if known else 0
    delays = [i - h for i, h in zip(ingested, happened) if i and h]
    source.delay = float(median(delays)) if delays else 0.0


def _time(hit: Json, *path: str) -> int:
    node: Any = hit.get("_source", {})
    for step in path:
        node = node.get(step) if isinstance(node, dict) else None
    try:
        return parse(node)
    except RejectError:
        return 0


def _read(source: Source, hits: Sequence[Json]) -> list[Event]:
    """The documents as events, by the sources themselves."""
    readers = sources_of(SOURCES)
    found = []
    for hit in hits:
        item = Item(Hit(hit["_index"], hit["_id"], orjson.dumps(hit.get("_source", {}))))  # type: ignore[arg-type]
        reader = next((each for each in readers if each.claims(item)), readers[0])
        event = _event(reader, item, source)
        if event is not None:
            found.append(event)
    source.documents, source.understood = len(hits), len(found)
    return found


def _event(reader: Any, item: Item, source: Source) -> Event | None:
    try:
        with FORESEEN:
            event: Event = reader.read(item)
    except RejectError as error:
        source.reasons[error.reason] = source.reasons.get(error.reason, 0) + 1
        return None
    return event


_HARDLY = 10
"""A source of which not one document in so many is an event is not read."""


def told(source: Source) -> tuple[str, str, str]:
    """Status, sentence and remedy of a source."""
    if not source.there:
        return "ok", "not there, so not read", ""
    if not source.documents:
        return "warn", "there, but without a document", "look at the integration that should write it"
    parts = [f"newest {span(source.newest)} old, {span(int(source.delay))} from event to index (median)"]
    parts.append(f"{source.understood} of {source.documents} newest documents understood")
    status, remedies = "ok", []
    if source.understood * _HARDLY < source.documents:
        status = "fail"
        remedies.append(f"most are no events to any source ({', '.join(source.reasons)}): check --index")
    for trouble, text, remedy in _troubles(source):
        if trouble:
            status = max(status, "warn", key=("ok", "warn", "fail").index)
            parts.append(text)
            remedies.append(remedy)
    return status, "; ".join(parts), "; ".join(remedy for remedy in remedies if remedy)


def _troubles(source: Source) -> list[tuple[bool, str, str]]:
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(source.reasons.items()))
    missing = f"no document tells {', '.join(source.missing)}, so signals that go by that are silent"
    return [
        (source.newest > _QUIET, "quiet for hours", "look at the integration that should write it"),
        (0 < source.understood < source.documents, f"not understood: {reasons}", ""),
        (bool(source.missing), missing, "upgrade the integration, or let it keep event.original"),
    ]


# ---- doctor progress
#
# Does the job move? What waits, what is noted and fails, what was set aside, and what cannot be reached.


_AGAIN = 2
"""How often a part may have been begun before it is called stuck."""


def checks(client: Elasticsearch, wanted: Wanted) -> Iterator[Check]:
    """All answers about progress; none where there is no state."""
    index = f"{setup.STATE}-{wanted.namespace}"
    if not client.indices.exists(index=index):
        return
    store = ElasticStore(client, index)
    reach = cluster.reach(client, wanted.pattern.split(","), setup.READ)
    if reach.unread:
        facts = {"indices": [each.pattern for each in reach.unread]}
        yield Check("reach", FAIL, f"not read: {'; '.join(cluster.together(reach.unread))}", "", facts)
    now = int(cluster_now(client, index))
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
    window = Window(",".join(begun), oldest, now, ranges=((oldest, now),), own=((oldest, now),))
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


# ---- doctor


_SOON, _URGENT = 14 * DAY, 3 * DAY
"""Before a key expires: when that is told, and when it is wrong."""


def examine(client: Elasticsearch, wanted: Wanted) -> list[Check]:
    """All answers. A question whose answer fails for another reason than its own is answered `unknown`."""
    questions: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("privileges", lambda: _privileges(client, wanted)),
        ("key", lambda: _key(client)),
        ("state", lambda: _state(client, wanted)),
        ("heartbeat", lambda: _heartbeat(client, wanted)),
        ("progress", lambda: checks(client, wanted)),
        ("sources", lambda: _sources(client, wanted)),
    ]
    return [check for name, ask in questions for check in _answered(name, ask)]


def worst(checks: list[Check]) -> str:
    """The answer that counts: fail, warn or ok."""
    told = {check.status for check in checks}
    return next((status for status in (FAIL, WARN) if status in told), OK)


def _answered(name: str, ask: Callable[[], Iterator[Check]]) -> list[Check]:
    try:
        with explained(f"asking about {name}"):
            return list(ask())
    except StoreError as error:
        cause = error.__cause__
        if isinstance(cause, ApiError) and cause.status_code in (400, 403, 404, 405):
            return [Check(name, UNKNOWN, f"the cluster does not tell: {str(error)[:300]}")]
        raise


def _privileges(client: Elasticsearch, wanted: Wanted) -> Iterator[Check]:
    asked = setup.role_request(wanted.namespace, wanted.pattern)["indices"]
    missing = cluster.lacking(client, asked)
    lacking = sorted(f"{privilege} on {index}" for index, privileges in missing.items() for privilege in privileges)
    if lacking:
        facts = {"lacking": lacking}
        yield Check("privileges", FAIL, f"the key lacks {'; '.join(lacking[:10])}", cluster.REMEDY, facts)
    else:
        yield Check("privileges", OK, "the key has what the job needs")


def _key(client: Elasticsearch) -> Iterator[Check]:
    """When the key expires, which a key may ask of itself."""
    try:
        told = client.security.authenticate().body.get("api_key")
    except ApiError as problem:
        if problem.status_code in cluster.NO_SECURITY:
            return
        raise
    keys = client.security.get_api_key(id=told["id"]).body["api_keys"] if told else []
    for until in [key["expiration"] / 1000 for key in keys if key.get("expiration")]:
        left = until - time.time()
        status = FAIL if left < _URGENT else WARN if left < _SOON else OK
        remedy = "" if status == OK else "make a new one (docs/elastic.md, step 3)"
        yield Check("key", status, f"the key expires in {span(int(left))}", remedy, {"expires": render(int(until))})


def _state(client: Elasticsearch, wanted: Wanted) -> Iterator[Check]:
    index = f"{setup.STATE}-{wanted.namespace}"
    if not client.indices.exists(index=index):
        yield Check("state", FAIL, f"{index} does not exist", "run `nhi elastic setup`")
        return
    lease = held(client, index)
    if lease is not None and lease.until > cluster_now(client, index):
        facts = {"holder": lease.holder, "until": render(int(lease.until))}
        yield Check("state", OK, f"{lease.holder} is at work until {facts['until']} at most", "", facts)
    else:
        yield Check("state", OK, f"{index} is there; no run is at work")


def _heartbeat(client: Elasticsearch, wanted: Wanted) -> Iterator[Check]:
    told = client.search(
        index=f"{HEALTH}-{wanted.namespace}", size=1, sort=[{"@timestamp": "desc"}], ignore_unavailable=True,
        query={"term": {"event.action": "nhi-run"}},
    )  # fmt: skip
    hits = told["hits"]["hits"]
    if not hits:
        yield Check("heartbeat", WARN, "no run has left a heartbeat yet", "schedule `nhi elastic run`")
        return
    last = hits[0]["_source"]
    age = int(cluster_now(client, f"{setup.STATE}-{wanted.namespace}")) - parse(last["@timestamp"])
    outcome = last["event"]["outcome"]
    facts = {"age": age, "outcome": outcome, "message": str(last.get("message"))[:500]}
    told_of = f"the last run ended {span(age)} ago ({outcome}): {facts['message']}"
    if age > wanted.late:
        yield Check("heartbeat", FAIL, told_of, "look at the scheduler, and at the job's own output", facts)
    elif outcome != "success":
        yield Check("heartbeat", FAIL, told_of, "", facts)
    else:
        yield Check("heartbeat", OK, told_of, "", facts)


def _sources(client: Elasticsearch, wanted: Wanted) -> Iterator[Check]:
    """What cannot be read looks as if it were not there: `privileges` and `reach` tell of it."""
    patterns = wanted.pattern.split(",")
    unread = {each.pattern for each in cluster.reach(client, patterns, setup.READ).unread}
    found = [look(client, pattern) for pattern in patterns if pattern not in unread]
    for source in found:
        status, detail, remedy = told(source)
        yield Check(f"source {source.pattern}", status, detail, remedy, source.facts())
    if not unread and not any(source.there for source in found):
        remedy = "install an integration that writes one of these, or name yours with --index"
        yield Check("sources", FAIL, "none of the source indices exists", remedy)

