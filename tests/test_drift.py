"""Drift: the index against hand-computed numbers, chance against real change, and what a run stores."""

from __future__ import annotations

import json
import random
from hashlib import sha256
from math import exp
from pathlib import Path

import pytest

from core_samples import TODAY, record, run
from nhi_watch.core.errors import ModelError
from nhi_watch.detect import drift, model
from nhi_watch.detect.drift import ENOUGH, STABLE_AFTER, Spread, added, note, read, report, spread_of, stability
from nhi_watch.detect.scoring import SIGNAL_SET, Sparse
from nhi_watch.detect.signals import NAMES
from nhi_watch.state.state import Ranked, Stored
from nhi_watch.state.store import MemoryStore

NAME = NAMES[3]


def scored(number: int, seed: int, high: float = 0.02, values: Sparse | None = None) -> list[Stored]:
    """A day of some identities; a share of them scores high and has values."""
    dice = random.Random(seed)
    built = []
    for n in range(number):
        unusual = dice.random() < high
        ranked = Ranked(f"i{n}", 50.0 if unusual else 0.3, 0.0, True)
        built.append(
            Stored(ranked, None, [SIGNAL_SET, values if unusual and values else {NAME: 6.0} if unusual else {}])
        )
    return built


def stored(shares: list[float], number: int = 200, values: Sparse | None = None) -> MemoryStore:
    store = MemoryStore()
    for day, share in enumerate(shares):
        note(store, TODAY + day, scored(number, day, share, values if day >= 7 else None))
    return store


FORTNIGHT = list(range(TODAY, TODAY + 14))


def test_the_index_is_that_of_the_text_book() -> None:
    # (0.5 - 0.9) ln(0.5 / 0.9) + (0.5 - 0.1) ln(0.5 / 0.1) = 0.2351 + 0.6438, and next to nothing for chance
    assert stability([5e6, 5e6], [9e6, 1e6]) == pytest.approx(0.8789, abs=1e-4)
    assert stability([9e6, 1e6], [5e6, 5e6]) == stability([5e6, 5e6], [9e6, 1e6])
    assert stability([1.0], [9.0]) == stability([], []) == stability([0, 0], [5, 5]) == 0.0


def test_two_samples_of_one_population_seldom_seem_to_differ() -> None:
    shares, dice, warned = [0.7, 0.15, 0.1, 0.04, 0.01], random.Random(5), 0
    for _ in range(300):
        drawn = [dice.choices(range(5), shares, k=300) for _ in range(2)]
        now, then = ([float(d.count(b)) for b in range(5)] for d in drawn)
        warned += stability(now, then) > 0.0
    assert warned <= 6, "the part of chance is taken off"
    far = 4 + 4 * 8**0.5  # of a chi-square of 4 degrees, whose tail is exp(-x / 2) (1 + x / 2)
    assert exp(-far / 2) * (1 + far / 2) < 0.005


def test_a_quiet_fortnight_does_not_drift_and_a_change_does() -> None:
    quiet = report(stored([0.02] * 14), FORTNIGHT, None)
    assert quiet.since_last_week is not None and {m.status for m in quiet.since_last_week} == {"ok"}
    moved = report(stored([0.02] * 7 + [0.4] * 7), FORTNIGHT, None)
    assert moved.since_last_week is not None
    assert {m.name for m in moved.since_last_week if m.status == "error"} == {"likelihood", NAME}
    assert moved.since_training is None, "without a reference there is nothing to compare with"


def test_signals_that_fall_silent_are_named() -> None:
    drift_report = report(stored([0.3] * 14, values={NAME: None}), FORTNIGHT, None)
    assert list(drift_report.cannot_tell) == [NAME]
    then, now = drift_report.cannot_tell[NAME]
    assert then == 0.0 and now == pytest.approx(0.3, abs=0.05)


def test_against_training_what_cannot_be_told_is_left_out() -> None:
    reference = added([spread_of([(0.3, [], 980.0), (50.0, [(NAME, 6.0)], 20.0)])])
    like = report(stored([0.02] * 14), FORTNIGHT, reference)
    assert like.since_training is not None and {m.status for m in like.since_training} == {"ok"}
    unlike = report(stored([0.4] * 14), FORTNIGHT, reference)
    assert unlike.since_training is not None
    assert {m.name for m in unlike.since_training if m.status == "error"} == {"likelihood", NAME}


def test_too_little_is_not_judged() -> None:
    drift_report = report(stored([0.02] * 14, number=ENOUGH // 8), FORTNIGHT, Spread([1.0] * 8, {}))
    assert (drift_report.since_training, drift_report.since_last_week) == (None, None)
    assert drift.to_json(drift_report)["since_last_week"] is None


def test_a_run_stores_the_spread_of_each_day_but_for_the_first_when_all_is_news() -> None:
    store, days = MemoryStore(), range(TODAY, TODAY + STABLE_AFTER + 3)
    records = [
        record(day, f"{hour:02}:00", role=role)
        for day in days
        for hour in (9, 10)
        for role in ("a-api", "b-api", "c-api")
    ]
    run(store, records)
    assert not read(store, days[:STABLE_AFTER]) and not read(store, days[-2:]), (
        "open days are told when they are closed"
    )
    (spread,) = read(store, days[STABLE_AFTER:])
    assert spread.size == sum(spread.bins(NAMES[0])) == 3.0


def test_the_shipped_model_has_the_spreads_of_its_own_training() -> None:
    loaded = model.load()
    spread = drift.reference(model.FOLDER, loaded.sha256)
    assert spread is not None and spread.size > 10_000
    assert set(spread.signals) <= set(NAMES) and all(
        sum(b) == pytest.approx(spread.size) for b in spread.signals.values()
    )
    manifest = json.loads((model.FOLDER / model.MANIFEST).read_bytes())
    raw = (model.FOLDER / drift.REFERENCE).read_bytes()
    assert sha256(raw).hexdigest() == manifest["reference_sha256"]


def test_the_spreads_of_another_model_are_refused(tmp_path: Path) -> None:
    assert drift.reference(tmp_path, "a") is None
    (tmp_path / model.MANIFEST).write_text("{}")
    (tmp_path / drift.REFERENCE).write_text(json.dumps({"model_sha256": "b", "likelihoods": [], "signals": {}}))
    with pytest.raises(ModelError, match="another model"):
        drift.reference(tmp_path, "a")
    (tmp_path / model.MANIFEST).write_text('{"reference_sha256": "0"}')
    with pytest.raises(ModelError, match="does not match the manifest"):
        drift.reference(tmp_path, "a")
    (tmp_path / drift.REFERENCE).write_text("{")
    with pytest.raises(ModelError, match="no spreads of training"):
        drift.reference(tmp_path, "a")
