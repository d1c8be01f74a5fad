"""`nhi train`: from the committed matrix to the scorecard; with `--collect`, from the simulator to the matrix."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from rich.console import Console

from nhi_watch import model
from nhi_watch.errors import InputError
from nhi_watch.model import shelf
from nhi_watch.simulator import Spec
from nhi_watch.training.techniques import REAL

if TYPE_CHECKING:
    from nhi_watch.training.matrix import Matrix
    from nhi_watch.training.own import Own

FOLDER = Path(__file__).parent
MATRIX = FOLDER / "matrix.csv.gz"
PRIOR = FOLDER / "prior.json"
SEEDS = tuple(range(101, 117))
MACHINES, DAYS, CAMPAIGNS = 200, 21, 80
DATA = Path("..") / "shared" / "data"
DATE = "2026-11-25"
"""The day on which the committed matrix was collected; in the manifest, so that the bytes repeat."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `nhi train`."""
    parser.add_argument("--collect", action="store_true", help="simulate the training tenants anew, then train")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR",
                        help="real logs for --collect (default: ../shared/data)")  # fmt: skip
    parser.add_argument("--state", type=Path, metavar="FILE",
                        help="train on your own history and verdicts as well (of `nhi score`)")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR",
                        help="default: the shipped model; with --state a folder on the shelf beside it")  # fmt: skip
    parser.add_argument("--keep-estimator", type=Path, metavar="FILE",
                        help="also dump scikit-learn's object, for study")  # fmt: skip


def run(args: argparse.Namespace, console: Console) -> int:
    """Train and say what came out."""
    from nhi_watch.training import fit, reference, write
    from nhi_watch.training import matrix as matrices

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
    from nhi_watch.stores.sqlite import SqliteStore
    from nhi_watch.training import own

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
    from nhi_watch.training.own import join

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
    """Replay the training tenants, two at a time, and write matrix and prior."""
    from nhi_watch.evaluation.background import techniques
    from nhi_watch.training import matrix as matrices

    specs = list(matrices.specs(SEEDS, MACHINES, DAYS, CAMPAIGNS))
    rows, shares, totals = [], [], []
    found_techniques = techniques(args.data)
    if tuple(found_techniques) != REAL:
        raise InputError(f"{args.data}: --collect needs the {len(REAL)} techniques of cloudtrail/stratus (--data DIR)")
    attacks = list(found_techniques.values())
    with ProcessPoolExecutor(2) as workers:
        for spec, (found, share, total) in zip(specs, workers.map(_one, [(spec, attacks) for spec in specs])):
            console.print(f"tenant {spec.seed}: {len(found):,} episodes")
            rows += found
            shares.append(share)
            totals.append(total)
    matrices.write(MATRIX, matrices.squeeze(rows))
    PRIOR.write_text(json.dumps(matrices.prior(shares, totals), indent=1, sort_keys=True) + "\n")


def _one(job: tuple[Spec, Any]) -> tuple[list[Any], dict[str, Counter[str]], int]:
    from nhi_watch.training import matrix as matrices

    return matrices.simulate(job[0], model.load(), job[1])
