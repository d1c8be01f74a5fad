"""STIX 2.1 patterns that name addresses: comparisons of an address with `=`, `IN` or `ISSUBSET`, joined by `OR`.

STIX Version 2.1, section 9. Whatever says more (`AND`, `FOLLOWEDBY`, qualifiers, other operators) would be misread if
its addresses were taken out of it, so it counts as not understood.
"""

from __future__ import annotations

import re
from typing import Optional

_OBJECT = r"(?:ipv[46]-addr:value|network-traffic:(?:src|dst)_ref\.(?:value|'value'))"
_TEXT = r"'(?:[^'\\]|\\.)*'"
_COMPARISON = re.compile(rf"\s*{_OBJECT}\s*(?:=|ISSUBSET|IN)\s*(\(?\s*{_TEXT}(?:\s*,\s*{_TEXT})*\s*\)?)\s*")
_TEXTS = re.compile(_TEXT)
_OR = re.compile(r"\s+OR\s+|\s*\]\s*OR\s*\[\s*")
_ADDRESS = re.compile(r"ipv[46]-addr:|network-traffic:")
_LONGEST = 100_000


def addresses(pattern: str) -> Optional[list[str]]:
    """The addresses and ranges in a pattern; empty where it is about other things; None where it is not understood.

    >>> addresses("[ipv4-addr:value = '198.51.100.7' OR ipv6-addr:value ISSUBSET '2001:db8::/48']")
    ['198.51.100.7', '2001:db8::/48']
    >>> addresses("[ipv4-addr:value IN ('198.51.100.7', '198.51.100.8')] OR [ipv4-addr:value = '198.51.100.9']")
    ['198.51.100.7', '198.51.100.8', '198.51.100.9']
    >>> addresses("[domain-name:value = 'x.example']")
    []
    >>> addresses("[ipv4-addr:value = '198.51.100.7' AND url:value = 'x']")
    """
    if not _ADDRESS.search(pattern):
        return []
    told = pattern.strip()
    if len(told) > _LONGEST or told[:1] != "[" or told[-1:] != "]":
        return None
    found: list[str] = []
    for piece in _OR.split(told[1:-1]):
        match = _COMPARISON.fullmatch(piece)
        if match is None:
            return None
        found += [text[1:-1] for text in _TEXTS.findall(match[1])]
    return found
