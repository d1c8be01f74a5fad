"""Fits the scorecard: gradient boosting without interactions, monotone, exported as step functions.

Each tree of scikit-learn's HistGradientBoostingClassifier with `interaction_cst="no_interactions"` splits on
one signal only, so the sum of the trees is a sum of one step function per signal: the same function as tables.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from nhi_watch.signals import NAMES
from nhi_watch.training.matrix import Matrix

SETTINGS: dict[str, Any] = {
    "max_iter": 300,
    "learning_rate": 0.08,
    "max_leaf_nodes": 4,
    "min_samples_leaf": 10,
    "l2_regularization": 2.0,
    "max_bins": 64,
    "early_stopping": False,
    "interaction_cst": "no_interactions",
    "random_state": 0,
}
POSITIVE_SHARE = 0.2
"""Weight of all incidents together in training, so that rare ones shape the steps; calibration undoes it."""
PREVALENCE = 0.0075
"""Share of identity-days with an incident at which the probability is true. Training tenants are denser on
purpose, life is thinner: there the score reads as an order, and the reliability curve of the evaluation applies."""

Array = npt.NDArray[np.float64]


class Steps(NamedTuple):
    """One signal's step function."""

    edges: list[float]
    points: list[float]
    cannot_tell: float


class Fitted(NamedTuple):
    """Everything that goes into a scorecard."""

    estimator: HistGradientBoostingClassifier
    steps: list[Steps]
    intercept: float
    slope: float
    offset: float


def fit(matrix: Matrix) -> Fitted:
    """The scorecard of a matrix; calibrated on tenants that each fold has not seen."""
    slope, offset = _calibrate(matrix)
    estimator = _estimator(matrix)
    steps, intercept = export(estimator)
    return Fitted(estimator, steps, intercept, slope, offset)


def _estimator(matrix: Matrix) -> HistGradientBoostingClassifier:
    estimator = HistGradientBoostingClassifier(monotonic_cst=[1] * len(NAMES), **SETTINGS)
    return estimator.fit(matrix.x, matrix.y, sample_weight=at_prevalence(matrix, POSITIVE_SHARE))


def at_prevalence(matrix: Matrix, share: float) -> Array:
    """Weights under which incidents have this share of the whole."""
    positive = matrix.weight[matrix.y == 1].sum()
    negative = matrix.weight[matrix.y == 0].sum()
    factor = share / (1 - share) * negative / positive
    return np.where(matrix.y == 1, matrix.weight * factor, matrix.weight)


def _calibrate(matrix: Matrix) -> tuple[float, float]:
    """Slope and offset after Platt (1999), on scores of tenants left out in turn, at PREVALENCE.

    Real techniques were added on purpose, so they have no prevalence: they are left out here.
    """
    scores = np.zeros(len(matrix.y))
    tenants = sorted(set(matrix.tenant.tolist()))
    for fold in range(4):
        out = np.isin(matrix.tenant, tenants[fold::4])
        scores[out] = _estimator(matrix.only(~out)).decision_function(matrix.x[out])
    lived = matrix.lived
    platt = LogisticRegression(C=1e6)
    platt.fit(scores[lived, None], matrix.y[lived], sample_weight=at_prevalence(matrix.only(lived), PREVALENCE))
    return float(platt.coef_[0, 0]), float(platt.intercept_[0])


def export(estimator: HistGradientBoostingClassifier) -> tuple[list[Steps], float]:
    """Step functions and intercept of a fitted estimator, unrounded."""
    trees: dict[int, list[Any]] = {index: [] for index in range(len(NAMES))}
    intercept = float(np.ravel(estimator._baseline_prediction)[0])
    for (predictor,) in estimator._predictors:
        nodes = predictor.nodes
        if nodes[0]["is_leaf"]:
            intercept += float(nodes[0]["value"])
        else:
            trees[int(nodes[0]["feature_idx"])].append(nodes)
    return [_steps(trees[index]) for index in range(len(NAMES))], intercept


def _steps(trees: list[Any]) -> Steps:
    edges = sorted({float(n["num_threshold"]) for nodes in trees for n in nodes if not n["is_leaf"]})
    inside = [*edges, (edges[-1] if edges else 0.0) + 1.0]
    points = [sum(_walk(nodes, value) for nodes in trees) for value in inside]
    return Steps(edges, points, sum(_walk(nodes, np.nan) for nodes in trees))


def _walk(nodes: Any, value: float) -> float:
    node = nodes[0]
    while not node["is_leaf"]:
        left = bool(node["missing_go_to_left"]) if np.isnan(value) else value <= node["num_threshold"]
        node = nodes[node["left"] if left else node["right"]]
    return float(node["value"])
