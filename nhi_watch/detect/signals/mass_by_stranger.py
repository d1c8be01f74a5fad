"""Very much is read by an identity that is hardly known: there is no past to hold it against, only the amount."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import KNOWN_DAYS, behaviours_of

NAME = "mass_by_stranger"
TITLE = "Reads in mass by somebody hardly known"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1119", "T1530")
CONTROL = "rotate_secret"
HEADLINE = 28
ON_ORDINARY_DAYS = True

MUCH = 64
"""Reads of a day below which it is nothing."""


def _reads(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if view.shape.access == "read" and view.shape.outcome == "success"]


def _count(episode: EpisodeView) -> int:
    return sum(b.count for b in behaviours_of(_reads(episode)))


def value(episode: EpisodeView) -> float:
    """Doublings of the day's reads over MUCH, while the identity was active on less than three days before."""
    if episode.past.own.days >= KNOWN_DAYS:
        return 0.0
    return max(0.0, log2(max(1, _count(episode)) / MUCH))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    return f"{_count(episode):,} reads in the day by an identity known for {episode.past.own.days} active days"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The reads."""
    return behaviours_of(_reads(episode))
