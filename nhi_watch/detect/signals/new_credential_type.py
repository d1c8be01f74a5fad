"""Another kind of credential than usual: a key where there were sessions, a console where there were keys."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import rarity

NAME = "new_credential_type"
TITLE = "New kind of credential"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1550.001",)
CONTROL = "rotate_secret"


def value(view: View) -> float | None:
    """Surprisal in bits; None before anything was learnt."""
    return None if view.past.blank else view.credential_type


def evidence(view: View) -> str:
    """One sentence."""
    return f"a credential of kind {view.shape.credential_type} is {rarity(view.credential_type)} for this identity"
