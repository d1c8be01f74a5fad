"""The whole way on one page: days → episodes → scores → ranked notables, and what is learnt of them.

The state is a function of the set of records alone (but for records that come after their day was forgotten, see
`late`). A day that changed is scored again against the baseline
of its eve, and so is every later day that is stored; rows replace themselves. Day rows are written last, so
that a run that was cut off anywhere is simply run again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from nhi_watch.context.context import NO_CONTEXT, Context
from nhi_watch.core import crowd
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.event import TIMED_BY_HOSTS
from nhi_watch.core.timestamps import DAY, HOUR, render
from nhi_watch.detect import blind_spots, chosen, drift, late, linking, lives, ranking
from nhi_watch.detect.blind_spots import Watch
from nhi_watch.detect.episodes import Complete, DayEpisodes, nothing_missing
from nhi_watch.detect.exposure import fast
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.run import Result, Tally
from nhi_watch.detect.scoring import Baselines
from nhi_watch.detect.writing import Acting, Writer, Written, fold_origins
from nhi_watch.intake.days import Days
from nhi_watch.intake.horizon import Logs
from nhi_watch.state import inventory
from nhi_watch.state.baseline import TENANT, Profile
from nhi_watch.state.judged import Ranked, Stored, Trace
from nhi_watch.state.retention import RETAIN_GROUPS
from nhi_watch.state.state import State

Progress = Callable[[str, int, int], None]
BUDGET = 10.0
HELD = 120_000
"""Records held in memory before days are settled: about 150 MB where behaviours seldom repeat."""


class _Found(NamedTuple):
    """What the list of a day needs of all that was judged."""

    odd: list[Ranked]
    traces: list[Trace]
    days: list[int]
    """Of each that counts for the budget, how many active days it had before."""

    def take(self, one: Stored) -> Stored:
        """Note one, and hand it on."""
        if one.ranked.likelihood >= ranking.FLOOR:
            self.odd.append(one.ranked)
        if one.trace is not None:
            self.traces.append(one.trace)
        if ranking.counts(one.ranked):
            self.days.append(one.ranked.days)
        return one


def _unseen(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


class Judge:
    """Scores, ranks and learns days over one state. The rows are put; committing them is the caller's business."""

    def __init__(
        self, state: State, model: Scorecard, context: Context = NO_CONTEXT, budget: float = BUDGET,
        complete: Complete = nothing_missing, identities: int = 0,
    ) -> None:  # fmt: skip
        """`budget`: notables a day per 1,000 identities with a history; `complete`: see `episodes.Complete`;
        `identities`: how many have a history where not all of a day's are given."""
        self._state = state
        self._model = model
        self._context = context
        self._budget = budget
        self._complete = complete
        self._identities = identities
        self._watch = Watch(state, model)
        self._tally = Tally()
        self._notables: dict[int, list[dict[str, Any]]] = {}
        self._changed: dict[str, dict[str, Any]] = {}
        self._merged: dict[str, dict[str, Any]] = {}
        """Notables of earlier runs that turned out to be part of another."""
        self._late: dict[str, dict[str, Any]] = {}
        self._late_logs: Logs = {}
        self._reused: list[dict[str, Any]] = []
        self._awaited: set[str] = set()
        self._first = state.daybook.days[0] if state.knows_hosts() else 0
        """What hosts date before it has not been seen in all that time: it is no history."""
        self._trifles: dict[int, list[Ranked]] = {}
        """Day → those below the line whose behaviours a host did not give."""

    def settle(self, days: Days, progress: Progress = _unseen) -> Result:
        """Score, rank and learn what was read."""
        self._settle(days, progress, last=True)
        return self._result(days)

    def settle_noted(self, day: int, wholes: Mapping[str, IdentityDay], hour: int) -> Result:
        """Rank a day of which the state knows how everybody was judged, and who did what to whom.

        `wholes`: those who may get a place; each is read when it is needed, and not held. `hour`: the latest one seen.
        """
        baselines = Baselines(self._model, self._context.networks)
        self._state.daybook.add(day)
        self._watch.eve(day)
        self._state.fill(baselines, {}, day)
        self._watch.begin(day, (), [])
        episodes = DayEpisodes(
            self._state, baselines, day, wholes, self._tally, self._context.assets, self._complete, lean=True
        )
        acting, budget = self._acting(episodes)
        writer = Writer(self._state, self._context.assets, self._watch)
        self._note(day, writer.write(episodes, acting, budget, self._trifles[day]))
        self._watch.end(day)
        self._learn(day, [], baselines)
        _provisional(self._notables[day], hour)
        self._tally.days.add(day)
        baselines.own.clear()
        self._state.finish(baselines)
        return self._result(Days(context=self._context))

    def _result(self, days: Days) -> Result:
        """What was found, controls and exposures followed up."""
        tally, state, context = self._tally, self._state, self._context
        fresh = {notable["id"]: notable for _, found in sorted(self._notables.items()) for notable in found}
        fresh.update(self._late)
        kept = [fresh.get(notable["id"], notable) for notable in lives.standing(state)]
        followed = fast.follow_up(state.rows, self._model, context.assets, kept, context.networks)
        end = lives.end_of(state)
        routines = lives.routines(state, followed.notables)
        told = [lives.as_of(notable, end, routines) for notable in followed.notables]
        scored = [notable for notable in told if notable["id"] in fresh]
        today = (state.daybook.days or [days.horizon.now // DAY])[-1]
        times = {chosen.AHEAD: days.horizon.ahead, chosen.LATE: self._late_logs}
        wrong = [*self._reused, *chosen.settle(state.rows, today, times)]
        spots = [spot for _, found in sorted(self._watch.notables.items()) for spot in found] + wrong
        changed = [lives.as_of(notable, end, routines) for name, notable in self._changed.items() if name in fresh]
        changed += [notable for name, notable in self._merged.items() if name not in fresh]
        changed += [*followed.exposures, *wrong]
        changed += [notable for name, notable in self._watch.changed.items() if name not in self._changed]
        gravest = {n["id"]: fresh[n["id"]] for found in self._notables.values() for n in ranking.gravest(found)}
        counted = ranking.counted(scored, *self._trifles.values())
        run = {**tally.told(days, self._model), **counted, "blind_spots": len(spots), "budget": self._budget,
               "routines": lives.told_of(routines), "days_known": len(state.daybook.days)}  # fmt: skip
        standing = [*told, *(lives.as_of(spot, end) for spot in blind_spots.stored(state.rows))]
        return Result(
            [*filter(is_listed, scored), *spots], [*filter(is_listed, changed)], run, [*filter(is_listed, standing)],
            [notable for notable in standing if not is_listed(notable)],
            [notable for notable in gravest.values() if not is_listed(notable)], frozenset(self._awaited),
        )  # fmt: skip

    def relieve(self, days: Days) -> None:
        """When much is held in memory, settle all days but the one that is being read.

        As if the input had been cut there into two runs: what comes late is taken in and scored again.
        """
        if days.held < HELD or len(days) < 2:
            return
        number = days.recent
        recent = days.pop(number)
        self._settle(days, _unseen, last=False)
        days.restart(number, recent)

    def _settle(self, days: Days, progress: Progress, last: bool) -> None:
        grown, came = self._grown(days)
        numbers = sorted({*grown, *self._state.daybook.after(min(grown))}) if grown else []
        baselines = Baselines(self._model, self._context.networks)
        writer = Writer(self._state, self._context.assets, self._watch)
        begun = self._watch.begun(numbers, days, days.horizon.now) if numbers else []
        if begun:
            self._watch.eve(begun[0])
        for done, day in enumerate(numbers):
            progress("score", done, len(numbers))
            later, wholes = numbers[done + 1 :], days.pop(day, None) or self._state.load_day(day)
            self._tally.identities.update(wholes)
            self._tally.folded += crowd.folded_records(wholes)
            self._state.drop(day, days.gone.pop(day, []))
            self._watch.begin(day, wholes.values(), [one for one in begun if one > day])
            self._judge(day, wholes, grown.get(day, []) if done == 0 else sorted(wholes), baselines, writer)
            self._watch.end(day)
            self._learn(day, later, baselines)
            self._reused += chosen.settle(self._state.rows, day, {chosen.IDS: chosen.reused(wholes.values())})
            changed = {name: wholes[name] for name in grown.get(day, [])}
            inventory.note(self._state.rows, changed.values())
            self._state.put_days(changed)
            open_now = wholes.values() if last and not later else ()
            _provisional(self._notables[day], max((b.hour for w in open_now for b in w.behaviours.values()), default=0))
        self._tally.days.update(numbers)
        if numbers:
            with self._tally.spent("store"):
                self._state.finish(baselines, forget=last)
        if came:
            self.judge_late(came)

    def _grown(self, days: Days) -> tuple[dict[int, list[str]], dict[int, list[IdentityDay]]]:
        """Day → identities with new records; and what came of days that were forgotten, and cannot grow any more."""
        grown = days.changed()
        came = {day: [days[day][name] for name in grown.pop(day)] for day in self._forgotten(grown)}
        for day in [day for day in grown if day < self._first]:
            came[day] = self._backdated(days[day], grown[day])
            grown[day] = [name for name in grown[day] if name in days[day]]
        grown = {day: names for day, names in grown.items() if names}
        came = {day: wholes for day, wholes in came.items() if wholes}
        for wholes in came.values():
            inventory.note(self._state.rows, wholes)  # a scanner's finding carries the date of the commit
            self._tally.too_late += sum(each.events() if each.stored <= 0 else len(each.seen) - each.stored
                                        for each in wholes)  # fmt: skip
        return grown, came

    @staticmethod
    def _backdated(wholes: dict[str, IdentityDay], grown: Iterable[str]) -> list[IdentityDay]:
        """Take what hosts tell out of a day; returns what has come of it."""
        hosts = {name: whole for name, whole in wholes.items() if whole.identity.provider == TIMED_BY_HOSTS}
        for name in hosts:
            del wholes[name]
        return [hosts[name] for name in grown if name in hosts]

    def _forgotten(self, grown: Iterable[int]) -> list[int]:
        return [day for day in grown if day < self._state.daybook.closed]

    def judge_late(self, came: Mapping[int, Iterable[IdentityDay]]) -> list[dict[str, Any]]:
        """What came too late is judged by the habits of the last day; returns the notables that are new or changed."""
        state, today = self._state, self._state.daybook.days[-1]
        baselines = Baselines(self._model, self._context.networks)
        state.fill(baselines, {}, today)
        known = (one.ranked.days for one in state.judged(today) if ranking.counts(one.ranked))
        budget = self._allowed(known)
        state.next_day()
        told = late.settle(state, baselines, came, self._context.assets, budget)
        self._late.update((notable["id"], notable) for notable in told.changed)
        self._changed.update(self._late)
        self._late_logs = {**self._late_logs, **told.logs}
        return told.changed

    def _judge(
        self, day: int, wholes: dict[str, IdentityDay], names: list[str], baselines: Baselines, writer: Writer
    ) -> None:
        """Score a day's identities, join those that are linked, write the day's notables."""
        with self._tally.spent("score"):
            episodes = DayEpisodes(
                self._state, baselines, day, wholes, self._tally, self._context.assets, self._complete
            )
            episodes.note(names)
            acting, budget = self._acting(episodes)
        with self._tally.spent("rank"):
            self._note(day, writer.write(episodes, acting, budget, self._trifles[day]))

    def _acting(self, episodes: DayEpisodes) -> tuple[list[Acting], int]:
        """Who did something odd, linked ones as one; and the week's allowance.

        A host that keeps how others were judged gives a day's news alone: of who is not at hand what was written of the
        day stands, or the next run gives him.
        """
        day, baselines = episodes.day, episodes.baselines
        found = self._gone_through(day, baselines)
        acting = {one.identity_id: Acting(one, (one.identity_id,)) for one in found.odd}
        for group in linking.join(found.traces):
            self._awaited.update(group.members)
            if not episodes.holds(group.members):
                continue
            for name in group.members:
                acting.pop(name, None)
            acting[group.lead] = Acting(episodes.join(group), group.members)
        budget = self._allowed(found.days)
        wanted = [one for one in acting.values() if one.ranked.eligible and one.ranked.likelihood >= ranking.FLOOR]
        told = lives.leads(self._state.notables(day).values(), day)
        due = [o for o in wanted if o.ranked.loss >= ranking.LEAST and o.lead not in told]
        self._awaited.update(one.lead for one in (*due, *(one for one in wanted if one.ranked.origin)))
        given = [one for one in wanted if one.lead in told or episodes.holds(one.members)]
        away = {one.lead for one in wanted} - {one.lead for one in given}
        low = (one.ranked for one in wanted if one.lead in away)
        self._trifles[day] = [one for one in low if one.loss < ranking.LEAST]
        return fold_origins(given), budget

    def _gone_through(self, day: int, baselines: Baselines) -> _Found:
        """What a day's list needs of all identities, read once: a host may have very many."""
        found, tenant = _Found([], [], []), baselines.groups.get(TENANT) or Profile()
        judged = map(found.take, self._state.judged(day))
        if tenant.days and day - tenant.first >= drift.SETTLED:
            drift.note(self._state.rows, day, judged)
        else:
            deque(judged, 0)
        return found

    def _allowed(self, known: Iterable[int]) -> int:
        """The budget's allowance of a week; `known`: see `ranking.base`."""
        return ranking.week_allowance(self._budget, max(self._identities, ranking.base(known)))

    def _note(self, day: int, written: Written) -> None:
        self._awaited |= written.awaited
        self._notables[day] = written.found
        self._changed.update((notable["id"], notable) for notable in written.changed)
        self._merged.update((notable["id"], notable) for notable in written.merged)
        self._tally.withdrawn += written.withdrawn

    def _learn(self, day: int, later: list[int], baselines: Baselines) -> None:
        """Only closed days are learnt: the last one may still grow."""
        with self._tally.spent("learn"):
            self._state.snapshot(day, baselines if len(later) < RETAIN_GROUPS else None)
            if later:
                self._state.learn(day, baselines)
            self._state.next_day()


def _provisional(notables: list[dict[str, Any]], latest: int) -> None:
    """The latest hour seen is still open: what lies in it may grow."""
    hour = render(latest * HOUR)[:13]
    for notable in notables:
        notable["telemetry"] = {**notable["telemetry"], "provisional": notable["last_time"][:13] == hour}


def is_listed(notable: dict[str, Any]) -> bool:
    """Whether a notable has a place in the list; what became part of another had one if it is to be told."""
    return bool(notable["listed"])
