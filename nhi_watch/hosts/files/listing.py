"""`nhi list`: the notables of the last run, chosen and ordered, without reading logs again."""

from __future__ import annotations

import argparse
import csv
import io
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from nhi_watch.core.documents import ListedDocument, NotableDocument
from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.core.notable import KINDS, SEVERITIES, dimensions_of, short_ids
from nhi_watch.core.status import RESOLVING, is_resolved
from nhi_watch.core.timestamps import render
from nhi_watch.detect import casework
from nhi_watch.hosts.files import common, find
from nhi_watch.report import jsonlines, words
from nhi_watch.report.run_summary import could_not_tell
from nhi_watch.report.words import clock, is_going_on, likely, named, short_severity, visible
from nhi_watch.state.store import Rows

COLUMNS = ("rank", "id", "likelihood", "severity", "kind", "life", "verdict", "status", "assignee", "title", "identity",
           "identity_id", "account", "owner", "first_time", "last_time", "listed")  # fmt: skip
"""Of --csv and --json."""
Row = ListedDocument
"""A notable, with the verdict of people on it."""


def is_handled(row: Row) -> bool:
    """Whether people, or what was learnt, have dealt with it."""
    return row.get("verdict") in RESOLVING or is_resolved(row)


def concerns(row: NotableDocument, part: str) -> bool:
    """Whether a text is part of a name, an id or a key of an identity of it."""
    keys = (o["value"] for d in dimensions_of(row, "credential") for o in d["observed"])
    names = (text for who in (row["identity"], *row["members"]) for text in (who["id"], who["name"]))
    return any(part.lower() in text.lower() for text in (*names, *keys))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi list` takes."""
    parser.add_argument(
        "--severity", choices=SEVERITIES, metavar="LEVEL", help=f"this severity and above: {', '.join(SEVERITIES)}"
    )
    parser.add_argument("--since", metavar="TIME", help="only what was still active then or later")
    parser.add_argument("--identity", metavar="TEXT", help="any part of an identity's name or id, or of a key's id")
    parser.add_argument("--kind", choices=KINDS, metavar="KIND", help=f"only these: {', '.join(KINDS)}")
    parser.add_argument("--all", action="store_true", help="also what is not listed, was dealt with or has ended")
    about = "what is new, changed, back and resolved since --since (default: the last day of data)"
    parser.add_argument("--digest", action="store_true", help=about)
    parser.add_argument("--csv", action="store_true", help="print CSV")
    common.add_state(parser, assets=False, now=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """List.

    Raises:
        InputError: there are no results, or a time is wrong.
    """
    if args.digest:
        return _digest(args, console)
    since = render(common.seconds(args.since, "--since")) if args.since else ""
    every = rows(args.out)
    try:
        every = with_verdicts(args, every, has_ended=args.all)
    except StoreError as error:  # such as: a run has it
        common.warn(f"verdicts given since the last run are not known: {error}")
    least = SEVERITIES.index(args.severity) if args.severity else 0
    wanted = [
        row
        for row in every
        if SEVERITIES.index(row["severity"]) >= least
        and row["last_time"] >= since
        and (not args.kind or row["kind"] == args.kind)
        and (not args.identity or concerns(row, args.identity))
        and (row["kind"] != "posture" or args.all or args.identity or args.kind)
    ]
    shown = [row for row in wanted if args.all or stands(row)]
    if args.csv:
        printed(_csv(shown), console)
        return 0
    if shown and not args.json:
        tell(shown, short_ids(row["id"] for row in every), console)
    caveats = textwrap.fill(could_not_tell(common.run_of(args.out)), max(console.width, _LEAST), break_on_hyphens=False)
    lines = (_count(args, every, wanted, shown), caveats)
    return common.answer(args, console, [flat(row) for row in shown], *filter(None, lines))


def _digest(args: argparse.Namespace, console: Console) -> int:
    if args.severity or args.identity or args.kind or args.all or args.csv:
        raise InputError("--digest goes with --since and --json only")
    from nhi_watch.hosts.files import digest

    with common.opened(args, read_only=True) as store:
        contents = digest.make(store, common.seconds(args.since, "--since") if args.since else None)
    short = short_ids(item["id"] for part in (*contents.parts.values(), contents.confirmed) for item in part)
    return common.answer(args, console, digest.plain(contents), *digest.lines(contents, short))


def stands(row: Row) -> bool:
    """Whether it is in the list, and nobody has dealt with it."""
    return bool(row["listed"]) and not is_handled(row)


def _count(args: argparse.Namespace, every: Sequence[Row], wanted: Sequence[Row], shown: Sequence[Row]) -> str:
    """How many are shown; of none, what was asked for and how many there are besides."""
    asked = [
        f"--{name} {getattr(args, name)}" for name in ("severity", "since", "identity", "kind") if getattr(args, name)
    ]
    ended = sum(_part(row) == "Earlier" for row in shown)
    count = words.some(len(shown) - ended, "notable") if shown else "No notable in the list"
    count += f" and {ended:,} that ended" if ended else ""
    fits = f" with {' '.join(asked)}" if asked else ""
    left = len(wanted) - len(shown)
    rest = f"; {left:,} more not listed or dealt with: --all" if left else ""
    there = sum(map(stands, every))
    others = f"; without the filter there {'is' if there == 1 else 'are'} {there:,}" if asked and not shown else ""
    return visible(f"{count}{fits}{others}{rest}.", 500)


def rows(out: Path) -> list[Row]:
    """What the folder's files hold: the list, what is not listed, and posture's findings.

    Raises:
        InputError: there are none, or a line is damaged: it is named.
    """
    paths = [out / "notables.jsonl", out / common.BELOW, out / "posture.jsonl"]
    if not paths[0].exists() and not paths[2].exists():
        raise InputError(f"{paths[0]}: not there; run `nhi score` first, or give its folder with --out")
    pairs = [(path, row) for path in paths for row in jsonlines.read_any(path)]
    for path, row in pairs:
        is_one = row.keys() >= _NEEDED and row["severity"] in SEVERITIES and isinstance(row["rank"], int)
        if not is_one or not (isinstance(row["identity"], dict) and isinstance(row["usual"], dict)):
            raise InputError(f"{path}: a line is not a notable of this version; score again")
    return [row for _, row in pairs]


_NEEDED = {"id", "rank", "kind", "likelihood", "severity", "title", "summary", "life", "closed_why", "first_time",
           "last_time", "listed", "identity", "impact", "usual", "members"}  # fmt: skip


def with_verdicts(args: argparse.Namespace, rows: list[Row], has_ended: bool = False) -> list[Row]:
    """The rows with the verdicts that people have given since; without a state there are none.

    `has_ended`: with the notables that had a place once, have ended, and are in no file of a run any more.
    """
    if common.state_of(args).is_file() and (rows or has_ended):
        with common.opened(args, read_only=True) as store:
            if has_ended:
                rows = [*rows, *ended(store, {row["id"] for row in rows})]
            verdicts, work = find.standing(store, rows), find.work(store)
            confirmed = find.in_work(verdicts, rows)
        for row in rows:
            row["verdict"] = verdicts[row["id"]].verdict if row["id"] in verdicts else ""
            row["work"] = work.get(row["id"])
            row["in_work"] = row["id"] in confirmed
    return rows


def ended(store: Rows, known: Collection[str]) -> Iterator[Row]:
    """Notables that were listed once and have ended, but for those that are known.

    One whose rows a verdict covers has none by now: somebody gave the verdict on what was listed, and if it was taken
    back, its rows were not given back after it had ended.
    """
    from nhi_watch.detect import feedback, publish

    with_verdict = {given.notable_id for given in feedback.verdicts(store)}
    for notable in publish.stored(store):
        was_listed = bool(notable["listed_on"]) or notable["id"] in with_verdict
        has_ended = notable["life"] == "closed" and was_listed and not notable["merged_into"]
        if has_ended and notable["id"] not in known:
            row: Row = {**notable, "verdict": "", "in_work": False, "work": None}
            row["rank"], row["listed"] = 0, False
            yield row


def flat(row: Row) -> dict[str, Any]:
    """A row by COLUMNS."""
    who = row["identity"]
    row_flat = {
        **row,
        **(row.get("work") or {}),
        "identity": who["name"] or who["id"],
        "identity_id": who["id"],
        "account": who["account"],
        "owner": who["owner"],
    }
    return {name: row_flat.get(name, "") for name in COLUMNS}


def _csv(shown: Iterable[Row]) -> str:
    """CSV in which no value of a log is a formula."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in flat(row).values()] for row in shown)
    return output.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    return f"'{visible(value)}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else visible(value)


def tell(shown: Sequence[Row], short: Mapping[str, str], console: Console) -> None:
    """Print notables: those that merely go on in a line each, as `nhi score` does, the others as a table."""
    for title in words.PARTS:
        part = [row for row in shown if _part(row) == title]
        short_rows = [row for row in part if is_going_on(row, _in_work(row)) and not is_handled(row)]
        others = [row for row in part if row not in short_rows]
        if part:
            console.print(Text(f"{title} ({len(part)})", "bold"))
        if others:
            _print_table(others, short, console)
        if short_rows:
            lines = [line for row in short_rows for line in _lines(row, short[row["id"]], console.width)]
            printed("\n".join([*lines, "\n"]), console)


def _part(row: Row) -> str:
    """The part of the list in which a row stands, with the verdicts that were given since the last run."""
    if is_handled(row):
        return "Settled"
    has_ended = row["life"] == "closed" and bool(row.get("listed_on")) and not row["merged_into"]
    return "Earlier" if has_ended else words.part_of(row, _in_work(row))


def _in_work(row: Row) -> tuple[str, ...]:
    return (row["id"],) if row.get("in_work") else ()


def _lines(row: Row, short: str, width: int) -> list[str]:
    """A notable that was read before, with its verdict and who works on it."""
    busy = casework.said(work) if (work := row.get("work")) else ""
    return words.going_on(row, short, ", ".join(filter(None, (row.get("verdict"), busy))), width)


def _print_table(shown: Sequence[Row], short: Mapping[str, str], console: Console) -> None:
    """A table; of two thousand a library's layout would take two seconds."""
    from rich.cells import cell_len, chop_cells

    rows = [_cells(row, short) for row in shown]
    ends = [_until(row) for row in shown]
    widths = [max(map(len, column)) for column in zip(_HEADS, *(cells for cells, _ in rows))]
    widths[-1] = max(widths[-1], *map(len, ends))
    margin = sum(widths) + 2 * len(widths)
    is_narrow = console.width - margin < _ROOM
    margin = _INDENT if is_narrow else margin
    room = max(console.width - margin, _LEAST)
    lines = []
    for (cells, what), end in zip(rows, ends):
        if cell_len(what) == len(what):
            parts = textwrap.wrap(what, room, break_on_hyphens=False)
        else:  # letters that take two places
            parts = chop_cells(what, room)
        fixed = "".join(
            cell.rjust(width) + "  " if at in _RIGHT else cell.ljust(width) + "  "
            for at, (cell, width) in enumerate(zip(cells, widths))
        )
        if is_narrow:  # what happened has lines of its own
            lines += [f"{fixed}{end}".rstrip(), *(" " * margin + part for part in parts)]
            continue
        more = [*parts[1:], *[""] * (bool(end) and len(parts) < 2)]
        under = f"{end.ljust(widths[-1])}  ".rjust(margin)
        below = ((under if n == 0 else " " * margin) + part for n, part in enumerate(more))
        lines += [fixed + parts[0], *(line.rstrip() for line in below)]
    heads = "".join(name.ljust(width) + "  " for name, width in zip(_HEADS, widths))
    console.print(Text(f"{heads}what happened", "bold"), soft_wrap=True)
    console.print("─" * min(console.width, margin + room))
    printed("\n".join([*lines, ""]), console)


_HEADS = ("#", "id", "likelihood", "severity", "when (UTC)")
_RIGHT = (0, 2)
"""Columns of numbers."""
_ROOM, _INDENT = 40, 4
"""Columns under which what happened goes below a row, and how far it is indented there."""
_LEAST = 24
"""Letters of a line of what happened, however narrow the terminal is."""


def _cells(row: Row, short: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    busy = casework.said(work) if (work := row.get("work")) else ""
    handled = is_handled(row)
    ended = row["closed_why"] if row["life"] == "closed" and not handled else ""
    said = ", ".join(filter(None, (row.get("verdict"), busy, ended)))
    said = said or (row["closed_why"] if handled else "" if row["listed"] else "not listed")
    what = visible(named(row), 200) + (f" ({visible(said, 60)})" if said else "")
    what += f". {visible(row['since'], 400)}" if words.is_back(row) and not handled else ""
    rank = "" if row["kind"] == "posture" or not row["rank"] else str(row["rank"])
    return (rank, short[row["id"]], likely(row["likelihood"]), short_severity(row), clock(words.shown(row)[0])), what


def _until(row: Row) -> str:
    """Below the time of the first unusual call that of the last; its day only where it is another one."""
    first, last = map(clock, words.shown(row))
    return "" if first == last else f"to {last if first[:10] != last[:10] else last[11:]}"


def printed(text: str, console: Console) -> None:
    """Print much text as it is."""
    console.file.write(text.encode(console.encoding, "replace").decode(console.encoding))
