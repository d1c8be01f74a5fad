"""Calls that spend money directly: compute, models, messages."""

from __future__ import annotations

from nhi_watch.signals._kit import call_sentence
from nhi_watch.view import View

NAME = "spending"
TITLE = "Spending"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1496.001",)
CONTROL = "reduce_privilege"


def value(view: View) -> float:
    """Bits by which the call is new; larger where it starts large machines."""
    if view.shape.access != "cost":
        return 0.0
    return view.action + (4.0 if view.action and "large_compute" in view.shape.traits else 0.0)


def evidence(view: View) -> str:
    """One sentence."""
    large = ", on large machines" if "large_compute" in view.shape.traits else ""
    return call_sentence(view, f"spends money directly{large}")
