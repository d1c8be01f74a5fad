"""Training: the exported tables are scikit-learn's own function, and the committed model comes out again."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from bisect import bisect_left
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier

from need import need
from nhi_watch.cli import main
from nhi_watch.detect import model
from nhi_watch.detect.drift import REFERENCE
from nhi_watch.detect.features import CONTEXT
from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.training import commands, companies, export, fit, matrix, techniques, write
from nhi_watch_lab.training.commands import MATRIX
from splunk_app import interpreter


@pytest.fixture(scope="module")
def rows() -> matrix.Matrix:
    return matrix.read(MATRIX)


PAIRED = fit.Form((("joint_novelty", "new_action"), ("joint_novelty", "new_network")), ("new_network",))


@pytest.fixture(scope="module")
def fitted(rows: matrix.Matrix) -> fit.Fitted:
    few = rows.only(np.arange(len(rows.y)) % 5 == 0)
    made = fit.estimator(few, PAIRED)
    return fit.Fitted(made, export.tables(made, len(NAMES)), PAIRED, 1.0, 0.0)


def hundred_thousand(rows: matrix.Matrix) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Rows of which each value is one that some row of the matrix has: far more combinations than it holds."""
    dice = np.random.default_rng(0)
    return np.column_stack([dice.choice(column, 100_000) for column in rows.x.T])


def test_the_tables_give_what_the_estimator_gives_to_the_ninth_digit(rows: matrix.Matrix, fitted: fit.Fitted) -> None:
    x = hundred_thousand(rows)
    assert {grid.signals for grid in fitted.tables.grids}, "the sample must hold pairs"
    assert np.abs(export.values_of(fitted.tables, x) - fitted.estimator.decision_function(x)).max() < 1e-9


def test_the_scorecard_gives_what_the_tables_give_but_for_rounding(rows: matrix.Matrix, fitted: fit.Fitted) -> None:
    card = model.parse(write.document(fitted, {"action": {"*": 0.1}}))
    x = hundred_thousand(rows)[:2000]
    told = [card.log_odds([None if np.isnan(v) else v for v in row]) for row in x]
    assert np.abs(np.array(told) - export.values_of(fitted.tables, x)).max() < 60 * 10**-write.DIGITS


def test_the_early_card_gives_what_its_own_estimator_gives_on_the_scale_of_the_usual_one(rows: matrix.Matrix) -> None:
    few = rows.only(np.arange(len(rows.y)) % 3 == 0)
    made = fit.fit(few)
    assert made.early is not None
    x = few.x[few.x[:, NAMES.index(CONTEXT)] > 0][:2000]
    told = made.early.estimator.decision_function(x)
    assert np.abs(export.values_of(made.early.tables, x) - told).max() < 1e-9
    card = model.parse(write.document(made, {"action": {"*": 0.1}}))
    own = [card.slope * card.log_odds([None if np.isnan(v) else v for v in row]) + card.offset for row in x]
    assert np.abs(np.array(own) - (made.early.slope * told + made.early.offset)).max() < 60 * 10**-write.DIGITS


def test_a_pair_is_silent_where_one_of_its_signals_is_ordinary(fitted: fit.Fitted) -> None:
    for grid in fitted.tables.grids:
        row, column = (bisect_left(edges, 0.0) for edges in grid.edges)
        assert np.abs(grid.points[row]).max() < 1e-12 and np.abs(grid.points[:, column]).max() < 1e-12
        assert np.abs(grid.points).max() > 0.01


def test_more_of_a_signal_is_never_worth_less_unless_it_is_free(rows: matrix.Matrix, fitted: fit.Fitted) -> None:
    card = model.parse(write.document(fitted, {"action": {"*": 0.1}}))
    dice, live = np.random.default_rng(1), [i for i, steps in enumerate(card.steps) if steps.edges]
    for row in hundred_thousand(rows)[:300]:
        values = [None if np.isnan(v) else float(v) for v in row]
        for index in dice.choice(live, 6):
            low, high = sorted(abs(v) for v in dice.normal(0, 8, 2))
            told = [card.log_odds([*values[:index], v, *values[index + 1 :]]) for v in (low, high)]
            assert card.signals[index] in (*card.free, CONTEXT) or told[1] >= told[0] - 4 * 10**-write.DIGITS


def test_a_tree_of_three_signals_is_refused(rows: matrix.Matrix) -> None:
    few = rows.only(np.arange(len(rows.y)) % 9 == 0)
    free = HistGradientBoostingClassifier(max_iter=20, random_state=0, early_stopping=False)
    with pytest.raises(ValueError, match="more than two signals"):
        export.tables(free.fit(few.x, few.y), few.x.shape[1])


def test_the_committed_model_comes_out_again_byte_for_byte(tmp_path: Path) -> None:
    made_with = json.loads((model.FOLDER / model.MANIFEST).read_text())["versions"]["scikit-learn"]
    need(sklearn.__version__ == made_with and platform.python_version_tuple()[:2] == ("3", "11"),
         f"needs Python 3.11 with scikit-learn {made_with}, as the model was made with")  # fmt: skip
    assert main(["train", "--out", str(tmp_path)]) == 0
    for name in (model.SCORECARD, model.MANIFEST, REFERENCE):
        assert (tmp_path / name).read_bytes() == (model.FOLDER / name).read_bytes()


def test_a_signal_that_is_new_can_be_collected_with_the_model_of_before() -> None:
    card = model.load()
    gone = card.signals.index("unknown_call")
    older = card._replace(
        signals=(*card.signals[:gone], *card.signals[gone + 1 :], "since_removed"), pairs=(),
        steps=(*card.steps[:gone], *card.steps[gone + 1 :], card.steps[gone]),
        early=(*card.early[:gone], *card.early[gone + 1 :], card.early[gone]),
        context=card.signals.index(CONTEXT) - (card.context > gone),
    )  # fmt: skip
    made = commands.adapted(older)
    assert made.signals == NAMES and made.context == card.context
    assert made.steps[gone].points == made.early[gone].points == (0.0,)
    assert all(made.steps[i] == card.steps[i] for i in range(len(NAMES)) if i != gone)


def test_calibration_weights_bring_incidents_to_the_stated_share(rows: matrix.Matrix) -> None:
    weights = fit.at_prevalence(rows, fit.PREVALENCE)
    assert weights[rows.y == 1].sum() / weights.sum() == pytest.approx(fit.PREVALENCE)


def test_a_company_gives_rows_of_linked_identities_and_the_habits_of_each_product() -> None:
    (spec,) = companies.specs([199], nhis=60, days=9, campaigns=20)
    found = companies.simulate(spec, model.load())
    bad = [row for row in found.rows if row.label]
    assert {techniques.is_of_company(row.technique) for row in bad} == {True}
    assert {row.technique for row in found.rows if not row.label} == {techniques.PLAIN}
    linked = [NAMES.index(name) for name in ("across_products", "passed_on")]
    assert any(row.values[at] for row in bad for at in linked), "no campaign of the sample crosses identities"
    table = matrix.together({name: {"*": 0.5} for name in matrix.UNSEEN}, companies.habits([found]))
    assert any(action.startswith("github:") for action in table["action"])
    assert set(table["region"]) == {"*"}, "only words of the products' own"


def test_habits_of_accounts_come_before_those_of_companies() -> None:
    accounts = {"action": {"*": 0.1, "s3:GetObject": 0.4}, "service": {}, "agent": {}, "error": {}}
    company = {"action": {"*": 0.1, "s3:GetObject": 0.9, "k8s:pods.list": 0.3}, "service": {}, "agent": {}, "error": {}}
    table = matrix.together(accounts, [company])
    assert table["action"] == {"*": 0.1, "s3:GetObject": 0.4, "k8s:pods.list": 0.3}


def test_techniques_of_companies_are_no_fold_of_the_account_and_are_left_out_of_all(rows: matrix.Matrix) -> None:
    crossing = matrix.of_companies(rows)
    assert crossing and not set(crossing) & set(matrix.simulated(rows))
    rest = rows.without(crossing)
    assert matrix.of_companies(rest) == [] and len(rest.y) < len(rows.y)


# ---- the same digits on every Python

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.9", "3.11", "3.13")
ROWS = 100_000
PROGRAM = f"""
import hashlib, sys
sys.path.insert(0, {str(ROOT)!r})
from nhi_watch import model
card, digest, state = model.load(), hashlib.sha256(), 12345
for row in range({ROWS}):
    values = []
    for _ in card.signals:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        kind = state >> 61
        values.append(None if kind == 7 else 0.0 if kind < 4 else (state >> 40) % 4000 / 100)
    odds = card.log_odds(values)
    digest.update(f"{{odds!r}} {{card.probability(odds)!r}}\\n".encode())
print(sys.version.split()[0], digest.hexdigest())
"""


@cache
def here() -> str:
    return told(sys.executable)


def told(path: str) -> str:
    done = subprocess.run([path, "-S", "-E", "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[1]


@pytest.mark.parametrize("version", PYTHONS)
def test_a_hundred_thousand_rows_give_the_same_digits(version: str) -> None:
    assert told(interpreter(version)) == here()
