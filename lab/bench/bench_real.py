"""nhi score over real, sparse CloudTrail against a bare orjson loop over the same lines.

All real records beside the checkout that are not attack alone (stratus is) are repeated day by day, with the day of
their times and their ids changed, to about 200,000 events. The days before were learnt (`--no-learn` afterwards).
Whole processes in turn; ratios of processor time, since other programs may run beside, and of the wall's.
`--quick`: a tenth of it, one round.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

import orjson  # noqa: E402

OUT = ROOT / "out" / "bench"
SHARED = ROOT.parent / "shared" / "data" / "cloudtrail"
EVENTS = 200_000
LEARNT = 8
"""Days that are learnt before those that are scored."""
_BARE = """
import sys, orjson
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        for line in file:
            orjson.loads(line)
"""


def main(quick: bool) -> int:
    """Run everything and write the figures."""
    records = list(real())
    days = max(1, round((EVENTS / 10 if quick else EVENTS) / len(records)))
    paths = [written(records, day) for day in range(LEARNT + days)]
    state = OUT / "real.sqlite"
    state.unlink(missing_ok=True)
    spent(score([*map(str, paths[:LEARNT])], state))
    fresh = [*map(str, paths[LEARNT:])]
    jobs = {"bare": [sys.executable, "-c", _BARE, *fresh], "score": score(fresh, state, "--no-learn")}
    told: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    for _ in range(1 if quick else 3):
        for name, command in jobs.items():
            told[name].append(spent(command))
    run = json.loads((OUT / "real" / "run.json").read_text("utf-8"))
    result = {
        "events": run["read"], "behaviours": run["behaviours"], "stages": run["seconds"],
        "ratio_by_processor_time": ratio(told, 1), "ratio": ratio(told, 0),
        "events_per_processor_second": round(run["read"] / statistics.median(cpu for _, cpu in told["score"])),
    }  # fmt: skip
    (OUT / "bench_real.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(json.dumps(result, indent=2))
    return 0


def ratio(told: dict[str, list[tuple[float, float]]], which: int) -> float:
    """Median of bare over median of score; 0: on the wall, 1: of the processor."""
    bare, ours = (statistics.median(each[which] for each in told[name]) for name in ("bare", "score"))
    return round(bare / ours, 3)


def score(paths: list[str], state: Path, *options: str) -> list[str]:
    """The command, as a user would give it."""
    program = Path(sys.executable).parent / "nhi"
    return [str(program), "score", *paths, "--out", str(OUT / "real"), "--state", str(state), *options]


def spent(command: list[str]) -> tuple[float, float]:
    """Seconds on the wall and of the processor that a process and its children took."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - began, spent


def real() -> Iterator[dict[str, Any]]:
    """The records."""
    for path in sorted(SHARED.rglob("*json")):
        if "stratus" not in path.parts:
            yield from of_file(path)


def of_file(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a file, whichever way it holds them."""
    text = path.read_bytes()
    try:
        values = [orjson.loads(text)]
    except orjson.JSONDecodeError:
        values = [orjson.loads(line) for line in text.splitlines() if line.strip()]
    for value in values:
        each = value.get("Records", [value]) if isinstance(value, dict) else value
        yield from (record for record in each if isinstance(record, dict) and "eventTime" in record)


def written(records: list[dict[str, Any]], day: int) -> Path:
    """All records as if they were of one day, a line each, in the order of their times."""
    folder = OUT / "data" / "real"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{day:03}.ndjson"
    moved = [{**record, **_moved(record, day)} for record in records]
    moved.sort(key=lambda record: str(record["eventTime"]))
    path.write_bytes(b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in moved))
    return path


def _moved(record: dict[str, Any], day: int) -> dict[str, str]:
    return {"eventTime": f"{_DATES[day]}{record['eventTime'][10:]}", "eventID": f"{day}-{record.get('eventID')}"}


_DATES = [f"2026-0{1 + number // 28}-{1 + number % 28:02}" for number in range(112)]

if __name__ == "__main__":
    sys.exit(main("--quick" in sys.argv[1:]))
