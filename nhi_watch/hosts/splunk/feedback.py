"""`nhi feedback`: notables → validated verdicts, for outputlookup; and what the KV store's nhi_feedback then holds.

What it answers is one row a notable. A row that cannot be judged gets no answer, for outputlookup would keep it, and a
message says why. An exception is narrow: one identity, one signal, one value, until a date. Nothing is written here:
Splunk's own outputlookup does that.
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
from nhi_watch.hosts.splunk.rows import Columns, Line, Row
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

    def __init__(self, search: Search, told: Mapping[str, str]) -> None:
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
        if not told["verdict"]:
            raise InputError(f"nhi feedback: a verdict is missing. Write verdict={OPTIONS['verdict'].shape}")
        self._told = {**told, "until": self._until(told), "analyst": search.user}
        if bool(told["signal"]) != bool(told["value"]):
            raise InputError("nhi feedback: an exception needs a signal and a value. Write signal=new_network value=…")
        if told["signal"] and told["signal"] not in NAMES:
            raise InputError(f"nhi feedback: signal={told['signal']} is unknown. Use one that nhi explain lists")

    def take(self, columns: Columns, row: Row) -> None:
        """Judge a notable."""
        if self._told["verdict"] == ROW and columns.cell(row, "_key"):
            self._note_given(columns, row)
            return
        answer = self._answer(columns, row)
        if answer:
            self._rows.append(answer)

    def _note_given(self, columns: Columns, row: Row) -> None:
        try:
            name, at = columns.cell(row, "nhi_id"), second_of(columns.cell(row, "time"))
        except RejectError:  # nhirank says so
            return
        self._given[name] = max(at, self._given.get(name, 0))

    def answer(self) -> tuple[Sequence[str], list[Line], Messages]:
        """One verdict a row, and which rows were left out."""
        self._rows = [one for one in self._rows
                      if second_of(str(one["time"])) > self._given.get(str(one["nhi_id"]), 0)]  # fmt: skip
        told = sorted(self._refused.items())
        messages: Messages = [("WARN", f"nhi feedback: no verdict on {n} of the rows: {wrong}") for wrong, n in told]
        return fields.FEEDBACK, self._rows, messages

    def _until(self, told: Mapping[str, str]) -> str:
        """The end of what is expected, RFC 3339; "" where nothing is."""
        if told["verdict"] != "expected":
            if told["until"] or told["signal"]:
                raise InputError("nhi feedback: until, signal and value need verdict=expected. Write verdict=expected")
            return ""
        if not told["until"]:
            raise InputError("nhi feedback: verdict=expected needs an end. Write until=2027-03-31")
        spelled = told["until"] + ("T00:00:00Z" if _DATE.fullmatch(told["until"]) else "")
        try:
            seconds = second_of(spelled)
        except RejectError as error:
            raise InputError(f"nhi feedback: until={told['until']} is not a date. Write until=2027-03-31") from error
        if not self._now < seconds <= self._now + LONGEST * DAY:
            raise InputError(f"nhi feedback: until={told['until']} must lie within the next {LONGEST} days")
        return render(seconds)

    def _answer(self, columns: Columns, row: Row) -> Optional[Line]:
        name = columns.cell(row, "nhi_id")
        wrong = self._wrong(columns, row, name)
        if wrong:
            self._refused[wrong] = self._refused.get(wrong, 0) + 1
            return None
        told = {name: self._told[name] for name in ("verdict", "reason", "until", "signal", "value", "analyst")}
        at = self._now
        if told["verdict"] == ROW:
            told.update((name, columns.cell(row, name)[:500]) for name in ("verdict", "reason", "analyst"))
            at = _seconds(columns.cell(row, "time"), self._now)
        identity = columns.cell(row, "nhi_identity_id")
        key = f"{name}:{self._told['signal']}:{self._told['value']}"
        return {"_key": key[:200], "nhi_id": name, "identity": identity, "time": render(at), **told}

    def _wrong(self, columns: Columns, row: Row, name: str) -> Optional[str]:
        if not _ID.fullmatch(name):
            return "no nhi_id: give rows of `nhi_notables`, or | makeresults | eval nhi_id=\"…\""
        if self._told["verdict"] == ROW and columns.cell(row, "verdict") not in ("confirmed", "benign", "duplicate"):
            return "verdict=row needs a field verdict: confirmed, benign or duplicate"
        if self._told["signal"] and not columns.cell(row, "nhi_identity_id"):
            return "no nhi_identity_id: an exception holds for one identity; give rows of `nhi_notables`"
        return None


def _seconds(text: str, now: int) -> int:
    """A time as a row tells it, not in the future; now where it tells none."""
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
    found = Given([], [])
    for row in gatherer.verdicts:
        with gatherer.rejecting():
            _take(row, found)
    return found


def _take(row: Mapping[str, str], found: Given) -> None:
    verdict, name, identity = row["verdict"], row["nhi_id"], row["identity"]
    if verdict not in feedback.VERDICTS or not name:
        raise RejectError("bad_verdict", f"{verdict[:40]!r} is not a verdict")
    try:
        until, made = (second_of(row[name]) if row[name] else 0 for name in ("until", "time"))
    except RejectError as error:
        raise RejectError("bad_verdict", str(error)) from error
    by, why = row["analyst"] or "?", row["reason"]
    if verdict == "expected" and row["signal"]:
        who = (identity, row["signal"], row["value"])
        key = hashlib.sha256("|".join(who).encode("utf-8", "surrogatepass")).hexdigest()[:12]
        found.allowed.append(Allowed(key, *who, until, by, why, made, name))
    else:
        found.verdicts.append(Verdict(name, identity, "", verdict, by, made, why, until, "", 0, ""))


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
    known = publish.documents(rows, {one.notable_id for one in added.values()})
    told = {key: feedback.given_on(one, known[one.notable_id]) if one.notable_id in known else one
            for key, one in added.items()}  # fmt: skip
    rows.put(feedback.TABLE, [(key, pack(list(one))) for key, one in told.items()])
    rows.put(feedback.TABLE, [(key, None) for key in old.keys() - new.keys()])
    new, old = (_kept(each, ("allow/", "allow0")) for each in (fresh, rows))
    rows.put(feedback.TABLE, [(key, new.get(key)) for key in {**new, **old} if new.get(key) != old.get(key)])


def _kept(rows: Rows, keys: tuple[str, str]) -> dict[str, bytes]:
    return dict(rows.scan(feedback.TABLE, *keys))


def _is_same(raw: bytes, before: Optional[bytes]) -> bool:
    """Whether a verdict is told as before, apart from what its giver saw."""
    if before is None:
        return False
    one, other = Verdict(*unpack(raw)), Verdict(*unpack(before))
    return (one.identity_id, one.verdict, one.why, one.until) == (other.identity_id, other.verdict, other.why,
                                                                  other.until)  # fmt: skip
