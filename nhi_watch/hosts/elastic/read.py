"""Reads documents from Elasticsearch: a point in time, page after page.

The whole `_source` is fetched: the server takes longer to pick 30 fields out of it than to send it, and
nothing is missing (docs/decisions/0006-elastic.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Optional, Union, cast

import msgspec
from elasticsearch import ApiError, Elasticsearch

from nhi_watch.context import reputation
from nhi_watch.context.context import Context
from nhi_watch.context.reputation import Indicator, Reputation
from nhi_watch.core.errors import InputError, RejectError, StoreError
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY, HOUR, render
from nhi_watch.detect.session import Session
from nhi_watch.hosts.elastic.cluster import ELSEWHERE, REMOTE, complete, explained
from nhi_watch.intake import horizon, schemas
from nhi_watch.intake.batch import NOBODY, Intake, Load, nothing
from nhi_watch.intake.shapes.forms import dataset
from nhi_watch.intake.shapes.json import parse
from nhi_watch.intake.sources import cloudtrail, every

# ---- hits
#
# Hits of a search → Days: each document as the record that a source can read.


SOURCES: tuple[ModuleType, ...] = tuple(every())
_EMPTY = msgspec.Raw(b"{}")
_NAMED_FOR = re.compile(r"(?:\.ds-)?logs-([^-]+)-")


class Hit(msgspec.Struct, gc=False):
    """One document, undecoded."""

    index: str = msgspec.field(name="_index")
    id: str = msgspec.field(name="_id")
    source: msgspec.Raw = msgspec.field(name="_source", default=_EMPTY)
    sort: Any = None


class _Hits(msgspec.Struct, gc=False):
    hits: list[Hit]


class Answer(msgspec.Struct, gc=False):
    """What a search in a point in time answers."""

    pit_id: str
    hits: _Hits
    timed_out: bool = False
    shards: dict[str, Any] = msgspec.field(name="_shards", default_factory=dict)


answer = msgspec.json.Decoder(Answer).decode
Refuse = Callable[[Hit, RejectError], None]


def _native(tree: Any, index: str) -> object:
    event = tree.get("event") if tree.__class__ is dict else None
    kept = event.get("original") if event.__class__ is dict else tree.get("event.original")
    if kept.__class__ is str:
        try:
            native = parse(kept)
        except (ValueError, RecursionError):
            return tree  # the source reads it its own way, or falls back on the fields
        if cloudtrail.claims(native):
            return native
    elif kept is None:
        kept = tree.get("message")
    if kept.__class__ is str and kept[:1] == "{" and not dataset(tree):
        tree = {**tree, "data_stream": {"dataset": _dataset_of(index)}}
    return schemas.opened(tree)


@lru_cache(maxsize=1024)
def _dataset_of(index: str) -> str:
    """The dataset by which an index is named: of a record that does not say itself whose it is, this decides.

    Only who runs the cluster names indices. What a record's text says could be written by anybody whom it quotes.

    >>> _dataset_of(".ds-logs-aws.cloudtrail-default-2025.01.31-000001"), _dataset_of("logs-x"), _dataset_of("other")
    ('aws.cloudtrail', '', '')
    """
    match = _NAMED_FOR.match(index)
    return match[1] if match else ""


class Item:
    """A hit on its way to a source; what it holds is decoded once."""

    __slots__ = ("_record", "hit", "received")

    def __init__(self, hit: Hit) -> None:
        self.hit = hit
        self.received: Optional[int] = None
        """The day on which the document was ingested, once it was decoded; None: it does not say."""
        self._record: object = None

    def record(self) -> object:
        """What a source can read.

        Raises:
            RejectError: it is no JSON, or kept in a schema that cannot tell it.
        """
        if self._record is None:
            try:
                tree = parse(bytes(self.hit.source))
            except (ValueError, RecursionError) as error:
                raise RejectError("bad_json", str(error)) from error
            self.received = horizon.day_received(tree)
            self._record = _native(tree, self.hit.index)
        return self._record


class ItemsOf:
    """A source whose records are items, in front of the real one."""

    def __init__(self, source: ModuleType) -> None:
        self.NAME = source.NAME
        self._source = source

    def claims(self, item: Item) -> bool:
        """Whether the record is the source's; what is refused, anybody claims."""
        try:
            claimed: bool = self._source.claims(item.record())
        except RejectError:
            return True
        return claimed

    def read(self, item: Item) -> Event:
        """The source's reading.

        Raises:
            RejectError: the source's own, or `bad_json`.
        """
        event: Event = self._source.read(item.record())
        return event


def sources_of(modules: Iterable[ModuleType]) -> list[ModuleType]:
    """The sources, for items; typed as what the intake wants."""
    listed = list(modules)
    return [*(cast(ModuleType, ItemsOf(module)) for module in listed), cast(ModuleType, _Unclaimed(listed))]


class _Unclaimed:
    """Stands for a source where none knows the record: says what it seems to be, and what would be read."""

    NAME = ""

    def __init__(self, sources: Sequence[ModuleType]) -> None:
        self._sources = sources

    def claims(self, item: Item) -> bool:
        return not any(source.claims(item.record()) for source in self._sources)

    @staticmethod
    def read(item: Item) -> Event:
        return NOBODY.read(item.record())


def received(item: object) -> Optional[int]:
    """The day on which an item was ingested."""
    return cast(Item, item).received


def intake_of(
    modules: Iterable[ModuleType], context: Context, load: Load = nothing, now: Optional[int] = None
) -> Intake:
    """What reads items; `now` by the cluster's clock."""
    return Intake(sources_of(modules), context, load, now, received)


def events_of(hits: Sequence[Hit]) -> tuple[list[tuple[Hit, Event]], list[RejectError]]:
    """The hits that are records, each with its event; and why the others are none."""
    events: list[tuple[Hit, Event]] = []
    errors: list[RejectError] = []
    intake_of(SOURCES, Context()).feed(
        map(Item, hits),
        lambda index, error: errors.append(error),
        on_event=lambda index, event: events.append((hits[index], event)),
    )
    return events, errors


def feed(intake: Union[Intake, Session], hits: Sequence[Hit], refuse: Refuse) -> None:
    """Take in a page; documents that are no events are refused."""
    intake.feed(map(Item, hits), lambda index, error: refuse(hits[index], error))


# ---- read


PAGE = 2_000
INGESTED, TIMESTAMP, NUMBER = "event.ingested", "@timestamp", "_seq_no"
LATE = 3 * HOUR
"""How late a document may be that does not say when it was ingested: CloudTrail's 45 minutes, Google's two hours."""
_SMALLEST = 100
_KEEP_ALIVE = "5m"
COPY = "nhi_watch"
"""What is counted and what is read come from the same copies of the shards: another may show a document later."""
_ORDER = ["_shard_doc"]
"""The order in which it lies there; nothing in the core depends on the order."""
_DATES = ("date", "date_nanos")

Json = dict[str, Any]


class Window(NamedTuple):
    """Which documents to read, by the time at which they were ingested."""

    pattern: str
    since: int
    """Seconds since the epoch, inclusive."""
    until: int
    """Exclusive."""
    ranges: tuple[tuple[int, int], ...] = ()
    """The stretches of it that are read; none named here or in `own`: all of it."""
    own: tuple[tuple[int, int], ...] = ()
    """Stretches of event time, of documents that do not say when they were ingested."""
    newer: tuple[int, int] = (0, 0)
    """The stretch of which those are read, too, that have a higher number in their index than `seen`."""
    newer_own: tuple[int, int] = (0, 0)
    """The same of event time."""
    seen: tuple[tuple[str, int], ...] = ()
    """Index and number."""
    of: str = ""
    """For indices that are read apart from others: the patterns that they match."""


class TimeSpan(NamedTuple):
    """A stretch of event time, half open; None: without end."""

    low: Optional[int] = None
    high: Optional[int] = None


ALL = TimeSpan()


class Clocks(NamedTuple):
    """By which field the documents of a pattern are read."""

    field: str
    """`event.ingested`; or `@timestamp` alone, of indices that are read apart."""
    suspect: tuple[str, ...] = ()
    """Indices that map a time as something other than a date. They are read apart, by `@timestamp`."""
    numbered: bool = True
    """Whether every index numbers its writes; one may have them switched off (9.5)."""
    has_others: bool = True
    """Whether there are indices that are not odd."""

    def apart(self) -> list[Json]:
        """A query for what is left out of the pattern because it is read apart."""
        return [{"terms": {"_index": list(self.suspect)}}] if self.suspect else []


def clocks(client: Elasticsearch, pattern: str) -> Clocks:
    """Look into the mappings."""
    mappings = client.field_caps(
        index=pattern, fields=[INGESTED, TIMESTAMP, NUMBER], ignore_unavailable=True, include_unmapped=True
    ).body
    suspect = sorted(set(_mapped_otherwise(mappings, INGESTED)) | set(_mapped_otherwise(mappings, TIMESTAMP)))
    kinds = mappings["fields"].get(NUMBER, {})
    numbered = all(caps["aggregatable"] for kind, caps in kinds.items() if kind != "unmapped")
    if set(pattern.split(",")) <= set(suspect):
        return Clocks(TIMESTAMP, (), numbered)
    return Clocks(INGESTED, tuple(suspect), numbered, not suspect or len(suspect) < len(mappings["indices"]))


def _mapped_otherwise(mappings: Json, field: str) -> Iterator[str]:
    """Indices that map a field as something other than a date."""
    for kind, caps in mappings["fields"].get(field, {}).items():
        if kind not in (*_DATES, "unmapped"):
            yield from caps.get("indices", mappings["indices"])


FROZEN: Json = {"terms": {"_tier": ["data_frozen"]}}
"""Documents that are fetched from a snapshot to be searched, which takes long and costs money: they are old, too."""


def query(window: Window, by: Clocks, span: TimeSpan = ALL, without: Sequence[Json] = ()) -> Json:
    """Documents of the window that happened within a span; those that lack the time of ingestion go by their own.

    Those without a time belong to the span without a beginning. `without`: queries of what is left out.
    """
    if window.ranges or window.own:
        ways = [ingested_between(*stretch, by) for stretch in window.ranges] + [
            lacking(*stretch, by) for stretch in window.own
        ]
        late = [
            then
            for then, (_, until) in (
                (ingested_between(*window.newer, by), window.newer),
                (lacking(*window.newer_own, by), window.newer_own),
            )
            if until
        ]
        ways += [newer(then, window.seen) for then in late]
    else:
        ways = [
            ingested_between(window.since, window.until, by),
            lacking(max(0, window.since - LATE), window.until, by),
        ]
    filters = [any_of(ways)]
    if span.low is not None:
        filters.append({"range": {TIMESTAMP: {"gte": render(span.low)}}})
    later = [] if span.high is None else [{"range": {TIMESTAMP: {"gte": render(span.high)}}}]
    return {"bool": {"filter": filters, "must_not": [*later, FROZEN, *by.apart(), *without]}}


def ingested_between(low: int, high: int, by: Clocks) -> Json:
    """Documents that were ingested then."""
    if by.field == TIMESTAMP:
        return {"match_none": {}}
    return {"range": {INGESTED: ends(low, high)}}


def newer(then: Json, seen: Iterable[tuple[str, int]]) -> Json:
    """Those of some documents that were written later than the ones that were seen: each write has the next number."""
    before = [
        {"bool": {"filter": [{"term": {"_index": index}}, {"range": {NUMBER: {"lte": number}}}]}}
        for index, number in seen
    ]
    return {"bool": {"filter": [then], "must_not": before}}


def lacking(low: int, high: int, by: Clocks) -> Json:
    """Documents that happened then, and do not say when they were ingested."""
    then = {"range": {TIMESTAMP: ends(low, high)}}
    if by.field == TIMESTAMP:
        return then
    return {"bool": {"filter": [then], "must_not": [{"exists": {"field": INGESTED}}]}}


def ends(low: int, high: int) -> Json:
    """The bounds of a range of dates, half open, whatever format an index has for its own dates."""
    return {"gte": render(low), "lt": render(high), "format": "strict_date_optional_time"}


def any_of(ways: list[Json]) -> Json:
    """One of the ways holds."""
    return ways[0] if len(ways) == 1 else {"bool": {"should": ways, "minimum_should_match": 1}}


def count_by(client: Elasticsearch, window: Window, seconds: int, span: TimeSpan = ALL) -> dict[int, int]:
    """Start of each stretch of event time → documents of the window in it."""
    by = clocks(client, window.pattern)
    return counted(aggregated(client, window.pattern, query(window, by, span), steps(seconds), by))


def steps(seconds: int, field: str = TIMESTAMP) -> Json:
    """An aggregation by stretches of time."""
    return {"steps": {"date_histogram": {"field": field, "fixed_interval": f"{seconds}s", "min_doc_count": 1}}}


NUMBERS: Json = {"terms": {"field": "_index", "size": 10_000}, "aggs": {"last": {"max": {"field": NUMBER}}}}
"""An aggregation by index: the highest number that a document has."""


def numbers(aggregations: Json) -> dict[str, int]:
    """Index → that number."""
    buckets = aggregations.get("numbers", {}).get("buckets", [])
    return {bucket["key"]: int(bucket["last"]["value"]) for bucket in buckets if bucket["last"]["value"] is not None}


def counted(aggregations: Json) -> dict[int, int]:
    """Start of each stretch → documents."""
    buckets = aggregations.get("steps", {}).get("buckets", [])
    return {bucket["key"] // 1000: bucket["doc_count"] for bucket in buckets}


def aggregated(client: Elasticsearch, pattern: str, wanted: Json, aggs: Json, by: Clocks) -> Json:
    """Aggregations over documents. Where there are odd indices, their shards would refuse them.

    Raises:
        PassingError: not all of them answered.
    """
    if not by.has_others:
        return {}
    asked: Json = {
        "query": wanted,
        "size": 0,
        "aggs": aggs,
        "allow_partial_search_results": False,
        "track_total_hits": False,
    }
    if by.suspect:
        with opened(client, pattern, {"bool": {"must_not": by.apart()}}) as pit:
            body: Any = client.search(pit={"id": pit}, **asked).body
            reply = parse(body)  # the client leaves these answers as they are
    else:
        reply = client.search(index=pattern, ignore_unavailable=True, preference=COPY, **asked).body
    aggregations: Json = complete(reply, f"planning {pattern}").get("aggregations", {})
    return aggregations


def pages(client: Elasticsearch, pattern: str, wanted: Json, size: int = PAGE) -> Iterator[list[Hit]]:
    """The hits of a query, a page at a time; the next page is fetched while the caller works on this one.

    Raises:
        StoreError: a shard failed or the search timed out: half an answer is none.
    """
    with explained(f"reading {pattern}"), opened(client, pattern) as pit:
        yield from _walk(client, pit, wanted, size)


@contextmanager
def opened(client: Elasticsearch, pattern: str, indices: Optional[Json] = None) -> Iterator[str]:
    """A point in time of the indices of a pattern, or of those of them that a query leaves."""
    pit: str = client.open_point_in_time(
        index=pattern,
        keep_alive=_KEEP_ALIVE,
        ignore_unavailable=True,
        allow_partial_search_results=False,
        preference=COPY,
        index_filter=indices,
    )["id"]
    try:
        yield pit
    finally:
        close(client, pit)


def close(client: Elasticsearch, pit: str) -> None:
    """Free the point in time; where the cluster is away, it expires by itself."""
    once = client.options(max_retries=0, ignore_status=[404, 429, 502, 503, 504])
    try:
        with explained("closing the point in time"):
            once.close_point_in_time(id=pit)
    except StoreError:
        return


def _walk(client: Elasticsearch, pit: str, wanted: Json, size: int) -> Iterator[list[Hit]]:
    """Go through a point in time. Where the cluster is short of memory, ask for less at a time."""

    def fetch(pit: str, size: int, after: Any = None) -> tuple[Answer, int]:
        extra = {"search_after": after} if after else {}
        try:
            response = client.search(
                pit={"id": pit, "keep_alive": _KEEP_ALIVE},
                size=size,
                query=wanted,
                sort=_ORDER,
                track_total_hits=False,
                allow_partial_search_results=False,
                **extra,
            )
        except ApiError as problem:
            if problem.status_code != 429 or size <= _SMALLEST:
                raise
            return fetch(pit, max(_SMALLEST, size // 2), after)
        page: Answer = answer(response.body)  # the client leaves these answers as they are
        complete({"timed_out": page.timed_out, "_shards": page.shards}, "reading")
        return page, size

    with ThreadPoolExecutor(1) as ahead:
        waiting = ahead.submit(fetch, pit, size)
        while True:
            page, size = waiting.result()
            hits = page.hits.hits
            is_last = len(hits) < size
            if not is_last:
                waiting = ahead.submit(fetch, page.pit_id, size, hits[-1].sort)
            if hits:
                yield hits
            if is_last:
                return


# ---- intel
#
# Indicators of bad addresses out of Elastic's threat-intelligence streams (`logs-ti_*`), beside those of files.
#
# Only documents with an address that were written lately are asked for: an indicator without an end of its own
# counts
# for 90 days after it was last seen, so older ones could not count any more.


STREAMS = "logs-ti_*"
_ADDRESS = "threat.indicator.ip"
_SPAN = 2 * reputation.DECAY_DAYS * DAY
"""How far back documents are asked for: streams write an indicator again while they see it."""


def load(client: Elasticsearch, files: Sequence[Path], pattern: str, now: int) -> Reputation:
    """The reputation in files, and the streams of a pattern; "" for no streams.

    Raises:
        InputError: a file is wrong.
        StoreError: the streams cannot be read.
    """
    for each in filter(REMOTE.match, pattern.split(",")):
        raise InputError(f"--intel {each}: {ELSEWHERE}")
    indicators = chain.from_iterable(map(reputation.read, files))
    streamed = _indicators(client, pattern, now) if pattern else iter(())
    return reputation.gather(chain(indicators, islice(streamed, reputation.LIMIT)))


def _indicators(client: Elasticsearch, pattern: str, now: int) -> Iterator[Indicator]:
    recent = {"range": {TIMESTAMP: {"gte": render(max(0, now - _SPAN))}}}
    wanted: dict[str, Any] = {"bool": {"filter": [{"exists": {"field": _ADDRESS}}, recent]}}
    for page in pages(client, pattern, wanted):
        for hit in page:
            yield reputation.of_document(parse(bytes(hit.source)))
