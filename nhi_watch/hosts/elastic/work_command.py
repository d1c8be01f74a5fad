"""`nhi elastic work`: helps a run of another host to read large windows."""

from __future__ import annotations

import argparse
from pathlib import Path
from threading import Event

from elasticsearch import Elasticsearch
from rich.console import Console

from nhi_watch.context import networks, reputation
from nhi_watch.core.gc_pause import few_collections
from nhi_watch.hosts.elastic import arguments, templates
from nhi_watch.hosts.elastic.hand import Hand, Lists, digest
from nhi_watch.hosts.elastic.run_command import told_to_stop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    arguments.connecting(parser)
    parser.add_argument("--networks", type=Path, metavar="CSV", help="the file that the run was given")
    parser.add_argument("--reputation", type=Path, action="append", default=[], metavar="FILE",
                        help="the files that the run was given, in their order")  # fmt: skip
    parser.add_argument("--idle", type=arguments.seconds, default=0, metavar="S",
                        help="end when there was nothing to do for so long (default: never)")  # fmt: skip


def run(client: Elasticsearch, args: argparse.Namespace, console: Console) -> int:
    """Help until told to stop, or until nothing was to be done for a while."""
    if args.networks:
        networks.load_custom(args.networks)
    lists = Lists(reputation.load(args.reputation), digest(args.networks, args.reputation, ""))
    hand = Hand(client, f"{templates.STATE}-{args.namespace}", lists)
    with few_collections():
        hand.until(_Idle(hand, told_to_stop(), args.idle).stop)
    outcome = {"slices": hand.read}
    if args.json:
        arguments.print_json(console, outcome)
    else:
        console.out(f"Read {hand.read} slices.", highlight=False)
    return 0


class _Idle:
    """Says when to stop: when told so, or when nothing was read for long enough."""

    def __init__(self, hand: Hand, told: Event, longest: int) -> None:
        self._hand = hand
        self._told = told
        self._longest = longest
        self._read = 0
        self._idle = 0.0

    def stop(self, pause: float) -> bool:
        """Wait; True: it is time to stop."""
        self._idle = self._idle + pause if self._hand.read == self._read else 0.0
        self._read = self._hand.read
        return self._told.wait(pause) or bool(self._longest and self._idle >= self._longest)
