"""`nhi posture`: what is wrong before anybody misuses it."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files import common

FIRST = 20
"""Findings on the first page."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi posture` takes."""
    parser.add_argument("--authorization-details", type=Path, action="append", metavar="JSON",
                        help="what AWS grants: `aws iam get-account-authorization-details`")  # fmt: skip
    parser.add_argument("--all", action="store_true", help=f"show all findings, not the first {FIRST} alone")
    parser.add_argument("--secret-days", type=_days, default=90, metavar="N", help="oldest secret (default: 90)")
    parser.add_argument("--idle-days", type=_days, default=90, metavar="N", help="longest silence (default: 90)")
    common.add_state(parser)


def _days(text: str) -> int:
    return common.whole(text, 1, 3650)


def run(args: argparse.Namespace, console: Console) -> int:
    """Look, write posture.json, posture.jsonl and posture.html, and show.

    Raises:
        InputError: a report, a table or the state is wrong, or there is nothing to look at.
    """
    from nhi_watch.act.posture.checks import look
    from nhi_watch.act.posture.finding import Limits, scene
    from nhi_watch.act.posture.rights import load
    from nhi_watch.detect import history, ledger

    given, known = args.authorization_details, common.load_assets(args.assets)
    grants = None if given is None else [grant for path in given for grant in load(path)]
    there = (args.state or args.out / "state.sqlite").exists()
    if not there and grants is None:
        raise InputError("nothing to look at: give a state (`nhi score` writes one) or authorization details of AWS")
    with common.opened(args, must_exist=False) as store:
        whole = history.read(store)
        now, as_of = common.moment(args, max([whole.now, *(grant.last_used for grant in grants or ())]))
        found = look(scene(whole, grants, known, Limits(args.secret_days, args.idle_days), now), store)
        standing = ledger.follow(store, whole, found.notables, now)
        notables = ledger.told(found.notables, standing)
    most = len(notables) if args.all else FIRST
    _write(args.out, notables, found.summary, most)
    if args.json:
        console.print_json(json.dumps(found.summary))
    else:
        console.print(as_of, markup=False, soft_wrap=True)
        _show(found.summary, console, most)
        console.print(f"Report: {args.out / 'posture.html'}", soft_wrap=True, markup=False)
    return 0


def _write(out: Path, notables: Sequence[dict[str, Any]], summary: dict[str, Any], most: int) -> None:
    """All findings as data, the first of them as a page."""
    from nhi_watch.report import html, jsonlines

    jsonlines.write(out / "posture.jsonl", notables)
    jsonlines.write_run(out / "posture.json", summary)
    run = {"identities": summary["history"]["identities"], "notables": len(notables), "created": summary["looked"],
           "cannot_tell": summary["cannot_tell"]}  # fmt: skip
    with jsonlines.replacing(out / "posture.html") as file:
        file.write(html.render(notables[:most], run, place=common.place(out)).encode("utf-8", "replace"))


def _show(summary: Mapping[str, Any], console: Console, most: int) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from nhi_watch.report.words import visible

    table = Table("severity", "what", "OWASP", "evidence", box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    for one in summary["findings"][:most]:
        owner = one["identity"]["owner"] or "no owner"
        told = Text(visible(one["evidence"], 400))
        told.append(f"\nA thief could {visible(one['thief'], 200)}; {visible(owner, 60)}", "dim")
        table.add_row(one["severity"], one["title"], ", ".join(one["owasp_nhi"]), told)
    if summary["findings"]:
        console.print(table)
        kinds = Counter(one["title"] for one in summary["findings"])
        counted = ", ".join(f"{count} × {title.lower()}" for title, count in kinds.most_common())
        count = len(summary["findings"])
        console.print(Text(f"{count} finding{'s'[: count != 1]}: {counted}."))
        if len(summary["findings"]) > most:
            console.print(Text(f"These are the {most} with which a thief could do most; --all shows the others, "
                               "posture.jsonl holds them.", "dim"))  # fmt: skip
    else:
        console.print("No findings.")
    for line in summary["cannot_tell"]:
        console.print(Text(f"Cannot tell: {line}.", "dim"))
