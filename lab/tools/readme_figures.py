"""The README's table of figures, out of the rivals' table of docs/evaluation.md: no number is typed by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

BEGIN, END = "<!-- Figures: `make docs` writes them from docs/evaluation.md. -->", "<!-- End of figures. -->"
OURS, BOOSTING = "nhi_watch", "boosting_on_signals"
SHOWN = (
    ("incidents found at 10 notables a day per 1,000 identities, from outside", ("external at 10",)),
    ("the same, from inside the victim's network", ("inside at 10",)),
    ("at 3 a day, from outside / inside", ("external at 3", "inside at 3")),
)

Rows = Mapping[str, Mapping[str, float]]


def written(readme: str, evaluation: Path) -> str:
    """The README's text with the figures of an evaluation's page.

    Raises:
        ValueError: the README lacks the marks between which the figures stand.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"README.md: write {BEGIN} and {END} around the table of figures")
    return f"{before}{BEGIN}\n\n" + "\n".join(table(evaluation.read_text("utf-8"))) + f"\n\n{END}{after}"


def table(page: str) -> Iterator[str]:
    """Ours, the best rival that needs none of our signals, and the unrestricted boosting on our signals."""
    rows = rivals(page)
    yield "| | ours | best simple rival | unrestricted boosting on our signals |"
    yield "|---|---|---|---|"
    for text, columns in SHOWN:
        cells = [_cell(rows[OURS], columns), _best(rows, columns), _cell(rows[BOOSTING], columns)]
        yield f"| {text} | " + " | ".join(cells) + " |"
    error = re.search(r"^\| calibration error.*\| ([0-9.]+) \|$", page, re.MULTILINE)
    yield f"| probability told against share that held (calibration error) | {error[1] if error else '–'} | | |"


def rivals(page: str) -> Rows:
    """Detector → column → recall.

    >>> rivals("| detector | all at 10 |\\n|---|---|\\n| ecod | 0.338 (0.29–0.39) |\\n\\n| detector | no |")
    {'ecod': {'all at 10': 0.338}}
    """
    lines = page[page.index("| detector |") :].partition("\n\n")[0].splitlines()
    head, _, *rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return {name: {c: float(v.split()[0]) for c, v in zip(head[1:], cells)} for name, *cells in rows}


def _best(rows: Rows, columns: tuple[str, ...]) -> str:
    simple = [row for name, row in rows.items() if not re.search("on_signals|unseen|without|^nhi_watch", name)]
    return " / ".join(_percent(max(row[column] for row in simple)) for column in columns)


def _cell(row: Mapping[str, float], columns: tuple[str, ...]) -> str:
    return " / ".join(_percent(row[column]) for column in columns)


def _percent(share: float) -> str:
    return f"{share:.1%}"
