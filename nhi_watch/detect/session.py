"""How hosts enter: a run over a store, from the records that a host reads to what it has to write.

    session = Session(store, sources, context, clock)
    session.feed(records)        # as often as wanted; memory stays bounded
    result = session.finish()    # or `put`: only keep what was read, for another run to score
    store.commit()
    write(session.unconfirmed()) # what this run published, and what an interrupted one had published
    session.confirm(written)
    store.commit()

Rows are put into the store; the host commits them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Optional

from nhi_watch.context.context import NO_CONTEXT, Context
from nhi_watch.detect import model as models
from nhi_watch.detect import publish
from nhi_watch.detect.engine import BUDGET, GoesOn, Progress, Scorer, ignored
from nhi_watch.detect.model import Model
from nhi_watch.detect.publish import Publication
from nhi_watch.detect.run import Result
from nhi_watch.detect.telemetry import RhythmRows
from nhi_watch.intake.batch import Intake, IntakeBatch, OnEvent, OnReject, Received
from nhi_watch.intake.horizon import day_received
from nhi_watch.intake.sources import AnySource
from nhi_watch.state.kept_days import KeptDays
from nhi_watch.state.state import State
from nhi_watch.state.store import Rows

MAX_BUFFERED = 120_000
"""Records held in memory before they are put into the store: about 150 MB where behaviours seldom repeat."""


class Session:
    """One run over a store."""

    def __init__(
        self,
        store: Rows,
        sources: Sequence[AnySource] = (),
        context: Context = NO_CONTEXT,
        clock: Callable[[], float] = time.time,
        *,
        model: Optional[Model] = None,
        budget: float = BUDGET,
        patience: int = 0,
        until: Optional[int] = None,
        received: Received = day_received,
        kept: Optional[KeptDays] = None,
        lists_weak: bool = True,
    ) -> None:
        """A run.

        Args:
            store: what is remembered between runs.
            sources: what reads the records that are fed.
            context: the customer's own assets, networks and reputation lists.
            clock: by which records are too far ahead, and verdicts take effect and end.
            model: None: the shipped one.
            budget: rows a day per 1,000 identities with a history.
            patience: seconds of event time between two revisions of which nothing but counts and times changed.
            until: the second up to which a host has read, where that is not the clock's.
            received: says on which day a record was received.
            kept: what earlier sessions of this process have put into the store, and this one need not read.
            lists_weak: whether the weak episodes of days that it closes are listed, where they belong to no case; later
                runs list none of them.
        """
        self.state = State(store, kept)
        state, now = self.state, int(clock()) if until is None else until
        self._intake = Intake(sources, context, state.load, now, received, state.known, state.newcomers)
        self._scorer = Scorer(state, model or models.load(), context, budget, clock, patience, lists_weak)

    @property
    def batch(self) -> IntakeBatch:
        """What was read and is not put into the store yet, with its counts."""
        return self._intake.batch

    @property
    def identities(self) -> Collection[str]:
        """Ids of those of whom something was read, once it was put."""
        return self._scorer.identities

    def feed(
        self,
        records: Iterable[object],
        on_reject: OnReject = lambda index, error: None,
        on_event: Optional[OnEvent] = None,
    ) -> None:
        """Take in a batch of records; rejects are counted, and reported with their index, as events are if asked."""
        self._intake.feed(records, on_reject, on_event)
        if self.batch.buffered >= MAX_BUFFERED:
            self.put()

    def heard(self, day: int, rhythms: RhythmRows) -> None:
        """Note that logs arrived on a day although their records come later, so that they do not count as silent."""
        self._scorer.heard(day, rhythms)

    def put(self) -> None:
        """Put what was read into the store, to be scored by the next `finish`, of this run or another."""
        self._scorer.put(self.batch)

    def finish(self, progress: Progress = ignored, closes: bool = True, live: bool = False) -> Result:
        """Close the days that are due, score identities whose open days changed, and publish what changed.

        `closes=False`: closing days is left to `close`, of another session. `live`: logs arrive as they are written.
        """
        return self._scorer.process(self.batch, progress, closes, live)

    def unconfirmed(self) -> list[Publication]:
        """What was published and has not arrived yet, as far as the host has said."""
        return publish.unconfirmed(self.state.rows)

    def confirm(self, events: Iterable[Publication]) -> None:
        """Note that events have arrived where the host writes them."""
        publish.confirm(self.state.rows, {event.document["id"]: event.document["revision"] for event in events})

    def close(self, goes_on: GoesOn, progress: Progress = ignored) -> bool:
        """Close the days that are due, batch by batch; False: `goes_on`, asked behind each, ended it before."""
        return self._scorer.close(self.batch.horizon.now, goes_on, progress)
