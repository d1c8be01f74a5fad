"""Reputation: addresses that lists of indicators name, so that an event from one gets the trait `listed`.

Read are STIX 2.1 (address patterns), CSV (our own columns, Splunk's `ip_intel`), plain lists of addresses, and
documents of Elastic's `logs-ti_*`. An address counts on the days on which its indicator was valid, by the time of the
event; without an end it counts always, but an indicator of a stream ends 90 days after it was last seen. Days, not
seconds: so that all events of an hour from one address are scored alike.

Refused, and said so: private, reserved and multicast ranges, ranges wider than /8 or /19 of IPv6 (one such row would
mark half of the world), indicators of little confidence, and more than a million.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, NamedTuple, Optional, TextIO

from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY, parse

COLUMNS = "indicator,source,confidence,valid_from,valid_until,comment"
"""Of our own CSV (`lookups/nhi_reputation.csv`)."""
LISTED = "listed"
LIMIT = 1_000_000
FOREVER = 10**6
"""The last day of what does not expire."""
DECAY_DAYS = 90
"""How long an indicator of a stream counts after it was last seen, where it has no end of its own."""
_USUAL, _LITTLE = 60, 30
"""The confidence of what has none (Splunk's default weight), and that below which STIX calls it low."""


# ---- the table


class Listing(NamedTuple):
    """What a list says of an address."""

    source: str
    """The list's name."""
    confidence: int
    """0 to 100."""
    first_day: int
    """Days since the epoch; 0: since ever."""
    last_day: int
    """Inclusive; `FOREVER`: it does not expire."""


Address = tuple[int, int]
"""How many bits it has, and its number."""


def numbered(address: str) -> Optional[Address]:
    """An address as a number; an IPv4 address in an IPv6 one as that; None where it is none.

    >>> numbered("198.51.100.7"), numbered("::ffff:198.51.100.7"), numbered("a host")
    ((32, 3325256711), (32, 3325256711), None)
    """
    try:
        if ":" not in address:
            return 32, int.from_bytes(inet_pton(AF_INET, address), "big")
        number = int.from_bytes(inet_pton(AF_INET6, address.partition("%")[0]), "big")
    except (OSError, ValueError):
        return None
    return (32, number & 0xFFFFFFFF) if number >> 32 == 0xFFFF else (128, number)


class Table:
    """Ranges and their listings; what is listed twice is valid as long as any list says."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int], dict[int, Listing]] = {}
        """(Bits of an address, prefix length) → prefix → listing."""

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def add(self, address: Address, length: int, listing: Listing) -> None:
        """Take in a range."""
        bits, number = address
        rows, key = self._rows.setdefault((bits, length), {}), number >> (bits - length)
        known = rows.setdefault(key, listing)
        if known is listing:
            return
        surer = max(known, listing, key=lambda listing: (listing.confidence, listing.source))
        rows[key] = surer._replace(
            first_day=min(known.first_day, listing.first_day), last_day=max(known.last_day, listing.last_day)
        )

    def find(self, address: Address, longest: int = 128) -> Iterator[Listing]:
        """The listings of the ranges that hold an address, the narrowest first."""
        for (bits, length), rows in sorted(self._rows.items(), key=lambda row: -row[0][1]):
            if bits == address[0] and length <= longest and address[1] >> (bits - length) in rows:
                yield rows[address[1] >> (bits - length)]


_MOST_RANGE = 4096
"""Addresses in a range that is given by its first and last one."""


def ranges(value: str) -> list[tuple[Address, int]]:
    """The ranges in a text: an address, a CIDR range, or a first and a last address; none where it is nothing such.

    >>> ranges("198.51.100.0/24"), ranges("x"), [length for _, length in ranges("198.51.100.1-198.51.100.4")]
    ([((32, 3325256704), 24)], [], [32, 31, 32])
    """
    first, dash, last = value.strip().partition("-")
    if dash:
        return _between(numbered(first.strip()), numbered(last.strip()))
    address, slash, bits = first.partition("/")
    number = numbered(address.strip("[]"))
    if number is None or (slash and not (bits.isdigit() and bits.isascii() and int(bits[:4]) <= number[0])):
        return []
    return [(number, int(bits) if slash else number[0])]


def _between(first: Optional[Address], last: Optional[Address]) -> list[tuple[Address, int]]:
    if first is None or last is None or first[0] != last[0]:
        return []
    (width, low), high = first, last[1]
    ranges = []
    while low <= high < first[1] + _MOST_RANGE:
        free = min((low & -low).bit_length() - 1 if low else width, (high - low + 1).bit_length() - 1)
        ranges.append(((width, low), width - free))
        low += 1 << free
    return ranges


_WIDEST = {32: 8, 128: 19}
_RESERVED = Table()
_BOGONS = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 198.18.0.0/15 "
    "224.0.0.0/4 240.0.0.0/4 ::/16 fc00::/7 fe80::/10 ff00::/8"
)
for _text in _BOGONS.split():
    _RESERVED.add(*ranges(_text)[0], Listing(_text, 0, 0, 0))


# ---- files: what one is, its content says, never its name


class Indicator(NamedTuple):
    """An indicator as a file has it."""

    values: tuple[str, ...]
    """Addresses and ranges; none: it is about other things."""
    source: str
    confidence: int
    first_day: int = 0
    last_day: int = FOREVER
    problem: str = ""
    """Why it cannot be used: not_understood, bad_time, revoked; "" for no reason."""


_LARGEST = 256 * 1024 * 1024
_HEADING = re.compile(r"[A-Za-z_][\w .-]*(?:,|$)")
_VALUES = ("indicator", "ip", "value", "ioc_value", "address", "cidr", "network", "src_ip", "dst_ip")
"""Columns that may hold the address, in the order in which they are looked for."""
_CONFIDENCES = ("confidence", "weight", "threat_confidence")
_UNTILS = ("valid_until", "expires", "expiration", "expiration_date", "valid_to")
_SOURCES = ("source", "threat_key", "provider", "feed", "threat_group")
_LEVELS = {"none": 0, "low": 15, "medium": 50, "med": 50, "high": 85, "not specified": _USUAL}


def read(path: Path) -> Iterator[Indicator]:
    """The indicators of a file.

    Raises:
        InputError: the file cannot be read, is too large, or is of no known form.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.read(4096).lstrip()
            file.seek(0)
            if head[:1] not in ("{", "["):
                yield from _lines(path, file)
            elif path.stat().st_size <= _LARGEST:
                yield from map(of_object, _objects(path, file.read()))
            else:
                raise InputError(f"{path}: a JSON file of indicators may have {_LARGEST:,} bytes: split it")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as indicators: {error}; give STIX, CSV or a list in UTF-8") from error


def _lines(path: Path, file: TextIO) -> Iterator[Indicator]:
    """Rows of CSV below a header, else one address a line."""
    for line in file:
        if line.strip() and line.lstrip()[0] not in "#;":
            rest = chain([line], file)
            return _table(path, rest) if _HEADING.match(line.lstrip('"')) and ":" not in line else _list(path, rest)
    return iter(())


def _list(path: Path, lines: Iterator[str]) -> Iterator[Indicator]:
    for line in lines:
        cell = re.split(r"[\s,;#]", line.strip(), maxsplit=1)[0].strip('"')
        if cell:
            yield Indicator((cell,), path.stem[:64], _USUAL)


def _table(path: Path, lines: Iterator[str]) -> Iterator[Indicator]:
    rows = csv.DictReader(line for line in lines if line[:1] != "#")
    rows.fieldnames = [(name or "").strip().lower() for name in rows.fieldnames or ()]
    column = next((name for name in _VALUES if name in rows.fieldnames), None)
    if column is None:
        raise InputError(f"{path}: no column of addresses; name it indicator, ip or value, as in {COLUMNS}")
    for row in rows:
        source, sure, until = (
            next((row[name] for name in names if row.get(name)), "") for names in (_SOURCES, _CONFIDENCES, _UNTILS)
        )
        value = (row[column] or "").strip()
        indicator = Indicator((value,) if value else (), (source or path.stem)[:64], confidence(sure))
        yield dated(indicator, row.get("valid_from"), until)


def confidence(value: object) -> int:
    """Confidence out of a number from 0 to 100 or a word.

    >>> confidence("High"), confidence(45), confidence(""), confidence("x")
    (85, 45, 60, 60)
    """
    text = "" if value is None else str(value).strip().lower()
    try:
        return _LEVELS[text] if text in _LEVELS else max(0, min(100, int(float(text))))
    except (ValueError, OverflowError):
        return _USUAL


def dated(indicator: Indicator, since: object, until: object) -> Indicator:
    """The indicator with its days; a time that cannot be read is a problem, for it might be over."""
    first, last = day_of(str(since or "")), day_of(str(until or ""))
    if first is None or last is None:
        return indicator._replace(problem="bad_time")
    return indicator._replace(first_day=max(first, 0), last_day=FOREVER if last < 0 else last)


@lru_cache(maxsize=4096)
def day_of(day_text: str) -> Optional[int]:
    """The day of a time, as RFC 3339, a date or seconds since the epoch; -1 where none is given; None: unreadable.

    >>> day_of("1970-01-02"), day_of("1970-01-02T10:00:00.5Z"), day_of("86400"), day_of(""), day_of("soon")
    (1, 1, 1, -1, None)
    """
    text = day_text.strip()
    if text in ("", "null", "None", "0", "-"):
        return -1
    try:
        if text.replace(".", "", 1).isdigit() and text.isascii():
            return int(float(text)) // DAY
        return parse(f"{text}T00:00:00Z" if len(text) == 10 else text) // DAY
    except (RejectError, ValueError, OverflowError):
        return None


# ---- JSON


def _objects(path: Path, content: str) -> list[Any]:
    """The objects of a bundle, of an envelope of TAXII, of an array, or of lines."""
    try:
        try:
            document = json.loads(content)
        except ValueError:
            document = [json.loads(line) for line in content.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: no JSON of indicators: {error}") from error
    inside = document.get("objects") if isinstance(document, dict) else document
    return inside if isinstance(inside, list) else [document]


def of_object(value: Any) -> Indicator:
    """The indicator in an object: STIX's, or a document of a threat stream."""
    if value.__class__ is dict and value.get("type") == "indicator":
        return _stix(value)
    if value.__class__ is dict and "type" in value and "id" in value and "_source" not in value:
        return Indicator((), "", _USUAL)  # another object of STIX
    return of_document(value.get("_source") or value.get("fields") or value if value.__class__ is dict else value)


# STIX Version 2.1, section 9: comparisons of an address with `=`, `IN` or `ISSUBSET`, joined by `OR`. Whatever says
# more (`AND`, `FOLLOWEDBY`, qualifiers, other operators) would be misread if its addresses were taken out of it.
_OBJECT = r"(?:ipv[46]-addr:value|network-traffic:(?:src|dst)_ref\.(?:value|'value'))"
_TEXT = r"'(?:[^'\\]|\\.)*'"
_COMPARISON = re.compile(rf"\s*{_OBJECT}\s*(?:=|ISSUBSET|IN)\s*(\(?\s*{_TEXT}(?:\s*,\s*{_TEXT})*\s*\)?)\s*")
_OR = re.compile(r"\s+OR\s+|\s*\]\s*OR\s*\[\s*")
_ADDRESS = re.compile(r"ipv[46]-addr:|network-traffic:")
_LONGEST = 100_000


def addresses(pattern: str) -> Optional[list[str]]:
    """The addresses and ranges in a pattern; empty where it is about other things; None where it is not understood.

    >>> addresses("[ipv4-addr:value IN ('198.51.100.7', '198.51.100.8')] OR [ipv4-addr:value = '198.51.100.9']")
    ['198.51.100.7', '198.51.100.8', '198.51.100.9']
    >>> addresses("[domain-name:value = 'x.example']"), addresses("[ipv4-addr:value = '192.0.2.7' AND url:value = 'x']")
    ([], None)
    """
    if not _ADDRESS.search(pattern):
        return []
    address = pattern.strip()
    pieces = (
        _OR.split(address[1:-1]) if len(address) <= _LONGEST and address[:1] == "[" and address[-1:] == "]" else [""]
    )
    matches = [_COMPARISON.fullmatch(piece) for piece in pieces]
    return None if None in matches else [t[1:-1] for match in matches if match for t in re.findall(_TEXT, match[1])]


def _stix(value: Mapping[str, Any]) -> Indicator:
    values = addresses(str(value.get("pattern", ""))) if value.get("pattern_type", "stix") == "stix" else None
    source = str(value.get("name") or value.get("created_by_ref") or "stix")[:64]
    indicator = Indicator(tuple(values or ()), source, confidence(value.get("confidence")))
    if value.get("revoked") is True or values is None:
        return indicator._replace(values=(), problem="revoked" if value.get("revoked") is True else "not_understood")
    return dated(indicator, value.get("valid_from"), value.get("valid_until"))


_EXPIRY = re.compile(r"(?:^|\.)(?:valid_until|decayed_at|expires_at|expiration(?:_date|_time|_ts)?|expire_date)$")
_DECAYED = re.compile(r"(?:^|\.)(?:decayed|expired|revoked)$")
_SEEN = ("threat.indicator.last_seen", "threat.indicator.modified_at", "@timestamp")
_DEEPEST = 12


def of_document(document: Any) -> Indicator:
    """The indicator in a document of Elastic's `logs-ti_*`, nested or with dotted names."""
    if document.__class__ is not dict:
        return Indicator((), "", _USUAL, problem="not_understood")
    leaves = dict(_leaves(document, "", 0))
    first = {name: value[0] if value.__class__ is list and value else value for name, value in leaves.items()}.get
    values = [leaves.get(f"threat.indicator.{name}") for name in ("ip", "network")]
    addresses = tuple(str(each) for value in values for each in (value if isinstance(value, list) else [value]) if each)
    source = str(first("threat.indicator.provider") or first("threat.feed.name") or "elastic")[:64]
    indicator = Indicator(addresses, source, confidence(first("threat.indicator.confidence")))
    if any(_DECAYED.search(name) and first(name) is True for name in leaves):
        return indicator._replace(values=(), problem="revoked")
    until = next((first(name) for name in leaves if first(name) and _EXPIRY.search(name)), None)
    seen = "" if until else next((first(name) for name in _SEEN if first(name)), "")
    indicator = dated(indicator, "", until or seen)
    return indicator._replace(last_day=min(FOREVER, indicator.last_day + DECAY_DAYS)) if seen else indicator


def _leaves(tree: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if value.__class__ is dict and depth < _DEEPEST:
            yield from _leaves(value, f"{prefix}{name}.", depth + 1)
        else:
            yield f"{prefix}{name}", value


# ---- reputation


class Reputation(NamedTuple):
    """What the lists say, and what of them was not taken."""

    table: Table
    refused: dict[str, int]
    """Reason → indicators: private, too_wide, no_address, weak, revoked, bad_time, not_understood, too_many."""
    read: int = 0
    """Indicators read, of addresses and of other things."""

    def find(self, address: str, day: int) -> Optional[Listing]:
        """The listing of an address on a day; None where none is valid."""
        return _find(self.table, address, day) if address else None

    def traits(self, traits: tuple[str, ...], address: str, day: int) -> tuple[str, ...]:
        """The traits of what comes from an address on a day, with `listed` where it is."""
        if not len(self.table) or LISTED in traits or self.find(address, day) is None:
            return traits
        return tuple(sorted((*traits, LISTED)))

    def mark(self, event: Event) -> Event:
        """The event, with the trait where its address was listed at its time."""
        traits = self.traits(event.traits, event.address, event.time // DAY)
        return event if traits is event.traits else event._replace(traits=traits)


@lru_cache(maxsize=65536)
def _find(table: Table, address: str, day: int) -> Optional[Listing]:
    number = numbered(address)
    if number is None:
        return None
    return next((listing for listing in table.find(number) if listing.first_day <= day <= listing.last_day), None)


NOTHING = Reputation(Table(), {})
"""No lists."""


def load(paths: Iterable[Path]) -> Reputation:
    """The reputation in files.

    Raises:
        InputError: a file cannot be read or is of no known form.
    """
    return gather(indicator for path in paths for indicator in read(path))


def gather(indicators: Iterable[Indicator]) -> Reputation:
    """The reputation in indicators, as many as there is room for."""
    table, refused = Table(), Counter[str]()
    read, taken = 0, 0
    for indicator in indicators:
        read += 1
        problem = indicator.problem or ("weak" if indicator.values and indicator.confidence < _LITTLE else "")
        for value in () if problem else indicator.values:
            address_ranges = ranges(value)
            refused["no_address"] += not address_ranges
            for address, length in address_ranges:
                reason = _objection(address, length) or ("too_many" if taken >= LIMIT else "")
                refused[reason] += 1
                if not reason:
                    taken += 1
                    table.add(address, length, Listing(*indicator[1:5]))
        refused[problem] += 1
    refused_counts = {reason: count for reason, count in sorted(refused.items()) if reason and count}
    return Reputation(table, refused_counts, read)


def _objection(address: Address, length: int) -> str:
    """Why a range is not taken, or ""."""
    if length < _WIDEST[address[0]]:
        return "too_wide"
    return "private" if any(_RESERVED.find(address, length)) else ""
