"""A program that has no business with credentials reads them on a host."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import marks

NAME = "host_credential"
TITLE = "Credentials taken on a host"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1552.001", "T1552.005")
CONTROL = "rotate_secret"
HEADLINE = 22

MARKS = {"odd_process": 1.0, "odd_parent": 2.0}


def value(view: View) -> float:
    """Weight of how odd the program is, plus the bits by which program and act are new; 0 for the usual ones."""
    weight = max((MARKS.get(trait, 0.0) for trait in view.shape.traits), default=0.0)
    return weight + max(view.action, view.agent) if weight else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    return f"{view.shape.action} by {view.shape.agent or 'a program'} ({marks(view, MARKS)})"
