"""A policy that allows everything, a pod out of its cage, a role, or credentials given to another identity."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence

NAME = "powerful_grant"
TITLE = "Powerful grant"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1098.003",)
CONTROL = "reduce_privilege"
HEADLINE = 10


GRANTS = {"admin_policy": 2.0, "wildcard_policy": 2.0, "privileged": 1.0, "role_grant": 1.0, "for_other": 1.0}


def value(view: View) -> float:
    """Weight of the widest grant, plus the bits by which the call is new; 0 where nothing was granted."""
    widest = max((GRANTS.get(trait, 0.0) for trait in view.shape.traits), default=0.0)
    return widest + view.action if widest else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    how = ", ".join(trait.replace("_", " ") for trait in view.shape.traits if trait in GRANTS)
    return call_sentence(view, f"grants power ({how})")
