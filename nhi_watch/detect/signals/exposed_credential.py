"""A scanner or the provider says that a credential of this identity lies in the open."""

from __future__ import annotations

from nhi_watch.detect.features import View

NAME = "exposed_credential"
TITLE = "Credential found in the open"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("NHI2:2025", "T1552")
CONTROL = "rotate_secret"
HEADLINE = 2

FOUND = {"secret_alert": 1.0, "verified": 2.0, "public": 1.0}
"""It was found; it works; everybody can read it."""


def value(view: View) -> float:
    """Sum of what is told of the find; 0 where none is told, or it is settled."""
    traits = view.shape.traits
    if "secret_alert" not in traits or "resolved" in traits:
        return 0.0
    return sum(FOUND.get(trait, 0.0) for trait in traits)


def evidence(view: View) -> str:
    """One sentence."""
    how = ", ".join(trait.replace("_", " ") for trait in view.shape.traits if trait in FOUND)
    return f"{view.shape.action} tells that a credential lies in the open ({how})"
