"""Mending an audit trail after a crash or a loss: what is gone stays gone, and the trail says so from then on.

Only the end is mended: half a line that was being written, lines that the head knows and the file lacks, a head that is
missing or does not hold. A line that was edited or taken out further up is no accident of writing, and is left alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from nhi_watch.act import audit, seal
from nhi_watch.act.seal import Head
from nhi_watch.core.errors import InputError, StoreError


class Repaired(NamedTuple):
    """What a repair found and did."""

    lines: int
    """Those that hold."""
    lost: tuple[str, ...]
    """What is gone, or may be, in sentences; empty: nothing was wrong."""
    head: Head


class _Walked(NamedTuple):
    """The lines of a trail that hold."""

    head: Head
    size: int
    """Bytes that they have."""
    torn: bytes
    """What comes after them."""
    since: str
    """When the last of them was written, in words."""


def repair(path: Path, by: str) -> Repaired:
    """Mend the end of a trail, and add a line that says what is lost; what is cut away is kept beside it.

    Raises:
        InputError: there is no trail, or what is wrong with it is no accident of writing.
        StoreError: it cannot be written; it is as it was.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(f"{path}: no audit trail here ({error.strerror})") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return _mend(path, descriptor, by)
    except OSError as error:
        raise StoreError(f"{path}: the audit trail cannot be mended ({error.strerror})") from error
    finally:
        os.close(descriptor)


def _mend(path: Path, descriptor: int, by: str) -> Repaired:
    walked = _walk(path)
    lost = (*_torn(path, walked), *_ends(path, walked))
    if not lost:
        return Repaired(walked.head.seq, (), walked.head)
    if walked.torn:
        _keep(path, walked.torn)
        os.ftruncate(descriptor, walked.size)
    facts = {"lost": list(lost), "lines": walked.head.seq, "cut": hashlib.sha256(walked.torn).hexdigest()}
    return Repaired(walked.head.seq, lost, audit.add(path, descriptor, walked.head, ("repair", by, facts)))


def _walk(path: Path) -> _Walked:
    count, last, size, since = 0, audit.START, 0, "before which nothing was noted"
    rest: list[bytes] = []
    for number, line in enumerate(audit.lines(path), 1):
        row = audit.row_of(line.rstrip(b"\n")) if line.endswith(b"\n") and not rest else None
        fault = audit.fault_of(row, number, last) if row is not None else "is cut off or no JSON object"
        if row is not None and fault:
            raise InputError(f"{path}: line {number} {fault}; that is no accident of writing: restore a copy of the "
                             "trail, and keep this one as evidence")  # fmt: skip
        if row is None:
            rest.append(line)
            continue
        count, last, size, since = number, row["hash"], size + len(line), f"after {row['time']}"
    if len(rest) > 1:
        raise InputError(f"{path}: {len(rest)} lines from line {count + 1} on do not hold; a crash leaves one at most: "
                         "restore a copy of the trail, and keep this one as evidence")  # fmt: skip
    return _Walked(Head(count, last), size, b"".join(rest), since)


def _torn(path: Path, walked: _Walked) -> tuple[str, ...]:
    if not walked.torn:
        return ()
    where = _beside(path, walked.torn)
    return (f"line {walked.head.seq + 1} was cut off while it was written, {walked.since}: who did what then is not on "
            f"record; its {len(walked.torn)} bytes are kept in {where.name}",)  # fmt: skip


def _ends(path: Path, walked: _Walked) -> tuple[str, ...]:
    """What the file beside the trail says of its end."""
    known, seq = None, walked.head.seq
    unknown = f"whether lines {walked.since} are missing cannot be told: compare with a copy, or a head that was noted"
    try:
        known = seal.read(path)
    except StoreError as error:
        return (f"{str(error).partition(';')[0]}, so {unknown}",)
    if known is None:
        return (f"the head was missing, so {unknown}",) if seq else ()
    if known.seq > seq:
        gone = f"line {known.seq} is" if known.seq == seq + 1 else f"lines {seq + 1} to {known.seq} are"
        return (f"{gone} missing at the end: what was decided, approved or handed over {walked.since} is no longer on "
                "record here",)  # fmt: skip
    return ()


def _beside(path: Path, torn: bytes) -> Path:
    return path.with_name(f"{path.name}.torn-{hashlib.sha256(torn).hexdigest()[:12]}")


def _keep(path: Path, torn: bytes) -> None:
    where = _beside(path, torn)
    where.unlink(missing_ok=True)
    descriptor = os.open(where, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(torn)
        file.flush()
        os.fsync(file.fileno())
