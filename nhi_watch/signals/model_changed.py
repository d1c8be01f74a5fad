"""Runs models that this identity never ran."""

from __future__ import annotations

from math import log2

from nhi_watch.behaviour import Behaviour
from nhi_watch.signals._kit import listing
from nhi_watch.view import EpisodeView

NAME = "model_changed"
TITLE = "Other models run"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1496.004", "AML.CS0030")
CONTROL = "rotate_secret"

KNOWN_DAYS = 3


def _found(episode: EpisodeView) -> list[tuple[str, Behaviour]]:
    known = episode.past.own.dimension("target").values
    views = [view for view in episode.views if "model_invocation" in view.facts.classes]
    return [(target, b) for view in views for b in view.behaviours for target in b.targets if target not in known]


def value(episode: EpisodeView) -> float | None:
    """log2(1 + number of models never run before); None without history."""
    found = _found(episode)
    if episode.past.own.days < KNOWN_DAYS:
        return None
    return log2(1 + len({target for target, _ in found}))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    names = [target for target, _ in _found(episode)]
    return f"{len(set(names))} models are run for the first time: {listing(names, 2)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The invocations."""
    return [b for _, b in _found(episode)]
