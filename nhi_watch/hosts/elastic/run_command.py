"""`nhi elastic run` and `learn`: their arguments, and what they say."""

from __future__ import annotations

import argparse
from typing import Any

from elasticsearch import Elasticsearch
from rich.console import Console

from nhi_watch.detect import model
from nhi_watch.hosts.elastic import arguments, write
from nhi_watch.hosts.elastic.run import Job
from nhi_watch.hosts.elastic.run import run as run_job


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    parser.epilog = (
        "Exit code: 0; 1 where documents were set aside; 2 where some, or all, could not be read; "
        "75 where another run works, or was killed minutes ago."
    )
    arguments.connecting(parser)
    arguments.judging(parser)


def run(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    """Do one run."""
    job = Job(args.index, args.namespace, args.since, args.budget, args.assets, args.networks,
              args.model or model.FOLDER, args.page, args.lag, wait=args.wait,
              alerts=args.elastic_command == "run", ocsf=args.ocsf, reputation=args.reputation,
              intel=args.intel)  # fmt: skip
    say = arguments.print_json if args.json else _say
    outcome = run_job(client, job)
    say(console, outcome)
    return _code(outcome)


def _code(outcome: dict[str, Any]) -> int:
    """1 where documents were set aside, 2 where some could not be read; the rest was done all the same."""
    return 1 if outcome.get("set_aside") else 2 if outcome.get("unread") else 0


def _say(console: Console, outcome: dict[str, Any]) -> None:
    for line in (_sentence(outcome), *write.troubles(outcome)):
        console.out(line, highlight=False)


def _sentence(outcome: dict[str, Any]) -> str:
    if "skipped" in outcome:
        return f"Nothing done: {outcome['skipped']}."
    window, alerts = outcome["window"], outcome["alerts"]
    rejected = sum(outcome["rejected"].values())
    late = f", {outcome['late']:,} long after they were ingested" if outcome.get("late") else ""
    return (
        f"Read {outcome['read']:,} documents ingested from {window['since']} to {window['until']} "
        f"({rejected:,} rejected, {outcome['duplicates']:,} known{late}): {alerts['created']:,} new alerts, "
        f"{outcome['notables']:,} notables of the days concerned."
    )
