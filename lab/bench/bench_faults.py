"""Runs at fault: what stands afterwards must be what undisturbed runs write. Exit code 1: it is not.

- `python lab/bench/bench_faults.py files [--runs 200]`: a simulated company's days come one after the other, as a
  scheduler brings them. Each run of `nhi score` is killed once or twice at a moment within the time that it takes, then
  run to its end. What stands after a kill must be whole; at the end of a round the list must be the same to the byte.
- `… elastic [--runs 200] [--version 9.5.3]`: runs of `nhi elastic run` on a server with security, each disturbed by one
  of fifteen kinds of faults in turn, 24 to a story. Each revision must be there once, the checkpoint not beyond what
  was written or is known to wait, notables four times in a story, and closed days at its end, as `nhi score` makes
  them. docs/method/elastic.md has the figures.
- `… splunk [--runs 4032]`: fourteen days on a five-minute schedule, a quarter of the runs at fault in all ways; at each
  day's close, and at the end, what `nhi score` finds. Then a close that is killed before, amid and behind what each of
  its shards writes, and must end as `nhi score`.

Kills of `nhi elastic run` beside another copy: NHI_KILLS=50 and `tests/test_elastic_faults.py`.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from _bench import ENVIRONMENT, NHI, nhi, write

import elastic_secured
from elastic_faults import KINDS, Faults
from elastic_story import batches, records
from nhi_watch_lab.simulator import Spec, Tenant
from splunk_faults import kill_at_each_shard, live

COMPANY = ("--days", "9", "--machines", "30", "--seed", "5", "--campaigns", "3")
STORY = 24
SHARE = 0.25
"""Of Splunk's runs that are at fault."""
A_DAY = 288
"""Runs of a five-minute schedule."""
WAY = {"files": 200, "elastic": 200, "splunk": 14 * A_DAY}
Json = dict[str, Any]


def main() -> int:
    """Disturb, compare, and write out/bench/bench_faults.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("where", choices=WAY, nargs="?", default="files")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--version", default="9.5.3", help="of Elasticsearch")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    began, dice, runs = time.monotonic(), random.Random(args.seed), args.runs or WAY[args.where]
    with tempfile.TemporaryDirectory() as name:
        if args.where == "files":
            figures = files(Path(name), runs, dice)
        elif args.where == "splunk":
            figures = splunk(Path(name), runs, args.seed)
        else:
            figures = elastic(Path(name), runs, args.version, dice)
    write({"where": args.where, "seed": args.seed, **figures, "seconds": round(time.monotonic() - began)})
    return int(bool(figures["differed"]))


# ---- files


def files(folder: Path, kills: int, dice: random.Random) -> Json:
    """What came of so many kills."""
    nhi("simulate", *COMPANY, "--out", folder / "data")
    days = sorted((folder / "data" / "events").iterdir())
    took = [nhi(*_score(folder / "whole", day)).wall for day in days]
    expected = _written(folder / "whole")
    counts = {"kills": 0, "runs that had ended before": 0, "rounds": 0, "differed": 0}
    while counts["kills"] < kills:
        out = folder / f"round-{counts['rounds']}"
        for day, seconds in zip(days, took):
            for _ in range(dice.choice((1, 1, 2))):
                was_killed = _kill(out, day, seconds * dice.random())
                counts["kills" if was_killed else "runs that had ended before"] += 1
                counts["differed"] += sum(map(_is_torn, out.glob("[!.]*.json*")))
            nhi(*_score(out, day))
        counts["rounds"] += 1
        counts["differed"] += _written(out) != expected
    return {**counts, "notables": sum(len(text.splitlines()) for text in expected)}


def _written(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in ("notables.jsonl", "below.jsonl")]


def _score(out: Path, day: Path) -> list[str]:
    return ["score", str(day), "--out", str(out), "--budget", "40"]


def _kill(out: Path, day: Path, after: float) -> bool:
    """Whether a run was still at work when it was killed."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen([NHI, *_score(out, day)], stdout=quiet, stderr=quiet, env=ENVIRONMENT) as run:
        time.sleep(after)
        is_at_work = run.poll() is None
        run.kill()
    return is_at_work


def _is_torn(path: Path) -> bool:
    try:
        for text in path.read_bytes().splitlines() if path.suffix == ".jsonl" else [path.read_bytes()]:
            json.loads(text)
    except ValueError:
        return True
    return False


# ---- Elasticsearch


def elastic(folder: Path, runs: int, version: str, dice: random.Random) -> Json:
    """What came of so many faults; a run that differs is counted, and another story begins."""
    figures: Json = {"server": version, "runs": 0, "good": Counter(), "differed": [], "how": Counter()}
    with elastic_secured.running(version, folder / "node") as server:
        while figures["runs"] < runs:
            done = figures["runs"]
            figures["runs"] += _story(Faults(server, dice), done, min(STORY, runs - done), figures)
            print(f"{figures['runs']} of {runs} runs, {len(figures['differed'])} differed", flush=True)
    return figures


def _story(faults: Faults, before: int, runs: int, figures: Json) -> int:
    """Some runs over one account; returns how many there were."""
    kinds, history, kind, number = list(KINDS), records(days=8, machines=20), "", 0
    try:
        read = history[: len(history) // 2]
        faults.begin(read)
        for number, batch in enumerate(batches(history[len(history) // 2 :], runs), 1):
            kind = kinds[(before + number) % len(kinds)]
            alerts, read = faults.befall(kind, batch), [*read, *batch]
            print(f"   run {before + number}: {kind}: {alerts} alerts, each once", flush=True)
            if number % 6 == 0:
                print(f"   {faults.standing(read)} notables of open days as nhi score makes them", flush=True)
            figures["good"][kind] += 1
        kind = "close"
        print(f"   {faults.scored(history)} notables of closed days as nhi score makes them", flush=True)
    except AssertionError as error:
        traceback.print_exc()
        figures["differed"].append(f"run {before + number}, {kind}: {error}"[:500])
    figures["how"] += faults.after
    faults.close()
    return max(1, number)


# ---- Splunk


def splunk(folder: Path, runs: int, seed: int) -> Json:
    """What closed days, and the end, came to."""
    spec = Spec(days=max(1, runs // A_DAY), machines=8, seed=8, campaigns=8, events=5_000)
    records = [record for day in Tenant(spec).days() for record in day.records]
    lived = live(folder, records, 300, SHARE, seed, partial(print, flush=True))
    wrong = [f"day {day}: {ours}, not {theirs}" for day, (ours, theirs) in lived.closed.items() if ours != theirs]
    ours, theirs = lived.listed
    days = Tenant(Spec(days=3, machines=20, seed=8, campaigns=8, events=6_000)).days()
    killed = kill_at_each_shard(folder / "shards", [record for day in days for record in day.records], 3600)
    return {
        "days closed": len(lived.closed),
        "failed searches": lived.failed,
        "slices": lived.slices,
        "how": lived.faults,
        "notables": sum(len(theirs) for _, theirs in lived.closed.values()),
        "shards of a close": killed.shards,
        "kills at shards": killed.kills,
        "differed": [*wrong, *(["what stands at the end"] if ours != theirs else []), *killed.differed],
    }


if __name__ == "__main__":
    sys.exit(main())
