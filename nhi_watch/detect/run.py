"""What a run counts on its way, and what it tells at its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from nhi_watch.core.timestamps import render_day
from nhi_watch.detect.model import Scorecard
from nhi_watch.intake.days import Days
from nhi_watch.intake.horizon import AHEAD


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
    awaited: frozenset[str] = frozenset()
    """Identities whose behaviours the next run over the day needs as well, though nothing new has come of them: those
    that others' stories hang on, or that may have a place."""


class Tally:
    """Counts of a run, and the seconds of its stages."""

    def __init__(self) -> None:
        self.days: set[int] = set()
        """Those that were scored."""
        self.identities: set[str] = set()
        self.episodes = 0
        self.behaviours = 0
        self.withdrawn = 0
        self.too_late = 0
        """Records of days of which behaviours were forgotten."""
        self.folded = 0
        """Records of identities or behaviours that were too many in a day to be told apart."""
        self.seconds: dict[str, float] = {}

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
