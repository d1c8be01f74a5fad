"""Rivals that learn, over the same signal values as ours: histograms of a tenant's own days, and boosting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from nhi_watch.detect.model import BINS, bin_of
from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.evaluation.exams import Replayed
from nhi_watch_lab.evaluation.rivals import Scores
from nhi_watch_lab.training.fit import POSITIVE_SHARE, Days, tested, weighed
from nhi_watch_lab.training.rows import Floats, Rows

DIGITS = 9
"""Numbers are rounded, so that ties are ties."""


class Histograms:
    """How rare each signal's bin is among the tenant's days so far, added up (Goldstein and Dengel 2012, HBOS)."""

    name = "histograms_on_signals"

    def __init__(self) -> None:
        self._seen = np.ones((len(NAMES), BINS))

    def score(self, day: Sequence[Replayed]) -> Scores:
        """The sum of surprisals, less that of a day without any signal."""
        share = self._seen / self._seen.sum(1, keepdims=True)
        worth = np.log(share[:, :1]) - np.log(share)
        return {item.ranked.identity_id: round(float(sum(worth[at, bin] for at, bin in _bins(item))), DIGITS)
                for item in day}  # fmt: skip

    def learn(self, day: Sequence[Replayed]) -> None:
        """Count the day's bins."""
        self._seen[:, 0] += len(day)
        for item in day:
            for at, bin in _bins(item):
                self._seen[at, 0] -= 1
                self._seen[at, bin] += 1


def _bins(item: Replayed) -> list[tuple[int, int]]:
    return [(at, bin_of(value) or 0) for at, value in enumerate(item.episode.values) if value]


class Boosting:
    """Gradient boosting over signal values, of the same training days as our model, without its restrictions.

    No monotone constraint, no tenant of its own. The settings are the best of seven tried on training tenants left out
    in turn (8 to 31 leaves and 100 to 600 trees differ by 0.01 in average precision).
    """

    name = "boosting_on_signals"

    def __init__(self, worlds: Sequence[Rows]) -> None:
        parts = [weighed(rows, rows.values, tested(rows), POSITIVE_SHARE) for rows in worlds]
        whole = Days(*(np.concatenate(column) for column in zip(*parts)))
        self._trees = HistGradientBoostingClassifier(
            max_iter=300, learning_rate=0.05, max_leaf_nodes=31, min_samples_leaf=20, early_stopping=False,
            random_state=0,
        )  # fmt: skip
        self._trees.fit(whole.x, whole.y, sample_weight=whole.weight)

    def score(self, day: Sequence[Replayed]) -> Scores:
        """Log-odds above the least of the day: it has no floor of its own."""
        if not day:
            return {}
        odds: npt.NDArray[np.float64] = self._trees.decision_function(_rows(day))
        return {item.ranked.identity_id: round(float(told - odds.min()), DIGITS) for item, told in zip(day, odds)}

    def learn(self, day: Sequence[Replayed]) -> None:
        """It is trained beforehand."""


def _rows(day: Sequence[Replayed]) -> Floats:
    def number(value: Optional[float]) -> float:
        return np.nan if value is None else value

    return np.array([[number(value) for value in item.episode.values] for item in day], dtype=float)
