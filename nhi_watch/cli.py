"""The program `nhi`: arguments and wiring. Only here is anything printed, logged or ended."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Optional

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from nhi_watch import __version__
from nhi_watch.errors import InputError, ModelError, NhiError, StoreError

OUT = Path("nhi-out")
COMMANDS = (
    ("train", "train the scorecard from its committed matrix", "nhi_watch.training.commands"),
    ("evaluate", "measure detection on labelled data that no training has seen", "nhi_watch.evaluation.run"),
    ("race", "measure whether the notable comes before the thief, with late logs", "nhi_watch.evaluation.race"),
    ("model", "show, verify and compare models; switch to another, and go back", "nhi_watch.desk.models"),
    ("verify", "recompute a notable's score and receipt from the state", "nhi_watch.desk.verify"),
    ("health", "show silent logs, missing fields, drift, and whether the model is whole", "nhi_watch.desk.health"),
    ("exposed", "report an exposed credential: whose it is, what it reaches, was it tried", "nhi_watch.desk.exposed"),
    ("posture", "look for secrets, identities and rights that are not as they should be", "nhi_watch.desk.posture"),
    ("controls", "follow up on rotation and reduction; record exceptions", "nhi_watch.desk.controls"),
    ("feedback", "say what became of a notable; make and list exceptions", "nhi_watch.desk.feedback"),
    ("brief", "tell a notable in sentences, each with its proof", "nhi_watch.desk.brief"),
    ("respond", "plan a response, approve it, hand it over", "nhi_watch.desk.respond"),
    ("audit", "check or export the audit trail", "nhi_watch.desk.audit"),
    ("elastic", "set up and run the jobs on Elasticsearch", "nhi_watch.elastic.commands"),
)
"""(name, help, module with `add_arguments(parser)` and `run(args, console) -> int`); heavy imports stay inside."""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="nhi", description="Find stolen and misused non-human identities in the logs that you already have."
    )
    top.add_argument("--version", action="version", version=f"nhi {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _score(commands)
    _baseline(commands)
    _explain(commands)
    _simulate(commands)
    for name, text, module in COMMANDS:
        _plug_in(commands, name, text, module)
    return top


def _plug_in(commands: Any, name: str, text: str, module: str) -> None:
    part = import_module(module)
    part.add_arguments(_add(commands, name, lambda args: int(part.run(args, Console(highlight=False))), text))


def _add(commands: Any, name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    added.set_defaults(run=run)
    return added


def _input(command: argparse.ArgumentParser) -> None:
    command.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, .gz, or - for standard input")
    command.add_argument("--source", default="auto", choices=("auto", *_sources()), metavar="NAME",
                         help=f"kind of log: auto (default), {', '.join(_sources())}")  # fmt: skip
    command.add_argument("--out", type=Path, default=OUT, metavar="DIR", help=f"folder for results (default: {OUT})")
    command.add_argument("--state", type=Path, metavar="FILE", help="what was learnt (default: DIR/state.sqlite)")
    command.add_argument("--model", type=Path, metavar="DIR",
                         help="another model's folder (default: the one in use, see `nhi model`)")  # fmt: skip
    command.add_argument("--networks", type=Path, metavar="CSV", help="your own networks: cidr,owner,kind,comment")
    command.add_argument("--reputation", type=Path, action="append", default=[], metavar="FILE",
                         help="bad addresses: STIX 2.1, CSV or a list; may be given several times")  # fmt: skip


def _sources() -> list[str]:
    folder = Path(__file__).parent / "sources"
    return sorted(path.stem for path in folder.glob("[a-z]*.py"))


def _score(commands: Any) -> None:
    command = _add(commands, "score", run_score, "score logs and write ranked, explained notables")
    _input(command)
    command.add_argument("--no-learn", action="store_true", help="leave the state as it is")
    command.add_argument("--budget", type=_budget, default=10.0, metavar="N",
                         help="notables a day per 1,000 identities (default: 10)")  # fmt: skip
    command.add_argument("--assets", type=Path, metavar="CSV", help="identity,criticality,owner,environment,comment")
    command.add_argument("--shadow", metavar="MODEL",
                         help="score with this model as well, beside the one in use, and compare")  # fmt: skip
    command.add_argument("--json", action="store_true", help="print run.json instead of the table")


def _baseline(commands: Any) -> None:
    command = _add(commands, "baseline", run_baseline, "learn what is normal, without writing notables")
    _input(command)
    command.add_argument("--export", type=Path, metavar="FILE",
                         help="write the baseline as Splunk's lookup (.csv or .csv.gz)")  # fmt: skip
    command.add_argument("--json", action="store_true", help="print the counts as JSON")


def _explain(commands: Any) -> None:
    command = _add(commands, "explain", run_explain, "show why a notable scored as it did")
    command.add_argument("id", metavar="ID", help="its number in the list, its id, or the id's first letters")
    command.add_argument("--out", type=Path, default=OUT, metavar="DIR", help=f"folder of `nhi score` (default: {OUT})")
    command.add_argument("--json", action="store_true", help="print the notable's JSON")


def _simulate(commands: Any) -> None:
    command = _add(commands, "simulate", run_simulate, "write labelled telemetry of a made-up account")
    command.add_argument("--days", type=_count, default=14, metavar="N", help="default: 14")
    command.add_argument("--machines", type=_count, default=120, metavar="N", help="default: 120")
    command.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed gives the same bytes")
    command.add_argument("--start", default="2025-03-03", metavar="DATE", help="default: 2025-03-03")
    command.add_argument("--campaigns", type=int, metavar="N",
                         help="incidents (default: one per 2 days and 200 machines)")  # fmt: skip
    command.add_argument("--events", type=int, default=0, metavar="N",
                         help="about how many events in all; not with --products")  # fmt: skip
    command.add_argument("--products", action="store_true",
                         help="a company in all of its logs, not AWS alone; --machines counts all machine identities")
    command.add_argument("--out", type=Path, required=True, metavar="DIR",
                         help="gets events/*.ndjson.gz and labels.json")  # fmt: skip


def _budget(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1000:
        raise argparse.ArgumentTypeError("a number above 0 and up to 1000")
    return number


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError("a whole number from 1 on")
    return number


# ---- runs: each returns the exit code


def run_score(args: argparse.Namespace) -> int:
    """nhi score."""
    from nhi_watch import jobs, shadow
    from nhi_watch.model import shelf
    from nhi_watch.outputs import terminal

    job = _job(args)._replace(budget=args.budget, learn=not args.no_learn, assets=args.assets)
    other = shadow.prepare(job, shelf.find(shelf.beside(job.state), args.shadow)) if args.shadow else None
    with _progress(job.paths) as (on_bytes, on_stage):
        result = jobs.score(job, on_bytes, on_stage)
    compared = shadow.compare(other, job, result.notables) if other else None
    if args.json:
        print(json.dumps({**result.run, "shadow": compared} if compared else result.run))
        return 0
    console = Console(highlight=False)
    if compared:
        terminal.show_shadow(compared, console)
    terminal.show(result.notables, result.run, console)
    _remarks(result.run)
    console.print(f"Report: {job.out / 'report.html'}", soft_wrap=True, markup=False)
    if result.notables:
        console.print(f"Next: nhi explain 1 --out {job.out}", soft_wrap=True, markup=False)
    return 0


def _remarks(run: dict[str, Any]) -> None:
    """What a reader would otherwise take for an all-clear, on standard error."""
    unreadable = run["rejected"].get("unreadable_file", 0)
    if unreadable:
        print(f"nhi: {unreadable} of the paths could not be read; rejects.jsonl names them", file=sys.stderr)
    _refused(run)
    if not run["read"]:
        print("nhi: the paths hold no records; nothing was judged", file=sys.stderr)
    elif run["parsed"] and not run["events"]:
        print("nhi: all records were scored by an earlier run; the list is of then", file=sys.stderr)


def _refused(run: dict[str, Any]) -> None:
    """Which indicators were not taken, and why, on standard error."""
    told = ", ".join(f"{count:,} {reason}" for reason, count in run["reputation"]["refused"].items())
    if told:
        print(f"nhi: indicators of --reputation that were not taken: {told}", file=sys.stderr)


def run_baseline(args: argparse.Namespace) -> int:
    """nhi baseline."""
    from nhi_watch import jobs

    job = _job(args)
    if args.export and not (args.export.parent.is_dir() and args.export.name.endswith((".csv", ".csv.gz"))):
        raise InputError(f"--export {args.export}: give a .csv or .csv.gz in a folder that exists")
    with _progress(job.paths) as (on_bytes, on_stage):
        run = jobs.learn(job, on_bytes, on_stage)
    _refused(run)
    rows = jobs.export(job, args.export) if args.export else 0
    if args.json:
        print(json.dumps({**run, "exported": rows}))
        return 0
    print(f"Learnt {run['events']:,} events of {run['identities']:,} identities into {job.state}.")
    if args.export:
        print(f"Exported {rows:,} scopes to {args.export}.")
    return 0


def run_explain(args: argparse.Namespace) -> int:
    """nhi explain."""
    from nhi_watch.outputs import explanation, jsonlines

    path = args.out / "notables.jsonl"
    if not path.exists():
        raise InputError(f"{path}: not there; run `nhi score` first, or give its folder with --out")
    found = [n for n in jsonlines.read(path) if args.id in (str(n["rank"]), n["id"]) or n["id"].startswith(args.id)]
    found = [n for n in found if args.id == str(n["rank"])] or found
    if len(found) != 1:
        raise InputError(f"{path}: {len(found)} notables begin with {args.id!r}; give more of one's id")
    if args.json:
        print(json.dumps(found[0]))
    else:
        console = Console(highlight=False)
        explanation.show(found[0], console)
        _by_verdicts(args.out, found[0], console)
        name, out = found[0]["id"], f"--out {args.out}"
        console.print(f"Next: nhi brief {name} {out}; nhi respond plan {name} {out}; then say what it was: "
                      f"nhi feedback {name} confirmed|benign --by YOU --why REASON {out}",
                      soft_wrap=True, markup=False)  # fmt: skip
    return 0


def _by_verdicts(out: Path, notable: dict[str, Any], console: Console) -> None:
    """What the probability is by the verdicts that people gave, where that is another one."""
    from nhi_watch import feedback
    from nhi_watch.outputs import jsonlines

    runs = list(jsonlines.read(out / "run.json")) if (out / "run.json").exists() else []
    offset = (runs[0].get("verdicts") or {}).get("offset", 0.0) if runs else 0.0
    if offset and notable["kind"] == "compromise":
        moved = feedback.recalibrated(notable["probability"], offset)
        told = f"By the verdicts given so far: {moved:.0%} likely, where the model says {notable['probability']:.0%}."
        console.print(told, soft_wrap=True)


def run_simulate(args: argparse.Namespace) -> int:
    """nhi simulate."""
    from nhi_watch import simulator
    from nhi_watch.simulator import products

    if args.products and args.events:
        raise InputError("nhi simulate: --events and --products exclude each other; the volume follows --machines")
    common = {"days": args.days, "seed": args.seed, "start": args.start, "campaigns": args.campaigns}
    try:
        if args.products:
            labels = products.write(args.out, products.Spec(nhis=args.machines, **common))
        else:
            spec = simulator.Spec(machines=args.machines, events=args.events, **common)
            labels = simulator.write(args.out, spec)
    except (OSError, OverflowError, ValueError) as error:
        raise InputError(f"nhi simulate: {error}") from error
    incidents = len(labels["incidents"])
    print(f"Wrote {args.days} days of {args.machines} machines with {incidents} incidents to {args.out}.")
    return 0


def _job(args: argparse.Namespace) -> Any:
    from nhi_watch import jobs
    from nhi_watch.model import shelf

    state = args.state or args.out / "state.sqlite"
    return jobs.Job(args.paths, args.out, state, source=args.source, networks=args.networks,
                    model=args.model or shelf.in_use(shelf.beside(state)), reputation=args.reputation)  # fmt: skip


@contextmanager
def _progress(paths: Sequence[str]) -> Iterator[tuple[Callable[[int], None], Callable[[str, int, int], None]]]:
    """A bar on a terminal, on standard error; nothing where nobody watches."""
    from nhi_watch.stores import files

    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(), console=console, disable=not console.is_terminal, transient=True,
    ) as progress:  # fmt: skip
        reading = progress.add_task("reading", total=max(1, files.size(paths)))
        scoring = progress.add_task("scoring", total=None, visible=False)

        def on_stage(stage: str, done: int, total: int) -> None:
            progress.update(scoring, description=stage, completed=done, total=total, visible=True)

        yield lambda count: progress.advance(reading, count), on_stage


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Exit code 0: it ran. 1: a defect of ours. 2: input or configuration is wrong."""
    args = parser().parse_args(argv)
    os.umask(0o027)  # logs, state and reports are nobody else's business
    try:
        code = int(args.run(args))
        sys.stdout.flush()
        return code
    except (InputError, ModelError, StoreError) as error:
        print(f"nhi: {error}", file=sys.stderr)
        return 2
    except NhiError as error:
        print(f"nhi: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("nhi: stopped; what was not finished is done by the next run", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    except OSError as error:
        print(f"nhi: {error}; check the disk and the permissions", file=sys.stderr)
        return 2
    except Exception as error:  # the last line of defence: one line, not a page
        if os.environ.get("NHI_DEBUG"):
            raise
        print(f"nhi: a defect of ours: {type(error).__name__}: {error}; NHI_DEBUG=1 shows where", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
