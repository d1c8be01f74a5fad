"""The product that let it in had doubts of its own, or the way in was a weak one."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, marked, marks

NAME = "suspect_session"
TITLE = "Doubtful sign-in"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("NHI4:2025", "T1550.001")
CONTROL = "rotate_secret"
HEADLINE = 32

MARKS = {"legacy_auth": 1.0, "device_code": 1.0, "proxy": 1.0, "root_token": 1.0, "threat_suspected": 2.0,
         "risky_signin": 2.0, "token_reuse": 3.0}  # fmt: skip
"""What the product said of the session."""


def value(view: View) -> float:
    """Weight of the widest mark, plus the bits by which the call is new; 0 without a mark."""
    return marked(view, MARKS)


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, f"has a doubtful session ({marks(view, MARKS)})")
