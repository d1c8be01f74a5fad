"""How long from the ingestion of an event to its alert, with `nhi elastic run --follow` at 2,000 events a second.

All on this machine: a real server, the job as a process of its own, and two more that stand for other machines: one
writes documents, made and encoded beforehand so that it takes little of the cores, and this one looks for alerts ten
times a second. Machines with a week of history do the same all day; each second one of their keys is stolen. Measured
is from just before the thief's documents are sent to the moment at which the alert is found; and which share of a core
the server and the job took, which tells whether two cores are enough where other programs run beside.
`python lab/bench/bench_elastic_follow.py [SECONDS] [VERSION]`; two minutes more are needed to get ready.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import orjson

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "lab" / "bench")]

from _elastic_stream import Stream, body, documents  # noqa: E402
from elasticsearch import Elasticsearch  # noqa: E402

import ecs_shape  # noqa: E402
import elastic_server  # noqa: E402
from nhi_watch.core.timestamps import HOUR, render  # noqa: E402
from nhi_watch.hosts.elastic import setup  # noqa: E402
from nhi_watch.hosts.elastic.client import connect  # noqa: E402
from nhi_watch.hosts.elastic.connection import Connection  # noqa: E402

RATE = 2_000
SECONDS = 60
WARM_UP = 15
TICK = 0.25
HISTORY = 8
MACHINES = 300
_NAME = "follow"
_SOURCE = f"logs-aws.cloudtrail-{_NAME}"
_ALERTS = f"logs-nhi.alerts-{_NAME}"
_PATIENCE = 60
_INGESTED, _EPOCH = "INGESTED", b"1970-01-01T00:00:00"
"""Placeholders, for what is known only when a document is sent."""


def main(seconds: int = SECONDS, version: str = "8.19.21") -> None:
    """Measure, and write out/bench/bench_elastic_follow.json."""
    with tempfile.TemporaryDirectory() as folder:
        node = elastic_server.Node(version, Path(folder) / "node", heap="1g")
        try:
            figures, told = _followed(node, seconds)
        finally:
            node.remove()
    beats = [beat for beat in told if "read" in beat]
    figures = {"server": version, "cores": os.cpu_count(), **figures, "job": [_told(beat) for beat in beats]}
    target = ROOT / "out" / "bench" / "bench_elastic_follow.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


def _followed(node: elastic_server.Node, seconds: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The figures, and what the job said."""
    url = node.start()
    with connect(Connection((url,))) as client:
        _prepare(client, Stream(MACHINES))
        job = _job(url)
        try:
            assert job.stdout is not None
            print("   reading the history", flush=True)
            job.stdout.readline()  # the first heartbeat
            figures = _measure(client, url, seconds, {"server": node.pid, "job": job.pid})
        finally:
            job.terminate()
            told = [orjson.loads(line) for line in job.communicate(timeout=60)[0].splitlines()]
    return figures, told


def _prepare(client: Elasticsearch, stream: Stream) -> None:
    setup.setup(client, _NAME)
    ecs_shape.template(client, _SOURCE)
    now = time.time()
    ingested = render(int(now) - HOUR)
    ecs_shape.load(client, _SOURCE, (d for r in stream.history(HISTORY, now) for d in documents([r], ingested)))
    client.indices.put_settings(index=_SOURCE, settings={"refresh_interval": "1s"})


def _job(url: str) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-m", "nhi_watch.cli", "elastic", "run", "--follow", "--json", "--budget", "1000"]
    options = ["--url", url, "--namespace", _NAME, "--index", _SOURCE]
    return subprocess.Popen([*program, *options], cwd=ROOT, stdout=subprocess.PIPE)


def _told(beat: dict[str, Any]) -> dict[str, Any]:
    """What the job says of a minute."""
    return {"read": beat["read"], "duplicates": beat["duplicates"], "seconds": beat["seconds"]}


class _Watcher(threading.Thread):
    """Looks which machines there are alerts of, and when they were first found."""

    def __init__(self, client: Elasticsearch) -> None:
        super().__init__(daemon=True)
        self._client = client
        self.found: dict[str, float] = {}

    def run(self) -> None:
        while True:
            answer = self._client.search(
                index=_ALERTS,
                size=1_000,
                source={"includes": ["service.id"]},
                ignore_unavailable=True,
                track_total_hits=False,
            )
            now = time.time()
            for hit in answer["hits"]["hits"]:
                self.found.setdefault(hit["_source"]["service"]["id"].rpartition(":")[2], now)
            time.sleep(0.1)


class _Script(NamedTuple):
    """What the writer sends, a tick after the other."""

    bodies: list[Any]
    """Bulk requests with placeholders for the time."""
    thieves: list[str]
    """Whose key is stolen in each tick; "": nobody's."""


def _script(seconds: int) -> _Script:
    stream, thefts = Stream(MACHINES, seed=2), 0
    bodies: list[Any] = []
    thieves: list[str] = []
    for tick in range(int((WARM_UP + seconds) / TICK)):
        records, thief = stream.tick(int(RATE * TICK), 0), ""
        if tick * TICK >= WARM_UP and tick % int(1 / TICK) == 0:
            records, thief = records + stream.theft(thefts, 0), f"AIDAMACHINE{thefts:010d}"
            thefts += 1
        bodies.append(body(documents(records, _INGESTED)))
        thieves.append(thief)
    return _Script(bodies, thieves)


def _write(url: str, seconds: int, ready: Any) -> tuple[dict[str, float], float, float]:
    """The writer's process: who was robbed when, how long it all took, and how far it fell behind."""
    script = _script(seconds)
    ready.set()
    stolen: dict[str, float] = {}
    behind = 0.0
    with connect(Connection((url,))) as client:
        began = time.monotonic()
        for tick, (request, thief) in enumerate(zip(*script)):
            wait = began + tick * TICK - time.monotonic()
            behind = max(behind, -wait)
            time.sleep(max(0.0, wait))
            now = time.time()
            ingested = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
            request = request.replace(_INGESTED.encode(), ingested.encode())
            request = request.replace(_EPOCH, render(int(now))[:-1].encode())
            if thief:
                stolen[thief] = now
            answer = client.bulk(index=_SOURCE, operations=request)
            assert not answer["errors"], answer["items"][0]
        return stolen, time.monotonic() - began, behind


def _measure(client: Elasticsearch, url: str, seconds: int, pids: dict[str, int]) -> dict[str, Any]:
    watcher = _Watcher(client)
    load_before = os.getloadavg()[0]
    with get_context("spawn").Manager() as manager, get_context("spawn").Pool(1) as pool:
        ready = manager.Event()
        writing = pool.apply_async(_write, (url, seconds, ready))
        while not ready.wait(1.0) and not writing.ready():
            pass  # a writer that failed is told of by get
        watcher.start()
        print("   writing documents", flush=True)
        before = {who: elastic_server.processor(pid) for who, pid in pids.items()}
        stolen, took, behind = writing.get()
        cores = {who: (elastic_server.processor(pid) - before[who]) / took for who, pid in pids.items()}
    deadline = time.monotonic() + _PATIENCE
    while len(watcher.found) < len(stolen) and time.monotonic() < deadline:
        time.sleep(0.2)
    waits = sorted(watcher.found[name] - at for name, at in stolen.items() if name in watcher.found)
    return {
        "events_per_second": (WARM_UP + seconds) * RATE / max(took, WARM_UP + seconds),
        "longest_behind_seconds": behind,
        "thefts": len(stolen),
        "alerts": len(waits),
        "p50_seconds": waits[len(waits) // 2],
        "p99_seconds": waits[min(len(waits) - 1, int(len(waits) * 0.99))],
        "longest_seconds": waits[-1],
        "cores_taken": cores,
        "load_before": load_before,
        "load_after": os.getloadavg()[0],
    }


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, str), sys.argv[1:])))
