"""A whole mailbox, database, drive or list of secrets is taken out in one go."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, place_news

NAME = "mass_export"
TITLE = "Mass export"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1567", "T1530")
CONTROL = "reduce_privilege"
HEADLINE = 13


def value(view: View) -> float:
    """Bits by which the call, or the place that it comes from, is new, where it exports in mass."""
    return max(view.action, place_news(view)) if "mass_export" in view.shape.traits else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "takes data out in mass")
