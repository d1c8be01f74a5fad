"""JSON that does not keep to one value a line: `{"Records": […]}`, arrays, pretty-printed objects.

Small files are parsed whole. Larger or damaged ones are walked value by value in bounded memory:
Python's own C scanner finds where a value ends (over Latin-1 text, where a character is a byte), orjson
parses it. A wrong member of an array costs that member; anything else wrong costs what lies before the
next line that starts with a bracket. Whoever opens a bracket on each line and closes none would have the rest looked
through from every line: what is looked through in vain is bounded, and beyond that each line stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from json import JSONDecodeError, JSONDecoder
from typing import NamedTuple

import orjson

from nhi_watch.hosts.files.reader.batch import RAW_LIMIT, Batch, Where, bad, loads, members
from nhi_watch.hosts.files.reader.chunks import Chunks
from nhi_watch.hosts.files.reader.lines import LINE_LIMIT, add
from nhi_watch.intake.shapes.json import is_wide

WHOLE_LIMIT = 8 * 1024 * 1024
"""Bytes that are parsed at once; as Python objects they take about ten times as much."""
BATCH_BYTES = 256 * 1024
_AHEAD = 1024 * 1024
_IN_VAIN = 2 * LINE_LIMIT
"""Bytes that may be looked through without finding an end, besides twice those that were passed."""
_WORD = 16
"""Characters from the end of a text within which an error may only mean that it is cut."""
_DEEP = 16 * 1024
"""What counts for a value that is nested too deeply for the scanner: it does not say how far it came."""
_NEAR = 4096
_CUT = "the file ends in the middle of a document; copy it again"
_SCAN = JSONDecoder(strict=False, parse_int=str, parse_float=str).raw_decode
_SPACE = re.compile(r"[ \t\r\n]*")
_OPEN = re.compile(r'\{\s*"Records"\s*:\s*\[|\[')
_OPEN_BYTES = re.compile(rb'\{\s*"Records"\s*:|\[\s*[{\]]')
_DEPTH = {"{": 1, "[": 1, "}": -1, "]": -1}
_RESTART = re.compile(r"\n[{\[]")
# A string that is not closed yet goes to the end: what looks like brackets in it are none.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[{}\[\]]', re.DOTALL)


class _Piece(NamedTuple):
    line: int
    raw: bytes
    length: int
    """More than `raw` has when the piece was too long."""
    reason: str
    """Empty: a value. not_json: perhaps; orjson knows why it is none."""
    member: bool = False
    """Of an array: then it is a record, whatever it looks like, and `line` is its index."""


def is_document(text: bytes) -> bool:
    """Whether this beginning of a file is other than one value a line.

    >>> [is_document(text) for text in (b'{"a":1}\\n{', b'{\\n"a":1}', b'{"a":1}{"a":2}', b'[{"a":1}]', b"x")]
    [False, True, True, True, False]
    """
    if _OPEN_BYTES.match(text):
        return True
    first = text.split(b"\n", 1)[0].rstrip()
    if is_wide(first):
        return False
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        pass
    else:
        return False
    if not first.startswith((b"{", b"[")):
        return False
    return first[-1:] in (b"{", b"[", b",", b":") or _Text(iter([text])).starts_with_container()


def read_document(file: str, head: bytes, rest: Iterator[bytes], chunks: Chunks) -> Iterator[Batch]:
    """Batches of a file that holds one or several values over any number of lines."""
    parts = [head]
    while sum(map(len, parts)) <= WHOLE_LIMIT and (chunk := next(rest, b"")):
        parts.append(chunk)
    text = b"".join(parts)
    if len(text) <= WHOLE_LIMIT and not chunks.damage:
        try:
            yield _whole(file, text, chunks.consumed)
        except orjson.JSONDecodeError:
            pass
        else:
            return
    yield from _pieces(file, _Text(chain([text], rest)), chunks)


def _whole(file: str, text: bytes, read: int) -> Batch:
    value = loads(text)
    inside = members(value)
    if inside is None:
        line = 1 + text[: len(text) - len(text.lstrip())].count(b"\n")
        return Batch(file, line, [value], None, [], read, [text])
    return Batch(file, 1, inside, None, [], read)


def _pieces(file: str, text: _Text, chunks: Chunks) -> Iterator[Batch]:
    consumed, size = 0, 0
    batch = Batch(file, 1, [], [], [], 0, [])
    complete = True
    for piece in _walk(text):
        complete = piece.reason != "cut_off"
        if piece.reason in _DETAIL:
            reason, detail = (not complete and chunks.damage) or (piece.reason, _DETAIL[piece.reason])
            batch.bad.append(bad(Where(file, piece.line), reason, piece.raw, detail, piece.length))
        else:
            add(batch, piece.line, piece.raw, flat=piece.member)
        size += len(piece.raw)
        if size > BATCH_BYTES:
            yield batch._replace(bytes_read=chunks.consumed - consumed)
            consumed, size = chunks.consumed, 0
            batch = Batch(file, 1, [], [], [], 0, [])
    if chunks.damage and complete:
        batch.bad.append(bad(Where(file, text.line), chunks.damage[0], b"", chunks.damage[1]))
    yield batch._replace(bytes_read=chunks.consumed - consumed)


_DETAIL = {
    "cut_off": _CUT,
    "line_too_long": f"a value of more than {LINE_LIMIT} bytes",
}


class _Text:
    """A window on the text: what lies before `at` was dealt with."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.text = ""
        self.at = 0
        self.line = 1
        """The line on which `at` lies."""
        self.ended = False
        self._in_vain = -_IN_VAIN

    @property
    def pending(self) -> int:
        return len(self.text) - self.at

    def more(self) -> bool:
        """At least double what is pending, so that trying again stays linear; False at the end."""
        if self.ended:
            return False
        parts, got = [self.text[self.at :]], 0
        while got < max(self.pending, _AHEAD) and (chunk := next(self._chunks, b"")):
            parts.append(chunk.decode("latin-1"))
            got += len(chunk)
        self.text, self.at, self.ended = "".join(parts), 0, not got
        return bool(got)

    def token(self) -> str:
        """The next character that is no white space, or "" at the end."""
        while True:
            self.move(_SPACE.match(self.text, self.at).end())  # type: ignore[union-attr]
            if self.pending or not self.more():
                return self.text[self.at : self.at + 1]

    def move(self, at: int) -> bytes:
        """Go on to a place; the bytes that were passed."""
        self.line += self.text.count("\n", self.at, at)
        self._in_vain -= 2 * (at - self.at)
        passed, self.at = self.text[self.at : at], at
        return passed.encode("latin-1")

    def value_end(self) -> int:
        """Where the value that starts here ends, or -1 when it cannot be told from the text at hand."""
        size = 4 * _NEAR
        while self._in_vain <= 0:
            # A part of the text: what the scanner raises has counted all lines before the place where it was raised.
            part = self.text[self.at : self.at + size]
            if is_wide(part):
                return -1
            try:
                end: int = _SCAN(part)[1]
            except JSONDecodeError as error:
                self._in_vain += error.pos
                is_cut = error.msg.startswith("Unterminated") or error.pos > len(part) - _WORD
                if size >= self.pending or not is_cut:
                    return -1
            except (ValueError, RecursionError, StopIteration):
                self._in_vain += _DEEP
                return -1
            else:
                if end < len(part) or part[-1] in '}]"':
                    return self.at + end
                if size >= self.pending and not self.more():
                    return self.at + end  # else a number may go on
            size *= 8
        return -1

    def starts_with_container(self) -> bool:
        """Whether a complete object or array stands here."""
        return self.token() in ("{", "[") and self.value_end() > 0

    def balanced_end(self, depth: int = 0) -> int:
        """Where the brackets that open here, and `depth` more, are all closed again, or -1."""
        end = _balanced(self.text, self.at, depth) if self._in_vain <= 0 else -1
        self._in_vain += self.pending if end < 0 else 0
        return end

    def skip(self) -> tuple[bytes, int]:
        """Pass everything before the next line that starts with a bracket: first bytes and length."""
        kept, length, start = b"", 0, self.at + 1
        while not (found := _RESTART.search(self.text, start)):
            # The last character stays: it may be the line's end before a bracket.
            passed = self.move(len(self.text) - 1)
            kept, length = kept or passed[:RAW_LIMIT], length + len(passed)
            if not self.more():
                break
            start = self.at
        passed = self.move(found.start() if found else len(self.text))
        kept = (kept + passed)[:RAW_LIMIT] if length == len(kept) else kept
        return kept, length + len(passed)


def _balanced(text: str, at: int, depth: int) -> int:
    for token in _TOKEN.finditer(text, at):
        depth += _DEPTH.get(token.group(), 0)
        if depth <= 0:
            return token.end()
    return -1


def _walk(text: _Text) -> Iterator[_Piece]:
    if text.token() == "\xef" and text.text.startswith("\xef\xbb\xbf", text.at):
        text.move(text.at + 3)
    while text.token():
        if text.pending < _NEAR:
            text.more()
        opened = _OPEN.match(text.text, text.at)
        if opened:
            text.move(opened.end())
            yield from _members(text, opened.group()[0])
        else:
            yield _take(text)


def _take(text: _Text) -> _Piece:
    """The value at the top level that starts here."""
    line = text.line
    end = text.value_end()
    while end < 0 and text.pending <= _AHEAD and text.more():
        end = text.value_end()
    while end < 0 and not _RESTART.search(text.text, text.at) and text.pending <= LINE_LIMIT and text.more():
        end = text.value_end()
    if end >= 0:
        raw = text.move(end)
        return _Piece(line, raw, len(raw), "")
    return _skipped(text, line)


def _skipped(text: _Text, line: int) -> _Piece:
    too_long = text.pending > LINE_LIMIT and not _RESTART.search(text.text, text.at)
    raw, length = text.skip()
    if too_long:
        return _Piece(line, raw, length, "line_too_long")
    open_end = not text.pending and raw[:1] in (b"{", b"[") and _balanced(raw.decode("latin-1"), 0, 0) < 0
    return _Piece(line, raw, length, "cut_off" if open_end else "not_json")


def _members(text: _Text, bracket: str) -> Iterator[_Piece]:
    """The members of an array whose bracket was just passed; `line` is their index."""
    index = 0
    while (char := text.token()) != "]":
        if not char:
            yield _Piece(index + 1, b"", 0, "cut_off")
            return
        if char == ",":
            text.move(text.at + 1)
            continue
        index += 1
        piece = _member(text, index)
        yield piece
        if piece.reason:
            return
    text.move(text.at + 1)
    if bracket == "{":
        _close(text)


def _member(text: _Text, index: int) -> _Piece:
    while True:
        end = text.value_end()
        if end < 0:
            end = text.balanced_end()
        if end >= 0:
            raw = text.move(end)
            return _Piece(index, raw, len(raw), "", member=True)
        if text.pending > LINE_LIMIT or not text.more():
            return _skipped(text, index)


def _close(text: _Text) -> None:
    """Pass what follows the array in `{"Records": […], …}`."""
    if text.pending < _NEAR:
        text.more()
    end = text.balanced_end(depth=1)
    if end >= 0:
        text.move(end)
