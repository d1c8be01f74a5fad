"""How long from the ingestion of an event to its alert, with `nhi elastic run --follow` at 2,000 events a second.

All on this machine: a real server, the job as a process of its own, and this process, which writes documents and
looks for alerts ten times a second. Machines with a week of history do the same all day; each second one of
their keys is stolen. Measured is from just before the thief's documents are sent to the moment at which the alert
is found. `python bench/bench_elastic_follow.py [SECONDS] [VERSION]`; two minutes more are needed to get ready.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

import ecs_shape  # noqa: E402
import elastic_server  # noqa: E402
from _elastic_stream import Stream, documents  # noqa: E402
from elasticsearch import Elasticsearch  # noqa: E402
from elasticsearch.helpers import bulk  # noqa: E402

from nhi_watch.elastic import setup  # noqa: E402
from nhi_watch.timestamps import HOUR, render  # noqa: E402

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


def main(seconds: int = SECONDS, version: str = "8.19.21") -> None:
    """Measure, and write out/bench/bench_elastic_follow.json."""
    with tempfile.TemporaryDirectory() as folder:
        servers = elastic_server.run(version, Path(folder) / "node", heap="1g")
        server = next(servers)
        stream = Stream(MACHINES)
        _prepare(server.client, stream)
        job = _job(server.url)
        try:
            assert job.stdout is not None
            print("   reading the history", flush=True)
            job.stdout.readline()  # the first heartbeat
            figures = _measure(server.client, stream, seconds)
        finally:
            job.terminate()
            told = [orjson.loads(line) for line in job.communicate(timeout=60)[0].splitlines()]
            servers.close()  # type: ignore[attr-defined]
    beats = [beat for beat in told if "read" in beat]
    figures = {"server": version, "cores": os.cpu_count(), **figures, "job": [_told(beat) for beat in beats]}
    target = ROOT / "out" / "bench" / "bench_elastic_follow.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


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


def _measure(client: Elasticsearch, stream: Stream, seconds: int) -> dict[str, Any]:
    watcher = _Watcher(client)
    watcher.start()
    print("   writing documents", flush=True)
    stolen: dict[str, float] = {}
    load_before = os.getloadavg()[0]
    ticks = int((WARM_UP + seconds) / TICK)
    began, behind = time.monotonic(), 0.0
    for tick in range(ticks):
        wait = began + tick * TICK - time.monotonic()
        behind = max(behind, -wait)
        time.sleep(max(0.0, wait))
        now = time.time()
        records = stream.tick(int(RATE * TICK), now)
        if tick * TICK >= WARM_UP and tick % int(1 / TICK) == 0:
            machine = len(stolen)
            stolen[f"AIDAMACHINE{machine:010d}"] = now
            records += stream.theft(machine, now)
        ingested = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
        bulk(client, ({"_op_type": "create", "_index": _SOURCE, "_source": d} for d in documents(records, ingested)))
    took = time.monotonic() - began
    deadline = time.monotonic() + _PATIENCE
    while len(watcher.found) < len(stolen) and time.monotonic() < deadline:
        time.sleep(0.2)
    waits = sorted(watcher.found[name] - at for name, at in stolen.items() if name in watcher.found)
    return {
        "events_per_second": ticks * RATE * TICK / took,
        "longest_behind_seconds": behind,
        "thefts": len(stolen),
        "alerts": len(waits),
        "p50_seconds": waits[len(waits) // 2],
        "p99_seconds": waits[min(len(waits) - 1, int(len(waits) * 0.99))],
        "longest_seconds": waits[-1],
        "load_before": load_before,
        "load_after": os.getloadavg()[0],
    }


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, str), sys.argv[1:])))
