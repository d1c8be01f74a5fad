"""The trials of the score: what their page says is what was measured, and a blunt cold theft gets its line."""

from __future__ import annotations

from nhi_watch.detect import model
from nhi_watch_lab import worlds
from nhi_watch_lab.evaluation import trials
from nhi_watch_lab.evaluation.exams import DRAWN, TRIALS, Exam, raw

DAYS = {"least": 9, "median": 45}
RESULT = {
    "people": {"people": 70, "grave_of_people": 2, "listed_of_people": 3, "stolen": 5, "found": 4,
               "outside": 3, "found_outside": 3, "pipelines": 8,
               "of_pipelines": 6, "most_of_a_pipeline": 2},
    "cold": {"thefts": [{"seed": 1, "technique": "t", "listed": True, "score": 16.2},
                        {"seed": 2, "technique": "t", "listed": False, "score": 0.0}]},
    "quiet": {"parallel_session": {"incidents": 12, "at 10": 6, "at 3": 4}},
    "padded": {"plain": {"incidents": 20, "found": 15}, "padded": {"incidents": 20, "found": 14}},
    "poison": {"seen_without_poisoning": 14, "best_strategy": DAYS, "never_written": DAYS},
}  # fmt: skip


def test_the_page_says_what_was_measured_misses_included() -> None:
    text = trials.page({"model": "nhi-1", "trials": RESULT})
    for told in ("Model nhi-1", "2 with one", "4 of 5", "at most 2, 6 in all", "1 of 2 (scores 16.2, 0)",
                 "0.50 (6 of 12), 4 at 3", "plain 0.75 (15 of 20), padded 0.70 (14 of 20)",
                 "least 9, median 45"):  # fmt: skip
        assert told in text


def test_a_thousand_objects_read_where_nobody_has_a_past_are_worth_a_line() -> None:
    """Seed 4106 is none of those that the page tells of."""
    world = TRIALS["cold"](worlds.draw(4106, identities=40, history=0, company=False))
    notables, incidents = trials.lived(world, model.load())
    assert [i["technique"] for i in incidents] == ["stranger_bulk_read"]
    (mine,) = trials.listed_of(notables, incidents[0])
    assert mine["score"] >= 10 and "mass_by_stranger" in [s["id"] for s in mine["signals"]]


def test_a_trial_s_world_has_more_of_what_it_tries() -> None:
    _, days = raw(Exam(DRAWN, 2001, False, 30, "quiet"))
    told = {(i["technique"], i["origin"]) for records, _ in days for i in records}
    assert {origin for _, origin in told} == {"inside"}
    assert {technique for technique, _ in told} <= {"slow_discovery", "patient_discovery", "parallel_session"}
    assert Exam(DRAWN, 2001, True, 30, "quiet").name == "drawn 2001 quiet padded"
