"""`nhi exposed`: a person reports an exposed credential, and gets its notable at once."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from rich.console import Console

from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import InputError
from nhi_watch.core.status import is_resolved
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.files import common, find


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi exposed` takes."""
    from nhi_watch.detect.exposure import case

    about = "the credential's public id (AKIA…, a hash), never the secret; without one, all are listed"
    places = f"where it was found: {', '.join(case.WORDS)} (default), or an address"
    parser.add_argument("key", metavar="KEYID", nargs="?", help=about)
    parser.add_argument("--since", metavar="TIME", help="when it was exposed (default: now)")
    parser.add_argument("--where", metavar="PLACE", default="unknown", help=places)
    common.add_state(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """Report an exposure, or list them.

    Raises:
        InputError: the key, a time or the state is wrong.
    """
    from nhi_watch.detect import history, publish
    from nhi_watch.detect.explain.fields import notable_id
    from nhi_watch.detect.exposure import case, fast

    now, where = common.seconds(args.now, "--now"), case.demand_place(args.where)
    since = common.seconds(args.since, "--since") if args.since else now
    if since > now:
        raise InputError(f"--since {args.since}: that is in the future")
    now = now if args.now else 0  # the data's end: what a person reports is part of the data
    known = common.load_assets(args.assets)
    with common.opened(args, must_exist=not args.key, own=bool(args.key)) as store:
        if args.key:
            fast.tell(store, args.key, since, where)  # refuses a secret before anything is printed
            find.about_to(console, f"{args.key[:60]} exposed since {render(since)}, where: {where}", args.json)
        exposed = fast.assess(store, history.read(store), known, now)
        listed = [item for item in publish.as_of(store, exposed, int(time.time())) if not is_resolved(item)]
    ranked = common.publish(args.out, listed, "exposure", args.state)
    ours = [notable for notable in ranked if notable["kind"] == "exposure"]
    _show(args, ours, exposed, console, notable_id("exposure", args.key) if args.key else "")
    return 0


def _show(
    args: argparse.Namespace,
    listed: Sequence[NotableDocument],
    exposed: Sequence[NotableDocument],
    console: Console,
    name: str,
) -> None:
    """The one that was reported, or all that are listed, by their rank in the whole list."""
    from nhi_watch.report import terminal

    chosen = [notable for notable in exposed if notable["id"] == name] if name else listed
    if args.json:
        common.print_json(chosen[0] if name and chosen else chosen, console)
    elif name and chosen:
        terminal.show_explanation(chosen[0], console)
    elif not chosen:
        report = f"nhi exposed KEYID --where PLACE --since TIME {common.place(args.out, args.state)}"
        common.say(console, f"No exposed credential is known. Report one: {report}")
    else:
        terminal.show(chosen, {}, console)
