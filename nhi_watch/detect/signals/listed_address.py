"""The address is on a list of bad addresses."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import place_news

NAME = "listed_address"
TITLE = "Address on a list"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("DE.AE-07", "T1090")
CONTROL = "rotate_secret"
DIMENSION = "network"


def value(view: View) -> float:
    """1, plus the bits by which the place is new for the identity; 0 where no list names the address."""
    return 1.0 + place_news(view) if "listed" in view.shape.traits else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    return f"{view.shape.action} came from {view.shape.network or 'an address'}, which a list of bad addresses names"
