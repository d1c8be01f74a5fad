"""What nhihealth makes of the rows of a search when it is asked for blind spots: rows of notables."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from nhi_watch.core.timestamps import DAY, render_day
from nhi_watch.hosts.splunk import blind, lookup, verdicts
from nhi_watch.hosts.splunk.blind import Clock, Seen
from nhi_watch.hosts.splunk.lookup import Table
from nhi_watch.hosts.splunk.misdated import Misdated
from nhi_watch.hosts.splunk.notables import Earlier, Ranked, earlier, row_of
from nhi_watch.hosts.splunk.protocol import Messages
from nhi_watch.hosts.splunk.rows import Cell
from nhi_watch.hosts.splunk.verdicts import Given


class Spots:
    """Gathers what a search holds of logs' rhythms, and of blind spots that were written before."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.misdated = Misdated()
        self.given = Given([], [])
        """Verdicts that came with the rows."""
        self._known: dict[str, Earlier] = {}

    def remember(self, text: str) -> None:
        """Take in a notable's event; only blind spots, and notables of what came late, are kept.

        Raises:
            RejectError: bad_notable.
        """
        told = earlier(text)
        name, revision = told.document["id"], told.document["revision"]
        if (told.document["kind"] == "blind_spot" or told.is_late) and (
            name not in self._known or self._known[name].document["revision"] < revision
        ):
            self._known[name] = told

    def finish(
        self, table: Table, earliest: float, clock: Clock, folder: Path, budget: float
    ) -> tuple[list[dict[str, Cell]], Messages]:
        """A row for each notable that is new or has changed, and what was judged; `folder`: the customer's tables."""
        wrong, silent = self.misdated.settle(self._known, clock.now, table.last >= 0), list[Ranked]()
        came = self.misdated.judged(table, self._known, folder, budget)
        can_tell = blind.can_tell(table, earliest)
        if can_tell:
            days = blind.rhythms(table, self.seen.days(earliest), clock.now // DAY)
            silent = blind.settle(days, self._known, clock)
        found, hidden = verdicts.apply(chain(wrong, silent, came), self._known, self.given, clock.now)
        rows = [row_of(one, clock.now) for one in found if one.change != "same"]
        if not can_tell:
            return rows, [("WARN", _cannot(table))]
        told = f"nhihealth: {lookup.describe(table)}; {len(rows)} blind spots are new or have changed"
        left = f"; {sum(hidden.values())} left out by verdicts" if hidden else ""
        return rows, [("INFO", told + left)]


def _cannot(table: Table) -> str:
    if table.last < 0:
        return "nhihealth: silent logs cannot be told: no baseline yet; run the search NHI Watch - Learn History once"
    told = f"the baseline ends with {render_day(table.last)}, and the search begins later than the day after"
    return f"nhihealth: silent logs cannot be told: {told}; enable NHI Watch - Learn, or search from an earlier day on"
