"""`nhi baseline`: learn what is normal."""

from __future__ import annotations

import argparse

from rich.console import Console

from nhi_watch.hosts.files import common
from nhi_watch.hosts.files.inputs import add_input, demand_records, job_of, progress, tell_refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi baseline` takes."""
    add_input(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """Learn, and say what was learnt.

    Raises:
        InputError: a path is wrong.
    """
    from nhi_watch.hosts.files import jobs

    job = job_of(args)
    with progress(job.paths) as (on_bytes, on_stage):
        learnt = jobs.learn(job, on_bytes, on_stage)
    tell_refused(learnt)
    demand_records(learnt)
    text = f"Learnt {learnt['events']:,} events of {learnt['identities']:,} identities into {job.state}."
    return common.answer(args, console, learnt, text)
