"""How many calls of the day are new for the identity."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView
from nhi_watch.detect.signals._kit import behaviours_of, listing, novel_views

NAME = "novel_actions"
TITLE = "Many new calls"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ()
CONTROL = "reduce_privilege"
DIMENSION = "action"


def value(episode: EpisodeView) -> float:
    """log2(1 + number of new calls)."""
    return log2(1 + len({view.shape.action for view in novel_views(episode)}))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    actions = [view.shape.action for view in novel_views(episode)]
    return f"calls new for this identity ({len(set(actions))}): {listing(actions)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The new calls."""
    return behaviours_of(novel_views(episode))
