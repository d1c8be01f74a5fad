"""The newest sensitive call of the day, whatever its kind: what rare kinds have in common is learnt together."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence

NAME = "sensitive_novelty"
TITLE = "New sensitive call"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ()
CONTROL = "reduce_privilege"
DIMENSION = "action"

HARMLESS = frozenset({"identity_probe"})
"""Asking who one is is common among the well-behaved; it has a signal of its own."""


def value(view: View) -> float:
    """Bits by which a call of any sensitivity class is new; half where it was refused."""
    if not view.facts.classes - HARMLESS:
        return 0.0
    return view.action if view.shape.outcome == "success" else view.action / 2


def evidence(view: View) -> str:
    """One sentence."""
    kinds = ", ".join(sorted(name.replace("_", " ") for name in view.facts.classes - HARMLESS))
    return call_sentence(view, f"is sensitive ({kinds})")
