"""Bounds on what is new in a day, for whoever writes logs can write without end. Nothing is dropped: it is folded.

Of a day's identities that were never seen before it, at most NEWCOMERS stay themselves, in the order in which they
come. The others are one of their kind. What one identity did in a day is bounded by
`behaviour.CrowdedDay`, and so is what such a crowd did.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

from nhi_watch.core.behaviour import BEHAVIOURS, FOLDED, IdentityDay
from nhi_watch.core.event import HANDS, Identity

NEWCOMERS = 20_000
ENDS = ":newcomers"
"""How the id of an identity ends that stands for many."""


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

