"""splunkd's side of the chunked protocol, for tests and benchmarks: writes requests, reads replies.

https://dev.splunk.com/enterprise/docs/devtools/customsearchcommands/
https://github.com/splunk/splunk-sdk-python (searchcommands/internals.py)
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO


def chunk(metadata: Mapping[str, Any], body: bytes = b"") -> bytes:
    """One message."""
    head = json.dumps(metadata).encode()
    return b"chunked 1.0,%d,%d\n%b%b" % (len(head), len(body), head, body)


def getinfo(args: Sequence[str] = (), **connection: str) -> bytes:
    """The first request; the keys are those that Splunk 8.2 sends."""
    searchinfo = {
        "args": list(args), "raw_args": list(args), "dispatch_dir": ".", "sid": "1629786722.117",
        "app": "nhi_watch", "owner": "admin", "username": "admin", "session_key": "none", "splunkd_uri": "",
        "splunk_version": "9.4.1", "search": "search%20index%3Daws%20%7C%20nhiscore", "command": "nhiscore",
        "maxresultrows": 50000, "earliest_time": "0", "latest_time": "0", **connection,
    }  # fmt: skip
    return chunk({"action": "getinfo", "preview": False, "searchinfo": searchinfo})


def table(names: Sequence[str], rows: Sequence[Mapping[str, Sequence[str]]]) -> bytes:
    """A body as splunkd writes it: the fields, `_chunked_idx`, then a `__mv_` column for each."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = [*names, "_chunked_idx"]
    writer.writerow([*columns, *(f"__mv_{name}" for name in columns)])
    for index, row in enumerate(rows):
        values = [*(row.get(name, ()) for name in names), [str(index)]]
        writer.writerow(["\n".join(each) for each in values] + [_multi(each) for each in values])
    return out.getvalue().encode()


def _multi(values: Sequence[str]) -> str:
    return ";".join("$" + value.replace("$", "$$") + "$" for value in values) if len(values) > 1 else ""


def replies(stream: BinaryIO) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Metadata and body of every reply; an error where the stream is not what the protocol says."""
    while header := stream.readline():
        version, head, size = header.rstrip(b"\n").split(b",")
        assert version == b"chunked 1.0", header
        metadata, body = stream.read(int(head)), stream.read(int(size))
        assert len(metadata) == int(head) and len(body) == int(size)
        yield json.loads(metadata), body


def flat(record: dict[str, Any]) -> dict[str, list[str]]:
    """Field → values, as Splunk's JSON extraction names them."""
    cells: dict[str, list[str]] = {}
    _flatten(record, "", cells)
    return cells


def _flatten(value: Any, path: str, cells: dict[str, list[str]]) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _flatten(inner, f"{path}.{name}" if path else name, cells)
    elif isinstance(value, list):
        for inner in value:
            _flatten(inner, path + "{}", cells)
    elif value is not None:
        text = ("true" if value else "false") if isinstance(value, bool) else str(value)
        cells.setdefault(path, []).append(text)
