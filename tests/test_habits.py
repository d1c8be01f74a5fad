"""What habit leaves of a signal: how points and bins come about, whose days count, and what cannot be bent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_samples import TODAY, Options, answer, record, run, runs
from nhi_watch.detect import model
from nhi_watch.detect.forest import Node, grown
from nhi_watch.detect.habits import (
    BLUNT,
    BLUNT_POINTS,
    COLD,
    FIRST,
    FREELY,
    FULL,
    STABLE_AFTER,
    STRENGTH,
    THEN_EACH,
    Bound,
    TenantHabits,
    counted,
    together,
    total,
)
from nhi_watch.detect.model import BINS, EDGES, KINDS, MACHINE, NEVER, PERSON, Features, Model, Reading, Shares, bin_of
from nhi_watch.detect.signals import UNTAUGHT
from nhi_watch.state.baseline import (
    ALIKE,
    EVERY,
    HABIT,
    HISTORY,
    KEPT,
    NEW_VALUES,
    SIGNAL,
    TENANT,
    Delta,
    Profile,
    Profiles,
    learn_groups,
    teach,
)

SHARES = st.lists(st.floats(0, 1), min_size=BINS - 1, max_size=BINS - 1).map(
    lambda details: (1.0, *sorted((round(each, 6) for each in details), reverse=True))
)
WORLD = (1.0, 0.5, 0.25, 0.1, *[0.01] * (BINS - 4))
ATTACK = (1.0, 0.9, 0.9, 0.8, *[0.4] * (BINS - 4))


def card(attack: Shares = ATTACK, world: Shares = WORLD, signals: int = 1) -> Model:
    names = tuple(f"s{number}" for number in range(signals))
    worlds, reading = (((world,) * signals,),) * 2, Reading(grown(signals, ()), 1.0, -3.0)
    return Model("id", "sha", names, (attack,) * signals, (0,), worlds, (reading,), (reading,), {})


def day_of(value: float | None, names: tuple[str, ...] = ("s0",), kind: str = MACHINE) -> Delta:
    seen = counted(names, (value,) * len(names))
    return {HABIT: {EVERY: 1, **seen}, SIGNAL: {f"{kind}/{name}": 1 for name in (EVERY, *seen)}}


def tenant(days: Mapping[int, Sequence[float | None]], alike: bool = False) -> Profile:
    """A tenant whose identities had these values; each is a peer group of its own unless they are alike."""
    profiles = Profiles()
    for day, values in sorted(days.items()):
        lessons = [(day_of(value), Delta(), "peers" if alike else f"peers {n}") for n, value in enumerate(values)]
        learn_groups(profiles.groups, day, lessons)
    return profiles.groups.get(TENANT) or Profile()


def watched() -> Profile:
    """A tenant that was seen yesterday, of which nothing is counted yet."""
    profile = Profile()
    profile.days, profile.first = 1, TODAY - 1
    return profile


def own(values: Sequence[float | None], first: int = TODAY - 60) -> Profile:
    """An identity that had these values, day after day."""
    profile = Profile()
    for number, value in enumerate(values):
        teach(profile, first + number, day_of(value), {})
    return profile


# ---- from shares to points


@given(SHARES, SHARES, st.dictionaries(st.integers(TODAY - 40, TODAY - 1), st.lists(st.floats(0, 40), max_size=6)))
@settings(deadline=None)
def test_points_rise_with_the_value_are_never_negative_and_have_two_digits(
    attack: Shares, world: Shares, days: dict[int, list[float | None]]
) -> None:
    points = TenantHabits(card(attack, world), tenant(days), TODAY).points(0)
    assert len(points) == BINS and points[0] == 0.0
    assert list(points) == sorted(points)
    assert all(each == round(each, 2) for each in points)


def test_points_are_the_bits_by_which_attacks_reach_a_value_more_often() -> None:
    points = TenantHabits(card(), watched(), TODAY).points(0)
    assert points[:4] == (0.0, round(log2(0.9 / 0.5), 2), round(log2(0.9 / 0.25), 2), 3.0)


def test_what_attacks_show_less_often_than_home_keeps_the_points_of_less() -> None:
    """A ratio of two shares may fall; the points never do."""
    attack = (1.0, 0.8, 0.01, *[0.001] * (BINS - 3))
    points = TenantHabits(card(attack, (1.0, *[0.1] * (BINS - 1))), watched(), TODAY).points(0)
    assert set(points[1:]) == {3.0}


def test_on_a_tenants_first_day_points_count_more() -> None:
    first, later = (TenantHabits(card(), profile, TODAY).points(0) for profile in (Profile(), watched()))
    assert first == tuple(pytest.approx(FIRST * each, abs=0.011) for each in later)


def test_what_home_does_more_than_attackers_is_worth_nothing() -> None:
    assert set(TenantHabits(card(WORLD, ATTACK), Profile(), TODAY).points(0)) == {0.0}


def test_a_signal_that_no_model_knows_has_no_points() -> None:
    aligned = card().aligned(("s0", "unheard"))
    tenant_habits = TenantHabits(aligned, tenant({TODAY - 1: [9.0]}), TODAY)
    assert set(tenant_habits.points(1)) == {0.0} and tenant_habits.points(0)[-1] > 0
    assert aligned.attack[1] == NEVER


@given(st.lists(st.floats(0, 30), max_size=80))
def test_a_sum_is_that_of_hundredths_on_every_host(values: list[float]) -> None:
    points = [round(value, 2) for value in values]
    assert total(points) == total(points[::-1]) == float(f"{sum(round(each * 100) for each in points) / 100:.2f}")


@given(st.floats(0, 1000))
def test_a_value_on_an_edge_belongs_to_the_bin_below(value: float) -> None:
    at = bin_of(value) or 0
    assert (at == 0 or EDGES[at - 1] < value) and (at == BINS - 1 or value <= EDGES[at])


# ---- from the world's days to the tenant's own


def test_the_world_gives_way_to_home_as_days_come() -> None:
    """A tenant whose machines all reach a value that the world hardly knows."""
    at = bin_of(9.0) or 0
    seen = [tenant({TODAY - back: [9.0] * 30 for back in range(1, days + 1)}) for days in range(1, 30)]
    worth = [TenantHabits(card(), profile, TODAY).points(0)[at] for profile in (watched(), *seen)]
    assert worth[0] == round(log2(0.4 / 0.01), 2), "without days it is the world's"
    assert worth == sorted(worth, reverse=True)
    assert worth[FULL] < 0.3 * worth[0], "in two weeks it is ordinary here"


def test_missing_days_weigh_as_many_identity_days_as_the_tenant_has_a_day() -> None:
    seven = {TODAY - back: [0.0] * 10 for back in range(1, 8)}
    share = TenantHabits(card(), tenant(seven), TODAY).shares(0)[BINS - 1]
    missing = 70 + STRENGTH
    assert share == pytest.approx(missing * 0.01 / (70 + missing))
    full = {TODAY - back: [0.0] * 10 for back in range(1, FULL + 1)}
    assert TenantHabits(card(), tenant(full), TODAY).shares(0)[BINS - 1] == pytest.approx(
        STRENGTH * 0.01 / (140 + STRENGTH)
    )


def test_days_that_cannot_tell_are_no_evidence_of_silence() -> None:
    days: dict[int, list[float | None]] = {TODAY - back: [None] * 20 + [9.0, 0.0] for back in range(1, 30)}
    tenant_habits = TenantHabits(card(), tenant(days), TODAY)
    assert tenant_habits.reached(0)[1] == 2 * 29
    assert tenant_habits.shares(0)[BINS - 1] < tenant_habits.shares(0)[bin_of(9.0) or 0] < 0.5


def test_the_order_of_days_and_of_identities_does_not_matter() -> None:
    profile = tenant({TODAY - 2: [9.0, 0.0, 3.0], TODAY - 1: [3.0, 9.0]})
    other = tenant({TODAY - 2: [3.0, 9.0, 0.0], TODAY - 1: [9.0, 3.0]})
    assert TenantHabits(card(), profile, TODAY).points(0) == TenantHabits(card(), other, TODAY).points(0)


def test_many_made_up_identities_of_one_kind_dilute_nothing() -> None:
    crowd, few = ({TODAY - 1: [9.0] * size} for size in (4_000, ALIKE))
    at = f"machine/s0:{bin_of(9.0)}"
    day_counts = [tenant(days, alike=True).dimension(SIGNAL).values[at].days for days in (crowd, few)]
    assert day_counts == [ALIKE, ALIKE]
    assert tenant(crowd).dimension(SIGNAL).values[at].days == 4_000, "of many groups all count"


@given(st.integers(1, 5), st.integers(0, 20))
@settings(max_examples=20, deadline=None)
def test_one_crowd_never_makes_a_value_cheaper_than_its_few_do(members: int, more: int) -> None:
    usual = {TODAY - back: [0.0] * 50 for back in range(2, 20)}
    some = TenantHabits(card(), tenant({**usual, TODAY - 1: [9.0] * (ALIKE + members)}, alike=True), TODAY).points(0)
    crowd = TenantHabits(
        card(), tenant({**usual, TODAY - 1: [9.0] * (ALIKE + members + more)}, alike=True), TODAY
    ).points(0)
    assert all(large >= small for large, small in zip(crowd, some))


def test_peoples_keys_are_weighed_by_the_days_of_peoples_keys() -> None:
    """What people do every day is news of a machine, and the other way round."""
    profiles = Profiles()
    for day in range(TODAY - 30, TODAY):
        lessons = [day_of(9.0, kind=PERSON), day_of(0.0), *[day_of(0.0)] * 9]
        learn_groups(profiles.groups, day, [(now, Delta(), f"p{n}") for n, now in enumerate(lessons)])
    at = bin_of(9.0) or 0
    person, machine = (
        TenantHabits(card(), profiles.groups[TENANT], TODAY, kind).points(0)[at] for kind in (PERSON, MACHINE)
    )
    assert person < 0.5 and machine > 3.0


def test_what_only_linked_identities_show_has_the_worlds_share_however_much_is_counted() -> None:
    """No identity's day holds it, so a tenant's count of days without it says nothing."""
    none, many = watched(), tenant({TODAY - back: [0.0] * 300 for back in range(1, 40)})
    first, other = (TenantHabits(card(), profile, TODAY, linked=("s0",)).points(0) for profile in (none, many))
    assert first == other
    assert TenantHabits(card(), none, TODAY).points(0) != TenantHabits(card(), many, TODAY).points(0)


# ---- the identity's own habits

VALUES = st.lists(st.one_of(st.none(), st.just(0.0), st.floats(0.01, 60)), max_size=40)


def bound(values: Sequence[float | None], model: Model | None = None) -> Bound:
    return Bound(
        TenantHabits(model or card(), tenant({TODAY - back: [0.0] * 30 for back in range(1, 40)}), TODAY), own(values)
    )


@pytest.mark.parametrize(
    ("first", "days", "counts"), [(1, 1, 0), (3, 3, 0), (6, 6, 0), (7, 7, 6), (20, 1, 0), (20, 2, 1)]
)
def test_what_is_new_this_week_or_came_once_is_no_habit(first: int, days: int, counts: int) -> None:
    """A thief who rehearses on the eve, or for some days, makes nothing usual."""
    built = Bound(bound([]).tenant_habits, own([0.0] * 20 + [9.0] * days + [0.0] * (first - days), TODAY - first - 20))
    assert built.own(0, 9.0)[0] == counts
    assert (built.left(0, 9.0) == bound([]).left(0, 9.0)) == (not counts)


def test_own_days_leave_nothing_of_what_is_usual() -> None:
    model = card((1.0, *[0.4] * (BINS - 1)))
    fresh, once, known = (bound([0.0] * (27 - days) + [9.0] * days, model) for days in (0, 9, 27))
    assert fresh.left(0, 9.0) == (fresh.tenant_habits.points(0)[bin_of(9.0) or 0], bin_of(9.0))
    assert known.left(0, 9.0) == (0.0, 0)
    points, bins = zip(*(each.left(0, 9.0) for each in (known, once, fresh)))
    assert list(points) == sorted(set(points)) and list(bins) == sorted(set(bins))


@given(SHARES, SHARES, VALUES, st.lists(st.floats(0.01, 60), min_size=2, max_size=8))
@settings(deadline=None)
def test_a_larger_value_never_counts_less(
    attack: Shares, world: Shares, days: list[float | None], seen: list[float]
) -> None:
    built = bound(days, card(attack, world))
    points, bins = zip(*(built.left(0, value) for value in sorted(seen)))
    assert list(points) == sorted(points) and list(bins) == sorted(bins)


@given(SHARES, SHARES, VALUES, st.floats(0.01, 60))
@settings(deadline=None)
def test_habit_only_takes_away_and_nothing_of_a_value_far_above_all_that_was_reached(
    attack: Shares, world: Shares, days: list[float | None], value: float
) -> None:
    built, reached_bin = bound(days, card(attack, world)), bin_of(value) or 0
    usual, (points, left) = built.tenant_habits.points(0)[reached_bin], built.left(0, value)
    assert 0.0 <= points <= usual and 0 <= left <= reached_bin and points == round(points, 2)
    if not built.own(0, value)[0]:
        assert (points, left) == (usual, reached_bin)


LEAVES = st.floats(-3, 3).map(lambda worth: round(worth, 4))
SPLITS = st.tuples(st.integers(0, 5), st.sampled_from([0.0, 1.5, 2.5, 6.5]))
TREES: st.SearchStrategy[Node] = st.recursive(
    LEAVES, lambda node: st.tuples(SPLITS, node, node).map(lambda parts: (*parts[0], *parts[1:])), max_leaves=8
)


@given(st.lists(TREES, max_size=4), VALUES, st.lists(st.floats(0, 60), min_size=3, max_size=3))
@settings(deadline=None)
def test_shares_of_reduced_signals_add_up_to_the_log_odds(
    trees: list[Node], days: list[float | None], values: list[float]
) -> None:
    """A player is a signal's points and its reduced bin, so what is explained is what was scored."""
    built = bound(days, card(signals=3)._replace(readings=(Reading(grown(3, trees), 1.0, -3.0),)))
    features = built.features(values)
    ordinary, shares = built.model.shares(features)
    assert ordinary + sum(shares) == pytest.approx(built.model.log_odds(features), abs=5e-3)


def test_linked_identities_have_of_each_signal_the_most_that_habit_leaves_to_one_of_them() -> None:
    """The leader's habit does not excuse what another one never does, nor the other way round."""
    model = card((1.0, *[0.4] * (BINS - 1)), signals=2)
    used, fresh = bound([9.0] * 20, model), bound([], model)
    mine, others = used.features((9.0, 0.0)), fresh.features((9.0, 3.0))
    assert mine == Features((0.0, 0.0), (0, 0)) != others
    assert together([mine, others]) == others == together([others, mine])
    assert together([mine]) == mine


def test_signals_that_no_habit_excuses_keep_the_worlds_share() -> None:
    assert {"attack_tool", "risky_network", "logs_stopped"} <= UNTAUGHT
    for name in sorted(UNTAUGHT):
        assert counted((name,), (9.0,)) == {}
        model = card()._replace(signals=(name,))
        busy = tenant({TODAY - back: [9.0] * 30 for back in range(1, 40)})
        assert TenantHabits(model, busy, TODAY).points(0) == TenantHabits(model, watched(), TODAY).points(0)
        every_day = Bound(TenantHabits(model, busy, TODAY), own([9.0] * 40))
        assert every_day.left(0, 9.0) == (every_day.tenant_habits.points(0)[bin_of(9.0) or 0], bin_of(9.0))


def test_a_value_that_earlier_days_came_near_is_less_news_than_one_far_above() -> None:
    built = bound([4.0] * 40)
    assert built.left(0, 20.0) == (built.tenant_habits.points(0)[bin_of(20.0) or 0], bin_of(20.0))
    assert built.own(0, 6.0) == (39, 40)
    assert built.own(0, 20.0) == (0, 40)


def test_what_cannot_be_told_or_is_ordinary_has_no_points_and_no_bin() -> None:
    assert bound([9.0] * 30).features((None,)) == bound([]).features((0.0,)) == Features((0.0,), (0,))


def test_whoever_wants_to_check_a_reason_gets_its_counts() -> None:
    usual = bound([9.0] * 20).usual(0, 9.0)
    assert [*usual[:1], *usual[2:]] == ["s0", (0, 39 * 30), (19, 20), 0.4]


# ---- what a day leaves


def test_signals_are_learnt_at_once_from_the_first_settled_days_on() -> None:
    at, built = f"s0:{bin_of(9.0)}", bound([0.0] * 30)
    assert built.habits(30, (9.0,)) == {HABIT: {EVERY: 1, at: 1}, SIGNAL: {"machine/*": 1, f"machine/{at}": 1}}
    assert built.habits(STABLE_AFTER - 1, (9.0,)) == {}
    assert set(built.habits(HISTORY - 1, (9.0,))) == {HABIT}


def test_one_noisy_identity_makes_no_habit_of_the_tenant() -> None:
    """Its first days in a bin count there, later each tenth: what everybody does daily stays usual for years."""
    at = f"machine/s0:{bin_of(9.0)}"
    reached = [at in bound([9.0] * before).habits(before + HISTORY, (9.0,))[SIGNAL] for before in range(100)]
    assert [day for day, counts in enumerate(reached) if counts] == [*range(FREELY), *range(THEN_EACH, 100, THEN_EACH)]


def test_the_profile_of_a_tenant_keeps_every_bin_of_every_signal() -> None:
    """What is capped for other dimensions, lest one day teaches too much, is whole here."""
    names = model.load().signals
    assert len(KINDS) * len(names) * (BINS + 1) < KEPT[SIGNAL]
    profiles = Profiles()
    for number in range(1, BINS):
        learn_groups(profiles.groups, TODAY - 30, [(day_of(EDGES[number - 1] + 0.1, names), {}, f"p{number}")])
    kept = profiles.groups[TENANT].dimension(SIGNAL).values
    assert len(kept) == len({*names} - UNTAUGHT) * (BINS - 1) + 1 > NEW_VALUES


# ---- the whole flow


@pytest.mark.slow
def test_habits_at_home_do_not_depend_on_how_the_runs_were_cut() -> None:
    days = [
        [record(TODAY - back, "10:00"), record(TODAY - back, "11:00", role="batch", name=f"Get{back % 5}")]
        for back in range(24, -1, -1)
    ]
    records = [each for day in days for each in day]
    room = Options(budget=1000.0)
    expected = answer(runs([records], room))
    for parts in (days, [records[::-1]], [records[n : n + 3] for n in range(0, len(records), 3)]):
        assert answer(runs(parts, room)) == expected


@pytest.mark.slow
def test_what_machines_do_every_day_comes_to_be_worth_less() -> None:
    """The same odd call of the same kind, before and after a tenant's machines made it their habit."""

    def fleet(day: int, unusual: int) -> list[dict[str, object]]:
        roles = [f"fleet{chr(97 + n)}-{n}" for n in range(12)]
        built = [record(day, f"{9 + n % 3:02}:{n:02}", role=role) for n, role in enumerate(roles)]
        return built + [record(day, "15:00", role=role, name=f"List{day}{role[-1]}") for role in roles[:unusual]]

    def scored(unusual: int) -> float:
        history = [each for back in range(40, 0, -1) for each in fleet(TODAY - back, unusual if back > 1 else 0)]
        novelty = record(TODAY, "15:30", role="fleeta-0", name="ListAnotherThing")
        result = run(runs([history]), [*fleet(TODAY, 0), novelty], Options(budget=1000.0))
        return max((n["likelihood"] for n in [*result.notables, *result.below]), default=0.0)

    assert scored(unusual=8) < scored(unusual=0)


# ---- a tenant without a past


def test_in_a_tenant_s_first_days_an_amount_is_read_absolutely() -> None:
    """Six hundred reads by a stranger are worth a line while there is no past to hold them against."""
    names = ("mass_by_stranger", "s1")
    model = card(attack=(1.0, *[0.01] * (BINS - 1)), signals=2)._replace(signals=names)
    first, later = TenantHabits(model, Profile(), TODAY), TenantHabits(model, tenant({TODAY - COLD: [0.0] * 30}), TODAY)
    reached_bin = BLUNT["mass_by_stranger"]
    assert first.points(0)[reached_bin] == BLUNT_POINTS
    assert (first.points(0)[reached_bin - 1], first.points(1)[reached_bin]) == (0.0, 0.0)
    assert later.points(0)[reached_bin] < first.points(0)[reached_bin] / 2  # habits tell then
