"""Whether the rows of a day are all that the indexers hold of it: from half of an answer, nothing is concluded.

A search peer that is lost or slow leaves a hole in what a command gets, and splunkd ends the search as if that were
all. Two counts tell. The search NHI Watch - Count asks the indexers how many rows of behaviours they hold for each
day, and keeps the most that they reported (lookup nhi_days). And each notable says how many events its day had when it
was written. Both can only grow: a day of which less has come is not whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Optional

from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import HOUR, render_day
from nhi_watch.hosts.splunk.notables import ENDED, Earlier, Ranked
from nhi_watch.hosts.splunk.protocol import Messages

PATIENCE = 2 * HOUR
"""Seconds after which a day is ranked with what there is: an indexer that is gone must not blind the rest."""


class Count(NamedTuple):
    """What indexers reported of a day."""

    parts: int
    short: int = 0
    """Second since which they report fewer; 0: they do not."""


class Answer(NamedTuple):
    """What has come of a day, against what should have."""

    day: int
    parts: int
    events: int
    counted: Optional[Count]
    """None: nobody has counted yet."""
    events_before: int
    some: bool = False
    """Whether only those identities were asked for that have news: then nothing of others is known."""

    lost: bool = False
    """Whether less of a notable's own identities came than when it was written."""

    @property
    def is_short(self) -> bool:
        """Whether less has come than was there before."""
        wanted = self.counted.parts if self.counted else 0
        return self.parts < wanted or self.events < self.events_before or self.lost

    @property
    def may_end(self) -> bool:
        """Whether a notable of the day may be withdrawn or merged: that takes a run over all identities, and a count
        that shows that all has come."""
        return self.counted is not None and not self.is_short and not self.some

    def is_due(self, now: int) -> bool:
        """Whether the day may be ranked at all: it is whole, or has been short for too long to wait."""
        return not self.is_short or bool(self.counted and self.counted.short and now - self.counted.short > PATIENCE)


def counts(rows: Iterable[Mapping[str, str]]) -> dict[int, Count]:
    """Day → what indexers reported, from rows of nhi_days.

    Raises:
        RejectError: bad_row.

    >>> counts([{"nhi_day_number": "20000", "nhi_parts": "7", "nhi_short": ""}])
    {20000: Count(parts=7, short=0)}
    """
    try:
        return {
            int(float(row["nhi_day_number"])): Count(int(float(row["nhi_parts"])), int(float(row["nhi_short"] or 0)))
            for row in rows
        }
    except (ValueError, KeyError, OverflowError) as error:
        raise RejectError("bad_row", f"nhi_days: {error}") from error


def answer(day: int, came: tuple[int, int], count: Optional[Count], known: Iterable[Earlier]) -> Answer:
    """What has come of a day: `came` are its rows and its events."""
    before = max((one.events for one in known if one.day == day and not one.is_exposure), default=0)
    return Answer(day, *came, count, before)


def lost(day: int, counts: Mapping[str, int], known: Iterable[Earlier]) -> bool:
    """Whether less of some notable's identities has come than before, by events of each identity."""
    mine = (one for one in known if one.day == day and not one.is_exposure)
    return any(sum(counts.get(name, 0) for name in one.identities) < one.own for one in mine)


def is_settled(rows: int, learnt: int, count: Optional[Count], known: Iterable[Earlier]) -> bool:
    """Whether a day need not be ranked again: it was learnt from the very rows that have come, all of them, and nothing
    of it was withdrawn, that might come back when a verdict is taken back."""
    counted = count is not None and rows >= count.parts
    return counted and 0 < rows <= learnt and not any(one.change == "withdrawn" for one in known)


def settled(known: Iterable[Earlier]) -> list[Ranked]:
    """The notables of a day that is not ranked again, for verdicts that were given since."""
    run = {"overflow": 0, "overflow_highest": 0.0}
    return [Ranked(dict(one.document), "same", False, {**run, "day_events": one.events, "own_events": one.own})
            for one in known if one.change not in ENDED]  # fmt: skip


def concluded(found: Iterable[Ranked], told: Answer) -> list[Ranked]:
    """What may be said of a day: no end of anything while it is not known to be whole, and of one that is known not to
    be, only what is new or worse."""
    if told.may_end:
        return list(found)
    kept = [one for one in found if one.change not in ENDED]
    return [one if not told.is_short or one.change == "new" or one.escalated else one._replace(change="same")
            for one in kept]  # fmt: skip


def messages(held: Iterable[Answer], ended: Iterable[Answer]) -> Messages:
    """What was not ranked, or ranked without ending anything, and why."""
    found: Messages = []
    for one in held:
        had = f"{one.parts:,} of {one.counted.parts:,} rows" if one.counted and one.parts < one.counted.parts else ""
        had = had or f"{one.events:,} of {one.events_before:,} events"
        what = "an indexer did not answer; the next run ranks it"
        found.append(("WARN", f"nhirank: not ranked: {render_day(one.day)}, of which only {had} came: {what}"))
    for one in ended:
        why = "only a part of it came" if one.counted else "NHI Watch - Count has not counted it yet"
        found.append(("INFO", f"nhirank: nothing of {render_day(one.day)} was withdrawn: {why}"))
    return found
