"""A machine signs in from an operator's network, or with a credential, that it never used."""

from __future__ import annotations

import re

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import place_news, rarity

NAME = "signin_anew"
TITLE = "Machine signs in anew"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1078.004", "T1098.001")
CONTROL = "rotate_secret"

_SIGN_IN = re.compile(r"sign-?in|login|logon|token\.grant|\bauth\b", re.IGNORECASE | re.ASCII)


def value(view: View) -> float | None:
    """Bits by which network or credential is new, where a machine signs in; None without history."""
    if view.shape.identity.human or not _SIGN_IN.search(view.shape.action):
        return 0.0
    return max(view.credential, place_news(view)) if view.past.own.days else None


def evidence(view: View) -> str:
    """One sentence."""
    place = place_news(view)
    how = f"with credential {view.shape.credential}" if view.credential > place else f"from {view.shape.network}"
    return f"{view.shape.action} {how}, {rarity(max(view.credential, place))} for this identity"
