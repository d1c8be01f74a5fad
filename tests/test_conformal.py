"""The threshold that a budget asks for: exact on small histories, true to its word on random ones."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nhi_watch.detect import calibration
from nhi_watch.detect.calibration import DIMENSION, NOTHING, Quiet, mark, quiet_time
from nhi_watch.state.baseline import Profile

TODAY = 20_300


def tenant(days: dict[int, list[float]]) -> Profile:
    """A tenant whose identities had these scores."""
    profile = Profile()
    for day, scores in sorted(days.items()):
        profile.learn_group(day, [{DIMENSION: {mark(day, score): 1}} for score in scores])
    return profile


def test_without_history_nothing_is_unusual_and_only_the_cap_holds() -> None:
    assert quiet_time(Profile(), TODAY) == NOTHING
    assert NOTHING.p_value(99.0) == 1.0
    assert NOTHING.threshold(3, 300) == 0.0


def test_a_p_value_counts_what_scored_as_high_by_how_likely_it_was_benign() -> None:
    quiet = quiet_time(tenant({TODAY - 1: [50.0, 0.0, 0.0, 0.0]}), TODAY)
    assert quiet.p_value(50.0) == pytest.approx((1 + 0.5) / (1 + 3.5), abs=1e-6)
    assert quiet.p_value(50.9) == quiet.p_value(50.0), "both are remembered as 50"
    assert quiet.p_value(51.0) == pytest.approx(1 / 4.5, abs=1e-6)


def test_only_recent_weeks_count() -> None:
    old, recent = TODAY - 7 * (calibration.WEEKS + 2), TODAY - 7 * calibration.WEEKS
    assert quiet_time(tenant({old: [20.0]}), TODAY) == NOTHING
    assert quiet_time(tenant({old: [20.0], recent: [30.0]}), TODAY).scores == ((30.0, 0.7),)


def test_what_was_learnt_of_the_day_itself_is_not_there_yet() -> None:
    assert quiet_time(tenant({TODAY + 14: [20.0]}), TODAY) == NOTHING


def test_a_profile_never_keeps_more_than_some_weeks_of_scores() -> None:
    dice = random.Random(1)
    profile = tenant({day: [dice.random() * 100 for _ in range(60)] for day in range(TODAY - 120, TODAY)})
    assert len(profile.dimension(DIMENSION).values) <= 500
    assert sum(weight for _, weight in quiet_time(profile, TODAY).scores) > 28 * 60 * 0.3


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 10))
def test_on_days_like_the_last_weeks_the_expected_number_is_the_budget(seed: int, room: int) -> None:
    """The threshold lets at most `room` of 300 pass on the very days that it was made of."""
    dice = random.Random(seed)
    days = {TODAY - back: [round(dice.paretovariate(1.2) - 1, 1) % 100 for _ in range(300)] for back in range(1, 15)}
    quiet = quiet_time(tenant(days), TODAY)
    low = quiet.threshold(room, 300)
    passed = sum((1 - score / 100) for scores in days.values() for score in scores if score >= low)
    assert passed / len(days) <= room


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 50)), max_size=20), st.floats(0, 100), st.floats(0, 100))
def test_a_higher_score_never_has_a_larger_p_value(told: list[tuple[float, float]], one: float, other: float) -> None:
    quiet = Quiet(tuple(sorted(told, reverse=True)), sum(weight for _, weight in told))
    low, high = sorted((one, other))
    assert 0 < quiet.p_value(high) <= quiet.p_value(low) <= 1
