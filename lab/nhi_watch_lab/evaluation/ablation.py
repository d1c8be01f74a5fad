"""What each signal and each field is worth: the same days judged without it.

Without a *signal*: its value counts as ordinary when a day is ranked; nothing is trained anew, so this is what the
shipped scorecard loses, not what another one could make good. Without a *field*: the logs never had it, so that
baselines lack it as well and the signals that need it cannot tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nhi_watch.context import assets
from nhi_watch.core.behaviour import IdentityDay, Shape
from nhi_watch.detect import ranking
from nhi_watch.detect.home import total
from nhi_watch.detect.model import score_of
from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.evaluation.counting import Entry
from nhi_watch_lab.evaluation.kept import KeptDay
from nhi_watch_lab.evaluation.replay import Replayed

WITHOUT = "without "
"""Before the names of detectors that lack a signal."""
FIELDS: Mapping[str, Mapping[str, Any]] = {
    "source address": {"network": ""},
    "user agent": {"agent": ""},
    "region": {"region": ""},
    "outcome and error": {"outcome": "success", "error": ""},
    "access key": {"credential": "", "credential_type": ""},
    "details (traits)": {"traits": (), "target_class": ""},
    "target": {},
    "session": {},
}
"""Field → what a shape holds where the logs lack it; what is no part of a shape is emptied in the behaviour."""
_SKETCHES = {"source address": ("addresses",), "target": ("targets",), "session": ("sessions", "issued", "links")}


def entries(items: Sequence[Replayed], plain: Sequence[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Signal → the day's entries as they are, `plain`, but for those in which the signal says something."""
    for index, name in enumerate(NAMES):
        found = list(plain)
        for number, item in enumerate(items):
            if item.episode.values[index]:
                found[number] = _entry(item, index)
        yield name, found


def _entry(item: Replayed, index: int) -> Entry:
    episode = item.episode
    points = total([0.0 if at == index else each for at, each in enumerate(episode.points)])
    probability = episode.bound.card.probability(points)
    if score_of(probability) < ranking.FLOOR:
        return Entry((probability, points), item.incidents, False)
    together = ranking.together(episode, silent=index)
    weight = ranking.priority(probability, ranking.impact(assets.UNKNOWN, episode), together)
    return Entry((weight, points), item.incidents, True)


def without_field(day: KeptDay, field: str) -> KeptDay:
    """The day as logs tell it that lack a field."""
    days = {n: {name: _lacking(whole, field) for name, whole in wholes.items()} for n, wholes in day.days.items()}
    return day._replace(days=days)


def _lacking(whole: IdentityDay, field: str) -> IdentityDay:
    lacking, shapes = IdentityDay(whole.day), dict[int, Shape]()
    lacking.seen = whole.seen
    for behaviour in whole.behaviours.values():
        shape = shapes.get(id(behaviour.shape))
        if shape is None:
            shape = shapes[id(behaviour.shape)] = behaviour.shape._replace(**FIELDS[field])
        merged = lacking.behaviour(shape, behaviour.hour)
        merged.merge(behaviour)
        for sketch in _SKETCHES.get(field, ()):
            setattr(merged, sketch, [])
    return lacking
