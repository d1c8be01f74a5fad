"""JSON texts inside records: by the standard library, or by a quicker parser that a host has."""

from __future__ import annotations

import json
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
