"""When it pays to let the cluster group CloudTrail: processor seconds of client and server, by how alike documents are.

Documents of a few machines that do the same all day, of a simulated tenant, and mixtures of both; each read by one run
and grouped for another. Processor time, because it does not depend on what else the machine does.

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
from bench_elastic_push import _Counting  # noqa: E402

import ecs_shape  # noqa: E402
import elastic_server  # noqa: E402
from nhi_watch.core.timestamps import HOUR, parse, render  # noqa: E402
from nhi_watch.hosts.elastic import setup, windows  # noqa: E402
from nhi_watch.hosts.elastic.client import connect  # noqa: E402
from nhi_watch.hosts.elastic.connection import Connection  # noqa: E402
from nhi_watch.hosts.elastic.pushdown import choice  # noqa: E402
from nhi_watch.hosts.elastic.read import Window  # noqa: E402
from nhi_watch.hosts.elastic.run import Job, run  # noqa: E402
from nhi_watch_lab.simulator.tenant import Spec, Tenant  # noqa: E402

_START = parse("2025-03-03T00:00:00Z")
_INGESTED = parse("2025-06-01T00:00:00Z")
_TICKS = os.sysconf("SC_CLK_TCK")
_HOURS = 8
"""In which a hundred behaviours an hour come again and again."""
_SHARES = (0.0, 0.0, 0.05, 0.15, 0.4)
"""Of documents that a simulated tenant wrote. The first round warms the server up."""


class Spent(NamedTuple):
    """Seconds of one way."""

    client: float
    """Of its processor."""
    server: float
    """Of its processor."""
    wall: float
    bytes: int
    """Of the answers."""


def main(documents: int = 20_000, version: str = "9.5.3") -> None:
    """Measure, and write out/bench/bench_elastic_choice.json."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        node = elastic_server.Node(version, Path(folder) / "node", "1g")
        try:
            url = node.start()
            import nhi_watch.hosts.elastic.client as module

            plain = vars(module)["Elasticsearch"]
            setattr(module, "Elasticsearch", lambda **options: plain(node_class=_Counting, **options))  # noqa: B010
            choice.FIXED = 0
            with connect(Connection((url,))) as client:
                for turn, share in enumerate(_SHARES):
                    row = _measured(client, node, (turn, share), documents)
                    rows += [row] if turn else []
                    print(row, flush=True)
        finally:
            node.remove()
    target = ROOT / "out" / "bench" / "bench_elastic_choice.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(orjson.dumps({"server": version, "rows": rows}, option=orjson.OPT_INDENT_2))


def _measured(client: Any, node: elastic_server.Node, which: tuple[int, float], documents: int) -> dict[str, Any]:
    turn, share = which
    source = f"logs-aws.cloudtrail-mixed{turn}"
    ecs_shape.template(client, source)
    when = render(_INGESTED)
    ecs_shape.load(client, source, (ecs_shape.document(r, False, when) for r in _records(share, documents)))
    client.indices.forcemerge(index=source, max_num_segments=1)
    auto = choice.pays(client, Window(source, _INGESTED, _INGESTED + HOUR))
    told: dict[str, Any] = {"varied": share, "chosen": "grouped" if auto else "read"}
    for way, push_from in (("read", windows.NEVER), ("grouped", 1)):
        namespace = f"{way}{turn}"
        setup.setup(client, namespace)
        _Counting.bytes = 0
        before, cpu, began = _server(node), time.process_time(), time.monotonic()
        done = run(client, Job(source, namespace, _INGESTED, lag=0, push_from=push_from))
        spent = Spent(
            time.process_time() - cpu, _server(node) - before, time.monotonic() - began, _Counting.bytes
        )  # fmt: skip
        told[way] = {**{name: round(value, 2) for name, value in spent._asdict().items()}, "stages": done["seconds"]}
        told.update(documents=done["events"], behaviours=done["behaviours"])
    return told


def _records(share: float, documents: int) -> list[dict[str, Any]]:
    """So many records, of which a share is a tenant's."""
    varied = int(documents * share)
    records: list[dict[str, Any]] = []
    if varied:
        spec = Spec(days=4, machines=40, seed=5, start="2025-03-03", events=max(varied, 1_000))
        records = [record for day in Tenant(spec).days() for record in day.records][:varied]
    stream, dice = Stream(20), random.Random(4)
    moments = (_START + dice.randrange(_HOURS * HOUR) for _ in range(documents - len(records)))
    return records + [stream.tick(1, moment)[0] for moment in moments]


def _server(node: elastic_server.Node) -> float:
    """Processor seconds of the server so far."""
    assert node.pid, "not started"
    fields = Path(f"/proc/{node.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, str), sys.argv[1:])))
