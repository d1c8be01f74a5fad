"""Every source: its samples are read as expected, whatever their shape; nobody claims another's; no exceptions.

Samples: tests/data/sources/<NAME>.jsonl, one object a line: `shape`, `group`, `record`, and either `event`, the
expected fields (`identity.id`, `action`…), or `reject`, the reason. Samples of one group give the same Event.
A sample of shape `case` shows one rule of the source, named in `case`; docs/sources.csv makes nothing of it.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from types import ModuleType
from typing import Any, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nhi_watch.context import actions
from nhi_watch.core import registry
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.batch import Intake, Sources, kept_apart
from nhi_watch.intake.horizon import day_received
from nhi_watch.intake.schemas import opened
from trees import changed, nodes

FOLDER = Path(__file__).parent / "data" / "sources"
SOURCES = registry.modules("nhi_watch.intake.sources")
Sample = dict[str, Any]


def samples_of(source: ModuleType) -> list[Sample]:
    path = FOLDER / f"{source.NAME}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


SAMPLES = [(source, sample) for source in SOURCES for sample in samples_of(source)]
GOOD = [(source, sample) for source, sample in SAMPLES if "event" in sample]
each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.NAME)
SECRETS = ("madeUpSecret", "madeUpKey", "ghp_", "MADE UP", "ci:pw@", "hunter2", "secret plan", "s0m3t0k3n")
"""Parts of every secret, prompt and answer that samples hold."""


def outcome_of(source: ModuleType, record: object) -> Union[Event, str]:
    try:
        return source.read(record)  # type: ignore[no-any-return]
    except RejectError as reject:
        return reject.reason


def field(event: Event, name: str) -> object:
    value: object = event
    for step in name.split("."):
        value = getattr(value, step)
    return list(value) if isinstance(value, tuple) else value


@each_source
def test_source_offers_what_the_contract_says(source: ModuleType) -> None:
    assert source.__name__.rpartition(".")[2] == source.NAME
    assert all(isinstance(t, str) for t in (*source.SPLUNK_SOURCETYPES, *source.ELASTIC_INDICES))
    assert isinstance(source.SPLUNK_SOURCETYPES, tuple) and isinstance(source.ELASTIC_INDICES, tuple)
    assert len(source.__doc__ or "") > 100, "its docstring says what it reads, what was decided, and why it rejects"
    assert any("event" in sample for sample in samples_of(source)), f"needs samples: {source.NAME}.jsonl"


@each_source
def test_samples_are_read_as_expected(source: ModuleType) -> None:
    for number, sample in enumerate(samples_of(source), 1):
        result = outcome_of(source, sample["record"])
        if isinstance(result, str):
            assert (number, result) == (number, sample.get("reject"))
        else:
            fields = {name: field(result, name) for name in sample["event"]}
            assert (number, fields) == (number, sample["event"])


@each_source
def test_no_secret_of_a_sample_is_in_its_event(source: ModuleType) -> None:
    for number, sample in enumerate(samples_of(source), 1):
        text = json.dumps(outcome_of(source, sample["record"]))
        assert (number, [secret for secret in SECRETS if secret in text]) == (number, [])


@each_source
def test_events_are_well_formed(source: ModuleType) -> None:
    for sample in samples_of(source):
        event = outcome_of(source, sample["record"])
        if isinstance(event, str):
            continue
        assert event.access in actions.LEVELS
        assert event.outcome in ("success", "denied", "failure")
        assert event.action.startswith(event.service + ":")
        assert event.identity.id.startswith(event.identity.provider + ":")
        assert event.traits == tuple(sorted(set(event.traits)))
        assert event.record_id and event.account == event.account.strip()
        assert all(isinstance(v, str) for v in (*event[3:17], event.issued, event.record_id)[2:])


@each_source
def test_all_shapes_of_a_sample_give_the_same_event(source: ModuleType) -> None:
    groups: dict[int, set[Event]] = {}
    shapes: dict[int, set[str]] = {}
    for sample in samples_of(source):
        if "event" in sample:
            groups.setdefault(sample["group"], set()).add(source.read(sample["record"]))
            shapes.setdefault(sample["group"], set()).add(sample["shape"])
    assert {group: events for group, events in groups.items() if len(events) != 1} == {}
    assert not shapes or max(map(len, shapes.values())) >= 3, "one group needs a native, a Splunk and an ECS sample"


@each_source
def test_a_source_claims_its_own_samples_and_nobody_elses(source: ModuleType) -> None:
    wrong = [
        (other.NAME, sample["shape"], sample["group"])
        for other, sample in GOOD
        if source.claims(sample["record"]) is not (other is source)
    ]
    assert wrong == []


CLOAK = "WARN [org.keycloak.events] (task-2) type=LOGIN_ERROR, realmId=main, clientId=shop, error=x, username=ann"
ASKED = {"data": {"client_id": "c", "date": "2026-03-02T10:00:01Z", "type": "s"}, "log_id": "1"}
TEXTS: list[dict[str, Any]] = [
    {"eventName": "x", "userAgent": CLOAK},
    {"eventSource": "lambda.amazonaws.com", "eventName": "Invoke", "requestParameters": ASKED},
]
OTHERS: list[tuple[str, dict[str, Any]]] = [
    *(("directories", {"_raw": json.dumps(text)}) for text in TEXTS),
    ("azure", {"category": "AuditEvent", "operationName": "x", "resourceId": "/providers/microsoft.batch/a"}),
    ("entra", {"category": "UserRiskEvents", "properties": {"id": "r", "riskEventType": "leakedCredentials"}}),
    ("kubernetes", {"kind": "Event", "apiVersion": "v1", "involvedObject": {}, "reason": "Pulled"}),
]
"""Records that look like a source's and are none of its: words of a client, another log of the product."""


@pytest.mark.parametrize(("name", "record"), OTHERS)
def test_what_only_looks_like_a_sources_record_is_not_claimed(name: str, record: dict[str, Any]) -> None:
    (source,) = [source for source in SOURCES if name == source.NAME]
    assert not source.claims(record)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(SOURCES), JSON)
def test_any_json_is_an_event_or_a_reject(source: ModuleType, value: object) -> None:
    assert isinstance(outcome_of(source, value), (Event, str))
    assert source.claims(value) in (True, False)


@settings(max_examples=400)
@given(st.sampled_from(GOOD), st.data(), JSON)
def test_a_record_with_one_value_replaced_is_an_event_or_a_reject(
    pair: tuple[ModuleType, Sample], data: st.DataObject, value: object
) -> None:
    source, sample = pair
    record = changed(sample["record"], data.draw(st.sampled_from([at for at, _ in nodes(sample["record"])])), value)
    assert isinstance(outcome_of(source, record), (Event, str))
    assert source.claims(record) in (True, False)


@given(st.sampled_from(GOOD), st.data())
def test_a_record_that_lacks_a_value_is_an_event_or_a_reject(
    pair: tuple[ModuleType, Sample], data: st.DataObject
) -> None:
    source, sample = pair
    record = copy.deepcopy(sample["record"])
    *steps, last = data.draw(st.sampled_from([at for at, _ in nodes(record)]))
    node = record
    for step in steps:
        node = node[step]
    del node[last]
    assert isinstance(outcome_of(source, record), (Event, str))


NATIVE = {
    source: sample["record"]
    for source, sample in GOOD
    if sample["shape"] == "native" and "_raw" not in sample["record"] and source.claims(sample["record"])
}
"""Of each source one record as its product writes it."""


@pytest.mark.parametrize("source", NATIVE, ids=lambda source: source.NAME)
def test_no_word_that_a_client_writes_gives_a_text_to_another_source(source: ModuleType) -> None:
    for other, theirs in NATIVE.items():
        hostile = {**NATIVE[source], "requestObject": {"x": theirs}}
        sources = Sources(list(NATIVE))
        sources.of(theirs)  # it is asked first from here on
        chosen = sources.of({"_raw": json.dumps(hostile, separators=(",", ":")), "_time": "1"})
        assert chosen is source, other.NAME


def test_what_is_fed_counts_as_what_is_read_one_by_one() -> None:
    """The quick way of records that are as their product wrote them leaves out nothing of the full one."""
    sources, records = Sources(SOURCES), [sample["record"] for _, sample in SAMPLES]
    slow: list[object] = []
    for record in records:
        try:
            slow.append(sources.of(opened(record)).read(opened(record)))
        except RejectError as reject:
            slow.append(reject.reason)
    fed: list[object] = [None] * len(records)
    Intake(SOURCES).feed(
        records,
        lambda index, reject: fed.__setitem__(index, reject.reason),
        lambda index, event: fed.__setitem__(index, event),
    )
    assert fed == slow
    apart = [r for r in records if isinstance(r, dict) and (opened(r) is not r or day_received(r) is not None)]
    assert apart and not any(map(kept_apart().isdisjoint, apart))
