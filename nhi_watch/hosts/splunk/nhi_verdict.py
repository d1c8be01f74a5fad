"""The alert action nhi_verdict, an adaptive response of Enterprise Security: a verdict on the notable of each row.

It is `nhi feedback` with `outputlookup`, for an analyst at a finding: the same checks, the same row of
nhi_feedback. Splunk starts it with `--execute` and JSON on standard input, and reads what it says from standard error.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from typing import IO, Any

from nhi_watch.core.errors import InputError, NhiError
from nhi_watch.hosts.splunk.feedback import OPTIONS, Feedback
from nhi_watch.hosts.splunk.kvstore import DOCUMENTS
from nhi_watch.hosts.splunk.protocol import Messages, Search, parse
from nhi_watch.hosts.splunk.rest import Collection
from nhi_watch.hosts.splunk.rows import ChunkColumns, read
from nhi_watch.hosts.splunk.run import connected

NAME = "nhi_verdict"
PARAMETERS = ("verdict", "reason", "until")
FAILED = 2


def given(payload: Mapping[str, Any]) -> tuple[int, Messages]:
    """Give the verdict that an action's payload asks for; on how many notables, and a message.

    Raises:
        InputError: a parameter is wrong, or splunkd gave no session.
        StoreError: the KV store does not answer.
    """
    asked = payload.get("configuration") or {}
    arguments = [f"{name}={asked[name].strip()}" for name in PARAMETERS if str(asked.get(name) or "").strip()]
    search = Search(
        [],
        user=str(payload.get("owner") or ""),
        session=str(payload.get("session_key") or ""),
        uri=str(payload.get("server_uri") or ""),
    )
    feedback = Feedback(search, parse(NAME, OPTIONS, arguments))
    with gzip.open(str(payload.get("results_file") or ""), "rb") as file:
        rows = read(file)
        columns = ChunkColumns(next(rows, []))
        for row in rows:
            feedback.take(columns, row)
    _, verdicts, messages = feedback.answer()
    client = connected(search)
    if client is None:
        raise InputError(f"{NAME}: splunkd gave no session")
    collection, documents = (
        Collection(client, "nhi_feedback"),
        list({verdict["_key"]: verdict for verdict in verdicts}.values()),
    )
    for start in range(0, len(documents), DOCUMENTS):
        collection.save(documents[start : start + DOCUMENTS])
    return len(documents), messages


def main(arguments: Sequence[str], payload: IO[str], errors: IO[str]) -> int:
    """Act; the process's exit code."""
    if list(arguments) != ["--execute"]:
        errors.write(f"FATAL {NAME}: Splunk starts this with --execute\n")
        return FAILED
    try:
        count, messages = given(json.load(payload))
    except (NhiError, ValueError, OSError) as error:
        errors.write(f"ERROR {error}\n")
        return FAILED
    for level, text in messages:
        errors.write(f"{level} {text}\n")
    errors.write(f"INFO {NAME}: a verdict on {count} notables\n")
    return 0 if count else FAILED
