"""Microsoft 365: who acts, and a real incident read from its records."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from need import shared_data
from nhi_watch.core.event import Event
from nhi_watch.intake.sources import m365

APP = "5d0c1c9e-7a11-4f0e-8f3b-0a1b2c3d4e5f"
OUTLOOK = "00000002-0000-0ff1-ce00-000000000000"
TENANT = "3f1b6c2a-0d4e-4a8b-9c57-1e2d3f405162"


def event(operation: str = "FileAccessed", workload: str = "SharePoint", **told: Any) -> Event:
    record = {"Operation": operation, "Workload": workload, "CreationTime": "2026-03-02T12:00:05", "RecordType": 6}
    return m365.read({"UserId": "Ada@contoso.example", "OrganizationId": TENANT, **record, **told})


@pytest.mark.parametrize(
    ("told", "identity"),
    [
        ({}, "entra:user:ada@contoso.example"),
        ({"AppId": OUTLOOK}, "entra:user:ada@contoso.example"),
        ({"ClientAppId": APP.upper(), "AppId": OUTLOOK}, f"entra:app:{APP}"),
        ({"AppAccessContext": {"ClientAppId": APP}}, f"entra:app:{APP}"),
        ({"UserId": "ServicePrincipal_" + APP}, f"entra:sp:{APP}"),
        ({"UserId": "urn:spo:guest#eve@x.example"}, "entra:user:eve@x.example"),
        ({"UserId": "urn:spo:anon#0a1b"}, "entra:anonymous"),
        ({"UserId": "NOT-FOUND"}, "entra:anonymous"),
        ({"UserId": "NT AUTHORITY\\SYSTEM (w3wp)"}, "entra:service:NTAUTHORITYSYSTEMW3wp"),
        ({"UserId": TENANT, "UserType": 4}, f"entra:service:{TENANT}"),
    ],
)
def test_who_acts(told: dict[str, Any], identity: str) -> None:
    assert event(**told).identity.id == identity


def test_directory_records_prove_which_ids_are_of_one_app() -> None:
    sp = "b7e2f4a6-1c3d-4e5f-9a8b-7c6d5e4f3a2b"
    actors = [{"ID": "nightly", "Type": 1}, {"ID": APP, "Type": 2}, {"ID": "ServicePrincipal_" + sp, "Type": 2}]
    record = {"UserId": "ServicePrincipal_" + sp, "Actor": actors}
    told = event("x", "AzureActiveDirectory", **record)
    assert (told.identity.id, told.links) == (f"entra:app:{APP}", (f"app:{APP}", f"sp:{sp}"))


def test_trailing_dots_and_blanks_do_not_matter() -> None:
    names = ("Add owner to application.", "Add owner to application", "Add owner to application. ")
    assert {event(n, "AzureActiveDirectory").action for n in names} == {"entra:AddOwnerToApplication"}


@pytest.mark.parametrize(
    ("operation", "parameters", "traits"),
    [
        ("Set-Mailbox", {"ForwardingSmtpAddress": "smtp:x@y.example"}, ("mail_forwarding",)),
        ("Set-Mailbox", {"AuditEnabled": "False"}, ("logging_reduced",)),
        ("Set-Mailbox", {"Identity": "Ada"}, ()),
        ("Set-AdminAuditLogConfig", {"UnifiedAuditLogIngestionEnabled": "False"}, ("logging_reduced",)),
        ("Set-AdminAuditLogConfig", {"UnifiedAuditLogIngestionEnabled": "True"}, ()),
        ("New-ManagementRoleAssignment", {"Role": "ApplicationImpersonation"}, ("admin_policy", "impersonation")),
        ("New-InboxRule", {"Name": ".", "DeleteMessage": "True"}, ("hides_mail",)),
    ],
)
def test_traits_of_exchange_commands(operation: str, parameters: dict[str, str], traits: tuple[str, ...]) -> None:
    listed = [{"Name": name, "Value": value} for name, value in parameters.items()]
    assert event(operation, "Exchange", Parameters=listed).traits == traits
    assert event(operation, "Exchange", Parameters=parameters).traits == traits


def real() -> list[dict[str, Any]]:
    lines = shared_data("m365/audit.ndjson").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_every_real_record_is_claimed_and_read() -> None:
    kinds: Counter[str] = Counter()
    for record in real():
        assert m365.claims(record)
        kinds[m365.read(record).identity.kind] += 1
    assert kinds == {"service": 2277, "user": 672, "app": 165}


def test_the_look_alike_app_of_a_real_incident_gets_a_secret_and_consent() -> None:
    events = [m365.read(record) for record in real() if "rnicrosoft" in json.dumps(record)]
    traits = {trait for one in events for trait in one.traits}
    assert {"consent", "tenant_wide", "mail_and_files", "new_credential_on_app", "owner_added"} <= traits
