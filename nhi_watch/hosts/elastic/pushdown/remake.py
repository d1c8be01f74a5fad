"""Hours made anew: what CloudTrail's documents of an hour are now replaces what they were.

An hour that the cluster has grouped holds no marks of its records, so nothing can be added to it without counting
twice. Whenever something of it is to be read, all of it is: grouped again, or by the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from nhi_watch.core.behaviour import Behaviour, IdentityDay, Shape
from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.hosts.elastic.pushdown.behaviours import is_trail
from nhi_watch.hosts.elastic.read import stretches
from nhi_watch.intake.days import Days
from nhi_watch.state.store import Store

_PUSHED = "elastic:pushed"
_HOURS = DAY // HOUR

Behaviours = dict[tuple[Shape, int], Behaviour]


class Replaced(NamedTuple):
    """What came of it."""

    known: int
    """Records that these hours held already."""
    kept: frozenset[int]
    """Hours that stayed as they were, because documents are gone since: an index was deleted."""
    gone: tuple[tuple[int, str], ...]
    """Day and id of identities of which nothing is left; their rows are to be deleted."""


def replace(into: Days, fresh: Days, hours: frozenset[int], load: Callable[[int], Any]) -> Replaced:
    """Put hours that were made anew in place of what is held of them."""
    before: dict[int, int] = dict.fromkeys(hours, 0)
    after = dict(before)
    days = sorted({hour // _HOURS for hour in hours})
    for day in days:
        if day not in into:
            into[day] = load(day)
        _count(into[day], before)
        _count(fresh.get(day, {}), after)
    kept = frozenset(hour for hour in hours if after[hour] < before[hour])
    gone = [(day, name) for day in days for name in _replace_day(into[day], fresh.get(day, {}), hours - kept)]
    for day in days:
        into.bound(day)
    return Replaced(sum(min(before[hour], after[hour]) for hour in hours), kept, tuple(gone))


def _count(wholes: Mapping[str, IdentityDay], counts: dict[int, int]) -> None:
    for whole in wholes.values():
        for (shape, hour), behaviour in whole.behaviours.items():
            if hour in counts and is_trail(shape):
                counts[hour] += behaviour.count


def _replace_day(wholes: dict[str, IdentityDay], fresh: Mapping[str, IdentityDay], hours: frozenset[int]) -> list[str]:
    gone = []
    for name in {*wholes, *fresh}:
        new = _of(fresh[name], hours) if name in fresh else {}
        old = _of(wholes[name], hours) if name in wholes else {}
        marked = name not in fresh or (name in wholes and fresh[name].seen <= wholes[name].seen)
        if (not new and not old) or (marked and _alike(old, new)):
            continue  # but marks that are missing have to be there: without them records are counted twice later
        whole = wholes.setdefault(name, IdentityDay(fresh[name].day if name in fresh else wholes[name].day))
        for key in old:
            del whole.behaviours[key]
        whole.behaviours.update(new)
        if name in fresh:
            whole.seen |= fresh[name].marks()
        whole.stored = -1  # not what the store holds, whatever the marks say
        if not whole.behaviours:
            del wholes[name]
            gone.append(name)
    return gone


def _of(whole: IdentityDay, hours: frozenset[int]) -> Behaviours:
    return {key: b for key, b in whole.behaviours.items() if key[1] in hours and is_trail(key[0])}


def _alike(old: Behaviours, new: Behaviours) -> bool:
    return old.keys() == new.keys() and all(_told(old[key]) == _told(new[key]) for key in old)


def _told(b: Behaviour) -> tuple[object, ...]:
    """All but minutes and record ids, of which the cluster's grouping has fewer."""
    return b.count, b.first, b.last, b.sessions, b.targets, b.addresses, b.issued, b.links


# ---- which hours the cluster has grouped


def pushed(store: Store) -> frozenset[int]:
    """Hours that the cluster has grouped, as the state knows them."""
    row = store.get("meta", [_PUSHED]).get(_PUSHED)
    ranges = orjson.loads(row) if row else []
    return frozenset(hour for low, high in ranges for hour in range(low, high))


def note_pushed(store: Store, hours: Iterable[int]) -> None:
    """Put down which hours the cluster has grouped."""
    ranges = stretches(hours, 1)
    store.put("meta", [(_PUSHED, orjson.dumps(ranges) if ranges else None)])
