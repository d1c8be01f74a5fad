"""What people have decided, as rows of the KV store's nhi_feedback and of lookups/nhi_exceptions.csv, and what follows.

The state keeps them as on files.
"""

from __future__ import annotations

import csv
import hashlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.detect import feedback
from nhi_watch.detect.feedback import LONGEST, Allowed, Verdict
from nhi_watch.detect.signals import NAMES
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.protocol import Messages
from nhi_watch.hosts.splunk.tables import left_out
from nhi_watch.state.store import MemoryStore, Rows

EXCEPTIONS = "nhi_exceptions.csv"
COLUMNS = ("identity", "signal", "value", "until", "reason")
"""Of that file; Splunk leaves out the last where no row has a reason."""
_DATE = 10
Row = Mapping[str, str]


class Given(NamedTuple):
    """All that was decided."""

    verdicts: list[Verdict]
    allowed: list[Allowed]


def take(row: Row, given: Given) -> None:
    """Add a row of nhi_feedback.

    Raises:
        RejectError: bad_verdict.
    """
    verdict, name = row.get("verdict", ""), row.get("nhi_id", "")
    if verdict not in feedback.VERDICTS or not name:
        raise RejectError("bad_verdict", f"{verdict[:40]!r} is none")
    try:
        until, made = (parse(row[name]) if row.get(name) else 0 for name in ("until", "time"))
    except RejectError as error:
        raise RejectError("bad_verdict", str(error)) from error
    by, why = row.get("analyst", "") or "?", row.get("reason", "")
    exception = verdict == "expected" and row.get("signal")
    if exception:
        who = (row.get("identity", ""), row["signal"], row.get("value", ""))
        given.allowed.append(_allowed(who, until, (by, why, made, name)))
    else:
        given.verdicts.append(Verdict(name, row.get("identity", ""), "", verdict, by, made, why, until, "", 0, ""))


def take_all(gatherer: Gatherer, given: Given) -> Given:
    """Add the rows of nhi_feedback that were gathered; those that are none are counted as rejected."""
    for row in gatherer.verdicts:
        with gatherer.rejecting():
            take(row, given)
    return given


def _allowed(who: tuple[str, str, str], until: int, about: tuple[str, str, int, str]) -> Allowed:
    key = hashlib.sha256("|".join(who).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    by, why, made, notable = about
    return Allowed(key, *who, until, by, why, made, notable)


def remember(rows: Rows, given: Given) -> None:
    """Keep what was decided, as on files; a verdict or an exception whose row is gone is taken back."""
    fresh = MemoryStore()
    feedback.put(fresh, given.verdicts)
    for exception in given.allowed:
        feedback.put_allowed(fresh, exception)
    for low, high in (feedback.VERDICT_KEYS, ("allow/", "allow0")):
        new, old = (dict(each.scan(feedback.TABLE, low, high)) for each in (fresh, rows))
        rows.put(feedback.TABLE, [(key, new.get(key)) for key in {**new, **old} if new.get(key) != old.get(key)])


def load_exceptions(folder: Path) -> tuple[Given, Messages]:
    """The customer's exceptions; none where a row is wrong, and a message that says which."""
    path = folder / EXCEPTIONS
    try:
        return Given([], list(load(path)) if path.is_file() else []), []
    except InputError as error:
        return Given([], []), [left_out(error)]


def load(path: Path) -> Iterator[Allowed]:
    """The customer's exceptions.

    Raises:
        InputError: the file cannot be read, or a row is wrong; names the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if not set(COLUMNS[:-1]) <= set(rows.fieldnames or ()):
                raise InputError(f"{path}, line 1: the header must be {','.join(COLUMNS)}")
            for number, row in enumerate(rows, 2):
                yield _exception(path, number, {name: (row.get(name) or "").strip() for name in COLUMNS})
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: {error}; give a CSV file as shipped in lookups/nhi_exceptions.csv") from error


def _exception(path: Path, line: int, row: Row) -> Allowed:
    if not (row["identity"] and row["value"]) or row["signal"] not in NAMES:
        raise InputError(
            f"{path}, line {line}: needs an identity (its nhi_identity_id), a signal of docs/signals.md and a value; "
            f"found {row['identity'][:60]!r}, {row['signal'][:60]!r}, {row['value'][:60]!r}"
        )
    try:
        until = parse(row["until"] + ("T00:00:00Z" if len(row["until"]) == _DATE else ""))
    except RejectError as error:
        raise InputError(f"{path}, line {line}: until must be a date, as in 2027-03-31") from error
    if until > int(time.time()) + LONGEST * DAY:
        raise InputError(f"{path}, line {line}: until must lie within the next {LONGEST} days: an exception ends")
    return _allowed((row["identity"], row["signal"], row["value"]), until, ("nhi_exceptions.csv", row["reason"], 0, ""))
