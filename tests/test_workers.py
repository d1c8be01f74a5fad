"""Several processes that read give what one gives, whatever they meet; and none of them is left behind."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from core_samples import TODAY, record
from need import need, shared_data
from nhi_watch import cli
from nhi_watch.core import behaviour
from nhi_watch.core.behaviour import to_row
from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files import gathering, jobs
from nhi_watch.hosts.files.jobs import Job
from nhi_watch.intake import days, horizon, sources
from nhi_watch.intake.days import Intake, Part
from nhi_watch.state import day_rows
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.store import TABLES
from test_pipeline import Records, quiet, raid

WRITTEN = ("notables.jsonl", "below.jsonl", "rejects.jsonl", "events.jsonl")


def lines(records: Records) -> bytes:
    return b"".join(orjson.dumps(one) + b"\n" for one in records)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs within one second: what is ahead of the clock is told with it."""
    monkeypatch.setattr(horizon, "time", SimpleNamespace(time=lambda: 1_790_000_000))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """All that a folder of logs may hold: what is wrong, what is there twice, what is of tomorrow, what is no log."""
    folder = tmp_path / "logs"
    folder.mkdir()
    told = quiet(20) + quiet(20, "other-worker") + raid()
    half = len(told) // 2
    files = {
        "0.ndjson": lines(told[:half]) + b"not json\n" * 150,
        "1.json.gz": gzip.compress(orjson.dumps({"Records": told[half:]})),
        "2.ndjson": lines(told[:10]),  # all of it was there before
        "3.ndjson": lines([*told[half : half + 5], *quiet(3, "third")]),  # some of it was
        "4.ndjson": lines([{"a": "record"}, *quiet(2, "fourth"), record(40_000, "10:00")]) + b'{"cut',
        "5.ndjson": lines([{**record(TODAY, "15:00", role="fourth"), "eventTime": ""}]) * 101,
        "6.parquet.json": b"\x00\x01binary",
        "7.txt": b"no log at all",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def scored(tmp_path: Path, paths: list[str], workers: int, runs: int = 1) -> dict[str, Any]:
    """All that a run leaves behind, but how long it took."""
    out = tmp_path / f"out-{workers}"
    shutil.rmtree(out, ignore_errors=True)
    job = Job(paths, out, out / "state.sqlite", budget=1000, workers=workers)
    moved: list[int] = []
    for _ in range(runs):
        told = jobs.score(job, moved.append).run
    kept = {name: (out / name).read_bytes() for name in WRITTEN}
    run = {name: value for name, value in told.items() if name != "seconds"}
    return {**kept, "run": run, "state": rows(out / "state.sqlite"), "files": rows(out / "files.sqlite"),
            "read": sum(moved)}  # fmt: skip


def rows(path: Path) -> dict[str, list[tuple[str, Any]]]:
    store = SqliteStore(path)
    found: dict[str, list[tuple[str, Any]]] = {table: list(store.scan(table, "", "\U0010ffff")) for table in TABLES}
    store.close()
    found["day"] = [(key, to_row(day_rows.unpack(row))) for key, row in found["day"]]  # its marks stand in no order
    return found


@pytest.mark.parametrize("workers", [2, 3])
def test_what_comes_of_a_folder_is_the_same(
    logs: Path, tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "SLICE", 1)  # a file each
    one, several = (scored(tmp_path, [str(logs)], number) for number in (1, workers))
    assert one["run"]["duplicates"] == 15
    assert one["run"]["rejected"] == {"not_json": 152, "unknown_source": 1, "ahead": 1, "no_time": 101}
    assert several == one
    assert one["run"]["notables"] > 0


def test_a_second_run_over_the_same_folder_counts_nothing_twice(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "SLICE", 1)
    (logs / "3.ndjson").unlink()
    one, several = (scored(tmp_path, [str(logs)], number, runs=2) for number in (1, 2))
    assert one["run"]["events"] == 0
    assert several == one


def test_real_logs_are_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "SLICE", 200_000)
    paths = [str(shared_data(f"cloudtrail/{name}")) for name in ("invictus", "console")]
    assert scored(tmp_path, paths, 2) == scored(tmp_path, paths, 1)


def test_standard_input_is_read_in_its_place(logs: Path, tmp_path: Path) -> None:
    told = []
    for workers in ("1", "2"):
        out = tmp_path / workers
        command = [sys.executable, "-m", "nhi_watch.cli", "score", str(logs / "0.ndjson"), "-", str(logs / "2.ndjson"),
                   "--out", str(out), "--workers", workers, "--json"]  # fmt: skip
        ended = subprocess.run(command, input=lines(raid()), capture_output=True, check=True)
        run = json.loads(ended.stdout)
        told.append((run["parsed"], run["duplicates"], run["rejected"], (out / "rejects.jsonl").read_bytes()))
    assert told[0] == told[1]


def test_a_process_that_dies_ends_the_run_and_leaves_nothing_half_written(logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for number in range(40):
        (logs / f"8{number}.ndjson").write_bytes(lines(quiet(20, f"role-{number}")))

    def kill(count: int) -> None:
        for child in multiprocessing.active_children():
            with suppress(ProcessLookupError):  # the pool ends them, too, once it knows
                os.kill(child.pid or 0, signal.SIGKILL)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(InputError, match="a process that reads died"):
        patch.setattr(gathering, "SLICE", 1)
        jobs.score(Job([str(logs)], out, out / "state.sqlite", workers=2), kill)
    assert [path.name for path in out.iterdir() if not path.name.startswith("state.sqlite")] == []
    assert not any(held for held in rows(out / "state.sqlite").values())


def test_a_run_that_is_stopped_leaves_no_process_behind(logs: Path, tmp_path: Path) -> None:
    def stop(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jobs.score(Job([str(logs)], tmp_path, None, workers=2), stop)
    assert multiprocessing.active_children() == []


HOLD = """
import sys, time
from contextlib import suppress
from pathlib import Path
from nhi_watch.hosts.files import jobs

if __name__ == "__main__":
    job = jobs.Job(sys.argv[2:], Path(sys.argv[1]), None, workers=2)
    jobs.score(job, lambda count: (print("reading", flush=True), time.sleep(60)))
"""


def test_the_readers_end_with_a_run_that_is_killed(tmp_path: Path) -> None:
    need(Path("/proc/self/stat").exists(), "needs /proc")
    (tmp_path / "logs.ndjson").write_bytes(lines(quiet(2)))
    script = tmp_path / "hold.py"
    script.write_text(HOLD)
    command = [sys.executable, str(script), str(tmp_path / "out"), str(tmp_path / "logs.ndjson")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"reading\n"
        readers = children(run.pid)
        run.kill()
    assert readers
    for _ in range(300):
        if not any(Path(f"/proc/{pid}").exists() for pid in readers):
            return
        time.sleep(0.1)
    pytest.fail("a reader outlived its run")


def children(pid: int) -> list[str]:
    """The processes that a process started."""
    return [path.parent.name for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == str(pid)]


def _parent(path: Path) -> str:
    try:
        return path.read_text().rpartition(") ")[2].split()[1]
    except OSError:
        return ""


@pytest.mark.parametrize("number", ["0", "-1", "two", "61", "9" * 5000])
def test_a_number_that_is_none_is_refused(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["score", "x", f"--workers={number}"])
    assert ended.value.code == 2
    assert "a whole number from 1 to 60" in capsys.readouterr().err


# ---- joining


def part(records: Records) -> Part:
    intake = Intake(sources.every(), known=lambda name, day: True)
    intake.feed(records)
    return intake.days.part()


def counted(given: days.Days) -> list[Any]:
    return [to_row(whole) for _, wholes in sorted(given.items()) for _, whole in sorted(wholes.items())]


def test_what_is_partly_here_is_not_taken_in() -> None:
    intake = Intake(sources.every())
    intake.feed(quiet(2))
    before = counted(intake.days), intake.days.parsed
    assert not intake.days.join(part([quiet(2)[0], record(TODAY - 1, "20:00")]))
    assert (counted(intake.days), intake.days.parsed) == before


def test_so_many_newcomers_that_some_are_folded_are_not_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = [record(TODAY, "10:00", role=f"role-{number}") for number in range(4)]
    intake = Intake(sources.every())
    monkeypatch.setattr(days, "NEWCOMERS", 3)
    assert not intake.days.join(part(crowd))
    assert intake.days.join(part(crowd[:3]))


def test_the_behaviours_of_a_busy_day_are_bounded_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behaviour, "BEHAVIOURS", 5)
    calls = [record(TODAY, f"{hour:02}:{minute}", name=f"Get{number}", id=f"{number}-{hour}-{minute}")
             for number in range(9) for hour in (8, 9) for minute in (10, 50)]  # fmt: skip
    whole, joined = Intake(sources.every()), Intake(sources.every())
    whole.feed(calls)
    for start in range(3):
        assert joined.days.join(part(calls[start::3]))
    assert counted(joined.days) == counted(whole.days)
