"""How many kinds of sensitive calls are new in the day."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import behaviours_of, listing, novel_views

NAME = "novel_classes"
TITLE = "New kinds of sensitive calls"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ()
CONTROL = "reduce_privilege"


def _sensitive(episode: EpisodeView) -> list[View]:
    return [view for view in novel_views(episode) if view.facts.classes]


def value(episode: EpisodeView) -> float:
    """Number of distinct sensitivity classes among the new calls."""
    return float(len({name for view in _sensitive(episode) for name in view.facts.classes}))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    classes = [name.replace("_", " ") for view in _sensitive(episode) for name in view.facts.classes]
    return f"new sensitive calls: {listing(classes)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The new sensitive calls."""
    return behaviours_of(_sensitive(episode))
