"""`nhi expect`: patterns of calls that are expected of an identity until a date, and what they hide."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console

from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import InputError
from nhi_watch.core.status import closed_by
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.files import common, find
from nhi_watch.report import words

if TYPE_CHECKING:
    from nhi_watch.detect.expected import Pattern
    from nhi_watch.state.store import Rows

_NAMED = 20
"""Notables that are named on a terminal."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi expect` takes."""
    parser.description = (
        "Expect calls of one identity from networks that it uses, until a date: what they cover is not listed, and "
        "counted. Without --save it shows what the pattern would have hidden in the last 30 days."
    )
    parser.add_argument(
        "what",
        metavar="ID|list|hidden|end",
        help=f"{find.ABOUT}, from which the pattern is made; or: list the patterns, list what one hides now, end one",
    )
    parser.add_argument("pattern", nargs="?", default="", metavar="PATTERN", help="hidden, end: the pattern's id")
    parser.add_argument(
        "--call",
        action="append",
        default=[],
        metavar="NAME",
        help="a call such as s3:GetObject or s3:Get*, repeatable (default: the notable's unusual "
        "calls); a wildcard never stands for a sensitive one",
    )
    parser.add_argument(
        "--from",
        action="append",
        default=[],
        dest="places",
        metavar="PLACE",
        help="an address or a network, repeatable (default: those of the unusual calls)",
    )
    parser.add_argument("--until", metavar="TIME", help="its end, at most 90 days away")
    parser.add_argument("--by", metavar="WHO", help="who decides it")
    parser.add_argument("--why", metavar="TEXT", help="the reason")
    parser.add_argument("--save", action="store_true", help="save it after reviewing what it would hide")
    common.add_trail(parser)
    common.add_state(parser, assets=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Make a pattern, list patterns or what one hides, or end one.

    Raises:
        InputError: what was given is wrong, or the pattern would have hidden a confirmed notable; nothing is saved.
    """
    now = common.seconds(args.now, "--now")
    act = {"list": _list, "hidden": _hidden, "end": _end}.get(args.what, _make)
    with common.opened(args, own=act in (_make, _end)) as store:
        return act(args, store, console, now)


def _make(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    from nhi_watch.detect import expected
    from nhi_watch.detect.feedback import Verdict
    from nhi_watch.state.state import State

    if args.pattern:
        raise InputError(f"{args.pattern[:40]!r}: nothing may follow the notable's id but options")
    notable = find.notable_of(store, args.what, args.out)
    until = common.seconds(args.until, "--until") if args.until else 0
    given = Verdict(
        notable["id"],
        notable["identity"]["id"],
        "",
        "expected",
        (args.by or "").strip(),
        now,
        (args.why or "").strip(),
        until,
        "",
        0,
        "",
    )
    pattern = expected.make(notable, args.call, args.places, given)
    seen = expected.preview(State(store), pattern)
    lines = [
        f"Expected: {expected.described(pattern)}",
        f"In the last {expected.PREVIEW} days it would have hidden {words.some(len(seen.hidden), 'notable')}, on "
        f"{words.some(seen.days, 'day')}{': ' * bool(seen.hidden)}{', '.join(seen.hidden[:_NAMED])}",
    ]
    lines += [f"  it would have hidden CONFIRMED notable {name}" for name in seen.confirmed]
    lines += [
        f"  nothing is kept of CONFIRMED notable {name} of this identity, so nothing can be proved"
        for name in seen.unproved
    ]
    refused = [*seen.confirmed, *seen.unproved]
    lines += [] if refused else ["Every notable that was confirmed would still be listed."]
    lines += [] if args.save else ["Nothing is saved yet; add --save to save it."]
    would = {"hidden": seen.hidden, "days": seen.days, "confirmed": seen.confirmed, "unproved": seen.unproved}
    common.answer(
        args, console, {**expected.plain(pattern), "would_hide": would, "saved": args.save and not refused}, *lines
    )
    if not args.save:
        return 0
    if refused:
        raise InputError(
            f"the pattern may hide {len(refused)} confirmed notables; it was not saved: give fewer calls "
            "or places with --call and --from"
        )
    find.about_to(console, f"an expected pattern, by {pattern.by}, from {find.summary_line(notable)}", args.json)
    expected.put(store, pattern)
    find.note(args, "pattern", pattern.by, {**expected.plain(pattern), "would_hide": would})
    if not args.json:
        common.say(
            console,
            f"Saved pattern {pattern.id}; it takes effect with the next run. End it early: "
            f"{common.program()} expect end {pattern.id} --by YOU --why REASON {common.place(args.out, args.state)}",
        )
        if args.now and pattern.until <= time.time():
            common.say(
                console,
                f"By this machine's clock it has ended: it holds in runs with `nhi score --now {args.now}` or later.",
            )
    return 0


def _list(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    from nhi_watch.detect import expected

    hidden = _hides(store)
    rows: list[dict[str, Any]] = []
    for pattern in expected.patterns(store):
        state = "in force" if pattern.holds(now) else f"ended {render(pattern.ended or pattern.until)[:10]}"
        rows.append({**expected.plain(pattern), "state": state, "hides": len(hidden.get(pattern.name, ()))})
    if args.json or not rows:
        return common.answer(args, console, {"patterns": rows}, "No expected patterns yet.")
    heads = ("id", "state", "hides", "until", "by", "calls", "places", "identity_id", "why")
    common.show_table(
        console,
        heads,
        ([", ".join(row[head]) if head in ("calls", "places") else row[head] for head in heads] for row in rows),
    )
    return 0


def _hidden(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    """List the notables that a pattern hides as of the last run."""
    hidden = _hides(store).get(_known(store, args.pattern).name, [])
    lines = [find.summary_line(item) for item in hidden[:200]]
    more = [f"and {len(hidden) - 200:,} more"] if len(hidden) > 200 else []
    return common.answer(
        args,
        console,
        {"notables": [item["id"] for item in hidden]},
        *(lines or ["It hides nothing as of the last run."]),
        *more,
    )


def _end(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    from nhi_watch.detect import expected

    by, why = (args.by or "").strip(), (args.why or "").strip()
    if not by or not why:
        raise InputError("to end a pattern takes --by and --why")
    pattern = _known(store, args.pattern)
    if not pattern.holds(now):
        raise InputError(f"pattern {pattern.id} has ended already")
    ended = pattern._replace(ended=max(now, 1))
    find.about_to(console, f"the end of pattern {pattern.id}, by {by}", args.json)
    expected.put(store, ended)
    find.note(args, "pattern", by, {**expected.plain(ended), "why_ended": why})
    return common.answer(
        args,
        console,
        expected.plain(ended),
        f"Ended pattern {pattern.id}; what it hid is listed again by the next run, unless it ended otherwise.",
    )


def _known(store: Rows, name: str) -> Pattern:
    from nhi_watch.detect import expected

    known = {pattern.id: pattern for pattern in expected.patterns(store)}
    return known[find.chosen(name, known, {}, "pattern")]


def _hides(store: Rows) -> dict[str, list[NotableDocument]]:
    """Name of a pattern → the notables that it hides."""
    hidden: dict[str, list[NotableDocument]] = {}
    for item in find.every(store):
        hidden.setdefault(closed_by(item["closed_why"]), []).append(item)
    return hidden
