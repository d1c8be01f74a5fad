"""Days on a five-minute schedule of which runs fail in all ways: at each day's close, what the program finds.

One line of figures: the runs that were really made, how many of them were at fault, and in how many days the notables
differ. It ends with 1 where any does.

    .venv/bin/python lab/bench/bench_splunk_faults.py --days 14 --step 300 --share 0.25
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / name) for name in ("lab", "lab/tools", "tests"))]

from nhi_watch_lab.simulator import Spec, Tenant  # noqa: E402
from splunk_faults import live  # noqa: E402


def main() -> int:
    """Live, and tell."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--days", type=int, default=14)
    asked.add_argument("--step", type=int, default=300, help="seconds between two runs")
    asked.add_argument("--share", type=float, default=0.25, help="of the runs that are at fault")
    asked.add_argument("--events", type=int, default=5_000)
    asked.add_argument("--seed", type=int, default=1)
    told = asked.parse_args()
    spec = Spec(days=told.days, machines=8, seed=8, campaigns=8, events=told.events)
    records = [record for day in Tenant(spec).days() for record in day.records]
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        lived = live(Path(folder), records, told.step, told.share, told.seed)
    wrong = [day for day, (ours, theirs) in lived.closed.items() if ours != theirs]
    runs, fine = sum(lived.faults.values()), lived.faults[""]
    print(f"{len(records):,} events, {told.days} days, {runs:,} runs, {runs - fine:,} of them at fault; "
          f"{lived.failed:,} searches failed; {len(lived.closed)} days closed with "
          f"{sum(len(theirs) for _, theirs in lived.closed.values())} notables, {len(wrong)} days differ; "
          f"what stands at the end {'is alike' if lived.listed[0] == lived.listed[1] else 'differs'}; "
          f"{time.perf_counter() - started:,.0f} s")  # fmt: skip
    for how, count in sorted(lived.faults.items()):
        print(f"{count:6,} {how or 'as it should be'}")
    for day in wrong:
        print(day, *lived.closed[day], sep="\n")
    return int(bool(wrong) or lived.listed[0] != lived.listed[1])


if __name__ == "__main__":
    sys.exit(main())
