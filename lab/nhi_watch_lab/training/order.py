"""Fits the second card, which orders notables, see `nhi_watch.detect.model.order`; the same bytes each time.

Gradient boosting over bins of signal values, of the identity-days that the scorecard finds a little odd; in half of the
worlds attackers pad what they do with harmless calls, so that nobody gains by that. Settings were chosen on validation
worlds (decision 0011).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from nhi_watch.detect.model import load
from nhi_watch.detect.model.order import HASHED, ORDER
from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.training.fit import KNOWN_FROM, POSITIVE_SHARE, Days, Fitted, weighed
from nhi_watch_lab.training.homes import points
from nhi_watch_lab.training.rows import Rows, once
from nhi_watch_lab.training.write import add

TREES, LEAVES, RATE, SMALLEST = 300, 31, 0.05, 5
FLOOR = 0.5
"""Score from which a day is looked at: below the least of a notable, so that there is enough to learn from."""
STEEP = 1.5
"""By how much its log-odds count beside the scorecard's."""


def write(folder: Path, fitted: Fitted, worlds: Sequence[Rows]) -> None:
    """Fit, and write the second card beside the model of a folder, and its hash into the manifest.

    A world that is named several times weighs as much more.
    """
    raw = (json.dumps(document(fit(folder, fitted, worlds)), separators=(",", ":"), sort_keys=True) + "\n").encode()
    add(folder / ORDER, raw, HASHED)


def fit(folder: Path, fitted: Fitted, worlds: Sequence[Rows]) -> HistGradientBoostingClassifier:
    """The trees; `folder` holds the scorecard that says what is odd."""
    card, often, parts = load(folder), Counter(id(rows) for rows in worlds), list[Days]()
    for rows in once(worlds):
        sums = np.round(points(rows, fitted.shares) @ fitted.weights, 2)
        odd = np.array([card.score(float(each)) >= FLOOR for each in sums]) & (rows.day >= KNOWN_FROM)
        days = weighed(rows, np.maximum(rows.bins, 0).astype(float), odd, POSITIVE_SHARE)
        parts.append(days._replace(weight=days.weight * often[id(rows)]))
    whole = Days(*(np.concatenate(column) for column in zip(*parts)))
    trees = HistGradientBoostingClassifier(
        max_iter=TREES, learning_rate=RATE, max_leaf_nodes=LEAVES, min_samples_leaf=SMALLEST, early_stopping=False,
        random_state=0,
    )  # fmt: skip
    return trees.fit(whole.x, whole.y, sample_weight=whole.weight)


def document(trees: HistGradientBoostingClassifier) -> dict[str, Any]:
    """The trees as plain values, rounded so that every host reads the same numbers."""
    base = round(float(np.ravel(trees._baseline_prediction)[0]), 4)
    told = [_preorder(found[0].nodes, 0, []) for found in trees._predictors]
    return {"signals": list(NAMES), "base": base, "steep": STEEP, "trees": told}


def _preorder(nodes: Any, at: int, told: list[Any]) -> list[Any]:
    """A split, all to its left, all to its right; a leaf is its number."""
    node = nodes[at]
    if node["is_leaf"]:
        return [*told, round(float(node["value"]), 4)]
    left = _preorder(nodes, int(node["left"]), [*told, None])
    highest = int(np.floor(node["num_threshold"]))
    left[len(told)] = [int(node["feature_idx"]), highest, len(left)]
    return _preorder(nodes, int(node["right"]), left)
