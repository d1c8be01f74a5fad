"""Behaviours: events of one identity that are alike in all that matters, within one UTC hour.

Everything that is gathered here is a sum, a minimum, a maximum, a union or the k smallest of something:
so the result does not depend on the order in which records arrive, nor on how they were cut into files.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache, partial
from hashlib import blake2b
from itertools import chain
from math import log
from operator import attrgetter, itemgetter
from typing import Any, Generic, NamedTuple, Optional, TypeVar

from nhi_watch.core.event import HANDS, Event, Identity
from nhi_watch.core.timestamps import HOUR

SESSIONS = 16
"""How many session ids a behaviour keeps: those with the smallest hashes, so that two behaviours keep the same ones and
no choice of names decides which."""
ISSUED = 128
"""How many ids of credentials that it handed out: a link to the source of a stolen session needs that very one."""
TARGETS = 24
"""How many targets; of more, their number is estimated from `spread`."""
SPREAD = 1_024
"""Bits of `spread`."""
RECORDS = 12
ADDRESSES = 3
LINKS = 6


class BehaviourKey(NamedTuple):
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


_shared = itemgetter(*map(Event._fields.index, BehaviourKey._fields))
_new = tuple.__new__  # one for each record: half the time of the class's own


def key_of_event(event: Event) -> BehaviourKey:
    """The shape of an event."""
    return _new(BehaviourKey, _shared(event))


class Behaviour:
    """Events of one shape in one hour: the unit of scoring."""

    __slots__ = (
        "addresses",
        "count",
        "first",
        "hour",
        "issued",
        "key",
        "last",
        "links",
        "minutes",
        "record_ids",
        "sessions",
        "spread",
        "targets",
    )

    def __init__(self, key: BehaviourKey, hour: int) -> None:
        self.key = key
        self.hour = hour
        """Hours since the epoch."""
        self.count = 0
        self.first = (hour + 1) * HOUR
        self.last = 0
        self.minutes = 0
        """Bit m is set when something happened in minute m."""
        self.sessions: list[str] = []
        self.targets: list[str] = []
        self.spread = 0
        """Where there are more than TARGETS: the bits that all of them set, each its own by hash."""
        self.record_ids: list[str] = []
        self.addresses: list[str] = []
        self.issued: list[str] = []
        self.links: list[str] = []

    @property
    def touched(self) -> int:
        """How many targets there are: counted up to TARGETS, and estimated beyond (Whang 1990, linear counting)."""
        if not self.spread:
            return len(self.targets)
        unset = SPREAD - bin(self.spread).count("1")
        return min(self.count, round(SPREAD * log(SPREAD / max(1, unset))))

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
        """Count one event, and feed the sketches from it; most events bring nothing new to them."""
        self.add(event.time, event.time % HOUR // 60, event.record_id)
        session, target, address = event.session, event.target, event.address
        if session and session not in self.sessions:
            sample(self.sessions, session, SESSIONS)
        if target and target not in self.targets:
            _touch(self, target)
        if address and address not in self.addresses:
            keep(self.addresses, address, ADDRESSES)
        if event.issued:
            sample(self.issued, event.issued, ISSUED)
        for link in event.links:
            keep(self.links, link, LINKS)

    def merge(self, other: Behaviour) -> None:
        """Take in what another part of the input says about the same shape and hour."""
        self.count += other.count
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)
        self.minutes |= other.minutes
        if other.spread:
            self.spread = _spread(self) | other.spread
        for text in other.targets:
            _touch(self, text)
        for name, limit in _SAMPLES:
            mine = getattr(self, name)
            for text in getattr(other, name):
                sample(mine, text, limit)
        for name, limit in _SKETCHES:
            mine = getattr(self, name)
            for text in getattr(other, name):
                keep(mine, text, limit)


ORDER = attrgetter("hour", "first", "last", "key")  # one that the input's order cannot change
_COUNT = attrgetter("count")
_SAMPLES = (("sessions", SESSIONS), ("issued", ISSUED))
_SKETCHES = (("record_ids", RECORDS), ("addresses", ADDRESSES), ("links", LINKS))


def sample(kept: list[str], text: str, limit: int) -> None:
    """Keep the `limit` distinct texts with the smallest hashes, in their order: a name does not decide its place.

    >>> kept = []; [sample(kept, text, 2) for text in "abcabc"] and kept
    ['b', 'c']
    """
    rank = rank_of(text)
    if text in kept or (len(kept) >= limit and rank > rank_of(kept[-1])):
        return
    low, high = 0, len(kept)
    while low < high:  # `bisect_left` takes no key before Python 3.10
        middle = (low + high) // 2
        if rank_of(kept[middle]) < rank:
            low = middle + 1
        else:
            high = middle
    kept.insert(low, text)
    del kept[limit:]


@lru_cache(maxsize=65_536)
def rank_of(text: str) -> int:
    """The place of a text in a sample: 64 bits of it that are not those of its fingerprint."""
    return int.from_bytes(
        blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, person=b"sample").digest(), "big"
    )


def _touch(b: Behaviour, target: str) -> None:
    """Sample a target; of too many, note its bit as well."""
    if target in b.targets:
        return
    if b.spread or len(b.targets) >= TARGETS:
        b.spread = _spread(b) | _bit(target)
    sample(b.targets, target, TARGETS)


def _spread(b: Behaviour) -> int:
    bits = b.spread
    if not bits:
        for target in b.targets:
            bits |= _bit(target)
    return bits


def _bit(target: str) -> int:
    return 1 << rank_of(target) % SPREAD


def keep(sketch: list[str], text: str, limit: int) -> None:
    """Keep the `limit` smallest distinct texts, in order.

    >>> kept = ["b", "d"]; keep(kept, "a", 2); kept
    ['a', 'b']
    """
    at, size = bisect_left(sketch, text), len(sketch)
    if at < limit and (at == size or sketch[at] != text):
        sketch.insert(at, text)
        if size >= limit:
            del sketch[limit:]


@lru_cache(maxsize=1)  # the days that count a record, and what finds it again, ask one after the other
def fingerprint(record_id: str) -> int:
    """64 bits of a record id, the same in every run; a UUID's own random bits are taken as they are.

    Microsoft 365's end with the time ("08d900d3e360"), so that many have these bits in common.

    >>> fingerprint("b48a1176-b284-dffb-4e56-377f71bbead6") == 0x4e56377f71bbead6
    True
    """
    try:
        random = is_uuid(record_id) and record_id[24:26] != "08"
        return int(record_id[19:23] + record_id[24:36], 16) if random else hash64(record_id)
    except ValueError:
        return hash64(record_id)


def is_uuid(record_id: str) -> bool:
    """Whether it looks like a UUID. No id does that its writer may choose: it is bound to what the record says."""
    return len(record_id) == 36 and record_id[23] == "-"


def hash64(text: str) -> int:
    """64 bits of a text, the same in every run."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


GROWN = 1.25
"""How many times the events of its last scoring make a day of the same calls worth another: signals of volume are
logarithms, and a day's close scores all of it."""
BEHAVIOURS = 2_000
"""Behaviours of one identity's day that keep all their values; see `CrowdedDay`."""
FOLDED = "folded"
"""Trait of behaviours that lost values."""
MANY = "many"
"""Service and action of those that lost their action, too."""
_LEVELS = ("permissions", "cost", "write", "unknown", "tagging", "read", "list")
"""Access levels, the most severe first."""

Key = tuple[BehaviourKey, int]
T = TypeVar("T")
Rank = tuple[int, ...]
"""The larger, the more severe."""


class CrowdedDay(Generic[T]):
    """Which behaviours of one identity's day keep their values, where they are too many.

    At most BEHAVIOURS keep all. The rest lose network, agent, region and error code; of those that remain too many, at
    most BEHAVIOURS keep their action. Those stay that are most severe by outcome, access level and traits, then by
    hash: a rank of each by itself, so that the order of records changes nothing.
    """

    def __init__(
        self, behaviours: dict[Key, T], make: Callable[[BehaviourKey, int], T], join: Callable[[T, T], None]
    ) -> None:
        """`make` begins what is kept of a behaviour, `join` takes the second into the first."""
        self._behaviours, self._make, self._join = behaviours, make, join
        self._kept: list[list[tuple[Rank, Key]]] = [[], []]
        for key in behaviours:
            if _level(key[0]) < len(self._kept):
                self._kept[_level(key[0])].append((_rank(key), key))
        for heap in self._kept:
            heapq.heapify(heap)

    def place(self, behaviour_key: BehaviourKey, hour: int) -> T:
        """The behaviour that takes in what is of this shape and hour; one that is less severe may have to make room."""
        key, level = (behaviour_key, hour), _level(behaviour_key)
        existing = self._behaviours.get(key)
        if existing is not None:
            return existing
        if level < len(self._kept):
            heap, entry = self._kept[level], (_rank(key), key)
            if len(heap) < BEHAVIOURS:
                heapq.heappush(heap, entry)
            else:
                least = heapq.heappushpop(heap, entry)[1]
                if least == key:
                    return self.place(_less(behaviour_key), hour)
                self._join(self.place(_less(least[0]), least[1]), self._behaviours.pop(least))
        existing = self._behaviours[key] = self._make(behaviour_key, hour)
        return existing


def _level(key: BehaviourKey) -> int:
    return 2 if key.service == MANY else 1 if FOLDED in key.traits else 0


def _rank(key: Key) -> Rank:
    behaviour_key, hour = key
    level = _LEVELS.index(behaviour_key.access) if behaviour_key.access in _LEVELS else len(_LEVELS)
    return behaviour_key.outcome == "success", -level, bool(behaviour_key.traits), behaviour_hash(behaviour_key, hour)


def behaviour_hash(key: BehaviourKey, hour: int) -> int:
    """64 bits of a behaviour, however its identity is spelt."""
    return hash64(f"{key[1:]}{hour}")


def _less(key: BehaviourKey) -> BehaviourKey:
    """What a shape is folded into."""
    if FOLDED not in key.traits:
        traits = tuple(sorted({*key.traits, FOLDED}))
        return key._replace(network="", agent="", region="", error="", traits=traits)
    return key._replace(
        account=key.identity.account,
        credential="",
        action=f"{MANY}:{MANY}",
        service=MANY,
        target_class="",
        traits=(FOLDED,),
    )


class StoredRow(NamedTuple):
    """The row of an identity-day, see `state.day_rows`."""

    raw: bytes
    first_part: int
    """Length of the first part, which holds a complete day; the others hold what came later."""


NOT_STORED = StoredRow(b"", 0)


class IdentityDay:
    """All behaviours of one identity within one UTC day, and from which records they were built."""

    __slots__ = (
        "_crowd",
        "_fullest",
        "_keys",
        "_loaded",
        "before",
        "behaviours",
        "came",
        "counted",
        "day",
        "folded",
        "fresh",
        "gone",
        "kinds",
        "row",
        "scored",
        "seen",
        "stored",
    )

    def __init__(self, day: int) -> None:
        self.day = day
        self.stored = 0
        """How many records a store held when this was loaded."""
        self.counted = 0
        """How many events it counted then."""
        self.scored = 0
        """How many it counted when it was last scored."""
        self.kinds: set[Any] = set()
        """What it held when it was loaded: shapes, targets, links."""
        self.fresh: dict[int, Behaviour] = {}
        """By id of the object: the behaviours to which something was added since; see `changed`."""
        self.gone: set[Key] = set()
        """Keys of behaviours that were folded since."""
        self.came: list[int] = []
        """Marks of the records that were added one by one since."""
        self.row = NOT_STORED
        """What the store holds of it."""
        self.before: Optional[IdentityDay] = None
        """Of what came late: the day as it was closed."""
        self.behaviours: dict[tuple[BehaviourKey, int], Behaviour] = {}
        self.seen: set[int] = set()
        """Marks of records; once loaded, of behaviours that were folded, too."""
        self.folded: set[int] = set()
        """Marks of behaviours that were folded since."""
        self._crowd: Optional[CrowdedDay[Behaviour]] = None
        self._keys: dict[
            BehaviourKey, BehaviourKey
        ] = {}  # one object of each: to hash a shape takes long, later all go by object
        self._loaded: Optional[dict[tuple[int, str, str], list[Behaviour]]] = None
        self._fullest: Optional[Identity] = None
        """The fullest spelling of its identity among the behaviours that are not `fresh`."""

    def behaviour(self, key: BehaviourKey, hour: int) -> Behaviour:
        """The behaviour of this shape and hour, made when first asked for; of too many the rest is folded."""
        existing = self.behaviours.get((key, hour))
        if existing is None:
            if len(self.behaviours) >= BEHAVIOURS:
                join = partial(_join, self.folded, self.fresh, self.gone)
                self._crowd = self._crowd or CrowdedDay(self.behaviours, Behaviour, join)
                placed = self._crowd.place(key, hour)
                self.fresh[id(placed)] = placed
                _remember(self.folded, key, hour, placed)
                return placed
            key = self._keys.setdefault(key, key)
            existing = self.behaviours[key, hour] = Behaviour(key, hour)
        self.fresh[id(existing)] = existing
        return existing

    def put(self, key: tuple[BehaviourKey, int], behaviour: Behaviour) -> None:
        """Take in a behaviour that was gathered elsewhere."""
        if key not in self.behaviours and len(self.behaviours) < BEHAVIOURS:
            self.behaviours[key] = self.fresh[id(behaviour)] = behaviour
        else:
            self.behaviour(*key).merge(behaviour)

    def add(self, event: Event) -> bool:
        """Take in an event; False when its record was here before."""
        mark = fingerprint(event.record_id)
        if mark in self.seen:
            return False
        self.seen.add(mark)
        self.came.append(mark)
        key = key_of_event(event), event.time // HOUR
        behaviour = self.behaviours.get(key)
        if behaviour is None:
            behaviour = self.behaviour(*key)
        else:
            self.fresh[id(behaviour)] = behaviour
        behaviour.take(event)
        return True

    def may_hold(self, event: Event) -> bool:
        """Whether a record of an id that was here before may be a copy: something alike was counted in its minute."""
        if self.before is not None and self.before.may_hold(event):
            return True
        key = key_of_event(event), event.time // HOUR
        exact = self.behaviours.get(key)
        if exact is not None and _may_hold(exact, event):
            return True
        mark = behaviour_hash(*key)
        return mark in self.seen or mark in self.folded or any(_may_hold(b, event) for b in self._alike(event))

    def record_hashes(self) -> set[int]:
        """What stores keep, so that what comes again is known."""
        return self.seen | self.folded if self.folded else self.seen

    def _alike(self, event: Event) -> Iterator[Behaviour]:
        """What an earlier run may have made of the record, from its address: tables change meanwhile, and readers."""
        if self._loaded is None:
            self._loaded = {}
            for b in self.behaviours.values() if self.stored else ():
                if FOLDED not in b.key.traits:
                    self._loaded.setdefault((b.hour, b.key.action, b.key.outcome), []).append(b)
        alike = self._loaded.get((event.time // HOUR, event.action, event.outcome), ())
        return (b for b in alike if event.address in (b.addresses or ("",)))

    @property
    def identity(self) -> Identity:
        """The identity in its fullest spelling: records of one day may name it differently."""
        if self._fullest is None:
            return max({id(key.identity): key.identity for key, _ in self.behaviours}.values())
        return max([self._fullest, *(b.key.identity for b in self.fresh.values())])

    def ordered(self) -> list[Behaviour]:
        """By first time, then by shape."""
        return sorted(self.behaviours.values(), key=ORDER)

    def events(self) -> int:
        """How many records are counted here."""
        return sum(map(_COUNT, self.behaviours.values()))

    def has_changes(self) -> bool:
        """Whether what was added since it was loaded may change how the day is scored.

        That is a call, place, outcome, target or link that it had not, or events that are more by GROWN. An hour that
        it had not is none by itself: what is unusual in nothing else shows at the day's close.
        """
        if not self.kinds or self.events() >= GROWN * self.scored:
            return True
        behaviours = self.changed()
        shapes = {id(b.key): b.key for b in behaviours}
        texts = chain.from_iterable((*b.targets, *b.issued, *b.links) for b in behaviours)
        return not (self.kinds.issuperset(shapes.values()) and self.kinds.issuperset(texts))

    def changed(self) -> Collection[Behaviour]:
        """The behaviours to which something was added since it was loaded."""
        return self.fresh.values() if self.kinds else self.behaviours.values()

    def mark_stored(self) -> None:
        """Make it what a store that has just taken it would load."""
        if self.gone:
            self.kinds = set()  # what was folded is known no more
        self._fullest = self.identity if self.behaviours else None
        for b in self.changed():
            self.kinds.add(b.key)
            self.kinds.update(b.sessions, b.targets, b.addresses, b.issued, b.links)
        self.seen |= self.folded
        self.stored, self.counted = len(self.seen), self.events()
        for changed in (self.fresh, self.gone, self.came, self.folded):
            changed.clear()  # `_crowd` goes on with them
        self._loaded = None


def _join(folded: set[int], fresh: dict[int, Behaviour], gone: set[Key], mine: Behaviour, other: Behaviour) -> None:
    """No method: a day that its `CrowdedDay` refers to is freed only by a search for cycles."""
    _remember(folded, other.key, other.hour, mine)
    mine.merge(other)
    fresh[id(mine)] = mine
    fresh.pop(id(other), None)
    gone.add((other.key, other.hour))


def _remember(folded: set[int], key: BehaviourKey, hour: int, placed: Behaviour) -> None:
    """Add a mark of what was folded: a record that is not of it is no copy, whatever its id."""
    if FOLDED in placed.key.traits and FOLDED not in key.traits:
        folded.add(behaviour_hash(key, hour))


def _may_hold(b: Behaviour, event: Event) -> bool:
    """Whether a behaviour may have counted a record; of one whose sample of ids has gaps nobody knows."""
    if len(b.record_ids) < min(b.count, RECORDS):
        return True
    return (
        bool(b.minutes >> event.time % HOUR // 60 & 1)
        and _may_be_among(event.record_id, b.record_ids, RECORDS)
        and (not event.target or event.target in b.targets or bool(b.spread & _bit(event.target)))
        and (not event.address or not b.addresses or _may_be_among(event.address, b.addresses, ADDRESSES))
    )


def _may_be_among(text: str, smallest: list[str], limit: int) -> bool:
    """Whether a value may have been seen, of which the smallest are kept."""
    return text in smallest or (len(smallest) == limit and text > smallest[-1])


# ---- plain values


def to_row(day: IdentityDay) -> list[Any]:
    """Plain lists and texts that are equal for equal days."""
    identities: dict[Identity, int] = {}
    shapes: dict[BehaviourKey, int] = {}
    behaviours = []
    for b in day.ordered():
        identities.setdefault(b.key.identity, len(identities))
        index = shapes.setdefault(b.key, len(shapes))
        behaviours.append([index, b.hour, b.count, b.first, b.last, b.minutes, b.sessions, b.targets,
                           b.record_ids, b.addresses, b.issued, b.links, b.spread])  # fmt: skip
    plain = [[identities[s.identity], *s[1:]] for s in shapes]
    seen = array("Q", sorted(day.record_hashes())).tobytes().hex()
    return [day.day, [list(i) for i in identities], plain, behaviours, seen]


# ---- of a day's identities that were never seen before it, at most NEWCOMERS stay themselves: the others are a crowd

NEWCOMERS = 20_000
CROWD_ENDS = ":newcomers"
"""How the id of an identity ends that stands for many."""


def stand_in(identity: Identity) -> Identity:
    """The identity that stands for the many of a kind."""
    kind, provider = identity.kind, identity.provider
    return Identity(f"{provider}::{kind}{CROWD_ENDS}", f"newcomers: {kind}", kind, provider, "", "")


def anonymous(traits: tuple[str, ...]) -> tuple[str, ...]:
    """The traits of one of the many; a person among them does not make all of them a person."""
    return tuple(trait for trait in traits if trait not in HANDS)


def fold(identity_day: IdentityDay, into: IdentityDay) -> None:
    """Make what one did what the many did."""
    for b in identity_day.behaviours.values():
        key = b.key._replace(identity=stand_in(b.key.identity), traits=anonymous(b.key.traits))
        into.behaviour(key, b.hour).merge(b)
    into.seen |= identity_day.seen
    into.folded |= identity_day.folded


def folded_records(identity_days: Mapping[str, IdentityDay]) -> int:
    """How many records of a day are counted as those of many."""
    return sum(_folded(name, identity_day) for name, identity_day in identity_days.items())


def _folded(name: str, identity_day: IdentityDay) -> int:
    if name.endswith(CROWD_ENDS):
        return identity_day.events()
    if len(identity_day.behaviours) <= BEHAVIOURS:
        return 0
    return sum(b.count for b in identity_day.behaviours.values() if FOLDED in b.key.traits)


Known = Callable[[str, int], bool]
"""Whether an identity was seen before a day."""


def nobody(name: str, day: int) -> bool:
    """Where nothing is remembered, nobody is known."""
    return False
