"""Reads secrets or passwords, as this identity does not do."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, in_class

NAME = "secret_reading"
TITLE = "Secret read"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1555.006",)
CONTROL = "rotate_secret"
HEADLINE = 20


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it is of this kind."""
    return in_class(view, "secret_reading")


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "reads secrets")
