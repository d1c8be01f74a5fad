"""A thousand runs of Rank and Rank All with search peers that fail, lag, vanish and repeat.

`python lab/bench/bench_splunk_faults.py [--runs 1000] [--page]`: worlds of tests/test_splunk_half.py, each lived with
other dice, until so many runs have been seen. Each must end with the notables of one in which nothing fails, having
written none beside them and withdrawn none that stands; --page writes the figures to the end of
docs/method/splunk_scale.md.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / name) for name in ("lab", "lab/tools", "lab/bench", "tests"))]

from bench_splunk_days import replaced  # noqa: E402
from bench_splunk_scale import PAGE  # noqa: E402

import test_splunk_half as half  # noqa: E402
from nhi_watch.core.timestamps import DAY  # noqa: E402
from nhi_watch.hosts.splunk.notables import ENDED  # noqa: E402
from splunk_process import Row  # noqa: E402
from splunk_server import Server  # noqa: E402

OUT = ROOT / "out" / "bench" / "bench_splunk_faults.json"
TITLE = "## Runs in which peers fail"
RANKS = ("NHI Watch - Rank", "NHI Watch - Rank All")


class Told(Counter[str]):
    """What was seen, by name."""


class Watched(Server):
    """A search head that counts what it runs."""

    told = Told()

    def scheduled(self, name: str, now: int) -> list[Row]:
        """Run a saved search."""
        if name in RANKS:
            self.told.update(["runs", *(["at fault"] if self.faults else []), *(fault.how for fault in self.faults)])
            before = len(self.failed)
            rows = super().scheduled(name, now)
            self.told["ended by splunkd"] += len(self.failed) - before
            return rows
        return super().scheduled(name, now)


def main() -> int:
    """Live worlds, count, and write the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--page", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(half, "Server", Watched), _patient():
        told = _lived(Path(folder), given.runs)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    if given.page:
        PAGE.write_text(replaced(PAGE.read_text("utf-8"), TITLE, page(told)), "utf-8")
    return 0


def _patient() -> mock._patch[int]:
    """A day that is short waits for the rest however long it takes; what comes of less patience is tested apart."""
    return mock.patch("nhi_watch.hosts.splunk.whole.PATIENCE", 30 * DAY)


def _lived(folder: Path, runs: int) -> Told:
    whole = half.lived(folder / "whole", None)
    wanted, ever = half.standing(whole, half.midnight() + 2 * DAY), half.ever(whole)
    ended = {name for name, change in ever if change in ENDED}
    Watched.told = told = Told(notables=len(wanted))
    for seed in _seeds(told, runs):
        made = half.lived(folder / str(seed), random.Random(seed))
        mine = half.ever(made)
        told["worlds"] += 1
        told["ended otherwise"] += half.standing(made, half.midnight() + 2 * DAY) != wanted
        told["false"] += len({name for name, _ in mine} - {name for name, _ in ever})
        told["withdrawn wrongly"] += len({name for name, change in mine if change in ENDED} - ended)
        print(f"   world {seed}: {told['runs']} runs", flush=True)
    return told


def _seeds(told: Told, runs: int) -> Iterator[int]:
    """Others than those of the tests."""
    seed = 1_000
    while told["runs"] < runs:
        yield seed
        seed += 1


def page(told: Told) -> str:
    """The figures in words.

    >>> page(Told(runs=1000, worlds=20)).startswith("1,000 runs of Rank and Rank All in 20 worlds")
    True
    """
    return (
        f"{told['runs']:,} runs of Rank and Rank All in {told['worlds']} worlds of two days and five indexers, some"
        f" skipped, repeated and over windows that overlap; in {told['at fault']:,} a peer was at fault (down"
        f" {told['down']:,}, lost unnoticed {told['lost']:,}, late {told['late']:,}, answered twice {told['twice']:,}),"
        f" and {told['ended by splunkd']:,} of them were ended by splunkd for it. Worlds that ended with other notables"
        f" than one without faults ({told['notables']}): {told['ended otherwise']}; false notables ever written:"
        f" {told['false']}; withdrawn wrongly: {told['withdrawn wrongly']}."
        " `python lab/bench/bench_splunk_faults.py --page`; who was judged and kept meanwhile, over worlds of its own:"
        " `NHI_FAULTY_WORLDS=10 pytest tests/test_splunk_judged.py`."
    )


if __name__ == "__main__":
    sys.exit(main())
