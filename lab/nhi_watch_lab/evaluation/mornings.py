"""What an analyst reads each morning: days scored one after the other, as a daily schedule does, at the default budget.

A tenant's days are scored one by one. From its first incident on each day's run counts as a morning: its *new* rows
(listed notables that got their place since the morning before) and what is *still open*. Worlds hold some thirty
times as many incidents as life, so the budget is raised by what these take; a row's place in the list is counted among
benign rows alone, so that incidents do not compete with each other.

- shown: an incident is shown if a new row of the morning after one of its own days holds a record of it
- first 5, first 10: so many benign rows at most stand before it
- benign: new rows without a record of any incident, a day per 1,000 identities
- repeats: benign new rows of notables that were a new row on an earlier morning
- read: all lines, new and still open, without those of incidents; notables that were quiet
  for three days and wait for a verdict are one line together
- waiting: how many notables that one line stands for
- high or critical: benign new rows of that severity

Each family of worlds is judged by a model that never saw it. Every tenant is judged twice: nobody says anything, and
somebody gives the true verdict on every new row each morning, from the tenant's first day on. Figures a morning are
scaled to a company of 400 identities.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple, Optional

import nhi_watch
from nhi_watch.core.behaviour import fingerprint
from nhi_watch.core.life import is_waiting, tells_calls
from nhi_watch.core.notable import order
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import feedback
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore, Store
from nhi_watch_lab.evaluation.exams import Exam, family_of
from nhi_watch_lab.evaluation.harness import World, world_of

BUDGET = 10.0
COMPANY = 400
"""Identities of the company to which figures a morning are scaled."""
FIRST = (5, 10)
"""Rows that an analyst surely reads."""
HISTORY = 5
"""Days before the first incident whose active identities are taken as the tenant's size."""
ANALYST = "analyst"
GRAVE = ("high", "critical")
RESAMPLED = 1000


class Case(NamedTuple):
    """One incident and what the mornings showed of it."""

    id: str
    technique: str
    origin: str
    """external | inside"""
    place: Optional[int]
    """Benign rows before it on the best of its mornings; None: it was not shown."""


class Morning(NamedTuple):
    """The list of one morning, without the rows of incidents."""

    benign: int
    repeats: int
    graver: int
    still_open: int
    """Lines, without those that wait."""
    waiting: int
    """Notables that were quiet for three days and wait for a verdict: one line stands for them."""
    true: int
    """New rows that hold a record of an incident."""

    @property
    def lines(self) -> int:
        """All that is to be read."""
        return self.benign + self.still_open + min(1, self.waiting)


class Tenant(NamedTuple):
    """All mornings of one tenant."""

    family: str
    world: str
    verdicts: bool
    identities: float
    cases: list[Case]
    mornings: list[Morning]


class Task(NamedTuple):
    """One tenant for one process."""

    exam: Exam
    model: Path


def judged(task: Task) -> list[Tenant]:
    """The mornings of one tenant, without verdicts and with them."""
    world = world_of(task.exam)
    return [_tenant(world, task, verdicts) for verdicts in (False, True)]


def _tenant(world: World, task: Task, verdicts: bool) -> Tenant:
    store, sizes = MemoryStore(), list[int]()
    seen, places, mornings = set[str](), dict[str, int](), list[Morning]()
    owner = {record: one["id"] for one in world.incidents for record in one["record_ids"]}
    marks = {fingerprint(record): incident for record, incident in owner.items()}
    day = -1
    for records in filter(None, world.days):
        identities = mean(sizes[-HISTORY:]) if sizes else 1.0
        budget = BUDGET + (_crowd(world, identities) if day + 1 >= world.start else 0.0)
        result = nhi_watch.score(records, store=store, budget=budget, model=task.model)
        day = max(State(store).daybook.days)
        rows, still_open = _list(result.standing)
        incidents = [{owner[record] for record in row["record_ids"] if record in owner} for row in rows]
        if day < world.start:
            sizes.append(result.run["identities"])
            if verdicts:
                _judge(store, rows, incidents, (day + 1) * DAY)
            continue
        today = _incidents_of(store, day, marks)
        benign = 0
        for found in incidents:
            for incident in found & today:
                places[incident] = min(benign, places.get(incident, benign))
            benign += not found
        left = [row for row in still_open if owner.keys().isdisjoint(row["record_ids"])]
        mornings.append(_morning(rows, incidents, seen, left, (day + 1) * DAY))
        seen.update(row["id"] for row in rows)
        if verdicts:
            _judge(store, rows, incidents, (day + 1) * DAY)
    cases = [Case(one["id"], one["technique"], one["origin"], places.get(one["id"]))
             for one in world.incidents if one.get("distinguishable", True)]  # fmt: skip
    size = mean(sizes[-HISTORY:]) if sizes else 1.0
    return Tenant(family_of(task.exam.kind), task.exam.name, verdicts, size, cases, mornings)


def _crowd(world: World, identities: float) -> float:
    """What the tenant's incidents take of a budget, a day per 1,000 identities."""
    return 1000 * len(world.incidents) / (world.tested * max(1.0, identities))


def _incidents_of(store: Store, day: int, marks: Mapping[Any, str]) -> set[str]:
    """The incidents of which a day holds records."""
    identity_days = (identity_day for _, identity_day in State(store).each_of(day))
    return {marks[mark] for identity_day in identity_days for mark in identity_day.seen & marks.keys()}


def _list(standing: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The new rows of a morning in their order, and what is still open."""
    ordered = sorted(filter(tells_calls, standing), key=order)
    return [n for n in ordered if n["life"] == "new"], [n for n in ordered if n["life"] != "new"]


def _morning(
    rows: Sequence[Mapping[str, Any]], incidents: Sequence[Collection[str]], seen: Collection[str],
    still_open: Sequence[Mapping[str, Any]], end: int,
) -> Morning:  # fmt: skip
    """`still_open`: those of no incident; `end`: of the day's data."""
    benign = [row for row, found in zip(rows, incidents) if not found]
    waiting = sum(is_waiting(row, end) for row in still_open)
    return Morning(
        len(benign), sum(row["id"] in seen for row in benign), sum(row["severity"] in GRAVE for row in benign),
        len(still_open) - waiting, waiting, len(rows) - len(benign),
    )  # fmt: skip


def _judge(
    store: Store, rows: Sequence[Mapping[str, Any]], incidents: Sequence[Collection[str]], now: int
) -> None:  # fmt: skip
    """Give each row its true verdict."""
    given = (feedback.judge(row, "confirmed" if found else "benign", ANALYST, "looked into", now, {})
             for row, found in zip(rows, incidents))  # fmt: skip
    feedback.put(store, given)
    store.commit()


# ---- all tenants


def measured(tasks: Sequence[Task], workers: int) -> list[Tenant]:
    """Every tenant, spread over processes."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return [one for each in pool.map(judged, tasks) for one in each]


class Figures(NamedTuple):
    """What the mornings of some tenants come to."""

    outside: float
    inside: float
    counts: tuple[int, int]
    first: tuple[tuple[float, float], ...]
    """By FIRST: outside, inside."""
    benign: float
    repeats: float
    graver: float
    read: float
    waiting: float


def figures(tenants: Sequence[Tenant]) -> Figures:
    """Shares over all incidents; rates over all identity-days."""
    cases = [case for tenant in tenants for case in tenant.cases]
    sides = [[c for c in cases if c.origin != "inside"], [c for c in cases if c.origin == "inside"]]
    days = sum(tenant.identities * len(tenant.mornings) for tenant in tenants)
    mornings = [morning for tenant in tenants for morning in tenant.mornings]

    def share(side: Sequence[Case], first: float) -> float:
        return sum(c.place is not None and c.place < first for c in side) / max(1, len(side))

    def rate(count: Callable[[Morning], int]) -> float:
        return sum(map(count, mornings)) / max(1.0, days)

    return Figures(
        share(sides[0], 1e9), share(sides[1], 1e9), (len(sides[0]), len(sides[1])),
        tuple((share(sides[0], first), share(sides[1], first)) for first in FIRST),
        1000 * rate(lambda m: m.benign), COMPANY * rate(lambda m: m.repeats), COMPANY * rate(lambda m: m.graver),
        COMPANY * rate(lambda m: m.lines), COMPANY * rate(lambda m: m.waiting),
    )  # fmt: skip


def _interval(tenants: Sequence[Tenant], value: Callable[[Figures], float]) -> tuple[float, float]:
    """The 90% interval of a figure by resampling tenants, and their incidents and mornings (bootstrap)."""
    dice, found = random.Random(1), list[float]()
    for _ in range(RESAMPLED):
        drawn = []
        for tenant in dice.choices(tenants, k=len(tenants)):
            cases = dice.choices(tenant.cases, k=len(tenant.cases)) if tenant.cases else []
            mornings = dice.choices(tenant.mornings, k=len(tenant.mornings)) if tenant.mornings else []
            drawn.append(tenant._replace(cases=cases, mornings=mornings))
        found.append(value(figures(drawn)))
    found.sort()
    return found[RESAMPLED // 20], found[-RESAMPLED // 20]


def page(tenants: Sequence[Tenant], how: str) -> str:
    """All of it as Markdown."""
    lines = [
        "# Mornings", "", "For analysts and detection engineers: what the list asks to be read, and what it shows.", "",
        "<!-- Written by `nhi evaluate --mornings`: change the code, not this page. -->", "", how, "",
        *(__doc__ or "").split("\n\n", 1)[1].strip().split("\n"), "",
        "| verdicts | family | incidents (outside, inside) | shown outside | inside | first 10 | first 5 "
        "| benign a day per 1,000 | repeats a morning | benign high or critical | lines read | waiting |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for verdicts in (False, True):
        mine = [tenant for tenant in tenants if tenant.verdicts == verdicts]
        families = sorted({tenant.family for tenant in mine})
        by_family = [figures([tenant for tenant in mine if tenant.family == family]) for family in families]
        said = "true" if verdicts else "none"
        lines += (f"| {said} | {family} | {_cells(one)} |" for family, one in zip(families, by_family))
        lines.append(f"| {said} | **mean of families** | {_cells(_mean(by_family))} |")
        spans = [_interval(mine, value) for value in (
            lambda f: f.outside, lambda f: f.inside, lambda f: f.benign, lambda f: f.repeats, lambda f: f.graver
        )]  # fmt: skip
        names = ("shown outside", "inside", "benign", "repeats", "benign high or critical")
        spread = "; ".join(f"{name} {low:.2f} to {high:.2f}" for name, (low, high) in zip(names, spans))
        lines.append(f"| {said} | 90% interval over tenants | {spread} | | | | | | | | | |")
    return "\n".join(lines) + "\n"


def _cells(one: Figures) -> str:
    first = [f"{outside:.2f}, {inside:.2f}" for outside, inside in reversed(one.first)]
    rates = (f"{one.benign:.1f}", f"{one.repeats:.2f}", f"{one.graver:.2f}", f"{one.read:.1f}", f"{one.waiting:.1f}")
    return " | ".join((f"{one.counts[0]}, {one.counts[1]}", f"{one.outside:.2f}", f"{one.inside:.2f}", *first, *rates))


def _mean(found: Sequence[Figures]) -> Figures:
    def of(value: Callable[[Figures], float]) -> float:
        return mean(map(value, found))

    first = tuple((mean(o for o, _ in each), mean(i for _, i in each)) for each in zip(*(f.first for f in found)))
    counts = sum(f.counts[0] for f in found), sum(f.counts[1] for f in found)
    return Figures(of(lambda f: f.outside), of(lambda f: f.inside), counts, first, of(lambda f: f.benign),
                   of(lambda f: f.repeats), of(lambda f: f.graver), of(lambda f: f.read),
                   of(lambda f: f.waiting))  # fmt: skip


def write(tenants: Sequence[Tenant], path: Path) -> None:
    """Keep every morning and every incident as JSON."""
    plain = [{**tenant._asdict(), "cases": [case._asdict() for case in tenant.cases],
              "mornings": [morning._asdict() for morning in tenant.mornings]} for tenant in tenants]  # fmt: skip
    path.write_text(json.dumps(plain, indent=1) + "\n", "utf-8")


def read(path: Path) -> list[Tenant]:
    """What `write` has kept."""
    return [Tenant(**{**one, "cases": [Case(**case) for case in one["cases"]],
                      "mornings": [Morning(**morning) for morning in one["mornings"]]})
            for one in json.loads(path.read_text("utf-8"))]  # fmt: skip
