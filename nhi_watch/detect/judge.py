"""The whole way on one page: what was read → judged by day → listed → written; and days that are over, learnt.

A run judges the identities that have news on open days; whose calls are as before is only counted. A day is open until
the second midnight after it, by event time. Then it is closed: all of it is judged once more, what that changes is
written, and it is learnt. A closed day is final. What comes of it later is judged alone, by the habits of the day on
which it came, and teaches nothing.

So runs of five minutes, daily runs and one over all files come to the same notables once a day is closed, and a folder
that is given in one run may lie in any order: its days are closed one after the other. Rows replace themselves, and
identity-days are written last, so that a run that was cut off anywhere is simply run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, NamedTuple

from nhi_watch.context.context import NO_CONTEXT, Context
from nhi_watch.core import behaviour
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.timestamps import DAY, render_day
from nhi_watch.detect import blind_spots, drift, late, lives, ranking
from nhi_watch.detect.blind_spots import Watch
from nhi_watch.detect.day import Day
from nhi_watch.detect.exposure import fast
from nhi_watch.detect.incident import Writer, Written
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.scoring import Baselines
from nhi_watch.intake.days import Days
from nhi_watch.intake.horizon import AHEAD
from nhi_watch.state import inventory
from nhi_watch.state.baseline import TENANT, Profile
from nhi_watch.state.state import AT_ONCE, State


class Result(NamedTuple):
    """What a run found."""

    notables: list[dict[str, Any]]
    """The listed ones of every day that was scored, by day and rank."""
    changed: list[dict[str, Any]]
    """New ones, and new revisions."""
    run: dict[str, Any]
    """Counts, seconds a stage, ids of model and baseline: see design, run.json."""
    standing: list[dict[str, Any]]
    """The listed notables of all days that the state keeps, and all exposures: a run over new files must not hide
    them."""
    below: list[dict[str, Any]]
    """Those below the line, of all days that the state keeps."""
    gravest: list[dict[str, Any]]
    """The first of those below the line of every day that was scored: what a SIEM is given of them."""


class Tally:
    """Counts of a run, and the seconds of its stages."""

    def __init__(self) -> None:
        self.days: set[int] = set()
        """Those of which something came."""
        self.identities: set[str] = set()
        self.episodes = 0
        self.behaviours = 0
        self.withdrawn = 0
        self.too_late = 0
        """Records that came after their day was closed."""
        self.folded = 0
        """Records of identities or behaviours that were too many in a day to be told apart."""
        self.seconds: dict[str, float] = {}

    def take(self, day: int, wholes: Mapping[str, IdentityDay]) -> None:
        """Count what was read of a day."""
        self.days.add(day)
        self.identities.update(wholes)
        self.folded += behaviour.folded_records(wholes)

    def judged(self, wholes: Mapping[str, IdentityDay]) -> None:
        """Count identity-days that were scored."""
        self.episodes += len(wholes)
        self.behaviours += sum(len(whole.behaviours) for whole in wholes.values())

    @contextmanager
    def spent(self, stage: str) -> Iterator[None]:
        """Count the seconds of a block to a stage."""
        started = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started

    def told(self, days: Days, card: Scorecard) -> dict[str, Any]:
        """The run's part of run.json."""
        rejected, numbers = sum(days.rejected.values()), sorted(self.days)
        return {
            "read": days.parsed + rejected,
            "parsed": days.parsed,
            "rejected": dict(sorted(days.rejected.items())),
            "duplicates": days.duplicates,
            "shared_ids": days.shared,
            "events": days.parsed - days.duplicates,
            "behaviours": self.behaviours,
            "identities": len(self.identities),
            "episodes": self.episodes,
            "withdrawn": self.withdrawn,
            "too_late": self.too_late,
            "held_aside": days.rejected.get(AHEAD, 0),
            "folded_records": self.folded,
            "days": [render_day(numbers[0]), render_day(numbers[-1])] if numbers else [],
            "day_count": len(numbers),
            "alerts_in": days.alerts,
            "seconds": {stage: round(spent, 3) for stage, spent in self.seconds.items()},
            "model": {"id": card.id, "sha256": card.sha256},
            "baseline": {"id": render_day(numbers[-1] - 1) if numbers else None},
        }


Progress = Callable[[str, int, int], None]
Wholes = dict[str, IdentityDay]
BUDGET = 10.0
HELD = 120_000
"""Records held in memory before they are put into the state: about 150 MB where behaviours seldom repeat."""


def _unseen(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


class Judge:
    """One run over a state. Rows are put; committing them is the caller's business."""

    def __init__(
        self, state: State, model: Scorecard, context: Context = NO_CONTEXT, budget: float = BUDGET
    ) -> None:  # fmt: skip
        """`budget`: notables a day per 1,000 identities with a history."""
        self._state = state
        self._model = model
        self._context = context
        self._budget = budget
        self._watch = Watch(state, model)
        self._writer = Writer(state, self._watch)
        self._tally = Tally()
        self._came: dict[int, Wholes] = {}
        """Day → what was read of it and is not in the state yet."""
        self._listed: dict[int, list[dict[str, Any]]] = {}
        """Day → its notables, of those that were judged."""
        self._late: list[dict[str, Any]] = []
        self._changed: dict[str, dict[str, Any]] = {}
        self._merged: dict[str, dict[str, Any]] = {}
        """Notables of earlier runs that turned out to be part of another."""

    def relieve(self, days: Days) -> None:
        """When much is held in memory, put it into the state."""
        if days.held >= HELD:
            self.put(days)

    def put(self, days: Days) -> None:
        """Put what was read into the state, to be judged by the next `settle`, of this run or another."""
        came = self._take(days)
        for day, wholes in self._came.items():
            self._state.put_days(day, wholes, judged=False)
        self._came = {}
        self._judge_late(came)

    def settle(self, days: Days, progress: Progress = _unseen) -> Result:
        """Close the days that are due, judge those who have news on open ones, and write what changed."""
        came = self._take(days)
        book, news = self._state.daybook, self._state.news()
        numbers = sorted({*self._came, *news, *book.days})
        begun = self._watch.begun(numbers, days.horizon.now)
        book.clock = max([book.clock, *(min(day, days.horizon.now // DAY) for day in begun)])
        due = [day for day in numbers if book.closed < day <= book.due(book.clock)]
        closing = self._baselines()
        for done, day in enumerate(due):
            progress("score", done, len(due))
            self._close(day, closing, [n for n in begun if n > day], news.get(day, []))
        book.closed = max(book.closed, book.due(book.clock))
        for day in [day for day in numbers if not book.is_closed(day)]:
            self._judge(day, news.get(day, []))
        self._judge_late(came)
        with self._tally.spent("store"):
            self._state.finish()
            for day, wholes in self._came.items():
                self._state.put_days(day, wholes)
            self._came = {}
        return self._result(days)

    def _baselines(self) -> Baselines:
        return Baselines(self._model, self._context.networks)

    def _take(self, days: Days) -> dict[int, Wholes]:
        """Take what was read; returns what came of closed days. Credentials that it tells of are known at once."""
        late = {}
        for day, wholes in days.take_changed().items():
            inventory.note(self._state.rows, wholes.values())
            self._tally.take(day, wholes)
            if self._state.daybook.is_closed(day):
                late[day] = wholes
            else:
                self._came.setdefault(day, {}).update(wholes)
                self._watch.grown(day, wholes.values())
                self._state.daybook.add(day)
        return late

    # ---- a day that is open, and one that is closed

    def _judge(self, day: int, put_before: Iterable[str]) -> None:
        """Judge those who have news on an open day."""
        wholes, before = self._came.get(day, {}), set(put_before)
        told = sorted(before - wholes.keys())
        is_over = day < self._state.daybook.clock
        self._watch.look(day, [self._state.daybook.clock] if is_over else [])
        if wholes or told:
            one = Day(self._state, self._baselines(), day, self._context.assets)
            watched = before | self._acting(day)
            fresh = ((name, whole) for name, whole in wholes.items() if name in watched or whole.has_news())
            for whole in self._in_batches(one, chain(fresh, self._state.each_in(day, told))):
                whole.judged = whole.events()
            self._write(one)
            self._state.judged_now(day, before)
        elif is_over:
            self._watch.again()
        self._watch.end()

    def _acting(self, day: int) -> set[str]:
        """Who acts oddly enough on a day for a place in the list: a notable tells of them all that there is."""
        return {one.ranked.identity_id for one in self._state.odd(day) if one.ranked.loss >= ranking.LEAST}

    def _close(self, day: int, baselines: Baselines, later: Sequence[int], put_before: Iterable[str]) -> None:
        """Judge all of a day once more, write what that changes, and learn it."""
        one, wholes = Day(self._state, baselines, day, self._context.assets), self._came.get(day, {})
        stored = ((name, whole) for name, whole in self._state.each_of(day) if name not in wholes)
        self._state.count_again(day)
        self._watch.note(day, self._in_batches(one, chain(wholes.items(), stored)))
        self._watch.look(day, later)
        self._write(one)
        self._watch.end()
        tenant = baselines.groups.get(TENANT) or Profile()
        if tenant.days and day - tenant.first >= drift.SETTLED:
            drift.note(self._state.rows, day, self._state.judged(day))
        with self._tally.spent("learn"):
            if wholes:
                self._state.put_calendar()
                self._state.put_days(day, self._came.pop(day))
            self._state.judged_now(day, put_before)
            self._state.close(day, baselines)

    def _in_batches(self, one: Day, wholes: Iterable[tuple[str, IdentityDay]]) -> Iterator[IdentityDay]:
        """Judge some at a time, for there may be very many; gives each once it is judged."""
        left = iter(wholes)
        while some := dict(islice(left, AT_ONCE)):
            with self._tally.spent("score"):
                one.judge(some)
            self._tally.judged(some)
            yield from some.values()

    def _write(self, one: Day) -> None:
        """Who acts oddly, who of them has a place in the list, and the next revision of each notable."""
        with self._tally.spent("rank"):
            self._note(one.day, self._writer.write(one, one.acting(), self._allowed(one.day)))

    def _allowed(self, day: int) -> int:
        """The budget's allowance of the week that ends with a day."""
        *known, _ = self._state.base(day)
        identities = ranking.base([history for history, many in enumerate(known) for _ in range(many)])
        return ranking.week_allowance(self._budget, identities)

    def _judge_late(self, came: Mapping[int, Wholes]) -> None:
        """Judge what came after its day was closed, by the habits of the last one."""
        if not came:
            return
        self._tally.too_late += sum(len(w.seen) - w.stored for wholes in came.values() for w in wholes.values())
        state, baselines, today = self._state, self._baselines(), self._state.daybook.days[-1]
        state.fill(baselines, {}, today)
        told = {day: list(wholes.values()) for day, wholes in came.items()}
        self._late += late.settle(state, baselines, told, self._context.assets, self._allowed(today))

    # ---- what a run tells

    def _note(self, day: int, written: Written) -> None:
        self._listed[day] = written.found
        self._changed.update((notable["id"], notable) for notable in written.changed)
        self._merged.update((notable["id"], notable) for notable in written.merged)
        self._tally.withdrawn += written.withdrawn

    def _result(self, days: Days) -> Result:
        """What was found, controls and exposures followed up."""
        tally, state, context = self._tally, self._state, self._context
        fresh = {notable["id"]: notable for _, found in sorted(self._listed.items()) for notable in found}
        fresh.update((notable["id"], notable) for notable in self._late)
        self._changed.update((notable["id"], notable) for notable in self._late)
        end = lives.end_of(state)
        kept = [fresh.get(notable["id"], notable) for notable in lives.standing(state)]
        followed = fast.follow_up(state.rows, context.assets, kept, context.networks)
        routines = lives.routines(state, followed.notables)
        told = [lives.provisional(lives.as_of(notable, end, routines), end) for notable in followed.notables]
        scored = [notable for notable in told if notable["id"] in fresh]
        spots = [spot for _, found in sorted(self._watch.notables.items()) for spot in found]
        changed = [lives.as_of(one, end, routines) for name, one in self._changed.items() if name in fresh]
        changed += [notable for name, notable in self._merged.items() if name not in fresh]
        changed += followed.exposures
        changed += [notable for name, notable in self._watch.changed.items() if name not in self._changed]
        gravest = {n["id"]: fresh[n["id"]] for found in self._listed.values() for n in ranking.gravest(found)}
        run = {**tally.told(days, self._model), **ranking.counted(scored), "blind_spots": len(spots),
               "budget": self._budget, "routines": lives.told_of(routines),
               "days_known": len(state.daybook.days)}  # fmt: skip
        standing = [*told, *(lives.as_of(spot, end) for spot in blind_spots.stored(state.rows))]
        return Result(
            [*filter(is_listed, scored), *spots], [*filter(is_listed, changed)], run, [*filter(is_listed, standing)],
            [notable for notable in standing if not is_listed(notable)],
            [notable for notable in gravest.values() if not is_listed(notable)],
        )  # fmt: skip


def is_listed(notable: dict[str, Any]) -> bool:
    """Whether a notable has a place in the list; what became part of another had one if it is to be told."""
    return bool(notable["listed"])
