"""Changes code or configuration that other workloads will run."""

from __future__ import annotations

from nhi_watch.signals._kit import call_sentence, in_class
from nhi_watch.view import View

NAME = "code_for_others"
TITLE = "Code that others run changed"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1648",)
CONTROL = "reduce_privilege"


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it is of this kind."""
    return in_class(view, "code_for_others")


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "changes what others will run")
