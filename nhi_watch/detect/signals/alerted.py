"""Another product raised an alert about this identity, of a kind that is not its daily bread."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import rarity

NAME = "alerted"
TITLE = "Alert of another product"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("DE.AE-03", "DE.AE-07")
CONTROL = "rotate_secret"
HEADLINE = 33

SEVERITY = {"alert": 1.0, "alert_low": 1.0, "alert_medium": 2.0, "alert_high": 3.0, "alert_critical": 4.0}
"""As the other product has it."""


def value(view: View) -> float:
    """Severity, where the kind of alert is not ordinary for the identity; else 0."""
    return max((SEVERITY.get(trait, 0.0) for trait in view.shape.traits), default=0.0) if view.action else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    kind = view.shape.action.partition(":")[2] or view.shape.action
    return f"another product told of {kind}, {rarity(view.action)} for this identity"
