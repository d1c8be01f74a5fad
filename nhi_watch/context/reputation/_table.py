"""A million addresses and ranges in some ten megabytes: sorted bytes, a number beside each."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple, Optional

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
