"""A day in one run and in 24: `python lab/bench/bench_cuts.py [--machines 120]`, some two minutes.

The days before it are learnt once. Processor time of whole processes, the least of three rounds in turn; *start-up* is
a run over a single record on a new state, *idle* one that reads a record again over the learnt one and writes the same
list. Each is taken off each run for its figure.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from _bench import nhi, write

DAYS, RUNS, ROUNDS = 8, 24, 3


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=120, help="machine identities (default: %(default)s)")
    machines = parser.parse_args().machines
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        nhi("simulate", "--days", DAYS, "--machines", machines, "--seed", 7, "--out", folder / "data")
        *before, last = logs(folder / "data" / "events")
        for number, records in enumerate(before):
            (folder / "before").mkdir(exist_ok=True)
            written(folder / "before" / f"{number}.json", records)
        nhi("score", folder / "before", "--state", folder / "learnt", "--out", folder / "out")
        hours: list[list[str]] = [[] for _ in range(RUNS)]
        for record in last:
            hours[int(json.loads(record)["eventTime"][11:13])].append(record)
        parts = [written(folder / f"hour{at:02}.json", each) for at, each in enumerate(hours) if each]
        path, item = written(folder / "day.json", last), written(folder / "one.json", last[:1])
        rounds = [measured(folder, path, parts, item) for _ in range(ROUNDS)]
    start, _, twice, thrice, once, often = (min(seconds) for seconds in zip(*rounds))
    idle = thrice - twice
    figures = {
        "records": len(last),
        "runs": len(parts),
        "start_up": start,
        "idle": idle,
        "one_run": once,
        "many_runs": often,
    }
    figures["times"] = round((often - len(parts) * start) / (once - start), 2)
    figures["times_beside_idle"] = round((often - len(parts) * idle) / (once - idle), 2)
    write(figures)


def measured(folder: Path, path: Path, parts: Sequence[Path], item: Path) -> tuple[float, ...]:
    """Seconds of start-up, of a record (it fills the folder of results again), of it in two runs and three, of one run,
    of all small ones together."""
    learnt = (spent(folder, paths, learnt=True) for paths in ([item], [item, item], [item, item, item], [path], parts))
    return spent(folder, [item], learnt=False), *learnt


def spent(folder: Path, runs: Sequence[Path], learnt: bool) -> float:
    """Processor seconds of runs over one state."""
    state = folder / "state"
    state.unlink(missing_ok=True)
    if learnt:
        shutil.copy(folder / "learnt", state)
    return sum(nhi("score", path, "--state", state, "--out", folder / "out").processor for path in runs)


def logs(folder: Path) -> list[list[str]]:
    """The records of each day, in order."""
    by_date: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*.ndjson.gz")):
        for line in gzip.decompress(path.read_bytes()).decode("utf-8").splitlines():
            by_date.setdefault(json.loads(line)["eventTime"][:10], []).append(line)
    return [sorted(by_date[day], key=lambda line: str(json.loads(line)["eventTime"])) for day in sorted(by_date)]


def written(path: Path, records: Sequence[str]) -> Path:
    """The file, with records in it."""
    path.write_text("\n".join(records) + "\n", "utf-8")
    return path


if __name__ == "__main__":
    main()
