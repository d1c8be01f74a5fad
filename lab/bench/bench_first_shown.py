"""How soon a row appears: `python lab/bench/bench_first_shown.py [--machines 40] [--batch 12] [--last 3]`.

A simulated company is scored hour by hour. For each hour of its last days, a copy of the state of the day's eve is also
scored in one run over all records until then: a notable's *decisive hour* is the first after which that one run lists
it. Figures: of the notables in the list at the end of a day, the share that the hourly runs listed in the run that read
the decisive hour, and the share that they listed in that run or the next.
"""

from __future__ import annotations

import argparse
import copy
from collections import Counter
from collections.abc import Sequence
from typing import Any

from _bench import write

from nhi_watch.detect.session import Session
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.simulator import Spec, Tenant

Records = Sequence[dict[str, Any]]
NEVER = 99


def score(store: MemoryStore, records: Records) -> set[str]:
    """Ids of the morning list after one run."""
    session = Session(store, [cloudtrail])
    session.feed(records)
    result = session.finish()
    store.commit()
    return {notable["id"] for notable in result.standing}


def delays(store: MemoryStore, records: Records) -> list[int]:
    """Runs between the decisive hour and the row, of each notable listed after a day; the store is left at its end."""
    eve, shown, decisive = copy.deepcopy(store), dict[str, int](), dict[str, int]()
    before = score(copy.deepcopy(store), [])
    listed = set[str]()
    for hour in range(24):
        part = [record for record in records if int(record["eventTime"][11:13]) == hour]
        if not part:
            continue
        listed = score(store, part)
        until = [record for record in records if int(record["eventTime"][11:13]) <= hour]
        for seen, names in ((shown, listed), (decisive, score(copy.deepcopy(eve), until))):
            for name in names - before - seen.keys():
                seen[name] = hour
    return [shown[name] - decisive.get(name, NEVER) for name in sorted(listed - before)]


def main() -> None:
    """Measure, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=40)
    parser.add_argument("--days", type=int, default=12)
    parser.add_argument("--last", type=int, default=3, help="days that are scored hour by hour")
    args = parser.parse_args()
    spec = Spec(args.days, args.machines, 43, campaigns=args.last * 2, quiet_days=args.days - args.last)
    store, result = MemoryStore(), list[int]()
    for number, day in enumerate(Tenant(spec).days()):
        if number < args.days - args.last:
            score(store, day.records)
        else:
            result += delays(store, day.records)
    counts = Counter(result)
    write(
        {
            "machines": args.machines,
            "days": args.last,
            "rows": len(result),
            "runs_late": dict(sorted(counts.items())),
            "same_run": round(sum(late <= 0 for late in result) / len(result), 3),
            "within_one_run": round(sum(late <= 1 for late in result) / len(result), 3),
        }
    )


if __name__ == "__main__":
    main()
