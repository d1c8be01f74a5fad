"""A call made only to learn whether it is allowed."""

from __future__ import annotations

from nhi_watch.detect.features import View

NAME = "permission_test"
TITLE = "Permission test"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1526", "AML.CS0030")
CONTROL = "rotate_secret"


def value(view: View) -> float:
    """1 plus the bits by which the call is new, for a dry run or an invalid request; else 0."""
    return 1.0 + view.action if "probe" in view.shape.traits and (view.action or view.error) else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    return f"{view.shape.action} was sent so that it cannot succeed ({view.shape.error}): a test of permissions"
