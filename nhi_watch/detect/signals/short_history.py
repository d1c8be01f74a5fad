"""How little of the tenant is known: what is news weighs otherwise where nearly all is news."""

from __future__ import annotations

from nhi_watch.detect.features import KNOWN_FROM, View

NAME = "short_history"
TITLE = "Tenant hardly known"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ()
CONTROL = "rotate_secret"


def value(view: View) -> float:
    """Days of history that are lacking; no reason by itself: it says which card holds."""
    return float(view.past.lacking_days)


def evidence(view: View) -> str:
    """One sentence."""
    return f"{KNOWN_FROM - view.past.lacking_days} days of the tenant's history are known, so nearly everything is new"
