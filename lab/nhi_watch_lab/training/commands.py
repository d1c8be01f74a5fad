"""`nhi train`: worlds → identity-days as numbers → the scorecard. Everything is made from seeds, in a clone alone."""

from __future__ import annotations

import argparse
import json
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.detect import model

if TYPE_CHECKING:
    from nhi_watch_lab.training.rows import Rows

FOLDER = Path(__file__).parent
PRIOR = FOLDER / "prior.json"
"""What identities anywhere do: shares of identity-days by value, which signals start from."""
SEEDS = "1001-1016"
"""Never used for anything else: validation has 2001 and more, tests have 3001 and more."""
THIRD = "1,3,5,7"
"""Of the third world; its other seeds are for validation."""
KEPT = Path("out") / "training"
SIZE = (140, 50)
"""Machines of a world at most, and attacks in each."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `nhi train`."""
    parser.add_argument("--worlds", default=SEEDS, metavar="SEEDS", help=f"worlds to train on (default: {SEEDS})")
    parser.add_argument("--third", default=THIRD, metavar="SEEDS",
                        help=f"worlds by other hands that weigh as much together (default: {THIRD})")  # fmt: skip
    parser.add_argument("--identities", type=int, default=SIZE[0], metavar="N", help="at most so many machines a world")
    parser.add_argument("--incidents", type=int, default=SIZE[1], metavar="N", help="attacks in each (default: 50)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes (default: 2)")
    parser.add_argument("--kept", type=Path, default=KEPT, metavar="DIR",
                        help=f"what worlds came to, for the next training (default: {KEPT})")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: the shipped model")


def run(args: argparse.Namespace, console: Console) -> int:
    """Train and say what came out.

    Raises:
        InputError: the seeds are no numbers.
    """
    from nhi_watch_lab.training import fit, reference, write

    found = training_rows(args.worlds, args.kept, (args.identities, args.incidents), args.workers, args.third)
    prior = json.loads(PRIOR.read_text("utf-8"))
    fitted = fit.fit(found)
    out: Path = args.out or model.FOLDER
    out.mkdir(parents=True, exist_ok=True)
    scorecard = write.document(fitted, prior)
    write.write(out, scorecard, f"{args.worlds}; third {args.third}" if args.third else args.worlds)
    once = list({id(rows): rows for rows in found}.values())
    reference.write(out, fitted, once)
    days = sum(len(each.day) for each in once)
    attacks = sum(len(set(each.incident.tolist()) - {""}) for each in once)
    console.print(f"{scorecard['id']}: {len(once)} worlds, {days:,} identity-days, {attacks} incidents, into {out}")
    return 0


def training_rows(
    seeds: str, kept: Path, size: tuple[int, int] = SIZE, workers: int = 2, third: str = THIRD
) -> list[Rows]:
    """The identity-days of worlds, given as 1001-1016; `size`: machines at most, and attacks in each drawn one.

    Those by other hands are named again until they are as many, so that no generator's habits outweigh another's.

    Raises:
        InputError: the seeds are no numbers.
    """
    from nhi_watch_lab.evaluation.exams import Exam
    from nhi_watch_lab.evaluation.incidents import seeds_of
    from nhi_watch_lab.training import rows

    try:
        drawn = list(rows.training_worlds(seeds_of(seeds), *size))
        others = [Exam("third", seed) for seed in seeds_of(third)] if third else []
    except ValueError as error:
        raise InputError(f"--worlds {seeds!r}, --third {third!r}: give numbers, as in 1001-1016 or 1,3") from error
    prior = json.loads(PRIOR.read_text("utf-8"))
    found = rows.collected(rows.blank(prior), [*drawn, *others], kept, workers)
    again = cycle(found[len(drawn) :])
    return [*found[: len(drawn)], *(next(again) for _ in drawn if others)]
