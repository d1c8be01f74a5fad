"""One contestant of bench_score: JOB OUT STATE PATH…; says what it did as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]


def main(job: str, out: Path, state: Path, paths: list[str]) -> dict[str, Any]:
    """Run it; seconds without the interpreter's start."""
    if job == "bare":
        clock = Clock()
        events = bare(paths)
        return {"events": events, **clock.told()}
    from nhi_watch.hosts.files import jobs

    clock = Clock()
    todo = jobs.Job(paths, out, state)
    run = jobs.learn(todo) if job == "learn" else jobs.score(todo).run
    return {"events": run["read"], "behaviours": run["behaviours"], "identities": run["identities"],
            "stages": run["seconds"], **clock.told()}  # fmt: skip


class Clock:
    """Seconds on the wall, and of the processor: the latter tell more where other programs run."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def told(self) -> dict[str, float]:
        """Seconds since it was made."""
        return {"seconds": time.perf_counter() - self._wall, "cpu": time.process_time() - self._processor}


def bare(paths: list[str]) -> int:
    """Parse every line and count the records."""
    import orjson

    events = 0
    for path in paths:
        with Path(path).open("rb") as file:
            if path.endswith(".json"):
                value = orjson.loads(file.read())
                events += len(value["Records"] if isinstance(value, dict) else value)
                continue
            for line in file:
                orjson.loads(line)
                events += 1
    return events


if __name__ == "__main__":
    told = main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
    told["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    print(json.dumps(told))
