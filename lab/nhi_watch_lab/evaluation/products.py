"""Campaigns that cross products: found as one notable, against the same records scored source by source.

`python -m nhi_watch_lab.evaluation.products --page docs/method/products.md` simulates companies that no training
has seen.

An incident is *found* if fewer benign notables than the day's budget allows rank at or above one that holds its
records and those of no other incident; *as one* if on each day that it lasts a single notable holds its records, with
every identity of it that made news; *joined* counts the same of all incidents with a notable. *Source by source*, each
product is scored alone, with its own baselines; its lists are read as one, with as many places a day.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from nhi_watch.detect import model, ranking
from nhi_watch.detect.model import Scorecard
from nhi_watch_lab.evaluation.counting import recall
from nhi_watch_lab.evaluation.products_page import page, sheet
from nhi_watch_lab.evaluation.replay import Replay, Replayed, grouped, linked
from nhi_watch_lab.simulator.products import Day, Spec, Tenant

SEEDS = tuple(range(511, 519))
"""Never trained on, and never looked at while signals were written."""
BUDGET = 10.0
ALERTS = "alert"


class Found(NamedTuple):
    """How one incident fared in one way of scoring."""

    found: bool
    notables: int
    """How many notables over the floor hold its records, on the day with most of them."""
    whole: bool
    """Whether on each of its days one of them holds all of its identities that made news."""


class Incident(NamedTuple):
    """One labelled incident."""

    id: str
    seed: int
    technique: str
    origin: str
    distinguishable: bool
    crossing: bool
    """Whether its records lie in several products."""
    together: Found
    not_linked: Found
    by_source: Found


class Tally(NamedTuple):
    """What a company's days cost its analysts."""

    days: int
    records: int
    alerts: int
    """Alerts of other products."""
    together: int
    """Notables written within the budget."""
    by_source: int


class Company(NamedTuple):
    """Everything that one company gives."""

    incidents: list[Incident]
    tally: Tally


class _Way:
    """One way of scoring a company: the entries over the floor, day by day, and who finds what."""

    def __init__(self) -> None:
        self.holders: dict[str, dict[str, list[frozenset[str]]]] = {}
        """Incident → date → the identities of each notable that holds its records."""
        self.found: set[str] = set()
        self.written = 0

    def day(self, date: str, entries: Sequence[Replayed], identities: int) -> None:
        room = ranking.allowance(BUDGET, identities)
        over = sorted((e for e in entries if e.ranked.eligible and e.ranked.score >= ranking.FLOOR), key=_order)
        self.written += min(room, len(over))
        benign = 0
        for entry in over:
            benign += not entry.incidents
            if len(entry.incidents) == 1 and benign < room:
                self.found |= entry.incidents
            for incident in entry.incidents:
                self.holders.setdefault(incident, {}).setdefault(date, []).append(_members(entry))

    def verdict(self, incident: str, news: Mapping[str, set[str]]) -> Found:
        holders = self.holders.get(incident, {})
        whole = all(any(who <= members for members in holders.get(date, ())) for date, who in news.items())
        return Found(incident in self.found, max(map(len, holders.values()), default=0), whole and bool(news))


def _order(entry: Replayed) -> tuple[float, float, bool]:
    """As `ranking.order` has it; of equals the benign one comes first, to our disadvantage."""
    return -entry.ranked.priority, -entry.ranked.points, bool(entry.incidents)


def _members(entry: Replayed) -> frozenset[str]:
    return frozenset(part.identity.id for part in entry.episode.parts)


class Watch:
    """One company under watch, scored in three ways side by side."""

    def __init__(self, spec: Spec, scorecard: Scorecard) -> None:
        self._spec, self._model = spec, scorecard
        self._whole = Replay(scorecard)
        self._single: dict[str, Replay] = {}
        self._ways = {name: _Way() for name in ("together", "not_linked", "by_source")}
        self._labels: dict[str, Mapping[str, Any]] = {}
        self._news: dict[str, dict[str, set[str]]] = {}
        self._counts: Counter[str] = Counter()

    def run(self) -> Company:
        """All days."""
        for day in Tenant(self._spec).days():
            self._day(day)
        counts = self._counts
        ways = self._ways
        tally = Tally(counts["days"], counts["records"], counts["alerts"], ways["together"].written,
                      ways["by_source"].written)  # fmt: skip
        return Company([self._incident(label) for label in self._labels.values()], tally)

    def _day(self, day: Day) -> None:
        self._labels.update((label["id"], label) for label in day.incidents)
        products: dict[str, list[object]] = {}
        for line in day.lines:
            products.setdefault(line.product, []).append(line.record)
        self._counts.update(days=1, records=len(day.lines), alerts=len(products.get("alerts", ())))
        self._alone(day, products, self._together(day))

    def _together(self, day: Day) -> int:
        """The number of identities that the day's places are counted by."""
        self._whole.label(day.incidents)
        found = [self._judged(day, items) for items in self._whole.by_day(grouped(line.record for line in day.lines))]
        return max(found, default=0)

    def _judged(self, day: Day, items: Sequence[Replayed]) -> int:
        identities = sum(item.ranked.eligible for item in items)
        for item in items:
            if item.ranked.score >= ranking.FLOOR:
                for incident in item.incidents:
                    self._news.setdefault(incident, {}).setdefault(day.date, set()).add(item.ranked.identity_id)
        self._ways["not_linked"].day(day.date, items, identities)
        self._ways["together"].day(day.date, linked(items), identities)
        return identities

    def _alone(self, day: Day, products: Mapping[str, Sequence[object]], identities: int) -> None:
        items: list[Replayed] = []
        for name, records in products.items():
            replay = self._single.setdefault(name, Replay(self._model))
            replay.label(day.incidents)
            items += replay.run_days(grouped(records))
        self._ways["by_source"].day(day.date, items, identities)

    def _incident(self, label: Mapping[str, Any]) -> Incident:
        name = label["id"]
        verdicts = {way: self._ways[way].verdict(name, self._news.get(name, {})) for way in self._ways}
        return Incident(
            name, self._spec.seed, label["technique"], label["origin"], label["distinguishable"],
            len(label["products"]) > 1, **verdicts,
        )  # fmt: skip


def watch(spec: Spec, scorecard: Scorecard) -> Company:
    """What one company gives."""
    return Watch(spec, scorecard).run()


def summarise(companies: Sequence[Company], scorecard: Scorecard) -> dict[str, Any]:
    """All figures as plain values."""
    incidents = [i for company in companies for i in company.incidents if i.distinguishable]
    tallies = [company.tally for company in companies]
    ways = ("together", "not_linked", "by_source")
    groups = {"all": incidents, "crossing products": [i for i in incidents if i.crossing]}
    total = {name: sum(getattr(tally, name) for tally in tallies) for name in Tally._fields}
    return {
        "model": {"id": scorecard.id, "sha256": scorecard.sha256},
        "unlike": sum(not i.distinguishable for company in companies for i in company.incidents),
        "recall": {name: {way: _recall(group, way) for way in ways} for name, group in groups.items()},
        "techniques": {name: _technique(incidents, name) for name in sorted({i.technique for i in incidents})},
        "totals": total,
    }


def _recall(incidents: Sequence[Incident], way: str) -> dict[str, Any]:
    told: list[Found] = [getattr(incident, way) for incident in incidents]
    held = [f.notables for f in told if f.notables]
    one = [f.found and f.whole and f.notables == 1 for f in told]
    return {
        "found": recall([f.found for f in told]),
        "joined": recall([f.whole and f.notables == 1 for f in told if f.notables]),
        "as_one": recall(one),
        "notables_each": round(sum(held) / len(held), 2) if held else 0.0,
    }


def _technique(incidents: Iterable[Incident], name: str) -> dict[str, Any]:
    mine = [i for i in incidents if i.technique == name]
    return {
        "incidents": len(mine),
        **{way: sum(getattr(i, way).found for i in mine) for way in ("together", "by_source")},
        "as_one": sum(i.together.found and i.together.whole and i.together.notables == 1 for i in mine),
    }


def _told(companies: Iterable[Company], specs: Sequence[Spec]) -> Iterator[Company]:
    """Says of each company that it is done, and how long all have taken."""
    began = time.monotonic()
    for number, (spec, company) in enumerate(zip(specs, companies), 1):
        found = sum(incident.together.found for incident in company.incidents)
        sys.stderr.write(
            f"seed {spec.seed} ({number} of {len(specs)}): {company.tally.records:,} records, {found} of "
            f"{len(company.incidents)} incidents found, {time.monotonic() - began:.0f} s\n"
        )
        yield company


def main(arguments: Sequence[str]) -> None:
    """Simulate, score in three ways, and say what was found as one."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", default=f"{SEEDS[0]}-{SEEDS[-1]}")
    parser.add_argument("--nhis", type=int, default=200, help="machine identities of a company")
    parser.add_argument("--days", type=int, default=21)
    parser.add_argument("--campaigns", type=int, default=30)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--page", type=Path, metavar="FILE", help="also write the figures as a Markdown page")
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where products.json goes")
    args = parser.parse_args(arguments)
    from nhi_watch_lab.evaluation.incidents import seeds_of

    specs = [Spec(args.days, args.nhis, seed, campaigns=args.campaigns) for seed in seeds_of(args.seeds)]
    scorecard = model.load()
    with ProcessPoolExecutor(args.workers) as pool:
        companies = list(_told(pool.map(partial(watch, scorecard=scorecard), specs), specs))
    result = summarise(companies, scorecard)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "products.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    text = page(result, specs, (__doc__ or "").partition("\n\n")[2].partition("\n\n")[2].rstrip())
    if args.page:
        args.page.write_text(text, "utf-8")
        args.page.with_suffix(".csv").write_text(sheet(result), "utf-8")
    sys.stdout.write(text)
    missed = [i for company in companies for i in company.incidents if i.distinguishable and not i.together.found]
    sys.stdout.writelines(f"missed {i.technique} {i.origin} seed {i.seed} {i.id} {i.together}\n" for i in missed)


if __name__ == "__main__":
    # under its importable name, so that worker processes and this one share the same types
    from nhi_watch_lab.evaluation.products import main as run

    run(sys.argv[1:])
