"""An anonymising or badly reputed network that is not the identity's own."""

from __future__ import annotations

from nhi_watch.detect.features import View

NAME = "risky_network"
TITLE = "Risky network"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1090",)
CONTROL = "rotate_secret"
NEEDS = ("network",)
DIMENSION = "network"


RISK = {"tor": 3.0, "bad": 3.0, "vpn": 2.0, "hosting": 1.0}
"""By kind of network: who would operate a machine identity from there?"""


def value(view: View) -> float | None:
    """0 for a known operator; 1 hosting, 2 VPN, 3 Tor or a listed network."""
    if view.past.blank and RISK.get(view.network_facts.kind, 0.0) < 2.0:
        return None
    return RISK.get(view.network_facts.kind, 0.0) if view.owner or view.past.blank else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    facts = view.network_facts
    return f"{view.shape.network} belongs to {facts.owner or 'an unknown operator'}, a {facts.kind} network new here"
