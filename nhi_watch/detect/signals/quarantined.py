"""The provider has put its quarantine policy on an identity: its key is known to be exposed."""

from __future__ import annotations

from nhi_watch.detect.features import View

NAME = "quarantined"
TITLE = "Quarantined by the provider"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("NHI2:2025", "T1552")
CONTROL = "rotate_secret"
HEADLINE = 1


def value(view: View) -> float:
    """1 when the quarantine policy is attached."""
    return 1.0 if "quarantine" in view.shape.traits else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    return f"{view.shape.action} attaches the provider's quarantine policy: a key is exposed"
