"""Makes a credential that outlives the session."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, in_class, on_mark

NAME = "credential_creation"
TITLE = "Credential created"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1098.001",)
CONTROL = "rotate_secret"
HEADLINE = 9

MARKS = frozenset({"deploy_key", "federated_credential", "new_credential", "new_credential_on_app", "orphan_token"})
"""Traits of records that made one, whatever the call is named."""


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it is of this kind."""
    return max(in_class(view, "credential_creation"), on_mark(view, MARKS))


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "makes a credential that outlives the session")
