"""Directories read by tables: whose act it is, in each of the three logs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from need import shared_data
from nhi_watch.intake.sources import directories

EXCHANGE = {"date": "2026-03-02T10:00:01Z", "type": "seccft", "client_id": "c-1", "client_name": "billing"}


def auth0(**values: Any) -> dict[str, Any]:
    return {"log_id": "l-1", "data": {**EXCHANGE, **values}}


def test_every_record_of_the_rule_tests_is_read() -> None:
    lines = shared_data("rule-tests/panther/Auth0_Events.ndjson").read_text().splitlines()
    records = [json.loads(line)["log"] for line in lines]
    assert all(directories.claims(record) for record in records)
    assert {directories.read(record).identity.kind for record in records} <= {"app", "user", "anonymous"}


def test_an_application_that_exchanges_its_secret_is_an_application_and_who_calls_the_api_is_the_caller() -> None:
    by = {"request": {"auth": {"user": {"user_id": "auth0|1"}}, "channel": "https://manage.auth0.com/"}}
    works = directories.read(auth0())
    calls = directories.read(auth0(type="sapi", description="Create a client grant", details=by, user_id="auth0|9"))
    assert (works.identity.kind, works.credential_type) == ("app", "key")
    assert (calls.identity.id, calls.access, calls.traits) == ("auth0::user:auth0|1", "permissions", ("console",))


def test_what_a_client_writes_makes_nobody_a_person() -> None:
    asked = {"request": {"channel": "https://api.example.com/?https://manage.auth0.com"}}
    assert directories.read(auth0(type="sapi", description="Get users", details=asked)).traits == ()


def test_a_client_that_signs_in_by_itself_is_an_application_at_keycloak() -> None:
    told = {"id": "k", "time": 1772445606120, "realmId": "main", "clientId": "reports", "userId": "u-svc"}
    alone = directories.read({**told, "type": "CLIENT_LOGIN"})
    person = directories.read({**told, "type": "LOGIN"})
    assert (alone.identity.id, person.identity.id) == ("keycloak:main:app:reports", "keycloak:main:user:u-svc")


@pytest.mark.parametrize("odd", [None, [], "x", {"a": []}, [[{}]], 10**40])
def test_odd_values_do_no_harm(odd: Any) -> None:
    jump = {"initiated_by": odd, "event_type": "x", "service": odd, "useragent": odd, "resource": odd, "mfa": odd}
    cloak = {"realmId": odd, "authDetails": odd, "operationType": "CREATE", "details": odd, "error": "e"}
    made = [auth0(details=odd, ip=odd, user_id=odd), {**jump, "timestamp": "2026-03-02T10:00:01Z"}]
    for record in (*made, {**cloak, "time": 1772445606120}):
        assert directories.read(record).action


def test_words_of_a_client_in_another_products_text_claim_nothing() -> None:
    asked = {"data": {"client_id": "c", "date": "2026-03-02T10:00:01Z", "type": "s"}, "log_id": "1"}
    other = {"eventSource": "lambda.amazonaws.com", "eventName": "Invoke", "requestParameters": asked}
    assert not directories.claims({"_raw": json.dumps(other)})
    assert directories.claims({"_raw": json.dumps(asked)})
