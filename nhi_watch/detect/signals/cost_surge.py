"""Calls that cost money, all together, grow far over any day before: whoever pays is being harvested."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import KNOWN_DAYS, behaviours_of
from nhi_watch.state.baseline import bucket

NAME = "cost_surge"
TITLE = "Far more calls that cost"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1496.004", "AML.CS0030")
CONTROL = "rotate_secret"
HEADLINE = 36
ON_ORDINARY_DAYS = True

COST = "cost"


def _views(episode: EpisodeView) -> list[View]:
    return [view for view in episode.views if view.shape.access == COST]


def _count(episode: EpisodeView) -> int:
    return sum(b.count for b in behaviours_of(_views(episode)))


def value(episode: EpisodeView) -> float | None:
    """Doublings of the day's calls that cost over the largest day so far; None before they are known."""
    seen = episode.past.own.dimension("access").values.get(COST)
    if not _views(episode):
        return 0.0
    return None if seen is None or seen.days < KNOWN_DAYS else float(max(0, bucket(_count(episode)) - seen.top))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    grown = bucket(_count(episode)) - episode.past.own.dimension("access").values[COST].top
    return f"{_count(episode):,} calls that cost money, {2**grown} times its largest day so far or more"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """These calls."""
    return behaviours_of(_views(episode))
