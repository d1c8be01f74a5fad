"""A world as files."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson

from nhi_watch_lab.worlds.days import Day, days, people
from nhi_watch_lab.worlds.world import World


def write(world: World, folder: Path) -> dict[str, Any]:
    """Writes `events/YYYY-MM-DD.ndjson.gz` (a company: `events/<product>/…`) and `labels.json`; returns the labels.

    Raises:
        OSError: the folder cannot be written.
    """
    labels: dict[str, Any] = {"incidents": [], "benign_oddities": []}
    for day in days(world):
        _write_day(folder / "events", day, world.company)
        labels["incidents"] += day.incidents
        labels["benign_oddities"] += day.oddities
    labels["humans"], labels["seed"] = people(world), world.seed
    labels["world"] = {**world._asdict(), "ways": world.ways._asdict()}
    packed = orjson.dumps(labels, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    (folder / "labels.json").write_bytes(packed)
    return labels


def _write_day(folder: Path, day: Day, company: bool) -> None:
    rows: dict[str, list[bytes]] = {}
    for product, record in day.records:
        packed = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        rows.setdefault(product if company else "", []).append(packed)
    for product, lines in sorted(rows.items()):
        (folder / product).mkdir(parents=True, exist_ok=True)
        path = folder / product / f"{day.date}.ndjson.gz"
        with path.open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, 0) as file:
            file.write(b"".join(lines))
