"""`nhi explain`: notables → points, evidence, usual and observed, timeline, controls, brief.

It reads events of sourcetype nhi:notable, or rows of nhirank. The state has the whole documents, by their ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import parse as second_of
from nhi_watch.detect.explain import brief
from nhi_watch.hosts.splunk import fields, reasons
from nhi_watch.hosts.splunk.columns import Columns
from nhi_watch.hosts.splunk.lines import Row
from nhi_watch.hosts.splunk.notables import in_event
from nhi_watch.hosts.splunk.options import Option
from nhi_watch.hosts.splunk.protocol import Messages, Search
from nhi_watch.hosts.splunk.rows import Cell
from nhi_watch.hosts.splunk.run import reading, whole

Line = dict[str, Cell]
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
        self._found: dict[str, dict[str, Any]] = {}
        self._rejected: dict[str, int] = {}

    def take(self, columns: Columns, row: Row) -> None:
        """Take in a notable."""
        try:
            document = in_event(columns.notable(row) or columns.cell(row, "_raw"))
        except RejectError as error:
            self._rejected[error.reason] = self._rejected.get(error.reason, 0) + 1
            return
        name = document["id"]
        before = self._found.get(name)
        if self._id in ("", name) and (before is None or before["revision"] < document["revision"]):
            self._found[name] = document

    def answer(self) -> tuple[list[str], list[Line], Messages]:
        """The lines of each notable."""
        rows: list[Line] = []
        state = reading(self._search) if any("timeline" not in one for one in self._found.values()) else None
        for name, document in sorted(self._found.items()):
            if state is not None and "timeline" not in document:
                document = whole(state, name) or document
            rows += [{"nhi_id": name, **line} for line in self._explained(document)]
        rows += [{"nhi_error": reasons.spelled(code)} for code in sorted(self._rejected)]
        messages = reasons.messages("nhi explain", self._rejected)
        if not self._found:
            what = f"notable {self._id}" if self._id else "notable"
            messages.append(("WARN", f"nhi explain: no {what} in the search; write `nhi_notables` | nhi explain id=…"))
        return fields.names(fields.EXPLAIN), rows, messages

    def _explained(self, document: Mapping[str, Any]) -> Iterator[Line]:
        if "timeline" not in document:
            yield {"nhi_error": "only the points: the state in the KV store holds no more of this notable"}
            document = {**_BARE, **document}
        try:
            for section in SECTIONS:
                if self._section in ("all", section):
                    for number, line in enumerate(_LINES[section](document), 1):
                        yield {"nhi_section": section, "nhi_order": str(number), **line}
        except (KeyError, TypeError, AttributeError, RejectError) as error:
            what = f"{type(error).__name__}: {error}"[:200]
            yield {"nhi_error": f"the notable is of another version of this app ({what})"}


_BARE: Mapping[str, Any] = {
    "timeline": [], "usual": {"dimensions": [], "active_days": 0}, "links": [], "members": [], "revisions": [],
}  # fmt: skip


def _signals(document: Mapping[str, Any]) -> Iterator[Line]:
    for signal in document["signals"]:
        value = signal["value"]
        yield {
            "nhi_name": signal["id"], "nhi_value": "cannot tell" if value is None else f"{value:g}",
            "nhi_points": f"{signal['log_odds']:g}", "nhi_text": signal["evidence"],
            "nhi_record_ids": signal["record_ids"],
        }  # fmt: skip


def _usual(document: Mapping[str, Any]) -> Iterator[Line]:
    for dimension in document["usual"]["dimensions"]:
        for one in dimension["usual"]:
            text = f"on {one['days']} of {document['usual']['active_days']} active days"
            yield {
                "nhi_name": dimension["name"], "nhi_value": one["value"], "nhi_count": str(one["days"]),
                "nhi_text": text,
            }  # fmt: skip


def _observed(document: Mapping[str, Any]) -> Iterator[Line]:
    for dimension in document["usual"]["dimensions"]:
        for one in dimension["observed"]:
            text = "never seen with this identity before" if one["new"] else "known"
            yield {
                "nhi_name": dimension["name"], "nhi_value": one["value"], "nhi_count": str(one["count"]),
                "nhi_text": text,
            }  # fmt: skip


def _timeline(document: Mapping[str, Any]) -> Iterator[Line]:
    for entry in document["timeline"]:
        yield {
            "_time": str(second_of(entry["time"])), "nhi_name": entry["action"], "nhi_value": entry["outcome"],
            "nhi_points": f"{entry['points']:g}", "nhi_count": str(entry["count"]),
            "nhi_text": f"from {entry['source']}" if entry["source"] else "", "nhi_record_ids": [entry["record_id"]],
        }  # fmt: skip


def _controls(document: Mapping[str, Any]) -> Iterator[Line]:
    for control in document["controls"]:
        status = control["status"] if control["required"] else "not required"
        yield {"nhi_name": control["id"], "nhi_value": status, "nhi_text": control["reason"]}


def _links(document: Mapping[str, Any]) -> Iterator[Line]:
    for link in document.get("links", ()):
        yield {
            "nhi_name": link["kind"], "nhi_value": link["value"], "nhi_text": f"{link['source']} → {link['target']}",
            "nhi_record_ids": link["record_ids"],
        }  # fmt: skip


def _impact(document: Mapping[str, Any]) -> Iterator[Line]:
    for factor in document["impact"]["factors"]:
        weight = factor["weight"]
        text = "raises the impact" if weight > 1 else "lowers the impact" if weight < 1 else ""
        yield {"nhi_name": factor["name"], "nhi_value": factor["value"], "nhi_text": text}


def _brief(document: Mapping[str, Any]) -> Iterator[Line]:
    """The notable told in sentences, every value of a log quoted; what each cites is its proof."""
    for fact in brief.facts(document):
        yield {"nhi_name": fact.section, "nhi_text": brief.sentence(fact, cited=False), "nhi_record_ids": [*fact.cites]}


_LINES = dict(zip(SECTIONS, (_signals, _usual, _observed, _timeline, _controls, _links, _impact, _brief)))
