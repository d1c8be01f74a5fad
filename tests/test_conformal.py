"""The threshold that a budget asks for: exact on small histories, true to its word on random ones."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nhi_watch.detect import calibration
from nhi_watch.detect.calibration import LEAST_BENIGN, NOTHING, WINDOW, Quiet, quiet_time, weighed_again
from nhi_watch.detect.home import MACHINE, Bound, Home
from nhi_watch.detect.model import BINS, EDGES, KINDS, Scorecard, bin_of
from nhi_watch.state.baseline import EVERY, HABIT, KEPT, QUIET, SAMPLED, TENANT, Profile, Profiles, learn_groups

TODAY = 20_300
NAMES = ("one", "other")


def card(attack: float = 0.5) -> Scorecard:
    """Each bin of either signal is worth more than the one below."""
    world = (1.0, *(0.5 ** at for at in range(1, BINS)))
    return Scorecard("id", "sha", NAMES, ((1.0, *[attack] * (BINS - 1)),) * 2, (0,), (((world,) * 2,),) * 2, (1.0,) * 2,
                     0.5, -3.0, {})  # fmt: skip


def homes(attack: float = 0.5) -> dict[str, Home]:
    return {kind: Home(card(attack), Profile(), TODAY, kind) for kind in KINDS}


def bound(profile: Profile) -> Bound:
    return Bound(homes()[MACHINE], profile)


def row(value: float) -> str:
    return calibration.packed(bound(Profile()), (value, 0.0))


def score(value: float) -> float:
    return card().score(homes()[MACHINE].points(0)[bin_of(value) or 0])


def tenant(days: dict[int, list[float]]) -> Profile:
    """A tenant whose identities had these values of the first signal."""
    profiles = Profiles()
    for day, values in sorted(days.items()):
        told = [{QUIET: {EVERY: 1, **({row(value): 1} if value else {})}} for value in values]
        learn_groups(profiles.groups, day, [(now, {}, "peers") for now in told])
    return profiles.groups[TENANT]


def test_without_history_nothing_is_unusual_and_only_the_cap_holds() -> None:
    assert quiet_time(Profile(), homes(), TODAY) == NOTHING
    assert NOTHING.p_value(99.0) == 1.0
    assert NOTHING.threshold(3, 300) == 0.0


def test_a_p_value_counts_what_scored_as_high_by_how_likely_it_was_benign() -> None:
    quiet = quiet_time(tenant({TODAY - 1: [9.0, 0.0, 0.0, 0.0]}), homes(), TODAY)
    high = score(9.0)
    assert quiet == Quiet(((high, LEAST_BENIGN),), 4.0)
    assert quiet.p_value(high) == pytest.approx((1 + LEAST_BENIGN) / 5, abs=1e-6)
    assert quiet.p_value(high + 0.1) == pytest.approx(1 / 5, abs=1e-6)


def test_only_recent_weeks_count() -> None:
    old, recent = TODAY - WINDOW - 1, TODAY - WINDOW
    assert quiet_time(tenant({old: [9.0]}), homes(), TODAY) == NOTHING
    assert quiet_time(tenant({old: [9.0], recent: [9.0]}), homes(), TODAY).total == 1.0


def test_what_was_learnt_of_the_day_itself_is_not_there_yet() -> None:
    assert quiet_time(tenant({TODAY: [9.0], TODAY + 14: [9.0]}), homes(), TODAY) == NOTHING


def test_rows_are_scored_again_under_todays_tables() -> None:
    """Scores of different tables cannot be compared: what had become usual since counts as that."""
    known = tenant({TODAY - 1: [9.0]})
    (then,), (now,) = quiet_time(known, homes(), TODAY).scores, quiet_time(known, homes(0.01), TODAY).scores
    assert then[0] == score(9.0) and now[0] < then[0]


def test_a_packed_row_is_worth_what_the_day_was_worth() -> None:
    profile = Profile()
    for day in range(TODAY - 30, TODAY):
        profile.learn(day, {HABIT: {EVERY: 1, f"one:{bin_of(9.0)}": 1}})
    made, places = bound(profile), {name: at for at, name in enumerate(NAMES)}
    for values in ((9.0, 3.0), (20.0, None), (0.0, 0.0), (5.5, 40.0)):
        assert weighed_again(homes(), places, calibration.packed(made, values)) == made.total(values)


def test_a_packed_row_of_a_signal_that_is_gone_has_its_other_points() -> None:
    both = weighed_again(homes(), {"one": 0, "other": 1}, "machine,one.9.0.0,other.9.0.0,gone.9.0.0")
    assert weighed_again(homes(), {"one": 0}, "machine,one.9.0.0,other.9.0.0") == both / 2 > 0


def test_of_very_many_identities_some_are_kept_and_stand_for_all() -> None:
    crowd = tenant({TODAY - 1: [9.0] * (2 * SAMPLED)})
    kept = crowd.dimension(QUIET).values
    assert abs(kept[f"{TODAY - 1}:{EVERY}"].days - 2 * SAMPLED) <= 3


def test_a_profile_never_keeps_more_rows_than_it_may() -> None:
    dice = random.Random(1)
    profile = tenant({day: [dice.choice(EDGES) + 0.1 for _ in range(60)] for day in range(TODAY - 400, TODAY)})
    assert len(profile.dimension(QUIET).values) <= 1.25 * KEPT[QUIET]
    assert quiet_time(profile, homes(), TODAY).total == WINDOW * 60


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 10))
def test_on_days_like_the_last_weeks_the_expected_number_is_the_budget(seed: int, room: int) -> None:
    """The threshold lets at most `room` of 300 pass on the very days that it was made of."""
    dice = random.Random(seed)
    days = {TODAY - back: [round(dice.paretovariate(1.2) - 1, 1) % 40 for _ in range(300)] for back in range(1, 15)}
    low = quiet_time(tenant(days), homes(), TODAY).threshold(room, 300)
    scores = [score(value) for values in days.values() for value in values]
    assert sum(1 - each / 100 for each in scores if each >= low) / len(days) <= room


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 50)), max_size=20), st.floats(0, 100), st.floats(0, 100))
def test_a_higher_score_never_has_a_larger_p_value(told: list[tuple[float, float]], one: float, other: float) -> None:
    quiet = Quiet(tuple(sorted(told, reverse=True)), sum(weight for _, weight in told))
    low, high = sorted((one, other))
    assert 0 < quiet.p_value(high) <= quiet.p_value(low) <= 1
