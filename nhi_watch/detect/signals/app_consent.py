"""An app is let in, or is allowed more than before."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, marked, marks

NAME = "app_consent"
TITLE = "App let in, or allowed more"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1528", "NHI3:2025")
CONTROL = "reduce_privilege"
HEADLINE = 8

ALLOWED = {"consent", "scope_growth", "broad_scope"}
MARKS = {"consent": 1.0, "broad_scope": 2.0, "scope_growth": 2.0, "mail_and_files": 2.0, "tenant_wide": 3.0}
"""What was allowed; everybody's data, and what grows quietly, weigh more."""


def value(view: View) -> float:
    """Weight of the widest permission, plus the bits by which the call is new; 0 where nothing was allowed."""
    return marked(view, MARKS) if ALLOWED.intersection(view.shape.traits) else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, f"lets an app in or allows it more ({marks(view, MARKS)})")
