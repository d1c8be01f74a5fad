"""Seconds and memory where somebody writes what no tenant has: identities of one record, costly files, invented names.

`python lab/bench/bench_bounds.py [--page docs/method/bounds.md]`: each case is a process of its own, read in batches
and settled over a state on disk, or read from a real Elasticsearch, after twenty ordinary days: processor seconds, peak
of resident memory, and whether the theft of that day has its place. All take about half an hour. What
out/bench/bench_bounds.json holds is not run again.
"""

from __future__ import annotations

import gzip
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

from _bench import OUT, write

import ecs_shape
import elastic_server
from core_samples import TODAY, Going, record
from flood_samples import tenant, theft
from nhi_watch import cli
from nhi_watch.core.behaviour import BEHAVIOURS, NEWCOMERS
from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.timestamps import render
from nhi_watch.detect.day import CROWD
from nhi_watch.detect.episodes import FOLDED
from nhi_watch.hosts.elastic import setup
from nhi_watch.hosts.elastic.cluster import Connection, connect
from nhi_watch.hosts.elastic.run import ReadJob, run
from nhi_watch.hosts.files.reader import chunks
from nhi_watch.hosts.files.reader.lines import LINE_LIMIT
from nhi_watch.hosts.files.reader.rejects import MAX_ORIGINALS, MOST, ROOM
from nhi_watch.intake.shapes.json import VALUES
from nhi_watch.state.sqlite import SqliteStore
from test_costly_days import invented

ELASTIC = "on Elasticsearch"
CASES = (("identities", 10_000), ("identities", 100_000), ("identities", 1_000_000), ("behaviours", 10_000),
         ("behaviours", 100_000), ("members", 1_000_000), (f"identities {ELASTIC}", 100_000),
         (f"behaviours {ELASTIC}", 100_000), (f"identities {ELASTIC}", 300_000), ("backslashes", 16_000_000),
         ("gzip members of one byte", 80_000), ("invented names", 3_000), ("dates", 2_400))  # fmt: skip
FILES = ("backslashes", "gzip", "invented", "dates")
"""First words of the cases that are files beside the theft's."""
LIMIT = 1_800
"""Processor seconds after which a case is given up."""
BATCH = 2_000
VICTIM = "payments-api"
ABOUT = """# What a flood may cost

For anyone who asks what a flood costs. Written by `python lab/bench/bench_bounds.py --page PAGE`.

Anyone who writes a log may fill it, so whatever could grow without end has a bound:

| bound | of | beyond it |
|---|---|---|
| {unpacked:,.0f} bytes plus 200 times its size | a file, unpacked | read in part, and reported |
| {records:,.0f} plus one for every 4 bytes | a file's records | read in part, and reported |
| {seconds:.0f} plus one for every 50 kB | a file's processor seconds | read in part, and reported |
| {line:,} bytes, {values:,} values | a record | rejected |
| {whole} of a file and reason, {most:,} of a reason, {room:,} bytes | rejects that are kept | counted |
| {behaviours:,} | behaviours of an identity's day | lose network and client, then their action |
| {newcomers:,} | identities that are new on a day | count as one of their kind |
| {crowd} | notables of identities that are new on a day | one for all the others, which names {folded} |

What such floods cost: a day of a small tenant in which somebody writes identities of one record each, behaviours that
differ by address and client, a record with an array of so many members, a file of backslashes or of gzip members, or
newcomers with severe acts; then a theft. Processor seconds and peak memory of the whole process, over SQLite; *on
Elasticsearch*: of `nhi elastic run`, without the server's own.

"""
HEAD = ("| what | seconds | MB | the theft |", "|---" * 4 + "|")


def flood(kind: str, number: int) -> Iterator[dict[str, Any]]:
    """Records of the day of the theft."""
    for n in range(number if kind != "members" else 0):
        if kind == "identities":
            yield record(
                TODAY, "00:10", role=f"pod-{n}", service="iam", name="ListUsers", address="198.51.100.9", id=f"f{n}"
            )
        else:
            yield record(
                TODAY,
                f"{n % 14:02}:10",
                role=VICTIM,
                agent=f"tool{n}/1.0",
                id=f"f{n}",
                address=f"{n % 97 + 11}.{n // 97 % 251}.{n // 24347}.9",
            )
    if kind == "members":
        yield record(TODAY, "00:10", resources=[{"ARN": f"arn:aws:s3:::bucket-{n}"} for n in range(number)], id="f")


def case(kind: str, number: int) -> None:
    """One case, in this process."""
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))
    what, _, elastic = kind.partition(" ")
    records = chain(flood(what, number), theft())
    if what in FILES:
        seconds, notables = beside_file(what, number)
    else:
        seconds, notables = over_elastic(records) if elastic else over_files(records)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    attacked = [n for n in notables if n["identity"]["name"].endswith(f"/{VICTIM}") and n["kind"] == "compromise"]
    theft_is = f"rank {attacked[0]['rank']}" if attacked else "hidden"
    print(json.dumps({"seconds": round(seconds, 1), "mb": peak, "theft": theft_is}))


def over_files(records: Iterable[dict[str, Any]]) -> tuple[float, list[NotableDocument]]:
    """Processor seconds, and the notables."""
    with tempfile.TemporaryDirectory() as folder, closing(SqliteStore(Path(folder) / "state.sqlite")) as store:
        first = Going(store)
        first.feed(tenant(20))
        first.finish()
        store.commit()
        began, going, batch = time.process_time(), Going(store), list[dict[str, Any]]()
        for each in records:
            batch.append(each)
            if len(batch) >= BATCH:
                going.feed(batch)
                batch = []
        going.feed(batch)
        done = going.finish()
        store.commit()
        return time.process_time() - began, done.notables


def beside_file(what: str, number: int) -> tuple[float, list[NotableDocument]]:
    """The same, of `nhi score` over a costly file beside one with the tenant and the theft."""
    with tempfile.TemporaryDirectory() as folder:
        log, out = Path(folder) / "log", Path(folder) / "out"
        log.mkdir()
        (log / "a.json.gz").write_bytes(costly(what, number))
        (log / "b.json").write_text("\n".join(map(json.dumps, [*tenant(20), *theft()])), "utf-8")
        began = time.process_time()
        code = cli.main(["score", str(log), "--out", str(out), "--json"])
        assert code in (0, 2), code
        seconds = time.process_time() - began
        return seconds, [json.loads(line) for line in (out / "notables.jsonl").read_text("utf-8").splitlines()]


def costly(what: str, number: int) -> bytes:
    """A gzip file."""
    if what == "backslashes":
        return gzip.compress(b'[{"a":"' + b"\\" * number + b'"}]')
    if what == "gzip":
        return gzip.compress(b'{\n "a') + gzip.compress(b"x", mtime=0) * number
    dates = (record(TODAY - 3 * n, "00:10") for n in range(number)) if what == "dates" else invented(number)
    return gzip.compress("\n".join(map(json.dumps, dates)).encode())


def over_elastic(records: Iterable[dict[str, Any]]) -> tuple[float, list[NotableDocument]]:
    """The same, of a run over a real server."""
    stream, began = "logs-aws.cloudtrail-bounds", int(time.time()) - 60
    job = ReadJob(stream, "bounds", began, lag=0)
    with tempfile.TemporaryDirectory() as folder:
        node = elastic_server.Node(next(iter(elastic_server.VERSIONS)), Path(folder) / "node", heap="1g")
        try:
            with connect(Connection((node.start(),))) as client:
                ecs_shape.template(client, stream)
                setup.setup(client, job.namespace)
                for batch in (tenant(20), records):
                    came = render(int(time.time()))
                    ecs_shape.load(client, stream, (ecs_shape.document(item, False, came) for item in batch))
                    time.sleep(2)
                    started = time.process_time()
                    run(client, job._replace(since=None) if batch is records else job)
                    seconds = time.process_time() - started
                client.indices.refresh(index=job.stream)
                hits = client.search(index=job.stream, size=10_000)["hits"]["hits"]
        finally:
            node.remove()
    return seconds, [hit["_source"]["nhi"]["notable"] for hit in hits]


def measured(kind: str, number: int) -> dict[str, Any]:
    """What a case costs, in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--case", kind, str(number)], capture_output=True, text=True)
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return {"theft": f"unfinished after {LIMIT} s"}
    if done.returncode:
        return {"theft": f"failed: {done.stderr.strip().splitlines()[-1][:80]}"}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def table() -> dict[str, Any]:
    """What every case costs, by its name."""
    out = OUT / "bench_bounds.json"
    by_case: dict[str, Any] = json.loads(out.read_text("utf-8")) if out.exists() else {}
    for kind, number in CASES:
        name = f"{number:,} {kind}"
        if name not in by_case:
            by_case[name] = measured(kind, number)
            write(by_case)
    return by_case


def page(by_case: dict[str, Any]) -> str:
    """The table as the page has it."""
    rows = [
        f"| {name} | {' | '.join(str(item.get(key, '')) for key in ('seconds', 'mb', 'theft'))} |"
        for name, item in by_case.items()
    ]
    usual = chunks.Bounds()
    about = ABOUT.format(
        unpacked=usual.bytes(0),
        records=usual.records(0),
        seconds=usual.seconds(0),
        line=LINE_LIMIT,
        values=VALUES,
        whole=MAX_ORIGINALS,
        most=MOST,
        room=ROOM,
        behaviours=BEHAVIOURS,
        newcomers=NEWCOMERS,
        crowd=CROWD,
        folded=FOLDED,
    )
    return about + "\n".join([*HEAD, *rows]) + "\n"


def main(arguments: list[str]) -> int:
    """All cases, or one."""
    if arguments[:1] == ["--case"]:
        case(arguments[1], int(arguments[2]))
        return 0
    by_case = table()
    if "--page" in arguments:
        Path(arguments[arguments.index("--page") + 1]).write_text(page(by_case), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
