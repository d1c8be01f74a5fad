"""Which pairs of signals earn a place in the scorecard, and which signals must be free to fall.

`OMP_NUM_THREADS=1 python -m nhi_watch.training.search` tries on the committed matrix, with tenants left out in
turn, and writes `form.json`. It never looks at a tenant of the evaluation.

1. The pairs that an unbound boosting of pairs uses most are candidates.
2. The smallest number of them within NEAR of the best average precision is taken.
3. A signal of BREADTH is set free if that brings at least WORTH, and again, until none does. Breadth counts how
   much is new: the largest of many is large by chance, so more news of no weight may speak for a release. No other
   signal is ever free: who does more harm must not score less.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score

from nhi_watch.signals import NAMES
from nhi_watch.training import fit, matrix
from nhi_watch.training.commands import MATRIX
from nhi_watch.training.export import tables, worth
from nhi_watch.training.fit import FORM, PAIR_LEAVES, PREVALENCE, SETTINGS, Form
from nhi_watch.training.matrix import Matrix

BREADTH = ("novel_actions", "fleeting_calls", "service_fan_out", "region_fan_out", "target_fan_out", "novel_classes")
COUNTS = (0, 4, 8, 12, 16, 24)
"""Numbers of pairs that are tried."""
NEAR = 0.004
"""Average precision that is not worth further pairs."""
WORTH = 0.004
"""Average precision that a free signal must bring."""


Told = Callable[[Form, float], None]


def precision(whole: Matrix, form: Form) -> float:
    """Average precision on tenants left out in turn, at the stated prevalence, of simulated life."""
    scores, lived = fit.left_out_scores(whole, form), whole.lived
    weights = fit.at_prevalence(whole.only(lived), PREVALENCE)
    return round(float(average_precision_score(whole.y[lived], scores[lived], sample_weight=weights)), 4)


def candidates(whole: Matrix, free: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pairs by how much they move the scores of a boosting of all pairs, the most first."""
    monotone = [0 if name in free else 1 for name in NAMES]
    settings = {**SETTINGS, "max_leaf_nodes": PAIR_LEAVES, "interaction_cst": "pairwise", "monotonic_cst": monotone}
    weights = fit.at_prevalence(whole, fit.POSITIVE_SHARE)
    unbound = HistGradientBoostingClassifier(**settings).fit(whole.x, whole.y, sample_weight=weights)
    moved = {
        grid.signals: float(np.average(np.abs(worth(grid, whole.x)), weights=weights))
        for grid in tables(unbound, len(NAMES)).grids
    }
    ordered = sorted(moved, key=lambda pair: (-moved[pair], pair))
    return [(NAMES[first], NAMES[second]) for first, second in ordered]


def search(whole: Matrix, told: Told) -> Form:
    """The form to take; every try is told with its average precision."""
    form = _with_pairs(whole, (), told)
    freer = _freed(whole, form, told)
    return _with_pairs(whole, freer.free, told) if freer != form else form


def _with_pairs(whole: Matrix, free: tuple[str, ...], told: Told) -> Form:
    pairs = candidates(whole, free)
    tried = [_tried(whole, Form(tuple(pairs[:count]), free), told) for count in COUNTS]
    best = max(score for score, _ in tried)
    return next(form for score, form in tried if score >= best - NEAR)


def _freed(whole: Matrix, form: Form, told: Told) -> Form:
    best = precision(whole, form)
    while True:
        freer = [Form(form.pairs, (*form.free, name)) for name in BREADTH if name in NAMES and name not in form.free]
        tried = [_tried(whole, each, told) for each in freer]
        score, first = max(tried, default=(0.0, form))
        if score < best + WORTH:
            return form
        best, form = score, first


def _tried(whole: Matrix, form: Form, told: Told) -> tuple[float, Form]:
    score = precision(whole, form)
    told(form, score)
    return score, form


def main() -> None:
    """Search, tell each try, and write the form."""

    def told(form: Form, score: float) -> None:
        sys.stdout.write(f"{score:.4f}  {len(form.pairs)} pairs, free: {', '.join(form.free) or 'none'}\n")
        sys.stdout.flush()

    form = search(matrix.read(MATRIX), told)
    plain = {"pairs": [list(pair) for pair in form.pairs], "free": sorted(form.free)}
    FORM.write_text(json.dumps(plain, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()
