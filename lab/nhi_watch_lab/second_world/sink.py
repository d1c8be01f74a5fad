# ruff: noqa: E501
"""Collects records, writes each product's file in order of time, keeps the labels."""
from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Optional

from nhi_watch_lab.second_world.ids import DAY, Json

Row = tuple[float, int, str, str]


class Sink:
    """Buckets by day, so that memory holds about a day and lines get their numbers in order."""

    def __init__(self, out: Path, start: float, days: int) -> None:
        self.folder = out / "events"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.start, self.end = start, start + days * DAY
        self.tag = ""                       # set while an attacker acts; benign life leaves it empty
        self.labels: dict[str, list[tuple[str, int]]] = {}
        self.spans: dict[str, tuple[float, float]] = {}
        self.lines: dict[str, int] = {}
        self._buckets: dict[int, dict[str, list[Row]]] = {}
        self._files: dict[str, io.BufferedWriter] = {}
        self._zips: dict[str, gzip.GzipFile] = {}
        self._seq = 0
        self._done = -1

    def add(self, product: str, t: float, record: Json, tag: Optional[str] = None) -> None:
        """Keep a record unless it lies outside of the world's time."""
        day = int((t - self.start) // DAY)
        if not self.start <= t < self.end or day <= self._done:
            return
        self._seq += 1
        row = (t, self._seq, json.dumps(record, separators=(",", ":"), ensure_ascii=False), self.tag if tag is None else tag)
        self._buckets.setdefault(day, {}).setdefault(product, []).append(row)

    def flush(self, day: int) -> None:
        """Write everything of a day; later records for it are lost."""
        for product, rows in sorted(self._buckets.pop(day, {}).items()):
            rows.sort(key=lambda r: (r[0], r[1]))
            self._write(product, rows)
        self._done = day

    def _write(self, product: str, rows: list[Row]) -> None:
        name, out = product + ".ndjson.gz", self._open(product)
        for t, _, line, tag in rows:
            out.write(line.encode() + b"\n")
            self.lines[product] = number = self.lines.get(product, 0) + 1
            if tag:
                self.labels.setdefault(tag, []).append((name, number))
                low, high = self.spans.get(tag, (t, t))
                self.spans[tag] = (min(low, t), max(high, t))

    def _open(self, product: str) -> gzip.GzipFile:
        if product not in self._zips:
            raw = open(self.folder / (product + ".ndjson.gz"), "wb")
            self._files[product] = raw
            # an empty name and mtime 0 keep the bytes the same from run to run
            self._zips[product] = gzip.GzipFile(filename="", mode="wb", compresslevel=3, fileobj=raw, mtime=0)
        return self._zips[product]

    def close(self) -> None:
        for product, zipped in self._zips.items():
            zipped.close()
            self._files[product].close()
