"""What an analyst reads each morning, replayed: days scored one after the other, as a daily schedule does.

A tenant's history is given at once, as on installation; the list is first read on the eve of the first incident, and
from then on every morning. The history is scored once and shared by all ARMS.

Rivals are given the identity-days of the arm without verdicts, at each day's end. Their scores order these; from
the highest down, so many are admitted as give no more benign rows than ours gave that tenant at the same budget, ties
in an order that says nothing. The rules of the morning are ours: an identity-day is a row unless its identity had a
row in the six days before, an incident is shown by a row of one of its own days. People are candidates where our own
list has them, and on each day of an incident, which spares rivals what people do otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple, Optional

from nhi_watch.core.behaviour import fingerprint
from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.notable import order
from nhi_watch.core.status import is_waiting, tells_calls
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.detect import feedback, scoring
from nhi_watch.detect import model as models
from nhi_watch.detect.model import Model
from nhi_watch.detect.ranking import WEEK
from nhi_watch.detect.run import Result
from nhi_watch.detect.session import Session
from nhi_watch.state.state import State
from nhi_watch.state.store import TABLES, MemoryStore, span
from nhi_watch_lab.evaluation.exams import SOURCES, Exam, family_of, time_and_id
from nhi_watch_lab.evaluation.harness import World, world_of
from nhi_watch_lab.evaluation.rivals import ALLOWED, Candidate, FirstSeen, OpenRules, Rarity, Rival, fired, load

OURS = "nhi_watch"
HISTORY = 5
"""Days before the first incident whose identities are taken as the tenant's size."""
ANALYST = "analyst"
GRAVE = ("high", "critical")
NOTABLE = 5.0
"""Likelihood from which notables, listed or not, count for calibration."""


class Arm(NamedTuple):
    """How a tenant's list is read."""

    budget: float
    """Rows a day per 1,000 identities."""
    verdicts: bool
    """Whether somebody gives the true verdict on every new row each morning."""


NO_VERDICTS, WITH_VERDICTS, SMALL = ARMS = (Arm(10.0, False), Arm(10.0, True), Arm(3.0, False))


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


class Shown(NamedTuple):
    """A notable as it was last seen in the mornings, for calibration."""

    likelihood: float
    severity: str
    bad: bool
    listed: bool


class Tenant(NamedTuple):
    """All mornings of one tenant with one detector."""

    family: str
    world: str
    detector: str
    budget: float
    verdicts: bool
    identities: float
    cases: list[Case]
    mornings: list[Morning]
    notables: list[Shown]
    """Of ours."""


class Task(NamedTuple):
    """One tenant for one process."""

    exam: Exam
    model: Path
    rivals: Sequence[Rival] = ()
    """Further ones, which are trained beforehand."""
    rules: Optional[Path] = None
    """A folder of Sigma rules: with an allow-list, a rival."""


def replayed(task: Task) -> list[Tenant]:
    """The mornings of one tenant: ours in each arm, and what rivals show at as many benign rows."""
    world, model = world_of(task.exam), models.load(task.model)
    store, left = _history(world, model)
    bench, result = Bench(world, _rivals(task, world)), dict[Arm, Tenant]()
    for arm in ARMS:
        replay = Replay(world, model, copied(store), arm, bench if arm == NO_VERDICTS else None)
        for records in left:
            replay.run(records)
        result[arm] = replay.tenant(task.exam)
    compared = (bench.tenants(result[arm]) for arm in (NO_VERDICTS, SMALL))
    return [*result.values(), *(tenant for each in compared for tenant in each)]


def _history(world: World, model: Model) -> tuple[MemoryStore, list[list[Any]]]:
    """The state on the eve of the eve of the first incident, and the records of the days that are left."""
    store = MemoryStore()
    session, days = Session(store, SOURCES, model=model), [records for records in world.days if records]
    begins = next((n for n, records in enumerate(days) if _day_of(records) >= world.start - 1), len(days))
    for records in days[:begins]:
        session.feed(records)
    session.put()
    session.close(lambda: True)
    store.commit()
    return store, days[begins:]


def _day_of(records: Iterable[object]) -> int:
    """The day of the first record that can be read."""
    return next((when // DAY for record in records if (when := time_and_id(record)[0])), 0)


def copied(store: MemoryStore) -> MemoryStore:
    """The same rows in a store of their own."""
    built = MemoryStore()
    for table in TABLES:
        built.put(table, list(store.scan(table, "", "\U0010ffff")))
    return built


# ---- ours


def crowd(world: World, identities: float) -> float:
    """What a tenant's incidents take of a budget, a day per 1,000 identities: they take no places of others.

    Worlds hold some thirty times as many as life.
    """
    return 1000 * len(world.incidents) / (world.tested * max(1.0, identities))


class Replay:
    """One arm: a tenant's days from the eve of its first incident on."""

    def __init__(self, world: World, model: Model, store: MemoryStore, arm: Arm, bench: Optional[Bench]) -> None:
        self._world, self._model, self._store, self._arm, self._bench = world, model, store, arm, bench
        sizes = [sum(1 for _ in store.scan("day", *span(day))) for day in State(store).daybook.days[-HISTORY:]]
        self._identities = mean(sizes) if sizes else 1.0
        self._budget = arm.budget + crowd(world, self._identities)
        self._owner = {record: incident["id"] for incident in world.incidents for record in incident["record_ids"]}
        self._marks = marks_of(world)
        self._seen = set[str]()
        self._places = dict[str, int]()
        self._mornings = list[Morning]()
        self._shown = dict[str, Shown]()

    def run(self, records: Sequence[object]) -> None:
        """Score a day, read its list, and give verdicts in an arm with verdicts."""
        session = Session(self._store, SOURCES, model=self._model, budget=self._budget)
        session.feed(records)
        result = session.finish()
        session.confirm(result.events)
        self._store.commit()
        day = max(session.state.daybook.days)
        if self._bench is not None:
            self._bench.take(self._store)
        rows, still_open = list_of(result.standing)
        incidents = [self._incidents_of(row) for row in rows]
        if day >= self._world.start:
            self._read(day, rows, incidents, still_open)
            self._note(result, day)
        if self._arm.verdicts:
            asked = rows if self._mornings else [*rows, *still_open]  # on the eve all that the history left
            _give_verdicts(self._store, asked, list(map(self._incidents_of, asked)), (day + 1) * DAY)

    def _read(
        self,
        day: int,
        rows: Sequence[NotableDocument],
        incidents: Sequence[Collection[str]],
        still_open: Sequence[NotableDocument],
    ) -> None:
        identity_days = (identity_day for _, identity_day in State(self._store).each_of(day))
        today = {self._marks[mark] for identity_day in identity_days for mark in identity_day.seen & self._marks.keys()}
        benign = 0
        for notable_incidents in incidents:
            for incident in today.intersection(notable_incidents):
                self._places[incident] = min(benign, self._places.get(incident, benign))
            benign += not notable_incidents
        left = [row for row in still_open if not self._incidents_of(row)]
        self._mornings.append(morning_of(rows, incidents, self._seen, left, (day + 1) * DAY))
        self._seen.update(row["id"] for row in rows)

    def _note(self, result: Result, day: int) -> None:
        """Keep what the notables of the test say by now; those that became part of others or are withdrawn go."""
        for event in result.events:
            if event.change in ("merged", "withdrawn"):
                self._shown.pop(event.document["id"], None)
        for item in (*result.standing, *result.below):
            was_listed = item["id"] in self._shown and self._shown[item["id"]].listed
            is_of_test = tells_calls(item) and parse(item["last_time"]) // DAY >= self._world.start
            if is_of_test and (item["listed"] or was_listed or item["likelihood"] >= NOTABLE):
                self._shown[item["id"]] = Shown(
                    item["likelihood"], item["severity"], bool(self._incidents_of(item)), item["listed"] or was_listed
                )

    def _incidents_of(self, notable: NotableDocument) -> set[str]:
        return {self._owner[record] for record in notable["record_ids"] if record in self._owner}

    def tenant(self, exam: Exam) -> Tenant:
        """What the mornings showed."""
        return Tenant(
            family_of(exam.kind),
            exam.name,
            OURS,
            *self._arm,
            self._identities,
            cases_of(self._world, self._places),
            self._mornings,
            [*self._shown.values()],
        )


def marks_of(world: World) -> dict[Any, str]:
    """Fingerprint of a record → the incident that it is part of."""
    return {fingerprint(record): incident["id"] for incident in world.incidents for record in incident["record_ids"]}


def cases_of(world: World, places: Mapping[str, int]) -> list[Case]:
    """Each incident that differs from ordinary activity, with its place."""
    return [
        Case(incident["id"], incident["technique"], incident["origin"], places.get(incident["id"]))
        for incident in world.incidents
        if incident.get("distinguishable", True)
    ]


def list_of(standing: Iterable[NotableDocument]) -> tuple[list[NotableDocument], list[NotableDocument]]:
    """The new rows of a morning in their order, and what is still open."""
    ordered = sorted((notable for notable in standing if tells_calls(notable)), key=order)
    return [n for n in ordered if n["life"] == "new"], [n for n in ordered if n["life"] != "new"]


def morning_of(
    rows: Sequence[NotableDocument],
    incidents: Sequence[Collection[str]],
    seen: Collection[str],
    still_open: Sequence[NotableDocument],
    end: int,
) -> Morning:
    """`still_open`: those of no incident; `seen`: ids of earlier new rows; `end`: of the day's data."""
    benign = [row for row, result in zip(rows, incidents) if not result]
    waiting = sum(is_waiting(row, end) for row in still_open)
    return Morning(
        len(benign),
        sum(row["id"] in seen for row in benign),
        sum(row["severity"] in GRAVE for row in benign),
        len(still_open) - waiting,
        waiting,
        len(rows) - len(benign),
    )


def _give_verdicts(
    store: MemoryStore, rows: Sequence[NotableDocument], incidents: Sequence[Collection[str]], now: int
) -> None:
    """Give each row its true verdict."""
    given = (
        feedback.make_verdict(row, "confirmed" if result else "benign", ANALYST, "looked into", now, {})
        for row, result in zip(rows, incidents)
    )
    feedback.put(store, given)
    store.commit()


# ---- rivals


class Scored(NamedTuple):
    """An identity's day with a rival's score."""

    day: int
    identity: str
    score: float
    incidents: frozenset[str]


class Bench:
    """Rivals over the identity-days of one tenant."""

    def __init__(self, world: World, rivals: Sequence[Rival]) -> None:
        self._world, self._rivals, self._marks = world, rivals, marks_of(world)
        self._scored: dict[str, list[Scored]] = {rival.name: [] for rival in rivals}
        self._days = list[int]()
        """Those that rivals have scored or learnt."""

    def take(self, store: MemoryStore) -> None:
        """Let every rival score each day that was scored, from a week before the first incident on, and learn it."""
        for day in State(store).daybook.days:
            if not self._days or day > self._days[-1]:
                self._take(store, day)
                self._days.append(day)

    def _take(self, store: MemoryStore, day: int) -> None:
        candidates = self._candidates(store, day)
        for rival in self._rivals:
            if day >= self._world.start - WEEK:
                scores = rival.score(candidates)
                scored = (
                    Scored(day, candidate.identity, scores.get(candidate.identity, 0.0), candidate.incidents)
                    for candidate in candidates
                )
                self._scored[rival.name] += (each for each in scored if each.score > 0)
            rival.learn(candidates)

    def _candidates(self, store: MemoryStore, day: int) -> list[Candidate]:
        state, candidates = State(store), list[Candidate]()
        scored = {stored.ranked.identity_id: stored for stored in state.scored(day)}
        for name, identity_day in state.each_of(day):
            bad = frozenset(self._marks[mark] for mark in identity_day.seen & self._marks.keys())
            if bad or (name in scored and scored[name].ranked.eligible):
                values = scoring.unpack_values(scored[name].values if name in scored else None)
                candidates.append(Candidate(day, name, identity_day, scoring.row_of(values or {}), bad))
        return candidates

    def tenants(self, ours: Tenant) -> list[Tenant]:
        """What each rival's mornings show at as many benign rows as ours had."""
        allowed, first = sum(morning.benign for morning in ours.mornings), self._world.start
        result = []
        for name, scored in self._scored.items():
            rows = at_equal_rows(scored, first, allowed)
            mornings, places = _mornings_of(rows, [day for day in self._days if day >= first])
            result.append(
                ours._replace(detector=name, cases=cases_of(self._world, places), mornings=mornings, notables=[])
            )
        return result


def at_equal_rows(scored: Sequence[Scored], first: int, allowed: int) -> list[Scored]:
    """The rows of the most identity-days, from the highest score down, that have no more benign rows than allowed.

    `first`: the day from which rows count; a row of the week before still stands. An identity-day is a row unless its
    identity had one in the six days before.
    """

    def benign_rows(rows: Iterable[Scored]) -> int:
        return sum(row.day >= first and not row.incidents for row in rows)

    admitted, rows, benign = dict[str, list[Scored]](), dict[str, list[Scored]](), 0
    for item in sorted(scored, key=lambda scored: (-scored.score, _in_any_order(scored))):
        mine = admitted.setdefault(item.identity, [])
        mine.append(item)
        before, after = rows.get(item.identity, []), _rows_of(mine)
        benign += benign_rows(after) - benign_rows(before)
        rows[item.identity] = after
        if benign > allowed:
            rows[item.identity] = before
            break
    return [row for each in rows.values() for row in each if row.day >= first]


def _rows_of(admitted: Iterable[Scored]) -> list[Scored]:
    rows, last = list[Scored](), -WEEK
    for scored in sorted(admitted, key=lambda scored: scored.day):
        if scored.day - last >= WEEK:
            rows.append(scored)
            last = scored.day
    return rows


def _in_any_order(scored: Scored) -> bytes:
    return hashlib.sha256(f"{scored.day}/{scored.identity}".encode()).digest()


def _mornings_of(rows: Sequence[Scored], days: Iterable[int]) -> tuple[list[Morning], dict[str, int]]:
    """The mornings that rows make, and the place of each incident that they show."""
    mornings, places, seen = list[Morning](), dict[str, int](), set[str]()
    for day in days:
        today = sorted((row for row in rows if row.day == day), key=lambda row: (-row.score, _in_any_order(row)))
        benign = repeats = 0
        for row in today:
            for incident in row.incidents:
                places[incident] = min(benign, places.get(incident, benign))
            benign += not row.incidents
            repeats += not row.incidents and row.identity in seen
        seen.update(row.identity for row in today)
        mornings.append(Morning(benign, repeats, 0, 0, 0, len(today) - benign))
    return mornings, places


def _rivals(task: Task, world: World) -> list[Rival]:
    from nhi_watch_lab.training.learners import Histograms, Isolation, IsolationOnSignals

    rivals: list[Rival] = [FirstSeen(), Rarity(), Isolation(), IsolationOnSignals(), Histograms(), *task.rivals]
    if task.rules:
        late = [some for some in world.days if _day_of(some) >= world.start - WEEK - ALLOWED]
        rivals.append(OpenRules(fired(late, load(task.rules).rules)))
    return rivals


# ---- all tenants


def measured(
    tasks: Sequence[Task], workers: int, progress: Callable[[list[Tenant]], None] = lambda tenants: None
) -> list[Tenant]:
    """Every tenant, spread over processes: new ones, since threads of a library that learns do not survive a fork."""
    result = list[Tenant]()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for tenants in pool.map(replayed, tasks):
            progress(tenants)
            result += tenants
    return result


def write(tenants: Sequence[Tenant], how: str, path: Path) -> None:
    """Keep every morning, incident and notable as JSON."""
    plain = [
        {
            **tenant._asdict(),
            "cases": [case._asdict() for case in tenant.cases],
            "mornings": [morning._asdict() for morning in tenant.mornings],
            "notables": [notable._asdict() for notable in tenant.notables],
        }
        for tenant in tenants
    ]
    path.write_text(json.dumps({"how": how, "tenants": plain}, indent=1) + "\n", "utf-8")


def read(path: Path) -> tuple[list[Tenant], str]:
    """What `write` has kept."""
    plain = json.loads(path.read_text("utf-8"))
    return [
        Tenant(
            **{
                **tenant,
                "cases": [Case(**case) for case in tenant["cases"]],
                "mornings": [Morning(**morning) for morning in tenant["mornings"]],
                "notables": [Shown(**notable) for notable in tenant["notables"]],
            }
        )
        for tenant in plain["tenants"]
    ], plain["how"]
