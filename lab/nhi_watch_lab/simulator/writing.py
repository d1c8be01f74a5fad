"""A simulated account as files."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from nhi_watch_lab.simulator.tenant import Day, Spec, Tenant

_CHUNK = 1000


def write(folder: Path, spec: Spec, tenant: Tenant | None = None) -> dict[str, Any]:
    """Writes `events/YYYY-MM-DD.ndjson.gz`, one event a line, and `labels.json`; returns the labels.

    Raises:
        OSError: the folder cannot be written.
    """
    whole = tenant or Tenant(spec)
    (folder / "events").mkdir(parents=True, exist_ok=True)
    labels = collect(_written(folder, whole.days()))
    labels["account"], labels["seed"] = whole.world.account, spec.seed
    labels["humans"] = sorted({person.arn for person in whole.people})
    (folder / "labels.json").write_bytes(
        orjson.dumps(labels, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    )
    return labels


def collect(days: Iterable[Day]) -> dict[str, Any]:
    """The labels of all days."""
    labels: dict[str, Any] = {"incidents": [], "benign_oddities": []}
    for day in days:
        labels["incidents"] += day.incidents
        labels["benign_oddities"] += day.oddities
    return labels


def _written(folder: Path, days: Iterator[Day]) -> Iterator[Day]:
    for day in days:
        path = folder / "events" / f"{day.date}.ndjson.gz"
        with path.open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, 0) as packed:
            for start in range(0, len(day.records), _CHUNK):
                packed.write(
                    b"".join(
                        orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE)
                        for r in day.records[start : start + _CHUNK]
                    )
                )
        yield day
