"""`nhi elastic`: its subcommands; each takes `add_arguments(parser)` and `run(client, args, console)`."""

from __future__ import annotations

import argparse
from importlib import import_module
from types import ModuleType
from typing import Any

from rich.console import Console

from nhi_watch.hosts.elastic import arguments, cluster
from nhi_watch.hosts.elastic.cluster import connection
from nhi_watch.hosts.elastic.store import LeaseHeldError

HELD = 75
"""The exit code of who found another run at work, or one that was killed: EX_TEMPFAIL, try again."""
_COMMANDS = {
    "setup": ("install or upgrade templates and indices, and what Kibana shows", "setup_command"),
    "doctor": ("examine connection, privileges, sources, heartbeat and backlog", "doctor_command"),
    "run": ("score what was ingested since the last run, and write alerts", "run_command"),
    "learn": ("learn what was ingested since the last run, without alerts", "run_command"),
    "report": ("write what stands now into a folder, on which nhi explain, brief and respond work", "report_command"),
    "feedback": ("take what analysts said of alerts in Kibana as verdicts", "feedback_command"),
}
"""Name → what it does, and its module."""


def module(name: str) -> ModuleType:
    """The module of a subcommand."""
    return import_module(f"nhi_watch.hosts.elastic.{_COMMANDS[name][1]}")


class Subcommand(argparse.ArgumentParser):
    """One that is loaded when it is chosen: what the others import takes longer than a short run."""

    def load(self) -> None:
        """Take its flags."""
        module(self.prog.rpartition(" ")[2]).add_arguments(self)

    def parse_known_args(self, *words: Any, **named: Any) -> Any:
        """Load, and parse."""
        self.load()
        return super().parse_known_args(*words, **named)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands of `nhi elastic`, and their flags."""
    parser.epilog = "First setup, then a key from what `setup --api-key-request` writes, then run, then doctor."
    commands = parser.add_subparsers(
        dest="elastic_command", required=True, metavar="COMMAND", parser_class=Subcommand
    )
    for name, (text, _) in _COMMANDS.items():
        commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")


def run(args: argparse.Namespace, console: Console) -> int:
    """Run the chosen subcommand; the exit code is 0 when it ran.

    Raises:
        InputError: the arguments are wrong.
        StoreError: Elasticsearch cannot be reached, wants a key, or refuses.
    """
    command = module(args.elastic_command)
    if args.elastic_command == "setup" and command.offline(args, console):
        return 0
    where = connection(arguments.told(args))
    with cluster.reached(where), cluster.connect(where) as client:
        try:
            return int(command.run(client, args, console))
        except LeaseHeldError as error:  # ordinary for a scheduled job: the other one does the work, or did
            arguments.say(console, args, {"skipped": str(error)}, f"Nothing done: {error}.")
            return HELD
