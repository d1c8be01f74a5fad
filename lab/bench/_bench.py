"""What benchmarks share: where things lie, the program as it is where it is installed, its time, and their figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / name) for name in ("lab", "lab/tools", "tests"))]
OUT = ROOT / "out" / "bench"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""In which a program is compiled once, as where it is installed, and not in each process."""
NHI = str(Path(sys.executable).with_name("nhi"))


class Spent(NamedTuple):
    """Seconds."""

    wall: float
    processor: float
    """Of a process and its children."""


def spent(command: list[Any], **more: Any) -> Spent:
    """What a command takes that must not fail."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(
        list(map(str, command)), check=True, cwd=ROOT, **{"capture_output": True, "env": ENVIRONMENT, **more}
    )
    after, wall = os.times(), time.perf_counter() - began
    return Spent(wall, sum(after[2:4]) - sum(before[2:4]))


def nhi(*words: object) -> Spent:
    """What the program takes."""
    return spent([NHI, *words], env={**ENVIRONMENT, "COLUMNS": "100"})


def write(figures: dict[str, Any], name: str = Path(sys.argv[0]).stem) -> None:
    """Figures for people and for `make bench`."""
    OUT.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, indent=1)
    (OUT / f"{name}.json").write_text(text + "\n", "utf-8")
    sys.stdout.write(text + "\n")
