"""Tables with a header: Splunk's and Kibana's exports tell what the record told."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from nhi_watch.core.errors import RejectError
from nhi_watch.hosts.files import reader
from nhi_watch.intake.sources import cloudtrail, gcp
from nhi_watch_lab.evaluation.reading import read

SOURCES = Path(__file__).parent / "data" / "sources"

CALL = {
    "eventVersion": "1.11", "eventTime": "2026-03-02T10:00:00Z", "eventSource": "s3.amazonaws.com",
    "eventName": "ListBuckets", "awsRegion": "eu-central-1", "sourceIPAddress": "198.51.100.7", "eventID": "e-1",
    "userAgent": "aws-cli/2", "recipientAccountId": "111122223333",
    "userIdentity": {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": "arn:aws:iam::111122223333:user/ci",
                     "accountId": "111122223333", "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": "ci"},
}  # fmt: skip


def samples(product: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SOURCES / f"{product}.jsonl").read_text("utf-8").splitlines()]


def test_google_cloud_s_log_in_bigquery_is_the_entry_itself() -> None:
    natives = [s["record"] for s in samples("gcp") if s["shape"] == "native" and "event" in s]
    rows = [
        (native, {**native, "protopayload_auditlog": native["protoPayload"]})
        for native in natives
        if "protoPayload" in native
    ]
    assert len(rows) >= 10
    for record, built in rows:
        payload = dict(built["protopayload_auditlog"])
        for text, name in gcp._TEXTS.items():
            payload[text] = json.dumps(payload.pop(name)) if name in payload else None
        if "serviceData" in payload:
            payload["servicedata_v1_iam"] = payload.pop("serviceData")
        built["protopayload_auditlog"] = payload
        del built["protoPayload"]
        assert read(built) == read(record) == read({"_raw": json.dumps(built), "_time": "0"})


# ---- files


def table(rows: Iterable[Mapping[str, Any]]) -> bytes:
    result = list(rows)
    output = io.StringIO(newline="")
    writer = csv.DictWriter(output, list(dict.fromkeys(name for item in result for name in item)))
    writer.writeheader()
    writer.writerows(result)
    return output.getvalue().encode()


def batches(path: Path) -> tuple[list[object], list[reader.Bad], list[int]]:
    batches = list(reader.read([str(path)]))
    lines = [batch.where(n).line for batch in batches for n in range(len(batch.records))]
    return [record for b in batches for record in b.records], [bad for b in batches for bad in b.bad], lines


def test_exports_of_splunk_and_kibana_are_read_row_by_row_also_out_of_a_folder(tmp_path: Path) -> None:
    exports: dict[str, list[dict[str, Any]]] = {
        "splunk.csv": [{"_time": "1772445600", "_raw": json.dumps(CALL, indent=1), "host": "a,b"}],
        "kibana.csv.gz": [
            {"@timestamp": CALL["eventTime"], "event.dataset": "aws.cloudtrail", "event.original": json.dumps(CALL)}
        ],
    }
    for name, rows in exports.items():
        text = b"\xef\xbb\xbf" + table(rows)
        (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    records, bad, _ = batches(tmp_path)
    assert bad == [] and {read(record) for record in records} == {read(CALL)} and len(records) == 2


def test_what_is_no_row_is_told_with_its_line_and_reading_goes_on(tmp_path: Path) -> None:
    good = table([{"_time": "1", "_raw": json.dumps({"a": n}, indent=1)} for n in range(3)]).split(b"\r\n")
    wrong = [b"1,2,3", b"", b'1,"\xff"', b'1,"' + b"x" * 200_000 + b'"']
    (tmp_path / "a.csv").write_bytes(b"\r\n".join([*good[:2], *wrong, *good[2:]]))
    records, bad, lines = batches(tmp_path / "a.csv")
    assert [(piece.reason, piece.line) for piece in bad] == [("cut_off", 5), ("invalid_utf8", 7)]
    assert "3 cells under a header of 2" in bad[0].detail
    assert len(records) == 4 and lines == [4, 8, 11, 14]


def test_other_tables_are_not_taken_for_logs(tmp_path: Path) -> None:
    (tmp_path / "assets.csv").write_bytes(b"identity,criticality,owner,comment\na,high,b,c\n")
    _, bad, _ = batches(tmp_path / "assets.csv")
    assert [piece.reason for piece in bad] == ["unread_format"]
    assert "header 'identity,criticality,owner,comment'" in bad[0].detail


def test_kibana_s_way_to_show_a_time_is_told_with_the_setting_that_mends_it() -> None:
    shown = {"@timestamp": "Mar 2, 2026 @ 10:00:00.000", "event.dataset": "aws.cloudtrail", "event.action": "ListUsers"}
    with pytest.raises(RejectError, match="set its dateFormat to YYYY"):
        cloudtrail.read(shown)
