"""Command line: `python -m third_world --seed 7 --out DIR`."""
import argparse
from pathlib import Path

from nhi_watch_lab.third_world.generate import generate


def main() -> None:
    parser = argparse.ArgumentParser(prog="third_world", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--identities", type=int, default=300)
    parser.add_argument("--days", type=int, default=24)
    parser.add_argument("--history-days", type=int, default=12)
    parser.add_argument("--incidents", type=int, default=24)
    parser.add_argument("--padded", action="store_true")
    given = parser.parse_args()
    generate(given.seed, given.out, identities=given.identities, days=given.days, history_days=given.history_days,
             incidents=given.incidents, padded=given.padded)


if __name__ == "__main__":
    main()
