"""Fits the scorecard over many worlds: evidence of attacks, the world's habits, weights, and the calibration.

Shares are counts. Weights say which part of a signal's points counts beside what other signals say of the same: a
logistic regression without negative weights over points at home, by scipy's bounded L-BFGS (Byrd et al. 1995), each
incident with the same weight whatever its days. The calibration is Platt's (1999), by scikit-learn, over sums of
worlds that each fold left out, at PREVALENCE.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from nhi_watch.detect.home import HISTORY
from nhi_watch.detect.model import BINS
from nhi_watch_lab.training.homes import KINDS, Shares, points_of
from nhi_watch_lab.training.rows import Bools, Floats, Rows

AGES = (0, 3, 7, 14)
"""Days of history of a tenant for which the world's habits are told apart."""
KNOWN_FROM = 5
"""Days of history of a world from which its days are fitted on."""
ENOUGH = 25
"""Identity-days that a world must have for its habits to be taken."""
POSITIVE_SHARE = 0.2
"""Weight of all incidents together, so that rare ones shape the weights; calibration undoes it."""
RIDGE = 0.003
"""How much a weight far from USUAL must earn: chosen on validation worlds, techniques left out (decision 0011)."""
USUAL = 0.2
UNSEEN_ATTACK = 0.05
"""Share of days of attack that is assumed of a signal which no attack of the training worlds shows (a listed address, a
tool of attackers, a key that its provider has quarantined): what the simulator leaves out is not worth nothing."""
UNSEEN_WEIGHT = 0.5
PREVALENCE = 0.0075
"""Share of identity-days with an incident at which the probability is true."""
FOLDS = 4


class Fitted(NamedTuple):
    """Everything that goes into a scorecard."""

    shares: Shares
    weights: Floats
    slope: float
    offset: float


def fit(worlds: Sequence[Rows]) -> Fitted:
    """The scorecard of some worlds."""
    shares = shares_of(worlds)
    found = points_of(worlds, shares)
    weights = np.where(_unseen(shares), UNSEEN_WEIGHT, weights_of(worlds, found))
    return Fitted(_assumed(shares), np.asarray(np.round(weights, 2), dtype=float), *_calibration(worlds))


def _unseen(shares: Shares) -> Bools:
    return np.asarray(shares.attack[:, 1] == 0)


def _assumed(shares: Shares) -> Shares:
    """The evidence, with an assumption where there is none."""
    attack = shares.attack.copy()
    attack[_unseen(shares), 1:] = UNSEEN_ATTACK
    return shares._replace(attack=attack)


def shares_of(worlds: Sequence[Rows]) -> Shares:
    """Evidence and habits of some worlds."""
    return Shares(_attack(worlds), AGES, np.array([_habits(worlds, kind) for kind in range(KINDS)]))


def _attack(worlds: Sequence[Rows]) -> Floats:
    """Signals × bins: share of days of attack that reach a bin; each technique and origin weighs the same."""
    days = [(rows.bins[at], rows.technique[at]) for rows in worlds for at in np.flatnonzero(_warm(rows) & rows.bad)]
    alike = Counter(technique for _, technique in days)
    weights = np.array([1 / alike[technique] for _, technique in days])
    return _reached(np.array([bins for bins, _ in days]), weights)


def _warm(rows: Rows) -> Bools:
    return np.asarray(rows.day >= AGES[1])


def _habits(worlds: Sequence[Rows], kind: int) -> Floats:
    """Ages × signals × bins: the mean over worlds of the share of ordinary days that reach a bin."""
    found: list[Floats] = []
    for low, high in zip(AGES, (*AGES[1:], 10**6)):
        told = [_habit(rows, kind, (low, high)) for rows in worlds]
        known = [share for share in told if share is not None]
        found.append(np.mean(known, axis=0) if known else found[-1] if found else _all_of(worlds))
    return np.array(found)


def _habit(rows: Rows, kind: int, span: tuple[int, int]) -> Floats | None:
    known = rows.own_days >= min(HISTORY, span[0])
    mask = ~rows.bad & (rows.day >= span[0]) & (rows.day < span[1]) & (rows.person == bool(kind)) & known
    return _reached(rows.bins[mask], np.ones(int(mask.sum())), 0.5) if mask.sum() >= ENOUGH else None


def _all_of(worlds: Sequence[Rows]) -> Floats:
    """Where no world has days of a kind and age: those of everybody."""
    bins = np.concatenate([rows.bins[~rows.bad] for rows in worlds])
    return _reached(bins, np.ones(len(bins)), 0.5)


def _reached(bins: np.typing.NDArray[np.int64], weights: Floats, more: float = 0.0) -> Floats:
    """Signals × bins: weighed share of the days that reach a bin, of those that can tell; `more` days on top."""
    found = np.ones((bins.shape[1], BINS))
    for signal, column in enumerate(bins.T):
        able = column >= 0
        counts = np.bincount(column[able], weights[able], BINS)
        found[signal] = (counts[::-1].cumsum()[::-1] + more) / (max(counts.sum(), 1e-9) + 2 * more)
    found[:, 0] = 1.0
    return np.asarray(np.minimum.accumulate(np.clip(found, 0.0, 1.0), axis=1))


class Days(NamedTuple):
    """Identity-days to be fitted on."""

    x: Floats
    y: Floats
    weight: Floats


def days_of(worlds: Sequence[Rows], found: Sequence[Floats], share: float) -> Days:
    """All days that are fitted on; incidents have `share` of the weight, each the same."""
    parts = [weighed(rows, x, rows.day >= KNOWN_FROM, share) for rows, x in zip(worlds, found)]
    return Days(*(np.concatenate(column) for column in zip(*parts)))


def weighed(rows: Rows, x: Floats, mask: Bools, share: float) -> Days:
    """Those days of a world; its incidents have `share` of the weight, each the same."""
    bad, names = rows.bad[mask], rows.incident[mask]
    days = Counter(names[bad].tolist())
    weight = np.ones(len(bad))
    weight[bad] = [1 / days[name] for name in names[bad]]
    weight[~bad] = len(days) * (1 - share) / share / max(1, int((~bad).sum()))
    return Days(x[mask], bad.astype(float), weight)


def weights_of(worlds: Sequence[Rows], found: Sequence[Floats], ridge: float = RIDGE) -> Floats:
    """By signal: the weight of its points, 0 and more."""
    days = days_of(worlds, found, POSITIVE_SHARE)
    signals, whole = days.x.shape[1], days.weight.sum()

    def loss(told: Floats) -> tuple[float, Floats]:
        weights, sums = told[:signals], days.x @ told[:signals] + told[signals]
        error = days.weight * (1 / (1 + np.exp(-sums)) - days.y) / whole
        far = weights - USUAL
        value = (days.weight * (np.logaddexp(0, sums) - days.y * sums)).sum() / whole + ridge * (far**2).sum()
        return float(value), np.append(days.x.T @ error + 2 * ridge * far, error.sum())

    start = np.append(np.full(signals, 0.1), -3.0)
    bounds = [(0.0, None)] * signals + [(None, None)]
    told = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 2000})
    return np.asarray(told.x[:signals])


def left_out_sums(worlds: Sequence[Rows]) -> list[Floats]:
    """The sum of points of each day, by a card that did not see the world."""
    found: dict[int, Floats] = {}
    for fold in range(min(FOLDS, len(worlds))):
        out = range(fold, len(worlds), FOLDS)
        seen = [rows for at, rows in enumerate(worlds) if at not in out]
        shares = shares_of(seen)
        weights = weights_of(seen, points_of(seen, shares))
        found.update(zip(out, (told @ weights for told in points_of([worlds[at] for at in out], shares))))
    return [found[at] for at in range(len(worlds))]


def _calibration(worlds: Sequence[Rows]) -> tuple[float, float]:
    """Slope and offset."""
    days = days_of(worlds, [sums[:, None] for sums in left_out_sums(worlds)], PREVALENCE)
    platt = LogisticRegression(C=1e6).fit(days.x, days.y, sample_weight=days.weight)
    return float(platt.coef_[0, 0]), float(platt.intercept_[0])
