"""`nhi health`: what arrives, what is missing, which signals that costs, what could not be read, and the state.

It takes three kinds of rows, mixed: `tstats count max(_indextime) AS nhi_indexed … by sourcetype _time span=1h`, parts
of nhigroup, and notables.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from nhi_watch.core.behaviour import BehaviourKey
from nhi_watch.core.errors import ModelError, RejectError, StoreError
from nhi_watch.core.timestamps import DAY, HOUR, day_of, render, render_day
from nhi_watch.detect import drift, model
from nhi_watch.detect.health import (
    ERROR,
    OK,
    PROBLEMS,
    STALE_DAYS,
    UNKNOWN,
    WARN,
    Check,
    check,
    fields_check,
    model_check,
    parsing_check,
)
from nhi_watch.detect.model import Model
from nhi_watch.detect.telemetry import LATE, NEEDS, is_silent, longest_pause
from nhi_watch.hosts.splunk import fields, parts, reasons, tables
from nhi_watch.hosts.splunk.nhigroup import RAW
from nhi_watch.hosts.splunk.protocol import Messages, Option, Search
from nhi_watch.hosts.splunk.rows import Cell, ChunkColumns, Line, Row
from nhi_watch.hosts.splunk.run import reading
from nhi_watch.intake import schemas
from nhi_watch.intake.sources import every
from nhi_watch.state.retention import OPEN, Daybook
from nhi_watch.state.state import State
from nhi_watch.state.store import Rows

CLOSES = 6
"""Hours after its second midnight within which a day should be learnt."""
_NAMED = 6
_STATE = "nhi_state"
_RANK = "look at the messages of the search NHI Watch - Rank"


class Bucket(NamedTuple):
    """What `tstats` says of one sourcetype in one hour."""

    start: int
    events: int
    indexed: int
    """When the last of them arrived."""


def row_of(answer: Check, **more: Cell) -> Line:
    """A check as a row."""
    return {
        "nhi_check": answer.name,
        "nhi_source": answer.about or "all",
        "nhi_status": answer.status,
        "nhi_text": answer.advice[:1_000],
        **more,
    }


def sources(seen: Mapping[str, list[Bucket]], now: int) -> Iterator[Line]:
    """One row a source: whether it is there, silent, or late; and one a sourcetype of the customer's own."""
    own = dict(seen)
    for source in _LOGS:
        types = [name.lower() for name in source.SPLUNK_SOURCETYPES]
        yield _source(source.NAME, [bucket for name in types for bucket in seen.get(name, ())], now)
        own = {name: buckets for name, buckets in own.items() if name not in types}
    for name in sorted(own):
        yield _source(name, own[name], now)


def _source(name: str, buckets: list[Bucket], now: int) -> Line:
    if not buckets:
        text = "no event in the time searched; where you have this log, add its index to the macro nhi_indexes, or its "
        text += "own sourcetype to the macro nhi_json_logs or nhi_field_logs"
        return row_of(check("source", UNKNOWN, text, name))
    buckets = sorted(buckets)
    end = max(min(bucket.start + HOUR, bucket.indexed) for bucket in buckets)
    silent, usual = max(0, now - end), longest_pause(bucket.start for bucket in buckets)
    late = int(median(max(0, bucket.indexed - bucket.start - HOUR) for bucket in buckets))
    row: dict[str, Cell] = {
        "nhi_last_event": render(end),
        "nhi_silent_minutes": str(silent // 60),
        "nhi_lag_minutes": str(late // 60),
        "nhi_events": str(sum(bucket.events for bucket in buckets)),
    }
    if is_silent(silent, usual):
        text = f"silent for {silent // 60} minutes; its longest pause before was {usual // 60}"
        return row_of(check("source", ERROR, text, name), **row)
    if late > LATE:
        text = f"events arrive more than {late // 60} minutes late: notables come as late"
        return row_of(check("source", WARN, text, name, "forward them sooner"), **row)
    return row_of(check("source", OK, "events arrive", name), **row)


def missing(keys: Iterable[BehaviourKey]) -> Iterator[Line]:
    """One row a provider: the fields that none of its events had, and the signals that this costs."""
    had: dict[str, set[str]] = {}
    for key in keys:
        had.setdefault(key.identity.provider, set()).update(name for name in NEEDS if getattr(key, name))
    for provider, there in sorted(had.items()):
        lacking = [name for name in NEEDS if name not in there]
        found = fields_check(provider, lacking, NEEDS)
        lists = (
            {"nhi_missing": found.facts["missing"], "nhi_lost_signals": found.facts["lost_signals"]} if lacking else {}
        )
        yield row_of(found, **lists)


def parsing(rejected: Mapping[str, int], read: int) -> Line:
    """What could not be read."""
    bad = sum(count for code, count in rejected.items() if code not in reasons.LEFT_OUT)
    text = "; ".join(text.partition(": ")[2] for _, text in reasons.messages("", rejected))
    return row_of(parsing_check(bad, read, text))


def baseline(book: Daybook, now: int) -> Line:
    """Whether the state is there and of yesterday, and whether the close of a day goes on for too long."""
    days = book.days
    if not days:
        remedy = "enable the searches and look back on the page Set up"
        return row_of(check("history", ERROR, "there is no history yet", _STATE, remedy=remedy))
    text, old = f"{len(days)} days known, the last {render_day(days[-1])}", day_of(now) - days[-1]
    if old > STALE_DAYS:
        return row_of(check("history", WARN, f"{text}, {old} days old", _STATE, remedy=_RANK))
    hours = (now - (book.first_unlearnt + OPEN) * DAY) // HOUR
    if book.learnt < book.closed and hours >= CLOSES:
        closing = f"the close of {render_day(book.first_unlearnt)} has been running for {hours} hours"
        return row_of(check("history", WARN, closing, _STATE, remedy=_RANK))
    return row_of(check("history", OK, text, _STATE))


def drifted(rows: Rows, days: Sequence[int], loaded: Model, folder: Path) -> Line:
    """Whether scores and signals are spread as in training, and as a week before.

    Raises:
        ModelError: the spreads in training, which ship with the model, are damaged.
    """
    report = drift.report(rows, days[:-1], drift.reference(folder, loaded.sha256))
    if report.since_training is None and report.since_last_week is None:
        text = f"drift needs two weeks of data and {drift.ENOUGH} identity days a week"
        return row_of(check("drift", UNKNOWN, text, loaded.id))
    since = (("training", report.since_training), ("the week before", report.since_last_week))
    moved = [(moved, when) for when, all_of_it in since for moved in all_of_it or () if moved.status != "ok"]
    if not moved:
        return row_of(check("drift", OK, "scores and signals are distributed as before", loaded.id))
    text = ", ".join(
        f"{moved_signal.name} by {moved_signal.shift:g} since {when}" for moved_signal, when in moved[:_NAMED]
    )
    status = ERROR if any(moved_signal.status == ERROR for moved_signal, _ in moved) else WARN
    return row_of(check("drift", status, f"moved: {text}"[:500], loaded.id))


def budget(rows: Iterable[Mapping[str, str]]) -> Iterator[Line]:
    """Whether notables of the latest day were left out for want of room."""
    ranked = max(rows, key=lambda row: (row.get("nhi_first_time", "")[:10], row.get("nhi_overflow", "")), default=None)
    if ranked is None:
        return
    left = int(ranked.get("nhi_overflow") or 0)
    text = f"{left} episodes were over the limit, the highest with likelihood {ranked.get('nhi_overflow_highest', '')}"
    day = ranked.get("nhi_first_time", "")[:10]
    answer = (WARN, text) if left else (OK, "no episode over the floor was left out")
    yield row_of(check("budget", *answer, day))


OPTIONS = {"show": Option("all", "all|problems", ("all", "problems"))}
NEEDED = [*RAW, "count", "nhi_indexed"]
_LOGS = tuple(each for each in (*every(), *schemas.every()) if each.SPLUNK_SOURCETYPES)


class Health:
    """Gathers all rows, answers when they have ended."""

    def __init__(self, search: Search, options: Mapping[str, str]) -> None:
        self._search, self._show = search, options["show"]
        self._now = int(search.latest or time.time())
        self._lookups = tables.LOOKUPS
        self._seen: dict[str, list[Bucket]] = {}
        self._shapes: set[BehaviourKey] = set()
        self._rejected = Counter[str]()
        self._notables: list[dict[str, str]] = []
        self._read = 0

    def take(self, columns: ChunkColumns, row: Row) -> None:
        """Take in a row of any of the three kinds."""
        packed, notable_text = columns.part(row), columns.notable(row)
        try:
            if packed:
                for partial_day in parts.unpack(packed).values():
                    self._shapes.update(key for key, _ in partial_day.slots)
                    self._read += partial_day.events()
            elif notable_text:
                self._notables.append({k: v for k, v in json.loads(notable_text).items() if isinstance(v, str)})
            elif columns.seen(row):
                pass  # NHI Watch - Close compares those
            elif columns.failed(row):
                self._rejected[reasons.code_of(columns.cell(row, "nhi_error"))] += columns.errors(row)
            elif columns.cell(row, "count") and not columns.cell(row, "_raw"):
                cells = (columns.cell(row, name) for name in ("_time", "count", "nhi_indexed"))
                bucket = Bucket(*(int(float(text or 0)) for text in cells))
                self._seen.setdefault(columns.cell(row, "sourcetype").lower(), []).append(bucket)
        except (ValueError, AttributeError, OverflowError, RecursionError, RejectError):
            self._rejected["bad_row"] += 1

    def answer(self) -> tuple[Sequence[str], list[Line], Messages]:
        """One row a check."""
        refused = tables.load_context(self._lookups)[1]
        wrong = [row_of(check("tables", ERROR, text, "lookups", "")) for _, text in refused]
        fine = row_of(check("tables", OK, "your lookup tables can be read", "lookups"))
        read = [parsing(self._rejected, self._read)] if self._read or self._rejected else []
        rows = [
            *self._of_sources(),
            *self._of_state(),
            _of_model(),
            *(wrong or [fine]),
            *missing(self._shapes),
            *read,
            *budget(self._notables),
        ]
        if self._show == "problems":
            rows = [row for row in rows if row["nhi_status"] in PROBLEMS]
        return fields.HEALTH, rows, []

    def _of_sources(self) -> Iterator[Line]:
        yield from sources(self._seen, self._now) if self._seen else ()
        if not (self._seen or self._read or self._rejected or self._notables):
            text = "no event of any log in the time searched: choose a longer time, add your indexes to the macro "
            text += "nhi_indexes, or search with a role that sees their indexes"
            yield row_of(check("source", UNKNOWN, text, "all"))

    def _of_state(self) -> list[Line]:
        try:
            state = reading(self._search)
            if state is None:
                return [row_of(check("history", UNKNOWN, "splunkd gave no session: run this on a search head", _STATE))]
            book = State(state).daybook
            return [baseline(book, self._now), drifted(state, book.days, model.load(), model.FOLDER)]
        except (StoreError, ModelError) as error:
            return [row_of(check("history", ERROR, str(error), _STATE, remedy=""))]


def _of_model() -> Line:
    try:
        loaded = model.load()
    except ModelError as error:
        return row_of(check("model", ERROR, str(error), remedy=""))
    return row_of(model_check(loaded.id, loaded.sha256))
