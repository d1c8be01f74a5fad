"""`nhi list`: the notables of the last run, chosen and ordered, without reading logs again."""

from __future__ import annotations

import argparse
import csv
import io
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.core.life import is_settled
from nhi_watch.core.notable import IMPACTS, KINDS, SEVERITIES, short_ids
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.files import common, find
from nhi_watch.report.run_summary import could_not_tell
from nhi_watch.report.words import visible

COLUMNS = ("rank", "id", "likelihood", "severity", "kind", "life", "verdict", "title", "identity", "identity_id",
           "account", "owner", "first_time", "last_time", "listed")  # fmt: skip
"""Of --csv and --json."""
_OFF = ("benign", "expected", "duplicate")
"""Verdicts that take a notable off the list."""


class Who(msgspec.Struct):
    """The identity of a notable."""

    id: str
    name: str
    account: str
    owner: str


class Observed(msgspec.Struct):
    """A value that was seen."""

    value: str


class Dimension(msgspec.Struct):
    """What was seen in one respect."""

    name: str
    observed: list[Observed]


class Usual(msgspec.Struct):
    """Of which the credentials are wanted."""

    dimensions: list[Dimension]


class Impact(msgspec.Struct):
    """How bad it would be."""

    level: str


class Row(msgspec.Struct):
    """What a list needs of a notable; the rest of its line is passed over, which takes a tenth of the time."""

    id: str
    rank: int
    kind: str
    likelihood: float
    severity: str
    title: str
    summary: str
    life: str
    closed_why: str
    first_time: str
    last_time: str
    listed: bool
    identity: Who
    impact: Impact
    usual: Usual
    members: list[Who] = []
    verdict: str = ""

    @property
    def settled(self) -> bool:
        """Whether people, or what was learnt, have dealt with it."""
        told = {"life": self.life, "closed_why": self.closed_why}
        return self.verdict in _OFF or is_settled(told)

    @property
    def loss(self) -> float:
        """Expected loss, by which the list is ordered."""
        return min(100.0, self.likelihood * IMPACTS[self.impact.level])

    def concerns(self, part: str) -> bool:
        """Whether a text is part of a name, an id or a key of an identity of it."""
        keys = (o.value for d in self.usual.dimensions if d.name == "credential" for o in d.observed)
        names = (text for who in (self.identity, *self.members) for text in (who.id, who.name))
        return any(part.lower() in text.lower() for text in (*names, *keys))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi list` takes."""
    parser.add_argument("--severity", choices=SEVERITIES, metavar="LEVEL",
                        help=f"this severity and above: {', '.join(SEVERITIES)}")  # fmt: skip
    parser.add_argument("--since", metavar="TIME", help="only what was still going on then or later")
    parser.add_argument("--identity", metavar="TEXT", help="any part of an identity's name or id, or of a key's id")
    parser.add_argument("--kind", choices=KINDS, metavar="KIND", help=f"only these: {', '.join(KINDS)}")
    parser.add_argument("--all", action="store_true", help="also what is below the line or settled")
    parser.add_argument("--csv", action="store_true", help="print CSV")
    common.add_state(parser, assets=False, now=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """List.

    Raises:
        InputError: there are no results, or a time is wrong.
    """
    since = render(common.seconds(args.since, "--since")) if args.since else ""
    every = rows(args.out)
    try:
        every = judged(args, every)
    except StoreError as error:  # such as: a run has it
        told = f"nhi: verdicts given since the last run are not known: {error}"
        Console(stderr=True, highlight=False).print(told, soft_wrap=True, markup=False)
    least = SEVERITIES.index(args.severity) if args.severity else 0
    wanted = [
        row for row in every
        if SEVERITIES.index(row.severity) >= least and row.last_time >= since
        and (not args.kind or row.kind == args.kind) and (not args.identity or row.concerns(args.identity))
    ]  # fmt: skip
    wanted = [row for row in wanted if row.kind != "posture" or args.all or args.identity or args.kind]
    shown = [row for row in wanted if args.all or (row.listed and not row.settled)]
    if args.csv:
        printed(_csv(shown), console)
    elif args.json:
        from nhi_watch.hosts.files.inputs import print_json

        print_json([flat(row) for row in shown], console)
    else:
        if shown:
            tell(shown, short_ids(row.id for row in every), console)
        console.print(_count(args, every, wanted, shown), markup=False, soft_wrap=True)
        path = args.out / "run.json"
        told = could_not_tell(find.json_file(path, "counts of a run")) if path.exists() else ""
        if told:
            console.print(told, markup=False, soft_wrap=True)
    return 0


def _count(args: argparse.Namespace, every: Sequence[Row], wanted: Sequence[Row], shown: Sequence[Row]) -> str:
    """How many are shown; of none, what was asked for and how many there are besides."""
    asked = [f"--{name} {getattr(args, name)}" for name in ("severity", "since", "identity", "kind")
             if getattr(args, name)]  # fmt: skip
    count = f"{len(shown):,} notable{'s'[: len(shown) != 1]}" if shown else "No notable in the list"
    fits = f" with {' '.join(asked)}" if asked else ""
    left = len(wanted) - len(shown)
    rest = f"; {left:,} more below the line or settled: --all" if left else ""
    there = sum(row.listed and not row.settled for row in every)
    others = f"; without that there {'is' if there == 1 else 'are'} {there:,}" if asked and not shown else ""
    return visible(f"{count}{fits}{others}{rest}.", 500)


def rows(out: Path) -> list[Row]:
    """What the folder's files hold: the list, what is below the line, and posture's findings.

    Raises:
        InputError: there are none, or a line is damaged: it is named.
    """
    paths = [out / "notables.jsonl", out / common.BELOW, out / "posture.jsonl"]
    if not paths[0].exists() and not paths[2].exists():
        raise InputError(f"{paths[0]}: not there; run `nhi score` first, or give its folder with --out")
    return [row for path in paths if path.exists() for row in _read(path)]


def _read(path: Path) -> Iterator[Row]:
    decode, number = msgspec.json.Decoder(Row).decode, 0
    try:
        with path.open("rb") as file:
            for line in file:
                number += 1
                yield decode(line)
    except msgspec.MsgspecError as error:
        raise InputError(f"{path}:{number}: no notable of this version ({error}); score again") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def judged(args: argparse.Namespace, found: list[Row]) -> list[Row]:
    """The rows with the verdicts that people have given since; without a state there are none."""
    if not found or not Path(args.state or args.out / "state.sqlite").is_file():
        return found
    with common.opened(args, read_only=True) as store:
        if next(iter(store.scan("ledger", "verdict/", "verdict0")), None) is None:
            return found
        from nhi_watch.detect import feedback  # here: it takes longer than all else that is done

        held = feedback.standing(feedback.verdicts(store))
    for row in found:
        verdict = held.get(row.id)
        row.verdict = verdict.verdict if verdict else ""
    return found


def flat(row: Row) -> dict[str, Any]:
    """A row by COLUMNS."""
    told = {
        "identity": row.identity.name or row.identity.id, "identity_id": row.identity.id,
        "account": row.identity.account, "owner": row.identity.owner,
    }  # fmt: skip
    return {name: told[name] if name in told else getattr(row, name) for name in COLUMNS}


def _csv(shown: Iterable[Row]) -> str:
    """CSV in which no value of a log is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in flat(row).values()] for row in shown)
    return text.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    return f"'{visible(value)}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else visible(value)


_SHORT = {"informational": "info"}


def tell(shown: Sequence[Row], short: Mapping[str, str], console: Console) -> None:
    """Print notables as a table; of two thousand a library's layout would take two seconds."""
    from rich.cells import cell_len, chop_cells
    from rich.text import Text

    rows = [_cells(row, short) for row in shown]
    ends = [_until(row) for row in shown]
    widths = [max(map(len, column)) for column in zip(_HEADS, *(cells for cells, _ in rows))]
    widths[-1] = max(widths[-1], *map(len, ends))
    margin = sum(widths) + 2 * len(widths)
    room = max(console.width - margin, _LEAST)
    lines = []
    for (cells, what), end in zip(rows, ends):
        if cell_len(what) == len(what):
            parts = textwrap.wrap(what, room, break_on_hyphens=False)
        else:  # letters that take two places
            parts = chop_cells(what, room)
        fixed = "".join(cell.rjust(width) + "  " if at in _RIGHT else cell.ljust(width) + "  "
                        for at, (cell, width) in enumerate(zip(cells, widths)))  # fmt: skip
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
_LEAST = 24
"""Letters of a line of what happened, however narrow the terminal is."""


def _cells(row: Row, short: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    from nhi_watch.report.words import KINDS as NAMED
    from nhi_watch.report.words import clock, likely

    kind = "" if row.kind == "compromise" else f"{NAMED[row.kind]}: "
    kind = "" if row.title.startswith(kind) else kind
    said = row.verdict or (row.closed_why if row.settled else "" if row.listed else "below the line")
    what = visible(f"{kind}{row.title}", 200) + (f" ({visible(said, 60)})" if said else "")
    rank = "" if row.kind == "posture" else str(row.rank)
    severity = _SHORT.get(row.severity, row.severity)
    return (rank, short[row.id], likely(row.likelihood), severity, clock(row.first_time)), what


def _until(row: Row) -> str:
    """Below when the first odd call was: when the last one was; its day only where it is another one."""
    from nhi_watch.report.words import clock

    first, last = clock(row.first_time), clock(row.last_time)
    return "" if first == last else f"to {last if first[:10] != last[:10] else last[11:]}"


def printed(text: str, console: Console) -> None:
    """Print much text as it is."""
    console.file.write(text.encode(console.encoding, "replace").decode(console.encoding))
