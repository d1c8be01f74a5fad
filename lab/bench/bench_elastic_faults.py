"""200 runs of `nhi elastic run` on a server with security, each disturbed by one of twelve kinds of faults in turn.

After each the job must have written what an undisturbed one did, each revision once; its checkpoint must not lie beyond
what it has written; and a few runs after the fault it must be whole again, with nothing set aside.
`python lab/bench/bench_elastic_faults.py [RUNS] [VERSION] [SEED]`; docs/method/elastic.md has the figures.
"""

from __future__ import annotations

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


def main(runs: int = 200, version: str = "9.5.3", seed: int = 1) -> None:
    """Disturb, compare, and write out/bench/bench_elastic_faults-VERSION.json."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, elastic_secured.running(version, Path(folder) / "node") as server:
        figures = _disturbed(Faults(server, random.Random(seed)), runs)
    figures |= {"server": version, "seed": seed, "seconds": time.monotonic() - began}
    target = ROOT / "out" / "bench" / f"bench_elastic_faults-{version}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))


def _disturbed(faults: Faults, runs: int) -> dict[str, Any]:
    kinds, good, failed = list(KINDS), Counter[str](), ""
    whole = records(days=8, machines=20)
    faults.begin(whole[: len(whole) // 2])
    for number, batch in enumerate(batches(whole[len(whole) // 2 :], runs), 1):
        kind, began = kinds[number % len(kinds)], time.monotonic()
        try:
            alerts = faults.befall(kind, batch)
        except AssertionError as error:
            traceback.print_exc()
            failed = f"run {number}, {kind}: {error}"
            break
        good[kind] += 1
        took = time.monotonic() - began
        print(f"   run {number} of {runs}: {kind}: {alerts} alerts, each once; {took:.1f} s", flush=True)
    return {"runs": runs, "good": good, "failed": failed, "how": faults.after}


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, str, int), sys.argv[1:])))
