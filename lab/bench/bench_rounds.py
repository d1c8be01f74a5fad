"""A day in one run, in 24 and in 288 rounds of one process: what of it is done once more, and what it costs.

`python lab/bench/bench_rounds.py [--machines 300] [--events 100] [--days 12] [--tries 2]`: some five minutes. What a
round costs hangs on how much comes of an identity in a day, and on how many are unusual, so both are in the output;
`--machines 60 --events 2000` has some 1,000 records of each. The days before are learnt once; sessions over a store in
memory, so neither start-up, nor reading files, nor a host's own work is counted. Processor seconds, the least of the
tries in turn; the other counts are the sums of all rounds.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any

from _bench import write

from nhi_watch.core.gc_pause import few_collections
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.detect import model as models
from nhi_watch.detect import ranking
from nhi_watch.detect.session import Session
from nhi_watch.hosts.codec import use_orjson
from nhi_watch.intake import sources
from nhi_watch.state.kept_days import KeptDays
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.simulator import Spec, Tenant

ROUNDS = (1, 24, 288)
Records = Sequence[dict[str, Any]]


class Counting(MemoryStore):
    """Counts the rows that are put."""

    def __init__(self, learnt: MemoryStore) -> None:
        super().__init__()
        self._tables = {name: copy(rows) for name, rows in learnt._tables.items()}
        self.rows = 0

    def put(self, table: str, rows: Iterable[tuple[str, bytes | None]]) -> None:
        put = list(rows)
        self.rows += len(put)
        super().put(table, put)


@few_collections()
def spent(learnt: MemoryStore, day: Records, rounds: int) -> dict[str, float]:
    """Processor seconds and counts of a day in so many rounds."""
    store, kept, model, read_by = Counting(learnt), KeptDays(), models.load(), sources.every()
    parts: list[list[dict[str, Any]]] = [[] for _ in range(rounds)]
    for record in day:
        parts[parse(record["eventTime"]) % DAY * rounds // DAY].append(record)
    counts, began = Counter[str](), time.process_time()
    for part in parts:
        session = Session(store, read_by, model=model, kept=kept)
        session.feed(part)
        result = session.finish()
        session.confirm(result.events)
        counts.update(scored=result.run["episodes"], updated=result.run["identities"], published=len(result.events))
    return {"seconds": time.process_time() - began, "rows": store.rows, **counts, **kinds_of(State(store))}


def kinds_of(state: State) -> dict[str, float]:
    """How the identities of the last day were scored."""
    day = state.daybook.days[-1]
    suspicious = [stored.ranked for stored in state.suspicious(day)]
    sizes = [len(identity_day.seen) for _, identity_day in state.each_of(day)]
    return {
        "identity_days": len(sizes),
        "records_each": round(sum(sizes) / len(sizes)),
        "unusual": sum(ranked.likelihood >= ranking.FLOOR for ranked in suspicious),
        "severe_enough_for_a_row": sum(ranked.risk >= ranking.LEAST for ranked in suspicious),
    }


def main() -> None:
    """Measure, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("machines", 300), ("events", 100), ("days", 12), ("tries", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    use_orjson()
    spec = Spec(args.days, args.machines, 41, campaigns=3, events=args.events * args.machines * args.days)
    *before, today = [day.records for day in Tenant(spec).days()]
    learnt = MemoryStore()
    for records in before:
        session = Session(learnt, sources.every())
        session.feed(records)
        session.confirm(session.finish().events)
    ordered = sorted(today, key=lambda record: str(record["eventTime"]))
    tries = [{rounds: spent(learnt, ordered, rounds) for rounds in ROUNDS} for _ in range(args.tries)]
    least = {rounds: min((each[rounds] for each in tries), key=lambda counts: counts["seconds"]) for rounds in ROUNDS}
    write({
        **vars(args), "records": len(ordered),
        "rounds": {str(rounds): {**counts, "seconds": round(counts["seconds"], 2)} for rounds, counts in least.items()},
        "to_one": {str(rounds): round(least[rounds]["seconds"] / least[1]["seconds"], 2) for rounds in ROUNDS[1:]},
    })  # fmt: skip


if __name__ == "__main__":
    main()
