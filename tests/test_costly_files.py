"""What one file may cost is bounded by its size: some kilobytes end no run, and keep no other file from being read."""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nhi_watch.hosts.files import reader
from nhi_watch.hosts.files.reader.chunks import Chunks
from nhi_watch.intake.shapes.json import VALUES
from test_attacker import HISTORY, lines
from test_pipeline import raid

MEMORY = 1_000_000_000
SIZE = 15_000_000


def deep(width: int = 1_000) -> bytes:
    return b"[" * width + b"]" * width


def repeated(begin: bytes, part: bytes, end: bytes, size: int = SIZE) -> bytes:
    return begin + part * (size // len(part)) + end


COSTLY: dict[str, Callable[[], bytes]] = {
    "many empty lists": lambda: repeated(b"[", b"[],", b"[]]"),
    "many empty records": lambda: repeated(b'{"Records":[', b"{},", b"{}]}"),
    "many small objects in a line": lambda: repeated(b'{"a":[', b'{"":{}},', b"{}]}"),
    "many small objects over lines": lambda: repeated(b'{\n"a":[', b'{"":{}},', b"{}]}"),
    "deep lists": lambda: repeated(b"[", deep() + b",", b"[]]"),
    "one long string": lambda: repeated(b'{"a":"', b"x", b'"}', 200_000_000),
    "empty records": lambda: b"{}\n" * 20_000_000,
    "brackets that open": lambda: b"[\n" * 8_000_000,
    "a string of backslashes": lambda: repeated(b'{"Records":[{"a":"', b"\\", b'"}]}', 16_000_000),
    "backslashes without an end": lambda: repeated(b'[{"a":"', b"\\", b"", 16_000_000),
    "text in text": lambda: json.dumps({"_raw": "[" + "[]," * 5_000_000 + "[]]"}).encode(),
    "blank lines before a word": lambda: b"\n" * 4_000_000 + b"word\n",
    "packed twice": lambda: gzip.compress(b"{}\n" * 20_000_000, 1),
    "a table's endless row": lambda: b"_raw,_time\n" + b'"\n",' * 5_000_000,
    "a table's endless row of cells": lambda: b"_raw,_time\n" + b'"\nab",' * 12_000_000,
    "a table's many cells": lambda: b"_raw,_time\n" + b"ab," * 5_000_000,
    "auditd's long lines": lambda: b"".join(
        b"type=PATH msg=audit(1604994496.155:%d): x=" % n + b"x" * 3_000_000 + b"\n" for n in range(64)
    ),
}


@pytest.mark.parametrize("what", COSTLY)
def test_a_costly_file_ends_no_run_and_hides_no_other_file(what: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    name = "a.csv.gz" if "table" in what else "a.json.gz"
    (log / name).write_bytes(gzip.compress(COSTLY[what](), 6))
    assert (log / name).stat().st_size < 300_000
    (log / "b.json").write_text("\n".join([*HISTORY, *lines(raid())]))
    program = f"""import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
from nhi_watch import cli
sys.exit(cli.main(["score", {str(log)!r}, "--out", {str(tmp_path / "out")!r}]))"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode in (0, 2), done.stderr[-2_000:]
    assert after.ru_utime - before.ru_utime < 100
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (done.returncode == 2) == (run["failed"]["files"] > 0), "a scheduler hears of a file that gave nothing"
    named = [item["file"] for item in run["passed_over"]["named"]]
    assert (run["passed_over"]["may_matter"] == 1 and name in named[0]) or sum(run["rejected"].values()) > 0
    notables = [json.loads(line) for line in (tmp_path / "out" / "notables.jsonl").open()]
    assert any(notable["severity"] in ("high", "critical") for notable in notables)


def test_a_file_beyond_its_bounds_is_read_in_part_and_told_so(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b'{"a":1}\n' * 400_000))
    batches = list(reader.read([str(path)]))
    read = sum(len(batch.records) for batch in batches)
    [passed] = [passed for batch in batches for passed in batch.passed]
    assert 200_000 < read < 220_000 and passed.may_matter and f"its first {read:,} records" in passed.why
    files = reader.find([str(path)])._replace(bounds=reader.Bounds(3.0))
    assert sum(len(batch.records) for batch in reader.read_files(files)) == 400_000


def test_a_wide_record_is_refused_and_the_next_one_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'{"a":[' + b"0," * VALUES + b'0]}\n{"b":1}\n')
    batches = list(reader.read([str(path)]))
    assert [bad.reason for batch in batches for bad in batch.bad] == ["too_wide"]
    assert [record for batch in batches for record in batch.records] == [{"b": 1}]


def test_a_row_without_an_end_is_given_up_and_the_next_one_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"_raw,_time\n" + b'"\nab",' * (VALUES + 10) + b"\nfirst,1\nsecond,2\n")
    batches = list(reader.read([str(path)]))
    wrong = [bad for batch in batches for bad in batch.bad]
    assert wrong[0].reason == "no_row" and f"{VALUES:,} cells" in wrong[0].detail
    assert [record for batch in batches for record in batch.records][-1] == {"_raw": "second", "_time": "2"}


@pytest.mark.parametrize("name", ["a.log", "a.json", "a"])
@pytest.mark.parametrize("blank", [b"\n", b" \n", b"\r\n\0\n"])
def test_blank_lines_before_a_file_begins_take_time_by_their_number(name: str, blank: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(blank * 40_000 + b"word\n")
    before = time.process_time()
    list(reader.read([str(tmp_path)]))
    assert time.process_time() - before < 5


def test_a_gzip_of_one_byte_members_takes_time_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b'{\n "a') + gzip.compress(b"x", mtime=0) * 80_000)
    before = time.process_time()
    batches = list(reader.read([str(path)]))
    assert time.process_time() - before < 15
    with path.open("rb") as file:
        assert len(list(Chunks(file))) < 10, "each part costs its reader something"
    assert [bad.reason for batch in batches for bad in batch.bad] == ["cut_off"]


def test_the_bounds_are_looked_at_before_a_document_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(repeated(b'{\n"Records":[', b'{"a":1},', b"{}]}", 1_000_000))
    files = reader.find([str(path)])._replace(bounds=reader.Bounds(1e-9))
    batches = list(reader.read_files(files))
    assert not any(batch.records for batch in batches)
    assert ["its first 0 records" in passed.why for batch in batches for passed in batch.passed] == [True]
