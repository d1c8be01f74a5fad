"""The training matrix: one row an episode, signal values and whether it was part of an incident."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from nhi_watch.baseline import SHARED
from nhi_watch.evaluation.replay import Replay, Replayed
from nhi_watch.model import Scorecard
from nhi_watch.signals import NAMES
from nhi_watch.simulator import Spec, Tenant

WARM_DAYS = 0
"""Rows of earlier days are trained on as well, so that the scorecard knows cold starts."""


class Row(NamedTuple):
    """One episode in numbers."""

    tenant: int
    day: int
    label: int
    weight: float
    """How many episodes it stands for: ordinary ones are alike, and are counted instead of repeated."""
    values: tuple[Optional[float], ...]


class Matrix(NamedTuple):
    """Rows as arrays: values (rows × signals, NaN where a signal cannot tell), label, weight, tenant."""

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    tenant: npt.NDArray[np.int64]


def simulate(spec: Spec, model: Scorecard) -> tuple[list[Row], dict[str, Counter[str]], int]:
    """Rows of one simulated tenant; on how many identity-days each value was seen; how many there were."""
    replay = Replay(model)
    rows: list[Row] = []
    shares: dict[str, Counter[str]] = {name: Counter() for name in SHARED}
    total = 0
    for number, day in enumerate(Tenant(spec).days()):
        replay.label(day.incidents)
        for item in replay.run(day.records):
            if not item.ranked.eligible:
                continue
            rows.append(Row(spec.seed, number, int(bool(item.incidents)), 1.0, item.episode.values))
            if not item.incidents:
                total += 1
                _count(item, shares)
    return rows, shares, total


def _count(item: Replayed, shares: dict[str, Counter[str]]) -> None:
    shapes = {b.shape for b in item.whole.behaviours.values()}
    for name in ("action", "service", "access", "agent", "credential_type"):
        shares[name].update({getattr(shape, name) for shape in shapes})
    shares["error"].update({f"{s.action} {s.error}" for s in shapes if s.error})


def squeeze(rows: Iterable[Row]) -> list[Row]:
    """Equal rows of one tenant become one with their weights' sum; ordered, so that bytes repeat."""
    weights: dict[tuple[int, int, tuple[Optional[float], ...]], float] = {}
    for row in rows:
        key = (row.tenant, row.label, row.values)
        weights[key] = weights.get(key, 0.0) + row.weight
    plain = [Row(tenant, 0, label, weight, values) for (tenant, label, values), weight in weights.items()]
    return sorted(plain, key=lambda row: (row.tenant, row.label, [(v is not None, v or 0.0) for v in row.values]))


def write(path: Path, rows: Sequence[Row]) -> None:
    """A CSV, gzipped with a fixed time, so that the same rows give the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["tenant", "label", "weight", *NAMES])
    for row in rows:
        values = ["" if v is None else f"{v:g}" for v in row.values]
        writer.writerow([row.tenant, row.label, f"{row.weight:g}", *values])
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as packed:
        packed.write(text.getvalue().encode())


def read(path: Path) -> Matrix:
    """The matrix of a file that `write` made.

    Raises:
        ValueError: its signals are not those of this version.
    """
    with gzip.open(path, "rt", newline="") as file:
        head, *lines = csv.reader(file)
    if tuple(head[3:]) != NAMES:
        raise ValueError(f"{path}: made for other signals; run `nhi train --collect` to make it anew")
    return Matrix(
        np.array([[float(v) if v else np.nan for v in line[3:]] for line in lines]),
        np.array([int(line[1]) for line in lines]),
        np.array([float(line[2]) for line in lines]),
        np.array([int(line[0]) for line in lines]),
    )


def to_matrix(rows: Sequence[Row]) -> Matrix:
    """Rows as arrays."""
    return Matrix(
        np.array([[np.nan if v is None else v for v in row.values] for row in rows]),
        np.array([row.label for row in rows]),
        np.array([row.weight for row in rows]),
        np.array([row.tenant for row in rows]),
    )


def prior(shares: Sequence[dict[str, Counter[str]]], totals: Sequence[int]) -> dict[str, dict[str, float]]:
    """The world's habits: mean over tenants of the share of identity-days with a value."""
    table: dict[str, dict[str, float]] = {}
    for name, rest in UNSEEN.items():
        table[name] = {"*": rest}
        for value in sorted({v for share in shares for v in share.get(name, ())}):
            mean = sum(share[name][value] / total for share, total in zip(shares, totals)) / len(totals)
            if mean > rest:
                table[name][value] = round(mean, 4)
    return table


UNSEEN = {
    "action": 0.002, "service": 0.01, "access": 0.1, "region": 0.2, "network": 0.3, "owner": 0.1, "agent": 0.05,
    "credential": 0.3, "credential_type": 0.1, "error": 0.01, "human": 0.05, "target": 0.3,
}  # fmt: skip
"""What a value that no training tenant showed is worth, by dimension."""


def specs(seeds: Iterable[int], machines: int, days: int, campaigns: int) -> Iterator[Spec]:
    """The simulated tenants of some seeds."""
    return (Spec(days=days, machines=machines, seed=seed, campaigns=campaigns) for seed in seeds)
