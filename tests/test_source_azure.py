"""Azure activity and storage logs: who acts, and what request bodies mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from need import shared_data
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.sources import azure

OBJECT = "http://schemas.microsoft.com/identity/claims/objectidentifier"
UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
SP, APP = "b7e2f4a6-1c3d-4e5f-9a8b-7c6d5e4f3a2b", "5d0c1c9e-7a11-4f0e-8f3b-0a1b2c3d4e5f"
PORTAL = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"


def event(operation: str, body: str = "", claims: Any = None, **told: Any) -> Event:
    claims = {"appid": APP, "idtyp": "app", OBJECT: SP} if claims is None else claims
    record: dict[str, Any] = {
        "operationName": operation,
        "time": "2026-03-02T11:00:05Z",
        "identity": {"claims": claims},
    }
    return azure.read({**record, "properties": {"requestbody": body}, **told})


def test_a_user_of_the_portal_is_the_user_and_of_another_app_the_app() -> None:
    user = {OBJECT: "U-1", UPN: "ada@contoso.example"}
    by_portal = event("a/read", claims={**user, "appid": PORTAL})
    assert (by_portal.identity.id, by_portal.traits) == ("entra:user:u-1", ("console",))
    by_app = event("a/read", claims={**user, "appid": APP})
    assert (by_app.identity.id, by_app.traits) == (f"entra:app:{APP}", ("delegated",))


def test_who_is_not_told_is_one_watched_identity_of_the_tenant() -> None:
    nobody = event("a/write", claims={}, tenantId="T-1", category="Administrative").identity
    assert (nobody.id, nobody.kind) == ("azure:unknown:t-1", "unknown")
    assert event("a/write", claims={}, category="ServiceHealth").identity.kind == "service"


@pytest.mark.parametrize(
    ("operation", "body", "traits"),
    [
        ("Microsoft.Authorization/roleAssignments/write",
         '{"RoleDefinitionId": "x/8E3AF657-a8ff-443c-a75c-2fe8c4bcb635"}',
         {"admin_policy", "role_grant", "for_other"}),
        ("Microsoft.Authorization/roleAssignments/write", f'{{"PrincipalId": "{SP}"}}', {"role_grant"}),
        ("Microsoft.Network/networkSecurityGroups/securityRules/write",
         '{"sourceAddressPrefix": "*"}', {"open_ingress"}),
        ("Microsoft.Network/networkSecurityGroups/securityRules/write",
         '{"sourceAddressPrefix": "*", "access": "Deny"}', set()),
        ("MICROSOFT.STORAGE/STORAGEACCOUNTS/WRITE", '{"allowBlobPublicAccess": true}', {"public"}),
        ("Microsoft.Insights/diagnosticSettings/delete", "", {"logging_reduced"}),
        ("Microsoft.Compute/virtualMachines/write", '{"allowBlobPublicAccess": true}', set()),
    ],
)  # fmt: skip
def test_traits_of_request_bodies(operation: str, body: str, traits: set[str]) -> None:
    assert set(event(operation, body).traits) == traits


@pytest.mark.parametrize(
    ("result", "signature", "outcome"),
    [
        ("Success", "Succeeded.OK", "success"),
        ("Start", "Started.", "success"),
        ("Failure", "Forbidden", "denied"),
        ("Failed", "403", "denied"),
        ("Failure", "409", "failure"),
        ("Failed", "", "failure"),
    ],
)
def test_outcomes(result: str, signature: str, outcome: str) -> None:
    assert event("a/write", resultType=result, resultSignature=signature).outcome == outcome


def test_records_of_one_operation_are_told_apart_by_result_and_time() -> None:
    ids = {
        event("a/write", resultType=result, time=f"2026-03-02T11:00:0{second}.1234567Z", correlationId="c").record_id
        for result in ("Start", "Success") for second in (1, 2)
    }  # fmt: skip
    assert len(ids) == 4


def test_a_storage_key_is_an_identity_and_its_hash_the_credential() -> None:
    identity = {"type": "SAS", "tokenHash": "key1(AB),SasSignature(CD)"}
    told: dict[str, Any] = {"identity": identity, "properties": {"accountName": "backups"}, "category": "StorageRead"}
    read = event("GetBlob", **told)
    assert (read.identity.id, read.credential) == ("azure:storage_key:backups:key1(AB)", "key1(AB),SasSignature(CD)")


def test_real_records_are_read_but_for_one_without_time() -> None:
    path = shared_data("rule-tests/panther/Azure_MonitorActivity.ndjson")
    records = [json.loads(line)["log"] for line in path.read_text(encoding="utf-8").splitlines()]
    mixed = shared_data("mixed/azure_activity_log.jsonl").read_text(encoding="utf-8").splitlines()
    records += [json.loads(line) for line in mixed]
    rejects = []
    own = [record for record in records if azure.claims(record)]
    for record in own:
        try:
            assert azure.read(record).network
        except RejectError as reject:
            rejects.append(reject.reason)
    assert (len(own), rejects) == (139, ["no_time"])


def test_a_vaults_log_tells_which_secret_was_read_and_names_it_as_roles_do() -> None:
    record = {
        "time": "2026-03-02T11:01:01Z", "category": "AuditEvent", "operationName": "SecretGet", "resultType": "Success",
        "resourceId": "/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/PAYMENTS",
        "properties": {"id": "https://payments.vault.azure.net/secrets/db-password/0a1b", "httpStatusCode": 403},
    }  # fmt: skip
    event = azure.read(record)
    assert (event.action, event.target) == ("microsoft.keyvault:vaults/secrets/getsecret/action", "secrets/db-password")
    assert (event.outcome, event.error) == ("denied", "403")
    other = azure.read({**record, "properties": {"id": "https://payments.vault.azure.net/secrets/other"}})
    assert other.record_id != event.record_id, "of one second and vault"
    assert (
        azure.read({**record, "operationName": "KeyDecrypt"}).action == "microsoft.keyvault:vaults/keys/decrypt/action"
    )


def test_another_diagnostic_log_is_no_vaults() -> None:
    assert not azure.claims(
        {"category": "AuditEvent", "operationName": "x", "resourceId": "/providers/microsoft.batch/a"}
    )
