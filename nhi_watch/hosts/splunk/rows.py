"""Adds columns to the CSV body of a chunk, and reads and writes bodies.

A row is parsed so that its cells can be looked at, but it is sent back as the very bytes that came, with the new cells
behind them: nothing that splunkd wrote is quoted anew, and bytes that are no UTF-8 survive.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, NamedTuple, Optional, Union

from nhi_watch.hosts.splunk.lines import Cells, Lines, Row

Answer = Callable[[Row], bytes]
"""Gives, for a row, the cells to add: CSV text that begins with a comma and ends with a line feed."""


class Answers(NamedTuple):
    """What answers the rows below a header."""

    answer: Answer
    recall: Optional[Callable[[Cells], Optional[bytes]]] = None
    """What is known to be the answer to a row, by its cells as `Lines.cut` gives them: that saves reading it."""


Bind = Callable[[Row], Answers]
"""Gives what answers the rows below a header."""


def annotate(body: bytes, names: Sequence[str], bind: Bind) -> bytes:
    r"""The body with columns added; `bind` gets the header and returns what answers the rows below it.

    A column that has one of the new names already is replaced.

    >>> annotate(b'a,b\n1,"x\ny"\n2,\n', ["n"], lambda header: Answers(lambda row: b",%d\n" % len(row[1])))
    b'a,b,n\n1,"x\ny",3\n2,,0\n'
    """
    target = io.BytesIO()
    lines = Lines(body)
    if lines.header:
        target.writelines(_annotated(lines, names, bind(lines.header)))
    return target.getvalue()


def read(body: bytes) -> Iterator[Row]:
    r"""The header and the rows of a body, each as wide as the header.

    >>> list(read(b"a,b\n1,2\n3\n\n"))
    [['a', 'b'], ['1', '2'], ['3', '']]
    """
    lines = Lines(body)
    width = len(lines.header)
    if width:
        yield lines.header
    for line in lines:
        row = lines.row(line, lines.cut(line))
        if row:
            width = width or len(row)
            yield row if len(row) == width else (row + [""] * width)[:width]


Cell = Union[str, Sequence[str]]
"""A text, or the values of a multivalue field."""


def write(names: Sequence[str], rows: Iterable[Mapping[str, Cell]], multi: Sequence[str] = ()) -> bytes:
    r"""A body of these fields; `multi` names the multivalue ones. Half characters become question marks.

    >>> write(["a", "b"], [{"a": "1", "b": ["x", "y"]}], multi=["b"])
    b'a,b,__mv_b\n1,"x\ny",$x$;$y$\n'
    """
    body = io.BytesIO()
    write_into(body, names, rows, multi)
    return body.getvalue()


def write_into(
    body: IO[bytes], names: Sequence[str], rows: Iterable[Mapping[str, Cell]], multi: Sequence[str] = ()
) -> None:  # fmt: skip
    """The same into a file."""
    out = io.TextIOWrapper(body, "utf-8", "replace", newline="")
    writer = csv.writer(out, lineterminator="\n")
    single = [name for name in names if name not in multi]
    writer.writerow([*single, *(name for field in multi for name in (field, f"__mv_{field}"))])
    for row in rows:
        cells = [_text(row.get(name, "")) for name in single]
        writer.writerow([*cells, *(cell for name in multi for cell in multivalue(_values(row.get(name, ()))))])
    out.detach()


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else "\n".join(cell)


def _values(cell: Cell) -> Sequence[str]:
    return ([cell] if cell else []) if isinstance(cell, str) else cell


def _annotated(lines: Lines, names: Sequence[str], answers: Answers) -> Iterator[bytes]:
    spared, width = _spared(lines.header, names), len(lines.header)
    yield _line([lines.header[i] for i in spared] + list(names))
    clean = len(spared) == width
    recall = (answers.recall or _nothing) if clean else _nothing
    for line in lines:
        cells = lines.cut(line)
        known = recall(cells) if cells is not None else None
        if known is not None:
            yield line[:-1] + known
            continue
        row = lines.row(line, cells)
        if len(row) == width and clean:
            yield b"".join(lines.held).removesuffix(lines.end) + answers.answer(row)
        elif row:
            row = (row + [""] * width)[:width]
            yield _line([row[i] for i in spared])[:-1] + answers.answer(row)


def _nothing(_: Cells) -> Optional[bytes]:
    return None


def _spared(header: Row, names: Sequence[str]) -> list[int]:
    replaced = {*names, *(f"__mv_{name}" for name in names)}
    return [index for index, name in enumerate(header) if name not in replaced]


def _line(cells: Sequence[str]) -> bytes:
    return render(cells)[1:].encode("utf-8", "surrogateescape")


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
