"""Is the simulated company hard enough? The same two simple rivals as for AWS alone must miss most incidents.

`python -m nhi_watch_lab.simulator.products.difficulty` shows the figures and the SHA-256 over the package's source
files (without this one), which is recorded in docs/decisions/0003-simulator.md.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from nhi_watch_lab.simulator.difficulty import Figures, Rivals, found_of, source_hash
from nhi_watch_lab.simulator.products.tenant import Spec, Tenant

SEEDS = (901, 902, 903)


def products_hash() -> str:
    """SHA-256 over names and contents of the package's source files, except this one."""
    return source_hash(Path(__file__).parent)


def measure(spec: Spec, machines_only: bool) -> Figures:
    """Incidents found at 10 notables a day per 1,000 identities; with or without people in the ranking."""
    tenant, rivals, seen = Tenant(spec), Rivals(), set[str]()
    people = {w.who for w in tenant.workers if w.human} | {f"aws:{p.arn}" for p in tenant.company.aws.people}
    left_out = people if machines_only else set()
    scored: list[tuple[dict[str, float], dict[str, float], int]] = []
    incidents: list[tuple[set[str], set[int]]] = []
    for number, day in enumerate(tenant.days()):
        today: dict[str, Counter[str]] = {}
        for line in day.lines:
            if line.who not in left_out:
                today.setdefault(line.who, Counter())[f"{line.product}:{line.action}"] += 1
        seen |= today.keys()
        scored.append((*rivals.score(today), max(1, round(len(seen) / 100))))
        rivals.learn(today)
        for incident in day.incidents:
            names = {item["name"] for item in incident["identities"]}
            incidents.append((names, {number, number + 1, number + 2}))
    return found_of(scored, incidents)


def main() -> None:
    """Print hash and table."""
    lines = [f"sha256 {products_hash()}", "seed  ranking   incidents  first-seen  rarity"]
    for machines_only in (False, True):
        total = Figures(0, 0, 0)
        for seed in SEEDS:
            figures = measure(Spec(28, 300, seed, campaigns=60), machines_only)
            total = Figures(*(a + b for a, b in zip(total, figures)))
            lines.append(_row(str(seed), machines_only, figures))
        lines.append(_row("all", machines_only, total))
    sys.stdout.write("\n".join(lines) + "\n")


def _row(seed: str, machines_only: bool, figures: Figures) -> str:
    shares = [f"{found / max(1, figures.incidents):8.1%}" for found in figures[1:]]
    return f"{seed:5} {'machines' if machines_only else 'everybody':9} {figures.incidents:8}   {'   '.join(shares)}"


if __name__ == "__main__":
    main()
