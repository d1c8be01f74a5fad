"""One world, replayed day by day and judged: what ranks above each incident, by ours and by each rival.

*Found at B*: fewer than B × days × identities / 1,000 benign notables rank at or above it over the whole test. The test
begins with the first attack; `identities` is the mean of those that were active a day and had been seen before. What
goes on for days is one notable of an identity: a benign identity counts once, by its best day, and so does what is
linked to it; an incident counts by its best day. A tie counts against the detector. An entry that holds several
incidents finds none. Days of an identity after it was attacked are that incident's, and no benign notable.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.core.timestamps import render_day
from nhi_watch.detect import drift, ranking
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.scoring import weighed
from nhi_watch_lab.evaluation import exams, unseen
from nhi_watch_lab.evaluation.counting import Rank
from nhi_watch_lab.evaluation.exams import Exam
from nhi_watch_lab.evaluation.kept import KeptDay
from nhi_watch_lab.evaluation.replay import Replay, Replayed, linked
from nhi_watch_lab.evaluation.rivals import Rival
from nhi_watch_lab.evaluation.unseen import UNSEEN, Fold, Homes

OURS = "nhi_watch"
BUDGETS = (10.0, 3.0)
"""Notables a day per 1,000 identities."""
SHOWN = 8
"""Signals that are kept of an episode."""
LEAST_SHOWN = 40
"""Benign notables that are kept even where the budget has less room."""


class Notable(NamedTuple):
    """What one identity's best day, or an incident's, says of itself."""

    identity: str
    kind: str
    """person, or the kind of the identity."""
    day: str
    age: int
    """Days since the tenant was first seen."""
    score: float
    points: float
    probability: float
    """As it is told."""
    why: dict[str, tuple[Optional[float], float]]
    """Signal → value and points, the heaviest."""


class Case(NamedTuple):
    """One incident, and how many benign notables rank at or above it."""

    id: str
    technique: str
    origin: str
    distinguishable: bool
    above: dict[str, Optional[int]]
    """By detector; None: it is no notable at all."""
    best: Optional[Notable]

    def found(self, room: float, detector: str = OURS) -> bool:
        """Whether it is found where so many benign notables have room."""
        above = self.above.get(detector)
        return above is not None and above < room


class Judged(NamedTuple):
    """One world."""

    exam: Exam
    days: int
    """Of the test."""
    identities: float
    """Active a day, and seen before."""
    cases: list[Case]
    benign: list[Notable]
    """Benign notables of ours, the highest first."""
    calibration: list[tuple[float, bool, int]]
    """Probability, whether it was an incident, and the tenant's age in days, of what is written at the first budget."""

    def room(self, budget: float) -> float:
        """Benign notables that a budget has room for."""
        return budget * self.days * self.identities / 1000


class Entry(NamedTuple):
    """What a detector would write of a day."""

    key: str
    """The identity that leads."""
    rank: Rank
    incidents: frozenset[str]
    told: Optional[Notable] = None
    """Only of ours."""


class Ledger:
    """What one detector wrote over a test: the best of each benign identity, and of each incident."""

    def __init__(self) -> None:
        self.benign: dict[str, Entry] = {}
        self.incidents: dict[str, Entry] = {}

    def note(self, entry: Entry, attacked: frozenset[str]) -> None:
        """Take in an entry; `attacked`: identities of which an incident is known by now."""
        if len(entry.incidents) == 1:
            (name,) = entry.incidents
            _keep(self.incidents, name, entry)
        elif not entry.incidents and entry.key not in attacked:
            _keep(self.benign, entry.key, entry)

    def above(self, incident: str) -> Optional[int]:
        """Benign notables at or above an incident; None: it was not written."""
        found = self.incidents.get(incident)
        return None if found is None else sum(each.rank >= found.rank for each in self.benign.values())

    def ordered(self) -> list[Entry]:
        """The benign notables, the highest first."""
        return sorted(self.benign.values(), key=lambda entry: (*(-each for each in entry.rank), entry.key))


def _keep(best: dict[str, Entry], key: str, entry: Entry) -> None:
    if key not in best or entry.rank > best[key].rank:
        best[key] = entry


class Job(NamedTuple):
    """One world to be judged."""

    exam: Exam
    model: Scorecard
    kept: Path
    """Where generated days are kept."""
    rivals: Sequence[Rival] = ()
    """Fresh ones."""
    folds: Sequence[Fold] = ()
    """Models that judge techniques which they were not trained on."""


def judge(job: Job) -> Judged:
    """Replay all days of a world."""
    return _Court(job).run()


class _Court:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._replay = Replay(job.model)
        self._ledgers = {OURS: Ledger(), **{rival.name: Ledger() for rival in job.rivals}}
        self._unseen = [(fold, Ledger()) for fold in job.folds]
        self._labels: list[Mapping[str, Any]] = []
        self._attacked: set[str] = set()
        self._sizes: list[int] = []
        self._people: frozenset[str] = frozenset()
        self._first = 0
        self._usual = drift.usual(job.model)
        self._week: deque[drift.Spread] = deque(maxlen=drift.DAYS)

    def run(self) -> Judged:
        self._people, days = exams.days(self._job.exam, self._job.kept)
        for day in days:
            self._day(day)
        size = sum(self._sizes) / max(1, len(self._sizes))
        cases = [self._case(label) for label in self._labels]
        found = Judged(self._job.exam, len(self._sizes), round(size, 2), cases, [], [])
        room = found.room(BUDGETS[0])
        benign = self._ledgers[OURS].ordered()[: max(LEAST_SHOWN, int(room))]
        told = [entry.told for entry in benign if entry.told]
        return found._replace(benign=told, calibration=self._calibration(room))

    def _day(self, day: KeptDay) -> None:
        self._replay.label(day.incidents)
        self._labels += day.incidents
        for everybody in self._replay.by_day(day.days):
            self._first = self._first or everybody[0].day
            if self._labels:
                self._attacked.update(item.ranked.identity_id for item in everybody if item.incidents)
            self._one_day(everybody, bool(self._labels))

    def _one_day(self, everybody: Sequence[Replayed], tested: bool) -> None:
        items = [item for item in everybody if item.ranked.eligible]
        told = {rival.name: rival.score(items) for rival in self._job.rivals}
        if tested:
            self._sizes.append(sum(item.episode.view.past.own.days > 0 for item in items))
            together = [item for item in linked(everybody) if item.ranked.eligible]
            self._note(self._ledgers[OURS], self._ours(together))
            for name, scores in told.items():
                self._note(self._ledgers[name], _theirs(items, scores))
            for fold, ledger in self._unseen:
                self._note(ledger, _by(fold, unseen.homes_of(fold, self._replay, everybody[0].day), together))
        for rival in self._job.rivals:
            rival.learn(items)
        if everybody[0].day - self._first >= drift.SETTLED:
            self._week.append(drift.spread_of((item.ranked.score, (), 1.0) for item in items))

    def _trust(self) -> float:
        week = drift.added(self._week) if self._week else drift.Spread([], {})
        usual = self._usual if week.size >= drift.ENOUGH else None
        return drift.trust_of(week.scores, self._job.model, usual) if usual else 1.0

    def _note(self, ledger: Ledger, entries: Iterable[Entry]) -> None:
        attacked = frozenset(self._attacked)
        for entry in entries:
            ledger.note(entry, attacked)

    def _case(self, label: Mapping[str, Any]) -> Case:
        name = label["id"]
        above = {detector: ledger.above(name) for detector, ledger in self._ledgers.items()}
        above.update((UNSEEN, ledger.above(name)) for fold, ledger in self._unseen
                     if label["technique"] in fold.techniques)  # fmt: skip
        best = self._ledgers[OURS].incidents.get(name)
        plain = label.get("distinguishable", True)
        return Case(name, label["technique"], label["origin"], plain, above, best.told if best else None)

    def _calibration(self, room: float) -> list[tuple[float, bool, int]]:
        ours = self._ledgers[OURS]
        written = [(entry.told, False) for entry in ours.ordered()[: int(room)]]
        written += [(e.told, True) for name, e in ours.incidents.items() if (ours.above(name) or 0) < room]
        return [(told.probability, bad, told.age) for told, bad in written if told]

    def _ours(self, together: Sequence[Replayed]) -> Iterable[Entry]:
        """What the product would write, in its own order."""
        trust = self._trust()
        for item in together:
            ranked = item.ranked
            if ranked.score >= ranking.FLOOR:
                rank = ranked.priority, ranked.points
                yield Entry(ranked.identity_id, rank, item.incidents, self._notable(item, trust))

    def _notable(self, item: Replayed, trust: float) -> Notable:
        identity, ranked = item.episode.identity, item.ranked
        rows = weighed(item.episode.values, item.episode.points)[:SHOWN]
        why = {signal.name: (value, points) for points, signal, value in rows if points}
        kind = "person" if identity.name in self._people else identity.kind
        chance = self._job.model.told(ranked.points, trust, ranking.together(item.episode))
        return Notable(identity.name, kind, render_day(item.day), item.day - self._first, ranked.score,
                       ranked.points, chance, why)  # fmt: skip


def _by(fold: Fold, homes: Homes, together: Sequence[Replayed]) -> Iterable[Entry]:
    """What the product would write with another model."""
    for item in together:
        rank = unseen.ranked(fold, homes, item)
        if rank is not None:
            yield Entry(item.ranked.identity_id, rank, item.incidents)


def _theirs(items: Sequence[Replayed], scores: Mapping[str, float]) -> Iterable[Entry]:
    for item in items:
        score = scores[item.ranked.identity_id]
        if score > 0:
            yield Entry(item.ranked.identity_id, (score,), item.incidents)
