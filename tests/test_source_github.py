"""GitHub's audit log: who acts, with what, and what the reading costs."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from need import shared_data
from nhi_watch.core.behaviour import shape_of
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.sources import github


def entry(action: str, **values: Any) -> dict[str, Any]:
    return {"@timestamp": 1772445601000, "_document_id": "d", "action": action, "org": "acme", **values}


def identity(action: str, **values: Any) -> str:
    return github.read(entry(action, **values)).identity.id


def test_what_a_token_does_is_not_what_its_owner_does_in_a_browser() -> None:
    token = {"programmatic_access_type": "Personal access token (classic)", "hashed_token": "H="}
    assert identity("repo.create", actor="ada", actor_id=7) == "github::user:7"
    assert identity("repo.create", actor="ada", actor_id=7, **token) == "github::token:7"


def test_a_rotated_token_is_another_credential_of_the_same_identity() -> None:
    kind = {"actor": "ada", "actor_id": 7, "programmatic_access_type": "Fine-grained personal access token"}
    one, two = (github.read(entry("git.clone", hashed_token=h, **kind)) for h in ("A=", "B="))
    assert one.identity == two.identity
    assert (one.credential, two.credential) == ("A=", "B=")


def test_tokens_of_apps_that_live_an_hour_are_sessions() -> None:
    kind = {"actor": "x[bot]", "actor_id": 9, "programmatic_access_type": "GitHub App server-to-server token"}
    event = github.read(entry("git.push", repo="acme/shop", hashed_token="T=", **kind))
    assert (event.identity.kind, event.credential, event.session) == ("app", "", "T=")


def test_a_deleted_and_re_created_user_is_another_identity() -> None:
    assert identity("repo.create", actor="ada", actor_id=7) != identity("repo.create", actor="ada", actor_id=8)


def test_where_a_person_started_a_workflow_from_is_not_where_the_workflow_runs() -> None:
    event = github.read(
        entry("workflows.created_workflow_run", actor="ada", actor_id=7, actor_ip="198.51.100.7", repo="acme/shop",
              repo_id=3, workflow_run_id=5, user_agent="Mozilla/5.0")
    )  # fmt: skip
    assert (event.identity.id, event.network, event.agent, event.traits) == ("github::workflow:3", "", "", ())


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "success"), (403, "denied"), (404, "denied"), (422, "failure"), (500, "failure")]
)
def test_the_status_of_a_request_is_its_outcome(status: int, outcome: str) -> None:
    record = entry("api.request", actor="a", request_method="GET", route="/user", status_code=status)
    assert github.read(record).outcome == outcome


def test_a_mass_clone_has_one_shape_and_many_targets() -> None:
    records = [entry("git.clone", actor="a", actor_id=1, repo=f"acme/r{i}", repo_id=i) for i in range(9)]
    events = [github.read(record) for record in records]
    assert len({shape_of(event) for event in events}) == 1
    assert {event.target for event in events} == {f"acme/r{i}" for i in range(9)}


def test_rule_test_records_are_read_but_for_those_without_a_time() -> None:
    lines = shared_data("rule-tests/panther/GitHub_Audit.ndjson").read_text().splitlines()
    seen: Counter[str] = Counter()
    for line in lines:
        try:
            event = github.read(json.loads(line)["log"])
        except RejectError as reject:
            seen[reject.reason] += 1
        else:
            assert isinstance(event, Event) and event.identity.id and event.outcome
            seen["parsed"] += 1
    assert seen == {"parsed": 46, "no_time": 13, "bad_time": 4}  # 4 times lack the point before the fraction
