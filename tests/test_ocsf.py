"""OCSF: what a lake, Splunk or Elastic holds in it gives the Event of the native record; what is unknown is named."""

from __future__ import annotations

import copy
import importlib.util
import json
from pathlib import Path
from typing import Any, Union

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layout import ROOT
from need import library
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.hosts.elastic import read as elastic_read
from nhi_watch.hosts.files import reader
from nhi_watch.hosts.splunk import gather, rows
from nhi_watch.intake.batch import Intake, Sources
from nhi_watch.intake.schemas import ocsf, opened
from nhi_watch.intake.sources import cloudtrail, every
from nhi_watch_lab.evaluation.forms import EARLY, LATEST, SECOND, VERSIONS
from nhi_watch_lab.evaluation.forms import ocsf as mapped
from test_sources import JSON
from trees import changed, nodes

Tree = dict[str, Any]
SAMPLES = [json.loads(line) for line in (ROOT / "tests/data/sources/cloudtrail.jsonl").read_text("utf-8").splitlines()]
NATIVE = [s["record"] for s in SAMPLES if "event" in s and s["shape"] == "native" and "eventID" in s["record"]]
CALL = NATIVE[0]


def read(record: object) -> Union[Event, str]:
    try:
        native = opened(record)
        event: Event = Sources(every()).of(native).read(native)
    except RejectError as reject:
        return f"{reject.reason}: {reject.detail}"
    return event


# ---- CloudTrail, by the published mapping


@pytest.mark.parametrize("version", VERSIONS)
def test_cloudtrail_by_the_published_mapping_is_the_same_event(version: str) -> None:
    assert len(NATIVE) > 20
    for record in NATIVE:
        assert read(json.loads(json.dumps(mapped(record, version)))) == cloudtrail.read(record)


def pairs_of_a_parquet_map(event: Tree) -> Tree:
    return {**event, "unmapped": [[name, value] for name, value in event["unmapped"].items()]}


def splunk_raw(event: Tree) -> Tree:
    return {"_raw": json.dumps(event), "_time": "1", "sourcetype": "aws:asl"}


def flat(value: Any, at: str = "") -> Tree:
    """Field extraction, and Elastic's `fields`."""
    if not isinstance(value, dict):
        return {} if value is None or value == [] else {at: value}
    result = [flat(inner, f"{at}.{name}" if at else name) for name, inner in value.items()]
    return {name: leaf for leaves in result for name, leaf in leaves.items()}


def splunk_fields(event: Tree) -> Tree:
    fields = {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in flat(event).items()
    }
    return {**fields, "_time": "1"}


def elastic(event: Tree) -> Tree:
    return {
        "event": {"dataset": "amazon_security_lake.iam", "id": event["metadata"]["uid"]},
        "ocsf": {**event, "class_uid": str(event["class_uid"])},
    }


def elastic_original(event: Tree) -> Tree:
    return {"event": {"dataset": "amazon_security_lake.event", "original": json.dumps(event)}, "ocsf": {"class_uid": 1}}


def elastic_lean(event: Tree) -> Tree:
    """As the pipeline leaves it where duplicates are not kept: what ECS has a field for is there alone."""
    left = copy.deepcopy(event)
    kept: Tree = {}
    for path, field in ocsf._ECS.items():
        node: Any = left
        *steps, last = path.split(".")
        for step in steps:
            node = node.get(step, {})
        if last in node:
            kept[field] = node.pop(last)
    kept["@timestamp"] = f"{cloudtrail.read(CALL).time}000"
    return {**kept, "event.dataset": "amazon_security_lake.iam", "ocsf": left}


def elastic_fields(event: Tree) -> Tree:
    fields = {f"ocsf.{name}": [value] for name, value in flat(event).items()}
    return {"_index": "x", "fields": {**fields, "event.dataset": ["amazon_security_lake.iam"]}}


@pytest.mark.parametrize(
    "form", [pairs_of_a_parquet_map, splunk_raw, splunk_fields, elastic, elastic_original, elastic_lean, elastic_fields]
)
def test_every_host_s_form_is_the_same_event(form: Any) -> None:
    for version in VERSIONS:
        assert read(form(mapped(CALL, version))) == cloudtrail.read(CALL), version


def test_splunk_and_elastic_count_what_they_hold_in_it() -> None:
    events = [mapped(record, SECOND) for record in NATIVE]
    gatherer = gather.Gatherer()
    gatherer.feed(rows.write(["_raw"], [{"_raw": json.dumps(event)} for event in events]))
    intake = Intake(elastic_read.sources_of(elastic_read.SOURCES))
    hits = [elastic_read.Hit("i", "1", orjson.dumps(elastic(event))) for event in events]  # type: ignore[arg-type]
    refused: list[str] = []
    hits.append(elastic_read.Hit("i", "2", orjson.dumps(elastic({**events[0], "class_uid": 1}))))  # type: ignore[arg-type]
    elastic_read.feed(intake, hits, lambda hit, error: refused.append(error.reason))
    names = {cloudtrail.read(record).identity.id for record in NATIVE}
    assert {name for _, name in gatherer.parts} == names
    assert {name for day in intake.batch.values() for name in day} >= names
    assert refused == ["unknown_class"]


# ---- the other products


def event_of(product: str, kind: int, **fields: Any) -> Tree:
    about = {"uid": "u-1", "version": "1.3.0", "product": {"name": product, "vendor_name": "V"}}
    return {"class_uid": kind, "metadata": about, "time": 1772445600000, **fields}


def test_eks_is_read_by_its_own_source() -> None:
    ip = {"ip": "198.51.100.7"}
    pod = read(
        event_of(
            "Amazon EKS",
            6003,
            api={"operation": "create", "request": {"uid": "a-1"}, "response": {"code": 403}},
            actor={"user": {"name": "system:serviceaccount:shop:api", "uid": "k-1"}},
            src_endpoint=ip,
            http_request={"url": {"path": "/api/v1/namespaces/shop/pods/web/exec"}, "user_agent": "kubectl/v1"},
            resources=[{"name": "web", "namespace": "shop", "type": "podsexec"}],
            message="ResponseComplete",
        )
    )
    assert isinstance(pod, Event)
    assert (pod.action, pod.outcome, pod.target) == ("k8s:pods.exec.create", "denied", "shop/web")


def finding(kind: int = 2004, product: str = "Guard", **fields: Any) -> Tree:
    info = {"uid": "f-1", "title": "A key was used oddly", "types": ["TTPs/Odd"], "last_seen_time": 1772445000000}
    return event_of(
        product,
        kind,
        severity="High",
        cloud={"provider": "AWS", "account": {"uid": "111111111111"}},
        finding_info=info,
        **fields,
    )


def test_findings_of_any_product_are_alerts_of_whom_they_name() -> None:
    user = {"type": "AssumedRole", "uid_alt": "AROAEXAMPLE:i-1", "name": "app", "credential_uid": "ASIAEXAMPLEEXAMPLE"}
    call = {"operation": "GetObject", "service": {"name": "s3.amazonaws.com"}}
    ours = finding(evidences=[{"actor": {"user": user}, "src_endpoint": {"ip": "198.51.100.7"}, "api": call}])
    for kind, fields in ((2004, ours), (2001, {**ours, "finding": ours["finding_info"], "finding_info": None})):
        event = read({**fields, "class_uid": kind})
        assert isinstance(event, Event)
        assert (event.identity.id, event.action) == ("aws:111111111111:role:AROAEXAMPLE", "alert:Guard/TTPs/Odd")
        assert (event.traits, event.time, event.record_id) == (("alert", "alert_high"), 1772445000, "f-1")
        assert (event.session, event.target, event.address) == ("ASIAEXAMPLEEXAMPLE", "s3:GetObject", "198.51.100.7")


def test_a_finding_that_names_its_actor_among_observables_alone_is_read() -> None:
    arn = "arn:aws:iam::111111111111:role/app"
    event = read(finding(observables=[{"name": "resource", "type_id": 10, "value": arn}]))
    assert isinstance(event, Event) and event.identity.name == arn


def test_findings_that_are_none_of_ours_say_why() -> None:
    assert str(read(finding(resources=[{"uid": "i-1"}]))).startswith("no_identity")
    assert str(read(finding(status="Suppressed", user={"name": "app"}))).startswith("closed")
    assert str(read(finding(product="nhi_watch", user={"name": "app"}))).startswith("own_notable")


def test_raw_data_is_the_record_where_it_holds_one() -> None:
    event = event_of("A lake of our own", 6003, raw_data=json.dumps(CALL))
    assert read(event) == read({**event, "raw_data": CALL}) == cloudtrail.read(CALL)
    assert str(read({**event, "raw_data": "CEF:0|x"})).startswith("unknown_product")


# ---- what is unknown


@pytest.mark.parametrize(
    ("change", "reason", "near"),
    [
        ({"class_uid": 4001, "class_name": "Network Activity"}, "unknown_class", "4001 (Network Activity)"),
        ({"class_uid": 3005}, "unknown_class", "3004 Entity Management"),
        ({"class_uid": "x"}, "unknown_class", "class x (API Activity)"),
        ({"class_uid": 6001}, "unknown_class", "is not read; read are 6003 API Activity"),
        ({"metadata": {"version": "1.6.0"}}, "unknown_version", "nearest that is: 1.5.0"),
        ({"metadata": {"version": "1.5.0", "product": {"name": "CloudTrial"}}}, "unknown_product", "is: cloudtrail"),
        ({"metadata": None}, "unknown_envelope", "metadata.version"),
        ({"api": None}, "no_action", "api.operation"),
        ({"time": None}, "no_time", "time"),
    ],
)
def test_what_is_unknown_is_refused_by_name_with_what_is_near(change: Tree, reason: str, near: str) -> None:
    event = {**mapped(CALL, LATEST), **change}
    if reason == "no_action":
        event["metadata"] = {**event["metadata"], "event_code": ""}
    text = str(read(event))
    assert text.startswith(reason) and near in text


def test_api_activity_had_another_number_before_1_0() -> None:
    event = mapped(CALL, EARLY)
    assert event["class_uid"] == 3005 and read(event) == cloudtrail.read(CALL)


def test_what_a_client_writes_into_a_record_does_not_make_it_ocsf() -> None:
    record = {**CALL, "userAgent": '"class_uid": 6003', "requestParameters": {"class_uid": 6003, "ocsf": {}}}
    for row in (record, splunk_raw(record)):
        assert opened(row) is row


@given(st.sampled_from(VERSIONS), st.data(), JSON)
def test_a_damaged_event_is_an_event_or_a_reject(version: str, data: st.DataObject, value: object) -> None:
    event = mapped(NATIVE[data.draw(st.integers(0, len(NATIVE) - 1))], version)
    event = changed(event, data.draw(st.sampled_from([at for at, _ in nodes(event)])), value)
    assert isinstance(read(event), (Event, str))


# ---- Parquet


def test_a_parquet_file_of_security_lake_is_read_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    pyarrow = library("pyarrow")
    parquet = library("pyarrow.parquet")
    events = [mapped(record, SECOND) for record in NATIVE]
    columns = {name: None for event in events for name in event}
    kept = [{**columns, **event, "unmapped": list(event["unmapped"].items()), "resources": None} for event in events]
    schema = pyarrow.Table.from_pylist(kept).schema
    at = schema.get_field_index("unmapped")
    texts = pyarrow.map_(pyarrow.string(), pyarrow.string())
    table = pyarrow.Table.from_pylist(kept, schema.set(at, pyarrow.field("unmapped", texts)))
    path = tmp_path / "lake" / "a.gz.parquet"
    path.parent.mkdir()
    parquet.write_table(table, path, compression="gzip")
    steps: list[int] = []
    batches = list(reader.read([str(path.parent)], steps.append))
    read_events = [read(record) for batch in batches for record in batch.records]
    assert read_events == [read({**event, "resources": None}) for event in events] and Event is type(read_events[0])
    assert sum(steps) == path.stat().st_size and batches[0].raw(0).startswith(b"{")
    path.write_bytes(path.read_bytes()[:-40])
    assert [piece.reason for batch in reader.read([str(path)]) for piece in batch.bad] == ["corrupt_parquet"]


@pytest.mark.parametrize(("kind", "number"), [("timestamp[us]", 2**62), ("date32", 2**31 - 1)])
def test_a_date_beyond_all_calendars_is_told(tmp_path: Path, kind: str, number: int) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    dates = pyarrow.array([number], pyarrow.type_for_alias(kind))
    parquet.write_table(pyarrow.table({"a": dates}), tmp_path / "a")
    assert [piece.reason for batch in reader.read([str(tmp_path)]) for piece in batch.bad] == ["corrupt_parquet"]


def test_a_parquet_file_that_names_one_long_value_in_each_row_is_read_in_small_parts(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    long = "x" * 1_000_000
    rows = [{"a": long, "b": {"c": [long], "d": [("k", "v")]}}] * 40 + [{"a": "y", "b": {"c": [long] * 99, "d": []}}]
    kinds = {"c": pyarrow.list_(pyarrow.string()), "d": pyarrow.map_(pyarrow.string(), pyarrow.string())}
    kind = pyarrow.schema({"a": pyarrow.string(), "b": pyarrow.struct(list(kinds.items()))})
    parquet.write_table(pyarrow.Table.from_pylist(rows, kind), path := tmp_path / "a", compression="zstd")
    batches = list(reader.read([str(path)]))
    assert path.stat().st_size < 4_000
    assert max(sum(map(len, batch.pieces or ())) for batch in batches) < 18_000_000
    records: list[Any] = [record for batch in batches for record in batch.records]
    assert [(item["a"] == long, len(item["b"]["c"])) for item in records] == [(True, 1)] * 40
    assert [(piece.reason, piece.line) for batch in batches for piece in batch.bad] == [("line_too_long", 41)]


def test_a_parquet_file_that_claims_more_than_any_log_holds_is_refused_by_name(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    bombs = {
        "rows": pyarrow.nulls(6_000_000, pyarrow.string()),
        "bytes": ["x" * 300_000_000],
        "width": pyarrow.array([b"x" * 100_000], pyarrow.binary(100_000)),
    }
    for name, column in bombs.items():
        parquet.write_table(pyarrow.table({"a": column}), tmp_path / name, compression="zstd")
        (batch,) = reader.read([str(tmp_path / name)])
        ((piece,), records) = batch.bad, batch.records
        assert (piece.reason, records) == ("corrupt_parquet", []) and "more than any log does" in piece.detail


def test_texts_of_every_kind_come_out_of_parquet_as_they_went_in(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    text = pyarrow.string()
    kinds = [text, pyarrow.large_string(), pyarrow.string_view(), pyarrow.list_(text, 1), pyarrow.large_list(text)]
    values: list[Any] = ["a", "a", "a", ["a"], ["a"]]
    columns = {str(n): pyarrow.array([value, None], kind) for n, (value, kind) in enumerate(zip(values, kinds))}
    parquet.write_table(pyarrow.table(columns), tmp_path / "a")
    records = [record for batch in reader.read([str(tmp_path)]) for record in batch.records]
    assert records == [{str(n): value for n, value in enumerate(values)}, {str(n): None for n in range(len(values))}]


def test_without_pyarrow_a_parquet_file_is_named_with_the_remedy(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1\x15\x04")
    pieces = [(piece.reason, piece.detail) for batch in reader.read([str(path)]) for piece in batch.bad]
    assert [reason for reason, _ in pieces] == ["binary_file"] and "install pyarrow" in pieces[0][1]
    assert [passed.may_matter for batch in reader.read([str(tmp_path)]) for passed in batch.passed] == [True]
