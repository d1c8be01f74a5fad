"""What one identity's day teaches: its behaviours as counts by dimension, at once, or when it has come back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from nhi_watch.context import actions
from nhi_watch.context.networks import SHIPPED, Networks
from nhi_watch.core.behaviour import Behaviour, Shape
from nhi_watch.core.event import BEHALF, DONE_TO
from nhi_watch.state.baseline import (
    ANONYMOUS,
    EVERY,
    NEW_VALUES,
    PLACE,
    REFUSABLE,
    REFUSALS,
    REFUSED,
    Delta,
    bucket,
    is_human,
)


class DayLesson(NamedTuple):
    """What one identity's day teaches: at once, and what only when it has come back."""

    now: Delta
    later: Delta


def lesson(behaviours: Iterable[tuple[Behaviour, bool]], networks: Networks = SHIPPED) -> DayLesson:
    """The delta of a day from its behaviours, each with whether it looks bad; no value is in both."""
    now: Delta = {}
    later: Delta = {}
    judged = list(behaviours)
    _gather([b for b, bad in judged if not bad], now, networks)
    _gather([b for b, bad in judged if bad], later, networks)
    rest = {name: {v: n for v, n in values.items() if v not in now.get(name, ())} for name, values in later.items()}
    later = {name: values for name, values in rest.items() if values}
    if later:
        later[PLACE] = _places((b for b, bad in judged if bad), networks)
    for name, refused in _refused([b for b, _ in judged], networks).items():
        for delta in (now, later):
            told = {v: n for v, n in delta.get(name, {}).items() if v in refused}
            if told:
                delta[REFUSED + name] = told
    return DayLesson(_capped(now), _capped(later))


def _places(behaviours: Iterable[Behaviour], networks: Networks) -> dict[str, int]:
    """Where behaviours came from, see `baseline.PLACE`."""
    places: dict[str, int] = {}
    for b in behaviours:
        facts = networks.facts(b.shape.network)
        source = f"{facts.kind}:{facts.owner}"
        source = source if source.startswith(ANONYMOUS) else facts.owner or b.shape.network
        if source:
            place = f"{source} {b.shape.agent}"
            places[place] = places.get(place, 0) + b.count
    return places


def _refused(behaviours: list[Behaviour], networks: Networks) -> dict[str, set[str]]:
    """Dimension of REFUSABLE → its values of a day that never came with a success."""
    refused = [b for b in behaviours if b.shape.outcome in REFUSALS]
    if not refused:
        return {}
    told: Delta = {}
    let: Delta = {}
    _gather(refused, told, networks)
    _gather([b for b in behaviours if b.shape.outcome not in REFUSALS], let, networks)
    return {name: told[name].keys() - let.get(name, {}).keys() for name in REFUSABLE if name in told}


def _gather(behaviours: list[Behaviour], delta: Delta, networks: Networks) -> None:
    targets: set[str] = set()
    people: set[str] = set()
    hours: dict[str, int] = {}
    counts: dict[int, tuple[Shape, int]] = {}  # by id: hashing a shape takes longer than all else here
    for b in behaviours:
        counts[id(b.shape)] = (b.shape, counts.get(id(b.shape), _NONE)[1] + b.count)
        hours[_HOURS[b.hour % 24]] = hours.get(_HOURS[b.hour % 24], 0) + b.count
        targets.update(b.targets)
        if b.links:
            people.update(link for link in b.links if link.startswith(BEHALF))
    for shape, count in counts.values():
        for name, value in facts(shape, networks):
            values = delta.setdefault(name, {})
            values[value] = values.get(value, 0) + count
    if behaviours:
        delta.setdefault("act", {})[EVERY] = 1  # so that a profile tells "never" from "not asked yet"
        delta["volume"] = {str(bucket(sum(b.count for b in behaviours))): 1}
        delta["hour"] = hours
        delta["target"] = dict.fromkeys(sorted(targets), 1)
        if people:
            delta[BEHALF] = dict.fromkeys(sorted(people), 1)
        delta["targets"] = {str(bucket(len(targets))): 1}


_HOURS = tuple(map(str, range(24)))
_NONE = (None, 0)


def facts(shape: Shape, networks: Networks = SHIPPED) -> list[tuple[str, str]]:
    """What a behaviour's shape says in each dimension that it has."""
    told = [
        ("action", shape.action), ("service", shape.service), ("access", shape.access),
        ("region", shape.region), ("network", shape.network), ("owner", networks.facts(shape.network).owner),
        ("agent", shape.agent), ("credential_type", shape.credential_type), ("credential", shape.credential),
    ]  # fmt: skip
    if shape.error:
        told.append(("error", f"{shape.action} {shape.error}"))
    if is_human(shape.traits):
        told.append(("human", "yes"))
    if shape.outcome == "success" and DONE_TO not in shape.traits:
        operation = shape.action.partition(":")[2]
        told.extend(("act", act.kind) for act in actions.acts(shape.service, operation, shape.traits))
    return [(name, value) for name, value in told if value]


def _capped(delta: Delta) -> Delta:
    capped = {}
    for name, values in delta.items():
        if len(values) > NEW_VALUES:
            top = sorted(values, key=lambda v: (-values[v], v))[:NEW_VALUES]
            values = {v: values[v] for v in top}
        capped[name] = values
    return capped
