"""50 runs of `nhi elastic run`, each killed with SIGKILL at a random moment while another copy starts.

After each, every revision of every notable, score and inventory document must be there once, equal to what an
undisturbed job wrote from the same source. `python lab/bench/bench_elastic_kills.py [KILLS] [VERSION]`.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import elastic_server  # noqa: E402
from elastic_story import Story, batches, records  # noqa: E402


def main(kills: int = 50, version: str = "8.19.21") -> None:
    """Kill, compare, and write out/bench/bench_elastic_kills.json."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        servers = elastic_server.run(version, Path(folder) / "node")
        figures = _kills(Story(next(servers)), kills)
        servers.close()  # type: ignore[attr-defined]
    figures |= {"server": version, "seconds": time.monotonic() - began}
    target = ROOT / "out" / "bench" / "bench_elastic_kills.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


def _kills(story: Story, kills: int) -> dict[str, Any]:
    dice = random.Random(2026)
    good = alerts = 0
    for number, batch in enumerate(batches(records(days=6), kills), 1):
        story.kill_one_of_two(story.tell(batch), dice)
        alerts = story.same()
        good += 1
        print(f"   kill {number} of {kills}: {alerts} alerts, each once and as undisturbed", flush=True)
    return {"kills": kills, "equal_and_once": good, "alerts": alerts, "killed_while": story.moments}


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, str), sys.argv[1:])))
