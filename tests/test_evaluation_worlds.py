"""Worlds, judged: what counts as found, on entries made by hand; and that results repeat, keep and can be read."""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import shutil
from functools import cache
from pathlib import Path
from typing import Optional

import pytest

from nhi_watch.core.behaviour import fingerprint
from nhi_watch.core.errors import InputError
from nhi_watch.detect import model
from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.evaluation import exams, kept, unseen, worlds, worlds_page, worlds_sum
from nhi_watch_lab.evaluation.exams import DRAWN, OLD, SECOND, Exam
from nhi_watch_lab.evaluation.judged import OURS, Case, Entry, Job, Judged, Ledger, Notable, judge
from nhi_watch_lab.evaluation.replay import grouped
from nhi_watch_lab.evaluation.rivals import FirstSeen
from nhi_watch_lab.evaluation.unseen import UNSEEN, Fold
from nhi_watch_lab.simulator.difficulty import source_hash

SMALL = Exam(DRAWN, 2001, identities=40)
NOBODY = frozenset[str]()


def entry(who: str, rank: float, *incidents: str) -> Entry:
    return Entry(who, (rank,), frozenset(incidents))


def ledger(*entries: Entry, attacked: frozenset[str] = NOBODY) -> Ledger:
    made = Ledger()
    for each in entries:
        made.note(each, attacked)
    return made


# ---- what counts


def test_a_benign_identity_counts_once_by_its_best_day() -> None:
    made = ledger(*(entry("noisy", rank) for rank in (3, 9, 5)), entry("calm", 1), entry("victim", 4, "x"))
    assert made.above("x") == 1
    assert [(each.key, each.rank) for each in made.ordered()] == [("noisy", (9,)), ("calm", (1,))]


def test_an_incident_counts_by_its_best_day_and_a_tie_counts_against_it() -> None:
    made = ledger(entry("victim", 2, "x"), entry("victim", 7, "x"), entry("a", 7), entry("b", 6))
    assert made.above("x") == 1


def test_what_was_not_written_or_holds_several_incidents_finds_none() -> None:
    made = ledger(entry("hub", 9, "x", "y"), entry("a", 1))
    assert made.above("x") is None and made.above("unheard") is None
    assert made.above("y") is None and len(made.benign) == 1


def test_days_of_an_identity_after_its_attack_are_the_incidents() -> None:
    made = ledger(entry("victim", 5, "x"), entry("victim", 8), attacked=frozenset({"victim"}))
    assert made.above("x") == 0
    assert ledger(entry("victim", 8), entry("victim", 5, "x")).above("x") == 1, "before it, they are benign"


def case(above: Optional[int], origin: str = "inside", technique: str = "t", name: str = "i", rival: int = 0) -> Case:
    return Case(name, technique, origin, True, {OURS: above, "first_seen": rival}, None)


def judged(*cases: Case, exam: Exam = SMALL, benign: int = 0) -> Judged:
    told = [Notable(f"n{n}", "role", "2025-01-01", 20, 50.0, 5.0, 0.4, {}) for n in range(benign)]
    return Judged(exam, 10, 300.0, list(cases), told, [(0.9, True, 20), (0.2, False, 20), (0.5, False, 3)])


@pytest.mark.parametrize(("above", "budget", "found"), [(29, 10, True), (30, 10, False), (8, 3, True), (9, 3, False)])
def test_found_means_fewer_benign_notables_than_the_budget_has_room_for_in_the_test(
    above: int, budget: float, found: bool
) -> None:
    world = judged()
    assert world.room(budget) == budget * 10 * 300 / 1000
    assert case(above).found(world.room(budget)) is found


def test_what_is_no_notable_is_never_found() -> None:
    assert not case(None).found(1e9)
    assert not case(0).found(30, "unheard")


# ---- figures


def test_recall_is_pooled_averaged_over_worlds_and_told_at_its_worst() -> None:
    calm = judged(*(case(0) for _ in range(3)), exam=Exam(DRAWN, 1))
    wild = judged(case(0), *(case(99, rival=99) for _ in range(2)), case(5, "external"), exam=Exam(DRAWN, 2))
    told = worlds_sum.summarise([calm, wild])["groups"]["drawn"]
    inside = told["detectors"][OURS]["10"]["inside"]
    assert (inside["found"], inside["incidents"], inside["mean"]) == (4, 6, pytest.approx(2 / 3, abs=1e-3))
    assert inside["worst"] == [round(1 / 3, 4), "drawn 2"]
    assert told["detectors"]["first_seen"]["10"]["inside"]["ahead"] == {"recall": 0.0, "interval": [0.0, 0.0]}
    assert told["calibration"]["n"] == 4, "only after two weeks"
    assert told["calibration"]["prevalence"] == 0.5


def test_padding_is_told_on_incidents_that_both_variants_have() -> None:
    plain = judged(case(0, name="a"), case(0, name="b"), case(0, name="c"), exam=Exam(DRAWN, 1))
    padded = judged(case(0, name="a"), case(99, name="b"), exam=Exam(DRAWN, 1, True))
    lost = worlds_sum.summarise([plain, padded])["padding"]["drawn"]["10"]["inside"]
    assert (lost["incidents"], lost["recall"]) == (2, 0.5)


def test_what_cannot_be_told_apart_counts_nowhere_but_is_named() -> None:
    alike = case(99, technique="mimicry")._replace(distinguishable=False)
    told = worlds_sum.summarise([judged(case(0), alike)])["groups"]["drawn"]
    assert told["incidents"] == {"external": 0, "inside": 1} and told["indistinguishable"] == ["mimicry"]


def test_parallel_sessions_and_slow_discovery_are_told_apart() -> None:
    names = ("parallel_session", "session-token-parallel-use", "slow-discovery", "patient_discovery", "recon_burst")
    told = worlds_sum.summarise([judged(*(case(0, technique=name) for name in names))])["groups"]["drawn"]["special"]
    assert {kind: counts["10"]["inside"] for kind, counts in told.items()} == {
        "parallel session": [2, 2], "slow discovery": [2, 2],
    }  # fmt: skip


def test_the_page_has_the_worlds_first_and_the_long_tables_beside_it(tmp_path: Path) -> None:
    parts = [judged(case(0), case(40, "external"), exam=exam, benign=3)
             for exam in (Exam(OLD, 501), Exam(DRAWN, 1), Exam(DRAWN, 1, True), Exam(SECOND, 1))]  # fmt: skip
    told = {**worlds_sum.summarise(parts), "rules": {"rules": 3, "left_out": 1}}
    worlds_page.write(tmp_path / "w.md", {"model": {"id": "nhi-x", "sha256": "0" * 64}, "worlds": told}, "it")
    text = (tmp_path / "w.md").read_text("utf-8")
    titles = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert titles == ["Recall by world", "Recall lost to padding", "Beside rivals", "Calibration"]
    rows = [line.split(" | ")[0][2:] for line in text.splitlines() if " nhi_watch " in line]
    assert rows == [worlds_page.GROUPS[name] for name in ("second", "drawn", "old")]
    assert "Written by `it`" in text and "3 Sigma rules, 1 left out" in text and "(w.csv)" in text
    with (tmp_path / "w.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    (world,) = [line for line in lines if line["worlds"] == "drawn 1 padded"]
    assert (world["inside at 10"], world["external at 10"]) == ("1 of 1", "0 of 1")
    assert world["more"] == "10 days; 300 identities a day; room for 30 at 10"
    assert {line["of"] for line in lines if line["table"] == "detector"} == {OURS, "first_seen"}


def test_calibration_is_pooled_over_worlds_that_are_not_padded() -> None:
    parts = [judged(exam=exam)._replace(calibration=[(0.5, False, 20), (0.5, True, 20), (0.9, False, 3)])
             for exam in (Exam(DRAWN, 1), Exam(SECOND, 1), Exam(SECOND, 1, True))]  # fmt: skip
    found = worlds_sum.summarise(parts)["calibration"]
    assert (found["n"], found["prevalence"]) == (4, 0.5)


def test_what_is_costly_is_judged_in_the_first_worlds_of_each_kind_alone(tmp_path: Path) -> None:
    chosen = worlds.usual({DRAWN: "3001-3002", SECOND: "1-3"})
    args = argparse.Namespace(costly=1, rivals=True, no_boosting=True, unseen=None, rules=tmp_path, out=tmp_path)
    works = worlds._works(args, model.load(), chosen)
    assert [work.exam for work in works] == chosen
    assert [work.exam.name for work in works if work.rules] == ["drawn 3001", "second 1"]
    assert all(work.rivals for work in works)


def test_how_a_page_is_laid_out_changes_no_kept_result(tmp_path: Path) -> None:
    for name in ("judged.py", "page.py", "worlds_page.py"):
        (tmp_path / "evaluation").mkdir(exist_ok=True)
        (tmp_path / "evaluation" / name).write_text("1", "utf-8")
    def mark() -> str:
        kept.code_hash.cache_clear()
        return kept.code_hash(("evaluation",), tmp_path)
    first = mark()
    (tmp_path / "evaluation" / "worlds_page.py").write_text("2", "utf-8")
    assert mark() == first
    (tmp_path / "evaluation" / "judged.py").write_text("2", "utf-8")
    assert mark() != first


# ---- real worlds, small


@cache
def found(folder: Path) -> Judged:
    return judge(Job(SMALL, model.load(), folder, [FirstSeen()]))


def test_the_same_world_gives_the_same_result_fresh_and_from_kept_days(tmp_path: Path) -> None:
    first = found(tmp_path)
    assert first == judge(Job(SMALL, model.load(), tmp_path, [FirstSeen()])) and len(list(tmp_path.iterdir())) == 1
    assert len(first.cases) >= 5 and {c.origin for c in first.cases} == {"external", "inside"}
    assert 0 < first.identities <= 60 and first.days >= 7
    assert all(set(case.above) == {OURS, "first_seen"} for case in first.cases)
    order = [(n.score, n.points) for n in first.benign]
    assert order and all(score >= 2.0 for score, _ in order)


def test_a_result_is_kept_by_model_and_world_and_read_as_it_was(tmp_path: Path) -> None:
    card = model.load()
    work = worlds.Work(SMALL, card, tmp_path, rivals=False, rules=None)
    first = worlds.one(work)
    (path,) = (tmp_path / "worlds").iterdir()
    changed = path.read_text("utf-8").replace('"drawn", 2001', '"drawn", 4711')
    path.write_text(changed, "utf-8")
    again = worlds.one(work)
    assert again.exam.seed == 4711, "it was read, not worked out anew"
    assert again._replace(exam=SMALL) == first
    other = work._replace(model=card._replace(sha256="another"))
    assert worlds.one(other) == first and len(list((tmp_path / "worlds").iterdir())) == 2


@pytest.mark.parametrize("kind", exams.HANDS)
def test_worlds_by_other_hands_are_as_they_were_handed_in(kind: str) -> None:
    decision = (Path(__file__).parents[1] / "docs" / "decisions" / "0009-worlds.md").read_text("utf-8")
    assert f"| {kind} | {source_hash(exams.LAB / f'{kind}_world')} |" in decision


@pytest.mark.parametrize("kind", exams.HANDS)
def test_labels_of_worlds_by_other_hands_name_records_that_our_sources_read(kind: str) -> None:
    people, told = exams.raw(Exam(kind, 3, identities=40))
    days = list(told)
    labels = [label for begun, _ in days for label in begun]
    seen = {fingerprint(name) for label in labels for name in label["record_ids"]}
    assert len(labels) >= 12 and people
    assert sum(bool(label["record_ids"]) for label in labels) >= 0.9 * len(labels)
    whole = {mark for _, records in days for wholes in grouped(records).values()
             for each in wholes.values() for mark in each.seen}  # fmt: skip
    assert seen <= whole


def test_people_stand_in_the_kept_file(tmp_path: Path) -> None:
    people, _ = exams.days(SMALL, tmp_path)
    (path,) = tmp_path.iterdir()
    with gzip.open(path, "rt", encoding="utf-8") as file:
        assert frozenset(json.loads(file.readline())["people"]) == people != frozenset()


def test_the_usual_worlds_are_plain_and_padded_but_for_the_old_simulator() -> None:
    told = worlds.usual({DRAWN: "3001-3002", SECOND: "1", OLD: "501"})
    assert [exam.name for exam in told if exam.kind == DRAWN] == [
        "drawn 3001", "drawn 3002", "drawn 3001 padded", "drawn 3002 padded"]  # fmt: skip
    assert [exam.name for exam in told if exam.kind == OLD] == ["old 501"]
    assert worlds.usual({DRAWN: "", SECOND: ""}) == []


# ---- techniques that no training saw


def test_only_the_model_that_lacks_a_technique_judges_it(tmp_path: Path) -> None:
    """A model that weighs all alike finds what the shipped one finds, and judges its own techniques alone."""
    card = model.load()
    every = sorted({case.technique for case in found(tmp_path).cases})
    fold = Fold(frozenset(every[::2]), card.aligned(NAMES))
    told = judge(Job(SMALL, card, tmp_path, [], [fold]))
    for case in told.cases:
        assert (UNSEEN in case.above) == (case.technique in fold.techniques)
        assert case.above.get(UNSEEN, case.above[OURS]) == case.above[OURS]
    figures = worlds_sum.summarise([told])["groups"]["drawn"]["detectors"][UNSEEN]["10"]
    assert sum(figures[o]["incidents"] for o in figures) == sum(UNSEEN in case.above for case in told.cases)


def test_models_without_techniques_say_so_in_their_manifest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no models there"):
        unseen.load(tmp_path)
    shutil.copytree(model.FOLDER, tmp_path / "one", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    with pytest.raises(InputError, match="names no techniques"):
        unseen.load(tmp_path)
    path = tmp_path / "one" / model.MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "without": ["public_bucket"]}), "utf-8")
    (fold,) = unseen.load(tmp_path)
    assert fold.techniques == {"public_bucket"} and fold.card.sha256 == model.load().sha256
