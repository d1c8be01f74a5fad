"""Real logs, and records that authors of rules wrote: how many of each file a source reads, and whose they are."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from need import shared_data
from nhi_watch.core import registry
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.sources import endpoint, gcp, kubernetes, m365

SOURCES = {source.NAME: source for source in registry.modules("nhi_watch.intake.sources")}
Records = list[dict[str, Any]]


def lines_of(path: Path) -> Records:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read(source: ModuleType, records: Records) -> tuple[list[Event], Counter[str]]:
    """The Events of records, and the reasons why others are none."""
    events, rejects = [], Counter[str]()
    for record in records:
        try:
            events.append(source.read(record))
        except RejectError as reject:
            rejects[reject.reason] += 1
    return events, rejects


@pytest.mark.parametrize(
    ("name", "files", "count", "kinds", "rejected"),
    [
        ("ai", "AWS_BedrockModelInvocation Anthropic_Activity OpenAI_Audit", 79, set(), {}),
        ("azure", "Azure_MonitorActivity", 134, set(), {"no_time": 1}),
        ("directories", "Auth0_Events", 48, {"app", "user", "anonymous"}, {}),
        ("entra", "Azure_Audit", 44, {"user", "app"}, {}),
        ("github", "GitHub_Audit", 46, set(), {"no_time": 13, "bad_time": 4}),  # 4 lack the point before the fraction
        ("okta", "Okta_SystemLog", 61, set(), {"no_time": 13, "bad_time": 4}),  # the 4 times are the word "redacted"
        ("salesforce", "Salesforce_*", 21, {"app", "user"}, {}),
        ("snowflake", "Snowflake_LoginHistory Snowflake_QueryHistory", 21, {"user"}, {}),
        ("workspace", "GSuite_ActivityEvent", 57, set(), {}),
    ],
)
def test_records_of_the_rule_tests_are_claimed_and_read(
    name: str, files: str, count: int, kinds: set[str], rejected: dict[str, int]
) -> None:
    source, folder = SOURCES[name], shared_data("rule-tests/panther")
    paths = [path for pattern in files.split() for path in sorted(folder.glob(f"{pattern}.ndjson"))]
    records = [line["log"] for path in paths for line in lines_of(path)]
    own = [record for record in records if name in ("github", "okta") or source.claims(record)]
    assert len(own) == len(records) or name in ("azure", "snowflake")
    if name == "workspace":  # the others tell no name or no time
        own = [record for record in own if record["id"].get("time") and record.get("name")]
    events, rejects = read(source, own)
    assert (len(events), rejects) == (count, rejected)
    assert all(event.identity.id for event in events)
    assert not kinds or {event.identity.kind for event in events} <= kinds
    if name in ("ai", "salesforce", "workspace"):
        assert all(event.access != "unknown" for event in events)
    if name in ("azure", "salesforce"):
        assert all(event.network for event in events)
    if name == "workspace":
        assert all(event.identity.kind != "anonymous" for event in events)


def test_azures_activities_of_a_mixed_log_are_all_read() -> None:
    source = SOURCES["azure"]
    own = [record for record in lines_of(shared_data("mixed/azure_activity_log.jsonl")) if source.claims(record)]
    events, rejects = read(source, own)
    assert (len(events), rejects) == (4, {}) and all(event.network for event in events)


def test_every_real_audit_entry_of_google_is_read_and_nothing_else_is_claimed() -> None:
    entries = [json.loads(path.read_text()) for path in sorted(shared_data("gcp").glob("*.json"))]
    records = [item for content in entries for item in (content if isinstance(content, list) else [content])]
    audit = [r for r in records if "protoPayload" in r or "protopayload_auditlog" in r]
    assert [gcp.claims(r) for r in records] == [r in audit for r in records]
    events = [gcp.read(record) for record in audit]
    assert len(events) == 15
    assert all(event.account and event.network and event.access != "unknown" for event in events)


def test_every_answered_request_of_a_real_clusters_log_is_read() -> None:
    records = lines_of(shared_data("kubernetes/demo-full.log"))
    assert all(kubernetes.claims(record) for record in records)
    events = [kubernetes.read(record) for record in records if record["stage"] != "RequestReceived"]
    assert len(events) == 437
    assert all(e.identity.kind == "user" and e.network and e.access != "unknown" for e in events)


def test_every_row_of_a_real_clusters_table_is_read() -> None:
    with shared_data("kubernetes/hkerma.csv").open(newline="") as table:
        rows = [row for row in csv.reader(table) if len(row) == 15]
    events = [
        kubernetes.read({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "verb": row[3], "user": {"username": row[2]},
            "requestURI": row[8], "auditID": row[9], "stage": row[10], "stageTimestamp": row[1],
            "objectRef": {"resource": row[4], "subresource": row[5], "name": row[6]},
            "responseStatus": {"code": int(row[11])},
        })
        for row in rows
    ]  # fmt: skip
    assert len(events) == 16_563
    assert len({e.identity.id for e in events if e.identity.kind == "service_account"}) == 38
    assert {e.access for e in events} <= {"read", "list", "write", "permissions"}


def test_every_real_record_of_microsoft_365_is_claimed_and_read_and_a_look_alike_app_is_seen_taking_over() -> None:
    records = lines_of(shared_data("m365/audit.ndjson"))
    assert all(m365.claims(record) for record in records)
    assert Counter(m365.read(record).identity.kind for record in records) == {"service": 2277, "user": 672, "app": 165}
    of_the_app = [m365.read(record) for record in records if "rnicrosoft" in json.dumps(record)]
    traits = {trait for event in of_the_app for trait in event.traits}
    assert {"consent", "tenant_wide", "mail_and_files", "new_credential_on_app", "owner_added"} <= traits


def events_of(path: Path) -> Iterator[dict[str, Any]]:
    result: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        result.setdefault(line.partition("msg=audit(")[2].partition(")")[0], []).append(line)
    yield from ({"_raw": "\n".join(lines)} for lines in result.values())


def test_real_lines_of_auditd_are_read_and_found_to_concern_no_credential() -> None:
    records = [record for path in sorted(shared_data("endpoint").glob("*.log")) for record in events_of(path)]
    assert records and all(endpoint.claims(record) for record in records)
    assert read(endpoint, records) == ([], {"not_credential": len(records)})
