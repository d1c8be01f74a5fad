"""What a run counts and finds on its way, and what it tells at its end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from nhi_watch.context.context import Context
from nhi_watch.core.behaviour import IdentityDay, folded_records
from nhi_watch.core.timestamps import render_day
from nhi_watch.detect import blind_spots, lives, ranking
from nhi_watch.detect.blind_spots import Watch
from nhi_watch.detect.exposure import fast
from nhi_watch.detect.incident import Written
from nhi_watch.detect.model import Scorecard
from nhi_watch.intake.days import Days
from nhi_watch.intake.horizon import AHEAD
from nhi_watch.state.state import State


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
        self.folded += folded_records(wholes)

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


class Found:
    """What a run found, day by day."""

    def __init__(self) -> None:
        self._of_days: dict[int, list[dict[str, Any]]] = {}
        """Day → its notables, of those that were judged."""
        self._late: list[dict[str, Any]] = []
        self._changed: dict[str, dict[str, Any]] = {}
        self._merged: dict[str, dict[str, Any]] = {}
        """Notables of earlier runs that turned out to be part of another."""

    def note(self, day: int, written: Written) -> None:
        """Take in what was written of a day."""
        self._of_days[day] = written.found
        self._changed.update((notable["id"], notable) for notable in written.changed)
        self._merged.update((notable["id"], notable) for notable in written.merged)
        for notable in written.changed:
            self._merged.pop(notable["id"], None)

    def note_late(self, notables: Iterable[dict[str, Any]]) -> None:
        """Take in what late records gave."""
        self._late += notables

    def result(self, state: State, context: Context, watch: Watch, run: dict[str, Any]) -> Result:
        """What is told of it, controls and exposures followed up; `run`: what run.json says of the run besides."""
        fresh = {notable["id"]: notable for _, found in sorted(self._of_days.items()) for notable in found}
        fresh.update((notable["id"], notable) for notable in self._late)
        fresh = {name: notable for name, notable in fresh.items() if name not in self._merged}
        self._changed.update((notable["id"], notable) for notable in self._late)
        end = lives.end_of(state)
        kept = lives.standing(state)  # the state has the newest revision; a day that was closed has an older one
        newest = {notable["id"]: notable for notable in kept}
        followed = fast.follow_up(state.rows, context.assets, kept, context.networks)
        routines = lives.routines(state, followed.notables)
        told = [lives.provisional(lives.as_of(notable, end, routines), end) for notable in followed.notables]
        scored = [notable for notable in told if notable["id"] in fresh]
        spots = [spot for _, found in sorted(watch.notables.items()) for spot in found]
        changed = [lives.as_of(newest[name], end, routines) for name in self._changed if name in newest]
        changed += self._merged.values()
        changed += followed.exposures
        changed += [notable for name, notable in watch.changed.items() if name not in self._changed]
        gravest = {n["id"]: fresh[n["id"]] for found in self._of_days.values() for n in ranking.gravest(found)}
        counts = {**ranking.counted(scored), "blind_spots": len(spots), "routines": lives.told_of(routines),
                  "days_known": len(state.daybook.days)}  # fmt: skip
        standing = [*told, *(lives.as_of(spot, end) for spot in blind_spots.stored(state.rows))]
        return Result(
            [*filter(is_listed, scored), *spots], [*filter(is_listed, changed)], {**run, **counts},
            [*filter(is_listed, standing)], [notable for notable in standing if not is_listed(notable)],
            [notable for notable in gravest.values() if not is_listed(notable)],
        )  # fmt: skip


def is_listed(notable: dict[str, Any]) -> bool:
    """Whether a notable has a place in the list; what became part of another had one if it is to be told."""
    return bool(notable["listed"])
