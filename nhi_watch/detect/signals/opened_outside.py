"""Something was opened to another account, to everybody or to the whole internet."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence

NAME = "opened_outside"
TITLE = "Opened to the outside"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1537",)
CONTROL = "reduce_privilege"
HEADLINE = 11


OPENINGS = {"shared_outside": 2.0, "open_ingress": 1.0, "public": 2.0}


def value(view: View) -> float:
    """Weight of the widest opening, plus the bits by which the call is new; 0 where nothing was opened."""
    widest = max((OPENINGS.get(trait, 0.0) for trait in view.shape.traits), default=0.0)
    return widest + view.action if widest else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    how = ", ".join(trait.replace("_", " ") for trait in view.shape.traits if trait in OPENINGS)
    return call_sentence(view, f"opens something to the outside ({how})")
