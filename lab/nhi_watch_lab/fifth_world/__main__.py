"""python -m fifth_world --seed 7 --out DIR"""
from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from . import generate


def main() -> None:
    parser = argparse.ArgumentParser(prog="fifth_world", description="Write one tenant's audit logs with labelled incidents.")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--identities", type=int, default=300)
    parser.add_argument("--days", type=int, default=24)
    parser.add_argument("--history-days", type=int, default=12)
    parser.add_argument("--incidents", type=int, default=24)
    parser.add_argument("--padded", action="store_true")
    parser.add_argument("--start", type=date.fromisoformat, default=date(2026, 3, 2))
    args = parser.parse_args()
    generate(args.seed, args.out, identities=args.identities, days=args.days, history_days=args.history_days, incidents=args.incidents, padded=args.padded, start=args.start)
    print(f"{args.out}: written")


if __name__ == "__main__":
    main()
