"""Tables for generated pages and sheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table.

    >>> print(table(["a", "b"], [["1", "2|3"]]))
    | a | b |
    |---|---|
    | 1 | 2/3 |
    """
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(_row(line) for line in lines).replace("| --- |", "|---|").replace(" --- |", "---|")


def as_csv(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The same as a sheet, for tables too long for a page.

    >>> as_csv(["a", "b"], [[1, "2,3"]])
    'a,b\\n1,"2,3"\\n'
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([heads, *rows])
    return out.getvalue()


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"
