"""What a job on Elasticsearch needs, from what bench_elastic_choice.py measured: the table of docs/elastic_scale.md.

`python lab/bench/_elastic_scale.py` prints it from out/bench/bench_elastic_choice.json.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any

import orjson

MEASURED = Path(__file__).resolve().parents[2] / "out" / "bench" / "bench_elastic_choice.json"
PEAK = 3
"""How many times the mean comes in at the busiest hour; an assumption."""
BUSY = 0.5
"""The share of the time for which a process may be at work at that hour."""
EVENTS = (1_000_000, 100_000_000, 1_000_000_000)


def rows(measured: dict[str, Any]) -> Iterator[list[str]]:
    """The most alike and the most varied of the documents measured, each read and grouped, at each volume."""
    told = sorted(measured["rows"], key=lambda row: row["behaviours"] / row["documents"])
    for events in EVENTS:
        for row in (told[0], told[-1]):
            for way in ("read", "grouped"):
                yield _row(events, row, way)


def _row(events: int, row: dict[str, Any], way: str) -> list[str]:
    documents, spent = row["documents"], row[way]
    client, server = (spent[name] / documents for name in ("client", "server"))
    processes = max(1, ceil(PEAK * events / 86_400 * client / BUSY))
    return [f"{events:,}", f"{row['behaviours'] / documents:.2f}", way, f"{client * 1e6:.0f}", f"{server * 1e6:.0f}",
            f"{client * events / 3600:.1f}", f"{server * events / 3600:.1f}",
            f"{spent['bytes'] / documents * events / 1e9:.1f}", str(processes)]  # fmt: skip


def main() -> None:
    """Print the table."""
    heads = ("events a day", "behaviours a document", "way", "µs a document, client", "µs, server",
             "client, processor hours a day", "server, processor hours a day", "GB a day", "processes")  # fmt: skip
    print("| " + " | ".join(heads) + " |\n|" + "---:|" * len(heads))
    for row in rows(orjson.loads(MEASURED.read_bytes())):
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
