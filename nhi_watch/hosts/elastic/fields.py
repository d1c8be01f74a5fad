"""Mappings made of lists of field names."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

KEYWORD: Json = {"type": "keyword", "ignore_above": 1024}
LONG_KEYWORD: Json = {"type": "keyword", "ignore_above": 8191}
TEXT: Json = {"type": "text"}
DATE: Json = {"type": "date"}
FLOAT: Json = {"type": "float"}
LONG: Json = {"type": "long"}
IP: Json = {"type": "ip"}


def mapping(*by_type: tuple[Json, str]) -> Json:
    """A mapping of the fields named (with blanks between), each list with its type.

    Not dynamic: log contents are an attacker's, and must not grow the mapping.

    >>> mapping((LONG, "a.b c"))
    {'dynamic': False, 'properties': {'a': {'properties': {'b': {'type': 'long'}}}, 'c': {'type': 'long'}}}
    """
    root: Json = {"dynamic": False, "properties": {}}
    for kind, names in by_type:
        for name in names.split():
            *steps, last = name.split(".")
            node = root["properties"]
            for step in steps:
                node = node.setdefault(step, {"properties": {}})["properties"]
            node[last] = kind
    return root


def names(mapped: Json, path: str = "") -> dict[str, str]:
    """Field → type of all that a mapping holds.

    >>> names(mapping((LONG, "a.b")))
    {'a.b': 'long'}
    """
    found: dict[str, str] = {}
    for name, inner in mapped.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        found.update({here: inner["type"]} if "type" in inner else names(inner, here))
    return found
