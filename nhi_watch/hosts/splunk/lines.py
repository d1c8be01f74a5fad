"""The lines of a chunk's CSV body, as bytes, and the rows in them.

Chunks hold up to 50,000 rows, so lines are taken one by one, never all at once. Most lines hold one row of which no
cell is in quotes but the event's JSON in `_raw`: those are cut at their commas, which is three times as fast as the csv
module. All others are read by it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import chain
from typing import Optional

Row = list[str]
Cells = list[bytes]
RAW = "_raw"

csv.field_size_limit(2**31 - 1)

_UNSAFE = re.compile("\0|\r(?!\n)")
"""What the csv module refuses: NUL (before Python 3.11), a lone carriage return."""
_BRACE = ord("}")


class Lines:
    """The lines below a body's header."""

    def __init__(self, body: bytes) -> None:
        self._lines = io.BytesIO(body)
        self._wild = b"\0" in body or b"\r" in body
        self.held: list[bytes] = []
        """The lines of the row that was read last."""
        first = next(self._lines, b"")
        self.header = self.read(first)
        self.end = b"\r\n" if self.held[-1].endswith(b"\r\n") else b"\n"
        plain = not self._wild and len(self.header) > 1
        self._width = len(self.header) if plain else -1
        self.raw = self.header.index(RAW) if plain and RAW in self.header else -1
        """Where `_raw` stands; -1 where it does not, or where no line can be cut."""

    def __iter__(self) -> Iterator[bytes]:
        return self._lines

    def cut(self, line: bytes) -> Optional[Cells]:
        r"""The cells of a line that is a row of as many cells as the header, of which only `_raw` is in quotes.

        None for others. `_raw` comes without its outer quotes; those in it are still doubled.

        What keeps this right without counting quotes: all before the first quote and all behind the last one is cut at
        every comma. Where both have as many cells as belong there, the quoted cell is `_raw`, and a last quote right
        behind a brace is no half of a pair, so it closes that cell.

        >>> lines = Lines(b'a,_raw,b\n')
        >>> lines.cut(b'1,"{""x"":""y,z""}",2\n'), lines.cut(b'1,{},2\n'), lines.cut(b'"1",{},2\n')
        ([b'1', b'{""x"":""y,z""}', b'2'], [b'1', b'{}', b'2'], None)
        """
        start = line.find(b'"')
        if start < 0:
            cells = line[:-1].split(b",")
            return cells if len(cells) == self._width and line.endswith(b"\n") else None
        end = line.rfind(b'"')
        if line[end - 1] != _BRACE or line[start + 1 : start + 2] != b"{" or not line.endswith(b"\n"):
            return None
        cells, after = line[:start].split(b","), line[end + 1 : -1].split(b",")
        if len(cells) != self.raw + 1 or len(after) != self._width - self.raw or cells[-1] or after[0]:
            return None
        cells[-1] = line[start + 1 : end]
        cells += after[1:]
        return cells

    def row(self, line: bytes, cells: Optional[Cells]) -> Row:
        """The row that begins with a line; `cells` are what it was cut into, if it was.

        `held` are then the lines that the row takes.
        """
        if cells is None:
            return self.read(line)
        row = [cell.decode("utf-8", "surrogateescape") for cell in cells]
        if b'"' in line:
            quoted = row[self.raw]
            row[self.raw] = text = quoted.replace('""', '"')
            if quoted.count('"') != 2 * (len(quoted) - len(text)):  # no writer of CSV writes this
                return self.read(line)
        self.held = [line]
        return row

    def read(self, line: bytes) -> Row:
        """The same, by the csv module."""
        self.held = []
        return next(csv.reader(self._texts(line)), [])

    def _texts(self, line: bytes) -> Iterator[str]:
        for each in chain((line,), self._lines):
            self.held.append(each)
            text = each.decode("utf-8", "surrogateescape")
            yield _UNSAFE.sub("\ufffd", text) if self._wild else text
