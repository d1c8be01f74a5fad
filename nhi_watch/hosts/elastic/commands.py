"""`nhi elastic`: its subcommands; each takes `add_arguments(parser)` and `run(client, args, console)`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

from elasticsearch import Elasticsearch
from rich.console import Console

from nhi_watch.hosts.elastic import (
    analyst_commands,
    arguments,
    cluster,
    doctor_command,
    report_command,
    run_command,
    setup_command,
)
from nhi_watch.hosts.elastic.cluster import connection
from nhi_watch.hosts.elastic.store import LeaseHeldError

HELD = 75
"""The exit code of who found another run at work, or one that was killed: EX_TEMPFAIL, try again."""


class _Command(NamedTuple):
    text: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Elasticsearch, argparse.Namespace, Console], int]


_COMMANDS = {
    "setup": _Command("install or upgrade templates and indices, and what Kibana shows",
                      setup_command.add_arguments, setup_command.run),
    "doctor": _Command("examine connection, privileges, sources, heartbeat and backlog",
                       doctor_command.add_arguments, doctor_command.run),
    "run": _Command("score what was ingested since the last run, and write alerts",
                    run_command.add_arguments, run_command.run),
    "learn": _Command("learn what was ingested since the last run, without alerts",
                      run_command.add_arguments, run_command.run),
    "report": _Command("write what stands now into a folder, on which nhi explain, brief and respond work",
                       report_command.add_arguments, report_command.run),
    "feedback": _Command("take what analysts said of alerts in Kibana as verdicts",
                         analyst_commands.add_feedback, analyst_commands.feedback),
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands of `nhi elastic`, and their flags."""
    parser.epilog = "First setup, then a key from what `setup --api-key-request` writes, then run, then doctor."
    commands = parser.add_subparsers(dest="elastic_command", required=True, metavar="COMMAND")
    for name, command in _COMMANDS.items():
        described = f"{command.text[0].upper()}{command.text[1:]}."
        command.add_arguments(commands.add_parser(name, help=command.text, description=described))


def run(args: argparse.Namespace, console: Console) -> int:
    """Run the chosen subcommand; the exit code is 0 when it ran.

    Raises:
        InputError: the arguments are wrong.
        StoreError: Elasticsearch cannot be reached, wants a key, or refuses.
    """
    if args.elastic_command == "setup" and setup_command.offline(args, console):
        return 0
    where = connection(arguments.told(args))
    with cluster.reached(where), cluster.connect(where) as client:
        try:
            return _COMMANDS[args.elastic_command].run(client, args, console)
        except LeaseHeldError as error:  # ordinary for a scheduled job: the other one does the work, or did
            arguments.say(console, args, {"skipped": str(error)}, f"Nothing done: {error}.")
            return HELD
