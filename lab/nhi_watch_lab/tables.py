"""Tables of the worlds, which lie as data in a folder beside the code that reads them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def text(module: str, name: str) -> str:
    """The text of a file in the folder `data` beside a module."""
    return (Path(module).parent / "data" / name).read_text("utf-8")


def sections(module: str, name: str) -> dict[str, str]:
    """Name → text of the parts of such a file; a part begins with `== NAME`, whatever else that line says."""
    parts = ("\n" + text(module, name)).split("\n== ")[1:]
    return {part.split(None, 1)[0]: part.partition("\n")[2] + "\n" for part in parts}


def table(module: str, name: str) -> Any:
    """A value of such a file's JSON, where lists are meant as tuples: `FILE.json/NAME`."""
    file, _, key = name.partition("/")
    return _frozen(json.loads(text(module, file))[key])


def lists(module: str, name: str) -> Any:
    """The same, where lists are lists."""
    file, _, key = name.partition("/")
    return json.loads(text(module, file))[key]


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _frozen(inner) for name, inner in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
