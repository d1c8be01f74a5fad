"""What a continuous pivot transform would cost at least, beside grouping for each run: processor seconds of both sides.

A pivot runs the composite aggregation that the job runs, with the same fields, and indexes each group; the job then
fetches the groups. Its engine is not to be had here, so its three parts are done one by one over a real server: the
aggregation, indexing (the cluster's share alone), fetching. Left out is what the engine itself takes, and that it
groups an hour anew whenever something of it comes in.

`python lab/bench/bench_elastic_transform.py [DOCUMENTS] [VERSION]` prints a table.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "lab" / "bench")]

from bench_elastic_choice import records  # noqa: E402
from elasticsearch.helpers import bulk  # noqa: E402

import ecs_shape  # noqa: E402
import elastic_server  # noqa: E402
from nhi_watch.core.timestamps import HOUR, parse, render  # noqa: E402
from nhi_watch.hosts.elastic import read  # noqa: E402
from nhi_watch.hosts.elastic.client import connect  # noqa: E402
from nhi_watch.hosts.elastic.connection import Connection  # noqa: E402
from nhi_watch.hosts.elastic.pushdown import checks, queries  # noqa: E402
from nhi_watch.hosts.elastic.pushdown.buckets import Ask, Bucket, Grouped, point_in_time  # noqa: E402
from nhi_watch.hosts.elastic.pushdown.queries import Request  # noqa: E402

Json = dict[str, Any]
_INGESTED = parse("2025-06-01T00:00:00Z")
_SHARES = (0.0, 0.0, 0.05, 1.0)
"""Of the documents that a simulated tenant wrote; the first one warms the server up."""
_TURNS = 3
"""Of which the least counts."""


class Spent(NamedTuple):
    """Processor seconds."""

    client: float
    server: float


def main(documents: int = 12_000, version: str = "9.5.3") -> None:
    """Measure and print."""
    print("| documents | groups | grouped by the run: client | cluster | by a transform: client | cluster |")
    print("|---:|" + "---:|" * 5)
    with tempfile.TemporaryDirectory() as folder:
        node = elastic_server.Node(version, Path(folder) / "node", "1g")
        try:
            with connect(Connection((node.start(),))) as client:
                for turn, share in enumerate(_SHARES):
                    row = _measured(client, node, f"logs-aws.cloudtrail-pivot{turn}", records(share, documents * 3))
                    print("| " + " | ".join(row) + " |" if turn else "", flush=True)
        finally:
            node.remove()


def _measured(client: Any, node: elastic_server.Node, stream: str, told: list[Json]) -> list[str]:
    ecs_shape.template(client, stream)
    ecs_shape.load(client, stream, (ecs_shape.document(record, False, render(_INGESTED)) for record in told))
    client.indices.forcemerge(index=stream, max_num_segments=1)
    into = f"pivoted-{stream[-1]}"
    mapping = {"dynamic": False, "properties": {"first": {"type": "date"}, "last": {"type": "date"}}}

    def index(groups: list[Bucket]) -> None:
        client.indices.delete(index=into, ignore_unavailable=True)
        client.indices.create(index=into, mappings=mapping, settings={"number_of_replicas": 0})
        bulk(client, ({"_index": into, "_id": str(n), **each._asdict()} for n, each in enumerate(groups)), refresh=True)

    groups, grouping = _least(node, lambda: _grouped(client, stream))
    _, indexing = _least(node, lambda: index(groups))
    fetched, fetching = _least(node, lambda: sum(map(len, read.pages(client, into, {"match_all": {}}))))
    assert fetched == len(groups)
    cluster = grouping.server + indexing.server + fetching.server
    spent = (grouping.client, grouping.server, fetching.client, cluster)
    return [f"{len(told):,}", f"{len(groups):,}", *(f"{each:.2f}" for each in spent)]


def _least(node: elastic_server.Node, work: Callable[[], Any]) -> tuple[Any, Spent]:
    spent = []
    for _ in range(_TURNS):
        client, server = time.process_time(), node.processor
        done = work()
        spent.append(Spent(time.process_time() - client, node.processor - server))
    return done, min(spent, key=sum)


def _grouped(client: Any, stream: str) -> list[Bucket]:
    with point_in_time(client, stream) as pit:
        return [bucket for request in _requests(client, stream, pit)
                for bucket in Grouped(client, pit, request, Ask.PLACE).buckets()]  # fmt: skip


def _requests(client: Any, stream: str, pit: str) -> Iterator[Request]:
    hours = read.count_by(client, read.Window(stream, _INGESTED, _INGESTED + HOUR), HOUR)
    within = queries.within((start // HOUR for start in hours), _INGESTED + HOUR)
    providers = checks.look(client, pit, within)
    yield from queries.requests(queries.all_of(within, queries.pushable()), providers, checks.told(client, pit))


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, str), sys.argv[1:])))
