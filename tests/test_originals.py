"""The raw records behind the notables, with file and line; and the searches that find them again."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core_samples import TODAY, record
from need import need
from nhi_watch import cli
from nhi_watch.hosts.files import originals
from nhi_watch.hosts.files.reader.chunks import Chunks
from nhi_watch.report import jsonlines
from nhi_watch.report.queries import originals_of, queries
from nhi_watch.state.sqlite import SqliteStore
from notable_samples import altered, documents
from splunk_grammar import check
from splunk_search import matcher

THEFT = {"address": "185.220.101.4", "service": "iam", "name": "CreateAccessKey", "agent": "aws-cli/2.15.30 x"}


def trail() -> list[Any]:
    """Two weeks of a quiet role, and a theft on the last day; one record holds a secret."""
    quiet = [record(day, f"{hour:02d}:10") for day in range(TODAY - 14, TODAY + 1) for hour in range(8, 18)]
    secret = {"requestParameters": {"password": "Hunter2!!"}}
    unusual = [record(TODAY, f"12:{minute:02d}", **secret, **THEFT) for minute in range(6)]
    return [*quiet, *unusual]


def as_lines(records: list[Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


FORMS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "day.jsonl": as_lines,
    "day.jsonl.gz": lambda records: gzip.compress(as_lines(records)),
    "day.json": lambda records: json.dumps({"Records": records}).encode(),
    "pretty.json": lambda records: "\n".join(json.dumps(record, indent=1) for record in records).encode(),
    "dirty.jsonl": lambda records: b"\nnot json\n" + as_lines(records),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_layout_of_a_file_gives_place_and_masked_bytes(tmp_path: Path, name: str) -> None:
    path, out = tmp_path / name, tmp_path / "out"
    path.write_bytes(FORMS[name](trail()))
    assert cli.main(["score", str(path), "--out", str(out)]) == 0
    wanted = {item["eventID"]: number for number, item in enumerate(trail()) if item["eventName"] == "CreateAccessKey"}
    by_id = {event["id"]: event for event in jsonlines.read(out / originals.NAME) if event["id"] in wanted}
    assert by_id.keys() == wanted.keys()
    for ident, event in by_id.items():
        text = json.loads(event["raw"])
        assert (text["eventID"], text["requestParameters"]["password"]) == (ident, "Xxxxxx0!!")
        assert event["file"] == str(path)
        if name != "pretty.json":
            assert event["line"] == wanted[ident] + (3 if name == "dirty.jsonl" else 1)


def test_what_an_earlier_run_read_is_kept_while_a_notable_points_to_it(tmp_path: Path) -> None:
    out, first, second = tmp_path / "out", tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    first.write_bytes(as_lines(trail()))
    second.write_bytes(as_lines([record(TODAY, "13:00", **THEFT)]))
    assert cli.main(["score", str(first), "--out", str(out)]) == 0
    first.unlink()
    assert cli.main(["score", str(second), "--out", str(out)]) == 0
    files = {event["file"] for event in jsonlines.read(out / originals.NAME)}
    assert files == {str(first), str(second)}


def test_a_later_run_finds_what_an_earlier_one_read_or_says_why_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, out = tmp_path / "1.jsonl", tmp_path / "2.jsonl", tmp_path / "out"
    state = tmp_path / "state.sqlite"
    first.write_bytes(as_lines(trail()))
    assert cli.main(["score", str(first), "--out", str(tmp_path / "other"), "--state", str(state)]) == 0

    def text(minute: int) -> Any:
        """What a run over one more record keeps of the day's first odd one, which another folder has."""
        second.write_bytes(as_lines([record(TODAY, f"13:{minute:02d}", **THEFT)]))
        assert cli.main(["score", str(second), "--out", str(out), "--state", str(state)]) == 0
        wanted = next(item["eventID"] for item in trail() if item["eventName"] == "CreateAccessKey")
        return next(event for event in jsonlines.read(out / originals.NAME) if event["id"] == wanted)

    result = text(0)
    assert (result["file"], result["line"]) == (str(first), len(trail()) - 5)
    assert json.loads(result["raw"])["requestParameters"]["password"] == "Xxxxxx0!!"
    assert b"Hunter2" not in (tmp_path / originals.FILES).read_bytes()
    (out / originals.NAME).unlink()
    first.write_bytes(first.read_bytes() + b"\n")
    assert (text(1)["raw"], text(2)["lost"]) == ("", "it has changed since it was read")
    first.unlink()
    assert text(3)["lost"] == "it is no longer there"
    capsys.readouterr()
    assert cli.main(["explain", "1", "--out", str(out), "--state", str(state)]) == 0
    assert joined(f"({first}: it is no longer there)") in joined(capsys.readouterr().out)


def joined(text: str) -> str:
    """A text without the blanks and line ends at which a terminal may have wrapped it."""
    return "".join(text.split())


def test_a_run_that_learns_nothing_finds_what_an_earlier_one_read(tmp_path: Path) -> None:
    first, second, out = tmp_path / "1.jsonl", tmp_path / "2.jsonl", tmp_path / "out"
    state = tmp_path / "state.sqlite"
    first.write_bytes(as_lines(trail()))
    second.write_bytes(as_lines([record(TODAY, "13:00", **THEFT)]))
    assert cli.main(["score", str(first), "--out", str(tmp_path / "other"), "--state", str(state)]) == 0
    assert cli.main(["score", str(second), "--out", str(out), "--state", str(state), "--no-learn"]) == 0
    assert str(first) in {event["file"] for event in jsonlines.read(out / originals.NAME)}


def rewritten(path: Path) -> None:
    """Other bytes of the same length, with the same times as before as far as a writer can choose them."""
    status = path.stat()
    with path.open("r+b") as file:
        raw = file.read().replace(b"185.220.101.4", b"185.220.101.5")
        file.seek(0)
        file.write(raw)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(as_lines([record(TODAY, "14:00")]))


@pytest.mark.parametrize(("change", "kept"), [(rewritten, False), (grown, True), (Path.unlink, False)])
def test_what_is_no_longer_what_was_judged_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], kept: bool
) -> None:
    """A file changes after it was read, before the records behind the notables are read again."""
    path, out, renew = tmp_path / "1.jsonl", tmp_path / "out", originals.renew
    path.write_bytes(as_lines(trail()))

    def late(*text: Any) -> Any:
        change(path)
        return renew(*text)

    monkeypatch.setattr(originals, "renew", late)
    assert cli.main(["score", str(path), "--out", str(out)]) == 0
    events = [*jsonlines.read(out / originals.NAME)]
    assert b"185.220.101.5" not in (out / originals.NAME).read_bytes()
    if change is not Path.unlink:
        assert {not event.get("lost") for event in events} == {kept}


def test_a_file_that_was_rewritten_during_the_run_is_not_known_to_later_ones(tmp_path: Path) -> None:
    path, state = tmp_path / "1.jsonl", tmp_path / "state.sqlite"
    path.write_bytes(as_lines(trail()))
    assert cli.main(["score", str(path), "--out", str(tmp_path / "one"), "--state", str(state)]) == 0
    rewritten(path)
    with originals.of_state(state) as places:
        wanted = {item["eventID"] for item in trail() if item["eventName"] == "CreateAccessKey"}
        assert {event["lost"] for event in places.read(wanted)} == {"it has changed since it was read"}


def test_a_file_that_never_ends_growing_is_read_up_to_where_it_was_and_the_rest_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out, read = tmp_path / "1.jsonl", tmp_path / "out", Chunks._read
    lines = as_lines([record(TODAY - 1, f"{n // 60:02d}:{n % 60:02d}") for n in range(400)])
    path.write_bytes(lines[:-40])

    def growing(chunks: Chunks, size: int) -> bytes:
        """Slower than the log grows, if not for ever."""
        data, now = read(chunks, size), path.stat().st_size
        if now < 3 * len(lines):
            with path.open("ab") as file:
                file.write(as_lines([record(TODAY, "14:00")]) * 200 if now >= len(lines) else lines[-40:])
        return data

    with monkeypatch.context() as patched:
        patched.setattr(Chunks, "_read", growing)
        assert cli.main(["score", str(path), "--out", str(out)]) == 0
    first = json.loads((out / "run.json").read_text())
    assert (first["parsed"], first["rejected"], first["passed_over"]["files"]) == (399, {}, 1)
    assert first["passed_over"]["named"][0]["why"] == "it grew while it was read: the next run reads the rest"
    assert f"{path}: it grew" in capsys.readouterr().err.replace("\n", " ")
    assert cli.main(["score", str(path), "--out", str(out)]) == 0
    second = json.loads((out / "run.json").read_text())
    assert (second["events"], second["rejected"], second["passed_over"]["files"]) == (2, {}, 0)


def test_of_the_oldest_files_nothing_is_kept_where_it_becomes_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(originals, "MOST", 10)
    for day in range(2):
        path = tmp_path / f"{day}.jsonl"
        path.write_bytes(as_lines([record(TODAY + day, f"12:{minute:02d}") for minute in range(6)]))
        assert cli.main(["score", str(path), "--out", str(tmp_path / "out")]) == 0
    store = SqliteStore(tmp_path / "out" / originals.FILES)
    assert list(json.loads(store.get("meta", ["files"])["files"])) == [str(path)]
    assert len(list(store.scan("meta", "files/", "files0"))) == 1
    store.close()


def test_the_first_and_the_last_odd_call_are_kept_however_many_weigh_more() -> None:
    entry = documents()[0]["timeline"][0]
    timeline = [{**entry, "record_id": f"r{n}", "points": 1.6 if n in (0, 99) else 2.0} for n in range(100)]
    assert originals_of(altered({**documents()[0], "timeline": timeline}))[:2] == ["r0", "r99"]


def test_a_record_that_is_too_long_is_cut_and_says_so(tmp_path: Path) -> None:
    out, path = tmp_path / "out", tmp_path / "1.jsonl"
    path.write_bytes(as_lines([{**item, "additionalEventData": {"note": "n" * 20_000}} for item in trail()]))
    assert cli.main(["score", str(path), "--out", str(out)]) == 0
    assert {(event["cut"], len(event["raw"])) for event in jsonlines.read(out / originals.NAME)} == {(True, 8000)}


def test_searches_are_what_splunk_knows_and_end_with_no_quote_of_a_log() -> None:
    notable = altered({**documents()[0], "record_ids": ['a"b', "c\\d", "e'f", "g:response"]})
    searches = dict(queries(notable, [{"raw": "the records: a\"b c\\d e'f and g"}]))
    for spelled in searches.values():
        check(spelled["SPL"])
    assert searches["the records behind it"]["KQL"].endswith('("a\\"b" or "c\\\\d" or "e\'f" or "g")')
    assert searches["everything it did in that time"]["KQL"].endswith('("deploy-bot")')


def test_the_search_for_splunk_finds_the_records() -> None:
    ids = [item["eventID"] for item in trail()]
    spelled = dict(queries(altered({**documents()[0], "record_ids": ids[-3:]})))["the records behind it"]["SPL"]
    words = spelled[spelled.index("(") : spelled.index(")") + 1]
    assert [name for name in ids if matcher(words)({"_raw": [json.dumps({"eventID": name})]})] == ids[-3:]


def test_jq_finds_the_records_in_lines_and_in_documents_compressed_or_not(tmp_path: Path) -> None:
    need(shutil.which("jq"), "needs jq (apt)")
    lines, path, packed = tmp_path / "a b.jsonl", tmp_path / "b.json", tmp_path / "c.jsonl.gz"
    lines.write_bytes(as_lines(trail()))
    path.write_text(json.dumps({"Records": trail()}))
    packed.write_bytes(gzip.compress(as_lines(trail())))
    ids = [item["eventID"] for item in trail()][-3:]
    notable = altered({**documents()[0], "record_ids": [*ids, 'it\'s "none"']})
    assert "gzip -cdf -- FILE… | jq" in dict(queries(notable))["the records behind it"]["jq"]
    events = [{"raw": " ".join(notable["record_ids"]), "file": str(file)} for file in (lines, path, packed, lines)]
    command = dict(queries(notable, events))["the records behind it"]["jq"]
    text = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
    assert [json.loads(line)["eventID"] for line in text.splitlines()] == ids * 3


def test_the_page_of_a_run_with_nothing_new_says_so_and_is_then_kept(tmp_path: Path) -> None:
    path, out = tmp_path / "day.jsonl", tmp_path / "out"
    path.write_bytes(as_lines(trail()))
    pages = []
    for _ in range(3):
        assert cli.main(["score", str(path), "--out", str(out)]) == 0
        pages.append((out / "report.html").stat().st_ino)
        caveat = "all records were scored by an earlier run" in (out / "report.html").read_text("utf-8")
        assert caveat == (len(pages) > 1), "the page says of a run what the terminal says"
    assert pages[1] == pages[2] != pages[0]
