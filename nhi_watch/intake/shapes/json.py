"""Where JSON text becomes a value: a record's own, and every text inside a record that holds JSON.

Clients write parts of these texts. What they can write there must neither end the reading nor give a
value that cannot be written again: halves of surrogate pairs, which are no UTF-8, become the replacement character,
and numbers that no double holds stay the text that they were. So this is the only place where logs are parsed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import isfinite
from typing import Any, Union

Text = Union[str, bytes]
Parser = Callable[[Text], Any]
_ESCAPE = re.compile(
    r"(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_BARE = re.compile("[\ud800-\udfff]")
VALUES = 1_000_000
"""Values that one text may have; those of CloudTrail's longest record are some thousands. As objects each takes up to
a hundred bytes, and may take two in the text."""
_DIGITS = 20
"""Of 2 ** 64: quick parsers take whole numbers below that as they are, and others as doubles."""


def _parsed_number(digits: str) -> Union[int, float, str]:
    number = int(digits) if len(digits) <= _DIGITS else None
    return number if number is not None and -(2**63) <= number < 2**64 else _number(digits)


def _number(digits: str) -> Union[float, str]:
    number = float(digits)
    return number if isfinite(number) else digits


TOO_WIDE = f"more than {VALUES:,} values, more than any record has"
_decoded = json.JSONDecoder(parse_int=_parsed_number, parse_float=_number, parse_constant=str).decode


def _mended(text: Text) -> Any:
    """By the standard library, which takes halves of pairs as they are."""
    content = text if isinstance(text, str) else text.decode("utf-8")
    if "\\u" in content and _HALF.search(content):
        content = _ESCAPE.sub(lambda match: r"\ufffd" if match["half"] else match[0], content)
    return _decoded(content if content.isascii() else _BARE.sub("\ufffd", content))


def is_wide(text: Text) -> bool:
    """Whether a text would make more values than any record has, as far as its brackets and commas show.

    >>> is_wide("[1, 2]"), is_wide(b"[" + b"[]," * VALUES)
    (False, True)
    """
    if len(text) <= VALUES or _marks(text) <= VALUES:
        return False
    plain = text if isinstance(text, str) else bytes(text).decode("utf-8", "replace")
    plain = plain.replace(r"\\", "").replace(r"\"", "")
    # A long text may hold as many commas and be one value. Part by part: a pattern that repeats a group over millions
    # of characters takes more memory than the values would.
    return sum(_marks(part[0]) for part in _PARTS.finditer(plain) if part[0][0] != '"') > VALUES


def _marks(text: Text) -> int:
    if isinstance(text, str):
        return text.count(",") + text.count("[") + text.count("{")
    return text.count(b",") + text.count(b"[") + text.count(b"{")


_PARTS = re.compile(r'[^"]+|"[^"]*"?')


class _ParserChoice:
    """What `parse_with` was given; nothing, inside Splunk."""

    quick: Parser = staticmethod(_mended)


def parse_with(parser: Parser) -> None:
    """Use a quicker parser, which must refuse halves of pairs and numbers that no double holds, as orjson does."""
    _ParserChoice.quick = staticmethod(parser)


def parse(text: Text) -> Any:
    r"""The value of a JSON text; all of its texts can be written as UTF-8, all of its numbers are finite.

    Raises:
        ValueError: it is none, or bytes that are no UTF-8, or it `is_wide`.
        RecursionError: it is nested too deeply.

    >>> parse('{"a": [1, NaN, 1e999, -2.5]}')
    {'a': [1, 'NaN', '1e999', -2.5]}
    >>> ascii(parse(r'["\ud800", "\ud83d\ude00", "\\ud800"]'))
    "['\\ufffd', '\\U0001f600', '\\\\ud800']"
    """
    if is_wide(text):
        raise ValueError(TOO_WIDE)
    try:
        return _ParserChoice.quick(text)
    except ValueError:
        return _mended(text)


def parsed(text: Text) -> Any:
    """The value of a JSON text, or None where it has none.

    >>> parsed("[1]"), parsed("[1")
    ([1], None)
    """
    try:
        return parse(text)
    except (ValueError, RecursionError):
        return None
