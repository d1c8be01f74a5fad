"""`nhi posture`: what is wrong before anybody misuses it."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files import common
from nhi_watch.report.words import visible

FIRST = 20
"""Findings on the first page."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi posture` takes."""
    parser.add_argument(
        "--authorization-details",
        type=Path,
        action="append",
        metavar="JSON",
        help="what AWS grants: `aws iam get-account-authorization-details`",
    )
    parser.add_argument("--all", action="store_true", help=f"show all findings, not only the first {FIRST}")
    parser.add_argument("--secret-days", type=_days, default=90, metavar="N", help="maximum age (default: 90)")
    parser.add_argument("--idle-days", type=_days, default=90, metavar="N", help="maximum time unused (default: 90)")
    common.add_state(parser)


def _days(text: str) -> int:
    return common.whole_number(text, 1, 3650)


def run(args: argparse.Namespace, console: Console) -> int:
    """Look, write posture.json, posture.jsonl and posture.html, and show.

    Raises:
        InputError: a report, a table or the state is wrong, or there is nothing to look at.
    """
    from nhi_watch.act.posture.checks import look
    from nhi_watch.act.posture.finding import FindingLimits, scene
    from nhi_watch.act.posture.rights import load
    from nhi_watch.detect import history, ledger, publish

    given, known_assets = args.authorization_details, common.load_assets(args.assets)
    grants = None if given is None else [grant for path in given for grant in load(path)]
    there = (args.state or args.out / "state.sqlite").exists()
    if not there and grants is None:
        raise InputError("nothing to look at: give a state (`nhi score` writes one) or authorization details of AWS")
    with common.opened(args, must_exist=False) as store:
        full_history = history.read(store)
        now, as_of = common.moment(args, max([full_history.now, *(grant.last_used for grant in grants or ())]))
        outcome = look(
            scene(full_history, grants, known_assets, FindingLimits(args.secret_days, args.idle_days), now), store
        )
        documents = publish.as_of(store, outcome.notables, now)
        standing = ledger.follow(store, full_history, documents, now)
        notables = ledger.with_status(documents, standing)
    most = len(notables) if args.all else FIRST
    _write(args.out, notables, outcome.summary, most)
    if args.json:
        common.print_json(outcome.summary, console)
    else:
        common.say(console, as_of)
        _show(outcome.summary, console, most)
        common.say(console, f"Report: {args.out / 'posture.html'}")
    return 0


def _write(out: Path, notables: Sequence[NotableDocument], summary: dict[str, Any], most: int) -> None:
    """All findings as data, the first of them as a page."""
    from nhi_watch.report import html, jsonlines

    jsonlines.write(out / "posture.jsonl", notables)
    jsonlines.write_run(out / "posture.json", summary)
    run = {
        "identities": summary["history"]["identities"],
        "notables": len(notables),
        "created": summary["looked"],
        "cannot_tell": summary["cannot_tell"],
    }
    with jsonlines.replacing(out / "posture.html") as file:
        file.write(html.render(notables[:most], run, place=common.place(out)).encode("utf-8", "replace"))


def _show(summary: Mapping[str, Any], console: Console, most: int) -> None:
    from rich.text import Text

    def row(finding: Mapping[str, Any]) -> tuple[object, ...]:
        text = Text(visible(finding["evidence"], 400))
        text.append(
            f"\nA thief could {visible(finding['thief'], 200)}; "
            f"{visible(finding['identity']['owner'] or 'no owner', 60)}",
            "dim",
        )
        return finding["severity"], finding["title"], ", ".join(finding["owasp_nhi"]), text

    findings = summary["findings"]
    kinds = Counter(finding["title"] for finding in findings)
    counted = ", ".join(f"{count} × {title.lower()}" for title, count in kinds.most_common())
    said = [f"{len(findings)} finding{'s'[: len(findings) != 1]}: {counted}." if findings else "No findings."]
    if findings:
        common.show_table(console, ("severity", "what", "OWASP", "evidence"), map(row, findings[:most]), expand=True)
    if len(findings) > most:
        said.append(
            f"These are the {most} with the most impact if stolen; --all shows the others, posture.jsonl holds them."
        )
    common.say(console, *said, *(f"Cannot tell: {line}." for line in summary["cannot_tell"]))
