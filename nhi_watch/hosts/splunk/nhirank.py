"""The reporting search command nhirank: the days in a search → ranked notables, one row each.

It judges as `nhi score` does, over what the search has gathered: the same ids, scores and reasons. Earlier
revisions of the notables come with the rows, so that only what changed gets a new revision.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Optional

from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import model
from nhi_watch.detect.explain import ocsf
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.run import Result
from nhi_watch.hosts.splunk import awake, fields, judged, lookup, notables, reasons, tables, verdicts, whole, window
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.learning import Looked, judge, look, spread
from nhi_watch.hosts.splunk.nhigroup import RAW
from nhi_watch.hosts.splunk.notables import BELOW, ENDED, Earlier, Ranked, row_of
from nhi_watch.hosts.splunk.options import Option, parse
from nhi_watch.hosts.splunk.protocol import Messages, Metadata, Search, serve
from nhi_watch.hosts.splunk.rows import Cell, write
from nhi_watch.hosts.splunk.tablestore import TableStore

OPTIONS = {
    "baseline": Option(lookup.DEFAULT, "<lookup file>", pattern=r"\w[\w.-]{0,99}", example=lookup.DEFAULT),
    "budget": Option("10", "<notables a day per 1,000 identities>", pattern=r"\d{1,4}(\.\d{1,3})?", example="10"),
    "show": Option("all", "all|changed", ("all", "changed")),
    "format": Option("nhi", "nhi|ocsf", ("nhi", "ocsf")),
    "only": Option("all", "all|awake", ("all", "awake")),
    "below": Option("false", "true|false", ("true", "false")),
    "days": Option("0", "<days up to today; 0: all in the search>", pattern=r"\d{1,2}", example="2"),
}
_ALL = 1 << 60
"""More events than a day has: they are not counted yet."""


class NhiRank:
    """The command: gathers all rows, answers when they have ended."""

    in_pieces = True

    def __init__(self, lookups: Path = tables.LOOKUPS) -> None:
        self._lookups = lookups
        self._answers: list[whole.Answer] = []
        """Days that were ranked."""
        self._folded = 0
        """Events that were too many to be told apart."""
        self._settled: list[int] = []
        """Days of which nothing is new since they were learnt."""
        self._held: list[whole.Answer] = []
        """Days of which too little came."""
        self._judged: Optional[judged.Judgements] = None
        """What was judged before; of all identities nothing is kept."""

    def prepare(self, search: Search) -> tuple[Metadata, Messages]:
        """Read the baseline and the customer's tables."""
        options = parse("nhirank", OPTIONS, search.arguments)
        self._search = search
        self._show, self._as_ocsf = options["show"], options["format"] == "ocsf"
        self._awake, self._below = options["only"] == "awake", options["below"] == "true"
        self._days = int(options["days"])
        self._baseline, self._list = options["baseline"], awake.load(self._lookups)
        self._context, messages = tables.load_context(self._lookups)
        self._budget = float(options["budget"])
        self._gatherer = Gatherer(hold=True, reputation=self._context.reputation)
        self._given, told = verdicts.load_exceptions(self._lookups)
        named = [*fields.names(fields.FEEDBACK), *fields.names(fields.DAYS)]
        needed = [*RAW, *(name for name in named if name not in ("_key", *RAW))]
        reply: Metadata = {"type": "reporting", "required_fields": needed}
        return reply, [*messages, *told]

    def execute(self, body: bytes) -> bytes:
        """Take in a chunk."""
        self._gatherer.feed(body)
        return b""

    def finish(self) -> tuple[bytes, Messages]:
        """The notables of all whole days."""
        self._table = lookup.table(self._lookups, self._baseline, self._gatherer.keys if self._awake else None)
        self._now = now = int(self._search.latest or time.time())
        if not self._gatherer.lists <= {self._list.name}:
            return b"", [_later("an indexer has another list of who is awake")]
        if self._awake and self._table.last < 0 and self._gatherer.asleep:
            return b"", [_later("without a baseline all are awake, and the list lacks some: an indexer did not answer")]
        self._past = notables.revisions(self._gatherer)
        known, given = notables.latest(self._past), self._decided()
        if not self._awake:
            return self._answer_of(known, given)
        card, today = model.load(), now // DAY
        by = judged.depends(self._lookups, card, self._table, given, known, today)
        try:
            kept, keep = judged.load(self._lookups), self._table.last >= 0
            self._judged = judged.Judgements(kept, self._list.keys, by, now, keep)
            return self._answer_of(known, given)
        except judged.StaleError:
            told = "the baseline, a table, a verdict or the day is another: all are judged anew"
            return _body(judged.emptied(by, now), judged.COLUMNS), [_later(told, "INFO")]
        except InputError as error:
            return b"", [_later(str(error))]

    def _answer_of(self, known: Mapping[str, Earlier], given: verdicts.Given) -> tuple[bytes, Messages]:
        now, before = self._now, self._judged.days() if self._judged else set()
        days = window.days_of(self._search, {*self._gatherer.days(), *before}, self._days)
        found, hidden = verdicts.apply(self._rank(self._due(days), known), known, given, now)
        ranked = [one.day for one in self._answers]
        rows = [self._row(one, now) for one in found if self._show == "all" or one.change != "same"]
        rejected = sorted(self._gatherer.rejected.items())
        rows += [{"nhi_error": reasons.spelled(code), "nhi_record_count": str(count)} for code, count in rejected]
        messages = [*self._messages(days, ranked, found), *_left_out(hidden)]
        messages += whole.messages(self._held, [one for one in self._answers if not one.may_end])
        messages += reasons.messages("nhirank", self._gatherer.rejected)
        if self._judged:
            rows += [{**row} for row in self._judged.told(now // DAY - self._days + 1 if self._days else 0)]
        return _body(rows, judged.COLUMNS if self._judged else []), messages

    def _row(self, one: Ranked, now: int) -> dict[str, Cell]:
        told = {"_raw": json.dumps(ocsf.finding(one.document), separators=(",", ":"))} if self._as_ocsf else {}
        return {**row_of(one, now), **told}

    def _decided(self) -> verdicts.Given:
        """The customer's exceptions, and the verdicts that came with the rows."""
        return verdicts.take_all(self._gatherer, self._given)

    def _due(self, days: window.Days) -> list[int]:
        return [day for day in days.whole if day > self._table.base]

    def _rank(self, days: list[int], known: Mapping[str, Earlier]) -> Iterator[Ranked]:
        """The notables of each day of which all has come; one that waits for the rest makes those after it wait, unless
        the baseline knows it already."""
        store, card, counts = None, model.load(), self._counted()
        exposed: dict[str, dict[str, Any]] = {}
        exposures: list[Ranked] = []
        for day in days:
            mine = {name: e for name, e in known.items() if e.day == day and not e.is_exposure}
            rows = self._gatherer.rows.get(day, 0)
            if day < days[-1] and whole.is_settled(rows, self._table.learnt_from(day), counts.get(day), mine.values()):
                self._settled.append(day)
                if self._judged:
                    self._judged.learnt(day, self._gatherer.marks)
                store = None
                yield from whole.settled(mine.values())
                continue
            told = self._answer(day, (rows, _ALL), counts, known)
            if told.is_due(self._now) and (not self._held or self._table.last >= self._held[-1].day):
                if store is None:
                    store = TableStore(self._table, day)
                    notables.restore(store, known, self._past)
                    verdicts.remember(store, self._given, [one.document for one in known.values()], day)
                    exposed = exposed or notables.exposures(store)
                if self._judged:
                    self._judged.begin(store, card, day)
                looked = look(store, card, day, partial(self._gatherer.wholes, day, self._table), self._context)
                self._folded += looked.folded
                told = self._answer(day, (rows, sum(looked.counts.values())), counts, known)
                told = told._replace(lost=self._is_lost(looked, known))
            if store is None or not told.is_due(self._now):
                self._held.append(told)
                store = None
                continue
            self._answers.append(told)
            if self._judged:
                self._judged.note(store, looked, self._gatherer.marks)
            if self._awake and self._table.last >= 0:  # else all are awake
                store.hide(day)
            if not looked.counts:
                spread(store, day)
                exposures = []
                continue
            result = self._judge(store, card, looked)
            result.run.update(day_events=told.events, counts=looked.counts)
            ranked = list(notables.changes(result, known, day, day == days[-1], self._below))
            known = {**known, **{one.document["id"]: Earlier(one.document, one.change, day) for one in ranked}}
            yield from whole.concluded(iter(ranked), told)
            exposures = list(notables.exposure_changes(result, exposed))
        yield from exposures

    def _is_lost(self, looked: Looked, known: Mapping[str, Earlier]) -> bool:
        given = self._judged.given(known.values()) if self._judged else known.values()
        return whole.lost(looked.day, looked.counts, given)

    def _judge(self, store: TableStore, card: Scorecard, looked: Looked) -> Result:
        identities = self._table.eligible if self._awake else 0
        result = judge(store, card, looked, self._context, self._budget, identities)
        if self._judged:
            self._judged.awaits(looked.day, result.awaited)
        return result

    def _answer(
        self, day: int, came: tuple[int, int], counts: Mapping[int, whole.Count], known: Mapping[str, Earlier]
    ) -> whole.Answer:
        """What has come of a day; of some identities' events nothing can be told."""
        told = whole.answer(day, came, counts.get(day), known.values())
        return told._replace(some=True, events=told.events_before) if self._awake else told

    def _counted(self) -> dict[int, whole.Count]:
        try:
            return whole.counts(self._gatherer.counted)
        except RejectError as error:
            self._gatherer.reject(error.reason)
            return {}

    def _messages(self, days: window.Days, ranked: list[int], found: list[Ranked]) -> Messages:
        now = [one for one in found if one.change not in (*ENDED, BELOW)]
        fresh = sum(one.change == "new" for one in now)
        told = f"nhirank: {lookup.against(self._table)}; ranked {window.spoken(ranked)}: {len(now)} notables"
        messages: Messages = [("INFO", f"{told}, {fresh} of them new")]
        if self._settled:
            messages.append(("INFO", f"nhirank: nothing new since it was learnt: {window.spoken(self._settled)}"))
        messages += reasons.folded("nhirank", self._folded)
        if days.cut:
            cut = window.spoken(days.cut)
            text = f"nhirank: not ranked: {cut}, which the search does not cover from midnight (UTC) on"
            messages.append(("INFO", text))
        late = [day for day in days.whole if day <= self._table.base]
        if late:
            messages.append(("WARN", f"nhirank: not ranked: {window.spoken(late)}, which the baseline knows already"))
        return messages


def _later(why: str, level: str = "WARN") -> tuple[str, str]:
    return level, f"nhirank: nothing ranked: {why}; the next run"


def _left_out(hidden: Mapping[str, int]) -> Messages:
    told = ", ".join(f"{count} {why}" for why, count in sorted(hidden.items()))
    return [("INFO", f"nhirank: left out by verdicts and exceptions: {told}")] if hidden else []


def _body(rows: Iterable[Mapping[str, Cell]], more: Sequence[str] = ()) -> bytes:
    told = list(rows)
    return write([*fields.names(fields.NOTABLE), *more], told, fields.many(fields.NOTABLE)) if told else b""


def main(requests: BinaryIO, replies: BinaryIO) -> int:
    """Answer splunkd until it has had enough; the process's exit code."""
    return serve(NhiRank(), requests, replies)
