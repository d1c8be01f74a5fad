"""A call that is new not only for the identity: hardly anybody in the tenant makes it."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import in_the_tenant, unknown

NAME = "unknown_call"
TITLE = "Call unknown in the tenant"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ()
CONTROL = "reduce_privilege"
DIMENSION = "action"


def value(view: View) -> float | None:
    """Surprisal in bits for the tenant, where it is new for the identity; None before anything was learnt."""
    return unknown(view, "action", view.shape.action)


def evidence(view: View) -> str:
    """One sentence."""
    return f"call {in_the_tenant(view, 'action', view.shape.action)}"
