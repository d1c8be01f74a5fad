"""A small stand-in for a search head and its peers: runs searches of default/ over events in memory, our commands as
processes, or where many runs are needed, in this process.

Only the verbs that our searches use, done in plain Python after Splunk's documentation. What it cannot do, or the
grammar of splunk_grammar.py does not know, it refuses: a search that needs more must be looked at.

https://docs.splunk.com/Documentation/Splunk/9.3.1/SearchReference/Collect
https://docs.splunk.com/Documentation/Splunk/9.3.1/SearchReference/Outputlookup
https://docs.splunk.com/Documentation/Splunk/9.3.1/SearchReference/Append
https://docs.splunk.com/Documentation/Splunk/9.3.1/SearchReference/Tstats
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Optional

from nhi_watch.core.timestamps import DAY, HOUR, parse, render
from nhi_watch.hosts.splunk import steps
from nhi_watch.hosts.splunk.steps import BACKFILL
from splunk_conf import conf, expand, stages
from splunk_eval import Scope, assignments, expression, is_true, spelled
from splunk_grammar import OWN_GENERATING, SPANS, check
from splunk_peers import PEER, Fault, Limits, SearchFailedError, Window, answers, at_each, inside
from splunk_process import NOBODY, CommandError, Row, Session, run, run_here
from splunk_reports import REPORTS
from splunk_rest import splunkd
from splunk_roles import Role
from splunk_search import TIMES, matcher
from splunk_stream import flat

_OFFSETS = {"m": 60, "h": HOUR, "d": DAY}
_RELATIVE = re.compile(r"(?:([+-]?\d+)([mhd]))?(?:@([mhd]))?")
MAXCHARS, CUTOFF = 10_240, 5_000
"""[kv] maxchars: so much of an event, and of a value, is looked at for pairs; [spath] extraction_cutoff: so many bytes
for JSON. https://docs.splunk.com/Documentation/Splunk/9.3.1/Admin/Limitsconf"""
_PAIR = re.compile(r'([\w.]+)="((?:[^"\\]|\\.)*)"')


def moment(text: str, now: int) -> int:
    """A relative time, as `-8m@m`, `now` or `-1d@h`.

    >>> moment("-1d@d", 3 * DAY + 5) == 2 * DAY, moment("now", 7)
    (True, 7)
    """
    if text in ("now", ""):
        return now
    match = _RELATIVE.fullmatch(text)
    assert match and match[0], f"not a relative time: {text}"
    at = now + (int(match[1]) * _OFFSETS[match[2]] if match[1] else 0)
    return at - at % _OFFSETS[match[3]] if match[3] else at


_STREAMING = frozenset({"nhigroup", "nhiscore"})
_ONE = Limits()
_TIMES = re.compile(rf"(?<!\w)({'|'.join(sorted(TIMES))})=([^\s)]+)")
APPENDED = 10_000
"""Most rows of an append's subsearch, and 60 seconds: its documented defaults."""


HOSTS = conf("macros.conf")["nhi_endpoint"]["description"].partition("On: ")[2]
"""What a customer sets who wants hosts too."""


class Server:
    """Indexes in memory, on one peer or several; lookups in the app's folder."""

    def __init__(self, app: Path, python: str = "", peers: int = 1) -> None:
        self.app = app
        self.python = python
        """Splunk's Python; "": commands run in this process."""
        self.peers = peers
        self.events: list[Row] = []
        self.messages: list[list[str]] = []
        self.failed: list[str] = []
        """Scheduled searches that failed."""
        self.overrides: dict[str, str] = {"nhi_indexes": "index=main", "nhi_endpoint": HOSTS}
        """Macros in local/."""
        self.collections: dict[str, list[Row]] = {"nhi_feedback": [], "nhi_notables": [], "ip_intel": []}
        """Lookups of the KV store."""
        self.splunkd = splunkd()
        """REST, with the collections that commands ask for."""
        self.splunkd.export = self._exported
        self.steps: set[str] = set()
        """Keys of nhi_steps."""
        self.faults: list[Fault] = []
        """What is wrong with peers now."""
        self.role: Optional[Role] = None
        """Who searches; None: an administrator."""
        self._saved = conf("savedsearches.conf")

    def index(self, records: Iterable[tuple[float, dict[str, Any]]], sourcetype: str, at: int = 0) -> None:
        """Take in events of a log, each with its time, that arrive at a second; 0: each a minute after its time."""
        for time, record in records:
            arrived = at or int(time) + 60
            self._add(
                {
                    "_raw": [json.dumps(record)],
                    "_time": [str(int(time))],
                    "_indextime": [str(arrived)],
                    "index": ["main"],
                    "sourcetype": [sourcetype],
                    "source": [f"/var/log/{sourcetype}"],
                }
            )

    def notable(self, raw: str, at: int) -> None:
        """Take in a notable that comes through the HTTP Event Collector."""
        self._collect('index=nhi_risk sourcetype="nhi:notable"', [{"_raw": [raw]}], at)

    def _add(self, row: Row) -> None:
        row[PEER] = [str(len(self.events) % self.peers)]
        self.events.append(row)

    def scheduled(self, name: str, now: int) -> list[Row]:
        """Run a saved search as its schedule would; one that fails writes nothing, and has no rows."""
        settings = self._saved[name]
        ends = ("earliest_time", "latest_time", "index_earliest", "index_latest")
        earliest, latest, since, until = (settings.get(f"dispatch.{end}", "") for end in ends)
        indexed = (moment(since, now), moment(until, now)) if since else (0, now + 1)
        window = Window(moment(earliest, now), moment(latest, now) + 1, *indexed)
        partial = settings.get("dispatch.allow_partial_results", "1") in ("1", "true")
        limits = Limits(partial, int(settings.get("dispatch.max_time", "0")))
        try:
            return self.search(settings["search"], window, now, limits)
        except SearchFailedError:
            self.failed.append(name)
            return []

    def backfill(self, first: int, last: int, now: int) -> None:
        """The searches of a look back, one after the other for each day, as the page Set up starts them."""
        for day in range(first, last + 1):
            for name in BACKFILL:
                window = Window(day * DAY, (day + 1) * DAY)
                self.search(self._saved[f"NHI Watch - {name}"]["search"], window, max(now, window.latest))

    def standing(self) -> dict[str, Row]:
        """Notable id → the latest revision of those that stand, as a dashboard finds them."""
        last = max((int(row["_indextime"][0]) for row in self.events), default=0)
        rows = self.search("`nhi_notables` | `nhi_latest`", Window(0, last + DAY), last)
        return {row["nhi_id"][0]: row for row in rows}

    def search(self, text: str, window: Window, now: int, limits: Limits = _ONE) -> list[Row]:
        """Run a search."""
        search = expand(text, self.overrides, now)
        check(search)
        first, *rest = stages(search)
        spans = SPANS.search(first)
        if spans:
            plain = SPANS.sub("", first).strip()
            windows = [_bounded(item, window, now) for item in spans[1].split(" OR ")]
            rows = [row for window in windows for row in self._generate(plain, window, limits)]
            return self.go_on(" | ".join(rest), rows, (window, now))
        window = _bounded(first, window, now)
        return self.go_on(" | ".join(rest), self._generate(first, window, limits), (window, now))

    def _exported(self, text: str, earliest: int, latest: int) -> list[dict[str, str]]:
        """The rows of a search that a command asks for over REST."""
        rows = self.search(text, Window(earliest, latest), latest - 1, Limits(partial=False))
        return [{name: "\n".join(values) for name, values in row.items()} for row in rows]

    def go_on(self, text: str, rows: list[Row], when: tuple[Window, int]) -> list[Row]:
        """Run what follows the first pipe of a search, or a chained search of a dashboard."""
        for stage in stages(expand(text, self.overrides, when[1])):
            rows = self._stage(stage, rows, when)
        return [{name: values for name, values in row.items() if name != PEER} for row in rows]

    def _generate(self, stage: str, window: Window, limits: Limits) -> list[Row]:
        verb, _, rest = stage.partition(" ")
        if verb == "inputlookup":
            return self._inputlookup(rest.strip())
        if verb == "tstats":
            return self._tstats(rest, window, limits)
        if verb == "nhisetup":
            assert rest.strip() == "do=reconcile", rest
            done = steps.reconcile(Head(self, window.latest - 1), window.latest - 1)
            return [{name: [text] for name, text in row.items()} for row in done]
        if verb in OWN_GENERATING:
            return self._own(verb, rest, [], (window, window.latest - 1))
        if verb == "makeresults":
            return [{"_time": [str(window.latest - 1)]}]
        return self._find(stage, window, limits)

    def _find(self, text: str, window: Window, limits: Limits) -> list[Row]:
        matches = matcher(_TIMES.sub("", text.removeprefix("search ")))
        plain = not re.search(r"\bnhi_\w+(=| IN )", text)  # then only indexed fields are asked for
        seen = (row for row in reversed(self.events) if inside(row, window) and (not plain or matches(row)))
        allowed = (row for row in seen if self.role is None or self.role.sees(row["index"][0]))
        rows = [row for row in map(_extracted, allowed) if plain or matches(row)]
        return answers(rows, self.faults, limits)

    def _stage(self, stage: str, rows: list[Row], when: tuple[Window, int]) -> list[Row]:
        verb, _, rest = stage.partition(" ")
        if verb in _STREAMING:
            return at_each(rows, lambda mine: self._own(verb, rest, mine, when))
        if verb.startswith("nhi"):
            return self._own(verb, rest, rows, when)
        if verb == "inputlookup":
            assert rest.startswith("append=true "), rest
            return rows + self._inputlookup(rest.partition(" ")[2].strip())
        if verb == "append":
            return rows + self._append(rest, when)
        if verb == "appendpipe":
            return rows + self.go_on(rest.strip().removeprefix("[").removesuffix("]").strip(), rows, when)
        if verb == "addinfo":
            ends = {"info_min_time": [str(when[0].earliest)], "info_max_time": [str(when[0].latest)]}
            return [{**row, **ends} for row in rows]
        if verb == "where":
            keeps = expression(rest)
            return [row for row in rows if is_true(keeps(Scope(row, when[1])))]
        if verb == "eval":
            return [_evaluated(row, rest, when[1]) for row in rows]
        if verb == "sort":  # from here on rows are on the search head
            rows = [{name: values for name, values in row.items() if name != PEER} for row in rows]
        if verb in ("collect", "outputlookup"):
            getattr(self, f"_{verb}")(rest, rows, when[1])
            return rows
        return _VERBS[verb](rest, rows)

    def _own(self, verb: str, rest: str, rows: list[Row], when: tuple[Window, int]) -> list[Row]:
        times = (when[0].earliest, min(when[0].latest - 1, when[1]))  # searchinfo tells the search's own ends
        is_remote = verb == "nhigroup"  # on an indexer
        session = NOBODY if is_remote else Session(self.splunkd.url, self.splunkd.session)
        if self.python:
            answer = run(self.python, self.app / "bin" / f"{verb}.py", rest, rows, times, session=session)
        else:
            answer = run_here(verb, self.app / "lookups", rest, rows, times, session)
        self.messages += answer.messages
        return answer.rows

    def _append(self, rest: str, when: tuple[Window, int]) -> list[Row]:
        options, _, inner = rest.strip().removesuffix("]").partition("[")
        bounds = dict(re.findall(r"(\w+)=(\d+)", options))
        limits = Limits(max_time=int(bounds.get("maxtime", "60")))
        rows = self.search(inner.strip().removeprefix("search "), when[0], when[1], limits)
        return rows[: int(bounds.get("maxout", APPENDED))]

    def _collect(self, rest: str, rows: list[Row], now: int) -> None:
        arguments = dict(re.findall(r'(\w+)="?([^"\s]+)"?', rest))
        assert self.role is None or self.role.sees(arguments["index"]), (
            "collect into an index that the role does not see"
        )
        for row in rows:
            raw = row.get("_raw", [""])[0]
            text = raw or stash(row)
            time = json.loads(raw)["time"] if raw else row.get("_time", [""])[0] or str(now)
            seconds = time if time.isdigit() else str(parse(time))
            self._add(
                {
                    "_raw": [text],
                    "_time": [seconds],
                    "_indextime": [str(now)],
                    "index": [arguments["index"]],
                    "source": [arguments.get("source", "search")],
                    "sourcetype": [arguments.get("sourcetype", "stash")],
                }
            )

    def lookup(self, name: str) -> Path:
        """Where a lookup file lies."""
        return self.app / "lookups" / name

    def _outputlookup(self, rest: str, rows: list[Row], now: int) -> None:
        *options, name = rest.split()
        arguments = dict(option.split("=") for option in options)
        assert self.role is None or self.role.may_write(name), f"the role may not write {name}"
        if name in self.collections:
            self._keep(name, rows, arguments)
        elif rows:
            assert arguments.get("override_if_empty") == "false", "an empty answer would delete the file"
            self._write(name, rows)

    def _keep(self, name: str, rows: list[Row], arguments: dict[str, str]) -> None:
        """Rows in the KV store: key_field replaces documents one by one, and implies append."""
        key = arguments.get("key_field", "")
        appends = arguments.get("append", "true" if key else "false") == "true"
        known = self.collections[name] if appends else []
        keys = {row[key][0] for row in rows} if key else set()
        self.collections[name] = [row for row in known if not key or row[key][0] not in keys] + rows

    def _write(self, name: str, rows: list[Row]) -> None:
        out = io.StringIO()
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([["\n".join(row.get(n, [""])) for n in names] for row in rows])
        text = out.getvalue().encode()
        self.lookup(name).parent.mkdir(exist_ok=True)
        self.lookup(name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)

    def _inputlookup(self, text: str) -> list[Row]:
        name, _, where = text.partition(" ")
        keeps = matcher(where.partition(" ")[2]) if where else bool
        return [row for row in self._looked_up(name) if keeps(row)]

    def _looked_up(self, name: str) -> list[Row]:
        if name in self.collections:
            return self.collections[name]
        if not self.lookup(name).exists():
            return []  # a warning, no error
        data = self.lookup(name).read_bytes()
        text = (gzip.decompress(data) if name.endswith(".gz") else data).decode()
        csv.field_size_limit(2**31 - 1)
        return [{n: [v] for n, v in row.items()} for row in csv.DictReader(io.StringIO(text, newline=""))]

    def _tstats(self, rest: str, window: Window, limits: Limits) -> list[Row]:
        match = re.fullmatch(
            r"count( max\(_indextime\) AS nhi_indexed)? where (.*) by ((?:\w+ )*?)_time span=(\d+)([mhd])", rest
        )
        assert match, rest
        by, span = match[3].split(), int(match[4]) * _OFFSETS[match[5]]
        buckets: dict[tuple[str, ...], list[int]] = {}
        for row in self._find(_TIMES.sub("", match[2]), _bounded(match[2], window, window.latest - 1), limits):
            key = (*(row[name][0] for name in by), f"{int(row['_time'][0]) // span * span:012d}")
            buckets.setdefault(key, []).append(int(row["_indextime"][0]))
        return [
            {
                **{name: [value] for name, value in zip(by, key)},
                "_time": [str(int(key[-1]))],
                "count": [str(len(at))],
                **({"nhi_indexed": [str(max(at))]} if match[1] else {}),
            }
            for key, at in sorted(buckets.items())
        ]


class Head:
    """What the steps of nhisetup need of a search head, over the stand-in."""

    def __init__(self, server: Server, now: int) -> None:
        self._server, self._now = server, now

    def oneshot(self, search: str, earliest: int, latest: int) -> list[dict[str, str]]:
        """The rows of a search."""
        rows = self._server.search(search, Window(earliest, latest), self._now)
        return [{name: "\n".join(values) for name, values in row.items()} for row in rows]

    def macro(self, name: str) -> str:
        """A macro's definition."""
        return self._server.overrides.get(name) or conf("macros.conf")[name]["definition"]

    def run(self, name: str, earliest: int, latest: int) -> bool:
        """Run a saved search over a stretch of time."""
        text = conf("savedsearches.conf")[name]["search"]
        try:
            self._server.search(text, Window(earliest, latest), self._now, Limits(partial=False))
        except (CommandError, SearchFailedError):
            return False
        return True

    def done(self) -> set[str]:
        """Keys of nhi_steps."""
        return set(self._server.steps)

    def note(self, key: str) -> None:
        """Keep one."""
        self._server.steps.add(key)

    def forget(self, name: str, query: dict[str, Any]) -> None:
        """Only what is never old in a test."""
        assert name in ("nhi_notables", "nhi_steps") and query


def _bounded(text: str, window: Window, now: int) -> Window:
    """The window that times in a search's own text make of the one it was given."""
    return window._replace(**{name.removeprefix("_"): _absolute(text, now) for name, text in _TIMES.findall(text)})


def _absolute(text: str, now: int) -> int:
    return int(text) if text.isdigit() else moment(text, now)


def _extracted(row: Row) -> Row:
    """With fields that a search extracts: pairs of stash, JSON of all else."""
    raw = row["_raw"][0]
    if row["sourcetype"] == ["stash"]:
        result: Row = {name: [value] for name, value in _PAIR.findall(raw[:MAXCHARS])}
    else:
        result = _of_json(raw)
    return {**result, **_calculated(result, row["sourcetype"][0]), **row}


def _of_json(raw: str) -> Row:
    """Fields of JSON, as far as it is looked at: the object that the beginning of the text makes, cut where it must."""
    data = raw.encode()
    try:
        fields = flat(json.loads(raw))
    except ValueError:
        return {}
    if len(data) <= CUTOFF:
        return fields
    cut = data[:CUTOFF].decode("utf-8", "ignore")
    seen: Row = {}
    for name, values in fields.items():
        own = name.removesuffix("{}").split(".")[-1].split("{}.")[-1]
        kept = [value for value in values if json.dumps(value)[1:-1] in cut or value in cut]
        if f'"{own}"' in cut and kept:
            seen[name] = kept
    return seen


def _calculated(fields: Row, sourcetype: str) -> Row:
    """Fields that props.conf makes of others by another name."""
    props = conf("props.conf")
    items = props.items(sourcetype) if sourcetype in props else []
    evals = {key[5:]: value.strip("'") for key, value in items if key.startswith("EVAL-")}
    return {name: fields[other] for name, other in evals.items() if other in fields}


def stash(row: Row) -> str:
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


def _evaluated(row: Row, rest: str, now: int) -> Row:
    result = dict(row)
    for name, term in assignments(rest):
        result[name] = spelled(term(Scope(result, now)))
    return result


def _fields(rest: str, rows: list[Row]) -> list[Row]:
    names = set(re.findall(r"[\w.]+", rest))
    keeps = not rest.startswith("- ")  # which keeps _raw and _time whatever is named
    return [
        {name: values for name, values in row.items() if (name in names) == keeps or (keeps and name.startswith("_"))}
        for row in rows
    ]


def _table(rest: str, rows: list[Row]) -> list[Row]:
    return [{name: row.get(name, []) for name in re.split(r"[\s,]+", rest)} for row in rows]


def _mvexpand(rest: str, rows: list[Row]) -> list[Row]:
    return [{**row, rest: [value]} for row in rows for value in row.get(rest, ())]


def _head(rest: str, rows: list[Row]) -> list[Row]:
    return rows[: int(rest)]


_VERBS: dict[str, Callable[[str, list[Row]], list[Row]]] = {
    "search": _search,
    "fields": _fields,
    "table": _table,
    "head": _head,
    "mvexpand": _mvexpand,
    **REPORTS,
}
