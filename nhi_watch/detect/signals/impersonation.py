"""Acts as another identity, or makes tokens for one, as this identity does not do."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, on_mark

NAME = "impersonation"
TITLE = "Acts as another"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1550.001",)
CONTROL = "reduce_privilege"
HEADLINE = 23

MARKS = frozenset({"impersonation", "token_minted"})


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it acts as another or makes tokens."""
    return on_mark(view, MARKS)


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "acts as another identity or makes tokens for one")
