"""Snowflake's login and query history: statements are judged, their text goes nowhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

from need import shared_data
from nhi_watch.core.event import Event
from nhi_watch.intake.sources import snowflake


def query(kind: str, sql: str = "", **told: Any) -> Event:
    row = {"QUERY_ID": "q", "QUERY_TYPE": kind, "QUERY_TEXT": sql, "USER_NAME": "ETL", "EXECUTION_STATUS": "SUCCESS"}
    return snowflake.read({**row, "START_TIME": "2026-03-02T14:00:05Z", **told})


@pytest.mark.parametrize(
    ("kind", "sql", "traits"),
    [
        ("CREATE_USER", "create user X password = 'y'", ("for_other", "new_credential")),
        ("ALTER_USER", "ALTER USER etl SET RSA_PUBLIC_KEY='MIIB'", ("new_credential",)),
        ("ALTER_USER", "ALTER USER x SET DISABLED=FALSE", ()),
        ("GRANT", "GRANT ROLE ACCOUNTADMIN TO USER x", ("admin_policy",)),
        ("GRANT", "GRANT SELECT ON t TO ROLE PUBLIC", ("public",)),
        ("UNLOAD", "COPY INTO 's3://x/y' FROM t", ("mass_export", "shared_outside")),
        ("UNLOAD", "COPY INTO @stage FROM t", ("mass_export",)),
    ],
)
def test_traits_of_statements(kind: str, sql: str, traits: tuple[str, ...]) -> None:
    assert query(kind, sql).traits == traits


def test_the_text_of_a_statement_is_nowhere_in_the_event() -> None:
    assert "hunter2" not in repr(query("CREATE_USER", "CREATE USER X PASSWORD='hunter2'"))


def test_a_refusal_is_denied_and_a_mistake_a_failure() -> None:
    told = {"EXECUTION_STATUS": "FAIL", "ERROR_CODE": "003001"}
    assert query("SELECT", **told, ERROR_MESSAGE="Insufficient privileges to operate").outcome == "denied"
    assert query("SELECT", **told, ERROR_MESSAGE="syntax error").outcome == "failure"


def test_rows_of_the_rule_tests_are_all_read() -> None:
    events = []
    for name in ("LoginHistory", "QueryHistory"):
        path = shared_data(f"rule-tests/panther/Snowflake_{name}.ndjson")
        rows = [json.loads(line)["log"] for line in path.read_text(encoding="utf-8").splitlines()]
        events += [snowflake.read(row) for row in rows if snowflake.claims(row)]
    assert (len(events), {event.identity.kind for event in events}) == (21, {"user"})


@pytest.mark.parametrize("name", ["null", "-"])
def test_whoever_chooses_a_name_that_says_nothing_is_a_user_all_the_same(name: str) -> None:
    told = query("SELECT", USER_NAME=name).identity
    assert (told.kind, told.id, told.name) == ("user", f"snowflake::user:{name.upper()}", name)
    assert query("SELECT", USER_NAME=None).identity.kind == "anonymous"
