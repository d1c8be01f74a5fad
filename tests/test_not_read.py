"""Nothing is skipped in silence: what `nhi score` says of files, records and days that it could not score."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from nhi_watch import cli
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.report import run_summary
from test_ocsf import finding

CALL = {
    "eventVersion": "1.11", "eventTime": "2026-03-02T10:00:00Z", "eventSource": "s3.amazonaws.com",
    "eventName": "ListBuckets", "awsRegion": "eu-central-1", "sourceIPAddress": "198.51.100.7",
    "userAgent": "aws-cli/2", "eventID": "00000000-0000-4000-8000-000000000001", "recipientAccountId": "111122223333",
    "userIdentity": {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": "arn:aws:iam::111122223333:user/ci",
                     "accountId": "111122223333", "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": "ci"},
}  # fmt: skip
WEEK = [{**CALL, "eventTime": f"2026-02-{day}T10:00:00Z", "eventID": f"{day}"} for day in range(22, 29)]
"""The days before, after which a quiet day is called quiet."""
STAGES = [
    {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": f"id-{number}", "stage": stage,
     "requestURI": "/api/v1/pods", "verb": "list", "user": {"username": "system:serviceaccount:shop:api"},
     "sourceIPs": ["198.51.100.7"], "userAgent": "kubectl", "objectRef": {"resource": "pods", "namespace": "shop"},
     "requestReceivedTimestamp": "2026-03-02T10:00:01.100000Z", "stageTimestamp": "2026-03-02T10:00:01.200000Z"}
    for number in range(3)
    for stage in ("RequestReceived", "ResponseComplete")
]  # fmt: skip


def is_calm(text: str) -> bool:
    """Whether it is said that there are no notables, and no caveat beside it."""
    return "No notables in" in text and "with caveats" not in text


def lines(path: Path, *records: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def scored(capsys: pytest.CaptureFixture[str], tmp_path: Path, *paths: Path) -> tuple[int, str, dict[str, Any]]:
    code = cli.main(["score", *map(str, paths), "--out", str(tmp_path / "out")])
    printed = capsys.readouterr()
    run = tmp_path / "out" / "run.json"
    report = tmp_path / "out" / "report.html"
    out = " ".join(printed.out.split())
    if report.exists() and "scored by an earlier run" not in out:  # such a run keeps the page of the one before
        assert is_calm(out) == is_calm(report.read_text("utf-8"))
    return (
        code,
        " ".join((printed.out + printed.err).split()),
        json.loads(run.read_text()) if run.exists() else {},
    )


def test_a_calm_day_is_called_calm(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, text, _ = scored(capsys, tmp_path, lines(tmp_path / "a.json", *WEEK, CALL))
    assert (code, is_calm(text)) == (0, True)
    assert "No notables in 8 records of 1 identity over 8 days." in text


def calls(path: Path, days: Iterable[int]) -> Path:
    """One call on each of some days, counted from 1970."""
    return lines(path, *({**CALL, "eventTime": render(day * DAY), "eventID": str(day)} for day in days))


def test_days_without_records_are_no_history(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = scored(capsys, tmp_path, calls(tmp_path / "a.json", range(19_500, 20_410, 65)))[1]
    assert "with caveats: 1 of 7 baseline days collected" in text


def test_what_is_read_again_after_its_day_was_forgotten_came_not_too_late(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log, days = tmp_path / "a.json", range(20_400, 20_480)
    scored(capsys, tmp_path, calls(log, days))
    for _ in range(2):
        _, text, run = scored(capsys, tmp_path, log)
        assert (run["too_late"], run["events"], run["duplicates"]) == (0, 0, len(days))
        assert "all records were scored by an earlier run" in text and "too late" not in text
    assert cli.main(["health", "--problems", "--out", str(tmp_path / "out")]) == 0
    assert "after their day was closed" not in capsys.readouterr().out


def test_what_comes_late_in_a_file_that_is_read_again_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log, days = tmp_path / "a.json", range(20_400, 20_480)
    scored(capsys, tmp_path, calls(log, days))
    with log.open("a") as file:
        late = {**CALL, "eventTime": render(20_401 * DAY + 3600), "eventID": "late", "eventName": "GetObject"}
        file.write(json.dumps(late) + "\n")
    _, text, run = scored(capsys, tmp_path, log)
    assert (run["too_late"], run["duplicates"]) == (1, len(days))
    assert "1 records arrived after their day was closed" in text


def test_the_counts_of_a_second_run_are_those_of_the_list(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = lines(tmp_path / "a.json", *WEEK, CALL)
    scored(capsys, tmp_path, log)
    text = scored(capsys, tmp_path, log)[1]
    assert "8 records → 0 notables" in text and "0 behaviours" not in text


def test_before_a_week_is_learnt_no_day_is_called_calm(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for known in (1, 6):
        text = scored(capsys, tmp_path / str(known), lines(tmp_path / "a.json", *WEEK[:known]))[1]
        assert not is_calm(text) and f"with caveats: {known} of 7 baseline days collected" in text


def test_a_flood_of_rubbish_is_counted_in_seconds_and_stays_small(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "flood.json").write_bytes(b"%-39d\n" % 1 * 2_000_000)
    started = time.process_time()
    code, text, run = scored(capsys, tmp_path, tmp_path / "flood.json", lines(tmp_path / "a.json", CALL))
    assert time.process_time() - started < 30
    assert (code, run["rejected"], run["read"]) == (2, {"not_object": 2_000_000}, 2_000_001)
    assert run["rejects_only_counted"] == {"not_object": 1_999_900}
    assert (tmp_path / "out" / "rejects.jsonl").stat().st_size < 100_000
    assert "1,999,900 more are only counted" in text
    assert not is_calm(text) and "2,000,000 of 2,000,001 records could not be read" in text


def test_files_passed_over_are_named_and_there_is_no_all_clear(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "march.zip").write_bytes(b"PK\x03\x04")
    lines(tmp_path / "logs" / "a.json", CALL)
    code, text, run = scored(capsys, tmp_path, tmp_path / "logs")
    assert code == 0 and not is_calm(text)
    assert "march.zip: a zip archive; unpack it" in text
    assert run["passed_over"]["may_matter"] == 1
    assert run["passed_over"]["named"][0]["file"].endswith("march.zip")


def test_a_file_that_failed_as_a_whole_is_named_and_the_rest_is_scored(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A scheduler sees the code alone. One bad record among good ones is no failure: the caveat tells of it."""
    good = lines(tmp_path / "a.json", *WEEK, CALL)
    code, text, run = scored(capsys, tmp_path, good, tmp_path / "gone.json")
    assert (code, run["parsed"], run["failed"]["files"]) == (2, 8, 1)
    assert "nothing could be read of" in text and "gone.json; the rest was scored" in text
    good.write_text(good.read_text() + "no json\n")
    assert scored(capsys, tmp_path / "again", good)[0] == 0


def test_a_file_of_another_program_is_named_and_fails_no_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A SIEM's own alerts lie among a company's logs: no schedule is to fail for them every day."""
    lines(tmp_path / "logs/a.json", *WEEK, CALL)
    lines(
        tmp_path / "logs/notable.json",
        *({"search_name": "Threat - Rule", "event_id": f"{n}@@notable"} for n in range(3)),
    )
    code, text, run = scored(capsys, tmp_path, tmp_path / "logs")
    assert (code, run["failed"]["files"], run["passed_over"]["may_matter"]) == (0, 0, 1) and not is_calm(text)
    assert "notable.json: no source knows any of its 3 records" in text
    code, text, _ = scored(capsys, tmp_path / "alone", tmp_path / "logs/notable.json")
    assert code == 2, "where nothing else was read, it failed"


def test_nothing_read_is_no_all_clear(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    code, text, _ = scored(capsys, tmp_path, tmp_path / "logs")
    assert code == 2 and not is_calm(text) and "the paths hold no records, so nothing was scored" in text


def test_records_judged_before_are_no_all_clear_of_their_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = lines(tmp_path / "a.json", CALL)
    scored(capsys, tmp_path, path)
    _, text, _ = scored(capsys, tmp_path, path)
    assert not is_calm(text) and "scored by an earlier run" in text


def test_what_to_do_is_said_where_nothing_could_be_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "march.zip").write_bytes(b"PK\x03\x04")
    code, text, _ = scored(capsys, tmp_path, tmp_path / "march.zip")
    assert code == 2 and "binary_file (a zip archive; unpack it" in text


def test_odd_types_and_deep_values_cost_one_record_and_end_no_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    unusual = {
        "class_uid": 6003,
        "metadata": {"version": "1.1.0", "product": {"name": "CloudTrail", "vendor_name": "AWS"}},
        "unmapped": [{"key": [], "value": 1}],
        "time": 1772445600000,
        "api": {"operation": "ListBuckets"},
        "cloud": {"provider": "AWS"},
    }
    lines(tmp_path / "logs" / "odd.json", unusual)
    deep = json.dumps(CALL)[:-1] + ', "requestParameters": ' + '{"a":' * 400 + "1" + "}" * 401
    (tmp_path / "logs" / "deep.json").write_text('{"Records":[' + deep + "]}\n")
    lines(tmp_path / "logs" / "week.json", *WEEK)
    code, text, run = scored(capsys, tmp_path, tmp_path / "logs")
    assert (code, run["parsed"], run["rejected"]) == (0, 8, {"unforeseen": 1})
    assert not is_calm(text)


@pytest.mark.parametrize(
    "run",
    [{"too_late": 2}, {"held_aside": 1}, {"rejected": {"not_json": 1}}, {"overflow": 1, "overflow_highest": 40.0}],
)
def test_what_was_not_judged_forbids_the_all_clear(run: dict[str, Any]) -> None:
    text = run_summary.no_notables({"read": 5, "parsed": 5, "events": 5, "rejected": {}, **run})
    assert not is_calm(text) and "with caveats: " in text


def test_of_a_file_that_ended_early_nobody_knows_how_many_records_are_missing() -> None:
    run = {"read": 12, "parsed": 10, "events": 10, "rejected": {"truncated_gzip": 1, "not_json": 1}}
    assert run_summary.doubts(run) == [
        "1 of 12 records could not be read",
        "1 file ended early, and what followed is missing",
    ]


def test_ordinary_kubernetes_stages_are_out_of_scope_and_no_rejects(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, text, run = scored(capsys, tmp_path, lines(tmp_path / "audit.json", *STAGES, *WEEK))
    assert (code, run["parsed"], run["rejected"]) == (0, 10, {"unfinished": 3})
    assert (tmp_path / "out" / "rejects.jsonl").read_bytes() == b""
    assert is_calm(text) and "rejected 0; out of scope 3" in text


def test_what_cloudwatch_logs_deliver_is_read_line_by_line_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    delivered = [
        {
            "messageType": "DATA_MESSAGE",
            "logGroup": "/aws/eks/shop/cluster",
            "logEvents": [{"id": "1", "message": json.dumps(stage)}],
        }
        for stage in STAGES
    ]
    code, _, run = scored(capsys, tmp_path, lines(tmp_path / "firehose.json", *delivered))
    assert (code, run["parsed"], run["rejected"]) == (0, 3, {"unfinished": 3})


def test_only_the_owner_may_read_the_state(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    scored(capsys, tmp_path, lines(tmp_path / "a.json", CALL))
    assert (tmp_path / "out" / "state.sqlite").stat().st_mode & 0o777 == 0o600


def test_an_alert_that_is_closed_was_understood(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shut = finding(status="Suppressed", user={"name": "app"})
    code, text, run = scored(capsys, tmp_path, lines(tmp_path / "a.json", *WEEK, CALL, shut))
    assert (code, run["rejected"]) == (0, {"closed": 1})
    assert is_calm(text) and "out of scope 1" in text and "could not be read" not in text


def test_a_hidden_day_withholds_the_all_clear(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines(tmp_path / "logs" / "day.ndjson", *WEEK, CALL)
    hidden = lines(tmp_path / "logs" / ".2026-03-03.ndjson", CALL)
    code, text, run = scored(capsys, tmp_path, tmp_path / "logs")
    assert code == 0 and "with caveats: 1 file that may hold records skipped" in text and not is_calm(text)
    assert f"skipped {hidden}: hidden; name the file itself to read it" in text
    assert run["passed_over"]["may_matter"] == 1
    assert is_calm(scored(capsys, tmp_path / "again", tmp_path / "logs", hidden)[1])


def test_the_command_that_lists_what_is_below_the_line_can_be_run_as_it_is_written() -> None:
    (text,) = run_summary.doubts({"read": 5, "parsed": 5, "events": 5, "rejected": {}, "overflow_highest": 50})
    assert "see `nhi list --all`" in text
    written = [Path("README.md"), Path("nhi_watch/report/report.html.j2")]
    assert not [path for path in written if "nhi score --all" in (Path(__file__).parents[1] / path).read_text("utf-8")]
