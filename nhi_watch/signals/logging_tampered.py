"""Stops, deletes or narrows logs and detectors."""

from __future__ import annotations

from nhi_watch.signals._kit import call_sentence, in_class
from nhi_watch.view import View

NAME = "logging_tampered"
TITLE = "Logging tampered with"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1562.008",)
CONTROL = "reduce_privilege"


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it is of this kind."""
    return in_class(view, "logging_tampered")


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "weakens logging or detection")
