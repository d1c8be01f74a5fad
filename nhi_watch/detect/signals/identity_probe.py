"""Asks who it is and what it may do: the first thing a thief does."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, in_class

NAME = "identity_probe"
TITLE = "Probing of identity and permissions"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1087.004",)
CONTROL = "rotate_secret"


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it is of this kind."""
    return in_class(view, "identity_probe")


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "asks what this credential is worth")
