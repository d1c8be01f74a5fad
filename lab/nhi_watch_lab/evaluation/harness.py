"""`nhi evaluate`: every tenant's mornings, each family of worlds by a model that never saw it, and all pages of them.

What is measured, and how: `mornings`; what it comes to: `figures`; what is written: `pages`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from rich.console import Console

import nhi_watch
from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import InputError
from nhi_watch.core.status import tells_calls
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.detect import model as models
from nhi_watch_lab.evaluation import exams
from nhi_watch_lab.evaluation.exams import Exam
from nhi_watch_lab.evaluation.rivals import Rival

if TYPE_CHECKING:
    from nhi_watch_lab.evaluation.mornings import Tenant

SEEDS = {"drawn": "3001", "old": "501", "second": "4-5", "third": "7,9", "fourth": "4-5", "fifth": "4-5"}
"""Worlds that are evaluated by default, as their generators make them: none of them is trained on."""
UNSTEADY = "141"
"""The same of each family's tenants in which at least one machine in ten is odd by nature."""
ROOT = Path(__file__).parents[3]

Incident = Mapping[str, Any]


class World(NamedTuple):
    """A world at hand."""

    exam: Exam
    incidents: list[dict[str, Any]]
    days: list[list[Any]]
    """Records, day by day."""

    @property
    def start(self) -> int:
        """The day on which the test begins: that of the first incident."""
        return first_day(self.incidents)

    @property
    def tested(self) -> int:
        """Days of the test."""
        last = max(parse(incident.get("start") or incident["first_time"]) for incident in self.incidents) // DAY
        return last - self.start + 1


def first_day(incidents: Iterable[Incident]) -> int:
    """The day of the first incident."""
    return min(parse(incident.get("start") or incident["first_time"]) for incident in incidents) // DAY


def world_of(exam: Exam) -> World:
    """Make a world."""
    days = list(exams.raw(exam)[1])
    return World(exam, [incident for incidents, _ in days for incident in incidents], [records for _, records in days])


def compromises(
    incidents: Sequence[Incident], days: Iterable[Iterable[Any]], model: Path, budget: float, identity_days: float
) -> list[tuple[NotableDocument, frozenset[str]]]:
    """The notables that `nhi_watch.score` makes of days, each with the incidents of which it holds a record."""
    crowd = 1000 * len(incidents) / max(1.0, identity_days)
    result = nhi_watch.score(chain.from_iterable(days), budget=budget + crowd, model=model)
    owner = {record: incident["id"] for incident in incidents for record in incident["record_ids"]}
    return [
        (notable, frozenset(owner[record] for record in notable["record_ids"] if record in owner))
        for notable in (*result.standing, *result.below)
        if tells_calls(notable)
    ]


# ---- models that never saw a family


def left_out(kept: Path, workers: int, out: Path) -> dict[str, tuple[Path, Optional[Rival]]]:
    """Hand → the model that never saw it, written into a folder, and boosting on our signals that never did either."""
    from nhi_watch_lab.training import calibrate, commands, fit, write
    from nhi_watch_lab.training.learners import Boosting

    wanted, prior = commands.Wanted(), json.loads(commands.PRIOR.read_text("utf-8"))
    families = commands.training_rows(wanted, kept, workers=workers)
    more = commands.training_rows(wanted.more, kept, workers=workers)
    forests = fit.Forests(families, workers, more)
    scored = calibrate.scored(forests, wanted.families(commands.SIZE), families, prior, kept, workers)
    result: dict[str, tuple[Path, Optional[Rival]]] = {}
    for hand in forests.hands:
        folder = out / f"without-{hand}"
        folder.mkdir(parents=True, exist_ok=True)
        write.write(folder, write.document(calibrate.fitted(forests, scored, hand), prior), f"all but {hand}")
        others = [worlds for name, worlds in families.items() if fit.hand_of(name) != hand]
        result[hand] = folder, Boosting(fit.even(others))
    return result


# ---- the command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi evaluate` takes."""
    for kind, seeds in SEEDS.items():
        parser.add_argument(
            f"--{kind}", default=seeds, metavar="SEEDS", help=f"seeds of worlds to score (default: {seeds})"
        )
    parser.add_argument(
        "--unsteady",
        default=UNSTEADY,
        metavar="SEEDS",
        help=f"unsteady worlds of each family that is scored (default: {UNSTEADY})",
    )
    parser.add_argument(
        "--one-model",
        action="store_true",
        help="score all worlds with one model, not each with one that never saw its generator",
    )
    parser.add_argument(
        "--model", type=Path, default=models.FOLDER, metavar="DIR", help="that model (default: the shipped one)"
    )
    parser.add_argument(
        "--models", type=Path, metavar="DIR", help="folder with the models of an earlier run (without-FAMILY)"
    )
    parser.add_argument(
        "--rules", type=Path, metavar="DIR", help="folder of Sigma rules to compare with, with an allow-list"
    )
    parser.add_argument(
        "--kept",
        type=Path,
        default=Path("out/training"),
        metavar="DIR",
        help="rows of training worlds (default: %(default)s)",
    )
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes (default: 2)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("out/evaluate"),
        metavar="DIR",
        help="folder for models and mornings.json (default: %(default)s)",
    )
    parser.add_argument(
        "--pages",
        action="store_true",
        help="also write docs/method/mornings.md and the figures of README and model card",
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure, write and show.

    Raises:
        InputError: seeds are no numbers, or a generator or a model is not there.
    """
    from nhi_watch_lab.evaluation import mornings, pages

    args.out.mkdir(parents=True, exist_ok=True)
    wanted = _exams(args)
    known, how = _models(args, {exams.family_of(exam.kind) for exam in wanted})
    tasks = [
        mornings.Task(exam, folder, [boosting] if boosting else [], args.rules)
        for exam in wanted
        for folder, boosting in [known[exams.family_of(exam.kind)]]
    ]
    started = time.monotonic()

    def progress(tenants: Sequence[Tenant]) -> None:
        console.print(f"{tenants[0].world}: after {time.monotonic() - started:.0f} s", markup=False)

    tenants = mornings.measured(tasks, args.workers, progress)
    how += f" Worlds: {', '.join(exam.name for exam in wanted)}."
    mornings.write(tenants, how, args.out / "mornings.json")
    if args.pages:
        pages.write(tenants, how, ROOT)
    console.print(pages.page(tenants) + pages.details(tenants, how), markup=False, soft_wrap=True)
    return 0


def _exams(args: argparse.Namespace) -> list[Exam]:
    plain = [Exam(kind, seed) for kind in SEEDS for seed in seeds_of(getattr(args, kind))]
    families = dict.fromkeys(exams.family_of(exam.kind) for exam in plain)
    return [
        *plain,
        *(Exam(family, seed, variant="unsteady") for family in families for seed in seeds_of(args.unsteady)),
    ]


def _models(args: argparse.Namespace, families: Iterable[str]) -> tuple[dict[str, tuple[Path, Optional[Rival]]], str]:
    """The model of each family, with boosting on the same rows where it was trained here; and how they came to be."""
    from nhi_watch_lab.training import commands

    if args.one_model:
        return dict.fromkeys(families, (args.model, None)), f"By one model, {models.load(args.model).id}."
    how = f"Each family by a model trained on the others: {commands.Wanted().told}."
    if args.models is None:
        return left_out(args.kept, args.workers, args.out), how
    result: dict[str, tuple[Path, Optional[Rival]]] = {}
    for family in families:
        folder = args.models / f"without-{family}"
        if not folder.is_dir():
            raise InputError(f"--models {args.models}: there is no {folder.name}; leave --models out to train it")
        result[family] = folder, None
    return result, how


def seeds_of(text: str) -> list[int]:
    """Numbers, as in 1,3 or 5-7.

    >>> seeds_of("1,3,5-7")
    [1, 3, 5, 6, 7]

    Raises:
        InputError: they are none.
    """
    try:
        ends = [part.partition("-") for part in text.split(",") if part.strip()]
        return [seed for low, _, high in ends for seed in range(int(low), int(high or low) + 1)]
    except ValueError as error:
        raise InputError(f"seeds {text!r}: give numbers, as in 1001-1016 or 1,3") from error
