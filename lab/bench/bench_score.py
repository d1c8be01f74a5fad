"""nhi score, end to end, against a bare orjson loop over the same lines; and its memory.

One worker. The state is warm: it has learnt the fortnight before the simulated month that is scored, and
each round gets a fresh copy of it. Both contestants run as processes of their own, in turn, and report seconds from
before they open the first file to after the last result is on disk; medians are compared. The simulated logs
are made once, in out/bench/data, which is not counted. `--quick` takes a tenth of it all, and one round.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

import orjson  # noqa: E402

from nhi_watch_lab.simulator import Spec, Tenant  # noqa: E402

OUT = ROOT / "out" / "bench"
WORKER = ROOT / "lab" / "bench" / "_score_worker.py"
SHARED = ROOT.parent / "shared" / "data" / "cloudtrail"
FORTNIGHT = 14


class Log(NamedTuple):
    """A simulated log: a file a day."""

    name: str
    spec: Spec
    warm: int
    """Days at its start that are learnt beforehand."""


class Logs(NamedTuple):
    """About a million scored events or more each."""

    month: Log
    """As dense as real ones: about ten events share a behaviour."""
    sparse: Log
    """A month of more machines with fewer calls each: about four do, less than in any real one measured."""
    wide: Log
    """A week of about 5,000 identities, for memory."""


def logs(quick: bool) -> Logs:
    """What is simulated."""
    size = 0.1 if quick else 1.0
    days = FORTNIGHT + 30
    month = Spec(days=days, machines=24, seed=41, events=round(2_200_000 * size))
    sparse = Spec(days=days, machines=round(150 * size), seed=41, events=round(1_466_667 * size))
    wide = Spec(days=7, machines=round(3250 * size), seed=43, events=round(1_000_000 * size))
    return Logs(Log("month", month, FORTNIGHT), Log("sparse", sparse, FORTNIGHT), Log("wide", wide, 0))


def main(quick: bool) -> int:
    """Run everything and write the figures."""
    month, sparse, wide = logs(quick)
    rounds = 1 if quick else 3
    result: dict[str, Any] = {log.name: scored(log, rounds) for log in (month, sparse)}
    for name in ("grycap.ndjson", "boogy.json"):
        if (SHARED / name).exists():
            result[name] = contest([SHARED / name], None, rounds)
    peak = run("score", files(wide), None)
    result["wide"] = {key: peak[key] for key in ("events", "identities", "behaviours", "peak_mb")}
    OUT.mkdir(parents=True, exist_ok=True)
    for name in ("score", "bench_score"):  # the second is what `make bench` shows
        (OUT / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(json.dumps(result, indent=2))
    return 0


def scored(log: Log, rounds: int) -> dict[str, Any]:
    """The contest over a log's days after the warm ones."""
    days = files(log)
    return contest(days[log.warm :], learnt(days[: log.warm], log.name), rounds)


def files(log: Log) -> list[Path]:
    """The log's files, made where they are missing."""
    spec = log.spec
    folder = OUT / "data" / f"{log.name}-{spec.days}-{spec.machines}-{spec.events}-{spec.seed}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for day in Tenant(spec).days():
            with (folder / f"{day.date}.ndjson").open("wb") as file:
                file.writelines(orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in day.records)
        (folder / "complete").touch()
    return sorted(folder.glob("*.ndjson"))


def learnt(days: list[Path], name: str) -> Path:
    """A state that has learnt some days."""
    state = OUT / f"{name}.sqlite"
    state.unlink(missing_ok=True)
    run("learn", days, state)
    return state


def contest(paths: list[Path], state: Path | None, rounds: int) -> dict[str, Any]:
    """Medians of both, taking turns."""
    told: dict[str, list[dict[str, Any]]] = {"bare": [], "score": []}
    for _ in range(rounds):
        for job, each in told.items():
            each.append(run(job, paths, state))
    seconds = {job: statistics.median(one["seconds"] for one in each) for job, each in told.items()}
    cpu = {job: statistics.median(one["cpu"] for one in each) for job, each in told.items()}
    last = told["score"][-1]
    return {
        "events": last["events"],
        "behaviours": last["behaviours"],
        "identities": last["identities"],
        "events_per_behaviour": round(last["events"] / max(1, last["behaviours"]), 2),
        "orjson_events_per_s": round(last["events"] / seconds["bare"]),
        "score_events_per_s": round(last["events"] / seconds["score"]),
        "ratio": round(seconds["bare"] / seconds["score"], 3),
        "ratio_by_processor_time": round(cpu["bare"] / cpu["score"], 3),
        "ratios": [round(b["seconds"] / s["seconds"], 3) for b, s in zip(told["bare"], told["score"])],
        "orjson_us_per_event": round(seconds["bare"] / last["events"] * 1e6, 2),
        "score_us_per_event": round(seconds["score"] / last["events"] * 1e6, 2),
        "score_us_per_behaviour": round(seconds["score"] / max(1, last["behaviours"]) * 1e6, 2),
        "peak_mb": max(one["peak_mb"] for one in told["score"]),
        "stages": last["stages"],
    }


def run(job: str, paths: list[Path], state: Path | None) -> dict[str, Any]:
    """One process; what it says of itself."""
    work = OUT / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    place = state if job == "learn" else work / "state.sqlite"
    if job == "score" and state is not None:
        shutil.copy(state, work / "state.sqlite")
    command = [sys.executable, str(WORKER), job, str(work), str(place), *map(str, paths)]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    shutil.rmtree(work)
    return told


if __name__ == "__main__":
    sys.exit(main("--quick" in sys.argv[1:]))
