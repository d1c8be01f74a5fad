"""rejects.jsonl keeps every reject with its bytes."""

from __future__ import annotations

import os
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

import orjson
import pytest

from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.hosts.files.reader import RAW_LIMIT, Bad, Where
from nhi_watch.hosts.files.reader.batch import bad
from nhi_watch.hosts.files.reader.rejects import MAX_ORIGINALS, MOST, Rejects, line_of, redact


def written(path: Path) -> list[Any]:
    return [orjson.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def test_a_reject_is_one_line_with_place_reason_and_original_text(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    with Rejects(path) as rejects:
        rejects.add(Bad("a.json", 3, "not_json", b'{"a":\x1b[31m\n"<b>\x00', 15, "unexpected"))
        no_time = RejectError("no_time", "eventTime is missing")
        rejects.refuse(Where("b.json", 4), no_time, lambda: b'{"b":"\xc3\xbc"}')
        rejects.refuse(Where("b.json", 9), RejectError("no_time"), lambda: b"{}")
        assert not path.exists()
    assert written(path) == [
        {
            "file": "a.json",
            "line": 3,
            "reason": "not_json",
            "detail": "unexpected",
            "raw": '{"a":\x1b[31m\n"<b>\x00',
            "length": 15,
        },
        {
            "file": "b.json",
            "line": 4,
            "reason": "no_time",
            "detail": "eventTime is missing",
            "raw": '{"b":"ü"}',
            "length": 10,
        },
        {"file": "b.json", "line": 9, "reason": "no_time", "detail": "", "raw": "{}", "length": 2},
    ]
    assert rejects.counts == {"not_json": 1, "no_time": 2}
    assert rejects.total == 3


def test_bytes_that_are_no_text_come_back_from_base64() -> None:
    raw = bytes(range(256))
    line = line_of(Bad("a", 1, "invalid_utf8", raw, 256, ""))
    assert "raw" not in line
    assert b64decode(line["raw_base64"]) == raw


def test_raw_is_bounded_and_says_so() -> None:
    line = line_of(Bad("a", 1, "line_too_long", b"y" * (RAW_LIMIT + 5), 99_000_000, ""))
    assert (len(line["raw"]), line["length"], line["truncated"]) == (RAW_LIMIT, 99_000_000, True)


def test_text_that_is_cut_inside_a_character_stays_text() -> None:
    raw = b"z" + "ü".encode() * RAW_LIMIT
    assert line_of(Bad("a", 1, "line_too_long", raw, len(raw), ""))["raw"] == "z" + "ü" * (RAW_LIMIT // 2 - 1)


def test_lone_surrogates_in_names_do_not_break_the_file() -> None:
    assert orjson.dumps(line_of(Bad("a\udcff", 1, "not_json", b"", 0, "\ud800")))


def test_the_first_rejects_of_a_file_and_reason_are_kept_and_the_rest_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    with Rejects(path) as rejects:
        for number in range(MAX_ORIGINALS + 7):
            rejects.refuse(Where("a.json", number + 1), RejectError("not_object"), lambda: b"1")
        rejects.refuse(Where("b.json", 1), RejectError("not_object"), lambda: b"1")
    lines = written(path)
    assert [line["line"] for line in lines] == [*range(1, MAX_ORIGINALS + 1), 1, 0]
    assert (lines[-1]["file"], lines[-1]["reason"], lines[-1]["more"]) == ("a.json", "not_object", 7)
    assert rejects.counts == {"not_object": MAX_ORIGINALS + 8}
    assert rejects.to_json()["rejects_only_counted"] == {"not_object": 7}


def test_long_rejects_of_many_files_cannot_fill_the_disk_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nhi_watch.hosts.files.reader.rejects.ROOM", 10_000)
    with Rejects(tmp_path / "rejects.jsonl") as rejects:
        for number in range(9):
            rejects.add(Bad(f"{number}.json", 1, "not_json", b"x" * 3_000, 3_000, ""))
        rejects.add(Bad("small.json", 1, "cut_off", b"x" * 900, 900, ""))
    assert [line["file"] for line in written(tmp_path / "rejects.jsonl")] == [
        "0.json", "1.json", "2.json", "small.json"]  # fmt: skip
    assert rejects.to_json()["rejects_only_counted"] == {"not_json": 6}


def test_many_files_cannot_fill_the_disk_either(tmp_path: Path) -> None:
    with Rejects(tmp_path / "rejects.jsonl") as rejects:
        for number in range(MOST + 9):
            rejects.add(Bad(f"{number}.json", 1, "not_json", b"x", 1, ""))
    assert len(written(tmp_path / "rejects.jsonl")) == MOST
    assert rejects.to_json()["rejects_only_counted"] == {"not_json": 9}


SECRETS = {
    "ghp_0123456789abcdefABCD": "ghp_0000000000xxxxxxXXXX",
    "Authorization: Bearer abcDEF-123456789": "Authorization: Bearer xxxXXX-000000000",
    "curl -H 'X: Bearer abcDEF-123456789'": "curl -H 'X: Bearer xxxXXX-000000000'",
    r'{"sessionToken":"a\"bC1"}': r'{"sessionToken":"x\"xX0"}',
    r'{"_raw":"{\"password\":\"Pass1\"}"}': r'{"_raw":"{\"password\":\"Xxxx0\"}"}',
    "psql://app:hunter2@db/x": "psql://app:xxxxxx0@db/x",
    "password=Hunter2 user=ann": "password=Xxxxxx0 user=ann",
    "key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": "key xXxxxXXxxXXXX/X0XXXXX/xXxXxxXXXXXXXXXXXX",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE1a\n-----END": "-----BEGIN RSA PRIVATE KEY-----\nXXXX0x\n-----END",
    '{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","eventID":"2f6e-A1"}': (
        '{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","eventID":"2f6e-A1"}'
    ),
    "sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709": "sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709",
}


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_masked_and_keep_their_shape(secret: str) -> None:
    assert line_of(Bad("a", 1, "not_json", secret.encode(), len(secret), ""))["raw"] == SECRETS[secret]


@pytest.mark.parametrize("piece", [b"eyJ", b"token=", b'"secret":"\\"', b"://a:", b"A1b", b"bearer ", b"\\", b"sig='"])
def test_no_text_makes_masking_slow(piece: bytes) -> None:
    text = (piece * RAW_LIMIT)[:RAW_LIMIT]
    started = time.perf_counter()
    assert len(redact(text)) == RAW_LIMIT
    assert time.perf_counter() - started < 1


def test_only_the_owner_may_read_rejects(tmp_path: Path) -> None:
    with Rejects(tmp_path / "rejects.jsonl"):
        assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]
    assert (tmp_path / "rejects.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_planted_link_is_not_written_through(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    out = tmp_path / "out"
    out.mkdir()
    for name in (".rejects.jsonl.part", "rejects.jsonl"):
        (out / name).symlink_to(precious)
    with Rejects(out / "rejects.jsonl") as rejects:
        rejects.add(Bad("a.json", 1, "not_json", b"x", 1, ""))
    assert precious.read_bytes() == b"mine"
    assert not (out / "rejects.jsonl").is_symlink()


def test_without_rejects_the_file_is_there_and_empty(tmp_path: Path) -> None:
    with Rejects(tmp_path / "rejects.jsonl"):
        pass
    assert (tmp_path / "rejects.jsonl").read_bytes() == b""


def test_an_error_leaves_the_file_of_the_last_run(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), Rejects(path):
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rejects\.jsonl: cannot write rejects \(No such file.*--out"):
        Rejects(tmp_path / "none" / "rejects.jsonl").__enter__()


def test_a_full_disk_is_told_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    refused = pytest.raises(InputError, match=r"rejects\.jsonl: cannot write rejects \(No space left")
    with refused, Rejects(tmp_path / "rejects.jsonl") as rejects, Path("/dev/full").open("wb", buffering=0) as full:
        rejects._file = full
        rejects.add(bad(Where("a.json", 1), "not_json", b"x", "wrong"))
    assert list(tmp_path.iterdir()) == []


def test_what_killed_runs_left_is_swept_up(tmp_path: Path) -> None:
    old, new, other = (tmp_path / name for name in (".rejects.jsonl.abcdefgh", ".rejects.jsonl.12345678", ".x.jsonl.a"))
    for path in (old, new, other):
        path.touch()
    for path in (old, other):
        os.utime(path, (0, 0))
    with Rejects(tmp_path / "rejects.jsonl"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {new.name, other.name, "rejects.jsonl"}
