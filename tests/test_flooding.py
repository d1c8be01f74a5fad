"""Clients that can write log records cannot take a theft's place: decoys of one key, of two, and of other accounts."""

from __future__ import annotations

from typing import Any

import pytest

from core_samples import ACCOUNT, MACHINE, TODAY, Options, answer, events, learnt, run, runs, whole_days
from flood_samples import Records, mixed, namesake, newcomers, probing, repository, stranger, tenant, theft
from nhi_watch.context.assets import NO_ASSETS, Asset
from nhi_watch.core.notable import risk_of
from nhi_watch.detect import ranking
from nhi_watch.detect.run import Result
from nhi_watch.detect.scoring import score_day
from nhi_watch.state.store import MemoryStore
from test_pipeline import schema

VITAL = Asset("critical", "team-pay", "production")
ASSETS = {"payments-gateway": VITAL, "workera-job": Asset("high", "team-a", "")}
VICTIM = f"arn:aws:iam::{ACCOUNT}:role/payments-api"
FLOOD = [item for day in range(TODAY - 7, TODAY + 1) for n in range(15) for item in stranger(f"z{n}x{day}", day)]


def first(decoys: Records) -> Result:
    """A day of decoys, then a theft: it must be first in the list and inside the budget."""
    done = run(MemoryStore(), [*tenant(), *decoys, *theft()], Options(10.0, ASSETS))
    (result,) = [n for n in done.notables if n["identity"]["name"] == VICTIM]
    assert (result["rank"], result["over_budget"]) == (1, False)
    for notable in done.notables:
        schema().validate(notable)
    return done


@pytest.mark.parametrize(
    "decoys",
    [
        [repository("evil/payments-gateway")],
        stranger("payments-gateway"),
        probing("workera-job"),
        mixed("workera-job"),
        namesake("payments-gateway"),
        [item for n in range(15) for item in stranger(f"z{n}")],
        list(newcomers(15)),
        FLOOD,
    ],
    ids=[
        "a repository's name",
        "five denied calls",
        "a second key",
        "a harmless success",
        "a namesake",
        "fifteen strangers",
        "newcomers",
        "each day",
    ],
)
def test_decoys_take_no_place(decoys: Records) -> None:
    first(decoys)


def test_strangers_of_an_account_are_one_notable_for_as_long_as_they_come() -> None:
    done = first(FLOOD)
    (stands,) = [n for n in done.standing if n["folded"]]
    folded = stands["folded"]
    assert folded is not None and folded["origin"] == "account 999999999999"
    assert (folded["count"], len(folded["ids"])) == (15, 14)
    assert len({revision["day"] for revision in stands["revisions"]}) == 8
    assert done.run["overflow"] == 0


def test_cuts_do_not_matter_to_folded_ones() -> None:
    records = sorted([*tenant(), *FLOOD], key=lambda r: (r["eventTime"], r["eventID"]))
    dates = sorted({r["eventTime"][:10] for r in records})
    parts = [[r for r in records if r["eventTime"].startswith(date)] for date in dates]
    assert answer(runs([records])) == answer(runs(parts)) == answer(runs([records[::-1]]))


def test_only_what_succeeded_is_privilege_reach_and_cost() -> None:
    denied = {"outcome": "denied", "error": "AccessDenied", "access": "permissions", "action": "iam:CreateUser"}
    dear = {**denied, "access": "cost", "action": "ec2:RunInstances", "region": "us-east-1", "target": "i-1"}
    history = [{"ago": [20, 1], "events": [{}, denied, dear]}]
    baselines = learnt(history)
    (identity_day,) = whole_days(events([denied, dear, {}], TODAY)).values()
    impact = ranking.rate_impact(NO_ASSETS, score_day(baselines, identity_day))
    assert (impact.privilege, impact.reach) == ("read", "1 service, 1 region, 1 target")
    assert all(factor.weight == 1.0 for factor in impact.factors if factor.name != "let in")
    (identity_day,) = whole_days(events([denied, dear], TODAY)).values()
    weights = {f.name: f.weight for f in ranking.rate_impact(NO_ASSETS, score_day(baselines, identity_day)).factors}
    assert weights["let in"] == 0.5


def test_what_is_refused_takes_nothing_from_what_succeeded_and_adds_half() -> None:
    """A theft keeps the priority that it has alone; a harmless success gives what is refused none."""
    alone, padded, harmless = (
        run(MemoryStore(), [*tenant(), *did]).notables[0]
        for did in (
            theft(),
            [*theft(), *probing("payments-api")],
            mixed("payments-api"),
        )
    )
    assert padded["likelihood"] >= alone["likelihood"] and risk_of(padded) >= risk_of(alone)
    assert harmless["likelihood"] >= 80 and risk_of(harmless) < 0.75 * risk_of(alone)


@pytest.mark.parametrize(("first", "is_found"), [(9, True), (3, False), (20, True)])
def test_the_last_part_of_a_name_finds_a_row_for_who_is_known_for_a_week(first: int, is_found: bool) -> None:
    baselines = learnt([{"ago": [20, 1], "events": [{"who": {"id": "other"}}]}, {"ago": [first, 1], "events": [{}]}])
    (identity_day,) = whole_days(events([{"action": "iam:CreateUser"}], TODAY)).values()
    episode = score_day(baselines, identity_day)
    assert (ranking.asset({MACHINE.name.rpartition("/")[2]: VITAL}, episode) == VITAL) is is_found
    assert ranking.asset({MACHINE.name: VITAL}, episode) == VITAL


@pytest.mark.parametrize(
    ("changes", "history", "origin"),
    [
        ({}, 0, "newcomers of peer:role:payments"),
        ({}, 9, ""),
        ({"outcome": "denied"}, 0, f"never allowed in: aws role of {ACCOUNT}"),
        ({"outcome": "denied"}, 9, ""),
        ({"account": "2" * 12}, 0, f"account {ACCOUNT}"),
        ({"account": "2" * 12}, 9, ""),
    ],
)
def test_a_stranger_is_who_was_never_let_in_or_comes_from_elsewhere(changes: Any, history: int, origin: str) -> None:
    """A partner's role with a history of being let in is none."""
    usual = {name: value for name, value in changes.items() if name == "account"}
    baselines = learnt(
        [{"ago": [history, 1], "events": [usual]}]
        if history
        else [{"ago": [9, 1], "events": [{"who": {"id": "other"}}]}]
    )
    (identity_day,) = whole_days(events([changes], TODAY)).values()
    ranked = ranking.rank(score_day(baselines, identity_day), {MACHINE.name.rpartition("/")[2]: VITAL})
    assert ranked.origin == origin
