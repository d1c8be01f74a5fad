"""`nhi train`: from the committed matrix to the scorecard; with `--collect`, from the simulator to the matrix."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console

from nhi_watch import model
from nhi_watch.errors import InputError
from nhi_watch.simulator import Spec
from nhi_watch.training.techniques import REAL

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
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: the shipped model")
    parser.add_argument("--keep-estimator", type=Path, metavar="FILE",
                        help="also dump scikit-learn's object, for study")  # fmt: skip


def run(args: argparse.Namespace, console: Console) -> int:
    """Train and say what came out."""
    from nhi_watch.training import fit, write
    from nhi_watch.training import matrix as matrices

    if args.collect:
        collect(args, console)
    try:
        matrix = matrices.read(MATRIX)
        prior = json.loads(PRIOR.read_text())
        form = fit.read_form()
    except (OSError, ValueError) as error:
        raise InputError(f"{error}") from error
    fitted = fit.fit(matrix, form)
    out: Path = args.out or model.FOLDER
    out.mkdir(parents=True, exist_ok=True)
    scorecard = write.document(fitted, prior)
    told = {"training_data_sha256": hashlib.sha256(MATRIX.read_bytes()).hexdigest(), "date": DATE}
    write.write(out, scorecard, form, told)
    if args.keep_estimator:
        write.keep_estimator(args.keep_estimator, fitted)
    console.print(f"{scorecard['id']}: {len(matrix.y):,} rows, {int(matrix.y.sum()):,} of incidents, into {out}")
    return 0


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
