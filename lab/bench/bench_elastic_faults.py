"""200 runs of `nhi elastic run` on a server with security, each disturbed by one of sixteen kinds of faults in turn.

After each the job must have written what an undisturbed one did, each revision once; its checkpoint must not lie beyond
what it has written; and a few runs after the fault it must be whole again, with nothing set aside. A story has 24 runs;
at its end both jobs must keep of closed days what `nhi score` makes of the same records. A run that differs is counted,
and another story begins. docs/method/elastic.md has the figures.
`python lab/bench/bench_elastic_faults.py [--runs RUNS] [--version VERSION] [--seed SEED]`
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import elastic_secured  # noqa: E402
from elastic_faults import KINDS, Faults  # noqa: E402
from elastic_story import batches, records  # noqa: E402

STORY = 24


def main(runs: int = 200, version: str = "9.5.3", seed: int = 1) -> None:
    """Disturb, compare, and write out/bench/bench_elastic_faults-VERSION.json."""
    began, dice = time.monotonic(), random.Random(seed)
    figures: dict[str, Any] = {"server": version, "seed": seed, "good": Counter(), "differed": [], "how": Counter()}
    target = ROOT / "out" / "bench" / f"bench_elastic_faults-{version}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, elastic_secured.running(version, Path(folder) / "node") as server:
        done = 0
        while done < runs:
            done += _story(Faults(server, dice), done, min(STORY, runs - done), figures)
            figures |= {"runs": done, "seconds": round(time.monotonic() - began)}
            target.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
            print(f"{done} of {runs} runs, {len(figures['differed'])} differed, {figures['seconds']} s", flush=True)


def _story(faults: Faults, before: int, runs: int, figures: dict[str, Any]) -> int:
    """Some runs over one account; returns how many there were."""
    kinds, whole, kind = list(KINDS), records(days=8, machines=20), ""
    number = 0
    try:
        faults.begin(whole[: len(whole) // 2])
        for number, batch in enumerate(batches(whole[len(whole) // 2 :], runs), 1):
            kind, began = kinds[(before + number) % len(kinds)], time.monotonic()
            alerts = faults.befall(kind, batch)
            figures["good"][kind] += 1
            took = time.monotonic() - began
            print(f"   run {before + number}: {kind}: {alerts} alerts, each once; {took:.1f} s", flush=True)
        kind = "close"
        print(f"   {faults.scored(whole)} notables of closed days as nhi score makes them", flush=True)
    except AssertionError as error:
        traceback.print_exc()
        figures["differed"].append(f"run {before + number}, {kind}: {error}"[:500])
    figures["how"] += faults.after
    faults.close()
    return max(1, number)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--version", default="9.5.3")
    parser.add_argument("--seed", type=int, default=1)
    main(**vars(parser.parse_args()))
