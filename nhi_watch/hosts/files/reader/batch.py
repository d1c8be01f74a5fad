"""What reading delivers: batches of parsed records, and the pieces that are no records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple, Optional

import orjson

from nhi_watch.hosts.files.reader.chunks import FileVersion
from nhi_watch.intake.shapes import otel
from nhi_watch.intake.shapes.json import TOO_WIDE, is_wide, parse

RAW_LIMIT = 64 * 1024
"""Bytes of a bad piece that are kept."""
BOM = b"\xef\xbb\xbf"
HOLDERS = ("Records", "records", "logEvents", otel.ENVELOPE)
"""Names of which a document of many records may have one."""


class Where(NamedTuple):
    """Where a record lies."""

    file: str
    line: int
    """Line number, or index among the members of the file's array or `Records`; both count from 1."""


class Bad(NamedTuple):
    """A piece of input that is no record; it counts as one record read and rejected."""

    file: str
    line: int
    """As in `Where`; 0 when the whole file is meant."""
    reason: str
    """not_json | invalid_utf8 | too_deep | too_wide | line_too_long | cut_off | no_row | truncated_gzip |
    corrupt_gzip | corrupt_parquet | binary_file | unread_format | unreadable_file"""
    raw: bytes
    """The original bytes, at most the first 64 KiB."""
    length: int
    """How long the piece is in the input, in bytes."""
    detail: str
    """One sentence for people, with a remedy where there is one."""


class Passed(NamedTuple):
    """A file that is not read, and counts for no record."""

    file: str
    why: str
    """What it is, and what to do."""
    may_matter: bool
    """It may well hold records: it is of a format in which logs come, or a link says that it belongs here."""


class Batch(NamedTuple):
    """Up to some thousand records of one file, in the order of the file."""

    file: str
    first_line: int
    records: list[object]
    """Parsed JSON values, of any type: whether one is a record of a log is for the caller to say."""
    lines: Optional[list[int]]
    """Line or index of each record; None: they follow each other from `first_line`."""
    bad: list[Bad]
    bytes_read: int
    """Bytes of the file on disk that were consumed since the batch before; they add up to its size."""
    pieces: Optional[list[bytes]] = None
    """The bytes of each record, where they are at hand; b"" where not: of OTLP each holds its resource."""
    passed: Sequence[Passed] = ()
    """Files that are not read."""
    seen: Optional[FileVersion] = None
    """The file as it was opened; goes on to be filled while it is read."""

    def where(self, index: int) -> Where:
        """File and line of a record.

        >>> Batch("a.json", 7, [{}, {}], None, [], 0).where(1)
        Where(file='a.json', line=8)
        """
        return Where(self.file, self.first_line + index if self.lines is None else self.lines[index])

    def raw(self, index: int) -> bytes:
        """The original bytes of a record; a member of a document parsed whole is serialized again."""
        piece = b"" if self.pieces is None else self.pieces[index]
        return piece or written(self.records[index])


def bad(where: Where, reason: str, raw: bytes, detail: str, length: int | None = None) -> Bad:
    """A Bad with its bytes bounded."""
    return Bad(*where, reason, raw[:RAW_LIMIT], len(raw) if length is None else length, detail)


def written(value: object) -> bytes:
    """A member of a document as JSON; orjson writes less deeply nested values than it reads.

    >>> written({"a": [1]}), written(orjson.loads(b"[" * 300 + b"]" * 300))[:4]
    (b'{"a":[1]}', b'[[[[')
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        return _deep(value)


def _deep(value: object) -> bytes:
    try:
        return json.dumps(value).encode()
    except RecursionError:
        return b'"nested too deeply to be written again: see the file"'


def loads(raw: bytes) -> object:
    """The JSON value of a piece, which may start with a byte order mark.

    orjson refuses numbers that are too large for a double, and halves of surrogate pairs. They are no reason to
    reject a record, see `intake.shapes.json`.

    Raises:
        orjson.JSONDecodeError: it is none.

    >>> loads(b'{"agent":"a\\ud800b"}') == {"agent": "a\ufffdb"}
    True
    """
    text = raw[3:] if raw.startswith(BOM) else raw
    if is_wide(text):
        raise orjson.JSONDecodeError(TOO_WIDE, "", 0)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "surrogate" not in str(error) and "infinity" not in str(error):
            raise
    try:
        return parse(text)
    except (ValueError, RecursionError) as wrong:
        raise orjson.JSONDecodeError(str(wrong), "", 0) from wrong


def refusal(where: Where, raw: bytes, error: ValueError) -> Bad:
    """Why orjson refused a piece."""
    try:
        raw.decode()
    except UnicodeDecodeError as wrong:
        return bad(where, "invalid_utf8", raw, f"byte {wrong.start} is not UTF-8; convert the file to UTF-8")
    if str(error).startswith(TOO_WIDE):
        return bad(where, "too_wide", raw, TOO_WIDE)
    reason = "too_deep" if "ecursion" in str(error) or "epth" in str(error) else "not_json"
    return bad(where, reason, raw, str(error)[:200])


def members(value: object) -> list[object] | None:
    """The records inside a document; None when the value is itself one.

    A document is an array, `{"Records": […]}` (Azure: `records`), OTLP, or what CloudWatch Logs delivers: EKS's audit
    log comes in no other way.

    >>> members({"Records": [1, 2]}), members([3]), members({"eventName": "x"})
    ([1, 2], [3], None)
    >>> members({"messageType": "DATA_MESSAGE", "logEvents": [{"message": '{"kind": "Event"}'}, {"message": "x"}]})
    [{'kind': 'Event'}, {'message': 'x'}]
    """
    if isinstance(value, dict):
        inner = value.get("Records") or (value.get("records") if len(value) == 1 else None)
        if otel.ENVELOPE in value:
            return list(otel.single_records(value))
        if value.get("messageType") == "DATA_MESSAGE" and isinstance(value.get("logEvents"), list):
            return [_message(event) for event in value["logEvents"]]
        return inner if isinstance(inner, list) else None
    return value if isinstance(value, list) else None


def _message(event: object) -> object:
    """The record that an event of CloudWatch Logs holds as text, or else the event."""
    try:
        message = parse(event["message"])  # type: ignore[index]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return event
    return message if isinstance(message, dict) else event
