"""Directories read by tables: whose act it is, in each of the three logs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from need import shared_data
from nhi_watch.core.errors import RejectError
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


LINE = (
    "2021-10-22 21:20:42,120 WARN  [org.keycloak.events] (default task-2) type=LOGIN_ERROR, realmId=main, "
    "clientId=shop, userId=u-1, ipAddress=198.51.100.7, error=invalid_user_credentials, username=ann, userId=u-2"
)


def test_an_event_in_keycloaks_server_log_is_the_same_in_splunk_and_elastic() -> None:
    document = {
        "@timestamp": "2021-10-22T21:20:42.120Z", "data_stream": {"dataset": "keycloak.log"},
        "user": {"id": "u-1", "name": "ann"},
        "event": {"action": "LOGIN_ERROR", "code": "invalid_user_credentials", "original": LINE},
        "keycloak": {"client": {"id": "shop"}, "login": {"type": "LOGIN_ERROR"}, "realm": {"id": "main"}},
        "source": {"address": "198.51.100.7"},
    }  # fmt: skip
    row = {"_raw": LINE, "_time": "1634937642.120"}
    quoted = {**row, "_raw": LINE.replace("=", '="').replace(",", '",') .replace('42",120', "42,120") + '"'}
    assert all(map(directories.claims, (document, row, quoted)))
    told = directories.read(document)
    assert told == directories.read(row) == directories.read(quoted)
    assert (told.identity.id, told.identity.name) == ("keycloak:main:user:u-1", "ann")
    assert (told.action, told.outcome, told.error) == ("keycloak:LOGIN_ERROR", "failure", "invalid_user_credentials")


def test_what_is_no_event_in_keycloaks_server_log_tells_no_action() -> None:
    started = {"data_stream": {"dataset": "keycloak.log"}, "@timestamp": "2021-10-22T21:20:42Z", "message": "started"}
    with pytest.raises(RejectError, match="no_action"):
        directories.read(started)
    assert not directories.claims({"_raw": json.dumps({"eventName": "x", "userAgent": LINE})})


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
