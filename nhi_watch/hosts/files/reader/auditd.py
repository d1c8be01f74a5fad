"""auditd's own text files: the lines of one event, which may be mingled with another's, become one record.

Lines belong together when their `msg=audit(time:serial)` (and node) is the same. An event is over at its EOE line, or
when many later ones have begun. The record is what Splunk would hold: `{"_raw": lines}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nhi_watch.hosts.files.reader.batch import BOM, Batch, Where, bad
from nhi_watch.hosts.files.reader.chunks import Chunks
from nhi_watch.hosts.files.reader.lines import split

_OPEN = 64
"""Events that may be under way at once."""
_LINES = 200
"""Lines that are kept of one event."""
_LONGEST = 16 * 1024
"""Bytes of a line: the kernel writes at most 8,970."""
_STAMP = re.compile(rb"(?:node=(\S{1,255}) )?type=([A-Z_0-9]{1,40}) msg=audit\((\d{1,12}\.\d{1,9}:\d{1,20})\)")
_DETAIL = "a line without msg=audit(time:serial) in a file of auditd's"

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
    consumed, line = 0, 1
    under_way: dict[tuple[bytes, bytes], _Event] = {}
    tail = b""
    for lines, tail, too_long in split(parts):
        batch = Batch(file, 1, [], [], [], chunks.consumed - consumed, [])
        consumed = chunks.consumed
        for raw in lines:
            _take(batch, under_way, line, raw)
            line += 1
        if too_long:
            batch.bad.append(bad(Where(file, line), "line_too_long", tail, f"a line of {too_long} bytes", too_long))
            line, tail = line + 1, b""
        yield batch
    last = Batch(file, 1, [], [], [], chunks.consumed - consumed, [])
    _take(last, under_way, line, b"" if chunks.grew() else tail)
    for key in list(under_way):
        _close(last, under_way, key)
    if chunks.damage:
        last.bad.append(bad(Where(file, line), chunks.damage[0], b"", chunks.damage[1]))
    yield last


def _take(batch: Batch, under_way: dict[tuple[bytes, bytes], _Event], line: int, raw: bytes) -> None:
    match = _STAMP.match(raw)
    if len(raw) > _LONGEST:
        told = f"a line of {len(raw)} bytes; auditd's have at most {_LONGEST}"
        batch.bad.append(bad(Where(batch.file, line), "line_too_long", raw, told))
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
    whole = b"\n".join(lines)
    batch.records.append({"_raw": whole.decode("utf-8", "replace")})
    batch.lines.append(line)
    batch.pieces.append(whole)
