"""CloudTrail's documents of some hours, as days: the cluster groups them, or they are read one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional

from elasticsearch import BadRequestError, Elasticsearch

from nhi_watch.context.context import Context
from nhi_watch.context.reputation import NOTHING, Reputation
from nhi_watch.core.crowd import Known, nobody
from nhi_watch.core.errors import RejectError
from nhi_watch.hosts.elastic import access, hits, read
from nhi_watch.hosts.elastic.hits import Refuse
from nhi_watch.hosts.elastic.pushdown import checks, fields, queries
from nhi_watch.hosts.elastic.pushdown.behaviours import Gatherer
from nhi_watch.hosts.elastic.pushdown.buckets import (
    Ask,
    Bucket,
    CannotPushError,
    Grouped,
    MultipleError,
    named,
    one_shard_each,
    point_in_time,
)
from nhi_watch.hosts.elastic.pushdown.queries import Request
from nhi_watch.hosts.elastic.store_errors import explained, reason
from nhi_watch.intake.days import Days, Intake
from nhi_watch.intake.sources import cloudtrail

Json = dict[str, Any]
_ATTEMPTS = 4
_AT_ONCE = 2
"""Requests that the cluster works on at the same time."""
_STRETCHES = 16
"""Into how many stretches of time a grouping is cut at most: a page goes through all documents of its stretch."""
_STRETCH = 25_000
"""Documents of a stretch at least: each costs some requests, however few documents it has."""


@dataclass
class Made:
    """Hours, made anew."""

    intake: Intake
    documents: int = 0
    """How many the cluster has grouped; those that were read are counted by the intake."""
    bytes: int = 0
    """Of the answers that held groups."""
    groups: int = 0
    rejected: list[tuple[str, int]] = field(default_factory=list)
    """Reason and number of documents whose groups make no Event."""


class _Wanted(NamedTuple):
    """What is to be grouped."""

    within: Json
    parts: Sequence[Sequence[int]]
    """Hours, a stretch for each request."""
    providers: Iterable[str]
    """Services that occur."""
    ask: Ask


@contextmanager
def _grouping(pattern: str) -> Iterator[None]:
    """A request that the cluster calls a bad one is one more reason to read the documents."""
    with explained(f"grouping {pattern}"):
        try:
            yield
        except BadRequestError as problem:
            raise CannotPushError(f"the cluster refuses to group them: {reason(problem)}") from problem


class Trail:
    """CloudTrail's documents in a cluster."""

    def __init__(
        self, client: Elasticsearch, pattern: str, reputation: Reputation = NOTHING, page: int = read.PAGE,
        without: Sequence[Json] = (), now: Optional[int] = None, known: Known = nobody,
    ) -> None:  # fmt: skip
        """`known`: who was seen before a day."""
        self._client = client
        self._now = now
        self._known = known
        self.pattern = pattern
        self._reputation = reputation
        self._page = page
        self._without = (read.FROZEN, *without)
        self._left_out: set[str] = set()
        """Calls that are read because their documents have several values in one field."""

    def read(self, hours: Iterable[int], until: int, refuse: Refuse) -> Made:
        """All documents of the hours, one by one."""
        made = self._nothing()
        self._read(self._within(hours, until), made, refuse)
        return made

    def _within(self, hours: Iterable[int], until: int) -> Json:
        return queries.all_of(queries.within(hours, until), without=self._without)

    def grouped(self, hours: Iterable[int], documents: int, until: int, refuse: Refuse) -> Made:
        """The documents of the hours, about so many, grouped by the cluster as far as it can.

        Raises:
            CannotPushError: it cannot; the message says why.
        """
        within = self._within(hours, until)
        with _grouping(self.pattern):
            obstacle = checks.obstacle(self._client, self.pattern)
            if obstacle is not None:
                raise CannotPushError(obstacle)
            with point_in_time(self._client, self.pattern) as pit:
                ask = Ask.PLACE if one_shard_each(self._client, self.pattern) else Ask.ONE
                parts = queries.stretches(hours, pieces(documents))
                made = self._group(pit, _Wanted(within, parts, checks.look(self._client, pit, within), ask))
        self._read(queries.all_of(within, without=[queries.pushable(self._left_out)]), made, refuse)
        return made

    def whole(self, hours: Iterable[int], until: int, narrow: Optional[Json]) -> Days:
        """The same with every record id that a behaviour keeps, of those documents that a filter lets through.

        Raises:
            CannotPushError: the cluster cannot group them.
        """
        within = self._within(hours, until)
        with _grouping(self.pattern), point_in_time(self._client, self.pattern) as pit:
            narrowed = queries.all_of(within, narrow) if narrow else within
            return self._group(pit, _Wanted(narrowed, [list(hours)], fields.TARGET_KEYS, Ask.ALL)).intake.days

    def _nothing(self) -> Made:
        context = Context(reputation=self._reputation)
        return Made(hits.intake_of([cloudtrail], context, now=self._now, known=self._known))

    def _group(self, pit: str, wanted: _Wanted) -> Made:
        told = checks.told(self._client, pit)
        for _ in range(_ATTEMPTS):
            documents = queries.all_of(wanted.within, queries.pushable(self._left_out))
            requests = [
                request._replace(query=queries.all_of(request.query, queries.spans(hours)))
                for hours in wanted.parts
                for request in queries.requests(documents, wanted.providers, told)
            ]
            try:
                return self._group_once(pit, requests, wanted.ask)
            except MultipleError:
                self._left_out |= checks.multiple(self._client, pit, documents)
        raise CannotPushError("too many calls have several values in one field")

    def _group_once(self, pit: str, requests: list[Request], ask: Ask) -> Made:
        made = self._nothing()
        gatherer = Gatherer(made.intake.days)

        def answered(request: Request) -> tuple[Grouped, list[Bucket]]:
            grouped = Grouped(self._client, pit, request, ask)
            buckets = list(grouped.buckets())
            return grouped, named(self._client, pit, buckets) if ask is Ask.PLACE else buckets

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for request, (grouped, buckets) in zip(requests, pool.map(answered, requests)):
                made.documents += grouped.documents
                made.bytes += grouped.bytes
                made.groups += len(buckets)
                for bucket in buckets:
                    _add(bucket, request, gatherer, made)
        return made

    def _read(self, wanted: Json, made: Made, refuse: Refuse) -> None:
        for pattern in access.by_cluster(self.pattern):
            for page in read.pages(self._client, pattern, wanted, self._page):
                hits.feed(made.intake, page, refuse)


def _add(bucket: Bucket, request: Request, gatherer: Gatherer, made: Made) -> None:
    try:
        gatherer.add(bucket, request)
    except RejectError as error:
        made.documents -= bucket.documents
        made.rejected.append((error.reason, bucket.documents))


def pieces(documents: int) -> int:
    """Into how many stretches of time about so many documents are cut.

    >>> pieces(10_000), pieces(60_000), pieces(9_000_000)
    (1, 3, 16)
    """
    return min(_STRETCHES, 1 + documents // _STRETCH)


def is_trail_pattern(pattern: str) -> bool:
    """Whether an index pattern means CloudTrail's documents.

    >>> is_trail_pattern("logs-aws.cloudtrail-prod"), is_trail_pattern("logs-okta.system-*")
    (True, False)
    """
    return "cloudtrail" in pattern
