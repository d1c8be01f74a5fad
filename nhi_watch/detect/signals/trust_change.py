"""Grants permissions or changes who is trusted."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, in_class

NAME = "trust_change"
TITLE = "Permissions or trust changed"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1098.003",)
CONTROL = "reduce_privilege"
HEADLINE = 25


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it is of this kind."""
    return in_class(view, "trust_change")


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "changes permissions or trust")
