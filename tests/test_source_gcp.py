"""Google Cloud audit: one principal however it is named, keys told, real logs read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from need import shared_data
from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.values import google
from nhi_watch.intake.sources import gcp


def entry(method: str = "storage.objects.get", who: Any = None, **payload: Any) -> dict[str, Any]:
    told = {"methodName": method, "serviceName": "storage.googleapis.com", "authenticationInfo": who or {}, **payload}
    return {"protoPayload": told, "insertId": "made-1", "timestamp": "2026-03-02T10:00:00.1Z"}


def test_every_real_audit_entry_is_read_and_nothing_else_is_claimed() -> None:
    files = sorted(shared_data("gcp").glob("*.json"))
    found = [json.loads(path.read_text()) for path in files]
    records = [one for content in found for one in (content if isinstance(content, list) else [content])]
    audit = [r for r in records if "protoPayload" in r or "protopayload_auditlog" in r]
    assert [gcp.claims(r) for r in records] == [r in audit for r in records]
    events = [gcp.read(record) for record in audit]
    assert len(events) == 15
    assert all(event.account and event.network and event.access != "unknown" for event in events)


def test_a_service_account_is_the_same_with_and_without_a_key() -> None:
    email = "app@shop.iam.gserviceaccount.com"
    bare = gcp.read(entry(who={"principalEmail": email}))
    keyed = gcp.read(entry(who={"principalEmail": email, "serviceAccountKeyName": f"//iam/x/{email}/keys/0a1b"}))
    assert bare.identity == keyed.identity
    assert (bare.credential, bare.credential_type, keyed.credential, keyed.credential_type) == (
        "",
        "session",
        "0a1b",
        "key",
    )


def test_an_account_that_was_made_again_is_another() -> None:
    old = google("deleted:serviceAccount:app@shop.iam.gserviceaccount.com?uid=117")
    new = google("app@shop.iam.gserviceaccount.com")
    assert old.id != new.id
    assert old.name == new.name


def test_who_stands_behind_an_impersonated_account_is_its_session() -> None:
    chain = [{"firstPartyPrincipal": {"principalEmail": "ann@example.com"}}]
    event = gcp.read(
        entry(who={"principalEmail": "a@b.iam.gserviceaccount.com", "serviceAccountDelegationInfo": chain})
    )
    assert event.identity.kind == "service_account"
    assert (event.session, event.traits) == ("by:user:ann@example.com", ("impersonation",))


@pytest.mark.parametrize(
    ("code", "outcome", "error"),
    [
        (0, "success", ""),
        (7, "denied", "PERMISSION_DENIED"),
        (16, "denied", "UNAUTHENTICATED"),
        (5, "failure", "NOT_FOUND"),
    ],
)
def test_codes_tell_the_outcome(code: int, outcome: str, error: str) -> None:
    event = gcp.read(entry(status={"code": code}))
    assert (event.outcome, event.error) == (outcome, error)


def test_a_pubsub_message_of_splunks_old_input_holds_the_entry() -> None:
    inner = entry(who={"principalEmail": "ann@example.com"})
    message = {"_raw": json.dumps({"data": inner, "attributes": {}}), "sourcetype": "google:gcp:pubsub:message"}
    assert gcp.claims(message)
    assert gcp.read(message) == gcp.read(inner)


def test_an_entry_without_a_method_is_rejected() -> None:
    with pytest.raises(RejectError, match="no_action"):
        gcp.read({"protoPayload": {"serviceName": "x"}, "timestamp": "2026-03-02T10:00:00Z"})


@pytest.mark.parametrize(("logs", "traits"), [(False, ("logging_reduced",)), (True, ())])
def test_flow_logs_that_are_switched_off_are_less_logging(logs: bool, traits: tuple[str, ...]) -> None:
    payload = {
        "authenticationInfo": {"principalEmail": "net@made.iam.gserviceaccount.com"},
        "serviceName": "compute.googleapis.com", "methodName": "v1.compute.subnetworks.patch",
        "resourceName": "projects/made/regions/europe-west1/subnetworks/s1", "request": {"enableFlowLogs": logs},
    }  # fmt: skip
    entry = {"protoPayload": payload, "timestamp": "2026-03-02T10:00:00Z", "insertId": "f1",
             "logName": "projects/made/logs/cloudaudit.googleapis.com%2Factivity"}  # fmt: skip
    assert gcp.read(entry).traits == traits
