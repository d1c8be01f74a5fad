"""What a job on Elasticsearch needs, from the unit costs that bench_elastic_push.py measured: the table of the page
docs/elastic_scale.md. `python lab/bench/_elastic_scale.py` prints it from out/bench/bench_elastic_push.json.
"""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import orjson

MEASURED = Path(__file__).resolve().parents[2] / "out" / "bench" / "bench_elastic_push.json"
BEHAVIOURS = 40
"""Distinct behaviours of an identity in a day; an assumption, to be replaced by run.json's of your own."""
PEAK = 3
"""How many times the mean comes in at the busiest hour; an assumption."""
RUNS = 24
"""Runs a day. Each scores anew the days of identities that grew: on average half of a day's behaviours."""
BUSY = 0.5
"""The share of the time for which a process may be at work."""
SHARD = 40e9
HELD = 1_250
"""Bytes of memory for one behaviour (decision 7)."""
HOST = 8e9
"""Bytes of memory of a host for one job."""
CASES = ((10_000, 10_000_000), (100_000, 100_000_000), (1_000_000, 1_000_000_000))


class Costs(NamedTuple):
    """Per unit, as measured."""

    read: float
    """Seconds for reading and grouping a document."""
    score: float
    """Seconds for scoring, learning and storing a behaviour."""
    document: float
    """Bytes of a document in the source."""
    state: float
    """Bytes of state for a behaviour."""
    answer: float
    """Bytes that travel for a document that is read."""


def costs(told: dict[str, Any]) -> Costs:
    """Unit costs of a measurement."""
    stages, events, behaviours = told["stages"]["read"], told["events"], told["behaviours"]
    after = stages["total"] - stages["read"]
    return Costs(stages["read"] / events, after / behaviours, told["source_bytes"] / events,
                 told["state_bytes"] / behaviours, told["bytes"]["read"] / events)  # fmt: skip


def row(identities: int, events: int, unit: Costs) -> list[str]:
    """One row of the table."""
    behaviours = identities * BEHAVIOURS
    jobs = max(1, ceil(behaviours * HELD / HOST), ceil(RUNS * behaviours / 2 * unit.score / (86_400 * BUSY)))
    readers = max(1, ceil(PEAK * events / 86_400 * unit.read / BUSY))
    shards = max(1, ceil(events * unit.document / SHARD))
    return [f"{identities:,}", f"{events:,}", str(shards), str(jobs), str(readers),
            f"{behaviours * unit.state / 1e9:.1f} GB", f"{events * unit.answer / 1e9:.0f} GB"]  # fmt: skip


def main() -> None:
    """Print the table."""
    told = orjson.loads(MEASURED.read_bytes())
    unit = costs(told)
    print(f"Measured on {told['events']:,} events: {unit._asdict()}\n")
    heads = ("identities", "events a day", "primary shards a day", "jobs (namespaces)", "reading processes",
             "state a day", "read a day")  # fmt: skip
    print("| " + " | ".join(heads) + " |\n|" + "---:|" * len(heads))
    for identities, events in CASES:
        print("| " + " | ".join(row(identities, events, unit)) + " |")


if __name__ == "__main__":
    main()
