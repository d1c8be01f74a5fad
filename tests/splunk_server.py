"""A small stand-in for a search head: runs searches of default/ over events in memory, our commands as processes.

Only the verbs that our searches use, done in plain Python after Splunk's documentation. What it cannot do, it
refuses: a search that needs more must be looked at.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from nhi_watch.core.timestamps import DAY, HOUR, parse, render
from splunk_conf import conf, expand, stages
from splunk_process import Row, run
from splunk_reports import REPORTS
from splunk_search import matcher
from splunk_stream import flat

_OFFSETS = {"m": 60, "h": HOUR, "d": DAY}
_RELATIVE = re.compile(r"([+-]?\d+)([mhd])(?:@([mhd]))?")
_PAIR = re.compile(r'([\w.]+)="((?:[^"\\]|\\.)*)"')


def moment(text: str, now: int) -> int:
    """A relative time, as `-8m@m`, `now` or `-1d@h`.

    >>> moment("-1d@d", 3 * DAY + 5) == 2 * DAY, moment("now", 7)
    (True, 7)
    """
    if text in ("now", ""):
        return now
    match = _RELATIVE.fullmatch(text)
    assert match, f"not a relative time: {text}"
    at = now + int(match[1]) * _OFFSETS[match[2]]
    return at - at % _OFFSETS[match[3]] if match[3] else at


class Window(NamedTuple):
    """What a search looks at: event time and index time, each from (inclusive) to (exclusive)."""

    earliest: int
    latest: int
    index_earliest: int = 0
    index_latest: int = 1 << 60


class Server:
    """Indexes in memory, lookups in the app's folder."""

    def __init__(self, app: Path, python: str) -> None:
        self.app = app
        self.python = python
        self.events: list[Row] = []
        self.alerts: list[tuple[str, Row]] = []
        """(action, row) of sendalert."""
        self.messages: list[list[str]] = []
        self.overrides: dict[str, str] = {}
        """Macros in local/."""
        self.collections: dict[str, list[Row]] = {"nhi_feedback": [], "ip_intel": []}
        """Lookups of the KV store."""
        self._saved = conf("savedsearches.conf")

    def index(self, records: Iterable[tuple[float, dict[str, Any]]], sourcetype: str, at: int = 0) -> None:
        """Take in events of a log, each with its time, that arrive at a second; 0: each a minute after its time."""
        for time, record in records:
            arrived = at or int(time) + 60
            self._add({
                "_raw": [json.dumps(record)], "_time": [str(int(time))], "_indextime": [str(arrived)],
                "index": ["main"], "sourcetype": [sourcetype], "source": [f"/var/log/{sourcetype}"],
            })  # fmt: skip

    def notable(self, raw: str, at: int) -> None:
        """Take in a notable that comes through the HTTP Event Collector."""
        self._collect('index=nhi_risk sourcetype="nhi:notable"', [{"_raw": [raw]}], at)

    def _add(self, row: Row) -> None:
        self.events.append(row)

    def scheduled(self, name: str, now: int) -> list[Row]:
        """Run a saved search as its schedule would."""
        settings = self._saved[name]
        ends = ("earliest_time", "latest_time", "index_earliest", "index_latest")
        earliest, latest, since, until = (settings.get(f"dispatch.{end}", "") for end in ends)
        indexed = (moment(since, now), moment(until, now)) if since else (0, now + 1)
        window = Window(moment(earliest, now), moment(latest, now) + 1, *indexed)
        return self.search(settings["search"], window, now)

    def search(self, text: str, window: Window, now: int) -> list[Row]:
        """Run a search."""
        first, *rest = stages(expand(text, self.overrides))
        return self.go_on(" | ".join(rest), self._generate(first, window), (window, now))

    def go_on(self, text: str, rows: list[Row], when: tuple[Window, int]) -> list[Row]:
        """Run what follows the first pipe of a search, or a chained search of a dashboard."""
        for stage in stages(expand(text, self.overrides)):
            rows = self._stage(stage, rows, when)
        return rows

    def _generate(self, stage: str, window: Window) -> list[Row]:
        verb, _, rest = stage.partition(" ")
        if verb == "inputlookup":
            return self._inputlookup(rest.strip())
        if verb == "tstats":
            return self._tstats(rest, window)
        if verb == "makeresults":
            return [{"_time": [str(window.latest - 1)]}]
        return self._find(stage, window)

    def _find(self, text: str, window: Window) -> list[Row]:
        matches = matcher(re.sub(r"\b(earliest|latest)=\S+", "", text))
        plain = not re.search(r"\bnhi_\w+=", text)  # then only indexed fields are asked for
        inside = (row for row in reversed(self.events) if _inside(row, window) and (not plain or matches(row)))
        return [row for row in map(_extracted, inside) if plain or matches(row)]

    def _stage(self, stage: str, rows: list[Row], when: tuple[Window, int]) -> list[Row]:
        verb, _, rest = stage.partition(" ")
        if verb.startswith("nhi"):
            answer = run(self.python, self.app / "bin" / f"{verb}.py", rest, rows, (when[0].earliest, when[1]))
            self.messages += answer.messages
            return answer.rows
        if verb == "inputlookup":
            assert rest.startswith("append=true "), rest
            return rows + self._inputlookup(rest.partition(" ")[2].strip())
        if verb == "append":
            return rows + self._append(rest, when)
        if verb in ("collect", "outputlookup", "sendalert"):
            getattr(self, f"_{verb}")(rest, rows, when[1])
            return rows
        return _VERBS[verb](rest, rows)

    def _append(self, rest: str, when: tuple[Window, int]) -> list[Row]:
        inner = rest.strip()[1:-1].strip().removeprefix("search ")
        told = re.search(r"\bearliest=(\S+)", inner)
        window = when[0]._replace(earliest=moment(told[1], when[1])) if told else when[0]
        return self.search(inner, window, when[1])

    def _collect(self, rest: str, rows: list[Row], now: int) -> None:
        told = dict(re.findall(r'(\w+)="?([^"\s]+)"?', rest))
        for row in rows:
            raw = row.get("_raw", [""])[0]
            text = raw or _stash(row)
            time = json.loads(raw)["time"] if raw else row.get("_time", [""])[0] or str(now)
            seconds = time if time.isdigit() else str(parse(time))
            self._add({
                "_raw": [text], "_time": [seconds], "_indextime": [str(now)], "index": [told["index"]],
                "source": [told.get("source", "search")], "sourcetype": [told.get("sourcetype", "stash")],
            })  # fmt: skip

    def _sendalert(self, rest: str, rows: list[Row], now: int) -> None:
        self.alerts += [(rest, row) for row in rows]

    def lookup(self, name: str) -> Path:
        """Where a lookup file lies."""
        return self.app / "lookups" / name

    def _outputlookup(self, rest: str, rows: list[Row], now: int) -> None:
        *options, name = rest.split()
        assert options == ["override_if_empty=false"], rest
        if not rows:
            return
        out = io.StringIO()
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([["\n".join(row.get(n, [""])) for n in names] for row in rows])
        text = out.getvalue().encode()
        self.lookup(name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)

    def _inputlookup(self, name: str) -> list[Row]:
        if name in self.collections:
            return self.collections[name]
        text = gzip.decompress(self.lookup(name).read_bytes()).decode()
        csv.field_size_limit(2**31 - 1)
        return [{n: [v] for n, v in row.items()} for row in csv.DictReader(io.StringIO(text, newline=""))]

    def _tstats(self, rest: str, window: Window) -> list[Row]:
        match = re.fullmatch(r"count max\(_indextime\) AS nhi_indexed where (.*) by sourcetype _time span=1h", rest)
        assert match, rest
        buckets: dict[tuple[str, int], list[int]] = {}
        for row in self._find(match[1], window):
            start = int(row["_time"][0]) // HOUR * HOUR
            buckets.setdefault((row["sourcetype"][0], start), []).append(int(row["_indextime"][0]))
        return [
            {"sourcetype": [name], "_time": [str(start)], "count": [str(len(at))], "nhi_indexed": [str(max(at))]}
            for (name, start), at in sorted(buckets.items())
        ]


def _extracted(row: Row) -> Row:
    """With fields that a search extracts: pairs of stash, JSON of all else."""
    raw = row["_raw"][0]
    if row["sourcetype"] == ["stash"]:
        found: Row = {name: [value] for name, value in _PAIR.findall(raw)}
    else:
        try:
            found = flat(json.loads(raw))
        except ValueError:
            found = {}
    return {**found, **_calculated(found, row["sourcetype"][0]), **row}


def _calculated(found: Row, sourcetype: str) -> Row:
    """Fields that props.conf makes of others by another name."""
    props = conf("props.conf")
    items = props.items(sourcetype) if sourcetype in props else []
    told = {key[5:]: value.strip("'") for key, value in items if key.startswith("EVAL-")}
    return {name: found[other] for name, other in told.items() if other in found}


def _inside(row: Row, window: Window) -> bool:
    at, indexed = int(row["_time"][0]), int(row["_indextime"][0])
    return window.earliest <= at < window.latest and window.index_earliest <= indexed < window.index_latest


def _stash(row: Row) -> str:
    """An event without `_raw`, as collect writes it."""
    seconds = int(row.get("_time", ["0"])[0] or 0)
    pairs = [
        '{}="{}"'.format(name, "\n".join(values).replace("\\", "\\\\").replace('"', '\\"'))
        for name, values in row.items()
        if values and values != [""] and not name.startswith("_")
    ]
    return f"{render(seconds)}, " + ", ".join(pairs)


# ---- verbs that only look at rows


def _search(rest: str, rows: list[Row]) -> list[Row]:
    matches = matcher(rest)
    return [row for row in rows if matches(row)]


def _eval(rest: str, rows: list[Row]) -> list[Row]:
    inside = re.sub(r"\([^)]*\)", lambda match: match[0].replace(",", ";"), rest)
    pairs = [tuple(pair.strip().split("=")) for pair in inside.split(",")]
    return [{**row, **{name: _value(row, told) for name, told in pairs}} for row in rows]


def _value(row: Row, told: str) -> list[str]:
    cut = re.fullmatch(r"substr\((\w+); (\d+); (\d+)\)", told)
    if cut:
        return [value[int(cut[2]) - 1 :][: int(cut[3])] for value in row.get(cut[1], ())]
    return [told.strip('"')] if told.startswith('"') else row.get(told, [])


def _fields(rest: str, rows: list[Row]) -> list[Row]:
    assert rest.startswith("- "), rest
    gone = rest[2:].split()
    return [{name: values for name, values in row.items() if name not in gone} for row in rows]


def _table(rest: str, rows: list[Row]) -> list[Row]:
    return [{name: row.get(name, []) for name in rest.split()} for row in rows]


def _head(rest: str, rows: list[Row]) -> list[Row]:
    return rows[: int(rest)]


_VERBS: dict[str, Callable[[str, list[Row]], list[Row]]] = {
    "search": _search, "where": _search, "eval": _eval, "fields": _fields, "table": _table, "head": _head, **REPORTS,
}  # fmt: skip
VERBS = frozenset(_VERBS) | {"append", "collect", "outputlookup", "sendalert", "inputlookup", "tstats", "makeresults"}
