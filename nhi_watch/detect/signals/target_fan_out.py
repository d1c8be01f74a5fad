"""Touches many targets that the identity never touched."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView
from nhi_watch.detect.signals._kit import listing

NAME = "target_fan_out"
TITLE = "Fan-out over targets"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1530",)
CONTROL = "reduce_privilege"
ON_ORDINARY_DAYS = True


def _new(episode: EpisodeView) -> set[str]:
    known = episode.past.own.dimension("target").values
    return {target for view in episode.views for b in view.behaviours for target in b.targets if target not in known}


def value(episode: EpisodeView) -> float | None:
    """log2 of new targets over those expected of a day; None without history."""
    own = episode.past.own
    if own.days < 3:
        return None
    expected = (own.dimension("target").once + 1) / (own.days + 1)
    return max(0.0, log2((1 + len(_new(episode))) / (1 + expected)))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    new = _new(episode)
    return f"targets new for this identity ({len(new)}): {listing(list(new), 2)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """What touched them."""
    new = _new(episode)
    return [b for view in episode.views for b in view.behaviours if new.intersection(b.targets)]
