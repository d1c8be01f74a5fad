"""What the doctor asks of a source: is it there, how late is it, does the reader understand it, what does it not tell?

The newest documents are read as a run would read them. So it is the reader itself that says which facts about events
are missing, and `costs` says which signals that costs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import orjson
from elasticsearch import Elasticsearch

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import parse
from nhi_watch.hosts.elastic import costs, read
from nhi_watch.hosts.elastic.hits import SOURCES, Hit, Item, sources_of
from nhi_watch.intake.days import FORESEEN

Json = dict[str, Any]
SAMPLE = 200
_ENOUGH = 50
"""Events from which on it counts that none of them tells a fact."""
_AHEAD = 300
"""Seconds by which an event may be ahead of this host's clock."""
_QUIET = 6 * 3600
"""Seconds without a document after which a source is called quiet."""


@dataclass
class Source:
    """What was found of one index pattern."""

    pattern: str
    there: bool = False
    closed: list[str] = field(default_factory=list)
    newest: int = 0
    """Seconds since the newest document was ingested; 0: there is none."""
    documents: int = 0
    """How many were looked at."""
    understood: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    """Reason → documents that are no events."""
    delay: float = 0.0
    """Median of the seconds from an event to its ingestion."""
    ahead: int = 0
    """Events of the future."""
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Fact or field that is missing → signals that it costs."""


    def facts(self) -> Json:
        """All of it, for programs."""
        return {
            "there": self.there, "closed": self.closed, "seconds_since_newest": self.newest, "sampled": self.documents,
            "understood": self.understood, "rejected": self.reasons, "median_delay": self.delay,
            "ahead_of_clock": self.ahead, "missing": {name: list(lost) for name, lost in self.missing.items()},

        }  # fmt: skip


def look(client: Elasticsearch, pattern: str) -> Source:
    """Look at a source and its newest documents."""
    source = Source(pattern)
    resolved = client.indices.resolve_index(name=pattern, expand_wildcards="all", ignore_unavailable=True).body
    backing = [index for stream in resolved["data_streams"] for index in stream["backing_indices"]]
    source.there = bool(backing or resolved["indices"])
    if not source.there:
        return source
    source.closed = _closed(client, resolved["indices"], backing)
    hits = _newest(client, pattern)
    _judge_times(source, hits)
    _judge_events(source, _read(source, hits))
    if "cloudtrail" in pattern:
        _judge_fields(client, source)
    return source


def _closed(client: Elasticsearch, indices: Sequence[Json], backing: Sequence[str]) -> list[str]:
    found = list(indices)
    for start in range(0, len(backing), 100):
        names = ",".join(backing[start : start + 100])
        found += client.indices.resolve_index(name=names, expand_wildcards="all").body["indices"]
    return sorted({index["name"] for index in found if "closed" in index.get("attributes", [])})


def _newest(client: Elasticsearch, pattern: str) -> list[Json]:
    told = client.search(
        index=pattern,
        size=SAMPLE,
        sort=[{read.TIMESTAMP: {"order": "desc", "unmapped_type": "date"}}],
        ignore_unavailable=True,
    )
    found: list[Json] = told["hits"]["hits"]
    return found


def _judge_times(source: Source, hits: Sequence[Json]) -> None:
    now = int(time.time())
    ingested = [_time(hit, "event", "ingested") for hit in hits]
    happened = [_time(hit, read.TIMESTAMP) for hit in hits]
    known = [at for at in (*ingested, *happened) if at and at <= now + _AHEAD]
    source.newest = max(1, now - max(known)) if known else 0
    delays = [i - h for i, h in zip(ingested, happened) if i and h]
    source.delay = float(median(delays)) if delays else 0.0
    source.ahead = sum(at > now + _AHEAD for at in happened)


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


def _judge_events(source: Source, events: Sequence[Event]) -> None:
    if len(events) < _ENOUGH:
        return
    for fact in costs.ALWAYS_TOLD:
        if not any(getattr(event, fact) for event in events) and not (
            fact in ("session", "credential") and any(event.session or event.credential for event in events)
        ):
            source.missing[fact] = costs.SIGNALS[fact]


def _judge_fields(client: Elasticsearch, source: Source) -> None:
    """Fields of CloudTrail that no index maps: the integration is old, or drops them."""
    names = [*costs.TRAIL, *costs.INSTEAD.values()]
    caps = client.field_caps(index=source.pattern, fields=names, ignore_unavailable=True)["fields"]
    mapped = {name for name in names if set(caps.get(name, {})) - {"unmapped"}}
    for name, facts in costs.TRAIL.items():
        if name not in mapped and costs.INSTEAD.get(name) not in mapped:
            lost = dict.fromkeys(signal for fact in facts for signal in costs.SIGNALS[fact])
            source.missing[name] = (*lost, *costs.ALSO.get(name, ()))


def told(source: Source) -> tuple[str, str, str]:
    """Status, sentence and remedy of a source."""
    if not source.there:
        return "ok", "not there, so not read", ""
    if not source.documents:
        return "warn", "there, but without a document", "look at the integration that should write it"
    parts = [f"newest {span(source.newest)} old, {span(source.delay)} from event to index (median)"]
    parts.append(f"{source.understood} of {source.documents} newest documents understood")
    status, remedies = "ok", []
    if not source.understood:
        status = "fail"
        remedies.append(f"these are no events to any source ({', '.join(source.reasons)}): check --index")
    for trouble, text, remedy in _troubles(source):
        if trouble:
            status = max(status, "warn", key=("ok", "warn", "fail").index)
            parts.append(text)
            remedies.append(remedy)
    return status, "; ".join(parts), "; ".join(remedy for remedy in remedies if remedy)


def _troubles(source: Source) -> list[tuple[bool, str, str]]:
    lost = "; ".join(f"{name} is missing, which costs {', '.join(signals)}" for name, signals in source.missing.items())
    return [
        (source.newest > _QUIET, "quiet for hours", "look at the integration that should write it"),
        (bool(source.closed), f"{len(source.closed)} indices are closed and not read", "open them, or leave it so"),
        (source.ahead > 0, f"{source.ahead} events are of the future", "set the clocks of what writes them"),
        (0 < source.understood < source.documents, f"not understood: {_listed(source.reasons)}", ""),
        (bool(source.missing), lost, "upgrade the integration, or let it keep event.original"),
    ]


def _listed(reasons: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))


def span(seconds: float) -> str:
    """A length of time, for people.

    >>> span(42), span(180), span(9000), span(400000)
    ('42 s', '3 min', '2 h', '4 d')
    """
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"
