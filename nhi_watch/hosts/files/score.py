"""`nhi score`: logs → ranked, explained notables."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from nhi_watch.core.errors import OUT_OF_SCOPE
from nhi_watch.hosts.files import common
from nhi_watch.hosts.files.inputs import add_input, demand_records, job_of, progress, tell_refused
from nhi_watch.report.words import some, visible

_NAMED = 5
"""Files passed over that are named on the terminal."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi score` takes."""
    add_input(parser)
    parser.add_argument("--no-learn", action="store_true", help="do not change the state")
    parser.add_argument("--all", action="store_true", help="also list what is not listed by default")
    parser.add_argument(
        "--now",
        metavar="TIME",
        help="replay logs as of this time, by which verdicts and exceptions take effect and end (default: now)",
    )
    common.add_ranking(parser)


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
    job = job._replace(now=common.seconds(args.now, "--now") if args.now else None)
    with progress(job.paths) as (on_bytes, on_stage):
        result = jobs.score(job, on_bytes, on_stage)
    if args.ocsf:
        jsonlines.write(job.out / "findings.ocsf.jsonl", map(ocsf.finding, result.notables))
    notify.after_score(args)
    if args.json:
        common.print_json(result.run, console)
        demand_records(result.run)
        return _code(result.run)
    terminal.show(result.notables, result.run, console, result.below if args.all else ())
    common.warn(*_remarks(result.run, job.out))
    common.say(console, f"Report: {job.out / 'report.html'}")
    demand_records(result.run)
    if result.notables:
        common.say(console, f"Next: {common.program()} explain 1 {common.place(job.out, job.state)}")
    return _code(result.run)


def _code(run: dict[str, Any]) -> int:
    """2 where a file failed as a whole, so that a scheduler notices: the rest was scored, and is written."""
    return 2 if run["failed"]["files"] else 0


def _remarks(run: dict[str, Any], out: Path) -> Iterator[str]:
    """What a reader would otherwise take for an all-clear: what was not read, and what of the rejects is not kept."""
    from nhi_watch.hosts.files.reader import GREW

    failed = run["failed"]["files"]
    if failed:
        more = f" and {failed - _NAMED:,} more" if failed > _NAMED else ""
        names = ", ".join(visible(file, 200) for file in run["failed"]["named"][:_NAMED])
        yield (
            f"nothing could be read of {names}{more}; the rest was scored. rejects.jsonl says why: fix or move "
            "these files, then score again"
        )
    tell_refused(run)
    passed = run["passed_over"]
    named = passed["named"][:_NAMED]
    plain = [row for row in named[passed["may_matter"] :] if row["why"] != GREW]
    yield from (f"skipped {visible(row['file'], 200)}: {row['why']}" for row in named if row not in plain)
    if plain:
        yield f"skipped, not recognized as logs: {', '.join(visible(Path(row['file']).name, 80) for row in plain)}"
    if passed["files"] > len(named):
        yield f"and {passed['files'] - len(named):,} more files skipped; run.json names them"
    if sum(count for reason, count in run["rejected"].items() if reason not in OUT_OF_SCOPE):
        yield f"{out / 'rejects.jsonl'} says which records could not be read, and why"
    counted = sum(run["rejects_only_counted"].values())
    if counted:
        yield (
            f"rejects.jsonl keeps the first rejects of each file and reason; {counted:,} more are only counted there"
        )
    hidden = sum(count for why, count in run["verdicts"]["hidden"].items() if why != "routine")
    if hidden:
        yield (
            f"verdicts, exceptions and expected patterns keep {some(hidden, 'notable')} off the list; "
            "`nhi audit verify` compares them with the trail"
        )
    if run["parsed"] and not run["events"]:
        yield "all records were scored by an earlier run; this is the list as it stands now"
