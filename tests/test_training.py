"""Training: shares and weights of small worlds, points as the product counts them, the same bytes each time."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from nhi_watch.cli import main
from nhi_watch.core.errors import InputError
from nhi_watch.detect import model
from nhi_watch.detect.drift import REFERENCE
from nhi_watch.detect.model import BINS
from nhi_watch.detect.model import order as orders
from nhi_watch.detect.signals import NAMES
from nhi_watch_lab import worlds
from nhi_watch_lab.evaluation import unseen
from nhi_watch_lab.training import commands, fit, homes, order, rows, write
from nhi_watch_lab.training.rivals import Boosting
from splunk_app import interpreter

SEEDS, PADDED, SIZE = "1001-1003", "1004", (40, 8)
WANTED = commands.Wanted(SEEDS, PADDED, hands=())


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def found(kept: Path) -> list[rows.Rows]:
    return commands.training_rows(WANTED, kept, SIZE, workers=1)


@pytest.fixture(scope="module")
def fitted(found: list[rows.Rows]) -> fit.Fitted:
    return fit.fit(found)


# ---- rows


def test_rows_hold_eligible_days_with_their_incidents(found: list[rows.Rows]) -> None:
    for one in found:
        assert one.values.shape == (len(one.day), len(NAMES)) and one.bins.shape == one.values.shape
        assert one.bad.any() and not one.bad.all()
        assert {told.rpartition(" ")[2] for told in one.technique[one.bad]} <= {"external", "inside"}
        assert list(one.day) == sorted(one.day)
        assert (one.bins[np.isnan(one.values)] == -1).all() and (one.bins[one.values == 0] == 0).all()


def test_points_of_many_rows_are_those_of_the_product(fitted: fit.Fitted) -> None:
    """Arrays and the product's own code come to the same points, day after day; where no day waits in quarantine."""
    world = next(rows.training_worlds([1001], 40, 5))
    made = model.parse(write.document(fitted, json.loads(commands.PRIOR.read_text("utf-8"))))
    card = made._replace(weights=(1.0,) * len(NAMES), offset=-1000.0)
    one = rows.of_world(card, world)
    world_shares = np.array(card.world)
    mine = homes.points(_without_labels(one), homes.Shares(np.array(card.attack), card.ages, world_shares))
    replay, theirs, hidden = rows.Labelled(card), [], set[str]()
    for day in worlds.days(world):
        replay.label(day.incidents)
        hidden.update(label["id"] for label in day.incidents if not label["distinguishable"])
        theirs += [i for i in replay.run([record for _, record in day.records]) if i.ranked.eligible]
    assert not hidden, "the sample must not hold days that rows leave out"
    assert len(theirs) == len(mine)
    for at, item in enumerate(theirs):
        assert np.abs(mine[at] - np.array(item.episode.points)).max() <= 0.011, (at, item.episode.identity.name)


def _without_labels(one: rows.Rows) -> rows.Rows:
    return one._replace(technique=np.full(len(one.day), rows.PLAIN))


# ---- shares, weights, calibration


def test_shares_fall_and_habits_are_told_by_kind_and_age(fitted: fit.Fitted) -> None:
    shares = fitted.shares
    assert shares.attack.shape == (len(NAMES), BINS)
    assert shares.world.shape == (2, len(fit.AGES), len(NAMES), BINS)
    for told in (shares.attack, shares.world):
        assert (np.diff(told, axis=-1) <= 1e-12).all() and (told[..., 0] == 1.0).all() and (told >= 0).all()


def test_each_technique_weighs_the_same_however_often_it_is_seen(found: list[rows.Rows]) -> None:
    """Repeating the days of one technique changes nothing of the evidence."""
    one = found[0]
    many = one.technique == one.technique[one.bad][0]
    again = rows.Rows(*(np.concatenate([part, part[many], part[many]]) for part in one))
    assert np.allclose(fit.shares_of([again]).attack, fit.shares_of([one]).attack)


def test_weights_are_parts_and_more_points_are_more_probable(fitted: fit.Fitted) -> None:
    assert ((fitted.weights >= 0) & (fitted.weights <= 1.5)).all() and fitted.weights.max() > 0
    assert fitted.slope > 0


def test_incidents_have_the_stated_share_of_the_weight(found: list[rows.Rows]) -> None:
    days = fit.days_of(found, [one.values for one in found], fit.PREVALENCE)
    assert days.weight[days.y == 1].sum() / days.weight.sum() == pytest.approx(fit.PREVALENCE, rel=0.01)


def test_the_document_is_read_as_it_was_fitted(fitted: fit.Fitted) -> None:
    card = model.parse(write.document(fitted, {"action": {"*": 0.1}}))
    assert card.signals == NAMES
    assert np.abs(np.array(card.attack) - fitted.shares.attack).max() <= 10**-write.DIGITS
    assert np.abs(np.array(card.world) - fitted.shares.world).max() <= 10**-write.DIGITS
    assert card.weights == tuple(np.round(fitted.weights, 2))


def test_the_unrestricted_boosting_learns_from_the_same_days(found: list[rows.Rows]) -> None:
    rival, one = Boosting(found), found[0]
    told = np.array(rival.score(one.values.tolist()))
    assert told[one.bad].mean() > told[~one.bad].mean() + 1.0


def test_the_written_trees_are_those_that_were_fitted(
    tmp_path: Path, fitted: fit.Fitted, found: list[rows.Rows]
) -> None:
    write.write(tmp_path, write.document(fitted, {"action": {"*": 0.1}}), SEEDS)
    trees = order.fit(tmp_path, fitted, found)
    card = orders.parse(order.document(trees))._replace(steep=1.0)
    bins = np.maximum(found[0].bins, 0)[:200]
    exact = np.clip(trees.decision_function(bins.astype(float)), -orders.MOST, orders.MOST)
    assert np.abs([card.log_odds([int(one) for one in each]) for each in bins] - exact).max() < 0.02
    bad = found[0].bad
    told = np.array([card.log_odds([max(0, int(one)) for one in each]) for each in found[0].bins])
    assert told[bad].mean() > told[~bad].mean() + 1.0


# ---- the command


def test_the_same_worlds_give_the_same_bytes(kept: Path, tmp_path: Path, found: list[rows.Rows]) -> None:
    size = ["--identities", str(SIZE[0]), "--incidents", str(SIZE[1])]
    for name in ("one", "two"):
        where = ["--workers", "1", "--kept", str(kept), "--out", str(tmp_path / name)]
        assert main(["train", "--worlds", SEEDS, "--padded", PADDED, "--hands", *size, *where]) == 0
    for name in (model.SCORECARD, model.MANIFEST, REFERENCE, orders.ORDER):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert model.load(tmp_path / "one").signals == NAMES


def test_seeds_that_are_no_numbers_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--worlds 'x'"):
        commands.training_rows(commands.Wanted("x"), tmp_path)


def test_models_that_lack_techniques_say_which(kept: Path, tmp_path: Path, found: list[rows.Rows]) -> None:
    unseen.train(tmp_path, WANTED, kept, SIZE, workers=1)
    folds = unseen.load(tmp_path)
    names = {told.partition(" ")[0] for one in found for told in one.technique[one.bad]}
    assert len(folds) == unseen.FOLDS and frozenset().union(*(fold.techniques for fold in folds)) == names
    assert sum(len(fold.techniques) for fold in folds) == len(names)
    assert len({fold.card.sha256 for fold in folds}) == len(folds)


# ---- the same digits on every Python

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.9", "3.11", "3.13")
ROWS = 20_000
PROGRAM = f"""
import hashlib, sys
sys.path.insert(0, {str(ROOT)!r})
from nhi_watch.detect import model
from nhi_watch.detect.model import BINS
from nhi_watch.detect.home import Bound, Home
from nhi_watch.state.baseline import Profile
card, digest, state = model.load(), hashlib.sha256(), 12345
def dice(most):
    global state
    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
    return (state >> 33) % most
tenant, own = Profile(), Profile()
for day in range(100, 130):
    told = {{f"machine/{{name}}:{{dice(BINS)}}": 1 + dice(40) for name in card.signals}}
    tenant.learn(day, {{"signal": {{"machine/*": 200, **told}}}})
    own.learn(day, {{"habit": {{"*": 1, **{{f"{{name}}:{{dice(BINS)}}": 1 for name in card.signals[::3]}}}}}})
bounds = [Bound(Home(card, tenant, 130), own), Bound(Home(card, tenant, 130), Profile())]
for row in range({ROWS}):
    values = [(None, 0.0, 0.0, 0.0, dice(4000) / 100)[dice(5)] for _ in card.signals]
    total = bounds[row % 2].total(values)
    digest.update(f"{{total!r}} {{card.probability(total)!r}}\\n".encode())
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
