"""Entra ID: who acts, links between the two ids of an app, and what changes of apps mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from need import shared_data
from nhi_watch.core.event import Event
from nhi_watch.intake.sources import azure, entra, m365
from nhi_watch.intake.sources.entra.audit import route

TENANT = "3f1b6c2a-0d4e-4a8b-9c57-1e2d3f405162"
APP = "5d0c1c9e-7a11-4f0e-8f3b-0a1b2c3d4e5f"
PRINCIPAL = "b7e2f4a6-1c3d-4e5f-9a8b-7c6d5e4f3a2b"
USER = "1f2e3d4c-5b6a-4789-8abc-def012345678"
KEY = "9c8b7a69-5847-4635-a241-302f1e0d9c8b"
TIME = "2026-03-02T10:00:01Z"


def sign_in(category: str = "ServicePrincipalSignInLogs", **told: Any) -> dict[str, Any]:
    properties = {"id": "s1", "createdDateTime": TIME, "appId": APP, "servicePrincipalId": PRINCIPAL, **told}
    return {"category": category, "operationName": "Sign-in activity", "tenantId": TENANT, "properties": properties}


def audit(name: str, new: str = "", old: str = "", prop: str = "KeyDescription", **told: Any) -> Event:
    changed = [{"displayName": prop, "oldValue": old, "newValue": new}]
    target: dict[str, Any] = {
        "id": PRINCIPAL,
        "type": "ServicePrincipal",
        "displayName": "x",
        "modifiedProperties": changed,
    }
    by = {"user": {"id": USER, "userPrincipalName": "ada@contoso.example"}}
    properties: dict[str, Any] = {
        "id": "a1",
        "activityDateTime": TIME,
        "activityDisplayName": name,
        "result": "success",
    }
    properties = {**properties, "initiatedBy": by, "targetResources": [target], **told}
    return entra.read({"category": "AuditLogs", "tenantId": TENANT, "properties": properties})


def graph(uri: str, app: str = APP, **told: Any) -> Event:
    properties: dict[str, Any] = {
        "requestId": "g1",
        "timeGenerated": TIME,
        "appId": app,
        "requestUri": uri,
        "requestMethod": "GET",
    }
    properties = {**properties, "responseStatusCode": 200, **told}
    return entra.read({"category": "MicrosoftGraphActivityLogs", "tenantId": TENANT, "properties": properties})


def test_an_app_is_one_identity_in_entra_azure_and_microsoft_365() -> None:
    claims = {"appid": APP, "idtyp": "app", "http://schemas.microsoft.com/identity/claims/objectidentifier": PRINCIPAL}
    of_azure = azure.read({"operationName": "a/read", "time": TIME, "identity": {"claims": claims}})
    mail = {"Operation": "MailItemsAccessed", "Workload": "Exchange", "CreationTime": TIME, "ClientAppId": APP}
    of_mail = m365.read({**mail, "UserId": "ada@contoso.example", "OrganizationId": TENANT})
    events = [entra.read(sign_in()), graph("https://graph.microsoft.com/v1.0/me"), of_azure, of_mail]
    assert {event.identity.id for event in events} == {f"entra:app:{APP}"}


def test_where_only_the_object_id_is_told_it_names_the_app_and_sign_ins_prove_the_link() -> None:
    event = audit("Update device", initiatedBy={"app": {"appId": None, "servicePrincipalId": PRINCIPAL}})
    assert event.identity.id == f"entra:sp:{PRINCIPAL}"
    assert event.links == (f"sp:{PRINCIPAL}",)
    assert entra.read(sign_in()).links == (f"app:{APP}", f"sp:{PRINCIPAL}")
    assert entra.read(sign_in(servicePrincipalId=None)).links == (f"app:{APP}",)
    assert entra.read(sign_in("SignInLogs", userId=USER)).links == ()


def test_the_token_of_a_sign_in_is_the_session_of_its_requests() -> None:
    signed_in = entra.read(sign_in(uniqueTokenIdentifier="t1"))
    assert signed_in.session == graph("https://graph.microsoft.com/v1.0/me", signInActivityId="t1").session == "t1"


@pytest.mark.parametrize(
    ("code", "outcome"), [(0, "success"), ("Success", "success"), (7000215, "failure"), ("53003", "denied")]
)
def test_outcome_of_a_sign_in(code: object, outcome: str) -> None:
    assert entra.read(sign_in(status={"errorCode": code})).outcome == outcome


def test_what_a_foreign_app_does_for_a_user_is_the_apps_doing() -> None:
    delegated = graph("https://graph.microsoft.com/v1.0/me/messages", userId=USER)
    assert (delegated.identity.id, delegated.traits) == (f"entra:app:{APP}", ("delegated",))
    cli = graph("https://graph.microsoft.com/v1.0/me", app="04B07795-8ddb-461a-bbee-02f9e1bf7b46", userId=USER)
    assert (cli.identity.id, cli.traits) == (f"entra:user:{USER}", ())


def test_a_new_secret_is_told_by_its_id_and_an_old_one_is_not_new() -> None:
    old = f'["[KeyIdentifier={KEY},KeyType=Password]"]'
    new = f'["[KeyIdentifier={KEY},KeyType=Password]","[KeyIdentifier={KEY[:-1]}c,KeyType=Password]"]'
    event = audit("Update application – Certificates and secrets management ", new, old)
    assert event.issued == KEY[:-1] + "c"
    assert event.traits == ("for_other", "new_credential_on_app")
    removed = audit("Update application – Certificates and secrets management ", old, new)
    assert (removed.issued, removed.traits) == ("", ())


def test_what_an_app_adds_to_itself_is_not_for_another() -> None:
    by = {"app": {"servicePrincipalId": PRINCIPAL.upper()}}
    assert audit("Add service principal credentials", initiatedBy=by).traits == ("new_credential_on_app",)


@pytest.mark.parametrize(
    ("name", "prop", "new", "traits"),
    [
        ("Consent to application", "ConsentAction.Permissions", "Scope: Mail.Read",
         {"consent", "mail_and_files", "scope:Mail.Read"}),
        ("Consent to application", "ConsentContext.IsAdminConsent", '"True"', {"consent", "tenant_wide"}),
        ("Consent to application", "ConsentAction.Permissions", "Scope: User.Read", {"consent"}),
        ("Add app role assignment to service principal", "AppRole.Value", '"Directory.ReadWrite.All"',
         {"scope_growth", "admin_policy", "scope:Directory.ReadWrite.All"}),
        ("Remove delegated permission grant", "DelegatedPermissionGrant.Scope", "", set()),
        ("Add member to role", "Role.DisplayName", '"Global Administrator"', {"role_grant", "admin_policy"}),
        ("Update service principal", "AppAddress", '[{"Address":"https://x.example"}]', {"reply_address"}),
        ("Update application", "FederatedIdentityCredentials", "[{}]", {"federated_credential"}),
        ("Add owner to application", "Application.AppId", APP, {"owner_added", "for_other"}),
        ("Update device", "DisplayName", "Mail.Read", set()),
    ],
)  # fmt: skip
def test_traits_of_directory_changes(name: str, prop: str, new: str, traits: set[str]) -> None:
    assert set(audit(name, new, prop=prop).traits) == traits


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ("/applications/7/microsoft.graph.addPassword", "/applications/{id}/addpassword"),
        ("/servicePrincipals/7/graph.addPassword", "/serviceprincipals/{id}/addpassword"),
        ("/users/7/chats/microsoft.graph.getAllMessages(model='A')", "/users/{id}/chats/getallmessages/{id}"),
        ("/us%65rs/7/%6D%65ssages", "/users/{id}/messages"),
        ("/users/microsoft.graph.delta()", "/users/delta"),
        ("/users%28'7'%29/sendMail", "/users/{id}/sendmail"),
        ("/users/ann%40example.com/messages", "/users/{id}/messages"),
        ("/sites/my%20site/drive", "/sites/{id}/drive"),
    ],
)
def test_another_spelling_of_a_call_of_graph_is_the_same_call(told: str, known: str) -> None:
    assert route(f"https://graph.microsoft.com/v1.0{told}") == known


def test_risk_detections_are_left_to_the_alert_sources() -> None:
    risk = {"id": "r", "createdDateTime": TIME, "appId": APP, "userId": USER, "riskEventType": "leakedCredentials"}
    assert not entra.claims({"category": "UserRiskEvents", "properties": risk})


def test_records_of_the_rule_tests_are_all_read() -> None:
    path = shared_data("rule-tests/panther/Azure_Audit.ndjson")
    records = [json.loads(line)["log"] for line in path.read_text(encoding="utf-8").splitlines()]
    events = [entra.read(record) for record in records if entra.claims(record)]
    assert len(events) == len(records) == 44
    assert all(event.identity.kind in ("user", "app") for event in events)
