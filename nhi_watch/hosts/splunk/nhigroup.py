"""The streaming search command nhigroup: events → parts, one row for each identity and day in a chunk.

It runs where the events are. What goes on is a hundredth of their size, so that a summary index can hold it, and
ranking reads that instead of the events. Parts that come in are merged, notables pass.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from nhi_watch.core.timestamps import render_day
from nhi_watch.hosts.splunk import fields, parts, reasons, tables
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.options import Option, parse
from nhi_watch.hosts.splunk.protocol import Messages, Metadata, Search, Streaming, serve
from nhi_watch.hosts.splunk.rows import Cell, write

OPTIONS = {"input": Option("raw", "raw|fields", ("raw", "fields"))}
RAW = ("_raw", "_time", "_indextime", "source", "sourcetype", "nhi_part", "nhi_notable", "nhi_error", "nhi_events")
"""What is needed where `_raw` holds each event's JSON; else everything is."""


class NhiGroup(Streaming):
    """The command: one instance answers all chunks of a search."""

    def __init__(self, lookups: Path = tables.LOOKUPS) -> None:
        self._lookups = lookups

    def prepare(self, search: Search) -> tuple[Metadata, Messages]:
        """Read the customer's tables; say which fields are needed."""
        options = parse("nhigroup", OPTIONS, search.arguments)
        listed, messages = tables.load_reputation(self._lookups)
        self._gatherer = Gatherer(reputation=listed)
        needed = [*RAW] if options["input"] == "raw" else ["*"]
        return {"type": "streaming", "required_fields": needed}, messages

    def execute(self, body: bytes) -> bytes:
        """The parts of a chunk, what could not be read of it, and the notables in it."""
        self._gatherer.feed(body)
        rows = [_part(name, part) for (_, name), part in sorted(self._gatherer.parts.items(), key=lambda item: item[0])]
        rejected = sorted(self._gatherer.rejected.items())
        rows += [{"nhi_error": reasons.spelled(code), "nhi_events": str(count)} for code, count in rejected]
        rows += [{"nhi_notable": text} for text in self._gatherer.notables]
        self._gatherer.clear()
        return write(fields.names(fields.PART), rows) if rows else b""


def _part(name: str, part: parts.Part) -> dict[str, Cell]:
    return {
        "_time": str(part.first()),
        "nhi_day": render_day(part.day),
        "nhi_key": parts.key_of(name),
        "nhi_events": str(part.events()),
        "nhi_behaviours": str(len(part.slots)),
        "nhi_part": parts.pack(part),
    }


def main(requests: BinaryIO, replies: BinaryIO) -> int:
    """Answer splunkd until it has had enough; the process's exit code."""
    return serve(NhiGroup(), requests, replies)
