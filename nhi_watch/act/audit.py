"""The audit trail: JSON lines that are only ever added, each with the hash of the one before.

A line is `{"seq", "time", "what", "by", "facts", "prev", "hash"}`; `hash` is the SHA-256 of the line without it, in
canonical JSON, and `prev` the hash of the line before. Editing, removing or reordering lines breaks the chain at
that line. Lines cut off at the end, and a whole new trail, show against a head that was noted elsewhere:
`nhi audit verify` prints it, and takes it with `--head`.

A line is whole or not there: what goes wrong while one is written takes it back. `repair` mends what a crash left.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.core.notable import clip
from nhi_watch.core.timestamps import render

NAME = "audit.jsonl"
START = "0" * 64
"""What the first line has for `prev`."""
WHATS = ("verdict", "exception", "approval", "export", "refusal", "model", "policy", "key", "llm", "import", "control",
         "repair", "pattern", "note")  # fmt: skip
_FIELDS = ("seq", "time", "what", "by", "facts", "prev")


def now() -> int:
    """Seconds since 1970 by the machine: of approvals and the trail nobody may choose the time on a command line."""
    return int(time.time())


def canonical(plain: Mapping[str, Any]) -> str:
    """The one spelling of an object that hashes and signatures are made of."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


class TrailEnd(NamedTuple):
    """The end of a trail."""

    seq: int
    hash: str


class Verified(NamedTuple):
    """What a check of the whole trail says."""

    lines: int
    head: TrailEnd
    fault: str
    """"" when the chain holds; else what is wrong, with the line's number."""


def append(path: Path, what: str, by: str, facts: Mapping[str, Any]) -> TrailEnd:
    """Add one line; it is on the disk when this returns.

    Raises:
        StoreError: the trail cannot be written, or its end is damaged.
    """
    assert what in WHATS, what
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{path}: the audit trail cannot be written ({error.strerror}); nothing was done") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return _add(descriptor, _end(path, descriptor), (what, by, facts))
    except OSError as error:
        raise StoreError(f"{path}: the audit trail cannot be written ({error.strerror}); nothing was added") from error
    finally:
        os.close(descriptor)


def _add(descriptor: int, head: TrailEnd, entry: tuple[str, str, Mapping[str, Any]]) -> TrailEnd:
    """Add a line after the one that `head` is of, to a trail that is locked; whole, or not at all.

    Raises:
        OSError: it cannot be written, and the trail is as it was.
    """
    what, by, facts = entry
    body = {
        "seq": head.seq + 1,
        "time": render(now()),
        "what": what,
        "by": clip(by, 100),
        "facts": dict(facts),
        "prev": head.hash,
    }
    sealed, size = TrailEnd(head.seq + 1, digest(body)), os.fstat(descriptor).st_size
    try:
        _write_all(descriptor, (canonical({**body, "hash": sealed.hash}) + "\n").encode())
        os.fsync(descriptor)
    except BaseException:  # also where somebody stops the program: half a line would end the trail
        os.ftruncate(descriptor, size)
        raise
    return sealed


def _write_all(descriptor: int, line: bytes) -> None:
    written = 0
    while written < len(line):
        written += os.write(descriptor, line[written:])


def digest(body: Mapping[str, Any]) -> str:
    """SHA-256 of an object, hex."""
    return hashlib.sha256(canonical(body).encode()).hexdigest()


def _end(path: Path, descriptor: int) -> TrailEnd:
    """The last line's number and hash."""
    size = os.fstat(descriptor).st_size
    if not size:
        return TrailEnd(0, START)
    tail = os.pread(descriptor, min(size, 1 << 20), max(0, size - (1 << 20)))
    if not tail.endswith(b"\n"):
        raise StoreError(f"{path}: the last line is cut off; `nhi audit repair` removes it")
    row = row_of(tail[:-1].rpartition(b"\n")[2])
    if row is None or fault_of(row, row.get("seq"), row.get("prev")):
        raise StoreError(f"{path}: the last line is damaged; `nhi audit verify` says where")
    return TrailEnd(row["seq"], row["hash"])


def lines(path: Path) -> Iterator[bytes]:
    """The trail's lines as they stand.

    Raises:
        InputError: there is no trail.
    """
    try:
        with path.open("rb") as stream:
            yield from stream
    except OSError as error:
        raise InputError(f"{path}: there is no audit trail here ({error.strerror})") from error


def verify(path: Path, head: str = "") -> Verified:
    """Walk the whole chain. `head`: a hash noted earlier, which must be in it.

    Raises:
        InputError: there is no trail.
    """
    count, last, met = 0, START, not head
    for count, line in enumerate(lines(path), 1):
        row = row_of(line.rstrip(b"\n")) if line.endswith(b"\n") else None
        fault = fault_of(row, count, last) if row is not None else "is cut off or not a JSON object"
        if row is None or fault:
            return Verified(count - 1, TrailEnd(count - 1, last), f"line {count} {fault}")
        last = row["hash"]
        met = met or last == head
    fault = "" if met else f"no line has the hash {head[:64]}: lines were cut off, or this is another trail"
    return Verified(count, TrailEnd(count, last), fault)


def repair(path: Path, by: str) -> str:
    """Cut away half a line that a crash left, keep it beside the trail, and add a line that says so; returns what is
    lost, "" where nothing was wrong.

    Raises:
        InputError: there is no trail, or what is wrong with it is nothing a crash could have done.
        StoreError: it cannot be written; it is as it was.
    """
    trail = b"".join(lines(path))
    kept, _, torn = trail.rpartition(b"\n")
    verified = verify(path)
    if not verified.fault:
        return ""
    if not torn or verified.lines != (kept.count(b"\n") + 1 if kept else 0):
        raise InputError(
            f"{path}: {verified.fault}; a crash cannot have caused that: restore a copy of the trail, and "
            "keep this one as evidence"
        )
    where = path.with_name(f"{path.name}.torn-{hashlib.sha256(torn).hexdigest()[:12]}")
    lost = (
        f"line {verified.lines + 1} was cut off while it was written: who did what then is not on record; its "
        f"{len(torn)} bytes are kept in {where.name}"
    )
    try:
        where.unlink(missing_ok=True)
        with os.fdopen(os.open(where, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(torn)
        os.truncate(path, len(trail) - len(torn))
    except OSError as error:
        raise StoreError(f"{path}: the audit trail cannot be repaired ({error.strerror})") from error
    append(path, "repair", by, {"lost": lost, "cut": hashlib.sha256(torn).hexdigest()})
    return lost


def row_of(line: bytes) -> Optional[dict[str, Any]]:
    """A line's object; None where it is none."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and set(row) == {*_FIELDS, "hash"} else None


def fault_of(row: Mapping[str, Any], seq: Any, prev: Any) -> str:
    """What is wrong with a line that should have a number and follow a hash; "" when nothing is."""
    if row["hash"] != digest({name: row[name] for name in _FIELDS}):
        return "was edited: its hash does not fit"
    if row["prev"] != prev or row["seq"] != seq:
        return f"does not follow the line before: a line was removed or moved here (it says it is line {row['seq']})"
    return ""


def entries(path: Path, what: str) -> Iterator[dict[str, Any]]:
    """The trail's lines of one kind; nothing where there is no trail."""
    if path.exists():
        for line in lines(path):
            row = row_of(line.rstrip(b"\n")) if f'"what":"{what}"'.encode() in line else None
            if row is not None and row["what"] == what:
                yield row


def note_change(path: Path, what: str, sha256: str, facts: Mapping[str, Any]) -> bool:
    """Add a line where `what` (model, policy) is another one than the trail's latest; whether it did.

    Raises:
        StoreError: the trail cannot be written.
    """
    latest = ""
    for row in entries(path, what):
        latest = row["facts"].get("sha256", "")
    if latest == sha256:
        return False
    append(path, what, "nhi", {**facts, "sha256": sha256, "before": latest or None})
    return True
