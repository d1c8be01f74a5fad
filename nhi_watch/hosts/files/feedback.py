"""`nhi feedback`: verdicts on notables, exceptions, and what they did."""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import InputError
from nhi_watch.core.status import RESOLVING
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.files import common, find
from nhi_watch.report import jsonlines

if TYPE_CHECKING:
    from nhi_watch.detect.feedback import Allowed, Verdict
    from nhi_watch.state.store import Rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi feedback` takes."""
    add_verdict(parser)
    common.add_trail(parser)
    common.add_state(parser, assets=False)


def add_verdict(parser: argparse.ArgumentParser, **options: Any) -> None:
    """What names a verdict or an exception, on any host."""
    parser.add_argument(
        "what",
        metavar="ID[,ID]|matching|list|exceptions|routines|import|export",
        help=f"{find.ABOUT}, or several with commas; matching: all that --identity and --title select; "
        "routines: all sensitive routines; or a command",
        **options,
    )
    parser.add_argument(
        "verdict",
        nargs="?",
        metavar="VERDICT|FILE",
        help="confirmed, benign, expected, duplicate, or open (withdrawn); or the file",
    )
    parser.add_argument("--by", metavar="WHO", help="who gives the verdict")
    parser.add_argument("--why", metavar="TEXT", help="the reason")
    parser.add_argument("--identity", metavar="TEXT", help="matching: any part of an identity's name, id or key")
    parser.add_argument("--title", metavar="TEXT", help="matching: any part of a title")
    parser.add_argument("--confirm", metavar="CODE", help="matching: the code of the list that was shown")
    parser.add_argument("--until", metavar="TIME", help="expected: its end")
    parser.add_argument("--of", metavar="ID", help="duplicate: the notable that it repeats")
    parser.add_argument("--signal", metavar="NAME", help="expected: make an exception for this signal of the identity")
    parser.add_argument("--value", metavar="VALUE", help="and this value of it")
    parser.add_argument("--save", action="store_true", help="save the exception after reviewing what it would hide")
    parser.add_argument("--despite-confirmed", action="store_true", help="even if it hides confirmed incidents")


def run(args: argparse.Namespace, console: Console) -> int:
    """Record a verdict or an exception, or show them.

    Raises:
        InputError: what was given is wrong; nothing is recorded then.
    """
    now = common.seconds(args.now, "--now")
    with common.opened(args, own=args.what not in ("list", "exceptions", "export")) as store:
        return act(args, store, console, now)


def act(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    """Do what was asked for on a state; committing is the caller's business.

    Raises:
        InputError: what was given is wrong; nothing is recorded then.
    """
    return _ACTS.get(args.what, _give)(args, store, console, now)


Given = Sequence[tuple[NotableDocument, "Verdict"]]
"""Notables, each with its verdict."""


def _give(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    if args.identity or args.title or args.confirm:
        raise InputError("--identity, --title and --confirm go only with: nhi feedback matching VERDICT")
    names = [name for name in args.what.split(",") if name.strip()]
    if len(names) > 1:
        chosen = {item["id"]: item for item in (find.notable_of(store, name, args.out) for name in names)}
        return _give_all(args, store, console, now, [*chosen.values()])
    notable = find.notable_of(store, args.what, args.out)
    verdict = _verdict(args, notable, now, find.notable_of(store, args.of, args.out)["id"] if args.of else "")
    if args.signal or args.value:
        return _except(args, store, console, notable, verdict)
    _record(args, store, console, [(notable, verdict)])
    offers = _offers(notable) if verdict.verdict == "expected" else ()
    overruled = [*_overruled(store, [verdict])]
    said = [] if overruled else [f"Recorded: {verdict.notable_id} is {verdict.verdict}."]
    more = (*overruled, *_likelier_days([(notable, verdict)]), *_ended(args, [verdict]))
    return common.answer(args, console, to_json(verdict), *said, *more, *offers)


def _overruled(store: Rows, given: Sequence[Verdict]) -> Iterator[str]:
    """Which of the verdicts that were just recorded do not hold, and what does."""
    from nhi_watch.detect import feedback

    standing = feedback.standing(feedback.verdicts(store))
    for verdict in given:
        holds = standing.get(verdict.notable_id)
        is_own = holds is None or (holds.verdict, holds.by, holds.time) == (verdict.verdict, verdict.by, verdict.time)
        if holds is None or is_own:
            continue
        name = f"{holds.verdict}, by {holds.by} of {render(holds.time)[:10]}"
        why = "it is later" if holds.time > verdict.time else f"only {holds.by} can withdraw it"
        yield f"Recorded, but another verdict on {verdict.notable_id} holds ({name}): {why}."


def _ended(args: argparse.Namespace, given: Sequence[Verdict]) -> Iterator[str]:
    """That a verdict has ended by the machine's clock, as in a replay of old logs."""
    if getattr(args, "now", None) and any(0 < verdict.until <= time.time() for verdict in given):
        yield f"By this machine's clock it has ended: it holds in runs with `nhi score --now {args.now}` or later."


def _give_all(
    args: argparse.Namespace, store: Rows, console: Console, now: int, notables: Sequence[NotableDocument]
) -> int:
    """Record the same verdict of several notables: of all, or of none."""
    if args.signal or args.value:
        raise InputError("an exception is made from one notable: give one id")
    other = find.notable_of(store, args.of, args.out)["id"] if args.of else ""
    given = [(notable, _verdict(args, notable, now, other)) for notable in notables]
    _record(args, store, console, given)
    document = {"verdicts": [to_json(verdict) for _, verdict in given]}
    verdicts = [verdict for _, verdict in given]
    overruled = [*_overruled(store, verdicts)]
    said = f"Recorded: {len(given) - len(overruled)} notables are {args.verdict}."
    more = (*overruled, *_likelier_days(given), *_ended(args, verdicts))
    return common.answer(args, console, document, said, *more)


def _likelier_days(given: Given) -> Iterator[str]:
    """Which verdicts cover an earlier day that was likelier an intrusion than the one that is shown."""
    for notable, verdict in given:
        earlier = notable["revisions"] if verdict.verdict in RESOLVING else ()
        likelier = (revision for revision in earlier if revision["likelihood"] > notable["likelihood"])
        for likeliest in sorted(likelier, key=lambda revision: -revision["likelihood"])[:1]:
            yield (
                f"{notable['id'][:8]} is {notable['likelihood']:.0f}% likely, and the verdict covers its "
                f"{likeliest['likelihood']:.0f}% of {likeliest['day']} as well: see nhi explain {notable['id'][:8]}."
            )


def _matching(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    """Give a verdict on all listed notables that a filter selects, once the list of them was confirmed.

    Raises:
        InputError: there is no filter, nothing matches, or what matches is not what was confirmed.
    """
    from nhi_watch.detect import publish
    from nhi_watch.hosts.files import listing

    if not (args.identity or args.title):
        raise InputError("nhi feedback matching VERDICT needs --identity or --title")
    every = find.every(store)
    verdicts = find.standing(store, every)
    matching = [
        item
        for item in every
        if publish.is_shown(item)
        and item["id"] not in verdicts
        and (not args.identity or listing.concerns(item, args.identity))
        and (not args.title or args.title.lower() in item["title"].lower())
    ]
    if not matching:
        raise InputError("no listed notable without a verdict matches; see `nhi list`")
    for item in matching:
        _verdict(args, item, now)  # refuses before anything is printed
    code = hashlib.sha256("|".join(sorted(item["id"] for item in matching)).encode()).hexdigest()[:8]
    if args.confirm == code:
        return _give_all(args, store, console, now, matching)
    if args.confirm:
        raise InputError(
            f"--confirm {args.confirm[:20]!r} is not the code of what matches now; run it again without "
            "--confirm, and review the list"
        )
    lines = [
        f"{len(matching)} notables would be {args.verdict}:",
        *(f"  {find.summary_line(item)}" for item in matching),
        f"Nothing is recorded yet; add --confirm {code} to record it for exactly these.",
    ]
    return common.answer(args, console, {"matching": [item["id"] for item in matching], "confirm": code}, *lines)


def _verdict(args: argparse.Namespace, notable: NotableDocument, now: int, other: str = "") -> Verdict:
    from nhi_watch.detect import feedback

    more = {"until": common.seconds(args.until, "--until") if args.until else 0, "duplicate_of": other}
    return feedback.make_verdict(notable, args.verdict or "", args.by or "", args.why or "", now, more)


def _record(args: argparse.Namespace, store: Rows, console: Console, given: Given) -> None:
    from nhi_watch.detect import feedback

    for notable, verdict in given:
        find.about_to(console, f"{verdict.verdict}, by {verdict.by}, of {find.summary_line(notable)}", args.json)
    feedback.put(store, [verdict for _, verdict in given])
    for _, verdict in given:
        find.note(args, "verdict", verdict.by, to_json(verdict))


def _routines(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    """List sensitive routines; with a verdict, record it for all notables that they list.

    Raises:
        InputError: there is no routine.
    """
    from nhi_watch.detect import routines
    from nhi_watch.state.state import State

    every = {notable["id"]: notable for notable in find.every(store)}
    verdicts = find.verdicts(store)
    rows = [
        item
        for item in routines.plain(routines.of(State(store), every.values()))
        if not verdicts.keys() >= set(item["notables"])
    ]  # as reports list them
    if not args.verdict:
        return _show(args, console, {"routines": rows}, ("name", "calls", "days", "places", "since"))
    names = dict.fromkeys(name for routine in rows for name in routine["notables"] if name not in verdicts)
    if not names:
        raise InputError("no sensitive routine without a verdict was found; give an id")
    return _give_all(args, store, console, now, [every[name] for name in names])


def _offers(notable: NotableDocument) -> Iterator[str]:
    """Only this notable is dealt with; an exception is asked for by name."""
    from nhi_watch.detect import feedback

    if notable["kind"] != "compromise":
        yield "It is not listed until then. Its controls stay due: see `nhi controls`, and its --except."
        return
    yield "It may come back. To make an exception for this identity, add --until and --save to one of these:"
    yield from (f"  --signal {signal} --value '{value}'" for signal, value in feedback.choices(notable)[:12])


def _except(args: argparse.Namespace, store: Rows, console: Console, notable: NotableDocument, verdict: Verdict) -> int:
    """Show what an exception would have hidden, and save it where that was asked for."""
    from nhi_watch.detect import feedback

    if not args.signal:
        raise InputError("--value needs --signal")
    allowed = feedback.allow(verdict, notable, args.signal, args.value or "")
    verdicts = feedback.standing(feedback.verdicts(store))
    seen = feedback.preview(allowed, feedback.exceptions(store), find.every(store), verdicts)
    hides = {"confirmed": seen.confirmed, "others": seen.others}
    lines = [
        f"Exception: {allowed.signal} = {allowed.value} of {allowed.identity_id}, until {render(allowed.until)[:10]}"
    ]
    lines += [f"  would have hidden CONFIRMED incident {name}" for name in seen.confirmed]
    lines += [f"  would have hidden {name}" for name in seen.others]
    if not seen.confirmed and not seen.others:
        lines.append("  would have hidden nothing so far: other reasons remain, or nothing matches")
    lines += [] if args.save else ["Nothing is saved yet; add --save to save it."]
    common.answer(args, console, {**plain(allowed), "would_hide": hides, "saved": bool(args.save)}, *lines)
    if not args.save:
        return 0
    if seen.confirmed and not args.despite_confirmed:
        raise InputError(f"the exception would have hidden {len(seen.confirmed)} confirmed incidents; it was not saved")
    find.about_to(console, f"an exception, by {verdict.by}, from {find.summary_line(notable)}", args.json)
    feedback.put(store, [verdict])
    feedback.put_allowed(store, allowed)
    find.note(args, "exception", allowed.by, {**plain(allowed), "hides": [*seen.confirmed, *seen.others]})
    if not args.json:
        common.say(console, f"Saved exception {allowed.id} until {render(allowed.until)[:10]}.")
    return 0


# ---- lists


def _exceptions(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    from nhi_watch.detect import feedback

    allowed = [{**plain(a), "ended": a.until <= now} for a in feedback.exceptions(store)]
    heads = ("id", "signal", "value", "identity_id", "until", "by", "why")
    return _show(args, console, {"exceptions": allowed}, heads)


def _list(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    from nhi_watch.detect import feedback

    verdicts = list(feedback.standing(feedback.verdicts(store)).values())
    hours = feedback.hours_to_decide(verdicts)
    rows = [to_json(v) for v in sorted(verdicts, key=lambda v: (v.verdict != "confirmed", v.time))]
    _show(args, console, {"verdicts": rows, "hours_to_decide": hours}, ("notable_id", "verdict", "by", "time", "why"))
    if not args.json:
        spent = f"{hours or 0:,.1f} h (median; for replayed logs, from the time in the logs)"
        spent = "none yet" if hours is None else spent
        given = common.place(args.out, getattr(args, "state", None))
        common.say(
            console,
            f"Time from notable to decision: {spent}",
            f"`nhi feedback export FILE {given}` writes the verdicts, to import them into another state.",
        )
    return 0


def _show(args: argparse.Namespace, console: Console, document: dict[str, Any], heads: Sequence[str]) -> int:
    name, rows = next(iter(document.items()))
    if args.json or not rows:
        return common.answer(args, console, document, f"No {name} yet.")
    common.show_table(console, heads, ([row[head] for head in heads] for row in rows))
    return 0


def to_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as lists and the audit trail have it."""
    times = {"time": render(verdict.time), "created": render(verdict.created)}
    return {**verdict._asdict(), **times, "until": render(verdict.until) if verdict.until else None}


def plain(exception: Allowed) -> dict[str, Any]:
    """An exception as lists and the audit trail have it."""
    return {**exception._asdict(), "until": render(exception.until), "made": render(exception.made)}


# ---- files


def _import(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    """All lines of the file, or none."""
    from nhi_watch.detect import feedback

    path = Path(args.verdict or "")
    known = {n["id"]: n for n in find.every(store)}
    rows = ((line, {**row, "time": row.get("time") or render(now)}) for line, row in _rows(path))
    verdicts = [feedback.from_plain(row, f"{path}, line {line}", known) for line, row in rows]
    late = next((v for v in verdicts if v.time > now), None)
    if late is not None:
        raise InputError(f"{path}: the verdict on {late.notable_id} was given after now ({render(late.time)})")
    feedback.put(store, verdicts)
    find.note(args, "import", args.by or find.login(), {"file": path.name, "verdicts": [to_json(v) for v in verdicts]})
    return common.answer(args, console, {"imported": len(verdicts)}, f"Imported {len(verdicts)} verdicts from {path}.")


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
        row = json.loads(line)
    except ValueError as error:
        raise InputError(f"{where}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise InputError(f"{where}: no JSON object")
    return row


def _export(args: argparse.Namespace, store: Rows, console: Console, now: int) -> int:
    from nhi_watch.detect import feedback

    if not args.verdict:
        raise InputError("nhi feedback export FILE: name the file, for example verdicts.jsonl")
    given = feedback.standing(feedback.verdicts(store))
    count = jsonlines.write(Path(args.verdict), feedback.export_rows([*given.values()]))
    text = f"Wrote {count} verdicts to {args.verdict} as JSON lines: `nhi feedback import` reads FILE.jsonl."
    return common.answer(args, console, {"exported": count}, text)


_ACTS = {
    "list": _list,
    "matching": _matching,
    "exceptions": _exceptions,
    "routines": _routines,
    "import": _import,
    "export": _export,
}
"""What may be asked for instead of a verdict on one notable."""
