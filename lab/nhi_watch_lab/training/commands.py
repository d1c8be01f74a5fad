"""`nhi train`: worlds → identity-days as numbers → the scorecard. Everything is made from seeds, in a clone alone."""

from __future__ import annotations

import argparse
import json
from itertools import chain, cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.detect import model

if TYPE_CHECKING:
    from nhi_watch_lab.training.rows import Rows, Source

FOLDER = Path(__file__).parent
PRIOR = FOLDER / "prior.json"
"""What identities anywhere do: shares of identity-days by value, which signals start from."""
SEEDS = "1001-1016"
"""Never used for anything else: validation has 2001 and more, tests have 3001 and more."""
PADDED = "1017-1032"
"""Drawn worlds in which attackers hide among harmless calls."""
HANDS = {"third": ("1,3,5,7", "17,19,21,23")}
"""A world by other hands: seeds, and those in which attackers hide; its even seeds are for validation."""
BOTH = (False, True)
"""Whether attackers hide."""
KEPT = Path("out") / "training"
SIZE = (140, 50)
"""Machines of a world at most, and attacks in each."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `nhi train`."""
    parser.add_argument("--worlds", default=SEEDS, metavar="SEEDS", help=f"worlds to train on (default: {SEEDS})")
    parser.add_argument("--padded", default=PADDED, metavar="SEEDS",
                        help=f"worlds in which attackers hide among harmless calls (default: {PADDED})")  # fmt: skip
    parser.add_argument("--hands", nargs="*", choices=HANDS, default=list(HANDS),
                        help="worlds by other hands, each of which weighs as much (default: all)")  # fmt: skip
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
    from nhi_watch_lab.training import fit, order, reference, rows, write

    wanted = Wanted(args.worlds, args.padded, tuple(args.hands))
    found = training_rows(wanted, args.kept, (args.identities, args.incidents), args.workers)
    prior = json.loads(PRIOR.read_text("utf-8"))
    fitted = fit.fit(found)
    out: Path = args.out or model.FOLDER
    out.mkdir(parents=True, exist_ok=True)
    scorecard = write.document(fitted, prior)
    write.write(out, scorecard, wanted.told)
    told = rows.once(found)
    reference.write(out, fitted, told)
    order.write(out, fitted, found)
    days = sum(len(each.day) for each in told)
    attacks = sum(len(set(each.incident.tolist()) - {""}) for each in told)
    console.print(f"{scorecard['id']}: {len(told)} worlds, {days:,} identity-days, {attacks} incidents, into {out}")
    return 0


class Wanted(NamedTuple):
    """Worlds to train on."""

    drawn: str = SEEDS
    padded: str = PADDED
    hands: tuple[str, ...] = tuple(HANDS)

    @property
    def told(self) -> str:
        """For the manifest."""
        others = (f"{kind} {plain}; {kind} padded {padded}" for kind, (plain, padded) in self._others)
        return "; ".join([self.drawn, *([f"padded {self.padded}"] if self.padded else ()), *others])

    @property
    def _others(self) -> list[tuple[str, tuple[str, str]]]:
        return [(kind, HANDS[kind]) for kind in self.hands]

    def families(self, size: tuple[int, int]) -> list[list[Source]]:
        """The worlds, those of a generator and of one kind of attackers together; those without any left out.

        Raises:
            InputError: the seeds are no numbers.
        """
        from nhi_watch_lab.evaluation.exams import Exam
        from nhi_watch_lab.evaluation.incidents import seeds_of
        from nhi_watch_lab.training.rows import training_worlds

        try:
            drawn = [seeds_of(seeds) if seeds else [] for seeds in (self.drawn, self.padded)]
        except ValueError as error:
            told = f"--worlds {self.drawn!r}, --padded {self.padded!r}"
            raise InputError(f"{told}: give numbers, as in 1001-1016 or 1,3") from error
        found: list[list[Source]] = [[*training_worlds(s, *size, padded=hides)] for hides, s in zip(BOTH, drawn)]
        for kind, both in self._others:
            found += [[Exam(kind, seed, hides) for seed in seeds_of(s)] for hides, s in zip(BOTH, both)]
        return [family for family in found if family]


def training_rows(wanted: Wanted, kept: Path, size: tuple[int, int] = SIZE, workers: int = 2) -> list[Rows]:
    """The identity-days of worlds; `size`: machines at most, and attacks in each drawn one.

    A family's worlds are named again until they are as many as of the largest, so that no generator's habits, nor a
    kind of attacker, outweighs another's.

    Raises:
        InputError: the seeds are no numbers.
    """
    from nhi_watch_lab.training import rows

    families = wanted.families(size)
    prior = json.loads(PRIOR.read_text("utf-8"))
    found = iter(rows.collected(rows.blank(prior), [*chain.from_iterable(families)], kept, workers))
    told = [[next(found) for _ in family] for family in families]
    most = max(map(len, told))
    return [rows for family in told for rows in islice(cycle(family), most)]
