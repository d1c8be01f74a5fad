"""The steps of setting up: which logs are there, naming their indexes, looking back day by day, switching on.

Each is safe to repeat. What was done is told by what is there: macros, saved searches, and the lookup nhi_steps, which
keeps the days that were looked back on; so a backfill that was stopped goes on where it stopped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import DAY, render_day
from nhi_watch.intake import schemas
from nhi_watch.intake.sources import every

FIND = (
    "| tstats count max(_time) AS last where index=* earliest=-24h latest=now by index sourcetype source _time span=1d "
    "| stats sum(count) AS count, max(last) AS last BY index sourcetype source"
)
"""Asked once, by an administrator who sets up: the only search over all indexes."""
BESIDE = {
    ("kube:apiserver-audit", ""): "kubernetes", ("_json", "kubernetes"): "kubernetes",
    ("httpevent", "http:github"): "github",
}  # fmt: skip
"""(sourcetype, source) by which the macros find a log besides its sources' own sourcetypes."""
ALWAYS = ("Group Events", "Group Rows", "Group Late", "Group Misdated", "Rank", "Close", "Health")
SECURITY = ("Stolen or Misused Non-Human Identity", "Enterprise Security Verdicts", "Enterprise Security Sync")
BACKFILL = ("Group Events", "Group Rows", "Rank")
"""What is run over each day that is looked back on, in this order."""
SHOWN = "| nhidemo | eval nhi_sample=1 | `nhi_slim` | outputlookup append=true key_field=nhi_id nhi_notables"
HIDDEN = "| inputlookup nhi_notables | where isnull(nhi_sample) | outputlookup nhi_notables"
LONGEST = 90
_INDEX = re.compile(r"[a-z0-9_][a-z0-9_-]{0,79}", re.ASCII)
_PAUSE = 2.0
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
        return "name its index, and set the macro nhi_endpoint as its description says: hosts are many, so they are off"
    return "name its index"


def name_indexes(splunk: Splunk, told: str) -> Iterator[Row]:
    """Set nhi_indexes.

    Raises:
        InputError: a name is none, or asks for all.
    """
    names = [name for name in re.split(r"[\s,]+", told.strip()) if name]
    wrong = [name for name in names if not _INDEX.fullmatch(name)]
    if wrong or not names:
        what = f"{wrong[0]!r} is no name of an index" if wrong else "no index was named"
        raise InputError(f"nhisetup: {what}. Write indexes=aws,entra,okta; an asterisk would open every bucket")
    definition = "index IN ({})".format(", ".join(f'"{name}"' for name in sorted(set(names))))
    splunk.set_macro("nhi_indexes", definition)
    yield {"Step": "indexes", "Status": "done", "Text": f"the macro nhi_indexes is now {definition}"}


def show_sample(splunk: Splunk, shown: bool) -> Iterator[Row]:
    """Let dashboards list the sample beside real notables, or not; no scheduled search ever reads it."""
    splunk.oneshot(SHOWN if shown else HIDDEN)
    text = "dashboards list the sample" if shown else "the sample is hidden"
    yield {"Step": "sample", "Status": "shown" if shown else "hidden", "Text": text}


def backfill(splunk: Splunk, days: int, today: int) -> Iterator[Row]:
    """Look back, day by day, the earliest first: each is judged by what was learnt of those before.

    Raises:
        InputError: the number of days is out of bounds.
    """
    if not 1 <= days <= LONGEST:
        raise InputError(f"nhisetup: days={days} is out of bounds. Write days=30, {LONGEST} at most")
    done = splunk.done()
    for number, day in enumerate(range(today - days, today), 1):
        told = {"Step": f"look back {render_day(day)}", "Text": f"day {number} of {days}"}
        if f"backfill/{day}" in done:
            yield {**told, "Status": "done before"}
            continue
        if not all(splunk.run(f"NHI Watch - {name}", day * DAY, (day + 1) * DAY) for name in BACKFILL):
            text = "the search failed: look at Activity > Jobs, then start again; it goes on here"
            yield {**told, "Status": "failed", "Text": text}
            return
        splunk.note(f"backfill/{day}")
        yield {**told, "Status": "done"}


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
    yield {"Step": "2 look back", "Status": "done" if days else "to do", "Text": f"{days} days were looked back on"}
    on = sum(splunk.enabled(f"NHI Watch - {name}") for name in ALWAYS)
    state = "done" if on == len(ALWAYS) else "to do"
    yield {"Step": "3 switch on", "Status": state, "Text": f"{on} of {len(ALWAYS)} searches are enabled"}
