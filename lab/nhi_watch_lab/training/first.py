"""The model of a tenant's first day: the trees of all days, and some more that were grown on first days alone.

On a first day everything is new, so what separates a theft from ordinary work is what was done, not that it is new. The
trees of all days know little of that: almost all of their days have a history. So boosting continues from their
log-odds on first days, with few small trees, each fitted to the gradient by Newton's method (Friedman, Hastie and
Tibshirani 2000). Then the sum is calibrated (Platt 1999), each generator's first days by trees that never saw it,
incidents weighed to FIRST_PREVALENCE.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.tree import DecisionTreeRegressor

from nhi_watch.detect.forest import DIGITS
from nhi_watch_lab.training.fit import POSITIVE_SHARE, Days, First, FirstDays, log_odds, platt
from nhi_watch_lab.training.rows import Floats

FIRST_PREVALENCE = 0.018
"""Share of a first day's identities with an incident at which the likelihood is true: people try a product on a file
that they have doubts about. As high as leaves every benign log of the training half below medium severity."""
TREES, LEAVES, RATE, SMALLEST = 20, 4, 0.1, 20
"""Chosen with generators left out (decision 28)."""
LEAST_SLOPE = 0.1


def fitted(families: Sequence[FirstDays], slope: float, offset: float) -> tuple[float, First]:
    """The offset of the first reading and the second reading of first days; those of all days where families are too
    few to be held apart.

    The higher of two likelihoods, each true in the mean, would be too high: both are lowered by the same log-odds.
    """
    if len({family.hand for family in families if family.bad.any()}) < 2:
        return offset, First((), slope, offset)
    scored = list[FirstDays]()
    families = sorted(families, key=lambda family: family.hand)
    for hand, some in groupby(families, key=lambda family: family.hand):
        trees, times = grown([family for family in families if family.hand != hand])
        scored += (each._replace(log_odds=times * (each.log_odds + log_odds(trees, each.x))) for each in some)
    y, weight = _truth(families, FIRST_PREVALENCE)
    all_days = slope * np.concatenate([family.log_odds for family in families])
    first_offset = _offset(all_days, y, weight)
    rising, more = _platt(scored, FIRST_PREVALENCE)
    first_days = rising * np.concatenate([family.log_odds for family in scored]) + more
    lowered = _offset(np.maximum(all_days + first_offset, first_days), y, weight)
    trees, times = grown(families)
    return round(first_offset + lowered, 4), First(tuple(trees), round(rising * times, 4), round(more + lowered, 4))


def _offset(odds: Floats, y: Floats, weight: Floats) -> float:
    """What makes log-odds true in the mean."""
    return float(brentq(lambda more: float(weight @ (expit(odds + more) - y)), -20.0, 20.0))


def grown(families: Sequence[FirstDays]) -> tuple[list[Any], float]:
    """Trees to be added to those of all days, and the slope of the sum, before it is calibrated."""
    x = np.concatenate([family.x for family in families])
    before = np.concatenate([family.log_odds for family in families])
    y, weight = _truth(families, POSITIVE_SHARE)
    slope, offset = _platt(families, POSITIVE_SHARE)
    odds, trees = slope * before + offset, list[Any]()
    for _ in range(TREES):
        p = expit(odds)
        curvature = np.maximum(p * (1 - p), 1e-6)
        tree = DecisionTreeRegressor(
            max_leaf_nodes=LEAVES, min_samples_leaf=SMALLEST, random_state=0, monotonic_cst=[1] * x.shape[1]
        )
        tree.fit(x, np.clip((y - p) / curvature, -4.0, 4.0), sample_weight=weight * curvature)
        trees.append(_plain(tree.tree_, 0, RATE / slope))
        odds = slope * (before + log_odds(trees, x)) + offset
    return trees, slope


def _truth(families: Sequence[FirstDays], share: float) -> tuple[Floats, Floats]:
    """Whether each day is part of an incident, and its weight: incidents together are `share` of all.

    Days weigh the same, not families: long thefts are few there, and what is like them are real installations.
    """
    y = np.concatenate([family.bad for family in families]).astype(float)
    return y, np.where(y == 1, share * len(y) / y.sum(), (1 - share) * len(y) / (1 - y).sum())


def _platt(families: Sequence[FirstDays], share: float) -> tuple[float, float]:
    """Platt's slope and offset; a slope below LEAST_SLOPE would turn reasons round."""
    x = np.concatenate([family.log_odds for family in families])
    y, weight = _truth(families, share)
    slope, offset = platt(Days(x[:, None], y, weight))
    return (slope, offset) if slope >= LEAST_SLOPE else (LEAST_SLOPE, _offset(LEAST_SLOPE * x, y, weight))


def _plain(tree: Any, at: int, times: float) -> Any:
    """The tree as the file has it, leaves times a factor."""
    if tree.children_left[at] < 0:
        return round(float(tree.value[at].ravel()[0]) * times, DIGITS)
    sides = (_plain(tree, int(side[at]), times) for side in (tree.children_left, tree.children_right))
    return [int(tree.feature[at]), round(float(tree.threshold[at]), 3), *sides]
