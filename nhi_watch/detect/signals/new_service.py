"""A service that the identity has not used before."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import rarity

NAME = "new_service"
TITLE = "New service"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ()
CONTROL = "reduce_privilege"
DIMENSION = "service"


def value(view: View) -> float:
    """Surprisal in bits."""
    return view.service


def evidence(view: View) -> str:
    """One sentence."""
    return f"service {view.shape.service} is {rarity(view.service)} for this identity"
