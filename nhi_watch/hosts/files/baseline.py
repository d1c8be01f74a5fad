"""`nhi baseline`: learn what is normal, and export it for Splunk."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files.inputs import add_input, job_of, print_json, progress, tell_refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi baseline` takes."""
    add_input(parser)
    parser.add_argument("--export", type=Path, metavar="FILE",
                         help="write the baseline as Splunk's lookup (.csv or .csv.gz)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")


def run(args: argparse.Namespace, console: Console) -> int:
    """Learn, and say what was learnt.

    Raises:
        InputError: a path or the export's name is wrong.
    """
    from nhi_watch.hosts.files import jobs

    job = job_of(args)
    if args.export and not (args.export.parent.is_dir() and args.export.name.endswith((".csv", ".csv.gz"))):
        raise InputError(f"--export {args.export}: give a .csv or .csv.gz in a folder that exists")
    with progress(job.paths) as (on_bytes, on_stage):
        learnt = jobs.learn(job, on_bytes, on_stage)
    tell_refused(learnt, Console(stderr=True, highlight=False))
    rows = jobs.export(job, args.export) if args.export else 0
    if args.json:
        print_json({**learnt, "exported": rows}, console)
        return 0
    told = f"Learnt {learnt['events']:,} events of {learnt['identities']:,} identities into {job.state}."
    console.print(told, soft_wrap=True, markup=False)
    if args.export:
        console.print(f"Exported {rows:,} scopes to {args.export}.", soft_wrap=True, markup=False)
    return 0
