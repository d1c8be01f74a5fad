"""Writes alerts: each once, whatever is run again."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Optional

from elasticsearch import ApiError, ConflictError, Elasticsearch, TransportError
from elasticsearch.helpers import streaming_bulk

from nhi_watch import __version__
from nhi_watch.core.errors import NhiError, StoreError
from nhi_watch.core.timestamps import render
from nhi_watch.detect.explain import ocsf
from nhi_watch.hosts.elastic.cluster import BUSY, PassingError, explained, refused
from nhi_watch.hosts.elastic.setup import ALERTS, HEALTH
from nhi_watch.report import ecs
from nhi_watch.report.ecs import DATASET, ECS_VERSION, SEVERITY_CODES
from nhi_watch.report.words import visible

Json = Mapping[str, Any]
_CHUNK = 500
"""Ids that are asked about at once."""
_SENT = 2_000
"""Documents that are sent at once: what follows each request, a refresh, takes longer than a thousand of them."""
BELOW = "below"
"""`nhi.change` of what has no place in the budget, or is informational."""
_TOP = {
    "shown": {
        "filter": {"bool": {"must_not": {"term": {"nhi.change": BELOW}}}},
        "aggs": {"severity": {"max": {"field": "event.severity"}}},
    },
    "revision": {"max": {"field": "nhi.notable.revision"}},
}
_MAX_BYTES = 10_000_000
_RETRIES = 5


class _Written(NamedTuple):
    """What the stream holds of one notable."""

    severity: int
    """0: it had no place yet."""
    revision: int


def write(
    client: Elasticsearch, notables: Sequence[Json], stream: str, created: str, as_ocsf: bool = False
) -> dict[str, int]:
    """Create the alerts of notables in a data stream; returns how many were `created` and how many `existed`.

    An id is unique within one backing index only (elasticsearch#44794), so the whole stream is asked first
    which ids it has; 409 catches what it does not find yet.

    Raises:
        StoreError: an alert was refused; those before it are written.
    """
    with explained(f"writing {stream}"):
        known = existing(client, stream, [ecs.document_id(notable) for notable in notables])
        new = [notable for notable in notables if ecs.document_id(notable) not in known]
        written = _written(client, stream, [notable["id"] for notable in new])
        actions = (_action(notable, stream, created, written.get(notable["id"]), as_ocsf) for notable in new)
        statuses = list(bulk(client, actions, stream))
    return {"created": statuses.count(201), "existed": len(notables) - statuses.count(201)}


def bulk(client: Elasticsearch, actions: Iterator[dict[str, Any]], stream: str) -> Iterator[int]:
    """Send actions; gives each one's status: 200 and 201 written, 409 there already, or there in a newer version.

    Refreshed, so that what a killed run has written is found by the next one, whatever the stream's settings.

    Raises:
        StoreError: one was refused; those before it are written.
    """
    results = streaming_bulk(
        client, actions, chunk_size=_SENT, max_chunk_bytes=_MAX_BYTES, max_retries=_RETRIES,
        raise_on_error=False, refresh=True,
    )  # fmt: skip
    for _, item in results:
        (result,) = item.values()
        if result["status"] not in (200, 201, 409):
            failed = PassingError if result["status"] in BUSY else StoreError
            raise failed(f"{stream} refused document {result['_id']}: {refused(result.get('error', {}))}")
        yield result["status"]


def _action(
    notable: Json, stream: str, created: str, before: _Written | None, as_ocsf: bool = False
) -> dict[str, Any]:
    name = ecs.document_id(notable)
    if before is not None and notable["revision"] <= before.revision:
        # A killed run wrote this revision of other records, or of fewer: this is the next one.
        notable = {**notable, "revision": before.revision + 1}
    namespace = stream.rsplit("-", 1)[1]
    document = ecs.alert(notable, created=created, change=_change(notable, before), namespace=namespace)
    document["event"]["ingested"] = created
    if as_ocsf:
        document["ocsf"] = ocsf.finding(notable)
    return {"_op_type": "create", "_index": stream, "_id": name, "_source": document}


def _change(notable: Json, before: _Written | None) -> str:
    """Only first revisions and rises in severity become Kibana alerts (integrations#19549).

    One that goes on as part of another is merged: `nhi elastic feedback` closes its Kibana alert.
    """
    if notable["merged_into"]:
        return "merged"
    if not notable["listed"] or notable["severity"] == "informational":
        return BELOW
    if before is None or not before.severity:
        return "new"
    return "escalated" if ecs.SEVERITY_CODES[notable["severity"]] > before.severity else "updated"


def existing(client: Elasticsearch, stream: str, ids: Sequence[str]) -> set[str]:
    """Which of some ids the whole stream has."""
    found: set[str] = set()
    for start in range(0, len(ids), _CHUNK):
        some = ids[start : start + _CHUNK]
        answer = client.search(
            index=stream,
            query={"ids": {"values": some}},
            source=False,
            size=len(some),
            ignore_unavailable=True,
            allow_partial_search_results=False,
        )
        found.update(hit["_id"] for hit in answer["hits"]["hits"])
    return found


def _written(client: Elasticsearch, stream: str, names: Sequence[str]) -> dict[str, _Written]:
    """Notable id → the highest severity and revision of its alerts so far."""
    found: dict[str, _Written] = {}
    for start in range(0, len(names), _CHUNK):
        some = list(names[start : start + _CHUNK])
        answer = client.search(
            index=stream,
            query={"terms": {"event.id": some}},
            aggs={"names": {"terms": {"field": "event.id", "size": len(some)}, "aggs": _TOP}},
            size=0,
            ignore_unavailable=True,
            allow_partial_search_results=False,
            request_cache=False,
        )
        for bucket in answer.get("aggregations", {}).get("names", {}).get("buckets", []):
            top = (bucket["shown"]["severity"]["value"], bucket["revision"]["value"])
            found[bucket["key"]] = _Written(*(int(value or 0) for value in top))
    return found


# ---- heartbeat
#
# A document for each run, also for those that failed: silence is then a finding, and Kibana can alert on it.


Document = dict[str, Any]
_COUNTS = ("read", "parsed", "duplicates", "events", "identities", "notables")
_LONGEST = 500


class Times(NamedTuple):
    """When a run began and ended, in seconds since the epoch as the cluster has them."""

    began: float
    now: float


def beat(client: Elasticsearch, namespace: str, times: Times, outcome: Document) -> Optional[str]:
    """Write how a run went, or that it did nothing; returns why that could not be written."""
    how = "failure" if troubles(outcome) else "success"
    return _write(client, namespace, _document(namespace, times, (how, _sentence(outcome)), _counts(outcome)))


def failed(client: Elasticsearch, namespace: str, times: Times, error: BaseException) -> Optional[str]:
    """Write that a run failed, and of what; returns why that could not be written."""
    return _write(client, namespace, _document(namespace, times, ("failure", described(error)), {}))


def described(error: BaseException) -> str:
    """What an error says; of one that is a defect its name and place, too.

    >>> described(ValueError("no"))
    'ValueError: no'
    """
    if isinstance(error, NhiError):
        return str(error)[:_LONGEST]
    trace = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(trace[-1].filename).name}:{trace[-1].lineno})" if trace else ""
    return f"{type(error).__name__}: {str(error)[: _LONGEST // 2]}{place}"


def troubles(outcome: Document) -> list[str]:
    """What went wrong although the run ended, a sentence each."""
    aside = [f"set aside {each['documents']:,} documents of {each['index']}: {each['why']}"
             for each in outcome.get("set_aside", ())]  # fmt: skip
    return aside + [f"not read: {each['index']}: {each['why']}" for each in outcome.get("unread", ())]


def _write(client: Elasticsearch, namespace: str, document: Document) -> Optional[str]:
    """Once, and without waiting long: a heartbeat must never keep a run from its work."""
    once = client.options(max_retries=0, request_timeout=10)
    try:
        once.index(index=f"{HEALTH}-{namespace}", op_type="create", document=document)
    except (ApiError, TransportError) as error:
        return str(error).partition("\n")[0][:_LONGEST]
    return None


def _counts(outcome: Document) -> Document:
    if "read" not in outcome:
        return {}
    until = outcome["window"]["until"]
    return {
        **{name: outcome[name] for name in _COUNTS},
        "rejected": sum(outcome["rejected"].values()),
        "alerts": outcome["alerts"]["created"],
        "seconds": outcome["seconds"]["total"],
        "until": until,
        "model": outcome["model"]["id"],
    }


def _sentence(outcome: Document) -> str:
    if "skipped" in outcome:
        told = f"nothing done: {outcome['skipped']}"
    else:
        told = f"read {outcome['read']:,} documents, wrote {outcome['alerts']['created']:,} alerts"
    return "; ".join([told, *troubles(outcome)])[:_LONGEST]


def _document(namespace: str, times: Times, how: tuple[str, str], counts: Document) -> Document:
    began, now = times
    outcome, message = how
    return {
        "@timestamp": render(int(now)),
        "ecs": {"version": ECS_VERSION},
        "message": message,
        "data_stream": {"type": "logs", "dataset": HEALTH.partition("-")[2], "namespace": namespace},
        "event": {
            "kind": "state",
            "category": ["process"],
            "type": ["info"],
            "module": "nhi",
            "dataset": HEALTH.partition("-")[2],
            "action": "nhi-run",
            "outcome": outcome,
            "start": render(int(began)),
            "end": render(int(now)),
            "duration": int((now - began) * 1e9),
            "created": render(int(now)),
            "ingested": render(int(now)),
        },
        "host": {"name": socket.gethostname()},
        "process": {"pid": os.getpid()},
        "observer": {"vendor": "nhi_watch", "product": "nhi_watch", "type": "nhi", "version": __version__},
        "nhi": {"health": counts},
    }


# ---- job alerts
#
# An alert about the job itself: that it failed, or gave a part of its documents up. Kibana's rule promotes it.
#
# Each is written once a day for what it says, whatever is run again.


_SCORE = 73.0
_DAY = 10


def tell(client: Elasticsearch, namespace: str, now: float, title: str, why: str) -> Optional[str]:
    """Write one, without waiting long; returns why that could not be done."""
    when = render(int(now))
    name = sha256(f"{namespace}|{title}|{why}|{when[:_DAY]}".encode("utf-8", "replace")).hexdigest()
    once = client.options(max_retries=0, request_timeout=10)
    try:
        once.create(index=f"{ALERTS}-{namespace}", id=name, document=_job_alert(namespace, when, (name, title, why)))
    except ConflictError:
        return None
    except (ApiError, TransportError) as error:
        return str(error).partition("\n")[0][:300]
    return None


def _job_alert(namespace: str, when: str, what: tuple[str, str, str]) -> Document:
    name, title, why = what
    return {
        "@timestamp": when,
        "ecs": {"version": ECS_VERSION},
        "message": visible(f"{title}: {why}"),
        "tags": ["nhi"],
        "data_stream": {"type": "logs", "dataset": DATASET, "namespace": namespace},
        "event": {
            "kind": "alert", "category": ["intrusion_detection"], "type": ["info"], "module": "nhi", "dataset": DATASET,
            "id": f"job:{name}", "code": "job", "action": "nhi-run", "created": when, "ingested": when,
            "severity": SEVERITY_CODES["high"], "risk_score": _SCORE, "risk_score_norm": _SCORE,
            "reason": visible(why),
        },
        "rule": {"id": "nhi-job", "name": visible(title, 200), "category": "job", "ruleset": "nhi_watch",
                 "version": __version__, "author": ["nhi_watch"], "license": "Apache-2.0"},
        "service": {"id": f"nhi_watch:{namespace}", "name": f"nhi_watch ({namespace})", "type": "job"},
        "host": {"name": socket.gethostname()},
        "observer": {"vendor": "nhi_watch", "product": "nhi_watch", "type": "nhi", "version": __version__},
        "nhi": {"change": "new"},
    }  # fmt: skip

