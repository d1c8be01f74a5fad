"""Uses several services that are new for the identity."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import above, behaviours_of, listing

NAME = "service_fan_out"
TITLE = "Fan-out over services"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1526",)
CONTROL = "reduce_privilege"
DIMENSION = "service"


def _new(episode: EpisodeView) -> list[View]:
    return above(list(episode.views), "service")


def value(episode: EpisodeView) -> float | None:
    """Number of services that are new for the identity; None before anything was learnt."""
    return None if episode.past.blank else float(len({view.shape.service for view in _new(episode)}))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    names = [view.shape.service for view in _new(episode)]
    return f"new services in one day ({len(set(names))}): {listing(names)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """What happened there."""
    return behaviours_of(_new(episode))
