"""Runs of `nhi score` over files, each killed at a random moment and run again: `python lab/bench/bench_kills.py`.

A simulated company's days come one after the other, as a scheduler brings them. Each run is killed with SIGKILL once
or twice at a moment within the time that it takes, then run to its end, until there were so many kills. After each,
what stands in the results must be whole; at the end of each round notables.jsonl and below.jsonl must be, to the
byte, what runs without a kill write.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lab")]

from _compiled import ENVIRONMENT  # noqa: E402

OUT = ROOT / "out" / "bench" / "bench_kills.json"
COMPANY = ("--days", "9", "--machines", "30", "--seed", "5", "--campaigns", "3")


def main() -> None:
    """Kill, compare, and write the figures. Exit code 1: something was lost or written twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="runs to kill (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (default: %(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        told = measured(Path(name), args.kills, random.Random(args.seed))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    sys.stdout.write(", ".join(f"{what} {value}" for what, value in told.items()) + "\n")
    sys.exit(bool(told["rounds that differ"] or told["torn files"]))


def measured(folder: Path, kills: int, dice: random.Random) -> dict[str, Any]:
    """What came of so many kills."""
    subprocess.run(_command(["simulate", *COMPANY, "--out", folder / "data"]), check=True, capture_output=True)
    days = sorted((folder / "data" / "events").iterdir())
    took = [_timed(folder / "whole", day) for day in days]
    expected = _written(folder / "whole")
    told = {"kills": 0, "runs that had ended before": 0, "rounds": 0, "rounds that differ": 0, "torn files": 0}
    while told["kills"] < kills:
        out = folder / f"round-{told['rounds']}"
        for day, seconds in zip(days, took):
            for _ in range(dice.choice((1, 1, 2))):
                was_killed = _kill(out, day, seconds * dice.random())
                told["kills" if was_killed else "runs that had ended before"] += 1
                told["torn files"] += sum(map(_is_torn, out.glob("[!.]*.json*")))
            _timed(out, day)
        told["rounds"] += 1
        told["rounds that differ"] += _written(out) != expected
    return {**told, "notables": sum(len(text.splitlines()) for text in expected)}


def _written(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in ("notables.jsonl", "below.jsonl")]


def _command(words: Sequence[object]) -> list[str]:
    return [str(Path(sys.executable).with_name("nhi")), *map(str, words)]


def _score(out: Path, day: Path) -> list[str]:
    return _command(["score", day, "--out", out, "--budget", "40"])


def _timed(out: Path, day: Path) -> float:
    began = time.monotonic()
    subprocess.run(_score(out, day), check=True, capture_output=True, env=ENVIRONMENT)
    return time.monotonic() - began


def _kill(out: Path, day: Path, after: float) -> bool:
    """Whether a run was still at work when it was killed."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(_score(out, day), stdout=quiet, stderr=quiet, env=ENVIRONMENT) as run:
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


if __name__ == "__main__":
    main()
