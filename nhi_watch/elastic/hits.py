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

from nhi_watch.elastic import document
from nhi_watch.errors import RejectError
from nhi_watch.event import Event
from nhi_watch.pipeline import Pipeline
from nhi_watch.sources import Peek, cloudtrail
from nhi_watch.stores.lane import Lane

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


class Intake:
    """Feeds a pipeline with hits."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._lane = Lane(pipeline.grouping)

    def feed(self, hits: Sequence[Hit], refuse: Refuse) -> None:
        """Take in a page."""
        lines = [(hit, line) for hit in hits if (line := document.original(bytes(hit.source))) is not None]
        known = {id(hit) for hit, _ in lines}
        left = self._lane.take([line for _, line in lines])
        rest = [lines[index][0] for index in left]
        rest += [hit for hit in hits if id(hit) not in known]

        def refused(index: int, error: RejectError) -> None:
            self._pipeline.reject(error.reason)
            refuse(rest[index], error)

        self._pipeline.feed(rest, refused)


class Hits:
    """A source whose records are hits, in front of the real ones."""

    NAME = "hits"

    def __init__(self, sources: Iterable[ModuleType]) -> None:
        self._sources = list(sources)

    def as_module(self) -> ModuleType:
        """The same, as the pipeline's types want it."""
        return cast(ModuleType, self)

    def claims(self, hit: object) -> bool:
        """Every hit."""
        return isinstance(hit, Hit)

    def peek(self, hit: Hit) -> Optional[Peek]:
        """The cheap reading."""
        return document.peek(hit.source)

    def read(self, hit: Hit) -> Event:
        """The full reading.

        Raises:
            RejectError: the source's own, or `not_object`.
        """
        try:
            whole = record(bytes(hit.source))
        except orjson.JSONDecodeError as error:
            raise RejectError("bad_json", str(error)) from error
        if not isinstance(whole, dict):
            raise RejectError("not_object", "the document is no object")
        source = next((each for each in self._sources if each.claims(whole)), self._sources[0])
        event: Event = source.read(whole)
        return event
