"""A client program that is new not only for the identity: hardly anybody in the tenant uses it."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import in_the_tenant, unknown

NAME = "unknown_agent"
TITLE = "Client program unknown in the tenant"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ()
CONTROL = "rotate_secret"
NEEDS = ("agent",)
DIMENSION = "agent"


def value(view: View) -> float | None:
    """Surprisal in bits for the tenant, where it is new for the identity; None before anything was learnt."""
    return unknown(view, "agent", view.shape.agent)


def evidence(view: View) -> str:
    """One sentence."""
    return f"client {in_the_tenant(view, 'agent', view.shape.agent)}"
