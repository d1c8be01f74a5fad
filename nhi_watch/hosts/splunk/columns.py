"""Where the fields stand in the rows of a chunk, and what kind of row one is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Optional, Union

from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import day_of, parse
from nhi_watch.hosts.splunk.fields import FEEDBACK, SOURCE, SOURCETYPE, names
from nhi_watch.hosts.splunk.lines import Row
from nhi_watch.hosts.splunk.rows import values_of
from nhi_watch.intake.shapes.json import parse as parse_json

_PACKED = re.compile(r'\bnhi_part="?([A-Za-z0-9_-]+)')
_DAY = re.compile(r'\bnhi_day="?(\d{4}-\d\d-\d\d)')
_KEY = re.compile(r'\bnhi_key="?([0-9a-f]{16})\b')
_AHEAD = re.compile(r'\bnhi_ahead="?([A-Za-z0-9_-]+)')
_OF_GROUPS = ("count", "first", "last", "nhi_records", "nhi_sessions", "nhi_targets", "nhi_minutes")
Value = Union[str, list[str]]


class Told(NamedTuple):
    """What a row of `stats` says of its group, besides the fields by which it was grouped."""

    events: int
    first: int
    """Seconds since the epoch; 0: the log's own field of time tells it."""
    last: int
    records: list[str]
    """Ids of the events: `values(eventID) AS nhi_records`."""
    sessions: list[str]
    targets: list[str]
    minutes: list[int]
    """Of the hour: `values(date_minute) AS nhi_minutes`."""


class Columns:
    """The columns of a chunk."""

    def __init__(self, header: Row) -> None:
        self._places = {name: index for index, name in enumerate(header)}
        at = self._places.get
        self._raw, self._time, self._count = at("_raw"), at("_time"), at("count")
        self._source, self._sourcetype = at("source"), at("sourcetype")
        self._own = [
            (name, index, at(f"__mv_{name}"))
            for name, index in self._places.items()
            if not name.startswith("__mv_") and name not in ("_raw", "_chunked_idx")
        ]

    def cell(self, row: Row, name: str) -> str:
        """A field's text; "" where there is none."""
        return _cell(row, self._places.get(name))

    def values(self, row: Row, name: str) -> list[str]:
        """A field's values."""
        many, one = _cell(row, self._places.get(f"__mv_{name}")), self.cell(row, name)
        return values_of(many) if many else [one] if one else []

    def part(self, row: Row) -> str:
        """The packed part, of rows that nhigroup has made; "" of others."""
        raw = _cell(row, self._raw)
        if not raw:
            return self.cell(row, "nhi_part")
        if _cell(row, self._source) != SOURCE:
            return ""
        found = _PACKED.search(raw)
        return found[1] if found else ""

    def place(self, row: Row) -> Optional[tuple[int, str]]:
        """Day and key of a part, without unpacking it; None: the row does not tell."""
        raw = _cell(row, self._raw)
        day = _first(_DAY, raw) if raw else self.cell(row, "nhi_day")
        key = _first(_KEY, raw) if raw else self.cell(row, "nhi_key")
        try:
            return (day_of(parse(f"{day}T00:00:00Z")), key) if key else None
        except RejectError:
            return None

    def ahead(self, row: Row) -> str:
        """What a row of nhigroup tells of a log that is dated later than tomorrow; "" of others."""
        raw = _cell(row, self._raw)
        if not raw:
            return self.cell(row, "nhi_ahead")
        return _first(_AHEAD, raw) if _cell(row, self._source) == SOURCE else ""

    def failed(self, row: Row) -> bool:
        """Whether nhigroup has made the row to tell of events that could not be read."""
        raw = _cell(row, self._raw)
        return bool(self.cell(row, "nhi_error") if not raw else _cell(row, self._source) == SOURCE)

    def errors(self, row: Row) -> int:
        """How many events such a row stands for."""
        told = self.cell(row, "nhi_events")
        return int(told) if told.isdecimal() and told.isascii() else 1

    def notable(self, row: Row) -> str:
        """The JSON of a notable's event; "" of other rows."""
        raw = _cell(row, self._raw)
        if not raw:
            return self.cell(row, "nhi_notable")
        return raw if _cell(row, self._sourcetype) == SOURCETYPE else ""

    def verdict(self, row: Row) -> dict[str, str]:
        """The cells of a row of nhi_feedback, as `inputlookup` gives it; none of other rows."""
        if _cell(row, self._raw) or not self.cell(row, "verdict"):
            return {}
        return {name: self.cell(row, name) for name in names(FEEDBACK)}

    def is_grouped(self, row: Row) -> bool:
        """Whether the row is one of `stats`."""
        return bool(_cell(row, self._count)) and not _cell(row, self._raw)

    def told(self, row: Row) -> Told:
        """What `stats` says of a group.

        Raises:
            RejectError: bad_group, where a number is none.
        """
        first = self.cell(row, "first") or _cell(row, self._time)
        try:
            return Told(
                int(float(_cell(row, self._count))), int(float(first or "0")),
                int(float(self.cell(row, "last") or first or "0")), self.values(row, "nhi_records"),
                self.values(row, "nhi_sessions"), self.values(row, "nhi_targets"),
                [int(float(text)) for text in self.values(row, "nhi_minutes")],
            )  # fmt: skip
        except (ValueError, OverflowError) as error:
            raise RejectError("bad_group", f"count, first, last and nhi_minutes must be numbers: {error}") from error

    def record(self, row: Row) -> dict[str, Any]:
        """The event as a source reads it: the object in `_raw`, or the row where that holds none.

        Raises:
            RejectError: no_fields, invalid_utf8, not_json.
        """
        raw = _cell(row, self._raw)
        record = _object(raw) if raw else None
        if record is not None:
            return record
        record = dict(self._fields(row))
        if raw:
            record["_raw"] = raw
        elif not record:
            raise RejectError("no_fields", "neither extracted fields nor _raw")
        elif self.is_grouped(row):
            return {name: value for name, value in record.items() if name not in _OF_GROUPS}
        return record

    def _fields(self, row: Row) -> Iterator[tuple[str, Value]]:
        for name, index, many in self._own:
            if row[index]:
                yield name, values_of(row[many]) if many is not None and row[many] else row[index]


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def _cell(row: Row, place: Optional[int]) -> str:
    return row[place] if place is not None else ""


def _object(raw: str) -> Optional[dict[str, Any]]:
    """The JSON object that a text is; None: it is none.

    Raises:
        RejectError: for what no text can hold, and reading from files refuses: bytes that are no UTF-8.
    """
    try:
        if not raw.isascii():
            raw.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RejectError("invalid_utf8", f"character {error.start} is not UTF-8") from error
    try:
        record = parse_json(raw)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
