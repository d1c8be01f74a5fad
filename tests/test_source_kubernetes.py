"""Kubernetes audit: who really calls, from where, and real logs read."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from need import shared_data
from nhi_watch.core.errors import RejectError
from nhi_watch.intake.sources import kubernetes


def call(verb: str = "get", **parts: Any) -> dict[str, Any]:
    base = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "made-1", "stage": "ResponseComplete"}
    given = {"verb": verb, "user": {"username": "system:serviceaccount:shop:api"}, "responseStatus": {"code": 200}}
    return {**base, **given, "objectRef": {"resource": "secrets", "namespace": "shop", "name": "db"},
            "stageTimestamp": "2026-03-02T10:00:00.1Z", **parts}  # fmt: skip


def test_every_answered_request_of_a_real_log_is_read() -> None:
    lines = shared_data("kubernetes/demo-full.log").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    answered = [record for record in records if record["stage"] != "RequestReceived"]
    events = [kubernetes.read(record) for record in answered]
    assert len(events) == 437
    assert all(e.identity.kind == "user" and e.network and e.access != "unknown" for e in events)
    for record in records:
        assert kubernetes.claims(record)


def test_every_row_of_a_real_clusters_table_is_read() -> None:
    with shared_data("kubernetes/hkerma.csv").open(newline="") as table:
        rows = [row for row in csv.reader(table) if len(row) == 15]
    events = [
        kubernetes.read(
            call(row[3], user={"username": row[2]}, requestURI=row[8], auditID=row[9], stage=row[10],
                 objectRef={"resource": row[4], "subresource": row[5], "name": row[6]},
                 stageTimestamp=row[1], responseStatus={"code": int(row[11])})
        )
        for row in rows
    ]  # fmt: skip
    assert len(events) == 16_563
    assert len({e.identity.id for e in events if e.identity.kind == "service_account"}) == 38
    assert {e.access for e in events} <= {"read", "list", "write", "permissions"}


def test_accounts_of_one_name_and_two_uids_are_two() -> None:
    name = "system:serviceaccount:shop:api"
    ids = {kubernetes.read(call(user={"username": name, "uid": uid})).identity.id for uid in ("a", "b")}
    assert ids == {"kubernetes::service_account:a", "kubernetes::service_account:b"}


@pytest.mark.parametrize(
    ("told", "address"),
    [
        (["203.0.113.9"], "203.0.113.9"),
        (["192.0.2.4", "203.0.113.9", "10.0.0.1"], "203.0.113.9"),
        (["10.9.9.9", "203.0.113.9"], "203.0.113.9"),
        (["10.1.1.1", "10.0.0.1"], "10.0.0.1"),
    ],
)
def test_a_forged_header_hides_no_outside_address_and_lends_no_inside_one(told: list[str], address: str) -> None:
    assert kubernetes.read(call(sourceIPs=told)).address == address


INSIDE = ("system:kube-controller-manager", "system:kube-scheduler", "system:apiserver", "eks:node-manager")
CHOSEN = ("system:anything", "system:kube-me", "eks:me", "aks-me", "system:unauthenticated", "null", "-")


@pytest.mark.parametrize(
    ("name", "address", "kind"),
    [
        *((name, address, "service") for name in INSIDE for address in ("10.0.0.4", "127.0.0.1", "::1", "")),
        *((name, "185.220.101.34", "user") for name in INSIDE),
        *((name, address, "user") for name in CHOSEN for address in ("10.0.0.4", "185.220.101.34", "")),
        ("system:node:ip-1", "185.220.101.34", "node"),
        ("system:anonymous", "185.220.101.34", "anonymous"),
    ],
)
def test_only_a_part_of_the_cluster_in_its_place_is_the_clusters_own(name: str, address: str, kind: str) -> None:
    event = kubernetes.read(call(user={"username": name}, sourceIPs=[address] if address else []))
    assert (event.identity.kind, event.identity.name) == (kind, name)
    if kind == "user":
        assert event.identity.id == f"kubernetes::user:{name}"


def test_who_holds_a_certificate_in_the_name_of_nobody_is_somebody() -> None:
    user = {"username": "system:anonymous", "groups": ["system:masters", "system:authenticated"]}
    assert kubernetes.read(call(user=user)).identity.kind == "user"
    assert kubernetes.read(call(user={**user, "groups": ["system:unauthenticated"]})).identity.kind == "anonymous"


def test_a_name_like_a_components_is_no_leave_to_enter_the_clusters_own_space() -> None:
    thing = {"resource": "secrets", "namespace": "kube-system", "name": "x"}
    told = {n: kubernetes.read(call(user={"username": n}, objectRef=thing)).traits for n in (*INSIDE, "system:kube-me")}
    assert told == {**dict.fromkeys(INSIDE, ()), "system:kube-me": ("system_space",)}


def test_whom_it_impersonates_and_in_which_groups_is_told() -> None:
    other = {"username": "system:admin", "groups": ["system:authenticated", "dev", "system:masters"]}
    event = kubernetes.read(call(impersonatedUser=other))
    told = [link.removeprefix("user:as:") for link in event.links if link.startswith("user:as:")]
    assert told == ["system:admin", "group system:masters", "group dev"]
    assert event.traits == ("as_admin", "impersonation")


SYS_ADMIN = {"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}
CAGED = {"securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}, "privileged": False}}
FREE = {"securityContext": {"privileged": True}}


@pytest.mark.parametrize(
    ("verb", "resource", "sub", "body", "traits"),
    [
        ("create", "pods", "", {"spec": {"containers": [CAGED]}}, ()),
        ("create", "pods", "", {"spec": {"containers": [CAGED], "initContainers": [FREE]}}, ("privileged",)),
        ("patch", "pods", "ephemeralcontainers", {"spec": {"ephemeralContainers": [FREE]}}, ("privileged",)),
        ("create", "pods", "", {"spec": {"containers": [SYS_ADMIN]}}, ("privileged",)),
        ("create", "replicationcontrollers", "", {"spec": {"template": {"spec": {"hostPID": True}}}}, ("privileged",)),
        ("patch", "deployments", "", [{"op": "add", "path": "/spec/template/spec/hostPID", "value": True}],
         ("privileged",)),
        ("patch", "deployments", "", [{"op": "remove", "path": "/spec/template/spec/hostPID"}], ()),
        ("patch", "clusterrolebindings", "",
         [{"op": "add", "path": "/subjects/-", "value": {"kind": "User", "name": "system:anonymous"}}], ("public",)),
        ("patch", "clusterroles", "",
         [{"op": "add", "path": "/rules/-", "value": {"resources": ["*"], "verbs": ["*"]}}],
         ("admin_policy", "wildcard_policy")),
    ],
)  # fmt: skip
def test_what_a_body_makes_is_told_wherever_it_stands(
    verb: str, resource: str, sub: str, body: object, traits: tuple[str, ...]
) -> None:
    thing = {"resource": resource, "subresource": sub, "namespace": "shop", "name": "x"}
    assert kubernetes.read(call(verb, objectRef=thing, requestObject=body)).traits == traits


def test_the_start_of_a_long_request_and_its_end_are_two_records() -> None:
    ids = [kubernetes.read(call("watch", stage=stage)).record_id for stage in ("ResponseStarted", "ResponseComplete")]
    assert len(set(ids)) == 2 and {each.partition("~")[0] for each in ids} == {"made-1"}


def test_a_request_that_has_no_outcome_yet_is_rejected() -> None:
    with pytest.raises(RejectError, match="unfinished"):
        kubernetes.read(call(stage="RequestReceived"))


def test_a_clusters_own_events_are_not_audit_events() -> None:
    assert not kubernetes.claims({"kind": "Event", "apiVersion": "v1", "involvedObject": {}, "reason": "Pulled"})
