"""Pages through a grouping: each bucket is one hour of documents that are alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any, NamedTuple

import orjson
from elasticsearch import ApiError, Elasticsearch

from nhi_watch.core.behaviour import RECORDS
from nhi_watch.core.errors import NhiError
from nhi_watch.core.timestamps import HOUR
from nhi_watch.hosts.elastic.pushdown import fields
from nhi_watch.hosts.elastic.pushdown.queries import Request, all_of, any_of
from nhi_watch.hosts.elastic.read import TIMESTAMP, close
from nhi_watch.hosts.elastic.store_errors import kinds

Json = dict[str, Any]
PAGE, PAGE_WHOLE = 10_000, 500
"""Buckets a search. The cluster allows 65,536 in all, those within buckets included."""
MOST = 200_000
"""Groups of a request that are held in memory: some 200 MB."""
_SMALLEST = 50
_LOOKED_UP = 5_000
_KEEP_ALIVE = "5m"


class Bucket(NamedTuple):
    """Documents of one hour that are alike."""

    values: tuple[Any, ...]
    """In the order of the request's fields."""
    hour: int
    documents: int
    first: int
    last: int
    record_ids: list[str]
    """One, or the smallest ones, as many as a behaviour keeps; empty: `named` is yet to find one."""
    place: tuple[str, int]
    """Index and sequence number of one of the documents; -1 where it was not asked for."""
    minutes: int
    """Bits; only the first and the last minute where not everything was asked for."""


class CannotPushError(NhiError):
    """The cluster cannot group these documents as the reader would; the message says why."""


class MultipleError(CannotPushError):
    """A document has several values where one is ordinary, and fell into several buckets."""


@contextmanager
def point_in_time(client: Elasticsearch, pattern: str) -> Iterator[str]:
    """One view of the documents for several requests."""
    pit: str = client.open_point_in_time(
        index=pattern, keep_alive=_KEEP_ALIVE, ignore_unavailable=True, allow_partial_search_results=False
    )["id"]
    try:
        yield pit
    finally:
        close(client, pit)


class Ask(Enum):
    """How record ids are found, from the cheapest to the dearest way."""

    PLACE = "place"
    """A document's sequence number in its index, whose id is looked up afterwards; wants indices of one shard."""
    ONE = "one"
    """The smallest id."""
    ALL = "all"
    """As many ids as a behaviour keeps, and every minute."""


class Grouped:
    """A request's buckets, and what it cost."""

    def __init__(self, client: Elasticsearch, pit: str, request: Request, ask: Ask = Ask.ONE) -> None:
        self._client = client
        self._pit = pit
        self._request = request
        self._ask = ask
        self._page = PAGE_WHOLE if ask is Ask.ALL else PAGE
        self.documents = 0
        self.bytes = 0

    def buckets(self) -> Iterator[Bucket]:
        """Every bucket, by hour.

        Raises:
            MultipleError: documents were counted twice.
            CannotPushError: there are more groups than memory should hold; the reader folds what is too many.
        """
        after: Json = {}
        total, found, groups = 0, 0, 0
        while True:
            told, size = self._search(after)
            if not after:
                total = told["hits"]["total"]["value"]
            part = told["aggregations"]["alike"]
            groups += len(part["buckets"])
            if groups > MOST:
                raise CannotPushError(f"there are more than {MOST:,} groups in {total:,} documents")
            for plain in part["buckets"]:
                found += plain["doc_count"]
                yield self._bucket(plain)
            if len(part["buckets"]) < size:
                break
            after = part["after_key"]
        if found != total:
            raise MultipleError(f"{total} documents make {found} in groups: some have several values in one field")
        self.documents = total

    def _search(self, after: Json) -> tuple[Json, int]:
        size = self._page
        try:
            told = self._client.search(**self._body(after, size))
        except ApiError as problem:
            if size <= _SMALLEST or not ("too_many_buckets_exception" in kinds(problem) or problem.status_code == 429):
                raise
            self._page = max(_SMALLEST, size // 2)
            return self._search(after)
        raw: Any = told.body  # the client leaves these answers as they are
        self.bytes += len(raw)
        answer: Json = orjson.loads(raw)
        self._pit = answer["pit_id"]
        return answer, size

    def _body(self, after: Json, size: int) -> Json:
        hour: Json = {"hour": {"date_histogram": {"field": TIMESTAMP, "fixed_interval": "1h"}}}
        index: Json = {"index": {"terms": {"field": "_index"}}}
        named: list[Json] = [
            {str(number): {"terms": {"field": name, "missing_bucket": True}}}
            for number, name in enumerate(self._request.fields)
        ]
        sources = [hour, index, *named]
        grouping: Json = {"size": size, "sources": sources}
        query = self._request.query
        if after:
            grouping["after"] = after
            query = all_of(query, {"range": {TIMESTAMP: {"gte": after["hour"], "format": "epoch_millis"}}})
        return {
            "pit": {"id": self._pit, "keep_alive": _KEEP_ALIVE},
            "query": query,
            "size": 0,
            "track_total_hits": not after,
            "allow_partial_search_results": False,
            "aggs": {"alike": {"composite": grouping, "aggs": self._inside()}},
        }

    def _inside(self) -> Json:
        """What is asked of each bucket."""
        inside: Json = {"first": {"min": {"field": TIMESTAMP}}, "last": {"max": {"field": TIMESTAMP}}}
        if self._ask is Ask.PLACE:
            inside["place"] = {"min": {"field": "_seq_no"}}
        elif self._ask is Ask.ONE:
            inside["record"] = {"top_hits": {"size": 1, "_source": False, "sort": [{fields.RECORD: "asc"}]}}
        else:
            order = {"size": RECORDS, "shard_size": RECORDS, "order": {"_key": "asc"}}
            inside["records"] = {"terms": {"field": fields.RECORD, **order}}
            inside["minutes"] = {"date_histogram": {"field": TIMESTAMP, "fixed_interval": "1m", "min_doc_count": 1}}
        return inside

    def _bucket(self, plain: Json) -> Bucket:
        key = plain["key"]
        first, last = int(plain["first"]["value"]) // 1000, int(plain["last"]["value"]) // 1000
        minutes = 1 << first % HOUR // 60 | 1 << last % HOUR // 60
        records: list[str] = []
        if self._ask is Ask.ONE:
            records = [plain["record"]["hits"]["hits"][0]["sort"][0]]
        elif self._ask is Ask.ALL:
            records = [each["key"] for each in plain["records"]["buckets"]]
            for moment in plain["minutes"]["buckets"]:
                minutes |= 1 << moment["key"] // 1000 % HOUR // 60
        values = tuple(key[str(i)] for i in range(len(self._request.fields)))
        place = (key["index"], int(plain["place"]["value"]) if self._ask is Ask.PLACE else -1)
        hour = key["hour"] // 1000 // HOUR
        return Bucket(values, hour, plain["doc_count"], first, last, records, place, minutes)


# ---- one id each, where only a place is known


def one_shard_each(client: Elasticsearch, pattern: str) -> bool:
    """Whether a sequence number names one document of an index."""
    told = client.indices.get_settings(index=pattern, name="index.number_of_shards", ignore_unavailable=True).body
    return all(index["settings"]["index"]["number_of_shards"] == "1" for index in told.values())


def named(client: Elasticsearch, pit: str, buckets: Sequence[Bucket]) -> list[Bucket]:
    """The buckets with the record id of the document at each one's place.

    Raises:
        CannotPushError: a document is not there, or has no id.
    """
    found: dict[tuple[str, int], str] = {}
    for start in range(0, len(buckets), _LOOKED_UP):
        found.update(_look_up(client, pit, [bucket.place for bucket in buckets[start : start + _LOOKED_UP]]))
    missing = [bucket for bucket in buckets if bucket.place not in found]
    if missing:
        raise CannotPushError(f"{len(missing)} documents were not found by their sequence number")
    return [bucket._replace(record_ids=[found[bucket.place]]) for bucket in buckets]


Place = tuple[str, int]


def _look_up(client: Elasticsearch, pit: str, places: Sequence[Place]) -> Iterator[tuple[Place, str]]:
    by_index: dict[str, list[int]] = {}
    for index, number in places:
        by_index.setdefault(index, []).append(number)
    told: Any = client.search(
        pit={"id": pit, "keep_alive": _KEEP_ALIVE},
        query=any_of(*(all_of({"term": {"_index": i}}, {"terms": {"_seq_no": n}}) for i, n in by_index.items())),
        size=len(places),
        source=False,
        docvalue_fields=[{"field": fields.RECORD}, {"field": "_seq_no"}],
        sort=["_doc"],
        track_total_hits=False,
        allow_partial_search_results=False,
    )
    for hit in orjson.loads(told.body)["hits"]["hits"]:
        yield (hit["_index"], hit["fields"]["_seq_no"][0]), hit["fields"][fields.RECORD][0]
