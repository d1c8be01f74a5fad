"""What a run counts and finds on its way, and what it tells at its end."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from nhi_watch.context.context import Context
from nhi_watch.core.behaviour import IdentityDay, folded_records
from nhi_watch.core.life import is_new, is_settled
from nhi_watch.core.notable import order
from nhi_watch.core.timestamps import render_day
from nhi_watch.detect import feedback, ranking, routines, telemetry
from nhi_watch.detect.exposure import fast
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.publish import Event, Publisher, is_shown
from nhi_watch.intake.days import Days
from nhi_watch.intake.horizon import AHEAD
from nhi_watch.state.state import State


class Result(NamedTuple):
    """What a run found. Verdicts, exceptions and routines are applied."""

    notables: list[dict[str, Any]]
    """Those with a place that have an episode on a day that this run judged."""
    run: dict[str, Any]
    """Counts, seconds a stage, ids of model and baseline: run.json."""
    standing: list[dict[str, Any]]
    """The morning list: `life` is new if a notable got its place since yesterday, on `listed_on`."""
    below: list[dict[str, Any]]
    """What is not in the list: without a place, or settled."""
    events: Sequence[Event]
    """What became of each notable since it was last published."""

    @property
    def changed(self) -> list[dict[str, Any]]:
        """The documents of the events."""
        return [event.document for event in self.events]


class Tally:
    """Counts of a run, and the seconds of its stages."""

    def __init__(self) -> None:
        self.days: set[int] = set()
        """Those of which something came."""
        self.identities: set[str] = set()
        self.episodes = 0
        self.behaviours = 0
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


def result(
    publisher: Publisher, context: Context, state: State, found: Scope, run: dict[str, Any]
) -> Result:  # fmt: skip
    """What a run has to say: exposures and controls are followed up, and what changed is published."""
    rows, end = state.rows, telemetry.end_of(state.rows, state.daybook.days)
    standing = publisher.notables(found.allowance, end, found.days)
    followed = fast.follow_up(rows, context.assets, [*standing.documents.values()],
                              lambda one: publisher.one_row(one, end), context.networks)  # fmt: skip
    documents = ranked([*followed, *(publisher.one_row(one, end) for one in publisher.blind_spots(end))])
    events = publisher.settle(documents, end)
    documents = [one for one in documents if not one["merged_into"]]
    listed = [one for one in documents if is_shown(one)]
    judged = {render_day(day) for day in found.days}
    looked = {render_day(day) for day in found.looked}
    scored = [one for one in documents if _is_of(one, looked if one["kind"] == "blind_spot" else judged)]
    hidden, gravest = feedback.hidden_of(documents, end)
    left_out = [one for one in documents if not is_shown(one) and not is_settled(one)]
    counts = {
        **ranking.counted(listed, left_out), "blind_spots": sum(one["kind"] == "blind_spot" for one in scored),
        "routines": routines.plain(standing.routines), "days_known": len(state.daybook.days),
        "verdicts": {"hidden": hidden, "gravest": gravest, "confirmed": feedback.confirmed(rows)},
        "withdrawn": sum(event.change == "withdrawn" for event in events),
    }  # fmt: skip
    below = [one for one in documents if not is_shown(one) and (one["life"] != "closed" or one in scored or
                                                                is_settled(one))]  # fmt: skip
    return Result([one for one in scored if one["listed"]], {**run, **counts}, listed, below, events)


class Scope(NamedTuple):
    """What a run has judged."""

    days: Collection[int]
    looked: Collection[int]
    """Days whose logs were looked at for silence."""
    allowance: int
    """Places of a week that the budget allows."""


def ranked(notables: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Notables in the order of the morning list: new ones, those still open, those without a place, settled ones."""
    def key(one: Mapping[str, Any]) -> tuple[Any, ...]:
        return is_settled(one), not is_shown(one), not (is_shown(one) and is_new(one)), *order(one)

    ordered = sorted(notables, key=key)
    return [{**notable, "rank": rank} for rank, notable in enumerate(ordered, 1)]


def _is_of(notable: Mapping[str, Any], dates: Collection[str]) -> bool:
    """Whether something of a notable happened on one of some days."""
    days = [one["day"] for one in notable["revisions"]] or [notable["first_time"][:10]]
    return bool(notable["late"]) or any(day in dates for day in days)
