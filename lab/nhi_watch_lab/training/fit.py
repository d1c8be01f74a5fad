"""Fits the scorecard: monotone gradient boosting of single signals and a few pairs, exported as tables.

scikit-learn's HistGradientBoostingClassifier is told which signals a tree may combine (`interaction_cst`): one
alone, or the two of a pair. So the sum of its trees is a sum of tables, see `export`. More of a signal is never
worth less (`monotonic_cst`), except for the *free* signals. Which pairs and which free signals, `form.json` says;
`search` chooses them on training tenants left out in turn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from nhi_watch.detect.features import CONTEXT
from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.training.export import Tables, tables
from nhi_watch_lab.training.matrix import Matrix

SETTINGS: dict[str, Any] = {
    "max_iter": 600,
    "learning_rate": 0.15,
    "max_leaf_nodes": 4,
    "min_samples_leaf": 10,
    "l2_regularization": 2.0,
    "max_bins": 64,
    "early_stopping": False,
    "interaction_cst": "no_interactions",
    "random_state": 0,
}
PAIR_LEAVES = 8
"""Leaves of a tree that may combine two signals."""
POSITIVE_SHARE = 0.2
"""Weight of all incidents together in training, so that rare ones shape the steps; calibration undoes it."""
PREVALENCE = 0.0075
"""Share of identity-days with an incident at which the probability is true. Training tenants are denser on
purpose, life is thinner: there the score reads as an order, and the reliability curve of the evaluation applies."""
FOLDS = 4
FORM = Path(__file__).parent / "form.json"

Array = npt.NDArray[np.float64]


class Form(NamedTuple):
    """What the scorecard may say: which pairs of signals, and which signals are free."""

    pairs: tuple[tuple[str, str], ...] = ()
    free: tuple[str, ...] = ()


ADDITIVE = Form()


class Fitted(NamedTuple):
    """Everything that goes into a scorecard."""

    estimator: HistGradientBoostingClassifier
    tables: Tables
    form: Form
    slope: float
    offset: float
    early: Optional[Fitted] = None
    """What holds while hardly anything of a tenant is known; None: the rows hold no incident of such days."""


def read_form(path: Path = FORM) -> Form:
    """The form that `search` chose.

    Raises:
        ValueError: it names a signal that this version does not have.
    """
    plain = json.loads(path.read_text("utf-8"))
    form = Form(tuple((a, b) for a, b in plain["pairs"]), tuple(plain["free"]))
    named = {name for pair in form.pairs for name in pair} | set(form.free)
    unknown = sorted(named - set(NAMES))
    if unknown:
        raise ValueError(f"{path}: no such signals: {', '.join(unknown)}; run python -m nhi_watch_lab.training.search")
    return form


def fit(matrix: Matrix, form: Form = ADDITIVE) -> Fitted:
    """The scorecard of a matrix, and that of its early days: where nearly all is news, news weighs otherwise."""
    early = matrix.x[:, NAMES.index(CONTEXT)] > 0
    found = _fit(matrix.only(~early), form)
    return found._replace(early=_fit(matrix.only(early), ADDITIVE)) if matrix.y[early].any() else found


def _fit(matrix: Matrix, form: Form) -> Fitted:
    """One card; calibrated on tenants that each fold has not seen."""
    slope, offset = _calibrate(matrix, form)
    fitted = estimator(matrix, form)
    return Fitted(fitted, tables(fitted, len(NAMES)), form, slope, offset)


def estimator(matrix: Matrix, form: Form = ADDITIVE) -> HistGradientBoostingClassifier:
    """scikit-learn's estimator of a form, fitted."""
    made = HistGradientBoostingClassifier(**settings(form))
    return made.fit(_told(matrix.x), matrix.y, sample_weight=at_prevalence(matrix, POSITIVE_SHARE))


def _told(x: Array) -> Array:
    """A signal that no row can tell (early days lack history) says nothing: binning cannot take such a column."""
    return np.where(np.isnan(x).all(axis=0), 0.0, x)


def settings(form: Form) -> dict[str, Any]:
    """The estimator's settings."""
    monotone = [0 if name in (*form.free, CONTEXT) else 1 for name in NAMES]
    leaves = PAIR_LEAVES if form.pairs else SETTINGS["max_leaf_nodes"]
    return {**SETTINGS, "max_leaf_nodes": leaves, "interaction_cst": _together(form), "monotonic_cst": monotone}


def _together(form: Form) -> Union[str, list[list[int]]]:
    """Which signals a branch may combine."""
    if not form.pairs:
        return str(SETTINGS["interaction_cst"])
    paired = [[NAMES.index(name) for name in pair] for pair in form.pairs]
    inside = {index for pair in paired for index in pair}
    return [*paired, *([index] for index in range(len(NAMES)) if index not in inside)]


def at_prevalence(matrix: Matrix, share: float) -> Array:
    """Weights under which incidents have this share of the whole."""
    positive = matrix.weight[matrix.y == 1].sum()
    negative = matrix.weight[matrix.y == 0].sum()
    factor = share / (1 - share) * negative / positive
    return np.where(matrix.y == 1, matrix.weight * factor, matrix.weight)


def left_out_scores(matrix: Matrix, form: Form = ADDITIVE, folds: Sequence[int] = range(FOLDS)) -> Array:
    """Log-odds of each row, by an estimator that did not see the row's tenant."""
    scores = np.zeros(len(matrix.y))
    tenants = sorted(set(matrix.tenant.tolist()))
    for fold in folds:
        out = np.isin(matrix.tenant, tenants[fold::FOLDS])
        scores[out] = estimator(matrix.only(~out), form).decision_function(matrix.x[out])
    return scores


def _calibrate(matrix: Matrix, form: Form) -> tuple[float, float]:
    """Slope and offset after Platt (1999), on scores of tenants left out in turn, at PREVALENCE.

    Real techniques were added on purpose, so they have no prevalence: they are left out here.
    """
    scores, lived = left_out_scores(matrix, form), matrix.lived
    platt = LogisticRegression(C=1e6)
    platt.fit(scores[lived, None], matrix.y[lived], sample_weight=at_prevalence(matrix.only(lived), PREVALENCE))
    return float(platt.coef_[0, 0]), float(platt.intercept_[0])
