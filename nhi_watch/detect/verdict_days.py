"""Verdicts as days: a benign one is a day at home with what its notable showed, a confirmed one a day of attack.

    share at home = (days that came near it + benign) / (days + benign)
    share of attack = (STRENGTH × attack + confirmed) / (STRENGTH + confirmed)

Among the few days of the identities that were judged a verdict weighs most, among their peers' less, among all days of
the tenant least; and of a signal's points it moves at most a part, see OWN, PEERS and ALL. It holds for LASTS days.

Peers and the tenant learn only what more than one account says (all verdicts but those of the account that gave most):
no single account moves the points of an identity that it has not judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import log2
from typing import Any, NamedTuple

from nhi_watch.core.event import Identity
from nhi_watch.detect.model import bin_of
from nhi_watch.state.baseline import TENANT, peer_scope

LASTS = 90
"""Days that a verdict counts."""
STRENGTH = 20.0
"""Days that the attack share weighs beside confirmed ones."""
STEP = 0.05
"""By so much of the points each benign verdict lowers what an identity's own churn must leave of them, a half."""
OWN, PEERS, ALL = 0.9, 0.25, 0.125
"""Parts of a signal's points that verdicts move for the identities judged, their peers, the whole tenant."""
LEAST = 1e-9


class Said(NamedTuple):
    """One verdict's day, of one signal."""

    bin: int
    confirmed: bool
    by: str


Days = Mapping[str, Sequence[Said]]
"""By signal."""
NOTHING: Days = {}


class Count(NamedTuple):
    """Days that verdicts add."""

    benign: int
    confirmed: int


class Scope(NamedTuple):
    """Where verdicts count as days."""

    most: float
    """Part of a signal's points that they move."""
    size: float
    """Days among which they count."""
    said: Days


class Odds(NamedTuple):
    """What a value is worth before verdicts."""

    worth: float
    """Its points at home."""
    attack: float
    share: float
    """Share of days at home that reach it."""
    weight: float


class Word(NamedTuple):
    """What verdicts say of an identity."""

    own: Days
    others: tuple[Scope, ...]
    """Peers and tenant."""

    def told(self, signal: str, bin: int, low: int) -> tuple[Count, ...]:
        """By scope: the days that verdicts add to a bin; benign ones from `low` on. Empty: none does."""
        counts = (_count(self.own, signal, bin, low), *(_agreed(o.said, signal, bin, low) for o in self.others))
        return counts if any(map(any, counts)) else ()

    def moved(self, points: float, odds: Odds, own: tuple[float, float], told: Sequence[Count]) -> float:
        """The points of a value as verdicts move them; `own`: the identity's share of days near it, of how many."""
        mine, *rest = told
        if mine.benign:
            near, days = own
            share = (near * days + mine.benign) / (days + mine.benign)
            floor = odds.worth * max(1 - OWN, 0.5 - STEP * mine.benign)
            points = min(points, max(floor, odds.weight * log2(max(LEAST, odds.attack) / share)))
        by = min(OWN * odds.worth, _gain(odds, mine.confirmed))
        for scope, count in zip(self.others, rest):
            loss = log2((odds.share * scope.size + count.benign) / (scope.size + count.benign) / odds.share)
            bound = scope.most * odds.worth
            by += max(-bound, min(bound, _gain(odds, count.confirmed) - odds.weight * loss))
        return round(max((1 - OWN) * odds.worth, points + by), 2)


def _gain(odds: Odds, confirmed: int) -> float:
    attack = max(LEAST, odds.attack)
    return odds.weight * log2((attack * STRENGTH + confirmed) / (STRENGTH + confirmed) / attack)


def _reached(days: Days, signal: str, bin: int, low: int) -> list[Said]:
    return [one for one in days.get(signal, ()) if one.bin >= (bin if one.confirmed else low)]


def _count(days: Days, signal: str, bin: int, low: int) -> Count:
    found = _reached(days, signal, bin, low)
    confirmed = sum(one.confirmed for one in found)
    return Count(len(found) - confirmed, confirmed)


def _agreed(days: Days, signal: str, bin: int, low: int) -> Count:
    """Without those of the account that gave most."""
    found = _reached(days, signal, bin, low)
    alike = ([one.by for one in found if one.confirmed is confirmed] for confirmed in (False, True))
    return Count(*(len(by) - max((by.count(who) for who in set(by)), default=0) for by in alike))


def shown(notable: Mapping[str, Any]) -> tuple[list[str], dict[str, int]]:
    """Whom a notable is about, with their peers and the tenant; and the bins of the signals that had points in it."""
    if notable["kind"] != "compromise":
        return [], {}
    members = [Identity(m["id"], m["name"], m["kind"], m["provider"], m["account"], "")
               for m in [notable["identity"], *(notable.get("members") or ())]]  # fmt: skip
    bins = {s["id"]: bin_of(s["value"]) for s in notable["signals"] if s["value"] and s["points"] > 0}
    scopes = [scope for one in members for scope in (one.id, peer_scope(one))]
    return [*dict.fromkeys(scopes), TENANT], {name: bin for name, bin in bins.items() if bin}


class Lesson(NamedTuple):
    """What one verdict teaches."""

    scopes: tuple[str, ...]
    """Ids of the identities judged, the scopes of their peers, the tenant's."""
    confirmed: bool
    by: str
    bins: Mapping[str, int]
    """By signal."""


def by_scope(lessons: Iterable[Lesson]) -> dict[str, dict[str, list[Said]]]:
    """All lessons by scope and signal."""
    found: dict[str, dict[str, list[Said]]] = {}
    for lesson in lessons:
        for scope in lesson.scopes:
            signals = found.setdefault(scope, {})
            for signal, bin in lesson.bins.items():
                signals.setdefault(signal, []).append(Said(bin, lesson.confirmed, lesson.by))
    return found
