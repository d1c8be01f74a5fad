"""Reputation: addresses that lists of indicators name, so that an event from one gets the trait `listed`.

Read are STIX 2.1 bundles (address patterns), CSV (our own columns, Splunk's `ip_intel`, MISP's export), plain lists of
addresses, and documents of Elastic's `logs-ti_*`. An address counts on the days on which its indicator was valid, by
the time of the event; without an end it counts always, but an indicator of a stream ends 90 days after it was last
seen. Days, not seconds: so that all events of an hour from one address are judged alike.

Refused, and said so: private, reserved and multicast ranges, ranges wider than /8 or /19 of IPv6 (one such row would
mark half of the world), indicators of little confidence, and more than a million.
"""

from __future__ import annotations

import csv
import json
import re
from array import array
from bisect import bisect_left
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

# ----  patterns
#
# STIX 2.1 patterns that name addresses: comparisons of an address with `=`, `IN` or `ISSUBSET`, joined by `OR`.
#
# STIX Version 2.1, section 9. Whatever says more (`AND`, `FOLLOWEDBY`, qualifiers, other operators) would be misread if
# its addresses were taken out of it, so it counts as not understood.


_OBJECT = r"(?:ipv[46]-addr:value|network-traffic:(?:src|dst)_ref\.(?:value|'value'))"
_TEXT = r"'(?:[^'\\]|\\.)*'"
_COMPARISON = re.compile(rf"\s*{_OBJECT}\s*(?:=|ISSUBSET|IN)\s*(\(?\s*{_TEXT}(?:\s*,\s*{_TEXT})*\s*\)?)\s*")
_TEXTS = re.compile(_TEXT)
_OR = re.compile(r"\s+OR\s+|\s*\]\s*OR\s*\[\s*")
_ADDRESS = re.compile(r"ipv[46]-addr:|network-traffic:")
_LONGEST = 100_000


def addresses(pattern: str) -> Optional[list[str]]:
    """The addresses and ranges in a pattern; empty where it is about other things; None where it is not understood.

    >>> addresses("[ipv4-addr:value = '198.51.100.7' OR ipv6-addr:value ISSUBSET '2001:db8::/48']")
    ['198.51.100.7', '2001:db8::/48']
    >>> addresses("[ipv4-addr:value IN ('198.51.100.7', '198.51.100.8')] OR [ipv4-addr:value = '198.51.100.9']")
    ['198.51.100.7', '198.51.100.8', '198.51.100.9']
    >>> addresses("[domain-name:value = 'x.example']")
    []
    >>> addresses("[ipv4-addr:value = '198.51.100.7' AND url:value = 'x']")
    """
    if not _ADDRESS.search(pattern):
        return []
    told = pattern.strip()
    if len(told) > _LONGEST or told[:1] != "[" or told[-1:] != "]":
        return None
    found: list[str] = []
    for piece in _OR.split(told[1:-1]):
        match = _COMPARISON.fullmatch(piece)
        if match is None:
            return None
        found += [text[1:-1] for text in _TEXTS.findall(match[1])]
    return found


# ----  table
#
# A million addresses and ranges in some ten megabytes: sorted bytes, a number beside each.


_MAPPED = b"\0" * 10 + b"\xff\xff"


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


FOREVER = 10**6


class Net(NamedTuple):
    """A range: its first address, packed, and its prefix length."""

    packed: bytes
    length: int


def packed(address: str) -> Optional[bytes]:
    """An address as 4 or 16 bytes; an IPv4 address in an IPv6 one as 4; None where it is none.

    >>> packed("198.51.100.7"), packed("::ffff:198.51.100.7"), packed("a host")
    (b'\\xc63d\\x07', b'\\xc63d\\x07', None)
    """
    try:
        if ":" not in address:
            return inet_pton(AF_INET, address)
        told = inet_pton(AF_INET6, address.partition("%")[0])
    except (OSError, ValueError):
        return None
    return told[12:] if told.startswith(_MAPPED) else told


def masked(address: bytes, length: int) -> bytes:
    """The first address of the range of that length around an address.

    >>> masked(b"\\xc6\\x33\\x64\\x07", 24)
    b'\\xc63d\\x00'
    """
    spare = len(address) * 8 - length
    return (int.from_bytes(address, "big") >> spare << spare).to_bytes(len(address), "big")


class _Keys:
    """Sorted keys of one width, joined; what `bisect` needs of a sequence."""

    def __init__(self, width: int, content: bytes) -> None:
        self._width = width
        self._content = content

    def __len__(self) -> int:
        return len(self._content) // self._width

    def __getitem__(self, index: int) -> bytes:
        return self._content[index * self._width : (index + 1) * self._width]


class _Rows(NamedTuple):
    keys: _Keys
    numbers: array[int]
    """Of the listing of each key."""


class Table:
    """Ranges and their listings, closed."""

    def __init__(self, rows: dict[tuple[int, int], _Rows], listings: list[Listing]) -> None:
        self._rows = rows
        """(Bytes of an address, prefix length) → ranges; the longest prefix first."""
        self._listings = listings

    def __len__(self) -> int:
        return sum(len(rows.keys) for rows in self._rows.values())

    def find(self, address: bytes) -> Iterator[Listing]:
        """The listings of the ranges that hold an address, the narrowest first."""
        for (width, length), (keys, numbers) in self._rows.items():
            if width != len(address):
                continue
            key = masked(address, length)
            index = bisect_left(keys, key)
            if index < len(keys) and keys[index] == key:
                yield self._listings[numbers[index]]


_NUMBER = 4


class Builder:
    """Gathers ranges for a Table. What is told twice is valid as long as any list says."""

    def __init__(self) -> None:
        self._parts: dict[tuple[int, int], bytearray] = {}
        self._listings: dict[Listing, int] = {}
        self.count = 0

    def add(self, net: Net, listing: Listing) -> None:
        """Take in a range."""
        number = self._listings.setdefault(listing, len(self._listings))
        part = self._parts.setdefault((len(net.packed), net.length), bytearray())
        part += net.packed + number.to_bytes(_NUMBER, "big")
        self.count += 1

    def build(self) -> Table:
        """The table; the builder is empty then."""
        rows = {}
        for (width, length), part in sorted(self._parts.items(), key=lambda item: -item[0][1]):
            rows[width, length] = self._sorted(width, bytes(part))
            part.clear()
        self._parts.clear()
        return Table(rows, list(self._listings))

    def _sorted(self, width: int, part: bytes) -> _Rows:
        size = width + _NUMBER
        known = list(self._listings)
        keys, numbers = bytearray(), array("I")
        for record in sorted(part[at : at + size] for at in range(0, len(part), size)):
            key, number = record[:width], int.from_bytes(record[width:], "big")
            if keys[-width:] == key and numbers:
                merged = _merged(known[numbers[-1]], known[number])
                fresh = self._listings.setdefault(merged, len(self._listings))
                if fresh == len(known):
                    known.append(merged)
                numbers[-1] = fresh
            else:
                keys += key
                numbers.append(number)
        return _Rows(_Keys(width, bytes(keys)), numbers)


def _merged(one: Listing, other: Listing) -> Listing:
    surer = max(one, other, key=lambda listing: (listing.confidence, listing.source))
    return surer._replace(first_day=min(one.first_day, other.first_day), last_day=max(one.last_day, other.last_day))


# ----  files
#
# Files of indicators: STIX 2.1 bundles, CSV of several makers, plain lists, documents of Elastic's threat streams.
#
# What a file is, its content says, never its name.


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


# ---- reputation


__all__ = [
    "COLUMNS", "DECAY_DAYS", "LIMIT", "LISTED", "NOTHING", "Indicator", "Listing", "Reputation", "gather", "load",
    "of_document", "read",
]  # fmt: skip

LISTED = "listed"
LIMIT = 1_000_000
LITTLE = 30
"""Confidence below this is what STIX calls low, or none."""
_WIDEST = {4: 8, 16: 19}
_MOST_RANGE = 4096
"""Addresses in a range that is told by its first and last one."""
_BOGONS = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 198.18.0.0/15 "
    "224.0.0.0/4 240.0.0.0/4 ::/16 fc00::/7 fe80::/10 ff00::/8"
)


class Reputation(NamedTuple):
    """What the lists say, and what of them was not taken."""

    table: Table
    refused: dict[str, int]
    """Reason → indicators: private, too_wide, no_address, weak, revoked, bad_time, not_understood, too_many."""
    read: int = 0
    """Indicators told, of addresses and of other things."""

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
    told = packed(address)
    if told is None:
        return None
    return next((one for one in table.find(told) if one.first_day <= day <= one.last_day), None)


NOTHING = Reputation(Builder().build(), {})
"""No lists."""


def load(paths: Iterable[Path]) -> Reputation:
    """The reputation that files tell.

    Raises:
        InputError: a file cannot be read or is of no known form.
    """
    return gather(indicator for path in paths for indicator in read(path))


def gather(indicators: Iterable[Indicator]) -> Reputation:
    """The reputation that indicators tell, as many as there is room for."""
    builder, refused = Builder(), Counter[str]()
    count = 0
    for indicator in indicators:
        count += 1
        problem = indicator.problem or ("weak" if indicator.values and indicator.confidence < LITTLE else "")
        if problem:
            refused[problem] += 1
            continue
        listing = Listing(indicator.source, indicator.confidence, indicator.first_day, indicator.last_day)
        for value in indicator.values:
            _take(builder, value, listing, refused)
    return Reputation(builder.build(), dict(sorted(refused.items())), count)


def _take(builder: Builder, value: str, listing: Listing, refused: Counter[str]) -> None:
    nets = _nets(value)
    if not nets:
        refused["no_address"] += 1
    for net in nets:
        reason = _objection(net) or ("too_many" if builder.count >= LIMIT else "")
        if reason:
            refused[reason] += 1
        else:
            builder.add(net, listing)


def _nets(value: str) -> list[Net]:
    """The ranges in a text: an address, a CIDR range, or a first and a last address; none where it is nothing such.

    >>> _nets("198.51.100.0/24"), _nets("198.51.100.7")[0].length, _nets("x")
    ([Net(packed=b'\\xc63d\\x00', length=24)], 32, [])
    >>> [net.length for net in _nets("198.51.100.1-198.51.100.4")]
    [32, 31, 32]
    """
    first, dash, last = value.strip().partition("-")
    if dash:
        return _between(packed(first.strip()), packed(last.strip()))
    address, slash, bits = first.partition("/")
    told = packed(address.strip("[]"))
    if told is None or (slash and not (bits.isdigit() and bits.isascii() and int(bits[:4]) <= len(told) * 8)):
        return []
    length = int(bits) if slash else len(told) * 8
    return [Net(masked(told, length), length)]


def _between(first: Optional[bytes], last: Optional[bytes]) -> list[Net]:
    if first is None or last is None or len(first) != len(last):
        return []
    low, high, width = int.from_bytes(first, "big"), int.from_bytes(last, "big"), len(first) * 8
    if not low <= high < low + _MOST_RANGE:
        return []
    found = []
    while low <= high:
        free = min((low & -low).bit_length() - 1 if low else width, (high - low + 1).bit_length() - 1)
        found.append(Net(low.to_bytes(len(first), "big"), width - free))
        low += 1 << free
    return found


@lru_cache(maxsize=1)
def _reserved() -> dict[bytes, list[Net]]:
    """First byte of an address → reserved ranges that it may lie in."""
    found: dict[bytes, list[Net]] = {}
    for net in (net for text in _BOGONS.split() for net in _nets(text)):
        for byte in range(net.packed[0], net.packed[0] + (1 << max(8 - net.length, 0))):
            found.setdefault(bytes((byte,)), []).append(net)
    return found


def _objection(net: Net) -> str:
    """Why a range is not taken, or ""."""
    if net.length < _WIDEST[len(net.packed)]:
        return "too_wide"
    near = _reserved().get(net.packed[:1], ())
    return "private" if any(_within(net, bogon) for bogon in near) else ""


def _within(net: Net, other: Net) -> bool:
    if len(other.packed) != len(net.packed) or net.length < other.length:
        return False
    return masked(net.packed, other.length) == other.packed

