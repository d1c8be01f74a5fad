"""CloudTrail events as Splunk has extracted them: where their fields stand in a chunk, and what makes two alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Optional

from nhi_watch.core.timestamps import render as spelled
from nhi_watch.hosts.splunk.lines import RAW, Cells, Row
from nhi_watch.hosts.splunk.rows import values_of
from nhi_watch.intake.shapes.json import parse
from nhi_watch.intake.sources.cloudtrail import SPLUNK_FIELDS

_TARGETS = ("requestParameters.", "resources{}.ARN")
FIELDS = tuple(name for name in SPLUNK_FIELDS if not name.startswith(_TARGETS))
"""Extracted fields on which a likelihood depends. What a call touched does not count for it; where it does
(policies, sharing, …) `_raw` is read."""
FIRST = "first"
"""First second of a row of `stats`, which stands for all events of its group."""
_NAMED = {"eventName", "eventSource"}
"""Without these, an event's fields are not extracted."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.ASCII)
"""Times whose day, in UTC, is their first ten characters; others are read anew for each event."""
DATE = 10
_EXTRACTED = 5_000
"""Splunk's JSON extraction stops after this many characters: from there on, `_raw` is read."""
_A_GROUP = "-"
"""The record id of rows of `stats`: no score depends on it."""
_FREE = frozenset({"eventTime", "eventID", RAW})
"""Fields of which an answer needs no more than the date."""


def getting(places: Sequence[int]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes a tuple of the values at some places, however many there are."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda cells: tuple([cells[place] for place in places])


class Columns:
    """Where the fields stand in the rows of a chunk."""

    def __init__(self, header: Row) -> None:
        places = {name: index for index, name in enumerate(header)}
        self._used = [(name, places[name], places.get(f"__mv_{name}")) for name in (*FIELDS, RAW) if name in places]
        shape = [index for name, index, _ in self._used if name not in _FREE]
        many = [index for _, _, index in self._used if index is not None]
        self._many = getting(many) if many else None
        self.is_extracted: bool = places.keys() >= _NAMED and ("eventTime" in places or FIRST in places)
        """Whether the rows have their fields; else the event is in `_raw`."""
        self.names = [name for name, _, _ in self._used]
        self._shape = itemgetter(*shape) if len(shape) > 1 else tuple
        self._time, self._first = places.get("eventTime"), places.get(FIRST)
        self._moment = itemgetter(self._time or 0) if self._first is None else self._first_moment
        self._name = places.get("eventName", 0)
        self._has_raw = RAW in places
        self._raw = places.get(RAW, self._name)

    def key(self, cells: Cells) -> Optional[bytes]:
        """The texts on which a row's answer hangs, and its day; None where it hangs on more.

        Keys of different texts differ: their number is the same, and in those that are remembered is no line feed.
        """
        date = _date(self._moment(cells))
        if not date or len(cells[self._raw]) > _EXTRACTED or (self._many and any(self._many(cells))):
            return None
        return date + b"\n".join(self._shape(cells))

    def _first_moment(self, cells: Cells) -> bytes:
        """Of rows of `stats`, the first second of the group."""
        told = cells[self._time] if self._time is not None else b""
        if told or self._first is None or (self._has_raw and cells[self._raw]):
            return told
        return _spelled(cells[self._first].decode("utf-8", "replace")).encode("utf-8", "replace")

    def plain(self, row: Row) -> bool:
        """Whether all of a row that has a key is in its texts: extracted fields, completely."""
        whole = bool(row[self._name]) and len(row[self._raw]) <= _EXTRACTED
        return whole and "\n" not in "".join(self._shape(row))

    def record(self, row: Row) -> dict[str, Any]:
        """The row as the source reads it: extracted fields, or the record in `_raw` where there are none."""
        found: dict[str, Any] = {}
        for name, index, many in self._used:
            if row[index]:
                found[name] = values_of(row[many]) if many is not None and row[many] else row[index]
        if self._first is not None and row[self._first] and "eventTime" not in found and RAW not in found:
            found.update(eventTime=_spelled(row[self._first]), eventID=_A_GROUP)
        if "eventName" not in found:
            return _parsed(found)
        found.setdefault("userIdentity.type", None)  # by which a row is known, though it have neither that nor `_raw`
        return found


@lru_cache(maxsize=8192)
def _date(moment: bytes) -> bytes:
    """The date of a time that is spelled as usual; nothing of others."""
    return moment[:DATE] if TIME.fullmatch(moment.decode("utf-8", "replace")) else b""


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
        record = parse(found.get(RAW, ""))
    except (ValueError, TypeError, RecursionError):
        return found
    return record if isinstance(record, dict) else found
