"""`nhi elastic run` every five minutes against one run over the same documents, on a real server.

Six hours are read at once by both; then come RUNS times five minutes, at DOCUMENTS a day of simulated accounts with
people and pipelines, MACHINES in all, sixty or fewer in each; an hour of each day is three times as busy as the mean,
and 2% is searchable up to an hour late. They are made account by account, kept in a file for each five minutes, and
indexed when their time comes: memory holds one account's day. One job reads them in a single run, the others in RUNS
and one more, by a clock that is set: as a process each, and in one for all. What is reported: documents read, processor
time of client and server, by run and by document; the state's size after 0, 24, 96 and all runs; and start-up. From it
a table of docs/method/elastic_scale.md is written, unless `--no-page`.
NHI_TEST_ELASTIC=URL takes a server that runs already.
`python lab/bench/bench_elastic_schedule.py [DOCUMENTS [RUNS [MACHINES [VERSION]]]] [--no-page]`

`--rounds N`: for millions of documents. All of them are indexed first; one run reads them, then so many rounds of one
process (0: none), a process for each run is left out. Another table of the page is written from it. `--folder DIR`:
where the documents are made, and kept for another time.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Any, Optional
from unittest.mock import patch

import orjson
from _bench import ENVIRONMENT, ROOT, spent, write
from bench_elastic import prepare
from elasticsearch import Elasticsearch

import ecs_shape
import elastic_server
from nhi_watch.core.timestamps import DAY, HOUR, parse, render
from nhi_watch.hosts.elastic import run as host
from nhi_watch_lab.simulator.tenant import Spec, Tenant

DOCUMENTS = 40_000
RUNS = 288
EVERY = 300
MACHINES = 200
ACCOUNT = 60
"""Machines of an account at most."""
HELD, SENT = 200, 2_000
"""Documents of a file that are held in memory; that are indexed at once."""
VERSION = "9.5.3"
HISTORY = 6 * HOUR
STREAM = f"logs-aws.cloudtrail-schedule{elastic_server.FIRST}"
START = parse("2025-03-03T00:00:00Z")
LATE = 0.02
PEAK, BUSIEST = 13, 3
"""The hour of a day that has so many times the mean."""
STATES = (0, 24, 96)
"""Runs after which the state is measured, beside the last one."""
A_DAY = 100_000_000
STAGES = {
    "host": "asking what there is, noting it, the list, writing, the model",
    "s_read": "reading documents and the days that grew",
    "s_score": "scoring who has news",
    "s_explain": "notables of those scored",
    "s_store": "packing rows",
}
WAYS = ("schedule", "process", "bulk")
"""A process for each run, one process for all of them, and one run."""
PAGE = ROOT / "docs" / "method" / "elastic_scale.md"
Json = dict[str, Any]


class Clock:
    """The cluster's clock, set by hand."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def main(
    documents: int = DOCUMENTS,
    runs: int = RUNS,
    machines: int = MACHINES,
    version: str = VERSION,
    page: bool = True,
    rounds: Optional[int] = None,
    folder: Optional[Path] = None,
) -> None:
    """Measure, and write out/bench/bench_elastic_schedule.json."""
    with tempfile.TemporaryDirectory() as name:
        spool = folder or Path(name) / "spool"
        spool.mkdir(parents=True, exist_ok=True)
        started = elastic_server.running(elastic_server.RUNNING) if elastic_server.RUNNING else None
        with contextmanager(lambda: started or elastic_server.run(version, Path(name) / "node", "1g"))() as server:
            if rounds is not None:
                total = spooled_once(spool, documents, runs, machines)
                figures = {"documents": total, **_large(server.client, spool, runs, rounds)}
            else:
                figures = _measured(server.client, spool, documents, runs, machines)
    arguments = [
        *map(str, (documents, runs, machines, version)),
        *(["--rounds", str(rounds)] if rounds is not None else []),
    ]
    figures |= {
        "server": version,
        "load": os.getloadavg()[0],
        "command": " ".join(["python lab/bench/bench_elastic_schedule.py", *arguments]),
    }
    write(figures)
    if page:
        name, content = ("schedule", table(figures)) if rounds is None else ("rounds", table_of_rounds(figures))
        begin, end = f"<!-- {name}: ", f"<!-- {name}'s end -->"
        text = PAGE.read_text("utf-8")
        before, after = text.partition(begin)[0], text.partition(end)[2]
        PAGE.write_text(f"{before}{begin}{content}{end}{after}", "utf-8")


def table(figures: Json) -> str:
    """The part of the page that the figures fill."""
    us, read_each, bulk = figures["client_us_a_document"], figures["read_per_document"], figures["bulk_read"]
    runs = figures["runs"]
    rows = [
        ("documents", f"{figures['documents']:,}", "the same", "the same"),
        ("documents read for each", f"{read_each['schedule']:.2f}", f"{read_each['process']:.2f}", f"{bulk:.2f}"),
        ("client, µs a document", *(f"{us[name]:,}" for name in WAYS)),
        ("the same as a ratio", *(f"{us[name] / us['bulk']:.2f}" for name in WAYS)),
        ("server, µs a document", *(f"{figures['server_us_a_document'][name]:,}" for name in WAYS)),
        ("identity-days in the state, of two days", "", "", f"{figures['state_bulk']['identity_days']:,}"),
        ("documents of an identity in 24 hours", "", "", f"{_density(figures, figures['state_bulk']):,.0f}"),
        ("client, ms a run", *(f"{us[name] * figures['documents'] / 1000 / runs:,.0f}" for name in WAYS[:2]), ""),
        *((f"— {label}, ms a run", *(f"{figures['stages'][way][name]:.0f}" for way in WAYS[:2]), "")
          for name, label in STAGES.items()),
        ("start-up of the program, ms a run, not counted above", f"{figures['start_ms']:.0f}", "", ""),
        *((f"state after run {each['run']}: rows, bytes of them, of its index", _state_cell(each), "", "")
          for each in figures["state"]),
    ]  # fmt: skip
    lines = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return (
        f"{figures['command']} -->\n| {figures['server']}, load {figures['load']:.0f} on {os.cpu_count()} cores "
        f"| {runs} processes | {runs} runs of one | one run |\n|---|---:|---:|---:|\n{lines}"
    )


def table_of_rounds(figures: Json) -> str:
    """The part of the page that the figures of many documents fill."""
    ways = [figures[name] for name in ("bulk", "process") if name in figures]
    same = ["the same"] * (len(ways) - 1)
    whole = ways[0]["spent"]["client"]
    rows = [
        ("documents", f"{figures['documents']:,}", *same),
        ("identity-days in the state, of two days", f"{ways[0]['state']['identity_days']:,}", *same),
        ("documents of an identity in 24 hours", f"{_density(figures, ways[0]['state']):,.0f}", *same),
        ("documents read for each", *(f"{each['spent']['read'] / figures['documents']:.2f}" for each in ways)),
        ("client, s", *(f"{each['spent']['client']:,.0f}" for each in ways)),
        ("the same as a ratio", *(f"{each['spent']['client'] / whole:.2f}" for each in ways)),
        ("client, µs a document", *(f"{each['client_us_a_document']:,.0f}" for each in ways)),
        ("server, µs a document", *(f"{each['server_us_a_document']:,.0f}" for each in ways)),
        ("one core is enough up to, million documents a day", *(f"{_most(each):,.0f}" for each in ways)),
        ("state: rows, bytes of them, of its index", *(_state_cell(each["state"]) for each in ways)),
        ("**core-hours of clients for a hundred million a day**", *(f"**{each['core_hours']:.1f}**" for each in ways)),
    ]
    lines = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    names = ["one run", *(f"{each['rounds']} rounds of one" for each in ways[1:])]
    head = f"| {figures['server']}, load {figures['load']:.0f} on {os.cpu_count()} cores | {' | '.join(names)} |\n"
    return f"{figures['command']} -->\n{head}|---|{'---:|' * len(ways)}\n{lines}"


def _density(figures: Json, state: Json) -> float:
    """Documents came in 24 hours of two calendar days, on each of which an identity has a day."""
    return 2 * float(figures["documents"]) / int(state["identity_days"])


def _most(figures: Json) -> float:
    """Millions of documents that a core's day is enough for."""
    return DAY / float(figures["client_us_a_document"])


def _state_cell(state: Json) -> str:
    return f"{state['rows']:,}, {sum(state['tables'].values()):,}, {state['bytes']:,}"


def started() -> float:
    """Milliseconds of processor time until the program, compiled, has loaded what a run needs; the least of four."""
    command = [sys.executable, "-m", "nhi_watch.cli", "elastic", "run", "--help"]
    with tempfile.TemporaryDirectory() as folder:
        compiled = {**ENVIRONMENT, "PYTHONPYCACHEPREFIX": folder}
        return min(spent(command, env=compiled).processor for _ in range(4)) * 1000


def peaked(second: int) -> int:
    """A second of a day moved so that one hour has BUSIEST times the mean, if they were even before.

    >>> peaked(0), peaked(86_399) // 3600
    (0, 23)
    """
    share = BUSIEST / 24
    rest = (1 - share) / 23 * PEAK
    at = second / DAY
    if at < rest:
        return int(at / rest * PEAK * HOUR)
    if at < rest + share:
        return int((PEAK + (at - rest) / share) * HOUR)
    return int((PEAK + 1 + (at - rest - share) / (1 - rest - share) * (23 - PEAK)) * HOUR)


class Batch:
    """Documents as bulk requests have them, in a file: they are many."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[bytes] = []

    def add(self, document: Json) -> None:
        """Keep one."""
        self._waiting.append(orjson.dumps(document))
        if len(self._waiting) >= HELD:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        with self._path.open("ab") as file:
            file.writelines(line + b"\n" for line in self._waiting)
        self._waiting = []

    def load(self, client: Elasticsearch, keep: bool = False) -> None:
        """Index them, make them searchable, and take the file away unless it is to be kept."""
        create = orjson.dumps({"create": {}})
        with self._path.open("rb") as file:
            while some := [line.rstrip(b"\n") for line in islice(file, SENT)]:
                lines: list[Any] = [part for line in some for part in (create, line)]
                answer = client.bulk(index=STREAM, operations=lines)
                assert not answer["errors"], answer["items"][0]
        client.indices.refresh(index=STREAM)
        if not keep:
            self._path.unlink()


def spooled(folder: Path, documents: int, runs: int, machines: int) -> tuple[Batch, list[Batch], int]:
    """The history, the documents by the run that is the first to see them, and how many those are."""
    days = 1 + runs * EVERY // DAY
    begun, total, dice = START + HISTORY, 0, random.Random(3)
    accounts = -(-machines // ACCOUNT)
    history, batches = Batch(folder / "history"), [Batch(folder / f"{number}") for number in range(runs + 1)]
    for account in range(accounts):
        spec = Spec(
            days,
            machines // accounts,
            5 + account,
            render(START)[:10],
            campaigns=6,
            quiet_days=0,
            events=documents * days // accounts,
        )
        for day in Tenant(spec).days():
            many = len(day.records)
            for number, record in enumerate(day.records):
                came = parse(f"{day.date}T00:00:00Z") + peaked(number * DAY // many)
                record["eventTime"] = render(came)
                came += dice.randrange(30, 200)
                if came >= begun + runs * EVERY:
                    continue
                document = ecs_shape.document(record, True, render(came))
                if came < begun:
                    history.add(document)
                    continue
                seen = came + (dice.randrange(300, 3600) if dice.random() < LATE else 5)
                batches[min(runs, (seen - begun) // EVERY)].add(document)
                total += 1
        for batch in (history, *batches):
            batch.flush()
    return history, batches, total


def spooled_once(folder: Path, documents: int, runs: int, machines: int) -> int:
    """Make the documents, unless an earlier run has; returns how many of them came after the history."""
    total = folder / "total"
    if not total.exists():
        total.write_text(str(spooled(folder, documents, runs, machines)[2]))
    return int(total.read_text())


def _large(client: Elasticsearch, folder: Path, runs: int, rounds: int) -> Json:
    """One run over all that was made, and rounds of one process."""
    ecs_shape.template(client, STREAM)
    for name in ("history", *map(str, range(runs + 1))):
        if (folder / name).exists():
            Batch(folder / name).load(client, keep=True)
    begun = START + HISTORY
    span = EVERY * runs + 2 * HOUR
    figures: Json = {"load": os.getloadavg()[0]}
    for name, count in ((name, count) for name, count in (("bulk", 1), ("process", rounds)) if count):
        namespace, used = f"{name}{elastic_server.FIRST}", Counter[str]()
        prepare(client, namespace)
        worker = host.Worker(client, host.ReadJob(STREAM, namespace, since=START))
        _run(worker, Clock(begun + 120))
        for number in range(1, count + 1):
            with measured(client, used):
                used += _run(worker, Clock(begun + span * number // count))
            print(f"{name}: round {number} of {count}: {dict(used)}", flush=True)
        read = used["read"]
        figures[name] = {
            "rounds": count,
            "spent": used,
            "client_us_a_document": round(used["client"] * 1e6 / read, 1),
            "server_us_a_document": round(used["server"] * 1e6 / read, 1),
            "core_hours": round(used["client"] / read * A_DAY / HOUR, 2),
            "state": _state(client, namespace),
        }
        write(figures)
    return figures


def _measured(client: Elasticsearch, folder: Path, documents: int, runs: int, machines: int) -> Json:
    ecs_shape.template(client, STREAM)
    history, batches, total = spooled(folder, documents, runs, machines)
    begun = START + HISTORY
    history.load(client)
    names = {name: f"{name}{elastic_server.FIRST}" for name in ("schedule", "process", "bulk")}
    workers = {
        name: host.Worker(client, host.ReadJob(STREAM, namespace, since=START)) for name, namespace in names.items()
    }
    for name, namespace in names.items():
        prepare(client, namespace)
        _run(workers[name], Clock(begun + 120))
    ends = [*(begun + EVERY * (number + 1) for number in range(runs)), begun + EVERY * runs + 2 * HOUR]
    used: dict[str, Counter[str]] = {"schedule": Counter(), "process": Counter(), "bulk": Counter()}
    states: list[Json] = []
    latest, each_run = 0.0, list[int]()
    for number, (end, batch) in enumerate(zip(ends, batches)):
        batch.load(client)
        last = end == ends[-1]
        counter: Counter[str] = Counter()
        with measured(client, counter):
            counter += _run(host.Worker(client, host.ReadJob(STREAM, names["schedule"])), Clock(end))
        with measured(client, used["process"]):
            used["process"] += _run(workers["process"], Clock(end))
        each_run.append(counter["read"])
        used["schedule"] += counter
        if number in STATES or last:
            states.append({"run": number, **_state(client, names["schedule"])})
            print(states[-1], flush=True)
        latest = end
    with measured(client, used["bulk"]):
        used["bulk"] += _run(workers["bulk"], Clock(latest))
    ratios = {
        name: {key: used[name][key] / value for key, value in sorted(used["bulk"].items()) if value}
        for name in ("schedule", "process")
    }
    us = {name: round(each["client"] * 1e6 / total) for name, each in used.items()}
    return {
        "documents": total, "runs": len(ends), "bulk_read": used["bulk"]["read"] / total,
        "read_per_document": {name: each["read"] / total for name, each in used.items()}, "client_us_a_document": us,
        "server_us_a_document": {name: round(each["server"] * 1e6 / total) for name, each in used.items()},
        "to_bulk": ratios, "spent": used, "state": states, "state_bulk": _state(client, names["bulk"]),
        "stages": {name: _stages(used[name], len(ends)) for name in ("schedule", "process")},
        "start_ms": started(),
        "documents_a_run": [mean(each_run), max(each_run)],
    }  # fmt: skip


def _stages(used: Counter[str], runs: int) -> dict[str, float]:
    """Milliseconds of the client's processor, of a run, by stage; `host` is what no other is."""
    kept = {name: seconds for name, seconds in used.items() if name in STAGES}
    kept["host"] = used["client"] - sum(kept.values())
    return {name: each * 1000 / runs for name, each in kept.items()}


@contextmanager
def measured(client: Elasticsearch, into: Counter[str]) -> Iterator[None]:
    """Adds the time that is taken within: of this process, and of the server's."""
    before = _now(client)
    yield
    for name, value in _now(client).items():
        into[name] += value - before[name]  # type: ignore[assignment]


def _now(client: Elasticsearch) -> dict[str, float]:
    (node,) = client.nodes.stats(metric="process")["nodes"].values()
    return {
        "server": node["process"]["cpu"]["total_in_millis"] / 1000,
        "client": time.process_time(),
        "wall": time.monotonic(),
    }


def _run(worker: host.Worker, clock: Clock) -> Counter[str]:
    with patch.object(host, "clock_of", lambda *_: clock), patch("time.perf_counter", time.process_time):
        done = worker.round()
    counter: Counter[str] = Counter({"read": done.get("read", 0), "alerts": done.get("alerts", {}).get("created", 0)})
    counter.update({f"s_{name}": seconds for name, seconds in done.get("seconds", {}).items()})
    return counter


def _state(client: Elasticsearch, namespace: str) -> Json:
    """Rows of the state and their bytes, and what its index takes once the deleted are merged away."""
    index = f"nhi-state-{namespace}"
    client.indices.forcemerge(index=index, max_num_segments=1, flush=True)
    primaries = client.indices.stats(index=index, metric=["store", "docs"])["_all"]["primaries"]
    tables: Counter[str] = Counter()
    identity_days = 0
    for table, key, size in _rows(client, index):
        tables[table] += size
        identity_days += table == "day" and key[:6].isdigit()
    return {
        "rows": primaries["docs"]["count"],
        "bytes": primaries["store"]["size_in_bytes"],
        "tables": dict(tables),
        "identity_days": identity_days,
    }


def _rows(client: Elasticsearch, index: str) -> Iterator[tuple[str, str, int]]:
    """Table, key and size of each row."""
    after: Json = {}
    while True:
        hits = client.search(index=index, size=1000, sort=[{"key": "asc"}, {"table": "asc"}], **after)["hits"]["hits"]
        rows = (hit["_source"] for hit in hits)
        yield from ((row["table"], row["key"], len(row["value"])) for row in rows)
        if len(hits) < 1000:
            return
        after = {"search_after": hits[-1]["sort"]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("documents", DOCUMENTS), ("runs", RUNS), ("machines", MACHINES)):
        parser.add_argument(name, type=int, nargs="?", default=default)
    parser.add_argument("version", nargs="?", default=VERSION)
    parser.add_argument("--no-page", dest="page", action="store_false")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--folder", type=Path)
    main(**vars(parser.parse_args()))
