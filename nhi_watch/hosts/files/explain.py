"""`nhi explain`: why a notable is as likely as it is."""

from __future__ import annotations

import argparse
from typing import Any

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.files import common, find, note


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi explain` takes."""
    parser.add_argument("id", metavar="ID", help=find.ABOUT)
    parser.add_argument("--all", action="store_true", help="also show routine calls, and signals that add little")
    common.add_state(parser, assets=False, now=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Show one notable.

    Raises:
        InputError: there is no such notable, or no results at all.
    """
    from nhi_watch.hosts.files import originals
    from nhi_watch.report import terminal

    found = _notable(args)
    if args.json:
        common.print_json(found, console)
    else:
        terminal.show_explanation(found, console, originals.of(args.out, found), args.all)
        judged, work = _said(args, found)
        common.say(console, *filter(None, (*work, judged, _next(args, found, bool(judged)))))
    return 0


def _next(args: argparse.Namespace, found: dict[str, Any], judged: bool) -> str:
    nhi, name, place = common.program(), find.short(args.out, found["id"]), common.place(args.out, args.state)
    told = f"Next: {nhi} brief {name} {place}"
    told += f"; {nhi} respond plan {name} {place}" if found["record_ids"] else ""  # a silent log: nobody to act on
    said = f"; then give your verdict: {nhi} feedback {name} confirmed|benign --by YOU --why REASON {place}"
    return told if judged else told + said


def _said(args: argparse.Namespace, found: dict[str, Any]) -> tuple[str, list[str]]:
    """What people said that it was, "" where nothing yet; and who works on it, with notes."""
    if not common.state_of(args).exists():
        return "", []
    with common.opened(args, read_only=True) as store:
        held, work = find.verdicts(store).get(found["id"]), find.work(store).get(found["id"])
    verdict = f"Verdict: {held.verdict}, by {held.by} on {render(held.time)[:10]}: {held.why}" if held else ""
    return verdict, [f"Work: {notes[0]}", *notes[1:]] if work and (notes := note.lines(work)) else []


def _notable(args: argparse.Namespace) -> dict[str, Any]:
    """That of the list; else that of the state, where exposures, findings and blind spots are, too."""
    path = args.out / "notables.jsonl"
    if not path.exists() and not common.state_of(args).exists():
        raise InputError(f"{path}: not there; run `nhi score` first, or give its folder with --out")
    found = find.listed(args.out, args.id)
    if found is not None:
        return found
    with common.opened(args, read_only=True) as store:
        return find.one(store, args.id, args.out)
