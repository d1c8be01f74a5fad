"""`nhi explain`: why a notable is as likely as it is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.files import common, find
from nhi_watch.hosts.files.common import OUT
from nhi_watch.hosts.files.inputs import print_json
from nhi_watch.report.words import visible


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi explain` takes."""
    parser.add_argument("id", metavar="ID", help=find.ABOUT)
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help=f"folder of `nhi score` (default: {OUT})")
    parser.add_argument("--state", type=Path, metavar="FILE", help="what was learnt (default: DIR/state.sqlite)")
    parser.add_argument("--all", action="store_true", help="show signals that add little, too")
    parser.add_argument("--json", action="store_true", help="print the notable's JSON")


def run(args: argparse.Namespace, console: Console) -> int:
    """Show one notable.

    Raises:
        InputError: there is no such notable, or no results at all.
    """
    from nhi_watch.hosts.files import originals
    from nhi_watch.report import terminal

    found = _notable(args)
    if args.json:
        print_json(found, console)
    else:
        terminal.show_explanation(found, console, originals.of(args.out, found), args.all)
        judged = _judged(args, found)
        if judged:
            console.print(visible(judged), soft_wrap=True, markup=False)
        console.print(_next(args, found, bool(judged)), soft_wrap=True, markup=False)
    return 0


def _next(args: argparse.Namespace, found: dict[str, Any], judged: bool) -> str:
    nhi, name, place = common.program(), find.short(args.out, found["id"]), common.place(args.out, args.state)
    told = f"Next: {nhi} brief {name} {place}"
    told += f"; {nhi} respond plan {name} {place}" if found["record_ids"] else ""  # a silent log: nobody to act on
    said = f"; then say what it was: {nhi} feedback {name} confirmed|benign --by YOU --why REASON {place}"
    return told if judged else told + said


def _judged(args: argparse.Namespace, found: dict[str, Any]) -> str:
    """What people said that it was; "": nothing yet."""
    if not _state(args).exists():
        return ""
    with common.opened(args, read_only=True) as store:
        if not any(store.scan("ledger", f"verdict/{found['id']}/", f"verdict/{found['id']}0")):
            return ""
        from nhi_watch.detect import feedback  # here, because it takes longer than all else that is done

        held = feedback.standing(feedback.verdicts(store)).get(found["id"])
    return f"Judged: {held.verdict}, by {held.by} on {render(held.time)[:10]}: {held.why}" if held else ""


def _state(args: argparse.Namespace) -> Path:
    return Path(args.state or args.out / "state.sqlite")


def _notable(args: argparse.Namespace) -> dict[str, Any]:
    """That of the list; else that of the state, where exposures, findings and blind spots are, too."""
    path, state = args.out / "notables.jsonl", _state(args)
    if not path.exists() and not state.exists():
        raise InputError(f"{path}: not there; run `nhi score` first, or give its folder with --out")
    found = find.listed(args.out, args.id)
    if found is not None:
        return found
    with common.opened(args, read_only=True) as store:
        return find.one(store, args.id, args.out)
