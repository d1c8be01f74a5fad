"""Salesforce: the app behind a token, one user under two spellings, rule tests read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from need import shared_data
from nhi_watch.intake.sources import salesforce


def log(kind: str, **values: Any) -> dict[str, Any]:
    base = {"EVENT_TYPE": kind, "ORGANIZATION_ID": "00D000000000001", "REQUEST_ID": "4made"}
    return {**base, "TIMESTAMP_DERIVED": "2026-03-02T10:00:00.123Z", "USER_ID": "005000000000001", **values}


def test_every_record_of_the_rule_tests_is_read() -> None:
    files = sorted(shared_data("rule-tests/panther").glob("Salesforce_*.ndjson"))
    records = [json.loads(line)["log"] for path in files for line in path.read_text().splitlines()]
    events = [salesforce.read(record) for record in records]
    assert len(events) == 21
    assert all(salesforce.claims(record) for record in records)
    assert all(e.identity.kind in ("app", "user") and e.network and e.access != "unknown" for e in events)


def test_ids_of_15_and_18_letters_are_one_user() -> None:
    event = {"EventDate": "2026-03-02T10:00:00Z", "EventIdentifier": "e-1", "UserId": "005000000000001AAA"}
    told = [log("Login"), {**event, "LoginType": "Application", "Username": "ann@example.com"}]
    assert {salesforce.read(record).identity.id for record in told} == {"salesforce::user:005000000000001"}


def test_a_connected_app_acts_and_its_user_is_the_session() -> None:
    event = salesforce.read(log("ApiConnectedApp", CONNECTED_APP_ID="0H0000000000001AAA", CONNECTED_APP_NAME="Sync"))
    assert (event.identity.id, event.identity.name) == ("salesforce::app:0H0000000000001", "Sync")
    assert (event.session, event.traits) == ("005000000000001", ("third_party",))


@pytest.mark.parametrize(("rows", "traits"), [("9999", ()), ("10000", ("mass_export",)), (250_000, ("mass_export",))])
def test_large_jobs_are_told(rows: object, traits: tuple[str, ...]) -> None:
    assert salesforce.read(log("BulkApi", ROWS_PROCESSED=rows)).traits == traits


def test_the_administrator_behind_another_users_login_acts() -> None:
    event = salesforce.read(log("LoginAs", DELEGATED_USER_ID="005000000000009AAA"))
    assert event.identity.id == "salesforce::user:005000000000009"
    assert (event.session, event.access) == ("as:005000000000001", "permissions")


def test_a_log_files_own_stamp_is_a_time() -> None:
    record = {k: v for k, v in log("Login").items() if k != "TIMESTAMP_DERIVED"}
    assert salesforce.read({**record, "TIMESTAMP": "20260302100000.123"}).time == salesforce.read(log("Login")).time
