"""A network that is new not only for the identity: nobody in the tenant works from there."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import in_the_tenant, unknown

NAME = "unknown_network"
TITLE = "Network unknown in the tenant"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1078.004",)
CONTROL = "rotate_secret"
NEEDS = ("network",)
DIMENSION = "network"
PLACE = 4


def value(view: View) -> float | None:
    """Surprisal in bits for the tenant, where it is new for the identity; None before anything was learnt."""
    return unknown(view, "network", view.shape.network)


def evidence(view: View) -> str:
    """One sentence."""
    return f"network {in_the_tenant(view, 'network', view.shape.network)}"
