"""The verbs that sum up rows (stats, timechart, sort …), as far as our dashboards use them, after Splunk's manual.

https://docs.splunk.com/Documentation/Splunk/9.3.1/SearchReference/Stats
https://docs.splunk.com/Documentation/Splunk/9.3.1/SearchReference/Timechart
https://docs.splunk.com/Documentation/Splunk/9.3.1/SearchReference/Sort
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import ceil
from typing import NamedTuple, Optional

from nhi_watch.core.timestamps import DAY, HOUR
from splunk_process import Row

_CALL = re.compile(r"(\w+?)(\d+)?(?:\((\w+)\))?(?: AS (\w+))?")
_SPANS = {"1d": DAY, "1h": HOUR}


class Call(NamedTuple):
    """One function of stats."""

    name: str
    percent: int
    field: str
    out: str

    def of(self, rows: list[Row]) -> list[str]:
        """Its value over rows; none where no row has the field."""
        if self.name == "count":
            return [str(len(rows))]
        values = [value for row in rows for value in row.get(self.field, ()) if value]
        if self.name == "dc":
            return [str(len(set(values)))]
        return [_FUNCTIONS[self.name](self, values)] if values else []


def _largest(call: Call, values: list[str]) -> str:
    return max(values, key=_order)


def _least(call: Call, values: list[str]) -> str:
    return min(values, key=_order)


def _sum(call: Call, values: list[str]) -> str:
    return f"{sum(float(value) for value in values):.15g}"


def _percentile(call: Call, values: list[str]) -> str:
    return sorted(values, key=_order)[ceil(call.percent / 100 * len(values)) - 1]


_FUNCTIONS: dict[str, Callable[[Call, list[str]], str]] = {
    "max": _largest,
    "min": _least,
    "sum": _sum,
    "perc": _percentile,
}


def _order(value: str) -> tuple[bool, float, str]:
    """Numbers by size, before texts."""
    try:
        return (False, float(value), "")
    except ValueError:
        return (True, 0.0, value)


def calls(text: str) -> list[Call]:
    """The functions of a stats.

    >>> calls("count, max(a) AS most")
    [Call(name='count', percent=0, field='', out='count'), Call(name='max', percent=0, field='a', out='most')]
    """
    result = []
    for part in text.split(","):
        match = _CALL.fullmatch(part.strip())
        assert match and match[1] in {*_FUNCTIONS, "count", "dc"}, f"stats cannot {part!r}"
        name, percent, field, out = match.groups()
        result.append(Call(name, int(percent or 0), field or "", out or part.strip()))
    return result


def _groups(rows: Iterable[Row], by: list[str]) -> dict[tuple[str, ...], list[Row]]:
    """A row that has several values of a field belongs to several groups; one that has none, to no group."""
    result: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        keys: list[tuple[str, ...]] = [()]
        for name in by:
            keys = [(*key, value) for key in keys for value in row.get(name, ()) if value]
        for key in keys:
            result.setdefault(key, []).append(row)
    return dict(sorted(result.items()))


def _stats(rest: str, rows: list[Row]) -> list[Row]:
    functions, _, by = rest.partition(" BY ")
    names, asked = by.split(), calls(functions)
    groups = _groups(rows, names) if names else {(): rows}
    return [
        {**{name: [value] for name, value in zip(names, key)}, **{call.out: call.of(group) for call in asked}}
        for key, group in groups.items()
    ]


def _timechart(rest: str, rows: list[Row]) -> list[Row]:
    match = re.fullmatch(r"span=(\w+) (.*?)(?: BY (\w+))?", rest)
    assert match, rest
    span, asked, by = _SPANS[match[1]], calls(match[2]), match[3]
    bins: dict[int, list[Row]] = {}
    for row in rows:
        bins.setdefault(int(float(row["_time"][0])) // span * span, []).append(row)
    series = sorted({value for row in rows for value in row.get(by, ())}) if by else []
    ends = range(min(bins), max(bins) + 1, span) if bins else ()
    return [{"_time": [str(start)], **_cells(bins.get(start, []), asked, (by, series))} for start in ends]


def _cells(rows: list[Row], asked: list[Call], split: tuple[Optional[str], list[str]]) -> Row:
    by, series = split
    if by is None:
        return {call.out: call.of(rows) for call in asked}
    return {value: asked[0].of([row for row in rows if value in row.get(by, ())]) for value in series}


def _sort(rest: str, rows: list[Row]) -> list[Row]:
    match = re.fullmatch(r"(\d+) (- ?)?(\w+)", rest)
    assert match, rest
    there, nothing = ([row for row in rows if bool((row.get(match[3]) or [""])[0]) is has] for has in (True, False))
    ordered = [*sorted(there, key=lambda row: _order(row[match[3]][0]), reverse=bool(match[2])), *nothing]
    return ordered[: int(match[1])] if int(match[1]) else ordered


def _dedup(rest: str, rows: list[Row]) -> list[Row]:
    kept: dict[tuple[tuple[str, ...], ...], Row] = {}
    for row in rows:
        key = tuple(tuple(row.get(name, ())) for name in rest.split())
        if all(key):
            kept.setdefault(key, row)
    return list(kept.values())


def _rename(rest: str, rows: list[Row]) -> list[Row]:
    names = dict(pair.strip().split(" AS ") for pair in rest.split(","))
    return [{names.get(name, name): values for name, values in row.items()} for row in rows]


def _fillnull(rest: str, rows: list[Row]) -> list[Row]:
    match = re.fullmatch(r'value="(\w+)" (\w+)', rest)
    assert match, rest
    return [{**row, match[2]: [value for value in row.get(match[2], ()) if value] or [match[1]]} for row in rows]


REPORTS: dict[str, Callable[[str, list[Row]], list[Row]]] = {
    "stats": _stats,
    "timechart": _timechart,
    "sort": _sort,
    "dedup": _dedup,
    "rename": _rename,
    "fillnull": _fillnull,
}
