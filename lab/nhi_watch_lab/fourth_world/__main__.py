"""python -m fourth_world --seed 7 --out DIR"""
import argparse
from pathlib import Path

from . import generate


def main() -> None:
    parser = argparse.ArgumentParser(prog="fourth_world", description="Write one tenant's native audit logs and labels.")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--identities", type=int, default=300)
    parser.add_argument("--days", type=int, default=24)
    parser.add_argument("--history-days", type=int, default=12)
    parser.add_argument("--incidents", type=int, default=24)
    parser.add_argument("--padded", action="store_true")
    a = parser.parse_args()
    generate(a.seed, a.out, identities=a.identities, days=a.days, history_days=a.history_days, incidents=a.incidents, padded=a.padded)


main()
