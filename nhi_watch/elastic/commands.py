"""`nhi elastic`: its subcommands, each a module with `add_arguments(parser)` and `run(client, args, console)`."""

from __future__ import annotations

import argparse

from rich.console import Console

from nhi_watch.elastic import arguments, doctor_command, run_command, setup_command
from nhi_watch.elastic import client as elastic
from nhi_watch.elastic.connection import connection

_COMMANDS = (
    ("setup", "install or upgrade templates and indices", setup_command),
    ("doctor", "examine connection, privileges, sources, heartbeat and backlog", doctor_command),
    ("run", "score what was ingested since the last run, and write alerts", run_command),
    ("learn", "learn what was ingested since the last run, without alerts", run_command),
)
_BY_NAME = {name: module for name, _, module in _COMMANDS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands of `nhi elastic`, and their flags."""
    commands = parser.add_subparsers(dest="elastic_command", required=True, metavar="COMMAND")
    for name, text, module in _COMMANDS:
        module.add_arguments(commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}."))


def run(args: argparse.Namespace, console: Console) -> int:
    """Run the chosen subcommand; the exit code is 0 when it ran.

    Raises:
        InputError: the arguments are wrong.
        StoreError: Elasticsearch cannot be reached, wants a key, or refuses.
    """
    command = _BY_NAME[args.elastic_command]
    if command is setup_command and setup_command.offline(args, console):
        return 0
    where = connection(arguments.told(args))
    with elastic.reached(where), elastic.connect(where) as client:
        return int(command.run(client, args, console))
