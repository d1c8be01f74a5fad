"""A person at work (console session, second factor) with an identity that machines use.

Whoever holds a machine's key can sign in to a console with it. It grows with the days on which nobody did, and one such
day makes no habit of it: log2 of active days per day with a hand.
"""

from __future__ import annotations

from math import log2

from nhi_watch.detect.features import ORDINARY, View, by_hand

NAME = "human_use"
TITLE = "Human use of a machine identity"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("NHI10:2025", "DE.CM-03")
CONTROL = "rotate_secret"
HEADLINE = 3


def value(view: View) -> float | None:
    """log2((active days + 1) / (days on which a person was seen + 1)), 0 below 2; None while it has no history."""
    if not by_hand(view.shape) or view.shape.identity.human:
        return 0.0
    own = view.past.own
    if not own.days:
        return None
    seen = own.dimension("human").values.get("yes")
    bits = log2((own.days + 1) / ((seen.days if seen else 0) + 1))
    return bits if bits >= ORDINARY else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    marks = ", ".join(trait for trait in view.shape.traits if trait in ("console", "mfa"))
    return f"{view.shape.action} was done by a person ({marks}) with an identity that machines use"
