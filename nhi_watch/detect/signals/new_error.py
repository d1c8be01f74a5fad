"""A refusal or failure that is new for the identity; one that always fails is no news."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import rarity

NAME = "new_error"
TITLE = "New refusal or failure"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ()
CONTROL = "reduce_privilege"


def value(view: View) -> float:
    """Surprisal in bits."""
    return view.error


def evidence(view: View) -> str:
    """One sentence."""
    return f"{view.shape.action} fails with {view.shape.error}, {rarity(view.error)} for this identity"
