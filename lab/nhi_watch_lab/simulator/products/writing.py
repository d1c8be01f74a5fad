"""A simulated company as files."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from nhi_watch_lab.simulator.products.tenant import Day, Spec, Tenant


def write(folder: Path, spec: Spec, tenant: Tenant | None = None) -> dict[str, Any]:
    """Writes `events/<product>/YYYY-MM-DD.ndjson.gz`, one record a line, and `labels.json`; returns the labels.

    Raises:
        OSError: the folder cannot be written.
    """
    whole = tenant or Tenant(spec)
    labels: dict[str, Any] = {"incidents": [], "benign_oddities": []}
    for day in _written(folder / "events", whole.days()):
        labels["incidents"] += day.incidents
        labels["benign_oddities"] += day.oddities
    labels["account"], labels["seed"] = whole.company.aws.world.account, spec.seed
    labels["humans"] = sorted({w.who for w in whole.workers if w.human} | {f"aws:{p.arn}"
                                                                           for p in whole.company.aws.people})
    packed = orjson.dumps(labels, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    (folder / "labels.json").write_bytes(packed)
    return labels


def _written(folder: Path, days: Iterator[Day]) -> Iterator[Day]:
    for day in days:
        by_product: dict[str, list[bytes]] = {}
        for line in day.lines:
            packed = orjson.dumps(line.record, option=orjson.OPT_APPEND_NEWLINE)
            by_product.setdefault(line.product, []).append(packed)
        for product, rows in sorted(by_product.items()):
            (folder / product).mkdir(parents=True, exist_ok=True)
            path = folder / product / f"{day.date}.ndjson.gz"
            with path.open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, 0) as file:
                file.write(b"".join(rows))
        yield day
