"""`nhi elastic doctor`: is everything there that the job needs, and does it run? One answer for each question.

It only reads. What the key may not look at is reported as not known, with the privilege that it lacks.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
import orjson
from elasticsearch import ApiError, Elasticsearch

from nhi_watch.core.errors import RejectError, StoreError
from nhi_watch.core.timestamps import DAY, HOUR, parse, render
from nhi_watch.detect.health import ERROR, OK, UNKNOWN, WARN, Check, check
from nhi_watch.hosts.elastic import cluster, read, setup, windows
from nhi_watch.hosts.elastic.cluster import explained
from nhi_watch.hosts.elastic.read import Hit, Window
from nhi_watch.hosts.elastic.setup import HEALTH
from nhi_watch.hosts.elastic.store import ElasticStore, read_lease
from nhi_watch.hosts.elastic.store import now as cluster_now
from nhi_watch.report.words import span

Json = dict[str, Any]
SAMPLE = 200
"""Newest documents of a source that are read as a run would read them."""
_HARDLY = 10
"""A source of which not one document in so many is an event is not read."""
_ENOUGH = 50
"""Events from which on it counts that none of them has a fact."""
_FACTS = ("address", "agent", "region", "session", "credential")
"""Facts that ordinary events have; a session names the credential, too."""
_SKEW = 300
"""Seconds by which what is sampled may be ahead of this host's clock."""
_QUIET = 6 * HOUR
"""Seconds without a document after which a source is called quiet."""
_AGAIN = 2
"""How often a part may have been begun before it is called stuck."""
_SOON, _URGENT = 14 * DAY, 3 * DAY
"""Before a key expires: when that is a warning, and when an error."""
_NAMED = 3


class Examined(NamedTuple):
    """What is examined."""

    pattern: str
    namespace: str
    late: int
    """Seconds after which a heartbeat, or what was not read yet, is too old."""

    @property
    def state(self) -> str:
        """Name of the state's index."""
        return f"{setup.STATE}-{self.namespace}"


def examine(client: Elasticsearch, wanted: Examined) -> list[Check]:
    """All answers. A question whose answer fails for another reason than its own is answered `unknown`."""
    return [answer for name, ask in _QUESTIONS.items() for answer in _answered(name, partial(ask, client, wanted))]


def _answered(name: str, ask: Callable[[], Iterator[Check]]) -> list[Check]:
    try:
        with explained(f"asking about {name}"):
            return list(ask())
    except StoreError as error:
        cause = error.__cause__
        if not isinstance(cause, ApiError) or cause.status_code not in (400, 403, 404, 405):
            raise
        return [check(name, UNKNOWN, f"the cluster did not answer: {str(error)[:300]}")]


def worth_reading(checks: list[Check]) -> list[Check]:
    """The many sources that nobody has are one line."""
    absent = [each for each in checks if each.facts.get("there") is False]
    if not absent:
        return checks
    named = ", ".join(each.about for each in absent[:_NAMED])
    text = f"{len(absent)} more that nhi can read do not exist: {named}{' and others' * (len(absent) > _NAMED)}"
    return [*(each for each in checks if each not in absent), check("source", OK, text, "others")]


def _privileges(client: Elasticsearch, wanted: Examined) -> Iterator[Check]:
    asked = setup.role_request(wanted.namespace, wanted.pattern)["indices"]
    missing = cluster.lacking(client, asked)
    lacking = sorted(f"{privilege} on {index}" for index, privileges in missing.items() for privilege in privileges)
    if lacking:
        text = f"the key lacks {'; '.join(lacking[:10])}"
        yield check("privileges", ERROR, text, remedy=cluster.REMEDY, lacking=lacking)
    else:
        yield check("privileges", OK, "the key has what the job needs")


def _key(client: Elasticsearch, wanted: Examined) -> Iterator[Check]:
    """When the key expires, which a key may ask of itself."""
    try:
        key = client.security.authenticate().body.get("api_key")
    except ApiError as problem:
        if problem.status_code in cluster.NO_SECURITY:
            return
        raise
    keys = client.security.get_api_key(id=key["id"]).body["api_keys"] if key else []
    for until in [key["expiration"] / 1000 for key in keys if key.get("expiration")]:
        left = until - time.time()
        status = ERROR if left < _URGENT else WARN if left < _SOON else OK
        yield check("key", status, f"the key expires in {span(int(left))}", expires=render(int(until)))


def _state(client: Elasticsearch, wanted: Examined) -> Iterator[Check]:
    if not client.indices.exists(index=wanted.state):
        yield check("state", ERROR, f"{wanted.state} does not exist")
        return
    lease = read_lease(client, wanted.state)
    if lease is not None and lease.until > cluster_now(client, wanted.state):
        until = render(int(lease.until))
        yield check("state", OK, f"{lease.holder} is running until {until} at most", holder=lease.holder, until=until)
    else:
        yield check("state", OK, f"{wanted.state} exists; no run is active")


def _heartbeat(client: Elasticsearch, wanted: Examined) -> Iterator[Check]:
    response = client.search(
        index=f"{HEALTH}-{wanted.namespace}",
        size=1,
        sort=[{"@timestamp": "desc"}],
        ignore_unavailable=True,
        query={"term": {"event.action": "nhi-run"}},
    )
    hits = response["hits"]["hits"]
    if not hits:
        yield check("heartbeat", WARN, "no run has left a heartbeat yet", remedy="schedule `nhi elastic run`")
        return
    last = hits[0]["_source"]
    age = int(cluster_now(client, wanted.state)) - parse(last["@timestamp"])
    outcome = last["event"]["outcome"]
    facts: Json = {"age": age, "outcome": outcome, "message": str(last.get("message"))[:500]}
    status = ERROR if age > wanted.late or outcome != "success" else OK
    remedy = "look at the scheduler, and at the job's own output" if age > wanted.late else None
    text = f"the last run ended {span(age)} ago ({outcome}): {facts['message']}"
    yield check("heartbeat", status, text, remedy=remedy, **facts)


# ---- does the job move? What waits, what is noted and fails, what was set aside, and what cannot be read


def _progress(client: Elasticsearch, wanted: Examined) -> Iterator[Check]:
    """All answers about progress; none where there is no state."""
    if not client.indices.exists(index=wanted.state):
        return
    store = ElasticStore(client, wanted.state)
    reach = cluster.readable_patterns(client, wanted.pattern.split(","), setup.READ)
    if reach.unread:
        text = f"not read: {'; '.join(cluster.together(reach.unread))}"
        yield check("reach", ERROR, text, indices=[each.pattern for each in reach.unread])
    now = int(cluster_now(client, wanted.state))
    yield _noted(client, store, wanted, now)
    parts = windows.asides(store)
    if parts:
        text = f"{sum(part.documents for part in parts):,} documents in {len(parts)} parts"
        since = render(min(part.window.since for part in parts))
        remedy = f"after an upgrade `nhi elastic run --since {since}` reads them again"
        text = f"{text} were set aside and will not be read; the last one for: {parts[-1].why}"
        yield check("set aside", ERROR, text, remedy=remedy, parts=[part.to_json() for part in parts])
    suspect = read.clocks(client, ",".join(reach.patterns)).suspect if reach.patterns else ()
    if suspect:
        named = ", ".join(suspect[:_NAMED]) + f" and {len(suspect) - _NAMED} more" * (len(suspect) > _NAMED)
        text = f"event.ingested or @timestamp is not mapped as a date in {named}: read separately, by @timestamp"
        yield check("mapping", WARN, text, indices=list(suspect))
    yield _backlog(client, store, reach.patterns, (wanted.late, now))


def _noted(client: Elasticsearch, store: ElasticStore, wanted: Examined, now: int) -> Check:
    """A part that was noted and is not done: by a run at work, or by one that comes to nothing every time."""
    tasks = windows.pending(store)
    if not tasks:
        return check("progress", OK, "no part of a window is unread")
    lease, first = read_lease(client, wanted.state), tasks[0]
    at_work = lease is not None and lease.until > now
    left = sum(len(task.spans()) for task in tasks)
    facts: Json = {"parts_left": left, "begun": first.starts, "failures": list(first.failures)}
    text = f"{left} parts of windows are unread; the next one was noted for {first.window.pattern}"
    text += f" until {render(first.window.until)} and begun {first.starts} times"
    if first.failures:
        text += f"; it failed {len(first.failures)} times: {first.failures[-1]}"
    is_old = not at_work and now - first.window.until > wanted.late
    if first.failures or first.starts > _AGAIN or is_old:
        remedy = "look at the job's output; after three failures the part is set aside"
        return check("progress", ERROR, f"the job makes no progress: {text}", remedy=remedy, **facts)
    return check("progress", OK, f"{text}; {'a run is' if at_work else 'the next run will be'} at it", **facts)


def _backlog(client: Elasticsearch, store: ElasticStore, patterns: Sequence[str], times: tuple[int, int]) -> Check:
    late, now = times
    begun = {p: at for p, at in windows.checkpoints(store, patterns).items() if at is not None}
    if not begun:
        return check("backlog", WARN, "nothing was read yet", remedy="run `nhi elastic run`")
    oldest = min(begun.values())
    waiting = sum(_counted(client, begun, (oldest, now)).values())
    since = min((at for at in windows.starts(store, begun).values() if at is not None), default=0)
    older = _counted(client, begun, (0, since))
    facts: Json = {"behind": now - oldest, "documents": waiting, "older": sum(older.values())}
    text = f"read until {span(max(0, now - oldest))} ago; about {waiting:,} documents wait"
    if older:
        text += f"; {facts['older']:,} are older than the first window, which began {render(since)}, and were not read"
    if now - oldest > late and waiting:
        return check("backlog", ERROR, text, remedy="run it more often, or see docs/elastic.md on tuning", **facts)
    if older and not _counted(client, begun, (since, oldest)):
        remedy = f"there is nothing newer: `nhi elastic run --since {render(min(older))}` reads them"
        return check("backlog", WARN, text, remedy=remedy, **facts)
    return check("backlog", OK, text, **facts)


def _counted(client: Elasticsearch, patterns: Iterable[str], ends: tuple[int, int]) -> dict[int, int]:
    """Day → documents ingested between two times."""
    counts: Counter[int] = Counter()
    for pattern in windows.joined(patterns) if ends[0] < ends[1] else ():
        by = read.clocks(client, pattern)
        for each in (pattern, *windows.joined(by.suspect)):
            own = ends[0], max(ends[0], ends[1] - read.LATE * (ends[0] == 0))
            counts.update(read.count_by(client, Window(each, *ends, ranges=(ends,), own=(own,)), DAY))
    return dict(counts)


# ---- of each source: is it there, how old is its newest document, does the reader understand it, what is missing?


def _sources(client: Elasticsearch, wanted: Examined) -> Iterator[Check]:
    """What cannot be read looks as if it were not there: `privileges` and `reach` report it."""
    patterns = wanted.pattern.split(",")
    unread = {each.pattern for each in cluster.readable_patterns(client, patterns, setup.READ).unread}
    checks = [_source(client, pattern) for pattern in patterns if pattern not in unread]
    yield from checks
    if not unread and not any(each.facts["there"] for each in checks):
        remedy = "install an integration that writes one of these, or name yours with --index"
        yield check("source", ERROR, "none of the source indices exists", "all", remedy)


def _source(client: Elasticsearch, pattern: str) -> Check:
    resolved = client.indices.resolve_index(name=pattern, expand_wildcards="all", ignore_unavailable=True).body
    if not (resolved["data_streams"] or resolved["indices"]):
        return check("source", OK, "does not exist, so not read", pattern, there=False)
    newest = [{read.TIMESTAMP: {"order": "desc", "unmapped_type": "date"}}]
    hits = client.search(index=pattern, size=SAMPLE, sort=newest, ignore_unavailable=True)["hits"]["hits"]
    sampled = [Hit(h["_index"], h["_id"], msgspec.Raw(orjson.dumps(h.get("_source", {})))) for h in hits]
    named, errors = read.events_of(sampled)
    facts = {fact for fact in _FACTS if any(getattr(event, fact) for _, event in named)}
    facts |= {"session", "credential"} if facts & {"session", "credential"} else set()
    missing = [fact for fact in _FACTS if fact not in facts] if len(named) >= _ENOUGH else []
    return assessed(pattern, _age(hits), (len(hits), len(named)), errors, missing)


def _age(hits: Sequence[Json]) -> int:
    """Seconds since the newest was ingested; what is dated ahead says nothing. 0: none says when."""
    now, sources = int(time.time()), [hit.get("_source", {}) for hit in hits]
    events = [source["event"] for source in sources if isinstance(source.get("event"), dict)]
    times = [*(event.get("ingested") for event in events), *(source.get(read.TIMESTAMP) for source in sources)]
    known = max((at for at in map(_second, times) if at <= now + _SKEW), default=0)
    return max(1, now - known) if known else 0


def _second(text: object) -> int:
    try:
        return parse(text)
    except RejectError:
        return 0


def assessed(
    pattern: str, newest: int, documents: tuple[int, int], errors: Sequence[RejectError], missing: Sequence[str]
) -> Check:
    """What the newest documents show of a source; `documents`: how many were looked at, and understood."""
    sampled, understood = documents
    reasons = Counter(error.reason for error in errors)
    facts = {
        "there": True,
        "seconds_since_newest": newest,
        "sampled": sampled,
        "understood": understood,
        "rejected": dict(reasons),
        "missing": list(missing),
    }
    if not sampled:
        remedy = "look at the integration that should write it"
        return check("source", WARN, "exists, but has no documents", pattern, remedy, **facts)
    parts, remedies = [f"newest {span(newest)} old", f"{understood} of {sampled} newest documents understood"], []
    status = OK if understood == sampled and not missing and newest <= _QUIET else WARN
    if understood * _HARDLY < sampled:
        status = ERROR
        most = reasons.most_common(1)[0][0]
        detail = next(error.detail for error in errors if error.reason == most)[:300]
        remedies.append(f"{detail}; step 4 of docs/elastic.md says what a document carries; or leave it out by --index")
    if understood < sampled:
        parts.append("not understood: " + ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items())))
    if newest > _QUIET:
        parts.append("quiet for hours")
        remedies.append("look at the integration that should write it")
    if missing:
        parts.append(f"no document has {', '.join(missing)}, so signals that need it cannot fire")
        remedies.append("upgrade the integration, or let it keep event.original")
    return check("source", status, "; ".join(parts), pattern, "; ".join(remedies), **facts)


_QUESTIONS: dict[str, Callable[[Elasticsearch, Examined], Iterator[Check]]] = {
    "privileges": _privileges,
    "key": _key,
    "state": _state,
    "heartbeat": _heartbeat,
    "progress": _progress,
    "source": _sources,
}
