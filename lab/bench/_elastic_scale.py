"""What a job on Elasticsearch needs, from what bench_elastic_choice.py measured.

`python lab/bench/_elastic_scale.py` prints the table of docs/method/elastic_scale.md from
out/bench/bench_elastic_choice.json, and writes what a day costs beside the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from nhi_watch_lab.evaluation.page import as_csv, table

ROOT = Path(__file__).resolve().parents[2]
MEASURED = ROOT / "out" / "bench" / "bench_elastic_choice.json"
SHEET = ROOT / "docs" / "method" / "elastic_scale.csv"
PEAK = 3
"""How many times the mean comes in at the busiest hour; an assumption."""
BUSY = 0.5
"""The share of the time for which a process may be at work at that hour."""
EVENTS = (1_000_000, 100_000_000, 1_000_000_000)
_KINDS = {(0.0, False): "alike", (1.0, False): "varied", (1.0, True): "varied, `event.original` kept"}


class Cost(NamedTuple):
    """Of one document, in seconds of processor time and in bytes."""

    kind: str
    way: str
    behaviours: float
    client: float
    server: float
    bytes: float
    state: float

    def enough(self) -> float:
        """Documents a day up to which one process is enough, which waits for all that the server does."""
        return 86_400 * BUSY / PEAK / (self.client + self.server)


def costs(measured: dict[str, Any]) -> Iterator[Cost]:
    """Of each kind, as measured on most documents."""
    for (share, original), kind in _KINDS.items():
        told = [row for row in measured["rows"] if (row["share"], row["original"]) == (share, original)]
        row = max(told, key=lambda row: int(row["documents"]))
        for way in ("read", "grouped"):
            if way in row:
                spent = (row[way][name] / row["documents"] for name in ("client", "server", "bytes", "state"))
                yield Cost(kind, way, row["behaviours"] / row["documents"], *spent)


def by_document(each: Cost) -> list[str]:
    """A row of the table."""
    return [each.kind, each.way, f"{each.behaviours:.2f}", f"{each.client * 1e6:.0f}", f"{each.server * 1e6:.0f}",
            f"{each.bytes:,.0f}", f"{each.state:,.0f}", f"{each.enough() / 1e6:,.0f}"]  # fmt: skip


def by_day(events: int, each: Cost) -> list[str]:
    """A row of the sheet."""
    return [f"{events // 1_000_000:,}", each.kind, each.way, f"{each.client * events / 3600:.1f}",
            f"{each.server * events / 3600:.1f}", f"{each.bytes * events / 1e9:,.1f}",
            f"{each.state * events / 1e9:,.1f}", f"{ceil(events / each.enough())}"]  # fmt: skip


def main() -> None:
    """Print the table, write the sheet."""
    known = list(costs(orjson.loads(MEASURED.read_bytes())))
    heads = ["documents", "way", "behaviours a document", "µs, client", "µs, cluster", "bytes sent", "bytes of state",
             "one process is enough up to, million a day"]  # fmt: skip
    print(table(heads, [by_document(each) for each in known]))
    heads = ["million events a day", "documents", "way", "client, processor hours", "cluster, processor hours",
             "GB sent", "GB of state", "processes"]  # fmt: skip
    SHEET.write_text(as_csv(heads, [by_day(events, each) for events in EVENTS for each in known]), "utf-8")


if __name__ == "__main__":
    main()
