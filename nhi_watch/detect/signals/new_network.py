"""An address range from which the identity was not seen before."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import rarity

NAME = "new_network"
TITLE = "New network"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1078.004",)
CONTROL = "rotate_secret"
NEEDS = ("network",)
DIMENSION = "network"
PLACE = 5


def value(view: View) -> float | None:
    """Surprisal in bits; None before anything was learnt."""
    return None if view.past.blank else view.network


def evidence(view: View) -> str:
    """One sentence."""
    return f"network {view.shape.network} is {rarity(view.network)} for this identity"
