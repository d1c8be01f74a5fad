"""The most suspicious identity of some days, for a run that has nothing to list: nobody should read an all-clear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Optional

from nhi_watch.core.timestamps import render_day
from nhi_watch.detect import scoring
from nhi_watch.detect.signals import ABSOLUTE
from nhi_watch.state.baseline import REFUSALS
from nhi_watch.state.state import State, Stored

REASONS = 3
"""Signals that are named: those that need no past come first."""
CALLS = 4
"""Calls that are named: the rarest of the day's, which say more than those that fill it."""


def most_suspicious(state: State, days: Iterable[int]) -> Optional[dict[str, Any]]:
    """Who it was, on which day, how likely that is an intrusion, its signals and its calls; None: nobody acted."""
    candidates = (
        (stored.ranked.likelihood, -day, stored)
        for day in days
        for stored in state.scored(day)
        if stored.ranked.eligible
    )
    likelihood, day, stored = max(
        candidates, key=lambda each: (each[0], each[1], each[2].ranked.identity_id), default=(0.0, 0, None)
    )
    if stored is None or not likelihood:
        return None
    name = stored.ranked.identity_id
    identity_day = state.load_some(-day, [name]).get(name)
    calls, refused = Counter[str](), 0
    for b in identity_day.behaviours.values() if identity_day is not None else ():
        calls[b.key.action] += b.count
        refused += b.count if b.key.outcome in REFUSALS else 0
    return {
        "identity": identity_day.identity.name if identity_day is not None else name,
        "identity_id": name,
        "day": render_day(-day),
        "likelihood": likelihood,
        "signals": _reasons(stored),
        "records": sum(calls.values()),
        "refused": refused,
        "kinds": len(calls),
        "calls": sorted(calls, key=lambda call: (calls[call], call))[:CALLS],
    }


def _reasons(stored: Stored) -> list[str]:
    values = scoring.unpack_values(stored.values) or {}
    heavy = sorted(((name not in ABSOLUTE, -value, name) for name, value in values.items() if value), key=tuple)
    return [name for _, _, name in heavy[:REASONS]]
