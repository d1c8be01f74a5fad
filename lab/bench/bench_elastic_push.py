"""A month of monotonous machines on a real server: read document by document, or grouped by the cluster.

Compared with a bare loop that opens a point in time, fetches pages of whole documents with search_after, decodes
and drops them. Each way starts from an empty state and writes alerts and state; both must write the same alerts. Data
streams are there before: to make one takes the cluster half a second, once for ever, whatever there is to read.
Bytes are those of the answers, measured where the client gets them; memory is the process's, at every day that is
scored. Every way runs in a process of its own, in turn, ROUNDS times; medians are reported.

`python lab/bench/bench_elastic_push.py [EVENTS] [ROUNDS] [VERSION]`: 1,000,000 events and three rounds take about 4
minutes on two cores that do nothing else; 5,000,000 and one round about 20.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "lab" / "bench")]

from _elastic_stream import Stream, documents, fill  # noqa: E402
from elastic_transport import Urllib3HttpNode  # noqa: E402

import ecs_shape  # noqa: E402
import elastic_server  # noqa: E402
from nhi_watch.core.timestamps import DAY, HOUR, parse, render  # noqa: E402
from nhi_watch.hosts.elastic import read, setup, windows  # noqa: E402
from nhi_watch.hosts.elastic.client import connect  # noqa: E402
from nhi_watch.hosts.elastic.connection import Connection  # noqa: E402
from nhi_watch.hosts.elastic.run import Job, run  # noqa: E402

DAYS = 31
MACHINES = 20
_START = parse("2025-03-03T00:00:00Z")
_INGESTED = parse("2025-06-01T00:00:00Z")
_SOURCE = "logs-aws.cloudtrail-month"
_PAGE_SIZE = 4096
_WAYS = ("bare", "read", "pushed")


def main(events: int = 1_000_000, rounds: int = 3, version: str = "8.19.21") -> None:
    """Measure, and write out/bench/bench_elastic_push.json."""
    with tempfile.TemporaryDirectory() as folder:
        servers = elastic_server.run(version, Path(folder) / "node", heap="1g")
        server = next(servers)
        ecs_shape.template(server.client, _SOURCE)
        count = fill(server.client, _SOURCE, _month(events))
        server.client.options(request_timeout=3600).indices.forcemerge(index=_SOURCE, max_num_segments=1)
        told: dict[str, list[Any]] = {way: [] for way in _WAYS}
        with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            for turn in range(rounds):
                for way in _WAYS:
                    told[way].append(pool.apply(_one, (way, server.url, f"{way}{turn}")))
                    print(f"   {way}: {told[way][-1]['seconds']:.1f} s", flush=True)
        source_bytes = stored(server.client, _SOURCE)
        same = _alerts(server.client, "read0") == _alerts(server.client, "pushed0")
        servers.close()  # type: ignore[attr-defined]
    figures = {"server": version, "events": count, "same_alerts": same, "source_bytes": source_bytes, **_figures(told)}
    target = ROOT / "out" / "bench" / "bench_elastic_push.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    assert same, "both ways must write the same alerts"


def _month(events: int) -> Iterator[Any]:
    """Every machine does the same every hour; on the last day two keys are stolen."""
    stream, each = Stream(MACHINES), events // (DAYS * 24)
    dice = random.Random(4)
    for hour in range(DAYS * 24):
        ingested = render(_INGESTED + hour)
        for _ in range(each):
            yield documents(stream.tick(1, _START + hour * HOUR + dice.randrange(HOUR)), ingested)[0]
    for machine in (3, 7):
        yield from documents(stream.theft(machine, _START + (DAYS - 1) * DAY + 12 * HOUR), render(_INGESTED))


class _Counting(Urllib3HttpNode):
    """Counts what comes in."""

    bytes = 0

    def perform_request(self, *arguments: Any, **named: Any) -> Any:
        answer = super().perform_request(*arguments, **named)
        _Counting.bytes += len(answer[1])
        return answer


def _one(way: str, url: str, namespace: str) -> dict[str, Any]:
    """One way, measured; in a process of its own, so that memory is its own."""
    import nhi_watch.hosts.elastic.client as module

    plain = vars(module)["Elasticsearch"]
    setattr(module, "Elasticsearch", lambda **options: plain(node_class=_Counting, **options))  # noqa: B010
    memory: list[int] = []
    with connect(Connection((url,))) as client:
        if way != "bare":
            prepare(client, namespace)
        _Counting.bytes = 0
        started = time.perf_counter()
        told = _bare(client) if way == "bare" else _run(client, way, namespace, memory)
        seconds = time.perf_counter() - started
    return {**told, "seconds": seconds, "bytes": _Counting.bytes, "megabytes": memory}


def prepare(client: Any, namespace: str) -> None:
    """Set up, and make the data streams, which takes the cluster a while once for ever."""
    setup.setup(client, namespace)
    for kind in ("alerts", "risk", "inventory", "health"):
        # What is refused for want of a time has made its stream all the same.
        client.options(ignore_status=400).create(index=f"logs-nhi.{kind}-{namespace}", id="none", document={})


def _run(client: Any, way: str, namespace: str, memory: list[int]) -> dict[str, Any]:
    push_from = 1 if way == "pushed" else windows.NEVER
    job = Job(_SOURCE, namespace, _INGESTED, budget=300.0, lag=0, push_from=push_from)
    done = run(client, job, lambda stage, done, total: memory.append(_megabytes()))
    assert (done["push_down"]["documents"] > 0) == (way == "pushed"), done["push_down"]
    return {"read": done["read"], "stages": done["seconds"], "pushed": done["push_down"]["documents"],
            "behaviours": done["behaviours"], "state_bytes": stored(client, f"nhi-state-{namespace}")}  # fmt: skip


def stored(client: Any, index: str) -> int:
    """Bytes of an index."""
    stats = client.indices.stats(index=index, metric="store")
    return int(stats["_all"]["primaries"]["store"]["size_in_bytes"])


def _megabytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_SIZE // 1_000_000


def _bare(client: Any) -> dict[str, Any]:
    window = read.Window(_SOURCE, _INGESTED, _INGESTED + DAY)
    pit = client.open_point_in_time(index=_SOURCE, keep_alive="5m")["id"]
    request = {"size": read.PAGE, "query": read.query(window, read.clocks(client, _SOURCE)),
               "sort": ["_shard_doc"], "track_total_hits": False}  # fmt: skip
    count = 0
    while True:
        hits = orjson.loads(client.search(pit={"id": pit, "keep_alive": "5m"}, **request).body)["hits"]["hits"]
        count += len(hits)
        if len(hits) < read.PAGE:
            break
        request["search_after"] = hits[-1]["sort"]
    client.close_point_in_time(id=pit)
    return {"read": count}


def _alerts(client: Any, namespace: str) -> list[Any]:
    index = f"logs-nhi.alerts-{namespace}"
    found = client.search(index=index, size=10_000, ignore_unavailable=True)["hits"]["hits"]
    return sorted((n["id"], n["score"], n["record_count"]) for n in (h["_source"]["nhi"]["notable"] for h in found))


def _figures(told: dict[str, list[Any]]) -> dict[str, Any]:
    taken = {way: statistics.median(one["seconds"] for one in told[way]) for way in _WAYS}
    memory = {way: told[way][0]["megabytes"] for way in _WAYS if way != "bare"}
    return {
        "seconds": taken,
        "bytes": {way: told[way][0]["bytes"] for way in _WAYS},
        "read_to_bare": taken["bare"] / taken["read"],
        "pushed_to_bare": taken["bare"] / taken["pushed"],
        "megabytes_at_each_day": {way: {"first": m[0], "half": m[len(m) // 2], "last": m[-1], "most": max(m)}
                                  for way, m in memory.items() if m},
        "behaviours": told["read"][0]["behaviours"],
        "state_bytes": told["read"][0]["state_bytes"],
        "stages": {way: told[way][0]["stages"] for way in _WAYS if way != "bare"},
    }  # fmt: skip


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, int, str), sys.argv[1:])))
