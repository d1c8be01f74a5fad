"""Records → IdentityDays: the hot loop. Most records are alike, so most are never read in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from types import ModuleType
from typing import Optional, cast

from nhi_watch.context.reputation import NOTHING, Reputation
from nhi_watch.core.behaviour import (
    SESSIONS,
    TARGETS,
    Behaviour,
    IdentityDay,
    Shape,
    fingerprint,
    keep,
    shape_of,
    sketch,
)
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY, HOUR, parse
from nhi_watch.intake.shapes.forms import native

MINUTES = {f":{m:02}": m for m in range(60)}
SECONDS = {f":{s:02}Z": s for s in range(60)}
MEMO = 50_000
"""Shapes of an hour remembered; more only cost memory, since sessions and hours pass."""
KNOWN = 20_000
"""Shapes remembered beyond their hour."""

LoadDay = Callable[[int], dict[str, IdentityDay]]
OnReject = Callable[[int, RejectError], None]
_Slot = tuple[Behaviour, set[int]]
_Key = tuple[ModuleType, object, str]
"""Source, shape and hour."""
_Known = tuple[Shape, Event]


@lru_cache(maxsize=4096)
def _hour(text: str) -> int:
    """Hours since the epoch of a time's first 13 letters; RejectError where there is no such hour."""
    return parse(f"{text}:00:00Z") // HOUR


class _Nobody:
    """Stands for a source where none knows a record: else it would be read, and refused, as another's log."""

    NAME = ""

    @staticmethod
    def claims(record: object) -> bool:
        return False

    @staticmethod
    def peek(record: object) -> None:
        return None

    @staticmethod
    def read(record: object) -> Event:
        native(record)  # says what is wrong if it is no record at all
        raise RejectError("unknown_source", "no source knows it; if it is of a log that we read, name it by --source")


NOBODY = cast(ModuleType, _Nobody)
"""The source of records that no source claims."""


class Grouping:
    """Gathers records by identity and UTC day. What a store already holds of a day is loaded when touched."""

    def __init__(
        self, sources: Sequence[ModuleType], load_day: LoadDay = lambda day: {}, reputation: Reputation = NOTHING
    ) -> None:
        self.days: dict[int, dict[str, IdentityDay]] = {}
        """Day → identity id → IdentityDay, stored ones included."""
        self.recent = 0
        """The day that was touched last."""
        self.epoch = 0
        """Grows when `days` are replaced: what is remembered of them elsewhere is then void."""
        self.parsed = 0
        self.duplicates = 0
        self.alerts = 0
        """Events that are other products' alerts, each counted once."""
        self._sources = sources
        self._alerts = next((source for source in sources if source.NAME == "alerts"), None)
        self._load_day = load_day
        self._reputation = reputation
        self._memo: dict[object, _Slot] = {}
        self._known: dict[tuple[ModuleType, object], _Known] = {}
        """For hours in which a shape was not seen yet."""

    def feed(self, records: Iterable[object], on_reject: OnReject) -> None:
        """Take in a batch; rejects are reported with their index in the batch."""
        source = self._sources[0]
        for index, record in enumerate(records):
            if not source.claims(record):
                source = self._source_of(record)
            try:
                if source is self._alerts:
                    self._take_alert(source, record)
                else:
                    self._take(source, record)
            except RejectError as reject:
                on_reject(index, reject)

    def _source_of(self, record: object) -> ModuleType:
        for source in self._sources:
            if source.claims(record):
                return source
        return self._sources[0] if len(self._sources) == 1 else NOBODY  # its full reading says what is wrong

    def _take_alert(self, source: ModuleType, record: object) -> None:
        known = self.parsed - self.duplicates
        self._take(source, record)
        self.alerts += self.parsed - self.duplicates - known

    def _take(self, source: ModuleType, record: object) -> None:
        peek = source.peek(record)
        if peek is None:
            self._read(source, record, None)
            return
        shape, time, record_id, session, target = peek
        try:
            key = (source, shape, time[:13])
            slot = self._memo.get(key)
            minute, second = MINUTES[time[13:16]], SECONDS[time[16:]]
        except (TypeError, KeyError):  # rubbish, or a rarer spelling of time: the full reading decides
            self._read(source, record, None)
            return
        if record_id.__class__ is not str:
            self._read(source, record, key)
            return
        mark = fingerprint(record_id)
        if slot is None:
            known = self._known.get((source, shape))
            if known is None:
                self._read(source, record, key)
                return
            slot = self._turn(known, key, mark)
        self.parsed += 1
        if slot is None or mark in slot[1]:
            self.duplicates += 1
            return
        behaviour, seen = slot
        seen.add(mark)
        behaviour.add(behaviour.hour * HOUR + minute * 60 + second, minute, record_id)
        if session and session not in behaviour.sessions:
            keep(behaviour.sessions, session, SESSIONS)
        if target and target not in behaviour.targets:
            keep(behaviour.targets, target, TARGETS)

    def _turn(self, known: _Known, key: _Key, mark: int) -> Optional[_Slot]:
        """The slot of a known shape in another hour; None for a duplicate, lest an empty Behaviour be made."""
        shape, event = known
        hour = _hour(key[2])
        whole = self.identity_day(shape.identity.id, hour * HOUR // DAY)
        if mark in whole.seen:
            return None
        behaviour = whole.behaviour(self.shape_on(shape, event.address, whole.day), hour)
        sketch(behaviour, event)
        return self._remember(key, (behaviour, whole.seen))

    def shape_on(self, shape: Shape, address: str, day: int) -> Shape:
        """The shape of what comes from an address on a day: as it is, or with the trait that a list gives it."""
        traits = self._reputation.traits(shape.traits, address, day)
        return shape if traits is shape.traits else shape._replace(traits=traits)

    def _remember(self, key: _Key, slot: _Slot) -> _Slot:
        if len(self._memo) >= MEMO:
            self._memo.clear()
        self._memo[key] = slot
        return slot

    def _read(self, source: ModuleType, record: object, key: Optional[_Key]) -> None:
        event: Event = source.read(record)
        self.parsed += 1
        whole = self.identity_day(event.identity.id, event.time // DAY)
        marked = self._reputation.mark(event)
        if not whole.add(marked):
            self.duplicates += 1
        if key is None:
            return
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known[key[:2]] = shape_of(event), event._replace(session="", target="")
        found = whole.behaviours.get((shape_of(marked), event.time // HOUR))
        if found is not None:
            self._remember(key, (found, whole.seen))

    def changed(self) -> dict[int, list[str]]:
        """Day → ids of the identities to which something was added."""
        grown = {
            day: [name for name, whole in wholes.items() if len(whole.seen) != whole.stored]
            for day, wholes in self.days.items()
        }
        return {day: names for day, names in sorted(grown.items()) if names}

    def restart(self, days: dict[int, dict[str, IdentityDay]]) -> None:
        """Go on with some days only; others are loaded again when touched."""
        self.days = days
        self.epoch += 1
        self._memo.clear()

    def identity_day(self, identity_id: str, number: int) -> IdentityDay:
        """The IdentityDay of an identity, made when first asked for."""
        self.recent = number
        day = self.days.get(number)
        if day is None:
            day = self.days[number] = self._load_day(number)
        whole = day.get(identity_id)
        if whole is None:
            whole = day[identity_id] = IdentityDay(number)
        return whole
