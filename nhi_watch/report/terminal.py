"""The ranked table that a tired analyst reads in ten seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nhi_watch.core.life import is_settled
from nhi_watch.core.notable import short_ids
from nhi_watch.report import run_summary, words
from nhi_watch.report.words import KINDS, PARTS, clock, lasted, part_of, short_name, shown, visible

Json = Mapping[str, Any]

_COLOURS = {
    "critical": "bold red",
    "high": "dark_orange",
    "medium": "yellow",
    "low": "blue",
    "informational": "bright_black",
}
_ROUTINES = 20
"""Routines that are shown; run.json has all."""
_NARROW = 60
_FIXED = 42
"""Columns that rank, likelihood, time and the gaps take."""


def show(notables: Sequence[Json], run: Json, console: Console, below: Sequence[Json] = ()) -> None:
    """Write the table and one line about the run; colour only where the console has it.

    `below`: what is below the line or settled, where it is to be listed as well.

    A narrow console gets no times; a character that its encoding lacks becomes a question mark.
    """
    short = short_ids(str(notable["id"]) for notable in (*notables, *below))
    for title in PARTS:
        part = [notable for notable in (*notables, *below) if part_of(notable) == title]
        if part:
            console.print(_text(console, f"{title} ({len(part)})", 100, "bold"))
            console.print(_table(part, console, short, words.confirmed(run)))
    if notables:
        console.print(_text(console, "Ordered by expected loss: likelihood times impact.", 100, "dim"))
        if run_summary.could_not_tell(run):
            console.print(_text(console, run_summary.could_not_tell(run), 500))
    else:
        console.print(_text(console, run_summary.no_notables(run), 500))
    routines = run_summary.routines(run)
    if routines:
        console.print(_text(console, f"{run_summary.ROUTINES} ({len(routines)})", 100, "bold"))
        for told in [*routines[:_ROUTINES], run_summary.ONE_VERDICT]:
            console.print(_text(console, f"  {told}", 310))
    summary = run_summary.line(run)
    if summary:
        console.print(_text(console, summary, 500))


def _table(
    notables: Sequence[Json], console: Console, short: Mapping[str, str], confirmed: Mapping[str, str]
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, expand=True)
    timed = console.width >= _NARROW
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("likelihood", no_wrap=True)
    table.add_column("what happened", overflow="fold", ratio=1)
    if timed:
        table.add_column("when (UTC)", no_wrap=True)
    for notable in notables:
        cells = _cells(notable, short[notable["id"]], console, confirmed.get(notable["id"], ""))
        table.add_row(*cells[: 4 if timed else 3])
    return table


def _cells(notable: Json, short_id: str, console: Console, confirmed: str) -> list[Text]:
    severity = notable["severity"]
    short = {"informational": "info"}.get(severity, severity)
    what = _text(console, _what(notable), 120, "bold")
    what.append("\n")
    said = f"confirmed, by {visible(confirmed, 24)}: " if confirmed else ""
    what.append_text(_text(console, said + _whom(notable), max(console.width - _FIXED, 12), "dim"))
    when = Text(clock(shown(notable)[0]))
    for line in lasted(notable):
        when.append(f"\n{line}", "dim")
    told = _text(console, f"{words.likely(notable['likelihood'])} {short}".lstrip(), 16, _COLOURS.get(severity, ""))
    told.append(f"\n{short_id}", "dim")
    return [
        Text(str(notable["rank"])),
        told,
        what,
        when,
    ]


def _what(notable: Json) -> str:
    kind: str = notable["kind"]
    title: str = notable["title"]
    named = KINDS[kind]
    return title if kind == "compromise" or title.startswith(named) else f"{named}: {title}"


def _whom(notable: Json) -> str:
    days = notable["usual"]["active_days"]
    history = f"known {days} d" if days else "new identity"
    owner = visible(notable["identity"]["owner"], 24) or "no owner"
    settled = f"{notable['closed_why']}: " if is_settled(notable) else ""
    return f"{settled}{visible(short_name(notable['identity']), 40)}, {history}, {owner}"


def _text(console: Console, text: str, limit: int, style: str = "") -> Text:
    shown = visible(text, limit).encode(console.encoding, "replace").decode(console.encoding)
    return Text(shown, style)
