"""The CSV body of a chunk: read as rows, their fields found, columns added, and bodies written.

A row is parsed so that its cells can be looked at, but it is sent back as the very bytes that came, with the new cells
behind them: nothing that splunkd wrote is quoted again, and bytes that are no UTF-8 survive. Chunks hold up to 50,000
rows, so they are taken one by one, never all at once.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Optional, Union

from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import HOUR, day_of, parse
from nhi_watch.hosts.splunk.fields import FEEDBACK, SOURCE, SOURCETYPE
from nhi_watch.intake.shapes.json import parse as parse_json

Row = list[str]
RAW = "_raw"
Later = Callable[[], bytes]
Answer = Callable[[Row], Union[bytes, Later]]
"""Gives, for a row, the cells to add: CSV text that begins with a comma and ends with a line feed; or what gives them
once all rows of the chunk were seen."""

_UNSAFE = re.compile("\0|\r(?!\n)")
"""What the csv module refuses: NUL (before Python 3.11), a lone carriage return."""


Body = Union[bytes, Iterable[bytes]]
"""CSV, whole or line by line."""


def _lines(body: Body) -> Iterator[tuple[Row, bytes]]:
    """The rows of a body, its header first, each with the very bytes that came; empty lines are left out."""
    lines: list[bytes] = []

    def texts() -> Iterator[str]:
        for line in io.BytesIO(body) if isinstance(body, bytes) else body:
            lines.append(line)
            text = line.decode("utf-8", "surrogateescape")
            yield _UNSAFE.sub("\ufffd", text) if b"\0" in line or b"\r" in line else text

    csv.field_size_limit(2**31 - 1)  # a record is one cell
    for row in csv.reader(texts()):
        if row:
            yield row, b"".join(lines)
        lines.clear()


def read(body: Body) -> Iterator[Row]:
    r"""The header and the rows of a body, each as wide as the header.

    >>> list(read(b"a,b\n1,2\n3\n\n"))
    [['a', 'b'], ['1', '2'], ['3', '']]
    """
    width = 0
    for row, _ in _lines(body):
        width = width or len(row)
        yield row if len(row) == width else (row + [""] * width)[:width]


def annotate(body: Body, names: Sequence[str], bind: Callable[[Row], Answer]) -> bytes:
    r"""The body with columns added; `bind` gets the header and returns what answers the rows below it.

    A column that has one of the new names already is replaced.

    >>> annotate(b'a,b\n1,"x\ny"\n2,\n', ["n"], lambda header: lambda row: b",%d\n" % len(row[1]))
    b'a,b,n\n1,"x\ny",3\n2,,0\n'
    """
    lines = _lines(body)
    header, first = next(lines, ([], b""))
    if not header:
        return b""
    end = b"\r\n" if first.endswith(b"\r\n") else b"\n"
    replaced = {*names, *(f"__mv_{name}" for name in names)}
    spared = [index for index, name in enumerate(header) if name not in replaced]
    answer, width = bind(header), len(header)
    target: list[Union[bytes, Later]] = [_line([header[i] for i in spared] + list(names))]
    for row, came in lines:
        if len(row) == width == len(spared):
            target += came.removesuffix(end), answer(row)
        else:
            row = (row + [""] * width)[:width]
            target += _line([row[i] for i in spared])[:-1], answer(row)
    return b"".join([each if isinstance(each, bytes) else each() for each in target])


def _line(cells: Sequence[str]) -> bytes:
    return render(cells)[1:].encode("utf-8", "surrogateescape")


Cell = Union[str, Sequence[str]]
"""A text, or the values of a multivalue field."""
Line = dict[str, Cell]


def write(names: Sequence[str], rows: Iterable[Mapping[str, Cell]], multi: Sequence[str] = ()) -> bytes:
    r"""A body of these fields; `multi` names the multivalue ones. Half characters become question marks.

    >>> write(["a", "b"], [{"a": "1", "b": ["x", "y"]}], multi=["b"])
    b'a,b,__mv_b\n1,"x\ny",$x$;$y$\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    single = [name for name in names if name not in multi]
    writer.writerow([*single, *(name for field in multi for name in (field, f"__mv_{field}"))])
    for row in rows:
        cells = ["\n".join(_values(row.get(name, ""))) for name in single]
        writer.writerow([*cells, *(cell for name in multi for cell in multivalue(_values(row.get(name, ""))))])
    return out.getvalue().encode("utf-8", "replace")


def _values(cell: Cell) -> Sequence[str]:
    return ([cell] if cell else []) if isinstance(cell, str) else cell


def render(cells: Sequence[str]) -> str:
    r"""Cells as `Answer` gives them.

    >>> render(["a", "b,c", ""])
    ',a,"b,c",\n'
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(["", *cells])
    return out.getvalue()


def multivalue(values: Sequence[str]) -> tuple[str, str]:
    r"""The two cells of a multivalue field `x`: the one of `x` and the one of `__mv_x`.

    >>> multivalue(["a", "5$"]), multivalue(["a"])
    (('a\n5$', '$a$;$5$$$'), ('a', ''))
    """
    if len(values) < 2:
        return "".join(values), ""
    return "\n".join(values), ";".join("$" + value.replace("$", "$$") + "$" for value in values)


_VALUE = re.compile(r"\$((?:\$\$|[^$])*)\$(?:;|$)")


def values_of(cell: str) -> list[str]:
    r"""The values in a cell of a `__mv_` column.

    >>> values_of("$a$;$5$$$")
    ['a', '5$']
    """
    return [value.replace("$$", "$") for value in _VALUE.findall(cell)]


# ---- what kind of row one is, and what it holds

_PACKED = re.compile(r'\bnhi_part="?([A-Za-z0-9_-]+)')
_DAY = re.compile(r'\bnhi_day="?(\d{4}-\d\d-\d\d)')
_KEY = re.compile(r'\bnhi_key="?([0-9a-f]{3,16})\b')
_AHEAD = re.compile(r'\bnhi_ahead="?([A-Za-z0-9_-]+)')
_SEEN, _LOG = re.compile(r'\bnhi_seen="?(\d{1,15})\b'), re.compile(r'\bnhi_log="?([\w:./-]+)')
_NAME = re.compile(r"[\w:./-]{1,100}", re.ASCII)


class ChunkColumns:
    """The columns of a chunk."""

    def __init__(self, header: Row) -> None:
        self._places = {name: index for index, name in enumerate(header)}
        self._own = [
            (name, index, self._places.get(f"__mv_{name}"))
            for name, index in self._places.items()
            if not name.startswith("__mv_") and name not in (RAW, "_chunked_idx")
        ]

    def cell(self, row: Row, name: str) -> str:
        """A field's text; "" where there is none."""
        place = self._places.get(name)
        return row[place] if place is not None else ""

    def _kept(self, row: Row, name: str, pattern: re.Pattern[str]) -> str:
        """A field of a row that nhigroup has made: a cell, or where it lies in the summary index, text."""
        raw = self.cell(row, RAW)
        if not raw:
            return self.cell(row, name)
        match = pattern.search(raw) if self.cell(row, "source") == SOURCE else None
        return match[1] if match else ""

    def part(self, row: Row) -> str:
        """The packed parts, of rows that nhigroup has made; "" of others."""
        return self._kept(row, "nhi_part", _PACKED)

    def place(self, row: Row) -> Optional[tuple[int, str]]:
        """Day and key of parts, without unpacking them; None: the row does not say."""
        day, key = self._kept(row, "nhi_day", _DAY), self._kept(row, "nhi_key", _KEY)
        try:
            return (day_of(parse(f"{day}T00:00:00Z")), key) if key else None
        except RejectError:
            return None

    def indexed(self, row: Row) -> int:
        """The second at which a row was indexed; 0: it does not say."""
        second = self.cell(row, "_indextime").partition(".")[0]
        return int(second) if second.isdecimal() else 0

    def ahead(self, row: Row) -> str:
        """What a row of nhigroup says of a log that is dated later than tomorrow; "" of others."""
        return self._kept(row, "nhi_ahead", _AHEAD)

    def seen(self, row: Row) -> Optional[tuple[int, str, int]]:
        """Hour, sourcetype and how many events nhigroup read of it, of rows that say that; None: of others."""
        count = self._kept(row, "nhi_seen", _SEEN)
        return (self._hour(row), self._kept(row, "nhi_log", _LOG), int(count)) if count.isdecimal() else None

    def hour(self, row: Row) -> tuple[int, str]:
        """An event's hour, as Splunk dates it, and its sourcetype."""
        log = self.cell(row, "sourcetype")
        return self._hour(row), log if _NAME.fullmatch(log) else "other"

    def _hour(self, row: Row) -> int:
        try:
            return int(float(self.cell(row, "_time") or 0)) // HOUR
        except (ValueError, OverflowError):
            return 0

    def failed(self, row: Row) -> bool:
        """Whether nhigroup has made the row to report events that could not be read."""
        return bool(self.cell(row, "source") == SOURCE if self.cell(row, RAW) else self.cell(row, "nhi_error"))

    def errors(self, row: Row) -> int:
        """How many events such a row stands for."""
        text = self.cell(row, "nhi_events")
        return int(text) if text.isdecimal() and text.isascii() else 1

    def notable(self, row: Row) -> str:
        """The JSON of a notable's event; "" of other rows."""
        raw = self.cell(row, RAW)
        if not raw:
            return self.cell(row, "nhi_notable")
        return raw if self.cell(row, "sourcetype") == SOURCETYPE else ""

    def verdict(self, row: Row) -> dict[str, str]:
        """The cells of a row of nhi_feedback, as `inputlookup` gives it; none of other rows."""
        if self.cell(row, RAW) or not self.cell(row, "verdict"):
            return {}
        return {name: self.cell(row, name) for name in FEEDBACK}

    def record(self, row: Row) -> dict[str, Any]:
        """The event as a source reads it: the object in `_raw`, or the row where that holds none.

        Raises:
            RejectError: no_fields, invalid_utf8.
        """
        raw = self.cell(row, RAW)
        record = _object(raw) if raw else None
        if record is not None:
            return record
        record = {
            name: values_of(row[many]) if many is not None and row[many] else row[index]
            for name, index, many in self._own
            if row[index]
        }
        if raw:
            record[RAW] = raw
        elif not record:
            raise RejectError("no_fields", "neither extracted fields nor _raw")
        return record


def _object(raw: str) -> Optional[dict[str, Any]]:
    """The JSON object that a text is; None: it is none.

    Raises:
        RejectError: for what no text can hold, and reading from files refuses: bytes that are no UTF-8.
    """
    try:
        if not raw.isascii():
            raw.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RejectError("invalid_utf8", f"character {error.start} is not UTF-8") from error
    try:
        record = parse_json(raw)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
