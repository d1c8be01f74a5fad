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

UNREAD = 0.01
"""Share of events that could not be read from which it is a warning."""
STALE_DAYS = 2
CLOSES = 6
"""Hours after its second midnight within which a day should be learnt."""
_NAMED = 6


class Bucket(NamedTuple):
    """What `tstats` says of one sourcetype in one hour."""

    start: int
    events: int
    indexed: int
    """When the last of them arrived."""


def check(about: tuple[str, str], status: str, text: str, **more: Cell) -> Line:
    """One row."""
    return {"nhi_check": about[0], "nhi_source": about[1], "nhi_status": status, "nhi_text": text, **more}


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
    about = ("source", name)
    if not buckets:
        text = "no event in the time searched; where you have this log, add its index to the macro nhi_indexes, or its "
        text += "own sourcetype to the macro nhi_json_logs or nhi_field_logs"
        return check(about, "unknown", text)
    buckets = sorted(buckets)
    end = max(min(bucket.start + HOUR, bucket.indexed) for bucket in buckets)
    silent, usual = max(0, now - end), longest_pause(bucket.start for bucket in buckets)
    late = int(median(max(0, bucket.indexed - bucket.start - HOUR) for bucket in buckets))
    row: dict[str, Cell] = {
        "nhi_last_event": render(end), "nhi_silent_minutes": str(silent // 60), "nhi_lag_minutes": str(late // 60),
        "nhi_events": str(sum(bucket.events for bucket in buckets)),
    }  # fmt: skip
    if is_silent(silent, usual):
        text = f"silent for {silent // 60} minutes; its longest pause before was {usual // 60}: check its input"
        return check(about, "error", text, **row)
    if late > LATE:
        return check(about, "warn", f"events arrive more than {late // 60} minutes late: notables come as late", **row)
    return check(about, "ok", "events arrive", **row)


def missing(keys: Iterable[BehaviourKey]) -> Iterator[Line]:
    """One row a provider: the fields that none of its events had, and the signals that this costs."""
    had: dict[str, set[str]] = {}
    for key in keys:
        had.setdefault(key.identity.provider, set()).update(name for name in NEEDS if getattr(key, name))
    for provider, there in sorted(had.items()):
        lacking = [name for name in NEEDS if name not in there]
        lost = [signal for name in lacking for signal in NEEDS[name]]
        if lost:
            text = f"no event of {provider} tells {', '.join(lacking)}: {len(lost)} signals cannot tell"
            yield check(("fields", provider), "warn", text, nhi_missing=lacking, nhi_lost_signals=lost)
        else:
            yield check(("fields", provider), "ok", "events have the fields that signals need")


def parsing(rejected: Mapping[str, int], read: int) -> Line:
    """What could not be read."""
    bad = sum(count for code, count in rejected.items() if code not in reasons.LEFT_OUT)
    text = "; ".join(text.partition(": ")[2] for _, text in reasons.messages("", rejected))
    share = bad / (bad + read) if bad else 0.0
    if share > UNREAD:
        return check(("parsing", "all"), "warn", f"{share:.1%} of events cannot be read: {text}"[:1_000])
    return check(("parsing", "all"), "ok", f"{read:,} events read" + (f"; {text}" if text else ""))


def baseline(book: Daybook, now: int) -> Line:
    """Whether the state is there and of yesterday, and whether the close of a day goes on for too long."""
    about, days = ("state", "nhi_state"), book.days
    if not days:
        return check(about, "error", "no history yet: enable the searches and look back on the page Set up")
    text, old = f"{len(days)} days known, the last {render_day(days[-1])}", day_of(now) - days[-1]
    if old > STALE_DAYS:
        return check(about, "warn", f"{text}, {old} days old; look at the search NHI Watch - Rank")
    hours = (now - (book.first_unlearnt + OPEN) * DAY) // HOUR
    if book.learnt < book.closed and hours >= CLOSES:
        closing = f"the close of {render_day(book.first_unlearnt)} has been running for {hours} hours"
        return check(about, "warn", f"{closing}: see the messages of the search NHI Watch - Rank")
    return check(about, "ok", text)


def drifted(rows: Rows, days: Sequence[int], loaded: Model, folder: Path) -> Line:
    """Whether scores and signals are spread as in training, and as a week before.

    Raises:
        ModelError: the spreads in training, which ship with the model, are damaged.
    """
    report = drift.report(rows, days[:-1], drift.reference(folder, loaded.sha256))
    about = ("drift", loaded.id)
    if report.since_training is None and report.since_last_week is None:
        return check(about, "unknown", f"drift needs two weeks of data and {drift.ENOUGH} identity days a week")
    since = (("training", report.since_training), ("the week before", report.since_last_week))
    moved = [(moved, when) for when, all_of_it in since for moved in all_of_it or () if moved.status != "ok"]
    if not moved:
        return check(about, "ok", "scores and signals are distributed as before")
    text = ", ".join(
        f"{moved_signal.name} by {moved_signal.shift:g} since {when}" for moved_signal, when in moved[:_NAMED]
    )
    status = "error" if any(moved_signal.status == "error" for moved_signal, _ in moved) else "warn"
    return check(about, status, f"moved: {text}; check what changed in the logs"[:500])


def budget(rows: Iterable[Mapping[str, str]]) -> Iterator[Line]:
    """Whether notables of the latest day were left out for want of room."""
    ranked = max(rows, key=lambda row: (row.get("nhi_first_time", "")[:10], row.get("nhi_overflow", "")), default=None)
    if ranked is None:
        return
    left = int(ranked.get("nhi_overflow") or 0)
    text = f"{left} episodes were over the limit, the highest with likelihood {ranked.get('nhi_overflow_highest', '')}"
    day = ranked.get("nhi_first_time", "")[:10]
    yield check(("budget", day), "warn" if left else "ok", text if left else "no episode over the floor was left out")


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
        wrong = [check(("tables", "lookups"), "error", text) for _, text in tables.load_context(self._lookups)[1]]
        fine = check(("tables", "lookups"), "ok", "your lookup tables can be read")
        read = [parsing(self._rejected, self._read)] if self._read or self._rejected else []
        rows = [*self._of_sources(), *self._of_state(), _of_model(), *(wrong or [fine]), *missing(self._shapes),
                 *read, *budget(self._notables)]  # fmt: skip
        if self._show == "problems":
            rows = [row for row in rows if row["nhi_status"] in ("warn", "error")]
        return fields.HEALTH, rows, []

    def _of_sources(self) -> Iterator[Line]:
        yield from sources(self._seen, self._now) if self._seen else ()
        if not (self._seen or self._read or self._rejected or self._notables):
            text = "no event of any log in the time searched: choose a longer time, add your indexes to the macro "
            yield check(("source", "all"), "unknown",
                        f"{text}nhi_indexes, or search with a role that sees their indexes")  # fmt: skip

    def _of_state(self) -> list[Line]:
        try:
            state = reading(self._search)
            if state is None:
                return [check(("state", "nhi_state"), "unknown", "splunkd gave no session: run this on a search head")]
            book = State(state).daybook
            return [baseline(book, self._now), drifted(state, book.days, model.load(), model.FOLDER)]
        except (StoreError, ModelError) as error:
            return [check(("state", "nhi_state"), "error", str(error))]


def _of_model() -> Line:
    try:
        loaded = model.load()
    except ModelError as error:
        return check(("model", "model.json"), "error", str(error))
    return check(("model", loaded.id), "ok", f"model {loaded.id}, sha256 {loaded.sha256[:16]}…")
