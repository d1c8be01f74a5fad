"""The model: shares, trees, calibration, and what loading refuses."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_watch.core.errors import ModelError
from nhi_watch.detect import model
from nhi_watch.detect.forest import Forest, Node, grown
from nhi_watch.detect.model import BINS, EDGES, NEVER, Features, Model, Reading, percent
from nhi_watch.detect.signals import NAMES

CARD = model.load()


def card(slope: float = 1.0, offset: float = 0.0) -> Model:
    prior, reading = {"action": {"a": 0.25, "*": 0.01}}, Reading(grown(0, ()), slope, offset)
    return Model("id", "sha", (), (), (0,), (((),), ((),)), (reading,), (reading,), prior)


def plain(**changes: Any) -> dict[str, Any]:
    """A model of one signal as its file tells it: two bits of points, or a bin above 3, are log-odds more."""
    signal = {"name": "a", "attack": [0.5, 0.25], "world": {"machine": [[0.2], [0.1]], "person": [[0.6], [0.4]]}}
    return {
        "id": "m",
        "edges": list(EDGES),
        "ages": [0, 14],
        "signals": [{**signal, **changes.pop("signal", {})}],
        "trees": [[0, 2.0, -3.0, [1, 3.0, -1.0, 1.0]]],
        "calibration": {"slope": 1.0, "offset": 0.0, "first_offset": 0.0},
        "first": {"trees": [], "slope": 1.0, "offset": 0.0},
        "prior": {},
        **changes,
    }


def copied(folder: Path) -> Path:
    for name in (model.MODEL, model.MANIFEST):
        shutil.copy(model.FOLDER / name, folder / name)
    return folder


def test_shares_are_of_values_at_least_as_large_and_end_in_zeros() -> None:
    built = model.parse(plain())
    assert built.attack == ((1.0, 0.5, 0.25, *[0.0] * (BINS - 3)),)


@pytest.mark.parametrize(("age", "share"), [(-1, 0.2), (0, 0.2), (13, 0.2), (14, 0.1), (400, 0.1)])
def test_a_young_tenant_is_compared_with_the_worlds_young_ones(age: int, share: float) -> None:
    assert model.parse(plain()).world_at("machine", age)[0][1] == share
    assert model.parse(plain()).world_at("person", age)[0][1] > share


def test_a_card_fits_itself_to_the_signals_of_this_version() -> None:
    built = model.parse(plain()).aligned(("new", "a"))
    assert built.signals == ("new", "a")
    assert built.attack == (NEVER, model.parse(plain()).attack[0])
    assert {row[0] for ages in built.world for row in ages} == {NEVER}
    odds = [built.log_odds(Features(points, bins)) for points, bins in (((9.0, 0.0), (9, 0)), ((0.0, 9.0), (0, 9)))]
    assert odds == [-3.0, 1.0], "a signal that the model does not know says nothing"


@pytest.mark.parametrize(
    ("odds", "likelihood"), [(-8.0, 0.0), (0.0, 50.0), (1.0, 73.1), (60.0, 99.0), (1e9, 99.0), (-1e9, 0.0)]
)
def test_the_likelihood_is_a_bounded_logistic_curve(odds: float, likelihood: float) -> None:
    assert percent(odds) == likelihood


# ---- trees

SIGNALS = 3
LEAVES = st.floats(-3, 3).map(lambda worth: round(worth, 4))
SPLITS = st.integers(0, 2 * SIGNALS - 1), st.sampled_from([0.0, 1.5, 2.5])
TREES: st.SearchStrategy[Node] = st.recursive(LEAVES, lambda node: st.tuples(*SPLITS, node, node), max_leaves=8)
DAYS = st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0]), min_size=2 * SIGNALS, max_size=2 * SIGNALS)


def walked(tree: Node, x: list[float]) -> float:
    while isinstance(tree, tuple):
        tree = tree[2] if x[tree[0]] <= tree[1] else tree[3]
    return tree


@given(st.lists(TREES, max_size=4), DAYS)
def test_trees_that_a_day_does_not_touch_are_missed_by_nothing(trees: list[Node], x: list[float]) -> None:
    assert grown(SIGNALS, trees).log_odds(x) == pytest.approx(sum(walked(tree, x) for tree in trees), abs=1e-3)


@given(st.lists(TREES, max_size=4), DAYS)
def test_shares_are_shapley_values_by_their_definition(trees: list[Node], x: list[float]) -> None:
    """By all coalitions of signals, whose points and bins are the day's, and of the others the ordinary day's."""
    forest: Forest = grown(SIGNALS, trees)
    shares = forest.shares(x)

    def worth(members: tuple[int, ...]) -> float:
        day = [value if at % SIGNALS in members else 0.0 for at, value in enumerate(x)]
        return sum(walked(tree, day) for tree in trees)

    for signal in range(SIGNALS):
        others = [item for item in range(SIGNALS) if item != signal]
        exact = sum(
            factorial(size)
            * factorial(SIGNALS - size - 1)
            / factorial(SIGNALS)
            * (worth((*some, signal)) - worth(some))
            for size in range(SIGNALS)
            for some in combinations(others, size)
        )
        assert shares[signal] == pytest.approx(exact, abs=1e-9)
    assert forest.base + sum(shares) == pytest.approx(forest.log_odds(x), abs=1e-3)


def test_unseen_values_and_dimensions_have_a_share() -> None:
    model = card()
    assert [model.elsewhere("action", v) for v in ("a", "b")] == [0.25, 0.01]
    assert model.elsewhere("unheard", "a") == 1.0


# ---- the model that ships


def test_the_model_that_ships_knows_the_signals_but_a_few_new_ones() -> None:
    assert set(CARD.signals) <= set(NAMES)
    assert len(NAMES) - len(CARD.signals) <= 4, "train one that knows them: nhi train"


def test_the_shares_of_every_signal_fall() -> None:
    for at, name in enumerate(CARD.signals):
        for shares in (CARD.attack[at], *(age[at] for ages in CARD.world for age in ages)):
            assert len(shares) == BINS and shares[0] == 1.0, name
            assert list(shares) == sorted(shares, reverse=True) and all(0 <= share <= 1 for share in shares), name


def test_an_ordinary_day_is_no_notable() -> None:
    count = len(CARD.signals)
    assert CARD.likelihood(Features((0.0,) * count, (0,) * count)) < 0.5


@pytest.mark.parametrize("others", [0.0, 3.0, 8.0])
def test_no_signal_lowers_the_likelihood_of_a_loud_day(others: float) -> None:
    """Beside any other signals: more points, or a higher value, never make it less likely."""
    for at, name in enumerate(CARD.signals):
        points = [others] * len(CARD.signals)
        risen = []
        for worth in (0.0, 2.0, 5.0, 9.0, 14.0, 21.0):
            points[at] = worth
            risen.append(CARD.log_odds(Features(tuple(points), tuple(map(int, points)))))
        assert risen == sorted(risen), name


def test_every_share_of_the_prior_is_a_probability() -> None:
    for shares in CARD.prior.values():
        assert "*" in shares
        assert all(0 < share <= 1 for share in shares.values())


# ---- loading


@pytest.mark.parametrize("at", [0, 1000, -2])
def test_a_changed_byte_is_refused_with_a_remedy(tmp_path: Path, at: int) -> None:
    path = copied(tmp_path) / model.MODEL
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(ModelError, match=r"model\.json: SHA-256 is .* the manifest says .*; restore"):
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
    """A model whose manifest fits a changed file."""
    plain = json.loads((copied(folder) / model.MODEL).read_bytes())
    raw = json.dumps({**plain, **change}).encode()
    (folder / model.MODEL).write_bytes(raw)
    (folder / model.MANIFEST).write_text(json.dumps({"sha256": sha256(raw).hexdigest(), "format": model.FORMAT}))
    return folder


@pytest.mark.parametrize(
    "change",
    [
        {"signals": None},
        {"calibration": {}},
        {"edges": [1.0, 2.0]},
        {"ages": [0, 3, 7, 14, 28, 60, 90]},
        {"trees": [[0, 1.0]]},
        {"trees": [[10**6, 1.0, 0.0, 1.0]]},
    ],
)
def test_a_model_of_another_form_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="no usable model there"):
        model.load(signed(tmp_path, change))


@pytest.mark.parametrize(("form", "text"), [(model.FORMAT + 1, "update the program"), (4, "of an earlier format")])
def test_a_file_of_another_format_is_refused_with_a_remedy(tmp_path: Path, form: int, text: str) -> None:
    folder = signed(tmp_path, {})
    manifest = json.loads((folder / model.MANIFEST).read_text())
    (folder / model.MANIFEST).write_text(json.dumps({**manifest, "format": form}))
    with pytest.raises(ModelError, match=text):
        model.load(folder)


@pytest.mark.parametrize("shares", [[0.2, 0.3], [1.1], [0.1] * BINS])
def test_shares_that_do_not_fall_are_refused(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="shares must fall"):
        model.parse(plain(signal={"attack": shares}))


def test_bins_of_another_version_are_refused() -> None:
    with pytest.raises(ValueError, match="its bins are not those of this version"):
        model.parse(plain(edges=[0.0, *EDGES]))


# ---- what another version made


def variant(folder: Path, offset: float, **manifest: Any) -> Path:
    """A model that calls all less likely, with a manifest that fits."""
    folder.mkdir(parents=True)
    plain = json.loads((model.FOLDER / model.MODEL).read_bytes())
    plain["calibration"]["offset"] -= offset
    plain["id"] = f"nhi-test{offset:g}"
    raw = json.dumps(plain).encode()
    (folder / model.MODEL).write_bytes(raw)
    manifest_of = {"id": plain["id"], "sha256": sha256(raw).hexdigest(), "format": model.FORMAT, **manifest}
    (folder / model.MANIFEST).write_text(json.dumps(manifest_of))
    return folder


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"format": model.FORMAT + 1}, f"format {model.FORMAT + 1}"),
        ({"versions": {"nhi_watch": "99.1.0"}}, "made by nhi_watch 99.1.0"),
        ({"signals": ["new_action"]}, "name other signals"),
        ({"id": "nhi-else"}, "another id"),
    ],
)
def test_what_a_later_version_made_or_does_not_fit_is_refused(tmp_path: Path, manifest: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        model.load(variant(tmp_path / "a", 1.0, **manifest))


def test_an_earlier_patch_of_this_version_is_fine(tmp_path: Path) -> None:
    assert model.load(variant(tmp_path / "a", 1.0, versions={"nhi_watch": "0.0.9"})).id == "nhi-test1"


# ---- first days


def read_twice() -> Model:
    """Of one signal: on a first day points above 2 add 4 by the first reading, a bin above 3 adds 3 by the second."""
    every_day, first_days = [0, 2.0, -3.0, 1.0], [1, 3.0, 0.0, 6.0]
    return model.parse(
        plain(
            trees=[every_day],
            calibration={"slope": 1.0, "offset": -1.0, "first_offset": 0.0},
            first={"trees": [first_days], "slope": 0.5, "offset": -0.5},
        )
    )


@pytest.mark.parametrize(
    ("points", "bin_", "odds", "ordinary"),
    [(0.0, 0, -2.0, -2.0), (3.0, 0, 1.0, -3.0), (0.0, 9, 1.0, -2.0), (3.0, 9, 3.0, -2.0)],
)
def test_on_a_first_day_the_higher_of_two_readings_counts_and_explains_itself(
    points: float, bin_: int, odds: float, ordinary: float
) -> None:
    first, features = read_twice().on_first_day(), Features((points,), (bin_,))
    assert first.log_odds(features) == odds
    base, shares = first.shares(features)
    assert (base, base + sum(shares)) == (ordinary, odds)
    assert first.reading(features).log_odds(features) == odds
    assert first.reading(features).ordinary == ordinary


def test_a_day_with_a_history_is_read_once() -> None:
    built = read_twice()
    assert built.log_odds(Features((0.0,), (9,))) == -4.0
    assert built.reading(Features((0.0,), (9,))) == built


def test_the_second_reading_fits_itself_to_the_signals_of_this_version_too() -> None:
    for aligned in (
        read_twice().aligned(("new", "a")).on_first_day(),
        read_twice().on_first_day().aligned(("new", "a")),
    ):
        assert aligned.log_odds(Features((9.0, 0.0), (9, 9))) == 1.0
        assert aligned.log_odds(Features((0.0, 0.0), (9, 0))) == -2.0
