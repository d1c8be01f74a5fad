"""The streaming search command nhifeedback: notables → validated verdicts, for outputlookup.

What it answers is one row a notable. A row that cannot be judged gets no answer, for outputlookup would keep it, and a
message says why. An exception is narrow: one identity, one signal, one value, until a date. Nothing is written here:
Splunk's own outputlookup does that.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from typing import Optional

from splunklib.searchcommands import Configuration

from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.core.timestamps import parse as second_of
from nhi_watch.detect.signals import NAMES
from nhi_watch.hosts.splunk import fields, sdk
from nhi_watch.hosts.splunk.columns import Columns
from nhi_watch.hosts.splunk.lines import Row
from nhi_watch.hosts.splunk.options import Option, parse
from nhi_watch.hosts.splunk.protocol import Search
from nhi_watch.hosts.splunk.sdk import Line, Record, Streaming, placed, whole

VERDICTS = ("confirmed", "benign", "expected", "duplicate")
LONGEST = 366
"""Days that an exception may last."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ID = re.compile(r"[0-9a-f]{20}")
OPTIONS = {
    "verdict": Option("", "|".join(VERDICTS), VERDICTS),
    "reason": Option("", "<text>", pattern=r".{1,500}", example='"planned migration"'),
    "until": Option("", "<date>", pattern=r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?", example="2027-03-31"),
    "signal": Option("", "<id of a signal>", pattern=r"[a-z_]{1,60}", example="new_network"),
    "value": Option("", "<the value that is expected>", pattern=r".{1,300}", example="198.51.100.0/24"),
}


@Configuration(distributed=False, required_fields=["nhi_id", "nhi_identity_id", "_raw", "sourcetype"])
class NhiFeedbackCommand(Streaming):
    """The command: one instance answers all chunks of a search."""

    def start(self, search: Search) -> None:
        """Check what holds for all rows.

        Raises:
            InputError: says what to write instead.
        """
        told = parse("nhifeedback", OPTIONS, search.arguments)
        self._refused: dict[str, int] = {}
        """What is wrong → rows."""
        self._now = int(time.time())
        if not told["verdict"]:
            raise InputError(f"nhifeedback: a verdict is missing. Write verdict={OPTIONS['verdict'].shape}")
        self._told = {**told, "until": self._until(told), "analyst": search.user}
        if bool(told["signal"]) != bool(told["value"]):
            raise InputError("nhifeedback: an exception names a signal and a value. Write signal=new_network value=…")
        if told["signal"] and told["signal"] not in NAMES:
            raise InputError(f"nhifeedback: signal={told['signal']} is unknown. Write one that nhiexplain lists")

    def _until(self, told: dict[str, str]) -> str:
        """The end of what is expected, RFC 3339; "" where nothing is."""
        if told["verdict"] != "expected":
            if told["until"] or told["signal"]:
                raise InputError("nhifeedback: until, signal and value need verdict=expected. Write verdict=expected")
            return ""
        if not told["until"]:
            raise InputError("nhifeedback: what is expected must end. Write until=2027-03-31")
        spelled = told["until"] + ("T00:00:00Z" if _DATE.fullmatch(told["until"]) else "")
        try:
            seconds = second_of(spelled)
        except RejectError as error:
            raise InputError(f"nhifeedback: until={told['until']} is no date. Write until=2027-03-31") from error
        if not self._now < seconds <= self._now + LONGEST * DAY:
            raise InputError(f"nhifeedback: until={told['until']} must lie within the next {LONGEST} days")
        return render(seconds)

    def stream(self, records: Iterable[Record]) -> Iterator[Line]:
        """One verdict a row; at the end, which rows were left out."""
        names = fields.names(fields.FEEDBACK)
        for columns, row in placed(records):
            answer = self._answer(columns, row)
            if answer:
                yield whole(names, answer)
        if self._finished:
            told = sorted(self._refused.items())
            self.tell([("WARN", f"nhifeedback: no verdict on {n} of the rows: {wrong}") for wrong, n in told])

    def _answer(self, columns: Columns, row: Row) -> Optional[Line]:
        name = columns.cell(row, "nhi_id")
        wrong = self._wrong(columns, row, name)
        if wrong:
            self._refused[wrong] = self._refused.get(wrong, 0) + 1
            return None
        told = {name: self._told[name] for name in ("verdict", "reason", "until", "signal", "value", "analyst")}
        identity = columns.cell(row, "nhi_identity_id")
        key = f"{name}:{self._told['signal']}:{self._told['value']}"
        return {"_key": key[:200], "nhi_id": name, "identity": identity, "time": render(self._now), **told}

    def _wrong(self, columns: Columns, row: Row, name: str) -> Optional[str]:
        if not _ID.fullmatch(name):
            return "no nhi_id: give rows of `nhi_notables`, or | makeresults | eval nhi_id=\"…\""
        if self._told["signal"] and not columns.cell(row, "nhi_identity_id"):
            return "no nhi_identity_id: an exception holds for one identity; give rows of `nhi_notables`"
        return None


def main() -> None:
    """Answer splunkd until it has had enough."""
    sdk.main(NhiFeedbackCommand)
