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
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Any, Optional

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.forms import at
from nhi_watch.intake.shapes.values import moment, text, true, whole
from nhi_watch.intake.sources.endpoint.host import (
    MEMORY_READ,
    Deed,
    Facts,
    Parts,
    arguments_of,
    file_class,
    may_concern,
    metadata_in,
    of_connection,
    of_file,
    of_program,
)

# ---- ecs
#
# Elastic Defend's file, process and network events, and auditd's as Auditbeat and the Auditd integrations parse them.
#
# Fields: elastic/endpoint-package, custom_documentation; elastic/beats, auditbeat module auditd. Opening a file is told
# by `open` (Defend reports it for paths that its policy calls sensitive) or `opened-file` (auditd). An open that fails
# with EACCES, EPERM or ENOENT is told as well.


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


# ---- auditd
#
# auditd's own text: the lines of one event, which share `msg=audit(seconds.milliseconds:serial)`.
#
# A read of a watched file is SYSCALL, CWD and PATH; a program's start SYSCALL and EXECVE; a connection SYSCALL and
# SOCKADDR. The lines must come together (`stats list(_raw)` by the serial in Splunk; files are put together when they
# are read): a PATH alone tells nobody. Enriched logs name users behind a group separator (`UID="ci"`).
# A line names its host only where auditd.conf says so (name_format) or the SIEM does; else all count as one, `unknown`.
# Format: github.com/linux-audit/audit-documentation, "Audit Event Parsing".


NAME_AUDITD = "auditd"
_LINE = re.compile(r"(?:node=(\S+) )?type=([A-Z_0-9]+) msg=audit\((\d{1,12})(?:\.\d+)?:(\d{1,20})\): ?(.*)", re.ASCII)
_FIELD = re.compile(r'([A-Za-z_]\w{0,30})=(?:"([^"]*)"|(\S+))', re.ASCII)
_LINES = 200
_KEPT = frozenset({"SYSCALL", "EXECVE", "CWD", "PATH", "SOCKADDR", "PROCTITLE"})
_OPEN = {"2": "a1", "257": "a2", "56": "a2", "open": "a1", "openat": "a2"}
"""System call (x86-64 and arm64) → the argument that holds the flags."""
_UNSET = ("4294967295", "-1", "unset")
_NO_NODE = "unknown"

Fields = dict[str, str]


def is_auditd(raw: str) -> bool:
    """Whether a text begins as auditd's lines do."""
    return raw[:5] in ("type=", "node=") and "msg=audit(" in raw[:300]


def parts_auditd(raw: str, host: str) -> Optional[Parts]:
    """What the lines of an event tell; None where it concerns no credential.

    Raises:
        RejectError: incomplete: there is no SYSCALL among them.
    """
    if not _may_concern(raw):
        return None
    node, stamp, serial, lines = _lines(raw)
    calls = [rest for kind, rest in lines if kind == "SYSCALL"]
    call = _fields(calls[0]) if calls else {}
    deed = _deed_auditd(call, lines)
    if deed is None:
        return None
    if not calls:
        raise RejectError("incomplete", "the SYSCALL line is missing: lines of one event must come together")
    name = (node or host or _NO_NODE).lower()[:200]
    shape = (
        NAME_AUDITD, deed.operation, deed.sort, name, call.get("uid"), call.get("UID"),
        _plain(call, "exe") or _plain(call, "comm"), call.get("tty"), call.get("success"), call.get("exit"),
    )  # fmt: skip
    session = call.get("ses", "")
    unique = audit_id(name, stamp, serial)
    return Parts(shape, int(stamp), unique, "" if session in _UNSET else session[:64], deed.target)


def facts_of_auditd(shape: tuple[object, ...]) -> Facts:
    """Facts out of the values of an event."""
    _, operation, sort, host, uid, user, path, tty, success, code = (text(value, 400) for value in shape)
    error = _ERRORS.get(code, code[:20] or "failure") if success == "no" else ""
    return Facts(operation, sort, host, host, uid[:64], user[:128], path, "", "", tty not in _NO_TTY, error, ())


_EXE = re.compile(r' exe="([^"]{1,400})"')
_NAME = re.compile(r' name=(?:"([^"]{1,1024})"|([0-9A-F]{6,2048}))')
_METADATA = ("A9FEA9FE", "A9FEAA02", "A9FEAA17", "646464C8", "FD000EC2")
"""Addresses of metadata services as they stand in a SOCKADDR."""


def _may_concern(raw: str) -> bool:
    """Whether an event may concern a credential; most do not, and need not be taken apart."""
    if "type=EXECVE" in raw:
        match = _EXE.search(raw)
        return match is None or may_concern(match[1]) or bool(metadata_in(raw))
    if "type=SOCKADDR" in raw:
        return any(mark in raw for mark in _METADATA)
    if "type=PATH" not in raw:
        return False
    return any(hexed or not name.startswith("/") or file_class(name) for name, hexed in _NAME.findall(raw))


def _lines(raw: str) -> tuple[str, str, str, list[tuple[str, str]]]:
    """Node, seconds, serial number, and the kind and rest of each line of the first event."""
    node, stamp, serial = "", "", ""
    lines = []
    for piece in raw.split("\n", _LINES)[:_LINES]:
        match = _LINE.match(piece)
        if match and (not serial or match[4] == serial):
            node, stamp, serial = match[1] or node, match[3], match[4]
            if match[2] in _KEPT:
                lines.append((match[2], match[5]))
    return node, stamp, serial, lines


def _fields(rest: str) -> Fields:
    return {name: quoted or bare for name, quoted, bare in _FIELD.findall(rest.replace("\x1d", " ")[:8192])}


def _deed_auditd(call: Fields, lines: list[tuple[str, str]]) -> Optional[Deed]:
    told = {kind: rest for kind, rest in lines if kind in ("EXECVE", "SOCKADDR", "CWD")}
    if "EXECVE" in told:
        arguments = _arguments(_fields(told["EXECVE"]))
        return of_program(_plain(call, "exe") or arguments[0], arguments, " ".join(arguments))
    if "SOCKADDR" in told:
        return of_connection(_address(_fields(told["SOCKADDR"]).get("saddr", "")))
    folder = _plain(_fields(told.get("CWD", "")), "cwd")
    flags = call.get(_OPEN.get(call.get("SYSCALL") or call.get("syscall", ""), ""), "0")
    for kind, rest in lines:
        if kind == "PATH":
            name = _plain(_fields(rest), "name")
            path = name if name.startswith("/") or not folder else f"{folder}/{name}"
            deed = of_file(path, opens_to_write(flags))
            if deed is not None:
                return deed
    return None


def _plain(fields: Fields, name: str) -> str:
    """A value that auditd writes as hexadecimal when it holds blanks or signs."""
    told = fields.get(name, "")
    return "" if told in ("(null)", "?") else _unhexed(told)


@lru_cache(maxsize=4096)
def _unhexed(told: str) -> str:
    """Text out of hexadecimal, where it is that.

    >>> _unhexed("2F7372762F6120622E656E76"), _unhexed("/usr/bin/cat"), _unhexed("cafe")
    ('/srv/a b.env', '/usr/bin/cat', 'cafe')
    """
    if len(told) < 6 or len(told) % 2 or not re.fullmatch(r"[0-9A-F]+", told):
        return told
    return bytes.fromhex(told).decode("utf-8", "replace").rstrip("\0").replace("\0", " ")


def _arguments(fields: Fields) -> list[str]:
    found = [_unhexed(fields[f"a{n}"]) for n in range(13) if f"a{n}" in fields]
    return found or [""]


@lru_cache(maxsize=4096)
def _address(saddr: str) -> str:
    """The address in a socket's address as the kernel lays it out; "" where it is of another family.

    >>> _address("02000050A9FEA9FE0000000000000000"), _address("0100")
    ('169.254.169.254', '')
    >>> _address("0A00005000000000FD000EC2" + "0" * 20 + "0254")
    'fd00:ec2::254'
    """
    try:
        content = bytes.fromhex(saddr[:56])
    except ValueError:
        return ""
    if content[:2] == b"\x02\x00" and len(content) >= 8:
        return inet_ntop(AF_INET, content[4:8])
    if content[:2] == b"\x0a\x00" and len(content) >= 24:
        return inet_ntop(AF_INET6, content[8:24])
    return ""


# ---- sysmon


Fields_sysmon = dict[str, Any]

NAME_SYSMON = "sysmon"
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


def of_xml(raw: str) -> Fields_sysmon:
    """The fields in an event's XML."""
    found: Fields_sysmon = {name: html.unescape(value) for name, value in _DATA.findall(raw[:100_000])}
    for name, value, stamp in _SYSTEM.findall(raw[:4000]):
        found.setdefault(name or "SystemTime", html.unescape(value or stamp))
    return found


def of_row(row: Row) -> Fields_sysmon:
    """The fields of a row, or of what a converter wrote."""
    if "Event" not in row:
        return dict(row)
    system, data = at(row, "Event.System"), at(row, "Event.EventData")
    found: Fields_sysmon = dict(data) if data.__class__ is dict else {}
    if system.__class__ is dict:
        number = system.get("EventID")
        found["EventID"] = number.get("#text") if number.__class__ is dict else number
        found["EventRecordID"], found["Computer"] = system.get("EventRecordID"), system.get("Computer")
    return found


def of_document(document: Row) -> Fields_sysmon:
    """The fields of a document of Elastic's: `winlog.event_data`, or what the pipeline made of it."""
    data = at(document, "winlog.event_data")
    found: Fields_sysmon = dict(data) if data.__class__ is dict else {}
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


def parts_sysmon(fields: Row) -> Optional[Parts]:
    """What an event tells; None where it concerns no credential."""
    of = fields.get
    number = text(of("EventID") or of("EventCode"), 6)
    deed = _deed_sysmon(number, fields) if number in _WATCHED else None
    if deed is None:
        return None
    is_access = number == "10"
    computer = of("Computer") or of("ComputerName") or of("Hostname")
    addresses = of("HostAddresses")
    shape = (
        NAME_SYSMON, deed.operation, deed.sort, computer, (of("SourceUser") if is_access else None) or of("User"),
        of("SourceImage" if is_access else "Image"), of("ParentImage"), of("TerminalSessionId"),
        tuple(addresses[:16]) if addresses.__class__ is list else (addresses,),
    )  # fmt: skip
    record = text(of("EventRecordID") or of("RecordNumber") or of("RecordID"), 30)
    time = _spelled(of("UtcTime")) or of("SystemTime") or of("_time")
    unique = f"sysmon:{text(computer, 200).lower()}:{record}" if record else ""
    return Parts(shape, time, unique, text(of("LogonGuid"), 64), deed.target)


def facts_of_sysmon(shape: tuple[object, ...]) -> Facts:
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


def _deed_sysmon(number: str, fields: Row) -> Optional[Deed]:
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

