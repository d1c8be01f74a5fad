"""How an evaluation counts a detector's day, and the figures that follow: one set for ours and all rivals.

Benign notables compete for the budget; the notables of other incidents use none of it. A tie counts against
the detector. Only the day's own episodes count, so nothing is found with hindsight.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

BUDGETS = (10.0, 3.0, 1.0)
"""Notables a day per 1,000 identities."""
RESAMPLES = 1000
BINS = 10

Rank = tuple[float, ...]
"""What a day is ordered by; larger comes first."""


class Entry(NamedTuple):
    """One identity's day, as far as counting needs it."""

    rank: Rank
    incidents: frozenset[str]
    """The incidents whose records it holds; none: benign."""
    written: bool
    """Whether the detector would write it, given room: its score reaches the floor."""


def rivals_above(entry: Entry, day: Iterable[Entry]) -> int:
    """How many benign entries of the day rank at or above this one.

    >>> bad = Entry((0.5,), frozenset({"a"}), True)
    >>> rivals_above(bad, [bad, Entry((0.5,), frozenset(), True), Entry((0.4,), frozenset(), True)])
    1
    """
    return sum(1 for e in day if e.written and not e.incidents and e.rank >= entry.rank)


def places(day: Sequence[Entry]) -> dict[str, int]:
    """Incident → the fewest benign entries at or above one of its episodes.

    An entry that holds several incidents stands for none of them, and one that would not be written neither.
    """
    best: dict[str, int] = {}
    for entry in day:
        if entry.written and len(entry.incidents) == 1:
            (name,) = entry.incidents
            above = rivals_above(entry, day)
            best[name] = min(best.get(name, above), above)
    return best


def average_precision(scored: Iterable[tuple[float, bool]]) -> float:
    """Mean precision over the positives, equal scores taken together (as scikit-learn's does); 0 without any.

    >>> average_precision([(3.0, True), (2.0, False), (1.0, True)])
    0.8333
    """
    groups: dict[float, list[int]] = {}
    for score, positive in scored:
        group = groups.setdefault(score, [0, 0])
        group[0] += positive
        group[1] += 1
    hits = seen = 0
    area = 0.0
    for score in sorted(groups, reverse=True):
        positives, size = groups[score]
        hits, seen = hits + positives, seen + size
        area += positives * hits / seen
    return round(area / hits, 4) if hits else 0.0


def interval(hits: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """The middle 95% of means over RESAMPLES bootstrap samples (Efron 1979); seeded.

    >>> interval([1.0, 1.0]), interval([])
    ((1.0, 1.0), (0.0, 0.0))
    """
    if not hits:
        return 0.0, 0.0
    dice, size = random.Random(seed), len(hits)
    means = sorted(sum(dice.choices(hits, k=size)) / size for _ in range(RESAMPLES))
    cut = RESAMPLES * 25 // 1000
    return round(means[cut], 4), round(means[-1 - cut], 4)


def recall(found: Sequence[bool]) -> dict[str, Any]:
    """Recall with its interval.

    >>> recall([True, True])
    {'incidents': 2, 'found': 2, 'recall': 1.0, 'interval': [1.0, 1.0]}
    """
    share = round(sum(found) / len(found), 4) if found else 0.0
    return {"incidents": len(found), "found": sum(found), "recall": share,
            "interval": list(interval([float(f) for f in found]))}  # fmt: skip


def quantile(values: Iterable[float], share: float) -> float | None:
    """The value that `share` of the values do not exceed; None without values.

    >>> quantile([3, 1, 2], 0.5), quantile([], 0.5)
    (2, None)
    """
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else None


def brier(told: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """Brier score (1950), and its skill over always telling the base rate.

    >>> brier([(1.0, True), (0.0, False)])
    {'n': 2, 'base_rate': 0.5, 'brier': 0.0, 'skill': 1.0}
    """
    if not told:
        return {"n": 0, "base_rate": 0.0, "brier": 0.0, "skill": 0.0}
    base = sum(hit for _, hit in told) / len(told)
    score = sum((p - hit) ** 2 for p, hit in told) / len(told)
    plain = base * (1 - base)
    skill = round(1 - score / plain, 4) if plain else 0.0
    return {"n": len(told), "base_rate": round(base, 6), "brier": round(score, 6), "skill": skill}


def calibration(told: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """Expected calibration error in BINS equal-mass bins, and the reliability curve.

    Equal probabilities keep the order in which they lie: hits after misses, so that a bin's edge inside a tie
    cannot flatter.

    >>> calibration([(0.5, True), (0.5, False)])["error"]
    0.5
    """
    ordered = sorted(told)
    count = min(BINS, len(ordered)) or 1
    cuts = [round(i * len(ordered) / count) for i in range(count + 1)]
    bins = [_bin(ordered[a:b]) for a, b in zip(cuts, cuts[1:]) if b > a]
    error = sum(b["n"] * abs(b["told"] - b["held"]) for b in bins) / max(1, len(ordered))
    return {"n": len(ordered), "error": round(error, 4), "bins": bins}


def _bin(part: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    size = len(part)
    return {"n": size, "told": round(sum(p for p, _ in part) / size, 4),
            "held": round(sum(hit for _, hit in part) / size, 4)}  # fmt: skip


def mix(severities: Iterable[str]) -> Mapping[str, int]:
    """Severity → how often, all named, the worst first.

    >>> mix(["low"])
    {'critical': 0, 'high': 0, 'medium': 0, 'low': 1, 'informational': 0}
    """
    counts = dict.fromkeys(("critical", "high", "medium", "low", "informational"), 0)
    for severity in severities:
        counts[severity] += 1
    return counts
