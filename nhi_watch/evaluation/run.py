"""`nhi evaluate`: everything that can be measured, into one file and on the terminal."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from importlib import metadata
from pathlib import Path
from typing import Any, Optional

from rich.console import Console
from rich.progress import Progress as Bars
from rich.table import Table

from nhi_watch import __version__
from nhi_watch import model as models
from nhi_watch.errors import InputError
from nhi_watch.evaluation import card, grafts, incidents, learners, page, real, summary, unseen
from nhi_watch.evaluation.counting import BUDGETS, RESAMPLES
from nhi_watch.evaluation.incidents import OURS, SEEDS, Job, Progress
from nhi_watch.simulator import Spec
from nhi_watch.simulator.difficulty import source_hash

RESULT = "evaluate.json"
DATA = Path("../shared/data")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi evaluate` takes."""
    parser.add_argument("--seeds", default=f"{SEEDS[0]}-{SEEDS[-1]}", help="simulated tenants, as in 501-508")
    parser.add_argument("--machines", type=int, default=300, help="machines of a tenant")
    parser.add_argument("--days", type=int, default=28, help="days of a tenant; the first 7 are quiet")
    parser.add_argument("--campaigns", type=int, default=45, help="incidents of a tenant")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR",
                        help="real logs; default: %(default)s, if it is there")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help=f"where {RESULT} goes")
    parser.add_argument("--page", type=Path, metavar="FILE", help="also write the figures as a Markdown page")
    parser.add_argument("--card", type=Path, metavar="FILE", help="also write the model card")
    parser.add_argument("--json", action="store_true", help=f"print {RESULT} instead of tables")


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure, write and show.

    Raises:
        InputError: the seeds are no numbers, or the real logs are missing or cannot be read.
    """
    specs = _specs(args)
    data = _data(args.data)
    bars = Bars(console=Console(stderr=True), transient=True) if sys.stderr.isatty() else None
    with bars or nullcontext():
        result = evaluate(specs, data, _progress(bars), args.workers)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / RESULT).write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    if args.page:
        args.page.write_text(page.render(result), "utf-8")
    if args.card:
        manifest = json.loads((models.FOLDER / models.MANIFEST).read_text("utf-8"))
        args.card.write_text(card.render(result, manifest), "utf-8")
    if args.json:
        console.print_json(data=result)
    else:
        show(result, console)
        console.print(f"All figures: {args.out / RESULT}")
    return 0


def _specs(args: argparse.Namespace) -> list[Spec]:
    try:
        seeds = incidents.seeds_of(args.seeds)
    except ValueError as error:
        raise InputError(f"--seeds {args.seeds!r}: give numbers, as in 501-508 or 501,503") from error
    return [Spec(args.days, args.machines, seed, campaigns=args.campaigns) for seed in seeds]


def _data(folder: Path) -> Optional[Path]:
    if folder.is_dir():
        return folder
    if folder == DATA:
        return None
    raise InputError(f"--data {folder}: no such folder; it is the one that holds cloudtrail/")


def _progress(bars: Optional[Bars]) -> Progress:
    tasks: dict[str, Any] = {}

    def progress(stage: str, done: int, total: int) -> None:
        if bars is not None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done)

    return progress


def evaluate(specs: Sequence[Spec], data: Optional[Path], progress: Progress, workers: int = 2) -> dict[str, Any]:
    """All figures, with what is needed to get them again; real ones only where `data` holds real logs."""
    began = time.perf_counter()
    model = models.load()
    result: dict[str, Any] = {"model": {"id": model.id, "sha256": model.sha256}, "settings": _settings(specs)}
    boosted, folds = learners.boosting(), unseen.folds()
    jobs = [Job(spec, model, boosting=boosted, folds=folds) for spec in specs]
    result["simulated"] = summary.summarise(incidents.all_tenants(jobs, progress, workers))
    result["rivals_left_out"] = learners.left_out()
    if data is not None:
        result["real"] = real.real(model, data)
        result["grafts"] = grafts.summarise(grafts.all_grafts(model, data, progress))
    result["machine"] = {"cores": os.cpu_count(), "seconds": round(time.perf_counter() - began, 1)}
    return result


def _settings(specs: Sequence[Spec]) -> dict[str, Any]:
    first = specs[0]
    return {
        "seeds": [spec.seed for spec in specs],
        "days": first.days,
        "machines": first.machines,
        "campaigns": first.campaigns,
        "simulator_sha256": source_hash(),
        "budgets": list(BUDGETS),
        "resamples": RESAMPLES,
        "versions": {"nhi_watch": __version__, "python": platform.python_version(), "scikit-learn": _version()},
    }


def _version() -> Optional[str]:
    try:
        return metadata.version("scikit-learn")
    except metadata.PackageNotFoundError:
        return None


# ---- on the terminal


def show(result: Mapping[str, Any], console: Console) -> None:
    """The figures that matter most, as tables."""
    simulated = result["simulated"]
    console.print(f"Model {result['model']['id']}; {simulated['tenants']} simulated tenants, "
                  f"{simulated['identity_days']:,} identity-days, seeds {result['settings']['seeds']}")  # fmt: skip
    console.print(_rivals(simulated["rivals"]))
    console.print(_single(simulated))
    if "real" in result:
        console.print(_real(result["real"]))
        console.print(_grafts(result["grafts"]))


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number else "left")
    return table


def _rivals(rivals: Mapping[str, Any]) -> Table:
    heads = [f"{origin} at {budget:g}" for budget in BUDGETS[:2] for origin in ("external", "inside")]
    table = _table("Recall at notables a day per 1,000 identities", "detector", *heads)
    for name, row in rivals.items():
        cells = [row["recall"][f"{b:g}"][o]["recall"] for b in BUDGETS[:2] for o in ("external", "inside")]
        table.add_row(name, *(f"{cell:.3f}" for cell in cells), style="bold" if name == OURS else "")
    return table


def _single(simulated: Mapping[str, Any]) -> Table:
    table = _table("Simulated tenants", "figure", "value")
    for name, value in page.single_figures(simulated):
        table.add_row(name, value)
    return table


def _real(figures: Mapping[str, Any]) -> Table:
    table = _table("Real logs", "log", "figure")
    for name, value in page.real_figures(figures):
        table.add_row(name, value)
    return table


def _grafts(figures: Mapping[str, Any]) -> Table:
    table = _table("A real attack by an ordinary machine: high or critical, and first of its day",
                   "account", "techniques, on most hosts", "of all grafts")  # fmt: skip
    for account, origins in figures.items():
        for origin, row in origins.items():
            table.add_row(f"{account}, {origin}", f"{row['won_on_most_hosts']} of {row['techniques']}",
                          f"{row['share_of_grafts']:.3f}")  # fmt: skip
    return table
