"""Lines cut into pieces, of which those that seldom differ are remembered as bytes.

    {…"userIdentity":{…}, "eventTime":" 2025-03-03T10:11:12Z ","eventSource":…, "requestParameters":…"eventID":"… "…}
    `-------- head -----´              `------ time -------´ `---- middle ----´ `----------- rest -----------´ `tail´

A piece is *sound* when it can only stand where it stands: put between neighbours that fit, it is a valid part of
one JSON object, and holds none of the fields that belong to another piece. So a line whose head, middle
and tail are known, whose time is one and whose rest is read, is valid JSON as a whole, and says what the line
said from which head, middle and tail are known, but for time, id and parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Optional, TypeVar

import msgspec
import orjson

from nhi_watch.hosts.files.reader.lane_records import Line, Parameters

TIME = b'"eventTime":"'
PARAMETERS = b'"requestParameters":'
ID = b'"eventID":"'
MIDDLE = len(TIME) + len("2025-03-03T10:11:12Z")
"""Where the middle starts, from the start of TIME."""
TAIL = len(ID) + 36
"""Where the tail starts, from the start of ID, when the id is a UUID."""
Actor = tuple[Optional[int], str]
"""A number that stands for who acts, and the session."""
SlotT = TypeVar("SlotT")
PIECES = 6_000
"""Middles with tails remembered, and as many of each, and of heads; all together some 10 MB."""
_APART = {"eventTime", "eventID", "requestParameters", "Records"}
"""Fields that may be in no piece that is remembered."""


class _Never:
    """The type of fields that may not be there, not even as null."""


def _refuse(_: type, value: object) -> Any:
    raise ValueError(f"does not belong here: {value!r:.40}")


def _rest() -> type[Any]:
    """What of a record's fields may be in the rest."""
    fields: list[Any] = [("requestParameters", Optional[Parameters], None), ("eventID", str, "")]
    fields += [(name, _Never, None) for name in Line.__struct_fields__ if name not in ("requestParameters", "eventID")]
    return msgspec.defstruct("Rest", fields, gc=False)


decode_rest = msgspec.json.Decoder(_rest(), dec_hook=_refuse).decode


def is_head(piece: bytes) -> bool:
    """Whether it is a record's beginning up to TIME, with userIdentity.

    >>> is_head(b'{"userIdentity":{},'), is_head(b'{"userIdentity":{'), is_head(b'{"eventID":"","userIdentity":{},')
    (True, False, False)
    """
    fields = _object(piece + b'"":0}')
    return "userIdentity" in fields and not fields.keys() & _APART


def is_middle(piece: bytes) -> bool:
    """Whether it is a record's part from the end of a time to PARAMETERS.

    >>> is_middle(b'","eventName":"x",'), is_middle(b'Z","eventName":"x",'), is_middle(b'","a":{"b":1,')
    (True, False, False)
    """
    return piece.endswith(b",") and _continues(piece[:-1] + b"}")


def is_tail(piece: bytes) -> bool:
    """Whether it is a record's part from the end of an id.

    >>> is_tail(b'","readOnly":true}'), is_tail(b'"}}'), is_tail(b'","userIdentity":{}}')
    (True, False, False)
    """
    return _continues(piece)


def _continues(piece: bytes) -> bool:
    fields = _object(b'{"":"' + piece)
    return fields.get("") == "" and "userIdentity" not in fields and not fields.keys() & _APART


def _object(text: bytes) -> dict[str, Any]:
    """The object that a text is, if it is one."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


class Pieces(Generic[SlotT]):
    """The pieces of lines that were read whole."""

    def __init__(self) -> None:
        self.heads: dict[bytes, Actor] = {}
        self.pieces: dict[tuple[Optional[int], bytes, bytes], tuple[SlotT, str]] = {}
        """Number, middle and tail → slot, and the first resource's ARN."""
        self._middles: dict[bytes, Optional[bytes]] = {}
        self._tails: dict[bytes, Optional[bytes]] = {}
        """Piece → itself when it is sound, so that each is there once."""

    def remember(self, line: bytes, actor: Actor, found: tuple[SlotT, str]) -> None:
        """Note the pieces of a line that was read whole and is ASCII, where they are sound."""
        at = line.find(TIME)
        start = line.find(PARAMETERS, at)
        end = line.find(ID, start)
        if end < 0:
            return
        head, tail = line[:at], line[end + TAIL :]
        if max(len(self.heads), len(self._middles), len(self._tails)) >= PIECES:
            self.forget()
        if head not in self.heads:
            if not is_head(head):
                return
            self.heads[head] = actor
        if b"sharedEventID" in tail:
            return  # never the same again
        middle = _sound(self._middles, line[at + MIDDLE : start], is_middle)
        ending = _sound(self._tails, tail, is_tail)
        if middle and ending:
            if len(self.pieces) >= PIECES:
                self.pieces.clear()
            self.pieces[actor[0], middle, ending] = found

    def forget(self) -> None:
        """Start anew."""
        for memory in (self.heads, self.pieces, self._middles, self._tails):
            memory.clear()


def _sound(known: dict[bytes, Optional[bytes]], piece: bytes, is_sound: Callable[[bytes], bool]) -> Optional[bytes]:
    """The piece, of which there is one object only, if it is sound."""
    if piece not in known:
        known[piece] = piece if is_sound(piece) else None
    return known[piece]
