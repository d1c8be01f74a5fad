"""The fast lane and the long way make the same IdentityDays of the same lines, however hostile these are."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_samples import plain
from need import need
from nhi_watch.core import behaviour
from nhi_watch.core.errors import RejectError
from nhi_watch.detect import judge as pipeline_module
from nhi_watch.detect import model
from nhi_watch.detect.judge import Pipeline
from nhi_watch.hosts.files import reader
from nhi_watch.hosts.files.reader import lane
from nhi_watch.hosts.files.reader.lane import Lane
from nhi_watch.intake.days import Grouping
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.memory import MemoryStore
from nhi_watch.state.state import State
from nhi_watch_lab.simulator import Spec, Tenant

SHARED = Path(__file__).parents[1].parent / "shared" / "data" / "cloudtrail"


class Grouped(NamedTuple):
    """What reading made of a file."""

    days: dict[int, dict[str, list[Any]]]
    parsed: int
    duplicates: int
    rejected: list[tuple[int, str]]
    left: int
    """Records that the lane did not take."""


def grouped(path: Path, fast: bool) -> Grouped:
    grouping = Grouping([cloudtrail])
    rejected: list[tuple[int, str]] = []
    left = 0
    for batch in reader.read([str(path)], None, Lane(grouping).take if fast else None):
        rejected += [(piece.line, piece.reason) for piece in batch.bad]
        left += len(batch.records)
        grouping.feed(batch.records, refuse(batch, rejected))
    days = {
        day: {name: behaviour.to_row(whole) for name, whole in sorted(wholes.items())}
        for day, wholes in sorted(grouping.days.items())
    }
    return Grouped(days, grouping.parsed, grouping.duplicates, sorted(rejected), left)


def refuse(batch: reader.Batch, rejected: list[tuple[int, str]]) -> Callable[[int, RejectError], None]:
    return lambda index, error: rejected.append((batch.where(index).line, error.reason))


def both(folder: Path, lines: Sequence[bytes]) -> tuple[Grouped, Grouped]:
    path = folder / "log.ndjson"
    # two lines that are surely one record each: else a single line may be taken for a document
    path.write_bytes(b"\n".join([orjson.dumps(ORDINARY), orjson.dumps(ORDINARY), *lines]) + b"\n")
    return grouped(path, fast=True), grouped(path, fast=False)


def same(folder: Path, lines: Sequence[bytes]) -> Grouped:
    fast, long = both(folder, lines)
    assert fast._replace(left=0) == long._replace(left=0)
    return fast


def simulated(days: int, seed: int) -> Iterator[dict[str, Any]]:
    for day in Tenant(Spec(days=days, machines=30, seed=seed, campaigns=4, quiet_days=0)).days():
        yield from day.records


ORDINARY: dict[str, Any] = {
    "eventVersion": "1.08",
    "userIdentity": {
        "type": "AssumedRole", "principalId": "AROAEXAMPLE:s1",
        "arn": "arn:aws:sts::111111111111:assumed-role/payments/s1", "accountId": "111111111111",
        "accessKeyId": "ASIAEXAMPLE1",
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "principalId": "AROAEXAMPLE", "userName": "payments",
                              "arn": "arn:aws:iam::111111111111:role/payments", "accountId": "111111111111"},
            "attributes": {"creationDate": "2025-03-03T10:00:00Z", "mfaAuthenticated": "false"},
        },
    },
    "eventTime": "2025-03-03T10:11:12Z", "eventSource": "s3.amazonaws.com", "eventName": "GetObject",
    "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.7", "userAgent": "Boto3/1.34",
    "requestParameters": {"bucketName": "invoices", "key": "a"}, "responseElements": None,
    "eventID": "b48a1176-b284-dffb-4e56-377f71bbead6", "readOnly": True,
    "resources": [{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::invoices", "accountId": "111111111111"}],
    "recipientAccountId": "111111111111",
}  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_simulated_days_come_out_alike_in_any_order(tmp_path: Path, seed: int) -> None:
    records = [orjson.dumps(record) for record in simulated(3, seed)]
    sorted_ = same(tmp_path, records)
    random.Random(seed).shuffle(records)
    shuffled = same(tmp_path, records)
    assert sorted_.days == shuffled.days
    assert sorted_.left < 0.1 * sorted_.parsed


def test_more_shapes_than_are_remembered_come_out_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "SLOTS", 7)
    monkeypatch.setattr(lane, "ACTORS", 3)
    records = [orjson.dumps(record) for record in simulated(1, 3)]
    assert same(tmp_path, records).parsed == len(records) + 2


def test_records_that_come_twice_are_counted_once(tmp_path: Path) -> None:
    records = [orjson.dumps(record) for record in simulated(1, 4)]
    twice = same(tmp_path, records * 2)
    assert twice.duplicates == len(records) + 1
    assert twice.days == same(tmp_path, records).days


def test_a_known_id_in_another_shape_or_hour_makes_no_behaviour(tmp_path: Path) -> None:
    others = [{"eventTime": "2025-03-03T11:00:00Z"}, {"awsRegion": "us-east-1"}, {"eventName": "PutObject"}]
    fresh = [{**other, "eventID": f"new-{n}"} for n, other in enumerate(others)]
    result = same(tmp_path, [orjson.dumps({**ORDINARY, **other}) for other in [*fresh, *others, *fresh]])
    assert (result.parsed, result.duplicates) == (11, 7)


@pytest.mark.parametrize("name", ["grycap.ndjson"])
def test_real_logs_come_out_alike(name: str) -> None:
    need((SHARED / name).exists(), f"shared data: {name}")
    fast, long = (grouped(SHARED / name, fast) for fast in (True, False))
    assert fast._replace(left=0) == long._replace(left=0)


RUBBISH: list[Any] = [
    None, True, False, 0, 1, -1.5, "", "x", "ASIAX", "true", [], ["x"], ["x", 1], [None], {}, {"a": 1}, "ü",
    "\ud83d\ude00", [{}], [{"ARN": "b", "accountId": "1"}, {"ARN": "a"}], [{"ARN": 1}, 5],
    {"items": [{"instanceId": "i-1"}, {}]}, {"items": [{"instanceId": None}]}, {"items": None}, "2025-03-03T10:11:12Z",
    "2025-03-03 10:11:12",
    "1999-01-01T00:00:00Z", "2025-13-03T10:11:12Z", "2025-03-03T10:11:60Z", "a" * 3000,
    "123456789012345678901234567890123456",
    "ConsoleLogin",
    "ec2.amazonaws.com", "ssm.amazonaws.com", "arn:aws:iam::1:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x_0",
    "FederatedUser", "AWSAccount",
]  # fmt: skip
PATHS = [
    ("eventTime",), ("eventSource",), ("eventName",), ("eventID",), ("awsRegion",), ("sourceIPAddress",),
    ("userAgent",), ("errorCode",), ("errorMessage",), ("requestParameters",), ("readOnly",), ("resources",),
    ("recipientAccountId",), ("vpcEndpointId",), ("sessionCredentialFromConsole",), ("Records",), ("_raw",), ("aws",),
    ("userIdentity",), *(("userIdentity", n) for n in ("type", "principalId", "arn", "accountId", "accessKeyId",
    "userName", "invokedBy", "identityProvider", "onBehalfOf", "sessionContext")),
    ("userIdentity", "sessionContext", "sessionIssuer"), ("userIdentity", "sessionContext", "attributes"),
    ("userIdentity", "sessionContext", "sessionIssuer", "arn"), ("userIdentity", "onBehalfOf", "userId"),
    ("userIdentity", "sessionContext", "sessionIssuer", "principalId"),
    ("userIdentity", "sessionContext", "attributes", "mfaAuthenticated"),
    ("requestParameters", "bucketName"), ("requestParameters", "instanceId"), ("requestParameters", "instancesSet"),
    ("requestParameters", "names"), ("requestParameters", "instancesSet.items{}.instanceId"),
]  # fmt: skip


def changed(path: tuple[str, ...], value: Any, base: Optional[dict[str, Any]] = None) -> dict[str, Any]:
    """An ordinary record with one value replaced."""
    whole: dict[str, Any] = json.loads(json.dumps(base or ORDINARY))
    node = whole
    for step in path[:-1]:
        inner = node.get(step)
        node[step] = node = inner if isinstance(inner, dict) else {}
    node[path[-1]] = value
    return whole


one_change = st.tuples(st.sampled_from(PATHS), st.sampled_from(RUBBISH))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(one_change, max_size=3), max_size=40), st.booleans())
def test_wrong_types_anywhere_come_out_alike(
    tmp_path_factory: pytest.TempPathFactory, records: list[list[tuple[tuple[str, ...], Any]]], fresh: bool
) -> None:
    lines = []
    for number, changes in enumerate(records):
        record: dict[str, Any] = {**ORDINARY, **({"eventID": f"id-{number}"} if fresh else {})}
        for path, value in changes:
            record = changed(path, value, record)
        own = record["eventID"]  # of different records with one id, the first one read counts
        if own and isinstance(own, str) and changes:
            record["eventID"] = f"{own[:24]}{number:012x}" if own == ORDINARY["eventID"] else f"{own} {number}"
        lines += [json.dumps(record).encode()] * 2
    same(tmp_path_factory.mktemp("lane"), lines)


def line_with(text: str) -> bytes:
    """An ordinary line with raw text as the value of a field that nobody reads."""
    return orjson.dumps({**ORDINARY, "eventID": "other"})[:-1] + b',"extra":' + text.encode() + b"}"


BROKEN = ["1e", "01", ".5", "NaN", "Infinity", "nul", '"\\x"', '"\\ud800"', '"\t"', '"a', "[1,]", "{", '{"a"}', "1 2"]


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_json_in_a_field_that_nobody_reads_is_rejected(tmp_path: Path, text: str) -> None:
    assert same(tmp_path, [line_with(text)]).rejected == [(3, "not_json")]


ODD = ["1e999", "-1e999", "0.0", "-0", '"\\u0000"', '"\\ud83d\\ude00"', "[" * 900 + "]" * 900]


@pytest.mark.parametrize("text", ODD)
def test_odd_json_in_a_field_that_nobody_reads_is_accepted(tmp_path: Path, text: str) -> None:
    result = same(tmp_path, [line_with(text)])
    assert (result.parsed, result.rejected) == (3, [])


def test_bytes_that_are_no_utf8_in_a_field_that_nobody_reads_are_rejected(tmp_path: Path) -> None:
    assert same(tmp_path, [line_with('"x"').replace(b'"x"', b'"\xff"')]).rejected == [(3, "invalid_utf8")]


def test_a_field_that_comes_twice_counts_as_the_last_one_says(tmp_path: Path) -> None:
    again = orjson.dumps(ORDINARY)[:-1] + b',"eventID":"z","awsRegion":"us-west-2","userIdentity":{"type":"Root"}}'
    assert len(same(tmp_path, [again, again]).days[20150]) == 2


KNOWN = (
    b'{"userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLE","accountId":"111111111111","userName":"ci"},'
    b'"eventTime":"2025-03-03T10:11:12Z","eventSource":"s3.amazonaws.com","eventName":"GetObject",'
    b'"awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.7","userAgent":"Boto3/1.34",'
    b'"requestParameters":{"bucketName":"a"},"eventID":"b48a1176-b284-dffb-4e56-377f71bb0000",'
    b'"readOnly":true,"recipientAccountId":"111111111111"}'
)
TWISTS = [
    (b'{"bucketName":"a"}', b'{"bucketName":"b"}'),
    (b'{"bucketName":"a"}', b'{"bucketName":"\xc3\xbc"}'),
    (b'{"bucketName":"a"}', b'{"bucketName":"\xff"}'),
    (b'{"bucketName":"a"}', b'{"bucketName":["b","a"]}'),
    (b'{"bucketName":"a"}', b'{"bucketName":"a"'),
    (b'{"bucketName":"a"}', b'{"bucketName":"a"}}'),
    (b'{"bucketName":"a"}', b'null'),
    (b'{"bucketName":"a"}', b'null,"errorCode":"AccessDenied"'),
    (b'{"bucketName":"a"}', b'null,"awsRegion":null'),
    (b'{"bucketName":"a"}', b'null,"userIdentity":{"type":"Root"}'),
    (b'{"bucketName":"a"}', b'null,"eventTime":"2025-03-04T10:11:12Z"'),
    (b'{"bucketName":"a"}', b'null,"requestParameters":{"bucketName":"c"}'),
    (b'{"bucketName":"a"}', b'{"deep":{"eventID":"b48a1176-b284-dffb-4e56-377f71bb0009","x":1}}'),
    (b'{"bucketName":"a"}', b'null,"Records":[]'),
    (b'"eventID":"b48a', b'"eventID":"\\u0062'),
    (b'"eventID":"b48a1176', b'"eventID":"\\"8a1176'),
    (b'"eventID":"b48a1176', b'"eventID":"b48a1\x0176'),
    (b'"eventID":"b48a1176-', b'"eventID":"b48a1176"'),
    (b'"eventID":', b'"eventID" :'),
    (b'10:11:12Z', b'10:11:60Z'),
    (b'10:11:12Z', b'10:11:12"'),
    (b'2025-03-03T10', b'2025-03-03T25'),
    (b'2025-03-03T10', b'2025-03-03T1\xc3'),
    (b'"type":"IAMUser"', b'"eventTime":"2025-03-03T10:11:12Z","type":"IAMUser"'),
    (b'"readOnly":true', b'"readOnly":true,"eventID":"b48a1176-b284-dffb-4e56-377f71bb0009"'),
    (b'"readOnly":true', b'"readOnly":true}'),
    (b'"readOnly":true,"recipientAccountId":"111111111111"}', b'"readOnly":true,"recipientAccountId":"111111111111"'),
    (b'{"userIdentity":{', b'["userIdentity",{'),
]  # fmt: skip


@pytest.mark.parametrize("old,new", TWISTS)
def test_a_line_that_is_nearly_a_known_one_is_read_for_what_it_is(tmp_path: Path, old: bytes, new: bytes) -> None:
    assert KNOWN.count(old) == 1
    lines = [KNOWN.replace(b"bb0000", b"bb%04x" % number) for number in range(400)]
    lines[300:] = [line.replace(old, new) for line in lines[300:]]
    fast, long = both(tmp_path, lines)
    assert fast._replace(left=0) == long._replace(left=0)


def test_lines_that_are_left_keep_their_numbers(tmp_path: Path) -> None:
    lines = [orjson.dumps(ORDINARY), b"", b"{", orjson.dumps(changed(("eventTime",), "never"))]
    assert same(tmp_path, lines).rejected == [(5, "not_json"), (6, "bad_time")]


def scored(paths: list[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The notables and the state that a run over files leaves."""
    store = MemoryStore()
    pipeline = Pipeline(State(store), model.load(), [cloudtrail])
    for batch in reader.read(paths, lambda count: pipeline.relieve(), Lane(pipeline.grouping).take):
        pipeline.feed(batch.records, lambda index, error: None)
    notables = [{**n, "revision": 1} for n in pipeline.finish().notables]
    found = [(table, key, row) for table in ("day", "delta") for key, row in store.scan(table, "", "~")]
    return notables, {f"{table}/{key}": plain(table, row) for table, key, row in found}


@pytest.mark.parametrize("backwards", [False, True])
def test_settling_days_while_reading_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backwards: bool
) -> None:
    paths = []
    for day in Tenant(Spec(days=5, machines=12, seed=6, campaigns=3, quiet_days=0)).days():
        path = tmp_path / f"{day.date}.ndjson"
        path.write_bytes(b"".join(orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in day.records))
        paths.append(str(path))
    whole = scored(paths)
    monkeypatch.setattr(pipeline_module, "HELD", 200)
    assert scored(paths[::-1] if backwards else paths) == whole
    assert whole[0]
