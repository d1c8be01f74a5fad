"""Files read line by line: one JSON value a line, as fast as orjson can; auditd's own; tables with a header."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import repeat
from operator import contains
from typing import Union

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
from nhi_watch.intake.shapes.json import VALUES, is_wide

LINE_LIMIT = 16 * 1024 * 1024
"""Bytes that one record may have: the largest that CloudTrail writes is 256 KiB."""


def read_lines(file: str, chunks: Chunks, parts: Iterator[bytes]) -> Iterator[Batch]:
    """Batches of a file with one value a line, which `parts` holds."""
    return _by_lines(file, chunks, parts, partial(_parse, file))


def _by_lines(
    file: str, chunks: Chunks, parts: Iterator[bytes], make: Callable[[int, list[bytes], int], Batch]
) -> Iterator[Batch]:
    """Batches of what `make` makes of lines, the number of their first one, and the bytes that were read for them."""
    consumed, line, tail = 0, 1, b""
    for lines, tail, too_long in split(parts):
        batch = make(line, lines, chunks.consumed - consumed)
        consumed = chunks.consumed
        line += len(lines)
        if too_long:
            detail = f"a line of {too_long} bytes; a record may have {LINE_LIMIT}"
            batch.bad.append(bad(Where(file, line), "line_too_long", tail, detail, too_long))
            line, tail = line + 1, b""
        yield batch
    last = make(line, [b"" if chunks.grew() else tail], chunks.consumed - consumed)  # else half a line
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


# ---- auditd's own text files: lines of one event, which may be mingled with another's, become one record
# Lines belong together when their `msg=audit(time:serial)` (and node) is the same. An event is over at its EOE line, or
# when many later ones have begun. The record is what Splunk would hold: `{"_raw": lines}`.


_OPEN = 64
"""Events that may be under way at once."""
_LINES = 200
"""Lines that are kept of one event."""
_LONGEST = 16 * 1024
"""Bytes of a line: the kernel writes at most 8,970."""
_STAMP = re.compile(rb"(?:node=(\S{1,255}) )?type=([A-Z_0-9]{1,40}) msg=audit\((\d{1,12}\.\d{1,9}:\d{1,20})\)")
_DETAIL = "a line without msg=audit(time:serial) in an auditd file"

_Event = tuple[int, list[bytes]]
"""Number of the first line, and the lines."""


def is_auditd(head: bytes) -> bool:
    """Whether a file that begins so is auditd's.

    >>> is_auditd(b"type=SYSCALL msg=audit(1604994496.155:92733): arch=c000003e"), is_auditd(b'{"type": 1}')
    (True, False)
    """
    return _STAMP.match(head[len(BOM) :].lstrip() if head.startswith(BOM) else head.lstrip()) is not None


def read_auditd(file: str, chunks: Chunks, parts: Iterator[bytes]) -> Iterator[Batch]:
    """Batches of a file of auditd's lines, one record an event."""
    under_way: dict[tuple[bytes, bytes], _Event] = {}

    def make(line: int, lines: list[bytes], read: int) -> Batch:
        batch = Batch(file, 1, [], [], [], read, [])
        for number, raw in enumerate(lines, line):
            _take(batch, under_way, number, raw)
        return batch

    yield from _by_lines(file, chunks, parts, make)
    last = make(0, [], 0)
    for key in list(under_way):
        _close(last, under_way, key)
    yield last


def _take(batch: Batch, under_way: dict[tuple[bytes, bytes], _Event], line: int, raw: bytes) -> None:
    match = _STAMP.match(raw)
    if len(raw) > _LONGEST:
        text = f"a line of {len(raw)} bytes; auditd's have at most {_LONGEST}"
        batch.bad.append(bad(Where(batch.file, line), "line_too_long", raw, text))
        return
    if match is None:
        if raw.strip() not in (b"", BOM):
            batch.bad.append(bad(Where(batch.file, line), "not_auditd", raw, _DETAIL))
        return
    key = (match[1] or b"", match[3])
    event = under_way.get(key)
    if event is None:
        if len(under_way) >= _OPEN:
            _close(batch, under_way, next(iter(under_way)))
        event = under_way[key] = (line, [])
    if len(event[1]) < _LINES:
        event[1].append(raw)
    if match[2] == b"EOE":
        _close(batch, under_way, key)


def _close(batch: Batch, under_way: dict[tuple[bytes, bytes], _Event], key: tuple[bytes, bytes]) -> None:
    assert batch.lines is not None and batch.pieces is not None
    line, lines = under_way.pop(key)
    text = b"\n".join(lines)
    batch.records.append({"_raw": text.decode("utf-8", "replace")})
    batch.lines.append(line)
    batch.pieces.append(text)


# ---- tables with a header, as Splunk, Kibana and Log Analytics export them (CSV): one record a row
# Read are those whose header names what only exports of logs have; any other table is reported as no log.


MARKS = frozenset({"_raw", "@timestamp", "TimeGenerated"})
"""Of which a header has one: Splunk's, Kibana's, Log Analytics' (whose portal writes the time zone behind it)."""
_ROWS = 1000


def is_table(head: bytes) -> bool:
    """Whether a file begins with such a header.

    >>> is_table(b'"TimeGenerated [UTC]",Type\\n'), is_table(b"name,owner\\n"), is_table(b'{"_raw": "a,b"}\\n')
    (True, False, False)
    """
    start = head.removeprefix(BOM)
    if start.lstrip()[:1] in (b"{", b"["):  # JSON, whose first line may be a megabyte
        return False
    first = start.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    try:
        names = next(csv.reader([first]), []) if "," in first[:LINE_LIMIT] else []
    except csv.Error:  # as of a long line of JSON
        return False
    return not MARKS.isdisjoint(name.partition(" [")[0] for name in names)


def read_table(file: str, chunks: Chunks, parts: Iterator[bytes]) -> Iterator[Batch]:
    """Batches of a table's rows; what is no row of its header is reported, and reading continues."""
    csv.field_size_limit(LINE_LIMIT)
    lines = _TableLines(parts)
    rows = csv.reader(lines)
    names = [name.removeprefix("\ufeff") for name in next(rows)]
    consumed, batch = 0, Batch(file, 1, [], [], [], 0)
    for cells in _each(rows, lines):
        if isinstance(cells, csv.Error):
            batch.bad.append(bad(Where(file, rows.line_num), "no_row", b"", f"{cells}; export the table again"))
        else:
            _add(batch, rows.line_num, names, cells)
        if len(batch.records) + len(batch.bad) >= _ROWS:
            yield batch._replace(bytes_read=chunks.consumed - consumed)
            consumed, batch = chunks.consumed, Batch(file, 1, [], [], [], 0)
    if chunks.damage:
        batch.bad.append(bad(Where(file, rows.line_num), chunks.damage[0], b"", chunks.damage[1]))
    yield batch._replace(bytes_read=chunks.consumed - consumed)


class _TableLines:
    """The lines of a table for a reader of rows.

    A quote lets a row go on over any number of lines, all of which the reader holds: one that grows beyond what a
    record may have is given up.
    """

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._lines = _lines(parts)
        self._size = self._cells = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._size += len(line)
        self._cells += line.count(",")
        if self._size > LINE_LIMIT or self._cells > VALUES:
            text = f"a row of more than {self._size - len(line):,} characters or {VALUES:,} cells"
            self.begin_row()
            raise csv.Error(text)
        return line

    def begin_row(self) -> None:
        """What comes next belongs to another row."""
        self._size = self._cells = 0


def _each(rows: Iterator[list[str]], lines: _TableLines) -> Iterator[Union[list[str], csv.Error]]:
    """The rows; of what is none (a quote that is never closed, a bare carriage return) what is wrong."""
    while True:
        lines.begin_row()
        try:
            yield next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield error


def _lines(parts: Iterator[bytes]) -> Iterator[str]:
    """The lines as text; what is no UTF-8, or too long for a record, makes its row a wrong one."""
    tail = b""
    for lines, tail, too_long in split(parts):
        for line in lines:
            yield line.decode("utf-8", "surrogateescape") + "\n"
        if too_long:
            yield f"{too_long}\n"
            tail = b""
    if tail:
        yield tail.decode("utf-8", "surrogateescape")


def _add(batch: Batch, line: int, names: list[str], cells: list[str]) -> None:
    if not cells:
        return  # a blank line
    raw, where = ",".join(cells).encode("utf-8", "surrogateescape"), Where(batch.file, line)
    if any("\udc80" <= letter <= "\udcff" for cell in cells if not cell.isascii() for letter in cell):
        batch.bad.append(bad(where, "invalid_utf8", raw, "not UTF-8; convert the file to UTF-8"))
    elif len(cells) != len(names):
        text = f"a row of {len(cells)} cells under a header of {len(names)}; export the table again"
        batch.bad.append(bad(where, "cut_off", raw, text))
    else:
        assert batch.lines is not None
        batch.records.append({name: cell for name, cell in zip(names, cells) if cell})
        batch.lines.append(line)
