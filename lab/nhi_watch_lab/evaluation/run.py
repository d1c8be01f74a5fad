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
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from nhi_watch import __version__
from nhi_watch.core.errors import InputError
from nhi_watch.detect import model as models
from nhi_watch.detect.model import Scorecard
from nhi_watch_lab.evaluation import card, html, incidents, labelled, page, parts, streams, unseen, worlds, worlds_page
from nhi_watch_lab.evaluation.counting import BUDGETS, RESAMPLES
from nhi_watch_lab.evaluation.exams import DRAWN, HANDS, OLD, Exam
from nhi_watch_lab.evaluation.incidents import OURS, SEEDS, Progress
from nhi_watch_lab.evaluation.parts import Task
from nhi_watch_lab.simulator import Spec
from nhi_watch_lab.simulator.difficulty import source_hash

RESULT = "evaluate.json"
HTML = "evaluate.html"
DATA = Path("../shared/data")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi evaluate` takes."""
    parser.add_argument("--only", default="", metavar="PARTS",
                        help=f"some of {','.join(parts.PARTS)}, or curves for the last four; default: all")  # fmt: skip
    parser.add_argument("--drawn", default=worlds.TEST, metavar="SEEDS",
                        help="drawn worlds of the part worlds (default: %(default)s, kept for the end)")  # fmt: skip
    for kind, seeds in worlds.HANDS_SEEDS.items():
        parser.add_argument(f"--{kind}", default=seeds, metavar="SEEDS",
                            help=f"seeds of the {kind} world, where it is there (default: %(default)s)")  # fmt: skip
    parser.add_argument("--old", default=worlds.OLD_SEEDS, metavar="SEEDS",
                        help="seeds of the old simulator in the part worlds (default: %(default)s)")  # fmt: skip
    parser.add_argument("--identities", type=int, default=0, metavar="N",
                        help="identities of each world (default: as many as are drawn)")  # fmt: skip
    parser.add_argument("--rules", type=Path, metavar="DIR",
                        help="a folder of Sigma rules, with an allow-list, as a rival in the part worlds")  # fmt: skip
    parser.add_argument("--unseen", type=Path, metavar="DIR",
                        help="models that were trained without some techniques, which they judge in the part worlds")
    parser.add_argument("--folder", type=Path, metavar="DIR",
                        help="your own labelled logs instead: any files that nhi score reads")  # fmt: skip
    parser.add_argument("--labels", type=Path, metavar="FILE",
                        help="which of their records are incidents, as nhi simulate writes it; "
                             "default: labels.json in --folder")  # fmt: skip
    parser.add_argument("--quiet-days", type=int, default=7, metavar="N",
                        help="days at the start of --folder that are history alone (default: %(default)s)")  # fmt: skip
    parser.add_argument("--model", type=Path, metavar="DIR", help="another model's folder (default: the shipped one)")
    parser.add_argument("--seeds", default=f"{SEEDS[0]}-{SEEDS[-1]}", help="simulated tenants, as in 501-508")
    parser.add_argument("--stream-seeds", default=",".join(map(str, streams.SEEDS)), metavar="SEEDS",
                        help="tenants whose ordinary days the budget must hold on (default: %(default)s)")  # fmt: skip
    parser.add_argument("--machines", type=int, default=300, help="machines of a tenant")
    parser.add_argument("--days", type=int, default=28, help="days of a tenant; the first 7 are quiet")
    parser.add_argument("--campaigns", type=int, default=45, help="incidents of a tenant")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR",
                        help="real logs; default: %(default)s, if it is there")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR",
                        help=f"gets {RESULT} and {HTML}; parts that are not measured anew stay in them")  # fmt: skip
    parser.add_argument("--page", type=Path, metavar="FILE", help="also write the figures as a Markdown page")
    parser.add_argument("--worlds-page", type=Path, metavar="FILE", help="also write the table of worlds as a page")
    parser.add_argument("--card", type=Path, metavar="FILE", help="also write the model card")
    parser.add_argument("--json", action="store_true", help=f"print {RESULT} instead of tables")


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure, write and show.

    Raises:
        InputError: an option is wrong, or logs or labels are missing or cannot be read.
    """
    names = _parts(args.only)
    args.out.mkdir(parents=True, exist_ok=True)
    model = models.load(args.model or models.FOLDER)
    bars = _bars() if sys.stderr.isatty() else None
    with bars or nullcontext():
        result = _own(args, model, _progress(bars)) if args.folder else _measured(args, model, names, _progress(bars))
    _write(args, result)
    if args.json:
        console.print_json(data=result)
    else:
        show(result, console)
        console.print(f"All figures: {args.out / RESULT}; with pictures: {args.out / HTML}", soft_wrap=True)
    return 0


def _bars() -> Bars:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Bars(*columns, console=Console(stderr=True), transient=True)


def _write(args: argparse.Namespace, result: Mapping[str, Any]) -> None:
    (args.out / RESULT).write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    (args.out / HTML).write_text(html.render(result), "utf-8")
    if args.page:
        args.page.write_text(page.render(result), "utf-8")
    if args.worlds_page and "worlds" in result:
        args.worlds_page.parent.mkdir(parents=True, exist_ok=True)
        worlds_page.write(args.worlds_page, result)
    if args.card:
        manifest = json.loads(((args.model or models.FOLDER) / models.MANIFEST).read_text("utf-8"))
        args.card.write_text(card.render(result, manifest), "utf-8")


def _parts(text: str) -> list[str]:
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    named = [part for name in wanted for part in (parts.CURVES if name == "curves" else (name,))]
    wrong = [name for name in named if name not in parts.PARTS]
    if wrong:
        raise InputError(f"--only {wrong[0]!r}: no such part; there are {', '.join(parts.PARTS)} and curves")
    return [name for name in parts.PARTS if name in named or not named]


def _measured(args: argparse.Namespace, model: Scorecard, names: Sequence[str], progress: Progress) -> dict[str, Any]:
    """The parts that are asked for, on top of what `--out` holds of the same model and settings."""
    specs, data, folds = _specs(args), _data(args.data), unseen.load(args.unseen) if args.unseen else ()
    task = Task(model, specs, _seeds("--stream-seeds", args.stream_seeds), data, args.out / "tenants", progress,
                args.workers, _worlds(args), args.rules, folds)  # fmt: skip
    head = {"model": {"id": model.id, "sha256": model.sha256}, "settings": _settings(specs)}
    result = {**_before(args.out / RESULT, head), **head}
    seconds = dict(result.get("machine", {}).get("seconds", {}))
    for name in names:
        began = time.perf_counter()
        result.update(parts.PARTS[name](task))
        seconds[name] = round(time.perf_counter() - began, 1)
        result["machine"] = {"cores": os.cpu_count(), "workers": args.workers, "seconds": seconds}
        (args.out / RESULT).write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return result


def _before(path: Path, head: Mapping[str, Any]) -> dict[str, Any]:
    """What an earlier run measured, if it was of the same model and settings."""
    try:
        found = json.loads(path.read_text("utf-8"))
        same = all(found.get(key) == json.loads(json.dumps(value)) for key, value in head.items())
    except (OSError, ValueError, AttributeError):
        return {}
    return found if same else {}


def _own(args: argparse.Namespace, model: Scorecard, progress: Progress) -> dict[str, Any]:
    if not args.folder.is_dir():
        raise InputError(f"--folder {args.folder}: no such folder")
    logs = labelled.load(args.folder, args.labels or args.folder / "labels.json")
    began = time.perf_counter()
    settings = {**_settings([]), "folder": str(args.folder), "quiet_days": args.quiet_days}
    return {
        "model": {"id": model.id, "sha256": model.sha256},
        "settings": settings,
        **parts.own(model, logs, args.quiet_days, progress),
        "machine": {"cores": os.cpu_count(), "workers": 1, "seconds": {"own": round(time.perf_counter() - began, 1)}},
    }


def _seeds(option: str, text: str) -> list[int]:
    try:
        return incidents.seeds_of(text)
    except ValueError as error:
        raise InputError(f"{option} {text!r}: give numbers, as in 501-508 or 501,503") from error


def _worlds(args: argparse.Namespace) -> list[Exam]:
    seeds = {kind: getattr(args, kind) for kind in (DRAWN, *HANDS, OLD)}
    for option, told in seeds.items():
        if told:
            _seeds(f"--{option}", told)
    if args.rules and not args.rules.is_dir():
        raise InputError(f"--rules {args.rules}: no such folder")
    return worlds.usual(seeds, args.identities)


def _specs(args: argparse.Namespace) -> list[Spec]:
    seeds = _seeds("--seeds", args.seeds)
    return [Spec(args.days, args.machines, seed, campaigns=args.campaigns) for seed in seeds]


def _data(folder: Path) -> Optional[Path]:
    if folder.is_dir():
        return folder
    if folder == DATA:
        return None
    raise InputError(f"--data {folder}: no such folder; it is the one that holds cloudtrail/")


def _progress(bars: Optional[Bars]) -> Progress:
    tasks: dict[str, Any] = {}
    plain = Console(stderr=True, highlight=False)

    def progress(stage: str, done: int, total: int) -> None:
        if bars is None:
            plain.print(f"{stage}: {done} of {total}")
        else:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done)

    return progress


def _settings(specs: Sequence[Spec]) -> dict[str, Any]:
    versions = {"nhi_watch": __version__, "python": platform.python_version(), "scikit-learn": _version()}
    told = {"budgets": list(BUDGETS), "resamples": RESAMPLES, "versions": versions}
    if not specs:
        return told
    first = specs[0]
    return {
        "seeds": [spec.seed for spec in specs],
        "days": first.days,
        "machines": first.machines,
        "campaigns": first.campaigns,
        "simulator_sha256": source_hash(),
        **told,
    }


def _version() -> Optional[str]:
    try:
        return metadata.version("scikit-learn")
    except metadata.PackageNotFoundError:
        return None


# ---- on the terminal


def show(result: Mapping[str, Any], console: Console) -> None:
    """The figures that matter most, as tables."""
    console.print(f"Model {result['model']['id']}")
    if "simulated" in result:
        simulated = result["simulated"]
        console.print(f"{simulated['tenants']} tenants, {simulated['identity_days']:,} identity-days")
        console.print(_rivals(simulated["rivals"]))
        console.print(_single(simulated))
    if "real" in result:
        console.print(_real(result["real"]))
        console.print(_grafts(result["grafts"]))
    judged = worlds_page.first_sheets(result["worlds"]) if "worlds" in result else ()
    for title, heads, rows in [*((s.title, s.heads, s.rows) for s in judged), *page.curve_tables(result)]:
        table = _table(title, *heads)
        for row in rows:
            table.add_row(*row)
        console.print(table)


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
    table = _table("Figures", "figure", "value")
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
