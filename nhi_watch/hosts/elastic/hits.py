"""Hits of a search → Days: each document as the record that a source can read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any, Optional, cast

import msgspec

from nhi_watch.context.context import Context
from nhi_watch.core.crowd import Known, nobody
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake import horizon, schemas
from nhi_watch.intake.days import Intake, Load, nothing
from nhi_watch.intake.shapes.json import parse
from nhi_watch.intake.sources import cloudtrail, every

SOURCES: tuple[ModuleType, ...] = tuple(every())
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
    """What a source can read: the record that a schema or `event.original` holds, else the document.

    Raises:
        RejectError: the schema cannot tell it.

    >>> record(b'{"event":{"original":"{\\\\"eventSource\\\\":\\\\"x\\\\",\\\\"eventName\\\\":\\\\"y\\\\"}"}}')
    {'eventSource': 'x', 'eventName': 'y'}
    """
    return _native(parse(source))


def _native(whole: Any) -> object:
    event = whole.get("event") if whole.__class__ is dict else None
    kept = event.get("original") if event.__class__ is dict else whole.get("event.original")
    if kept.__class__ is str:
        try:
            native = parse(kept)
        except (ValueError, RecursionError):
            return whole  # the source reads it its own way, or falls back on the fields
        return native if cloudtrail.claims(native) else schemas.opened(whole)
    return schemas.opened(whole)


class Item:
    """A hit on its way to a source; what it holds is decoded once."""

    __slots__ = ("_record", "hit", "received")

    def __init__(self, hit: Hit) -> None:
        self.hit = hit
        self.received: Optional[int] = None
        """The day on which the document was ingested, once it was decoded; None: it does not tell."""
        self._record: object = None

    def record(self) -> object:
        """What a source can read.

        Raises:
            RejectError: it is no JSON, or kept in a schema that cannot tell it.
        """
        if self._record is None:
            try:
                whole = parse(bytes(self.hit.source))
            except (ValueError, RecursionError) as error:
                raise RejectError("bad_json", str(error)) from error
            self.received = horizon.received(whole)
            self._record = _native(whole)
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
    return [cast(ModuleType, ItemsOf(module)) for module in modules]


def intake_of(
    modules: Iterable[ModuleType], context: Context, load: Load = nothing, now: Optional[int] = None,
    known: Known = nobody, newcomers: Callable[[int], int] = lambda day: 0,
) -> Intake:  # fmt: skip
    """What reads items; `now` as the cluster's clock tells it."""
    told = sources_of(modules)
    return Intake(told, context, load, now, lambda item: cast(Item, item).received, known, newcomers)


def feed(intake: Intake, hits: Sequence[Hit], refuse: Refuse) -> None:
    """Take in a page; documents that are no events are refused."""
    intake.feed(map(Item, hits), lambda index, error: refuse(hits[index], error))
