"""`nhi explain`: notables → points, evidence, usual and observed, timeline, controls, brief.

It reads events of sourcetype nhi:notable, or rows of nhirank. The state has the whole documents, by their ids.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nhi_watch.core.documents import DimensionDocument, NotableDocument
from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import parse as second_of
from nhi_watch.detect import publish
from nhi_watch.detect.explain import brief
from nhi_watch.hosts.splunk import fields, reasons
from nhi_watch.hosts.splunk.notables import in_event
from nhi_watch.hosts.splunk.protocol import Messages, Option, Search
from nhi_watch.hosts.splunk.rows import ChunkColumns, Line, Row
from nhi_watch.hosts.splunk.run import reading

SECTIONS = ("signal", "usual", "observed", "timeline", "control", "link", "impact", "brief")
OPTIONS = {
    "id": Option("", "<id of a notable>", pattern=r"[0-9a-f]{20}", example="0123456789abcdef0123"),
    "section": Option("all", "|".join(("all", *SECTIONS)), ("all", *SECTIONS)),
}
NEEDED = ["_raw", "sourcetype", "nhi_notable"]


class Explain:
    """Gathers all notables, answers when they have ended."""

    def __init__(self, search: Search, options: Mapping[str, str]) -> None:
        self._search = search
        self._id, self._section = options["id"], options["section"]
        self._notables: dict[str, NotableDocument] = {}
        self._rejected: dict[str, int] = {}

    def take(self, columns: ChunkColumns, row: Row) -> None:
        """Take in a notable."""
        try:
            document = in_event(columns.notable(row) or columns.cell(row, "_raw"))
        except RejectError as error:
            self._rejected[error.reason] = self._rejected.get(error.reason, 0) + 1
            return
        name = document["id"]
        before = self._notables.get(name)
        if self._id in ("", name) and (before is None or before["revision"] < document["revision"]):
            self._notables[name] = document

    def answer(self) -> tuple[Sequence[str], list[Line], Messages]:
        """The lines of each notable."""
        rows: list[Line] = []
        state = (
            reading(self._search) if any("timeline" not in document for document in self._notables.values()) else None
        )
        for name, document in sorted(self._notables.items()):
            if state is not None and "timeline" not in document:
                document = publish.documents(state, [name]).get(name, document)
            rows += [{"nhi_id": name, **line} for line in self._explained(document)]
        rows += [{"nhi_error": reasons.spelled(code)} for code in sorted(self._rejected)]
        messages = reasons.messages("nhi explain", self._rejected)
        if not self._notables:
            what = f"notable {self._id}" if self._id else "notable"
            messages.append(("WARN", f"nhi explain: no {what} in the search; write `nhi_notables` | nhi explain id=…"))
        return fields.EXPLAIN, rows, messages

    def _explained(self, document: NotableDocument) -> Iterator[Line]:
        if "timeline" not in document:
            yield {"nhi_error": "only the points: the state in the KV store no longer has this notable"}
            document = {**_BARE, **document}
        try:
            for section in SECTIONS:
                if self._section in ("all", section):
                    for number, line in enumerate(_LINES[section](document), 1):
                        yield {"nhi_section": section, "nhi_order": str(number), **line}
        except (KeyError, TypeError, AttributeError, RejectError) as error:
            what = f"{type(error).__name__}: {error}"[:200]
            yield {"nhi_error": f"the notable was written by another version of this app ({what})"}


_BARE: Mapping[str, Any] = {
    "timeline": [],
    "usual": {"dimensions": [], "active_days": 0},
    "links": [],
    "members": [],
    "revisions": [],
}


def _line(name: str, value: str, text: str, *records: str, points: float = math.nan, count: object = "") -> Line:
    points_text = "" if math.isnan(points) else f"{points:g}"
    return {
        "nhi_name": name,
        "nhi_value": value,
        "nhi_points": points_text,
        "nhi_text": text,
        "nhi_count": str(count),
        "nhi_record_ids": records,
    }


def _signals(document: Mapping[str, Any]) -> Iterator[Line]:
    for signal in document["signals"]:
        value = "cannot tell" if signal["value"] is None else f"{signal['value']:g}"
        yield _line(signal["id"], value, signal["evidence"], *signal["record_ids"], points=signal["log_odds"])


def _usual(document: Mapping[str, Any]) -> Iterator[Line]:
    for dimension in document["usual"]["dimensions"]:
        for value in dimension["usual"]:
            of_member, days = _of_member(dimension), document["usual"]["active_days"]
            text = f"on {value['days']} of {dimension['active_days'] if of_member else days} active days{of_member}"
            yield _line(dimension["name"], value["value"], text, count=value["days"])


def _observed(document: Mapping[str, Any]) -> Iterator[Line]:
    for dimension in document["usual"]["dimensions"]:
        for value in dimension["observed"]:
            who = dimension.get("identity") or "this identity"
            text = f"never seen with {who} before" if value["new"] else f"known{_of_member(dimension)}"
            yield _line(dimension["name"], value["value"], text, count=value["count"])


def _of_member(dimension: DimensionDocument) -> str:
    """Of which linked identity it is said."""
    return f" of {dimension['identity']}" if dimension.get("identity") else ""


def _timeline(document: Mapping[str, Any]) -> Iterator[Line]:
    for entry in document["timeline"]:
        source = f"from {entry['source']}" if entry["source"] else ""
        line = _line(
            entry["action"], entry["outcome"], source, entry["record_id"], points=entry["points"], count=entry["count"]
        )
        yield {"_time": str(second_of(entry["time"])), **line}


def _controls(document: Mapping[str, Any]) -> Iterator[Line]:
    for control in document["controls"]:
        yield _line(control["id"], control["status"] if control["required"] else "not required", control["reason"])


def _links(document: Mapping[str, Any]) -> Iterator[Line]:
    for link in document.get("links", ()):
        yield _line(link["kind"], link["value"], f"{link['source']} → {link['target']}", *link["record_ids"])


def _impact(document: Mapping[str, Any]) -> Iterator[Line]:
    for factor in document["impact"]["factors"]:
        text = "raises the impact" if factor["weight"] > 1 else "lowers the impact" if factor["weight"] < 1 else ""
        yield _line(factor["name"], factor["value"], text)


def _brief(document: NotableDocument) -> Iterator[Line]:
    """The notable in sentences, every value of a log quoted; what each cites is its proof."""
    for fact in brief.facts(document):
        yield _line(fact.section, "", brief.sentence(fact, cited=False), *fact.cites)


_LINES = dict(zip(SECTIONS, (_signals, _usual, _observed, _timeline, _controls, _links, _impact, _brief)))
