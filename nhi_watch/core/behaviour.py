"""Behaviours: events of one identity that are alike in all that matters, within one UTC hour.

Everything that is gathered here is a sum, a minimum, a maximum, a union or the k smallest of something:
so the result does not depend on the order in which records arrive, nor on how they were cut into files.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from hashlib import blake2b
from operator import attrgetter
from typing import Any, NamedTuple

from nhi_watch.core.event import Event, Identity
from nhi_watch.core.timestamps import HOUR

SESSIONS = 16
"""How many session ids a behaviour keeps: the smallest ones, so that two behaviours keep the same ones."""
TARGETS = 24
RECORDS = 12
ADDRESSES = 3
LINKS = 6


class Shape(NamedTuple):
    """What the events of a behaviour share; without the hour."""

    identity: Identity
    account: str
    credential: str
    credential_type: str
    action: str
    service: str
    access: str
    network: str
    agent: str
    region: str
    outcome: str
    error: str
    target_class: str
    traits: tuple[str, ...]


def shape_of(event: Event) -> Shape:
    """The shape of an event."""
    return Shape(
        event.identity, event.account, event.credential, event.credential_type, event.action, event.service,
        event.access, event.network, event.agent, event.region, event.outcome, event.error,
        event.target_class, event.traits,
    )  # fmt: skip


class Behaviour:
    """Events of one shape in one hour: the unit of scoring."""

    __slots__ = ("addresses", "count", "first", "hour", "issued", "last", "links", "minutes", "record_ids",
                 "sessions", "shape", "targets")  # fmt: skip

    def __init__(self, shape: Shape, hour: int) -> None:
        self.shape = shape
        self.hour = hour
        """Hours since the epoch."""
        self.count = 0
        self.first = (hour + 1) * HOUR
        self.last = 0
        self.minutes = 0
        """Bit m is set when something happened in minute m."""
        self.sessions: list[str] = []
        self.targets: list[str] = []
        self.record_ids: list[str] = []
        self.addresses: list[str] = []
        self.issued: list[str] = []
        self.links: list[str] = []

    def add(self, time: int, minute: int, record_id: str) -> None:
        """Count one event; sketches are fed apart."""
        self.count += 1
        if time < self.first:
            self.first = time
        if time > self.last:
            self.last = time
        self.minutes |= 1 << minute
        ids = self.record_ids
        if len(ids) < RECORDS or record_id < ids[-1]:
            keep(ids, record_id, RECORDS)

    def take(self, event: Event) -> None:
        """Count one event, and feed the sketches from it."""
        self.add(event.time, event.time % HOUR // 60, event.record_id)
        sketch(self, event)

    def merge(self, other: Behaviour) -> None:
        """Take in what another part of the input says about the same shape and hour."""
        self.count += other.count
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)
        self.minutes |= other.minutes
        for name, limit in _SKETCHES:
            mine = getattr(self, name)
            for text in getattr(other, name):
                keep(mine, text, limit)


_ORDER = attrgetter("hour", "first", "last", "shape")
_SKETCHES = (("sessions", SESSIONS), ("targets", TARGETS), ("record_ids", RECORDS), ("addresses", ADDRESSES),
             ("issued", SESSIONS), ("links", LINKS))  # fmt: skip


def keep(sketch: list[str], text: str, limit: int) -> None:
    """Keep the `limit` smallest distinct texts, in order.

    >>> kept = ["b", "d"]; keep(kept, "a", 2); kept
    ['a', 'b']
    """
    at = bisect_left(sketch, text)
    if at < len(sketch) and sketch[at] == text:
        return
    if at < limit:
        sketch.insert(at, text)
        del sketch[limit:]


def fingerprint(record_id: str) -> int:
    """64 bits of a record id, the same in every run; a UUID's own random bits are taken as they are.

    >>> fingerprint("b48a1176-b284-dffb-4e56-377f71bbead6") == 0x4e56377f71bbead6
    True
    """
    try:
        return int(record_id[19:23] + record_id[24:36], 16) if len(record_id) == 36 else _digest(record_id)
    except ValueError:
        return _digest(record_id)


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


class IdentityDay:
    """All behaviours of one identity within one UTC day, and which records they were made of."""

    __slots__ = ("behaviours", "day", "seen", "stored")

    def __init__(self, day: int) -> None:
        self.day = day
        self.stored = 0
        """How many records a store held when this was loaded."""
        self.behaviours: dict[tuple[Shape, int], Behaviour] = {}
        self.seen: set[int] = set()

    def behaviour(self, shape: Shape, hour: int) -> Behaviour:
        """The behaviour of this shape and hour, made when first asked for."""
        found = self.behaviours.get((shape, hour))
        if found is None:
            found = self.behaviours[shape, hour] = Behaviour(shape, hour)
        return found

    def add(self, event: Event) -> bool:
        """Take in an event; False when its record was here before."""
        mark = fingerprint(event.record_id)
        if mark in self.seen:
            return False
        self.seen.add(mark)
        self.behaviour(shape_of(event), event.time // HOUR).take(event)
        return True

    @property
    def identity(self) -> Identity:
        """The identity in its fullest spelling: records of one day may name it differently."""
        return max(shape.identity for shape, _ in self.behaviours)

    def ordered(self) -> list[Behaviour]:
        """By first time, then by shape: an order that the input's order cannot change."""
        return sorted(self.behaviours.values(), key=_ORDER)

    def events(self) -> int:
        """How many records are counted here."""
        return sum(b.count for b in self.behaviours.values())


def sketch(behaviour: Behaviour, event: Event) -> None:
    """Feed a behaviour's bounded sketches from an event; most events bring nothing new to them."""
    if event.session and event.session not in behaviour.sessions:
        keep(behaviour.sessions, event.session, SESSIONS)
    if event.target and event.target not in behaviour.targets:
        keep(behaviour.targets, event.target, TARGETS)
    if event.address and event.address not in behaviour.addresses:
        keep(behaviour.addresses, event.address, ADDRESSES)
    if event.issued:
        keep(behaviour.issued, event.issued, SESSIONS)
    for link in event.links:
        keep(behaviour.links, link, LINKS)


# ---- to and from plain values, for stores


def to_row(day: IdentityDay) -> list[Any]:
    """Plain lists and texts that `from_row` turns into the same IdentityDay."""
    identities: dict[Identity, int] = {}
    shapes: dict[Shape, int] = {}
    behaviours = []
    for b in day.ordered():
        identities.setdefault(b.shape.identity, len(identities))
        index = shapes.setdefault(b.shape, len(shapes))
        behaviours.append([index, b.hour, b.count, b.first, b.last, b.minutes, b.sessions, b.targets,
                           b.record_ids, b.addresses, b.issued, b.links])  # fmt: skip
    plain = [[identities[s.identity], *s[1:]] for s in shapes]
    seen = array("Q", sorted(day.seen)).tobytes().hex()
    return [day.day, [list(i) for i in identities], plain, behaviours, seen]


def from_row(row: list[Any]) -> IdentityDay:
    """The IdentityDay that `to_row` wrote."""
    number, identities, shapes, behaviours, seen = row
    day = IdentityDay(number)
    known = [Shape._make((Identity(*identities[i]), *rest, tuple(traits))) for i, *rest, traits in shapes]
    for index, hour, count, first, last, minutes, *sketches in behaviours:
        b = day.behaviour(known[index], hour)
        b.count, b.first, b.last, b.minutes = count, first, last, minutes
        b.sessions, b.targets, b.record_ids, b.addresses, b.issued, b.links = sketches
    marks = array("Q")
    marks.frombytes(bytes.fromhex(seen))
    day.seen.update(marks)
    day.stored = len(day.seen)
    return day
