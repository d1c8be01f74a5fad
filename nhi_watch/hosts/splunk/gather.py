"""Rows of a search → parts of identity-days: the one reader behind nhigroup, nhirank and nhilearn.

Four kinds of rows may come, mixed: events (`_raw`, or extracted fields), rows of `stats … by` those fields
(`count`, `first`, `last`), parts, and notables. What a log's own text says of parts and notables is not believed:
see `fields.SOURCE`. Most events are alike, so most are never read in full (as in `grouping.py`).
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Optional

from nhi_watch.context.reputation import NOTHING, Reputation
from nhi_watch.core import registry
from nhi_watch.core.behaviour import RECORDS, SESSIONS, TARGETS, fingerprint, keep, shape_of, sketch
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY, HOUR, parse, render
from nhi_watch.hosts.splunk import parts, reasons
from nhi_watch.hosts.splunk.columns import Columns, Told
from nhi_watch.hosts.splunk.lines import Row
from nhi_watch.hosts.splunk.parts import Part, Slot
from nhi_watch.hosts.splunk.rows import read
from nhi_watch.intake.days import MINUTES, NOBODY, SECONDS
from nhi_watch.intake.sources import Peek, cloudtrail

MEMO = 50_000
"""Shapes of an hour, and Events of shapes, that are remembered; more only cost memory."""

Name = tuple[int, str]
"""Day and identity id."""
Record = dict[str, Any]


def sources() -> list[ModuleType]:
    """All sources; CloudTrail is asked first, and says what is wrong with groups that nobody claims."""
    rest = [source for source in registry.modules("nhi_watch.intake.sources") if source is not cloudtrail]
    return [cloudtrail, *rest]


class Gatherer:
    """Takes rows in; the caller takes what was gathered out."""

    def __init__(self, hold: bool = False, reputation: Reputation = NOTHING) -> None:
        self.parts: dict[Name, Part] = {}
        self.packed: dict[Name, list[str]] = {}
        """Parts that came packed and stay so until their day is taken: a tenth of the memory."""
        self.notables: list[str] = []
        """JSON of notables that came by."""
        self.baseline: list[list[str]] = []
        """Rows of a baseline that came by."""
        self.verdicts: list[dict[str, str]] = []
        """Rows of nhi_feedback that came by."""
        self.counted: list[dict[str, str]] = []
        """Rows of nhi_days that came by."""
        self.rejected: dict[str, int] = {}
        self._hold = hold
        self._mark = reputation.mark
        self._sources = sources()
        self._last = self._sources[0]
        self._slots: dict[object, Slot] = {}
        self._events: dict[object, Event] = {}

    def feed(self, body: bytes) -> None:
        """Take in one chunk."""
        rows = read(body)
        header = next(rows, None)
        if header is None:
            return
        columns = Columns(header)
        for row in rows:
            self._guarded(columns, row)

    def _guarded(self, columns: Columns, row: Row) -> None:
        try:
            self._row(columns, row)
        except RejectError as error:
            self.reject(error.reason)
        except RecursionError:
            self.reject("too_deep")

    def reject(self, reason: str, count: int = 1) -> None:
        """Count rows that could not be read."""
        self.rejected[reason] = self.rejected.get(reason, 0) + count

    def clear(self) -> None:
        """Forget what was gathered; what events of a shape look like stays known."""
        self.parts, self.packed, self.notables, self.rejected = {}, {}, [], {}
        self._slots.clear()

    def days(self) -> list[int]:
        """Days of which something was gathered, in order."""
        return sorted({day for day, _ in self.parts} | {day for day, _ in self.packed})

    def take_day(self, day: int) -> dict[str, Part]:
        """Identity id → all that was gathered of a day; it is then no longer held."""
        found = {name: self.parts.pop((day, name)) for d, name in list(self.parts) if d == day}
        for key in [key for key in self.packed if key[0] == day]:
            for text in self.packed.pop(key):
                _merge(found, *parts.unpack(text))
        self._slots.clear()
        return found

    def _row(self, columns: Columns, row: Row) -> None:
        packed = columns.part(row)
        if packed:
            self._part(packed)
        elif columns.failed(row):
            self.reject(reasons.code_of(columns.cell(row, "nhi_error")), columns.errors(row))
        elif columns.notable(row):
            self.notables.append(columns.notable(row))
        elif columns.verdict(row):
            self.verdicts.append(columns.verdict(row))
        elif columns.baseline(row):
            self.baseline.append(columns.baseline(row))
        elif columns.counted(row):
            self.counted.append(columns.counted(row))
        elif columns.is_grouped(row):
            self._group(columns.record(row), columns.told(row))
        else:
            self._event(columns.record(row))

    def _part(self, packed: str) -> None:
        name, part = parts.unpack(packed)
        if self._hold:
            self.packed.setdefault((part.day, name), []).append(packed)
            return
        mine = self.parts.setdefault((part.day, name), part)
        if mine is not part:
            mine.merge(part)

    # ---- events

    def _event(self, record: Record) -> None:
        source = self._source(record, NOBODY)
        peek = source.peek(record)
        if peek is None or peek[2].__class__ is not str:
            self._add(self._mark(source.read(record)), None)
            return
        try:
            key = (source, peek[0], peek[1][:13])
            slot = self._slots.get(key)
            minute, second = MINUTES[peek[1][13:16]], SECONDS[peek[1][16:]]
        except (TypeError, KeyError):  # rubbish, or a rarer spelling of time: the full reading decides
            self._add(self._mark(source.read(record)), None)
            return
        if slot is None:
            self._add(self._mark(self._read(source, record, peek)), key)
        else:
            _count(slot, minute, second, peek)

    def _read(self, source: ModuleType, record: Record, peek: Any) -> Event:
        """The Event of a record; of its shape's first record, where that is known."""
        shape, time, record_id, session, target = peek
        known = self._events.get((source, shape))
        if known is not None:
            return known._replace(time=parse(time), record_id=record_id, session=session or "", target=target or "")
        if len(self._events) >= MEMO:
            self._events.clear()
        event: Event = source.read(record)
        self._events[source, shape] = event
        return event

    def _source(self, record: Record, otherwise: ModuleType) -> ModuleType:
        if not self._last.claims(record):
            claiming = next((each for each in self._sources if each.claims(record)), None)
            if claiming is None:
                return otherwise
            self._last = claiming
        return self._last

    def _slot(self, event: Event) -> Slot:
        name = (event.time // DAY, event.identity.id)
        part = self.parts.get(name)
        if part is None:
            part = self.parts[name] = Part(name[0])
        return part.slot(shape_of(event), event.time // HOUR)

    def _add(self, event: Event, key: Optional[object]) -> None:
        behaviour, marks = slot = self._slot(event)
        mark = fingerprint(event.record_id)
        if mark not in marks:
            marks.add(mark)
            behaviour.add(event.time, event.time % HOUR // 60, event.record_id)
            sketch(behaviour, event)
        if key is not None:
            if len(self._slots) >= MEMO:
                self._slots.clear()
            self._slots[key] = slot

    # ---- rows of stats

    def _group(self, record: Record, told: Told) -> None:
        """Events of one behaviour, of which `stats` told how many, when, and perhaps their ids."""
        source = self._source(record, cloudtrail)
        if source is cloudtrail and told.first:
            record.setdefault("eventTime", render(told.first))
        event: Event = self._mark(source.read(record))
        last = told.last or event.time
        if told.events < 1 or not event.time <= last < event.time // HOUR * HOUR + HOUR:
            raise RejectError("bad_group", "count, first and last must be of one hour: write `bin _time span=1h` first")
        slot = self._slot(event)
        own = {fingerprint(record_id) for record_id in told.records}
        own = own or {parts.mark_of_group(event, told.events, last)}
        if not own <= slot[1]:
            _take_group(slot, event, told._replace(last=last), own)


def _merge(found: dict[str, Part], name: str, part: Part) -> None:
    if name in found:
        found[name].merge(part)
    else:
        found[name] = part


def _count(slot: Slot, minute: int, second: int, peek: Peek) -> None:
    """Count a record of a behaviour that is known."""
    behaviour, marks = slot
    record_id: Any = peek[2]
    session: Any = peek[3]
    target: Any = peek[4]
    mark = fingerprint(record_id)
    if mark in marks:
        return
    marks.add(mark)
    behaviour.add(behaviour.hour * HOUR + minute * 60 + second, minute, record_id)
    if session and session not in behaviour.sessions:
        keep(behaviour.sessions, session, SESSIONS)
    if target and target not in behaviour.targets:
        keep(behaviour.targets, target, TARGETS)


def _take_group(slot: Slot, event: Event, told: Told, own: set[int]) -> None:
    behaviour, marks = slot
    unmarked = behaviour.count - len(marks) + max(told.events - len(own), 0)
    marks |= own
    sketch(behaviour, event)
    behaviour.first, behaviour.last = min(behaviour.first, event.time), max(behaviour.last, told.last)
    minutes = [event.time % HOUR // 60, told.last % HOUR // 60, *(minute % 60 for minute in told.minutes)]
    for minute in minutes:
        behaviour.minutes |= 1 << minute
    for sketched, limit, texts in (
        (behaviour.record_ids, RECORDS, told.records or [event.record_id]),
        (behaviour.sessions, SESSIONS, told.sessions),
        (behaviour.targets, TARGETS, told.targets),
    ):
        for text in texts:
            keep(sketched, text, limit)
    behaviour.count = len(marks) + unmarked
