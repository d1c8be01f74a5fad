"""A client program that is made for attacking, or an operating system made for it."""

from __future__ import annotations

from nhi_watch.detect.features import View

NAME = "attack_tool"
TITLE = "Attack tool"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1078.004",)
CONTROL = "rotate_secret"
NEEDS = ("agent",)
DIMENSION = "agent"


def value(view: View) -> float:
    """1 when seen and not usual here."""
    return 1.0 if "attack_tool" in view.shape.traits and (view.agent or view.past.blank or view.action) else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    return f"the client {view.shape.agent} carries the mark of an attack tool"
