"""The training matrix: one row an episode, signal values and whether it was part of an incident."""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.signals import NAMES
from nhi_watch.state.baseline import SHARED
from nhi_watch_lab.evaluation.background import grafted, hosts_of, wholes
from nhi_watch_lab.evaluation.replay import Replay, Replayed
from nhi_watch_lab.simulator import Spec, Tenant
from nhi_watch_lab.training.techniques import PLAIN, is_of_company, is_real

WARM_DAYS = 7
"""Days before the first real attack; earlier days are trained on as well, so that cold starts are known."""


class Row(NamedTuple):
    """One episode in numbers."""

    tenant: int
    technique: str
    """PLAIN: ordinary life; a name: a simulated technique; a number: a real one (`techniques.REAL`), made by a
    simulated machine; COMPANY and a name: a technique of a simulated company."""
    label: int
    weight: float
    """How many episodes it stands for: ordinary ones are alike, and are counted instead of repeated. A company's
    count less, see `companies.WORTH`."""
    values: tuple[Optional[float], ...]


class Matrix(NamedTuple):
    """Rows as arrays: values (rows × signals, NaN where a signal cannot tell), label, weight, tenant."""

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    tenant: npt.NDArray[np.int64]
    technique: npt.NDArray[np.str_]

    def only(self, rows: npt.NDArray[np.bool_]) -> Matrix:
        """The rows of a mask."""
        return Matrix(*(part[rows] for part in self))  # type: ignore[arg-type]

    def without(self, techniques: Sequence[str]) -> Matrix:
        """The rows of all but some techniques, see `techniques.alike`."""
        return self.only(~np.isin(self.technique, techniques))

    @property
    def lived(self) -> npt.NDArray[np.bool_]:
        """Which rows are of simulated life and its incidents: real techniques were added on purpose."""
        return ~np.array([is_real(mark) for mark in self.technique], dtype=bool)


def simulated(matrix: Matrix) -> list[str]:
    """The techniques of simulated accounts whose incidents a matrix holds, by name."""
    marks = {str(mark) for mark in matrix.technique}
    return sorted(mark for mark in marks if mark != PLAIN and not is_real(mark) and not is_of_company(mark))


def of_companies(matrix: Matrix) -> list[str]:
    """The marks of the techniques of simulated companies."""
    return sorted({str(mark) for mark in matrix.technique if is_of_company(str(mark))})


Attacks = Sequence[Sequence[dict[str, Any]]]


def simulate(spec: Spec, model: Scorecard, attacks: Attacks = ()) -> tuple[list[Row], dict[str, Counter[str]], int]:
    """Rows of one simulated tenant; on how many identity-days each value was seen; how many there were.

    Each of `attacks` (records of one real technique) is made once from inside and once from outside by an
    ordinary machine, on some day after the first week; only its numbers are kept, and nothing of it is learnt.
    """
    replay = Replay(model)
    rows: list[Row] = []
    shares: dict[str, Counter[str]] = {name: Counter() for name in SHARED}
    total = 0
    names: dict[str, str] = {}
    for number, day in enumerate(Tenant(spec).days()):
        replay.label(day.incidents)
        names.update((incident["id"], incident["technique"]) for incident in day.incidents)
        if number >= WARM_DAYS:
            turn = range(number - WARM_DAYS, len(attacks), spec.days - WARM_DAYS)
            rows += _grafts(replay, day.records, spec.seed, {n: attacks[n] for n in turn})
        for item in replay.run(day.records):
            if not item.ranked.eligible:
                continue
            mark = min((names[incident] for incident in item.incidents), default=PLAIN)
            rows.append(Row(spec.seed, mark, int(bool(item.incidents)), 1.0, item.episode.values))
            if not item.incidents:
                total += 1
                _count(item, shares)
    return rows, shares, total


def _grafts(replay: Replay, records: list[dict[str, Any]], seed: int, turn: Mapping[int, Any]) -> Iterator[Row]:
    hosts = [host for host in hosts_of(records) if host.identity in replay.baselines.own]
    dice = random.Random(f"{seed}|{min(turn, default=0)}")
    for number, attack in turn.items():
        for outside in (None, dice.randrange(100)):
            host = dice.choice(hosts)
            day = wholes([*host.records, *grafted(attack, host, outside)])
            item = replay.score(day[host.identity])
            if item.ranked.eligible:
                yield Row(seed, str(number + 1), 1, 1.0, item.episode.values)


def _count(item: Replayed, shares: dict[str, Counter[str]]) -> None:
    shapes = {b.shape for b in item.whole.behaviours.values()}
    for name in ("action", "service", "access", "agent", "credential_type"):
        shares[name].update({getattr(shape, name) for shape in shapes})
    shares["error"].update({f"{s.action} {s.error}" for s in shapes if s.error})


def squeeze(rows: Iterable[Row]) -> list[Row]:
    """Equal rows of one tenant become one with their weights' sum; ordered, so that bytes repeat."""
    weights: dict[Row, float] = {}
    for row in rows:
        key = row._replace(weight=0.0)
        weights[key] = weights.get(key, 0.0) + row.weight
    plain = [row._replace(weight=weight) for row, weight in weights.items()]
    return sorted(plain, key=lambda row: (row[:3], [(v is not None, v or 0.0) for v in row.values]))


def write(path: Path, rows: Sequence[Row]) -> None:
    """A CSV, gzipped with a fixed time, so that the same rows give the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["tenant", "technique", "label", "weight", *NAMES])
    for row in rows:
        values = ["" if v is None else f"{v:g}" for v in row.values]
        writer.writerow([row.tenant, row.technique, row.label, f"{row.weight:g}", *values])
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as packed:
        packed.write(text.getvalue().encode())


def read(path: Path) -> Matrix:
    """The matrix of a file that `write` made.

    Raises:
        ValueError: its signals are not those of this version.
    """
    with gzip.open(path, "rt", newline="") as file:
        head, *lines = csv.reader(file)
    if tuple(head[4:]) != NAMES:
        raise ValueError(f"{path}: made for other signals; run `nhi train --collect` to make it anew")
    return Matrix(
        np.array([[float(v) if v else np.nan for v in line[4:]] for line in lines]),
        np.array([int(line[2]) for line in lines]),
        np.array([float(line[3]) for line in lines]),
        np.array([int(line[0]) for line in lines]),
        np.array([line[1] for line in lines]),
    )


def to_matrix(rows: Sequence[Row]) -> Matrix:
    """Rows as arrays."""
    return Matrix(
        np.array([[np.nan if v is None else v for v in row.values] for row in rows]),
        np.array([row.label for row in rows]),
        np.array([row.weight for row in rows]),
        np.array([row.tenant for row in rows]),
        np.array([row.technique for row in rows]),
    )


Prior = dict[str, dict[str, float]]


def prior(shares: Sequence[dict[str, Counter[str]]], totals: Sequence[int]) -> Prior:
    """The world's habits: mean over tenants of the share of identity-days with a value."""
    table: Prior = {}
    for name, rest in UNSEEN.items():
        table[name] = {"*": rest}
        for value in sorted({v for share in shares for v in share.get(name, ())}):
            mean = sum(share[name][value] / total for share, total in zip(shares, totals)) / len(totals)
            if mean > rest:
                table[name][value] = round(mean, 4)
    return table


def together(accounts: Prior, companies: Iterable[Prior]) -> Prior:
    """The habits of accounts, and those of each product's identities where accounts have no such value."""
    table = {name: dict(values) for name, values in accounts.items()}
    for one in companies:
        for name in WIDER:
            for value, share in one[name].items():
                if value not in accounts[name]:
                    table[name][value] = max(share, table[name].get(value, 0.0))
    return table


WIDER = ("action", "service", "agent", "error")
"""Dimensions in which products have words of their own."""


UNSEEN = {
    "action": 0.002, "service": 0.01, "access": 0.1, "region": 0.2, "network": 0.3, "owner": 0.1, "agent": 0.05,
    "credential": 0.3, "credential_type": 0.1, "error": 0.01, "human": 0.05, "target": 0.3,
}  # fmt: skip
"""What a value that no training tenant showed is worth, by dimension."""


def specs(seeds: Iterable[int], machines: int, days: int, campaigns: int) -> Iterator[Spec]:
    """The simulated tenants of some seeds."""
    return (Spec(days=days, machines=machines, seed=seed, campaigns=campaigns) for seed in seeds)
