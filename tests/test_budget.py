"""The budget over weeks of made-up episodes: kept where weeks are ordinary, never in the way of what is critical."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.detect.ranking import GIVEN_BACK, LEAST, OVER, ListedRows, base, counts, give_rows, week, week_allowance
from nhi_watch.detect.scoring import CRITICAL
from nhi_watch.state.state import Ranked

BUDGET = 10.0


def ordinary(dice: random.Random) -> float:
    """The expected loss of a benign identity-day: most are near 0, some in a hundred are above the least."""
    return min(79.0, dice.expovariate(1 / 2))


class Row(NamedTuple):
    """An episode that is grave enough for a row."""

    id: str
    risk: float
    reached: int


def row(name: str, risk: float, hour: int = 0, day: int = 0) -> Row:
    return Row(name, risk, day * DAY + hour * HOUR)


def with_row(rows: Iterable[Row], allowance: int, kept: frozenset[str] = frozenset()) -> ListedRows:
    """Places of episodes that are each a case of their own."""
    return give_rows([(row.id, row) for row in rows], allowance, kept)


def weeks(identities: int, days: int, dice: random.Random, extra: dict[int, list[float]]) -> ListedRows:
    """A tenant's days: who gets a row, each name again every day."""
    losses = {day: [*(ordinary(dice) for _ in range(identities)), *extra.get(day, [])] for day in range(days)}
    rows = [row(f"{day:02}/{n}", risk, 0, day) for day, each in losses.items() for n, risk in enumerate(each)]
    return with_row([row for row in rows if row.risk >= LEAST], week_allowance(BUDGET, identities))


def of_day(names: Iterable[str], day: int) -> list[str]:
    return [name for name in names if int(name[:2]) == day]


@pytest.mark.parametrize(("identities", "seed"), [(30, 1), (30, 2), (30, 3), (300, 1), (300, 2), (3_000, 1)])
def test_on_ordinary_weeks_the_budget_is_kept_over_time(identities: int, seed: int) -> None:
    """Who stands among the gravest of a week when he comes: over weeks that is as many as the budget allows."""
    given = weeks(identities, 56, random.Random(seed), {})
    written = sum(len(of_day(given.regular, day)) for day in range(7, 56)) / 49
    assert written <= 1.4 * week_allowance(BUDGET, identities) / 7
    assert not (given.over or given.beyond)


def test_a_small_tenant_s_quiet_days_stay_empty() -> None:
    given = weeks(6, 56, random.Random(4), {})
    assert sum(not of_day(given.regular, day) for day in range(56)) > 0.5 * 56


def test_ten_incidents_in_one_day_are_all_written() -> None:
    """Behind the 300 ordinary identity-days of that day, after a month of ordinary days."""
    given = weeks(300, 31, random.Random(5), {30: [96.0] * 10})
    assert {f"30/{300 + n}" for n in range(10)} <= {*given.regular, *given.over}


def stood(losses: Iterable[float]) -> list[Row]:
    """What stood in the days before."""
    return [row(f"before-{n}", risk, 0, -1) for n, risk in enumerate(losses)]


def test_a_96_is_not_hidden_behind_a_week_of_trifles() -> None:
    """On real M365 records a budget of one a day hid a critical of the afternoon above two trifles of the morning."""
    given = with_row([*stood([30.0] * 7), row("a", 20.0), row("b", 20.0), row("theft", 96.0, 15)], 7)
    assert {"a", "b", "theft"} & {*given.regular, *given.over, *given.beyond} == {"theft"}


def test_criticals_beyond_the_allowance_are_written_and_a_flood_of_them_is_folded() -> None:
    given = with_row([*stood([99.0] * 7), *(row(f"{n:02}", 90.0) for n in range(30))], 7)
    assert (len(given.regular), len(given.over), len(given.beyond)) == (7, (OVER - 1) * 7, 30 - (OVER - 1) * 7)


def test_who_came_first_keeps_the_place() -> None:
    """Each is held against what came before it: a later and graver one takes no place away."""
    wanted = [row("late", 79.0, 15), row("early", 30.0, 9), row("noon", 25.0, 12)]
    assert with_row([*stood([50.0]), *wanted], 2).regular == {"before-0", "early", "late"}


def test_what_was_published_with_a_place_keeps_it() -> None:
    wanted = [row("a", 30.0, 9), row("b", 40.0, 9)]
    assert with_row(wanted, 1).regular == {"b"}
    assert with_row(wanted, 1, frozenset({"a"})).regular == {"a", "b"}


def test_a_case_takes_one_place_however_often_it_comes_back() -> None:
    """A role that is critical each day for a week leaves room for the others; after a week it is no rival any more."""
    daily = [("role", row(f"role-{day}", 99.0, 0, day)) for day in range(7)]
    other = ("other", row("other", 20.0, 0, 7))
    assert "other" not in give_rows([*daily, other], 1).regular
    assert "other" in give_rows([*daily, other], 2).regular
    assert "other" in give_rows([*daily[:1], other], 1).regular


def mornings(waiting: float, days_ago: int = 2) -> ListedRows:
    """Seven have the verdict benign; one waits since then, and of today's eight the last is without a place."""
    with_verdict = [row(f"verdict-{n}", 60.0, 0, -days_ago - 1) for n in range(7)]
    today = [row(f"today-{n}", 70.0, 9) for n in range(7)]
    rows = [*with_verdict, row("waiting", waiting, 0, -days_ago), *today, row("left", 40.0, 12)]
    names = {row.id for row in with_verdict}
    return give_rows([(row.id, row) for row in rows], 7, (), names, {"waiting"}, row("end", 0.0, 13).reached)


def test_what_waited_comes_after_the_rows_of_the_last_day_that_are_stronger() -> None:
    """Both would have a place by the verdicts alone."""
    assert "left" not in mornings(35.0).regular and "waiting" not in mornings(35.0).regular
    assert "waiting" in mornings(45.0).regular
    assert "waiting" not in mornings(45.0, 7).regular, "for a week at most"
    assert "waiting" not in mornings(25.0).regular


def test_verdicts_free_places_for_medium_ones_and_above_alone() -> None:
    """After fourteen with verdicts; without verdicts there is no row for any."""
    before = [row(f"before-{n}", 60.0, 0, -1) for n in range(14)]
    later = [row("medium", GIVEN_BACK, 9), *(row(f"low-{n}", GIVEN_BACK - 1 - n, 9) for n in range(10))]
    rows = [(row.id, row) for row in (*before, *later)]
    with_verdict = {row.id for row in before}
    assert not {row.id for row in later} & give_rows(rows, 14).regular
    assert {row.id for row in later} & give_rows(rows, 14, (), with_verdict).regular == {"medium"}


def test_the_week_says_how_many_places_are_taken_and_what_a_further_one_has_to_exceed() -> None:
    rows = [(row.id, row) for row in (row("a", 30.0), row("b", 50.0, 1), row("c", 20.0, 2), row("old", 90.0, 0, -8))]
    assert week(rows, 7, DAY) == (7, 3, LEAST)
    assert week(rows, 2, DAY) == (2, 2, 30.0)
    full = [pair for pair in rows if pair[0] != "old"]
    for risk, has_row in ((30.0, False), (30.1, True)):
        assert ("new" in give_rows([*full, ("new", row("new", risk, 12))], 2).regular) is has_row


ROWS = st.lists(
    st.builds(row, st.integers(0, 10_000).map(str), st.floats(LEAST, 100), st.integers(0, 23), st.integers(0, 20)),
    max_size=60,
    unique_by=lambda row: row.id,
)


@given(ROWS, st.integers(1, 50), st.randoms())
def test_places_lose_no_critical_and_do_not_depend_on_order(wanted: list[Row], allowance: int, dice: Any) -> None:
    given = with_row(wanted, allowance)
    losses = {row.id: row.risk for row in wanted}
    names = [*given.regular, *given.over, *given.beyond]
    assert len(names) == len(set(names))
    assert all(losses[name] >= CRITICAL for name in (*given.over, *given.beyond))
    assert {name for name, risk in losses.items() if risk >= CRITICAL} <= set(names)
    for row in wanted:
        rivals = [two for two in wanted if two.id != row.id and row.reached - 7 * DAY < two.reached <= row.reached]
        graver = sum(two.risk > row.risk for two in rivals)
        if graver >= allowance:
            assert row.id not in given.regular
        if sum(two.risk >= row.risk for two in rivals) < allowance:
            assert row.id in given.regular
    dice.shuffle(wanted)
    assert with_row(wanted, allowance) == given


ONE = Ranked("x", 0.0, 0.0, True, 9)


def test_the_base_is_who_has_a_history_and_in_a_young_tenant_who_was_there_on_its_first_day() -> None:
    assert base([0, 0, 0]) == 0
    assert base([0, 1, 6, 6]) == 2
    assert base([0, 7, 30]) == 2
    assert base([3] * 9 + [0] * 40_000) == 9, "identities of one record do not widen the budget"
    assert counts(ONE) and not counts(ONE._replace(origin="account 9")), "nobody's here"
    assert not counts(ONE._replace(eligible=False))
