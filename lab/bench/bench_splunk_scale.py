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
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import mean
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

OUT = ROOT / "out" / "bench"
PAGE = ROOT / "docs" / "method" / "splunk_scale.md"
PEERS = 40
DAYS = 9
SHARE = float(os.environ.get("NHI_BENCH_SHARE", "1"))
DENSE = float(os.environ.get("NHI_BENCH_DENSE", "1"))
TENANTS = tuple((round(SHARE * machines), round(SHARE * DENSE * 9_000)) for machines in (180, 27, 7))
"""Machines, events a day."""
KEPT = "bench_splunk_scale.json", "bench_splunk_scale_dense.json"
"""What was measured of the companies as they are, and of few machines with many events each (NHI_BENCH_DENSE)."""
SIZES = (1, 4)
WINDOW = 300
HOURS = (3, 9, 15, 21, 23)
"""Of the last day, at which Rank is run."""
SCALES = (1, 10, 100)
"""Millions of events a day."""
RUNS = {"Group": 4, "Group All": 4, "Rank": 282, "Rank next": 3, "Rank anew": 3, "Rank All": 4, "Learn": 1}
"""A day's runs; all are judged anew after midnight, and once or twice after learning, and the run after that one sees
again whom it wrote notables of. For Rank All see `_daily`."""
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
    if "--last" not in sys.argv:
        _measure()
    if "--page" in sys.argv:
        found = [_last(name) for name in KEPT]
        others = PAGE.read_text("utf-8").partition("\n## ")
        PAGE.write_text(page(*found) + "".join(others[1:]), "utf-8")
    return 0


def _last(name: str) -> list[Day]:
    return [Day(**told) for told in json.loads((OUT / name).read_text("utf-8"))["sizes"]]


def _measure() -> None:
    python = find("3.13") or sys.executable
    with few_collections():
        found = [_measured(python, size) for size in SIZES]
    told = {"sizes": [day._asdict() for day in found], "load": os.getloadavg()[0]}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / KEPT[DENSE > 1]).write_text(json.dumps(told, indent=2) + "\n", "utf-8")


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
        awake_then = _ranked(python, app, [*whole, *news], told, now - 2 * WINDOW, (spent, "Rank anew"))
        _ranked(python, app, [*whole, *news], told, now - WINDOW, (spent, "Rank next"))
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
            told = ((name, news.of(part)) for (_, name), part in gathered.parts.items())
            fresh = [_row(name, part) for name, part in told if part.slots]
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


Of = Callable[[list[float]], float]


def _at(days: Sequence[Day], search: str, index: int, millions: float, of: Of = max) -> float:
    """Of the dearest run of a search, or of the mean one, as it would be."""
    few, many = ((day.events, of([one[index] for one in day.spent[search]])) for day in days)
    return line(few, many, millions * 1e6)


def _daily(days: Sequence[Day], millions: float) -> float:
    """Processor seconds a day of the search head; a run of Rank All sees 60% of the day on average. What four runs of
    Group do here is done in 288: the other starts are added."""
    costs = {name: runs * _at(days, name, 0, millions, mean) for name, runs in RUNS.items()}
    start = min(one[0] for day in days for each in day.spent.values() for one in each)
    return sum(costs.values()) - 0.4 * costs["Rank All"] + 284 * start


def _most(days: Sequence[Day], millions: float) -> float:
    return max(_at(days, name, 1, millions) for name in RUNS)


def reach(cost: Callable[[float], float], limit: float) -> float:
    """Up to how many millions of events a day a cost that grows stays within a limit.

    >>> round(reach(lambda millions: 10 + 2 * millions, 60), 3)
    25.0
    """
    low, high = 0.0, 1e4
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if cost(middle) <= limit else (low, middle)
    return low


AIMS: tuple[tuple[str, Callable[[Sequence[Day], float], float], float], ...] = (
    ("search head, hours a day", lambda days, millions: _daily(days, millions) / 3600, 2),
    ("one Rank, s", lambda days, millions: _at(days, "Rank", 0, millions), 60),
    ("one Rank, s: its five minutes", lambda days, millions: _at(days, "Rank", 0, millions), 300),
    ("memory of one Rank, MB", lambda days, millions: _at(days, "Rank", 1, millions), 500),
    ("most memory (Learn), MB", _most, 500),
)


def page(days: Sequence[Day], dense: Sequence[Day]) -> str:
    """The page of figures."""
    kinds = (("as they are", days), ("denser", dense))
    rows = [(name, f"{limit:g}", *(told for _, each in kinds for told in _kept(cost, each, limit)))
            for name, cost, limit in AIMS]  # fmt: skip
    stored = [(f"{_share(each, 'all')} + {_share(each, 'news')} of news", "") for _, each in kinds]
    rows.append(("stored rows, of the logs' size", "3%", *(told for each in stored for told in each)))
    ends = ("at 100 million", "kept up to, million")
    heads = ("", "asked at most", *(f"{name}: {end}" for name, _ in kinds for end in ends))
    grown = ("events a day", "search head, s a day", "one Rank", "one Rank anew", "one Rank All", "one Learn",
             "memory of Rank, MB", "most memory, MB")  # fmt: skip
    command = "python lab/bench/bench_splunk_scale.py"
    return "\n\n".join([
        "# Splunk at a hundred million events a day",
        f"For whoever sizes a search head. Written by `{command}`, then"
        f" `NHI_BENCH_SHARE=0.15 NHI_BENCH_DENSE=7 {command} --page`.",
        f"**Aims that hold at 100 million: {'; '.join(f'{name}: {_held(each)}' for name, each in kinds)}.**",
        table(heads, rows),
        f"{_measured_what(days)} {_measured_dense(dense)}",
        table(grown, [_scaled(days, millions) for millions in SCALES]),
        WHY, NOT_IN,
    ]) + "\n"  # fmt: skip


def _held(days: Sequence[Day]) -> str:
    """The aims that hold at 100 million."""
    held = [name for name, cost, limit in AIMS if cost(days, 100) <= limit]
    return ", ".join(held + ["stored rows"] * (sum(days[-1].share.values()) <= 0.03)) or "none"


def _kept(cost: Callable[[Sequence[Day], float], float], days: Sequence[Day], limit: float) -> tuple[str, str]:
    """A cost at 100 million, and up to how many millions it stays within its limit."""
    found = reach(lambda millions: cost(days, millions), limit)
    return f"{cost(days, 100):,.0f}", f"{found:,.0f}" if found >= 10 else f"{found:.1f}"


def _measured_what(days: Sequence[Day]) -> str:
    big, measured = days[-1], " and ".join(f"{day.events:,}" for day in days)
    most = max(one[1] for each in big.spent.values() for one in each)
    per_event = 1e6 * sum(one[0] for one in big.spent["indexers"]) / big.events
    return (
        f"Measured: days of {measured} events, after eight that were learnt, of three simulated companies and of four"
        f" times as many, on {PEERS} indexers as chunks of their own: {big.events / big.behaviours:.1f} events a"
        f" behaviour, {big.events / big.identities:,.0f} an identity; at most {big.awake:,} of"
        f" {big.identities:,} identities are awake, of whom a Rank judges at most {big.judged:,} (after one"
        f" anew more: {_at(days, 'Rank next', 0, 100):,.0f} s at 100 million); no command took more than"
        f" {most:.0f} MB. Grouping takes the indexers {per_event:.0f} µs an event, all together. The rest follows"
        " a straight line through both sizes: an order of magnitude, for at those sizes much of a run is its start."
    )


def _measured_dense(days: Sequence[Day]) -> str:
    big = days[-1]
    return (
        f"Denser: {big.events:,} events of {big.identities:,} identities, {big.events / big.behaviours:.1f} events a"
        f" behaviour, {big.events / big.identities:,.0f} an identity; a Rank judges at most {big.judged:,}."
    )


WHY = (
    "What stands in the way is how many identities there are: Rank All and Learn see each, for 2 to 3 ms, spread thin"
    " over its profile, its signals and what it teaches. Of an ordinary Rank two fifths go into notables of"
    " intrusions under way, of which every third of these companies has one, a quarter into scoring, and the rest into"
    " its start, the baseline and how all others were judged, some 60 µs an identity each.\n\n"
    "Tried, from 3,009 s a Rank on: who has not changed is not judged again (948 s); news waits where nothing in it"
    " scores the floor alone (4.2% of the logs' size before); whole days of who may get a place lie in files. Not"
    " built: usual behaviours as counters, one summed row for all that did not change; both change what a row is.\n\n"
    "From the sizes above on (and from 500,000 identities on, where the baseline outgrows the bundle) it is one search"
    " head for each part of the company, by account, with its own indexes or `nhi_group_events_filter`; not by the hash"
    " of the identity (decision 5)."
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
    memory = [_at(days, "Rank", 1, millions), _most(days, millions)]
    told = [_daily(days, millions), *one, *memory]
    return [f"{millions} million", *(f"{each:,.0f}" for each in told)]


def _share(days: Sequence[Day], of: str) -> str:
    return f"{100 * days[-1].share[of]:.1f}%"


if __name__ == "__main__":
    sys.exit(main())
