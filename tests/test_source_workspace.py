"""Workspace reports: the app is the identity of its tokens, parameters of every form, real reports read."""

from __future__ import annotations

import json
from typing import Any

from need import shared_data
from nhi_watch.intake.sources import workspace

APP = "1-a.apps.googleusercontent.com"


def activity(name: str, app: str = "token", actor: Any = None, **parameters: Any) -> dict[str, Any]:
    told = [{"name": key, "multiValue" if isinstance(v, list) else "value": v} for key, v in parameters.items()]
    who = actor or {"email": "ann@example.com", "profileId": "1001"}
    unique = {"applicationName": app, "uniqueQualifier": "7", "customerId": "C1", "time": "2026-03-02T10:00:00.1Z"}
    return {"kind": "admin#reports#activity", "id": unique, "actor": who, "ipAddress": "198.51.100.7",
            "events": [{"name": name, "parameters": told}]}  # fmt: skip


def test_reports_of_rule_tests_are_claimed_and_read_where_they_tell_name_and_time() -> None:
    lines = shared_data("rule-tests/panther/GSuite_ActivityEvent.ndjson").read_text().splitlines()
    records = [json.loads(line)["log"] for line in lines]
    assert all(workspace.claims(record) for record in records)
    whole = [record for record in records if record["id"].get("time") and record.get("name")]
    events = [workspace.read(record) for record in whole]
    assert len(events) == 57
    assert all(event.identity.kind != "anonymous" and event.access != "unknown" for event in events)


def test_an_app_is_one_identity_whoever_gave_it_access() -> None:
    users = ({"email": "ann@example.com", "profileId": "1001"}, {"email": "bob@example.com", "profileId": "1002"})
    events = [workspace.read(activity("authorize", actor=user, client_id=APP, app_name="Mail")) for user in users]
    assert {event.identity.id for event in events} == {f"workspace:C1:app:{APP}"}
    assert [event.session for event in events] == ["1001", "1002"]


def test_wide_scopes_of_a_consent_are_told() -> None:
    narrow = workspace.read(activity("authorize", client_id=APP, scope=["openid"]))
    wide = workspace.read(activity("authorize", client_id=APP, scope=["openid", "https://mail.google.com/"]))
    assert narrow.traits == ("consent", "third_party")
    assert wide.traits == ("broad_scope", "consent", "third_party")


def test_calls_of_an_app_are_told_apart_by_method() -> None:
    event = workspace.read(activity("activity", client_id=APP, api_name="drive", method_name="files.list"))
    assert (event.action, event.access) == ("workspace.token:drive.files.list", "list")


def test_padded_names_are_trimmed() -> None:
    assert workspace.read(activity("suspicious_login ", "login")).action == "workspace.login:suspicious_login"


def test_what_google_does_itself_is_a_service() -> None:
    event = workspace.read(activity("CREATE_USER", "admin", {"callerType": "KEY", "key": "SYSTEM"}))
    assert (event.identity.kind, event.credential) == ("service", "")


def test_two_events_of_one_activity_are_two_records() -> None:
    ids = {workspace.read(activity(name, "admin")).record_id for name in ("ASSIGN_ROLE", "CREATE_USER")}
    assert ids == {"7:ASSIGN_ROLE", "7:CREATE_USER"}
