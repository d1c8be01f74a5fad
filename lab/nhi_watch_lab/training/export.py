"""A fitted estimator as tables: steps of single signals, and grids of pairs.

Each leaf of a tree holds on a box: an interval of each signal on its way. Where trees may combine two signals at
most, every box has one or two sides, so the sum of all trees is a sum of functions of one or two signals: the
tables are the same function, not an approximation.

Pairs are anchored at the ordinary value 0 of both signals (what a pair says where one of them is 0 belongs to the
other alone), so a pair speaks only where both signals do.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class Steps(NamedTuple):
    """One signal's step function."""

    edges: list[float]
    points: list[float]
    cannot_tell: float


class Grid(NamedTuple):
    """What two signals together add; the last row and column stand for *cannot tell*."""

    signals: tuple[int, int]
    edges: tuple[list[float], list[float]]
    points: Array


class Tables(NamedTuple):
    """The whole estimator."""

    steps: list[Steps]
    grids: list[Grid]
    intercept: float


class Side(NamedTuple):
    """The values of one signal that reach a leaf: low < value <= high, and perhaps those that cannot be told."""

    low: float
    high: float
    missing: bool


_ALL = Side(-np.inf, np.inf, True)
Box = Mapping[int, Side]


def tables(estimator: Any, signals: int) -> Tables:
    """Steps, grids and intercept of a fitted HistGradientBoostingClassifier, unrounded.

    Raises:
        ValueError: a tree combines more than two signals.
    """
    intercept = float(np.ravel(estimator._baseline_prediction)[0])
    boxes: dict[tuple[int, ...], list[tuple[Box, float]]] = {}
    for (predictor,) in estimator._predictors:
        for box, value in _leaves(predictor.nodes, 0, {}):
            boxes.setdefault(tuple(sorted(box)), []).append((box, value))
    intercept += sum(value for _, value in boxes.pop((), []))
    if any(len(names) > 2 for names in boxes):
        raise ValueError("a tree combines more than two signals; tables cannot say that")
    single = {names[0]: held for names, held in boxes.items() if len(names) == 1}
    grids = []
    for names in sorted(names for names in boxes if len(names) == 2):
        grid = _grid((names[0], names[1]), boxes[names])
        grids.append(grid)
    return _anchored(single, grids, intercept, signals)


def _leaves(nodes: Any, index: int, box: Box) -> Iterator[tuple[Box, float]]:
    node = nodes[index]
    if node["is_leaf"]:
        yield box, float(node["value"])
        return
    signal, edge = int(node["feature_idx"]), float(node["num_threshold"])
    side, missing_left = box.get(signal, _ALL), bool(node["missing_go_to_left"])
    left = Side(side.low, min(side.high, edge), side.missing and missing_left)
    right = Side(max(side.low, edge), side.high, side.missing and not missing_left)
    yield from _leaves(nodes, int(node["left"]), {**box, signal: left})
    yield from _leaves(nodes, int(node["right"]), {**box, signal: right})


def _edges(held: list[tuple[Box, float]], signal: int) -> list[float]:
    sides = [box[signal] for box, _ in held]
    return sorted({edge for side in sides for edge in (side.low, side.high) if np.isfinite(edge)})


def _holds(side: Side, edges: list[float]) -> npt.NDArray[np.bool_]:
    """Which steps between the edges a side covers; the last place stands for *cannot tell*."""
    tops = np.array([*edges, np.inf])
    bottoms = np.array([-np.inf, *edges])
    return np.append((bottoms >= side.low) & (tops <= side.high), side.missing)


def _row(held: list[tuple[Box, float]], signal: int, edges: list[float]) -> Array:
    row = np.zeros(len(edges) + 2)
    for box, value in held:
        row += value * _holds(box[signal], edges)
    return row


def _grid(signals: tuple[int, int], held: list[tuple[Box, float]]) -> Grid:
    first, second = (_edges(held, signal) for signal in signals)
    points = np.zeros((len(first) + 2, len(second) + 2))
    for box, value in held:
        points += value * np.outer(_holds(box[signals[0]], first), _holds(box[signals[1]], second))
    return Grid(signals, (first, second), points)


def _anchored(
    single: Mapping[int, list[tuple[Box, float]]], grids: list[Grid], intercept: float, signals: int
) -> Tables:
    """Moves what a grid says along its zero row and zero column to the steps of its signals."""
    rows: dict[int, list[tuple[list[float], Array]]] = {index: [] for index in range(signals)}
    for signal, held in single.items():
        edges = _edges(held, signal)
        rows[signal].append((edges, _row(held, signal, edges)))
    pure = []
    for grid in grids:
        zero_row, zero_column = (bisect_left(edges, 0.0) for edges in grid.edges)
        corner = float(grid.points[zero_row, zero_column])
        along_first, along_second = grid.points[:, zero_column] - corner, grid.points[zero_row, :] - corner
        rows[grid.signals[0]].append((grid.edges[0], along_first))
        rows[grid.signals[1]].append((grid.edges[1], along_second))
        pure.append(grid._replace(points=grid.points - along_first[:, None] - along_second[None, :] - corner))
        intercept += corner
    return Tables([_steps(rows[index]) for index in range(signals)], pure, intercept)


def _steps(parts: list[tuple[list[float], Array]]) -> Steps:
    """The sum of some step functions of one signal."""
    edges = sorted({edge for own, _ in parts for edge in own})
    inside = [*edges, (edges[-1] if edges else 0.0) + 1.0]
    points = [sum(float(row[bisect_left(own, value)]) for own, row in parts) for value in inside]
    return Steps(edges, points, sum(float(row[-1]) for _, row in parts))


def values_of(found: Tables, rows: Array) -> Array:
    """The log-odds of each row, as the tables tell it."""
    total = np.full(len(rows), found.intercept)
    for column, steps in zip(rows.T, found.steps):
        total += np.array([*steps.points, steps.cannot_tell])[_places(steps.edges, column)]
    for grid in found.grids:
        total += worth(grid, rows)
    return total


def worth(grid: Grid, rows: Array) -> Array:
    """What a grid adds to each row."""
    first, second = (_places(edges, rows[:, signal]) for signal, edges in zip(grid.signals, grid.edges))
    return np.asarray(grid.points[first, second])


def _places(edges: list[float], column: Array) -> npt.NDArray[np.int64]:
    return np.where(np.isnan(column), len(edges) + 1, np.searchsorted(edges, np.nan_to_num(column), side="left"))
