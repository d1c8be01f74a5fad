"""`nhi audit`: check the audit trail, or mend its end after a crash."""

from __future__ import annotations

import argparse
from contextlib import closing
from itertools import chain
from pathlib import Path

from rich.console import Console

from nhi_watch.act import audit
from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.files import common, find


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi audit` takes."""
    about = "repair: remove the half-written line that a crash left; the trail records it"
    parser.add_argument("what", choices=("verify", "repair"), help=about)
    parser.add_argument("--head", default="", metavar="HASH", help="hash of a line that must be in the trail")
    common.add_trail(parser)
    common.add_state(parser, assets=False, now=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Walk the chain, or mend its end.

    Raises:
        InputError: there is no trail, its chain is broken (names the line), or the state holds what it does not tell.
        StoreError: it cannot be mended.
    """
    path = find.trail(args)
    lost = audit.repair(path, find.login()) if args.what == "repair" else None
    verified = audit.verify(path, args.head)
    if verified.fault:
        raise InputError(f"{path}: {verified.fault}; the {verified.lines} lines before it hold")
    _demand_on_record(path, common.state_of(args))
    plain = {
        "lines": verified.lines,
        "head": verified.head.hash,
        **({"verified": True} if lost is None else {"lost": lost}),
    }
    done = "" if lost is None else f"Lost: {lost}. " if lost else "Nothing to repair. "
    return common.answer(args, console, plain, f"{done}{verified.lines:,} lines hold; head {verified.head.hash}.")


def _demand_on_record(path: Path, state: Path) -> None:
    """Refuse verdicts and exceptions that were put into the state beside the trail.

    Raises:
        InputError: names the first of them.
    """
    if not state.is_file():
        return
    from nhi_watch.detect import expected, feedback
    from nhi_watch.state.sqlite import SqliteStore

    with closing(SqliteStore(state, read_only=True)) as store:
        given, allowed = feedback.verdicts(store), feedback.exceptions(store)
        patterns = expected.patterns(store)
    imported = (verdict for row in audit.entries(path, "import") for verdict in row["facts"].get("verdicts", ()))
    on_record = chain((row["facts"] for row in audit.entries(path, "verdict")), imported)
    verdicts = {
        (verdict.get("notable_id"), verdict.get("verdict"), verdict.get("by"), verdict.get("time"))
        for verdict in on_record
    }
    allowances = [row["facts"] for row in audit.entries(path, "exception")]
    exceptions = {(exception.get("id"), exception.get("by"), exception.get("until")) for exception in allowances}
    verdicts |= {
        (exception.get("notable_id"), "expected", exception.get("by"), exception.get("made"))
        for exception in allowances
    }
    stray = [
        f"the verdict {v.verdict} on {v.notable_id}, by {v.by}"
        for v in given
        if (v.notable_id, v.verdict, v.by, render(v.time)) not in verdicts
    ]
    stray += [
        f"the exception {a.id} for {a.identity_id}, by {a.by}"
        for a in allowed
        if (a.id, a.by, render(a.until)) not in exceptions
    ]
    noted = {
        (item.get("id"), item.get("until"), item.get("ended"))
        for item in (row["facts"] for row in audit.entries(path, "pattern"))
    }
    stray += [
        f"the expected pattern {p['id']} for {p['identity_id']}, by {p['by']}"
        for p in map(expected.plain, patterns)
        if (p["id"], p["until"], p["ended"]) not in noted
    ]
    if stray:
        raise InputError(
            f"{state}: {stray[0]}, {f'and {len(stray) - 1:,} more are' if stray[1:] else 'is'} not in the "
            f"trail {path}: the state was changed without it. Give --audit if the trail is "
            "elsewhere; else restore a copy of the state from before, then judge again"
        )
