"""Clients that can choose the ids of their records gain nothing by it: records of one id differ by what they say."""

from __future__ import annotations

import json
from itertools import combinations
from types import ModuleType
from typing import Any

import msgspec
import orjson
import pytest

from core_samples import Going, run, runs
from flood_samples import tenant, theft
from nhi_watch.context.context import Context
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.hosts.elastic import read
from nhi_watch.hosts.splunk import gather, rows
from nhi_watch.intake.batch import IntakeBatch
from nhi_watch.intake.sources import alerts, azure, cloudtrail, endpoint, gitlab, kubernetes
from nhi_watch.state import day_rows
from nhi_watch.state.store import MemoryStore
from test_sources import SOURCES, outcome_of, samples_of
from trees import Steps, changed, leaves

assert alerts  # its parts and the endpoint's import each other: it comes first
LAST = 20_000
ONE = "00000000-0000-4000-8000-00000000beef"
RAID = (
    ("list", "secrets"),
    ("create", "clusterrolebindings"),
    ("get", "secrets"),
    ("create", "serviceaccounts/token"),
    ("create", "pods"),
    ("create", "pods/exec"),
    ("delete", "events"),
)
Records = list[dict[str, Any]]


def call(day: int, second: int, verb: str, thing: str, **changes: Any) -> dict[str, Any]:
    resource, _, sub = thing.partition("/")
    time = render(day * DAY + 36_000 + second)
    return {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
        "auditID": f"{day}-{second}-{verb}", "verb": verb, "requestURI": f"/api/v1/namespaces/shop/{thing}",
        "user": {"username": "system:serviceaccount:shop:api", "uid": "5e4461f9"}, "sourceIPs": ["10.1.2.3"],
        "userAgent": "api/1.0", "responseStatus": {"code": 200}, "stageTimestamp": time,
        "objectRef": {"resource": resource, "subresource": sub, "namespace": "shop", "name": "x"}, **changes,
    }  # fmt: skip


def ordinary(day: int) -> Records:
    return [call(day, 600 * n, "get", "configmaps") for n in range(20)]


def raid(**changes: Any) -> Records:
    """46 records: some harmless ones, and what they are to hide."""
    fields: dict[str, Any] = {"sourceIPs": ["185.220.101.4"], "userAgent": "kubectl/v1.29.0"}
    bad = [call(LAST, 60 * n, *RAID[n % len(RAID)], **{**fields, **changes}) for n in range(45)]
    return [call(LAST, 0, "get", "configmaps", **changes), *bad]


@pytest.fixture(scope="module")
def history() -> list[Records]:
    return [ordinary(day) for day in range(LAST - 12, LAST)]


def scored(history: list[Records], records: Records) -> Any:
    store = MemoryStore()
    for part in (*history, records):
        going = Going(store, [kubernetes])
        going.feed(part)
        result = going.finish()
    return result


def test_one_audit_id_over_all_records_of_an_attack_hides_none_of_them(history: list[Records]) -> None:
    plain, hidden = scored(history, raid()), scored(history, raid(auditID=ONE))
    first, second = (next(n for n in each.notables if n["kind"] == "compromise") for each in (plain, hidden))
    assert (hidden.run["events"], hidden.run["duplicates"]) == (46, 0)
    assert first["likelihood"] == second["likelihood"] >= 50


def test_copies_of_records_count_once_whoever_chose_their_ids(history: list[Records]) -> None:
    text = scored(history, [*raid(auditID=ONE), *raid(auditID=ONE)[::-1]])
    assert (text.run["events"], text.run["duplicates"]) == (46, 46)


def test_one_event_id_over_all_records_of_cloudtrail_hides_none_of_them() -> None:
    plain, hidden, again = (
        run(runs([tenant()]), records) for records in (raids(), raids(ONE), [*raids(ONE), *raids(ONE)])
    )
    first, second = (next(n for n in each.notables if n["kind"] == "compromise") for each in (plain, hidden))
    assert (first["likelihood"], first["record_count"]) == (second["likelihood"], second["record_count"])
    assert [each.run["duplicates"] for each in (plain, hidden, again)] == [0, 0, len(raids())]


def test_a_copy_is_one_though_the_table_of_networks_has_changed_since_it_was_read() -> None:
    event = cloudtrail.read(raids()[0])
    batch = IntakeBatch()
    batch.add(event)
    day = event.time // DAY
    stored = {(day, name): day_rows.unpack(day_rows.pack(identity_day)) for name, identity_day in batch[day].items()}
    again = IntakeBatch(lambda keys: stored)
    for copy_of in (event, event._replace(network="ours", agent="boto3"), event._replace(time=event.time + 3600)):
        again.add(copy_of)
    assert (again.parsed, again.duplicates) == (3, 2)


def test_a_record_of_a_known_id_from_another_address_is_no_copy() -> None:
    batch, event = IntakeBatch(), cloudtrail.read(raids()[0])
    for copy_of in (event._replace(address="198.51.100.1"), event, event):
        batch.add(copy_of)
    assert (batch.parsed, batch.duplicates) == (3, 1)


def raids(item: str = "") -> Records:
    return [{**record, "eventID": item or record["eventID"]} for record in theft()]


def test_splunk_and_elasticsearch_tell_records_of_one_id_apart_as_well() -> None:
    records = [*raid(auditID=ONE), *raid(auditID=ONE)]
    gatherer = gather.Gatherer()
    gatherer.feed(rows.write(["_raw"], [{"_raw": json.dumps(record)} for record in records]))
    assert sum(partial_day.events() for partial_day in gatherer.parts.values()) == 46
    intake = read.intake_of([kubernetes], Context())
    sources = [
        {
            "data_stream": {"dataset": "kubernetes.audit_logs"},
            "kubernetes": {"audit": record},
            "event": {"dataset": "kubernetes.audit_logs"},
            "@timestamp": record["stageTimestamp"],
        }
        for record in records
    ]
    read.feed(intake, [read.Hit("i", str(n), msgspec.Raw(orjson.dumps(s))) for n, s in enumerate(sources)], print)
    assert (intake.batch.parsed, intake.batch.duplicates) == (92, 46)


@pytest.mark.parametrize("original", [False, True])
def test_half_a_character_hides_no_document_of_elasticsearch(original: bool) -> None:
    text = json.dumps(call(LAST, 0, "get", "secrets", userAgent="x")).replace('"x"', '"\\ud800"')
    event = {"original": text, "dataset": "kubernetes.audit_logs"}
    text = json.dumps({"event": event, "@timestamp": "2026-03-02T10:00:00Z"}) if original else text
    intake = read.intake_of([kubernetes], Context())
    read.feed(intake, [read.Hit("i", "1", msgspec.Raw(text.encode()))], lambda hit, error: None)
    assert (intake.batch.parsed, intake.batch.rejected) == (1, {})


NAMES = {
    kubernetes: ("auditID",),
    azure: ("correlationId",),
    gitlab: ("correlation_id",),
}
"""Where the ids lie that clients can choose."""


@pytest.mark.parametrize("source", [*NAMES], ids=lambda source: source.NAME)
def test_no_two_samples_that_differ_become_one_when_their_writer_gives_them_one_id(source: ModuleType) -> None:
    """Of one identity and day, for others are never held against each other."""
    result: dict[tuple[str, int], dict[str, set[Any]]] = {}
    for sample in samples_of(source):
        if sample["shape"] == "native" and "event" in sample and sample["record"].keys() & set(NAMES[source]):
            record = {**sample["record"], **dict.fromkeys(NAMES[source], "x" * 300)}
            event = source.read(record)
            text = (event.time, event.action, event.target, event.outcome)
            result.setdefault((event.identity.id, event.time // DAY), {}).setdefault(event.record_id, set()).add(text)
    assert result
    assert [same for ids in result.values() for same in ids.values() if len(same) > 1] == []


def test_a_host_cannot_make_its_events_one() -> None:
    lines = [
        f"type=SYSCALL msg=audit(1772445600.{n}:7): arch=c000003e syscall=257 success=yes exit=3 ppid=1 pid=2 "
        f'auid=1000 uid=0 gid=0 ses=3 comm="cat" exe="/usr/bin/cat" key="k"\n'
        f'type=PATH msg=audit(1772445600.{n}:7): item=0 name="{path}" nametype=NORMAL'
        for n, path in enumerate(("/srv/.aws/credentials", "/srv/.kube/config"))
    ]
    event, other = (endpoint.read({"_raw": text, "host": "web-1"}) for text in lines)
    assert event.target != other.target
    assert event.record_id != other.record_id


def test_ids_are_bounded_and_still_begin_with_what_can_be_searched_for() -> None:
    ids = [
        kubernetes.read(call(LAST, n, "get", "secrets", auditID=text)).record_id
        for n, text in enumerate((ONE, "x" * 5_000, "\ud800"))
    ]
    assert ids[0].startswith(f"{ONE}~")
    assert max(map(len, ids)) <= 113
    assert all(a != b for a, b in combinations(ids, 2))


@pytest.mark.parametrize(
    "source",
    [source for source in SOURCES if source.NAME not in ("alerts", "exposure")],
    ids=lambda source: source.NAME,
)
def test_no_record_is_a_copy_of_one_that_ended_otherwise_or_did_something_else(source: ModuleType) -> None:
    """Every value of every sample is exchanged for those that others have in its place; ids and times stay."""
    records = [sample["record"] for sample in samples_of(source) if "event" in sample and sample["shape"] == "native"]
    known: dict[Steps, list[Any]] = {}
    for path, value in (leaf for record in records for leaf in leaves(record)):
        known[path] = [*known.get(path, []), *([] if value in known.get(path, []) else [value])][:8]
    tried = 0
    for record in records:
        event = source.read(record)
        for path, _ in leaves(record):
            for value in known[path]:
                other = outcome_of(source, changed(record, path, value))
                if isinstance(other, Event) and differ(event, other):
                    batch = IntakeBatch()
                    batch.add(event)
                    batch.add(other)
                    tried += 1
                    assert not batch.duplicates, (path, value)
    assert tried


def test_an_audit_id_of_a_request_that_failed_hides_none_that_succeeded_in_the_same_second() -> None:
    batch = IntakeBatch()
    for code in (406, 200):
        batch.add(kubernetes.read(call(LAST, 0, "create", "pods", auditID=ONE, responseStatus={"code": code})))
    (identity_day,) = batch[LAST].values()
    assert sorted(key.outcome for key, _ in identity_day.behaviours) == ["failure", "success"]


def differ(event: Event, other: Event) -> bool:
    """Records of one identity and time that do not tell the same; what names no target hides none."""
    calls = [(event.action, event.outcome, event.target) for event in (event, other)]
    return (
        calls[0] != calls[1]
        and bool(other.target)
        and event.identity.id == other.identity.id
        and event.time == other.time
    )
