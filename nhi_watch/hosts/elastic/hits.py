"""Hits of a search → a Grouping: each by the shortest way that reads it whole.

- CloudTrail with `event.original`: the original's line goes through the fast lane of files.
- CloudTrail without: the few fields that matter are picked out of the document's bytes (`document`).
- All else, and whatever those two leave: the document as an object, to whichever source claims it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any, Optional, cast

import msgspec
import orjson

from nhi_watch.core import registry
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.hosts.elastic import document
from nhi_watch.hosts.files.reader.lane import Lane
from nhi_watch.intake.days import Grouping
from nhi_watch.intake.sources import Peek, cloudtrail

SOURCES: tuple[ModuleType, ...] = (
    cloudtrail,
    *(module for module in registry.modules("nhi_watch.intake.sources") if module is not cloudtrail),
)
"""CloudTrail first: it is asked first."""
_EMPTY = msgspec.Raw(b"{}")


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
    clusters: dict[str, Any] = msgspec.field(name="_clusters", default_factory=dict)


answer = msgspec.json.Decoder(Answer).decode
Refuse = Callable[[Hit, RejectError], None]


def record(source: bytes) -> object:
    """What a source can read: CloudTrail's native record where the document holds it, else the document.

    >>> record(b'{"event":{"original":"{\\\\"eventSource\\\\":\\\\"x\\\\",\\\\"eventName\\\\":\\\\"y\\\\"}"}}')
    {'eventSource': 'x', 'eventName': 'y'}
    """
    whole = orjson.loads(source)
    event = whole.get("event") if whole.__class__ is dict else None
    kept = event.get("original") if event.__class__ is dict else whole.get("event.original")
    if kept.__class__ is str:
        try:
            native = orjson.loads(kept)
        except orjson.JSONDecodeError:
            return whole  # the source reads it its own way, or falls back on the fields
        return native if cloudtrail.claims(native) else whole
    return whole


class Item:
    """A hit on its way to a source. What it holds is decoded once, and only as far as somebody asks."""

    __slots__ = ("_record", "document", "hit")

    def __init__(self, hit: Hit) -> None:
        self.hit = hit
        self.document = document.decode(hit.source)
        self._record: object = None

    def record(self) -> object:
        """What a source can read."""
        if self._record is None:
            self._record = record(bytes(self.hit.source))
        return self._record


class ItemsOf:
    """A source whose records are items, in front of the real one."""

    def __init__(self, source: ModuleType) -> None:
        self.NAME = source.NAME
        self._source = source
        self._is_trail = source is cloudtrail

    def claims(self, item: Item) -> bool:
        """Whether the record is the source's."""
        if document.is_trail(item.document):
            return self._is_trail
        claimed: bool = self._source.claims(_readable(item))
        return claimed

    def peek(self, item: Item) -> Optional[Peek]:
        """The cheap reading."""
        if self._is_trail and item.document is not None and document.is_trail(item.document):
            return document.peek(item.document)
        found: Optional[Peek] = self._source.peek(_readable(item))
        return found

    def read(self, item: Item) -> Event:
        """The full reading.

        Raises:
            RejectError: the source's own, or `bad_json`.
        """
        try:
            event: Event = self._source.read(item.record())
        except orjson.JSONDecodeError as error:
            raise RejectError("bad_json", str(error)) from error
        return event


def _readable(item: Item) -> object:
    """The item's record; None, which nobody claims, where it is no JSON to orjson."""
    try:
        return item.record()
    except orjson.JSONDecodeError:
        return None


def sources_of(modules: Iterable[ModuleType]) -> list[ModuleType]:
    """The sources, for items; typed as what the pipeline wants."""
    return [cast(ModuleType, ItemsOf(module)) for module in modules]


class Intake:
    """Feeds a grouping with hits."""

    def __init__(self, grouping: Grouping) -> None:
        self._grouping = grouping
        self._lane = Lane(grouping)

    def feed(self, hits: Sequence[Hit], refuse: Refuse) -> None:
        """Take in a page; documents that are no events are refused."""
        lines = [(hit, line) for hit in hits if (line := document.original(bytes(hit.source))) is not None]
        known = {id(hit) for hit, _ in lines}
        left = self._lane.take([line for _, line in lines])
        rest = [lines[index][0] for index in left]
        rest += [hit for hit in hits if id(hit) not in known]
        self._grouping.feed(map(Item, rest), lambda index, error: refuse(rest[index], error))
