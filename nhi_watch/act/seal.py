"""The head of an audit trail: how many lines it has, and the hash of the last, under a seal.

The seal is an HMAC with a key that is made with the first line: `NAME.key` beside the trail, or the file that
NHI_AUDIT_KEY_FILE names, which is better kept where the trail's writers cannot change it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.core.errors import StoreError

KEY_FILE = "NHI_AUDIT_KEY_FILE"


class Head(NamedTuple):
    """The end of a trail."""

    seq: int
    hash: str


def canonical(plain: Mapping[str, Any]) -> str:
    """The one spelling of an object that hashes and signatures are made of."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def place(path: Path) -> Path:
    """Where the head of a trail is."""
    return path.with_name(path.name + ".head")


def key_place(path: Path) -> Path:
    """Where the key of a trail is."""
    return Path(os.environ.get(KEY_FILE) or path.with_name(path.name + ".key"))


def read(path: Path) -> Optional[Head]:
    """What the head beside the trail knows; None where there is none.

    Raises:
        StoreError: it is damaged, or its seal does not hold.
    """
    where = place(path)
    try:
        told = json.loads(where.read_text("utf-8"))
        head, seal = Head(int(told["seq"]), str(told["hash"])), str(told.get("seal"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{where}: damaged ({type(error).__name__}); restore it, or run `nhi audit repair`") from error
    key = _key(path)
    if key is None and told.get("seal") is None:
        raise StoreError(f"{where}: it has no seal, as older versions wrote it; look at the trail, and seal it with "
                         "`nhi audit repair`")  # fmt: skip
    if key is None:
        raise StoreError(f"{where}: its seal cannot be checked without {key_place(path)}; restore the key, or name it "
                         f"with {KEY_FILE}")  # fmt: skip
    if not hmac.compare_digest(_seal(key, head), seal):
        raise StoreError(f"{where}: its seal does not hold: it was written by somebody without the key; compare the "
                         "trail with a copy")  # fmt: skip
    return head


def write(path: Path, head: Head) -> None:
    """Seal a head and put it beside its trail, in place of the one before.

    Raises:
        OSError: it cannot be written; the one before is as it was.
    """
    key = _key(path) or _new_key(path)
    line = canonical({**head._asdict(), "seal": _seal(key, head)}) + "\n"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(place(path))
    finally:
        Path(name).unlink(missing_ok=True)


def _seal(key: bytes, head: Head) -> str:
    return hmac.new(key, b"nhi_watch audit head\n" + canonical(head._asdict()).encode(), hashlib.sha256).hexdigest()


def _key(path: Path) -> Optional[bytes]:
    """The key; None where there is none, or none worth the name."""
    try:
        key = key_place(path).read_bytes().strip()
    except OSError:
        return None
    return key if len(key) >= 32 else None


def _new_key(path: Path) -> bytes:
    key = secrets.token_hex(32).encode()
    descriptor = os.open(key_place(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return key
