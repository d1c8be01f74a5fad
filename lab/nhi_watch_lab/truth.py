"""Holds what `nhi score` found against the labels of a simulated tenant: which incidents are listed, which not, and
what is listed that is none.

`python -m nhi_watch_lab.truth out/demo` reads OUT/data/labels.json, OUT/state.sqlite and OUT/notables.jsonl.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nhi_watch.report import jsonlines
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.state import State

Document = Mapping[str, Any]


def told(incidents: Iterable[Document], notables: Sequence[Document]) -> Iterator[str]:
    """A line for each incident, in order of time."""
    for incident in sorted(incidents, key=lambda one: str(one["first_time"])):
        records = set(incident["record_ids"])
        hit = [notable for notable in notables if records & set(notable["record_ids"])]
        best = max(hit, key=lambda one: (one.get("listed", True), one["likelihood"]), default=None)
        yield f"  {incident['first_time'][:16]}  {incident['technique']:22} {incident['origin']:9} {_fate(best)}"


def no_incidents(incidents: Iterable[Document], listed: Sequence[Document]) -> Iterator[str]:
    """How many of the listed notables hold no record of any incident, and a line for each of them."""
    records = {record for incident in incidents for record in incident["record_ids"]}
    wrong = [one for one in listed if not records & set(one["record_ids"])]
    yield f"Of the {len(listed)} notables listed, {len(wrong)} are none of these incidents:"
    for one in sorted(wrong, key=lambda one: -float(one["likelihood"])):
        yield f"  {one['id'][:6]}, {one['likelihood']:g}% {one['severity']}: {one['title']}"


def _fate(best: Document | None) -> str:
    if best is None:
        return "missed: none of its records made a notable; they look like the identity's own days"
    name = f"{best['id'][:6]}, {best['likelihood']:g}% {best['severity']}"
    if best.get("listed", True):
        return f"found: {name}"
    return f"below the line: {name}"


def main(folder: Path) -> None:
    """Print what became of each incident, and what else is listed."""
    incidents = json.loads((folder / "data" / "labels.json").read_text("utf-8"))["incidents"]
    store = SqliteStore(folder / "state.sqlite")
    try:
        notables = State(store).every_notable()
    finally:
        store.close()
    listed = list(jsonlines.read(folder / "notables.jsonl"))
    lines = list(told(incidents, notables))
    found = sum(" found: " in line for line in lines)
    head = (f"The simulator hid {len(lines)} incidents in these logs; {found} of them are listed above "
            f"(nhi explain ID --out {folder} tells of any, below the line, too):")  # fmt: skip
    sys.stdout.write("\n".join(["", head, *lines, *no_incidents(incidents, listed)]) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
