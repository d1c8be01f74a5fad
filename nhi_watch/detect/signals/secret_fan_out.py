"""Reads secrets that this identity never read."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView
from nhi_watch.detect.signals._kit import first_used, first_used_sentence, first_used_value

NAME = "secret_fan_out"
TITLE = "Other secrets read"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1555.006", "T1552.007")
CONTROL = "rotate_secret"
HEADLINE = 21
ON_ORDINARY_DAYS = True

CLASS = "secret_reading"


def value(episode: EpisodeView) -> float | None:
    """log2(1 + number of secrets new to the identity); None without history."""
    return first_used_value(episode, CLASS)


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    return first_used_sentence(episode, CLASS, "secrets read")


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The reads."""
    return [b for _, b in first_used(episode, CLASS)]
