"""Invokes generative models, as this identity does not do."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, in_class

NAME = "model_invocation"
TITLE = "Model invocation"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1496.004",)
CONTROL = "rotate_secret"
HEADLINE = 18


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it is of this kind."""
    return in_class(view, "model_invocation")


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "spends on model invocation")
