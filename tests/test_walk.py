"""Each next step that the program offers leads on, as a new user would take it; nothing ends in a riddle."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from core_samples import TODAY, record
from layout import ROOT
from need import shared_data
from nhi_watch import cli
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.report import jsonlines
from test_originals import THEFT, as_lines, trail

KEY = "AKIAIOSFODNN7EXAMPLE"
USER = {
    "type": "IAMUser",
    "principalId": "AIDA1",
    "arn": "arn:aws:iam::123456789012:user/ci",
    "userName": "ci",
    "accountId": "123456789012",
    "accessKeyId": KEY,
}


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run a day."""
    folder = tmp_path_factory.mktemp("walk")
    logs = folder / "logs"
    logs.mkdir()
    for day in range(TODAY - 14, TODAY + 1):
        date = render(day * DAY)[:10]
        records = [item for item in trail() if item["eventTime"].startswith(date)]
        (logs / f"{date}.jsonl").write_bytes(as_lines(records))
        assert cli.main(["score", str(logs / f"{date}.jsonl"), "--out", str(folder / "out")]) == 0
    return folder / "out"


@pytest.fixture
def out(scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    capsys.readouterr()
    return shutil.copytree(scored, tmp_path / "out")


def asked(capsys: pytest.CaptureFixture[str], *line: str) -> str:
    assert cli.main(list(line)) == 0
    return capsys.readouterr().out


def next_of(text: str) -> list[str]:
    """The commands that the last line offers, without their program."""
    (line,) = [line for line in text.splitlines() if line.startswith("Next: ")]
    return [part.strip().removeprefix("then ") for part in line.removeprefix("Next: ").split(";")]


def words(command: str) -> list[str]:
    """A command as a person completes it."""
    return shlex.split(
        command.replace("YOU", "ann").replace("REASON", "stolen").replace("webhook|soar|elastic", "soar")
    )[1:]


def test_from_the_plan_to_the_export_by_the_steps_that_are_offered(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (choose,) = next_of(asked(capsys, "respond", "plan", "1", "--out", str(out)))
    assert "--only" in choose, "two of its steps are alternatives"
    setup, approve = next_of(asked(capsys, *words(choose)))
    asked(capsys, *words(setup))
    (again,) = next_of(asked(capsys, *words(choose)))
    assert words(again) == words(approve)
    (export,) = next_of(asked(capsys, *words(again)))
    assert "Written to" in asked(capsys, *words(export))


def test_an_exposure_is_listed_by_the_rank_that_every_command_takes(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "No exposed credential is known. Report one" in asked(capsys, "exposed", "--out", str(out))
    asked(capsys, "exposed", KEY, "--where", "internal", "--since", render(TODAY * DAY), "--out", str(out))
    (rank,) = [item["rank"] for item in jsonlines.read(out / "notables.jsonl") if item["kind"] == "exposure"]
    text = asked(capsys, "exposed", "--out", str(out))
    assert rank > 1 and any(line.split()[:1] == [str(rank)] for line in text.splitlines())
    assert KEY in asked(capsys, "explain", str(rank), "--out", str(out))


def test_a_key_told_of_long_after_its_logs_end_reached_what_they_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = [record(day, "10:00", userIdentity=USER) for day in range(TODAY - 14, TODAY + 1)]
    (tmp_path / "a.jsonl").write_bytes(as_lines(days))
    asked(capsys, "score", str(tmp_path / "a.jsonl"), "--out", str(tmp_path / "out"))
    late = render((TODAY + 400) * DAY)
    text = asked(capsys, "exposed", KEY, "--since", late, "--now", late, "--out", str(tmp_path / "out"), "--json")
    assert "it reached s3" in json.loads(text)["summary"]


def test_an_exposure_shows_the_raw_events_of_its_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, out = tmp_path / "log.jsonl", tmp_path / "out"
    used = [record(day, "09:10", userIdentity=USER) for day in range(TODAY - 9, TODAY + 1)]
    log.write_bytes(as_lines([*used, record(TODAY, "12:00", userIdentity=USER, **THEFT)]))
    asked(capsys, "score", str(log), "--out", str(out))
    (out / "events.jsonl").unlink()  # what the run's own notables point to
    asked(capsys, "exposed", KEY, "--since", render((TODAY - 3) * DAY), "--where", "public-repo", "--out", str(out))
    (item,) = [each for each in jsonlines.read(out / "notables.jsonl") if each["kind"] == "exposure"]
    lines = {event["line"] for event in jsonlines.read(out / "events.jsonl") if event["id"] in item["record_ids"]}
    assert 11 in lines


def test_below_the_line_counts_what_is_there_not_what_the_last_run_met(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = out.parent / "more.jsonl"
    logs.write_bytes(as_lines([record(TODAY, "14:00")]))
    asked(capsys, "score", str(logs), "--out", str(out), "--budget", "0.001")
    below = list(jsonlines.read(out / "below.jsonl"))
    (run,) = jsonlines.read(out / "run.json")
    assert run["overflow"] == len(below)


def test_every_file_passed_over_is_named_and_so_is_where_rejects_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.jsonl").write_bytes(as_lines([record(TODAY, "10:00", **THEFT)]) + b"no json\n")
    (logs / "rows.csv").write_text("a,b\n1,2\n")
    (logs / "LICENSE.txt").write_text("Some words.\n")
    assert cli.main(["score", str(logs), "--out", str(tmp_path / "out")]) == 0
    text = " ".join(capsys.readouterr().err.split())
    assert "rows.csv" in text and "skipped, not recognized as logs: LICENSE.txt" in text
    assert "rejects.jsonl says which" in text


def test_explain_tells_when_the_odd_calls_were_and_counts_no_fewer_than_it_kept(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = out / "notables.jsonl"
    (item,) = jsonlines.read(path)
    before = render((TODAY - 3) * DAY)
    earlier = {**item["timeline"][0], "time": before, "points": 0.0}
    grown = [*item["timeline"], *({**earlier, "action": f"a:{n}"} for n in range(500 - len(item["timeline"])))]
    jsonlines.write(path, [{**item, "first_time": before, "timeline": grown}])
    text = " ".join(asked(capsys, "explain", "1", "--out", str(out)).split())
    assert f"{item['id']} since {before}, {item['first_time']} " in text
    assert "Unusual calls: at least 6, 0 of them refused" in text


def test_real_days_of_m365_hide_no_critical_and_list_no_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """But for people who let an app in."""
    asked(capsys, "score", str(shared_data("m365/audit.ndjson")), "--out", str(tmp_path))
    assert max(item["likelihood"] for item in jsonlines.read(tmp_path / "below.jsonl")) < 80
    listed = list(jsonlines.read(tmp_path / "notables.jsonl"))
    people = [
        item for item in listed if item["identity"]["kind"] not in ("app", "service_principal", "managed_identity")
    ]
    assert listed and all("risky_consent" in {signal["id"] for signal in person["signals"]} for person in people)


@pytest.mark.parametrize("sheet", ["walk", "elastic_trial"])
def test_each_mend_is_held_by_a_test_that_is_there(sheet: str) -> None:
    named = re.findall(r"`(test_\w+)\.(\w+)`", (ROOT / "lab" / "results" / f"{sheet}.csv").read_text("utf-8"))
    assert len(named) > 20
    for file, name in named:
        assert f"def test_{name}(" in (ROOT / "tests" / f"{file}.py").read_text("utf-8"), (file, name)
