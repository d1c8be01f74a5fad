"""A call that is new not only for the identity: hardly anybody in the tenant makes it."""

from __future__ import annotations

from nhi_watch.signals._kit import rarity
from nhi_watch.view import NOVEL, View

NAME = "unknown_call"
TITLE = "Call unknown in the tenant"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ()
CONTROL = "reduce_privilege"


def value(view: View) -> float | None:
    """Surprisal in bits for the tenant, where it is new for the identity; None before anything was learnt."""
    if view.past.blank:
        return None
    return view.past.tenant_bits("action", view.shape.action) if view.action >= NOVEL else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    bits = view.past.tenant_bits("action", view.shape.action)
    return f"call {view.shape.action} is {rarity(bits)} in the whole tenant"
