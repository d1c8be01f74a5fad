"""Active in several regions that are new for the identity."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import above, behaviours_of, listing

NAME = "region_fan_out"
TITLE = "Fan-out over regions"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1535",)
CONTROL = "reduce_privilege"
NEEDS = ("region",)
DIMENSION = "region"


def _new(episode: EpisodeView) -> list[View]:
    return above(list(episode.views), "region")


def value(episode: EpisodeView) -> float | None:
    """Number of regions that are new for the identity; None before anything was learnt."""
    return None if episode.past.blank else float(len({view.shape.region for view in _new(episode)}))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    names = [view.shape.region for view in _new(episode)]
    return f"new regions in one day ({len(set(names))}): {listing(names)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """What happened there."""
    return behaviours_of(_new(episode))
