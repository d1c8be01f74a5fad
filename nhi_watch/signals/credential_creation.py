"""Makes a credential that outlives the session."""

from __future__ import annotations

from nhi_watch.signals._kit import call_sentence, in_class
from nhi_watch.view import View

NAME = "credential_creation"
TITLE = "Credential created"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1098.001",)
CONTROL = "rotate_secret"


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it is of this kind."""
    return in_class(view, "credential_creation")


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "makes a credential that outlives the session")
