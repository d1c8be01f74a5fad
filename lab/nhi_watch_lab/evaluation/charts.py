"""Geometry of the evaluation page's pictures: plain numbers for the template to draw, no markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nhi_watch_lab.evaluation.incidents import OURS

Figures = Mapping[str, Any]
WIDTH, LEFT, ROW = 640, 210, 22
PLOT = WIDTH - LEFT - 70
HIGH, BOTTOM = 260, 34


class Bar(NamedTuple):
    """A share with its interval, in pixels of the view box."""

    name: str
    y: float
    width: float
    low: float
    high: float
    value: str
    style: str
    """ours | other"""


class Bars(NamedTuple):
    """Horizontal bars, one a row."""

    title: str
    height: int
    bars: list[Bar]


class Point(NamedTuple):
    """A place of a line, with what it says."""

    x: float
    y: float
    label: str


class Line(NamedTuple):
    """Points from left to right."""

    name: str
    style: str
    points: list[Point]

    @property
    def path(self) -> str:
        """For an SVG polyline."""
        return " ".join(f"{p.x:g},{p.y:g}" for p in self.points)


class Lines(NamedTuple):
    """Lines in a square from 0 to 1."""

    title: str
    across: str
    ticks: list[Point]
    lines: list[Line]


def recall_bars(table: Figures, budget: str, origin: str) -> Bars:
    """Recall of every detector, the best first."""
    rows = [(name, row) for name, row in table.items() if name != "without_threshold"]
    told = [(name, _figure(row, budget, origin)) for name, row in rows]
    told.sort(key=lambda pair: -pair[1]["recall"])
    return bars(f"Recall at {budget} a day per 1,000, {origin}", told)


def _figure(row: Figures, budget: str, origin: str) -> Figures:
    found: Figures = row.get("recall", row)[budget][origin]
    return found


def bars(title: str, told: Sequence[tuple[str, Figures]], scale: float = 1.0) -> Bars:
    """Bars of figures with a recall and an interval; `scale` is what the full width stands for."""
    rows = []
    for number, (name, figure) in enumerate(told):
        low, high = (max(0.0, each) for each in figure["interval"])
        width, left, right = (_across(each, scale) for each in (figure["recall"], low, high))
        style = "ours" if name == OURS else "other"
        rows.append(Bar(name, number * ROW + 4, width, left, right, f"{figure['recall']:.3f}", style))
    return Bars(title, len(rows) * ROW + 8, rows)


def _across(share: float, scale: float) -> float:
    return round(PLOT * min(1.0, max(0.0, share / scale)), 1)


def cold_lines(figures: Figures) -> Lines:
    """Recall by days of history, at equal steps."""
    names = list(figures["recall"])
    step = (WIDTH - 80) / max(1, len(names) - 1)
    ticks = [Point(50 + n * step, 0, name) for n, name in enumerate(names)]
    lines = []
    for origin in ("external", "inside"):
        for budget in ("10", "3"):
            shares = [figures["recall"][name][budget][origin]["recall"] for name in names]
            points = [_point(tick.x, share) for tick, share in zip(ticks, shares)]
            lines.append(Line(f"{origin} at {budget}", f"{origin} at{budget}", points))
    return Lines("Recall by days of history", "days of history", ticks, lines)


def reliability(bins: Sequence[Figures]) -> Lines:
    """What was told beside what held, in bins of equal mass."""
    square = WIDTH - 80
    ticks = [Point(50 + share * square, 0, f"{share:g}") for share in (0, 0.25, 0.5, 0.75, 1)]
    points = [Point(round(50 + b["told"] * square, 1), _up(b["held"]), f"told {b['told']:.3f}, held {b['held']:.3f}, "
                    f"n {b['n']}") for b in bins]  # fmt: skip
    ideal = [Point(50, _up(0), "as told"), Point(50 + square, _up(1), "as told")]
    lines = [Line("as told", "ideal", ideal), Line("held", "external at10", points)]
    return Lines("Reliability of the notables written", "probability told", ticks, lines)


def survival(figures: Figures) -> Lines:
    """Least, 10% and median of the days until an attack passes, as a share of the days that were tried."""
    limit = figures["limit"]
    names = ["least", "p10", "median"]
    ticks = [Point(50 + n * (WIDTH - 80) / 2, 0, label) for n, label in enumerate(("least", "10%", "median"))]
    lines = []
    for name, key, style in (("with caps", "best_strategy", "external at10"),
                             ("without caps", "best_strategy_without_caps", "inside at10")):  # fmt: skip
        days = [figures[key][each] or 0 for each in names]
        points = [Point(t.x, _up(d / limit), f"{d} days") for t, d in zip(ticks, days)]
        lines.append(Line(name, style, points))
    return Lines(f"Days until an attack passes unseen (1: {limit} days)", "attacks, the fastest first", ticks, lines)


def _point(x: float, share: float) -> Point:
    return Point(round(x, 1), _up(share), f"{share:.3f}")


def _up(share: float) -> float:
    return round(10 + (HIGH - BOTTOM - 10) * (1 - share), 1)
