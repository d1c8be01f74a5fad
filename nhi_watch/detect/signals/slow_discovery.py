"""New listing and describing calls, spread thinly over many hours."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import behaviours_of, listing, novel_views

NAME = "slow_discovery"
TITLE = "Slow discovery"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1580", "T1526")
CONTROL = "reduce_privilege"


def _looks(episode: EpisodeView) -> list[View]:
    return [v for v in novel_views(episode) if v.shape.access in ("list", "read") and not v.quiet]


def value(episode: EpisodeView) -> float:
    """Number of hours with new discovery calls, beyond the first two."""
    hours = {b.hour for view in _looks(episode) for b in view.behaviours}
    return float(max(0, len(hours) - 2))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    views = _looks(episode)
    hours = {b.hour for view in views for b in view.behaviours}
    return f"new discovery calls in {len(hours)} different hours: {listing([v.shape.action for v in views])}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The discovery calls."""
    return behaviours_of(_looks(episode))
