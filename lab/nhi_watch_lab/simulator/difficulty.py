"""Is the simulated life hard enough? Two simple rivals must miss at least 30% of the incidents.

`python -m nhi_watch_lab.simulator.difficulty` shows the figures and the SHA-256 over the simulator's source files
(without this one), which is recorded in docs/decisions/0003-simulator.md before any signal is tuned.
"""

from __future__ import annotations

import hashlib
import math
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from nhi_watch_lab.simulator.records import Record
from nhi_watch_lab.simulator.tenant import Spec, Tenant

SEEDS = (901, 902, 903, 904, 905)
_Scores = dict[str, float]


class Figures(NamedTuple):
    """Incidents, and how many of them each rival found."""

    incidents: int
    first_seen: int
    rarity: int


def source_hash(folder: Path = Path(__file__).parent) -> str:
    """SHA-256 over names and contents of the source and data files of a folder, except the one named as this one."""
    total = hashlib.sha256()
    for path in sorted([*folder.glob("*.py"), *folder.glob("data/*")]):
        if path.name != Path(__file__).name:
            total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def who(record: Record) -> str:
    """A simple name for the identity: role ARN, user ARN, service or principal."""
    identity = record["userIdentity"]
    issuer = identity.get("sessionContext", {}).get("sessionIssuer", {})
    return str(issuer.get("arn") or identity.get("arn") or identity.get("invokedBy") or identity.get("principalId"))


class Rivals:
    """First-seen actions, and the rarest action by identity; both learn day by day."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {}

    def score(self, today: dict[str, Counter[str]]) -> tuple[_Scores, _Scores]:
        """Two scores of each identity's day, against the days before."""
        fresh, rare = {}, {}
        for name, counter in today.items():
            known = self.counts.get(name, Counter())
            total = sum(known.values())
            fresh[name] = float(sum(1 for action in counter if action not in known))
            rare[name] = max(-math.log((known[action] + 0.5) / (total + 1)) for action in counter)
        return fresh, rare

    def learn(self, today: dict[str, Counter[str]]) -> None:
        """Add a day."""
        for name, counter in today.items():
            self.counts.setdefault(name, Counter()).update(counter)


def measure(spec: Spec, machines_only: bool) -> Figures:
    """Incidents found at 10 notables a day per 1,000 identities; with or without people in the ranking."""
    tenant, rivals, seen = Tenant(spec), Rivals(), set[str]()
    people = {person.arn for person in tenant.people} if machines_only else set()
    scored: list[tuple[_Scores, _Scores, int]] = []
    incidents: list[tuple[set[str], set[int]]] = []
    for number, day in enumerate(tenant.days()):
        today: dict[str, Counter[str]] = {}
        for record in day.records:
            name = who(record)
            if name not in people:
                today.setdefault(name, Counter())[f"{record['eventSource']}:{record['eventName']}"] += 1
        seen |= today.keys()
        fresh, rare = rivals.score(today)
        scored.append((fresh, rare, max(1, round(len(seen) / 100))))
        rivals.learn(today)
        for incident in day.incidents:
            names = {item["arn"] for item in incident["identities"]}
            incidents.append((names, {number, number + 1, number + 2}))
    return found_of(scored, incidents)


def found_of(scored: list[tuple[_Scores, _Scores, int]], incidents: list[tuple[set[str], set[int]]]) -> Figures:
    """Which incidents (names, days) each rival would have written, by each day's scores and budget."""
    bad: dict[int, set[str]] = {}
    for names, days in incidents:
        for day in days:
            bad.setdefault(day, set()).update(names)
    hits = [0, 0]
    for names, days in incidents:
        for rival in (0, 1):
            hits[rival] += any(_wins(scored[day], rival, names, bad[day]) for day in days if day < len(scored))
    return Figures(len(incidents), *hits)


def _wins(day: tuple[_Scores, _Scores, int], rival: int, names: set[str], bad: set[str]) -> bool:
    scores, budget = (day[1] if rival else day[0]), day[2]
    best = max((scores[name] for name in names if name in scores), default=-1.0)
    if best <= 0:
        return False
    return sum(1 for name, score in scores.items() if name not in bad and score >= best) < budget


def main() -> None:
    """Print hash and table."""
    lines = [f"sha256 {source_hash()}", "seed  ranking   incidents  first-seen  rarity"]
    for machines_only in (False, True):
        total = Figures(0, 0, 0)
        for seed in SEEDS:
            figures = measure(Spec(28, 300, seed, campaigns=64, events=300_000), machines_only)
            total = Figures(*(a + b for a, b in zip(total, figures)))
            lines.append(_row(str(seed), machines_only, figures))
        lines.append(_row("all", machines_only, total))
    sys.stdout.write("\n".join(lines) + "\n")


def _row(seed: str, machines_only: bool, figures: Figures) -> str:
    shares = [f"{found / max(1, figures.incidents):8.1%}" for found in figures[1:]]
    return f"{seed:5} {'machines' if machines_only else 'everybody':9} {figures.incidents:8}   {'   '.join(shares)}"  # noqa: E501


if __name__ == "__main__":
    main()
