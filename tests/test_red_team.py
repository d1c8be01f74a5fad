"""Attacks by people who have read the code: that each is played as it is written down, and why a miss is a miss."""

from __future__ import annotations

import json
from functools import cache

import pytest

from nhi_watch.context import actions
from nhi_watch.detect.ranking import LEAST
from nhi_watch.intake.sources import every
from nhi_watch_lab.evaluation import red_team, thief
from nhi_watch_lab.simulator.basics import dice


@cache
def ground() -> thief.Ground:
    return thief.Ground(9101, 30)


def test_each_attack_is_one_to_five_calls_and_none_is_listed_twice() -> None:
    attacks = [(attack["product"], attack["name"]) for attack in red_team._LISTED]
    assert len(set(attacks)) == len(attacks) == sum(map(len, red_team.ATTACKS.values()))
    assert all(1 <= len(attack["calls"]) <= 5 for attack in red_team._LISTED)


@pytest.mark.parametrize("product", thief.PRODUCTS)
def test_an_attack_leaves_the_records_that_its_calls_describe(product: str) -> None:
    """Each is read as the victim's own, with nothing left to fill in, and holds the operation that was listed."""
    company = ground()
    victim = company.victims(product, young=False)[0]
    for name in red_team.ATTACKS[product]:
        play = thief.played(company, red_team.ROWS[0], product, name, victim, "own", red_team.ATTACKS)
        records = [line.record for line in play.lines]
        events = [next(source for source in every() if source.claims(record)).read(record) for record in records]
        (attack,) = (each for each in red_team._LISTED if (each["product"], each["name"]) == (product, name))
        assert len({event.identity.id for event in events}) == 1
        assert {event.outcome for event in events} == {"success"}
        routes = ("{owner}", "{repo}", "{workflow_id}", "{cache_id}", "{artifact_id}", "{archive_format}", "{run_id}")
        text = json.dumps(records)
        for route in routes if product == "GitHub token" else ():
            text = text.replace(route, "")
        assert not any(
            f"{{{word}}}" in text
            for word in (
                "account",
                "foreign",
                "bucket",
                "user",
                "session",
                "object",
                "item",
                "repo",
                "second",
                "third",
                "new",
            )
        )
        assert len(events) == sum(1 + ("audit" in call) for call in attack["calls"])
        if product.startswith("AWS"):
            assert [event.action.partition(":")[2] for event in events] == [
                actions.canonical(call["call"].partition(":")[2]) for call in attack["calls"]
            ]


def test_a_cluster_wide_request_names_no_namespace() -> None:
    company = ground()
    victim = company.victims("Kubernetes", young=False)[0]
    play = thief.played(
        company, red_team.ROWS[0], "Kubernetes", "cluster role widened", victim, "own", red_team.ATTACKS
    )
    assert [line.record["objectRef"] for line in play.lines] == [
        {"resource": "clusterroles", "name": "metrics-reader", "apiVersion": "v1"}
    ]


def outcome(shown: bool, likelihood: float, loss: float) -> thief.Told:
    return thief.Told(red_team.OWN, "AWS role", "one secret, then silence", shown, likelihood, (), loss)


def test_a_miss_has_one_of_three_reasons_and_is_a_row_of_the_sheet() -> None:
    assert red_team.reason(outcome(False, 0.0, 0.0)).startswith("no signal")
    assert red_team.reason(outcome(False, LEAST - 0.1, LEAST - 0.1)).startswith("below threshold")
    assert red_team.reason(outcome(False, LEAST, LEAST)).startswith("budget")
    ordinary = thief.Ordinary(10, 11, {})
    unseen = [thief.Measured(1, ordinary, [outcome(False, 6.0, 6.0)])]
    assert [row[:2] for row in red_team.missed(unseen)][1:] == [("AWS role", "one secret, then silence")]
    assert "0.00 (0.00 to 0.73) of 1" in red_team.page(unseen, "command", "model")
    seen = [thief.Measured(1, ordinary, [outcome(True, 60.0, 60.0)])]
    assert len([*red_team.missed(seen)]) == 1, "the head alone"


def test_from_near_it_is_another_network_and_from_its_own_place_the_victims() -> None:
    company = ground()
    victim = company.victims("GitHub token", young=False)[0]
    hand = thief.Hand(company, victim, "own", red_team.ROWS[0], dice(1))
    (usual,) = {line.record["actor_ip"] for line in hand.play(hand.usual(1), thief.LEARNT)}
    own, near = (
        thief.played(company, row, "GitHub token", "two repositories cloned", victim, row.places[0], red_team.ATTACKS)
        for row in red_team.ROWS
    )
    assert {line.record["actor_ip"] for line in own.lines} == {usual}
    (away,) = {line.record["actor_ip"] for line in near.lines}
    assert away.split(".")[:2] == usual.split(".")[:2]
    assert away.split(".")[2] != usual.split(".")[2]
