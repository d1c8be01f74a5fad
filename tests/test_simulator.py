"""The simulator: repeatable, ordered, labelled, believable in shape, without give-aways."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from desk_samples import notable, state
from nhi_watch.core.notable import BANDS
from nhi_watch.report import jsonlines
from nhi_watch_lab import public_attack, truth
from nhi_watch_lab.simulator import TECHNIQUES, Day, Spec, Tenant, write
from nhi_watch_lab.simulator.tenant import ORIGINS

SPEC = Spec(days=9, machines=60, seed=11, campaigns=12, events=20_000, quiet_days=2)
GIVE_AWAYS = re.compile(r"stratus|attack|evil|malicious|hacker|backdoor|exfil|victim|adversary|raid", re.I)
COMMON = [
    "eventVersion",
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "requestParameters",
    "responseElements",
    "requestID",
    "eventID",
    "readOnly",
    "eventType",
    "managementEvent",
    "recipientAccountId",
    "eventCategory",
]
MEMBERS = {
    "AssumedRole": {"type", "principalId", "arn", "accountId", "accessKeyId", "sessionContext"},
    "IAMUser": {"type", "principalId", "arn", "accountId", "userName"},
    "AWSService": {"type", "invokedBy"},
    "WebIdentityUser": {"type", "principalId", "userName", "identityProvider"},
    "SAMLUser": {"type", "principalId", "userName", "identityProvider"},
    "AWSAccount": {"type", "principalId", "accountId"},
}


@pytest.fixture(scope="module")
def days() -> list[Day]:
    """All days of a small tenant."""
    return list(Tenant(SPEC).days())


def test_bytes_are_the_recorded_ones_on_every_python() -> None:
    tenant = Tenant(Spec(days=2, machines=20, seed=5, campaigns=2, events=2_000, quiet_days=0))
    total = hashlib.sha256()
    for day in tenant.days():
        for record in day.records:
            total.update(json.dumps(record).encode())
    assert total.hexdigest()[:16] == "19bcfae400f3273d"


def test_labels_point_at_existing_records_of_the_named_identities(days: list[Day]) -> None:
    records = {record["eventID"]: record for day in days for record in day.records}
    incidents = [incident for day in days for incident in day.incidents]
    assert len(incidents) == 12
    for incident in incidents:
        labelled = [records[identifier] for identifier in incident["record_ids"]]
        assert min(r["eventTime"] for r in labelled) == incident["first_time"]
        assert max(r["eventTime"] for r in labelled) == incident["last_time"]
        known = {item["principal_id"] for item in incident["identities"]}
        assert {r["userIdentity"]["principalId"].split(":")[0] for r in labelled} <= {k.split(":")[0] for k in known}


def test_no_name_or_agent_gives_a_campaign_away(days: list[Day]) -> None:
    assert len(TECHNIQUES) >= 24
    for day in days:
        for record in day.records:
            assert not GIVE_AWAYS.search(json.dumps(record)), record


def test_every_technique_occurs_from_outside_and_from_inside() -> None:
    planned: Counter[tuple[str, str]] = Counter()
    indistinct = total = 0
    for seed in (21, 22, 23):
        tenant = Tenant(
            Spec(days=10, machines=250, seed=seed, campaigns=len(TECHNIQUES) * 2, events=5_000, quiet_days=1)
        )
        for campaign in tenant.campaigns:
            label = campaign.run(tenant).label
            if label is not None:
                planned[label["technique"], label["origin"]] += 1
                total += 1
                indistinct += not label["distinguishable"]
    assert set(planned) == {(technique, origin) for technique in TECHNIQUES for origin in ORIGINS}
    assert indistinct <= 0.05 * total


def test_records_carry_the_members_that_real_ones_carry(days: list[Day]) -> None:
    types: Counter[str] = Counter()
    for day in days:
        for record in day.records:
            kind = record["userIdentity"]["type"]
            types[kind] += 1
            assert set(COMMON) <= record.keys(), record
            if kind in MEMBERS:
                assert MEMBERS[kind] <= record["userIdentity"].keys(), record
            _check_session(record)
    assert set(MEMBERS) <= types.keys()


def _check_session(record: dict[str, Any]) -> None:
    identity = record["userIdentity"]
    if identity["type"] == "AssumedRole":
        issuer = identity["sessionContext"]["sessionIssuer"]
        assert issuer["arn"].startswith("arn:aws:iam::")
        assert identity["principalId"].split(":")[0] == issuer["principalId"]
        assert identity["accessKeyId"].startswith("ASIA")
    if "invokedBy" in identity:
        assert record["sourceIPAddress"] == identity["invokedBy"]
        assert "tlsDetails" not in record


def test_files_hold_one_event_a_line(tmp_path: Path) -> None:
    labels = write(tmp_path, Spec(days=2, machines=20, seed=6, events=1_000))
    lines = gzip.decompress((tmp_path / "events" / "2025-03-03.ndjson.gz").read_bytes()).splitlines()
    assert all(json.loads(line)["eventTime"].startswith("2025-03-03T") for line in lines)
    assert json.loads((tmp_path / "labels.json").read_bytes()) == labels


def test_the_demo_tells_what_it_listed_that_is_no_incident() -> None:
    hit: Any = {
        "id": "aaaaaaaa",
        "likelihood": 90.0,
        "severity": "critical",
        "title": "stolen",
        "record_ids": ["1", "7"],
    }
    wrong: Any = {
        "id": "bbbbbbbb",
        "likelihood": 98.0,
        "severity": "critical",
        "title": "refused",
        "record_ids": ["9"],
        "usual": {"active_days": 4},
        "impact": {"level": "medium", "factors": []},
    }
    assert list(truth.no_incidents([{"record_ids": ["1", "2"]}], [hit, wrong])) == [
        "Of the 2 notables listed, 1 is no incident:",
        "  bbbbbb, 98% critical: refused",
        "      Ordinary work: a job or a release did this for the first time in 4 active days; its owner can tell.",
    ]
    hardly: Any = {**wrong, "likelihood": BANDS[-1][0] + 0.1, "severity": "low"}
    assert "can tell (hardly above 6, where the list begins)." in list(truth.no_incidents([], [hardly]))[-1]
    oddity = {"record_ids": ["9"]}
    assert "An engineer used this identity" in list(truth.no_incidents([hit], [hit, wrong], [oddity]))[-1]
    assert truth.precision([{"record_ids": ["1"]}], [hit, wrong]) == (
        "Listed notables that are incidents, by severity: critical 1 of 2."
    )


def test_the_demo_says_why_an_incident_was_missed() -> None:
    missed = {"first_time": "2025-03-10T11:15:11Z", "technique": "admin_user", "origin": "inside", "record_ids": ["1"]}
    assert list(truth.fates([missed], [])) == [
        "  2025-03-10T11:15  admin_user             inside    missed: none of its records made a notable; they look "
        "like the identity's own days",
        "      A new user with all rights and a key, which is then used: 1 call from its own network with its own "
        "client, too few to stand out from the identity's own days.",
    ]


def test_the_demo_calls_listed_what_the_list_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def noted(name: str, **fate: Any) -> Any:
        first = notable(title=name, **{"listed": True, "listed_on": "2026-02-17", **fate})
        return {**first, "id": name * 20, "record_ids": [f"record-{name}"]}

    notables = [
        noted("a"),
        noted("b", life="closed", closed_why="nothing unusual for 7 days"),
        noted("c", listed=False, listed_on=""),
    ]
    incidents = [{"first_time": f"2026-02-17T1{n}:00:00Z", "technique": "key_theft", "origin": "external",
                  "record_ids": [f"record-{name}"]} for n, name in enumerate("abc")]  # fmt: skip
    state(tmp_path, notables)
    jsonlines.write(tmp_path / "notables.jsonl", [{**item, "rank": n} for n, item in enumerate(notables[:2], 1)])
    (tmp_path / "data").mkdir()
    (tmp_path / "data/labels.json").write_text(json.dumps({"incidents": incidents, "benign_oddities": []}))
    truth.main([str(tmp_path)])
    text = capsys.readouterr().out
    assert "3 incidents in these logs; 1 of them are in the list, and 1 were until they closed" in text
    assert "Of the 1 notables listed, 0 are no incident" in text and "not listed: cccccc" in text


def test_a_public_attack_is_one_more_incident_of_its_own_identity() -> None:
    tenant = Tenant(Spec(days=6, machines=120, seed=7, campaigns=2))
    public_attack.add(tenant)
    ran = tenant.campaigns[-1].run(tenant)
    assert len(tenant.campaigns) == 3 and len({campaign.victim.name for campaign in tenant.campaigns}) == 3
    built = {record["eventName"] for _, _, record in ran.timed}
    assert {"GetCallerIdentity", "GetSecretValue", "StopLogging", "CreateUser", "CreateAccessKey"} <= built
