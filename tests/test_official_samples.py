"""The command that reads a checkout of publishers' samples: made-up samples in the layout of elastic/integrations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nhi_watch_lab.evaluation import official_samples

NATIVE = {
    "eventVersion": "1.08", "eventTime": "2026-03-02T10:00:00Z", "eventSource": "s3.amazonaws.com",
    "eventName": "ListBuckets", "awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.1", "userAgent": "Boto3/1.35",
    "userIdentity": {"type": "IAMUser", "principalId": "AIDAMADE", "arn": "arn:aws:iam::111111111111:user/ann",
                     "accountId": "111111111111", "userName": "ann"}, "eventID": "made-1",
    "recipientAccountId": "111111111111", "readOnly": True,
}  # fmt: skip
DOCUMENT = {
    "@timestamp": "2026-03-02T10:00:00.000Z",
    "event": {"action": "ListBuckets", "provider": "s3.amazonaws.com", "id": "made-1", "outcome": "success"},
    "aws": {"cloudtrail": {"event_version": "1.08", "recipient_account_id": "111111111111", "read_only": True,
                           "user_identity": {"type": "IAMUser", "arn": "arn:aws:iam::111111111111:user/ann"}}},
    "cloud": {"account": {"id": "111111111111"}, "region": "eu-west-1"}, "user": {"id": "AIDAMADE", "name": "ann"},
    "source": {"ip": "192.0.2.1", "address": "192.0.2.1"}, "user_agent": {"original": "Boto3/1.35"},
}  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return tmp_path / "integrations"


def put(checkout: Path, test: str, documents: list[Any], package: str = "aws", stream: str = "cloudtrail") -> Path:
    folder = checkout / "packages" / package / "data_stream" / stream / "_dev" / "test" / "pipeline"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{test}-expected.json").write_text(json.dumps({"expected": documents}), "utf-8")
    return folder


def original(document: dict[str, Any], record: Any = NATIVE) -> dict[str, Any]:
    return {**document, "event": {**document["event"], "original": json.dumps(record)}}


def found(checkout: Path) -> list[official_samples.Told]:
    return list(official_samples.measure(official_samples.integrations(checkout)))


def test_the_native_record_is_taken_from_the_input_where_the_document_dropped_it(checkout: Path) -> None:
    folder = put(checkout, "test-a.log", [DOCUMENT])
    assert found(checkout)[0].differs is None
    (folder / "test-a.log").write_text(json.dumps(NATIVE) + "\n", "utf-8")
    assert found(checkout)[0].differs == ()
    put(checkout, "test-b.json", [DOCUMENT])
    (folder / "test-b.json").write_text(json.dumps({"events": [{"message": json.dumps(NATIVE)}]}), "utf-8")
    assert [told.differs for told in found(checkout)] == [(), ()]


def test_what_is_not_read_is_named_with_its_reason(checkout: Path, tmp_path: Path) -> None:
    put(checkout, "test-a.log", [{**DOCUMENT, "@timestamp": "yesterday"}])
    put(checkout, "test-b.log", [DOCUMENT], stream="vpcflow")  # no audit log of identities
    page = tmp_path / "page.md"
    assert official_samples.main([str(checkout), "--page", str(page)]) == 0
    assert "| all | 1 | 0 | 0 | 0 | 0 | bad_time 1 |" in page.read_text("utf-8")
    rows = ["aws.cloudtrail,1,0,0,0,0,bad_time 1", "all,1,0,0,0,0,bad_time 1"]
    assert page.with_suffix(".csv").read_text("utf-8").splitlines()[1:] == rows


def test_real_records_go_through_the_pipeline_and_nothing_differs_without_a_reason(tmp_path: Path) -> None:
    console = {**NATIVE, "eventID": "made-2", "sessionCredentialFromConsole": "true"}
    for name in ("cloudtrail", "rule-tests", "mixed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "b.ndjson").write_text("{}\n")
    (tmp_path / "cloudtrail" / "a.ndjson").write_text("".join(json.dumps(one) + "\n" for one in (NATIVE, console)))
    text = "\n\n".join(official_samples.piped(tmp_path))
    assert "Of 2 real records 1 give the same Event" in text
    assert "| traits | 1 | the pipeline drops sessionCredentialFromConsole |" in text
