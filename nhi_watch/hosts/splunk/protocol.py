"""Splunk's custom search command protocol, version 2 ("chunked"): a thin reader and writer.

A message is one line `chunked 1.0,<metadata bytes>,<body bytes>`, then the metadata as JSON, then the body
as CSV. The first request is `getinfo`, all others are `execute`; each gets exactly one reply. The facts are
those of splunk-sdk 2.1.1 (`searchcommands/search_command.py`, `internals.py`); the form of an error reply
(`inspector` before `error`, then exit 1) is that of the `cexc.py` in Splunk's own apps.
"""

from __future__ import annotations

import json
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple, Optional, Protocol

from nhi_watch.core.errors import InputError, NhiError
from nhi_watch.core.gc_pause import few_collections

Metadata = dict[str, Any]
Messages = list[tuple[str, str]]
"""(level, text): DEBUG, INFO, WARN, ERROR; from INFO on they are shown below the search bar."""

_HEADER = re.compile(rb"chunked\s+1\.0\s*,\s*(\d{1,15})\s*,\s*(\d{1,15})\s*\n")
_HEADER_LIMIT = 256


class ProtocolError(NhiError):
    """The stream does not hold what the protocol says; nothing after it can be read."""


class Search(NamedTuple):
    """What splunkd says about the search in which a command stands."""

    arguments: list[str]
    earliest: float = 0.0
    """The search covers events from this second on; 0: from the first one on."""
    latest: float = 0.0
    """Up to this second; 0: up to now."""
    user: str = ""
    """Who searches."""
    session: str = ""
    """Key of the session of who searches, for splunkd at `uri`; "" on an indexer, and wherever splunkd gives none."""
    uri: str = ""


class Command(Protocol):
    """What `serve` needs of a search command."""

    def prepare(self, search: Search) -> tuple[Metadata, Messages]:
        """The getinfo reply and a message for the user; raises InputError when an argument is wrong."""

    def execute(self, body: Iterable[bytes]) -> bytes:
        """The CSV that answers one chunk of CSV, which comes line by line; no rows, no bytes."""

    def finish(self) -> tuple[bytes, Messages]:
        """What is left to answer when all chunks were read: for commands that need all rows at once."""


class Streaming:
    """A command that answers each chunk by itself."""

    def finish(self) -> tuple[bytes, Messages]:
        """Nothing is left."""
        return b"", []


def read_head(stream: BinaryIO) -> Optional[tuple[Metadata, int]]:
    """The next message's metadata, and how many bytes of body follow; None where the stream ends between two messages.

    Raises:
        ProtocolError: when the header or the metadata make no sense, or the stream ends too early.

    >>> import io
    >>> read_head(io.BytesIO(b'chunked 1.0,2,4\\n{}a\\n1\\n'))
    ({}, 4)
    """
    header = stream.readline(_HEADER_LIMIT)
    if not header:
        return None
    match = _HEADER.fullmatch(header)
    if match is None:
        raise ProtocolError(f"expected 'chunked 1.0,<bytes>,<bytes>', got {header[:60]!r}")
    return _decode(_exactly(stream, int(match[1]))), int(match[2])


def lines(stream: BinaryIO, size: int) -> Iterator[bytes]:
    r"""The lines of a body of so many bytes: a chunk has up to 50,000 rows, and need not be in memory as a whole.

    Raises:
        ProtocolError: the stream ends too early.

    >>> import io
    >>> list(lines(io.BytesIO(b'a,b\n1,2\nchunked'), 8))
    [b'a,b\n', b'1,2\n']
    """
    left = size
    while left:
        line = stream.readline(left)
        if not line:
            raise ProtocolError(f"the stream ends after {size - left} of {size} bytes")
        left -= len(line)
        yield line


def _exactly(stream: BinaryIO, size: int) -> bytes:
    try:
        data = stream.read(size)
    except (MemoryError, OverflowError) as error:
        raise ProtocolError(f"a part of {size} bytes is more than memory holds") from error
    if len(data) != size:
        raise ProtocolError(f"the stream ends after {len(data)} of {size} bytes")
    return data


def _decode(data: bytes) -> Metadata:
    try:
        metadata = json.loads(data.decode("utf-8", "replace") or "{}")
    except ValueError as error:
        raise ProtocolError(f"metadata is not JSON: {error}") from error
    if not isinstance(metadata, dict):
        raise ProtocolError("metadata is not a JSON object")
    return metadata


def write_reply(stream: BinaryIO, metadata: Metadata, body: bytes = b"") -> None:
    """Write one message and flush it.

    >>> import io
    >>> out = io.BytesIO(); write_reply(out, {"finished": False}); out.getvalue()
    b'chunked 1.0,18,0\\n{"finished":false}'
    """
    head = json.dumps(metadata, separators=(",", ":")).encode("ascii")
    stream.write(b"chunked 1.0,%d,%d\n%b" % (len(head), len(body), head))
    stream.write(body)
    stream.flush()


def error_reply(message: str) -> Metadata:
    """The metadata that ends a search with a message for its user."""
    return {"inspector": {"messages": [["ERROR", message]]}, "finished": True, "error": message}


def serve(command: Command, requests: BinaryIO, replies: BinaryIO) -> int:
    """Answer requests until the stream ends; the process's exit code.

    A search that is stopped closes our pipes: that is no error of ours.
    """
    try:
        with few_collections():
            return _converse(command, requests, replies)
    except BrokenPipeError:
        _forget(replies)
        return 0
    except NhiError as error:
        return _refuse(replies, str(error))


def _converse(command: Command, requests: BinaryIO, replies: BinaryIO) -> int:
    head = read_head(requests)
    if head is None:
        return 0
    deque(lines(requests, head[1]), 0)
    if head[0].get("action") != "getinfo":
        raise ProtocolError(f"expected the action getinfo first, got {head[0].get('action')!r}")
    reply, messages = command.prepare(_search(head[0]))
    write_reply(replies, {**reply, "inspector": {"messages": messages}} if messages else reply)
    head = read_head(requests)
    while head is not None:
        _execute(command, *head, requests, replies)
        head = read_head(requests)
    return 0


def _execute(command: Command, metadata: Metadata, size: int, requests: BinaryIO, replies: BinaryIO) -> None:
    if metadata.get("action") != "execute":
        raise ProtocolError(f"expected the action execute, got {metadata.get('action')!r}")
    left = lines(requests, size)
    try:
        body = command.execute(left)
    finally:
        deque(left, 0)  # what the command did not read: splunkd writes it all before it reads why we end
    reply: Metadata = {"finished": bool(metadata.get("finished"))}
    if reply["finished"]:
        rest, messages = command.finish()
        body += rest
        if messages:
            reply["inspector"] = {"messages": messages}
    write_reply(replies, reply, body)


def _search(metadata: Metadata) -> Search:
    search_info = metadata.get("searchinfo")
    searchinfo = search_info if isinstance(search_info, dict) else {}
    arguments = searchinfo.get("args") or []
    if not isinstance(arguments, list):
        raise InputError(f"searchinfo.args is not a list: {arguments!r}")
    earliest, latest = (_seconds(searchinfo.get(f"{end}_time")) for end in ("earliest", "latest"))
    user, session, uri = (str(searchinfo.get(name) or "") for name in ("username", "session_key", "splunkd_uri"))
    return Search([str(a) for a in arguments], earliest, latest, user, session, uri)


def _seconds(text: object) -> float:
    """A time as splunkd writes it (`1629700322.000000000`), 0 where there is none."""
    try:
        return float(str(text))
    except ValueError:
        return 0.0


def _refuse(replies: BinaryIO, message: str) -> int:
    try:
        write_reply(replies, error_reply(message))
    except BrokenPipeError:
        _forget(replies)
    return 1


def _forget(stream: BinaryIO) -> None:
    """Let what is still buffered go nowhere, else Python complains about the closed pipe when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


# ---- options of search commands, `name=value`; a wrong one is answered in one line that says what to write instead


class Option(NamedTuple):
    """One option and what may be written behind its equals sign."""

    default: str
    shape: str
    """How it is written, as in `auto|fields|raw` or `<number>`; also for the message."""
    choices: tuple[str, ...] = ()
    """The only values; empty: `pattern` decides."""
    pattern: str = r".{1,200}"
    example: str = ""
    """A value to write instead of a wrong one."""


Options = Mapping[str, Option]


def usage(command: str, options: Options) -> str:
    """How the command is written.

    >>> usage("nhirank", {"show": Option("all", "all|changed", ("all", "changed"))})
    'nhirank [show=all|changed]'
    """
    return " ".join([command, *(f"[{name}={option.shape}]" for name, option in options.items())])


def parse(command: str, options: Options, arguments: Iterable[str]) -> dict[str, str]:
    """Every option's value.

    Raises:
        InputError: says what to write instead.

    >>> parse("nhirank", {"budget": Option("10", "<number>", pattern=r"\\d+", example="10")}, ["budget=20"])
    {'budget': '20'}
    """
    given = {name: option.default for name, option in options.items()}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        option = options.get(name)
        if option is None or not equals:
            raise InputError(f"{command}: {argument[:100]!r} is not an option. Write {usage(command, options)}")
        given[name] = _checked(command, name, option, value.strip('"'))
    return given


def _checked(command: str, name: str, option: Option, value: str) -> str:
    if option.choices and value not in option.choices:
        raise InputError(f"{command}: {name}={value[:100]} is unknown. Write {name}={option.shape}")
    if not option.choices and not re.fullmatch(option.pattern, value, re.ASCII | re.DOTALL):
        raise InputError(f"{command}: {name}={value[:100]} is not {option.shape}. Write {name}={option.example}")
    return value
