"""How the memory and the time of Rank All and Learn grow with a day's identities in Splunk.

A simulated day and what was learnt before it, copied under other account numbers and key ids: so many more identities,
each with its own rows and its own baseline, for what it costs to rewrite them. Lines through both sizes give what an
identity adds. `--page` writes the section of docs/method/splunk_scale.md.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench_splunk_days import chunks, replaced, run
from bench_splunk_scale import DAYS, PAGE, Row, _cut, _event, _grouped, _simulated, table

from check_python import find
from nhi_watch.core.behaviour import Shape
from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import DAY, HOUR, parse
from nhi_watch.hosts.splunk import parts
from splunk_app import unpacked

COPIES = 10, 40
"""So many that what is held in memory before anything goes to a file is full in both."""
ASKED, IDENTITIES = 500, 1_090_000
"""MB; identities of a day of 100 million events, at 92 events each."""
TITLE = "## Memory by identities"
_KEPT_ONCE = ("tenant", "peer:", "meta/", "ledger/", "day/")
_ACCOUNT = re.compile(r"(?<![0-9A-Za-z])\d{3}(\d{9})(?![0-9A-Za-z])")
_KEY = re.compile(r"\b(A[A-Z]{3})[A-Z2-7]{3}([0-9A-Z]{9,14})\b")
_SKETCHES = ("sessions", "targets", "addresses", "issued", "links", "record_ids")


def renamed(text: str, copy: int) -> str:
    """A text with other account numbers and key ids.

    >>> renamed("arn:aws:iam::111122223333:role/a AKIAIOSFODNN7EXAMPLE", 7)
    'arn:aws:iam::007122223333:role/a AKIA007FODNN7EXAMPLE'
    """
    return _KEY.sub(rf"\g<1>{copy:03d}\g<2>", _ACCOUNT.sub(rf"{copy:03d}\g<1>", text)) if copy else text


def copied(row: Row, copy: int) -> Row:
    """A stored row of another identity."""
    name, part = parts.unpack(row["nhi_part"])
    made, shapes = parts.Part(part.day), dict[int, Shape]()
    for (shape, hour), (behaviour, marks) in part.slots.items():
        if id(shape) not in shapes:
            identity, *told, traits = json.loads(renamed(json.dumps(shape), copy))
            shapes[id(shape)] = Shape._make((Identity(*identity), *told, tuple(traits)))
        behaviour.shape = shapes[id(shape)]
        for sketch in _SKETCHES:
            setattr(behaviour, sketch, sorted(renamed(each, copy) for each in getattr(behaviour, sketch)))
        made.slots[behaviour.shape, hour] = behaviour, marks
    return {**row, "nhi_key": parts.key_of(renamed(name, copy)), "nhi_part": parts.pack(made)}


def baseline(body: bytes, copies: int) -> bytes:
    """A baseline of as many times the identities."""
    header, *rows = csv.reader(io.StringIO(body.decode()))
    every = [[renamed(cell, copy) for cell in row] for copy in range(copies) for row in rows
             if not copy or not row[0].startswith(_KEPT_ONCE)]  # fmt: skip
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *sorted(every, key=_order)])
    return gzip.compress(text.getvalue().encode(), 1)


def _order(row: list[str]) -> tuple[int, str, int]:
    kept = ("inventory", "ledger", "day", "meta")
    head = row[0].partition("/")[0]
    return kept.index(head) if head in kept else len(kept), row[0], int(row[1])


def measured(python: str, place: Path) -> Iterator[tuple[int, list[tuple[float, float]]]]:
    """Identities of a day → processor seconds and MB of Rank All and of Learn."""
    app, days = unpacked(place), _simulated(1)
    start = parse(days[0][0]["eventTime"]) // DAY * DAY
    today, end = start + (DAYS - 1) * DAY, start + DAYS * DAY - 1
    history = [row for records in days[:-1] for row in _grouped(records)]
    learnt = run(python, app, "nhilearn", chunks(history), (start, today + 13 * HOUR + 1))
    last = _grouped(days[-1])
    for copies in COPIES:
        rows = [copied(row, copy) for copy in range(copies) for row in last]
        (app / "lookups" / "nhi_baseline.csv.gz").write_bytes(baseline(learnt.body, copies))
        merged = run(python, app, "nhigroup", chunks([_event(row) for row in rows]), (start, end)).body
        spent = [
            run(python, app, "nhirank", _cut(merged), (today, end)),
            run(python, app, "nhilearn", _cut(merged), (today, end + 13 * HOUR + 2)),
        ]
        yield len(rows), [(one.processor, one.memory) for one in spent]


def section(found: list[tuple[int, list[tuple[float, float]]]]) -> str:
    """The section of the page."""
    (few, first), (many, second) = found
    rows = []
    for name, (seconds, memory), (more, most) in zip(("Rank All", "Learn"), first, second):
        each, cost = (most - memory) / (many - few), (more - seconds) / (many - few)
        at = most + each * (IDENTITIES - many)
        upto = many + (ASKED - most) / each if each > 0 else float("inf")
        told = f"{1e3 * each:.1f} kB", f"{at:,.0f}", f"{upto:,.0f}", f"{1e3 * cost:.1f} ms"
        rows.append((name, f"{memory:.0f}", f"{most:.0f}", *told))
    head = ("", f"MB at {few:,} identities", f"MB at {many:,}", "an identity adds", f"MB at {IDENTITIES:,}",
            f"identities within {ASKED} MB", "an identity takes")  # fmt: skip
    what = " ".join(__doc__.split("`--page`")[0].split())
    return f"{what} Written by `python lab/bench/bench_splunk_grown.py --page`.\n\n{table(head, rows)}\n"


def main() -> int:
    """Both sizes, and with --page the section."""
    with tempfile.TemporaryDirectory() as place:
        told = section(list(measured(find("3.13") or sys.executable, Path(place))))
    sys.stdout.write(told)
    if "--page" in sys.argv:
        PAGE.write_text(replaced(PAGE.read_text("utf-8"), TITLE, told), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
