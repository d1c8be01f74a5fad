"""Profiles: what a day teaches, how much at most, and what waits."""

from __future__ import annotations

from math import log2
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_samples import MACHINE, TODAY, events, learnt, whole_days
from nhi_watch.state import baseline
from nhi_watch.state.baseline import (
    CLEARS_AFTER,
    LEARNING,
    NEW_VALUES,
    QUARANTINE,
    REPEATS,
    RETURNS,
    ROUTINE,
    VALUES,
    DayLesson,
    Profile,
    ProfileDimension,
    learn_groups,
    lesson,
    teach,
)

DAILY = {"action": "s3:GetObject"}
BAD = {"action": "iam:CreateAccessKey"}
STRANGE = {"action": "iam:CreateAccessKey", "network": "185.220.101.0/24"}


def day_of(field_sets: list[dict[str, Any]], pending: str = "") -> DayLesson:
    """The lesson of a day; behaviours of actions that begin with `pending` look bad."""
    (identity_day,) = whole_days(events(field_sets, TODAY)).values()
    return lesson((b, bool(pending) and b.key.action.startswith(pending)) for b in identity_day.ordered())


def used(days: int) -> Profile:
    return learnt([{"ago": [days, 1], "events": [DAILY]}]).own[MACHINE.id]


def test_a_day_teaches_its_values_once_however_often_they_occur() -> None:
    profile = used(20)
    before = profile.dimension("action").values["s3:GetObject"].days
    teach(profile, TODAY, *day_of([{**DAILY, "repeat": 2000}]))
    seen = profile.dimension("action").values["s3:GetObject"]
    assert (seen.days, seen.count, seen.top, seen.peak) == (before + 1, 20 + 2000, 1, 11)


def actions(profile: Profile) -> set[str]:
    return set(profile.dimension("action").values)


def held(profile: Profile, days: range, bad: dict[str, Any], usual: tuple[dict[str, Any], ...] = (DAILY,)) -> None:
    """Days on which something looked bad."""
    for day in days:
        teach(profile, day, *day_of([*usual, bad], pending=bad["action"]))


def test_whoever_does_something_bad_looking_daily_from_the_first_day_on_has_it_as_a_routine() -> None:
    profile = Profile()
    held(profile, range(TODAY, TODAY + RETURNS - 1), BAD, usual=())
    assert not profile.dimensions and not profile.is_clear
    held(profile, range(TODAY + RETURNS - 1, TODAY + RETURNS), BAD, usual=())
    assert actions(profile) == {BAD["action"]} and profile.is_clear
    assert set(profile.dimension(ROUTINE).values) == {BAD["action"]}
    assert profile.dimension("network").values and profile.dimension("hour").values, "with all that it says"


def test_what_looked_bad_once_is_never_learnt() -> None:
    profile = Profile()
    held(profile, range(TODAY, TODAY + 1), BAD)
    for day in range(TODAY + 1, TODAY + 90):
        teach(profile, day, *day_of([DAILY]))
    assert actions(profile) == {DAILY["action"]} and not profile.is_clear


def test_what_looked_bad_too_long_ago_does_not_count() -> None:
    profile = Profile()
    held(profile, range(TODAY, TODAY + 4 * (QUARANTINE + 1), QUARANTINE + 1), BAD)
    assert actions(profile) == {DAILY["action"]}


def test_an_established_identity_learns_what_looks_bad_when_it_has_come_back_from_a_known_place() -> None:
    profile = used(20)
    held(profile, range(TODAY, TODAY + REPEATS - 1), BAD)
    assert BAD["action"] not in actions(profile)
    held(profile, range(TODAY + REPEATS - 1, TODAY + REPEATS), BAD)
    assert BAD["action"] in actions(profile) and ROUTINE not in profile.dimensions


def test_from_a_place_that_is_not_known_it_takes_as_long_as_the_place_does() -> None:
    profile, thief = used(20), {**BAD, "network": "45.33.32.0/24"}
    held(profile, range(TODAY, TODAY + CLEARS_AFTER - 1), thief)
    assert BAD["action"] not in actions(profile)
    held(profile, range(TODAY + CLEARS_AFTER - 1, TODAY + CLEARS_AFTER), thief)
    assert BAD["action"] in actions(profile)


@pytest.mark.parametrize("network", ["45.33.32.0/24", "185.220.101.0/24"])
def test_beside_its_ordinary_life_a_strange_place_is_no_routine_on_the_first_days(network: str) -> None:
    profile = Profile()
    held(profile, range(TODAY, TODAY + LEARNING - 1), {**BAD, "network": network})
    assert actions(profile) == {DAILY["action"]}


def test_nobody_has_a_routine_behind_tor() -> None:
    profile = Profile()
    held(profile, range(TODAY, TODAY + LEARNING - 1), {**BAD, "network": "185.220.101.0/24"}, usual=())
    assert not profile.dimensions


def test_a_day_with_a_strange_place_teaches_nothing_of_what_looks_bad() -> None:
    profile, thief = Profile(), {**BAD, "network": "45.33.32.0/24", "action": "iam:CreateUser"}
    held(profile, range(TODAY, TODAY + RETURNS - 1), BAD)
    teach(profile, TODAY + RETURNS - 1, *day_of([DAILY, BAD, thief], pending="iam:Create"))
    assert actions(profile) == {DAILY["action"]}


def test_no_value_is_taught_twice_by_one_day() -> None:
    field_sets = [DAILY, {**DAILY, "agent": "aws-cli"}, STRANGE]
    (identity_day,) = whole_days(events(field_sets, TODAY)).values()
    day_lesson = lesson((b, b.key.agent == "aws-cli") for b in identity_day.ordered())
    assert day_lesson.later["agent"] == {"aws-cli": 1}
    assert not [
        name for name in day_lesson.later if day_lesson.later[name].keys() & day_lesson.now.get(name, {}).keys()
    ]


def test_a_group_never_learns_what_looks_bad() -> None:
    groups: dict[str, Profile] = {}
    learn_groups(groups, TODAY, [(*day_of([DAILY, STRANGE], pending="iam:CreateAccessKey"), "peer:role:x")])
    assert set(groups["tenant"].dimension("action").values) == {"s3:GetObject"}
    assert set(groups) == {"tenant", "peer:role:x"}


@pytest.mark.parametrize("flood", [500, 3000])
def test_a_flooded_day_teaches_at_most_so_many_values(flood: int) -> None:
    field_sets = [
        {"action": f"odd:Call{n:04}", "target": f"t{n}", "network": f"10.{n // 250}.{n % 250}.0/24"}
        for n in range(flood)
    ]
    day_lesson = day_of([*field_sets, {**DAILY, "repeat": 5}])
    assert max(len(values) for values in day_lesson.now.values()) == NEW_VALUES
    assert day_lesson.now["action"]["s3:GetObject"] == 5, "what happens most is kept"


def test_a_flooded_day_makes_news_no_more_than_a_bounded_number_of_times_likelier() -> None:
    profile = used(30)
    before = profile.share("action", "iam:CreateUser", 0.002, TODAY)
    teach(profile, TODAY, *day_of([{"action": f"odd:Call{n:04}"} for n in range(3000)]))
    after = profile.share("action", "iam:CreateUser", 0.002, TODAY + 1)
    assert log2(after / before) <= log2(NEW_VALUES + 1)
    assert profile.share("action", "odd:Call0001", 0.002, TODAY + 1) < 0.05


def test_one_day_hardly_moves_what_is_usual() -> None:
    profile = used(30)
    before = profile.share("action", "s3:GetObject", 0.1, TODAY)
    teach(profile, TODAY, *day_of([STRANGE]))
    after = profile.share("action", "s3:GetObject", 0.1, TODAY + 1)
    assert before - after < 0.04


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 3), st.integers(0, 9)), max_size=40))
def test_once_counts_the_values_of_a_single_day(values: list[tuple[str, int, int]]) -> None:
    dimension = ProfileDimension()
    for value, weight, day in values:
        dimension.learn([(value, 1, weight)], day)
    assert dimension.once == sum(seen.days == 1 for seen in dimension.values.values())


def test_a_profile_forgets_what_was_not_seen_for_longest() -> None:
    dimension = ProfileDimension()
    for number in range(VALUES * 2):
        dimension.learn([(f"v{number:04}", 1, 1)], number)
    dimension.trim()
    assert len(dimension.values) == VALUES
    assert min(dimension.values) == f"v{VALUES:04}"
    assert dimension.once == VALUES


def test_a_weekly_value_stays_known_and_a_forsaken_one_fades() -> None:
    seen = baseline.SeenValue(8, 8, 0, 100, 1)
    assert seen.weight(108) == 8.0
    assert seen.weight(108 + baseline.HALF_LIFE) == 4.0


def test_a_stored_profile_comes_back_as_it_was() -> None:
    profile = used(9)
    teach(profile, TODAY, *day_of([DAILY, STRANGE], pending="iam:CreateAccessKey"))
    row = baseline.to_row(profile)
    assert baseline.to_row(baseline.from_row(row)) == row
    assert baseline.from_row(row).dimension("action").once == profile.dimension("action").once


@given(st.integers(0, 40), st.floats(0.0, 1.0), st.integers(0, 400))
def test_a_share_is_a_probability(days: int, elsewhere: float, later: int) -> None:
    profile = used(days) if days else Profile()
    for value in ("s3:GetObject", "iam:CreateUser"):
        assert 0.0 <= profile.share("action", value, elsewhere, TODAY + later) <= 1.0


@pytest.mark.parametrize("let_in", [True, False])
def test_what_is_unknown_of_several_values_is_what_is_not_known_of_each(let_in: bool) -> None:
    profile, values = baseline.Profile(), ["done", "refused", "refused, then done", "never"]
    assert profile.unknown("target", values, let_in) == values
    profile.learn(
        1, {"target": dict.fromkeys(values[:3], 1), f"{baseline.REFUSED}target": dict.fromkeys(values[1:3], 1)}
    )
    profile.learn(2, {"target": {"refused, then done": 1}})
    unknown = profile.unknown("target", values, let_in)
    assert unknown == [value for value in values if not profile.knows("target", value, let_in)]
    assert unknown == (["refused", "never"] if let_in else ["never"])


def test_what_was_only_refused_is_nothing_that_was_done() -> None:
    profile = baseline.Profile()
    for day, (refused, has_done) in enumerate([(1, False), (1, False), (0, True)]):
        profile.learn(day, {"target": {"a": 1}, **({f"{baseline.REFUSED}target": {"a": 1}} if refused else {})})
        assert profile.has_done("target") is bool(profile.done("target")) is has_done


@given(st.lists(st.integers(0, 2_000), min_size=1, max_size=12))
def test_a_value_keeps_the_size_classes_of_its_two_largest_days(counts: list[int]) -> None:
    dimension = baseline.ProfileDimension()
    for day, count in enumerate(counts):
        dimension.learn([("a", count, 1)], day)
    largest = sorted([0, *map(baseline.bucket, counts)])
    assert [dimension.values["a"].top, dimension.values["a"].peak] == largest[-2:]


def test_a_value_is_a_habit_after_three_days_and_what_was_only_refused_is_none_of_what_is_let_in() -> None:
    profile = Profile()
    result = []
    for day in range(5):
        profile.learn(day, {"action": {"s3:GetObject": 1, **({"iam:ListUsers": 1} if day else {})}})
        result.append(
            (profile.habit("action", "s3:GetObject", day + 1), profile.habit("action", "iam:ListUsers", day + 1))
        )
    assert result == [(1.0, 0.0), (2.0, 0.0), (3.0, 0.0), (4.0, 3.0), (5.0, 4.0)]
    for day in range(5, 9):
        profile.learn(day, {"action": {"kms:Decrypt": 1}, "refused action": {"kms:Decrypt": 1}})
    assert profile.habit("action", "kms:Decrypt", 9, let_in=False) == 4.0
    assert profile.habit("action", "kms:Decrypt", 9) == 0.0
