"""auditd's own text: the lines of one event, which share `msg=audit(seconds.milliseconds:serial)`.

A read of a watched file is SYSCALL, CWD and PATH; a program's start SYSCALL and EXECVE; a connection SYSCALL and
SOCKADDR. The lines must come together (`stats list(_raw)` by the serial in Splunk; files are put together when they
are read): a PATH alone tells nobody. Enriched logs name users behind a group separator (`UID="ci"`).
A line names its host only where auditd.conf says so (name_format) or the SIEM does; else all count as one, `unknown`.
Format: github.com/linux-audit/audit-documentation, "Audit Event Parsing".
"""

from __future__ import annotations

import re
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Optional

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.values import text
from nhi_watch.intake.sources.endpoint.act import Deed, Facts, Parts, of_connection, of_file, of_program
from nhi_watch.intake.sources.endpoint.ecs import _ERRORS, _NO_TTY, audit_id, opens_to_write
from nhi_watch.intake.sources.endpoint.files import file_class
from nhi_watch.intake.sources.endpoint.programs import may_concern, metadata_in

NAME = "auditd"
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


def parts(raw: str, host: str) -> Optional[Parts]:
    """What the lines of an event tell; None where it concerns no credential.

    Raises:
        RejectError: incomplete: there is no SYSCALL among them.
    """
    if not _may_concern(raw):
        return None
    node, stamp, serial, lines = _lines(raw)
    calls = [rest for kind, rest in lines if kind == "SYSCALL"]
    call = _fields(calls[0]) if calls else {}
    deed = _deed(call, lines)
    if deed is None:
        return None
    if not calls:
        raise RejectError("incomplete", "the SYSCALL line is missing: lines of one event must come together")
    name = (node or host or _NO_NODE).lower()[:200]
    shape = (
        NAME, deed.operation, deed.sort, name, call.get("uid"), call.get("UID"),
        _plain(call, "exe") or _plain(call, "comm"), call.get("tty"), call.get("success"), call.get("exit"),
    )  # fmt: skip
    session = call.get("ses", "")
    unique = audit_id(name, stamp, serial)
    return Parts(shape, int(stamp), unique, "" if session in _UNSET else session[:64], deed.target)


def facts_of(shape: tuple[object, ...]) -> Facts:
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


def _deed(call: Fields, lines: list[tuple[str, str]]) -> Optional[Deed]:
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
