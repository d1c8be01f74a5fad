"""What speaks for an ordinary explanation of a notable, and what against: facts, each with its basis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from core_samples import TODAY, Options, record, runs
from desk_samples import DAY_ONE, desk, notable, state
from desk_samples import record as record_id
from nhi_watch.core.timestamps import DAY, HOUR, render, render_day
from nhi_watch.detect import publish
from nhi_watch.detect.explain import ordinary
from nhi_watch.hosts.files import explain
from nhi_watch.report import jsonlines
from nhi_watch.state.baseline import Profile
from test_cases import until
from test_pipeline import quiet, raid

START = DAY_ONE * DAY
OWN, AWAY = "203.0.113.9", "198.51.100.7"


def call(at: int, action: str = "s3:GetObject", source: str = OWN, outcome: str = "success") -> Any:
    return {"time": render(START + at), "action": action, "outcome": outcome, "source": source, "points": 5.0,
            "record_id": record_id(at % 1000), "count": 1, "identity": "", "targets": [], "also_from": []}  # fmt: skip


def of(calls: Iterable[Any], fresh: Iterable[str] = (), agents: Iterable[str] = (), **changes: Any) -> Any:
    document = notable(fresh=fresh, **changes)
    known = {"usual": [{"value": "boto3", "days": 20}], "active_days": 30, "identity": "", "name": "agent"}
    observed = [{"value": agent, "new": agent != "boto3", "count": 1} for agent in agents]
    document["usual"]["dimensions"].append({**known, "observed": observed})
    document["usual"]["active_days"] = 30
    return {**document, "timeline": list(calls), "baseline": {"id": render_day(DAY_ONE - 1)}}


def profile(**values: Any) -> Profile:
    """A profile that has each value on so many days before."""
    learnt = Profile()
    for day in range(DAY_ONE - 20, DAY_ONE):
        learnt.learn(day, {name: {v: 1 for v, days in known.items() if DAY_ONE - day <= days}
                           for name, known in values.items()})  # fmt: skip
    return learnt


def test_a_job_at_its_minute_from_its_own_place_has_facts_on_its_side() -> None:
    calls = [call(hour * HOUR + 5 * 60 + hour) for hour in range(13)]
    said, against = ordinary.weigh(of(calls, agents=["boto3"]))
    assert list(said) == [
        "the unusual calls are spread over 13 hours of the day",
        "s3:GetObject begins about :05 in each of 13 hours",
        "every unusual call came from 203.0.113.0/24, used on 20 of its 30 earlier active days",
        "every client of the day is known from its 30 earlier active days, as it names itself",
    ]
    assert list(against) == []


def test_a_thief_has_none_and_what_speaks_against_an_ordinary_explanation_is_said() -> None:
    calls = [call(3 * HOUR + 700, source=AWAY), call(3 * HOUR + 760, "iam:CreateUser", AWAY, "denied")]
    found = ordinary.weigh(of(calls, fresh=["198.51.100.0/24"], agents=["curl"]))
    assert ordinary.lines(found) == [
        "For an ordinary explanation: nothing in the logs",
        "Against it:",
        "  2 of 2 unusual calls came from 198.51.100.0/24, never used by it before",
        "  new client: curl",
        "  1 of 2 unusual calls were refused",
    ]


@pytest.mark.parametrize(("at", "what"), [(17 * HOUR + 39, "full"), (17 * HOUR + 1805, "half"), (17 * HOUR + 60, "")])
def test_a_beginning_on_the_hour_is_said(at: int, what: str) -> None:
    said = ordinary.weigh(of([call(at), call(at + 100, "s3:ListBuckets")])).ordinary
    assert any(f"within a minute of the {what} hour" in text for text in said) == bool(what)


def test_the_same_beginning_on_other_days_is_said() -> None:
    daily = [call(17 * HOUR + 600), call(17 * HOUR + 660 - DAY), call(17 * HOUR + 605 - 2 * DAY)]
    assert "on each of 3 days the unusual calls begin about 17:10 UTC" in ordinary.weigh(of(daily)).ordinary
    assert not [t for t in ordinary.weigh(of([*daily, call(9 * HOUR - 3 * DAY)])).ordinary if "on each of" in t]


def test_what_peers_do_and_who_else_uses_a_network_counts_without_its_own_days() -> None:
    calls = [call(700, "iam:ListUsers", AWAY), call(760, "kms:ListKeys", AWAY)]
    own = profile(action={"iam:ListUsers": 2})
    peers = profile(action={"iam:ListUsers": 9, "s3:GetObject": 20})
    tenant = profile(action={"iam:ListUsers": 9}, network={"198.51.100.0/24": 12})
    document = of(calls, fresh=["198.51.100.0/24"])
    said, against = ordinary.weigh(document, ordinary.Colleagues(own, peers, tenant))
    assert "peers make 1 of the 2 unusual calls, too: iam:ListUsers on 7 identity days" in said
    assert "198.51.100.0/24, new to it, was used by others of this tenant on 12 identity days" in said
    assert "1 of the 2 unusual calls nobody else of this tenant makes: kms:ListKeys" in against
    assert not [text for text in against if "nobody else of this tenant was seen" in text]
    alone = ordinary.weigh(document, ordinary.Colleagues(own, own, own))
    assert not [text for text in alone.ordinary if "peers" in text or "others" in text]
    assert any(text.endswith("where nobody else of this tenant was seen either") for text in alone.against)


def test_nothing_is_said_of_what_has_no_unusual_calls() -> None:
    empty: Any = {**notable(), "timeline": []}
    silent: Any = {**notable(), "kind": "blind_spot", "model": {"ordinary": None}}
    assert ordinary.weigh(empty) == ordinary.weigh(silent) == ordinary.Evidence((), ())


def test_explain_says_what_speaks_for_and_against_and_changes_nothing(tmp_path: Any) -> None:
    out = state(tmp_path, [])
    document = of([call(3 * HOUR + 700, source=AWAY)], fresh=["198.51.100.0/24"])
    jsonlines.write(out / "notables.jsonl", [{**document, "rank": 1}])
    text = desk(explain, "1", out=out)
    assert "For an ordinary explanation: nothing in the logs\nAgainst it:\n  1 of 1 unusual calls came from" in text


def test_a_state_that_is_read_knows_what_others_of_the_tenant_do() -> None:
    colleagues = [record(day, "10:00", role=f"app-{n}", service="iam", name="ListUsers", address="185.220.101.4")
                  for day in range(TODAY - 20, TODAY) for n in range(4)]  # fmt: skip
    store = runs([quiet(20) + raid() + until(TODAY) + colleagues], Options(budget=1000.0))
    document = next(item for item in publish.stored(store) if "payments-api" in item["identity"]["id"])
    before = [*store.scan("notable", "", "~")]
    found = explain._profiles(store, document)
    assert found is not None and found.own.days >= 19 and found.tenant.days > found.own.days
    assert found.tenant.dimension("action").values["iam:ListUsers"].days >= 4
    assert [*store.scan("notable", "", "~")] == before
