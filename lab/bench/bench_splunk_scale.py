"""A day of varied tenants in Splunk, in two sizes, and what follows for a hundred million events a day.

Three simulated companies of 1.9 to 27 events a behaviour, eight days learnt; the ninth is lived as the schedule has it:
40 indexers group what they hold, the search head joins that, ranks who has changed, ranks all, learns. Each command is
a process over the search protocol, on one of Splunk's Pythons; figures are processor seconds and peak memory, which a
busy machine does not change. Costs of two sizes give a line (what a run costs anyhow, and what each event adds): that
line is followed to 100 million, which nobody has run here.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / name) for name in ("lab", "lab/tools", "lab/bench", "tests"))]

from bench_splunk_days import Spent, chunks, events, rows_of, run  # noqa: E402

from check_python import find  # noqa: E402
from nhi_watch.core.gc_pause import few_collections  # noqa: E402
from nhi_watch.core.timestamps import DAY, HOUR, parse, render_day  # noqa: E402
from nhi_watch.hosts.splunk import awake, fields, judged, lookup, parts  # noqa: E402
from nhi_watch.hosts.splunk.gather import Gatherer  # noqa: E402
from nhi_watch.hosts.splunk.rows import write  # noqa: E402
from nhi_watch.intake.sources import cloudtrail  # noqa: E402
from nhi_watch_lab.simulator import Spec, Tenant  # noqa: E402
from splunk_app import unpacked  # noqa: E402
from splunk_server import stash  # noqa: E402

OUT = ROOT / "out" / "bench" / "bench_splunk_scale.json"
PAGE = ROOT / "docs" / "method" / "splunk_scale.md"
TITLE = "## Runs in which peers fail"
"""From here on the page is written by bench_splunk_faults.py."""
PEERS = 40
DAYS = 9
SHARE = float(os.environ.get("NHI_BENCH_SHARE", "1"))
TENANTS = tuple((round(SHARE * machines), round(SHARE * 9_000)) for machines in (180, 27, 7))
"""Machines, events a day."""
SIZES = (1, 4)
WINDOW = 300
HOURS = (3, 9, 15, 21, 23)
"""Of the last day, at which Rank is run."""
SCALES = (1, 10, 100)
"""Millions of events a day."""
RUNS = {"Group": 4, "Group All": 4, "Rank": 285, "Rank anew": 3, "Rank All": 4, "Learn": 1}
"""A day's runs; all are judged anew after midnight, and once or twice after learning. For Rank All see `_daily`."""
Record = dict[str, Any]
Row = dict[str, str]
Costs = dict[str, list[tuple[float, float]]]
"""Search → (processor seconds, MB at most) of each run."""


class Day(NamedTuple):
    """What one size gave."""

    events: int
    behaviours: int
    identities: int
    awake: int
    judged: int
    """Identities that the dearest run of Rank judges, of those that are awake."""
    share: dict[str, float]
    """Bytes of stored rows of the raw bytes, by search."""
    spent: Costs


def main() -> int:
    """Both sizes, the figures, and with --page the page; with --last of the run before."""
    if "--last" in sys.argv:
        found = [Day(**told) for told in json.loads(OUT.read_text("utf-8"))["sizes"]]
    else:
        found = _measure()
    if "--page" in sys.argv:
        _, title, rest = PAGE.read_text("utf-8").partition(TITLE)
        PAGE.write_text(page(found) + (f"\n{title}{rest}" if title else ""), "utf-8")
    return 0


def _measure() -> list[Day]:
    python = find("3.13") or sys.executable
    with few_collections():
        found = [_measured(python, size) for size in SIZES]
    told = {"sizes": [day._asdict() for day in found], "load": os.getloadavg()[0]}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    return found


def _measured(python: str, size: int) -> Day:
    with tempfile.TemporaryDirectory() as place:
        return _lived(python, unpacked(Path(place)), _simulated(size))


def _lived(python: str, app: Path, days: list[list[Record]]) -> Day:
    start = parse(days[0][0]["eventTime"]) // DAY * DAY
    today, end = start + (DAYS - 1) * DAY, start + DAYS * DAY - 1
    raw = sum(len(json.dumps(record, separators=(",", ":"))) for record in days[-1])
    history = [row for records in days[:-1] for row in _grouped(records)]
    learnt = run(python, app, "nhilearn", chunks(history), (start, today + 13 * HOUR + 1))
    (app / "lookups" / "nhi_baseline.csv.gz").write_bytes(gzip.compress(learnt.body, 1))
    spent: Costs = {}
    whole = [row for records in _windows(days[-1], 6 * HOUR) for row in _joined(python, app, records, spent)]
    news = _news(python, app, days[-1], spent)
    listed, told = [], list[Row]()
    for hour in HOURS:
        now = today + hour * HOUR
        (app / "lookups" / judged.FILE).unlink(missing_ok=True)
        awake_then = _ranked(python, app, [*whole, *news], told, now - WINDOW, (spent, "Rank anew"))
        listed.append((_ranked(python, app, [*whole, *news], told, now, (spent, "Rank")), awake_then))
    everything = run(python, app, "nhigroup", chunks([*map(_event, [*whole, *news]), *told]), (start, end))
    _note(spent, "Rank All", run(python, app, "nhirank", _cut(everything.body), (today, end)))
    _note(spent, "Learn", run(python, app, "nhilearn", _cut(everything.body), (today, end + 13 * HOUR + 2)))
    share = {"all": _bytes(whole) / raw, "news": _bytes(news) / raw}
    counted = Gatherer()
    for record in days[-1]:
        counted.add(cloudtrail.read(record))
    behaviours = sum(len(part.slots) for part in counted.parts.values())
    return Day(len(days[-1]), behaviours, len(counted.parts), listed[-1][1], max(listed)[0], share, spent)


def _ranked(
    python: str, app: Path, stored: list[Row], notables: list[Row], now: int, noted: tuple[Costs, str]
) -> int:  # fmt: skip
    """A run of Awake and of Rank, which adds to the notables; how many identities were listed."""
    came = [row for row in stored if int(row["_time"]) < now]
    awake_now = {row["nhi_key"] for row in came if row.get("nhi_news")}
    marks: dict[str, int] = {}
    for row in came:
        marks[row["nhi_key"]] = marks.get(row["nhi_key"], 0) + parts.mark_of_row(row["nhi_part"])
    kept = judged.load(app / "lookups")
    same = {key for (_, key), row in kept.rows.items() if not row.hot and row.mark == str(marks.get(key))}
    keys = (awake_now - same) | ({kept.head.name} if kept.head.name else set())
    (app / "lookups" / awake.FILE).write_text("\n".join(["nhi_key", *sorted(keys)]) + "\n", "utf-8")
    events_now = [*map(_event, came), *notables]
    told = run(python, app, "nhigroup", chunks(events_now), (0, now), ["only=awake"])
    ranked = run(python, app, "nhirank", [told.body], (now // DAY * DAY, now), ["only=awake", "show=changed"])
    _note(noted[0], noted[1], ranked)
    found = rows_of(ranked.body)
    notables += [_notable(row) for row in found if row["nhi_id"]]
    rows = [{name: row[name] for name in judged.COLUMNS} for row in found if row["nhi_judged"]]
    assert rows, "a run of Rank keeps what it has judged"
    (app / "lookups" / judged.FILE).write_bytes(gzip.compress(write(judged.COLUMNS, rows), 1))
    return len(awake_now - same)


def _event(row: Row) -> Row:
    """A stored row as the indexers hold it."""
    return {"_time": row["_time"], "_raw": _raw(row), "source": fields.SOURCE, "sourcetype": "stash"}


def _notable(row: Row) -> Row:
    return {"_time": row["_time"], "_raw": row["_raw"], "source": "", "sourcetype": fields.SOURCETYPE}


def _raw(row: Row) -> str:
    return stash({name: [text] for name, text in row.items() if text})


def _simulated(size: int) -> list[list[Record]]:
    tenants = [
        [day.records for day in Tenant(Spec(DAYS, machines, seed=101 + 10 * copy + at, events=DAYS * each)).days()]
        for copy in range(size) for at, (machines, each) in enumerate(TENANTS)
    ]  # fmt: skip
    return [[record for tenant in tenants for record in tenant[day]] for day in range(DAYS)]


def _grouped(records: Iterable[Record]) -> list[Row]:
    gathered = Gatherer()
    for record in records:
        gathered.add(cloudtrail.read(record))
    return [_row(name, part) for (_, name), part in gathered.parts.items()]


def _row(name: str, part: parts.Part) -> Row:
    return {
        "_time": str(part.first()), "nhi_day": render_day(part.day), "nhi_key": parts.key_of(name),
        "nhi_events": str(part.events()), "nhi_part": parts.pack(part),
        **({"nhi_news": "1"} if part.news else {}),
    }  # fmt: skip


def _windows(records: Sequence[Record], seconds: int) -> list[list[Record]]:
    found: dict[int, list[Record]] = {}
    for record in records:
        found.setdefault(parse(record["eventTime"]) // seconds, []).append(record)
    return [found[number] for number in sorted(found)]


def _joined(python: str, app: Path, records: Sequence[Record], spent: Costs) -> list[Row]:
    """The rows that a run of Group All stores: each indexer's share is a chunk of its own."""
    shares = [records[peer::PEERS] for peer in range(PEERS)]
    told = run(python, app, "nhigroup", map(events, filter(None, shares)), (0, 0))
    _note(spent, "indexers", told)
    rows = sorted(rows_of(told.body), key=lambda row: row["nhi_key"])
    joined = run(python, app, "nhigroup", chunks(rows), (0, 0), ["records=1"])
    _note(spent, "Group All", joined)
    return [row for row in rows_of(joined.body) if row["nhi_part"]]


def _news(python: str, app: Path, records: Sequence[Record], spent: Costs) -> list[Row]:
    """The rows that Group Events stores: the search head joins what each indexer got in five minutes.

    What that costs it is measured of the rows of hours instead: a process of a few rows is its start alone.
    """
    everybody = {parts.key_of(cloudtrail.read(record).identity.id) for record in records}
    news, found, hours = awake.News(app / "lookups", lookup.DEFAULT, everybody), [], dict[int, list[Row]]()
    for window in _windows(records, WINDOW):
        joined = Gatherer()
        for peer in range(PEERS):
            gathered = Gatherer()
            for record in window[peer::PEERS]:
                gathered.add(cloudtrail.read(record))
            fresh = [_row(name, news.of(part)) for (_, name), part in gathered.parts.items() if news.of(part).slots]
            hours.setdefault(parse(window[0]["eventTime"]) // (6 * HOUR), []).extend(fresh)
            joined.feed(write(list(fresh[0]), fresh) if fresh else b"")
        found += [_row(name, part) for (_, name), part in joined.parts.items()]
    for rows in hours.values():
        one = run(python, app, "nhigroup", chunks(sorted(rows, key=lambda row: row["nhi_key"])), (0, 0))
        _note(spent, "Group", one)
    return found


def _cut(body: bytes) -> Iterable[bytes]:
    return chunks(rows_of(body))


def _note(spent: Costs, name: str, one: Spent) -> None:
    spent.setdefault(name, []).append((round(one.processor, 3), round(one.memory, 1)))


def _bytes(rows: Iterable[Row]) -> int:
    return sum(len(_raw(row)) for row in rows)


# ---- what follows


def line(few: tuple[float, float], many: tuple[float, float], at: float) -> float:
    """What a line through two points (events, cost) says at a number of events; no cost falls with events.

    >>> line((1.0, 3.0), (2.0, 5.0), 10.0)
    21.0
    """
    slope = max(0.0, (many[1] - few[1]) / (many[0] - few[0]))
    return few[1] + slope * (at - few[0])


def _at(days: Sequence[Day], search: str, index: int, millions: int) -> float:
    """Of the dearest run of a search, as it would be."""
    few, many = ((day.events, max(one[index] for one in day.spent[search])) for day in days)
    return line(few, many, millions * 1e6)


def _daily(days: Sequence[Day], millions: int) -> dict[str, float]:
    """Processor seconds a day of the search head; a run of Rank All sees 60% of the day on average. What four runs of
    Group do here is done in 288: the other starts are added."""
    costs = {name: runs * _at(days, name, 0, millions) for name, runs in RUNS.items()}
    start = min(one[0] for day in days for each in day.spent.values() for one in each)
    return {**costs, "Rank All": 0.6 * costs["Rank All"], "Group": costs["Group"] + 284 * start}


def page(days: Sequence[Day]) -> str:
    """The page of figures."""
    asked = [
        ("search head, hours a day", f"{sum(_daily(days, 100).values()) / 3600:,.0f}", "2"),
        ("one run of Rank, s", f"{_at(days, 'Rank', 0, 100):,.0f}", "60"),
        ("most memory, MB", f"{max(_at(days, name, 1, 100) for name in RUNS):,.0f}", "500"),
        ("stored rows, of the logs' size", f"{_share(days, 'all')}, and {_share(days, 'news')} of news at once", "3%"),
    ]
    heads = ("events a day", "search head, s a day", "one Rank", "one Rank anew", "one Rank All", "one Learn",
             "memory of Rank, MB", "most memory, MB")  # fmt: skip
    return "\n\n".join([
        "# Splunk at a hundred million events a day",
        "For whoever sizes a search head. Written by"
        f" `NHI_BENCH_SHARE={SHARE:g} python lab/bench/bench_splunk_scale.py --page`.",
        "**The aims at 100 million are missed.**",
        table(("at 100 million events a day", "got", "asked at most"), asked),
        _measured_what(days),
        table(heads, [_scaled(days, millions) for millions in SCALES]),
        WHY, NOT_IN,
    ]) + "\n"  # fmt: skip


def _measured_what(days: Sequence[Day]) -> str:
    big, measured = days[-1], " and ".join(f"{day.events:,}" for day in days)
    most = max(one[1] for each in big.spent.values() for one in each)
    per_event = 1e6 * sum(one[0] for one in big.spent["indexers"]) / big.events
    return (
        f"Measured: days of {measured} events, after eight that were learnt, of three simulated companies and of four"
        f" times as many, on {PEERS} indexers as chunks of their own: {big.events / big.behaviours:.1f} events a"
        " behaviour,"
        f" {big.events / big.identities:,.0f} an identity; at most {big.awake:,} of {big.identities:,} identities"
        f" are awake, of whom a Rank judges at most {big.judged:,}; no command took more than {most:.0f} MB."
        f" Grouping takes the indexers {per_event:.0f} µs an event, all together. The rest follows a straight line"
        " through both sizes: an order of magnitude, for at those sizes much of a run is its start."
    )


WHY = (
    "What stands in the way: a Rank judges those whose rows have changed, and in any case those who may be notables,"
    " for others' stories need what they did; it reads how all others were judged, and through the whole baseline."
    " Three times a day (midnight, learning) it judges all who are awake. Rank All judges everybody four times a day,"
    " and Learn holds the whole baseline in one process: these two make most of the seconds and of the memory. They"
    " would have to be cut by the hash of the identity, as the baseline has to be from 500,000 identities on, where it"
    " outgrows the knowledge bundle. Stored rows are mostly names that differ; each event leaves five bytes.\n\n"
    "How dense a company is decides. With `NHI_BENCH_SHARE=0.34`, a third of the machines and of the events, a"
    " behaviour has 4.2 events; with `NHI_BENCH_SHARE=1` it has 2.9, and more is news. Before, when a Rank judged all"
    " who are awake, runs of these two sizes gave 1,840 s (stored 3.0% and 5.2%) and 3,009 s (3.6% and 13.8%)."
)
NOT_IN = (
    "Not in these figures: what splunkd itself spends on searching, sorting and moving rows, and NHI Watch - Blind"
    " Spots and - Health. Seconds are processor seconds of one core, memory what Linux calls VmHWM of one command."
)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", "|---:" * len(head) + "|", *lines])


def _scaled(days: Sequence[Day], millions: int) -> list[str]:
    one = [_at(days, name, 0, millions) for name in ("Rank", "Rank anew", "Rank All", "Learn")]
    memory = [_at(days, "Rank", 1, millions), max(_at(days, name, 1, millions) for name in RUNS)]
    told = [sum(_daily(days, millions).values()), *one, *memory]
    return [f"{millions} million", *(f"{each:,.0f}" for each in told)]


def _share(days: Sequence[Day], of: str) -> str:
    return f"{100 * days[-1].share[of]:.1f}%"


if __name__ == "__main__":
    sys.exit(main())
