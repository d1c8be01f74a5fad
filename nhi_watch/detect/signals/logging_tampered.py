"""Stops, deletes or narrows logs, detectors, or what an agent must ask."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, in_class, on_mark

NAME = "logging_tampered"
TITLE = "Logging tampered with"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1562.008",)
CONTROL = "reduce_privilege"
HEADLINE = 6

MARKS = frozenset({"guard_removed", "logging_reduced", "push_protection_bypassed"})
"""Traits of records that did, whatever the call is named."""


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it is of this kind."""
    return max(in_class(view, "logging_tampered"), on_mark(view, MARKS))


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "weakens logging, detection or approvals")
