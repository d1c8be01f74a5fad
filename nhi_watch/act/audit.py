"""The audit trail: JSON lines that are only ever added, each sealed with the hash of the one before.

A line is `{"seq", "time", "what", "by", "facts", "prev", "hash"}`; `hash` is the SHA-256 of the line without it, in
canonical JSON, and `prev` the hash of the line before. Whoever edits, removes or reorders lines breaks the chain at
that line. A file beside it, `NAME.head`, knows how many lines there are, so that lines cut off at the end are missed.
Who can write both files can write a whole new trail: keep the head that `nhi audit verify` prints somewhere else, and
compare it later with `--head`.
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
WHATS = ("verdict", "exception", "approval", "export", "refusal", "model", "policy", "key", "llm", "import", "control")
_FIELDS = ("seq", "time", "what", "by", "facts", "prev")


class Head(NamedTuple):
    """The end of a trail."""

    seq: int
    hash: str


class Verified(NamedTuple):
    """What a check of the whole trail says."""

    lines: int
    head: Head
    fault: str
    """"" when the chain holds; else what is wrong, with the line's number."""


def append(path: Path, what: str, by: str, facts: Mapping[str, Any]) -> Head:
    """Add one line; it is on the disk when this returns.

    Raises:
        StoreError: the trail cannot be written, or its end is damaged.
    """
    assert what in WHATS, what
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
    except OSError as error:
        raise StoreError(f"{path}: the audit trail cannot be written ({error.strerror}); nothing was done") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        head = _end(path, descriptor)
        body = {"seq": head.seq + 1, "time": render(int(time.time())), "what": what, "by": clip(by, 100),
                "facts": dict(facts), "prev": head.hash}  # fmt: skip
        sealed = Head(head.seq + 1, digest(body))
        os.write(descriptor, (canonical({**body, "hash": sealed.hash}) + "\n").encode())
        os.fsync(descriptor)
        _write_head(path, sealed)
    except OSError as error:
        raise StoreError(f"{path}: the audit trail cannot be written ({error.strerror})") from error
    finally:
        os.close(descriptor)
    return sealed


def canonical(plain: Mapping[str, Any]) -> str:
    """The one spelling of an object that hashes and signatures are made of."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(body: Mapping[str, Any]) -> str:
    """SHA-256 of an object, hex."""
    return hashlib.sha256(canonical(body).encode()).hexdigest()


def _end(path: Path, descriptor: int) -> Head:
    """The last line's number and hash; it must be the one that the head knows, or come after it."""
    size = os.fstat(descriptor).st_size
    known = read_head(path)
    if not size:
        if known is not None:
            raise StoreError(f"{path}: the audit trail is empty, but had {known.seq} lines; restore it first")
        return Head(0, START)
    tail = os.pread(descriptor, min(size, 1 << 20), max(0, size - (1 << 20)))
    if not tail.endswith(b"\n"):
        raise StoreError(f"{path}: the last line is cut off; `nhi audit verify` says where")
    row = _row(tail[:-1].rpartition(b"\n")[2])
    if row is None or _fault(row, row.get("seq"), row.get("prev")):
        raise StoreError(f"{path}: the last line is damaged; `nhi audit verify` says where")
    if known is not None and (row["seq"] < known.seq or (row["seq"] == known.seq and row["hash"] != known.hash)):
        raise StoreError(f"{path}: lines are missing at the end, there were {known.seq}; restore them first")
    return Head(row["seq"], row["hash"])


def _write_head(path: Path, head: Head) -> None:
    place = path.with_name(path.name + ".head")
    fresh = place.with_name(place.name + ".new")
    fresh.write_text(canonical(head._asdict()) + "\n", "utf-8")
    fresh.replace(place)


def read_head(path: Path) -> Optional[Head]:
    """What the file beside the trail knows; None where there is none.

    Raises:
        StoreError: it is damaged.
    """
    place = path.with_name(path.name + ".head")
    if not place.exists():
        return None
    try:
        told = json.loads(place.read_text("utf-8"))
        return Head(int(told["seq"]), str(told["hash"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{place}: damaged ({type(error).__name__}); restore it beside the trail") from error


def lines(path: Path) -> Iterator[bytes]:
    """The trail's lines as they stand.

    Raises:
        InputError: there is no trail.
    """
    try:
        with path.open("rb") as stream:
            yield from stream
    except OSError as error:
        raise InputError(f"{path}: no audit trail here ({error.strerror})") from error


def verify(path: Path, head: str = "") -> Verified:
    """Walk the whole chain. `head`: a hash noted earlier, which must be in it.

    Raises:
        InputError: there is no trail.
    """
    count, last, met = 0, START, not head
    for count, line in enumerate(lines(path), 1):
        row = _row(line.rstrip(b"\n")) if line.endswith(b"\n") else None
        fault = _fault(row, count, last) if row is not None else "is cut off or no JSON object"
        if row is None or fault:
            return Verified(count - 1, Head(count - 1, last), f"line {count} {fault}")
        last = row["hash"]
        met = met or last == head
    known = read_head(path)
    if known is not None and known.seq > count:
        return Verified(count, Head(count, last), f"line {count + 1} is missing: there were {known.seq} lines")
    if known is not None and known.seq == count and known.hash != last:
        return Verified(count, Head(count, last), f"line {count} is not the one that was written")
    if not met:
        return Verified(count, Head(count, last), f"no line has the hash {head[:64]}: this is another trail")
    return Verified(count, Head(count, last), "")


def _row(line: bytes) -> Optional[dict[str, Any]]:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and set(row) == {*_FIELDS, "hash"} else None


def _fault(row: Mapping[str, Any], seq: Any, prev: Any) -> str:
    if row["hash"] != digest({name: row[name] for name in _FIELDS}):
        return "was edited: its hash does not fit"
    if row["prev"] != prev or row["seq"] != seq:
        return f"does not follow the line before: a line was removed or moved here (it says it is line {row['seq']})"
    return ""


def note_change(path: Path, what: str, sha256: str, facts: Mapping[str, Any]) -> bool:
    """Add a line where `what` (model, policy) is another one than the trail's latest; whether it did.

    Raises:
        StoreError: the trail cannot be written.
    """
    latest = ""
    if path.exists():
        for line in lines(path):
            row = _row(line.rstrip(b"\n")) if f'"what":"{what}"'.encode() in line else None
            latest = row["facts"].get("sha256", "") if row and row["what"] == what else latest
    if latest == sha256:
        return False
    append(path, what, "nhi", {**facts, "sha256": sha256, "before": latest or None})
    return True
