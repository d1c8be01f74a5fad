"""Other products' alerts: whom they name is the identity of that product's own log, and none counts twice."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from nhi_watch.core import registry
from nhi_watch.core.errors import OUT_OF_SCOPE
from nhi_watch.intake.batch import Intake

FOLDER = Path(__file__).parent / "data" / "sources"
SAMPLES = [json.loads(line) for line in (FOLDER / "alerts.jsonl").read_text(encoding="utf-8").splitlines()]
CALL = next(
    sample["record"]
    for sample in map(json.loads, (FOLDER / "cloudtrail.jsonl").read_text(encoding="utf-8").splitlines())
    if sample.get("case", "").startswith("a finding about a roles session")
)
"""By CloudTrail, of the role that samples are about."""


def sample(kind: str, shape: str = "native") -> dict[str, Any]:
    """The first sample whose action ends so."""
    samples = (s for s in SAMPLES if s["shape"] == shape and s.get("event", {}).get("action", "").endswith(kind))
    record: dict[str, Any] = next(samples)["record"]
    return record


def test_a_finding_that_two_products_tell_and_one_that_is_updated_count_once() -> None:
    finding = sample("MaliciousIPCaller.Custom")
    later = json.loads(json.dumps(finding))
    later["updatedAt"], later["service"]["eventLastSeen"] = "2026-03-02T12:18:40Z", "2026-03-02T12:00:01Z"
    asff = next(s["record"] for s in SAMPLES if s["shape"] == "native" and "ProductArn" in s["record"])
    grouping = Intake(registry.modules("nhi_watch.intake.sources"))
    grouping.feed([finding, later, asff, CALL], lambda index, error: pytest.fail(str(error)))
    assert (grouping.batch.parsed, grouping.batch.duplicates, grouping.batch.alerts) == (4, 2, 1)


def test_of_a_mixture_of_all_logs_each_record_goes_to_its_source_or_to_the_rejects() -> None:
    lines = [line for path in sorted(FOLDER.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    samples = [json.loads(line) for line in lines]
    random.Random(4).shuffle(samples)
    grouping = Intake(registry.modules("nhi_watch.intake.sources"))
    rejected: list[int] = []
    grouping.feed([s["record"] for s in samples], lambda index, error: rejected.append(index))
    assert rejected == [index for index, sample in enumerate(samples) if "event" not in sample]
    assert grouping.batch.parsed == len(samples) - len(rejected)


def test_alerts_of_the_siems_rules_and_our_own_do_not_come_back_as_what_they_are_about() -> None:
    role = "arn:aws:iam::111111111111:role/payments-api"
    copied = {"event.dataset": "aws.cloudtrail", "aws.cloudtrail.user_identity.arn": role, "event.action": "GetObject"}
    ours = {"data_stream": {"dataset": "nhi.alerts"}, "event": {"kind": "alert"}}
    grouping = Intake(registry.modules("nhi_watch.intake.sources"))
    grouping.feed([{**copied, "kibana.alert.uuid": "1"}, {"_source": {**copied, "kibana": {"alert": {}}}}, ours])
    assert grouping.batch.rejected == {"other_log": 3} and "other_log" in OUT_OF_SCOPE
