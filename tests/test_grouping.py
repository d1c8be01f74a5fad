"""Lines, and the same records in CloudTrail's own envelope, make the same IdentityDays, however hostile they are."""

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

from core_samples import Going, plain
from need import shared_data
from nhi_watch.core import behaviour
from nhi_watch.core.errors import RejectError
from nhi_watch.detect import session as going_module
from nhi_watch.hosts.files import reader
from nhi_watch.intake.batch import Intake
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.simulator import Spec, Tenant


class Grouped(NamedTuple):
    """What reading made of a file."""

    days: dict[int, dict[str, list[Any]]]
    parsed: int
    duplicates: int
    rejected: list[tuple[int, str]]


def grouped(path: Path) -> Grouped:
    intake = Intake([cloudtrail])
    rejected: list[tuple[int, str]] = []
    for batch in reader.read([str(path)]):
        rejected += [(piece.line, piece.reason) for piece in batch.bad]
        intake.feed(batch.records, refuse(batch, rejected))
    days = {
        day: {name: behaviour.to_row(identity_day) for name, identity_day in sorted(identity_days.items())}
        for day, identity_days in sorted(intake.batch.items())
    }
    return Grouped(days, intake.batch.parsed, intake.batch.duplicates, sorted(rejected))


def refuse(batch: reader.Batch, rejected: list[tuple[int, str]]) -> Callable[[int, RejectError], None]:
    return lambda index, error: rejected.append((batch.where(index).line, error.reason))


def of_lines(folder: Path, lines: Sequence[bytes]) -> Grouped:
    """What a file makes of two ordinary lines, which are surely one record each, and of these."""
    path = folder / "log.ndjson"
    path.write_bytes(b"\n".join([orjson.dumps(ORDINARY), orjson.dumps(ORDINARY), *lines]) + b"\n")
    return grouped(path)


def same(folder: Path, lines: Sequence[bytes]) -> Grouped:
    """What lines make, and the same records in an envelope as well."""
    text = of_lines(folder, lines)
    path = folder / "log.json"
    path.write_bytes(b'{"Records":[' + b",".join([orjson.dumps(ORDINARY), orjson.dumps(ORDINARY), *lines]) + b"]}")
    assert grouped(path) == text
    return text


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


def test_records_that_come_twice_are_counted_once(tmp_path: Path) -> None:
    records = [orjson.dumps(record) for record in simulated(1, 4)]
    twice = same(tmp_path, records * 2)
    assert twice.duplicates == len(records) + 1
    assert twice.days == same(tmp_path, records).days


def test_a_known_id_over_another_call_or_hour_is_counted_once(tmp_path: Path) -> None:
    """Copies are the second ordinary one and the three that come again; in another region it is another call."""
    others = [{"eventTime": "2025-03-03T11:00:00Z"}, {"awsRegion": "us-east-1"}, {"eventName": "PutObject"}]
    fresh = [{**other, "eventID": f"new-{n}"} for n, other in enumerate(others)]
    result = same(tmp_path, [orjson.dumps({**ORDINARY, **other}) for other in [*fresh, *others, *fresh]])
    assert (result.parsed, result.duplicates) == (11, 4)


def test_a_real_log_comes_out_alike_however_it_is_cut(tmp_path: Path) -> None:
    lines = shared_data("cloudtrail/grycap.ndjson").read_bytes().splitlines()
    grouped = same(tmp_path, lines)
    assert grouped.parsed == len(lines) + 2
    assert same(tmp_path, lines[::-1]).days == grouped.days


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
    ("recipientAccountId",), ("vpcEndpointId",), ("vpcEndpointAccountId",), ("sessionCredentialFromConsole",),
    ("_raw",), ("aws",),
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
    record: dict[str, Any] = json.loads(json.dumps(base or ORDINARY))
    node = record
    for step in path[:-1]:
        inner = node.get(step)
        node[step] = node = inner if isinstance(inner, dict) else {}
    node[path[-1]] = value
    return record


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
    same(tmp_path_factory.mktemp("log"), lines)


def line_with(text: str) -> bytes:
    """An ordinary line with raw text as the value of a field that nobody reads."""
    return orjson.dumps({**ORDINARY, "eventID": "other"})[:-1] + b',"extra":' + text.encode() + b"}"


BROKEN = ["1e", "01", ".5", "NaN", "Infinity", "nul", '"\\x"', '"\t"', '"a', "[1,]", "{", '{"a"}', "1 2"]


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_json_in_a_field_that_nobody_reads_is_rejected(tmp_path: Path, text: str) -> None:
    assert of_lines(tmp_path, [line_with(text)]).rejected == [(3, "not_json")]


ODD = ["1e999", "-1e999", "0.0", "-0", '"\\ud800"', '"\\u0000"', '"\\ud83d\\ude00"', "[" * 900 + "]" * 900]


@pytest.mark.parametrize("text", ODD)
def test_odd_json_in_a_field_that_nobody_reads_is_accepted(tmp_path: Path, text: str) -> None:
    result = same(tmp_path, [line_with(text)])
    assert (result.parsed, result.rejected) == (3, [])


def test_bytes_that_are_no_utf8_in_a_field_that_nobody_reads_are_rejected(tmp_path: Path) -> None:
    assert of_lines(tmp_path, [line_with('"x"').replace(b'"x"', b'"\xff"')]).rejected == [(3, "invalid_utf8")]


def test_a_field_that_comes_twice_counts_as_the_last_one_says(tmp_path: Path) -> None:
    again = orjson.dumps(ORDINARY)[:-1] + b',"eventID":"z","awsRegion":"us-west-2","userIdentity":{"type":"Root"}}'
    assert len(same(tmp_path, [again, again]).days[20150]) == 2


def test_what_is_rejected_is_told_by_its_line(tmp_path: Path) -> None:
    lines = [orjson.dumps(ORDINARY), b"", b"{", orjson.dumps(changed(("eventTime",), "never"))]
    assert of_lines(tmp_path, lines).rejected == [(5, "not_json"), (6, "bad_time")]


def scored(paths: list[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The notables and the state that a run over files leaves."""
    store = MemoryStore()
    going = Going(store, [cloudtrail])
    for batch in reader.read(paths):
        going.feed(batch.records)
    notables = [
        {**n, "revision": 1, "revisions": [{**revision, "revision": 1} for revision in n["revisions"]]}
        for n in going.finish().notables
    ]
    result = [(table, key, row) for table in ("day", "delta") for key, row in store.scan(table, "", "~")]
    return notables, {f"{table}/{key}": plain(table, row) for table, key, row in result}


@pytest.mark.parametrize("backwards", [False, True])
def test_settling_days_while_reading_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backwards: bool
) -> None:
    paths = []
    for day in Tenant(Spec(days=5, machines=12, seed=6, campaigns=3, quiet_days=0)).days():
        path = tmp_path / f"{day.date}.ndjson"
        path.write_bytes(b"".join(orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in day.records))
        paths.append(str(path))
    expected = scored(paths)
    monkeypatch.setattr(going_module, "MAX_BUFFERED", 200)
    assert scored(paths[::-1] if backwards else paths) == expected
    assert expected[0]
