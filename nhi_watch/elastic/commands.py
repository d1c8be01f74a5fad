"""`nhi elastic setup` and `nhi elastic run`: their arguments, and what they say."""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path
from threading import Event
from typing import Any

import orjson
from elasticsearch import Elasticsearch
from rich.console import Console

from nhi_watch import model
from nhi_watch.elastic import arguments, templates
from nhi_watch.elastic import client as elastic
from nhi_watch.elastic.connection import connection
from nhi_watch.elastic.follow import LAG as FOLLOW_LAG
from nhi_watch.elastic.follow import follow
from nhi_watch.elastic.lease import LeaseHeldError
from nhi_watch.elastic.run import LAG, Job
from nhi_watch.elastic.run import run as run_job
from nhi_watch.elastic.setup import Step, setup
from nhi_watch.errors import InputError

_SHOWN = 5

def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands of `nhi elastic`, and their flags."""
    commands = parser.add_subparsers(dest="elastic_command", required=True, metavar="COMMAND")
    _add_setup(commands.add_parser("setup", help="install templates and the state index"))
    run_parser = commands.add_parser("run", help="score what was ingested since the last run, and write alerts")
    learn_parser = commands.add_parser("learn", help="learn what was ingested since the last run, without alerts")
    for each in (run_parser, learn_parser):
        arguments.connecting(each)
        arguments.judging(each)
        arguments.following(each)


def _add_setup(parser: argparse.ArgumentParser) -> None:
    arguments.connecting(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say what would change")
    parser.add_argument(
        "--api-key-request",
        metavar="FILE",
        help="write the request for a key of least privilege; - prints it",
    )
    parser.add_argument(
        "--role-request",
        metavar="FILE",
        help="write the request for a role of least privilege; - prints it",
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """Run the chosen subcommand; the exit code is 0 when it ran.

    Raises:
        InputError: the arguments are wrong.
        StoreError: Elasticsearch cannot be reached, wants a key, or refuses.
    """
    if args.elastic_command == "setup" and _write_requests(args, console):
        return 0
    where = connection(arguments.told(args))
    with elastic.reached(where), elastic.connect(where) as client:
        return _setup(client, args, console) if args.elastic_command == "setup" else _run(client, args, console)


def _write_requests(args: argparse.Namespace, console: Console) -> bool:
    """Write the requests that were asked for; True where no cluster is named, so that there is nothing else to do."""
    asked = (
        ("--api-key-request", args.api_key_request, "POST /_security/api_key", templates.api_key_request),
        ("--role-request", args.role_request, "PUT /_security/role/nhi_run", templates.role_request),
    )
    for flag, path, title, body in asked:
        if path:
            _write_request((flag, path, title), body(args.namespace, args.index), console)
    named = args.url or args.cloud_id or os.environ.get("NHI_ELASTIC_URL") or os.environ.get("NHI_ELASTIC_CLOUD_ID")
    return any(path for _, path, _, _ in asked) and not named


def _write_request(where: tuple[str, str, str], body: dict[str, Any], console: Console) -> None:
    flag, path, title = where
    told = orjson.dumps(body, option=orjson.OPT_INDENT_2)
    if path == "-":
        console.out(title, told.decode(), sep="\n", highlight=False)
        return
    try:
        Path(path).write_bytes(told + b"\n")
    except OSError as error:
        raise InputError(f"{flag} {path}: {error.strerror}") from error


def _setup(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    steps = setup(client, args.namespace, args.dry_run)
    if args.json:
        listed = [{"kind": s.kind, "name": s.name, "change": s.change, "what": list(s.what)} for s in steps]
        _print_json(console, {"dry_run": args.dry_run, "steps": listed})
        return 0
    tense = "would {} " if args.dry_run else "{}d "
    for step in steps:
        text = "unchanged " if step.change == "none" else tense.format(step.change)
        console.out(f"{text}{step.kind} {step.name}{_what(step)}", highlight=False)
    return 0


def _what(step: Step) -> str:
    """What an update changes, if not too much to be read."""
    if not step.what:
        return ""
    more = len(step.what) - _SHOWN
    return f": {', '.join(step.what[:_SHOWN])}{f' and {more} more' if more > 0 else ''}"


def _run(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    lag = args.lag if args.lag is not None else FOLLOW_LAG if args.follow else LAG
    job = Job(args.index, args.namespace, args.since, args.budget, args.assets, args.networks,
              args.model or model.FOLDER, args.page, lag, wait=args.wait, every=args.every,
              alerts=args.elastic_command == "run", push_from=arguments.push_from(args),
              reputation=args.reputation, intel=args.intel)  # fmt: skip
    say = _print_json if args.json else _say
    if args.follow:
        follow(client, job, _told_to_stop(), lambda outcome: say(console, outcome))
        return 0
    try:
        outcome = run_job(client, job)
    except LeaseHeldError as error:
        # Runs that overlap are ordinary for a scheduled job: the other one does the work.
        outcome = {"skipped": str(error)}
    say(console, outcome)
    return 0


def _told_to_stop() -> Event:
    """Set when the process is to end: after the round that is under way."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _say(console: Console, outcome: dict[str, Any]) -> None:
    console.out(_sentence(outcome), highlight=False)


def _sentence(outcome: dict[str, Any]) -> str:
    if "skipped" in outcome:
        return f"Nothing done: {outcome['skipped']}."
    if "waiting" in outcome:
        return f"Waiting: {outcome['waiting']}."
    window, alerts = outcome["window"], outcome["alerts"]
    rejected = sum(outcome["rejected"].values())
    return (
        f"Read {outcome['read']:,} documents ingested from {window['since']} to {window['until']} "
        f"({rejected:,} rejected, {outcome['duplicates']:,} known): {alerts['created']:,} new alerts, "
        f"{outcome['notables']:,} notables of the days concerned."
    )


def _print_json(console: Console, outcome: dict[str, Any]) -> None:
    console.out(orjson.dumps(outcome).decode(), highlight=False)
