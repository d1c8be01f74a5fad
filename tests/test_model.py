"""The scorecard: steps, sums, calibration, and what loading refuses."""

from __future__ import annotations

import json
import math
import shutil
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_watch.core.errors import ModelError
from nhi_watch.detect import model
from nhi_watch.detect.model import Pair, Scorecard, Steps, score_of
from nhi_watch.detect.scoring import ZERO, weighed
from nhi_watch.detect.signals import NAMES

CARD = model.load()
VALUES = st.lists(
    st.one_of(st.none(), st.integers(0, 4000).map(lambda n: n / 100)), min_size=len(NAMES), max_size=len(NAMES)
)


def card(steps: list[Steps], slope: float = 1.0, offset: float = 0.0) -> Scorecard:
    names = tuple(f"s{number}" for number in range(len(steps)))
    return Scorecard("id", "sha", names, tuple(steps), -1.5, slope, offset, {"action": {"a": 0.25, "*": 0.01}})


def copied(folder: Path) -> Path:
    for name in (model.SCORECARD, model.MANIFEST):
        shutil.copy(model.FOLDER / name, folder / name)
    return folder


@pytest.mark.parametrize(
    ("value", "points"),
    [(0.0, -1.0), (1.0, -1.0), (1.01, 0.5), (2.5, 0.5), (2.51, 4.0), (1e9, 4.0), (None, 0.25)],
)
def test_an_edge_belongs_to_the_step_below_it(value: float | None, points: float) -> None:
    assert card([Steps((1.0, 2.5), (-1.0, 0.5, 4.0), 0.25)]).points([value]) == (points,)


def test_a_signal_without_steps_has_the_same_points_for_every_value() -> None:
    flat = card([Steps((), (0.75,), 0.0)])
    assert [flat.points([value]) for value in (0.0, 7.0, None)] == [(0.75,), (0.75,), (0.0,)]


def test_a_pair_speaks_where_both_of_its_signals_do_and_belongs_to_both_alike() -> None:
    pair = Pair((0, 1), ((1.0,), (2.0, 3.0)), ((0.0, 0.0, 0.0, 0.0), (0.0, 0.5, 2.0, 1.0), (0.0, 0.25, 0.75, 0.0)))
    made = card([Steps((), (0.0,), 0.0)] * 2)._replace(pairs=(pair,))
    rows = [(0.0, 9.0), (9.0, 0.0), (1.5, 2.5), (9.0, 9.0), (9.0, None), (None, 9.0), (None, None)]
    assert [made.points(row)[0] for row in rows] == [0.0, 0.0, 0.25, 1.0, 0.5, 0.375, 0.0]
    assert all(made.points(row)[0] == made.points(row)[1] for row in rows)
    assert made.log_odds((9.0, 9.0)) == -1.5 + 2.0


def test_an_early_card_holds_while_its_context_is_told_and_nothing_pairs() -> None:
    def rows(points: float) -> list[dict[str, Any]]:
        return [{"name": name, "edges": [1.0], "points": [0.0, points], "cannot_tell": 0.25} for name in "ab"]

    grid = [[0.0, 0.0, 0.0], [0.0, 9.0, 0.0], [0.0, 0.0, 0.0]]
    made = model.parse({
        "id": "m", "intercept": -1.0, "calibration": {"slope": 1.0, "offset": 0.0}, "prior": {}, "signals": rows(2.0),
        "pairs": [{"signals": ["a", "b"], "edges": [[1.0], [1.0]], "points": grid}],
        "early": {"context": "b", "signals": rows(0.5)},
    })  # fmt: skip
    assert made.points((2.0, 0.0)) == (2.0, 0.0)
    assert made.points((2.0, 3.0)) == (0.5, 0.5)
    assert made.points((None, 3.0)) == (0.25, 0.5)
    assert made.ordinary((2.0, 3.0)) == (0.0, 3.0)
    assert made.log_odds((2.0, 3.0)) == 0.0


@given(VALUES)
def test_points_add_up_to_the_log_odds(values: list[float | None]) -> None:
    exact = sum((Fraction(p) for p in CARD.points(values)), Fraction(CARD.intercept))
    assert CARD.log_odds(values) == round(float(exact), 6)


@given(VALUES)
def test_the_reasons_account_for_the_whole_difference_to_an_ordinary_day(values: list[float | None]) -> None:
    reasons = sum(points for points, _, _ in weighed(CARD, tuple(values)))
    assert reasons == pytest.approx(CARD.log_odds(values) - CARD.log_odds(CARD.ordinary(values)), abs=1e-4)


def test_the_sum_is_that_of_exact_numbers_on_every_python() -> None:
    tenths = card([Steps((), (0.1,), 0.0)] * 10 + [Steps((), (1e16,), 0.0), Steps((), (-1e16,), 0.0)])
    assert tenths.log_odds([0.0] * 12) == -0.5


@pytest.mark.parametrize(
    ("log_odds", "probability"),
    [(0.0, 0.3775), (0.25, 0.5), (1.0, 0.8176), (-4.0, 0.0002), (1000.0, 1.0), (-1000.0, 0.0)],
)
def test_the_calibration_is_a_bounded_logistic_curve(log_odds: float, probability: float) -> None:
    assert card([], slope=2.0, offset=-0.5).probability(log_odds) == probability


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_more_log_odds_never_mean_a_lower_probability(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0.0 <= CARD.probability(low) <= CARD.probability(high) <= 1.0


def test_unseen_values_and_dimensions_have_a_share() -> None:
    made = card([])
    assert [made.elsewhere("action", v) for v in ("a", "b")] == [0.25, 0.01]
    assert made.elsewhere("unheard", "a") == 1.0


def test_scores_have_one_decimal() -> None:
    assert [score_of(p) for p in (0.0, 0.0449, 0.7999, 1.0)] == [0.0, 4.5, 80.0, 100.0]


# ---- the model that ships


def test_the_model_that_ships_knows_exactly_the_signals() -> None:
    assert CARD.signals == NAMES


@pytest.mark.parametrize(("name", "steps"), [*zip(CARD.signals, CARD.steps)], ids=CARD.signals)
def test_steps_rise_and_never_punish_more_of_a_bad_thing(name: str, steps: Steps) -> None:
    assert list(steps.edges) == sorted(set(steps.edges))
    assert len(steps.points) == len(steps.edges) + 1
    assert name in CARD.free or list(steps.points) == sorted(steps.points)
    assert all(math.isfinite(number) for number in (*steps.edges, *steps.points, steps.cannot_tell))


def test_an_ordinary_day_is_no_notable() -> None:
    assert score_of(CARD.probability(CARD.log_odds(ZERO))) < 20


def test_every_share_of_the_prior_is_a_probability() -> None:
    for shares in CARD.prior.values():
        assert "*" in shares
        assert all(0 < share <= 1 for share in shares.values())


# ---- loading


@pytest.mark.parametrize("at", [0, 1000, -2])
def test_a_changed_byte_is_refused_with_a_remedy(tmp_path: Path, at: int) -> None:
    path = copied(tmp_path) / model.SCORECARD
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(ModelError, match=r"scorecard\.json: SHA-256 is .* the manifest says .*; restore"):
        model.load(tmp_path)


def test_a_missing_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no usable model there .*; reinstall, or run `nhi train`"):
        model.load(tmp_path)


@pytest.mark.parametrize("manifest", ["{", "[]", "{}", '"text"', '{"sha256": 7}', "null"])
def test_a_manifest_that_says_nothing_is_refused(tmp_path: Path, manifest: str) -> None:
    (copied(tmp_path) / model.MANIFEST).write_text(manifest)
    with pytest.raises(ModelError):
        model.load(tmp_path)


def signed(folder: Path, change: dict[str, Any]) -> Path:
    """A model whose manifest fits a changed scorecard."""
    plain = json.loads((copied(folder) / model.SCORECARD).read_bytes())
    raw = json.dumps({**plain, **change}).encode()
    (folder / model.SCORECARD).write_bytes(raw)
    (folder / model.MANIFEST).write_text(json.dumps({"sha256": sha256(raw).hexdigest()}))
    return folder


@pytest.mark.parametrize(
    "change",
    [
        {"signals": None}, {"calibration": {}}, {"signals": [{"name": "x", "edges": [1.0], "points": [1.0]}]},
        {"pairs": [{"signals": list(NAMES[:2]), "edges": [[1.0], []], "points": [[0.0]]}]},
        {"pairs": [{"signals": ["x", "y"], "edges": [[], []], "points": [[0.0, 0.0], [0.0, 0.0]]}]},
    ],
)
def test_a_scorecard_of_another_form_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(ModelError):
        model.load(signed(tmp_path, change))


def test_the_form_of_the_file_does_not_matter(tmp_path: Path) -> None:
    assert model.load(signed(tmp_path, {}))._replace(sha256="") == CARD._replace(sha256="")
