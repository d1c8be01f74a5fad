"""Rows of a search → parts of identity-days: the one reader behind nhigroup, nhirank and nhilearn.

Four kinds of rows may come, mixed: events (`_raw`, or extracted fields), rows of `stats … by` those fields
(`count`, `first`, `last`), parts, and notables. What a log's own text says of parts and notables is not believed:
see `fields.SOURCE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Optional

from nhi_watch.context.reputation import NOTHING, Reputation
from nhi_watch.core import crowd
from nhi_watch.core.behaviour import RECORDS, SESSIONS, TARGETS, IdentityDay, keep, shape_of, sketch
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, done_to
from nhi_watch.core.timestamps import DAY, HOUR, day_of, parse, render
from nhi_watch.hosts.splunk import parts, reasons
from nhi_watch.hosts.splunk.columns import Columns, Told
from nhi_watch.hosts.splunk.lines import Row
from nhi_watch.hosts.splunk.lookup import Table
from nhi_watch.hosts.splunk.parts import Part, Slot
from nhi_watch.hosts.splunk.rows import read
from nhi_watch.hosts.splunk.spool import Spool
from nhi_watch.intake.days import FORESEEN, Sources
from nhi_watch.intake.horizon import Horizon, received
from nhi_watch.intake.schemas import opened
from nhi_watch.intake.sources import cloudtrail, every

Name = tuple[int, str]
"""Day and identity id."""
Record = dict[str, Any]


class Gatherer:
    """Takes rows in; the caller takes what was gathered out."""

    def __init__(
        self, hold: bool = False, reputation: Reputation = NOTHING, awake: Optional[frozenset[str]] = None,
        on_event: Optional[Callable[[Event, Optional[int]], None]] = None,
    ) -> None:  # fmt: skip
        """`hold`: days are asked for later; `awake`: keys of the identities whose parts are taken, None: of all;
        `on_event` gets events and the day on which each was received, in place of parts."""
        self.parts: dict[Name, Part] = {}
        self.spool = Spool()
        """Parts that came packed and stay so until their day is taken."""
        self.rows: dict[int, int] = {}
        """Day → rows of the summary index that came of it, those that were left out on the indexers too."""
        self.marks: dict[Name, int] = {}
        """Day and key → sum of the marks of the rows that came of it, where days are asked for later."""
        self.last = -1
        """The last day of which rows came that hold all, not what is news alone: all days before are grouped whole."""
        self.asleep = 0
        """Rows that were left out on the indexers."""
        self.lists: set[str] = set()
        """What indexers went by when they left rows out."""
        self.notables: list[str] = []
        """JSON of notables that came by."""
        self.baseline: list[list[str]] = []
        """Rows of a baseline that came by."""
        self.verdicts: list[dict[str, str]] = []
        """Rows of nhi_feedback that came by."""
        self.counted: list[dict[str, str]] = []
        """Rows of nhi_days that came by."""
        self.rhythms: list[str] = []
        """What was told of when logs told something."""
        self.rejected: dict[str, int] = {}
        self._keys: dict[int, set[str]] = {}
        """Day → whose parts came, where days are asked for later."""
        self.left_out: dict[int, int] = {}
        """Day → rows of identities that are not awake."""
        self._hold = hold
        self._awake = awake
        self._mark = reputation.mark
        self._sources = Sources(every())
        self.horizon = Horizon()
        self._on_event = on_event

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

    @contextmanager
    def rejecting(self) -> Iterator[None]:
        """Count what cannot be read in the block."""
        try:
            yield
        except RejectError as error:
            self.reject(error.reason)

    def reject(self, reason: str, count: int = 1) -> None:
        """Count rows that could not be read."""
        self.rejected[reason] = self.rejected.get(reason, 0) + count

    def clear(self) -> None:
        """Forget what was gathered."""
        self.parts, self.notables, self.rejected, self.left_out, self.rhythms = {}, [], {}, {}, []

    def days(self) -> list[int]:
        """Days of which something was gathered, in order."""
        return sorted({day for day, _ in self.parts} | self.spool.days())

    def of(self, day: int) -> Iterator[dict[str, Part]]:
        """Identity id → all that was gathered of a day, some identities at a time; it may be asked for again."""
        for key in [key for key in self.parts if key[0] == day]:  # of events that came beside parts
            self.spool.add(day, parts.key_of(key[1]), parts.pack(self.parts.pop(key)))
        for texts in self.spool.of(day):
            found: dict[str, Part] = {}
            for text in texts:
                with self.rejecting():
                    _merge(found, *parts.unpack(text))
            yield found

    @property
    def keys(self) -> set[str]:
        """Whose parts came, where days are asked for later."""
        return set().union(*self._keys.values())

    def wholes(self, day: int, table: Optional[Table] = None) -> Iterator[dict[str, IdentityDay]]:
        """The same, as the pipeline takes it; of too many whom the table does not know, most are one of their kind."""
        folded, many = self._too_many(day, table), dict[str, IdentityDay]()
        for found in self.of(day):
            wholes = {name: part.whole() for name, part in found.items()}
            for name in [name for name in wholes if parts.key_of(name) in folded] if folded else ():
                crowd.put(many, wholes.pop(name))
            yield wholes
        if many:
            yield many

    def _too_many(self, day: int, table: Optional[Table]) -> set[str]:
        """Keys of a day's newcomers beyond NEWCOMERS, the largest: a hash, so that no order changes who they are."""
        keys = self._keys.get(day, set())
        if len(keys) <= crowd.NEWCOMERS:
            return set()
        return set(sorted(keys - (table.known(day) if table is not None else set()))[crowd.NEWCOMERS :])

    def _row(self, columns: Columns, row: Row) -> None:
        packed = columns.part(row)
        if packed:
            place = columns.place(row) if self._hold or self._awake is not None else None
            if self._awake is not None and place is not None and place[1] not in self._awake:
                self.left_out[place[0]] = self.left_out.get(place[0], 0) + 1
            else:
                self._part(packed, columns, row, place)
        elif columns.rhythm(row):
            self.rhythms += [] if self._hold else [columns.rhythm(row)]
        elif columns.asleep(row):
            day, count, went_by = columns.asleep(row)
            number = day_of(parse(f"{day}T00:00:00Z"))
            self.rows[number] = self.rows.get(number, 0) + int(count)
            self.asleep += int(count)
            self.lists.add(went_by)
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
            self._event(columns.record(row), columns.cell(row, "_indextime"))

    def _part(self, packed: str, columns: Columns, row: Row, place: Optional[tuple[int, str]]) -> None:
        """A stored row is one row; a merged one as many as went in."""
        stored, news = columns.is_stored(row), columns.is_news(row)
        mark = parts.mark_of_row(packed) if stored else columns.mark(row)
        if self._hold and place is not None:
            self._note(place, 1 if stored else parts.rows_of(packed), news)
            self.marks[place] = self.marks.get(place, 0) + mark
            self.spool.add(*place, packed)
            return
        name, part = parts.unpack(packed)
        part.rows, part.news, part.mark = 1 if stored else part.rows, news, mark
        if self._hold:
            self._note((part.day, parts.key_of(name)), part.rows, news)
        mine = self.parts.setdefault((part.day, name), part)
        if mine is not part:
            mine.merge(part)

    def _note(self, place: tuple[int, str], rows: int, news: bool) -> None:
        day, key = place
        self.rows[day] = self.rows.get(day, 0) + rows
        self._keys.setdefault(day, set()).add(key)
        if not news:
            self.last = max(self.last, day)

    # ---- events

    def _event(self, record: Record, indexed: str) -> None:
        with FORESEEN:
            native = opened(record)
            event: Event = self._sources.of(native).read(native)
        came = received({"_indextime": indexed} if indexed else record)
        if self._on_event is not None:
            self._on_event(self._mark(event), came)
        else:
            self.horizon.demand(event, came)
            self.add(self._mark(event))

    def add(self, event: Event) -> None:
        """Count an event, and with whom it was done to."""
        self._part_of(event).add(event)
        if event.about is not None:
            done = done_to(event)
            self._part_of(done).add(done)

    def _part_of(self, event: Event) -> Part:
        name = (event.time // DAY, event.identity.id)
        part = self.parts.get(name)
        if part is None:
            part = self.parts[name] = Part(name[0])
        return part

    # ---- rows of stats

    def _group(self, record: Record, told: Told) -> None:
        """Events of one behaviour, of which `stats` told how many, when, and perhaps their ids."""
        with FORESEEN:
            source = self._sources.of(record, cloudtrail)
            if source is cloudtrail and told.first:
                record.setdefault("eventTime", render(told.first))
            event: Event = self._mark(source.read(record))
        self.horizon.demand(event, None)
        last = told.last or event.time
        if told.events < 1 or not event.time <= last < event.time // HOUR * HOUR + HOUR:
            raise RejectError("bad_group", "count, first and last must be of one hour: write `bin _time span=1h` first")
        key = shape_of(event), event.time // HOUR
        slot = self._part_of(event).slot(*key)
        own = {parts.mark_of(record_id) for record_id in told.records}
        own = parts.told_apart(own or {parts.mark_of_group(event, told.events, last)}, key, slot)
        if not own <= slot[1]:
            _take_group(slot, event, told._replace(last=last), own)


def _merge(found: dict[str, Part], name: str, part: Part) -> None:
    if name in found:
        found[name].merge(part)
    else:
        found[name] = part


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
