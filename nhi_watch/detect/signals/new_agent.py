"""A client program that the identity did not use before; versions are left out, so upgrades are no news."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import rarity

NAME = "new_agent"
TITLE = "New client program"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ()
CONTROL = "rotate_secret"
NEEDS = ("agent",)
DIMENSION = "agent"


def value(view: View) -> float | None:
    """Surprisal in bits; None before anything was learnt."""
    return None if view.past.blank else view.agent


def evidence(view: View) -> str:
    """One sentence."""
    return f"client {view.shape.agent} is {rarity(view.agent)} for this identity"
