"""An identity that was silent for long is active again."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView

NAME = "dormant_wakes"
TITLE = "Dormant identity wakes"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1078.004",)
CONTROL = "rotate_secret"
HEADLINE = 30
ON_ORDINARY_DAYS = True


LONG = 10


def value(episode: EpisodeView) -> float | None:
    """log2 of the silent days beyond the longest pause so far; None without history."""
    own = episode.past.own
    if own.days < 2:
        return None
    pause = episode.past.today - own.last - 1
    return log2(pause / max(1, own.gaps)) + 1 if pause >= LONG and pause > own.gaps * 1.5 else 0.0


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    own = episode.past.own
    return f"silent for {episode.past.today - own.last - 1} days; its longest pause before was {own.gaps}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """All of the day."""
    return episode.behaviours()
