"""One long-lived key is used from two operators' networks in the same hour."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import behaviours_of, listing

NAME = "two_places"
TITLE = "One key in two places"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1078.004", "T1552")
CONTROL = "rotate_secret"
NEEDS = ("network",)
ON_ORDINARY_DAYS = True


def _pairs(episode: EpisodeView) -> list[View]:
    places: dict[tuple[str, int], dict[str, View]] = {}
    for view in episode.views:
        if view.shape.credential and view.remote:
            for b in view.behaviours:
                places.setdefault((view.shape.credential, b.hour), {})[view.shape.network] = view
    found = [view for views in places.values() if len(views) > 1 for view in views.values()]
    return sorted(found, key=lambda view: (-view.network, view.shape))


def value(episode: EpisodeView) -> float | None:
    """Bits of the less usual of the two networks; None before anything was learnt."""
    pairs = _pairs(episode)
    if episode.past.blank:
        return None
    return pairs[0].network + pairs[0].owner if pairs else 0.0


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    pairs = _pairs(episode)
    return f"key {pairs[0].shape.credential} was used within one hour from {listing([v.shape.network for v in pairs])}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """What came from there."""
    return behaviours_of(_pairs(episode))
