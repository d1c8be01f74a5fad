"""The streaming search command nhigroup: events → parts, one row for each identity and day in a chunk.

It runs where the events are. What goes on is a hundredth of their size, so that a summary index can hold it, and
ranking reads that instead of the events. Parts that come in are merged, notables pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Optional

from nhi_watch.core.behaviour import RECORDS
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY, render_day
from nhi_watch.detect import chosen
from nhi_watch.hosts.splunk import awake, fields, lookup, misdated, parts, reasons, tables
from nhi_watch.hosts.splunk.blind import Seen
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.options import Option, parse
from nhi_watch.hosts.splunk.protocol import Messages, Metadata, Search, Streaming, serve
from nhi_watch.hosts.splunk.rows import Cell, write
from nhi_watch.intake.horizon import Logs

OPTIONS = {
    "input": Option("raw", "raw|fields", ("raw", "fields")),
    "only": Option("all", "all|news|awake|misdated", ("all", "news", "awake", "misdated")),
    "records": Option(str(RECORDS), "<record ids of a behaviour, 1 to 12>", pattern=r"[1-9]|1[0-2]", example="1"),
}
RAW = (
    "_raw", "_time", "_indextime", "source", "sourcetype", "nhi_part", "nhi_notable", "nhi_error", "nhi_events",
    "nhi_day", "nhi_key", "nhi_news", "nhi_mark", "nhi_asleep", "nhi_list", "nhi_rhythm",
)  # fmt: skip
"""What is needed where `_raw` holds each event's JSON; else everything is."""


class NhiGroup(Streaming):
    """The command: one instance answers all chunks of a search."""

    def __init__(self, lookups: Path = tables.LOOKUPS) -> None:
        self._lookups = lookups
        self._late: Logs = {}
        self._came = 0
        """The last day on which an event came, where their times are looked at."""

    def prepare(self, search: Search) -> tuple[Metadata, Messages]:
        """Read the customer's tables; say which fields are needed."""
        options = parse("nhigroup", OPTIONS, search.arguments)
        listed, messages = tables.load_reputation(self._lookups)
        self._records = int(options["records"])
        self._news = options["only"] == "news"
        self._awake = awake.load(self._lookups) if options["only"] == "awake" else awake.EVERYBODY
        on_event = self._note if options["only"] == "misdated" else None
        self._gatherer = Gatherer(reputation=listed, awake=self._awake.keys, on_event=on_event)
        needed = [*RAW] if options["input"] == "raw" else ["*"]
        return {"type": "streaming", "required_fields": needed}, messages

    def execute(self, body: bytes) -> bytes:
        """The parts of a chunk, what could not be read of it, and the notables in it."""
        self._gatherer.feed(body)
        rows = [] if self._came else [self._part(name, part) for name, part in self._wanted()]
        rows += [self._asleep(day, count) for day, count in sorted(self._gatherer.left_out.items())]
        rhythms = self._rhythms()
        rejected = [] if self._news else sorted(self._gatherer.rejected.items())
        rows += [{"nhi_error": reasons.spelled(code), "nhi_events": str(count)} for code, count in rejected]
        rows += rhythms
        rows += self._misdated() if self._came else []
        rows += [{"nhi_notable": text} for text in self._gatherer.notables]
        self._gatherer.clear()
        return write(fields.names(fields.PART), rows) if rows else b""

    def _wanted(self) -> Iterable[tuple[str, parts.Part]]:
        found = [(name, part) for (_, name), part in sorted(self._gatherer.parts.items(), key=lambda item: item[0])]
        if not self._news or not found:
            return found
        news = awake.News(self._lookups, lookup.DEFAULT, {parts.key_of(name) for name, _ in found})
        return ((name, fresh) for name, fresh in ((name, news.of(part)) for name, part in found) if fresh.slots)

    def _rhythms(self) -> list[dict[str, Cell]]:
        """When logs told something, news or not: a log that falls silent is missed within hours."""
        seen = Seen()
        for (_, name), part in self._gatherer.parts.items() if self._news else ():
            seen.add(name, part)
        found: list[dict[str, Cell]] = []
        for text in self._gatherer.rhythms:
            with self._gatherer.rejecting():
                if misdated.Misdated().take(text):
                    found.append({"nhi_rhythm": text})
                else:
                    seen.take(text)
        found += [{"_time": str(day * DAY), "nhi_rhythm": text} for day, text in seen.texts()]
        return found

    def _note(self, event: Event, came: Optional[int]) -> None:
        """Look at an event's time; what comes too late is gathered, to be judged apart."""
        day = self._gatherer.horizon.now // DAY if came is None else came
        self._came = max(self._came, day)
        self._gatherer.horizon.demand(event, came)
        if misdated.note_late(self._late, event, day):
            self._gatherer.add(event)

    def _misdated(self) -> list[dict[str, Cell]]:
        """Logs whose times cannot be right, and what came too late: of the day on which the last of them came."""
        ways = {chosen.AHEAD: self._gatherer.horizon.ahead, chosen.LATE: self._late}
        late = (part.brief(self._records) for part in self._gatherer.parts.values())
        told = [*misdated.texts(self._came, ways), *misdated.late_texts(self._came, late)]
        for logs in ways.values():
            logs.clear()
        return [{"_time": str(self._came * DAY), "nhi_rhythm": text} for text in told]

    def _part(self, name: str, part: parts.Part) -> dict[str, Cell]:
        if self._awake.keys is not None:
            self._gatherer.left_out.setdefault(part.day, 0)
        return {
            "_time": str(part.first()),
            "nhi_day": render_day(part.day),
            "nhi_key": parts.key_of(name),
            "nhi_events": str(part.events()),
            "nhi_news": "1" if part.news else "",
            "nhi_mark": str(part.mark) if part.mark else "",
            "nhi_part": parts.pack(part.brief(self._records)),
        }

    def _asleep(self, day: int, count: int) -> dict[str, Cell]:
        return {"nhi_day": render_day(day), "nhi_asleep": str(count), "nhi_list": self._awake.name}


def main(requests: BinaryIO, replies: BinaryIO) -> int:
    """Answer splunkd until it has had enough; the process's exit code."""
    return serve(NhiGroup(), requests, replies)
