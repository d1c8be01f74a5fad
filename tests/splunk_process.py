"""Runs a search command as splunkd does: a bare Python process, chunks by pipe, only the fields that it asks for.

https://dev.splunk.com/enterprise/docs/devtools/customsearchcommands/
"""

from __future__ import annotations

import csv
import io
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from nhi_watch.hosts.splunk.nhi import Nhi
from nhi_watch.hosts.splunk.nhigroup import NhiGroup
from nhi_watch.hosts.splunk.nhirank import NhiRank
from nhi_watch.hosts.splunk.nhiscore import NhiScore
from nhi_watch.hosts.splunk.protocol import Command, serve
from splunk_stream import chunk, getinfo, replies, table

Row = dict[str, list[str]]
"""Field → values."""
BARE = ("-I", "-S")
"""No site-packages, no environment, no user's folder."""
_VALUE = re.compile(r"\$((?:\$\$|[^$])*)\$(?:;|$)")


class Answer(NamedTuple):
    """What a command said."""

    rows: list[Row]
    messages: list[list[str]]
    info: dict[str, Any]
    """The reply to getinfo."""


class Session(NamedTuple):
    """How a command asks splunkd."""

    uri: str
    key: str


NOBODY = Session("", "")


class CommandError(Exception):
    """The command ended the search with this message."""


def run(
    python: str,
    script: Path,
    arguments: str,
    rows: Sequence[Row],
    times: tuple[int, int],
    size: int = 10_000,
    session: Session = NOBODY,
) -> Answer:
    """Give rows to a command, in chunks; its answer."""
    first = getinfo(shlex.split(arguments), **_searchinfo(times, session))
    process = subprocess.Popen(
        [python, *BARE, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin and process.stdout
    process.stdin.write(first)
    process.stdin.flush()
    answers = replies(cast(BinaryIO, process.stdout))
    info, _ = next(answers)
    if "error" in info:
        process.communicate()
        raise CommandError(info["error"])
    names = _asked(info.get("required_fields", ["*"]), rows)
    parts = [rows[at : at + size] for at in range(0, len(rows), size)] or [[]]
    result: list[Row] = []
    messages = info.get("inspector", {}).get("messages", [])
    for number, part in enumerate(parts, 1):
        body = table(names, part) if part else b""
        request = chunk({"action": "execute", "finished": number == len(parts)}, body)
        reply, answer = _exchange(process, request, answers)
        if not reply:  # splunk-sdk tells what is wrong in its first answer, and is gone
            raise CommandError("\n".join(text for _, text in messages))
        if "error" in reply:
            raise CommandError(reply["error"])
        assert reply["finished"] == (number == len(parts))
        result += merged(read(answer), part, info["type"])
        messages += reply.get("inspector", {}).get("messages", [])
    process.stdin.close()
    errors = process.stderr.read() if process.stderr else b""
    assert (process.wait(60), errors) == (0, b""), errors.decode()
    process.stdout.close()
    if process.stderr:
        process.stderr.close()
    return Answer(result, messages, info)


def _exchange(
    process: subprocess.Popen[bytes], request: bytes, answers: Iterator[tuple[dict[str, Any], bytes]]
) -> tuple[dict[str, Any], bytes]:
    assert process.stdin
    try:
        process.stdin.write(request)
        process.stdin.flush()
    except BrokenPipeError:
        pass
    result = next(answers, None)
    if result is None:
        process.communicate()
        return {}, b""
    return result


def _searchinfo(times: tuple[int, int], session: Session) -> dict[str, str]:
    ends = {"earliest_time": str(times[0]), "latest_time": str(times[1])}
    return {**ends, "splunkd_uri": session.uri, "session_key": session.key, "username": "admin"}


def run_here(
    verb: str, lookups: Path, arguments: str, rows: Sequence[Row], times: tuple[int, int], session: Session = NOBODY
) -> Answer:
    """The same in this process, for tests of many runs: the command's own conversation, over bytes in memory."""
    command = _COMMANDS[verb](lookups)
    first = getinfo(shlex.split(arguments), **_searchinfo(times, session))
    info, _ = next(replies(io.BytesIO(_talk(_COMMANDS[verb](lookups), first))))
    if "error" in info:
        raise CommandError(info["error"])
    names = _asked(info["required_fields"], rows)
    body = table(names, rows) if rows else b""
    answers = replies(io.BytesIO(_talk(command, first + chunk({"action": "execute", "finished": True}, body))))
    info, _ = next(answers)
    reply, answer = next(answers)
    if "error" in reply:
        raise CommandError(reply["error"])
    messages = [*info.get("inspector", {}).get("messages", []), *reply.get("inspector", {}).get("messages", [])]
    return Answer(merged(read(answer), rows, info["type"]), messages, info)


def _talk(command: Command, requests: bytes) -> bytes:
    out = io.BytesIO()
    serve(command, io.BytesIO(requests), out)
    return out.getvalue()


_COMMANDS: dict[str, Callable[[Path], Command]] = {
    "nhigroup": NhiGroup,
    "nhirank": NhiRank,
    "nhi": lambda lookups: Nhi(),
    "nhiscore": NhiScore,
}


def _asked(required: Sequence[str], rows: Sequence[Row]) -> list[str]:
    there = list(dict.fromkeys(name for row in rows for name in row))
    return there if "*" in required else [name for name in required if name in there]


def merged(answered: list[Row], given: Sequence[Row], kind: str) -> list[Row]:
    """Rows of a streaming command with the fields that it did not ask for: splunkd finds them by `_chunked_idx`."""
    result = []
    for row in answered:
        index = row.pop("_chunked_idx", [""])[0]
        left_out = given[int(index)] if kind == "streaming" and index else {}
        result.append({**left_out, **row})
    return result


def read(body: bytes) -> list[Row]:
    """The rows of an answer; fields without a value are left out."""
    csv.field_size_limit(2**31 - 1)
    plain = csv.DictReader(io.StringIO(body.decode("utf-8", "surrogateescape"), newline=""))
    return [_values(row) for row in plain]


def _values(row: dict[str, str]) -> Row:
    result: Row = {}
    for name, text in row.items():
        many = row.get(f"__mv_{name}", "")
        if text and not name.startswith("__mv_"):
            result[name] = [v.replace("$$", "$") for v in _VALUE.findall(many)] if many else [text]
    return result
