"""Training: the exported tables are scikit-learn's own function, and the committed model comes out again."""

from __future__ import annotations

import json
import platform
from bisect import bisect_left
from pathlib import Path

import numpy as np
import pytest
import sklearn
from need import need

from nhi_watch import model
from nhi_watch.cli import main
from nhi_watch.training import fit, matrix
from nhi_watch.training.commands import MATRIX


@pytest.fixture(scope="module")
def rows() -> matrix.Matrix:
    return matrix.read(MATRIX)


def test_the_tables_give_what_the_estimator_gives_to_the_ninth_digit(rows: matrix.Matrix) -> None:
    few = rows.only(np.arange(len(rows.y)) % 5 == 0)
    fitted = fit.fit(few)
    for values, wanted in zip(rows.x[:3000], fitted.estimator.decision_function(rows.x[:3000])):
        points = [
            steps.cannot_tell if np.isnan(value) else steps.points[bisect_left(steps.edges, value)]
            for value, steps in zip(values, fitted.steps)
        ]
        assert abs(fitted.intercept + sum(points) - wanted) < 1e-9


def test_points_never_fall_as_a_value_rises() -> None:
    for name, steps in zip(model.load().signals, model.load().steps):
        assert list(steps.points) == sorted(steps.points), name


def test_the_committed_model_comes_out_again_byte_for_byte(tmp_path: Path) -> None:
    made_with = json.loads((model.FOLDER / model.MANIFEST).read_text())["versions"]["scikit-learn"]
    need(sklearn.__version__ == made_with and platform.python_version_tuple()[:2] == ("3", "11"),
         f"needs Python 3.11 with scikit-learn {made_with}, as the model was made with")  # fmt: skip
    assert main(["train", "--out", str(tmp_path)]) == 0
    for name in (model.SCORECARD, model.MANIFEST):
        assert (tmp_path / name).read_bytes() == (model.FOLDER / name).read_bytes()


def test_calibration_weights_bring_incidents_to_the_stated_share(rows: matrix.Matrix) -> None:
    weights = fit.at_prevalence(rows, fit.PREVALENCE)
    assert weights[rows.y == 1].sum() / weights.sum() == pytest.approx(fit.PREVALENCE)
