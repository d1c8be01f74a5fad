"""Negative controls of training: real, benign, of the training half, said to be missing where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from need import shared_data
from nhi_watch.core.errors import InputError
from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.evaluation import exams
from nhi_watch_lab.evaluation.exams import Exam
from nhi_watch_lab.training import commands, fit, rows
from nhi_watch_lab.variants import controls


def ordinary(days: int, bad: int = 0) -> rows.Rows:
    """Rows of one identity, the last `bad` of them an incident."""
    techniques = np.array([""] * (days - bad) + ["theft"] * bad)
    count = np.arange(days)
    return rows.Rows(
        count,
        np.zeros(days, int),
        np.zeros(days, int),
        count,
        np.zeros(days, bool),
        np.zeros(days, bool),
        techniques,
        techniques,
        np.zeros((days, len(NAMES))),
    )


def test_controls_have_records_that_sources_read_and_no_incidents() -> None:
    shared_data("cloudtrail")
    for seed in range(1, len(controls.SLICES) + 1):
        people, days = exams.raw(Exam("controls", seed, variant="first"))
        kept = list(days)
        assert not people and not any(incidents for incidents, _ in kept)
        records = [record for _, batch in kept for record in batch]
        assert len(records) >= controls.LEAST and exams.grouped(records)


def test_controls_leave_the_half_of_each_set_that_tests_use() -> None:
    shared_data("cloudtrail")
    assert max(r["CreationTime"] for r in controls.SETS["m365"].read(controls.SHARED)) < "2021-04-15"
    halves = [
        row.split(",")[9] for row in (controls.SHARED / "kubernetes" / "hkerma.csv").read_text("utf-8").splitlines()
    ]
    used = {r["auditID"] for r in controls.SETS["hkerma"].read(controls.SHARED)}
    assert used and not used & {
        number for number in halves[len(halves) // 2 + 1 :] if number not in halves[: len(halves) // 2]
    }
    sessions = {r["userIdentity"]["userName"] for r in controls.SETS["console"].read(controls.SHARED)}
    every = list((controls.SHARED / "cloudtrail" / "console").glob("*.json"))
    assert 0 < len(sessions) < len(every)


def test_training_says_at_once_that_the_folder_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(controls, "SHARED", tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"nowhere: no such folder.*--hands drawn old second third fourth fifth"):
        commands.training_rows(commands.Wanted(), tmp_path)
    assert set(commands.HANDS) == {*["drawn", "old", "second", "third", "fourth", "fifth", "controls"]}


def test_a_world_without_incidents_weighs_like_one_with_a_single_one() -> None:
    share = 0.2
    for built in (ordinary(8), ordinary(8, bad=1)):
        days = fit.weighed(built, built.values, fit.tested(built) | ~built.bad, share)
        assert days.weight[days.y == 0].sum() == pytest.approx((1 - share) / share)
    assert fit.tested(ordinary(8)).all()


def test_no_model_is_made_without_controls_alone() -> None:
    assert fit.Forests({"second": [ordinary(4, bad=1)], "controls first": [ordinary(3)]}).hands == ["second"]
