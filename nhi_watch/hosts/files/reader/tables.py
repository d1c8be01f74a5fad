"""Tables with a header, as Splunk, Kibana and Log Analytics export them (CSV): one record a row, without empty cells.

Read are those whose header names what only exports of logs have; any other table is told to be none.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Union

from nhi_watch.hosts.files.reader.batch import BOM, Batch, Where, bad
from nhi_watch.hosts.files.reader.chunks import Chunks
from nhi_watch.hosts.files.reader.lines import LINE_LIMIT, split

MARKS = frozenset({"_raw", "@timestamp", "TimeGenerated"})
"""Of which a header has one: Splunk's, Kibana's, Log Analytics' (whose portal writes the time zone behind it)."""
_ROWS = 1000


def is_table(head: bytes) -> bool:
    """Whether a file begins with such a header.

    >>> is_table(b'"TimeGenerated [UTC]",Type\\n'), is_table(b"name,owner\\n"), is_table(b'{"_raw": "a,b"}\\n')
    (True, False, False)
    """
    first = head.removeprefix(BOM).split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    try:
        names = next(csv.reader([first]), []) if "," in first[:LINE_LIMIT] else []
    except csv.Error:  # as of a long line of JSON
        return False
    return not MARKS.isdisjoint(name.partition(" [")[0] for name in names)


def read_table(file: str, chunks: Chunks, parts: Iterator[bytes]) -> Iterator[Batch]:
    """Batches of a table's rows; what is no row of its header is told, and reading goes on."""
    csv.field_size_limit(LINE_LIMIT)
    rows = csv.reader(_lines(parts))
    names = [name.removeprefix("\ufeff") for name in next(rows)]
    consumed, batch = 0, Batch(file, 1, [], [], [], 0)
    for cells in _each(rows):
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


def _each(rows: Iterator[list[str]]) -> Iterator[Union[list[str], csv.Error]]:
    """The rows; of what is none (a quote that is never closed, a bare carriage return) what is wrong."""
    while True:
        try:
            yield next(rows)
        except StopIteration:  # noqa: PERF203 - each row may be wrong by itself
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
        told = f"a row of {len(cells)} cells under a header of {len(names)}; export the table again"
        batch.bad.append(bad(where, "cut_off", raw, told))
    else:
        assert batch.lines is not None
        batch.records.append({name: cell for name, cell in zip(names, cells) if cell})
        batch.lines.append(line)
