"""Parts: what one chunk of events holds of identities' days, small enough to be kept in a summary index.

A part keeps, of each behaviour, the fingerprints of its records. So parts are merged as sets are: in any order,
twice over, from overlapping windows; a record counts once. 5 bytes a record against 1.5 kB of a raw event; 8 where
a client may choose ids, and could otherwise search for many with one fingerprint.

A text holds the parts of a few identities of one day. In five minutes an identity does little, and most of its row
would be what all rows have in common: with twenty in one text, each takes a third of the bytes.

Packed: a head (`_HEAD`), the fingerprints, how many of each behaviour, the behaviours (`day_rows`, with the words of
`WORDS`); then base64url, whose signs need no escape in any of Splunk's formats. Texts of versions 3 and 4, each of one
identity, are still read.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from pathlib import Path
from typing import NamedTuple, Optional

from nhi_watch.core.behaviour import (
    BEHAVIOURS,
    FOLDED,
    Behaviour,
    BehaviourKey,
    CrowdedDay,
    IdentityDay,
    fingerprint,
    is_uuid,
    key_of_event,
    rank_of,
)
from nhi_watch.core.behaviour import behaviour_hash as mark_of_behaviour
from nhi_watch.core.errors import RejectError, StoreError
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import HOUR
from nhi_watch.state import day_rows
from nhi_watch.state.inventory import ABOUT

WORDS = Path(__file__).with_name("parts_words.bin").read_bytes()
"""What is likely to be in a part."""
VERSION = 5
MARK, WIDE = 5, 8
"""Bytes of a fingerprint (of 10,000 records in one hour's behaviour, one is lost once in 20,000 times), and where an id
may have been chosen."""
_MASK = (1 << 8 * MARK) - 1
LONGEST = 7_000
"""Characters of a packed part in one stored event. Splunk cuts an event to 10,240 before it looks for fields in it, and
each field to that ([kv] maxchars): what is longer would be another text for a search than for us."""
TOGETHER = 60
"""Behaviours that are packed together, some 6,000 characters; one identity may have more."""
GROUPED = 3
"""Hexadecimal digits of `key_of` that all identities in a text have in common."""
_HEAD = struct.Struct("<BBBHII")
"""Version, bytes of a fingerprint, bytes of a count, how many identities, fingerprints and counts."""
_EARLIER, _WIDTHS = struct.Struct("<BIII"), {3: MARK, 4: WIDE}
"""The head of earlier versions, the last number unused; version → bytes of a fingerprint."""
SERVICE = BehaviourKey._fields.index("service")
Key = tuple[BehaviourKey, int]
Slot = tuple[Behaviour, set[int]]
"""A behaviour, and the fingerprints of its records."""


class PartialDay:
    """One identity's day, or a piece of it."""

    __slots__ = ("_crowd", "day", "slots")

    def __init__(self, day: int) -> None:
        self.day = day
        self.slots: dict[Key, Slot] = {}
        self._crowd: Optional[CrowdedDay[Slot]] = None

    def slot(self, key: BehaviourKey, hour: int) -> Slot:
        """The behaviour of this shape and hour, made when first asked for; of too many the rest is folded."""
        slot = self.slots.get((key, hour))
        if slot is None:
            if len(self.slots) >= BEHAVIOURS:
                self._crowd = self._crowd or CrowdedDay(self.slots, _slot, _join)
                return self._crowd.place(key, hour)
            slot = self.slots[key, hour] = _slot(key, hour)
        return slot

    def add(self, event: Event) -> bool:
        """Take in an event; False when its record was here before."""
        key = key_of_event(event), event.time // HOUR
        behaviour, record_hashes = slot = self.slot(*key)
        mark = bound_hashes({record_hash(event.record_id)}, key, slot)
        if mark <= record_hashes:
            return False
        record_hashes |= mark
        behaviour.take(event)
        return True

    def merge(self, other: PartialDay) -> None:
        """Take in another piece of the same day; records that both know count once."""
        for key, (behaviour, record_hashes) in other.slots.items():
            mine = self.slots.get(key)
            if mine is None and len(self.slots) < BEHAVIOURS:
                self.slots[key] = (behaviour, record_hashes)
            elif mine is None or not record_hashes <= mine[1]:
                slot = mine or self.slot(*key)
                _merge(slot, behaviour, bound_hashes(record_hashes, key, slot))

    def events(self) -> int:
        """How many events are counted here."""
        return sum(behaviour.count for behaviour, _ in self.slots.values())

    def first(self) -> int:
        """Second of the first event."""
        return min(behaviour.first for behaviour, _ in self.slots.values())

    def brief(self, records: int) -> PartialDay:
        """The same with so many record ids a behaviour at most, the smallest."""
        for behaviour, _ in self.slots.values():
            del behaviour.record_ids[records:]
        return self

    def give(self, identity_day: IdentityDay) -> None:
        """Add to an identity's day what it does not hold yet; it may hold some of it.

        The day keeps one set of marks, so each is bound to its behaviour: one id may stand in many.
        """
        for (key, hour), (behaviour, record_hashes) in self.slots.items():
            own = mark_of_behaviour(key, hour)
            bound = {mark ^ own for mark in record_hashes}
            fresh = bound - identity_day.seen
            if fresh:
                unmarked = behaviour.count - len(record_hashes) if len(fresh) == len(record_hashes) else 0
                behaviour.count = len(fresh) + unmarked
                identity_day.seen |= fresh
                identity_day.put((key, hour), behaviour)

    def halves(self) -> Optional[tuple[PartialDay, PartialDay]]:
        """Two parts that make up this one; None: it cannot be divided."""
        first_half, other = PartialDay(self.day), PartialDay(self.day)
        slots = list(self.slots.items())
        if len(slots) > 1:
            first_half.slots, other.slots = dict(slots[::2]), dict(slots[1::2])
            return first_half, other
        ((key, (behaviour, record_hashes)),) = slots
        if len(record_hashes) < 2:
            return None
        for half, own in ((first_half, set(sorted(record_hashes)[::2])), (other, set(sorted(record_hashes)[1::2]))):
            half.slots[key] = (copy(behaviour), own)
            half.slots[key][0].count = len(own)
        first_half.slots[key][0].count += behaviour.count - len(record_hashes)
        return first_half, other


def _slot(key: BehaviourKey, hour: int) -> Slot:
    return Behaviour(key, hour), set()


def _join(mine: Slot, other: Slot) -> None:
    behaviour, record_hashes = other
    _merge(mine, behaviour, bound_hashes(record_hashes, (behaviour.key, behaviour.hour), mine))


def bound_hashes(record_hashes: set[int], key: Key, slot: Slot) -> set[int]:
    """Marks of records of one behaviour as a slot keeps them: of what is folded, bound to what they were of.

    Else a harmless record of the same id would swallow another that is folded into the same behaviour.
    """
    if FOLDED not in slot[0].key.traits or FOLDED in key[0].traits:
        return record_hashes
    own = mark_of_behaviour(*key) & _MASK
    return {mark ^ own for mark in record_hashes}


def _merge(mine: Slot, behaviour: Behaviour, record_hashes: set[int]) -> None:
    known, seen = mine
    unmarked = known.count - len(seen) + behaviour.count - len(record_hashes)
    known.merge(behaviour)
    seen |= record_hashes
    known.count = len(seen) + unmarked


def key_of(identity_id: str) -> str:
    """What finds the parts of an identity.

    >>> key_of("aws:111111111111:role:AROAEXAMPLE")
    '88416665b0b79b5c'
    """
    return hashlib.sha256(identity_id.encode("utf-8", "replace")).hexdigest()[:16]


def record_hash(record_id: str) -> int:
    """The fingerprint of a record: of a UUID 5 bytes, of an id that may have been chosen or made all 8.

    >>> hex(record_hash("b48a1176-b284-dffb-4e56-377f71bbead6")), hex(record_hash("id-1~38d05e0f9d93"))
    ('0x7f71bbead6', '0xa4b80924e437b1a3')
    """
    mark = fingerprint(record_id)
    return mark & _MASK if is_uuid(record_id) else mark


def pieces(partial_days: Sequence[PartialDay]) -> Iterator[tuple[Sequence[PartialDay], str]]:
    """What texts hold and the texts, each short enough for a stored event, see LONGEST; one day, an identity each."""
    start = size = 0
    for end, partial_day in enumerate(partial_days):
        if end > start and size + len(partial_day.slots) > TOGETHER:
            yield from _cut(partial_days[start:end])
            start, size = end, 0
        size += len(partial_day.slots)
    yield from _cut(partial_days[start:])


def _cut(some: Sequence[PartialDay]) -> Iterator[tuple[Sequence[PartialDay], str]]:
    text = pack(some)
    halves: Optional[Sequence[Sequence[PartialDay]]] = None
    if len(text) > LONGEST:
        middle = len(some) // 2
        divided = some[0].halves() if not middle else None
        halves = (some[:middle], some[middle:]) if middle else [[half] for half in divided or ()]
    if not halves:
        yield some, text
    for half in halves or ():
        yield from _cut(half)


def pack(partial_days: Sequence[PartialDay]) -> str:
    """Parts of one day, each of another identity, as text."""
    identity_day = IdentityDay(partial_days[0].day)
    slots = {key: slot for partial_day in partial_days for key, slot in partial_day.slots.items()}
    identity_day.behaviours = {key: behaviour for key, (behaviour, _) in slots.items()}
    record_hashes: list[int] = []
    counts: list[int] = []
    for behaviour in identity_day.ordered():
        own = slots[behaviour.key, behaviour.hour][1]
        record_hashes.extend(sorted(own))
        counts.append(len(own))
    width = WIDE if max(record_hashes, default=0) > _MASK else MARK
    wide = 4 if max(counts, default=0) > 255 else 1
    head = _HEAD.pack(VERSION, width, wide, len(partial_days), len(record_hashes), len(counts))
    packed = b"".join([mark.to_bytes(width, "little") for mark in record_hashes])
    packed += b"".join([count.to_bytes(wide, "little") for count in counts])
    return urlsafe_b64encode(head + packed + day_rows.pack(identity_day, WORDS)).decode("ascii").rstrip("=")


def unpack(text: str) -> dict[str, PartialDay]:
    """Identity id → its part, of a text that `pack` wrote.

    Raises:
        RejectError: bad_part, when the text is damaged or of another version.
    """
    try:
        return _unpack(_decoded(text))
    except (StoreError, ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error, zlib.error) as error:
        raise RejectError("bad_part", f"{type(error).__name__}: {error}"[:200]) from error


def identities_in(text: str) -> int:
    """How many identities a text names, by its head alone; 1 where it cannot be read."""
    try:
        return _layout(_decoded(text[:20])).identities
    except (ValueError, struct.error):
        return 1


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class _Layout(NamedTuple):
    """Where everything is in a decoded text."""

    identities: int
    width: int
    """Bytes of a fingerprint."""
    wide: int
    """Bytes of a count."""
    hashes: int
    """Where fingerprints begin."""
    counts: int
    """Where counts begin."""
    behaviours: int
    """Where behaviours begin."""


def _layout(raw: bytes) -> _Layout:
    """The layout that the head of a text names.

    Raises:
        ValueError: it is of another version.
        struct.error: it is too short.
    """
    if raw[:1] == bytes([VERSION]):
        _, width, wide, identities, marked, counted = _HEAD.unpack_from(raw)
        at = _HEAD.size
    else:
        version, marked, counted, _ = _EARLIER.unpack_from(raw)
        if version not in _WIDTHS:
            raise ValueError(f"version {version}, this app reads 3, 4 and {VERSION}")
        width, wide, identities, at = _WIDTHS[version], 4, 1, _EARLIER.size
    if width not in (MARK, WIDE) or wide not in (1, 4):
        raise ValueError(f"{width} bytes a fingerprint, {wide} a count")
    counts = at + width * marked
    return _Layout(identities, width, wide, at, counts, counts + wide * counted)


class Glance(NamedTuple):
    """What decides whether a part may wait."""

    name: str
    """The identity's id."""
    counts: list[int]
    """Events of each behaviour."""
    kinds: set[int]
    """See `kinds_of`."""
    heard: dict[str, int]
    """Stream → the hours of the day in which it spoke, a bit each."""

    def events(self) -> int:
        """How many events are counted."""
        return sum(self.counts)


def glances(text: str) -> list[Glance]:
    """What decides whether parts may wait, of each identity in a text, without making its behaviours.

    Raises:
        RejectError: bad_part.
    """
    try:
        raw = _decoded(text)
        identities, shapes, samples, rows = day_rows.plain(raw[_layout(raw).behaviours :], WORDS)
        result: dict[str, Glance] = {}
        by_shape: list[tuple[Glance, str]] = []
        """Whose a shape is, and the stream that it speaks for; "": none."""
        for number, *others, traits in shapes:
            identity = tuple(identities[number])
            mine = result.setdefault(str(identity[0]), Glance(str(identity[0]), [], set(), {}))
            mine.kinds.add(mark_of_behaviour((identity, *others, tuple(traits)), 0))  # type: ignore[arg-type]
            stream = "" if others[SERVICE - 1] in ABOUT else f"{identity[3]}|{identity[4]}"
            by_shape.append((mine, stream))
        for start in range(0, len(rows), day_rows.ROW):
            mine, stream = by_shape[rows[start]]
            mine.counts.append(rows[start + 2])
            for column in (8, 10, 11):  # targets, issued, links
                mine.kinds.update(map(rank_of, samples[rows[start + column]]))
            if stream:
                mine.heard[stream] = mine.heard.get(stream, 0) | 1 << rows[start + 1] % 24
        return list(result.values())
    except (StoreError, ValueError, TypeError, LookupError, struct.error) as error:
        raise RejectError("bad_part", f"{type(error).__name__}: {error}"[:200]) from error


def kinds_of(behaviours: Iterable[Behaviour]) -> set[int]:
    """Hashes of what behaviours are made of: shapes without their hour, targets, credentials handed out, links."""
    kinds, shapes = set[int](), set[int]()
    for behaviour in behaviours:
        if id(behaviour.key) not in shapes:
            shapes.add(id(behaviour.key))
            kinds.add(mark_of_behaviour(behaviour.key, 0))
        for texts in (behaviour.targets, behaviour.issued, behaviour.links):
            kinds.update(map(rank_of, texts))
    return kinds


def _unpack(raw: bytes) -> dict[str, PartialDay]:
    layout = _layout(raw)
    if layout.behaviours > len(raw):  # before memory is taken for them
        raise ValueError("the counts do not fit")
    width, wide = layout.width, layout.wide
    record_hashes = [int.from_bytes(raw[i : i + width], "little") for i in range(layout.hashes, layout.counts, width)]
    counts = [int.from_bytes(raw[i : i + wide], "little") for i in range(layout.counts, layout.behaviours, wide)]
    identity_day = day_rows.unpack(raw[layout.behaviours :], WORDS)
    if sum(counts) != len(record_hashes) or len(identity_day.behaviours) != len(counts):
        raise ValueError("the counts do not fit")
    result: dict[str, PartialDay] = {}
    at = 0
    for (key, behaviour), count in zip(identity_day.behaviours.items(), counts):
        mine = result.get(key[0].identity.id)
        if mine is None:
            mine = result[key[0].identity.id] = PartialDay(identity_day.day)
        mine.slots[key] = (behaviour, set(record_hashes[at : at + count]))
        at += count
    return result
