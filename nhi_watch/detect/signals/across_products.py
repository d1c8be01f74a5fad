"""One intrusion leaves traces in several products on one day."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import behaviours_of, listing

NAME = "across_products"
TITLE = "Across products"
SCOPE = "linked"
FRAMEWORKS: tuple[str, ...] = ("DE.AE-03", "T1199")
CONTROL = "rotate_secret"


def _news(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if not view.quiet and "alert" not in view.shape.traits]


def value(episode: EpisodeView) -> float:
    """Number of providers in which linked identities made news, beyond the first."""
    return float(max(0, len({view.shape.identity.provider for view in _news(episode)}) - 1))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    return f"linked identities made news in {listing([view.shape.identity.provider for view in _news(episode)])}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The news."""
    return behaviours_of(_news(episode))
