"""The table of public techniques: what is read of the lists, how it is played, and why something is not shown."""

from __future__ import annotations

import pytest

from need import shared_data
from nhi_watch.intake.sources import every
from nhi_watch_lab.evaluation import techniques, thief
from nhi_watch_lab.evaluation.techniques import Shown, Technique
from nhi_watch_lab.simulator.records import Detail


@pytest.fixture(scope="module")
def ground() -> thief.Ground:
    shared_data("README.md")
    return thief.Ground(9101, 30)


def test_both_lists_are_read_as_a_whole() -> None:
    shared_data("README.md")
    assert len([*techniques.traildiscover()]) == 276
    assert len([*techniques.stratus()]) == 26
    assert {len(technique.calls) for technique in techniques.traildiscover()} == {1, 2, 3}


def test_every_record_is_read_as_the_roles_own_and_names_no_other_account(ground: thief.Ground) -> None:
    victim = ground.victims("AWS role", young=False)[0]
    for technique in [*techniques.stratus(), *techniques.traildiscover()]:
        played = techniques.play(ground, technique, victim, "own", techniques.ROWS[0])
        records = [line.record for line in played.lines]
        result = [next(source for source in every() if source.claims(record)).read(record) for record in records]
        assert len(played.theft) == len(technique.calls), technique.name
        assert len({event.identity.id for event in result}) == 1, technique.name
        assert [event.action.partition(":")[0] for event in result] == [
            call.partition(":")[0] for call, _ in technique.calls
        ]
        assert not technique.account or all(technique.account not in str(record) for record in records), technique.name


def test_a_stopped_trail_is_shown_and_a_call_that_the_role_makes_anyway_is_not(ground: thief.Ground) -> None:
    victim = ground.victims("AWS role", young=False)[0]
    usual = next(item.action for step in techniques._habits(victim) for item in step.pool.items)
    tried = [Technique("x", name, "x", ((name, Detail()),)) for name in ("cloudtrail:StopLogging", usual)]
    answers = [
        ground.answers([techniques.play(ground, technique, victim, "own", techniques.ROWS[0])])[0].found
        for technique in tried
    ]
    assert answers == [True, False]


@pytest.mark.parametrize(
    ("call", "known", "likelihood", "why"),
    [
        ("s3:GetObject", True, 0.0, "makes these calls anyway"),
        ("s3:GetObject", False, 31.0, "medium, and the week's list is full"),
        ("cloudtrail:StopLogging", False, 1.0, "an act of a kind"),
        ("iam:CreateUser", False, 1.0, "by its class alone"),
        ("health:DescribeEventAggregates", False, 1.0, "a stage of an attack"),
        ("sqs:GetQueueAttributes", False, 1.0, "no table names it (read)"),
    ],
)
def test_a_miss_has_its_reason(call: str, known: bool, likelihood: float, why: str) -> None:
    row = Shown(Technique("x", call, "x", ((call, Detail()),)), "its own place", False, likelihood, (), known)
    assert why in techniques.reason(row)
    assert call in "\n".join(map(str, techniques.table([row])))
    assert "| x | 1 | 0 (0.00) |" in techniques.page([row], "m")
