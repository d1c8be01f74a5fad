"""A workload that lives in a cloud, a private network or a service shows up elsewhere."""

from __future__ import annotations

from nhi_watch.detect.features import View

NAME = "moved_outside"
TITLE = "Left its kind of network"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1078.004", "NHI2:2025")
CONTROL = "rotate_secret"
NEEDS = ("network",)
DIMENSION = "network"
PLACE = 2


HOME = ("private", "service")


def value(view: View) -> float | None:
    """Bits by which the operator is new, where the identity has a home of another kind; None without history."""
    if not view.past.own.days:
        return None
    return view.owner if view.remote and view.network_facts.kind not in HOME else 0.0


def evidence(view: View) -> str:
    """One sentence."""
    usual = ", ".join(sorted(view.past.own.dimension("owner").values)[:3]) or "nowhere known"
    return f"usually from {usual}, now from {view.network_facts.owner or view.shape.network}"
