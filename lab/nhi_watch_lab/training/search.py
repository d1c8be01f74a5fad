"""Which pairs of signals earn a place in the scorecard, and whether signals of breadth must be free to fall.

`OMP_NUM_THREADS=1 python -m nhi_watch_lab.training.search` tries on the committed matrix, with tenants left out in
turn, and writes `form.json`. It never looks at a tenant of the evaluation.

The pairs that a boosting of all pairs uses most are candidates; the smallest number of them within NEAR of the best
average precision is taken. The signals of BREADTH are set free if that brings at least WORTH. Breadth counts how
much is new: the largest of many news is large by chance, so more of them may speak for a release. No other signal is
ever free: who does more harm must not score less.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score

from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.training import fit, matrix
from nhi_watch_lab.training.commands import MATRIX
from nhi_watch_lab.training.export import tables, worth
from nhi_watch_lab.training.fit import FORM, PAIR_LEAVES, PREVALENCE, SETTINGS, Form
from nhi_watch_lab.training.matrix import Matrix

BREADTH = ("novel_actions", "fleeting_calls", "service_fan_out", "region_fan_out", "target_fan_out", "novel_classes")
COUNTS = (0, 4, 8, 12, 16, 24)
"""Numbers of pairs that are tried."""
NEAR = 0.004
"""Average precision that is not worth further pairs."""
WORTH = 0.004
"""Average precision that free signals must bring."""


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
    bound, held = _with_pairs(whole, (), told)
    free, loose = _with_pairs(whole, tuple(name for name in BREADTH if name in NAMES), told)
    return free if loose >= held + WORTH else bound


def _with_pairs(whole: Matrix, free: tuple[str, ...], told: Told) -> tuple[Form, float]:
    pairs = candidates(whole, free)
    tried = []
    for count in COUNTS:
        form = Form(tuple(pairs[:count]), free)
        tried.append((form, precision(whole, form)))
        told(*tried[-1])
    best = max(score for _, score in tried)
    return next((form, score) for form, score in tried if score >= best - NEAR)


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
