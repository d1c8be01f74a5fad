"""`nhi elastic setup` and `nhi elastic run`: their arguments, and what they say."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any

import orjson
from elasticsearch import Elasticsearch
from rich.console import Console

from nhi_watch import model, timestamps
from nhi_watch.elastic import client as elastic
from nhi_watch.elastic import read, templates
from nhi_watch.elastic.lease import LeaseHeldError
from nhi_watch.elastic.run import Job
from nhi_watch.elastic.run import run as run_job
from nhi_watch.elastic.setup import setup
from nhi_watch.errors import InputError, RejectError

_NAMESPACE = re.compile(r"[a-z0-9_.]{1,100}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands of `nhi elastic`, and their flags."""
    commands = parser.add_subparsers(dest="elastic_command", required=True, metavar="COMMAND")
    _add_setup(commands.add_parser("setup", help="install templates and the state index"))
    _add_run(commands.add_parser("run", help="score what was ingested since the last run, and write alerts"))


def _connection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", metavar="URL", help="of Elasticsearch (or NHI_ELASTIC_URL)")
    parser.add_argument("--api-key-file", metavar="FILE", help="the encoded API key (or NHI_ELASTIC_API_KEY)")
    parser.add_argument("--ca", metavar="FILE", help="PEM of the authority that signed the cluster's certificate")
    parser.add_argument("--namespace", type=_namespace, default="default", help="default: default")
    parser.add_argument(
        "--index",
        default=templates.SOURCE_INDICES,
        metavar="PATTERN",
        help=f"default: {templates.SOURCE_INDICES}",
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def _add_setup(parser: argparse.ArgumentParser) -> None:
    _connection(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say what would change")
    parser.add_argument(
        "--api-key-request",
        metavar="FILE",
        help="write the request for a key of least privilege; - prints it",
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    _connection(parser)
    parser.add_argument("--since", type=_time, metavar="TIME", help="ingested since then (RFC 3339), read or not")
    parser.add_argument("--budget", type=_budget, default=10.0, metavar="N", help="notables a day per 1,000 identities")
    parser.add_argument("--assets", type=Path, metavar="CSV", help="identity,criticality,owner,environment,comment")
    parser.add_argument("--networks", type=Path, metavar="CSV", help="your own networks: cidr,owner,kind,comment")
    parser.add_argument("--model", type=Path, metavar="DIR", help="another model's folder")
    parser.add_argument(
        "--page",
        type=_page,
        default=read.PAGE,
        metavar="N",
        help=f"documents a search (default: {read.PAGE})",
    )
    parser.add_argument(
        "--lag", type=_seconds, default=120, metavar="S", help="leave out the last S seconds (default: 120)"
    )


def _namespace(text: str) -> str:
    if not _NAMESPACE.fullmatch(text):
        raise argparse.ArgumentTypeError("want small letters, digits, _ and .")
    return text


def _time(text: str) -> int:
    try:
        return timestamps.parse(text)
    except RejectError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _budget(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1000:
        raise argparse.ArgumentTypeError("a number above 0 and up to 1000")
    return number


def _page(text: str) -> int:
    return _between(text, 1, 10_000)


def _seconds(text: str) -> int:
    return _between(text, 0, 86_400)


def _between(text: str, low: int, high: int) -> int:
    number = int(text)
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"a whole number from {low} to {high}")
    return number


def run(args: argparse.Namespace, console: Console) -> int:
    """Run the chosen subcommand; the exit code is 0 when it ran.

    Raises:
        InputError: the arguments are wrong.
        StoreError: Elasticsearch cannot be reached, wants a key, or refuses.
    """
    if args.elastic_command == "setup" and args.api_key_request:
        _write_request(args, console)
        if not (args.url or os.environ.get("NHI_ELASTIC_URL")):
            return 0
    where = elastic.connection(args.url, args.api_key_file, args.ca)
    with elastic.reached(where), elastic.connect(where.url, where.api_key, where.ca) as client:
        return _setup(client, args, console) if args.elastic_command == "setup" else _run(client, args, console)


def _write_request(args: argparse.Namespace, console: Console) -> None:
    body = orjson.dumps(templates.api_key_request(args.namespace, args.index), option=orjson.OPT_INDENT_2)
    if args.api_key_request == "-":
        console.out("POST /_security/api_key", body.decode(), sep="\n", highlight=False)
        return
    try:
        Path(args.api_key_request).write_bytes(body + b"\n")
    except OSError as error:
        raise InputError(f"--api-key-request {args.api_key_request}: {error.strerror}") from error


def _setup(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    steps = setup(client, args.namespace, args.dry_run)
    if args.json:
        listed = [{"kind": s.kind, "name": s.name, "change": s.change} for s in steps]
        _print_json(console, {"dry_run": args.dry_run, "steps": listed})
        return 0
    tense = "would {} " if args.dry_run else "{}d "
    for step in steps:
        text = "unchanged " if step.change == "none" else tense.format(step.change)
        console.out(f"{text}{step.kind} {step.name}", highlight=False)
    return 0


def _run(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    job = Job(args.index, args.namespace, args.since, args.budget, args.assets, args.networks,
              args.model or model.FOLDER,
              args.page, args.lag)  # fmt: skip
    try:
        outcome = run_job(client, job)
    except LeaseHeldError as error:
        # Runs that overlap are ordinary for a scheduled job: the other one does the work.
        outcome = {"skipped": str(error)}
    if args.json:
        _print_json(console, outcome)
    else:
        console.out(_sentence(outcome), highlight=False)
    return 0


def _sentence(outcome: dict[str, Any]) -> str:
    if "skipped" in outcome:
        return f"Nothing done: {outcome['skipped']}."
    window, alerts = outcome["window"], outcome["alerts"]
    rejected = sum(outcome["rejected"].values())
    return (
        f"Read {outcome['read']:,} documents ingested from {window['since']} to {window['until']} "
        f"({rejected:,} rejected, {outcome['duplicates']:,} known): {alerts['created']:,} new alerts, "
        f"{outcome['notables']:,} notables of the days concerned."
    )


def _print_json(console: Console, outcome: dict[str, Any]) -> None:
    console.out(orjson.dumps(outcome).decode(), highlight=False)
