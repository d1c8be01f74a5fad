"""Reading logs: every layout, and everything that can be wrong with a file."""

from __future__ import annotations

import gzip
import os
import random
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import orjson
import pytest

from need import shared_data
from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files.reader import RAW_LIMIT, read, size

RECORDS = [{"eventID": str(number), "text": 'quote " brace } ] ü'} for number in range(1, 6)]
LINES = [orjson.dumps(record) for record in RECORDS]
PRETTY = [orjson.dumps(record, option=orjson.OPT_INDENT_2) for record in RECORDS]
DOCUMENT = b'{"Records":[' + b",".join(LINES) + b"]}"


def records(*paths: Path | str) -> list[object]:
    return [record for batch in read([str(path) for path in paths]) for record in batch.records]


def bads(*paths: Path | str) -> list[tuple[int, str, bytes]]:
    bad_pieces = [piece for batch in read([str(path) for path in paths]) for piece in batch.bad]
    return [(piece.line, piece.reason, piece.raw) for piece in bad_pieces]


def places(path: Path) -> list[int]:
    return [batch.where(index).line for batch in read([str(path)]) for index in range(len(batch.records))]


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


LAYOUTS = {
    "lines": b"\n".join(LINES) + b"\n",
    "lines without an end": b"\n".join(LINES),
    "lines with CRLF and gaps": b"\r\n\r\n".join(LINES) + b"\r\n \r\n",
    "byte order mark": b"\xef\xbb\xbf" + b"\n".join(LINES),
    "files with marks put together": b"".join(b"\xef\xbb\xbf" + line + b"\n" for line in LINES),
    "Records": DOCUMENT,
    "Records with more keys": b'{"Records":[' + b",".join(LINES) + b'],"x":{"y":[1]}}\n' + b"",
    "pretty Records": orjson.dumps({"Records": RECORDS}, option=orjson.OPT_INDENT_2),
    "Records not first": b'{"x":1,"Records":[' + b",".join(LINES) + b"]}",
    "array": b" [ " + b" , ".join(LINES) + b" ] ",
    "pretty array": orjson.dumps(RECORDS, option=orjson.OPT_INDENT_2),
    "documents by line": b"\n".join(b'{"Records":[' + line + b'],"x":1}' for line in LINES),
    "documents after lines": b"\n".join([LINES[0], b'{"Records":[' + b",".join(LINES[1:]) + b"]}"]),
    "pretty objects": b"\n".join(PRETTY),
    "pretty objects with a mark": b"\xef\xbb\xbf" + b"\n".join(PRETTY),
    "objects on one line": b"".join(LINES),
    "objects with spaces": b"  ".join(LINES),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_records(tmp_path: Path, layout: str, packed: bool) -> None:
    content = LAYOUTS[layout]
    path = put(tmp_path / "x", gzip.compress(content) if packed else content)
    assert records(path) == RECORDS
    assert bads(path) == []


BIG = [{"eventID": str(number), "pad": '}{\\"],' * 20_000} for number in range(90)]
BIG_LAYOUTS = {
    "lines": b"\n".join(map(orjson.dumps, BIG)),
    "Records": orjson.dumps({"Records": BIG}),
    "pretty Records": orjson.dumps({"Records": BIG, "x": [1]}, option=orjson.OPT_INDENT_2),
    "pretty objects": b"\n".join(orjson.dumps(record, option=orjson.OPT_INDENT_2) for record in BIG),
    "one line": b"".join(map(orjson.dumps, BIG)),
    "documents": b"\n".join(orjson.dumps({"Records": [record]}) for record in BIG),
}


@pytest.mark.parametrize("layout", BIG_LAYOUTS)
def test_every_layout_may_be_larger_than_what_is_parsed_at_once(tmp_path: Path, layout: str) -> None:
    path = put(tmp_path / "x", BIG_LAYOUTS[layout])
    assert path.stat().st_size > 8 * 1024 * 1024
    assert records(path) == BIG
    assert bads(path) == []


def test_a_record_is_found_again_by_line_and_bytes(tmp_path: Path) -> None:
    path = put(tmp_path / "x", b"\n" + LINES[0] + b"\nbad\n\n" + LINES[1] + b"\r\n")
    (first, *_) = read([str(path)])
    assert [first.where(index) for index in (0, 1)] == [(str(path), 2), (str(path), 5)]
    assert [first.raw(index) for index in (0, 1)] == [LINES[0], LINES[1] + b"\r"]
    assert places(put(tmp_path / "y", DOCUMENT)) == [1, 2, 3, 4, 5]
    assert places(put(tmp_path / "z", b"\n".join(PRETTY))) == [1, 5, 9, 13, 17]


def test_scalars_are_records_for_the_caller_to_judge(tmp_path: Path) -> None:
    assert records(put(tmp_path / "x", b'{"a":1}\n1\n"x"\nnull\ntrue\n')) == [{"a": 1}, 1, "x", None, True]


BROKEN = {
    "not_json": b"not json",
    "invalid_utf8": b'{"a":"\xff"}',
    "too_deep": b"[" * 5_000 + b"]" * 5_000,
}


@pytest.mark.parametrize("reason", BROKEN)
def test_a_broken_line_costs_only_itself(tmp_path: Path, reason: str) -> None:
    path = put(tmp_path / "x", b"\n".join([LINES[0], BROKEN[reason], LINES[1]]))
    assert records(path) == RECORDS[:2]
    assert bads(path) == [(2, reason, BROKEN[reason])]


@pytest.mark.parametrize("raw", [b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1', b"{'a':1}"])
def test_what_json_does_not_know_is_rejected(tmp_path: Path, raw: bytes) -> None:
    assert bads(put(tmp_path / "x", LINES[0] + b"\n" + raw)) == [(2, "not_json", raw)]


@pytest.mark.parametrize("digits", [b"9" * 500, b"9" * 5_000, b"-" + b"9" * 5_000, b"1e999"])
def test_a_number_beyond_a_double_does_not_hide_its_record(tmp_path: Path, digits: bytes) -> None:
    read_records = records(put(tmp_path / "x", b'{"eventID":"1","n":' + digits + b"}\n" + LINES[1]))
    assert [item["eventID"] for item in read_records if isinstance(item, dict)] == ["1", "2"]


@pytest.mark.parametrize(("rest", "reason"), [(b"[" * 5_000 + b"]" * 5_000, "too_deep"), (b"}", "not_json")])
def test_what_is_wrong_behind_such_a_number_costs_that_line_alone(tmp_path: Path, rest: bytes, reason: str) -> None:
    path = put(tmp_path / "x", LINES[0] + b'\n{"n":1e999,"m":' + rest + b"}\n" + LINES[1])
    assert records(path) == RECORDS[:2]
    assert [(line, why) for line, why, _ in bads(path)] == [(2, reason)]


def test_a_long_first_line_with_a_comma_is_no_table(tmp_path: Path) -> None:
    long = {"text": "x" * 200_000, "more": 1}
    assert records(put(tmp_path / "x", orjson.dumps(long) + b"\n" + LINES[0])) == [long, RECORDS[0]]


@pytest.mark.parametrize("wrong", [b"a\rb,c", b'"' + (b"x" * 1023 + b"\n") * (17 << 10)])
def test_what_is_no_row_of_a_table_costs_that_row_alone(tmp_path: Path, wrong: bytes) -> None:
    path = put(tmp_path / "x.csv", b"_raw,_time\na,1\n" + wrong + b"\nb,2\n")
    read_records = records(path)
    assert (read_records[0], read_records[-1]) == ({"_raw": "a", "_time": "1"}, {"_raw": "b", "_time": "2"})
    assert bads(path)[0][1] == "no_row"


def test_rows_that_are_none_do_not_pile_up(tmp_path: Path) -> None:
    path = put(tmp_path / "x.csv", b"_raw,_time\n" + b"x\n" * 5_000)
    assert max(len(batch.bad) for batch in read([str(path)])) <= 1_000


def test_a_file_in_a_folder_that_is_named_like_standard_input_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "-", LINES[0])
    monkeypatch.chdir(tmp_path)
    assert records(".") == RECORDS[:1]


@pytest.mark.parametrize("raw", [b'{"a":NaN}', b'{"a":"\xff"}', b'{"a" 1}', b'{"a":[}'])
def test_a_broken_member_of_a_document_costs_only_itself(tmp_path: Path, raw: bytes) -> None:
    content = b'{"Records":[' + LINES[0] + b"," + raw + b"," + LINES[1] + b"]}"
    path = put(tmp_path / "x", content)
    read_twice = records(path), bads(path)
    assert [record in read_twice[0] for record in RECORDS[:1]] == [True]
    assert read_twice[1][0][0] == 2
    assert read_twice[1][0][2].startswith(raw)


@pytest.mark.parametrize(
    ("content", "expected", "reasons"),
    [
        (b'{ "a": "1.08"\n, "b": "x"\n}', [{"a": "1.08", "b": "x"}], []),
        (b'{"a": {"b": 1}\n}', [{"a": {"b": 1}}], []),
        (b'[1\n,{"a":2}]', [1, {"a": 2}], []),
        (b'[{"a":1},\n{"E52"": "x"},\n{"l":1}]', [{"a": 1}, {"l": 1}], ["not_json"]),
        (b'{"Records": [{"a":1}}', [{"a": 1}], ["not_json"]),
    ],
    ids=["commas first", "a value on its first line", "a member on its first line", "an odd quote", "closed otherwise"],
)
def test_an_odd_document_loses_what_is_odd_alone(
    content: bytes, expected: list[object], reasons: list[str], tmp_path: Path
) -> None:
    path = put(tmp_path / "x.json", content)
    assert records(path) == expected
    assert [reason for _, reason, _ in bads(path)] == reasons


def test_a_document_that_is_cut_off_gives_its_complete_members(tmp_path: Path) -> None:
    path = put(tmp_path / "x", DOCUMENT[: -len(LINES[4]) + 5])
    assert records(path) == RECORDS[:4]
    assert [(line, reason) for line, reason, _ in bads(path)] == [(5, "cut_off")]


def test_a_line_of_a_hundred_megabytes_is_passed_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.write(LINES[0] + b'\n{"a":"')
        for _ in range(100):
            file.write(b"y" * 1_000_000)
        file.write(b'"}\n' + LINES[1] + b"\n")
    tracemalloc.start()
    batches = list(read([str(path)]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [record for batch in batches for record in batch.records] == RECORDS[:2]
    (piece,) = (piece for batch in batches for piece in batch.bad)
    assert (piece.line, piece.reason, piece.length) == (2, "line_too_long", 100_000_008)
    assert piece.raw == b'{"a":"' + b"y" * (RAW_LIMIT - 6)
    assert peak < 60_000_000


def many() -> list[bytes]:
    generator = random.Random(7)
    return [b'{"id":"%d","pad":"%x"}' % (number, generator.getrandbits(4_000)) for number in range(2_000)]


@pytest.mark.parametrize("document", [False, True])
def test_a_truncated_gzip_is_read_up_to_the_damage(tmp_path: Path, document: bool) -> None:
    lines = many()
    content = b'{"Records":[' + b",".join(lines) + b"]}" if document else b"\n".join(lines)
    packed = gzip.compress(content)
    path = put(tmp_path / "x.gz", packed[: len(packed) // 2])
    read_records = records(path)
    assert 900 < len(read_records) < 1_100
    assert read_records == [orjson.loads(line) for line in lines[: len(read_records)]]
    assert [reason for _, reason, _ in bads(path)] == ["truncated_gzip"]
    assert lines[len(read_records)].startswith(bads(path)[0][2])


def test_a_corrupt_gzip_is_read_up_to_the_damage(tmp_path: Path) -> None:
    lines = many()
    packed = bytearray(gzip.compress(b"\n".join(lines)))
    packed[-8] ^= 0xFF
    path = put(tmp_path / "x.gz", bytes(packed))
    assert records(path) == [orjson.loads(line) for line in lines]
    assert [(reason, raw) for _, reason, raw in bads(path)] == [("corrupt_gzip", b"")]


def test_members_of_a_gzip_and_its_padding_are_read_as_one(tmp_path: Path) -> None:
    content = gzip.compress(LINES[0] + b"\n") + gzip.compress(LINES[1]) + b"\0" * 100
    path = put(tmp_path / "x.gz", content)
    assert (records(path), bads(path)) == (RECORDS[:2], [])


def test_empty_files_and_folders_hold_nothing(tmp_path: Path) -> None:
    put(tmp_path / "x.json", b"")
    put(tmp_path / "y.gz", gzip.compress(b""))
    put(tmp_path / "z.json", b"\xef\xbb\xbf\r\n\n")
    (tmp_path / "folder").mkdir()
    assert list(read([str(tmp_path)])) == []


def test_a_folder_is_read_by_name_and_only_what_looks_like_a_log(tmp_path: Path) -> None:
    put(tmp_path / "b" / "1.json.gz", gzip.compress(LINES[1]))
    put(tmp_path / "a.log", LINES[0])
    put(tmp_path / "c-firehose", LINES[2])
    put(tmp_path / "d.json" / "x.ndjson", LINES[3])
    put(tmp_path / "README.md", b"# no log")
    put(tmp_path / "picture.png", b"\x89PNG\r\n\0\0")
    put(tmp_path / ".hidden.json", LINES[4])
    os.mkfifo(tmp_path / "pipe.json")
    assert (records(tmp_path), bads(tmp_path)) == (RECORDS[:4], [])


def test_a_file_counts_once_however_it_is_reached(tmp_path: Path) -> None:
    path = put(tmp_path / "a.json", LINES[0])
    (tmp_path / "b.json").symlink_to(path)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert records(tmp_path, path) == RECORDS[:1]
    assert size([str(tmp_path), str(path)]) == len(LINES[0])


def test_what_cannot_be_read_is_told_beside_what_can(tmp_path: Path) -> None:
    put(tmp_path / "a.json", LINES[0])
    (tmp_path / "gone.json").symlink_to(tmp_path / "nothing")
    (tmp_path / "self.json").symlink_to(tmp_path / "self.json")
    assert records(tmp_path, tmp_path / "missing") == RECORDS[:1]
    assert bads(tmp_path, tmp_path / "missing") == [(0, "unreadable_file", b"")] * 3


@pytest.mark.parametrize("name", ["", "n" * 300])
def test_a_name_that_no_file_can_have_is_told(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a.json", LINES[0])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="nothing to read"):
        read([name])
    assert records("a.json", name) == RECORDS[:1]


def test_standard_input_that_is_closed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="standard input is closed"):
        read(["-"])


def test_folders_nested_too_deeply_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a.json", LINES[0])
    monkeypatch.chdir(tmp_path)
    for _ in range(1200):
        os.mkdir("d")  # noqa: PTH102 - Path cannot hold what this makes
        os.chdir("d")
    try:
        assert records(tmp_path) == RECORDS[:1]
        assert bads(tmp_path) == [(0, "unreadable_file", b"")]
    finally:
        for _ in range(1200):
            os.chdir("..")
            os.rmdir("d")  # noqa: PTH106


def test_results_inside_the_input_are_no_input(tmp_path: Path) -> None:
    put(tmp_path / "a.json", LINES[0])
    out = put(tmp_path / "out" / "run.json", LINES[1]).parent
    read_again = [record for batch in read([str(tmp_path)], besides=out) for record in batch.records]
    assert read_again == RECORDS[:1]


def test_a_file_without_permission_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a.json", LINES[0]).chmod(0o644)
    put(tmp_path / "b.json", LINES[1]).chmod(0)
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        result = records("a.json", "b.json"), bads("a.json", "b.json")
    finally:
        os.seteuid(user)
    assert result == (RECORDS[:1], [(0, "unreadable_file", b"")])


def test_a_path_that_is_not_there_stops_at_once_when_there_is_no_other(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing to read: .*/no: No such file.*Check the path"):
        read([str(tmp_path / "no")])
    with pytest.raises(InputError, match="no input"):
        read([])


@pytest.mark.parametrize("raw", [b"\x89PNG\r\n\0\0{}\n", '{"a":1}'.encode("utf-16")])
def test_a_binary_file_is_one_reject(tmp_path: Path, raw: bytes) -> None:
    assert bads(put(tmp_path / "x.json", raw)) == [(0, "binary_file", raw)]


@pytest.mark.parametrize("at", [0, 1, 4])
@pytest.mark.parametrize("nul", [b"\0", b"\0" * 3_000])
def test_nul_bytes_in_a_line_cost_that_line_alone(tmp_path: Path, nul: bytes, at: int) -> None:
    spoilt = LINES[at][:9] + nul + LINES[at][9:]
    path = put(tmp_path / "x.json", b"\n".join([*LINES[:at], spoilt, *LINES[at + 1 :]]))
    assert records(path) == [*RECORDS[:at], *RECORDS[at + 1 :]]
    assert bads(path) == [(at + 1, "not_json", spoilt)]


@pytest.mark.parametrize(
    "half", ["\\ud800", "\\uDFff", "a\\\\\\ud83d", "\\ud800\\ud800", "\\udc00\\ud800", "\\ud800\\n"]
)
def test_half_a_surrogate_pair_does_not_hide_a_record(tmp_path: Path, half: str) -> None:
    line = b'{"eventID":"1","good":"\\ud83d\\ude00 \\\\ud800","agent":"%s"}' % half.encode()
    for path in (put(tmp_path / "a.json", line), put(tmp_path / "b.json", b'{"Records":[%s]}' % line)):
        assert bads(path) == []
        read_record = records(path)[0]
        assert isinstance(read_record, dict) and read_record["good"] == "\U0001f600 \\ud800"
        assert "\ufffd" in read_record["agent"] and read_record["agent"].encode()


def passed(*paths: Path) -> dict[str, tuple[str, bool]]:
    passed = [item for batch in read([str(path) for path in paths]) for item in batch.passed]
    return {Path(item.file).name: (item.why, item.may_matter) for item in passed}


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    secret = put(tmp_path / "elsewhere" / "secret.json", LINES[0])
    put(tmp_path / "logs" / "a.json", LINES[1])
    put(tmp_path / "logs" / "deep" / "b.json", LINES[2])
    (tmp_path / "logs" / "link.json").symlink_to(secret)
    (tmp_path / "logs" / "folder").symlink_to(secret.parent)
    (tmp_path / "logs" / "deep" / "inside.json").symlink_to(tmp_path / "logs" / "a.json")
    assert records(tmp_path / "logs") == RECORDS[1:3]
    why = ("a symbolic link out of the given folder leads here", True)
    assert passed(tmp_path / "logs") == {"secret.json": why, "elsewhere": why}


def test_a_link_that_is_named_is_followed(tmp_path: Path) -> None:
    put(tmp_path / "real" / "a.json", LINES[0])
    (tmp_path / "logs").symlink_to(tmp_path / "real")
    (tmp_path / "a").symlink_to(tmp_path / "real" / "a.json")
    assert records(tmp_path / "logs") == records(tmp_path / "a") == RECORDS[:1]


def test_a_file_that_became_a_link_meanwhile_is_not_opened(tmp_path: Path) -> None:
    path = put(tmp_path / "logs" / "a.json", LINES[0])
    secret = put(tmp_path / "secret.json", LINES[1])
    batches = read([str(tmp_path / "logs")])
    path.unlink()
    path.symlink_to(secret)
    assert [(batch.records, batch.bad[0].reason) for batch in batches] == [([], "unreadable_file")]


UNREAD = {
    "a.zip": b"PK\x03\x04\x14\0\0\0",
    "a.xlsx": b"PK\x03\x04\x14\0\0\0\0[Content_Types].xml",
    "a.evtx": b"ElfFile\0\0\0",
    "a.avro": b"Obj\x01\x04",
    "a.zst": b"\x28\xb5\x2f\xfd\x04",
    "a.xz": b"\xfd7zXZ\0\0",
    "a.tar.gz": gzip.compress(b"x.json".ljust(257, b"\0") + b"ustar\x0000"),
    "a.csv": b"time,user,action,result\n1,2,3,4\n",
    "no_suffix": b'"time","src ip","user.name","x"\r\n1,2,3,4\n',
    "a.xml": b"<Event xmlns='x'></Event>",
    "utf16": '{"a":1}'.encode("utf-16-le"),
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_format_that_is_not_read_is_named_with_what_to_do(tmp_path: Path, name: str) -> None:
    path = put(tmp_path / "logs" / name, UNREAD[name])
    why, may_matter = passed(path.parent)[name]
    assert may_matter and any(word in why for word in ("unpack", "decompress", "convert", "export"))
    bad_pieces = [piece for batch in read([str(path)]) for piece in batch.bad]
    assert [(piece.line, piece.detail) for piece in bad_pieces] == [(0, why)]
    assert bad_pieces[0].reason in ("binary_file", "unread_format")


def test_whatever_is_passed_over_is_named(tmp_path: Path) -> None:
    put(tmp_path / "README.md", b"# no log")
    put(tmp_path / "picture.png", b"\x89PNG\r\n\0\0")
    put(tmp_path / ".DS_Store", b"\0\0\0\1Bud1")
    put(tmp_path / "empty", b"")
    os.mkfifo(tmp_path / "pipe.json")
    skipped = passed(tmp_path)
    assert set(skipped) == {"README.md", "picture.png", ".DS_Store", "pipe.json"}
    assert not any(may_matter for _, may_matter in skipped.values())


def test_a_hidden_file_may_hold_records_where_it_looks_like_a_log_and_was_not_given_by_its_name(tmp_path: Path) -> None:
    put(tmp_path / ".2025-03-10.ndjson.gz", gzip.compress(LINES[4]))
    put(tmp_path / ".console" / "part-0000", LINES[4])
    put(tmp_path / ".console" / ".more.json", LINES[4])
    put(tmp_path / ".git" / "HEAD", b"ref: refs/heads/main")
    text = "hidden; name the file itself to read it"
    assert passed(tmp_path) == {".2025-03-10.ndjson.gz": (text, True), ".console": (text, True), ".git": (text, False)}
    skipped = [passed for batch in read([str(tmp_path), str(tmp_path / ".console")]) for passed in batch.passed]
    assert {Path(passed.file).name for passed in skipped} == {".2025-03-10.ndjson.gz", ".git", ".more.json"}


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input_may_be_gzip(packed: bool) -> None:
    code = "from nhi_watch.hosts.files.reader import read\nprint(sum(len(b.records) for b in read(['-'])))"
    content = gzip.compress(DOCUMENT) if packed else DOCUMENT
    done = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, check=True)
    assert done.stdout == b"5\n"


def test_progress_adds_up_to_the_size(tmp_path: Path) -> None:
    put(tmp_path / "a.json", b"\n".join(many()))
    put(tmp_path / "b.json.gz", gzip.compress(b"\n".join(many())))
    put(tmp_path / "c.json", DOCUMENT)
    steps: list[int] = []
    batches = list(read([str(tmp_path)], steps.append))
    assert sum(steps) == size([str(tmp_path)])
    assert sum(len(batch.records) for batch in batches) == 4_005


def test_real_logs_are_read_without_a_reject() -> None:
    folder = shared_data("cloudtrail")
    names = ("boogy.json", "grycap.ndjson", "invictus")
    counts = [len(records(folder / name)) for name in names]
    assert counts[:2] == [1_679, 6_188]
    assert [bads(folder / name) for name in names] == [[], [], []]


@pytest.mark.parametrize("line", ["[", "{", "[{", '{"a":[', '["'])
def test_brackets_that_are_never_closed_are_looked_through_in_bounded_time(tmp_path: Path, line: str) -> None:
    path, began = tmp_path / "a.json", time.process_time()
    path.write_text(f"{line}\n" * 60_000 + '\n{"a":1}\n{"a":2}\n', "utf-8")
    batches = list(read([str(path)]))
    assert [record for batch in batches for record in batch.records][-2:] == [{"a": 1}, {"a": 2}]
    assert sum(len(batch.bad) for batch in batches) >= 1
    assert time.process_time() - began < 60  # once an hour


def test_who_stops_it_is_told_and_sees_how_it_ended(tmp_path: Path) -> None:
    nhi = Path(sys.executable).with_name("nhi")
    with subprocess.Popen(
        [nhi, "score", "-", "--out", tmp_path / "out"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        while not (tmp_path / "out" / "state.sqlite").exists():  # by then it listens, and waits for records
            assert run.poll() is None
            time.sleep(0.05)
        run.send_signal(signal.SIGTERM)
        _, said = run.communicate(timeout=60)
    assert run.returncode == -signal.SIGTERM
    assert "nhi: stopped; the next run does what was not finished" in said
