"""`nhi elastic run` against bare reading loops over the same documents on a real server.

A bare loop opens a point in time, fetches pages with search_after, decodes them with orjson as the client
does, and drops them. Two are measured: `same` sends the very requests of the run (page size, query, order,
whole `_source`) one after the other; `fields` asks for `_source: false` and only the fields that the source
reads. The run is a whole month over an empty state: reading, grouping, scoring every day, writing alerts and
state. All take turns; medians are reported, and where the run's time goes, in µs a document by stage.
`python lab/bench/bench_elastic.py [EVENTS]`
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from elasticsearch import Elasticsearch  # noqa: E402

import ecs_shape  # noqa: E402
import elastic_server  # noqa: E402
from nhi_watch.core.timestamps import parse  # noqa: E402
from nhi_watch.hosts.elastic import read, setup  # noqa: E402
from nhi_watch.hosts.elastic.run import Job, run  # noqa: E402
from nhi_watch.intake.sources.cloudtrail.ecs import ECS_FIELDS  # noqa: E402
from nhi_watch_lab.simulator.tenant import Spec, Tenant  # noqa: E402

EVENTS = 100_000
DAYS = 31
ROUNDS = 3
VERSION = "8.19.21"
_START = "2025-03-03"
_BASE = parse("2025-06-01T00:00:00Z")


def main(events: int = EVENTS) -> None:
    """Measure, and write out/bench/elastic.json."""
    days = [day.records for day in Tenant(Spec(days=DAYS, machines=300, seed=5, start=_START, events=events)).days()]
    with tempfile.TemporaryDirectory() as folder:
        servers = elastic_server.run(VERSION, Path(folder) / "node", heap="1g")
        client = next(servers).client
        figures: dict[str, Any] = {"server": VERSION, "events": sum(map(len, days)), "page": read.PAGE}
        for name, original in (("event_original", True), ("ecs_only", False)):
            figures[name] = _measure(client, name.replace("_", ""), days, original)
        servers.close()  # type: ignore[attr-defined]
    target = ROOT / "out" / "bench" / "bench_elastic.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


def _measure(client: Elasticsearch, name: str, days: list[list[Any]], original: bool) -> dict[str, Any]:
    """Documents a second of the run and of the bare loops."""
    stream = f"logs-aws.cloudtrail-{name}"
    ecs_shape.template(client, stream)
    for number, records in enumerate(days):
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_BASE + number))
        ecs_shape.load(client, stream, (ecs_shape.document(r, original, when) for r in records))
    client.indices.forcemerge(index=stream, max_num_segments=1)
    window = read.Window(stream, _BASE, _BASE + len(days))
    loops = {"same": {"source": True}, "fields": {"source": False, "fields": list(ECS_FIELDS)}}
    taken: dict[str, list[float]] = {}
    stages: list[dict[str, float]] = []
    total = 0
    for turn in range(ROUNDS + 1):
        for loop, what in loops.items():
            total = _time(taken, f"bare_{loop}", turn, lambda what=what: _bare(client, window, what))
        namespace = f"{name}{turn}"
        setup.setup(client, namespace)
        job = Job(stream, namespace, _BASE, lag=0)
        read_by_run = _time(taken, "run", turn, lambda job=job: _run(client, job, stages))
        assert read_by_run == total == sum(map(len, days))
    rates = {loop: total / statistics.median(seconds) for loop, seconds in taken.items()}
    ratios = {f"run_to_{loop}": rates["run"] / rates[loop] for loop in rates if loop.startswith("bare")}
    spent = {name: statistics.median(each[name] for each in stages[1:]) * 1e6 / total for name in stages[0]}
    return {"events_per_second": rates, **ratios, "us_by_stage": spent}


def _run(client: Elasticsearch, job: Job, stages: list[dict[str, float]]) -> int:
    done = run(client, job)
    stages.append(done["seconds"])
    return int(done["read"])


def _time(taken: dict[str, list[float]], name: str, turn: int, work: Any) -> int:
    started = time.perf_counter()
    count: int = work()
    if turn:  # the first turn warms the server up
        taken.setdefault(name, []).append(time.perf_counter() - started)
    return count


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
