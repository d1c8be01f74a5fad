"""What a command holds in memory while ten million rows go through one process, as splunkd sends them.

Chunks of 50,000 rows. Most rows repeat, as in real logs; one in ten is new in every chunk (another session, another
address, another target), so that every memory of the command is filled, bounded and started anew. The resident
memory is read after every chunk. Figures: the highest in the first half, the highest in the second half, and their
ratio: 1 is flat. A memory that gets few new answers a chunk is still filling in the second half: `mb_highest_by_tenth`
shows how it ends. nhigroup gets a tenth of the rows, each with its whole event in `_raw`.

NHI_BENCH_ROWS=10000000 python lab/bench/bench_splunk_memory.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lab"), str(ROOT / "lab" / "tools"), str(ROOT / "tests")]

from check_python import find  # noqa: E402
from nhi_watch.hosts.splunk.extracted import FIELDS  # noqa: E402
from nhi_watch_lab.simulator import Spec, Tenant  # noqa: E402
from splunk_app import unpacked  # noqa: E402
from splunk_stream import chunk, flat, getinfo, replies, table  # noqa: E402

OUT = ROOT / "out" / "bench" / "bench_splunk_memory.json"
ROWS = int(os.environ.get("NHI_BENCH_ROWS", "10000000"))
CHUNK = int(os.environ.get("NHI_BENCH_CHUNK", "50000"))
FRESH = 10
"""Every so many-th row is new in every chunk."""
MARK = "zzMARKzz"
"""Stands in a template for what differs from chunk to chunk; as long as what takes its place."""


def main() -> int:
    """Run both commands on both Pythons and write the figures."""
    result: dict[str, Any] = {"chunk_rows": CHUNK, "fresh_rows": f"1 in {FRESH}"}
    records = template()
    with tempfile.TemporaryDirectory() as place:
        app = unpacked(Path(place))
        fields = table(list(FIELDS), [flat(record) for record in records])
        raw = table(["_raw"], [{"_raw": [json.dumps(record, separators=(",", ":"))]} for record in records])
        for version in ("3.9", "3.13"):
            python = find(version)
            if python is not None:
                result[version] = {
                    "nhiscore": run([python, str(app / "bin/nhiscore.py")], ["input=fields"], fields, ROWS),
                    "nhigroup": run([python, str(app / "bin/nhigroup.py")], [], raw, ROWS // 10),
                }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    return 0


def template() -> list[dict[str, Any]]:
    """A chunk's events; in some of them, a mark stands where each chunk has something new."""
    days = Tenant(Spec(days=2, machines=60, seed=11, events=2 * CHUNK)).days()
    records = [record for day in days for record in day.records]
    records = (records * (CHUNK // len(records) + 1))[:CHUNK]
    for at in range(0, CHUNK, FRESH):
        identity = {**records[at]["userIdentity"], "principalId": f"AROAEXAMPLE{at % 64}:{MARK}{at}"}
        told = {"eventID": f"{MARK}-{at}", "userAgent": f"agent/{MARK}", "userIdentity": identity}
        records[at] = {**records[at], **told}
    return records


def run(command: list[str], options: list[str], body: bytes, rows: int) -> dict[str, Any]:
    """One process over all rows."""
    process = subprocess.Popen([*command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    began, answered = time.perf_counter(), 0
    process.stdin.write(getinfo(options))
    process.stdin.flush()
    answers = replies(cast(BinaryIO, process.stdout))
    next(answers)
    held: list[float] = []
    for number, part in enumerate(parts(body, rows)):
        last = (number + 1) * CHUNK >= rows
        process.stdin.write(chunk({"action": "execute", "finished": last}, part))
        process.stdin.flush()
        _, told = next(answers)
        answered += len(told)
        held.append(resident(process.pid))
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command[-1]} ended with {status}")
    half, step = max(1, len(held) // 2), max(1, len(held) // 10)
    first, second = max(held[:half]), max(held[half:], default=0.0)
    return {
        "rows": len(held) * CHUNK, "answered_mb": round(answered / 1e6),
        "rows_per_processor_s": round(len(held) * CHUNK / (usage.ru_utime + usage.ru_stime)),
        "mb_first_chunk": held[0], "mb_highest_first_half": first, "mb_highest_second_half": second,
        "second_half_vs_first": round(second / first, 3),
        "mb_highest_by_tenth": [max(held[at : at + step]) for at in range(0, len(held), step)],
        "wall_s": round(time.perf_counter() - began),
    }  # fmt: skip


def parts(body: bytes, rows: int) -> Iterator[bytes]:
    """The chunks' bodies."""
    mark = MARK.encode()
    for number in range(max(1, rows // CHUNK)):
        yield body.replace(mark, b"%0*d" % (len(mark), number))


def resident(process: int) -> float:
    """Megabytes that a process holds (Linux)."""
    status = Path(f"/proc/{process}/status").read_text("ascii")
    return round(int(status.partition("VmRSS:")[2].split()[0]) / 1024, 1)


if __name__ == "__main__":
    sys.exit(main())
