"""A long-lived key that has been in use for long: the longer, the more places it may have leaked from."""

from __future__ import annotations

from nhi_watch.detect.features import View

NAME = "key_age"
TITLE = "Long-lived key"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("NHI7:2025",)
CONTROL = "rotate_secret"
NEEDS = ("credential",)

UNIT = 30.0
"""Days that count one; the log shows first use, so the true age is at least this."""
NEWS = ("action", "network", "agent", "owner", "region")


def value(view: View) -> float | None:
    """Months since the key was first seen, where something about its use is new; None before any history."""
    if not view.shape.credential or not any(getattr(view, name) for name in NEWS):
        return 0.0
    return None if view.past.blank else min(24.0, _days(view) / UNIT)


def _days(view: View) -> int:
    seen = view.past.own.dimension("credential").values.get(view.shape.credential)
    return view.past.today - seen.first if seen is not None else 0


def evidence(view: View) -> str:
    """One sentence."""
    return f"key {view.shape.credential} has been in use for at least {_days(view)} days"
