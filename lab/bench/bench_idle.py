"""What a run of `nhi score` costs that brings nothing, what is retained adds to it, and a day in 24 runs costs.

`python lab/bench/bench_idle.py [--machines 300] [--days 10] [--events 100]`: processor seconds, the least of several;
an idle run is a whole process, the others are calls within one, beside start-up. `--events`: of a machine a day.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from _bench import nhi, write

from nhi_watch.detect.cases import DONE, END
from nhi_watch.detect.publish import CLOSED
from nhi_watch.hosts.files import jobs
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.store import pack, unpack
from nhi_watch_lab.simulator import Spec, Tenant

RETAINED = 360
"""Ended notables: three a day for 120 days."""
TRIES = 5


def score(path: Path, out: Path) -> float:
    """Processor seconds of one run in this process."""
    began = time.process_time()
    jobs.score(jobs.ScoreJob([str(path)], out, out / "state.sqlite"))
    return time.process_time() - began


def copied(folder: Path, name: str) -> Path:
    """The results and the state of the days before, to go on from."""
    return Path(shutil.copytree(folder / "base", folder / name))


def retain(out: Path, count: int) -> None:
    """Put ended notables into a state, copies of what it has published."""
    store = SqliteStore(out / "state.sqlite")
    rows = [*store.scan("notable", "past/", "past0"), *store.scan("notable", "pub/", "pub0")]
    cases = [unpack(raw)[2] for kind in ("case", "done") for _, raw in store.scan("notable", f"{kind}/", f"{kind}0")]
    last = max(int(key[:6]) for key, _ in store.scan("day", "0", ":"))
    fresh: list[tuple[str, bytes]] = []
    for number in range(count):
        published, document = unpack(rows[number % len(rows)][1])
        name, day = f"{number:020x}", last - 1 - number // 3
        fresh.append((CLOSED + name, pack([published, {**document, "id": name}])))
        heads = cases[number % len(cases)]
        fresh += [(f"{END}{day:06d}/{name}", b"1"), (DONE + name, pack([name, day, heads, [], "", ""]))]
    store.put("notable", fresh)
    store.commit()
    store.close()


def main() -> None:
    """Measure, and write it down."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--machines", type=int, default=300)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--events", type=int, default=100)
    args = parser.parse_args()
    spec = Spec(args.days, args.machines, 41, campaigns=3, events=args.events * args.machines * args.days)
    figures: dict[str, Any] = vars(args).copy()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        *before, today = [day.records for day in Tenant(spec).days()]
        hours: dict[str, list[str]] = {}
        for record in today:
            hours.setdefault(record["eventTime"][11:13], []).append(f"{json.dumps(record)}\n")
        lines = [f"{json.dumps(record)}\n" for day in before for record in day]
        files = {
            "before": lines,
            "day": [line for each in hours.values() for line in each],
            "few": lines[-10:],
            **{f"hour{hour}": lines_of_hour for hour, lines_of_hour in sorted(hours.items())},
        }
        for file, records in files.items():
            (folder / f"{file}.json").write_text("".join(records), "utf-8")
        score(folder / "before.json", folder / "base")
        score(folder / "few.json", copied(folder, "warm"))
        figures["one_run"] = round(score(folder / "day.json", copied(folder, "one")), 2)
        out = copied(folder, "many")
        figures["24_runs"] = round(sum(score(folder / f"hour{hour}.json", out) for hour in sorted(hours)), 2)
        figures["times"] = round(figures["24_runs"] / figures["one_run"], 2)
        retain(kept := copied(folder, "kept"), RETAINED)
        few = folder / "few.json"
        for name, where in (("idle", out), (f"idle_with_{RETAINED}_ended", kept), ("idle_with_none", folder / "warm")):
            score(few, where)
            figures[name] = round(min(score(few, where) for _ in range(TRIES)), 3)
        figures["idle_process"] = round(min(nhi("score", few, "--out", out).processor for _ in range(TRIES)), 3)
    write(figures)


if __name__ == "__main__":
    main()
