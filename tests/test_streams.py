"""How ordinary days and a budget are counted."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from nhi_watch.detect import model
from nhi_watch.detect.calibration import NOTHING, Quiet
from nhi_watch.detect.ranking import FLOOR
from nhi_watch.state.judged import Ranked
from nhi_watch_lab.evaluation import streams
from nhi_watch_lab.evaluation.counting import BUDGETS
from nhi_watch_lab.evaluation.streams import DayCount, Stream, one_day
from nhi_watch_lab.simulator import Spec

KNOWN = Quiet(((30.0, 2.0), (5.0, 10.0), (0.1, 988.0)), 1000.0)
"""12 of 1,000 scored 5 or more, more than 3 in 300: what is worth a notable scores higher."""


def item(name: str, score: float, *incidents: str) -> Any:
    return SimpleNamespace(ranked=Ranked(name, score, score / 10, score / 100, True), incidents=frozenset(incidents))


def test_what_is_over_the_threshold_is_written_up_to_the_cap_and_the_rest_is_overflow() -> None:
    day = [item(f"m{n}", score) for n, score in enumerate((40.0, 9.0, 6.0, 5.5, 4.0, 0.1))]
    count, names = one_day(day, 300, 10, KNOWN)
    assert (count.room, count.threshold, count.over, count.written, count.overflow) == (3, 5.1, 4, 3, 1)
    assert names == set()
    without = one_day(day, 300, 10, NOTHING)[0]
    assert (without.threshold, without.over, without.written, without.overflow) == (FLOOR, 5, 3, 2)


def test_an_incident_is_found_if_fewer_benign_ones_than_the_cap_come_before_it() -> None:
    day = [item("a", 50.0), item("b", 45.0, "x"), item("c", 44.0), item("d", 43.0), item("e", 42.0, "y"),
           item("f", 41.0, "z", "w"), item("g", 1.0, "v")]  # fmt: skip
    assert one_day(day, 300, 10, KNOWN)[1] == {"x"}


def test_a_benign_notable_of_the_same_rank_comes_first() -> None:
    assert one_day([item("a", 50.0, "x"), item("b", 50.0)], 100, 10, NOTHING)[1] == set()


def day(seed: int, number: int, **more: Any) -> DayCount:
    plain = {"budget": 10.0, "identities": 500, "room": 5, "threshold": 2.0, "over": 0, "written": 0, "overflow": 0}
    return DayCount(seed, number, **{**plain, **more})


def test_days_within_the_budget_overflow_and_odd_days_are_counted_apart() -> None:
    days = [day(1, 6, over=99, written=99), day(1, 7, over=2, written=2), day(1, 8, over=8, written=5, overflow=3)]
    benign = Stream(1, days, {}, {}, {8: Counter({"moved_gateways": 1, "deploys": 2}), 3: Counter({"deploys": 1})})
    label = {"origin": "inside"}
    attacked = Stream(1, days, {b: {"x"} for b in BUDGETS}, {"x": label, "y": label}, {})
    told = streams.summarise([benign], [attacked])
    held = told["budgets"]["10"]
    assert told["happenings"] == {"deploys": 2, "newcomers": 0, "fleet_upgrades": 0, "moved_gateways": 1}
    assert (held["days"], held["days_within"], held["overflow"], held["days_with_overflow"]) == (2, 2, 3, 1)
    assert (held["over"], held["written"], held["room"]) == (10.0, 7.0, 10.0)
    assert held["over_on_days_like_others"] == 4.0
    assert held["over_on_days_unlike_others"] == {"days": 1, "rate": 16.0, "written": 10.0}
    assert held["recall"]["inside"]["recall"] == 0.5


@pytest.mark.parametrize("seed", streams.SEEDS)
def test_each_stream_holds_all_that_breaks_the_likeness_of_days(seed: int) -> None:
    found = streams.happenings(Spec(streams.DAYS, 300, seed, campaigns=0))
    late: Counter[str] = sum((counts for day, counts in found.items() if day >= streams.QUIET_DAYS), Counter())
    assert set(late) == set(streams.HAPPENINGS)


def test_a_small_stream_gives_every_day_under_every_budget() -> None:
    found = streams.watch(streams.Work(Spec(days=9, machines=24, seed=7, campaigns=4), model.load()))
    assert len(found.days) == 9 * len(BUDGETS)
    assert all(c.written <= c.room and c.over <= c.identities for c in found.days)
