"""A network operator from which the identity was not seen before: a hosting company instead of its own."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import rarity

NAME = "new_owner"
TITLE = "New network operator"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1078.004",)
CONTROL = "rotate_secret"
NEEDS = ("network",)
DIMENSION = "network"
PLACE = 3


def value(view: View) -> float | None:
    """Surprisal in bits; None before anything was learnt."""
    return None if view.past.blank else view.owner


def evidence(view: View) -> str:
    """One sentence."""
    return f"operator {view.network_facts.owner} ({view.network_facts.kind}) is {rarity(view.owner)} for this identity"
