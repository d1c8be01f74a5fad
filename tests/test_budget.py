"""The budget over weeks of made-up episodes: kept where weeks are ordinary, never in the way of what is critical."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_watch.detect.calibration import NOTHING, Quiet
from nhi_watch.detect.ranking import (
    DAILY_OVER,
    LEAST,
    Candidate,
    Places,
    Week,
    base,
    counts,
    line,
    places,
    week_allowance,
)
from nhi_watch.detect.scoring import CRITICAL
from nhi_watch.state.judged import Ranked

BUDGET = 10.0
NONE = Places((), (), ())


def ordinary(dice: random.Random) -> float:
    """The score of a benign identity-day: most are near 0, one in a hundred is above 37."""
    return min(100.0, dice.expovariate(1 / 8))


def quiet_weeks(dice: random.Random, identities: int) -> Quiet:
    """Four weeks of them, as `calibration.quiet_time` counts them."""
    scores = [round(ordinary(dice), 1) for _ in range(28 * identities)]
    return Quiet(tuple((score, 1 - score / 100) for score in sorted(scores, reverse=True)[:5_000]), float(len(scores)))


def candidate(name: str, score: float, hour: int = 0) -> Candidate:
    return Candidate(name, score, score / 100, lambda least: hour)


def weeks(identities: int, days: int, dice: random.Random, extra: dict[int, list[float]]) -> list[Places]:
    """A tenant's days: who gets a place, each name anew every day."""
    least, given = line(quiet_weeks(dice, identities), BUDGET), list[Places]()
    for day in range(days):
        scores = [*(ordinary(dice) for _ in range(identities)), *extra.get(day, [])]
        taken, over = (sum(map(len, each)) for each in zip(*((p.regular, p.over) for p in [NONE, *given[-6:]])))
        week = Week(week_allowance(BUDGET, identities), taken, over)
        given.append(places([candidate(f"{day}/{n}", score) for n, score in enumerate(scores)], week, least))
    return given


@pytest.mark.parametrize("identities", [30, 300, 3_000])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_on_ordinary_weeks_the_budget_is_kept(identities: int, seed: int) -> None:
    given, room = weeks(identities, 56, random.Random(seed), {}), week_allowance(BUDGET, identities)
    sums = [sum(len(day.regular) for day in given[at : at + 7]) for at in range(len(given) - 6)]
    assert max(sums) <= room
    written = sum(len(day.regular) for day in given) / len(given)
    assert 0.4 * identities / 100 <= written <= 2 * identities / 100, "high scores count as benign only in part"


def test_a_small_tenant_s_quiet_days_stay_empty() -> None:
    given = weeks(30, 56, random.Random(4), {})
    assert sum(not day.regular for day in given) > len(given) / 2


def test_ten_incidents_in_one_day_are_all_written() -> None:
    """Behind the 300 ordinary identity-days of that day, after a month of ordinary days."""
    given = weeks(300, 31, random.Random(5), {30: [96.0] * 10})
    placed = {*given[30].regular, *given[30].over}
    assert {f"30/{300 + n}" for n in range(10)} <= placed


def test_a_96_is_not_hidden_behind_two_rows_of_2() -> None:
    """On real M365 records a budget of one a day hid a critical of the afternoon above two trifles of the morning."""
    told = places([candidate("a", 2.0), candidate("b", 2.0), candidate("theft", 96.0, 15)], Week(7, 7), LEAST)
    assert told == Places((), ("theft",), ())
    assert places([candidate("a", 2.0), candidate("theft", 96.0)], Week(7, 0), LEAST) == Places(("theft",), (), ())


def test_a_critical_under_the_tenant_s_own_line_is_written_as_over_budget() -> None:
    assert places([candidate("a", 85.0), candidate("b", 79.0)], Week(7, 0), 92.0) == Places((), ("a",), ())


def test_beyond_the_second_cap_criticals_are_folded_and_five_a_day_are_not() -> None:
    wanted = [candidate(str(n), 90.0) for n in range(9)]
    told = places(wanted, Week(7, 7, over=14), LEAST)
    assert (len(told.over), len(told.beyond)) == (DAILY_OVER, 9 - DAILY_OVER)


def test_who_came_first_keeps_the_place() -> None:
    wanted = [candidate("late", 79.0, 15), candidate("early", 30.0, 9), candidate("noon", 50.0, 12)]
    assert places(wanted, Week(7, 5), LEAST).regular == ("early", "noon")


CANDIDATES = st.lists(
    st.builds(
        candidate, st.integers(0, 10_000).map(str), st.floats(0, 100), st.integers(0, 23)
    ),
    max_size=60,
    unique_by=lambda one: one.id,
)


@given(CANDIDATES, st.integers(7, 50), st.integers(0, 60), st.integers(0, 120), st.floats(LEAST, 100), st.randoms())
def test_places_are_bounded_lose_no_critical_and_do_not_depend_on_order(
    wanted: list[Candidate], room: int, taken: int, over: int, least: float, dice: Any
) -> None:
    week = Week(room, taken, over)
    told = places(wanted, week, least)
    scores = {one.id: one.score for one in wanted}
    assert len(told.regular) <= week.room and len(told.over) <= week.room_over
    assert all(scores[name] >= least for name in told.regular)
    assert all(scores[name] >= CRITICAL for name in (*told.over, *told.beyond))
    placed = [*told.regular, *told.over, *told.beyond]
    assert len(placed) == len(set(placed))
    assert {name for name, score in scores.items() if score >= CRITICAL} <= set(placed)
    if len(told.regular) < week.room:
        assert {name for name, score in scores.items() if score >= least} <= set(placed)
    dice.shuffle(wanted)
    assert places(wanted, week, least) == told


ONE = Ranked("x", 0.0, 0.0, 0.0, True, 9)


def test_the_base_is_who_has_a_history_and_in_a_young_tenant_who_was_there_on_its_first_day() -> None:
    assert base([0, 0, 0]) == 0
    assert base([0, 1, 6, 6]) == 2
    assert base([0, 7, 30]) == 2
    assert base([3] * 9 + [0] * 40_000) == 9, "identities of one record do not widen the budget"
    assert counts(ONE) and not counts(ONE._replace(origin="account 9")), "nobody's here"
    assert not counts(ONE._replace(eligible=False))


def test_without_quiet_weeks_trifles_are_left_below_the_line() -> None:
    assert line(NOTHING, BUDGET) == LEAST
    wanted = [candidate("a", LEAST - 0.1), candidate("b", LEAST)]
    assert places(wanted, Week(7, 0), line(NOTHING, BUDGET)).regular == ("b",)
