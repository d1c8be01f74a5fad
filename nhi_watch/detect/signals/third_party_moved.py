"""Another company's app works from an operator that is not its own: its tokens may have left its vendor."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import rarity

NAME = "third_party_moved"
TITLE = "Third party from elsewhere"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("NHI3:2025", "T1199")
CONTROL = "rotate_secret"
NEEDS = ("network",)
DIMENSION = "network"
PLACE = 1

MARKS = frozenset({"third_party", "delegated"})


def value(view: View) -> float | None:
    """Bits by which the operator of the network is new for such an app; None without history."""
    if not MARKS.intersection(view.shape.traits):
        return 0.0
    return view.owner if view.past.own.days else None


def evidence(view: View) -> str:
    """One sentence."""
    place = view.network_facts.owner or view.shape.network
    return f"another company's app works from {place}, {rarity(view.owner)} for it"
