"""A call that the identity has not made before, given what peers, tenant and world do."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import rarity

NAME = "new_action"
TITLE = "New call"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ()
CONTROL = "reduce_privilege"
DIMENSION = "action"


def value(view: View) -> float:
    """Surprisal in bits."""
    return view.action


def evidence(view: View) -> str:
    """One sentence."""
    return f"{view.shape.action} is {rarity(view.action)} for this identity"
