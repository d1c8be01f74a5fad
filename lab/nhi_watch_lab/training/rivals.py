"""What needs a library among the rivals of the evaluation; never part of scoring.

`LARGEST` bounds what the detectors that are fitted anew each day learn from: the latest rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest

from nhi_watch_lab.training.rows import Rows as Days

LARGEST = 20_000
DIGITS = 9
Rows = Sequence[Sequence[float]]
Anomalies = Callable[[Rows], list[float]]
"""Rows of a day → how anomalous each is, the larger the more."""


def forest(past: Rows) -> Anomalies:
    """Isolation forest (Liu, Ting and Zhou 2008), of scikit-learn, fitted on rows of the past."""
    fitted = IsolationForest(n_estimators=100, random_state=0).fit(_array(past))
    return lambda today: _rounded(-fitted.score_samples(_array(today)))


def ecod(past: Rows) -> Anomalies:
    """Empirical cumulative distributions (Li et al. 2022, ECOD), of PyOD."""
    from pyod.models.ecod import ECOD

    return _fitted(ECOD(n_jobs=1), past)


def hbos(past: Rows) -> Anomalies:
    """Histograms (Goldstein and Dengel 2012, HBOS), of PyOD, the number of bins chosen by its rule."""
    from pyod.models.hbos import HBOS

    return _fitted(HBOS(n_bins="auto"), past)


def _fitted(detector: Any, past: Rows) -> Anomalies:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # columns without variance are life, not news
        detector.fit(_array(past))

    def anomalies(today: Rows) -> list[float]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _rounded(detector.decision_function(_array(today)))

    return anomalies


def _array(rows: Rows) -> npt.NDArray[np.float64]:
    return np.asarray(rows[-LARGEST:], dtype=float)


def _rounded(scores: npt.NDArray[np.float64]) -> list[float]:
    return [round(float(score), DIGITS) for score in scores]


class HalfSpaceTrees:
    """Half-space trees (Tan, Ting and Liu 2011), of river, on columns scaled to what was seen so far."""

    def __init__(self) -> None:
        from river import anomaly, preprocessing

        self._scale: Any = preprocessing.MinMaxScaler()
        self._trees: Any = anomaly.HalfSpaceTrees(n_trees=25, height=8, window_size=250, seed=0)

    def score(self, row: Sequence[float]) -> float:
        """Between 0 and 1."""
        return round(float(self._trees.score_one(self._scale.transform_one(dict(enumerate(row))))), DIGITS)

    def learn(self, row: Sequence[float]) -> None:
        """Take in one row."""
        values = dict(enumerate(row))
        self._scale.learn_one(values)
        self._trees.learn_one(self._scale.transform_one(values))


class Boosting:
    """Gradient boosting on the scorecard's own signals and training rows, without its restrictions.

    No monotone constraint, and any interaction. The settings are the best of seven tried on training tenants
    left out in turn (average precision 0.927; 8 to 31 leaves and 100 to 600 trees differ by 0.01).
    """

    def __init__(self, worlds: Sequence[Days]) -> None:
        from nhi_watch_lab.training.fit import POSITIVE_SHARE, days_of

        days = days_of(worlds, [rows.values for rows in worlds], POSITIVE_SHARE)
        self._estimator = HistGradientBoostingClassifier(
            max_iter=300, learning_rate=0.05, max_leaf_nodes=31, min_samples_leaf=20, early_stopping=False,
            random_state=0,
        )  # fmt: skip
        self._estimator.fit(days.x, days.y, sample_weight=days.weight)

    def score(self, rows: Sequence[Sequence[Optional[float]]]) -> list[float]:
        """Log-odds of each row of signal values."""
        if not rows:
            return []
        values = np.array([[np.nan if v is None else v for v in row] for row in rows], dtype=float)
        return _rounded(self._estimator.decision_function(values))
