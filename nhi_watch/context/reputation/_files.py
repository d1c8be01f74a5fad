"""Files of indicators: STIX 2.1 bundles, CSV of several makers, plain lists, documents of Elastic's threat streams.

What a file is, its content says, never its name.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Optional, TextIO

from nhi_watch.context.reputation._patterns import addresses
from nhi_watch.context.reputation._table import FOREVER
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.timestamps import DAY, parse

COLUMNS = "indicator,source,confidence,valid_from,valid_until,comment"
"""Of our own CSV (`lookups/nhi_reputation.csv`)."""
USUAL = 60
"""The confidence of what tells none (Splunk's default weight)."""
DECAY_DAYS = 90
"""How long an indicator of a stream counts after it was last seen, where it has no end of its own."""
_LARGEST = 512 * 1024 * 1024
_VALUES = ("indicator", "ip", "value", "ioc_value", "address", "cidr", "network", "src_ip", "dst_ip")
"""Columns that may hold the address, in the order in which they are looked for."""
_ENVELOPE = frozenset({"type", "id", "spec_version", "more", "next"})
"""What may stand in a bundle, or in an envelope of TAXII, before its objects."""
_LEVELS = {"none": 0, "low": 15, "medium": 50, "med": 50, "high": 85, "not specified": USUAL}
_CONFIDENCES = ("confidence", "weight", "threat_confidence")
_UNTILS = ("valid_until", "expires", "expiration", "expiration_date", "valid_to")
_SOURCES = ("source", "threat_key", "provider", "feed", "threat_group")
_HEADING = re.compile(r"[A-Za-z_][\w .-]*(?:,|$)")


class Indicator(NamedTuple):
    """An indicator as a file tells it."""

    values: tuple[str, ...]
    """Addresses and ranges; none: it is about other things."""
    source: str
    confidence: int
    first_day: int = 0
    last_day: int = FOREVER
    problem: str = ""
    """Why it cannot be used: not_understood, bad_time, revoked; "" for no reason."""


def read(path: Path) -> Iterator[Indicator]:
    """The indicators of a file.

    Raises:
        InputError: the file cannot be read, is too large, or is of no known form.
    """
    try:
        size = path.stat().st_size
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.read(4096).lstrip()
            file.seek(0)
            if head[:1] in ("{", "["):
                if size > _LARGEST:
                    raise InputError(
                        f"{path}: {size:,} bytes; a JSON file of indicators may have {_LARGEST:,}: split it"
                    )
                yield from map(of_object, _objects(path, file.read()))
            else:
                yield from _lines(path, file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as indicators: {error}; give STIX, CSV or a list in UTF-8") from error


# ---- text


def _lines(path: Path, file: TextIO) -> Iterator[Indicator]:
    """Rows of CSV below a header, else one address a line."""
    for line in file:
        if line.strip() and line.lstrip()[0] not in "#;":
            rest = chain([line], file)
            return _table(path, rest) if _HEADING.match(line.lstrip('"')) and ":" not in line else _list(path, rest)
    return iter(())


def _list(path: Path, lines: Iterator[str]) -> Iterator[Indicator]:
    for line in lines:
        told = re.split(r"[\s,;#]", line.strip(), maxsplit=1)[0].strip('"')
        if told:
            yield Indicator((told,), path.stem[:64], USUAL)


def _table(path: Path, lines: Iterator[str]) -> Iterator[Indicator]:
    rows = csv.DictReader(line for line in lines if line[:1] != "#")
    names = {(name or "").strip().lower(): name for name in rows.fieldnames or ()}
    column = next((names[name] for name in _VALUES if name in names), None)
    if column is None:
        raise InputError(f"{path}: no column of addresses; name it indicator, ip or value, as in {COLUMNS}")
    for row in rows:
        lowered = {(name or "").strip().lower(): value for name, value in row.items() if isinstance(value, str)}
        yield _of_row(path, (row.get(column) or "").strip(), lowered)


def _of_row(path: Path, value: str, row: Mapping[str, str]) -> Indicator:
    kind = row.get("type", "")
    if kind and not kind.startswith(("ip", "network", "domain|ip", "CIDR", "cidr")):
        return Indicator((), "", USUAL)
    source = next((row[name] for name in _SOURCES if row.get(name)), path.stem)[:64]
    if row.get("to_ids") in ("0", "False", "false"):
        return Indicator((), source, USUAL)
    # MISP's combined attributes: `ip-dst|port` and `domain|ip`.
    parts = value.split("|")
    told = parts[1] if kind.startswith("domain|ip") and len(parts) > 1 else parts[0]
    until = next((row[name] for name in _UNTILS if row.get(name)), "")
    return dated(Indicator((told,) if told else (), source, confidence(next(
        (row[name] for name in _CONFIDENCES if row.get(name)), ""))), row.get("valid_from", ""), until)  # fmt: skip


@lru_cache(maxsize=1024)
def confidence(told: object) -> int:
    """Confidence out of a number from 0 to 100 or a word.

    >>> confidence("High"), confidence(45), confidence(""), confidence("x")
    (85, 45, 60, 60)
    """
    text = str(told).strip().lower() if told is not None else ""
    if text in _LEVELS:
        return _LEVELS[text]
    try:
        return max(0, min(100, int(float(text))))
    except (ValueError, OverflowError):
        return USUAL


def dated(found: Indicator, since: object, until: object) -> Indicator:
    """The indicator with its days; a time that cannot be read is a problem, for it might be over."""
    first, last = day_of(_plain(since)), day_of(_plain(until))
    if first is None or last is None:
        return found._replace(problem="bad_time")
    return found._replace(first_day=max(first, 0), last_day=FOREVER if last < 0 else last)


@lru_cache(maxsize=4096)
def day_of(told: object) -> Optional[int]:
    """The day of a time, as RFC 3339, a date or seconds since the epoch; -1 where none is told; None: unreadable.

    >>> day_of("1970-01-02"), day_of("1970-01-02T10:00:00.5Z"), day_of(86400), day_of(""), day_of("soon")
    (1, 1, 1, -1, None)
    """
    text = "" if told is None else str(told).strip()
    if text in ("", "null", "None", "0", "-"):
        return -1
    try:
        if text.replace(".", "", 1).isdigit() and text.isascii():
            return int(float(text)) // DAY
        return parse(f"{text}T00:00:00Z" if len(text) == 10 else text) // DAY
    except (RejectError, ValueError, OverflowError):
        return None


# ---- JSON


def _objects(path: Path, content: str) -> Iterator[Any]:
    """The objects of a bundle, of an array, or of lines, one at a time: only the text is held."""
    try:
        yield from _walk(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: no JSON of indicators: {error}") from error


def _walk(content: str) -> Iterator[Any]:
    at = _skip(content, 0)
    while at < len(content):
        inside = at + 1 if content[at] == "[" else _bundle(content, at)
        if inside > 0:
            yield from _members(content, inside)
            return  # what follows in a bundle are its own properties
        value, at = _decode(content, at)
        yield value
        at = _skip(content, at)


def _members(content: str, at: int) -> Iterator[Any]:
    at = _skip(content, at)
    while content[at : at + 1] != "]":
        value, at = _decode(content, at)
        yield value
        at = _skip(content, at)


_decode = json.JSONDecoder().raw_decode
_BETWEEN = re.compile(r"[\s,:]*")


def _skip(content: str, at: int) -> int:
    match = _BETWEEN.match(content, at)
    return match.end() if match else at


def _bundle(content: str, at: int) -> int:
    """Where the first of a bundle's `objects` stands; -1 where the value is no bundle."""
    at = _skip(content, at + 1)
    while content[at : at + 1] == '"':
        name, at = _decode(content, at)
        at = _skip(content, at)
        if name == "objects" and content[at : at + 1] == "[":
            return at + 1
        if name not in _ENVELOPE:
            return -1
        _, at = _decode(content, at)
        at = _skip(content, at)
    return -1


def of_object(value: Any) -> Indicator:
    """The indicator in an object: STIX's, or a document of a threat stream."""
    if value.__class__ is not dict:
        return Indicator((), "", USUAL, problem="not_understood")
    if value.get("type") == "indicator":
        return _stix(value)
    if "type" in value and "id" in value and "_source" not in value:
        return Indicator((), "", USUAL)  # another object of STIX
    return of_document(value.get("_source") or value.get("fields") or value)


def _stix(value: Mapping[str, Any]) -> Indicator:
    source = str(value.get("name") or value.get("created_by_ref") or "stix")[:64]
    if value.get("revoked") is True:
        return Indicator((), source, USUAL, problem="revoked")
    if value.get("pattern_type", "stix") != "stix":
        return Indicator((), source, USUAL, problem="not_understood")
    found = addresses(str(value.get("pattern", "")))
    if found is None:
        return Indicator((), source, USUAL, problem="not_understood")
    told = Indicator(tuple(found), source, confidence(_plain(value.get("confidence"))))
    return dated(told, value.get("valid_from"), value.get("valid_until"))


_EXPIRY = re.compile(r"(?:^|\.)(?:valid_until|decayed_at|expires_at|expiration(?:_date|_time|_ts)?|expire_date)$")
_DECAYED = re.compile(r"(?:^|\.)(?:decayed|expired|revoked)$")
_SEEN = ("threat.indicator.last_seen", "threat.indicator.modified_at", "@timestamp")
_DEEPEST = 12


def of_document(document: Any) -> Indicator:
    """The indicator in a document of Elastic's `logs-ti_*`, nested or with dotted names."""
    if document.__class__ is not dict:
        return Indicator((), "", USUAL, problem="not_understood")
    told = dict(_leaves(document, "", 0))
    values = [told.get("threat.indicator.ip"), told.get("threat.indicator.network")]
    found = tuple(str(one) for value in values for one in (value if isinstance(value, list) else [value]) if one)
    source = str(_one(told.get("threat.indicator.provider") or told.get("threat.feed.name") or "elastic"))[:64]
    if any(_DECAYED.search(name) and _one(value) is True for name, value in told.items()):
        return Indicator((), source, USUAL, problem="revoked")
    until = next((_one(value) for name, value in told.items() if value and _EXPIRY.search(name)), None)
    indicator = dated(
        Indicator(found, source, confidence(_plain(_one(told.get("threat.indicator.confidence"))))), "", until
    )
    if until or indicator.problem or not found:
        return indicator
    seen = next((_one(told[name]) for name in _SEEN if told.get(name)), None)
    last = day_of(_plain(seen))
    if last is None:
        return indicator._replace(problem="bad_time")
    return indicator._replace(last_day=last + DECAY_DAYS) if last >= 0 else indicator


def _leaves(tree: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if value.__class__ is dict and depth < _DEEPEST:
            yield from _leaves(value, f"{prefix}{name}.", depth + 1)
        else:
            yield f"{prefix}{name}", value


def _plain(value: Any) -> Any:
    """What can be remembered: text, a number or nothing."""
    return value if isinstance(value, (str, int, float)) else None if value is None else "?"


def _one(value: Any) -> Any:
    return value[0] if value.__class__ is list and value else value
