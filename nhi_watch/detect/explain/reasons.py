"""The reasons of an episode: its signals by what they add, the calls behind each, and which calls are unusual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple, Optional, Union

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.event import Identity
from nhi_watch.core.status import BESIDE, unusual_from
from nhi_watch.detect import telemetry
from nhi_watch.detect.scoring import Episode
from nhi_watch.detect.signals import KEY_SERVICE, SIGNALS, EpisodeView, Signal, View


class Weighed(NamedTuple):
    """One signal in one episode."""

    signal: Signal
    points: float
    bin: int
    log_odds: float
    value: Optional[float]
    backing: list[Behaviour]
    evidence: str
    phrase: str
    """What a title says of it."""
    identity: Optional[Identity] = None
    """Whose value it is; None: only several together show it."""
    named: Sequence[Behaviour] = ()
    """The calls that the phrase names: their count, time and address stand beside it."""


def weigh(episode: Episode) -> list[Weighed]:
    """The signals, those that add most to the likelihood first."""
    _, shares = episode.bound.model.shares(episode.features)
    order = sorted(range(len(SIGNALS)), key=lambda at: (-shares[at], -episode.points[at], SIGNALS[at].name))
    return [
        Weighed(
            SIGNALS[at],
            episode.points[at],
            episode.features.bins[at],
            shares[at],
            episode.values[at],
            *_explain(at, episode.values[at], episode),
        )
        for at in order
    ]


def _explain(
    at: int, value: Optional[float], combined: Episode
) -> tuple[list[Behaviour], str, str, Optional[Identity], Sequence[Behaviour]]:
    """The behaviours behind a value of the signal there, its sentence, what a title says of it, whose it is, and the
    calls that the title names.

    All of it is of the member that has the value.
    """
    if value == 0:
        return [], "ordinary", "", None, ()
    signal = SIGNALS[at]
    part = next((part for part in combined.parts if part.values[at] == value), None)
    episode, identity = (part.view, part.identity) if part is not None else (combined.view, None)
    if value is None:
        return [], telemetry.why(signal.name, episode.views, episode.baseline.own), "", identity, ()
    seen: Union[View, EpisodeView] = episode
    if signal.backing is None:
        seen = max(episode.views, key=lambda v: (v.values[at] or 0.0, v.key.outcome == "success"))
    backing = seen.behaviours if isinstance(seen, View) else signal.backing(seen) if signal.backing else []
    is_short = signal.title[1:2].isupper()  # an abbreviation stays one
    title = signal.title if is_short else signal.title[:1].lower() + signal.title[1:]
    named = signal.named(seen) if signal.named else backing
    return backing, signal.evidence(seen), signal.phrase(seen) if signal.phrase else title, identity, named


def call_points(episode: Episode, heavy: list[Weighed]) -> dict[int, float]:
    """Behaviour, by id → its points; known calls that are unusual for their number alone have those of that signal."""
    by_behaviour = {
        id(b): part.bound.total(v.values) for part in episode.parts for v in part.view.views for b in v.behaviours
    }
    least = unusual_from(by_behaviour.values())
    for part in heavy:
        if part.signal.name in _OF_AMOUNT:
            calls = _amount(part.backing, {id(b) for b in part.backing if by_behaviour.get(id(b), 0.0) >= least})
            few = BESIDE * max((b.count for b in calls), default=0)
            many = [id(b) for b in calls if b.count >= few and id(b) in by_behaviour]
            by_behaviour.update((each, max(by_behaviour[each], part.points)) for each in many)
    return by_behaviour


def _amount(calls: Sequence[Behaviour], unusual: Set[int]) -> Sequence[Behaviour]:
    """The calls of which there are too many: those that are unusual for themselves, where most of them are."""
    apart = [b for b in calls if id(b) in unusual]
    return apart if 2 * sum(b.count for b in apart) >= sum(b.count for b in calls) else calls


_OF_AMOUNT = frozenset({"bulk", "cost_surge", "first_targets", "mass_by_stranger"})
"""Signals whose sentence says which calls there are too many of."""
_PROOF = {"T1119": "read", "T1213": "read", "T1530": "read", "T1496.001": "cost", "T1496.004": "cost"}
"""Technique → the access without which a signal of volume is no evidence for it."""
OF_VOLUME = frozenset({"bulk", "mass_taking", "mass_by_stranger", "first_targets", "target_fan_out", "cost_surge"})


def proves(part: Weighed, technique: str) -> bool:
    """Signals of volume are of any call: data are collected by reads of data, money is spent by calls that cost."""
    needed = _PROOF.get(technique, "")
    if part.signal.name not in OF_VOLUME or not needed:
        return True
    keys = [b.key for b in part.backing]
    return any(s.access == needed and s.service != KEY_SERVICE and s.outcome == "success" for s in keys)


def suspicious_calls(behaviours: list[Behaviour], points: Mapping[int, float]) -> list[Behaviour]:
    """What is suspicious, most points first; the whole day where nothing by itself is."""
    least = unusual_from(points[id(b)] for b in behaviours)
    suspicious = [b for b in behaviours if points[id(b)] >= least] or behaviours
    return sorted(suspicious, key=lambda b: (-points[id(b)], b.first, b.key))
