"""Rivals that learn: an isolation forest over counts of a day, or over our signals; histograms; boosting."""

from __future__ import annotations

from collections.abc import Sequence
from math import log1p
from typing import Optional

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest

from nhi_watch.detect.model import BINS, bin_of
from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.evaluation.rivals import Candidate, Scores
from nhi_watch_lab.training.fit import POSITIVE_SHARE, Days, tested, weighed
from nhi_watch_lab.training.rows import Floats, Rows

DIGITS = 9
"""Numbers are rounded, so that ties are ties."""


class Isolation:
    """How soon random cuts set a day apart from the tenant's days so far (Liu, Ting and Zhou 2008)."""

    name = "isolation forest"

    def __init__(self) -> None:
        self._days: list[Floats] = []
        self._known: dict[str, set[str]] = {}
        """Identity → its actions and networks so far."""

    def score(self, day: Sequence[Candidate]) -> Scores:
        """The anomaly score, above the least of the day: it has no floor of its own."""
        if not day or not self._days:
            return {}
        trees = IsolationForest(n_estimators=100, random_state=0).fit(np.concatenate(self._days))
        worth = -trees.score_samples(self._features(day))
        return {item.identity: round(float(entry - worth.min()), DIGITS) for item, entry in zip(day, worth)}

    def learn(self, day: Sequence[Candidate]) -> None:
        """Keep the day's numbers: trees are grown again when they are asked."""
        if day:
            self._days.append(self._features(day))
        for item in day:
            self._known.setdefault(item.identity, set()).update(*_actions_and_networks(item))

    def _features(self, day: Sequence[Candidate]) -> Floats:
        return np.array([[log1p(count) for count in self._counts(item)] for item in day], dtype=float)

    def _counts(self, item: Candidate) -> list[int]:
        """What notebooks count of a day: calls, refused ones, kinds, networks, clients, things, hours, what is new."""
        behaviours, known = [*item.behaviours.behaviours.values()], self._known.get(item.identity, set())
        actions, networks = _actions_and_networks(item)
        return [
            sum(b.count for b in behaviours),
            sum(b.count for b in behaviours if b.key.error),
            len(actions),
            len(networks),
            len({b.key.agent for b in behaviours}),
            sum(b.touched for b in behaviours),
            len({b.hour for b in behaviours}),
            len(actions - known),
            len(networks - known),
        ]


def _actions_and_networks(item: Candidate) -> tuple[set[str], set[str]]:
    keys = [key for key, _ in item.behaviours.behaviours]
    return {key.action for key in keys}, {key.network for key in keys if key.network}


class IsolationOnSignals(Isolation):
    """The same over the values of our signals."""

    name = "isolation forest on our signals"

    def _features(self, day: Sequence[Candidate]) -> Floats:
        return np.nan_to_num(_rows(day))


class Histograms:
    """How rare each signal's bin is among the tenant's days so far, added up (Goldstein and Dengel 2012, HBOS)."""

    name = "histograms on our signals"

    def __init__(self) -> None:
        self._seen = np.ones((len(NAMES), BINS))

    def score(self, day: Sequence[Candidate]) -> Scores:
        """The sum of surprisals, less that of a day without any signal."""
        share = self._seen / self._seen.sum(1, keepdims=True)
        worth = np.log(share[:, :1]) - np.log(share)
        return {
            item.identity: round(float(sum(worth[at, reached] for at, reached in _bins(item))), DIGITS) for item in day
        }

    def learn(self, day: Sequence[Candidate]) -> None:
        """Count the day's bins."""
        self._seen[:, 0] += len(day)
        for item in day:
            for at, reached in _bins(item):
                self._seen[at, 0] -= 1
                self._seen[at, reached] += 1


def _bins(item: Candidate) -> list[tuple[int, int]]:
    return [(at, bin_of(value) or 0) for at, value in enumerate(item.values) if value]


class Boosting:
    """Gradient boosting over signal values, of the same training days as our model, without its restrictions.

    No monotone constraint, no tenant of its own. The settings are the best of seven tried on training tenants left out
    in turn (8 to 31 leaves and 100 to 600 trees differ by 0.01 in average precision).
    """

    name = "boosting on our signals"

    def __init__(self, worlds: Sequence[Rows]) -> None:
        parts = [weighed(rows, rows.values, tested(rows), POSITIVE_SHARE) for rows in worlds]
        sample = Days(*(np.concatenate(column) for column in zip(*parts)))
        self._trees = HistGradientBoostingClassifier(
            max_iter=300,
            learning_rate=0.05,
            max_leaf_nodes=31,
            min_samples_leaf=20,
            early_stopping=False,
            random_state=0,
        )
        self._trees.fit(sample.x, sample.y, sample_weight=sample.weight)

    def score(self, day: Sequence[Candidate]) -> Scores:
        """Log-odds above the least of the day: it has no floor of its own."""
        if not day:
            return {}
        odds: npt.NDArray[np.float64] = self._trees.decision_function(_rows(day))
        return {item.identity: round(float(text - odds.min()), DIGITS) for item, text in zip(day, odds)}

    def learn(self, day: Sequence[Candidate]) -> None:
        """It is trained beforehand."""


def _rows(day: Sequence[Candidate]) -> Floats:
    def number(value: Optional[float]) -> float:
        return np.nan if value is None else value

    return np.array([[number(value) for value in item.values] for item in day], dtype=float)
