"""What a run counts and finds on its way, and reports at its end."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from nhi_watch.context.context import Context
from nhi_watch.core.behaviour import IdentityDay, folded_records
from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.notable import order
from nhi_watch.core.status import is_new, is_resolved
from nhi_watch.core.timestamps import render, render_day
from nhi_watch.detect import feedback, ranking, routines, telemetry
from nhi_watch.detect.exposure import fast
from nhi_watch.detect.model import Model
from nhi_watch.detect.publish import Publication, Publisher, is_shown
from nhi_watch.intake.batch import IntakeBatch
from nhi_watch.intake.horizon import AHEAD
from nhi_watch.state.state import State


class Result(NamedTuple):
    """What a run found. Verdicts, exceptions and routines are applied."""

    notables: list[NotableDocument]
    """Those with a row that have an episode on a day that this run scored."""
    run: dict[str, Any]
    """Counts, seconds a stage, ids of model and baseline: run.json."""
    standing: list[NotableDocument]
    """The morning list: `life` is new if a notable got its row since yesterday, on `listed_on`."""
    below: list[NotableDocument]
    """What is not in the list: without a row, or settled."""
    events: Sequence[Publication]
    """What became of each notable since it was last published."""

    @property
    def changed(self) -> list[NotableDocument]:
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
        """Records of identities or behaviours that were too many in a day to be kept apart."""
        self.seconds: dict[str, float] = {}

    def take(self, day: int, identity_days: Mapping[str, IdentityDay]) -> None:
        """Count what was read of a day."""
        self.days.add(day)
        self.identities.update(identity_days)
        self.folded += folded_records(identity_days)

    def scored(self, identity_days: Mapping[str, IdentityDay]) -> None:
        """Count identity-days that were scored."""
        self.episodes += len(identity_days)
        self.behaviours += sum(len(identity_day.behaviours) for identity_day in identity_days.values())

    @contextmanager
    def spent(self, stage: str) -> Iterator[None]:
        """Count the seconds of a block to a stage."""
        started = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started

    def to_json(self, batch: IntakeBatch, model: Model) -> dict[str, Any]:
        """The run's part of run.json."""
        rejected, numbers = sum(batch.rejected.values()), sorted(self.days)
        return {
            "read": batch.parsed + rejected,
            "parsed": batch.parsed,
            "rejected": dict(sorted(batch.rejected.items())),
            "duplicates": batch.duplicates,
            "shared_ids": batch.shared,
            "events": batch.parsed - batch.duplicates,
            "behaviours": self.behaviours,
            "identities": len(self.identities),
            "episodes": self.episodes,
            "too_late": self.too_late,
            "held_aside": batch.rejected.get(AHEAD, 0),
            "folded_records": self.folded,
            "days": [render_day(numbers[0]), render_day(numbers[-1])] if numbers else [],
            "day_count": len(numbers),
            "alerts_in": batch.alerts,
            "seconds": {stage: round(spent, 3) for stage, spent in self.seconds.items()},
            "model": {"id": model.id, "sha256": model.sha256},
            "baseline": {"id": render_day(numbers[-1] - 1) if numbers else None},
        }


def result(publisher: Publisher, context: Context, state: State, scope: Scope, run: dict[str, Any]) -> Result:
    """What a run has to say: exposures and controls are followed up, and what changed is published."""
    rows, end = state.rows, telemetry.end_of(state.rows, state.daybook.days)
    standing = publisher.notables(scope.allowance, end, scope.days)
    followed = fast.follow_up(
        rows,
        context.assets,
        [*standing.documents.values()],
        lambda document: publisher.single_row(document, end),
        context.networks,
    )
    silent = (publisher.single_row(document, end) for document in publisher.blind_spots(end))
    documents = [*followed, *silent]
    in_work = feedback.in_work(feedback.standing(feedback.verdicts(rows)), documents)
    documents = ranked(documents, in_work)
    events = publisher.publish(documents, end)
    documents = [document for document in documents if not document["merged_into"]]
    listed = [document for document in documents if is_shown(document)]
    scored_dates = {render_day(day) for day in scope.days}
    looked = {render_day(day) for day in scope.looked}
    scored = [
        document
        for document in documents
        if _is_of(document, looked if document["kind"] == "blind_spot" else scored_dates)
    ]
    if not scope.days:  # nothing new was read: what an earlier run listed and what has ended since
        scored += [item for item in documents if item["life"] == "closed" and item["kind"] == "compromise"]
    hidden, gravest = feedback.hidden_of(documents, end)
    ids = {document["id"] for document in scored}
    below = [
        document
        for document in documents
        if not is_shown(document) and (document["life"] != "closed" or document["id"] in ids or is_resolved(document))
    ]
    left_out = [document for document in below if not is_resolved(document) and not document["listed"]]
    counts = {
        **ranking.counted(listed, left_out),
        "blind_spots": sum(document["kind"] == "blind_spot" for document in scored),
        "routines": routines.plain(standing.routines),
        "days_known": len(state.daybook.days),
        "data_end": render(end),
        "week": standing.week._asdict(),
        "verdicts": {
            "hidden": hidden,
            "gravest": gravest,
            "confirmed": feedback.confirmed(rows),
            "in_work": sorted(in_work),
        },
        "withdrawn": sum(event.change == "withdrawn" for event in events),
    }
    return Result([document for document in scored if document["listed"]], {**run, **counts}, listed, below, events)


class Scope(NamedTuple):
    """What a run has scored."""

    days: Collection[int]
    looked: Collection[int]
    """Days whose logs were looked at for silence."""
    allowance: int
    """Rows of a week that the budget allows."""


def ranked(notables: Iterable[NotableDocument], in_work: Collection[str] = ()) -> list[NotableDocument]:
    """Notables in the order of the morning list: new ones, those still open, those that people confirmed and work on
    (`in_work`), those that are not listed, settled ones."""

    def key(document: NotableDocument) -> tuple[Any, ...]:
        return (
            is_resolved(document),
            not is_shown(document),
            document["id"] in in_work,
            not (is_shown(document) and is_new(document)),
            *order(document),
        )

    ordered = sorted(notables, key=key)
    return [{**notable, "rank": rank} for rank, notable in enumerate(ordered, 1)]


def _is_of(notable: NotableDocument, dates: Collection[str]) -> bool:
    """Whether something of a notable happened on one of some days."""
    days = [revision["day"] for revision in notable["revisions"]] or [notable["first_time"][:10]]
    return bool(notable["late"]) or any(day in dates for day in days)


# ---- several runs


class Totals:
    """The counts of several runs, as if they had been one: numbers are summed, the rest is the latest run's."""

    def __init__(self) -> None:
        self._run: dict[str, Any] = {}
        self._identities: set[str] = set()
        self._notables: set[str] = set()

    def add(self, result: Result, identities: Iterable[str] = ()) -> None:
        """Add a run, and whom it read of."""
        self._identities.update(identities)
        self._notables.update(notable["id"] for notable in result.notables)
        for name, value in result.run.items():
            self.count(name, value)

    def count(self, name: str, value: Any) -> None:
        """Add to one entry."""
        self._run[name] = _sum(name, self._run.get(name), value)

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {**self._run, "identities": len(self._identities), "notables": len(self._notables)}


def _sum(name: str, before: Any, value: Any) -> Any:
    """One entry of two runs together.

    >>> _sum("read", 1, 2), _sum("seconds", {"read": 1.5}, {"read": 1, "rank": 2}), _sum("budget", 10.0, 10.0)
    (3, {'read': 2.5, 'rank': 2}, 10.0)
    >>> _sum("days", ["2025-01-01", "2025-01-02"], ["2025-01-02", "2025-01-03"]), _sum("overflow_highest", 3.0, 2.0)
    (['2025-01-01', '2025-01-03'], 3.0)
    """
    if before is None or name in ("budget", "week"):
        return value
    if name == "overflow_highest":
        return max(before, value)
    if name == "days":
        days = [*before, *value]
        return [min(days), max(days)] if days else []
    if isinstance(value, (int, float)):
        return round(before + value, 3)
    if isinstance(value, dict) and all(isinstance(v, (int, float)) for v in [*value.values(), *before.values()]):
        return {key: _sum(key, before.get(key), value.get(key, 0)) for key in {**before, **value}}
    return value
