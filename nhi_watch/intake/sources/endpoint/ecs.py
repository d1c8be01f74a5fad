"""Elastic Defend's file, process and network events, and auditd's as Auditbeat and the Auditd integrations parse them.

Fields: elastic/endpoint-package, custom_documentation; elastic/beats, auditbeat module auditd. Opening a file is told
by `open` (Defend reports it for paths that its policy calls sensitive) or `opened-file` (auditd). An open that fails
with EACCES, EPERM or ENOENT is told as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.forms import at
from nhi_watch.intake.shapes.times import moment
from nhi_watch.intake.shapes.values import text, true
from nhi_watch.intake.sources.endpoint.act import Deed, Facts, Parts, arguments_of, of_connection, of_file, of_program

Row = Mapping[str, Any]

NAME = "ecs"
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
    event, audit = _part(document, "event"), _part(document, "auditd")
    deed = _deed(document, event.get("action"), audit)
    if deed is None:
        return None
    process, host, user = _part(document, "process"), _part(document, "host"), _part(document, "user")
    above, data, system = _part(process, "parent"), _part(audit, "data"), _part(host, "os")
    addresses = host.get("ip")
    shape = (
        NAME, deed.operation, deed.sort, host.get("id"), host.get("name"), host.get("hostname"),
        _part(document, "agent").get("type"), event.get("module"), user.get("id"), user.get("name"),
        user.get("domain"), process.get("executable") or process.get("name"),
        above.get("executable") or above.get("name"), system.get("type"), system.get("name"),
        "audit" if audit else "", data.get("tty"), _yes(process.get("interactive")),
        _part(_part(process, "Ext"), "session_info").get("logon_type"), event.get("outcome"), audit.get("result"),
        _part(document, "error").get("code"), data.get("exit"),
        tuple(addresses[:16]) if addresses.__class__ is list else (addresses,),
    )  # fmt: skip
    session = (audit.get("session") or _part(process, "entry_leader").get("entity_id")
               or _part(process, "session_leader").get("entity_id"))  # fmt: skip
    return Parts(shape, document.get("@timestamp"), _record_id(document, event, audit), text(session, 200), deed.target)


def facts_of(shape: tuple[object, ...]) -> Facts:
    """Facts out of the values of a document."""
    (_, operation, sort, host_id, host_name, hostname, agent, module, user_id, user, domain, program, above, kind,
     system, is_audit, tty, interactive, logon, outcome, result, code, exit_code) = (
        text(value, 400) for value in shape[:-1])  # fmt: skip
    name = (host_name or hostname).lower()[:200]
    is_own = agent == "endpoint" or module == "endpoint"
    failed = outcome == "failure" or result == "fail"
    told = code or exit_code
    return Facts(
        operation, sort, (host_id if is_own and host_id else name or host_id)[:200], name, user_id[:128],
        f"{domain}\\{user}" if domain and user and "\\" not in user else user[:128], program, above,
        _human(kind, system, user_id), bool(interactive) or logon in _LOGONS or bool(is_audit and tty not in _NO_TTY),
        _ERRORS.get(told, told[:20] or "failure") if failed else "",
        texts_of(shape[-1]),
    )  # fmt: skip


def texts_of(values: object) -> tuple[str, ...]:
    """A tuple of raw values as texts."""
    return tuple(text(value, 64) for value in values) if isinstance(values, tuple) else ()


def _yes(value: object) -> str:
    return "y" if value and true(value) else ""


def _part(row: Row, name: str) -> Row:
    found = row.get(name)
    return found if found.__class__ is dict else _NONE


def _deed(document: Row, told: object, audit: Row) -> Optional[Deed]:
    action = told if told.__class__ is str else text(told, 60)
    if action in _READS:
        return of_file(_path(document, audit), _opened_to_write(audit))
    if action in _WRITES:
        return of_file(_path(document, audit), True)
    if action in _STARTS:
        return _program(document)
    if action in _CONNECTS:
        question = _part(_part(document, "dns"), "question")
        spoken = _part(_part(audit, "summary"), "object").get("primary") if audit else None
        other = _part(document, "destination").get("ip")
        return of_connection(text(other, 64), text(question.get("name"), 200), text(spoken, 200))
    return None


def _path(document: Row, audit: Row) -> str:
    found = _part(document, "file").get("path")
    told = found if found.__class__ is str else text(found, 1100)
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
    line = process.get("command_line")
    line = line[:4096] if line.__class__ is str else text(line, 4096)
    told = process.get("args")
    if told.__class__ is list:
        arguments = [one if one.__class__ is str else text(one) for one in told[:13]]
    else:
        arguments = arguments_of(line or text(told))
    path = process.get("executable") or process.get("name")
    path = path if path.__class__ is str else text(path, 400)
    return of_program(path, arguments, line or " ".join(arguments))


def _human(kind: str, system: str, unique: str) -> str:
    """Whether it is a person's own machine: macOS, or Windows that is no server, and an account of somebody."""
    if kind == "macos":
        return "workstation" if unique.isascii() and unique.isdigit() and 500 < int(unique[:9]) < 60_000 else ""
    if kind != "windows" or "Server" in system or not system:
        return ""
    return "workstation" if unique.startswith(_ACCOUNTS) else ""


def _record_id(document: Row, event: Row, audit: Row) -> str:
    """Defend's id; of auditd the time and the serial number, which are one event's on a host."""
    number = text(audit.get("sequence") or event.get("sequence"), 20) if audit else ""
    if number:
        host = _part(document, "host")
        name = text(host.get("name") or host.get("hostname") or host.get("id"), 200).lower()
        return audit_id(name, moment_text(document.get("@timestamp")), number)
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
