"""The reporting search command nhirank: the days in a search → ranked notables, one row each.

It is the pipeline of `nhi score` over what the search has gathered: the same ids, scores and reasons. Earlier
revisions of the notables come with the rows, so that only what changed gets a new revision.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from nhi_watch import model
from nhi_watch.errors import RejectError
from nhi_watch.pipeline import Options, Result
from nhi_watch.splunk import fields, lookup, tables, window
from nhi_watch.splunk.gather import Gatherer
from nhi_watch.splunk.learning import TableStore, settle
from nhi_watch.splunk.nhigroup import RAW
from nhi_watch.splunk.notables import ENDED, Earlier, earlier, row_of
from nhi_watch.splunk.options import Option, parse
from nhi_watch.splunk.protocol import Messages, Metadata, Search, serve
from nhi_watch.splunk.rows import Cell, write

OPTIONS = {
    "baseline": Option(lookup.DEFAULT, "<lookup file>", pattern=r"\w[\w.-]{0,99}", example=lookup.DEFAULT),
    "budget": Option("10", "<notables a day per 1,000 identities>", pattern=r"\d{1,4}(\.\d{1,3})?", example="10"),
    "show": Option("all", "all|changed", ("all", "changed")),
}
Document = dict[str, Any]


class Ranked(NamedTuple):
    """One notable of a day, and what became of it."""

    document: Document
    change: str
    run: dict[str, Any]
    """Of its day."""


class NhiRank:
    """The command: gathers all rows, answers when they have ended."""

    def __init__(self, lookups: Path = tables.LOOKUPS) -> None:
        self._lookups = lookups
        self._gatherer = Gatherer(hold=True)

    def prepare(self, search: Search) -> tuple[Metadata, Messages]:
        """Read the baseline and the customer's tables."""
        options = parse("nhirank", OPTIONS, search.arguments)
        self._search = search
        self._show = options["show"]
        self._table = lookup.table(self._lookups, options["baseline"])
        assets, messages = tables.load_assets(self._lookups)
        self._options = Options(float(options["budget"]), assets)
        return {"type": "reporting", "required_fields": [*RAW]}, [*messages, *tables.load(self._lookups)]

    def execute(self, body: bytes) -> bytes:
        """Take in a chunk."""
        self._gatherer.feed(body)
        return b""

    def finish(self) -> tuple[bytes, Messages]:
        """The notables of all whole days."""
        days = window.days_of(self._search, self._gatherer.days())
        ranked = [day for day in days.whole if day > self._table.base]
        found = list(self._rank(ranked))
        shown = [one for one in found if self._show == "all" or one.change != "same"]
        rows = [row_of(one.document, one.change, one.run) for one in shown]
        rejected = sorted(self._gatherer.rejected.items())
        rows += [{"nhi_error": reason, "nhi_record_count": str(count)} for reason, count in rejected]
        messages = [*self._messages(days, ranked, found), *window.rejects("nhirank", self._gatherer.rejected)]
        return _body(rows), messages

    def _rank(self, days: list[int]) -> Iterator[Ranked]:
        if not days:
            return
        known = self._earlier(set(days))
        store, card = TableStore(self._table, days[0]), model.load()
        store.put("notable", [(f"{e.day:06d}/{name}", e.row()) for name, e in known.items() if e.change not in ENDED])
        for day in days:
            wholes = {name: part.whole() for name, part in self._gatherer.take_day(day).items()}
            result = settle(store, card, self._options, {day: wholes})
            mine = {name: e for name, e in known.items() if e.day == day}
            yield from _changes(result, mine, is_last=day == days[-1])

    def _earlier(self, days: set[int]) -> dict[str, Earlier]:
        """The latest revision of each notable that came with the rows."""
        found: dict[str, Earlier] = {}
        for text in self._gatherer.notables:
            try:
                told = earlier(text)
            except RejectError as error:
                self._gatherer.reject(error.reason)
                continue
            before = found.get(told.document["id"])
            if told.day in days and (before is None or before.document["revision"] < told.document["revision"]):
                found[told.document["id"]] = told
        return found

    def _messages(self, days: window.Days, ranked: list[int], found: list[Ranked]) -> Messages:
        now = [one for one in found if one.change not in ENDED]
        fresh = sum(one.change == "new" for one in now)
        messages: Messages = [
            ("INFO", f"nhirank: {lookup.describe(self._table)}; ranked {window.spoken(ranked)}: "
             f"{len(now)} notables, {fresh} of them new")
        ]  # fmt: skip
        if days.cut:
            text = f"nhirank: not ranked: {window.spoken(days.cut)}, because the search does not cover it from midnight"
            messages.append(("INFO", f"{text} (UTC) on"))
        late = [day for day in days.whole if day <= self._table.base]
        if late:
            messages.append(("WARN", f"nhirank: not ranked: {window.spoken(late)}, which the baseline knows already"))
        return messages


def _changes(result: Result, known: dict[str, Earlier], is_last: bool) -> Iterator[Ranked]:
    """What became of each notable of a day."""
    changed = {document["id"]: document for document in result.changed}
    kept = {document["id"] for document in result.notables}
    for document in result.notables:
        if not is_last:
            document["telemetry"] = {**document["telemetry"], "provisional": False}
        yield Ranked(*_change(document, document["id"] in changed, known.get(document["id"])), result.run)
    for name, one in known.items():
        if name in kept or one.change in ENDED:
            continue
        if name in changed:
            yield Ranked(changed[name], "merged", result.run)
        else:
            yield Ranked({**one.document, "revision": one.document["revision"] + 1}, "withdrawn", result.run)


def _change(document: Document, changed: bool, before: Earlier | None) -> tuple[Document, str]:
    if before is None:
        return document, "new"
    if not changed and before.change not in ENDED:
        return document, "same"
    return {**document, "revision": before.document["revision"] + 1}, "updated"


def _body(rows: list[dict[str, Cell]]) -> bytes:
    return write(fields.names(fields.NOTABLE), rows, fields.many(fields.NOTABLE)) if rows else b""


def main(requests: BinaryIO, replies: BinaryIO) -> int:
    """Answer splunkd until it has had enough; the process's exit code."""
    return serve(NhiRank(), requests, replies)
