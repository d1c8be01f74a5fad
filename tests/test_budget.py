"""The budget over weeks of made-up episodes: kept where weeks are ordinary, never in the way of what is critical."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_watch.detect.ranking import LEAST, OVER, Candidate, Places, base, counts, places, week_allowance
from nhi_watch.detect.scoring import CRITICAL
from nhi_watch.state.state import Ranked

BUDGET = 10.0


def ordinary(dice: random.Random) -> float:
    """The expected loss of a benign identity-day: most are near 0, some in a hundred are above the least."""
    return min(79.0, dice.expovariate(1 / 2))


def candidate(name: str, loss: float, hour: int = 0) -> Candidate:
    return Candidate(name, loss, loss, lambda least: hour)


def weeks(identities: int, days: int, dice: random.Random, extra: dict[int, list[float]]) -> list[Places]:
    """A tenant's days: who gets a place, each name anew every day."""
    stood: list[list[float]] = []
    given: list[Places] = []
    for day in range(days):
        losses = [*(ordinary(dice) for _ in range(identities)), *extra.get(day, [])]
        week = [loss for each in stood[-6:] for loss in each if loss >= LEAST]
        made = [candidate(f"{day}/{n}", loss) for n, loss in enumerate(losses)]
        given.append(places(made, week, week_allowance(BUDGET, identities)))
        stood.append(losses)
    return given


@pytest.mark.parametrize(("identities", "seed"), [(30, 1), (30, 2), (30, 3), (300, 1), (300, 2), (3_000, 1)])
def test_on_ordinary_weeks_the_budget_is_kept_over_time(identities: int, seed: int) -> None:
    """Who stands among the gravest of a week when he comes: over weeks that is as many as the budget allows."""
    given = weeks(identities, 56, random.Random(seed), {})[7:]
    written = sum(len(day.regular) for day in given) / len(given)
    assert written <= 1.4 * week_allowance(BUDGET, identities) / 7
    assert not any(day.over or day.beyond for day in given)


def test_a_small_tenant_s_quiet_days_stay_empty() -> None:
    given = weeks(6, 56, random.Random(4), {})
    assert sum(not day.regular for day in given) > 0.5 * len(given)


def test_ten_incidents_in_one_day_are_all_written() -> None:
    """Behind the 300 ordinary identity-days of that day, after a month of ordinary days."""
    given = weeks(300, 31, random.Random(5), {30: [96.0] * 10})
    placed = {*given[30].regular, *given[30].over}
    assert {f"30/{300 + n}" for n in range(10)} <= placed


def test_a_96_is_not_hidden_behind_a_week_of_trifles() -> None:
    """On real M365 records a budget of one a day hid a critical of the afternoon above two trifles of the morning."""
    told = places([candidate("a", 20.0), candidate("b", 20.0), candidate("theft", 96.0, 15)], [30.0] * 7, 7)
    assert told == Places(("theft",), (), ())


def test_nothing_of_informational_severity_gets_a_place() -> None:
    assert places([candidate("a", LEAST - 0.1), candidate("b", LEAST)], [], 7) == Places(("b",), (), ())


def test_criticals_beyond_the_allowance_are_written_and_a_flood_of_them_is_folded() -> None:
    wanted = [candidate(f"{n:02}", 90.0) for n in range(30)]
    told = places(wanted, [99.0] * 7, 7)
    assert (len(told.regular), len(told.over), len(told.beyond)) == (0, (OVER - 1) * 7, 30 - (OVER - 1) * 7)


def test_who_came_first_keeps_the_place() -> None:
    """Each is held against what came before it: a later and graver one takes no place away."""
    wanted = [candidate("late", 79.0, 15), candidate("early", 30.0, 9), candidate("noon", 25.0, 12)]
    assert places(wanted, [50.0], 2).regular == ("early", "late")


CANDIDATES = st.lists(
    st.builds(candidate, st.integers(0, 10_000).map(str), st.floats(0, 100), st.integers(0, 23)),
    max_size=60, unique_by=lambda one: one.id,
)  # fmt: skip


@given(CANDIDATES, st.lists(st.floats(0, 100), max_size=80), st.integers(7, 50), st.randoms())
def test_places_lose_no_critical_and_do_not_depend_on_order(
    wanted: list[Candidate], stood: list[float], allowance: int, dice: Any
) -> None:
    told = places(wanted, stood, allowance)
    losses = {one.id: one.loss for one in wanted}
    placed = [*told.regular, *told.over, *told.beyond]
    assert len(placed) == len(set(placed)) and all(losses[name] >= LEAST for name in placed)
    assert all(losses[name] >= CRITICAL for name in (*told.over, *told.beyond))
    assert {name for name, loss in losses.items() if loss >= CRITICAL} <= set(placed)
    if len(stood) + len(wanted) <= allowance:
        assert set(told.regular) == {name for name, loss in losses.items() if loss >= LEAST}
    dice.shuffle(wanted)
    dice.shuffle(stood)
    assert places(wanted, stood, allowance) == told


ONE = Ranked("x", 0.0, 0.0, True, 9)


def test_the_base_is_who_has_a_history_and_in_a_young_tenant_who_was_there_on_its_first_day() -> None:
    assert base([0, 0, 0]) == 0
    assert base([0, 1, 6, 6]) == 2
    assert base([0, 7, 30]) == 2
    assert base([3] * 9 + [0] * 40_000) == 9, "identities of one record do not widen the budget"
    assert counts(ONE) and not counts(ONE._replace(origin="account 9")), "nobody's here"
    assert not counts(ONE._replace(eligible=False))
