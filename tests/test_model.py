"""The scorecard: shares, calibration, and what loading refuses."""

from __future__ import annotations

import json
import math
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_watch.core.errors import ModelError
from nhi_watch.detect import model
from nhi_watch.detect.model import BINS, EDGES, KINDS, NEVER, Scorecard, score_of
from nhi_watch.detect.signals import NAMES

CARD = model.load()


def card(slope: float = 1.0, offset: float = 0.0) -> Scorecard:
    return Scorecard("id", "sha", (), (), (0,), (((),), ((),)), (), slope, offset, {"action": {"a": 0.25, "*": 0.01}})


def plain(**changes: Any) -> dict[str, Any]:
    """A scorecard of one signal as its file tells it."""
    signal = {"name": "a", "attack": [0.5, 0.25], "weight": 0.5,
              "world": {"machine": [[0.2], [0.1]], "person": [[0.6], [0.4]]}}  # fmt: skip
    return {"id": "m", "edges": list(EDGES), "ages": [0, 14], "signals": [{**signal, **changes.pop("signal", {})}],
            "calibration": {"slope": 1.0, "offset": 0.0}, "prior": {}, **changes}  # fmt: skip


def copied(folder: Path) -> Path:
    for name in (model.SCORECARD, model.MANIFEST):
        shutil.copy(model.FOLDER / name, folder / name)
    return folder


def test_shares_are_of_values_at_least_as_large_and_end_in_zeros() -> None:
    made = model.parse(plain())
    assert made.attack == ((1.0, 0.5, 0.25, *[0.0] * (BINS - 3)),)


@pytest.mark.parametrize(("age", "share"), [(-1, 0.2), (0, 0.2), (13, 0.2), (14, 0.1), (400, 0.1)])
def test_a_young_tenant_is_compared_with_the_worlds_young_ones(age: int, share: float) -> None:
    assert model.parse(plain()).world_at("machine", age)[0][1] == share
    assert model.parse(plain()).world_at("person", age)[0][1] > share


def test_a_card_fits_itself_to_the_signals_of_this_version() -> None:
    made = model.parse(plain()).aligned(("new", "a"))
    assert made.signals == ("new", "a")
    assert made.attack == (NEVER, model.parse(plain()).attack[0])
    assert {row[0] for ages in made.world for row in ages} == {NEVER} and made.weights == (0.0, 0.5)


@pytest.mark.parametrize(
    ("points", "probability"),
    [(0.0, 0.3775), (0.25, 0.5), (1.0, 0.8176), (-4.0, 0.0002), (1000.0, 1.0), (-1000.0, 0.0)],
)
def test_the_calibration_is_a_bounded_logistic_curve(points: float, probability: float) -> None:
    assert card(slope=2.0, offset=-0.5).probability(points) == probability


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_more_points_never_mean_a_lower_probability(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0.0 <= CARD.probability(low) <= CARD.probability(high) <= 1.0


def test_unseen_values_and_dimensions_have_a_share() -> None:
    made = card()
    assert [made.elsewhere("action", v) for v in ("a", "b")] == [0.25, 0.01]
    assert made.elsewhere("unheard", "a") == 1.0


def test_scores_have_one_decimal() -> None:
    assert [score_of(p) for p in (0.0, 0.0449, 0.7999, 1.0)] == [0.0, 4.5, 80.0, 100.0]


# ---- the model that ships


def test_the_model_that_ships_knows_the_signals_but_a_few_new_ones() -> None:
    assert set(CARD.signals) <= set(NAMES)
    assert len(NAMES) - len(CARD.signals) <= 4, "train one that knows them: nhi train"


@pytest.mark.parametrize("at", range(len(CARD.signals)), ids=CARD.signals)
def test_the_shares_of_every_signal_fall_and_its_weight_is_a_part(at: int) -> None:
    for shares in (CARD.attack[at], *(told[at] for ages in CARD.world for told in ages)):
        assert len(shares) == BINS and shares[0] == 1.0
        assert list(shares) == sorted(shares, reverse=True) and all(0 <= share <= 1 for share in shares)
    assert 0 <= CARD.weights[at] <= 1 and math.isfinite(CARD.weights[at])


def test_ages_rise_from_the_first_day_on() -> None:
    assert CARD.ages[0] == 0 and list(CARD.ages) == sorted(set(CARD.ages))
    assert [len(ages) for ages in CARD.world] == [len(CARD.ages)] * len(KINDS)


def test_an_ordinary_day_is_no_notable() -> None:
    assert CARD.score(0.0) < 20


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
    (folder / model.MANIFEST).write_text(json.dumps({"sha256": sha256(raw).hexdigest(), "format": model.FORMAT}))
    return folder


@pytest.mark.parametrize(
    "change", [{"signals": None}, {"calibration": {}}, {"edges": [1.0, 2.0]}, {"ages": [0, 3, 7, 14, 28, 60, 90]}]
)
def test_a_scorecard_of_another_form_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="no usable model there"):
        model.load(signed(tmp_path, change))


@pytest.mark.parametrize(("form", "told"), [(model.FORMAT + 1, "update the program"), (2, "fitted away from home")])
def test_a_file_of_another_format_is_refused_with_a_remedy(tmp_path: Path, form: int, told: str) -> None:
    folder = signed(tmp_path, {})
    manifest = json.loads((folder / model.MANIFEST).read_text())
    (folder / model.MANIFEST).write_text(json.dumps({**manifest, "format": form}))
    with pytest.raises(ModelError, match=told):
        model.load(folder)


@pytest.mark.parametrize("shares", [[0.2, 0.3], [1.1], [0.1] * BINS])
def test_shares_that_do_not_fall_are_refused(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="shares must fall"):
        model.parse(plain(signal={"attack": shares}))


def test_bins_of_another_version_are_refused() -> None:
    with pytest.raises(ValueError, match="its bins are not those of this version"):
        model.parse(plain(edges=[0.0, *EDGES]))


def test_the_form_of_the_file_does_not_matter(tmp_path: Path) -> None:
    assert model.load(signed(tmp_path, {}))._replace(sha256="") == CARD._replace(sha256="", folder=tmp_path, order=None)


def test_what_a_notable_tells_rises_with_its_points_and_never_passes_what_is_surest() -> None:
    card = model.load()
    even = model.EVEN * card.points(0.5)
    told = [card.told(points, 1.0) for points in (0.0, 4.0, 8.0, even, 18.0, 60.0)]
    assert told == sorted(told) and told[0] == 0.0 and told[3] == 0.5 and told[-1] == model.SUREST
    assert card.told(2 * even, 0.5) == 0.5, "what a point counts here"
    assert card.told(even, 1.0, -2.0) < card.told(even, 1.0, 0.0) == 0.5 < card.told(even, 1.0, 2.0)


# ---- what another version made


def variant(folder: Path, weight: float, offset: float = 0.0, **manifest: Any) -> Path:
    """A model in which one signal has another weight, or all scores are lower, with a manifest that fits."""
    folder.mkdir(parents=True)
    plain = json.loads((model.FOLDER / model.SCORECARD).read_bytes())
    row = next(row for row in plain["signals"] if row["name"] == "new_action")
    row["weight"] = weight
    plain["calibration"]["offset"] += offset
    plain["id"] = f"nhi-test{weight:g}"
    raw = json.dumps(plain).encode()
    (folder / model.SCORECARD).write_bytes(raw)
    told = {"id": plain["id"], "sha256": sha256(raw).hexdigest(), "format": model.FORMAT, **manifest}
    (folder / model.MANIFEST).write_text(json.dumps(told))
    return folder


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"format": model.FORMAT + 1}, f"format {model.FORMAT + 1}"),
        ({"versions": {"nhi_watch": "99.1.0"}}, "made by nhi_watch 99.1.0"),
        ({"signals": ["new_action"]}, "name other signals"), ({"id": "nhi-else"}, "another id"),
    ],
)  # fmt: skip
def test_what_a_later_version_made_or_does_not_fit_is_refused(tmp_path: Path, manifest: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        model.load(variant(tmp_path / "a", 1.0, **manifest))


def test_an_earlier_patch_of_this_version_is_fine(tmp_path: Path) -> None:
    assert model.load(variant(tmp_path / "a", 1.0, versions={"nhi_watch": "0.0.9"})).id == "nhi-test1"
