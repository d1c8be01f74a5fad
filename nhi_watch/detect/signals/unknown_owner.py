"""An operator of networks that is new not only for the identity: nobody in the tenant works from there."""

from __future__ import annotations

from nhi_watch.detect.features import ORDINARY, View
from nhi_watch.detect.signals._kit import in_the_tenant, unknown

NAME = "unknown_owner"
TITLE = "Operator unknown in the tenant"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1078.004",)
CONTROL = "rotate_secret"
NEEDS = ("network",)
DIMENSION = "network"


def value(view: View) -> float | None:
    """Surprisal in bits for the tenant, where it is new for the identity; None before anything was learnt."""
    bits = unknown(view, "owner", view.network_facts.owner)
    return bits if bits is None or bits >= ORDINARY else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    return f"operator {in_the_tenant(view, 'owner', view.network_facts.owner)}"
