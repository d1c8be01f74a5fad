"""Matches of Sigma rules on files: the JSON of Chainsaw, Hayabusa and Zircolite.

Chainsaw (`hunt --json`, `--jsonl`) and Zircolite hold the record that matched: its own source reads it. Of Windows
events only the host and the user are read, as of Hayabusa's timeline (`json-timeline`). A Zircolite result holds all
matches of a rule; it is one alert, of the first match that names an identity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Optional

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Identity
from nhi_watch.intake.shapes.forms import at, part
from nhi_watch.intake.shapes.values import first, listed, text
from nhi_watch.intake.sources.alerts.actors import Alert, Told, kind_of, matched, of_event, severity_of
from nhi_watch.intake.sources.endpoint.host import host_user

Row = Mapping[str, Any]

PRODUCT = "Sigma"
_KINDS = ("individual", "aggregate")
_USERS = ("User", "SrcUser", "SubjectUserName", "TgtUser", "TargetUserName")
_DOMAINS = {"SubjectUserName": "SubjectDomainName", "TargetUserName": "TargetDomainName"}
_TIMES = ("UtcTime", "SystemTime", "TimeCreated", "@timestamp", "timestamp", "eventTime")
_NOBODY = ("", "-", "n/a", "(n/a)", "unknown")
_ZONED = re.compile(r"(\d{4}-\d\d-\d\d) ([\d:.]+) ?([+-]\d\d:\d\d|Z)")
_DETAIL = re.compile(r"\s*([A-Za-z]\w{0,40}): (.*)", re.DOTALL)


def claims(row: Row) -> bool:
    """Whether a record is a match as one of the three tools writes it."""
    if "RuleTitle" in row and "Level" in row and "Computer" in row:
        return True
    if "rule_level" in row and "matches" in row and "title" in row:
        return True
    return "group" in row and ("document" in row or "documents" in row) and row.get("kind") in _KINDS


def told(row: Row) -> Told:
    """The alert in a match.

    Raises:
        RejectError: no_identity.
    """
    if "RuleTitle" in row:
        return _hayabusa(row)
    title, level = first(row.get("name"), row.get("title")), first(row.get("level"), row.get("rule_level"))
    rule = first(row.get("id"), title)
    for number, record in enumerate(_records(row)):
        found = _of_record(record, kind_of(title), severity_of(level))
        if found is not None:
            where = found.record_id or f"{text(row.get('timestamp'), 60)}:{number}"
            time = found.time or row.get("timestamp")
            return found._replace(time=time, record_id=f"{rule[:100]}:{where}"[:256])
    raise RejectError("no_identity", "no record that matched names an identity")


def _records(row: Row) -> Iterator[Row]:
    """The records that matched, of Chainsaw's documents and Zircolite's matches."""
    documents = [*listed(row.get("document")), *listed(row.get("documents"))]
    for one in [*(at(document, "data") for document in documents), *listed(row.get("matches"))]:
        if one.__class__ is dict:
            yield one


def _of_record(record: Row, kind: str, severity: str) -> Optional[Told]:
    event = matched(record)
    if event is not None:
        return of_event(PRODUCT, kind, severity, event)._replace(record_id=event.record_id)
    system, data = part(record, "Event.System"), part(record, "Event.EventData")
    fields: Row = data or record
    computer = first(system.get("Computer"), record.get("Computer"))
    identity = _user_of(computer, fields)
    if identity is None:
        return None
    number = first(system.get("EventRecordID"), record.get("EventRecordID"))
    stamp = at(system, "TimeCreated_attributes.SystemTime") or at(system, "TimeCreated.#attributes.SystemTime")
    time = stamp or next((fields[name] for name in _TIMES if fields.get(name)), None)
    alert = Alert(PRODUCT, kind, severity, identity, identity.account)
    return Told(alert, time, f"{computer}:{number}" if number else "", "", _touched(fields))


def _hayabusa(row: Row) -> Told:
    details = _details(row.get("Details")) or _details(row.get("AllFieldInfo"))
    more = _details(row.get("ExtraFieldInfo"))
    computer = text(row.get("Computer"), 200)
    identity = _user_of(computer, details) or _user_of(computer, more)
    if identity is None:
        raise RejectError("no_identity", "the match names a host but no user")
    title = text(row.get("RuleTitle"), 200)
    level = text(row.get("Level"), 20).lower()
    alert = Alert(PRODUCT, kind_of(title), severity_of({"crit": "critical", "med": "medium"}.get(level, level)),
                  identity, identity.account)  # fmt: skip
    unique = ":".join(text(row.get(name), 80) for name in ("RuleID", "RecordID") if row.get(name)) or title
    time = _ZONED.sub(r"\1T\2\3", text(row.get("Timestamp"), 60))
    return Told(alert, time, f"{unique}:{computer}"[:256], "", _touched({**more, **details}))


def _details(value: object) -> Row:
    """Hayabusa's details: an object, or `Name: value ¦ Name: value`."""
    if value.__class__ is dict:
        return value
    pieces = (_DETAIL.fullmatch(piece) for piece in text(value, 4096).split(" ¦ "))
    return {piece[1]: piece[2] for piece in pieces if piece}


def _user_of(computer: str, fields: Row) -> Optional[Identity]:
    host = computer.strip().lower()[:200]
    for name in _USERS:
        user = text(fields.get(name), 128)
        if host and user.lower() not in _NOBODY:
            domain = text(fields.get(_DOMAINS.get(name, "")), 64)
            return host_user(host, "", f"{domain}\\{user}" if domain and "\\" not in user else user)
    return None


def _touched(fields: Row) -> str:
    """The file or program that it is about; never a command line, which may hold secrets."""
    return first(*(fields.get(name) for name in ("TargetFilename", "Image", "Proc", "Path", "TargetImage")))[:200]
