"""The reporting search command nhirank: rows of behaviours → ranked notables, one row each.

It scores as `nhi score` does: the same ids, likelihoods and reasons. With `state=write` it scores over the state in the
KV store, adds to it, and answers with what is to be written; else over the rows of the search alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from nhi_watch.core.errors import StoreError
from nhi_watch.detect.explain import ocsf
from nhi_watch.detect.publish import SHOWN, Publication
from nhi_watch.hosts.splunk import feedback, fields, reasons, run, tables
from nhi_watch.hosts.splunk.archive import ArchivedStore
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.nhigroup import RAW, note_ahead
from nhi_watch.hosts.splunk.notables import row_of
from nhi_watch.hosts.splunk.protocol import Messages, Metadata, Option, Search, parse, serve
from nhi_watch.hosts.splunk.rows import Body, Cell, write
from nhi_watch.hosts.splunk.run import RunOutput, SplunkRun
from nhi_watch.state.store import MemoryStore

OPTIONS = {
    "budget": Option("10", "<notables a day per 1,000 identities>", pattern=r"\d{1,4}(\.\d{1,3})?", example="10"),
    "state": Option("none", "none|write", ("none", "write")),
    "format": Option("nhi", "nhi|ocsf", ("nhi", "ocsf")),
}

CLOSING = 150
"""Seconds that a run gives to the close of a day: Rank comes every five minutes, and open days come first."""


MANY = 2_000
"""Parts of a day in one run from which those without news wait: see `waiting`. Fewer are merged at once."""


class NhiRank:
    """The command: gathers all rows, answers when they have ended."""

    def __init__(self, lookups: Path = tables.LOOKUPS) -> None:
        self._lookups = lookups

    def prepare(self, search: Search) -> tuple[Metadata, Messages]:
        """Read the customer's tables."""
        options = parse("nhirank", OPTIONS, search.arguments)
        self._search = search
        self._writes, self._as_ocsf = options["state"] == "write", options["format"] == "ocsf"
        self._context, messages = tables.load_context(self._lookups)
        self._budget = float(options["budget"])
        self._gatherer = Gatherer(hold=True, reputation=self._context.reputation)
        needed = [*RAW, *(name for name in fields.FEEDBACK if name not in ("_key", *RAW))]
        return {"type": "reporting", "required_fields": needed}, messages

    def execute(self, body: Body) -> bytes:
        """Take in a chunk."""
        self._gatherer.feed(body)
        return b""

    def finish(self) -> tuple[bytes, Messages]:
        """The notables; the state is written before they are answered.

        Raises:
            BusyError: another search ranks; this one's rows come again in its next run.
            StoreError: the KV store does not answer, or there is no session for it.
        """
        store = run.writing(self._search) if self._writes else MemoryStore()
        if store is None:
            raise StoreError("nhirank: state=write needs a search head: splunkd gave no session")
        try:
            going = SplunkRun(store, self._context, self._budget, self._now(), feedback.given(self._gatherer))
            written = self._process(going)
            left = self._close(going, store) if isinstance(store, ArchivedStore) else []
        finally:
            store.close()
        rows = [self._row(event, written.result.run) for event in written.events]
        rejected = sorted(self._gatherer.rejected.items())
        rows += [{"nhi_error": reasons.spelled(code), "nhi_record_count": str(count)} for code, count in rejected]
        body = write(fields.NOTABLE, rows, fields.MANY) if rows else b""
        return body, [*self._messages(written), *left]

    def _close(self, going: SplunkRun, store: ArchivedStore) -> Messages:
        """Write what was scored; then go on with the close of days that are due, and with deleting what nobody needs of
        closed ones, for some minutes.

        What goes wrong with a close is the next run's to do again, and keeps no notable of open days from anybody.
        """
        until = time.time() + CLOSING
        store.note_read(self._gatherer.indexed)
        store.note_closing(going.to_close())
        store.flush()
        try:
            is_done = going.close(store.flush, until)
            if is_done:
                store.delete_closed(going.book, lambda: time.time() < until)
            store.commit()
        except StoreError as error:
            return [("WARN", f"nhirank: the close of {going.closing or 'a day'} continues in the next run: {error}")]
        messages: Messages = [("WARN", f"nhirank: {store.message()}")] if store.message() else []
        if not is_done:
            messages.append(("INFO", f"nhirank: the close of {going.closing} continues in the next run"))
        return messages

    def _now(self) -> int:
        now = int(time.time())
        return min(now, int(self._search.latest or now))

    def _process(self, going: SplunkRun) -> RunOutput:
        for text in self._gatherer.ahead:
            with self._gatherer.rejecting():
                note_ahead(going.days.horizon.ahead, text)
        if self._writes:
            going.merge_waiting()
        for day in self._gatherer.days():
            if self._writes and self._gatherer.spool.counts.get(day, 0) >= MANY:
                going.take_many(day, self._gatherer)
            else:
                going.take(day, self._gatherer.of(day))
        return going.process(self._gatherer.notables, closes=not self._writes)

    def _row(self, event: Publication, run_counts: Mapping[str, Any]) -> Mapping[str, Cell]:
        row = {"_raw": json.dumps(ocsf.finding(event.document), separators=(",", ":"))} if self._as_ocsf else {}
        return {**row_of(event, run_counts, self._now(), is_complete=not self._writes), **row}

    def _messages(self, written: RunOutput) -> Messages:
        run_counts = written.result.run
        fresh = sum(event.change == "new" for event in written.events)
        shown = sum(event.change in SHOWN for event in written.events)
        days = " to ".join(dict.fromkeys(run_counts["days"])) or "no day with new records"
        known = f"{run_counts['days_known']} days known" if self._writes else "by these rows alone, without history"
        messages: Messages = [("INFO", f"nhirank: ranked {days}, {known}: {shown} notables, {fresh} of them new")]
        messages += reasons.folded("nhirank", run_counts["folded_records"])
        messages += reasons.messages("nhirank", self._gatherer.rejected)
        hidden = run_counts["verdicts"]["hidden"]
        if hidden:
            left = ", ".join(f"{count} {why}" for why, count in sorted(hidden.items()))
            messages.append(("INFO", f"nhirank: not listed because of verdicts and exceptions: {left}"))
        return messages


def main(requests: BinaryIO, replies: BinaryIO) -> int:
    """Answer splunkd until it has had enough; the process's exit code."""
    return serve(NhiRank(), requests, replies)
