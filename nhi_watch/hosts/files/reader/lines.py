"""One JSON value a line, parsed as fast as orjson can, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from operator import contains

import orjson

from nhi_watch.hosts.files.reader.batch import (
    BOM,
    HOLDERS,
    RAW_LIMIT,
    Batch,
    Where,
    bad,
    loads,
    members,
    refusal,
)
from nhi_watch.hosts.files.reader.chunks import Chunks
from nhi_watch.intake.shapes.json import is_wide

LINE_LIMIT = 16 * 1024 * 1024
"""Bytes that one record may have: the largest that CloudTrail writes is 256 KiB."""


def read_lines(file: str, chunks: Chunks, parts: Iterator[bytes]) -> Iterator[Batch]:
    """Batches of a file with one value a line, which `parts` holds."""
    consumed, line, tail = 0, 1, b""
    for lines, tail, too_long in split(parts):
        batch = _parse(file, line, lines, chunks.consumed - consumed)
        consumed = chunks.consumed
        line += len(lines)
        if too_long:
            detail = f"a line of {too_long} bytes; a record may have {LINE_LIMIT}"
            batch.bad.append(bad(Where(file, line), "line_too_long", tail, detail, too_long))
            line, tail = line + 1, b""
        yield batch
    last = _parse(file, line, [b"" if chunks.grew() else tail], chunks.consumed - consumed)  # else half a line
    if chunks.damage:
        reason, detail = chunks.damage
        lost = b"" if last.records else tail
        last = last._replace(bad=[bad(Where(file, line), reason, lost, detail)])
    yield last


def split(chunks: Iterator[bytes]) -> Iterator[tuple[list[bytes], bytes, int]]:
    """Complete lines, the start of the next one, and that one's length if it was too long and is over."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        ended = chunk.find(b"\n")
        size += len(chunk) if ended < 0 else ended
        parts.append(chunk)
        if size > LINE_LIMIT:
            parts = [b"".join(parts)[:RAW_LIMIT]]
        if ended < 0:
            continue
        if size > LINE_LIMIT:
            yield [], parts[0], size
            parts = [chunk[ended + 1 :]]
        lines = b"".join(parts).split(b"\n")
        tail = lines.pop()
        parts, size = [tail], len(tail)
        yield lines, tail, 0
    yield [], b"".join(parts), size if size > LINE_LIMIT else 0


def _parse(file: str, line: int, lines: list[bytes], read: int) -> Batch:
    if lines and is_wide(lines[0]):  # others are no longer than a chunk
        return _parse_each(file, enumerate(lines, line), read)
    try:
        records = list(map(orjson.loads, lines))
    except orjson.JSONDecodeError:
        return _parse_each(file, enumerate(lines, line), read)
    if set(map(type, records)) != {dict} or any(any(map(contains, records, repeat(name))) for name in HOLDERS):
        return _parse_each(file, enumerate(lines, line), read)
    return Batch(file, line, records, None, [], read, lines)


def _parse_each(file: str, lines: Iterable[tuple[int, bytes]], read: int) -> Batch:
    """As `_parse`, for numbered lines that may be empty, wrong, or documents of many records."""
    batch = Batch(file, 1, [], [], [], read, [])
    for line, raw in lines:
        if raw.strip() not in (b"", BOM):
            add(batch, line, raw)
    return batch


def add(batch: Batch, line: int, raw: bytes, flat: bool = False) -> None:
    """Put the record or records of one piece into a batch that keeps lines and pieces, or else a Bad.

    A `flat` piece is one record even if it looks like a document of many.
    """
    assert batch.lines is not None and batch.pieces is not None
    try:
        value = loads(raw)
    except orjson.JSONDecodeError as error:
        batch.bad.append(refusal(Where(batch.file, line), raw, error))
        return
    inside = None if flat else members(value)
    records = [value] if inside is None else inside
    batch.records.extend(records)
    batch.lines.extend([line] * len(records))
    batch.pieces.extend([raw] if inside is None else [b""] * len(records))
