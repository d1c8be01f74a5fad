"""New in several dimensions at once: call, place, program, region."""

from __future__ import annotations

from nhi_watch.detect.features import View

NAME = "joint_novelty"
TITLE = "New in several ways at once"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1078.004",)
CONTROL = "rotate_secret"


CAP = 8.0


def value(view: View) -> float:
    """Sum of the bits of each dimension, each cut at 8."""
    told = (view.action, view.owner, view.network * 0.5, view.agent, view.region, view.service * 0.5)
    return sum(min(bits, CAP) for bits in told)


def evidence(view: View) -> str:
    """One sentence."""
    names = ("action", "owner", "network", "agent", "region", "service")
    new = [name.replace("owner", "operator") for name in names if getattr(view, name)]
    return f"{view.shape.action}: unusual in {', '.join(new) or 'nothing'} at once"
