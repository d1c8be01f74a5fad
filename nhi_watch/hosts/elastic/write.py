"""Writes alerts: each revision once, whatever is run again; and the latest of each notable into an index of its own."""

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
from nhi_watch.core.status import closed_by
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.detect.explain import ocsf
from nhi_watch.detect.feedback import Verdict
from nhi_watch.detect.publish import Publication
from nhi_watch.hosts.elastic import cluster
from nhi_watch.hosts.elastic.cluster import BUSY, PassingError, explained, refused
from nhi_watch.hosts.elastic.setup import ALERTS, HEALTH, NOTABLES
from nhi_watch.hosts.elastic.store import MISSING
from nhi_watch.intake.horizon import AHEAD
from nhi_watch.report import ecs
from nhi_watch.report.ecs import ECS_VERSION
from nhi_watch.report.words import visible

Json = Mapping[str, Any]
_CHUNK = 500
"""Ids that are asked about at once."""
_SENT = 2_000
"""Documents that are sent at once: what follows each request, a refresh, takes longer than a thousand of them."""
_PAGE = 1_000
_MAX_BYTES = 10_000_000
_RETRIES = 5
_RETAIN = 365 * DAY
"""How long the latest revision of a notable stays; alerts stay as long by their stream's lifecycle."""
_NAMES = 100
"""Bytes of the names of the fields that are added to an alert."""


class AlertOptions(NamedTuple):
    """How alerts are to be written."""

    namespace: str
    now: int
    as_ocsf: bool = False
    """Keep each as an OCSF finding as well."""
    kibana: str = ""
    """URL that links begin with; "": there are none."""

    @property
    def stream(self) -> str:
        """Where all revisions are kept."""
        return f"{ALERTS}-{self.namespace}"

    @property
    def latest(self) -> str:
        """The index with the latest revision of each notable."""
        return f"{NOTABLES}-{self.namespace}"


def write(
    client: Elasticsearch, events: Sequence[Publication], wanted: AlertOptions, verdicts: Mapping[str, Verdict]
) -> dict[str, int]:
    """Create the document of each event, unless a run that was killed has; returns how many were `created`.

    Raises:
        StoreError: a document was refused; those before it are written.
    """
    with explained(f"writing {wanted.stream}"):
        actions = [_action(event, wanted, verdicts.get(event.document["id"])) for event in events]
        if not client.indices.exists(index=wanted.latest):
            raise StoreError(MISSING.format(wanted.latest))
        written = _written(client, wanted.stream, [action["_id"] for action in actions])
        latest = [_latest(event, action, wanted) for event, action in zip(events, actions)]
        actions = [action for action in actions if action["_id"] not in written]
        created = [*_sent(client, actions)].count(201)
        for _ in _sent(client, latest):
            pass
        return {"created": created}


def _latest(event: Publication, action: Json, wanted: AlertOptions) -> dict[str, Any]:
    """The same document in place of the notable's last one; a revision that comes late changes nothing."""
    return {
        "_op_type": "index",
        "_index": wanted.latest,
        "_id": event.document["id"],
        "version": event.document["revision"],
        "version_type": "external_gte",
        "_source": action["_source"],
    }


def forget(client: Elasticsearch, wanted: AlertOptions) -> None:
    """Delete some of the latest revisions that are too old."""
    old = {"range": {"@timestamp": {"lt": render(wanted.now - _RETAIN)}}}
    with explained(f"deleting from {wanted.latest}"):
        answer = client.search(index=wanted.latest, query=old, size=_CHUNK, source=False, ignore_unavailable=True)
        actions = [{"_op_type": "delete", "_index": wanted.latest, "_id": hit["_id"]} for hit in answer["hits"]["hits"]]
        for _ in _sent(client, actions):
            pass


def _written(client: Elasticsearch, stream: str, ids: Sequence[str]) -> set[str]:
    """Those of some documents that the stream has.

    `create` alone compares with the backing index that is written to (elasticsearch#44794): there may have been a
    rollover since.
    """
    written: set[str] = set()
    for start in range(0, len(ids), _CHUNK):
        answer = client.search(
            index=stream,
            query={"ids": {"values": list(ids[start : start + _CHUNK])}},
            size=_CHUNK,
            source=False,
            ignore_unavailable=True,
            allow_partial_search_results=False,
        )
        written.update(hit["_id"] for hit in answer["hits"]["hits"])
    return written


def published(client: Elasticsearch, stream: str) -> dict[str, int]:
    """Notable id → the highest revision that the stream has."""
    revisions: dict[str, int] = {}
    composite: dict[str, Any] = {"sources": [{"id": {"terms": {"field": "event.id"}}}], "size": _PAGE}
    highest = {"highest": {"max": {"field": "nhi.notable.revision"}}}
    while True:
        with explained(f"reading {stream}"):
            answer = client.search(
                index=stream,
                size=0,
                aggs={"notables": {"composite": composite, "aggs": highest}},
                ignore_unavailable=True,
                allow_partial_search_results=False,
            )
        page = answer.get("aggregations", {}).get("notables", {})
        revisions.update((each["key"]["id"], int(each["highest"]["value"] or 0)) for each in page.get("buckets", ()))
        if "after_key" not in page:
            return revisions
        composite["after"] = page["after_key"]


def _sent(client: Elasticsearch, actions: Sequence[dict[str, Any]]) -> Iterator[int]:
    """Send actions; gives each one's status: 201 new, 200 replaced or deleted, 409 there already.

    Refreshed, so that what a killed run has written is found by the next one, whatever the stream's settings.
    """
    results = streaming_bulk(
        client,
        actions,
        chunk_size=_SENT,
        max_chunk_bytes=_MAX_BYTES,
        max_retries=_RETRIES,
        raise_on_error=False,
        refresh=True,
    )
    for _, item in results:
        (result,) = item.values()
        if result["status"] not in (200, 201, 409):
            failed = PassingError if result["status"] in BUSY else StoreError
            raise failed(f"{result['_index']} refused document {result['_id']}: {refused(result.get('error', {}))}")
        yield result["status"]


def _action(event: Publication, wanted: AlertOptions, verdict: Optional[Verdict]) -> dict[str, Any]:
    """An event as an action of a bulk request.

    A first place, also after an end, and a rise in severity become Kibana alerts (integrations#19549), nothing else.
    """
    document = event.document
    change = "escalated" if event.change == "grown" and event.escalated else event.change
    finding = ocsf.finding(document) if wanted.as_ocsf else {}
    ecs.fit(finding, ecs.LARGEST // 2, [(finding, name) for name in finding])
    said = _said(document, verdict) if event.change == "settled" else {}
    source = ecs.alert(
        document,
        created=render(wanted.now),
        change=change,
        namespace=wanted.namespace,
        kibana=wanted.kibana,
        largest=ecs.LARGEST - ecs.size(finding) - ecs.size(said) - _NAMES,
    )
    source["event"]["ingested"] = source["event"]["created"]
    if said:
        source["nhi"]["verdict"] = said
    if wanted.as_ocsf:
        source["ocsf"] = finding
    return {"_op_type": "create", "_index": wanted.stream, "_id": ecs.document_id(document), "_source": source}


def _said(document: Json, verdict: Optional[Verdict]) -> dict[str, str]:
    """What took a notable off the list: a verdict, an exception or a routine."""
    why = document["closed_why"]
    if verdict is not None and why.startswith(verdict.verdict):
        return {"name": verdict.verdict, "by": visible(verdict.by, _LONGEST), "why": visible(verdict.why, _LONGEST)}
    return {"name": closed_by(why), "why": why}


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
    rejection = rejected(outcome)
    aside = [
        f"set aside {each['documents']:,} documents of {each['index']}: {each['why']}"
        for each in outcome.get("set_aside", ())
    ]
    unread = [(each["index"], each["why"]) for each in outcome.get("unread", ())]
    nothing = [rejection[1]] if rejection and rejection[0] else []
    return [*aside, *nothing, *(f"not read: {line}" for line in cluster.together(unread))]


def warnings(outcome: Document) -> list[str]:
    """What should be looked at, although the run did what it could."""
    rejection = rejected(outcome)
    return [f"warning: {rejection[1]}"] if rejection and not rejection[0] else []


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
        text = f"nothing done: {outcome['skipped']}"
    else:
        text = f"read {outcome['read']:,} documents, wrote {outcome['alerts']['created']:,} alerts"
    return "; ".join([text, *troubles(outcome), *warnings(outcome)])[:_LONGEST]


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
