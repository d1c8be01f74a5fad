"""A person at work (console session, MFA) with an identity that machines use."""

from __future__ import annotations

from nhi_watch.detect.features import KNOWN_DAYS, SOMETIMES, View, by_hand, human_history

NAME = "human_use"
TITLE = "Human use of a machine identity"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("NHI10:2025", "DE.CM-03")
CONTROL = "rotate_secret"
HEADLINE = 3


def value(view: View) -> float | None:
    """Bits by which a person is unexpected where a machine's history is known; None before it is."""
    if not by_hand(view.shape) or view.shape.identity.human:
        return 0.0
    if view.past.own.days < KNOWN_DAYS:
        return None
    return 0.0 if human_history(view.past) > SOMETIMES else view.past.bits("human", "yes")


def evidence(view: View) -> str:
    """One sentence."""
    marks = ", ".join(trait for trait in view.shape.traits if trait in ("console", "mfa"))
    return f"{view.shape.action} was done by a person ({marks}) with an identity that machines use"
