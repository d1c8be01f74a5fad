"""The steps of setting up: which logs are there, naming their indexes, looking back day by day, switching on; and what
is done once a day: reading again what was missed.

Each is safe to repeat. What was done shows in what is there: macros, saved searches, and the lookup nhi_steps, which
keeps the days that were looked back on; so a backfill that was stopped goes on where it stopped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import DAY, HOUR, render, render_day
from nhi_watch.intake import schemas
from nhi_watch.intake.sources import every

FIND = (
    "| tstats count max(_time) AS last where index=* earliest=-24h latest=now by index sourcetype source _time span=1d "
    "| stats sum(count) AS count, max(last) AS last BY index sourcetype source"
)
"""Asked once, by an administrator who sets up: the only search over all indexes."""
BESIDE = {
    ("kube:apiserver-audit", ""): "kubernetes",
    ("_json", "kubernetes"): "kubernetes",
    ("httpevent", "http:github"): "github",
}
"""(sourcetype, source) by which the macros find a log besides its sources' own sourcetypes."""
ALWAYS = ("Group Events", "Group Rows", "Group Late", "Group Misdated", "Rank", "Close", "Health")
COUNT = "| tstats count where (`nhi_json_logs`) OR (`nhi_field_logs`) by sourcetype _time span=1h"
READ = "`nhi_behaviours` nhi_seen=* | stats sum(nhi_seen) AS count BY nhi_log _time"
SLICE = 5_000_000
"""Events of which a look back lets one search make rows: an hour's, where that has more."""
LACKS = 0.01
"""Share of an hour's events that was not read from which the hour is read again."""
RECENT = 2 * DAY
KEPT_DAYS = 120
"""Days for which dashboards list a notable."""
UNFILTERED = "search *"
SECURITY = ("Stolen or Misused Non-Human Identity", "Enterprise Security Verdicts", "Enterprise Security Sync")
GROUPS = ("Group Events", "Group Rows")
BACKFILL = (*GROUPS, "Rank")
"""What is run over each day that is looked back on, in this order."""
SHOWN = "| nhidemo | eval nhi_sample=1 | `nhi_slim` | outputlookup append=true key_field=nhi_id nhi_notables"
HIDDEN = "| inputlookup nhi_notables | where isnull(nhi_sample) | outputlookup nhi_notables"
LONGEST = 90
_INDEX = re.compile(r"[a-z0-9_][a-z0-9_-]{0,79}", re.ASCII)
_PAUSE = 2.0
TRIES = 3
Row = dict[str, Any]
Splunk = Any
"""The search head: `nhisetup.SearchHead`."""


def find(splunk: Splunk) -> Iterator[Row]:
    """Each log that is there: which index holds it, under which sourcetype, and whether it is read."""
    known = {name.lower(): each.NAME for each in (*every(), *schemas.every()) for name in each.SPLUNK_SOURCETYPES}
    seen: dict[tuple[str, str, str], int] = {}
    for row in splunk.oneshot(FIND):
        log = known.get(row["sourcetype"].lower()) or BESIDE.get((row["sourcetype"], "")) or ""
        log = log or BESIDE.get((row["sourcetype"], row.get("source", "")), "")
        if log and not row["index"].startswith("nhi_"):
            key = (log, row["index"], row["sourcetype"])
            seen[key] = seen.get(key, 0) + int(float(row["count"]))
    for (log, index, sourcetype), count in sorted(seen.items()):
        yield {"Log": log, "Index": index, "Sourcetype": sourcetype, "Events": count, "Advice": _advice(log)}
    if not seen:
        yield {"Log": "none", "Advice": "no known sourcetype in the last 24 hours, or your role does not see its index"}


def _advice(log: str) -> str:
    if log == "endpoint":
        return (
            "name its index, and set the macro nhi_endpoint as its description says: endpoint logs are large, so "
            "they are off by default"
        )
    return "name its index"


def name_indexes(splunk: Splunk, text: str) -> Iterator[Row]:
    """Set nhi_indexes.

    Raises:
        InputError: a name is none, or asks for all.
    """
    names = [name for name in re.split(r"[\s,]+", text.strip()) if name]
    wrong = [name for name in names if not _INDEX.fullmatch(name)]
    if wrong or not names:
        what = f"{wrong[0]!r} is not an index name" if wrong else "no index was named"
        raise InputError(f"nhisetup: {what}. Write indexes=aws,entra,okta; an asterisk would search every bucket")
    definition = "index IN ({})".format(", ".join(f'"{name}"' for name in sorted(set(names))))
    splunk.set_macro("nhi_indexes", definition)
    yield {"Step": "indexes", "Status": "done", "Text": f"the macro nhi_indexes is now {definition}"}


def show_sample(splunk: Splunk, shown: bool) -> Iterator[Row]:
    """Let dashboards list the sample beside real notables, or not; no scheduled search ever reads it."""
    splunk.oneshot(SHOWN if shown else HIDDEN)
    text = "dashboards list the sample" if shown else "the sample is hidden"
    yield {"Step": "sample", "Status": "shown" if shown else "hidden", "Text": text}


def backfill(splunk: Splunk, days: int, today: int) -> Iterator[Row]:
    """Look back, day by day, the earliest first: each is scored by what was learnt of those before.

    Raises:
        InputError: the number of days is out of bounds.
    """
    if not 1 <= days <= LONGEST:
        raise InputError(f"nhisetup: days={days} is out of bounds. Write days=30, {LONGEST} at most")
    done = splunk.done()
    for number, day in enumerate(range(today - days, today), 1):
        row = {"Step": f"look back {render_day(day)}", "Text": f"day {number} of {days}"}
        if f"backfill/{day}" in done:
            yield {**row, "Status": "done before"}
            continue
        parts = slices(_counted(splunk, COUNT, "sourcetype", day * DAY, (day + 1) * DAY), day)
        windows = [(name, *part) for part in parts for name in GROUPS] + [("Rank", day * DAY, (day + 1) * DAY)]
        if not all(splunk.run(f"NHI Watch - {name}", low, high) for name, low, high in windows):
            text = "the search failed: check Activity > Jobs, then start again; it continues here"
            yield {**row, "Status": "failed", "Text": text}
            return
        splunk.note(f"backfill/{day}")
        yield {**row, "Status": "done"}


Counts = dict[tuple[int, str], int]
"""Hour and sourcetype → events."""


def _counted(splunk: Splunk, search: str, log: str, earliest: int, latest: int) -> Counts:
    rows = splunk.oneshot(search, earliest, latest)
    return {(int(float(row["_time"])) // HOUR, row[log]): int(float(row["count"])) for row in rows}


def slices(counts: Mapping[tuple[int, str], int], day: int) -> Iterator[tuple[int, int]]:
    """The stretches of a day of which each has SLICE events at the most, or is an hour.

    >>> list(slices({(1, "a"): SLICE, (1, "b"): 1, (20, "a"): 5}, 0))
    [(0, 3600), (3600, 7200), (7200, 86400)]
    """
    first, size = day * DAY, 0
    for start in range(day * DAY, (day + 1) * DAY, HOUR):
        count = sum(n for (hour, _), n in counts.items() if hour == start // HOUR)
        if start > first and size + count > SLICE:
            yield first, start
            first, size = start, 0
        size += count
    yield first, (day + 1) * DAY


def reconcile(splunk: Splunk, now: int) -> Iterator[Row]:
    """Read again the hours of which events were missed, each once; score what is new of the last days; forget what is
    too old for dashboards.

    An indexer whose clock is slow dates an event's arrival before a window of Group that is over already.
    """
    latest = now // HOUR * HOUR
    earliest, done = latest - RECENT, splunk.done()
    there = _counted(splunk, COUNT, "sourcetype", earliest, latest)
    read = _counted(splunk, READ, "nhi_log", earliest, latest)
    failed = 0
    for hour in lacking(there, read, splunk.macro("nhi_group_filter") == UNFILTERED):
        key, row = f"again/{hour}", {"Step": f"read {render(hour * HOUR)} again"}
        if key in done:
            continue
        if all(splunk.run(f"NHI Watch - {name}", hour * HOUR, (hour + 1) * HOUR) for name in GROUPS):
            splunk.note(key)
            yield {**row, "Status": "done", "Text": "more than 1% of its events had not been read"}
        else:
            failed += 1
            yield {**row, "Status": "failed", "Text": "the search failed: see Activity > Jobs; it runs again tomorrow"}
    if not any(splunk.run("NHI Watch - Rank", now - RECENT, now) for _ in range(TRIES)):
        raise InputError("nhisetup: NHI Watch - Rank failed on the last two days: check Activity > Jobs")
    splunk.forget("nhi_notables", {"nhi_time": {"$lt": now - KEPT_DAYS * DAY}})
    old = f"again/{latest // HOUR - KEPT_DAYS}"
    splunk.forget("nhi_steps", {"$and": [{"_key": {"$gte": "again/"}}, {"_key": {"$lt": old}}]})
    yield {"Step": "judge the last two days", "Status": "done", "Text": f"{failed} hours could not be read again"}


def lacking(there: Counts, read: Counts, is_all: bool) -> list[int]:
    """The hours of which events were missed; `is_all`: no filter leaves any out, else as many as in other hours.

    >>> lacking({(1, "a"): 1000, (2, "a"): 1000}, {(1, "a"): 990, (2, "a"): 989}, True)
    [2]
    >>> lacking({(n, "a"): 100 for n in range(5)}, {(0, "a"): 30, **{(n, "a"): 50 for n in range(1, 5)}}, False)
    [0]
    """
    lacking = set()
    for log in {log for _, log in there}:
        shares = {hour: read.get((hour, log), 0) / count for (hour, name), count in there.items() if name == log}
        usual = 1.0 if is_all else median(shares.values())
        lacking |= {hour for hour, share in shares.items() if share < usual * (1 - LACKS)}
    return sorted(lacking)


def enable(splunk: Splunk, names: Sequence[str]) -> Iterator[Row]:
    """Enable searches, in the order in which they need each other."""
    if "nhi_name_your_indexes" in splunk.macro("nhi_indexes"):
        raise InputError("nhisetup: no index was named. Write | nhisetup do=indexes indexes=aws,entra,okta first")
    for name in names:
        splunk.enable(f"NHI Watch - {name}")
        yield {"Step": f"NHI Watch - {name}", "Status": "enabled", "Text": ""}


def status(splunk: Splunk) -> Iterator[Row]:
    """What was done, and what is next."""
    indexes = splunk.macro("nhi_indexes")
    named = "nhi_name_your_indexes" not in indexes
    yield {"Step": "1 indexes", "Status": "done" if named else "to do", "Text": indexes if named else "name them below"}
    days = sum(key.startswith("backfill/") for key in splunk.done())
    yield {"Step": "2 look back", "Status": "done" if days else "to do", "Text": f"{days} days of history were read"}
    on = sum(splunk.enabled(f"NHI Watch - {name}") for name in ALWAYS)
    state = "done" if on == len(ALWAYS) else "to do"
    yield {"Step": "3 switch on", "Status": state, "Text": f"{on} of {len(ALWAYS)} searches are enabled"}
