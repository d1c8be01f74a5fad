"""The evaluation: what counts as found, what a list holds, and the page, on worlds and entries made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from nhi_watch.detect import model
from nhi_watch_lab.evaluation import harness
from nhi_watch_lab.evaluation.exams import Exam
from nhi_watch_lab.evaluation.harness import BUDGETS, OURS, Case, Judged, Told, _List, page, sure, table
from nhi_watch_lab.evaluation.rivals import FirstSeen

NOTHING = frozenset[str]()


def judged(hand: str, found: list[tuple[str, bool]], told: list[Told], budget: float = 10.0) -> Judged:
    cases = [Case("theft", origin, hit) for origin, hit in found]
    false = sum(one.listed and not one.bad for one in told)
    return Judged(f"{hand} 1", hand, OURS, budget, cases, false, 1000.0, told)


def test_a_list_gives_places_to_the_gravest_of_a_week() -> None:
    made = _List(2)
    made.day(1, [("a", 5.0, NOTHING), ("b", 4.0, NOTHING), ("victim", 3.0, frozenset({"x"}))])
    assert (made.found, made.false) == (set(), 2)
    made.day(2, [("thief", 9.0, frozenset({"y"}))])
    assert made.found == {"y"}, "what is graver than all that stood gets a place"
    made.day(30, [("victim", 1.0, frozenset({"x"}))])
    assert made.found == {"x", "y"}, "a week later nothing stands in its way"


def test_what_goes_on_is_one_false_notable() -> None:
    made = _List(5)
    for day in range(10):
        made.day(day, [("noisy", 2.0, NOTHING)])
    assert made.false == 1


def test_the_table_tells_the_share_that_stands_in_the_list() -> None:
    told = [Told(90.0, "critical", True, True, 9), Told(50.0, "medium", False, True, 9)]
    lines = table([judged("one", [("external", True), ("external", False), ("inside", True)], told)])
    assert [(line.outside, line.inside, line.false) for line in lines] == [(0.5, 1.0, 1.0)]


def test_incidents_are_weighed_down_to_the_prevalence() -> None:
    """Ten incidents in 1,000 identity-days count as 7.5; nobody is told to be surer than that."""
    told = [Told(95.0, "critical", True, True, 9)] * 10 + [Told(95.0, "critical", False, True, 9)] * 10
    found = sure([judged("one", [("inside", True)] * 10, told)])
    share, size = found.severities["critical"]
    assert share == pytest.approx(7.5 / 17.5) and size == 20
    assert found.error == pytest.approx(0.95 - 7.5 / 17.5)


def test_a_world_is_judged_and_paged_by_our_own_list(tmp_path: Path) -> None:
    task = harness.Task(Exam("drawn", 3001, identities=40), model.FOLDER, [FirstSeen()])
    found = harness.judge(task)
    assert {(one.detector, one.budget) for one in found} == {(d, b) for d in (OURS, "first_seen") for b in BUDGETS}
    ours = next(one for one in found if (one.detector, one.budget) == (OURS, BUDGETS[0]))
    assert ours.cases and any(case.found for case in ours.cases), "small and dense, some must stand in the list"
    text = page(found, "By hand.")
    assert "| nhi_watch | drawn |" in text and "Whether the likelihood is true" in text
