"""Runs models that this identity never ran."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView
from nhi_watch.detect.signals._kit import first_used, first_used_sentence, first_used_value

NAME = "model_changed"
TITLE = "Other models run"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1496.004", "AML.CS0030")
CONTROL = "rotate_secret"
HEADLINE = 19
ON_ORDINARY_DAYS = True

CLASS = "model_invocation"


def value(episode: EpisodeView) -> float | None:
    """log2(1 + number of models new to the identity); None without history."""
    return first_used_value(episode, CLASS)


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    return first_used_sentence(episode, CLASS, "models run")


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The invocations."""
    return [b for _, b in first_used(episode, CLASS)]
