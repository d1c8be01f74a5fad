"""`nhi elastic doctor`: is everything there that the job needs, and does it run? One answer for each question.

It only reads. What the key may not look at is told as not known, with the privilege that it lacks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from elasticsearch import ApiError, AuthorizationException, Elasticsearch

from nhi_watch.core.errors import StoreError
from nhi_watch.core.timestamps import parse, render
from nhi_watch.hosts.elastic import access, clock, doctor_progress, doctor_sources, templates
from nhi_watch.hosts.elastic.check import FAIL, OK, UNKNOWN, WARN, Check, Wanted
from nhi_watch.hosts.elastic.doctor_sources import span
from nhi_watch.hosts.elastic.lease import held
from nhi_watch.hosts.elastic.store_errors import explained
from nhi_watch.hosts.elastic.templates import HEALTH

Json = dict[str, Any]
_OLDEST = (8, 19)
_SKEW = 60.0
"""Seconds by which clocks may differ."""


def examine(client: Elasticsearch, wanted: Wanted) -> list[Check]:
    """All answers. A question whose answer fails for another reason than its own is answered `unknown`."""
    questions: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("privileges", lambda: _privileges(client, wanted)),
        ("version", lambda: _version(client)),
        ("clock", lambda: _clock(client, wanted)),
        ("state", lambda: _state(client, wanted)),
        ("heartbeat", lambda: _heartbeat(client, wanted)),
        ("progress", lambda: doctor_progress.checks(client, wanted)),
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


def _version(client: Elasticsearch) -> Iterator[Check]:
    """`GET /_nodes` wants the cluster privilege `monitor`, which the job's own key has not and does not need."""
    try:
        told = client.nodes.info(filter_path="nodes.*.version")
    except AuthorizationException:
        yield Check("version", UNKNOWN, "only a key with the privilege monitor is told; the job needs none")
        return
    versions = sorted({node["version"] for node in told.body.get("nodes", {}).values()})
    oldest = min((_numbers(version) for version in versions), default=_OLDEST)
    facts = {"versions": versions}
    if oldest < _OLDEST:
        yield Check("version", FAIL, f"Elasticsearch {', '.join(versions)}", "upgrade to 8.19 or later", facts)
    else:
        yield Check("version", OK, f"Elasticsearch {', '.join(versions)}", "", facts)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _clock(client: Elasticsearch, wanted: Wanted) -> Iterator[Check]:
    """The job goes by the cluster's; a host whose clock is wrong has other troubles, and its logs are hard to read."""
    before = time.time()
    there = clock.now(client, f"{templates.STATE}-{wanted.namespace}")
    skew = round(there - (before + time.time()) / 2, 1)
    ahead = f"the cluster's clock is {abs(skew)} s {'ahead of' if skew > 0 else 'behind'} this host's"
    if abs(skew) > _SKEW:
        yield Check("clock", WARN, ahead, "set both by NTP; the job goes by the cluster's", {"skew": skew})
    else:
        yield Check("clock", OK, ahead, "", {"skew": skew})


def _privileges(client: Elasticsearch, wanted: Wanted) -> Iterator[Check]:
    asked = templates.role_request(wanted.namespace, wanted.pattern)["indices"]
    missing = access.lacking(client, asked)
    lacking = sorted(f"{privilege} on {index}" for index, privileges in missing.items() for privilege in privileges)
    if lacking:
        facts = {"lacking": lacking}
        yield Check("privileges", FAIL, f"the key lacks {'; '.join(lacking[:10])}", access.REMEDY, facts)
    else:
        yield Check("privileges", OK, "the key has what the job needs")


def _state(client: Elasticsearch, wanted: Wanted) -> Iterator[Check]:
    index = f"{templates.STATE}-{wanted.namespace}"
    if not client.indices.exists(index=index):
        yield Check("state", FAIL, f"{index} does not exist", "run `nhi elastic setup`")
        return
    lease = held(client, index)
    if lease is not None and lease.until > clock.now(client, index):
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
    age = int(clock.now(client, f"{templates.STATE}-{wanted.namespace}")) - parse(last["@timestamp"])
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
    unread = {each.pattern for each in access.reach(client, patterns, templates.READ).unread}
    found = [doctor_sources.look(client, pattern) for pattern in patterns if pattern not in unread]
    for source in found:
        status, detail, remedy = doctor_sources.told(source)
        yield Check(f"source {source.pattern}", status, detail, remedy, source.facts())
    if not unread and not any(source.there for source in found):
        remedy = "install an integration that writes one of these, or name yours with --index"
        yield Check("sources", FAIL, "none of the source indices exists", remedy)
