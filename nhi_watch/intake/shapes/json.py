"""JSON texts inside records: by the standard library, or by a quicker parser that a host has."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Parser = Callable[[str], Any]


class _Chosen:
    """What `parse_with` was told; nothing, inside Splunk."""

    quick: Parser = staticmethod(json.loads)


def parse_with(parser: Parser) -> None:
    """Use a quicker parser; what it refuses (as NaN), the standard library still judges.

    >>> parse_with(json.loads)
    """
    _Chosen.quick = staticmethod(parser)


def whole_characters(text: str) -> str:
    r"""A JSON text with the replacement character for halves of surrogate pairs.

    Quick parsers refuse them, and what is made of them cannot be written as UTF-8. They are no reason to reject a
    record: whoever makes the calls could write them, to hide.

    >>> whole_characters(r'["\ud800", "\ud83d\ude00", "\\ud800"]')
    '["\\ufffd", "\\ud83d\\ude00", "\\\\ud800"]'
    """
    return _ESCAPE.sub(lambda found: r"\ufffd" if found["half"] else found[0], text)


_ESCAPE = re.compile(
    r"(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)


def parse(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is none.
        RecursionError: it is nested too deeply.

    >>> parse('{"a": [1, NaN]}')
    {'a': [1, nan]}
    """
    try:
        return _Chosen.quick(text)
    except ValueError:
        return json.loads(text)
