"""A thief who has read the code: `python lab/bench/bench_thief.py [--page docs/method/hiding.md]`.

What is measured, and how: `nhi_watch_lab.evaluation.thief`. `--why` shows for each attack that is not listed which
signals spoke; `--rows` and `--nth` measure a part.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from _bench import ROOT, write

from nhi_watch.detect import model as models
from nhi_watch_lab.evaluation import thief

SHEET = ROOT / "lab" / "results" / "hiding.csv"
"""What is not listed from the victim's own place."""


def main() -> None:
    """Measure all, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="9101,9102", help="tenants (default: %(default)s)")
    parser.add_argument("--identities", type=int, default=150, help="machine identities of each (default: %(default)s)")
    parser.add_argument("--rows", default="", help="only rows whose names hold this text")
    parser.add_argument("--nth", type=int, default=1, help="only each n-th attack")
    parser.add_argument("--model", type=Path, default=models.FOLDER, help="another model's folder")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--why", action="store_true", help="tell of attacks that are not listed why")
    parser.add_argument("--page", type=Path, help="also write the page")
    args = parser.parse_args()
    rows = [row for row in thief.ROWS if args.rows in row.name]
    seeds = [int(seed) for seed in args.seeds.split(",")]
    measurements = thief.measured(seeds, args.identities, rows, args.nth, args.workers, args.model)
    write({"worlds": measurements})
    what = f"--seeds {args.seeds} --identities {args.identities}"
    command = f"python lab/bench/bench_thief.py {what} --page docs/method/hiding.md"
    text = thief.page(measurements, command, models.load(args.model).id, "../../lab/results/hiding.csv")
    sys.stdout.write(text)
    if args.why:
        for item in (item for each in measurements for item in each.told if not item.is_shown):
            heavy = ", ".join(f"{name} {points:g}" for name, points in item.signals[:6])
            sys.stdout.write(f"{item.row} | {item.product} | {item.attack}: {item.likelihood:g} ({heavy})\n")
    if args.page:
        args.page.write_text(text, "utf-8")
        with SHEET.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(thief.missed(measurements))


if __name__ == "__main__":
    main()
