"""A day in Splunk: what grouping, ranking and learning cost a search head, as processes over the protocol.

A simulated account, a week of it. Events are grouped in the windows of five minutes in which they arrive, as the
search NHI Watch - Group Events does; then, over the last two days, what NHI Watch - Rank does is run again and again
(nhigroup merges the parts, nhirank ranks them, against the learnt baseline); NHI Watch - Learn once. Figures are
processor seconds, and for ranking the 95th percentile of the clock on the wall, with the load of the machine beside.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lab"), str(ROOT / "lab" / "tools"), str(ROOT / "tests")]

from check_python import find  # noqa: E402
from nhi_watch.core.timestamps import DAY, parse  # noqa: E402
from nhi_watch_lab.simulator import Spec, Tenant  # noqa: E402
from splunk_app import unpacked  # noqa: E402
from splunk_stream import chunk, getinfo, replies, table  # noqa: E402

OUT = ROOT / "out" / "bench" / "bench_splunk_days.json"
MACHINES = int(os.environ.get("NHI_BENCH_MACHINES", "400"))
EVENTS = int(os.environ.get("NHI_BENCH_DAY_EVENTS", "20000"))
"""Events a day."""
RUNS = int(os.environ.get("NHI_BENCH_RUNS", "20"))
DAYS = 8
WINDOW = 300
CHUNK = 50_000
METERED = """\
import atexit, runpy, sys
from pathlib import Path
atexit.register(lambda: sys.stderr.write("\\n" + Path("/proc/self/status").read_text()))
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a command and tells at its end what Linux knows of it. `ru_maxrss` of a child will not do: it begins with the
pages of the process that started it, here a benchmark full of events."""


class Spent(NamedTuple):
    """What one process took and gave."""

    processor: float
    wall: float
    body: bytes
    memory: float
    """MB at most."""


def main() -> int:
    """Run it on the newest of Splunk's Pythons and write the figures."""
    python = find("3.13") or sys.executable
    with tempfile.TemporaryDirectory() as place:
        result = measure(python, unpacked(Path(place)))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    return 0


def measure(python: str, app: Path) -> dict[str, Any]:
    """All figures."""
    spec = Spec(days=DAYS, machines=MACHINES, seed=11, events=DAYS * EVENTS)
    days = [day.records for day in Tenant(spec).days()]
    start = parse(days[0][0]["eventTime"]) // DAY * DAY
    end = start + DAYS * DAY - 1
    raw_bytes = sum(len(json.dumps(record)) for records in days for record in records)
    grouped = [run(python, app, "nhigroup", [events(window)], (0, end)) for window in windows(days)]
    parts = [row for spent in grouped for row in rows_of(spent.body)]
    learnt = run(python, app, "nhilearn", chunks(parts), (start, start + (DAYS - 1) * DAY))
    packed = gzip.compress(learnt.body, 6)
    (app / "lookups" / "nhi_baseline.csv.gz").write_bytes(packed)
    recent = [row for row in parts if int(row["_time"]) >= end - 2 * DAY]
    merged = run(python, app, "nhigroup", chunks(recent), (end - 2 * DAY, end))
    ranked = [run(python, app, "nhirank", [merged.body], (end + 1 - 2 * DAY, end)) for _ in range(RUNS)]
    identities = sum(row["scope"].startswith("aws:") for row in rows_of(learnt.body))
    count = sum(map(len, days))
    walls = sorted(spent.wall for spent in ranked)
    return {
        "identities": identities, "events": count, "raw_mb": round(raw_bytes / 1e6, 1),
        "group": {
            "events_per_processor_s": round(count / sum(spent.processor for spent in grouped)),
            "windows": len(grouped), "rows": len(parts),
            "share_of_raw": round(sum(len(row["nhi_part"]) for row in parts) / raw_bytes, 4),
        },
        "rank": {
            "events": sum(int(row["nhi_events"]) for row in recent), "rows": len(recent),
            "merge_processor_s": round(merged.processor, 2),
            "processor_s": round(statistics.median(spent.processor for spent in ranked), 2),
            "wall_s_p95": round(walls[max(0, round(0.95 * len(walls)) - 1)], 2),
        },
        "learn": {"days": DAYS - 1, "processor_s": round(learnt.processor, 2)},
        "baseline": {
            "gz_bytes": len(packed), "gz_mb_per_10k_identities": round(len(packed) / identities / 100, 1),
            "rows": len(rows_of(learnt.body)),
        },
        "load": os.getloadavg()[0],
    }  # fmt: skip


def windows(days: Sequence[Sequence[dict[str, Any]]]) -> Iterator[list[dict[str, Any]]]:
    """The events of each five minutes; 24 windows are taken together, for processes take their time to start."""
    for records in days:
        found: dict[int, list[dict[str, Any]]] = {}
        for record in records:
            found.setdefault(parse(record["eventTime"]) // WINDOW, []).append(record)
        ordered = [found[number] for number in sorted(found)]
        yield from ([r for w in ordered[at : at + 24] for r in w] for at in range(0, len(ordered), 24))


def events(records: Sequence[dict[str, Any]]) -> bytes:
    """A chunk of raw events."""
    return table(["_raw"], [{"_raw": [json.dumps(record, separators=(",", ":"))]} for record in records])


def chunks(rows: Sequence[dict[str, str]]) -> Iterator[bytes]:
    """Rows as splunkd hands them on."""
    for at in range(0, len(rows), CHUNK):
        part = rows[at : at + CHUNK]
        yield table(list(part[0]), [{name: [text] for name, text in row.items() if text} for row in part])


def rows_of(body: bytes) -> list[dict[str, str]]:
    """The rows of an answer."""
    from nhi_watch.hosts.splunk.rows import read

    found = read(body)
    header = next(found, [])
    return [dict(zip(header, row)) for row in found]


def run(
    python: str, app: Path, command: str, bodies: Iterable[bytes], times: tuple[int, int], options: Sequence[str] = ()
) -> Spent:
    """One process over some chunks."""
    given = list(bodies)
    stream = getinfo(options, earliest_time=str(times[0]), latest_time=str(times[1])) + b"".join(
        chunk({"action": "execute", "finished": number == len(given)}, body) for number, body in enumerate(given, 1)
    )
    with tempfile.TemporaryFile() as told:
        line = [python, "-I", "-S", "-c", METERED, str(app / "bin" / f"{command}.py")]
        began = time.perf_counter()
        process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=told, stderr=subprocess.PIPE)
        assert process.stdin and process.stderr
        process.stdin.write(stream)
        process.stdin.close()
        said = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        if status:
            raise RuntimeError(f"{command} ended with {status}: {said}")
        told.seek(0)
        body = b"".join(body for _, body in replies(told))
    return Spent(usage.ru_utime + usage.ru_stime, wall, body, peak_mb(said))


def peak_mb(status: str) -> float:
    """The most memory that a process held, of its /proc/self/status.

    >>> peak_mb("Name: python\\nVmHWM:\\t   51200 kB\\nVmRSS:\\t  1024 kB\\n")
    50.0
    """
    return int(status.rpartition("VmHWM:")[2].split()[0]) / 1024


def replaced(page: str, title: str, section: str) -> str:
    """A page with another section below a title, at its end if it has none; all others stay.

    >>> replaced("a\\n\\n## B\\n\\nold\\n\\n## C\\n\\nc\\n", "## B", "new")
    'a\\n\\n## B\\n\\nnew\\n\\n## C\\n\\nc\\n'
    """
    before, _, rest = page.partition(title + "\n")
    _, cut, after = rest.partition("\n## ")
    return f"{before.rstrip()}\n\n{title}\n\n{section.strip()}\n{cut}{after}"


if __name__ == "__main__":
    sys.exit(main())
