"""Quiet attacks by people who have read the code: `python lab/bench/bench_red.py [--page docs/method/red_team.md]`.

What is measured, and how: `nhi_watch_lab.evaluation.red_team`. `--why` lists, for each attack, the signals that spoke.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from _bench import ROOT, write

from nhi_watch.detect import model as models
from nhi_watch_lab.evaluation import red_team


def main() -> None:
    """Measure all attacks, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="9101,9102", help="tenants (default: %(default)s)")
    parser.add_argument("--identities", type=int, default=150, help="machine identities of each (default: %(default)s)")
    parser.add_argument("--model", type=Path, default=models.FOLDER, help="another model's folder")
    parser.add_argument("--why", action="store_true", help="list the signals of each attack")
    parser.add_argument("--page", type=Path, help="also write the page")
    args = parser.parse_args()
    tenants = [red_team.measure(int(seed), args.identities, args.model) for seed in args.seeds.split(",")]
    write({"tenants": tenants})
    command = f"python lab/bench/bench_red.py --seeds {args.seeds} --identities {args.identities}"
    text = red_team.page(tenants, f"{command} --page docs/method/red_team.md", models.load(args.model).id)
    sys.stdout.write(text)
    if args.why:
        for attack in (attack for tenant in tenants for attack in tenant.told):
            heaviest = ", ".join(f"{name} {points:g}" for name, points in attack.signals[:6])
            outcome = "shown" if attack.found else red_team.reason(attack)
            sys.stdout.write(f"{attack.row} | {attack.product} | {attack.attack}: {outcome} ({heaviest})\n")
    if args.page:
        args.page.write_text(text, "utf-8")
        with (ROOT / red_team.SHEET).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(red_team.missed(tenants))


if __name__ == "__main__":
    main()
