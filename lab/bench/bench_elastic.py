"""`nhi elastic run` against bare reading loops over the same documents on a real server.

A bare loop opens a point in time, fetches pages with search_after, decodes them with orjson as the client
does, and drops them. Two are measured: `same` sends the very requests of the run (page size, query, order,
whole `_source`) one after the other; `fields` asks for `_source: false` and only the fields that the source
reads. The run is a whole month over an empty state: reading, grouping, scoring every day, writing alerts and
state. All take turns; medians are reported, of the time and of the processor time of client and server, which does not
depend on what else the machine does; and where the run's goes, in µs of the client's processor a document by stage;
`write` is what no other stage is: alerts and state.
`python lab/bench/bench_elastic.py [EVENTS] [MACHINES]`: about 138,000 events, or 25,000 of 30 machines
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import orjson
from _bench import write
from elasticsearch import Elasticsearch

import ecs_shape
import elastic_server
from nhi_watch.core.timestamps import parse
from nhi_watch.hosts.elastic import read, setup
from nhi_watch.hosts.elastic.cluster import Connection, connect
from nhi_watch.hosts.elastic.run import ReadJob, run
from nhi_watch.intake.sources.cloudtrail import ECS_FIELDS
from nhi_watch_lab.simulator.tenant import Spec, Tenant

EVENTS = 100_000
MACHINES = 300
DAYS = 31
ROUNDS = 3
VERSION = "8.19.21"
_START = "2025-03-03"
_BASE = parse("2025-06-01T00:00:00Z")


class Taken(NamedTuple):
    """Seconds of one turn."""

    wall: float
    processor: float
    """Of client and server."""
    client: float
    """Of the client's processor."""


def main(events: int = EVENTS, machines: int = MACHINES) -> None:
    """Measure, and write out/bench/bench_elastic.json."""
    days = [
        day.records for day in Tenant(Spec(days=DAYS, machines=machines, seed=5, start=_START, events=events)).days()
    ]
    with tempfile.TemporaryDirectory() as folder:
        node = elastic_server.Node(VERSION, Path(folder) / "node", heap="1g")
        figures: dict[str, Any] = {"server": VERSION, "events": sum(map(len, days)), "page": read.PAGE}
        try:
            with connect(Connection((node.start(),))) as client:
                for name, original in (("event_original", True), ("ecs_only", False)):
                    figures[name] = _measure(client, node, days, original)
        finally:
            node.remove()
    figures["load"] = os.getloadavg()[0]
    write(figures)


def _measure(client: Elasticsearch, node: elastic_server.Node, days: list[list[Any]], original: bool) -> dict[str, Any]:
    """Documents a second of the run and of the bare loops, and a second of processor time."""
    name = "original" if original else "ecs"
    stream = f"logs-aws.cloudtrail-{name}"
    ecs_shape.template(client, stream)
    for number, records in enumerate(days):
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_BASE + number))
        ecs_shape.load(client, stream, (ecs_shape.document(r, original, when) for r in records))
    client.indices.forcemerge(index=stream, max_num_segments=1)
    window = read.Window(stream, _BASE, _BASE + len(days))
    loops: dict[str, dict[str, Any]] = {
        "same": {"source": True},
        "fields": {"source": False, "fields": list(ECS_FIELDS)},
    }
    taken: dict[str, list[Taken]] = {}
    stages: list[dict[str, float]] = []
    total = 0
    for turn in range(ROUNDS + 1):
        for loop, what in loops.items():
            total, spent = _timed(node, partial(_bare, client, window, what))
            taken.setdefault(f"bare_{loop}", []).append(spent)
        namespace = f"{name}{turn}"
        prepare(client, namespace)
        job = ReadJob(stream, namespace, _BASE, lag=0)
        read_by_run, spent = _timed(node, partial(_run, client, job, stages))
        taken.setdefault("run", []).append(spent)
        assert read_by_run == total == sum(map(len, days))
    by_stage = {name: statistics.median(each[name] for each in stages[1:]) * 1e6 / total for name in stages[0]}
    by_stage["write"] = by_stage["total"] - sum(each for name, each in by_stage.items() if name != "total")
    return {**{f"by_{kind}": _rates(taken, total, kind) for kind in Taken._fields}, "us_by_stage": by_stage}


def prepare(client: Elasticsearch, namespace: str) -> None:
    """Set up, and make the data streams, which takes the cluster a while once for ever."""
    setup.setup(client, namespace)
    for kind in ("alerts", "health"):
        # What is refused for want of a time has made its stream all the same.
        client.options(ignore_status=400).create(index=f"logs-nhi.{kind}-{namespace}", id="none", document={})


def _rates(taken: dict[str, list[Taken]], total: int, kind: str) -> dict[str, float]:
    """Documents a second and ratios; the first turn warmed the server up."""
    rates = {
        way: total / statistics.median(getattr(each, kind) for each in measured[1:]) for way, measured in taken.items()
    }
    return {**rates, **{f"run_to_{way}": rates["run"] / rate for way, rate in rates.items() if way != "run"}}


def _run(client: Elasticsearch, job: ReadJob, stages: list[dict[str, float]]) -> int:
    with patch("time.perf_counter", time.process_time):  # the run's own clock for its stages
        done = run(client, job)
    stages.append(done["seconds"])
    return int(done["read"])


def _timed(node: elastic_server.Node, work: Callable[[], int]) -> tuple[int, Taken]:
    started, client, server = time.monotonic(), time.process_time(), node.processor
    count = work()
    client, server = time.process_time() - client, node.processor - server
    return count, Taken(time.monotonic() - started, client + server, client)


def _bare(client: Elasticsearch, window: read.Window, what: dict[str, Any]) -> int:
    return sum(len(hits) for hits in _bare_pages(client, window, what))


def _bare_pages(client: Elasticsearch, window: read.Window, what: dict[str, Any]) -> Iterator[list[Any]]:
    pit = client.open_point_in_time(index=window.pattern, keep_alive="5m")["id"]
    request: dict[str, Any] = {
        "size": read.PAGE,
        "query": read.query(window, read.clocks(client, window.pattern)),
        "sort": ["_shard_doc"],
        "track_total_hits": False,
        **what,
    }
    while True:
        hits = orjson.loads(client.search(pit={"id": pit, "keep_alive": "5m"}, **request).body)["hits"]["hits"]
        yield hits
        if len(hits) < read.PAGE:
            break
        request["search_after"] = hits[-1]["sort"]
    client.close_point_in_time(id=pit)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
