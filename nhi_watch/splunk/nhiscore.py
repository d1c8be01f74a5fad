"""The streaming search command nhiscore: adds score, severity, reasons and framework ids to each event.

What a row is answered depends on the raw texts of a few fields and on the event's day, so answers are kept
by those texts: a row that is like one before it costs a tuple and a look-up. Four memories, each coarser:
texts of the row on a day, shape of the record on a day (other sessions of the same identity), shape of the
record (its Event), shape of the Event on a day.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Optional

from nhi_watch import model
from nhi_watch.behaviour import shape_of
from nhi_watch.errors import InputError, NhiError
from nhi_watch.event import Event
from nhi_watch.scoring import BehaviourScore, EventScorer
from nhi_watch.sources import cloudtrail
from nhi_watch.sources._cloudtrail_splunk import SPLUNK_FIELDS
from nhi_watch.splunk import lookup, tables
from nhi_watch.splunk.protocol import Messages, Metadata, Search, Streaming, serve
from nhi_watch.splunk.rows import Answer, Row, annotate, multivalue, render, values_of
from nhi_watch.timestamps import DAY, day_of, parse
from nhi_watch.timestamps import render as spelled

SINGLE = (
    "nhi_score", "nhi_severity", "nhi_probability", "nhi_identity", "nhi_identity_id", "nhi_identity_kind",
    "nhi_error",
)  # fmt: skip
MULTI = ("nhi_reasons", "nhi_owasp_nhi", "nhi_nist_csf", "nhi_mitre_attack")
ADDED = (*SINGLE, *(name for field in MULTI for name in (field, f"__mv_{field}")))

_TARGETS = ("requestParameters.", "resources{}.ARN")
FIELDS = tuple(name for name in SPLUNK_FIELDS if not name.startswith(_TARGETS))
"""Extracted fields on which a score depends. What a call touched does not count for a score; where it does
(policies, sharing, …) `_raw` is read."""
RAW = "_raw"
FIRST = "first"
"""First second of a row of `stats`, which stands for all events of its group."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.ASCII)
"""Times whose day, in UTC, is their first ten characters; others are read anew for each event."""
_DATE = 10
_EXTRACTED = 5_000
"""Splunk's JSON extraction stops after this many characters: from there on, `_raw` is read."""
_REMEMBERED = 50_000
"""Answers kept per memory; when there are more, that memory starts anew."""

_A_GROUP = "-"
"""The record id of rows of `stats`: no score depends on it."""
_FREE = frozenset({"eventTime", "eventID", RAW})
"""Fields of which an answer needs no more than the date."""

Memory = dict[Any, str]


class Options(NamedTuple):
    """What may be written behind the command's name."""

    source: str = "cloudtrail"
    input: str = "auto"
    baseline: str = lookup.DEFAULT


_USAGE = "nhiscore [input=auto|fields|raw] [baseline=<lookup file>] [source=cloudtrail]"
_CHOICES = {"source": ("cloudtrail",), "input": ("auto", "fields", "raw")}


def parse_options(arguments: Iterable[str]) -> Options:
    """The options of a command line.

    Raises:
        InputError: says what to write instead.

    >>> parse_options(["input=raw"])
    Options(source='cloudtrail', input='raw', baseline='nhi_baseline')
    """
    told: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name not in Options._fields or not equals:
            raise InputError(f"nhiscore: {argument!r} is no option. Write {_USAGE}")
        if name in _CHOICES and value not in _CHOICES[name]:
            raise InputError(f"nhiscore: {name}={value} is unknown. Write {name}={'|'.join(_CHOICES[name])}")
        told[name] = value
    return Options(**told)


class NhiScore(Streaming):
    """The command: one instance answers all chunks of a search."""

    def __init__(self, lookups: Path = tables.LOOKUPS) -> None:
        self._lookups = lookups
        self._by_texts: Memory = {}
        self._by_shape: Memory = {}
        self._by_event: Memory = {}
        self._events: dict[Any, Event] = {}

    def prepare(self, search: Search) -> tuple[Metadata, Messages]:
        """Load model and baseline; say which fields are needed."""
        options = parse_options(search.arguments)
        card = model.load()
        listed, messages = tables.load_reputation(self._lookups)
        messages += tables.load_networks(self._lookups)
        baselines = lookup.load(card, self._lookups, options.baseline)
        self._scorer, self._mark = EventScorer(card, baselines), listed.mark
        fields = {"auto": [*FIELDS, FIRST, RAW], "fields": [*FIELDS, FIRST], "raw": [RAW]}[options.input]
        reply: Metadata = {"type": "streaming", "required_fields": fields}
        return reply, [("INFO", f"nhiscore: {baselines.describe()}"), *messages]

    def execute(self, body: bytes) -> bytes:
        """The chunk with the new columns."""
        return annotate(body, ADDED, self._bind)

    def _bind(self, header: Row) -> Answer:
        columns = Columns(header)
        if columns.texts is None:
            return lambda row: self._answer(columns.record(row))[0]
        texts, time, raw = columns.texts, columns.time, columns.raw
        memory, is_time = self._by_texts, _TIME.fullmatch

        def answer(row: Row) -> str:
            moment = time(row)
            key = (moment[:_DATE], *texts(row))
            known = memory.get(key)
            if known is not None and is_time(moment) and len(row[raw]) <= _EXTRACTED:
                return known
            cells, repeats = self._answer(columns.record(row))
            if repeats and columns.plain(row):
                _remember(memory, key, cells)
            return cells

        return answer

    def _answer(self, record: dict[str, Any]) -> tuple[str, bool]:
        """The cells for a Splunk event or a record, and whether the next one of its kind has the same."""
        try:
            peek = cloudtrail.peek(record)
            if peek is None or not _TIME.fullmatch(peek[1]):  # type: ignore[call-overload]
                return self._once(record), False
            shape, date = peek[0], peek[1][:_DATE]  # type: ignore[index]
            try:
                known = self._by_shape.get((shape, date))
            except TypeError:  # a list or an object where a text belongs
                return self._once(record), False
            if known is None:
                known = self._scored(self._event(shape, record), _day(date))
                _remember(self._by_shape, (shape, date), known)
            return known, True
        except (NhiError, ValueError, RecursionError) as error:
            return failed(str(error) if record else _NO_FIELDS), False

    def _once(self, record: dict[str, Any]) -> str:
        event = cloudtrail.read(record)
        return self._scored(event, event.time // DAY)

    def _event(self, shape: Any, record: dict[str, Any]) -> Event:
        """The Event of a record's shape; what it says of time, session and target is another record's."""
        event = self._events.get(shape)
        if event is None:
            event = cloudtrail.read(record)
            _remember(self._events, shape, event)
        return event

    def _scored(self, event: Event, day: int) -> str:
        key = (shape_of(self._mark(event._replace(time=day * DAY))), day)
        known = self._by_event.get(key)
        if known is None:
            known = scored(event, self._scorer.score_shape(*key))
            _remember(self._by_event, key, known)
        return known


@lru_cache(maxsize=1024)
def _day(date: str) -> int:
    """The number of a day; RejectError where there is no such day."""
    return day_of(parse(f"{date}T00:00:00Z"))


def _remember(memory: dict[Any, Any], key: Any, answer: Any) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = answer


class Columns:
    """Where the fields stand in the rows of a chunk."""

    def __init__(self, header: Row) -> None:
        places = {name: index for index, name in enumerate(header)}
        self._used = [
            (name, places[name], places.get(f"__mv_{name}")) for name in (*FIELDS, RAW) if name in places
        ]
        shape = [index for name, index, _ in self._used if name not in _FREE]
        many = [index for _, _, index in self._used if index is not None]
        self._many = itemgetter(*many) if len(many) > 1 else None
        extracted = {"eventName", "eventSource"} <= places.keys() and ("eventTime" in places or FIRST in places)
        self._shape = itemgetter(*shape) if len(shape) > 1 else tuple
        self.texts: Optional[Callable[[Row], tuple[str, ...]]] = self._shape if extracted else None
        """The texts on which a row's answer hangs, but for the day; None where fields are not extracted."""
        self._time, self._first = places.get("eventTime"), places.get(FIRST)
        self.time: Callable[[Row], str] = itemgetter(self._time or 0) if self._first is None else self._moment
        """The time of a row as CloudTrail spells it."""
        self.name = places.get("eventName", 0)
        self.raw = places.get(RAW, self.name)

    def _moment(self, row: Row) -> str:
        """Of rows of `stats`, the first second of the group."""
        told = row[self._time] if self._time is not None else ""
        return told or (_spelled(row[self._first]) if self._first is not None else "")

    def plain(self, row: Row) -> bool:
        """Whether all of the row is in its texts: extracted fields, completely, each with a single value."""
        whole = bool(row[self.name]) and len(row[self.raw]) <= _EXTRACTED
        return whole and not (self._many and any(self._many(row))) and "\n" not in "".join(self._shape(row))

    def record(self, row: Row) -> dict[str, Any]:
        """The row as the source reads it: extracted fields, or the record in `_raw` where there are none."""
        found: dict[str, Any] = {}
        for name, index, many in self._used:
            if row[index]:
                found[name] = values_of(row[many]) if many is not None and row[many] else row[index]
        if self._first is not None and row[self._first] and "eventTime" not in found and RAW not in found:
            found.update(eventTime=_spelled(row[self._first]), eventID=_A_GROUP)
        return found if "eventName" in found else _parsed(found)


@lru_cache(maxsize=4096)
def _spelled(first: str) -> str:
    """A second since the epoch as CloudTrail spells times; what is none is left for the source to refuse."""
    try:
        return spelled(int(float(first)))
    except (ValueError, OverflowError, OSError):
        return first


def _parsed(found: dict[str, Any]) -> dict[str, Any]:
    """The record in `_raw`; what is no JSON object is left for the source to refuse in its own words."""
    try:
        record = json.loads(found.get(RAW, ""))
    except (ValueError, TypeError, RecursionError):
        return found
    return record if isinstance(record, dict) else found


def scored(event: Event, score: BehaviourScore) -> str:
    """The cells of an event, as `rows.Answer` gives them."""
    identity = event.identity
    numbers = (f"{score.score:g}", score.severity, f"{score.probability:g}")
    many = (score.reasons, score.owasp_nhi, score.nist_csf, score.mitre_attack)
    cells = [*numbers, identity.name, identity.id, identity.kind, ""]
    return _clean(render(cells + [cell for values in many for cell in multivalue(values)]))


def failed(reason: str) -> str:
    """The cells of an event that could not be read."""
    cells = {**dict.fromkeys(ADDED, ""), "nhi_error": reason[:_LONGEST]}
    return _clean(render(list(cells.values())))


_LONGEST = 300
_NO_FIELDS = "no_fields: neither extracted fields nor _raw; write nhiscore before stats, table or fields"


def _clean(cells: str) -> str:
    """Without half characters, which JSON can spell and UTF-8 cannot."""
    return cells.encode("utf-8", "replace").decode("utf-8")


def main(requests: BinaryIO, replies: BinaryIO) -> int:
    """Answer splunkd until it has had enough; the process's exit code."""
    return serve(NhiScore(), requests, replies)
