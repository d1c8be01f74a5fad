"""A million fuzzed pairs of records: each read by a process that has read nothing, and after the other one.

`python lab/bench/fuzz_sources.py [PAIRS] [SEED]`; exit code 1 where an answer depended on what was read before. The
suite has a short run of it (tests/test_sources_stable.py).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lab")]

from nhi_watch.core import registry  # noqa: E402
from nhi_watch_lab.evaluation.fuzzed import Fuzz, forgetting, is_stable, samples  # noqa: E402

SAMPLES = ROOT / "tests" / "data" / "sources"


def main(pairs: int = 1_000_000, seed: int = 1) -> int:
    """Try so many pairs, as many of each source; tell which were read differently."""
    sources = registry.modules("nhi_watch.intake.sources")
    clear, wrong, began = forgetting(), 0, time.perf_counter()
    for source in sources:
        fuzz = Fuzz(source, samples(SAMPLES / f"{source.NAME}.jsonl"), seed)
        for _ in range(pairs // len(sources)):
            pair = fuzz.pair()
            if not is_stable(source, pair, clear):
                wrong += 1
                print(source.NAME, json.dumps(pair))
        print(f"{source.NAME}: done after {time.perf_counter() - began:.0f} s, {wrong} wrong", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
