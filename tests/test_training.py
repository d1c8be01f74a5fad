"""Training: shares and trees of small worlds, points as the product counts them, the same bytes each time."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nhi_watch.cli import main
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import model, ranking
from nhi_watch.detect.drift import REFERENCE
from nhi_watch.detect.forest import grown
from nhi_watch.detect.model import BINS
from nhi_watch.detect.scoring import sparse, unpack_values
from nhi_watch.detect.session import Session
from nhi_watch.detect.signals import NAMES
from nhi_watch.intake.sources import every
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab import worlds
from nhi_watch_lab.evaluation import exams
from nhi_watch_lab.training import calibrate, commands, first, fit, rows, write
from splunk_app import interpreter

SEEDS, SIZE = "1001-1003", (40, 8)
WANTED = commands.Wanted(("drawn",), SEEDS)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def families(kept: Path) -> dict[str, list[rows.Rows]]:
    return commands.training_rows(WANTED, kept, SIZE, workers=1)


@pytest.fixture(scope="module")
def world_rows(families: dict[str, list[rows.Rows]]) -> list[rows.Rows]:
    return families["drawn"]


@pytest.fixture(scope="module")
def fitted(families: dict[str, list[rows.Rows]]) -> fit.Fitted:
    return calibrate.fitted(fit.Forests(families), [])


# ---- rows


def test_rows_hold_eligible_days_with_their_incidents(world_rows: list[rows.Rows]) -> None:
    for item in world_rows:
        assert item.values.shape == (len(item.day), len(NAMES)) and item.bins.shape == item.values.shape
        assert item.bad.any() and not item.bad.all()
        assert {text.rpartition(" ")[2] for text in item.technique[item.bad]} <= {"external", "inside"}
        assert list(item.day) == sorted(item.day)
        assert (item.bins[np.isnan(item.values)] == -1).all() and (item.bins[item.values == 0] == 0).all()


@pytest.mark.parametrize("offset", [-1000.0, 0.0])
def test_the_trees_are_trained_on_what_they_read_in_the_product(fitted: fit.Fitted, kept: Path, offset: float) -> None:
    """Day after day the same points and reduced bins, on days of attacks too, whatever waits in quarantine."""
    world = next(rows.training_worlds([1001], 40, 5))
    built = model.parse(write.document(fitted, json.loads(commands.PRIOR.read_text("utf-8"))))
    loaded = built._replace(readings=(model.Reading(grown(len(NAMES), ()), built.readings[0].slope, offset),))
    entry = rows.of_world(loaded, world, kept)
    mine = rows.features(entry, rows.Shares(np.array(loaded.attack), loaded.ages, np.array(loaded.world)))
    replay, theirs = exams.Replay(loaded), []
    for day in worlds.days(world):
        assert all(label["distinguishable"] for label in day.incidents), "the sample must not hold days rows leave out"
        theirs += [i for i in replay.run([record for _, record in day.records]) if ranking.is_watched(i.episode)]
    assert entry.bad.any() and len(theirs) == len(mine)
    for row, item in zip(mine, theirs):
        assert row.tolist() == [*item.episode.features.points, *item.episode.features.bins]


def test_the_replay_of_training_comes_to_the_values_of_the_product() -> None:
    """Signal by signal, over days with attacks, with the shipped model's quarantine."""
    drawn = next(rows.training_worlds([1001], 12, 3))
    world = drawn._replace(history=6, attacked=5, company=False)
    loaded, store, last = model.load(), MemoryStore(), 0
    replay, theirs, incidents = exams.Replay(loaded), {}, 0
    for day in worlds.days(world):
        records = [record for _, record in day.records]
        incidents += len(day.incidents)
        for item in replay.run(records):
            theirs[item.day, item.episode.identity.id] = sparse(item.episode.values)
        last = max(exams.time_and_id(record)[0] for record in records)
        _product(store, records, loaded, last)
    state = _product(store, [], loaded, last + 5 * DAY).state
    mine = {
        (day, stored.ranked.identity_id): unpack_values(stored.values)
        for day in state.daybook.days
        for stored in state.scored(day)
    }
    assert incidents and len(mine) > 100
    assert mine == theirs


def _product(store: MemoryStore, records: list[Any], model: model.Model, now: int) -> Session:
    session = Session(store, tuple(every()), clock=lambda: float(now), model=model, until=now)
    session.feed(records)
    session.finish()
    store.commit()
    return session


def test_what_waits_in_training_is_said_by_labels_first_and_by_a_model_then(
    world_rows: list[rows.Rows], kept: Path
) -> None:
    """The second round's rows are those of the product: without labels, other values."""
    world = next(rows.training_worlds([1001], *SIZE))
    model = rows.blank(json.loads(commands.PRIOR.read_text("utf-8")))
    labelled, never = (rows.of_world(model._replace(id=name), world, kept) for name in ("", "holds nothing"))
    assert len(labelled.day) == len(never.day) == len(world_rows[0].day)
    assert not np.array_equal(np.nan_to_num(labelled.values), np.nan_to_num(never.values))


# ---- shares, trees, calibration


def test_shares_fall_and_habits_are_told_by_kind_and_age(fitted: fit.Fitted) -> None:
    shares = fitted.shares
    assert shares.attack.shape == (len(NAMES), BINS)
    assert shares.world.shape == (2, len(fit.AGES), len(NAMES), BINS)
    for shares_of_bins in (shares.attack, shares.world):
        assert (
            (np.diff(shares_of_bins, axis=-1) <= 1e-12).all()
            and (shares_of_bins[..., 0] == 1.0).all()
            and (shares_of_bins >= 0).all()
        )


def test_each_technique_weighs_the_same_however_often_it_is_seen(world_rows: list[rows.Rows]) -> None:
    """Repeating the days of one technique changes nothing of the evidence."""
    item = world_rows[0]
    many = item.technique == item.technique[item.bad][0]
    again = rows.Rows(*(np.concatenate([part, part[many], part[many]]) for part in item))
    assert np.allclose(fit.shares_of([again]).attack, fit.shares_of([item]).attack)


def test_incidents_have_the_stated_share_of_the_weight(world_rows: list[rows.Rows]) -> None:
    days = fit.weighed(world_rows[0], world_rows[0].values, world_rows[0].day >= 0, fit.PREVALENCE)
    assert days.weight[days.y == 1].sum() / days.weight.sum() == pytest.approx(fit.PREVALENCE, rel=0.01)


def test_the_document_is_read_as_it_was_fitted(fitted: fit.Fitted, world_rows: list[rows.Rows]) -> None:
    """Shares and trees of the file are those that were fitted, to the digit that it keeps."""
    loaded = model.parse(json.loads(json.dumps(write.document(fitted, {"action": {"*": 0.1}}))))
    assert loaded.signals == NAMES
    assert np.abs(np.array(loaded.attack) - fitted.shares.attack).max() <= 10**-write.DIGITS
    assert np.abs(np.array(loaded.world) - fitted.shares.world).max() <= 10**-write.DIGITS
    x = fit.features(world_rows[0], fitted.shares)
    log_odds = [loaded.readings[0].trees.log_odds(list(each)) for each in x]
    assert np.abs(fit.log_odds(fitted.trees, x) - log_odds).max() < 1e-3


def test_no_reason_lowers_the_log_odds(fitted: fit.Fitted, world_rows: list[rows.Rows]) -> None:
    """Raising any one point or bin of any day never lowers what the trees say."""
    x = fit.features(world_rows[0], fitted.shares)[:: max(1, len(world_rows[0].day) // 60)]
    before = fit.log_odds(fitted.trees, x)
    for feature in range(x.shape[1]):
        more = x.copy()
        more[:, feature] += 3.0
        assert (fit.log_odds(fitted.trees, more) >= before - 1e-9).all(), feature


def test_attacks_are_likelier_than_ordinary_days(fitted: fit.Fitted, world_rows: list[rows.Rows]) -> None:
    bad, odds = world_rows[0].bad, fit.log_odds(fitted.trees, fit.features(world_rows[0], fitted.shares))
    assert fitted.slope > 0 and odds[bad].mean() > odds[~bad].mean() + 1.0


# ---- the command


def test_the_same_worlds_give_the_same_bytes(kept: Path, tmp_path: Path, world_rows: list[rows.Rows]) -> None:
    size = ["--identities", str(SIZE[0]), "--incidents", str(SIZE[1])]
    for name in ("one", "two"):
        where = ["--workers", "1", "--kept", str(kept), "--out", str(tmp_path / name)]
        assert main(["train", "--hands", "drawn", "--worlds", SEEDS, *size, *where]) == 0
    for name in (model.MODEL, model.MANIFEST, REFERENCE):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert model.load(tmp_path / "one").signals == NAMES


# ---- the same digits on every Python

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.9", "3.11", "3.13")
ROWS = 500
PROGRAM = f"""
import hashlib, sys
sys.path.insert(0, {str(ROOT)!r})
from nhi_watch.detect import model
from nhi_watch.detect.habits import Bound, TenantHabits
from nhi_watch.detect.model import BINS
from nhi_watch.state.baseline import Profile
loaded, digest, state = model.load(), hashlib.sha256(), 12345
def dice(most):
    global state
    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
    return (state >> 33) % most
tenant, own = Profile(), Profile()
for day in range(100, 130):
    counts = {{f"machine/{{name}}:{{dice(BINS)}}": 1 + dice(40) for name in loaded.signals}}
    tenant.learn(day, {{"signal": {{"machine/*": 200, **counts}}}})
    own.learn(day, {{"habit": {{"*": 1, **{{f"{{name}}:{{dice(BINS)}}": 1 for name in loaded.signals[::3]}}}}}})
bounds = [Bound(TenantHabits(loaded, tenant, 130), own), Bound(TenantHabits(loaded, tenant, 130), Profile())]
for row in range({ROWS}):
    values = [(None, 0.0, 0.0, 0.0, dice(4000) / 100)[dice(5)] for _ in loaded.signals]
    features = bounds[row % 2].features(values)
    scored = features, loaded.likelihood(features), loaded.shares(features)
    digest.update(f"{{scored!r}}\\n".encode())
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
def test_many_rows_give_the_same_digits(version: str) -> None:
    assert told(interpreter(version)) == here()


def test_the_shipped_model_says_which_worlds_it_was_trained_on() -> None:
    manifest = json.loads((model.FOLDER / model.MANIFEST).read_text("utf-8"))
    assert manifest["worlds"] and manifest["format"] == model.FORMAT


# ---- first days


def first_days(hand: str, seed: int, strength: float = 3.0) -> fit.FirstDays:
    """400 days; signal 0 tells incidents only there, signal 1 is what the trees of all days go by."""
    chance = np.random.default_rng(seed)
    bad = np.arange(400) % 10 == 0
    x = np.zeros((400, 2 * len(NAMES)))
    x[:, 0] = np.where(bad, strength, 0.0) * (chance.random(400) < 0.8) + (chance.random(400) < 0.02) * 3.0
    x[:, 1] = chance.random(400)
    return fit.FirstDays(hand, x, -3.0 + x[:, 1], bad)


def test_first_days_get_trees_for_what_the_trees_of_all_days_do_not_know() -> None:
    families = [first_days(hand, seed) for seed, hand in enumerate(("a", "b", "c"))]
    offset, reading = first.fitted(families, 1.0, -1.0)
    assert reading.trees
    unseen = first_days("d", 9)
    odds = reading.slope * (unseen.log_odds + fit.log_odds(reading.trees, unseen.x)) + reading.offset
    assert odds[unseen.bad].mean() - odds[~unseen.bad].mean() > 2.0
    higher = np.maximum(unseen.log_odds + offset, odds)
    likelihoods, weight = 1 / (1 + np.exp(-higher)), np.where(unseen.bad, 0.015 / 40, 0.985 / 360)
    assert float(weight @ likelihoods) == pytest.approx(0.015, abs=0.006), "true in the mean, of the higher reading"


def test_no_reason_lowers_a_first_day() -> None:
    families = [first_days(hand, seed, strength=0.0) for seed, hand in enumerate(("a", "b", "c"))]
    _, reading = first.fitted(families, 1.0, -1.0)
    low, high = np.zeros((1, 2 * len(NAMES))), np.full((1, 2 * len(NAMES)), 20.0)
    assert (fit.log_odds(reading.trees, high) >= fit.log_odds(reading.trees, low)).all()


def test_families_that_cannot_be_held_apart_keep_the_reading_of_all_days() -> None:
    assert first.fitted([first_days("a", 1), first_days("a", 2)], 1.0, -1.5) == (-1.5, fit.First((), 1.0, -1.5))
