"""nhi baseline over a realistic tenant's CloudTrail against a bare orjson + gzip loop, and against another checkout.

`python lab/bench/bench_reading.py [--against CHECKOUT] [--rounds N]`: the tenant is the third world's (300 machines, 14
days, 146,844 events of CloudTrail): in gzip files of `Records`, by account and hour as CloudTrail delivers them and by
day as they are often collected, and as lines. Whole processes in turn; of each the least processor time of all rounds,
since other programs may run beside, and the peak of its memory. Both run with this checkout's libraries.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from _bench import ENVIRONMENT, OUT, ROOT, write

from nhi_watch_lab.third_world.generate import generate

SEED, MACHINES, DAYS = 15, 300, 14
FORMS = ("hours", "days", "lines")
BARE = """
import gzip, sys, orjson
from pathlib import Path
for path in sorted(Path(sys.argv[1]).iterdir()):
    if path.suffix == ".gz":
        orjson.loads(gzip.decompress(path.read_bytes()))
    else:
        for line in path.open("rb"):
            orjson.loads(line)
"""


PROGRAM = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from nhi_watch.cli import main
sys.exit(main())
"""


class Cost(NamedTuple):
    """Of one process."""

    seconds: float
    """Of the processor."""
    megabytes: int
    """Peak of resident memory."""


def tenant() -> dict[str, Path]:
    """Its records in each form, made once by a process of its own: this one's memory would count as that of others."""
    folder = OUT / "data" / f"reading-{SEED}"
    if not folder.exists():
        subprocess.run([sys.executable, __file__, "--make", folder], check=True)
    return {form: folder / form for form in FORMS}


def make(folder: Path) -> None:
    """Write the tenant's records."""
    generate(SEED, folder / "made", identities=MACHINES, days=DAYS)
    with gzip.open(folder / "made" / "events" / "cloudtrail.ndjson.gz") as file:
        lines = file.read().splitlines()
    records = [orjson.loads(line) for line in lines]
    hours = [f"{item['eventTime'][:13]}-{item.get('recipientAccountId', '')}" for item in records]
    deliver(lines, hours, folder / "hours")
    deliver(lines, [item["eventTime"][:10] for item in records], folder / "days")
    (folder / "lines").mkdir()
    (folder / "lines" / "cloudtrail.ndjson").write_bytes(b"\n".join(lines) + b"\n")


def deliver(lines: list[bytes], names: list[str], folder: Path) -> None:
    """Write records into files of `Records` by the names of the files."""
    folder.mkdir(parents=True)
    parts: dict[str, list[bytes]] = defaultdict(list)
    for line, name in zip(lines, names):
        parts[name].append(line)
    for name, some in parts.items():
        content = b'{"Records":[' + b",".join(some) + b"]}"
        (folder / f"{name}.json.gz").write_bytes(gzip.compress(content, mtime=0))


def cost(command: list[str]) -> Cost:
    """What a process takes that must not fail."""
    process = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    text = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]}: {text.decode()[-500:]}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)


def baseline(checkout: Path, logs: Path, name: str) -> list[str]:
    """The command, with a new state."""
    out = OUT / "reading" / name
    shutil.rmtree(out, ignore_errors=True)
    return [sys.executable, "-c", PROGRAM, str(checkout), "baseline", str(logs), "--out", str(out)]


def main() -> int:
    """Run everything in turn, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--forms", nargs="*", default=FORMS, choices=FORMS)
    parser.add_argument("--make", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    args = parser.parse_args()
    programs = {"now": ROOT}
    if args.against:
        programs["before"] = args.against.resolve()
    if args.make:
        make(args.make)
        return 0
    built, costs = tenant(), defaultdict[str, list[Cost]](list)
    logs = {form: built[form] for form in args.forms}
    for _ in range(args.rounds):
        for form, path in logs.items():
            costs[f"bare {form}"].append(cost([sys.executable, "-c", BARE, str(path)]))
            for name, program in programs.items():
                costs[f"{name} {form}"].append(cost(baseline(program, path, f"{name}-{form}")))
    events = sum(text.count(b"\n") for text in (path.read_bytes() for path in built["lines"].iterdir()))
    write({form: figures(costs, form, events, [*programs]) for form in logs})
    return 0


def figures(costs: dict[str, list[Cost]], form: str, events: int, programs: list[str]) -> dict[str, Any]:
    """The least of each, and what part of it the bare loop is."""
    bare = min(costs[f"bare {form}"]).seconds
    row: dict[str, Any] = {"events": events, "bare_seconds": round(bare, 2)}
    for name in programs:
        least = min(costs[f"{name} {form}"])
        peak = min(cost.megabytes for cost in costs[f"{name} {form}"])
        row[name] = {
            "seconds": round(least.seconds, 2),
            "events_a_second": round(events / least.seconds),
            "of_bare": round(bare / least.seconds, 3),
            "megabytes": peak,
        }
    return row


if __name__ == "__main__":
    sys.exit(main())
