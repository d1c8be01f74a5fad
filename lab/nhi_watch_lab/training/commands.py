"""`nhi train`: worlds → identity-days as numbers → the model. Everything is made from seeds, in a clone alone."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console

from nhi_watch.detect import model

if TYPE_CHECKING:
    from nhi_watch_lab.evaluation.exams import Exam
    from nhi_watch_lab.training.rows import Rows, Source

FOLDER = Path(__file__).parent
PRIOR = FOLDER / "prior.json"
"""What identities anywhere do: shares of identity-days by value, which signals start from."""
HANDS = {
    "drawn": ("1001-1006", "1017-1020", "1033-1036", "41-42", "51-60", "61-100"),
    "old": ("1-2",),
    "second": ("1-3", "17-18", "", "41-42", "51-60", "61-100"),
    "third": ("1,3,5", "17,19", "", "41-42", "51-60", "61-100"),
    "fourth": ("1-3", "17-18", "", "41-42", "51-60", "61-100"),
    "fifth": ("1-3", "17-18", "", "41-42", "51-60", "61-100"),
    "controls": ("", "", "", "", "1-26"),
}
"""Generators, each by other hands: seeds of each of VARIANTS; and real benign logs, which are read where they lie."""
VARIANTS = ("", " padded", " cold", " unsteady", " first", " brief")
"""As they are; attackers hide among harmless calls; attacks begin on the first of six days; at least one machine in ten
is odd by nature; the first file of a small tenant; one in which a theft is one to five calls."""
MORE_FIRST_DAYS = {
    "drawn": ("", "", "", "", "401-450", "401-519,521-600"),
    "second": ("", "", "", "", "401-450", "401-600"),
    "third": ("", "", "", "", "401,403-406,408-414,420-429,431,433-444,446-450", "401-427,429-502,504-600"),
    "fourth": ("", "", "", "", "401-425,427-449", "401-600"),
    "fifth": ("", "", "", "", "401-450", "401-600"),
}
"""Seeds of worlds that teach first days alone, as in HANDS; those whose worlds have nobody at work are left out."""
KEPT = Path("out") / "training"
SIZE = (140, 50)
"""Machines of a world at most, and attacks in each."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `nhi train`."""
    parser.add_argument(
        "--hands",
        nargs="*",
        choices=HANDS,
        default=list(HANDS),
        help="generators of worlds, each weighted equally (default: all)",
    )
    parser.add_argument(
        "--worlds", default="", metavar="SEEDS", help="seeds of drawn worlds to train on, instead of the usual ones"
    )
    parser.add_argument(
        "--identities", type=int, default=SIZE[0], metavar="N", help="maximum number of machines in a world"
    )
    parser.add_argument("--incidents", type=int, default=SIZE[1], metavar="N", help="attacks in each (default: 50)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes (default: 2)")
    parser.add_argument(
        "--kept",
        type=Path,
        default=KEPT,
        metavar="DIR",
        help=f"cache of replayed worlds for the next training (default: {KEPT})",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: the shipped model")


def run(args: argparse.Namespace, console: Console) -> int:
    """Train and say what came out.

    Raises:
        InputError: the seeds are no numbers, or the logs of controls are missing.
    """
    from nhi_watch_lab.training import calibrate, fit, write

    wanted, size = Wanted(tuple(args.hands), args.worlds), (args.identities, args.incidents)
    result = training_rows(wanted, args.kept, size, args.workers)
    prior = json.loads(PRIOR.read_text("utf-8"))
    more = training_rows(wanted.more, args.kept, size, args.workers)
    forests = fit.Forests(result, args.workers, more)
    scored = calibrate.scored(forests, wanted.families(size), result, prior, args.kept, args.workers)
    fitted = calibrate.fitted(forests, scored)
    out: Path = args.out or model.FOLDER
    out.mkdir(parents=True, exist_ok=True)
    built = write.document(fitted, prior)
    write.write(out, built, wanted.told)
    rows = [item for family in result.values() for item in family]
    write.write_spreads(out, fitted, rows)
    days = sum(len(each.day) for each in rows)
    attacks = sum(len(set(each.incident.tolist()) - {""}) for each in rows)
    console.print(f"{built['id']}: {len(rows)} worlds, {days:,} identity-days, {attacks} incidents, into {out}")
    return 0


class Wanted(NamedTuple):
    """Worlds to train on."""

    hands: tuple[str, ...] = tuple(HANDS)
    drawn: str = ""
    """Seeds of drawn worlds instead of the usual ones, without any that hide; "": the usual ones."""
    only_first_days: bool = False
    """Those of MORE_FIRST_DAYS instead of those of HANDS."""

    @property
    def more(self) -> Wanted:
        """The worlds that teach first days alone."""
        return self._replace(only_first_days=True)

    @property
    def told(self) -> str:
        """For the manifest."""
        more = () if self.only_first_days else self.more._seeds.items()
        return "; ".join(f"{name} {seeds}" for name, seeds in (*self._seeds.items(), *more))

    @property
    def _seeds(self) -> dict[str, str]:
        if self.drawn and "drawn" in self.hands:
            return {} if self.only_first_days else {"drawn": self.drawn}
        every = MORE_FIRST_DAYS if self.only_first_days else HANDS
        chosen = ((hand, every.get(hand, ())) for hand in self.hands)
        return {hand + variant: seeds for hand, texts in chosen for variant, seeds in zip(VARIANTS, texts) if seeds}

    def families(self, size: tuple[int, int]) -> dict[str, list[Source]]:
        """The worlds, those of a generator and of one kind of attackers together.

        Raises:
            InputError: the seeds are no numbers.
        """
        from nhi_watch_lab.evaluation.harness import seeds_of
        from nhi_watch_lab.training.rows import training_worlds

        result: dict[str, list[Source]] = {}
        for name, text in self._seeds.items():
            hand, _, variant = name.partition(" ")
            seeds = seeds_of(text)
            drawn = hand == "drawn" and variant in ("", "padded", "cold")
            result[name] = [
                *(training_worlds(seeds, *size, variant) if drawn else (_exam(hand, seed, variant) for seed in seeds))
            ]
        return result


def _exam(hand: str, seed: int, variant: str) -> Exam:
    from nhi_watch_lab.evaluation.exams import Exam

    padded = variant == "padded"
    return Exam(hand, seed, padded, variant="" if padded else variant)


def training_rows(wanted: Wanted, kept: Path, size: tuple[int, int] = SIZE, workers: int = 2) -> dict[str, list[Rows]]:
    """The identity-days of worlds, by family; `size`: machines at most, and attacks in each drawn one.

    Raises:
        InputError: the seeds are no numbers, or the logs of controls are missing.
    """
    from nhi_watch_lab.training import rows
    from nhi_watch_lab.variants import controls

    families = wanted.families(size)
    if "controls" in wanted.hands:
        controls.check()
    prior = json.loads(PRIOR.read_text("utf-8"))

    blank_model = rows.blank(prior)
    result = iter(
        rows.collected([(blank_model, source) for family in families.values() for source in family], kept, workers)
    )
    return {name: [next(result) for _ in family] for name, family in families.items()}
