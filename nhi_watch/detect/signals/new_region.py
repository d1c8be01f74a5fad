"""A region in which the identity was not active before."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import rarity

NAME = "new_region"
TITLE = "New region"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1535",)
CONTROL = "reduce_privilege"
NEEDS = ("region",)
DIMENSION = "region"


def value(view: View) -> float | None:
    """Surprisal in bits; None before anything was learnt."""
    return None if view.past.blank else view.region


def evidence(view: View) -> str:
    """One sentence."""
    return f"region {view.shape.region} is {rarity(view.region)} for this identity"
