"""`nhi feedback`: notables → validated verdicts, for outputlookup; and what the KV store's nhi_feedback then holds.

What it answers is one row a notable. A row that can get no verdict gets no answer, because outputlookup would keep it,
and a message says why. An exception is narrow: one identity, one signal, one value, until a date. Nothing is written
here: Splunk's own outputlookup does that.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Optional

from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.core.timestamps import parse as second_of
from nhi_watch.detect import feedback, publish
from nhi_watch.detect.feedback import LONGEST, Allowed, Verdict
from nhi_watch.detect.signals import NAMES
from nhi_watch.hosts.splunk import fields
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.protocol import Messages, Option, Search
from nhi_watch.hosts.splunk.rows import ChunkColumns, Line, Row
from nhi_watch.state.store import MemoryStore, Rows, pack, unpack

VERDICTS = tuple(name for name in feedback.VERDICTS if name != feedback.OPEN)
ROW = "row"
"""`verdict=row`: each row says verdict, reason, analyst and time (seconds since the epoch), as the dispositions of
Enterprise Security do. Rows of nhi_feedback may stand among them: what is not newer than theirs is left out."""
NEEDED = ["nhi_id", "nhi_identity_id", "_raw", "sourcetype", "verdict", "reason", "analyst", "time", "_key"]
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ID = re.compile(r"[0-9a-f]{20}")
OPTIONS = {
    "verdict": Option("", "|".join((*VERDICTS, ROW)), (*VERDICTS, ROW)),
    "reason": Option("", "<text>", pattern=r".{1,500}", example='"planned migration"'),
    "until": Option("", "<date>", pattern=r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?", example="2027-03-31"),
    "signal": Option("", "<id of a signal>", pattern=r"[a-z_]{1,60}", example="new_network"),
    "value": Option("", "<the value that is expected>", pattern=r".{1,300}", example="198.51.100.0/24"),
}


class Feedback:
    """Answers each notable with a verdict."""

    def __init__(self, search: Search, arguments: Mapping[str, str]) -> None:
        """Check what holds for all rows.

        Raises:
            InputError: says what to write instead.
        """
        self._refused: dict[str, int] = {}
        """What is wrong → rows."""
        self._rows: list[Line] = []
        self._given: dict[str, int] = {}
        """Notable → when a verdict was last given, of the rows of nhi_feedback that came by."""
        self._now = int(time.time())
        if not arguments["verdict"]:
            raise InputError(f"nhi feedback: a verdict is missing. Write verdict={OPTIONS['verdict'].shape}")
        self._arguments = {**arguments, "until": self._until(arguments), "analyst": search.user}
        if bool(arguments["signal"]) != bool(arguments["value"]):
            raise InputError("nhi feedback: an exception needs a signal and a value. Write signal=new_network value=…")
        if arguments["signal"] and arguments["signal"] not in NAMES:
            raise InputError(f"nhi feedback: signal={arguments['signal']} is unknown. Use one that nhi explain lists")

    def take(self, columns: ChunkColumns, row: Row) -> None:
        """Give a notable its verdict."""
        if self._arguments["verdict"] == ROW and columns.cell(row, "_key"):
            self._note_given(columns, row)
            return
        answer = self._answer(columns, row)
        if answer:
            self._rows.append(answer)

    def _note_given(self, columns: ChunkColumns, row: Row) -> None:
        try:
            name, at = columns.cell(row, "nhi_id"), second_of(columns.cell(row, "time"))
        except RejectError:  # nhirank says so
            return
        self._given[name] = max(at, self._given.get(name, 0))

    def answer(self) -> tuple[Sequence[str], list[Line], Messages]:
        """One verdict a row, and which rows were left out."""
        self._rows = [row for row in self._rows if second_of(str(row["time"])) > self._given.get(str(row["nhi_id"]), 0)]
        refused = sorted(self._refused.items())
        messages: Messages = [("WARN", f"nhi feedback: no verdict on {n} of the rows: {wrong}") for wrong, n in refused]
        return fields.FEEDBACK, self._rows, messages

    def _until(self, arguments: Mapping[str, str]) -> str:
        """The end of what is expected, RFC 3339; "" where nothing is."""
        if arguments["verdict"] != "expected":
            if arguments["until"] or arguments["signal"]:
                raise InputError("nhi feedback: until, signal and value need verdict=expected. Write verdict=expected")
            return ""
        if not arguments["until"]:
            raise InputError("nhi feedback: verdict=expected needs an end. Write until=2027-03-31")
        spelled = arguments["until"] + ("T00:00:00Z" if _DATE.fullmatch(arguments["until"]) else "")
        try:
            seconds = second_of(spelled)
        except RejectError as error:
            raise InputError(
                f"nhi feedback: until={arguments['until']} is not a date. Write until=2027-03-31"
            ) from error
        if not self._now < seconds <= self._now + LONGEST * DAY:
            raise InputError(f"nhi feedback: until={arguments['until']} must lie within the next {LONGEST} days")
        return render(seconds)

    def _answer(self, columns: ChunkColumns, row: Row) -> Optional[Line]:
        name = columns.cell(row, "nhi_id")
        wrong = self._wrong(columns, row, name)
        if wrong:
            self._refused[wrong] = self._refused.get(wrong, 0) + 1
            return None
        given = {name: self._arguments[name] for name in ("verdict", "reason", "until", "signal", "value", "analyst")}
        at = self._now
        if given["verdict"] == ROW:
            given.update((name, columns.cell(row, name)[:500]) for name in ("verdict", "reason", "analyst"))
            at = _seconds(columns.cell(row, "time"), self._now)
        identity = columns.cell(row, "nhi_identity_id")
        key = f"{name}:{self._arguments['signal']}:{self._arguments['value']}"
        return {"_key": key[:200], "nhi_id": name, "identity": identity, "time": render(at), **given}

    def _wrong(self, columns: ChunkColumns, row: Row, name: str) -> Optional[str]:
        if not _ID.fullmatch(name):
            return 'no nhi_id: give rows of `nhi_notables`, or | makeresults | eval nhi_id="…"'
        if self._arguments["verdict"] == ROW and columns.cell(row, "verdict") not in (
            "confirmed",
            "benign",
            "duplicate",
        ):
            return "verdict=row needs a field verdict: confirmed, benign or duplicate"
        if self._arguments["signal"] and not columns.cell(row, "nhi_identity_id"):
            return "no nhi_identity_id: an exception holds for one identity; give rows of `nhi_notables`"
        return None


def _seconds(text: str, now: int) -> int:
    """A time as a row has it, not in the future; now where it has none."""
    try:
        return min(now, int(float(text)))
    except (ValueError, OverflowError):
        return now


# ---- what was decided, as rows of nhi_feedback; the state keeps it as on files


class Given(NamedTuple):
    """All that was decided."""

    verdicts: list[Verdict]
    allowed: list[Allowed]


def given(gatherer: Gatherer) -> Given:
    """The rows of nhi_feedback that were gathered; those that are none are counted as rejected."""
    given = Given([], [])
    for row in gatherer.verdicts:
        with gatherer.rejecting():
            _take(row, given)
    return given


def _take(row: Mapping[str, str], given: Given) -> None:
    verdict, name, identity = row["verdict"], row["nhi_id"], row["identity"]
    if verdict not in feedback.VERDICTS or not name:
        raise RejectError("bad_verdict", f"{verdict[:40]!r} is not a verdict")
    try:
        until, second = (second_of(row[name]) if row[name] else 0 for name in ("until", "time"))
    except RejectError as error:
        raise RejectError("bad_verdict", str(error)) from error
    by, why = row["analyst"] or "?", row["reason"]
    if verdict == "expected" and row["signal"]:
        who = (identity, row["signal"], row["value"])
        key = hashlib.sha256("|".join(who).encode("utf-8", "surrogatepass")).hexdigest()[:12]
        given.allowed.append(Allowed(key, *who, until, by, why, second, name))
    else:
        given.verdicts.append(Verdict(name, identity, "", verdict, by, second, why, until, "", 0, ""))


def remember(rows: Rows, decided: Given) -> None:
    """Keep what was decided; a verdict or an exception whose row is gone is taken back.

    With a new verdict is kept what its giver saw of the notable: the verdict covers that and nothing later.
    """
    fresh = MemoryStore()
    feedback.put(fresh, decided.verdicts)
    for exception in decided.allowed:
        feedback.put_allowed(fresh, exception)
    new, old = (_kept(each, feedback.VERDICT_KEYS) for each in (fresh, rows))
    added = {key: Verdict(*unpack(raw)) for key, raw in new.items() if not _is_same(raw, old.get(key))}
    known = publish.documents(rows, {verdict.notable_id for verdict in added.values()})
    verdicts = {
        key: feedback.given_on(verdict, known[verdict.notable_id]) if verdict.notable_id in known else verdict
        for key, verdict in added.items()
    }
    rows.put(feedback.TABLE, [(key, pack(list(verdict))) for key, verdict in verdicts.items()])
    rows.put(feedback.TABLE, [(key, None) for key in old.keys() - new.keys()])
    new, old = (_kept(each, ("allow/", "allow0")) for each in (fresh, rows))
    rows.put(feedback.TABLE, [(key, new.get(key)) for key in {**new, **old} if new.get(key) != old.get(key)])


def _kept(rows: Rows, keys: tuple[str, str]) -> dict[str, bytes]:
    return dict(rows.scan(feedback.TABLE, *keys))


def _is_same(raw: bytes, before: Optional[bytes]) -> bool:
    """Whether a verdict is as before, apart from what its giver saw."""
    if before is None:
        return False
    verdict, other = Verdict(*unpack(raw)), Verdict(*unpack(before))
    return (verdict.identity_id, verdict.verdict, verdict.why, verdict.until) == (
        other.identity_id,
        other.verdict,
        other.why,
        other.until,
    )
