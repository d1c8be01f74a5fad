"""Exposure feeds: a leaked credential is named as the logs of its use name it, and no secret gets through."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.sources import exposure, github

TOKEN = "ghp_" + "madeUp0000" * 4
SAMPLES = (Path(__file__).parent / "data" / "sources" / "exposure.jsonl").read_text(encoding="utf-8").splitlines()


def trufflehog(raw: str, **values: Any) -> dict[str, Any]:
    where = {"Github": {"repository": "https://github.com/acme/shop", "timestamp": "2026-03-02 10:00:00 +0000 UTC"}}
    base = {"SourceMetadata": {"Data": where}, "DetectorName": "X", "Raw": raw, "Verified": True}
    return {**base, **values}


def test_no_secret_of_a_sample_is_in_its_event() -> None:
    for line in SAMPLES:
        sample = json.loads(line)
        if "event" in sample:
            told = json.dumps(exposure.read(sample["record"]))
            assert not [s for s in ("madeUpSecret", "madeUpKey", "ghp_", "MADE UP", "ci:pw@") if s in told]


def test_a_leaked_token_has_the_credential_id_that_githubs_log_gives_its_use() -> None:
    hashed = b64encode(sha256(TOKEN.encode()).digest()).decode()
    use = {"@timestamp": 1772445601000, "action": "git.clone", "actor": "a", "org": "acme"}
    kind = {"programmatic_access_type": "Personal access token (classic)", "hashed_token": hashed}
    assert exposure.read(trufflehog(TOKEN)).credential == github.read({**use, **kind}).credential


def test_a_key_whose_user_the_scanner_learnt_is_that_users() -> None:
    extra = {"account": "111111111111", "arn": "arn:aws:iam::111111111111:user/ci", "user_id": "AIDAEXAMPLE"}
    event = exposure.read(trufflehog("AKIAIOSFODNN7EXAMPLE", ExtraData=extra))
    assert event.identity.id == "aws:111111111111:user:AIDAEXAMPLE"
    assert event.credential == "AKIAIOSFODNN7EXAMPLE"


def test_the_same_secret_has_the_same_name_in_two_feeds() -> None:
    leak = {"RuleID": "x", "Secret": "hunter2hunter2", "Match": "k=hunter2hunter2", "Date": "2026-03-02T10:00:00Z"}
    assert exposure.read(leak).credential == exposure.read(trufflehog("hunter2hunter2")).credential


def test_a_host_that_indexed_a_finding_lends_it_a_time() -> None:
    record = trufflehog("x" * 20, SourceMetadata={"Data": {"Filesystem": {"file": "a"}}})
    with pytest.raises(RejectError, match="no_time"):
        exposure.read(record)
    assert exposure.read({**record, "_time": "1772445601"}).time == 1772445601


def test_notices_of_aws_about_other_things_are_rejected() -> None:
    record = {"source": "aws.health", "time": "2026-03-02T10:00:00Z", "detail": {"eventTypeCode": "AWS_EC2_ISSUE"}}
    with pytest.raises(RejectError, match="no_secret"):
        exposure.read(record)
