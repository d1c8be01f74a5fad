"""Days and the command line mark what comes from listed addresses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nhi_watch import cli
from nhi_watch.context import reputation
from nhi_watch.context.context import Context
from nhi_watch.hosts.files import reader
from nhi_watch.intake.batch import Intake
from nhi_watch.intake.sources import cloudtrail
from test_reputation import ADDRESS, call, loaded

CSV = f"{reputation.COLUMNS}\n{ADDRESS},x,60,,2026-03-02,\n"


def written(folder: Path) -> Path:
    """Three days of calls from a listed address and from its neighbour, one a line."""
    path = folder / "trail.ndjson"
    calls = [
        call(address, f"2026-03-0{day}T{hour:02}:{minute:02}:00Z", day * 10_000 + hour * 1000 + minute * 10 + number)
        for day in (1, 2, 3)
        for hour in (1, 2)
        for minute in range(5)
        for number, address in enumerate((ADDRESS, "198.51.100.8"))
    ]
    path.write_text("".join(json.dumps(call, separators=(",", ":")) + "\n" for call in calls), encoding="utf-8")
    return path


def test_events_of_a_listed_address_are_marked_on_the_days_on_which_it_was_listed(tmp_path: Path) -> None:
    intake = Intake([cloudtrail], context=Context(reputation=loaded(tmp_path, CSV)))
    for batch in reader.read([str(written(tmp_path))]):
        intake.feed(batch.records, lambda index, error: pytest.fail(str(error)))
    identity_days = [identity_day for _, day in sorted(intake.batch.items()) for identity_day in day.values()]
    traits = [b.key.traits for identity_day in identity_days for b in identity_day.ordered()]
    assert traits.count(("listed",)) == 4 and traits.count(()) == 6


def test_the_command_line_takes_several_lists_and_says_what_it_did_not_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    written(data)
    (tmp_path / "one.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "two.txt").write_text("10.0.0.1\n203.0.113.9\n", encoding="utf-8")
    lists = ["--reputation", str(tmp_path / "one.csv"), "--reputation", str(tmp_path / "two.txt")]
    assert cli.main(["score", str(data), "--out", str(tmp_path / "out"), "--json", *lists]) == 0
    run = json.loads(capsys.readouterr().out)
    assert run["reputation"] == {"indicators": 3, "listed": 2, "refused": {"private": 1}}
    assert cli.main(["baseline", str(data), "--out", str(tmp_path / "base"), *lists]) == 0
    assert "1 private" in capsys.readouterr().err
    assert cli.main(["score", str(data), "--out", str(tmp_path / "o"), "--reputation", str(tmp_path / "no")]) == 2
