"""Deletes data or capacity."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, in_class

NAME = "destruction"
TITLE = "Destruction"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1485",)
CONTROL = "reduce_privilege"
HEADLINE = 16


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it is of this kind."""
    return in_class(view, "destruction")


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "deletes data or capacity")
