"""Isolation forest on plain numbers, a rival in the evaluation; never part of scoring."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import IsolationForest

TREES = 100
LARGEST = 20_000
"""Rows that are learnt from; the latest ones."""


def anomalies(past: Sequence[Sequence[float]], today: Sequence[Sequence[float]]) -> list[float]:
    """How anomalous each row of today is, the larger the more, after Liu, Ting and Zhou (2008)."""
    forest = IsolationForest(n_estimators=TREES, random_state=0)
    forest.fit(np.asarray(past[-LARGEST:], dtype=float))
    return [round(-float(score), 9) for score in forest.score_samples(np.asarray(today, dtype=float))]
