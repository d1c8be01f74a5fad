"""Reads logs from files, folders and standard input, plain or gzip, whatever layout their JSON has.

Every piece of input is delivered once, as a record or as a `Bad`: what a caller counts as read is
always what it parsed plus what it rejected.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from math import inf
from pathlib import Path
from typing import BinaryIO, Optional

from nhi_watch.hosts.codec import use_orjson
from nhi_watch.hosts.files.reader import formats
from nhi_watch.hosts.files.reader.batch import BOM, RAW_LIMIT, Bad, Batch, Passed, Where, bad
from nhi_watch.hosts.files.reader.chunks import Bounds, Chunks, FileVersion
from nhi_watch.hosts.files.reader.documents import is_document, read_document
from nhi_watch.hosts.files.reader.find import STDIN, InputFiles, find, opened, shown, sizes, unreadable
from nhi_watch.hosts.files.reader.lines import LINE_LIMIT, is_auditd, is_table, read_auditd, read_lines, read_table
from nhi_watch.hosts.files.reader.parquet import is_parquet, read_parquet

__all__ = [
    "GREW",
    "RAW_LIMIT",
    "Bad",
    "Batch",
    "Bounds",
    "InputFiles",
    "Passed",
    "FileVersion",
    "Where",
    "again",
    "find",
    "read",
    "read_files",
    "size",
]

Progress = Optional[Callable[[int], None]]


def read(paths: Sequence[str], progress: Progress = None, besides: Optional[Path] = None) -> Iterator[Batch]:
    """All records of the files and folders, in batches; `-` is standard input.

    `progress` is called with the bytes on disk that were read since the call before. The folder `besides` is
    passed over where it lies in one that is read.

    Raises:
        InputError: at once, when none of the paths can be used.
    """
    return read_files(find(paths, besides), progress)


def read_files(files: InputFiles, progress: Progress = None) -> Iterator[Batch]:
    """As `read`, of files that were found."""
    use_orjson()
    for batch in _read_all(files):
        if progress:
            progress(batch.bytes_read)
        if batch.records or batch.bad or batch.passed:
            yield batch


def size(paths: Sequence[str]) -> int:
    """Bytes on disk of all that `read` would read; standard input and pipes count as 0.

    Raises:
        InputError: when none of the paths can be used.
    """
    return sum(sizes(find(paths).files))


def _read_all(files: InputFiles) -> Iterator[Batch]:
    if files.passed:
        yield _none("", passed=files.passed)
    for piece in files.bad:
        yield _none(piece.file, [piece])
    for path in files.files:
        if str(path) == STDIN:
            yield from _read_file(STDIN, sys.stdin.buffer, files.bounds)
            continue
        try:
            file = opened(path, path in files.given)
        except OSError as error:
            piece = unreadable(path, error.strerror or str(error))
            yield _none(piece.file, [piece])
            continue
        with file:
            yield from _read_file(shown(path), file, files.bounds)


def _none(file: str, bad_pieces: Sequence[Bad] = (), passed: Sequence[Passed] = ()) -> Batch:
    return Batch(file, 0, [], None, [*bad_pieces], 0, passed=passed)


def again(file: str, seen: FileVersion) -> Iterator[Batch]:
    """As `read`, of one file that was read before; ends where it is no longer what it was.

    Raises:
        OSError: it cannot be opened.
    """
    with opened(Path(file), given=True) as stream:
        for batch in _read_file(file, stream, Bounds(inf), seen):  # it ends where it was left
            if not seen.fingerprint and not seen.fits(stream):
                return
            yield batch


def _read_file(name: str, file: BinaryIO, bounds: Bounds, before: Optional[FileVersion] = None) -> Iterator[Batch]:
    chunks = Chunks(file, before, bounds)
    records, consumed, until, spent = 0, 0, time.process_time(), 0.0
    for number, batch in enumerate(_batches(name, file, chunks)):
        yield batch._replace(seen=chunks.seen)
        records += len(batch.records) + len(batch.bad)
        consumed += batch.bytes_read
        if number % _ASKED == 0:
            spent = time.process_time() - until
        if records > bounds.records(consumed):
            chunks.beyond = f"{records:,} records in {consumed:,} bytes"
        elif spent > bounds.seconds(consumed):
            chunks.beyond = f"{spent:.0f} seconds for {consumed:,} bytes"
        if chunks.beyond:
            break
    if chunks.beyond:
        text = _BEYOND.format(chunks.beyond, records)
        yield _none(name, passed=[Passed(name, text, may_matter=True)])
    if chunks.grew():
        yield _none(name, passed=[Passed(name, GREW, may_matter=False)])


_ASKED = 16
"""Batches after which it is asked what time a file took: the question may cost more than a batch."""
_BEYOND = (
    "it takes {}, more than a log does: only its first {:,} records were read; look where it comes from, and "
    "raise --file-bounds if it is a log"
)
GREW = "it grew while it was read: the next run reads the rest"


def _batches(name: str, file: BinaryIO, chunks: Chunks) -> Iterator[Batch]:
    rest = iter(chunks)
    head = _head(rest)
    if is_parquet(head) and file.seekable():
        del chunks.seen.fingerprint[:]  # it is read otherwise
        return read_parquet(name, file)
    if is_table(head):
        return read_table(name, chunks, chain([head], rest))
    unread = formats.look(name, head)
    if unread:
        detail = bad(Where(name, 0), unread.reason, head, unread.detail, len(head))
        return iter([Batch(name, 0, [], None, [detail], chunks.consumed)])
    if is_auditd(head):
        return read_auditd(name, chunks, chain([head], rest))
    if is_document(head.removeprefix(BOM).lstrip()):
        return read_document(name, head, rest, chunks)
    return read_lines(name, chunks, chain([head], rest))


def _head(rest: Iterator[bytes]) -> bytes:
    """The beginning, up to the end of the first line that is not empty if that is within the limit."""
    parts: list[bytes] = []
    total = 0
    for part in rest:
        parts.append(part)
        total += len(part)
        if total > LINE_LIMIT or (b"\n" in part.lstrip() and b"".join(parts).lstrip().count(b"\n")):
            break
    return b"".join(parts)
