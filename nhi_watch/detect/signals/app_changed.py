"""Changes where an app's tokens go, who it claims to be of, who owns it, or whose word is trusted."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, marked, marks

NAME = "app_changed"
TITLE = "Way into an app changed"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1098.001", "T1484.002")
CONTROL = "rotate_secret"
HEADLINE = 7

MARKS = {"owner_added": 1.0, "publisher_changed": 1.0, "reply_address": 2.0, "federated_credential": 2.0,
         "trust_domain": 3.0}  # fmt: skip
"""What was changed; with the last three somebody else can get its tokens."""


def value(view: View) -> float:
    """Weight of the widest mark, plus the bits by which the call is new; 0 without a mark."""
    return marked(view, MARKS)


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, f"changes the way into an app ({marks(view, MARKS)})")
