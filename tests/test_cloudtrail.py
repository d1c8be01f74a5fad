"""CloudTrail: one Event out of all shapes, and nothing but RejectError is raised."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union

import pytest

import cloudtrail_shapes as shapes
from need import shared_data
from nhi_watch.core.behaviour import key_of_event
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.sources import cloudtrail

SAMPLES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "sources" / "cloudtrail.jsonl").read_text().splitlines()
]
GOOD = [sample for sample in SAMPLES if "event" in sample]
NATIVE = [sample["record"] for sample in GOOD if sample["shape"] == "native"]
TO_SHAPE = (
    shapes.splunk_fields,
    shapes.splunk_raw,
    shapes.ecs,
    shapes.ecs_hit,
    shapes.ecs_original,
)
NOT_IN_ECS = {"sessionCredentialFromConsole", "vpcEndpointAccountId", "onBehalfOf"}


def outcome_of(record: object) -> Union[Event, str]:
    try:
        return cloudtrail.read(record)
    except RejectError as reject:
        return reject.reason


@pytest.mark.parametrize("to_shape", TO_SHAPE)
def test_shape_gives_the_native_event_of_every_sample(to_shape: Any) -> None:
    natives = [r for r in NATIVE if "ecs" not in to_shape.__name__ or not NOT_IN_ECS & {*r, *r["userIdentity"]}]
    natives = natives if to_shape is not shapes.ecs_original else NATIVE
    for record in natives:
        assert outcome_of(to_shape(record)) == outcome_of(record)
        assert cloudtrail.claims(to_shape(record))


def test_sessions_of_one_role_have_one_shape() -> None:
    first = copy.deepcopy(NATIVE[0])
    second = copy.deepcopy(first)
    second["userIdentity"].update(
        principalId="AROAAPPEXAMPLE:other",
        arn="arn:aws:sts::111111111111:assumed-role/app/other",
        accessKeyId="ASIAEXAMPLEOTHER0001",
    )
    event, two = cloudtrail.read(first), cloudtrail.read(second)
    assert key_of_event(event) == key_of_event(two)
    assert (event.session, two.session) == ("ASIAEXAMPLESESSION01", "ASIAEXAMPLEOTHER0001")


def test_a_machine_s_session_outside_aws_is_told() -> None:
    """EC2 says that it handed the session to a machine; a client cannot write that."""
    identity_day = next(
        sample["record"] for sample in GOOD if "sessionContext" in sample["record"].get("userIdentity", "")
    )
    delivered = copy.deepcopy(identity_day)
    delivered["userIdentity"]["sessionContext"]["ec2RoleDelivery"] = "2.0"
    delivered["userIdentity"].pop("invokedBy", None)
    for address, outside in (("77.116.20.4", True), ("52.95.110.1", False), ("10.0.0.9", False), ("192.0.2.1", False)):
        event = cloudtrail.read({**delivered, "sourceIPAddress": address})
        assert ("instance_outside" in event.traits) == outside, address
        plain = {**identity_day, "sourceIPAddress": address}
        assert "instance_outside" not in cloudtrail.read(plain).traits


def test_the_time_that_logstash_moved_to_the_envelope_is_the_record_s() -> None:
    """Its codec for CloudTrail takes `eventTime` away; the same record in EventBridge's frame, and in Splunk's."""
    native = next(sample["record"] for sample in GOOD if "eventTime" in sample["record"])
    record = {**native}
    time = record.pop("eventTime")
    for moved in (
        {**record, "@timestamp": time, "@version": "1"},
        {"detail": record, "@timestamp": time},
        {"_raw": json.dumps({**record, "@timestamp": time}), "_time": "0"},
    ):
        assert cloudtrail.claims(moved)
        assert cloudtrail.read(moved) == cloudtrail.read(native)
    with pytest.raises(RejectError, match="eventTime is missing"):
        cloudtrail.read(record)


def test_deep_nesting_inside_raw_is_rejected() -> None:
    assert outcome_of({"_raw": '{"eventName":' * 100_000}) in ("too_deep", "bad_json")


def real_records() -> Iterator[dict[str, Any]]:
    for path in sorted(shared_data("cloudtrail").rglob("*.*json")):
        text = path.read_text()
        if path.suffix == ".ndjson":
            yield from map(json.loads, text.splitlines())
        else:
            content = json.loads(text)
            yield from content["Records"] if isinstance(content, dict) else content
    for line in shared_data("rule-tests/panther/AWS_CloudTrail.ndjson").read_text().splitlines():
        yield json.loads(line)["log"]


def test_real_records_are_read_nearly_all_and_alike_in_every_shape() -> None:
    seen: Counter[str] = Counter()
    for record in real_records():
        outcome = outcome_of(record)
        seen[outcome if isinstance(outcome, str) else "parsed"] += 1
        if isinstance(outcome, Event):
            assert outcome == outcome_of(shapes.splunk_fields(record)) == outcome_of(shapes.splunk_raw(record))
            assert outcome == outcome_of(shapes.ecs_original(record))
    assert seen.pop("parsed") > 11_400
    assert set(seen) == {"no_time", "no_action", "bad_time"}
    assert sum(seen.values()) < 30


def test_a_digest_of_log_files_says_what_it_is() -> None:
    digest = {"awsAccountId": "111111111111", "digestEndTime": "2026-03-02T10:00:00Z", "digestS3Object": "AWSLogs/x"}
    assert cloudtrail.claims(digest)
    with pytest.raises(RejectError, match="digest of log files"):
        cloudtrail.read(digest)
