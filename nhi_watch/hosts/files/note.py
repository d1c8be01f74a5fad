"""`nhi note`: notes on a notable, who works on it, and that somebody does."""

from __future__ import annotations

import argparse

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.files import common, find

STATUSES = ("in-progress", "waiting")
"""As they are typed; `casework.STATUSES` has them as they are shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi note` takes."""
    parser.add_argument("id", metavar="ID", help=find.ABOUT)
    parser.add_argument("text", nargs="?", default="", metavar="TEXT", help="the note; none: show what there is")
    parser.add_argument("--by", metavar="WHO", help="who writes it (default: your login)")
    parser.add_argument("--assign", default="", metavar="WHO", help="who works on it; `nobody` unassigns it")
    parser.add_argument("--status", choices=STATUSES, help="whether work on it is in progress")
    common.add_trail(parser)
    common.add_state(parser, assets=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Add a note, or show those that there are.

    Raises:
        InputError: there is no such notable, or the note is wrong; nothing is recorded then.
    """
    from nhi_watch.detect import casework

    is_new = bool(args.text or args.assign or args.status)
    with common.opened(args, own=is_new, read_only=not is_new) as store:
        notable = find.notable_of(store, args.id, args.out)
        if is_new:
            by = find.login() if args.by is None else args.by
            now = common.seconds(args.now, "--now")
            fresh = casework.make_note(
                notable["id"], by, now, args.text, args.assign, (args.status or "").replace("-", " ")
            )
            find.about_to(console, f"a note by {fresh.by} on {find.summary_line(notable)}", args.json)
            casework.put(store, fresh)
            find.note(args, "note", fresh.by, {**fresh._asdict(), "time": render(fresh.time)})
        elif args.by:
            raise InputError("--by goes with a text, --assign or --status")
        work = find.work(store).get(notable["id"])
    return common.answer(args, console, work, *(lines(work) if work else ["No notes yet."]))


def lines(work: dict[str, object]) -> list[str]:
    """What people wrote about a notable, a line each."""
    from nhi_watch.detect import casework

    lines = [casework.said(work)] if casework.said(work) else []
    notes = work["notes"]
    assert isinstance(notes, list)
    for note in notes:
        parts = [note["text"], f"assigned to {note['assignee']}" if note["assignee"] else "", note["status"]]
        lines.append(f"  {note['time'][:16].replace('T', ' ')} {note['by']}: {'; '.join(filter(None, parts))}")
    return lines
