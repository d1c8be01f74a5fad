"""Sysmon: process creation (1), network connection (3), process access (10), file creation (11), DNS query (22).

Shapes: the event's XML and the fields that Splunk's add-on takes out of it, `{"Event": {"System", "EventData"}}` as
converters of .evtx files write it, flat rows, and the documents of Winlogbeat and Elastic's windows integration.
Sysmon sees files being written, not read. Access to the memory of lsass counts where it may read it (0x10).
Fields: learn.microsoft.com/sysinternals/downloads/sysmon, "Events".
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any, Optional

from nhi_watch.intake.shapes.forms import at
from nhi_watch.intake.shapes.values import text, whole
from nhi_watch.intake.sources.endpoint.act import (
    MEMORY_READ,
    Deed,
    Facts,
    Parts,
    arguments_of,
    of_connection,
    of_file,
    of_program,
)
from nhi_watch.intake.sources.endpoint.ecs import texts_of

Row = Mapping[str, Any]
Fields = dict[str, Any]

NAME = "sysmon"
SYSMON = "Microsoft-Windows-Sysmon"
_WATCHED = frozenset({"1", "3", "10", "11", "22"})
_DATA = re.compile(r"<Data Name=['\"]([A-Za-z0-9]{1,40})['\"]>([^<]{0,8192})</Data>")
_SYSTEM = re.compile(r"<(EventID|EventRecordID|Computer)(?: [^>]*)?>([^<]{0,300})<|SystemTime=['\"]([^'\"]{1,40})['\"]")
_READS_MEMORY = 0x10


def is_xml(raw: str) -> bool:
    """Whether a text is the XML of an event of Sysmon's."""
    return raw[:7] == "<Event " and SYSMON in raw[:600]


def is_row(row: Row) -> bool:
    """Whether an object is an event of Sysmon's, flat or as a converter of .evtx files writes it."""
    if "Event" in row:
        return SYSMON in text(at(row, "Event.System.Channel")) or SYSMON in text(_provider(row))
    if "EventID" not in row and "EventCode" not in row:
        return False
    return any(SYSMON in text(row.get(name)) for name in ("Channel", "SourceName", "source", "sourcetype", "Provider"))


def _provider(row: Row) -> Any:
    return at(row, "Event.System.Provider_attributes.Name") or at(row, "Event.System.Provider.#attributes.Name")


def of_xml(raw: str) -> Fields:
    """The fields in an event's XML."""
    found: Fields = {name: html.unescape(value) for name, value in _DATA.findall(raw[:100_000])}
    for name, value, stamp in _SYSTEM.findall(raw[:4000]):
        found.setdefault(name or "SystemTime", html.unescape(value or stamp))
    return found


def of_row(row: Row) -> Fields:
    """The fields of a row, or of what a converter wrote."""
    if "Event" not in row:
        return dict(row)
    system, data = at(row, "Event.System"), at(row, "Event.EventData")
    found: Fields = dict(data) if data.__class__ is dict else {}
    if system.__class__ is dict:
        number = system.get("EventID")
        found["EventID"] = number.get("#text") if number.__class__ is dict else number
        found["EventRecordID"], found["Computer"] = system.get("EventRecordID"), system.get("Computer")
    return found


def of_document(document: Row) -> Fields:
    """The fields of a document of Elastic's: `winlog.event_data`, or what the pipeline made of it."""
    data = at(document, "winlog.event_data")
    found: Fields = dict(data) if data.__class__ is dict else {}
    code = text(at(document, "event.code") or at(document, "winlog.event_id"), 10)
    domain, name = text(at(document, "user.domain"), 64), text(at(document, "user.name"), 128)
    more = {
        "EventID": code,
        "Computer": at(document, "winlog.computer_name") or at(document, "host.name"),
        "EventRecordID": at(document, "winlog.record_id"),
        "User": f"{domain}\\{name}" if domain and name else name,
        "Image": at(document, "process.executable"),
        "CommandLine": at(document, "process.command_line"),
        "ParentImage": at(document, "process.parent.executable"),
        "TargetFilename": at(document, "file.path"),
        "DestinationIp": at(document, "destination.ip"),
        "DestinationHostname": at(document, "destination.domain"),
        "QueryName": at(document, "dns.question.name"),
        "SystemTime": at(document, "@timestamp"),
        "HostAddresses": at(document, "host.ip"),
    }
    for field, value in more.items():
        if value not in (None, "") and found.get(field) in (None, ""):
            found[field] = value
    return found


def parts(fields: Row) -> Optional[Parts]:
    """What an event tells; None where it concerns no credential."""
    of = fields.get
    number = text(of("EventID") or of("EventCode"), 6)
    deed = _deed(number, fields) if number in _WATCHED else None
    if deed is None:
        return None
    is_access = number == "10"
    computer = of("Computer") or of("ComputerName") or of("Hostname")
    addresses = of("HostAddresses")
    shape = (
        NAME, deed.operation, deed.sort, computer, (of("SourceUser") if is_access else None) or of("User"),
        of("SourceImage" if is_access else "Image"), of("ParentImage"), of("TerminalSessionId"),
        tuple(addresses[:16]) if addresses.__class__ is list else (addresses,),
    )  # fmt: skip
    record = text(of("EventRecordID") or of("RecordNumber") or of("RecordID"), 30)
    time = _spelled(of("UtcTime")) or of("SystemTime") or of("_time")
    unique = f"sysmon:{text(computer, 200).lower()}:{record}" if record else ""
    return Parts(shape, time, unique, text(of("LogonGuid"), 64), deed.target)


def facts_of(shape: tuple[object, ...]) -> Facts:
    """Facts out of the values of an event."""
    _, operation, sort, computer, user, image, above, terminal = (text(value, 400) for value in shape[:-1])
    name = computer[:200].lower()
    addresses = texts_of(shape[-1])
    return Facts(operation, sort, name, name, "", user[:128], image, above, "", bool(whole(terminal)), "", addresses)


def _spelled(told: object) -> object:
    """`2026-03-02 10:00:01.120`, which is UTC, as other times are spelled."""
    if isinstance(told, str) and len(told) > 18 and told[10] == " " and told[-1] != "Z":
        return f"{told[:10]}T{told[11:19]}Z"
    return told


def _deed(number: str, fields: Row) -> Optional[Deed]:
    if number == "1":
        line = text(fields.get("CommandLine"), 4096)
        return of_program(text(fields.get("Image"), 400), arguments_of(line), line)
    if number == "11":
        return of_file(text(fields.get("TargetFilename"), 1100), True)
    if number == "10":
        return _of_access(text(fields.get("TargetImage"), 400), text(fields.get("GrantedAccess"), 20))
    names = ("DestinationIp", "DestinationHostname", "QueryName")
    return of_connection(*(text(fields.get(name), 200) for name in names))


def _of_access(image: str, granted: str) -> Optional[Deed]:
    if not image.lower().endswith("\\lsass.exe"):
        return None
    try:
        mask = int(granted, 16)
    except ValueError:
        return None
    return Deed(MEMORY_READ, "lsass", image[:256]) if mask & _READS_MEMORY else None
