"""The way on one page from what was read to what is written: judged by day → listed → written; days over, learnt.

A run judges the identities that have news on open days (`IdentityDay.has_news`); whose calls are as before is only
counted. A day is open until the second midnight after it, by the latest day that a provider dates. Then it is closed:
all of it is judged once more, what that changes is written, and it is learnt. A closed day is final. What comes of it
later is judged alone, by the habits of the last day that has records by then, and teaches nothing.

So runs of five minutes, daily runs and one over all files come to the same notables once a day is closed, and a folder
that is given in one run may lie in any order: its days are closed one after the other.

A run that was cut off is simply run again, also where a store cannot take back what was put: rows replace themselves;
what is put before it is judged is marked first (`State.put_days`); identity-days come after all that follows from them,
so that a record is no copy before its news is written. A close notes how far it is behind each batch (`Closing`): the
day is final when it begins, and whichever run comes next goes on where the one before stood. A host with little time
judges open days first, and closes bit by bit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import chain, islice
from operator import itemgetter

from nhi_watch.context.context import NO_CONTEXT, Context
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import blind_spots, drift, episodes, late, publish, ranking, upgrade
from nhi_watch.detect import run as runs
from nhi_watch.detect.blind_spots import Watch
from nhi_watch.detect.cases import CaseBook
from nhi_watch.detect.day import Day
from nhi_watch.detect.feedback import Said
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.run import Result, Scope, Tally
from nhi_watch.detect.scoring import Baselines
from nhi_watch.detect.telemetry import RhythmRows
from nhi_watch.intake.days import Days
from nhi_watch.state import inventory
from nhi_watch.state.baseline import TENANT, Profile
from nhi_watch.state.state import AT_ONCE, Closing, State

Progress = Callable[[str, int, int], None]
GoesOn = Callable[[], bool]
Wholes = dict[str, IdentityDay]
BUDGET = 10.0


def ignored(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def _always() -> bool:
    """No limit of time."""
    return True


class Judge:
    """One run over a state. Rows are put; committing them is the caller's business."""

    def __init__(
        self, state: State, model: Scorecard, context: Context = NO_CONTEXT, budget: float = BUDGET,
        clock: Callable[[], float] = time.time, patience: int = 0,
    ) -> None:  # fmt: skip
        """`budget`: rows a day per 1,000 identities with a history; `clock`: by which verdicts take effect and end.

        `patience`: see `Publisher`.
        """
        self._state = state
        self._model = model
        self._context = context
        self._budget = budget
        if state.is_earlier:
            upgrade.carry_over(state)
        self._watch = Watch(state, model)
        self._book = CaseBook(state)
        self._patience = patience
        self._now = int(clock())
        self._said = Said(state.rows, self._now)
        self._released = state.release(self._said.released(), context.networks)
        self._tally = Tally()
        self._judged: set[int] = set()
        """Days of which episodes were written."""
        self._unsaved: dict[int, Wholes] = {}
        """Open day → what was read of it, joined to what the state holds, and is not in the state yet."""

    @property
    def identities(self) -> Collection[str]:
        """Ids of those of whom something was taken in."""
        return self._tally.identities

    def put(self, days: Days) -> None:
        """Put what was read into the state, to be judged by the next `settle`, of this run or another."""
        too_late = self._sorted_out(days)
        for day, wholes in self._unsaved.items():
            self._state.put_days(day, wholes, judged=False)
        self._unsaved = {}
        self._judge_late(too_late)

    def heard(self, day: int, rhythms: RhythmRows) -> None:
        """Note that logs spoke on a day, of records that come later: they are not silent."""
        if rhythms:
            self._watch.heard(day, rhythms)

    def settle(
        self, days: Days, progress: Progress = ignored, closes: bool = True, live: bool = False
    ) -> Result:  # fmt: skip
        """Close the days that are due, judge those who have news on open ones, and write what changed.

        `closes=False`: closing them is left to `close`. `live`: logs arrive as they are written, so one that is silent
        by the clock is a blind spot now.
        """
        too_late = self._sorted_out(days)
        if closes:
            self.close(days.horizon.now, _always, progress)
        else:
            self._numbered(days.horizon.now)
        book, unjudged, again = self._state.daybook, self._state.news(), self._state.just_learnt()
        for day in [day for day in sorted({*self._unsaved, *unjudged, *book.days}) if not book.is_closed(day)]:
            again = self._judge_open(day, unjudged.get(day, []), again) or again
        self._judge_late(too_late)
        with self._tally.spent("store"):
            publish.forget(self._state.rows, self._state.finish())
            for day, wholes in self._unsaved.items():
                self._state.put_days(day, wholes)
            self._unsaved = {}
        with self._tally.spent("publish"):
            if live:
                blind_spots.by_clock(self._state.rows, self._now)
            publisher = publish.Publisher(self._state, self._book, self._said, self._patience)
            scope = Scope(self._judged, self._watch.days_looked_at, self._allowed())
            told = {**self._tally.told(days, self._model), "budget": self._budget}
            return runs.result(publisher, self._context, self._state, scope, told)

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
        """The days of which there is anything, and those that have begun: the clock is in the last of them."""
        book = self._state.daybook
        numbers = sorted({*self._unsaved, *self._state.news(), *book.days})
        begun = self._watch.begun(numbers, now)
        book.clock = max([book.clock, *(min(day, now // DAY) for day in begun)])
        return numbers, begun

    def _baselines(self) -> Baselines:
        return Baselines(self._model, self._context.networks)

    def _sorted_out(self, days: Days) -> dict[int, Wholes]:
        """Take what was read; returns what came of closed days. Credentials that it tells of are known at once."""
        too_late = {}
        for day, wholes in days.take_changed().items():
            inventory.note(self._state.rows, wholes.values())
            self._tally.take(day, wholes)
            if self._state.daybook.is_closed(day):
                too_late[day] = wholes
            else:
                self._unsaved.setdefault(day, {}).update(wholes)
                self._watch.grown(day, wholes.values())
                self._state.daybook.add(day)
        return too_late

    # ---- a day that is open, and one that is closed

    def _judge_open(self, day: int, unjudged: Collection[str], again: bool) -> bool:
        """Judge those who have news on an open day; `unjudged`: of whom the state holds what was put and not judged.

        `again`: judge those who act oddly once more, for the days before have taught more since. Returns whether
        anybody was judged, so that this day has.
        """
        wholes = self._unsaved.get(day, {})
        taught = (name for name, since in self._released.items() if since < day)
        odd = self._state.odd(day) if again else ()
        waiting = {*unjudged, *taught, *(one.ranked.identity_id for one in odd)}
        stored = sorted(name for name in waiting if name not in wholes)
        is_over = day < self._state.daybook.clock
        self._watch.look(day, [self._state.daybook.clock] if is_over else [])
        if wholes or stored:
            one = self._day(day, self._baselines())
            watched = {*waiting, *self._acting(day)}
            fresh = ((name, whole) for name, whole in wholes.items() if name in watched or whole.has_news())
            for some in self._judged_in_batches(one, chain(fresh, self._state.each_in(day, stored))):
                for whole in some.values():
                    whole.judged = whole.events()
            self._write(one)
            self._state.judged_now(day, unjudged)
        elif is_over:
            episodes.again(self._state, self._watch, day)
        self._watch.end()
        return bool(wholes or stored)

    def _acting(self, day: int) -> set[str]:
        """Who acts oddly enough on a day for a place in the list: a notable tells of them all that there is."""
        return {one.ranked.identity_id for one in self._state.odd(day) if one.ranked.loss >= ranking.LEAST}

    def _close(self, day: int, baselines: Baselines, later: Sequence[int], goes_on: GoesOn) -> bool:
        """Judge all of a day once more, write what that changes, and learn it; False: some of it is left."""
        wholes = self._unsaved.pop(day, {})
        if wholes:
            self._state.put_calendar()
            self._state.put_days(day, wholes)
        at = self._state.begin_close(day)
        if not at.is_judged:
            one = self._day(day, baselines)
            held = ((name, wholes[name]) for name in sorted(wholes) if name > at.after)
            stored = self._state.each_of(day, at.after, but=wholes)
            for some in self._judged_in_batches(one, merge(held, stored, key=itemgetter(0))):
                rhythms = self._watch.gathered(at.rhythms, some.values())
                at = at._replace(after=max(some), rhythms=rhythms)
                self._state.closed_some(at)
                if not goes_on():
                    return False
            self._finish_judging(one, at, later)
            at = at._replace(is_judged=True, after="")
            self._state.closed_some(at)
        with self._tally.spent("learn"):
            for _ in self._state.learn(at, baselines):
                if not goes_on():
                    return False
        return True

    def _day(self, day: int, baselines: Baselines) -> Day:
        return Day(self._state, baselines, day, self._context.assets, self._said.cuts(day))

    def _finish_judging(self, one: Day, at: Closing, later: Sequence[int]) -> None:
        """What all of a day come to, once each was judged."""
        self._state.put_base(at)
        self._state.judged_now(one.day, self._state.news().get(one.day, []))
        self._watch.note(one.day, at.rhythms)
        self._watch.look(one.day, later)
        self._write(one)
        self._book.close_day(one.day)
        self._watch.end()
        self._state.fill(one.baselines, {}, one.day)
        tenant = one.baselines.groups.get(TENANT) or Profile()
        if tenant.days and one.day - tenant.first >= drift.SETTLED:
            drift.note(self._state.rows, one.day, self._state.judged(one.day))

    def _judged_in_batches(self, one: Day, wholes: Iterable[tuple[str, IdentityDay]]) -> Iterator[Wholes]:
        """Judge some at a time, for there may be very many; gives them once they are judged."""
        left = iter(wholes)
        while some := dict(islice(left, AT_ONCE)):
            with self._tally.spent("score"):
                one.judge(some)
            self._tally.judged(some)
            yield some

    def _write(self, one: Day) -> None:
        """The episodes of those who act oddly, in place of those that the day had."""
        with self._tally.spent("explain"):
            episodes.write(self._state, self._watch, one)
        self._judged.add(one.day)

    def _allowed(self) -> int:
        """The budget's allowance of a week: by the last closed day; before there is one, by the last day."""
        days = self._state.daybook.closed_days or self._state.daybook.days or [0]
        *known, _ = self._state.base(days[-1])
        identities = ranking.base([history for history, many in enumerate(known) for _ in range(many)])
        return ranking.week_allowance(self._budget, identities)

    def _judge_late(self, too_late: Mapping[int, Wholes]) -> None:
        """Judge what came after its day was closed, by the habits of the last day that has records."""
        if not too_late:
            return
        wholes = [whole for each in too_late.values() for whole in each.values()]
        self._tally.too_late += sum(len(whole.seen) - whole.stored for whole in wholes)
        state, baselines, today = self._state, self._baselines(), self._state.daybook.days[-1]
        state.fill(baselines, {}, today)
        told = {day: list(each.values()) for day, each in too_late.items()}
        if late.judge(state, baselines, told, self._context.assets):
            self._judged.add(today)
