"""Geometry of the report's pictures: plain numbers for the template to draw, no markup."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nhi_watch.core import timestamps
from nhi_watch.core.notable import clip
from nhi_watch.report.words import amount, clock, short_name, signed, span

MAX_LANES = 12
Json = Mapping[str, Any]


class Bar(NamedTuple):
    """One signal's bar, in per cent of the picture's width."""

    signal: Json
    left: float
    width: float
    side: str
    """plus | minus | unknown (cannot tell)"""


class Mark(NamedTuple):
    """One circle."""

    x: float
    y: float
    radius: float
    style: str
    label: str
    target: int
    """Index of the notable that it opens; -1 for none."""


class Tick(NamedTuple):
    """A labelled place on an axis."""

    at: float
    label: str


class Picture(NamedTuple):
    """Circles over lanes or bands; sizes in pixels of the view box."""

    width: int
    height: int
    lanes: list[Tick]
    ticks: list[Tick]
    marks: list[Mark]
    left_out: int
    """Entries that are not drawn."""


def strongest(signals: Sequence[Json], limit: int) -> list[Json]:
    """The signals with most points of either sign, in the order given."""
    kept = sorted(range(len(signals)), key=lambda number: -abs(signals[number]["points"]))[:limit]
    return [signals[number] for number in sorted(kept)]


def bars(signals: Sequence[Json]) -> tuple[list[Bar], float]:
    """The bars of a notable's signals, and where zero lies, in per cent."""
    points = [signal["points"] for signal in signals] or [0.0]
    low, high = min(0.0, *points), max(0.0, *points)
    scale = 100 / ((high - low) or 1.0)
    zero = -low * scale
    return [_bar(signal, zero, scale) for signal in signals], round(zero, 2)


def _bar(signal: Json, zero: float, scale: float) -> Bar:
    size = signal["points"] * scale
    side = "unknown" if signal["cannot_tell"] else "plus" if size >= 0 else "minus"
    # What cannot be told still gets a hatched stub, so that it never looks like a zero.
    width = max(abs(size), 4.0 if signal["cannot_tell"] else 0.6)
    left = zero - width if size < 0 else min(zero, 100 - width)
    return Bar(signal, round(left, 2), round(width, 2), side)


def timeline(entries: Sequence[Json], limit: int, members: Sequence[Json] = ()) -> Picture:
    """A lane for each action, in order of first appearance; the entries with most points are drawn.

    Where several identities act, each has lanes of its own, in the order of `members`.
    """
    drawn = sorted(sorted(entries, key=lambda e: -e["points"])[:limit], key=lambda e: str(e["time"]))
    names = _lanes(drawn, members)
    who = {member["id"]: short_name(member) for member in members}
    lanes = names[:MAX_LANES] if len(names) <= MAX_LANES else [*names[: MAX_LANES - 1], ("", "other actions")]
    place = {name: min(number, len(lanes) - 1) for number, name in enumerate(names)}
    times = [timestamps.parse(entry["time"]) for entry in drawn] or [0]
    left, width, row = 300, 1000, 30
    axis = _Axis.over(times, left + 16, width - 24)
    marks = [
        Mark(x, 24 + row * place[_lane(entry)], _radius(entry), entry["outcome"], _told(entry), -1)
        for entry, x in zip(drawn, map(axis.at, times))
    ]
    labels = [f"{clip(who[one], 20)}: {action}" if one in who else action for one, action in lanes]
    ticks = [Tick(24 + row * number, label) for number, label in enumerate(labels)]
    height = 24 + row * len(lanes) + 14
    return Picture(width, height, ticks, axis.ticks(), marks, len(entries) - len(drawn))


def _lane(entry: Json) -> tuple[str, str]:
    return entry["identity"], entry["action"]


def _lanes(entries: Sequence[Json], members: Sequence[Json]) -> list[tuple[str, str]]:
    order = {member["id"]: number for number, member in enumerate(members)}
    return sorted(dict.fromkeys(map(_lane, entries)), key=lambda lane: order.get(lane[0], len(order)))


def _told(entry: Json) -> str:
    times = "" if entry["count"] == 1 else f", {amount(entry['count'])} times"
    return (
        f"{clock(entry['time'])} {entry['action']}{times}: {entry['outcome']} "
        f"from {entry['source'] or 'unknown'}, {signed(entry['points'])} points"
    )


def _radius(entry: Json) -> float:
    growth: float = math.log2(max(entry["count"], 1)) ** 0.8
    return round(min(4.5 + 1.6 * growth, 13.0), 1)


def overview(notables: Sequence[Json], limit: int = 1000) -> Picture:
    """Every notable by time and score; the size shows the priority."""
    drawn = notables[:limit]
    times = [timestamps.parse(notable["first_time"]) for notable in drawn] or [0]
    width, height, left, top = 1000, 320, 110, 16
    axis = _Axis.over(times, left, width - 30)
    inner = height - top - 40
    top_priority = max((notable["priority"] for notable in drawn), default=0.0) or 1.0
    marks = [
        Mark(
            axis.at(time),
            round(top + inner * (1 - notable["score"] / 100), 1),
            round(5 + 8 * math.sqrt(notable["priority"] / top_priority), 1),
            notable["severity"],
            _named(notable),
            number,
        )
        for number, (notable, time) in enumerate(zip(drawn, times))
    ]
    lanes = [Tick(round(top + inner * (1 - low / 100), 1), f"{name} {low}") for low, name in _BANDS]
    return Picture(width, height, lanes, axis.ticks(), marks, len(notables) - len(drawn))


def _named(notable: Json) -> str:
    title = clip(notable["title"], 100)
    return f"{notable['rank']}. {title} (score {int(notable['score'])}, {clock(notable['first_time'])})"


_BANDS = ((80, "critical"), (60, "high"), (40, "medium"), (20, "low"), (0, "informational"))
_STEPS = (60, 300, 600, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000)


class _Axis(NamedTuple):
    """Time from left to right."""

    first: int
    last: int
    left: float
    right: float

    @classmethod
    def over(cls, times: Sequence[int], left: float, right: float) -> _Axis:
        first, last = min(times), max(times)
        pad = max((last - first) // 25, 60)
        return cls(max(first - pad, 0), last + pad, left, right)

    def at(self, time: int) -> float:
        share = (time - self.first) / (self.last - self.first)
        return round(self.left + share * (self.right - self.left), 1)

    def ticks(self) -> list[Tick]:
        """At most seven round times."""
        whole = self.last - self.first
        step = next((step for step in _STEPS if whole / step <= 7), whole // 7)
        first = -(-self.first // step) * step
        return [Tick(self.at(time), self._label(time, step)) for time in range(first, self.last + 1, step)]

    def _label(self, time: int, step: int) -> str:
        text = timestamps.render(time)
        if step >= timestamps.DAY:
            return text[5:10]
        return text[11:16] if self.last - self.first <= timestamps.DAY else f"{text[5:10]} {text[11:16]}"


def duration(notable: Json) -> str:
    """How long the episode lasted."""
    return span(timestamps.parse(notable["last_time"]) - timestamps.parse(notable["first_time"]))
