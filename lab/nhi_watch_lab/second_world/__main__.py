# ruff: noqa: E501
"""Command line: python -m nhi_watch_lab.second_world --seed N --out DIR."""
from __future__ import annotations

import argparse
from pathlib import Path

from nhi_watch_lab.second_world.world import generate


def main() -> None:
    parser = argparse.ArgumentParser(description="Write one simulated tenant's logs and labels.")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    for name, value in (("identities", 300), ("days", 24), ("history-days", 12), ("incidents", 24)):
        parser.add_argument("--" + name, type=int, default=value)
    parser.add_argument("--padded", action="store_true")
    a = parser.parse_args()
    generate(a.seed, a.out, identities=a.identities, days=a.days, history_days=a.history_days, incidents=a.incidents, padded=a.padded)


if __name__ == "__main__":
    main()
