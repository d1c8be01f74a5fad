"""An IdentityDay as a row's bytes, and back.

What is random (record ids that are UUIDs, and marks) follows the compressed rest as it is: it makes up most of a
day, cannot be made smaller, and to write it as text and compress that took half the time of all that follows reading.

A row may consist of several parts: the day as it was, then the behaviours that changed since, as they are now, which
ones are gone, and the marks of what came. Of a day that grows in many rounds each writes little.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Collection, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple, Optional

from nhi_watch.core.behaviour import ORDER, Behaviour, BehaviourKey, IdentityDay, StoredRow, rank_of
from nhi_watch.core.event import Identity
from nhi_watch.state.store import dumps, loads, reading

_SKETCHES = attrgetter("sessions", "targets", "addresses", "issued", "links")
ROW = 12
"""Numbers of one behaviour: its shape, five of time and count, how many record ids, five sketches."""
FEW = 4
"""A part is added where at most one in FEW behaviours changed, until the row is longer by more than one in FEW."""
_DASHES = (8, 13, 18, 23)
"""Where they are in a UUID, whose text has 36 letters."""


def pack(day: IdentityDay, words: bytes = b"") -> bytes:
    """The row of a day. The marks stand in no order: to sort them takes as long as to write them.

    `words`: what is likely to be in it, for rows that are kept small; it is decompressed with the same.
    """
    return _part(day, day.ordered(), day.record_hashes(), words)


def stored_row(day: IdentityDay) -> StoredRow:
    """What a store is to hold of a day: the row that it holds, and what came since; all of it where that is much."""
    before, changed, marks = day.row, day.changed(), [*day.came, *(day.folded - day.seen)]
    is_little = FEW * len(changed) <= len(day.behaviours) and FEW * len(before.raw) <= (FEW + 1) * before.first_part
    if not before.raw or not is_little or len(marks) != len(day.record_hashes()) - day.stored:
        raw = pack(day)
        return StoredRow(raw, len(raw))
    return before._replace(raw=before.raw + _part(day, sorted(changed, key=ORDER), marks, gone=day.gone))


def _part(
    day: IdentityDay,
    ordered: Sequence[Behaviour],
    marks: Collection[int],
    words: bytes = b"",
    gone: Collection[tuple[BehaviourKey, int]] = (),
) -> bytes:
    """Some behaviours of a day, in order, and marks of its records; `gone`: keys of those that the day had before."""
    identities: dict[Identity, int] = {}
    shapes: dict[BehaviourKey, int] = {}
    by_object: dict[int, int] = {}  # hashing a shape takes longer than all else here
    sketches: dict[tuple[str, ...], int] = {(): 0}
    rows: list[int] = []
    for b in ordered:
        index = by_object.get(id(b.key))
        if index is None:
            identities.setdefault(b.key.identity, len(identities))
            index = by_object[id(b.key)] = shapes.setdefault(b.key, len(shapes))
        rows += (index, b.hour, b.count, b.first, b.last, b.minutes, len(b.record_ids))
        rows += [sketches.setdefault(tuple(kept), len(sketches)) if kept else 0 for kept in _SKETCHES(b)]
    for key, _ in gone:
        identities.setdefault(key.identity, len(identities))
        shapes.setdefault(key, len(shapes))
    ids = list(chain.from_iterable([b.record_ids for b in ordered]))
    packed = uuids(ids)
    plain = [
        day.day,
        list(map(list, identities)),  # orjson refuses named tuples, and the whole day would be written by `json`
        [[identities[s.identity], *s[1:]] for s in shapes],
        list(sketches),
        rows,
        ids if packed is None else len(ids),
        day.scored,
        {str(at): f"{b.spread:x}" for at, b in enumerate(ordered) if b.spread},
        len(marks),
        [[shapes[key], hour] for key, hour in gone],
    ]
    return deflated(dumps(plain), words) + (packed or b"") + _swapped(array("Q", marks)).tobytes()


def deflated(text: bytes, words: bytes) -> bytes:
    """A row's text, small; `words` as in `pack`."""
    if not words:
        return zlib.compress(text, 1)
    small = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=words)
    return small.compress(text) + small.flush()


def unpack(raw: bytes, words: bytes = b"") -> IdentityDay:
    """The IdentityDay of a row.

    Raises:
        StoreError: it is damaged.
    """
    with reading():
        return _unpack(raw, words)


class Plain(NamedTuple):
    """What a row holds of behaviours, as it was read, before behaviours are made of it."""

    identities: list[list[str]]
    shapes: list[list[Any]]
    """Each: number of its identity, the other fields of `BehaviourKey`, its traits as a list."""
    samples: list[list[str]]
    rows: list[int]
    """ROW numbers of each behaviour."""


def plain(raw: bytes, words: bytes = b"") -> Plain:
    """The plain values of a row.

    Raises:
        StoreError: it is damaged.
    """
    with reading():
        inflate = zlib.decompressobj(-zlib.MAX_WBITS, zdict=words) if words else zlib.decompressobj()
        _, identities, shapes, samples, rows, *_ = loads(inflate.decompress(raw))
        return Plain(identities, shapes, samples, rows)


def _unpack(raw: bytes, words: bytes) -> IdentityDay:
    day, keys, rest, first_part = IdentityDay(0), dict[BehaviourKey, BehaviourKey](), raw, 0
    while rest or not first_part:
        rest = _take_part(day, keys, rest, words)
        first_part = first_part or len(raw) - len(rest)
    day.mark_stored()
    day.row = StoredRow(raw, first_part)
    return day


def _take_part(day: IdentityDay, keys: dict[BehaviourKey, BehaviourKey], raw: bytes, words: bytes) -> bytes:
    """Read the first part of a row into a day; returns the others. `keys`: one object of each, to which it adds."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS, zdict=words) if words else zlib.decompressobj()
    day.day, identities, shapes, sketches, rows, plain, day.scored, *later = loads(inflate.decompress(raw))
    spread = {int(at): int(bits, 16) for at, bits in later[0].items()} if later else {}
    samples = sketches if later else [sorted(kept, key=rank_of) for kept in sketches]  # earlier: what sorts first
    rest = inflate.unused_data
    size = 16 * plain if isinstance(plain, int) else 0
    ids = texts(rest[:size]) if size else plain
    known = [BehaviourKey._make((Identity(*identities[i]), *others, tuple(traits))) for i, *others, traits in shapes]
    known = [keys.setdefault(key, key) for key in known]
    if set(map(type, rows)) - {int}:
        raise ValueError("a count or a time that is not a whole number")
    for index, hour in later[2] if len(later) > 2 else ():
        day.behaviours.pop((known[index], hour), None)  # one that came and went between two parts was in neither
    at, make, behaviours = 0, Behaviour.__new__, day.behaviours
    for place, start in enumerate(range(0, len(rows), ROW)):  # without __init__: it makes what is replaced at once
        index, hour, count, first, last, minutes, many, sessions, targets, addresses, issued, links = rows[
            start : start + ROW
        ]
        b = behaviours[known[index], hour] = make(Behaviour)
        b.key, b.hour, b.count, b.first, b.last, b.minutes = known[index], hour, count, first, last, minutes
        b.record_ids = ids[at : at + many]
        at += many
        b.sessions, b.targets, b.issued = samples[sessions][:], samples[targets][:], samples[issued][:]
        b.addresses, b.links, b.spread = sketches[addresses][:], sketches[links][:], spread.get(place, 0)
    end = size + 8 * later[1] if len(later) > 1 else len(rest)  # earlier: a row is one part
    if end > len(rest):
        raise ValueError("marks are missing")
    record_hashes = array("Q")
    record_hashes.frombytes(rest[size:end])
    day.seen.update(_swapped(record_hashes))
    return rest[end:]


def uuids(ids: list[str]) -> Optional[bytes]:
    """16 bytes of each UUID in lower case; None where another text is among them.

    >>> uuids(["b48a1176-b284-dffb-4e56-377f71bbead6"]).hex(), uuids(["b48a1176"])
    ('b48a1176b284dffb4e56377f71bbead6', None)
    """
    text = "".join(ids)
    if set(map(len, ids)) - {36} or text != text.lower() or any(set(text[at::36]) - {"-"} for at in _DASHES):
        return None
    try:
        packed = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        return None
    return packed if len(packed) == 16 * len(ids) else None


def texts(packed: bytes) -> list[str]:
    """The UUIDs that `uuids` packed.

    >>> texts(uuids(["b48a1176-b284-dffb-4e56-377f71bbead6"]))
    ['b48a1176-b284-dffb-4e56-377f71bbead6']
    """
    text = packed.hex()
    each = (text[at : at + 32] for at in range(0, len(text), 32))
    return [f"{t[:8]}-{t[8:12]}-{t[12:16]}-{t[16:20]}-{t[20:]}" for t in each]


def _swapped(record_hashes: array[int]) -> array[int]:
    """Least byte first on every machine, or back."""
    if sys.byteorder == "big":
        record_hashes.byteswap()
    return record_hashes
