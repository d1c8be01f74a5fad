"""Elastic Defend's file, process and network events, and auditd's as Auditbeat and the Auditd integrations parse them.

Fields: elastic/endpoint-package, custom_documentation; elastic/beats, auditbeat module auditd. Opening a file is told
by `open` (Defend reports it for paths that its policy calls sensitive) or `opened-file` (auditd). An open that fails
with EACCES, EPERM or ENOENT is told as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from nhi_watch.errors import RejectError
from nhi_watch.sources._endpoint_act import (
    Deed,
    Facts,
    Parts,
    arguments_of,
    of_connection,
    of_file,
    of_program,
)
from nhi_watch.sources._endpoint_host import host_of
from nhi_watch.sources._shapes import at
from nhi_watch.sources._times import moment
from nhi_watch.sources._values import listed, text

Row = Mapping[str, Any]

_NONE: Row = {}
_READS = frozenset({"open", "access", "opened-file", "opened"})
_WRITES = frozenset({"creation", "modification", "overwrite", "rename", "created", "renamed", "changed-file", "wrote"})
_STARTS = frozenset({"exec", "start", "executed", "process_started"})
_CONNECTS = frozenset(
    {
        "connection_attempted",
        "connect",
        "connected-to",
        "lookup_requested",
        "lookup_result",
        "ipv4_connection_attempt_event",
    }
)
_ERRORS = {"-13": "EACCES", "-1": "EPERM", "-2": "ENOENT", "EACCES": "EACCES", "EPERM": "EPERM", "ENOENT": "ENOENT"}
_NO_TTY = ("", "(none)", "?", "unset", "none")
_LOGONS = ("Interactive", "RemoteInteractive", "CachedInteractive", "CachedRemoteInteractive")
_ACCOUNTS = ("S-1-5-21-", "S-1-12-1-")
"""SIDs of accounts that are none of Windows's own."""


def parts(document: Row) -> Optional[Parts]:
    """What a nested document tells; None where it concerns no credential."""
    event = _part(document, "event")
    audit = _part(document, "auditd")
    deed = _deed(document, text(event.get("action"), 60), audit)
    if deed is None:
        return None
    process = _part(document, "process")
    above = _part(process, "parent")
    host, host_name = host_of(document)
    user = _part(document, "user")
    told = _part(document, "host")
    facts = Facts(
        deed.operation, deed.sort, host, host_name, text(user.get("id"), 128), _user_name(user),
        text(process.get("executable") or process.get("name"), 400),
        text(above.get("executable") or above.get("name"), 400), _human(told, user), _interactive(process, audit),
        _error(document, event, audit), tuple(text(one, 64) for one in listed(told.get("ip"))[:16]),
    )  # fmt: skip
    time = document.get("@timestamp")
    session = text(audit.get("session") or _part(process, "entry_leader").get("entity_id")
                   or _part(process, "session_leader").get("entity_id"), 200)  # fmt: skip
    return Parts(facts, time, _record_id(document, event, audit, host_name), session, deed.target)


def _part(row: Row, name: str) -> Row:
    found = row.get(name)
    return found if found.__class__ is dict else _NONE


def _deed(document: Row, action: str, audit: Row) -> Optional[Deed]:
    if action in _READS:
        return of_file(_path(document, audit), _opened_to_write(audit))
    if action in _WRITES:
        return of_file(_path(document, audit), True)
    if action in _STARTS:
        return _program(document)
    if action in _CONNECTS:
        other, question = _part(document, "destination"), at(document, "dns.question.name")
        spoken = at(audit, "summary.object.primary") if audit else None
        return of_connection(text(other.get("ip"), 64), text(question, 200), text(spoken, 200))
    return None


def _path(document: Row, audit: Row) -> str:
    told = text(_part(document, "file").get("path"), 1100)
    if not audit or told.startswith("/"):
        return told
    told = text(at(audit, "summary.object.primary"), 1100) or told
    folder = text(at(document, "process.working_directory"), 1000)
    return f"{folder}/{told}" if folder and not told.startswith("/") else told


def _opened_to_write(audit: Row) -> bool:
    """By the flags of open(2), which auditd tells: O_WRONLY is 1, O_RDWR 2."""
    if not audit:
        return False
    data = _part(audit, "data")
    name = text(data.get("syscall"), 20)
    return opens_to_write(data.get("a1" if name == "open" else "a2")) if name in ("open", "openat") else False


def opens_to_write(flags: object) -> bool:
    """Whether flags in hexadecimal let a file be written.

    >>> opens_to_write("0"), opens_to_write("80000"), opens_to_write("241"), opens_to_write("x")
    (False, False, True, False)
    """
    try:
        return bool(int(text(flags, 20), 16) & 3)
    except ValueError:
        return False


def _program(document: Row) -> Optional[Deed]:
    process = _part(document, "process")
    line = text(process.get("command_line"), 4096)
    told = process.get("args")
    arguments = [text(one, 1100) for one in told[:13]] if told.__class__ is list else arguments_of(line or text(told))
    path = text(process.get("executable") or process.get("name"), 400)
    return of_program(path, arguments, line or " ".join(arguments))


def _user_name(user: Row) -> str:
    name, domain = text(user.get("name"), 128), text(user.get("domain"), 64)
    return f"{domain}\\{name}" if domain and name and "\\" not in name else name


def _human(host: Row, user: Row) -> str:
    """Whether it is a person's own machine: macOS, or Windows that is no server, and an account of somebody."""
    system = _part(host, "os")
    kind, name, unique = text(system.get("type"), 20), text(system.get("name"), 60), text(user.get("id"), 64)
    if kind == "macos":
        return "workstation" if unique.isdigit() and 500 < int(unique[:9]) < 60_000 else ""
    if kind != "windows" or "Server" in name or not name:
        return ""
    return "workstation" if unique.startswith(_ACCOUNTS) else ""


def _interactive(process: Row, audit: Row) -> bool:
    if audit:
        return text(_part(audit, "data").get("tty"), 20) not in _NO_TTY
    if process.get("interactive") is True or text(process.get("interactive")) == "true":
        return True
    return text(at(process, "Ext.session_info.logon_type")) in _LOGONS


def _error(document: Row, event: Row, audit: Row) -> str:
    if text(event.get("outcome"), 20) != "failure" and text(audit.get("result"), 20) != "fail":
        return ""
    told = text(at(document, "error.code")) or text(_part(audit, "data").get("exit"), 20)
    return _ERRORS.get(told, told[:20] or "failure")


def _record_id(document: Row, event: Row, audit: Row, host: str) -> str:
    """Defend's id; of auditd the time and the serial number, which are one event's on a host."""
    number = text(audit.get("sequence") or event.get("sequence"), 20) if audit else ""
    if number:
        return audit_id(host, moment_text(document.get("@timestamp")), number)
    return text(event.get("id"), 200)


def audit_id(host: str, stamp: str, number: str) -> str:
    """The id of an event of auditd's."""
    return f"auditd:{host}:{stamp}:{number}"[:256]


def moment_text(value: object) -> str:
    """The seconds of a time, as text; "" where it is none (the reading then says what is wrong)."""
    try:
        return str(moment(value))
    except RejectError:
        return ""
