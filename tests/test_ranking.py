"""Impact, expected loss, severity, and who is eligible; the budget is in test_budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from core_samples import MACHINE, TODAY, events, learnt, whole_days
from nhi_watch.context.assets import NO_ASSETS, Asset, Assets
from nhi_watch.core.notable import expected_risk, severity_of
from nhi_watch.detect import linking
from nhi_watch.detect.history import IdentityHistory
from nhi_watch.detect.impact import sentence
from nhi_watch.detect.ranking import PEOPLE, SURE, is_eligible, rate_impact
from nhi_watch.detect.scoring import Episode, score_day
from nhi_watch.state.baseline import HISTORY

CROWN = {MACHINE.id: Asset("critical", "team", "Production")}
BY_HAND = {"agent": "browser", "traits": ["browser", "console", "mfa"]}


def episode(today: Sequence[dict[str, Any]], history: Sequence[dict[str, Any]] = ()) -> Episode:
    (identity_day,) = whole_days(events(today, TODAY)).values()
    return score_day(learnt(history), identity_day)


def used(*text: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"ago": [20, 1], "events": list(text)}]


@pytest.mark.parametrize(
    ("kind", "human", "known", "score", "eligible"),
    [
        ("role", "", 0, 2.0, True),
        ("user", "", 20, 2.0, True),
        ("service", "", 20, 99.0, False),
        ("anonymous", "", 20, 99.0, False),
        ("role", "sso_role", 20, PEOPLE - 0.1, False),
        ("role", "sso_role", 20, PEOPLE, True),
        ("role", "sso_role", HISTORY - 1, SURE - 0.1, False),
        ("role", "sso_role", HISTORY - 1, SURE, True),
    ],
)
@pytest.mark.parametrize("today", [[{}], [BY_HAND], [{}, BY_HAND]])
def test_whose_episode_may_become_a_notable(
    kind: str, human: str, known: int, score: float, eligible: bool, today: list[Any]
) -> None:
    """By what a directory says alone: a console, a browser and a second factor are what a thief can have."""
    who = {"who": {"kind": kind, "human": human}}
    history = [{"ago": [known, 1], "events": [{**BY_HAND, **who}]}] if known else []
    (identity_day,) = whole_days(events([{**text, **who} for text in today], TODAY)).values()
    assert is_eligible(score_day(learnt(history), identity_day), score) is eligible


def test_a_person_s_long_lived_key_is_no_person() -> None:
    field_sets = [{"credential": "AKIA1", "who": {"kind": "root", "human": "root"}}]
    assert is_eligible(episode(field_sets), 2.0)


def test_the_level_of_impact_is_that_of_the_product_of_the_weights() -> None:
    built = rate_impact(CROWN, episode([{"access": "permissions", "action": "iam:CreateUser"}]))
    weights = {factor.name: factor.weight for factor in built.factors}
    applied = {name: weight for name, weight in weights.items() if weight != 1.0}
    assert applied == {"criticality": 2.0, "environment": 1.2, "privilege": 1.1}
    assert set(weights) - set(applied) == {"owner", "act", "reach", "let in", "used by", "abuse an hour"}
    assert built.level == "critical" and expected_risk(50.0, built) == 65.0
    assert (expected_risk(0.0, built), expected_risk(99.0, built)) == (0.0, 100.0)


@pytest.mark.parametrize(
    ("service", "action", "outcome", "act", "weight"),
    [
        ("cloudtrail", "cloudtrail:StopLogging", "success", "stops an audit trail or leaves the organization", 2.0),
        ("ec2", "ec2:ModifyInstanceAttribute", "success", "changes what a machine runs at its start", 1.5),
        ("cloudtrail", "cloudtrail:StopLogging", "denied", "no severe act", 1.0),
        ("s3", "s3:GetObject", "success", "no severe act", 1.0),
    ],
)
def test_impact_counts_the_most_severe_act_that_succeeded(
    service: str, action: str, outcome: str, act: str, weight: float
) -> None:
    """Whatever the identity was seen to reach before, and whatever it tried."""
    call = {"service": service, "action": action, "access": "write", "outcome": outcome, "traits": ("user_data",)}
    (factor,) = (f for f in rate_impact(NO_ASSETS, episode([call])).factors if f.name == "act")
    assert (factor.value, factor.weight) == (act, weight)


def test_impact_settles_what_is_equal_and_the_likelihood_the_rest() -> None:
    built = rate_impact(CROWN, episode([{"access": "permissions"}]))
    plain = rate_impact(NO_ASSETS, episode([{}]))
    assert expected_risk(97.0, plain) > expected_risk(70.0, built) > expected_risk(70.0, plain)


def test_an_unknown_asset_neither_raises_nor_lowers() -> None:
    built = rate_impact(NO_ASSETS, episode([{}]))
    assert (built.criticality, built.environment, built.privilege) == ("unknown", "unknown", "read")
    assert built.level == "medium" and expected_risk(81.25, built) == 81.25


def test_privilege_and_reach_are_what_the_logs_show() -> None:
    history = used({}, {"action": "ec2:RunInstances", "access": "cost"})
    built = rate_impact(NO_ASSETS, episode([{"region": "us-east-1"}], history))
    assert (built.privilege, built.reach) == ("cost", "2 services, 2 regions, 1 target")


def test_targets_are_those_of_ninety_days_as_an_exposure_counts_them_and_the_notable_s_own() -> None:
    history = [{"ago": [120, 100], "events": [{"target": "long-ago"}]}, *used({"target": "bucket-1"})]
    built = rate_impact(NO_ASSETS, episode([{"target": "of-today"}], history))
    identity_history = IdentityHistory(MACHINE, learnt(history).baseline(MACHINE, TODAY).own)
    assert sentence(identity_history.blast_radius({}, TODAY)) == "1 service, 1 region, 1 target"
    assert built.reach == "1 service, 1 region, 2 targets"
    calls = [{"target": "of-today", "outcome": "denied"}, {"target": "bucket-1"}]
    refused = rate_impact(NO_ASSETS, episode(calls, history))
    assert refused.reach == "1 service, 1 region, 1 target"


def test_the_impact_of_linked_identities_is_that_of_the_worst_by_its_own_calls_alone() -> None:
    """The lead may change permissions and touches little; the other one reads a lot. Neither of them has both."""
    reader = {"id": f"{MACHINE.id}-2", "name": "reader"}
    baselines = learnt(used({"access": "permissions", "action": "iam:CreateUser"}))
    today = [{}, *({"who": reader, "target": f"bucket-{n}"} for n in range(12))]
    parts = {
        name: score_day(baselines, identity_day) for name, identity_day in whole_days(events(today, TODAY)).items()
    }
    group = linking.joined(linking.Group(MACHINE.id, tuple(parts), ()), parts)

    def of_group(known: Assets) -> tuple[str, str, str]:
        built = rate_impact(known, group)
        return built.privilege, built.reach, built.factors[-1].value

    assert of_group(NO_ASSETS) == ("permissions", "2 services, 1 region, 1 target", MACHINE.name)
    jewel = {reader["id"]: Asset("critical", "team", "Production")}
    assert of_group(jewel) == ("read", "1 service, 1 region, 12 targets", "reader")


def test_what_was_refused_throughout_is_never_critical() -> None:
    """However sure it is, and whatever it would have hit: nothing was let in."""
    refused = rate_impact(CROWN, episode([{"outcome": "denied", "access": "permissions"}]))
    assert refused.level == "low" and severity_of(expected_risk(99.0, refused)) == "medium"
