"""`nhi evaluate`: which worlds are judged, and by which model."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from nhi_watch.core.errors import InputError
from nhi_watch.detect import model
from nhi_watch_lab.evaluation import harness


def _asked(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    harness.add_arguments(parser)
    return parser.parse_args(words)


def test_three_tenants_of_each_family_are_judged_and_none_that_is_trained_on() -> None:
    from nhi_watch_lab.evaluation.exams import family_of
    from nhi_watch_lab.training.commands import Wanted

    wanted = harness._exams(_asked())
    families = [family_of(exam.kind) for exam in wanted]
    assert {family: families.count(family) for family in families} == {
        "drawn": 3, "second": 3, "third": 3, "fourth": 3, "fifth": 3
    }  # fmt: skip
    trained = {(name, seed) for name, seeds in Wanted()._seeds.items() for seed in harness.seeds_of(seeds)}
    assert not [exam.name for exam in wanted
                if (f"{exam.kind} {exam.variant}".strip(), exam.seed) in trained]  # fmt: skip


def test_unsteady_worlds_are_of_the_families_that_are_judged() -> None:
    asked = _asked("--drawn", "", "--old", "", "--second", "4", "--third", "", "--fourth", "", "--fifth", "")
    assert [exam.name for exam in harness._exams(asked)] == ["second 4", "second 141 unsteady"]


def test_models_of_an_earlier_run_are_used_and_a_missing_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "without-third").mkdir()
    known, _ = harness._models(_asked("--models", str(tmp_path)), ["third"])
    assert known == {"third": (tmp_path / "without-third", None)}
    with pytest.raises(InputError, match="without-fifth; leave --models out"):
        harness._models(_asked("--models", str(tmp_path)), ["third", "fifth"])
    known, how = harness._models(_asked("--one-model"), ["third"])
    assert known == {"third": (model.FOLDER, None)} and model.load().id in how
