"""One run over a state, from what was read to what is published.

    records ──► by day ─┬─ of closed days: late ──────► scored alone ─┐
                        ├─ days that are due: closed ─► scored ───────┤
                        └─ open days ─────────────────► scored ───────┴─► episodes ─► cases ─► notables ─► published

- **Score**: `Day.score` scores each identity by itself; `episodes.write` links those that are suspicious and stores the
  day's episodes in place of the earlier ones.
- **Open days**: identities whose calls changed (`IdentityDay.has_changes`) are scored, and suspects; of the others only
  counts are updated. What an open day shows is known on the open days after it.
- **Close**: a day is open until the second midnight after it, by the latest day that a provider dates. Then all of it
  is scored once more, its episodes go into the stored cases, and the profiles learn it. A closed day is final: what
  arrives later is scored alone, by the habits of the last day that has records by then, and teaches nothing.
- **Publish**, once a run: `run.result` asks the `Publisher` for notables within the budget, and what became of them.

So runs of five minutes, daily runs and one over all files give the same notables once a day is closed, and the files of
one run may be in any order: their days are closed one after the other.

A run that was interrupted is simply run again, also where a store cannot roll back: writing a row twice is harmless;
what is put before it is scored is marked first (`State.put_days`); an identity-day is stored last, so a record does not
count as already seen before all that follows from it is written. A close notes how far it is after each batch
(`Closing`), and the next run continues there.

`process` does all of it. Splunk's Rank calls `put`, `process(closes=False)` and `close` in turn, because it has little
time; a `Session` calls `put` when its memory is full.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import chain, islice
from operator import itemgetter
from typing import Optional

from nhi_watch.context.context import NO_CONTEXT, Context
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import blind_spots, drift, episodes, late, publish, ranking, upgrade
from nhi_watch.detect import run as runs
from nhi_watch.detect.blind_spots import BlindSpotMonitor
from nhi_watch.detect.cases import CaseBook
from nhi_watch.detect.day import Day
from nhi_watch.detect.feedback import Verdicts
from nhi_watch.detect.model import Model
from nhi_watch.detect.run import Result, Scope, Tally
from nhi_watch.detect.scoring import Baselines
from nhi_watch.detect.telemetry import RhythmRows
from nhi_watch.intake.batch import IntakeBatch
from nhi_watch.state import inventory
from nhi_watch.state.baseline import TENANT, Profile
from nhi_watch.state.state import AT_ONCE, Closing, State

Progress = Callable[[str, int, int], None]
GoesOn = Callable[[], bool]
IdentityDays = dict[str, IdentityDay]
BUDGET = 10.0


def ignored(stage: str, done: int, total: int) -> None:
    """Report progress to nobody."""


def _always() -> bool:
    """No limit of time."""
    return True


class Scorer:
    """One run over a state. Rows are put; the caller commits them."""

    def __init__(
        self,
        state: State,
        model: Model,
        context: Context = NO_CONTEXT,
        budget: float = BUDGET,
        clock: Callable[[], float] = time.time,
        patience: int = 0,
        lists_weak: bool = True,
    ) -> None:
        """`budget`: rows a day per 1,000 identities with a history; `clock`: by which verdicts take effect and end.

        `patience`: see `Publisher`; `lists_weak`: see `Session`.
        """
        self._state = state
        self._model = model
        self._context = context
        self._budget = budget
        if state.is_earlier:
            upgrade.carry_over(state)
        self._blind_spots = BlindSpotMonitor(state, model)
        self._book = CaseBook(state)
        self._patience = patience
        self._lists_weak = lists_weak
        self._now = int(clock())
        self._verdicts = Verdicts(state.rows, self._now)
        self._released = state.release(self._verdicts.released(), context.networks)
        self._tally = Tally()
        self._scored: set[int] = set()
        """Days whose episodes this run wrote."""
        self._unsaved: dict[int, IdentityDays] = {}
        """Open day → what was read of it, joined to what the state holds, and is not in the state yet."""

    @property
    def identities(self) -> Collection[str]:
        """Ids of the identities of which records were taken in."""
        return self._tally.identities

    def put(self, batch: IntakeBatch) -> None:
        """Put what was read into the state, to be scored by the next `process`, of this run or another."""
        too_late = self._sorted_out(batch)
        for day, identity_days in self._unsaved.items():
            self._state.put_days(day, identity_days, scored=False)
        self._unsaved = {}
        self._score_late(too_late)

    def heard(self, day: int, rhythms: RhythmRows) -> None:
        """Note that logs arrived on a day although their records come later, so that they do not count as silent."""
        if rhythms:
            self._blind_spots.heard(day, rhythms)

    def process(
        self, batch: IntakeBatch, progress: Progress = ignored, closes: bool = True, live: bool = False
    ) -> Result:
        """Close the days that are due, score identities whose open days changed, and publish what changed.

        `closes=False`: closing them is left to `close`. `live`: logs arrive as they are written, so one that is silent
        by the clock is a blind spot now.
        """
        too_late = self._sorted_out(batch)
        if closes:
            self.close(batch.horizon.now, _always, progress)
        else:
            self._numbered(batch.horizon.now)
        book, unscored, again = self._state.daybook, self._state.unscored(), self._state.just_learnt()
        for day in [day for day in sorted({*self._unsaved, *unscored, *book.days}) if not book.is_closed(day)]:
            again = self._score_open(day, unscored.get(day, []), again) or again
        self._score_late(too_late)
        with self._tally.spent("store"):
            publish.forget(self._state.rows, self._state.finish())
            for day, identity_days in self._unsaved.items():
                self._state.put_days(day, identity_days)
            self._unsaved = {}
        with self._tally.spent("publish"):
            if live:
                blind_spots.by_clock(self._state.rows, self._now)
            publisher = publish.Publisher(self._state, self._book, self._verdicts, self._patience)
            scope = Scope(self._scored, self._blind_spots.days_looked_at, self._allowed())
            summary = {**self._tally.to_json(batch, self._model), "budget": self._budget}
            return runs.result(publisher, self._context, self._state, scope, summary)

    def close(self, now: int, goes_on: GoesOn, progress: Progress = ignored) -> bool:
        """Close the days that are due, one after the other; False: `goes_on`, asked behind each batch, ended it before.

        `now`: seconds since the epoch.
        """
        book, closing = self._state.daybook, self._baselines()
        numbers, begun = self._numbered(now)
        due = [day for day in numbers if book.learnt < day <= book.due(book.clock)]
        for done, day in enumerate(due):
            progress("score", done, len(due))
            if not self._close(day, closing, [n for n in begun if n > day], goes_on):
                return False
        book.closed = book.learnt = max(book.closed, book.due(book.clock))
        self._state.put_calendar()
        return True

    def _numbered(self, now: int) -> tuple[list[int], list[int]]:
        """The days that have records, and those that have begun; moves the clock to the last of these."""
        book = self._state.daybook
        numbers = sorted({*self._unsaved, *self._state.unscored(), *book.days})
        begun = self._blind_spots.begun(numbers, now)
        book.clock = max([book.clock, *(min(day, now // DAY) for day in begun)])
        return numbers, begun

    def _baselines(self) -> Baselines:
        return Baselines(self._model, self._context.networks)

    def _sorted_out(self, batch: IntakeBatch) -> dict[int, IdentityDays]:
        """Take what was read; returns what belongs to closed days. Credentials in it are known at once."""
        too_late = {}
        for day, identity_days in batch.take_changed().items():
            inventory.note(self._state.rows, identity_days.values(), since_loaded=True)
            self._tally.take(day, identity_days)
            if self._state.daybook.is_closed(day):
                too_late[day] = identity_days
            else:
                self._unsaved.setdefault(day, {}).update(identity_days)
                self._blind_spots.grown(day, identity_days.values())
                self._state.daybook.add(day)
        return too_late

    # ---- a day that is open, and one that is closed

    def _score_open(self, day: int, unscored: Collection[str], again: bool) -> bool:
        """Score identities whose open day changed. `unscored`: those that were put into the state and not scored.

        `again`: score suspicious ones once more, because the days before have taught more since. Returns whether any
        were scored, so that this day teaches the next ones more.
        """
        identity_days = self._unsaved.get(day, {})
        taught = (name for name, since in self._released.items() if since < day)
        unusual = self._state.suspicious(day) if again else ()
        waiting = {*unscored, *taught, *(stored.ranked.identity_id for stored in unusual)}
        stored = sorted(name for name in waiting if name not in identity_days)
        is_over = day < self._state.daybook.clock
        self._blind_spots.look(day, [self._state.daybook.clock] if is_over else [])
        if identity_days or stored:
            scored_day = self._day(day, self._baselines())
            watched = {*waiting, *self._suspects(day)}
            fresh = (
                (name, identity_day)
                for name, identity_day in identity_days.items()
                if name in watched or identity_day.has_changes()
            )
            for some in self._scored_in_batches(scored_day, chain(fresh, self._state.each_in(day, stored))):
                for identity_day in some.values():
                    identity_day.scored = identity_day.events()
            self._write(scored_day)
            self._state.note_scored(day, unscored)
        elif is_over:
            episodes.again(self._state, self._blind_spots, day)
        self._blind_spots.end()
        return bool(identity_days or stored)

    def _suspects(self, day: int) -> set[str]:
        """Identities suspicious enough on a day for a row in the list: a notable holds all their records."""
        return {
            stored.ranked.identity_id for stored in self._state.suspicious(day) if stored.ranked.risk >= ranking.LEAST
        }

    def _close(self, day: int, baselines: Baselines, later: Sequence[int], goes_on: GoesOn) -> bool:
        """Score all of a day once more, write what that changes, and learn it; False: some of it is left."""
        identity_days = self._unsaved.pop(day, {})
        if identity_days:
            self._state.put_calendar()
            self._state.put_days(day, identity_days)
        at = self._state.begin_close(day)
        if not at.is_scored:
            scored_day = self._day(day, baselines)
            remaining = ((name, identity_days[name]) for name in sorted(identity_days) if name > at.after)
            stored = self._state.each_of(day, at.after, but=identity_days)
            for some in self._scored_in_batches(scored_day, merge(remaining, stored, key=itemgetter(0))):
                rhythms = self._blind_spots.gathered(at.rhythms, some.values())
                at = at._replace(after=max(some), rhythms=rhythms)
                self._state.closed_some(at)
                if not goes_on():
                    return False
            self._finish_scoring(scored_day, at, later)
            at = at._replace(is_scored=True, after="")
            self._state.closed_some(at)
        with self._tally.spent("learn"):
            for _ in self._state.learn(at, baselines):
                if not goes_on():
                    return False
        return True

    def _day(self, day: int, baselines: Baselines) -> Day:
        return Day(self._state, baselines, day, self._context.assets, self._verdicts.cuts(day))

    def _finish_scoring(self, scored_day: Day, at: Closing, later: Sequence[int]) -> None:
        """What concerns all identities of a day, once each was scored."""
        self._state.put_base(at)
        self._state.note_scored(scored_day.day, self._state.unscored().get(scored_day.day, []))
        self._blind_spots.note(scored_day.day, at.rhythms)
        self._blind_spots.look(scored_day.day, later)
        self._write(scored_day, None if self._lists_weak else self._book.keys_on(scored_day.day))
        self._book.close_day(scored_day.day)
        self._blind_spots.end()
        self._state.fill(scored_day.baselines, {}, scored_day.day)
        tenant = scored_day.baselines.groups.get(TENANT) or Profile()
        if tenant.days and scored_day.day - tenant.first >= drift.STABLE_AFTER:
            drift.note(self._state.rows, scored_day.day, self._state.scored(scored_day.day))

    def _scored_in_batches(
        self, scored_day: Day, identity_days: Iterable[tuple[str, IdentityDay]]
    ) -> Iterator[IdentityDays]:
        """Score in batches, because there may be very many; yields each batch once it is scored."""
        left = iter(identity_days)
        while some := dict(islice(left, AT_ONCE)):
            with self._tally.spent("score"):
                scored_day.score(some)
            self._tally.scored(some)
            yield some

    def _write(self, scored_day: Day, of_cases: Optional[Collection[str]] = None) -> None:
        """Write the episodes of suspicious identities, in place of those that the day had."""
        with self._tally.spent("explain"):
            episodes.write(self._state, self._blind_spots, scored_day, of_cases)
        self._scored.add(scored_day.day)

    def _allowed(self) -> int:
        """The budget's allowance of a week: by its last closed days; before there is one, by the last day.

        One day alone would double it on Monday, and give what waited over the weekend a row days late.
        """
        closed = self._state.daybook.closed_days
        days = [day for day in closed if day > closed[-1] - ranking.WEEK] or self._state.daybook.days[-1:]
        bases = (
            ranking.base([history for history, many in enumerate(known) for _ in range(many)])
            for *known, _ in self._state.bases(days)
        )
        identities = [base for base in bases if base]
        return ranking.week_allowance(self._budget, round(sum(identities) / max(len(identities), 1)))

    def _score_late(self, too_late: Mapping[int, IdentityDays]) -> None:
        """Score what came after its day was closed, by the habits of the last day that has records."""
        if not too_late:
            return
        identity_days = [identity_day for each in too_late.values() for identity_day in each.values()]
        self._tally.too_late += sum(len(identity_day.seen) - identity_day.stored for identity_day in identity_days)
        state, baselines, today = self._state, self._baselines(), self._state.daybook.days[-1]
        state.fill(baselines, {}, today)
        late_days = {day: list(each.values()) for day, each in too_late.items()}
        if late.score(state, baselines, late_days, self._context.assets):
            self._scored.add(today)
