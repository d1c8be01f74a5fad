"""Calls that spend money directly: compute, models, messages."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence

NAME = "spending"
TITLE = "Spending"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1496.001",)
CONTROL = "reduce_privilege"
HEADLINE = 17

LARGE = {"large_compute": "on large machines", "many_tokens": "with very long texts"}


def value(view: View) -> float:
    """Bits by which the call is new; larger where it starts large machines or sends a model very long texts."""
    if view.shape.access != "cost":
        return 0.0
    return view.action + (4.0 if view.action and not LARGE.keys().isdisjoint(view.shape.traits) else 0.0)


def evidence(view: View) -> str:
    """One sentence."""
    large = "".join(f", {LARGE[trait]}" for trait in view.shape.traits if trait in LARGE)
    return call_sentence(view, f"spends money directly{large}")
