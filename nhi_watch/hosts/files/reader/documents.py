"""JSON that does not keep to one value a line: `{"Records": […]}`, arrays, pretty-printed objects.

Small files are parsed whole. Larger or damaged ones are gone through once, in bounded memory: msgspec splits an array
into its members 128 kB at a time, and what it refuses is gone through bracket by bracket. Each value
whose brackets are closed is parsed for itself, so that a wrong one costs that one. Of what is never closed each line
that starts with a bracket stands for itself. What that costs: docs/decisions/0023-reading.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from json import JSONDecoder
from typing import NamedTuple, Union

import msgspec
import orjson

from nhi_watch.hosts.files.reader.batch import RAW_LIMIT, Batch, Where, bad, loads, members
from nhi_watch.hosts.files.reader.chunks import Chunks
from nhi_watch.hosts.files.reader.lines import LINE_LIMIT, add
from nhi_watch.intake.shapes.json import VALUES, is_wide

MAX_DOCUMENT = 8 * 1024 * 1024
"""Bytes that are parsed at once; as Python objects they take about ten times as much."""
BATCH_BYTES = 256 * 1024
_AHEAD = 1024 * 1024
_NEAR = 4096
_SHORT = 16 * 1024
_SCAN = JSONDecoder(strict=False, parse_int=str, parse_float=str).raw_decode
_DETAIL = {
    "cut_off": "the file ends in the middle of a document; copy it again",
    "line_too_long": f"a value of more than {LINE_LIMIT} bytes",
}
_OPEN = re.compile(rb'\{\s*"Records"\s*:\s*\[|\[')
_OPEN_FIRST = re.compile(rb'\{\s*"Records"\s*:|\[\s*[{\]]')
_RESTART = re.compile(rb"\n[{\[]")
_BETWEEN = re.compile(rb"\}\s*,\s*\{")
_SPLIT = 128 * 1024
"""Bytes of an array that are split at once: their records stay in a core's cache."""
_TAIL = 64 * 1024
"""Bytes at their end in which the end of a member is looked for."""
_TRIES = 8
"""Ends that are tried: a member may hold an array of objects itself."""
_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_TOKEN = re.compile(rb'["{}\[\],]')
_BACKSLASH = ord("\\")


class _Piece(NamedTuple):
    line: int
    raw: bytes
    reason: str = ""
    """Empty: a value, or what orjson knows why it is none."""
    member: bool = False
    """Of an array: then it is a record, whatever it looks like, and `line` is its index."""
    length: int = 0
    """Of more than `raw` holds."""


class _Members(NamedTuple):
    """Members of an array that follow each other."""

    first: int
    """The index of the first."""
    raws: list[bytes]


def is_document(text: bytes) -> bool:
    """Whether this beginning of a file is other than one value a line.

    >>> [is_document(text) for text in (b'{"a":1}\\n{', b'{\\n"a":1}', b'{"a":1}{"a":2}', b'[{"a":1}]', b"x")]
    [False, True, True, True, False]
    """
    if _OPEN_FIRST.match(text):
        return True
    first = text.split(b"\n", 1)[0].rstrip()
    if is_wide(first) or not first.startswith((b"{", b"[")):
        return False
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        pass
    else:
        return False
    beginning = text[: max(len(first), _SHORT)].decode("latin-1")  # a value may go on below its first line
    try:
        return first[-1:] in (b"{", b"[", b",", b":") or bool(JSONDecoder().raw_decode(beginning))
    except (ValueError, RecursionError):
        return False


def read_document(file: str, head: bytes, rest: Iterator[bytes], chunks: Chunks) -> Iterator[Batch]:
    """Batches of a file that holds one or several values over any number of lines."""
    parts, size, consumed = [head], len(head), 0
    while size <= MAX_DOCUMENT and (chunk := next(rest, b"")):
        parts.append(chunk)
        size += len(chunk)
        yield Batch(file, 0, [], None, [], chunks.consumed - consumed)  # the caller looks at the file's bounds
        consumed = chunks.consumed
    text = b"".join(parts)
    if size <= MAX_DOCUMENT and not chunks.damage:
        try:
            yield _document(file, text, chunks.consumed - consumed)
        except orjson.JSONDecodeError:
            pass
        else:
            return
    yield from _pieces(file, _TextWindow(chain([text], rest)), chunks, consumed)


def _document(file: str, text: bytes, read: int) -> Batch:
    value = loads(text)
    inside = members(value)
    if inside is None:
        line = 1 + text[: len(text) - len(text.lstrip())].count(b"\n")
        return Batch(file, line, [value], None, [], read, [text])
    return Batch(file, 1, inside, None, [], read)


def _pieces(file: str, window: _TextWindow, chunks: Chunks, consumed: int) -> Iterator[Batch]:
    size, complete = 0, True
    batch = Batch(file, 1, [], [], [], 0, [])
    for piece in _walk(window):
        if isinstance(piece, _Members):
            complete, size = True, size + sum(map(len, piece.raws))
            _add_members(batch, piece)
            yield batch._replace(bytes_read=chunks.consumed - consumed)
            consumed, size = chunks.consumed, 0
            batch = Batch(file, 1, [], [], [], 0, [])
            continue
        complete = piece.reason != "cut_off"
        if piece.reason:
            reason, detail = (not complete and chunks.damage) or (piece.reason, _DETAIL[piece.reason])
            length = piece.length or len(piece.raw)
            batch.bad.append(bad(Where(file, piece.line), reason, piece.raw, detail, length))
        else:
            add(batch, piece.line, piece.raw, flat=piece.member)
        size += len(piece.raw)
        if size > BATCH_BYTES:
            yield batch._replace(bytes_read=chunks.consumed - consumed)
            consumed, size = chunks.consumed, 0
            batch = Batch(file, 1, [], [], [], 0, [])
    if chunks.damage and complete:
        batch.bad.append(bad(Where(file, window.line), chunks.damage[0], b"", chunks.damage[1]))
    yield batch._replace(bytes_read=chunks.consumed - consumed)


def _add_members(batch: Batch, parsed: _Members) -> None:
    """Put members of an array into a batch that keeps lines and pieces; of a wrong one a Bad."""
    assert batch.lines is not None and batch.pieces is not None
    first, raws = parsed
    try:
        records = None if max(map(len, raws)) > VALUES else list(map(orjson.loads, raws))
    except orjson.JSONDecodeError:
        records = None
    if records is None:
        for index, raw in enumerate(raws, first):
            add(batch, index, raw, flat=True)
        return
    batch.records.extend(records)
    batch.lines.extend(range(first, first + len(raws)))
    batch.pieces.extend(raws)


class _TextWindow:
    """The part of a text that is at hand: what lies before `start` was dealt with, what lies before `at` looked at."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self.text = b""
        self.start = self.at = 0
        self.line = 1
        """On which `start` lies."""
        self.ended = False
        self.may_split = True
        """Whether what is at hand was not refused when it was to be split."""

    def more(self) -> None:
        """At least double what is under way, so that looking at it again stays linear."""
        parts, got = [self.text[self.start :]], 0
        while got < max(len(parts[0]), _AHEAD) and (chunk := next(self._parts, b"")):
            parts.append(chunk)
            got += len(chunk)
        self.text, self.at, self.start, self.ended = b"".join(parts), self.at - self.start, 0, not got
        self.may_split = True

    def members(self) -> list[bytes]:
        """Members of an array, one of which begins here, up to the end of one that is at hand; go on behind them.

        A place between two objects is the end of a member where all before it is a list.
        """
        until = min(len(self.text), self.start + _SPLIT)
        places = _BETWEEN.finditer(self.text, max(self.start, until - _TAIL), until) if self.may_split else ()
        for place in [*places][: -_TRIES - 1 : -1]:
            try:
                raws = _split(b"[" + self.text[self.start : place.start() + 1] + b"]")
            except (msgspec.DecodeError, RecursionError):
                continue
            self.take(place.end() - 1)
            return [*map(bytes, raws)]
        self.may_split = False
        return []

    def take(self, end: int) -> bytes:
        """Go on to a place; the bytes that were passed, without white space around them."""
        self.line += self.text.count(b"\n", self.start, end)
        taken, self.start, self.at = self.text[self.start : end].strip(), end, max(self.at, end)
        return taken


def _walk(window: _TextWindow) -> Iterator[Union[_Piece, _Members]]:
    depth = base = index = 0  # base: how deep the members of an array lie; 0: at the top level
    tail = False  # of `{"Records": […], …}`, what follows the array
    while True:
        token = _TOKEN.search(window.text, window.at)
        char, begin = (token[0], token.start()) if token else (b"", 0)
        until = _string_end(window.text, begin) if char == b'"' else begin + 1
        is_cut = not (token and until)
        near = token is not None and not depth and len(window.text) - begin < _NEAR
        if (is_cut or near) and not window.ended:
            window.at = window.at if token else len(window.text)
            if len(window.text) - window.start > LINE_LIMIT:
                yield from _too_long(window)
                depth, base, tail = 0, 0, False
            window.more()
            continue
        if is_cut:
            break
        window.at = until
        if char in b"{[":
            if not depth:
                line, before = window.line, window.take(begin)
                if before.removeprefix(b"\xef\xbb\xbf"):
                    yield _Piece(line, before)
                opened = _OPEN.match(window.text, begin)
                if opened:
                    base, index = 1 + (char == b"{"), 0
                    depth = base
                    window.take(opened.end())
                    while raws := window.members():
                        yield _Members(index + 1, raws)
                        index += len(raws)
                    continue
            end = 0 if tail or depth != base else _end(window.text[begin : begin + _SHORT])
            if not end:
                depth += 1
                continue
            window.at = begin + end
        elif base and depth == base and char in b",}]":
            before = window.take(begin)
            window.take(window.at)
            index += bool(before)
            if before:
                yield _Piece(index, before, member=True)
            if char == b"}":  # only "]" is a list's end
                yield _Piece(index + 1, char, member=True)
            if char != b",":
                depth, base = base - 1, 0
                tail = bool(depth)
                continue
            while raws := window.members():
                yield _Members(index + 1, raws)
                index += len(raws)
            continue
        elif depth and char in b"}]":
            depth -= 1
        if depth == base and char not in b'",':  # a value is whole
            line, raw = window.line, window.take(window.at)
            index += 1
            if not tail and raw:
                yield _Piece(index if base else line, raw, member=bool(base))
            tail = False
    yield from _broken(window, len(window.text), index + 1 if base else 0)


def _string_end(text: bytes, begin: int) -> int:
    r"""Where the string that begins here ends; 0: it is not closed, and what looks like brackets in it are none.

    A pattern that repeats a group takes memory for each backslash.

    >>> _string_end(rb'"a\\"', 0), _string_end(rb'"a\"b"', 0), _string_end(rb'"a\"', 0)
    (5, 6, 0)
    """
    quote = text.find(b'"', begin + 1)
    while quote >= 0 and _is_escaped(text, quote):
        quote = text.find(b'"', quote + 1)
    return quote + 1


def _is_escaped(text: bytes, at: int) -> bool:
    """Whether an odd number of backslashes stands before a place in a string."""
    first = at
    while text[first - 1] == _BACKSLASH:
        first -= 1
    return (at - first) % 2 == 1


def _end(part: bytes) -> int:
    """Where the value that starts here ends, if it is whole; Python's own scanner is fast. 0: look at its brackets."""
    try:
        return int(_SCAN(part.decode("latin-1"))[1])
    except (ValueError, RecursionError, StopIteration):
        return 0


_LAST = re.compile(rb"\][\s}]*\Z")


def _broken(window: _TextWindow, until: int, number: int = 0) -> Iterator[_Piece]:
    """What is not closed, up to a place; `number`: the index of the member that it begins with, and of which there
    would have to be one more.
    """
    rest = window.text[window.start : until].strip()
    if not rest and number:
        yield _Piece(number, b"", "cut_off")
    while rest:
        match = _RESTART.search(window.text, window.start + 1, until)
        line, raw = number or window.line, window.take(match.start() + 1 if match else until).rstrip(b",")
        ends = None if match else _LAST.search(raw)
        if ends and not _is_cut(raw[: ends.start()]):  # the last member, and its list's end
            raw = raw[: ends.start()]
        if raw:
            yield _Piece(line, raw, "cut_off" if window.ended and not match and _is_cut(raw) else "")
        number, rest = 0, b"x" if match else b""


def _is_cut(raw: bytes) -> bool:
    try:
        loads(raw)
    except orjson.JSONDecodeError:
        return raw[:1] in (b"{", b"[")
    return False


def _too_long(window: _TextWindow) -> Iterator[_Piece]:
    """A value that is longer than one may be: up to the last line that starts with a bracket, or else to the next."""
    last = max(window.text.rfind(b"\n{"), window.text.rfind(b"\n["))
    if last > window.start:
        yield from _broken(window, last + 1)
    else:
        line, kept, length, rejected = window.line, window.text[window.start :][:RAW_LIMIT], 0, None
        while not rejected and not window.ended:
            window.more()
            rejected = _RESTART.search(window.text, window.start)
            end = rejected.start() + 1 if rejected else len(window.text) - 1  # the last byte may be the end of a line
            length += end - window.start
            window.take(end)
        yield _Piece(line, kept, "line_too_long", length=length)
    window.at = window.start
