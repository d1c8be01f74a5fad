"""The reporting search command nhilearn: closed days → the baseline, for outputlookup.

What it answers is a function of the baseline so far and of the days in the search. A day that is learnt again
replaces what it taught, so that a search may be repeated, overlap, or fetch what came late.
"""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, Optional

from nhi_watch.core.errors import StoreError
from nhi_watch.core.timestamps import DAY, HOUR, render_day
from nhi_watch.detect import model
from nhi_watch.hosts.splunk import fields, lookup, notables, reasons, tables, verdicts, whole, window
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.learning import KEEP, Learnt, judge, look
from nhi_watch.hosts.splunk.lookup import Table
from nhi_watch.hosts.splunk.nhigroup import RAW
from nhi_watch.hosts.splunk.options import Option, parse
from nhi_watch.hosts.splunk.protocol import Body, Messages, Metadata, Search, serve
from nhi_watch.hosts.splunk.rows import write_into
from nhi_watch.hosts.splunk.tablestore import TableStore

OPTIONS = {
    "baseline": Option(lookup.DEFAULT, "<lookup file>", pattern=r"\w[\w.-]{0,99}", example=lookup.DEFAULT),
    "keep": Option(str(KEEP), "<days, 1 to 30>", pattern=r"[12]?\d|30", example=str(KEEP)),
    # false: a day that was learnt is left alone, and one that is not grouped whole yet waits
    "late": Option("true", "true|false", ("true", "false")),
    "retire": Option("0", "<0: never, or days, 30 to 9999>", pattern=r"0|[3-9]\d|\d{3,4}", example="400"),
}
_COUNTED = [name for name in fields.names(fields.DAYS) if name != "_key"]
_JUDGED = [name for name in fields.names(fields.FEEDBACK) if name != "_key"]
LONGEST = 13 * HOUR
"""Seconds after its end from which a day is learnt as it is: two runs of the searches that group all have gone by."""


class NhiLearn:
    """The command: gathers all rows, answers when they have ended."""

    in_pieces = True

    def __init__(self, lookups: Path = tables.LOOKUPS) -> None:
        self._lookups = lookups
        self._taken: list[int] = []
        """Days that were learnt."""
        self._folded = 0
        """Events that were too many to be told apart."""
        self._short: Optional[whole.Answer] = None
        """A day of which too little came."""

    def prepare(self, search: Search) -> tuple[Metadata, Messages]:
        """Read the baseline so far."""
        options = parse("nhilearn", OPTIONS, search.arguments)
        self._search = search
        self._late = options["late"] == "true"
        self._keep, self._retire = max(1, int(options["keep"])), int(options["retire"])
        self._table = lookup.table(self._lookups, options["baseline"])
        self._context, messages = tables.load_context(self._lookups)
        self._gatherer = Gatherer(hold=True, reputation=self._context.reputation)
        reply: Metadata = {"type": "reporting", "required_fields": [*RAW, *lookup.COLUMNS, *_COUNTED, *_JUDGED]}
        return reply, messages

    def execute(self, body: bytes) -> bytes:
        """Take in a chunk."""
        self._gatherer.feed(body)
        return b""

    def finish(self) -> tuple[Body, Messages]:
        """The new baseline."""
        table = self._given() if self._gatherer.baseline else self._table
        days = window.days_of(self._search, self._gatherer.days())
        closed = [day for day in days.whole if day not in days.open and day > table.base]
        found = self._learn(table, closed)
        messages: Messages = [_learnt(self._taken, found), *self._waiting()]
        messages += reasons.folded("nhilearn", self._folded)
        messages += reasons.messages("nhilearn", self._gatherer.rejected)
        return (b"" if next(found.rows(), None) is None else _written(found)), messages

    def _given(self) -> Table:
        """The baseline that came with the rows, as from inputlookup.

        Raises:
            StoreError: a row is none; nothing may then be written.
        """
        table = Table()
        try:
            for row in sorted(self._gatherer.baseline, key=lambda row: (row[0], int(row[1]))):
                table.add(row)
        except ValueError as error:
            raise StoreError(f"nhilearn: a row with scope and profile is none of a baseline ({error})") from error
        return table

    def _learn(self, table: Table, days: list[int]) -> Table:
        """The table after the first day of which more is there than it was learnt from, and all after that one."""
        card, work = model.load(), None
        counts, known = whole.counts(self._gatherer.counted), notables.latest(notables.revisions(self._gatherer))
        given = verdicts.take_all(self._gatherer, verdicts.Given([], []))
        said = [one.document for one in known.values()]
        for day in days:
            rows = self._gatherer.rows.get(day, 0)
            before = table.learnt_from(day)
            if work is None and (0 < rows <= before or (before >= 0 and not self._late)):
                continue
            if not self._late and not self._is_whole(day):
                break
            told = whole.answer(day, (rows, 0), counts.get(day), ())
            if not told.is_due(int(self._search.latest or time.time())):
                self._short = told
                break
            if work is None:
                work = TableStore(table, day), Learnt(table, day)
                notables.restore(work[0], {n: e for n, e in known.items() if e.is_exposure})
                verdicts.remember(work[0], given, said, day)
            looked = look(work[0], card, day, partial(self._gatherer.wholes, day, table), self._context)
            self._folded += looked.folded
            judge(work[0], card, looked, self._context)
            work[1].take(work[0], day, rows)
            self._taken.append(day)
        store, learnt = work or (TableStore(table, table.last + 1), Learnt(table, table.last + 1))
        verdicts.remember(store, given, said, table.last)
        return learnt.table(store, self._keep, self._retire)

    def _is_whole(self, day: int) -> bool:
        """Whether a search that groups all has run since the day's end."""
        now = int(self._search.latest or time.time())
        return self._gatherer.last > day or now - (day + 1) * DAY > LONGEST

    def _waiting(self) -> Messages:
        if self._short is None:
            return []
        day, wanted = render_day(self._short.day), self._short.counted.parts if self._short.counted else 0
        why = f"only {self._short.parts:,} of {wanted:,} rows came: an indexer did not answer"
        return [("WARN", f"nhilearn: {day} and what follows waits: {why}; the next run learns it")]


def _written(found: Table) -> IO[bytes]:
    body = tempfile.TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    write_into(body, lookup.COLUMNS, (dict(zip(lookup.COLUMNS, row)) for row in found.rows()))
    return body


def _learnt(days: list[int], found: Table) -> tuple[str, str]:
    if days or found.last >= 0:
        return "INFO", f"nhilearn: learnt {window.spoken(days)}; {lookup.describe(found)}"
    text = "no behaviours of a day that is over (UTC) in this search. Run NHI Watch - Backfill first, then this again"
    return "WARN", f"nhilearn: learnt nothing: {text}; the time range must reach as far back"


def main(requests: BinaryIO, replies: BinaryIO) -> int:
    """Answer splunkd until it has had enough; the process's exit code."""
    return serve(NhiLearn(), requests, replies)
