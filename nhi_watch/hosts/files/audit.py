"""`nhi audit`: check the audit trail, or mend its end after a crash."""

from __future__ import annotations

import argparse

from rich.console import Console

from nhi_watch.act import audit
from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files import common, find


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi audit` takes."""
    about = "repair: cut away half a line that a crash left; the trail says so"
    parser.add_argument("what", choices=("verify", "repair"), help=about)
    parser.add_argument("--head", default="", metavar="HASH", help="a head noted earlier, which must be in the trail")
    common.add_trail(parser)
    common.add_state(parser, assets=False, now=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Walk the chain, or mend its end.

    Raises:
        InputError: there is no trail, or its chain is broken: names the line.
        StoreError: it cannot be mended.
    """
    path = find.trail(args)
    lost = audit.repair(path, find.login()) if args.what == "repair" else None
    told = audit.verify(path, args.head)
    if told.fault:
        raise InputError(f"{path}: {told.fault}; the {told.lines} lines before it hold")
    plain = {"lines": told.lines, "head": told.head.hash, **({"verified": True} if lost is None else {"lost": lost})}
    done = "" if lost is None else f"Lost: {lost}. " if lost else "Nothing to mend. "
    return common.answer(args, console, plain, f"{done}{told.lines:,} lines hold; head {told.head.hash}.")
