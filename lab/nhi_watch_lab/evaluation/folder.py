"""Reads the real logs that the evaluation uses, see the README beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nhi_watch.core.errors import InputError

Record = dict[str, Any]


def read(path: Path) -> list[Record]:
    """All records of a file or a folder of `.json` and `.ndjson`: envelopes, arrays, one after the other.

    Raises:
        InputError: nothing is there, or a file is no JSON.
    """
    files = sorted(p for p in path.rglob("*") if p.suffix in (".json", ".ndjson")) if path.is_dir() else [path]
    try:
        found = [record for file in files for record in _records(file.read_text("utf-8"))]
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); point --data at the folder of real logs") from error
    if not found:
        raise InputError(f"{path}: no records there; point --data at the folder of real logs")
    return found


def _records(text: str) -> list[Record]:
    decoder, at, found = json.JSONDecoder(), 0, list[Record]()
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return found
        value, at = decoder.raw_decode(text, at)
        rows = value if isinstance(value, list) else value.get("Records", [value])
        found += [row for row in rows if isinstance(row, dict)]


def repaired(records: Sequence[Record]) -> list[Record]:
    """Records in which each role has an id of its own again.

    Anonymising has given all principals of boogy.json one and the same id, so that 24 roles look like one
    identity. Their ARNs were kept apart: the id is made from them.
    """
    return [_with_id(record) for record in records]


def _with_id(record: Record) -> Record:
    who = record.get("userIdentity") or {}
    issuer = (who.get("sessionContext") or {}).get("sessionIssuer") or {}
    if not issuer.get("arn"):
        return record
    own = "AROA" + hashlib.sha256(issuer["arn"].encode()).hexdigest()[:17].upper()
    session = str(who.get("principalId", "")).partition(":")[2]
    context = {**who["sessionContext"], "sessionIssuer": {**issuer, "principalId": own}}
    return {**record, "userIdentity": {**who, "principalId": f"{own}:{session}", "sessionContext": context}}
