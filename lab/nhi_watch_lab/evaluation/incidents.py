"""Simulated tenants, replayed day by day: which incidents would have been written, by ours and by each rival.

`python -m nhi_watch_lab.evaluation.incidents --seeds 191-194` shows what is missed, and what outranks it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, Optional, TypeVar

from nhi_watch.core import timestamps
from nhi_watch.detect import model, ranking
from nhi_watch.detect.calibration import Quiet
from nhi_watch.detect.explain.notables import created
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.scoring import weighed
from nhi_watch_lab.evaluation import ablation
from nhi_watch_lab.evaluation.counting import BUDGETS, Entry, places
from nhi_watch_lab.evaluation.kept import KeptDay, tenant_days
from nhi_watch_lab.evaluation.labelled import Labelled
from nhi_watch_lab.evaluation.learners import boosting, learners
from nhi_watch_lab.evaluation.replay import Replay, Replayed, linked, quiet_time
from nhi_watch_lab.evaluation.rivals import FirstSeen, Rival, simple
from nhi_watch_lab.simulator import Spec

SEEDS = tuple(range(501, 509))
"""Never trained on: training uses 101 to 199."""
OURS = "nhi_watch"
NO_FLOOR = "without_floor"
"""Ours if every episode could be written: what the floor costs. Only told where rivals are not."""
NO_THRESHOLD = "without_threshold"
"""Ours if the floor and the cap alone held back: what the threshold of the quiet weeks costs."""
NOT_LINKED = "not_linked"
"""Ours if episodes did not follow links."""
SHOWN = 4
"""Benign episodes kept with each missed incident."""

Progress = Callable[[str, int, int], None]


class Card(NamedTuple):
    """An episode in numbers: what its signals said."""

    identity: str
    score: float
    priority: float
    points: float
    signals: dict[str, tuple[Optional[float], float]]
    """Signal → value and points, where it has points; a value of None: cannot tell."""


class Whose(NamedTuple):
    """The identity of an incident's best episode."""

    kind: str
    days: int
    """On how many days it was active before."""


class Incident(NamedTuple):
    """One labelled incident, and how it fared."""

    id: str
    seed: int
    day: int
    technique: str
    origin: str
    distinguishable: bool
    places: dict[str, list[tuple[int, int, int]]]
    """Detector → (day, benign entries at or above, identities of that day) of each day that has a place."""
    minutes: Optional[float]
    """From its first record until its first notable would have been written."""
    records: Optional[int]
    """How many of its records were made until then."""
    whose: Whose
    card: Optional[Card]
    """Its best episode."""
    above: list[Card]
    """Benign episodes of that day that outrank it, the highest first."""

    def found(self, budget: float, detector: str = OURS) -> bool:
        """Whether it was written within the budget on one of its days."""
        days = self.places.get(detector) or self.places.get(at(detector, budget)) or []
        return any(above < ranking.allowance(budget, size) for _, above, size in days)


def at(detector: str, budget: float) -> str:
    """The name under which the places are kept of a detector that writes other episodes at each budget.

    >>> at("nhi_watch", 10.0)
    'nhi_watch at 10'
    """
    return f"{detector} at {budget:g}"


class Scored(NamedTuple):
    """One eligible episode, for figures over episodes."""

    seed: int
    day: int
    score: float
    probability: float
    points: float
    bad: bool
    place: int
    """How many episodes rank before it in the day, floor and all; -1: not over the floor."""


class DaySize(NamedTuple):
    """How many eligible identities a day had, and what was worth a notable then."""

    seed: int
    day: int
    identities: int
    thresholds: tuple[float, ...]
    """By budget, in their order: the lowest score that is written."""


class TenantResult(NamedTuple):
    """Everything that one tenant gives."""

    incidents: list[Incident]
    episodes: list[Scored]
    days: list[DaySize]
    events: int
    alerts: Alerts


class Alerts(NamedTuple):
    """What would have come to people's desks, from the day on that incidents may happen."""

    products: int
    """Alerts of other products among the records."""
    first_seen: int
    """Identity-days on which a rule for calls never seen before would alert."""


class Watch:
    """One tenant under watch."""

    def __init__(self, job: Job) -> None:
        self._job, self._model = job, job.model
        self._seed = job.spec.seed
        self._rivals: list[Rival] = [*simple(), *learners(job.boosting)] if job.rivals else []
        self._replay = Replay(job.model)
        self._labels: dict[str, Mapping[str, Any]] = {}
        self._places: dict[str, dict[str, list[tuple[int, int, int]]]] = {}
        self._best: dict[str, tuple[Card, list[Card], Whose]] = {}
        self._created: dict[str, int] = {}
        self._times: dict[str, list[int]] = {}
        self._new_calls = FirstSeen()
        self._first_seen = 0
        self._found: list[Scored] = []
        self._days: list[DaySize] = []
        self._events = 0

    def run(self) -> TenantResult:
        """All days."""
        for number, day in enumerate(self._job.days()):
            self._day(number, day)
        incidents = [self._incident(label) for label in self._labels.values()]
        alerts = Alerts(self._job.alerts(), self._first_seen)
        return TenantResult(incidents, self._found, self._days, self._events, alerts)

    def _day(self, number: int, day: KeptDay) -> None:
        self._replay.label(day.incidents)
        self._labels.update((label["id"], {**label, "day": number}) for label in day.incidents)
        for incident, times in day.times.items():
            self._times.setdefault(incident, []).extend(times)
        self._events += day.events
        for everybody in self._replay.by_day(day.days):
            self._episodes(number, everybody)

    def _episodes(self, number: int, everybody: Sequence[Replayed]) -> None:
        quiet = quiet_time(self._replay, everybody[0].day)
        items = [item for item in everybody if item.ranked.eligible]
        self._days.append(DaySize(self._seed, number, len(items), thresholds(quiet, len(items))))
        if number >= self._job.spec.quiet_days:
            self._first_seen += sum(score > 0 for score in self._new_calls.score(items).values())
        self._new_calls.learn(items)
        ours = [item for item in linked(everybody) if item.ranked.eligible]
        self._count_ours(number, ours)
        if self._job.ablate:
            for name, without in ablation.entries(ours, [our_entry(item) for item in ours]):
                self._count(f"{ablation.WITHOUT}{name}", (number, len(items)), without)
        if not self._rivals:
            alone = [our_entry(item) for item in items]
            self._count(NOT_LINKED, (number, len(items)), alone)
            self._count(NO_FLOOR, (number, len(items)), [entry._replace(written=True) for entry in alone])
        for rival in self._rivals:
            told = rival.score(items)
            self._count(rival.name, (number, len(items)), [rival_entry(item, told) for item in items])
            rival.learn(items)
        self._keep(number, ours)

    def _count(self, detector: str, day: tuple[int, int], entries: Sequence[Entry]) -> None:
        """`day`: its number, and how many identities the budget is counted for."""
        number, size = day
        for incident, above in places(entries).items():
            self._places.setdefault(incident, {}).setdefault(detector, []).append((number, above, size))

    def _count_ours(self, number: int, ours: Sequence[Replayed]) -> None:
        size = self._days[-1].identities
        self._count(NO_THRESHOLD, (number, size), [our_entry(item) for item in ours])
        for budget, low in zip(BUDGETS, self._days[-1].thresholds):
            self._count(at(OURS, budget), (number, size), [our_entry(item, low) for item in ours])

    def _keep(self, number: int, items: Sequence[Replayed]) -> None:
        ordered = sorted(items, key=lambda i: (-i.ranked.priority, -i.ranked.points, i.ranked.identity_id))
        benign = [item for item in ordered if not item.incidents]
        for place, item in enumerate(ordered):
            ranked, points = item.ranked, item.ranked.points
            over = place if ranked.score >= ranking.FLOOR else -1
            self._found.append(Scored(self._seed, number, ranked.score, self._model.probability(points),
                                      points, bool(item.incidents), over))  # fmt: skip
            for incident in item.incidents:
                self._study(incident, item, benign)

    def _study(self, incident: str, item: Replayed, benign: Sequence[Replayed]) -> None:
        known = self._best.get(incident)
        if known is None or item.ranked.priority > known[0].priority:
            above = [b for b in benign if our_entry(b).rank >= our_entry(item).rank][:SHOWN]
            whose = Whose(item.episode.identity.kind, item.episode.view.past.own.days)
            self._best[incident] = card(item), [card(b) for b in above], whose
        if item.ranked.score >= ranking.FLOOR:
            when = created(item.episode)
            self._created[incident] = min(when, self._created.get(incident, when))

    def _incident(self, label: Mapping[str, Any]) -> Incident:
        name = label["id"]
        best, above, whose = self._best.get(name, (None, [], Whose("", 0)))
        when = self._created.get(name)
        records = None if when is None else sum(time <= when for time in self._times.get(name, ()))
        minutes = None if when is None else (when - timestamps.parse(label["first_time"])) / 60
        return Incident(
            name, self._seed, label["day"], label["technique"], label["origin"],
            label["distinguishable"], self._places.get(name, {}), minutes, records, whose, best, above,
        )  # fmt: skip


def our_entry(item: Replayed, threshold: float = ranking.FLOOR) -> Entry:
    """As `ranking.order` sees it."""
    ranked = item.ranked
    return Entry((ranked.priority, ranked.points), item.incidents, ranked.score >= threshold)


def thresholds(quiet: Quiet, size: int) -> tuple[float, ...]:
    """The lowest score that is written at each of the BUDGETS on a day with so many identities."""
    return tuple(max(ranking.FLOOR, quiet.threshold(ranking.allowance(b, size), size)) for b in BUDGETS)


def rival_entry(item: Replayed, told: Mapping[str, float]) -> Entry:
    """As a rival sees it."""
    score = told[item.ranked.identity_id]
    return Entry((score,), item.incidents, score > 0)


def card(item: Replayed) -> Card:
    """What the signals said of an episode."""
    rows = weighed(item.episode.values, item.episode.points)
    told = {s.name: (value, points) for points, s, value in rows if value is None or value}
    ranked = item.ranked
    return Card(item.episode.identity.name, ranked.score, ranked.priority, ranked.points, told)


class Job(NamedTuple):
    """One tenant to be watched."""

    spec: Spec
    model: Scorecard
    """Handed over, so that all tenants are judged by the same one, even if a training ends meanwhile."""
    rivals: bool = True
    kept: Path | None = None
    boosting: Any = None
    """What `learners.boosting()` returned."""
    ablate: bool = False
    """Whether to count how it would fare without each signal."""
    blank: str = ""
    """The field that the logs lack, see `ablation.FIELDS`."""
    own: Optional[Labelled] = None
    """A folder of labelled logs, instead of a simulated tenant."""

    def days(self) -> Iterator[KeptDay]:
        """Day after day."""
        days = iter(self.own.days) if self.own else tenant_days(self.spec, self.kept)
        return (ablation.without_field(day, self.blank) for day in days) if self.blank else days

    def alerts(self) -> int:
        """Alerts of other products among the records."""
        return self.own.alerts if self.own else 0


def one_tenant(job: Job) -> TenantResult:
    """What one tenant gives."""
    return Watch(job).run()


def all_tenants(jobs: Sequence[Job], progress: Progress, workers: int = 2) -> list[TenantResult]:
    """One result a tenant, in the order of `jobs`, in some processes."""
    return spread(one_tenant, jobs, (progress, "simulated tenants"), workers)


Work = TypeVar("Work")
Answer = TypeVar("Answer")


def spread(
    function: Callable[[Work], Answer], jobs: Sequence[Work], told: tuple[Progress, str], workers: int
) -> list[Answer]:
    """The function's answer to each job, in their order, worked out in some processes of one thread each.

    Processes are spawned: one that is forked after a training hangs in the library of its threads.
    """
    progress, stage = told
    if workers == 1:
        found = []
        for done, job in enumerate(jobs):
            progress(stage, done, len(jobs))
            found.append(function(job))
        return found
    with ProcessPoolExecutor(workers, get_context("spawn"), _one_thread) as pool:
        futures = [pool.submit(function, job) for job in jobs]
        for done, _ in enumerate(as_completed(futures), 1):
            progress(stage, done, len(jobs))
        return [future.result() for future in futures]


def _one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"


# ---- the short form, for tuning


def seeds_of(text: str) -> list[int]:
    """Seeds from a text.

    >>> seeds_of("191-193,7")
    [191, 192, 193, 7]
    """
    found: list[int] = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    return found


def main(arguments: Sequence[str]) -> None:
    """Write recall by origin, and what was missed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", default="191-194")
    parser.add_argument("--machines", type=int, default=300)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--campaigns", type=int, default=45)
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--most", type=int, default=25, help="missed incidents shown in full")
    parser.add_argument("--rivals", action="store_true", help="score the rivals as well")
    parser.add_argument("--kept", type=Path, default=Path("out/tenants"), help="folder of simulated days")
    args = parser.parse_args(arguments)
    from nhi_watch_lab.evaluation.summary import digest  # the summary needs this module's types

    specs = [Spec(args.days, args.machines, s, campaigns=args.campaigns) for s in seeds_of(args.seeds)]
    boosted = boosting() if args.rivals else None
    jobs = [Job(spec, model.load(), args.rivals, args.kept, boosted) for spec in specs]
    began = time.perf_counter()
    results = all_tenants(jobs, lambda stage, done, total: None, args.workers)
    sys.stdout.write("\n".join(digest(results, args.most)) + f"\n{time.perf_counter() - began:.0f} s\n")


if __name__ == "__main__":
    # under its importable name, so that worker processes and this one share the same types
    from nhi_watch_lab.evaluation.incidents import main as run

    run(sys.argv[1:])
