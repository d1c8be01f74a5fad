"""What if attacks are rarer, or more frequent, than in the evaluation? Each attacked day counts as more or fewer.

Recall under a budget does not depend on it: incidents do not compete with each other. What people see does: how many
of the notables are real, and whether the probability means what it says. `corrected`: the odds are multiplied by the
factor, as verdicts do it (`nhi feedback`; Saerens, Latinne and Decaestecker 2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nhi_watch_lab.evaluation.incidents import Scored
from nhi_watch_lab.evaluation.summary import QUIET_DAYS

FACTORS = (0.01, 0.1, 0.3, 1.0, 3.0)
BINS = 10
Told = Sequence[tuple[float, float, bool]]
"""(probability, weight, whether it was bad)"""


def shift(episodes: Sequence[Scored], written: Sequence[Scored]) -> dict[str, Any]:
    """Factor of prevalence → figures over all episodes and over the notables written."""
    warm = [e for e in episodes if e.day >= QUIET_DAYS]
    notables = [e for e in written if e.day >= QUIET_DAYS]
    return {f"{factor:g}": _at(warm, notables, factor) for factor in FACTORS}


def _at(warm: Sequence[Scored], notables: Sequence[Scored], factor: float) -> dict[str, Any]:
    everything = _weighed(warm, factor)
    told = _weighed(notables, factor)
    corrected = [(_corrected(p, factor), weight, bad) for p, weight, bad in told]
    return {
        "prevalence": round(_share(everything), 6),
        "average_precision": average_precision(everything),
        "precision_of_notables": round(_share(told), 4),
        "calibration_error": calibration_error(told),
        "calibration_error_corrected": calibration_error(corrected),
    }


def _weighed(episodes: Sequence[Scored], factor: float) -> list[tuple[float, float, bool]]:
    return [(e.probability, factor if e.bad else 1.0, e.bad) for e in episodes]


def _share(told: Told) -> float:
    total = sum(weight for _, weight, _ in told)
    return sum(weight for _, weight, bad in told if bad) / total if total else 0.0


def _corrected(probability: float, factor: float) -> float:
    odds = factor * probability
    return odds / (odds + 1 - probability) if probability < 1 else 1.0


def average_precision(told: Told) -> float:
    """Mean precision over the positives, weighed; equal scores taken together.

    >>> average_precision([(0.9, 1.0, True), (0.8, 1.0, False), (0.7, 1.0, True)])
    0.8333
    >>> average_precision([(0.9, 0.5, False), (0.9, 0.5, True)])
    0.5
    """
    groups: dict[float, list[float]] = {}
    for score, weight, bad in told:
        group = groups.setdefault(score, [0.0, 0.0])
        group[0] += weight * bad
        group[1] += weight
    hits = seen = area = 0.0
    for score in sorted(groups, reverse=True):
        positives, size = groups[score]
        hits, seen = hits + positives, seen + size
        area += positives * hits / seen
    return round(area / hits, 4) if hits else 0.0


def calibration_error(told: Told) -> float:
    """Expected calibration error in BINS bins of equal mass.

    >>> calibration_error([(0.5, 1.0, True), (0.5, 3.0, False)])
    0.5
    """
    ordered, total = sorted(told), sum(weight for _, weight, _ in told)
    bins: dict[int, list[tuple[float, float, bool]]] = {}
    before = 0.0
    for each in ordered:
        bins.setdefault(min(BINS - 1, int(before / total * BINS)), []).append(each)
        before += each[1]
    gaps = (abs(sum(weight * (p - bad) for p, weight, bad in part)) for part in bins.values())
    return round(sum(gaps) / total, 4) if total else 0.0
