"""Several kinds of alerts of other products name this identity on one day."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import behaviours_of, listing

NAME = "alerts_together"
TITLE = "Alerts of several kinds"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("DE.AE-03",)
CONTROL = "rotate_secret"
HEADLINE = 31


def _alerts(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if "alert" in view.shape.traits and view.action]


def value(episode: EpisodeView) -> float:
    """log2 of the number of kinds of alerts that are not ordinary; 0 for a single one."""
    return log2(max(1, len({view.shape.action for view in _alerts(episode)})))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    kinds = [view.shape.action.partition(":")[2] for view in _alerts(episode)]
    return f"{len(set(kinds))} kinds of alerts of other products in one day: {listing(kinds, 3)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The alerts."""
    return behaviours_of(_alerts(episode))
