"""Seconds and memory where somebody writes what no tenant has: identities of one record, behaviours without end.

`python lab/bench/bench_bounds.py [--page FILE [BEFORE]]`: each case is a process of its own, read in batches and
settled over a state on disk, after twenty ordinary days: processor seconds, peak of resident memory, and whether the
theft of that day has its place. Cases that out/bench/bench_bounds.json holds are not run again. BEFORE: that
file of another version, in whose tree this one and tests/flood_samples.py were put.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lab"), str(ROOT / "tests")]

from core_samples import TODAY, Going, record  # noqa: E402
from flood_samples import tenant, theft  # noqa: E402
from nhi_watch.state.sqlite import SqliteStore  # noqa: E402

CASES = (("identities", 10_000), ("identities", 100_000), ("identities", 1_000_000), ("behaviours", 10_000),
         ("behaviours", 100_000), ("members", 1_000_000))  # fmt: skip
LIMIT = 900
"""Seconds after which a case is given up."""
BATCH = 2_000
VICTIM = "payments-api"
ABOUT = """# What is new in a day is bounded

For: whoever asks what a flood costs. Written by `python lab/bench/bench_bounds.py --page docs/method/bounds.md BEFORE`,
out of what each case printed; *unfinished* tells wall time, on two cores at load 20.

A day of a small tenant, in which somebody writes identities of one record each, behaviours that differ by address and
client, or a record with an array of so many members; then a theft. Processor seconds and peak memory of the whole
process, over SQLite; *before* is the version of before the bounds.

"""
HEAD = ("| what | seconds before | after | MB before | after | the theft before | after |", "|---" * 7 + "|")


def flood(kind: str, number: int) -> Iterator[dict[str, Any]]:
    """Records of the day of the theft."""
    for n in range(number if kind != "members" else 0):
        if kind == "identities":
            yield record(TODAY, "00:10", role=f"pod-{n}", service="iam", name="ListUsers", address="198.51.100.9",
                         id=f"f{n}")  # fmt: skip
        else:
            yield record(TODAY, f"{n % 14:02}:10", role=VICTIM, agent=f"tool{n}/1.0", id=f"f{n}",
                         address=f"{n % 97 + 11}.{n // 97 % 251}.{n // 24347}.9")  # fmt: skip
    if kind == "members":
        yield record(TODAY, "00:10", resources=[{"ARN": f"arn:aws:s3:::bucket-{n}"} for n in range(number)], id="f")


def case(kind: str, number: int) -> None:
    """One case, in this process."""
    with tempfile.TemporaryDirectory() as folder, closing(SqliteStore(Path(folder) / "state.sqlite")) as store:
        first = Going(store)
        first.feed(tenant(20))
        first.finish()
        store.commit()
        began, going, batch = time.process_time(), Going(store), list[dict[str, Any]]()
        for each in flood(kind, number):
            batch.append(each)
            if len(batch) >= BATCH:
                going.feed(batch)
                going.relieve()
                batch = []
        going.feed([*batch, *theft()])
        done = going.finish()
        store.commit()
    found = [n for n in done.notables if n["identity"]["name"].endswith(f"/{VICTIM}")]
    seconds, peak = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    theft_is = f"rank {found[0]['rank']}" if found else "hidden"
    print(json.dumps({"seconds": round(seconds, 1), "mb": peak, "theft": theft_is}))


def measured(kind: str, number: int) -> dict[str, Any]:
    """What a case costs."""
    command = [sys.executable, __file__, "--case", kind, str(number)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=True)
    except subprocess.TimeoutExpired:
        return {"theft": f"unfinished after {LIMIT} s"}
    except subprocess.CalledProcessError as error:
        return {"theft": f"failed: {error.stderr.strip().splitlines()[-1][:80]}"}
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def page(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Both tables as one."""
    rows = [*HEAD]
    for name, told in after.items():
        was = before.get(name, {})
        cells = [row.get(key, "") for key in ("seconds", "mb", "theft") for row in (was, told)]
        rows.append(f"| {' | '.join(map(str, [name, *cells]))} |")
    return ABOUT + "\n".join(rows) + "\n"


def main(arguments: list[str]) -> int:
    """All cases, or one."""
    if arguments[:1] == ["--case"]:
        case(arguments[1], int(arguments[2]))
        return 0
    out = ROOT / "out" / "bench" / "bench_bounds.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    after: dict[str, Any] = json.loads(out.read_text("utf-8")) if out.exists() else {}
    for kind, number in CASES:
        name = f"{number:,} {kind}"
        after[name] = after.get(name) or measured(kind, number)
        out.write_text(json.dumps(after, indent=2) + "\n", "utf-8")
        print(name, after[name], flush=True)
    if arguments[:1] == ["--page"]:
        before = json.loads(Path(arguments[2]).read_text("utf-8")) if arguments[2:] else {}
        Path(arguments[1]).write_text(page(before, after), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
