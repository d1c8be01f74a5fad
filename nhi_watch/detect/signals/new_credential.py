"""A long-lived key that the identity was not seen to use before."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import rarity

NAME = "new_credential"
TITLE = "New long-lived key"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1098.001",)
CONTROL = "rotate_secret"
NEEDS = ("credential",)
DIMENSION = "credential"


def value(view: View) -> float | None:
    """Surprisal in bits; None before anything was learnt."""
    return None if view.past.blank else view.credential


def evidence(view: View) -> str:
    """One sentence."""
    return f"key {view.shape.credential} is {rarity(view.credential)} for this identity"
