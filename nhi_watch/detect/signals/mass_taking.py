"""Far more is read in the day than ever before, by calls old or new."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import behaviours_of
from nhi_watch.state.baseline import bucket

NAME = "mass_taking"
TITLE = "Reads in mass"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1119", "T1530", "T1213")
CONTROL = "reduce_privilege"
HEADLINE = 28
ON_ORDINARY_DAYS = True

KNOWN_DAYS = 3
FEW = 3
"""Size class (fewer than 8) of reads that is nothing yet."""


def _reads(episode: EpisodeView) -> list[View]:
    return [v for v in episode.views if v.shape.access in ("read", "list") or "exfiltration" in v.facts.tactics]


def _count(views: list[View]) -> int:
    return sum(b.count for view in views for b in view.behaviours)


def _new(episode: EpisodeView) -> list[View]:
    known = episode.past.own.dimension("action").values
    return [view for view in _reads(episode) if view.shape.action not in known]


def _usual(episode: EpisodeView) -> int:
    return max(map(int, episode.past.own.dimension("volume").values), default=0)


def value(episode: EpisodeView) -> float | None:
    """Doublings over the largest day so far, or over a handful of a call never made before; None without history."""
    if episode.past.own.days < KNOWN_DAYS:
        return None
    grown = bucket(_count(_reads(episode))) - max(FEW, _usual(episode))
    return float(max(0, grown, bucket(_count(_new(episode))) - FEW))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    read, new, most = _count(_reads(episode)), _count(_new(episode)), 2 ** _usual(episode) - 1
    return f"{read:,} reads in the day, {new:,} of them new; its largest day so far had at most {most:,} calls"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The new reads, or all of them."""
    return behaviours_of(_new(episode) or _reads(episode))
