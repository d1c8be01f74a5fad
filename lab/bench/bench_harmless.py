"""What the rules against whoever writes logs do to logs that nobody forged: how many records and incidents they touch.

`python lab/bench/bench_harmless.py [--quick]`: a drawn company, worlds by other hands, and real logs where they lie
beside the checkout, each by `nhi score` over a state of its own. A rule that touches no record of them, and folds no
incident away, can have cost no recall there. `copies`: records whose bytes were there before, which alone may count as
duplicates. `hidden`: incidents that have a notable, but none that stands for itself. `--quick`: the company alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lab")]

import orjson  # noqa: E402

from nhi_watch import cli  # noqa: E402
from nhi_watch.core.errors import OUT_OF_SCOPE  # noqa: E402
from nhi_watch_lab.evaluation import exams  # noqa: E402
from nhi_watch_lab.evaluation.exams import Exam  # noqa: E402

OUT = ROOT / "out" / "bench"
SHARED = ROOT.parent / "shared" / "data"
SIZE = 120
"""Identities of a world."""
WORLDS = tuple(Exam(kind, seed, identities=SIZE) for kind, seed in (("drawn", 3003), ("second", 11), ("fourth", 5)))
REAL = ("cloudtrail", "kubernetes", "m365", "gcp", "mixed")
RULES = ("duplicates", "shared_ids", "too_late", "held_aside", "folded_records")
Row = dict[str, Any]


def world(exam: Exam) -> Row:
    """What the rules do to a world, and to the incidents in it."""
    with tempfile.TemporaryDirectory() as folder:
        incidents: list[Row] = []
        with (Path(folder) / "logs.jsonl").open("wb") as file:
            for begun, records in exams.raw(exam)[1]:
                incidents += begun
                file.writelines(orjson.dumps(record) + b"\n" for record in records)
        return scored(Path(folder) / "logs.jsonl", Path(folder) / "out", incidents)


def scored(logs: Path, out: Path, incidents: list[Row]) -> Row:
    """The same of logs."""
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        code = cli.main(["score", str(logs), "--out", str(out)])
    if code:
        raise SystemExit(f"{logs}: exit code {code}")
    run = json.loads((out / "run.json").read_text("utf-8"))
    notables = [json.loads(line) for name in ("notables", "below") for line in lines(out / f"{name}.jsonl")]
    own, folded = (ids(n for n in notables if bool(n["folded_into"]) is away) for away in (False, True))
    theirs = [{*one["record_ids"]} for one in incidents]
    bad = {reason: number for reason, number in run["rejected"].items() if reason not in OUT_OF_SCOPE}
    return {
        "records": run["read"], "copies": copies(logs), **{rule: run[rule] for rule in RULES}, "rejected": bad,
        "folded_notables": sum(n["folded"]["count"] - 1 for n in notables if n["folded"]),
        "incidents": len(theirs), "hidden": sum(bool(one & folded) and not one & own for one in theirs),
    }  # fmt: skip


def ids(notables: Iterator[Row]) -> set[str]:
    """The records behind some notables."""
    return {record for one in notables for record in one["record_ids"]}


def lines(path: Path) -> list[bytes]:
    """Those of a file, if it is there."""
    return path.read_bytes().splitlines() if path.exists() else []


def copies(logs: Path) -> int:
    """How many lines of files of lines were there before."""
    seen: set[bytes] = set()
    count = 0
    for path in sorted(logs.rglob("*") if logs.is_dir() else [logs]):
        for line in path.read_bytes().splitlines() if path.is_file() else ():
            mark = hashlib.blake2b(line, digest_size=8).digest()
            count += len(line) > 200 and mark in seen  # else it is a piece of a document
            seen.add(mark)
    return count


def main() -> None:
    """Every world and log in turn; figures in out/bench/bench_harmless.json."""
    found: dict[str, Row] = {}
    for exam in WORLDS[:1] if "--quick" in sys.argv else WORLDS:
        found[exam.name] = world(exam)
        print(exam.name, found[exam.name], flush=True)
    for name in () if "--quick" in sys.argv else REAL:
        if (SHARED / name).is_dir():
            with tempfile.TemporaryDirectory() as folder:
                found[name] = scored(SHARED / name, Path(folder) / "out", [])
            print(name, found[name], flush=True)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "bench_harmless.json").write_text(json.dumps(found, indent=1), "utf-8")


if __name__ == "__main__":
    main()
