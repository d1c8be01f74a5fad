"""The whole way on one page: records → behaviours → scores → ranked notables, and what is learnt of them.

The state is a function of the set of records alone. A day that changed is scored again against the baseline
of its eve, and so is every later day that is stored; rows replace themselves. Day rows are written last, so
that a run that was cut off anywhere is simply run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any, NamedTuple, Optional

from nhi_watch.context import assets
from nhi_watch.context.assets import NO_ASSETS, Assets
from nhi_watch.context.reputation import NOTHING, Reputation
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.errors import RejectError
from nhi_watch.core.notable import Notable, to_json
from nhi_watch.core.timestamps import HOUR, render, render_day
from nhi_watch.detect import blind_spots, calibration, drift, linking, ranking, signal_values
from nhi_watch.detect.blind_spots import Watch, revised
from nhi_watch.detect.explain.notables import build, notable_id
from nhi_watch.detect.exposure import fast
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.scoring import Baselines, Episode, score_day
from nhi_watch.intake.days import Grouping
from nhi_watch.state import baseline, inventory
from nhi_watch.state.baseline import TENANT, Delta, Profile
from nhi_watch.state.judged import Judged, Ranked
from nhi_watch.state.retention import RETAIN_GROUPS
from nhi_watch.state.state import State

Progress = Callable[[str, int, int], None]


HELD = 120_000
"""Records held in memory before days are settled: about 150 MB where behaviours seldom repeat."""


def _unseen(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


class Options(NamedTuple):
    """What a caller may choose."""

    budget: float = 10.0
    """Notables a day per 1,000 identities."""
    assets: Assets = NO_ASSETS
    reputation: Reputation = NOTHING


class Result(NamedTuple):
    """What a run found."""

    notables: list[dict[str, Any]]
    """Those of every day that was scored, by day and rank."""
    changed: list[dict[str, Any]]
    """New ones, and new revisions."""
    run: dict[str, Any]
    """Counts, seconds a stage, ids of model and baseline: see design, run.json."""
    standing: list[dict[str, Any]]
    """The notables of all days that the state keeps, and all exposures: a run over new files must not hide them."""


DEFAULTS = Options()


class Pipeline:
    """One run over one store."""

    def __init__(
        self, state: State, model: Scorecard, sources: Sequence[ModuleType], options: Options = DEFAULTS
    ) -> None:
        self._state = state
        self._model = model
        self._options = options
        self.grouping = Grouping(sources, state.load_day, options.reputation)
        """Takes records in; a host that knows a faster way than `feed` may use it directly."""
        self._settled = 0
        """How many records were taken in that are no longer held."""
        self._watch = Watch(state, model)
        self._notables: dict[int, list[dict[str, Any]]] = {}
        self._changed: dict[str, dict[str, Any]] = {}
        self._merged: dict[str, dict[str, Any]] = {}
        """Notables of earlier runs that turned out to be part of another."""
        self._scored: set[int] = set()
        self._identities: set[str] = set()
        self._rejected: dict[str, int] = {}
        self._overflow_highest = 0.0
        self._threshold = 0.0
        """The score that the budget asked for on the last day; 0: too little history to ask for any."""
        self._seconds: dict[str, float] = {}
        self._counts = dict.fromkeys(("behaviours", "identities", "episodes", "overflow", "withdrawn", "too_late"), 0)

    def feed(self, records: Iterable[object], on_reject: Callable[[int, RejectError], None]) -> None:
        """Take in a batch of records of any source and shape."""
        started = time.perf_counter()
        self.grouping.feed(records, on_reject)
        self._spend("group", started)

    def reject(self, reason: str) -> None:
        """Count one record that did not become an Event."""
        self._rejected[reason] = self._rejected.get(reason, 0) + 1

    def finish(self, progress: Progress = _unseen) -> Result:
        """Score, rank and learn what was fed; the rows are put, committing them is the caller's business."""
        self._settle(progress, last=True)
        self._counts["identities"] = len(self._identities)
        fresh = {notable["id"]: notable for _, found in sorted(self._notables.items()) for notable in found}
        standing = {**{notable["id"]: notable for notable in self._state.every_notable()}, **fresh}
        followed = fast.follow_up(self._state.rows, self._model, self._options.assets, list(standing.values()))
        changed = [notable for name, notable in self._changed.items() if name in fresh]
        changed += [notable for name, notable in self._merged.items() if name not in fresh]
        changed += followed.exposures
        scored = [notable for notable in followed.notables if notable["id"] in fresh]
        run = self._run(scored, sorted(self._scored))
        scored += [spot for _, spots in sorted(self._watch.notables.items()) for spot in spots]
        changed += [notable for name, notable in self._watch.changed.items() if name not in self._changed]
        return Result(scored, changed, run, [*followed.notables, *blind_spots.stored(self._state.rows)])

    def relieve(self) -> None:
        """When much is held in memory, do what `finish` does for all days but the one that is being read.

        As if the input had been cut there into two runs: what comes late is taken in and scored again.
        """
        held = self.grouping.parsed - self._settled
        if held < HELD or len(self.grouping.days) < 2:
            return
        number = self.grouping.recent
        recent = self.grouping.days.pop(number)
        self._settle(_unseen, last=False)
        self.grouping.restart({number: recent})
        self._settled = self.grouping.parsed - sum(whole.events() for whole in recent.values())

    def _settle(self, progress: Progress, last: bool) -> None:
        grown = self._grown()
        days = sorted({*grown, *self._state.daybook.after(min(grown))}) if grown else []
        baselines = Baselines(self._model)
        if days:
            self._watch.eve(days[0])
        for done, day in enumerate(days):
            progress("score", done, len(days))
            wholes = self.grouping.days.pop(day, None) or self._state.load_day(day)
            names = grown.get(day, []) if day == days[0] else sorted(wholes)
            self._identities.update(wholes)
            self._watch.begin(day, wholes.values(), days[done + 1 :])
            self._notables[day], new = self._one_day(day, wholes, names, baselines)
            self._changed.update((notable["id"], notable) for notable in new)
            self._watch.end(day)
            self._learn(day, days[done + 1 :], baselines)
            changed = {name: wholes[name] for name in grown.get(day, [])}
            inventory.note(self._state.rows, changed.values())
            self._state.put_days(changed)
            _provisional(self._notables[day], wholes if last and day == days[-1] else {})
        self._scored.update(days)
        if days:
            self._finish_state(baselines, last)

    def _grown(self) -> dict[int, list[str]]:
        """Day → identities with new records; days of which behaviours were forgotten cannot grow any more."""
        grown = self.grouping.changed()
        for day in [day for day in grown if day < self._state.daybook.closed]:
            late = [self.grouping.days[day][name] for name in grown.pop(day)]
            inventory.note(self._state.rows, late)  # a scanner's finding carries the date of the commit
            self._counts["too_late"] += sum(whole.events() for whole in late)
        return grown

    def _one_day(
        self, day: int, wholes: dict[str, IdentityDay], names: list[str], baselines: Baselines
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        started = time.perf_counter()
        episodes = self._score(day, {name: wholes[name] for name in names}, baselines)
        for name, episode in episodes.items():
            ranked = self._rank(episode)
            trace = linking.trace_of(episode, ranked.eligible)
            lesson = _lesson(wholes[name], episode, ranked)
            packed = signal_values.pack(episode.values)
            self._state.put_delta(day, Judged(wholes[name].identity, ranked, lesson, trace, packed))
        order, merged = self._order(day, wholes, episodes, baselines)
        before = self._state.notables(day)
        risen = [c.identity_id for c in order.chosen if c.identity_id not in episodes]
        risen = [name for name in risen if notable_id(name, day) not in before]
        episodes.update(self._score(day, {name: wholes[name] for name in risen}, baselines))
        self._merged.update(_merged(day, merged, before))
        self._counts["overflow"] += order.overflow
        self._overflow_highest = max(self._overflow_highest, order.overflow_highest)
        self._spend("score", started)
        started = time.perf_counter()
        found, new = self._write_notables(day, order, (episodes, before), baselines)
        self._spend("rank", started)
        return found, new

    def _order(
        self, day: int, wholes: dict[str, IdentityDay], episodes: dict[str, Episode], baselines: Baselines
    ) -> tuple[ranking.Order, dict[str, str]]:
        """The day's order, in which linked episodes are one; and member → lead of those. Fills in `episodes`."""
        judged = self._state.judged(day)
        tenant = baselines.groups.get(TENANT) or Profile()
        if tenant.days and day - tenant.first >= drift.SETTLED:
            drift.note(self._state.rows, day, judged)
        ranked = {stored.ranked.identity_id: stored.ranked for stored in judged}
        identities = sum(item.eligible for item in ranked.values())
        merged: dict[str, str] = {}
        for group in linking.join(stored.trace for stored in judged if stored.trace is not None):
            unscored = {name: wholes[name] for name in group.members if name not in episodes}
            members = {**episodes, **self._score(day, unscored, baselines)}
            episodes[group.lead] = linking.joined(group, members)
            ranked[group.lead] = self._rank(episodes[group.lead])
            for name in set(group.members) - {group.lead}:
                del ranked[name]
                merged[name] = group.lead
        quiet = calibration.quiet_time(tenant, baselines.homes(day), day)
        self._threshold = quiet.threshold(ranking.allowance(self._options.budget, identities), identities)
        return ranking.order(ranked.values(), self._options.budget, identities, self._threshold), merged

    def _score(self, day: int, wholes: dict[str, IdentityDay], baselines: Baselines) -> dict[str, Episode]:
        self._state.fill(baselines, wholes, day)
        self._counts["episodes"] += len(wholes)
        self._counts["behaviours"] += sum(len(whole.behaviours) for whole in wholes.values())
        return {name: score_day(baselines, whole) for name, whole in wholes.items()}

    def _learn(self, day: int, later: list[int], baselines: Baselines) -> None:
        """Only closed days are learnt: the last one may still grow."""
        started = time.perf_counter()
        self._state.snapshot(day, baselines if len(later) < RETAIN_GROUPS else None)
        if later:
            self._state.learn(day, baselines)
        self._state.next_day()
        self._spend("learn", started)

    def _rank(self, episode: Episode) -> Ranked:
        return ranking.rank(episode, assets.find(self._options.assets, episode.identity))

    def _write_notables(
        self, day: int, order: ranking.Order, known: tuple[dict[str, Episode], dict[str, Any]], baselines: Baselines
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        episodes, before = known
        found: list[dict[str, Any]] = []
        new: list[dict[str, Any]] = []
        for rank, chosen in enumerate(order.chosen, 1):
            name = notable_id(chosen.identity_id, day)
            episode = episodes.get(chosen.identity_id)
            document = self._document(day, episode, baselines, before.get(name))
            document["rank"] = rank
            if document["revision"] != before.get(name, {}).get("revision"):
                new.append(document)
            found.append(document)
        self._counts["withdrawn"] += len(set(before) - {document["id"] for document in found})
        self._state.put_notables(day, found, before)
        return found, new

    def _document(
        self, day: int, episode: Optional[Episode], baselines: Baselines, old: Optional[dict[str, Any]]
    ) -> dict[str, Any]:
        """The notable as it is now; without an episode, what was scored earlier stands."""
        if episode is None:
            assert old is not None, "what was not scored now was scored before"
            return revised(self._watch.widened(old), old)
        asset = assets.find(self._options.assets, episode.identity)
        notable: Notable = build(episode, baselines, asset)
        return revised(self._watch.widened(to_json(notable)), old)

    def _finish_state(self, baselines: Baselines, last: bool) -> None:
        started = time.perf_counter()
        self._state.finish(baselines, forget=last)
        self._spend("store", started)

    def _spend(self, stage: str, started: float) -> None:
        self._seconds[stage] = self._seconds.get(stage, 0.0) + time.perf_counter() - started

    def _run(self, notables: list[dict[str, Any]], days: list[int]) -> dict[str, Any]:
        parsed, rejected = self.grouping.parsed, sum(self._rejected.values())
        return {
            "read": parsed + rejected,
            "parsed": parsed,
            "rejected": dict(sorted(self._rejected.items())),
            "duplicates": self.grouping.duplicates,
            "events": parsed - self.grouping.duplicates,
            **self._counts,
            "overflow_highest": self._overflow_highest,
            "threshold": max(ranking.FLOOR, self._threshold),
            "days": [render_day(days[0]), render_day(days[-1])] if days else [],
            "alerts_in": self.grouping.alerts,
            "notables": len(notables),
            "blind_spots": sum(map(len, self._watch.notables.values())),
            "budget": self._options.budget,
            "seconds": {stage: round(spent, 3) for stage, spent in self._seconds.items()},
            "model": {"id": self._model.id, "sha256": self._model.sha256},
            "baseline": {"id": render_day(days[-1] - 1) if days else None},
        }


def _provisional(notables: list[dict[str, Any]], wholes: dict[str, IdentityDay]) -> None:
    """The latest hour seen is still open: what lies in it may grow."""
    latest = max((b.hour for whole in wholes.values() for b in whole.behaviours.values()), default=0)
    hour = render(latest * HOUR)[:13]
    for notable in notables:
        notable["telemetry"] = {**notable["telemetry"], "provisional": notable["last_time"][:13] == hour}


def _merged(day: int, merged: dict[str, str], before: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The last revisions of notables that go on as part of another."""
    found = {}
    for name, lead in merged.items():
        old = before.get(notable_id(name, day))
        if old is not None:
            found[old["id"]] = {**old, "revision": old["revision"] + 1, "merged_into": notable_id(lead, day)}
    return found


def _lesson(whole: IdentityDay, episode: Episode, ranked: Ranked) -> tuple[Delta, Delta]:
    lesson = baseline.lesson((b, b.shape in episode.held) for b in whole.behaviours.values())
    now, later = ranking.remembered(episode, ranked)
    return {**lesson.now, **now}, {**lesson.later, **later}
