"""Reading logs: every layout, and everything that can be wrong with a file."""

from __future__ import annotations

import gzip
import io
import os
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from need import shared_data

from nhi_watch.errors import InputError
from nhi_watch.stores.files import RAW_LIMIT, Batch, read, size

RECORDS = [{"eventID": str(number), "text": 'quote " brace } ] ü'} for number in range(1, 6)]
LINES = [orjson.dumps(record) for record in RECORDS]
PRETTY = [orjson.dumps(record, option=orjson.OPT_INDENT_2) for record in RECORDS]
DOCUMENT = b'{"Records":[' + b",".join(LINES) + b"]}"


def records(*paths: Path | str) -> list[object]:
    return [record for batch in read([str(path) for path in paths]) for record in batch.records]


def bads(*paths: Path | str) -> list[tuple[int, str, bytes]]:
    found = [piece for batch in read([str(path) for path in paths]) for piece in batch.bad]
    return [(piece.line, piece.reason, piece.raw) for piece in found]


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


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_can_be_larger_than_any_buffer(tmp_path: Path, layout: str) -> None:
    large = [orjson.dumps({"eventID": str(number), "pad": "}{\\\"" * 40_000}) for number in range(1, 60)]
    joined = LAYOUTS[layout]
    for line, more in ((LINES[2], large),):
        between = b"," if b"," + line in joined else b" , " if b" , " + line in joined else b"\n"
        if "pretty" in layout or "documents" in layout or "array" in layout or "Records" in layout:
            continue
        joined = joined.replace(line, line + b"\n" + b"\n".join(more) + b"\n")
        assert between
    path = put(tmp_path / "x", joined)
    extra = [orjson.loads(line) for line in large] if joined != LAYOUTS[layout] else []
    assert records(path) == RECORDS[:3] + extra + RECORDS[3:]
