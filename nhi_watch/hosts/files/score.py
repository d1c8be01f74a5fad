"""`nhi score`: logs → ranked, explained notables."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console

from nhi_watch.core.errors import OUT_OF_SCOPE
from nhi_watch.hosts.files import common
from nhi_watch.hosts.files.inputs import add_input, demand_records, job_of, print_json, progress, tell_refused
from nhi_watch.report.words import visible

_NAMED = 5
"""Files passed over that are named on the terminal."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi score` takes."""
    add_input(parser)
    parser.add_argument("--no-learn", action="store_true", help="leave the state as it is")
    parser.add_argument("--budget", type=budget, default=10.0, metavar="N",
                         help="notables a day per 1,000 identities, saved over a week (default: 10)")  # fmt: skip
    parser.add_argument("--all", action="store_true", help="list what is below the line as well")
    parser.add_argument("--assets", type=Path, metavar="CSV", help="identity,criticality,owner,environment,comment")
    parser.add_argument("--ocsf", action="store_true", help="write notables as OCSF Detection Findings, too")
    parser.add_argument("--json", action="store_true", help="print run.json instead of the table")


def budget(text: str) -> float:
    """Notables a day per 1,000 identities, from the command line."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1000:
        raise argparse.ArgumentTypeError("a number above 0 and up to 1000")
    return number


def run(args: argparse.Namespace, console: Console) -> int:
    """Score, write the results, and show the table.

    Raises:
        InputError: a path, a table or the state file is wrong.
        ModelError: the model does not match its manifest.
    """
    from nhi_watch.detect.explain import ocsf
    from nhi_watch.hosts.files import jobs, notify
    from nhi_watch.report import jsonlines, terminal

    job = job_of(args)._replace(budget=args.budget, learn=not args.no_learn, assets=args.assets)
    with progress(job.paths) as (on_bytes, on_stage):
        result = jobs.score(job, on_bytes, on_stage)
    if args.ocsf:
        jsonlines.write(job.out / "findings.ocsf.jsonl", map(ocsf.finding, result.notables))
    notify.after_score(args, Console(stderr=True, highlight=False))
    if args.json:
        print_json(result.run, console)
        demand_records(result.run)
        return _code(result.run)
    terminal.show(result.notables, result.run, console, result.below if args.all else ())
    _remarks(result.run, job.out, Console(stderr=True, highlight=False))
    console.print(f"Report: {job.out / 'report.html'}", soft_wrap=True, markup=False)
    demand_records(result.run)
    if result.notables:
        told = f"Next: {common.program()} explain 1 {common.place(job.out, job.state)}"
        console.print(told, soft_wrap=True, markup=False)
    return _code(result.run)


def _code(run: dict[str, Any]) -> int:
    """2 where a file failed as a whole, so that a scheduler notices: the rest was scored, and is written."""
    return 2 if run["failed"]["files"] else 0


def _remarks(run: dict[str, Any], out: Path, errors: Console) -> None:
    """What a reader would otherwise take for an all-clear, on standard error."""
    failed = run["failed"]["files"]
    if failed:
        more = f" and {failed - _NAMED:,} more" if failed > _NAMED else ""
        names = ", ".join(visible(file, 200) for file in run["failed"]["named"][:_NAMED])
        errors.print(f"nhi: nothing could be read of {names}{more}; the rest was scored. rejects.jsonl says why: mend "
                     "or move what is named, then score again", soft_wrap=True, markup=False)  # fmt: skip
    tell_refused(run, errors)
    _not_read(run, out, errors)
    if run["parsed"] and not run["events"]:
        errors.print("nhi: all records were scored by an earlier run; the list is of then", soft_wrap=True)


def _not_read(run: dict[str, Any], out: Path, errors: Console) -> None:
    """What was passed over, and what of the rejects is not kept."""
    from nhi_watch.hosts.files.reader import GREW

    passed = run["passed_over"]
    for one in passed["named"][: min(passed["may_matter"], _NAMED)]:
        errors.print(f"nhi: passed over {visible(one['file'], 200)}: {one['why']}", soft_wrap=True, markup=False)
    others = passed["named"][passed["may_matter"] :][:_NAMED] if passed["may_matter"] <= _NAMED else []
    if others:
        for one in [one for one in others if one["why"] == GREW]:
            errors.print(f"nhi: {visible(one['file'], 200)}: {one['why']}", soft_wrap=True, markup=False)
        names = ", ".join(visible(Path(one["file"]).name, 80) for one in others if one["why"] != GREW)
        if names:
            errors.print(f"nhi: passed over, no logs: {names}", soft_wrap=True, markup=False)
    left = passed["files"] - min(passed["may_matter"], _NAMED) - len(others)
    if left:
        errors.print(f"nhi: and {left:,} more files passed over; run.json names them", soft_wrap=True)
    bad = sum(count for reason, count in run["rejected"].items() if reason not in OUT_OF_SCOPE)
    if bad:
        errors.print(f"nhi: {out / 'rejects.jsonl'} says which records could not be read, and why", soft_wrap=True)
    counted = sum(run["rejects_only_counted"].values())
    if counted:
        errors.print(f"nhi: rejects.jsonl keeps the first rejects of each file and reason; {counted:,} more are "
                     "only counted there", soft_wrap=True)  # fmt: skip
