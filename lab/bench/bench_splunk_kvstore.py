"""What the state in Splunk's KV store costs, by identities that it knows and by identities with news.

Over HTTPS against the double of tests/splunk_kvstore.py, in a process of its own: our side of a request, TLS and JSON
are real, MongoDB is a dictionary. Rows are as large as a simulated company's.

    .venv/bin/python lab/bench/bench_splunk_kvstore.py 25000 100000
"""

from __future__ import annotations

import multiprocessing
import random
import resource
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / name) for name in ("lab/tools", "tests"))]

from nhi_watch.hosts.splunk import rest  # noqa: E402
from nhi_watch.hosts.splunk.kvstore import GENERATIONS, STATE, Generation, KvStore  # noqa: E402
from nhi_watch.hosts.splunk.rest import Client, Collection  # noqa: E402
from splunk_rest import SESSION, serving  # noqa: E402

SIZES = {"profile": 1_400, "delta": 700, "day": 2_600, "inventory": 120}
"""Bytes of a row of each table, compressed: the means of a simulated company's."""
NEWS = 300, 3_000
"""Identities with news in one run: so many of 100,000 have some in five minutes, and in an hour after a change."""
WRITTEN = 10_000
DAY = "020000/"


def named(identities: int) -> list[str]:
    """Ids of identities."""
    return [f"aws:{n % 400:012d}:role:AROA{n:017d}" for n in range(identities)]


def served(folder: str, told: Connection, identities: int) -> None:
    """The double with rows of so many identities, until it is told to end."""
    chance = random.Random(2)
    pool = {table: [b64encode(chance.randbytes(size)).decode() for _ in range(50)] for table, size in SIZES.items()}
    with serving(Path(folder)) as double:
        rows = double.kv.captain[STATE]
        for name in named(identities):
            for table in SIZES:
                key = f"{table}/{DAY if table in ('delta', 'day') else ''}{name}"
                rows[key] = {"_key": key, "v": chance.choice(pool[table])}
        told.send((double.url, str(double.ca)))
        while told.recv() != "end":
            told.send(dict(double.kv.costs))
            double.kv.costs.update(requests=0, read=0, written=0)


def measured(work: Callable[[], int], told: Connection, name: str) -> None:
    """Print what a piece of work costs."""
    started, cpu = time.perf_counter(), time.process_time()
    rows = work()
    spent, busy = time.perf_counter() - started, time.process_time() - cpu
    told.send("costs")
    costs = told.recv()
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {name} | {rows:,} | {costs['requests']:,} | {costs['read'] / 1e6:,.1f} | {costs['written'] / 1e6:,.1f} | "
          f"{spent:,.1f} | {busy:,.1f} | {held:,.0f} |", flush=True)  # fmt: skip


def main(counts: list[int]) -> None:
    """One table for each number of identities."""
    chance = random.Random(1)
    pool = {table: [chance.randbytes(size) for _ in range(50)] for table, size in SIZES.items()}
    for identities in counts:
        ours, theirs = multiprocessing.Pipe()
        with tempfile.TemporaryDirectory() as folder:
            told = folder, theirs, identities
            process = multiprocessing.get_context("spawn").Process(target=served, args=told, daemon=True)
            process.start()
            url, authority = ours.recv()
            client = Client(url, f"Splunk {SESSION}", rest.trust(url, Path(authority)))
            names = named(identities)

            def store(client: Client = client) -> KvStore:
                return KvStore(Collection(client, STATE), lambda: Generation(Collection(client, GENERATIONS), "bench"))

            print(f"\n{identities:,} identities\n")
            print("| work | rows | requests | MB read | MB sent | s | s of CPU | MB held |")
            print("|---|---|---|---|---|---|---|---|", flush=True)

            def fill(names: list[str] = names) -> int:
                kept = store()
                for table in SIZES:
                    key = DAY if table in ("delta", "day") else ""
                    kept.put(table, [(f"{key}{name}", chance.choice(pool[table])) for name in names[:WRITTEN]])
                kept.commit()
                return WRITTEN * len(SIZES)

            measured(fill, ours, f"{WRITTEN:,} identities written")
            for news in NEWS:
                some = chance.sample(names, news)

                def take(some: list[str] = some) -> int:
                    kept = store()
                    for table in SIZES:
                        key = DAY if table in ("delta", "day") else ""
                        found = kept.get(table, [f"{key}{name}" for name in some])
                        kept.put(table, found.items())
                    kept.commit()
                    return len(some) * len(SIZES)

                measured(take, ours, f"news of {news:,}: read and written")

            def scan(client: Client = client) -> int:
                return sum(1 for _ in KvStore(Collection(client, STATE)).scan("delta", "", ":"))

            measured(scan, ours, "a day's deltas read")
            ours.send("end")
            process.join(5)
            process.terminate()


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [25_000, 100_000])
