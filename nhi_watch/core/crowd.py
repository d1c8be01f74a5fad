"""Bounds on what is new in a day, for whoever writes logs can write without end. Nothing is dropped: it is folded.

Of a day's identities that were never seen before it, at most NEWCOMERS stay themselves: those with the largest hash,
so that the order of records changes nothing. The others are one of their kind. What one identity did in a day is
bounded by `behaviour.CrowdedDay`, and so is what such a crowd did.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import Callable

from nhi_watch.core.behaviour import BEHAVIOURS, FOLDED, IdentityDay, hash64
from nhi_watch.core.event import HANDS, Identity

NEWCOMERS = 20_000
ENDS = ":newcomers"
"""How the id of an identity ends that stands for many."""


class CrowdOfDay:
    """Which of a day's newcomers stay themselves."""

    def __init__(self, names: Iterable[str], is_known: Callable[[str], bool]) -> None:
        """`is_known`: whether an identity was seen before the day."""
        self._is_known = is_known
        self._new = [(hash64(name), name) for name in names if not name.endswith(ENDS) and not is_known(name)]
        heapq.heapify(self._new)

    def who_goes(self, name: str) -> str:
        """Who is folded now that somebody comes: a newcomer of before, who comes, or nobody ("")."""
        if self._is_known(name):
            return ""
        entry = hash64(name), name
        if len(self._new) < NEWCOMERS:
            heapq.heappush(self._new, entry)
            return ""
        return heapq.heappushpop(self._new, entry)[1]

    def too_many(self) -> Iterator[str]:
        """Who is folded of those that are there."""
        while len(self._new) > NEWCOMERS:
            yield heapq.heappop(self._new)[1]


def stand_in(identity: Identity) -> Identity:
    """The identity that stands for the many of a kind."""
    kind, provider = identity.kind, identity.provider
    return Identity(f"{provider}::{kind}{ENDS}", f"newcomers: {kind}", kind, provider, "", "")


def anonymous(traits: tuple[str, ...]) -> tuple[str, ...]:
    """The traits of one of the many; a person among them does not make all of them a person."""
    return tuple(trait for trait in traits if trait not in HANDS)


def fold(whole: IdentityDay, into: IdentityDay) -> None:
    """Make what one did what the many did."""
    for b in whole.behaviours.values():
        shape = b.shape._replace(identity=stand_in(b.shape.identity), traits=anonymous(b.shape.traits))
        into.behaviour(shape, b.hour).merge(b)
    into.seen |= whole.seen
    into.folded |= whole.folded


def put(many: dict[str, IdentityDay], whole: IdentityDay) -> None:
    """Make somebody one of the many of a day."""
    fold(whole, many.setdefault(stand_in(whole.identity).id, IdentityDay(whole.day)))


def folded_records(wholes: Mapping[str, IdentityDay]) -> int:
    """How many records of a day are told as those of many."""
    return sum(_folded(name, whole) for name, whole in wholes.items())


def _folded(name: str, whole: IdentityDay) -> int:
    if name.endswith(ENDS):
        return whole.events()
    if len(whole.behaviours) <= BEHAVIOURS:
        return 0
    return sum(b.count for b in whole.behaviours.values() if FOLDED in b.shape.traits)


Known = Callable[[str, int], bool]
"""Whether an identity was seen before a day."""


def nobody(name: str, day: int) -> bool:
    """Where nothing is remembered, nobody is known."""
    return False

