"""Reputation: addresses that lists of indicators name, so that an event from one gets the trait `listed`.

Read are STIX 2.1 bundles (address patterns), CSV (our own columns, Splunk's `ip_intel`, MISP's export), plain lists of
addresses, and documents of Elastic's `logs-ti_*`. An address counts on the days on which its indicator was valid, by
the time of the event; without an end it counts always, but an indicator of a stream ends 90 days after it was last
seen. Days, not seconds: so that all events of an hour from one address are judged alike.

Refused, and said so: private, reserved and multicast ranges, ranges wider than /8 or /19 of IPv6 (one such row would
mark half of the world), indicators of little confidence, and more than a million.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Optional

from nhi_watch.context.reputation._files import COLUMNS, DECAY_DAYS, Indicator, of_document, read
from nhi_watch.context.reputation._table import Builder, Listing, Net, Table, masked, packed
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY

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
