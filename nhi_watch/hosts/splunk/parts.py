"""Parts: what one chunk of events holds of one identity's day, small enough to be kept in a summary index.

A part keeps, of each behaviour, the fingerprints of its records. So parts are merged as sets are: in any order,
twice over, from overlapping windows; a record counts once. 5 bytes a record against 1.5 kB of a raw event; 8 where
whoever writes the log may choose ids, and could otherwise search for many with one fingerprint.

Packed: one byte of version, how many fingerprints of how many behaviours, a number that nobody reads any more, the
fingerprints, how many of each behaviour, the behaviours (`day_rows`, with the words of `words`); then base64url, whose
signs need no escape in any of Splunk's formats. Fingerprints have 5 bytes in version 3, and 8 in version 4.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from copy import copy
from itertools import islice
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
VERSION = 4
NARROW, MARK, WIDE = 3, 5, 8
"""A version, bytes of a fingerprint there (of 10,000 records in one hour's behaviour, one is lost once in 20,000
times), and in the others."""
_MASK = (1 << 8 * MARK) - 1
LONGEST = 7_000
"""Characters of a packed part in one stored event. Splunk cuts an event to 10,240 before it looks for fields in it, and
each field to that ([kv] maxchars): what is longer would be another text for a search than for us."""
_HEAD = struct.Struct("<BIII")
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

    def pieces(self) -> Iterator[str]:
        """The part as texts that are each short enough for a stored event, see LONGEST."""
        text = pack(self)
        if len(text) <= LONGEST or (len(self.slots) == 1 and len(next(iter(self.slots.values()))[1]) < 2):
            yield text
            return
        for half in self._halves():
            yield from half.pieces()

    def _halves(self) -> tuple[PartialDay, PartialDay]:
        """Two parts that make up this one."""
        first_half, other = PartialDay(self.day), PartialDay(self.day)
        slots = list(self.slots.items())
        if len(slots) > 1:
            first_half.slots, other.slots = dict(slots[::2]), dict(slots[1::2])
            return first_half, other
        ((key, (behaviour, record_hashes)),) = slots
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


def pack(partial_day: PartialDay) -> str:
    """The part as text."""
    identity_day = IdentityDay(partial_day.day)
    identity_day.behaviours = {key: behaviour for key, (behaviour, _) in partial_day.slots.items()}
    record_hashes: list[int] = []
    sizes: list[int] = []
    for behaviour in identity_day.ordered():
        own = partial_day.slots[behaviour.key, behaviour.hour][1]
        record_hashes.extend(sorted(own))
        sizes.append(len(own))
    version, width = (VERSION, WIDE) if max(record_hashes, default=0) > _MASK else (NARROW, MARK)
    head = _HEAD.pack(version, len(record_hashes), len(sizes), 1)
    packed = b"".join(mark.to_bytes(width, "little") for mark in record_hashes) + struct.pack(f"<{len(sizes)}I", *sizes)
    return urlsafe_b64encode(head + packed + day_rows.pack(identity_day, WORDS)).decode("ascii").rstrip("=")


def unpack(text: str) -> tuple[str, PartialDay]:
    """The identity's id and the part that `pack` wrote.

    Raises:
        RejectError: bad_part, when the text is damaged or of another version.
    """
    try:
        return _unpack(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (StoreError, ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error, zlib.error) as error:
        raise RejectError("bad_part", f"{type(error).__name__}: {error}"[:200]) from error


class Glance(NamedTuple):
    """What decides whether a part may wait."""

    name: str
    """The identity's id."""
    events: int
    kinds: set[int]
    """See `kinds_of`."""
    heard: dict[str, int]
    """Stream → the hours of the day in which it spoke, a bit each."""


def glance(text: str) -> Glance:
    """What decides whether a part may wait, without making its behaviours.

    Raises:
        RejectError: bad_part.
    """
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        version, marked, sized, _ = _HEAD.unpack_from(raw)
        at = _HEAD.size + (MARK if version == NARROW else WIDE) * marked + 4 * sized
        identities, shapes, samples, rows = day_rows.plain(raw[at:], WORDS)
        identity = max(map(tuple, identities))
        kinds = {mark_of_behaviour((identity, *others, tuple(traits)), 0) for _, *others, traits in shapes}  # type: ignore[arg-type]
        width = day_rows.ROW
        for column in (*rows[8::width], *rows[10::width], *rows[11::width]):  # targets, issued, links
            if column:
                kinds.update(map(rank_of, samples[column]))
        heard: dict[str, int] = {}
        for index, hour in zip(rows[0::width], rows[1::width]):
            number, *others, _ = shapes[index]
            if others[SERVICE - 1] not in ABOUT:
                stream = f"{identities[number][3]}|{identities[number][4]}"
                heard[stream] = heard.get(stream, 0) | 1 << hour % 24
        return Glance(str(identity[0]), sum(rows[2::width]), kinds, heard)
    except (StoreError, ValueError, TypeError, LookupError, struct.error) as error:
        raise RejectError("bad_part", f"{type(error).__name__}: {error}"[:200]) from error


def kinds_of(behaviours: Iterable[Behaviour]) -> set[int]:
    """Hashes of what behaviours are made of: shapes without their hour, targets, credentials handed out, links."""
    result, shapes = set[int](), set[int]()
    for behaviour in behaviours:
        if id(behaviour.key) not in shapes:
            shapes.add(id(behaviour.key))
            result.add(mark_of_behaviour(behaviour.key, 0))
        for texts in (behaviour.targets, behaviour.issued, behaviour.links):
            result.update(map(rank_of, texts))
    return result


def _unpack(raw: bytes) -> tuple[str, PartialDay]:
    version, marked, sized, _ = _HEAD.unpack_from(raw)
    if version not in (NARROW, VERSION):
        raise ValueError(f"version {version}, this app reads {NARROW} and {VERSION}")
    at = _HEAD.size
    width = MARK if version == NARROW else WIDE
    if at + width * marked + 4 * sized > len(raw):  # before memory is taken for them
        raise ValueError("the counts do not fit")
    record_hashes = [int.from_bytes(raw[i : i + width], "little") for i in range(at, at + width * marked, width)]
    at += width * marked
    sizes = struct.unpack_from(f"<{sized}I", raw, at)
    identity_day = day_rows.unpack(raw[at + 4 * sized :], WORDS)
    if sum(sizes) != len(record_hashes) or len(identity_day.behaviours) != len(sizes):
        raise ValueError("the counts do not fit")
    partial_day = PartialDay(identity_day.day)
    left = iter(record_hashes)
    for (key, behaviour), size in zip(identity_day.behaviours.items(), sizes):
        partial_day.slots[key] = (behaviour, set(islice(left, size)))
    return identity_day.identity.id, partial_day
