"""What of real logs and samples is read, by whom, in every shape; and nothing by the wrong source."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from need import SHARED, shared_data
from nhi_watch.core import registry
from nhi_watch.intake.batch import Intake
from nhi_watch.intake.sources import cloudtrail
from nhi_watch_lab.evaluation import reading
from nhi_watch_lab.evaluation.reading import MADE, Measured, door, known_pairs, measure, pairs

SOURCES = registry.modules("nhi_watch.intake.sources")
AS_GOOD = {
    ("gcp", "rule tests"): 0.94,
    ("github", "rule tests"): 0.97,
    ("okta", "rule tests"): 0.95,
}
"""Rule tests of which too little was kept to know what they are; everything else is at 99% or better."""


@pytest.fixture(scope="module")
def measured() -> Measured:
    shared_data("rule-tests/panther")
    return measure(SHARED / "data")


def samples(name: str) -> list[dict[str, Any]]:
    text = (reading.SAMPLES / f"{name}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_at_least_99_of_100_records_are_read_in_every_shape(measured: Measured) -> None:
    counts = measured.counts.items()
    assert {key: round(c.share, 3) for key, c in counts if c.share < AS_GOOD.get(key[:2], 0.99)} == {}
    assert sum(count.read for _, count in counts) > 60_000


def test_nothing_goes_to_a_wrong_source(measured: Measured) -> None:
    assert {key: count.elsewhere for key, count in measured.counts.items() if count.elsewhere} == {}
    wrong = {file for file, what in measured.strange.items() if any(name.startswith("read as") for name in what)}
    assert wrong == set()
    assert sum(sum(what.values()) for what in measured.strange.values()) > 400


def test_every_shape_of_a_real_record_gives_the_event_of_the_native_one(measured: Measured) -> None:
    mine = {key: count for key, count in measured.counts.items() if key[1] != MADE}
    assert {key: count.records - count.same for key, count in mine.items() if count.records != count.same} == {}


def test_every_source_and_shape_is_measured(measured: Measured) -> None:
    hosts: dict[str, set[str]] = {source.NAME: set() for source in SOURCES}
    for source, _, shape in measured.counts:
        hosts[source].add(shape.partition("_")[0])
    assert hosts.pop("cloudtrail") == {"native", "splunk", "ecs", "ocsf"}
    assert hosts == {name: {"native", "splunk", "ecs"} for name in hosts}


def test_published_pairs_of_ocsf_differ_in_what_is_listed_alone() -> None:
    differ = {name: differs for name, differs in pairs(shared_data("ocsf")).items() if differs}
    assert differ == {name: differs for name, (differs, why) in known_pairs().items() if why}


NOT_BY_RULE = {
    ("ai_agents", "splunk_fields"): 11,  # OTLP in lists; the HEC exporter has one field for each attribute
    ("workspace", "splunk_fields"): 2,  # lists of unequal length: extracted fields do not tell whose a value is
}
"""Samples of which the shape does not exist like that, or lost something; each is a sample in its true shape as well,
but for the last."""


def test_samples_put_into_other_shapes_by_rule_give_the_same_event() -> None:
    differ: Counter[tuple[str, str]] = Counter()
    compared: Counter[str] = Counter()
    for source in SOURCES:
        for sample in samples(source.NAME):
            if "event" in sample and sample["shape"].startswith("native"):
                event = source.read(sample["record"])
                for shape, record in reading.shaped(sample["record"], source.NAME, event):
                    compared[source.NAME] += 1
                    differ[source.NAME, shape] += door(record) != (source, event)
    assert +differ == NOT_BY_RULE
    assert min(compared.values()) >= 24 and len(compared) == len(SOURCES)


def test_what_no_source_knows_is_refused_with_a_reason_and_read_by_the_source_that_is_named() -> None:
    records = [{"a": 1}, [], {"_raw": "{x"}, {"eventSource": "s3.amazonaws.com", "eventTime": "2026-03-02T10:00:00Z"}]
    reasons: list[str] = []
    Intake(SOURCES).feed(records, lambda index, reject: reasons.append(reject.reason))
    assert reasons == ["unknown_source", "not_object", "bad_json", "unknown_source"]
    reasons.clear()
    Intake([cloudtrail]).feed(records[3:], lambda index, reject: reasons.append(reject.reason))
    assert reasons == ["no_action"]
