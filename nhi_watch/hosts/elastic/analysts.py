"""`nhi elastic feedback`: what analysts said of Kibana's alerts, as verdicts in the state; and merged alerts closed.

Kibana's alerts keep the ECS fields of the documents that they were made of, so `event.id` is the notable's id.

| what an analyst does in Kibana | verdict |
|---|---|
| tags with `nhi:confirmed` or `nhi:benign` | that one |
| tags with `nhi:expected`, or `nhi:expected:2026-12-31` | expected, for 30 days or until then |
| tags with `nhi:duplicate:ID` | a duplicate of that notable |
| tags with `nhi:open` | takes back what was said |
| closes as true positive | confirmed |
| closes as false positive or benign positive, or tags with "False Positive" | benign |
| all else: acknowledges, closes for another reason or for none | none; it is counted |

A reason for closing is there since Kibana 9.2; tags since 8.10.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from elasticsearch import Elasticsearch

from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.detect import feedback, publish
from nhi_watch.detect.exposure import fast
from nhi_watch.detect.feedback import Verdict
from nhi_watch.hosts.elastic import setup
from nhi_watch.hosts.elastic.cluster import explained
from nhi_watch.hosts.elastic.kibana import Kibana
from nhi_watch.report.ecs import DATASET
from nhi_watch.state.state import State
from nhi_watch.state.store import Rows

Json = dict[str, Any]
DAYS = 90
"""Alerts of so many days are looked at: notables are kept no longer."""
_PAGE = 1_000
_STATUS = "kibana.alert.workflow_status"
_TAGS = "kibana.alert.workflow_tags"
_REASON = "kibana.alert.workflow_reason"
_USER = "kibana.alert.workflow_user"
_UUID = "kibana.alert.uuid"
_WHEN = "kibana.alert.workflow_status_updated_at"
_FIELDS = tuple({"field": name} for name in ("event.id", _STATUS, _TAGS, _REASON, _USER, _WHEN, "@timestamp"))
_BY_REASON = {"true_positive": "confirmed", "false_positive": "benign", "benign_positive": "benign"}
_BY_TAG = {
    "nhi:open": feedback.OPEN,
    "nhi:confirmed": "confirmed",
    "nhi:benign": "benign",
    "false positive": "benign",
    "nhi:expected": "expected",
    "nhi:duplicate": "duplicate",
}
_EXPECTED = 30 * DAY
"""How long something is expected where the tag does not say until when."""
_NOBODY = "kibana"
CLOSED_AT_ONCE = 500


class AlertVerdict(NamedTuple):
    """One Kibana alert that somebody has dealt with."""

    notable_id: str
    status: str
    """open | acknowledged | closed"""
    reason: str
    tags: tuple[str, ...]
    by: str
    time: str

    @property
    def verdict(self) -> Optional[tuple[str, str]]:
        """What it says of the notable, and what its tag adds to that; a tag of ours outweighs a reason."""
        for tag in sorted(self.tags, reverse=True):
            name, more = ":".join(tag.lower().split(":")[:2]), tag.partition(":")[2].partition(":")[2]
            if name in _BY_TAG:
                return _BY_TAG[name], more
        by_reason = _BY_REASON.get(self.reason) if self.status == "closed" else None
        return (by_reason, "") if by_reason else None


def said(client: Elasticsearch, now: int, index: str = setup.ANALYSTS) -> Iterator[AlertVerdict]:
    """Alerts made of ours that are not merely open, oldest first.

    Raises:
        StoreError: they cannot be read.
    """
    dealt = [{"terms": {_STATUS: ["acknowledged", "closed"]}}, {"exists": {"field": _TAGS}}]
    filters: list[Json] = [
        {"term": {"event.dataset": DATASET}},
        {"range": {"@timestamp": {"gte": (now - DAYS * DAY) * 1000, "format": "epoch_millis"}}},
        {"bool": {"should": dealt, "minimum_should_match": 1}},
    ]
    asked: Json = {
        "query": {"bool": {"filter": filters}},
        "source": False,
        "fields": list(_FIELDS),
        "sort": [{"@timestamp": {"unmapped_type": "date"}}, {_UUID: {"unmapped_type": "keyword"}}],
    }
    for hit in _hits(client, index, asked):
        yield _said(hit.get("fields", {}))


def _hits(client: Elasticsearch, index: str, asked: Json) -> Iterator[Json]:
    """All hits of a search, page by page."""
    after: Optional[list[Any]] = None
    while True:
        with explained(f"reading {index}"):
            response = client.search(index=index, size=_PAGE, search_after=after, ignore_unavailable=True, **asked)
        hits = response["hits"]["hits"]
        yield from hits
        if len(hits) < _PAGE:
            return
        after = hits[-1]["sort"]


def _said(fields: Mapping[str, Sequence[Any]]) -> AlertVerdict:
    def first(name: str, other: str = "") -> str:
        return str((fields.get(name) or [other])[0])

    tags = tuple(str(tag) for tag in fields.get(_TAGS) or ())
    time = first(_WHEN, first("@timestamp"))
    return AlertVerdict(first("event.id"), first(_STATUS, "open"), first(_REASON), tags, first(_USER, _NOBODY), time)


class Taken(NamedTuple):
    """What was made of it."""

    verdicts: list[Verdict]
    new: list[Verdict]
    """Those of them that the state did not have."""
    undecided: int
    """Acknowledged, or closed without a reason that says whether it was true."""
    unknown: int
    """Of notables that the state no longer keeps."""
    wrong: list[str]
    """What is wrong with others, such as a tag that names no date."""


def take(rows: Rows, heard: Iterable[AlertVerdict], now: int) -> Taken:
    """Put verdicts into the state; the same ones again change nothing. Committing is the caller's business."""
    state = State(rows)
    known = {notable["id"]: notable for notable in (*publish.stored(rows), *fast.stored(rows))}
    verdicts, undecided, unknown, wrong = [], 0, 0, list[str]()
    for each in heard:
        notable = known.get(each.notable_id)
        if each.verdict is None:
            undecided += 1
        elif notable is None:
            unknown += 1
        else:
            try:
                verdicts.append(_verdict(notable, each, each.verdict, (now, state.next_open_day()), known))
            except InputError as error:
                wrong.append(f"alert of {each.notable_id}: {error}")
    before = set(map(_named, feedback.verdicts(rows)))
    feedback.put(rows, verdicts)
    return Taken(
        verdicts, [verdict for verdict in verdicts if _named(verdict) not in before], undecided, unknown, wrong
    )


def _named(verdict: Verdict) -> tuple[str, str, str, int]:
    """What makes it another verdict; the notable may have grown since."""
    return verdict.notable_id, verdict.verdict, verdict.by, verdict.time


def _verdict(
    notable: NotableDocument, each: AlertVerdict, said: tuple[str, str], times: tuple[int, int], known: Container[str]
) -> Verdict:
    (verdict, added), (now, since) = said, times
    try:
        when = min(parse(each.time), now)
        ends = {"until": parse(f"{added}T00:00:00Z") if added else when + _EXPECTED} if verdict == "expected" else {}
    except RejectError as error:
        raise InputError(str(error)) from error
    if verdict == "duplicate" and added not in known:
        raise InputError(f"the tag names no notable of the state: nhi:duplicate:{added}")
    other = {"duplicate_of": added} if verdict == "duplicate" else {}
    why = f"Kibana: {each.status}{f' as {each.reason}' if each.reason else ''}"
    tags = f", tags {', '.join(each.tags)}" if each.tags else ""
    more = {"since": since, **ends, **other}
    return feedback.make_verdict(notable, verdict, each.by or _NOBODY, f"{why}{tags}", when, more)


# ---- merged notables


def close_merged(client: Elasticsearch, kibana: Kibana, stream: str, index: str = setup.ANALYSTS) -> int:
    """Close the open alerts of notables that go on as part of another; returns how many there were.

    Raises:
        StoreError: Elasticsearch or Kibana refuses.
    """
    merged = sorted({hit["_source"]["event"]["id"] for hit in _hits(client, stream, _MERGED)})
    closed = 0
    for start in range(0, len(merged), CLOSED_AT_ONCE):
        with explained(f"reading {index}"):
            ids = _open(client, index, merged[start : start + CLOSED_AT_ONCE])
        if ids:
            kibana.post("/api/detection_engine/signals/status", {"signal_ids": ids, "status": "closed"})
        closed += len(ids)
    return closed


_MERGED: Json = {
    "query": {"term": {"nhi.change": "merged"}},
    "source": {"includes": ["event.id"]},
    "sort": [{"@timestamp": {"unmapped_type": "date"}}, {"event.id": {"unmapped_type": "keyword"}}, {"_doc": "asc"}],
}


def _open(client: Elasticsearch, index: str, notables: Sequence[str]) -> list[str]:
    """Ids of the alerts of some notables that nobody has closed."""
    filters = [{"term": {"event.dataset": DATASET}}, {"terms": {"event.id": list(notables)}}]
    query = {"bool": {"filter": filters, "must_not": [{"term": {_STATUS: "closed"}}]}}
    response = client.search(index=index, query=query, source=False, size=10_000, ignore_unavailable=True)
    return sorted(hit["_id"] for hit in response["hits"]["hits"])
