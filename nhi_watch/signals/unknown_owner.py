"""An operator of networks that is new not only for the identity: nobody in the tenant works from there."""

from __future__ import annotations

from nhi_watch.signals._kit import rarity
from nhi_watch.view import NOVEL, ORDINARY, View

NAME = "unknown_owner"
TITLE = "Operator unknown in the tenant"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1078.004",)
CONTROL = "rotate_secret"


def value(view: View) -> float | None:
    """Surprisal in bits for the tenant, where it is new for the identity; None before anything was learnt."""
    if view.past.blank:
        return None
    bits = view.past.tenant_bits("owner", view.network_facts.owner) if view.owner >= NOVEL else 0.0
    return bits if bits >= ORDINARY else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    bits = view.past.tenant_bits("owner", view.network_facts.owner)
    return f"operator {view.network_facts.owner} is {rarity(bits)} in the whole tenant"
