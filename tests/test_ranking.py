"""Priority, impact, who is eligible, and the budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_samples import MACHINE, TODAY, events, learnt, whole_days
from nhi_watch.context.assets import UNKNOWN, Asset
from nhi_watch.detect.features import EpisodeView
from nhi_watch.detect.ranking import FLOOR, allowance, impact, is_eligible, order, priority
from nhi_watch.detect.scoring import views_of
from nhi_watch.state.judged import Ranked

BY_HAND = {"agent": "browser", "traits": ["browser"]}
RANKED = st.builds(
    Ranked,
    st.uuids().map(str),
    st.floats(0, 100),
    st.floats(-9, 9),
    st.sampled_from((0.1, 0.5, 0.9)),
    st.booleans(),
)


def episode(today: Sequence[dict[str, Any]], history: Sequence[dict[str, Any]] = ()) -> EpisodeView:
    (whole,) = whole_days(events(today, TODAY)).values()
    past = learnt(history).past(MACHINE, TODAY)
    return EpisodeView(views_of(whole.ordered(), past), past)


def used(*told: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"ago": [20, 1], "events": list(told)}]


@pytest.mark.parametrize(
    ("budget", "identities", "notables"),
    [(10, 0, 1), (10, 99, 1), (10, 151, 2), (10, 1000, 10), (3, 5000, 15), (0.5, 100, 1)],
)
def test_the_allowance_is_per_thousand_and_at_least_one(budget: float, identities: int, notables: int) -> None:
    assert allowance(budget, identities) == notables


@given(st.lists(RANKED, max_size=30), st.floats(FLOOR, 100))
def test_what_lies_under_the_threshold_is_not_written_but_counted(day: list[Ranked], threshold: float) -> None:
    made = order(day, 1000, 1000, threshold)
    over = [e for e in day if e.eligible and e.score >= FLOOR]
    low = [e.score for e in over if e.score < threshold]
    assert len(made.chosen) == len(over) - len(low) == len(over) - made.overflow
    assert made.overflow_highest == max(low, default=0)


@given(st.lists(RANKED, max_size=30), st.floats(0.1, 500), st.randoms(use_true_random=False))
def test_the_order_is_total_bounded_and_loses_nobody(day: list[Ranked], budget: float, dice: Any) -> None:
    identities = sum(e.eligible for e in day)
    made = order(day, budget, identities)
    over = [e for e in day if e.eligible and e.score >= FLOOR]
    assert len(made.chosen) + made.overflow == len(over)
    assert len(made.chosen) <= allowance(budget, made.identities)
    assert [e.priority for e in made.chosen] == sorted((e.priority for e in made.chosen), reverse=True)
    assert all(e.eligible and e.score >= FLOOR for e in made.chosen)
    mixed = list(day)
    dice.shuffle(mixed)
    assert order(mixed, budget, identities) == made


@pytest.mark.parametrize(
    ("kind", "human", "today", "history", "eligible"),
    [
        ("role", "", [{}], [], True),
        ("service", "", [{}], [], False),
        ("anonymous", "", [{}], [], False),
        ("role", "sso_role", [{}], [], False),
        ("user", "", [BY_HAND], [], False),
        ("user", "", [BY_HAND, {}], [], True),
        ("user", "", [{**BY_HAND, "credential": "AKIA1"}], used(BY_HAND), True),
        ("user", "", [{}], used(BY_HAND), False),
        ("role", "", [BY_HAND], used({}), True),
    ],
)
def test_only_machines_identities_are_eligible(
    kind: str, human: str, today: list[Any], history: list[Any], eligible: bool
) -> None:
    assert is_eligible(episode(today, history), MACHINE._replace(kind=kind, human=human)) is eligible


def test_priority_is_the_product_of_probability_and_weights() -> None:
    asset = Asset("critical", "team", "Production")
    made = impact(asset, episode([{"access": "permissions", "action": "iam:CreateUser"}]))
    weights = {factor.name: factor.weight for factor in made.factors}
    told = {name: weight for name, weight in weights.items() if weight != 1.0}
    assert told == {"criticality": 2.0, "environment": 1.2, "privilege": 1.1}
    assert set(weights) - set(told) == {"owner", "reach", "used by", "abuse an hour"}
    assert priority(0.5, made) == 1.32


def test_an_unknown_asset_neither_raises_nor_lowers() -> None:
    made = impact(UNKNOWN, episode([{}]))
    assert (made.criticality, made.environment, made.privilege) == ("unknown", "unknown", "read")
    assert priority(0.8125, made) == 0.8125


def test_privilege_and_reach_are_what_the_logs_show() -> None:
    history = used({}, {"action": "ec2:RunInstances", "access": "cost"})
    made = impact(UNKNOWN, episode([{"region": "us-east-1"}], history))
    assert (made.privilege, made.reach) == ("cost", "2 services, 2 regions, 1 targets")
