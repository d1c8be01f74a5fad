"""`nhi train`: from the committed matrix to the scorecard; with `--collect`, from the simulator to the matrix."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.core.gc_pause import few_collections
from nhi_watch.detect import model
from nhi_watch.detect.model import shelf
from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.simulator import Spec
from nhi_watch_lab.training.techniques import REAL

if TYPE_CHECKING:
    from nhi_watch_lab.training.matrix import Matrix
    from nhi_watch_lab.training.own import Own

FOLDER = Path(__file__).parent
MATRIX = FOLDER / "matrix.csv.gz"
PRIOR = FOLDER / "prior.json"
SEEDS = tuple(range(101, 117))
MACHINES, DAYS, CAMPAIGNS = 200, 21, 80
COMPANY_SEEDS = tuple(range(121, 129))
NHIS, COMPANY_DAYS, COMPANY_CAMPAIGNS = 150, 18, 60
"""Companies have every product's logs; two fifths of their machine identities are in AWS."""
YOUNG_SEEDS = tuple(range(131, 143))
YOUNG = MACHINES, 3, 60
"""Accounts that are attacked from their first day on, so that cold starts are known."""
DATA = Path("..") / "shared" / "data"
DATE = "2026-11-25"
"""The day on which the committed matrix was collected; in the manifest, so that the bytes repeat."""


Found = TypeVar("Found", bound="tuple[Any, ...]")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `nhi train`."""
    parser.add_argument("--collect", action="store_true", help="simulate the training tenants anew, then train")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR",
                        help="real logs for --collect (default: ../shared/data)")  # fmt: skip
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes of --collect (default: 2)")
    parser.add_argument("--state", type=Path, metavar="FILE",
                        help="train on your own history and verdicts as well (of `nhi score`)")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR",
                        help="default: the shipped model; with --state a folder on the shelf beside it")  # fmt: skip
    parser.add_argument("--keep-estimator", type=Path, metavar="FILE",
                        help="also dump scikit-learn's object, for study")  # fmt: skip


def run(args: argparse.Namespace, console: Console) -> int:
    """Train and say what came out."""
    from nhi_watch_lab.training import fit, reference, write
    from nhi_watch_lab.training import matrix as matrices

    if args.collect:
        collect(args, console)
    try:
        matrix = matrices.read(MATRIX)
        prior = json.loads(PRIOR.read_text())
        form = fit.read_form()
    except (OSError, ValueError) as error:
        raise InputError(f"{error}") from error
    own = _own(args.state)
    matrix = joined(matrix, own)
    fitted = fit.fit(matrix, form)
    out: Path = args.out or (shelf.beside(args.state) / "candidate" if own else model.FOLDER)
    out.mkdir(parents=True, exist_ok=True)
    scorecard = write.document(fitted, prior)
    told = {"training_data_sha256": hashlib.sha256(MATRIX.read_bytes()).hexdigest(), "date": DATE}
    write.write(out, scorecard, form, {**told, "own": own.told} if own else told)
    reference.write(out, matrix)
    if args.keep_estimator:
        write.keep_estimator(args.keep_estimator, fitted)
    console.print(f"{scorecard['id']}: {len(matrix.y):,} rows, {int(matrix.y.sum()):,} of incidents, into {out}")
    for line in lines(own, out) if own else ():
        console.print(line, markup=False, soft_wrap=True)
    return 0


def _own(state: Optional[Path]) -> Optional[Own]:
    """The customer's own rows; None where no state was given.

    Raises:
        InputError: there is no such state.
        StoreError: it cannot be read.
    """
    from nhi_watch.state.sqlite import SqliteStore
    from nhi_watch_lab.training import own

    if state is None:
        return None
    if not state.is_file():
        raise InputError(f"{state}: no such state; run `nhi score` first")
    store = SqliteStore(state)
    try:
        return own.read(store)
    finally:
        store.close()


def joined(matrix: Matrix, own: Optional[Own]) -> Matrix:
    """The matrix with the customer's own rows."""
    from nhi_watch_lab.training.own import join

    return join(matrix, own.rows) if own else matrix


def lines(own: Own, out: Path) -> list[str]:
    """What was taken of the customer's history, and what comes next."""
    told = own.told
    over = ", ".join(f"{count} of {who}" for who, count in told["verdicts_over_the_cap"].items())
    taken = ", ".join(f"{told[kind]:,} {kind}" for kind in ("ordinary", "confirmed", "benign"))
    return [
        f"Own history: {taken} episodes; "
        f"{told['left_out']:,} left out, of which nobody said what they were.",
        *([f"Verdicts over the cap of their account, not counted: {over}."] if over else []),
        f"Nothing has changed yet. Compare first: nhi score PATH --shadow {out}; then: nhi model use {out}",
    ]


def collect(args: argparse.Namespace, console: Console) -> None:
    """Replay the training tenants, and write matrix and prior."""
    from nhi_watch_lab.training import companies
    from nhi_watch_lab.training import matrix as matrices

    attacks = _attacks(args.data)
    accounts = [(spec, attacks) for spec in matrices.specs(SEEDS, MACHINES, DAYS, CAMPAIGNS)]
    accounts += [(replace(spec, quiet_days=0), []) for spec in matrices.specs(YOUNG_SEEDS, *YOUNG)]
    firms = companies.specs(COMPANY_SEEDS, NHIS, COMPANY_DAYS, COMPANY_CAMPAIGNS)
    with ProcessPoolExecutor(args.workers) as workers:
        lived = _told(console, "company", workers.map(_company, firms))
        held = _told(console, "account", workers.map(_account, accounts))
        crossing, single = list(lived), list(held)
    rows = [row for found in (*single, *crossing) for row in found[0]]
    matrices.write(MATRIX, matrices.squeeze(rows))
    long = single[: len(SEEDS)]
    own = matrices.prior([share for _, share, _ in long], [total for _, _, total in long])
    prior = matrices.together(own, companies.habits(crossing))
    PRIOR.write_text(json.dumps(prior, indent=1, sort_keys=True) + "\n")


def _attacks(data: Path) -> list[Any]:
    """The real techniques' records."""
    from nhi_watch_lab.evaluation.background import techniques

    found = techniques(data)
    if tuple(found) != REAL:
        raise InputError(f"{data}: --collect needs the {len(REAL)} techniques of cloudtrail/stratus (--data DIR)")
    return list(found.values())


def _told(console: Console, what: str, found: Iterable[Found]) -> Iterator[Found]:
    for one in found:
        console.print(f"{what} {one[0][0].tenant}: {len(one[0]):,} episodes")
        yield one


def _account(job: tuple[Spec, Any]) -> tuple[list[Any], dict[str, Counter[str]], int]:
    from nhi_watch_lab.training import matrix as matrices

    with few_collections():
        return matrices.simulate(job[0], adapted(model.load()), job[1])


def _company(spec: Any) -> Any:
    from nhi_watch_lab.training import companies

    with few_collections():
        return companies.simulate(spec, adapted(model.load()))


def adapted(card: model.Scorecard) -> model.Scorecard:
    """The model with this version's signals, so that one that is new can be collected: it has no points yet."""
    silent = model.Steps((), (0.0,), 0.0)
    cards = [dict(zip(card.signals, held)) for held in (card.steps, card.early)]
    usual, early = (tuple(held.get(name, silent) for name in NAMES) if held else () for held in cards)
    context = NAMES.index(card.signals[card.context]) if early else -1
    return card._replace(signals=NAMES, steps=usual, early=early, context=context, pairs=())
