"""`nhi feedback`: verdicts on notables, exceptions, and what they did."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.files import common, find

if TYPE_CHECKING:
    from nhi_watch.detect.feedback import Allowed, Preview, Verdict
    from nhi_watch.state.store import Rows

_LISTS = ("list", "exceptions", "import", "export")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi feedback` takes."""
    parser.add_argument("what", metavar="ID|list|exceptions|routines|import|export",
                        help=f"{find.ABOUT}; or what to do; routines: of all sensitive routines")  # fmt: skip
    parser.add_argument("verdict", nargs="?", metavar="VERDICT|FILE",
                        help="confirmed, benign, expected, duplicate, or open (taken back); or the file")  # fmt: skip
    parser.add_argument("--by", metavar="WHO", help="who answers for it")
    parser.add_argument("--why", metavar="TEXT", help="the reason")
    parser.add_argument("--until", metavar="TIME", help="expected: until when")
    parser.add_argument("--of", metavar="ID", help="duplicate: of which notable")
    parser.add_argument("--signal", metavar="NAME", help="expected: make an exception for this signal of the identity")
    parser.add_argument("--value", metavar="VALUE", help="and this value of it")
    parser.add_argument("--save", action="store_true", help="save the exception after a look at what it would hide")
    parser.add_argument("--despite-confirmed", action="store_true", help="even if it hides confirmed incidents")
    find.add_trail(parser)
    common.add_state(parser, assets=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Record a verdict or an exception, or show them.

    Raises:
        InputError: what was given is wrong; nothing is recorded then.
    """
    now = common.seconds(args.now, "--now")
    with common.opened(args, own=args.what == "import" or args.what not in _LISTS) as store:
        if args.what == "import":
            return _import(args, store, console, now)
        if args.what == "export":
            return _export(args, store, console)
        if args.what == "routines":
            return _judge_routines(args, store, console, now)
        if args.what in _LISTS:
            _show(args, store, console, now)
            return 0
        return _judge(args, store, console, now)


def _judge(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    from nhi_watch.act import audit
    from nhi_watch.detect import feedback

    notable = find.one(store, args.what, args.out)
    other = find.one(store, args.of, args.out)["id"] if args.of else ""
    until = common.seconds(args.until, "--until") if args.until else 0
    more = {"until": until, "duplicate_of": other}
    verdict = feedback.judge(notable, args.verdict or "", args.by or "", args.why or "", now, more)
    if args.signal or args.value:
        return _except(args, store, console, (notable, verdict))
    find.about_to(console, f"{verdict.verdict}, by {verdict.by}, of {find.told(notable)}", args.json)
    feedback.put(store, [verdict])
    audit.append(find.trail(args), "verdict", verdict.by, {**_told(verdict), "login": find.login()})
    if args.json:
        console.print_json(json.dumps(_told(verdict)))
        return 0
    console.print(f"Recorded: {verdict.notable_id} is {verdict.verdict}.", markup=False)
    if verdict.verdict == "expected":
        _offer(console, notable)
    return 0


def _judge_routines(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    """One verdict for all notables that were closed because they told of a routine alone; without one, list routines.

    Raises:
        InputError: there is none that was closed so.
    """
    from nhi_watch.act import audit
    from nhi_watch.core.life import is_routine
    from nhi_watch.detect import feedback, lives
    from nhi_watch.state.state import State

    every = find.every(store)
    notables = [notable for notable in every if is_routine(notable)]
    if not args.verdict:
        told = lives.told_of(lives.routines(State(store), every))
        _print(args, console, {"routines": told}, ("name", "calls", "days", "places", "since"))
        return 0
    if not notables:
        raise InputError("no notable was closed as a routine, so nothing is to be judged at once; judge one by its id")
    more = {"until": common.seconds(args.until, "--until") if args.until else 0}
    given = [feedback.judge(one, args.verdict, args.by or "", args.why or "", now, more) for one in notables]
    for notable in notables:
        find.about_to(console, f"{args.verdict}, by {args.by}, of {find.told(notable)}", args.json)
    feedback.put(store, given)
    for verdict in given:
        audit.append(find.trail(args), "verdict", verdict.by, {**_told(verdict), "login": find.login()})
    if args.json:
        console.print_json(json.dumps({"verdicts": [_told(verdict) for verdict in given]}))
    else:
        console.print(f"Recorded: {len(given)} sensitive routines are {args.verdict}.", markup=False)
    return 0


def _offer(console: Console, notable: dict[str, Any]) -> None:
    """Only this notable is dealt with; an exception is asked for by name."""
    from nhi_watch.detect import feedback
    from nhi_watch.report.words import visible

    if notable["kind"] != "compromise":
        console.print("It is left out until then. Its controls stay due: see `nhi controls`, and --except there.")
        return
    console.print("The same may come again. An exception for this identity would be one of, with --until and --save:")
    for signal, value in feedback.choices(notable)[:12]:
        console.print(visible(f"  --signal {signal} --value '{value}'"), markup=False, soft_wrap=True)


def _except(
    args: argparse.Namespace, store: Rows, console: Console, about: tuple[dict[str, Any], Verdict]
) -> int:
    from nhi_watch.act import audit
    from nhi_watch.detect import feedback

    notable, verdict = about
    exception = feedback.allow(verdict, notable, args.signal or "", args.value or "")
    held = feedback.standing(feedback.verdicts(store))
    seen = feedback.preview(exception, feedback.exceptions(store), find.every(store), held)
    _preview(args, console, exception, seen)
    if not args.save:
        return 0
    if seen.confirmed and not args.despite_confirmed:
        raise InputError(f"the exception would have hidden {len(seen.confirmed)} confirmed incidents; it is not saved")
    find.about_to(console, f"an exception, by {verdict.by}, made of {find.told(notable)}", args.json)
    feedback.put(store, [verdict])
    feedback.put_allowed(store, exception)
    facts = {**_plain(exception), "hides": [*seen.confirmed, *seen.others], "login": find.login()}
    audit.append(find.trail(args), "exception", exception.by, facts)
    if not args.json:
        console.print(f"Saved exception {exception.id} until {render(exception.until)[:10]}.", markup=False)
    return 0


def _preview(args: argparse.Namespace, console: Console, exception: Allowed, seen: Preview) -> None:
    from nhi_watch.report.words import visible

    if args.json:
        hides = {"confirmed": seen.confirmed, "others": seen.others}
        console.print_json(json.dumps({**_plain(exception), "would_hide": hides, "saved": bool(args.save)}))
        return
    what = f"{exception.signal} = {exception.value} of {exception.identity_id}"
    console.print(visible(f"Exception: {what}, until {render(exception.until)[:10]}"), markup=False, soft_wrap=True)
    for name in seen.confirmed:
        console.print(f"  would have hidden CONFIRMED incident {name}", markup=False)
    for name in seen.others:
        console.print(f"  would have hidden {name}", markup=False)
    if not seen.confirmed and not seen.others:
        console.print("  would have hidden nothing so far: other reasons remain, or nothing like it was found")
    if not args.save:
        console.print("Nothing is saved yet; add --save to save it.")


# ---- lists


def _show(args: argparse.Namespace, store: Rows, console: Console, now: int) -> None:
    from nhi_watch.detect import feedback

    if args.what == "exceptions":
        allowed = [{**_plain(a), "ended": a.until <= now} for a in feedback.exceptions(store)]
        _print(args, console, {"exceptions": allowed}, ("id", "signal", "value", "identity_id", "until", "by", "why"))
        return
    held = list(feedback.standing(feedback.verdicts(store)).values())
    summary = {
        "verdicts": [_told(v) for v in sorted(held, key=lambda v: (v.verdict != "confirmed", v.time))],
        "hours_to_decide": feedback.hours_to_decide(held),
    }  # fmt: skip
    _print(args, console, summary, ("notable_id", "verdict", "by", "time", "why"))
    if not args.json:
        _sum_up(console, summary)


def _sum_up(console: Console, summary: dict[str, Any]) -> None:
    hours = summary["hours_to_decide"]
    spent = "none yet" if hours is None else f"{hours:,.1f} h (median; of replayed logs it counts from their own time)"
    console.print(f"Time from notable to decision: {spent}", soft_wrap=True)
    console.print("`nhi feedback export FILE` writes the verdicts for another state.", soft_wrap=True)


def _print(args: argparse.Namespace, console: Console, told: dict[str, Any], columns: Sequence[str]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from nhi_watch.report.words import visible

    if args.json:
        console.print_json(json.dumps(told))
        return
    rows = next(iter(told.values()))
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(visible(str(row[name]), 120)) for name in columns))
    console.print(table if rows else f"No {next(iter(told))} yet.")


def _told(verdict: Verdict) -> dict[str, Any]:
    times = {"time": render(verdict.time), "created": render(verdict.created)}
    return {**verdict._asdict(), **times, "until": render(verdict.until) if verdict.until else None}


def _plain(exception: Allowed) -> dict[str, Any]:
    return {**exception._asdict(), "until": render(exception.until), "made": render(exception.made)}


# ---- files


def _import(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    """All lines of the file, or none."""
    from nhi_watch.act import audit
    from nhi_watch.detect import feedback

    path = Path(args.verdict or "")
    known = {n["id"]: n for n in find.every(store)}
    rows = ((line, {**row, "time": row.get("time") or render(now)}) for line, row in _rows(path))
    found = [feedback.from_plain(row, f"{path}, line {line}", known) for line, row in rows]
    late = next((v for v in found if v.time > now), None)
    if late is not None:
        raise InputError(f"{path}: the verdict on {late.notable_id} was given after now ({render(late.time)})")
    feedback.put(store, found)
    facts = {"file": path.name, "verdicts": [_told(v) for v in found], "login": find.login()}
    audit.append(find.trail(args), "import", args.by or find.login(), facts)
    console.print_json(json.dumps({"imported": len(found)})) if args.json else console.print(
        f"Imported {len(found)} verdicts from {path}.", markup=False
    )
    return 0


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, row) of a CSV or JSON-lines file."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            if path.suffix == ".csv":
                reader = csv.DictReader(file)
                yield from ((reader.line_num, dict(row)) for row in reader)
                return
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _object(line, f"{path}, line {number}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read ({error}); give .jsonl, or the .csv of nhi_feedback") from error


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        row: Optional[Any] = json.loads(line)
    except ValueError as error:
        raise InputError(f"{where}: no JSON ({error})") from error
    if not isinstance(row, dict):
        raise InputError(f"{where}: no JSON object")
    return row


def _export(args: argparse.Namespace, store: Rows, console: Console) -> int:
    from nhi_watch.detect import feedback
    from nhi_watch.report import jsonlines

    if not args.verdict:
        raise InputError("nhi feedback export FILE: name the file, for example verdicts.jsonl")
    given = feedback.standing(feedback.verdicts(store))
    count = jsonlines.write(Path(args.verdict), feedback.export_rows([*given.values()]))
    if args.json:
        console.print_json(json.dumps({"exported": count}))
    else:
        told = f"Wrote {count} verdicts to {args.verdict} as JSON lines: `nhi feedback import` reads FILE.jsonl."
        console.print(told, markup=False, soft_wrap=True)
    return 0
