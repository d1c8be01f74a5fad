"""Generated days, grouped once and kept: tuning must not wait for a generator each time.

A file holds one tenant. Its name says what it depends on: the settings, and the source of all that stands between the
generator and a behaviour; another source makes another file.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import nhi_watch
from nhi_watch.core import behaviour
from nhi_watch.state import day_rows
from nhi_watch_lab.evaluation.replay import Days

PACKAGE = Path(nhi_watch.__file__).parent
READING = ("core", "context", "intake")
"""What stands between a record and its behaviour."""


class KeptDay(NamedTuple):
    """One generated day."""

    incidents: list[dict[str, Any]]
    """Labels of those that began on this day."""
    days: Days
    events: int


def through(
    path: Path, make: Callable[[], tuple[dict[str, Any], Iterable[KeptDay]]]
) -> tuple[dict[str, Any], Iterator[KeptDay]]:
    """What is told of a tenant, and its days, from a file; which `make` fills where it is missing."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with gzip.open(part, "wt", 1, encoding="utf-8") as file:
            head, days = make()
            file.write(json.dumps(head) + "\n")
            for kept in days:
                rows = (day_rows.pack(whole) for day in kept.days.values() for whole in day.values())
                wholes = [b64encode(row).decode() for row in rows]
                file.write(json.dumps([kept.incidents, wholes, kept.events]) + "\n")
        part.replace(path)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.loads(file.readline()), _read(path)


def _read(path: Path) -> Iterator[KeptDay]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        file.readline()
        for line in file:
            incidents, wholes, events = json.loads(line)
            yield KeptDay(incidents, _days(wholes), events)


def _days(rows: list[Any]) -> Days:
    days: dict[int, dict[str, behaviour.IdentityDay]] = {}
    for row in rows:
        whole = day_rows.unpack(b64decode(row))
        days.setdefault(whole.day, {})[whole.identity.id] = whole
    return days


@cache
def code_hash(folders: tuple[str, ...], package: Path = PACKAGE) -> str:
    """SHA-256 over the sources and tables in some folders of a package; how a page is laid out changes no result."""
    total = hashlib.sha256()
    for folder in folders:
        for path in sorted((package / folder).rglob("*")):
            if path.suffix in (".py", ".json", ".txt", ".csv") and path.parent.name != "model" and not _lays_out(path):
                total.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes() + b"\0")
    return total.hexdigest()


def _lays_out(path: Path) -> bool:
    return path.stem == "page" or path.stem.endswith("_page")
