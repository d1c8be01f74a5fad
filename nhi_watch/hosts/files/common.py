"""What the desk's commands share: the state, the tables, times, and the folder of results."""

from __future__ import annotations

import argparse
import json
import math
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from nhi_watch.context.assets import NO_ASSETS, Assets, load
from nhi_watch.core import timestamps
from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.files import trust
from nhi_watch.report.words import visible

if TYPE_CHECKING:
    from rich.console import Console

    from nhi_watch.state.sqlite import SqliteStore
    from nhi_watch.state.store import Rows

OUT = Path("nhi-out")
LISTED, BELOW = "notables.jsonl", "below.jsonl"
"""Notables not listed, ranked after those of `notables.jsonl`."""
POLICY = "response_policy.toml"
"""Name of a policy of one's own in the folder of results."""


def add_out(parser: argparse.ArgumentParser) -> None:
    """Arguments of every command."""
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help=f"folder of results (default: {OUT})")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def add_state(parser: argparse.ArgumentParser, assets: bool = True, now: bool = True) -> None:
    """Arguments of every command that reads the state."""
    add_out(parser)
    parser.add_argument("--state", type=Path, metavar="FILE", help="the state file (default: DIR/state.sqlite)")
    if assets:
        parser.add_argument("--assets", type=Path, metavar="CSV", help="identity,criticality,owner,environment,comment")
    if now:
        parser.add_argument(
            "--now",
            metavar="TIME",
            help="evaluate as of this time (default: now; the end of the data where "
            "ages count, or if nothing newer was read in 28 days)",
        )


def add_tables(parser: argparse.ArgumentParser) -> None:
    """The model, and the customer's tables by which events are read."""
    parser.add_argument(
        "--model", type=Path, metavar="DIR", help="folder of another model (default: the one in use, see `nhi model`)"
    )
    parser.add_argument("--networks", type=Path, metavar="CSV", help="your own networks: cidr,owner,kind,comment")
    parser.add_argument(
        "--reputation",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="bad addresses: STIX 2.1, CSV or a list; may be given several times",
    )


def add_ranking(parser: argparse.ArgumentParser) -> None:
    """What decides which notables are listed, and how they are written."""
    parser.add_argument(
        "--budget",
        type=number(0.001, 1000),
        default=10.0,
        metavar="N",
        help="new notables a day per 1,000 identities, over a rolling week (default: 10)",
    )
    parser.add_argument("--assets", type=Path, metavar="CSV", help="identity,criticality,owner,environment,comment")
    parser.add_argument("--ocsf", action="store_true", help="also write notables as OCSF Detection Findings")


def add_trail(parser: argparse.ArgumentParser) -> None:
    """The option that names a trail."""
    parser.add_argument("--audit", type=Path, metavar="FILE", help="audit trail (default: next to the state)")


def state_of(args: argparse.Namespace) -> Path:
    """The file of what was learnt."""
    return Path(args.state or args.out / "state.sqlite")


def print_json(document: Any, console: Console) -> None:
    """One line of JSON, for programs."""
    console.print(json.dumps(document), soft_wrap=True, markup=False, highlight=False)


def say(console: Console, *texts: str) -> None:
    """Print lines, in which no value of a log hides or moves anything."""
    for line in (line for text in texts for line in text.split("\n")):
        console.print(visible(line), markup=False, soft_wrap=True)


def warn(*texts: str) -> None:
    """Say something on standard error."""
    from rich.console import Console

    say(Console(stderr=True, highlight=False), *(f"nhi: {text}" for text in texts))


def answer(args: argparse.Namespace, console: Console, content: Any, *texts: str) -> int:
    """What a command found or did: as JSON where that was asked for, else in words; it ran."""
    if args.json:
        print_json(content, console)
    else:
        say(console, *texts)
    return 0


def show_table(console: Console, heads: Sequence[str], rows: Iterable[Sequence[Any]], **more: Any) -> None:
    """Print a table; a cell is a text of a log, or a `Text` that is harmless already."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(*heads, box=box.SIMPLE_HEAD, pad_edge=False, **more)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(visible(str(cell), 300)) for cell in row))
    console.print(table)


def program() -> str:
    """The program as it was called, for the commands that a person should run next."""
    called = sys.argv[0]
    return "nhi" if Path(called).name != "nhi" or shutil.which("nhi") == called else shlex.quote(called)


def place(out: Path, state: Optional[Path] = None) -> str:
    """The options with which the next command finds the same results and the same state."""
    elsewhere = ("--state", str(state)) if state and state != out / "state.sqlite" else ()
    return shlex.join(("--out", str(out), *elsewhere))


def add_policy(parser: argparse.ArgumentParser) -> None:
    """The option that names a policy."""
    about = f"the policy (default: DIR/{POLICY} where `nhi respond setup` made one, else as shipped)"
    parser.add_argument("--policy", type=Path, metavar="FILE", help=about)


def policy_of(args: argparse.Namespace) -> Optional[Path]:
    """The policy that was named, else the one in the folder of results; None: as shipped."""
    if args.policy:
        return Path(args.policy)
    own: Path = args.out / POLICY
    return own if own.is_file() else None


COPY = "copy"
"""Row of `meta` in a state that `nhi elastic report` copied: where from."""


def demand_own(rows: Rows) -> None:
    """What people say belongs where the next run reads it.

    Raises:
        InputError: the state is a copy.
    """
    copied = rows.get("meta", [COPY]).get(COPY)
    if copied:
        raise InputError(
            f"this state is a copy of {copied.decode()}, which the next `nhi elastic report` replaces: "
            "give verdicts in Kibana, from where `nhi elastic feedback` takes it"
        )


@contextmanager
def opened(
    args: argparse.Namespace, must_exist: bool = True, own: bool = False, read_only: bool = False
) -> Iterator[SqliteStore]:
    """The state's store; what the block put is kept when it ends well. `own`: it must be no copy.

    Raises:
        InputError: there is no state, it is a copy, or somebody else may write it.
        StoreError: it cannot be used.
    """
    from nhi_watch.hosts.codec import use_orjson
    from nhi_watch.state.sqlite import SqliteStore

    use_orjson()
    path = state_of(args)
    if must_exist and not path.is_file():
        raise InputError(f"{path}: no such state; run `nhi score` first, or name one with --state")
    if not must_exist:
        folder(path.parent)
    if not read_only:
        trust.demand_state(path)
    elif why := trust.faults_of_state(path):
        warn(f"{why}: another account may have written what the state holds")
    store = SqliteStore(path, read_only=read_only)
    try:
        if own:
            demand_own(store)
        yield store
        store.commit()
    finally:
        store.close()


def folder(path: Path) -> Path:
    """A folder for results, created if it does not exist.

    Raises:
        InputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot make the folder ({error.strerror})") from error
    return path


def load_assets(path: Optional[Path]) -> Assets:
    """The customer's table, or an empty one."""
    return load(path) if path else NO_ASSETS


def seconds(text: Optional[str], name: str) -> int:
    """A time that a person gave, as seconds; now where none was given.

    Raises:
        InputError: it is no RFC 3339 time.
    """
    if text is None:
        return int(time.time())
    try:
        return timestamps.parse(f"{text}T00:00:00Z" if len(text) == 10 else text)
    except RejectError as error:
        raise InputError(f"{name} {text[:40]!r}: give a time such as 2026-03-02T10:00:00Z or 2026-03-02") from error


LIVE = 28
"""Days for which data are of now: as long as a silent log is expected to speak again."""


def moment(args: argparse.Namespace, end: int) -> tuple[int, str]:
    """As of when a state is scored, and the words for it: now, or the data's end where that is long past.

    `end`: the second after the latest record; 0: there is none.
    """
    now = seconds(args.now, "--now")
    if args.now or not end or now - end < LIVE * timestamps.DAY:
        return now, f"As of {render(now)}{'' if args.now else ', now'}."
    day = render(end - 1)[:10]
    return end, f"As of {day}, the data's end: nothing newer was read in the {LIVE} days before now."


def has_ended(args: argparse.Namespace, now: int) -> bool:
    """Whether `moment` gave a data's end that is long past."""
    return not args.now and seconds(None, "") - now >= LIVE * timestamps.DAY


def whole_number(text: str, low: int, high: int) -> int:
    """A whole number within bounds, of an argument.

    Raises:
        argparse.ArgumentTypeError: it is none.

    >>> whole_number("7", 1, 60)
    7
    """
    if not (text.isdecimal() and len(text) < 10 and low <= int(text) <= high):
        raise argparse.ArgumentTypeError(f"a whole number from {low} to {high}")
    return int(text)


def number(low: float, high: float) -> Callable[[str], float]:
    """Reads a number within bounds, of an argument.

    >>> number(0.1, 60)("0.5")
    0.5
    """

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"a number from {low:g} to {high:g}")
        return value

    return read


def publish(
    out: Path, fresh: Iterable[NotableDocument], replaced: str, state: Optional[Path] = None
) -> list[NotableDocument]:
    """Put notables of one kind into the folder's list and report, in place of those of that kind, and of what they
    stand for; returns the list.

    Raises:
        InputError: the folder's files cannot be read or written.
    """
    from nhi_watch.detect.run import ranked
    from nhi_watch.hosts.files import originals
    from nhi_watch.report import jsonlines, words

    path, fresh, known = out / LISTED, list(fresh), run_of(out)
    parts = {name for notable in fresh if notable["folded"] for name in notable["folded"]["ids"]}
    kept = [n for n in jsonlines.read_any(path) if n["kind"] != replaced and n["id"] not in parts]
    listed = ranked([*kept, *fresh], words.in_work(known))
    below: list[NotableDocument] = [*jsonlines.read_any(out / BELOW)]
    for rank, notable in enumerate(below, len(listed) + 1):
        notable["rank"] = rank
    run = {**known, "notables": len(listed)}
    with originals.of_state(state or out / "state.sqlite") as places:
        events = originals.renew(out, [*listed, *below], places)
    write_lists(out, state, (listed, below), run, events)
    return listed


def write_lists(
    out: Path,
    state: Optional[Path],
    lists: tuple[list[NotableDocument], list[NotableDocument]],
    run: dict[str, Any],
    events: Mapping[str, Any],
) -> None:
    """Write notables.jsonl, below.jsonl and report.html: `lists` are what is listed and what is not listed."""
    from nhi_watch.report import html, jsonlines

    jsonlines.write(out / LISTED, lists[0])
    jsonlines.write(out / BELOW, lists[1])
    with jsonlines.replacing(out / "report.html") as file:
        page = html.render(lists[0], run, lists[1], events, place(out, state))
        file.write(page.encode("utf-8", "replace"))


def run_of(out: Path) -> dict[str, Any]:
    """The counts of the run that filled the folder; without them less is shown."""
    path = out / "run.json"
    return json_file(path, "counts of a run") if path.exists() else {}


def json_file(path: Path, what: str) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        InputError: it cannot be read, or is none.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: no {what} here ({error.strerror})") from error
    except ValueError as error:
        raise InputError(f"{path}: {what} is not valid JSON ({error}); make it again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: {what} is not a JSON object")
    return content
