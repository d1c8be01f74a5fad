"""When it pays to let the cluster group CloudTrail: processor seconds of client and server, by how alike documents are.

Documents of a few machines that do the same all day, of a simulated tenant, and mixtures of both; each read by one run,
grouped for another, and left to a third to choose, in turn and again in reverse. Processor time, because it depends
little on what else the machine does; of two runs the lesser.

`python lab/bench/bench_elastic_choice.py [DOCUMENTS] [VERSION]`
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import orjson

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "lab" / "bench")]

from _elastic_stream import Stream  # noqa: E402
from bench_elastic_push import _Counting, prepare, stored  # noqa: E402

import ecs_shape  # noqa: E402
import elastic_server  # noqa: E402
from nhi_watch.core.timestamps import HOUR, parse, render  # noqa: E402
from nhi_watch.hosts.elastic import windows  # noqa: E402
from nhi_watch.hosts.elastic.client import connect  # noqa: E402
from nhi_watch.hosts.elastic.connection import Connection  # noqa: E402
from nhi_watch.hosts.elastic.run import Job, run  # noqa: E402
from nhi_watch_lab.simulator.tenant import Spec, Tenant  # noqa: E402

_START = parse("2025-03-03T00:00:00Z")
_INGESTED = parse("2025-06-01T00:00:00Z")
_HOURS = 8
"""In which a hundred behaviours an hour come again and again."""
_WAYS = {"read": windows.NEVER, "auto": None, "grouped": 1}


class Case(NamedTuple):
    """Documents to try."""

    share: float
    """Of them that a simulated tenant wrote."""
    times: int = 1
    """How many times the number that was asked for."""
    original: bool = False
    """Whether they keep `event.original`, and cannot be grouped."""
    days: int = 4
    """Of the tenant."""


_CASES = (Case(0.4), Case(0.0, 3), Case(0.0), Case(0.0, 3), Case(0.05), Case(0.05, 3), Case(0.4), Case(1.0, 3),
          Case(1.0, 2, days=31), Case(1.0, 3, True), Case(0.0, 8))  # fmt: skip
_WARM = 2
"""So many cases warm the server up."""
_ROUNDS = 1
"""Of each way in turn and in reverse."""


class Spent(NamedTuple):
    """Seconds of one way."""

    client: float
    """Of its processor."""
    server: float
    """Of its processor."""
    wall: float
    bytes: int
    """Of the answers."""
    state: int
    """Bytes of the state, merged."""

    def processor(self) -> float:
        """Of both."""
        return self.client + self.server


def main(documents: int = 12_000, version: str = "9.5.3") -> None:
    """Measure, and write out/bench/bench_elastic_choice.json."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        node = elastic_server.Node(version, Path(folder) / "node", "1g")
        try:
            url = node.start()
            import nhi_watch.hosts.elastic.client as module

            plain = vars(module)["Elasticsearch"]
            setattr(module, "Elasticsearch", lambda **options: plain(node_class=_Counting, **options))  # noqa: B010
            with connect(Connection((url,))) as client:
                for turn, case in enumerate(_CASES):
                    row = _measured(client, node, (turn, case), documents)
                    rows += [row] if turn >= _WARM else []
                    print(row, flush=True)
        finally:
            node.remove()
    target = ROOT / "out" / "bench" / "bench_elastic_choice.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    told = {"server": version, "load": os.getloadavg()[0], "rows": rows}
    target.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))


def _measured(client: Any, node: elastic_server.Node, which: tuple[int, Case], documents: int) -> dict[str, Any]:
    turn, case = which
    source = f"logs-aws.cloudtrail-mixed{turn}"
    ecs_shape.template(client, source)
    written, when = records(case.share, documents * case.times, case.days), render(_INGESTED)
    ecs_shape.load(client, source, (ecs_shape.document(r, case.original, when) for r in written))
    client.indices.forcemerge(index=source, max_num_segments=1)
    told: dict[str, Any] = case._asdict()
    spent: dict[str, list[Spent]] = {}
    ways = [way for way in _WAYS if way == "read" or not case.original]
    for again, way in enumerate((*ways, *reversed(ways)) * _ROUNDS):
        namespace = f"{way}{turn}{again}"
        prepare(client, namespace)
        done, one = _spent(client, node, Job(source, namespace, _INGESTED, lag=0, push_from=_WAYS[way]))
        spent.setdefault(way, []).append(one)
        told.update(documents=done["events"], behaviours=done["behaviours"])
        if way == "auto":
            told["chosen"] = "grouped" if done["push_down"]["documents"] else "read"
    best = {way: min(each, key=Spent.processor) for way, each in spent.items()}
    told.update({way: {name: round(value, 2) for name, value in one._asdict().items()} for way, one in best.items()})
    if "auto" in best:
        better = min(best["read"].processor(), best["grouped"].processor())
        told["auto_to_better"] = round(best["auto"].processor() / better, 3)
    return told


def _spent(client: Any, node: elastic_server.Node, job: Job) -> tuple[dict[str, Any], Spent]:
    _Counting.bytes = 0
    server, cpu, began = node.processor, time.process_time(), time.monotonic()
    done = run(client, job)
    cpu, server = time.process_time() - cpu, node.processor - server
    wall, sent = time.monotonic() - began, _Counting.bytes
    client.indices.forcemerge(index=job.state, max_num_segments=1)
    return done, Spent(cpu, server, wall, sent, stored(client, job.state))


def records(share: float, documents: int, days: int = 4) -> list[dict[str, Any]]:
    """So many records, of which a share is a tenant's, from the first of so many days on."""
    varied = int(documents * share)
    records: list[dict[str, Any]] = []
    if varied:
        spec = Spec(days=days, machines=40, seed=5, start="2025-03-03", events=max(varied, 1_000))
        records = [record for day in Tenant(spec).days() for record in day.records][:varied]
    stream, dice = Stream(20), random.Random(4)
    moments = (_START + dice.randrange(_HOURS * HOUR) for _ in range(documents - len(records)))
    return records + [stream.tick(1, moment)[0] for moment in moments]


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, str), sys.argv[1:])))
