"""The inventory: what is remembered of identities and credentials, whatever the order and however often."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudtrail_shapes import ecs, splunk_fields
from core_samples import ACCOUNT, MACHINE, TODAY, events, record, whole_days
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.errors import StoreError
from nhi_watch.core.event import Event, Identity
from nhi_watch.intake.sources import cloudtrail, exposure
from nhi_watch.state import inventory
from nhi_watch.state.store import MemoryStore

KEY = "AKIARTXV5AHDQAAQEAYE"
USER = {"id": f"aws:{ACCOUNT}:user:AIDACI", "name": f"arn:aws:iam::{ACCOUNT}:user/ci", "kind": "user"}
DAY = 86_400


def days_of(events: Iterable[Event]) -> list[IdentityDay]:
    by_day: dict[int, list[Event]] = {}
    for event in events:
        by_day.setdefault(event.time // DAY, []).append(event)
    return [identity_day for day in by_day.values() for identity_day in whole_days(day).values()]


def use(day: int, key: str = KEY) -> list[Event]:
    return events([{"credential": key, "credential_type": "key", "who": USER}], day)


def call(day: int, action: str, target: str, **more: object) -> list[Event]:
    return events([{"action": action, "target": target, **more}], day)


HISTORY = [
    *call(TODAY - 9, "iam:CreateAccessKey", "ci", issued=KEY),
    *use(TODAY - 8),
    *use(TODAY - 2),
    *call(TODAY - 1, "iam:UpdateAccessKey", KEY, traits=["deactivated"]),
    *call(TODAY - 3, "iam:UpdateAccessKey", "AKIAOTHER", traits=["deactivated"], outcome="denied"),
    *call(TODAY, "iam:DetachUserPolicy", "ci"),
]


def noted(events: Iterable[Event]) -> MemoryStore:
    store = MemoryStore()
    inventory.note(store, days_of(events))
    return store


def test_a_key_is_remembered_from_creation_to_its_end() -> None:
    store = noted(HISTORY)
    known = inventory.credential(store, KEY)
    assert known is not None and known.identity is not None
    assert known.identity.name == USER["name"]
    assert (known.first // DAY, known.last // DAY) == (TODAY - 8, TODAY - 2)
    assert [(c.what, c.about, c.by) for c in known.changes] == [
        ("created", "ci", MACHINE.id),
        ("deactivated", KEY, MACHINE.id),
    ]


def test_what_was_refused_changes_nothing() -> None:
    assert inventory.credential(noted(HISTORY), "AKIAOTHER") is None


def done_to(rows: MemoryStore, identity: Identity) -> list[inventory.Change]:
    return inventory.every_name(rows)[inventory.name_key(identity)]


def test_what_is_done_to_a_user_by_name_is_found_by_the_identity() -> None:
    identity = MACHINE._replace(**USER)
    assert [c.what for c in done_to(noted(HISTORY), identity)] == ["reduced"]


@given(st.permutations(range(len(HISTORY))), st.integers(1, len(HISTORY)))
def test_neither_order_nor_repetition_nor_cuts_change_what_is_known(order: list[int], cut: int) -> None:
    store = MemoryStore()
    shuffled = [HISTORY[i] for i in order]
    for part in (shuffled[:cut], shuffled[cut:], shuffled[:cut]):
        inventory.note(store, days_of(part))
    once = noted(HISTORY)
    for low, high in (("c/", "c0"), ("n/", "n0"), ("i/", "i0")):
        assert dict(store.scan("inventory", low, high)) == dict(once.scan("inventory", low, high))


def test_an_exposure_is_a_change_of_the_credential_and_no_identity_of_its_own() -> None:
    leak = {"RuleID": "aws", "Secret": KEY, "Match": KEY, "Date": "2024-10-03T10:00:00Z", "File": "a/.env"}
    store = noted([exposure.read(leak)])
    known = inventory.credential(store, KEY)
    assert known is not None
    assert [(c.what, c.about, c.by) for c in known.changes] == [("exposed", "a/.env", "gitleaks")]
    assert (known.first, known.last) == (0, 0)
    assert not inventory.identities(store)


def test_the_user_of_an_exposed_key_is_its_identity() -> None:
    leak = {"RuleID": "aws", "Secret": KEY, "Match": KEY, "Date": "2024-10-03T10:00:00Z", "File": "a/.env"}
    known = inventory.credential(noted([exposure.read(leak), *use(TODAY)]), KEY)
    assert known is not None and known.identity is not None
    assert known.identity.kind == "user"


STOLEN = "alert:GuardDuty/UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"


def alert(action: str, credential: str = "") -> list[Event]:
    fields = {"service": "alert", "traits": ["alert", "alert_high"], "credential": credential}
    return events([{"action": action, "who": USER, **fields}], TODAY)


def test_another_product_s_alert_of_a_stolen_credential_exposes_it_as_used() -> None:
    known = inventory.credential(noted(alert(STOLEN, KEY)), KEY)
    assert known is not None
    assert [(c.what, c.by, "used" in c.traits.split(",")) for c in known.changes] == [("exposed", "GuardDuty", True)]
    leaked = noted(alert("alert:EntraRisk/leakedCredentials"))
    assert inventory.credential(leaked, f"of:{USER['id']}") is not None


def test_an_alert_is_no_use_of_the_key_and_most_alerts_expose_nothing() -> None:
    store = noted(alert("alert:GuardDuty/Discovery:S3/AnomalousBehavior", KEY))
    assert inventory.credential(store, KEY) is None
    assert not inventory.identities(store)


def test_aws_quarantine_is_noted_for_the_user() -> None:
    events = call(TODAY, "iam:AttachUserPolicy", "ci", traits=["quarantine"], access="permissions")
    user = Identity("x", "a/ci", "user", "aws", ACCOUNT, "")
    assert [c.what for c in done_to(noted(events), user)] == ["quarantined"]


@pytest.mark.parametrize("status, trait", [("Inactive", "deactivated"), ("Active", "reactivated")])
def test_every_shape_of_the_log_tells_which_key_was_switched(status: str, trait: str) -> None:
    params = {"userName": "ci", "status": status, "accessKeyId": KEY}
    native = record(TODAY, "10:00", service="iam", name="UpdateAccessKey", requestParameters=params)
    for shape in (native, splunk_fields(native), ecs(native)):
        event = cloudtrail.read(shape)
        assert (event.target, trait in event.traits) == (KEY, True)


def test_a_damaged_row_says_what_to_do() -> None:
    store = MemoryStore()
    store.put("inventory", [(f"c/{KEY}", b"rubbish")])
    with pytest.raises(StoreError, match="restore a copy"):
        inventory.credential(store, KEY)
