"""`nhi evaluate`: which worlds are evaluated, and by which model."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.detect import model
from nhi_watch_lab.evaluation import harness, mornings, pages
from nhi_watch_lab.evaluation.mornings import ARMS, OURS, Case, Morning, Shown, Tenant


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
        "drawn": 3,
        "second": 3,
        "third": 3,
        "fourth": 3,
        "fifth": 3,
    }
    of_training = {**Wanted()._seeds, **{f"{name} more": seeds for name, seeds in Wanted().more._seeds.items()}}
    trained = {(name, seed) for name, seeds in of_training.items() for seed in harness.seeds_of(seeds)}
    assert not [exam.name for exam in wanted if (f"{exam.kind} {exam.variant}".strip(), exam.seed) in trained]


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


def test_one_command_measures_keeps_and_writes_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[mornings.Task]()

    def measured(tasks: list[mornings.Task], workers: int, progress: object) -> list[Tenant]:
        asked.extend(tasks)
        return [
            Tenant(
                "third",
                "third 7",
                OURS,
                *arm,
                200.0,
                [Case("a", "secrets", "external", 0)],
                [Morning(1, 0, 0, 0, 0, 1)],
                [Shown(90.0, "critical", True, True)],
            )
            for arm in ARMS
        ]

    monkeypatch.setattr(mornings, "measured", measured)
    monkeypatch.setattr(harness, "ROOT", tmp_path)
    for path in (pages.README, pages.MODEL_CARD, pages.PAGE):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(f"{pages.BEGINS}\n{pages.ENDS}\n", "utf-8")
    args = _asked("--one-model", "--pages", "--rules", "rules", "--out", str(tmp_path / "out"))
    assert harness.run(args, Console(quiet=True)) == 0
    assert len(asked) == 15 and {task.rules for task in asked} == {Path("rules")}
    tenants, how = mornings.read(tmp_path / "out" / "mornings.json")
    assert (tmp_path / pages.PAGE).read_text("utf-8") == pages.page(tenants)
    assert (tmp_path / pages.DETAILS).read_text("utf-8") == pages.details(tenants, how)
    assert "1 companies of 1 families" in (tmp_path / pages.README).read_text("utf-8")
    assert "Mean distance between likelihood and truth" in (tmp_path / pages.MODEL_CARD).read_text("utf-8")
