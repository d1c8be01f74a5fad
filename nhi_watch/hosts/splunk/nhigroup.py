"""The streaming search command nhigroup: events → parts, rows of what each identity did in a search, by UTC day.

It runs where the events are. What goes on is a hundredth of their size, so that a summary index can hold it, and
ranking reads that instead of the events. Parts that come in are merged, notables pass. Rows are given at the end of the
search, or when much is held: a chunk of 10,000 events holds few of each identity.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from nhi_watch.core.behaviour import RECORDS
from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import DAY, HOUR, render_day
from nhi_watch.hosts.splunk import fields, parts, reasons, tables
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.protocol import Messages, Metadata, Option, Search, parse, serve
from nhi_watch.hosts.splunk.rows import Body, Cell, write
from nhi_watch.intake.horizon import Logs, Wrong, noted

OPTIONS = {
    "input": Option("raw", "raw|fields", ("raw", "fields")),
    "count": Option("0", "0|1", ("0", "1")),
    "records": Option(str(RECORDS), "<record ids of a behaviour, 1 to 12>", pattern=r"[1-9]|1[0-2]", example="1"),
}
RAW = (
    "_raw", "_time", "_indextime", "source", "sourcetype", "nhi_part", "nhi_notable", "nhi_error", "nhi_events",
    "nhi_day", "nhi_key", "nhi_ahead", "nhi_log", "nhi_seen",
)  # fmt: skip
"""What is needed where `_raw` holds each event's JSON; else everything is."""
MAX_BUFFERED, FED = 40_000, 500_000
"""Behaviours that are held before they are given, and events behind them: some 100 MB each."""
KEPT = 7 * DAY
"""How far back a row lies at the most, however old its events are: NHI Watch - Rank looks no further. A look back has
its own end of time, by which its rows stay on their days."""


class NhiGroup:
    """The command: one instance answers all chunks of a search."""

    def __init__(self, lookups: Path = tables.LOOKUPS) -> None:
        self._lookups = lookups

    def prepare(self, search: Search) -> tuple[Metadata, Messages]:
        """Read the customer's tables; say which fields are needed."""
        options = parse("nhigroup", OPTIONS, search.arguments)
        listed, messages = tables.load_reputation(self._lookups)
        self._records = int(options["records"])
        self._counts = options["count"] == "1"
        self._gatherer = Gatherer(reputation=listed)
        now = self._gatherer.horizon.now
        self._oldest = int(min(now, search.latest or now)) - KEPT
        needed = [*RAW] if options["input"] == "raw" else ["*"]
        return {"type": "streaming", "required_fields": needed}, messages

    def execute(self, body: Body) -> bytes:
        """Take in a chunk; gives what is held where that is much."""
        self._gatherer.feed(body)
        partial_days, seen = self._gatherer.parts.values(), self._gatherer.seen.values()
        return (
            self._given()
            if sum(len(partial_day.slots) for partial_day in partial_days) > MAX_BUFFERED or sum(seen) > FED
            else b""
        )

    def finish(self) -> tuple[bytes, Messages]:
        """What is held at the end."""
        return self._given(), []

    def _given(self) -> bytes:
        """The parts that are held, what could not be read, what was seen, and the notables that came by."""
        rows = list(self._part_rows())
        rejected = sorted(self._gatherer.rejected.items())
        rows += [{"nhi_error": reasons.spelled(code), "nhi_events": str(count)} for code, count in rejected]
        messages = [*self._gatherer.ahead, *texts(self._gatherer.horizon.ahead)]
        rows += [{"_time": str(self._gatherer.horizon.now // DAY * DAY), "nhi_ahead": text} for text in messages]
        rows += [{"nhi_notable": text} for text in self._gatherer.notables]
        rows += [
            {"_time": str(hour * HOUR), "nhi_log": log, "nhi_seen": str(count)}
            for (hour, log), count in sorted(self._gatherer.counted.items())
        ]
        if self._counts:
            rows += [
                {"_time": str(hour * HOUR), "nhi_log": log, "nhi_seen": str(count)}
                for (hour, log), count in sorted(self._gatherer.seen.items())
            ]
        self._gatherer.clear()
        return write(fields.PART, rows) if rows else b""

    def _part_rows(self) -> Iterator[dict[str, Cell]]:
        """Rows of parts; identities whose keys begin alike share some."""
        by_place: dict[tuple[int, str], list[parts.PartialDay]] = {}
        for (day, name), partial_day in sorted(self._gatherer.parts.items(), key=lambda item: item[0]):
            key = parts.key_of(name)[: parts.GROUPED]
            by_place.setdefault((day, key), []).append(partial_day.brief(self._records))
        for (day, key), partial_days in sorted(by_place.items()):
            for some, text in parts.pieces(partial_days):
                first = max(min(partial_day.first() for partial_day in some), self._oldest)
                events = sum(partial_day.events() for partial_day in some)
                yield {
                    "_time": str(first),
                    "nhi_day": render_day(day),
                    "nhi_key": key,
                    "nhi_events": str(events),
                    "nhi_part": text,
                }


def texts(logs: Logs) -> Iterator[str]:
    """Each log that is dated later than tomorrow as text, without signs that need an escape."""
    for log, wrong in sorted(logs.items()):
        text = json.dumps([*log, *wrong], separators=(",", ":"))
        yield urlsafe_b64encode(text.encode("utf-8", "replace")).decode("ascii").rstrip("=")


def note_ahead(logs: Logs, text: str) -> None:
    """Take note of what `texts` say.

    Raises:
        RejectError: bad_row.
    """
    try:
        provider, account, *numbers, names = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        records, least, most, first, last = map(int, numbers)
        wrong = Wrong(records, least, most, first, last, tuple(map(str, names)))
    except (ValueError, TypeError) as error:
        raise RejectError("bad_row", f"nhi_ahead: {error}") from error
    noted(logs, (str(provider), str(account)), wrong)


def main(requests: BinaryIO, replies: BinaryIO) -> int:
    """Answer splunkd until it has had enough; the process's exit code."""
    return serve(NhiGroup(), requests, replies)
