"""Many different calls are refused that never were refused before."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import ORDINARY, EpisodeView, View
from nhi_watch.detect.signals._kit import behaviours_of, listing

NAME = "permission_probing"
TITLE = "Permission probing"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1087.004", "T1580")
CONTROL = "rotate_secret"
HEADLINE = 27


def _refused(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if view.shape.outcome == "denied" and view.error >= ORDINARY]


def value(episode: EpisodeView) -> float:
    """log2(1 + number of distinct calls newly refused)."""
    return log2(1 + len({view.shape.action for view in _refused(episode)}))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    actions = [view.shape.action for view in _refused(episode)]
    return f"calls refused for the first time ({len(set(actions))}): {listing(actions)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The refused calls."""
    return behaviours_of(_refused(episode))
