"""`nhi health` and `nhi verify` on a state on the disk, and what `nhi score` says of both."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from core_samples import TODAY, run
from desk_samples import asked, desk
from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files import health, posture, verify
from nhi_watch.report import html, jsonlines, run_summary
from nhi_watch.state.sqlite import SqliteStore
from notable_samples import held
from test_pipeline import raid
from test_telemetry import OTHER, ROOM, hourly, ordinary, today

LATER = "2024-10-05T12:30:00Z"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a state in which one log was switched off, and a raid was seen before."""
    folder = tmp_path_factory.mktemp("out")
    store = SqliteStore(folder / "state.sqlite")
    records = [*ordinary(), *today(range(9)), *raid("batch", day=TODAY - 1), *hourly(TODAY + 1, range(12), OTHER)]
    result = run(store, records, ROOM)
    store.close()
    jsonlines.write(folder / "notables.jsonl", result.standing)
    (folder / "run.json").write_text(json.dumps({"read": 10, "rejected": {"not_json": 1}, "too_late": 2}))
    return folder


def told(folder: Path, *words: str) -> dict[tuple[str, str], str]:
    result: list[dict[str, Any]] = asked(health, "--now", LATER, *words, out=folder)["checks"]
    return {(row["check"], row["about"]): f"{row['status']}: {row['text']}" for row in result}


def test_health_names_the_silent_log_and_what_it_costs(out: Path) -> None:
    rows = told(out)
    silent = rows["source", "aws 111111111111"]
    assert silent.startswith("error: last event before 2024-10-04T09:00:00Z, silent for 27 h")
    assert rows["source", f"aws {OTHER}"].startswith("ok: last event before 2024-10-05T12:00:00Z, silent for 0 h")
    assert rows["blind spot", "aws"] == "warn: Blind spot: no log of aws for 15 hours (111111111111)"
    assert rows["parsing", ""].startswith("warn: 10.0%") and rows["late", ""].startswith("warn: 2 records")
    assert rows["history", ""].startswith("ok: 14 days with records")
    assert rows["drift", "since training"] == "unknown: not enough to compare yet"
    assert asked(health, "--now", LATER, out=out)["status"] == "error"


def test_when_every_log_stops_health_says_so_although_no_run_finds_anything(out: Path) -> None:
    rows = asked(health, "--now", "2024-10-07T00:00:00Z", out=out)
    assert [r["status"] for r in rows["checks"] if r["check"] == "source"] == ["error", "error"]
    gone = asked(health, "--now", "2025-01-01T00:00:00Z", "--problems", out=out)
    assert ("source", "all") in {(r["check"], r["about"]) for r in gone["checks"]}
    assert "silent for" in desk(health, "--now", LATER, "--problems", out=out)


def test_health_and_posture_share_a_clock_and_say_which(out: Path, tmp_path: Path) -> None:
    """The data ended years ago: both look as of then, and health says that nothing has come since."""
    assert desk(health, out=out).startswith("As of 2024-10-05, the data's end: nothing newer was read in the 28 days")
    copy = Path(shutil.copytree(out, tmp_path / "copy"))
    assert desk(posture, out=copy).startswith("As of 2024-10-05, the data's end")
    assert asked(health, out=out)["checks"][0]["text"].endswith("everything else is as of the end of the data")
    assert desk(health, "--now", LATER, out=out).startswith(f"As of {LATER}.")


def test_verify_recomputes_each_notable_of_the_list(out: Path) -> None:
    notables = list(jsonlines.read(out / "notables.jsonl"))
    assert {n["kind"] for n in notables} == {"compromise", "blind_spot"}
    for notable in notables:
        answer = asked(verify, notable["id"], out=out)
        assert answer["verified"] and all(check["holds"] is not False for check in answer["checks"]), notable["title"]
    assert "holds" in desk(verify, notables[0]["id"], out=out)


def test_verify_refuses_what_was_changed_and_what_is_no_notable(out: Path, tmp_path: Path) -> None:
    notable = next(n for n in jsonlines.read(out / "notables.jsonl") if n["kind"] == "compromise")
    path = tmp_path / "disputed.json"
    path.write_text(json.dumps({**notable, "likelihood": 1.0}))
    with pytest.raises(InputError, match=r"verify: likelihood.*with --networks, give the same list; if another"):
        asked(verify, path, out=out)
    path.write_text("{}")
    with pytest.raises(InputError, match="no receipt"):
        asked(verify, path, out=out)
    path.write_text(json.dumps({**notable, "receipt": {**notable["receipt"], "model": "0" * 64}}))
    with pytest.raises(InputError, match="is not the shipped one; give its folder with --model"):
        asked(verify, path, out=out)
    with pytest.raises(InputError, match="no such state"):
        asked(verify, "1", out=tmp_path)


def test_the_report_shows_blind_spots_ranges_and_drift(out: Path) -> None:
    notables = list(jsonlines.read(out / "notables.jsonl"))
    said_so = {"verdicts": {"confirmed": {"x": "ann"}}}
    counts = {**said_so, "blind_spots": 1, "drift": {"since_last_week": {"likelihood": 0.3}, "since_training": None}}
    page = held(html.render(notables, counts))
    assert "Blind spot: no log of aws for 15 hours" in page and '"instead":{' in page
    assert '"confirmed":{"x":"ann"}' in page, "the list marks it"
    said = {fact.label: fact.text for fact in run_summary.facts(counts)}
    assert said["Blind spots"] == "1"
    assert said["Drift"] == ("likelihood differs from the week before: read likelihoods with care (see nhi health)")
