"""Writes alerts: each once, whatever is run again."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from elasticsearch import ApiError, Elasticsearch, TransportError
from elasticsearch.helpers import streaming_bulk

from nhi_watch import __version__
from nhi_watch.core.errors import OUT_OF_SCOPE, NhiError, StoreError
from nhi_watch.core.timestamps import render
from nhi_watch.detect.explain import ocsf
from nhi_watch.detect.revisions import BELOW, Ranked, Told, due, told
from nhi_watch.hosts.elastic import cluster
from nhi_watch.hosts.elastic.cluster import BUSY, PassingError, explained, refused
from nhi_watch.hosts.elastic.setup import HEALTH
from nhi_watch.intake.horizon import AHEAD
from nhi_watch.report import ecs
from nhi_watch.report.ecs import ECS_VERSION

Json = Mapping[str, Any]
_CHUNK = 500
"""Ids that are asked about at once."""
_SENT = 2_000
"""Documents that are sent at once: what follows each request, a refresh, takes longer than a thousand of them."""
_SHOWN: dict[str, Any] = {
    "filter": {"bool": {"must_not": {"term": {"nhi.change": BELOW}}}},
    "aggs": {"severity": {"max": {"field": "event.severity"}}},
}
_MAX_BYTES = 10_000_000
_RETRIES = 5


class _Written(NamedTuple):
    """What the stream holds of one notable."""

    latest: Optional[Told]
    """None: an earlier version wrote it."""
    revision: int
    shown: int
    """The highest severity that had a place; 0: none had."""


def write(
    client: Elasticsearch, changed: Sequence[Json], stream: str, now: int, as_ocsf: bool = False,
    standing: Sequence[Json] = (), kibana: str = "",
) -> dict[str, int]:  # fmt: skip
    """Create alerts of the notables of which an analyst would want to know; returns how many were `created`.

    `changed` are those that this run changed, in whatever way; `standing` the others, of which something may be due
    since an earlier one. What was last told of them the stream itself says, so that a killed run is run again alike.

    Raises:
        StoreError: an alert was refused; those before it are written.
    """
    notables = {notable["id"]: notable for notable in (*standing, *changed)}
    fresh = {notable["id"] for notable in changed}
    with explained(f"writing {stream}"):
        written = _written(client, stream, list(notables))
        actions = [action for name, notable in notables.items() if name in written or name in fresh
                   for action in _due(notable, stream, now, written.get(name), as_ocsf, kibana)]  # fmt: skip
        return {"created": [*_sent(client, actions, stream)].count(201)}


def _sent(client: Elasticsearch, actions: Sequence[dict[str, Any]], stream: str) -> Iterator[int]:
    """Send actions; gives each one's status: 201 written, 409 there already.

    Refreshed, so that what a killed run has written is found by the next one, whatever the stream's settings.
    """
    results = streaming_bulk(
        client, actions, chunk_size=_SENT, max_chunk_bytes=_MAX_BYTES, max_retries=_RETRIES,
        raise_on_error=False, refresh=True,
    )  # fmt: skip
    for _, item in results:
        (result,) = item.values()
        if result["status"] not in (201, 409):
            failed = PassingError if result["status"] in BUSY else StoreError
            raise failed(f"{stream} refused document {result['_id']}: {refused(result.get('error', {}))}")
        yield result["status"]


def _due(
    notable: Json, stream: str, now: int, before: Optional[_Written], as_ocsf: bool, kibana: str = ""
) -> Iterator[dict[str, Any]]:
    """The next revision of a notable, if there is to be one.

    Only first revisions and rises in severity become Kibana alerts (integrations#19549). One that goes on as part of
    another is merged: `nhi elastic feedback` closes its Kibana alert.
    """
    latest = before and before.latest
    is_listed = notable["listed"] and notable["severity"] != "informational"
    if notable["merged_into"]:
        change = "" if before is None or (latest and latest.ended) else "merged"
    else:
        what = due(notable, is_listed, latest, now)
        shown = before.shown if before else 0
        change = "" if what is None else BELOW if not is_listed else "new" if not shown else \
            "escalated" if ecs.SEVERITY_CODES[notable["severity"]] > shown else "updated"  # fmt: skip
    if not change:
        return
    document = {**notable, "revision": max(notable["revision"], before.revision + 1 if before else 0)}
    finding = ocsf.finding(notable) if as_ocsf else {}
    ecs.fit(finding, ecs.LARGEST // 2, [(finding, name) for name in finding])
    told_now = told(Ranked(document, change, False, {}), now)._asdict()
    source = ecs.alert(
        document, created=render(now), change=change, namespace=stream.rsplit("-", 1)[1], kibana=kibana,
        largest=ecs.LARGEST - ecs.size(finding) - ecs.size(told_now) - 100,
    )  # fmt: skip
    source["event"]["ingested"] = source["event"]["created"]
    source["nhi"]["told"] = told_now
    if as_ocsf:
        source["ocsf"] = finding
    # an id is unique within one backing index only (elasticsearch#44794): what is older the stream was asked for
    yield {"_op_type": "create", "_index": stream, "_id": ecs.document_id(document), "_source": source}


def _written(client: Elasticsearch, stream: str, names: Sequence[str]) -> dict[str, _Written]:
    """Notable id → what was written of it."""
    found: dict[str, _Written] = {}
    for start in range(0, len(names), _CHUNK):
        some = list(names[start : start + _CHUNK])
        answer = client.search(
            index=stream,
            query={"terms": {"event.id": some}},
            collapse={"field": "event.id"},
            sort=[{"nhi.notable.revision": {"order": "desc", "unmapped_type": "long"}}],
            source={"includes": ["event.id", "nhi.told", "nhi.notable.revision"]},
            aggs={"names": {"terms": {"field": "event.id", "size": len(some)}, "aggs": {"shown": _SHOWN}}},
            size=len(some),
            ignore_unavailable=True,
            allow_partial_search_results=False,
            request_cache=False,
        )
        named = answer.get("aggregations", {}).get("names", {}).get("buckets", [])
        shown = {bucket["key"]: int(bucket["shown"]["severity"]["value"] or 0) for bucket in named}
        for hit in answer["hits"]["hits"]:
            name, row = hit["_source"]["event"]["id"], hit["_source"]["nhi"]
            latest = Told(**row["told"]) if "told" in row else None
            found[name] = _Written(latest, row["notable"]["revision"], shown.get(name, 0))
    return found


# ---- heartbeat
#
# A document for each run, also for those that failed: a rule in Kibana alerts on failures, and on silence.


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
    document = _document(namespace, times, (how, _sentence(outcome)), _counts(outcome))
    return _write(client, f"{HEALTH}-{namespace}", document)


def failed(client: Elasticsearch, namespace: str, times: Times, error: BaseException) -> Optional[str]:
    """Write that a run failed, and of what; returns why that could not be written.

    What passes by itself is no failure, and neither is a stop that was asked for: nobody is to be woken for it.
    """
    how = "unknown" if isinstance(error, (PassingError, KeyboardInterrupt)) else "failure"
    return _write(client, f"{HEALTH}-{namespace}", _document(namespace, times, (how, described(error)), {}))


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


def rejected(outcome: Document) -> Optional[tuple[bool, str]]:
    """What to say of documents that could not be read, where they are more than half; and whether they are all."""
    counts: Mapping[str, int] = outcome.get("rejected", {})
    bad = {reason: n for reason, n in counts.items() if reason not in (*OUT_OF_SCOPE, AHEAD)}
    if sum(bad.values()) * 2 <= outcome.get("read", 0):
        return None
    is_all = not outcome["parsed"] and bad == counts
    most = max(bad, key=lambda reason: (bad[reason], reason))
    reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(bad.items(), key=lambda item: -item[1]))
    detail = next((each["detail"] for each in outcome["rejects"] if each["reason"] == most), "")
    share = "none" if is_all else f"only {outcome['read'] - sum(bad.values()):,}"
    return is_all, f"{share} of {outcome['read']:,} documents could be read ({reasons}); {most}: {detail}"


def troubles(outcome: Document) -> list[str]:
    """What went wrong although the run ended, a sentence each."""
    told = rejected(outcome)
    aside = [f"set aside {each['documents']:,} documents of {each['index']}: {each['why']}"
             for each in outcome.get("set_aside", ())]  # fmt: skip
    unread = [(each["index"], each["why"]) for each in outcome.get("unread", ())]
    nothing = [told[1]] if told and told[0] else []
    return [*aside, *nothing, *(f"not read: {line}" for line in cluster.together(unread))]


def warnings(outcome: Document) -> list[str]:
    """What should be looked at, although the run did what it could."""
    told = rejected(outcome)
    return [f"warning: {told[1]}"] if told and not told[0] else []


def _write(client: Elasticsearch, stream: str, document: Document) -> Optional[str]:
    """Once, and without waiting long: what a job says of itself must never keep it from its work."""
    once = client.options(max_retries=0, request_timeout=10)
    try:
        once.index(index=stream, op_type="create", document=document)
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
    return "; ".join([told, *troubles(outcome), *warnings(outcome)])[:_LONGEST]


def _document(namespace: str, times: Times, how: tuple[str, str], counts: Document) -> Document:
    (began, now), (outcome, message), dataset = times, how, HEALTH.partition("-")[2]
    when = render(int(now))
    return {
        "@timestamp": when,
        "ecs": {"version": ECS_VERSION},
        "data_stream": {"type": "logs", "dataset": dataset, "namespace": namespace},
        "event": {
            "type": ["info"], "module": "nhi", "dataset": dataset, "created": when, "ingested": when, "kind": "state",
            "category": ["process"], "action": "nhi-run", "outcome": outcome, "start": render(int(began)), "end": when,
            "duration": int((now - began) * 1e9),
        },
        "host": {"name": socket.gethostname()},
        "observer": {"vendor": "nhi_watch", "product": "nhi_watch", "type": "nhi", "version": __version__},
        "message": message,
        "process": {"pid": os.getpid()},
        "nhi": {"health": counts},
    }  # fmt: skip
