"""Training on one's own history and verdicts: what is taken, what is bounded, and that a flood of verdicts is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from core_samples import TODAY, run
from nhi_watch.cli import main
from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import DAY, render_day
from nhi_watch.detect import feedback, model
from nhi_watch.detect.feedback import Verdict
from nhi_watch.detect.signals import NAMES
from nhi_watch.state.baseline import Delta
from nhi_watch.state.judged import Judged, Ranked
from nhi_watch.state.memory import MemoryStore
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.state import State
from nhi_watch_lab.training import fit, matrix, own
from nhi_watch_lab.training.commands import MATRIX
from test_pipeline import quiet, raid


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small fits on a busy machine take many times as long when threads wait for each other."""
    with threadpool_limits(1):
        yield


EMPTY: tuple[Delta, Delta] = ({}, {})


@dataclass(frozen=True)
class Day:
    """One identity's day, as a state keeps it."""

    name: str
    score: float
    values: tuple[float, ...]
    day: int = TODAY


def row(**values: float) -> tuple[float, ...]:
    return tuple(values.get(name, 0.0) for name in NAMES)


BAD = row(new_action=20.0, joint_novelty=25.0, credential_creation=20.0, new_network=14.0)


def state(days: list[Day], verdicts: list[Verdict]) -> MemoryStore:
    store = MemoryStore()
    kept = State(store)
    for one in days:
        who = Identity(one.name, one.name, "role", "aws", "1", "")
        kept.put_delta(one.day, Judged(who, Ranked(one.name, one.score, 0.0, 0.0, True), EMPTY, None, one.values))
    feedback.put(store, verdicts)
    return store


def verdict(name: str, what: str, by: str = "ann", time: int = (TODAY + 1) * DAY, day: int = TODAY) -> Verdict:
    return Verdict(f"n-{name}-{day}", name, render_day(day), what, by, time, "because", 0, "", day * DAY, 0.9)


def test_what_people_said_and_what_was_quiet_is_taken_and_the_rest_is_not() -> None:
    days = [Day("calm", 0.3, row()), Day("calm2", 0.3, row()), Day("odd", 55.0, row(new_action=9.0)),
            Day("theft", 97.0, BAD), Day("deploy", 70.0, row(new_service=12.0))]  # fmt: skip
    found = own.read(state(days, [verdict("theft", "confirmed"), verdict("deploy", "benign")]))
    assert found.told == {"ordinary": 2, "confirmed": 1, "benign": 1, "left_out": 1, "other_signals": 0,
                          "verdicts_over_the_cap": {}}  # fmt: skip
    assert sorted((r.label, r.weight, r.technique) for r in found.rows) == [
        (0, 1.0, "0"), (0, 2.0, "0"), (1, 1.0, "confirmed")]  # fmt: skip
    assert {r.tenant for r in found.rows} == {own.TENANT}


def test_a_real_run_leaves_rows_to_train_on() -> None:
    store = MemoryStore()
    (notable,) = run(store, quiet(20) + raid()).notables
    feedback.put(store, [feedback.judge(notable, "confirmed", "ann", "seen it", (TODAY + 1) * DAY, {})])
    found = own.read(store)
    assert found.told["confirmed"] == 1 and found.told["ordinary"] == 20
    (bad,) = [r for r in found.rows if r.label]
    told = {s["id"]: s["value"] for s in notable["signals"]}
    assert all(bad.values[NAMES.index(name)] == value for name, value in told.items())


@pytest.fixture(scope="module")
def shipped() -> matrix.Matrix:
    return matrix.read(MATRIX)


def test_own_rows_weigh_no_more_than_their_share(shipped: matrix.Matrix) -> None:
    rows = [matrix.Row(own.TENANT, "0", 0, 1e7, row()), matrix.Row(own.TENANT, "confirmed", 1, 1e5, BAD)]
    joined = own.join(shipped, rows)
    for label in (0, 1):
        of, mine = joined.y == label, joined.tenant == own.TENANT
        assert joined.weight[of & mine].sum() == pytest.approx(own.SHARE * joined.weight[of & ~mine].sum())
    assert own.join(shipped, []) is shipped


def test_a_flood_of_verdicts_by_one_account_does_not_bend_the_model(
    shipped: matrix.Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An insider calls a thousand thefts benign, fifty days long; two colleagues confirm a few."""
    monkeypatch.setitem(fit.SETTINGS, "max_iter", 60)
    real = shipped.only(shipped.y == 1)
    picked = [tuple(None if np.isnan(v) else float(v) for v in x) for x in real.x[::2][:1000]]
    days = [Day(f"i{n}", 90.0, values, TODAY + n % 50) for n, values in enumerate(picked)]  # type: ignore[arg-type]
    ago = [TODAY + n % 50 for n in range(len(days))]
    flood = [verdict(f"i{n}", "benign", "eve", (day + 1) * DAY + n, day) for n, day in enumerate(ago)]
    honest = [verdict(f"h{n}", "confirmed", ["ann", "bob"][n % 2]) for n in range(4)]
    days += [Day(f"h{n}", 95.0, BAD) for n in range(4)]
    found = own.read(state(days, [*flood, *honest]))
    most = feedback.SHARE + len(honest)
    assert found.told["benign"] <= most and found.told["confirmed"] == 4
    assert found.told["verdicts_over_the_cap"] == {"eve": len(flood) - found.told["benign"]}
    few = shipped.only(np.arange(len(shipped.y)) % 3 == 0)
    before, after = fit.estimator(few), fit.estimator(own.join(few, found.rows))
    thefts = few.x[few.y == 1]
    shift = after.decision_function(thefts) - before.decision_function(thefts)
    assert abs(float(np.median(shift))) < 0.25, "log-odds of the incidents as a whole stay where they were"
    ordinary = np.quantile(before.decision_function(few.x[few.y == 0]), 0.99)
    found_before = float((before.decision_function(thefts) > ordinary).mean())
    found_after = float((after.decision_function(thefts) > ordinary).mean())
    assert found_after >= found_before - 0.02
    many = own.read(state(days, [v._replace(by=f"eve{n}") for n, v in enumerate(flood)] + honest))
    bent = fit.estimator(own.join(few, many.rows)).decision_function(thefts) - before.decision_function(thefts)
    assert float(np.median(bent)) < -1.0, "it is the cap that keeps the model straight, not that the flood is harmless"


def test_the_command_trains_beside_the_state_and_says_what_it_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, shipped: matrix.Matrix
) -> None:
    few = shipped.only(np.arange(len(shipped.y)) % 8 == 0)
    monkeypatch.setattr(matrix, "read", lambda path: few)
    monkeypatch.setitem(fit.SETTINGS, "max_iter", 30)
    path = tmp_path / "state.sqlite"
    store = SqliteStore(path)
    (notable,) = run(store, quiet(20) + raid()).notables
    feedback.put(store, [feedback.judge(notable, "confirmed", "ann", "seen it", (TODAY + 1) * DAY, {})])
    store.commit()
    store.close()
    assert main(["train", "--state", str(path)]) == 0
    told = capsys.readouterr().out
    assert "Own history: 20 ordinary, 1 confirmed, 0 benign episodes" in told and "nhi model use" in told
    made = tmp_path / "models" / "candidate"
    manifest = json.loads((made / model.MANIFEST).read_text())
    assert manifest["own"]["confirmed"] == 1 and manifest["settings"]["weight_of_incidents"] == fit.POSITIVE_SHARE
    card, raw = model.load(made), (made / model.SCORECARD).read_bytes()
    assert all(list(steps.points) == sorted(steps.points) for name, steps in zip(card.signals, card.steps)
               if name not in card.free)  # fmt: skip
    assert main(["train", "--state", str(path)]) == 0
    assert (made / model.SCORECARD).read_bytes() == raw, "the same history gives the same bytes"
    assert main(["train", "--state", str(tmp_path / "none")]) == 2
