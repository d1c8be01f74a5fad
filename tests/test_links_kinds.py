"""Each kind of link, out of records as products write them: who is joined, by what, and which records prove it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest

from core_samples import TODAY, events, whole_days
from nhi_watch.core import registry
from nhi_watch.core.event import Event
from nhi_watch.detect.linking import Group, _own_names, _touched, _used, join
from nhi_watch.state.state import Trace
from nhi_watch_lab.simulator.products import Spec, Tenant
from nhi_watch_lab.simulator.products.tenant import events as labelled

SOURCES = {source.NAME: source for source in registry.modules("nhi_watch.intake.sources")}
EXPECTED = {
    "token_to_cloud": ("oidc", "github", "aws"),
    "pod_to_cloud": ("oidc", "kubernetes", "aws"),
    "consent_and_mail": ("credential", "entra", "entra"),
    "key_and_chain": ("credential", "gcp", "gcp"),
    "key_file_used_elsewhere": ("host", "endpoint", "aws"),
    "scanned_secret_used": ("credential", "", "aws"),
    "vault_to_warehouse": ("named", "vault", "snowflake"),
    "managed_to_blobs": ("named", "entra", "azure"),
}
"""Technique of the simulator → kind of link, and the providers at its ends; "": any."""


@pytest.fixture(scope="module")
def played() -> dict[str, list[list[Event]]]:
    """The events of each campaign, by technique."""
    result: dict[str, list[list[Event]]] = defaultdict(list)
    tenant = Tenant(Spec(days=10, nhis=200, seed=24, campaigns=60, quiet_days=3))
    for campaign in tenant.campaigns:
        ran = campaign.run(tenant)
        result[campaign.technique.name].append([*labelled(ran.lines)])
    return result


def traces(events: Iterable[Event]) -> list[Trace]:
    """As if all that each identity did were news."""
    by_id: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_id[event.identity.id].append(event)
    return [traced(name, events) for name, events in by_id.items()]


def traced(name: str, events: list[Event]) -> Trace:
    own = _own_names(events[0].identity)
    names = {link: e.record_id for e in reversed(events) for link in e.links}
    return Trace(
        name,
        True,
        min(e.time for e in events),
        {**dict.fromkeys(own, events[0].record_id), **names},
        own,
        {e.issued: e.record_id for e in reversed(events) if e.issued},
        {used: e.record_id for e in reversed(events) for used in (e.session, e.credential) if used},
        {e.address: e.record_id for e in reversed(events) if e.address},
        {name: e.record_id for e in reversed(events) for name in _touched([e.target])},
        events[0].identity.is_person,
    )


def proven(groups: Iterable[Group], events: list[Event]) -> list[tuple[str, str, str]]:
    """Kinds and providers of the links; each is proven by records of the identities at its ends."""
    owner = {event.record_id: event.identity for event in events}
    result = []
    for group in groups:
        for link in group.links:
            ends = tuple(owner[record] for record in link.records)
            assert tuple(end.id for end in ends) == (link.source, link.target), link
            result.append((link.kind, ends[0].provider, ends[1].provider))
    return result


@pytest.mark.parametrize("technique", EXPECTED)
def test_a_campaigns_records_prove_the_link_of_its_kind(played: dict[str, list[list[Event]]], technique: str) -> None:
    kind, *ends = EXPECTED[technique]
    assert played[technique], "the seed has none"
    links = [result for events in played[technique] for result in proven(join(traces(events)), events)]
    fitting = [f for f in links if f[0] == kind and all(not end or end in f[1:] for end in ends)]
    assert fitting, links


AWS = "arn:aws:iam::111111111111:role/api"


def call(name: str, principal: str, **more: Any) -> Event:
    """A call of a role's session."""
    user = {
        "type": "AssumedRole",
        "principalId": f"{principal}:s",
        "accountId": "111111111111",
        "arn": "arn:aws:sts::111111111111:assumed-role/api/s",
        "accessKeyId": more.pop("key", "ASIAONE"),
        "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": principal, "arn": AWS}},
    }
    record = {"eventTime": "2026-03-02T10:00:00Z", "eventID": f"{principal}-{name}", "eventName": name,
              "eventSource": "sts.amazonaws.com", "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.7",
              "recipientAccountId": "111111111111", "userIdentity": user, **more}  # fmt: skip
    event: Event = SOURCES["cloudtrail"].read(record)
    return event


def eks(principal: str) -> Event:
    """A call of the same role to a cluster."""
    user = {
        "username": "api",
        "uid": f"aws-iam-authenticator:111111111111:{principal}",
        "extra": {"canonicalArn": [AWS], "accessKeyId": ["ASIAONE"]},
    }
    record = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "auditID": f"k-{principal}",
        "verb": "get",
        "stage": "ResponseComplete",
        "requestReceivedTimestamp": "2026-03-02T10:00:05Z",
        "user": user,
        "objectRef": {"resource": "secrets", "namespace": "shop", "name": "db"},
    }
    event: Event = SOURCES["kubernetes"].read(record)
    return event


def test_a_role_in_a_cluster_is_the_role_itself_and_another_of_its_name_is_not() -> None:
    assert eks("AROAONE").identity.id == call("GetCallerIdentity", "AROAONE").identity.id
    assert eks("AROATWO").identity.id != call("GetCallerIdentity", "AROAONE").identity.id


def test_a_role_that_was_deleted_and_made_again_is_another_and_not_linked_by_its_name() -> None:
    old = call("GetCallerIdentity", "AROAONE", key="ASIAOLD")
    new = call("GetCallerIdentity", "AROATWO", key="ASIANEW")
    assert (old.identity.name, old.identity.id == new.identity.id) == (new.identity.name, False)
    assert join(traces([old, new])) == []


def test_a_chain_of_roles_is_linked_by_the_session_that_was_handed_out() -> None:
    handed = {"credentials": {"accessKeyId": "ASIANEXT"}}
    first = call("AssumeRole", "AROAONE", responseElements=handed, requestParameters={"roleArn": AWS})
    second = call("GetCallerIdentity", "AROATWO", key="ASIANEXT")
    assert proven(join(traces([first, second])), [first, second]) == [("credential", "aws", "aws")]


def test_in_whose_name_many_acted_is_no_credential_that_joins_them() -> None:
    calls = [{"action": "k8s:secrets.get", "session": session} for session in ("as:system:admin", "JTI=1")]
    behaviours = [b for identity_day in whole_days(events(calls, TODAY)).values() for b in identity_day.ordered()]
    assert {handle for b in behaviours for handle in _used(b)} == {"JTI=1"}


def test_a_service_account_that_was_deleted_and_made_again_is_another() -> None:
    def pod(uid: str) -> Event:
        user = {"username": "system:serviceaccount:shop:api", "uid": uid}
        record = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "auditID": f"k-{uid}",
            "verb": "get",
            "user": user,
            "requestReceivedTimestamp": "2026-03-02T10:00:05Z",
            "objectRef": {"resource": "pods"},
        }
        event: Event = SOURCES["kubernetes"].read(record)
        return event

    assert pod("u-1").identity.id != pod("u-2").identity.id
    assert pod("u-1").links == pod("u-2").links == ("oidc:system:serviceaccount:shop:api",)
