"""The call crosses from one account into another, as this identity does not do."""

from __future__ import annotations

from nhi_watch.detect.features import View

NAME = "across_accounts"
TITLE = "Across accounts"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1199",)
CONTROL = "reduce_privilege"


def value(view: View) -> float:
    """Bits by which the call is new, where the identity belongs to another account."""
    return view.action if "cross_account" in view.shape.traits or view.shape.target_class == "foreign" else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    return f"{view.shape.action} reaches across accounts"
