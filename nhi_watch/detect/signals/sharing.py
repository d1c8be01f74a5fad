"""Changes who outside may reach data."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, in_class

NAME = "sharing"
TITLE = "Sharing changed"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1537",)
CONTROL = "reduce_privilege"
HEADLINE = 24


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it is of this kind."""
    return in_class(view, "sharing")


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "changes who may reach data")
