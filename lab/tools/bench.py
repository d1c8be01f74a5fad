"""Runs the benchmarks one after the other, and shows their figures.

A benchmark is a file bench/NAME.py that runs alone and writes its figures as an object to
out/bench/NAME.json (`_`-files are shared parts, not benchmarks). Numbers, texts and lists of them are shown
under their keys; objects may be nested.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from layout import ROOT

OUT = ROOT / "out" / "bench"


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all; exit code 1 if one failed or wrote nothing."""
    OUT.mkdir(parents=True, exist_ok=True)
    found = sorted(path for path in (ROOT / "lab" / "bench").glob("*.py") if not path.name.startswith("_"))
    chosen = [path for path in found if not names or path.stem in names]
    return max([run(path) for path in chosen], default=0)


def run(path: Path) -> int:
    """Run one benchmark and print its figures."""
    print(f"== {path.stem}", flush=True)
    began, result = time.time(), OUT / f"{path.stem}.json"
    result.unlink(missing_ok=True)
    code = subprocess.call([sys.executable, str(path)], cwd=ROOT)
    if code or not result.exists():
        print(f"   failed: exit code {code}, figures {'written' if result.exists() else 'missing'}")
        return 1
    for name, value in figures(json.loads(result.read_text("utf-8"))):
        print(f"   {name:<58} {value:>16}")
    print(f"   {'took':<58} {time.time() - began:>14.1f} s", flush=True)
    return 0


def figures(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a result, named by their path.

    >>> list(figures({"events": {"per_second": 51234.5, "ratio": 0.5123}, "python": "3.11"}))
    [('events.per_second', '51,234'), ('events.ratio', '0.5123'), ('python', '3.11')]
    """
    if isinstance(value, dict):
        for key, each in value.items():
            yield from figures(each, f"{name}.{key}" if name else str(key))
    elif isinstance(value, float):
        yield name, f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    elif isinstance(value, int) and not isinstance(value, bool):
        yield name, f"{value:,}"
    else:
        yield name, str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
