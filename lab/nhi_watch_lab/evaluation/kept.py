"""Simulated days, grouped once and kept: tuning a signal must not wait for the simulator each time.

A file holds one tenant. Its name says what it depends on: the settings, and the source of all that stands
between the simulator and a behaviour; another source makes another file.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import nhi_watch
from nhi_watch.core import behaviour
from nhi_watch.core.timestamps import parse
from nhi_watch_lab.evaluation.replay import Days, grouped
from nhi_watch_lab.simulator import Spec, Tenant
from nhi_watch_lab.simulator.difficulty import source_hash

PACKAGE = Path(nhi_watch.__file__).parent
_READING = (
    "actions.py", "agent.py", "behaviour.py", "event.py", "grouping.py", "identity.py", "network.py",
    "timestamps.py", "sources/*.py", "tables/*.json",
)  # fmt: skip
"""What stands between a record and its behaviour."""


class KeptDay(NamedTuple):
    """One simulated day."""

    incidents: list[dict[str, Any]]
    """Labels of those that began on this day."""
    days: Days
    events: int
    times: Mapping[str, Sequence[int]] = MappingProxyType({})
    """Incident → when its records of this day were made."""


def tenant_days(spec: Spec, folder: Path | None) -> Iterator[KeptDay]:
    """Day after day; from a file in `folder` if it is there, which is made if not. None: nothing is kept."""
    if folder is None:
        yield from _simulated(spec)
        return
    path = folder / f"tenant-{_mark(spec)}.jsonl.gz"
    if not path.exists():
        _write(path, spec)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            incidents, wholes, events, *times = json.loads(line)
            yield KeptDay(incidents, _days(wholes), events, *times)


def _simulated(spec: Spec) -> Iterator[KeptDay]:
    open_records: dict[str, str] = {}
    for day in Tenant(spec).days():
        open_records.update((record, label["id"]) for label in day.incidents for record in label["record_ids"])
        times: dict[str, list[int]] = {}
        for record in day.records:
            if record["eventID"] in open_records:
                times.setdefault(open_records[record["eventID"]], []).append(parse(record["eventTime"]))
        yield KeptDay(day.incidents, grouped(day.records), len(day.records), times)


def _write(path: Path, spec: Spec) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with gzip.open(part, "wt", 1, encoding="utf-8") as file:
        for kept in _simulated(spec):
            wholes = [behaviour.to_row(whole) for day in kept.days.values() for whole in day.values()]
            file.write(json.dumps([kept.incidents, wholes, kept.events, dict(kept.times)]) + "\n")
    part.replace(path)


def _days(rows: list[Any]) -> Days:
    days: dict[int, dict[str, behaviour.IdentityDay]] = {}
    for row in rows:
        whole = behaviour.from_row(row)
        days.setdefault(whole.day, {})[whole.identity.id] = whole
    return days


def _mark(spec: Spec) -> str:
    return hashlib.sha256(f"{spec}{_reading_hash()}{source_hash()}".encode()).hexdigest()[:16]


@cache
def _reading_hash() -> str:
    total = hashlib.sha256()
    for file in sorted(file for pattern in _READING for file in PACKAGE.glob(pattern)):
        total.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()
