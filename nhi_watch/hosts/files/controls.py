"""`nhi controls`: the ledger of rotation and reduction, and exceptions that people answer for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import parse, render
from nhi_watch.hosts.files import common, find
from nhi_watch.report.words import visible

if TYPE_CHECKING:
    from nhi_watch.detect.ledger import ControlEntry, Exemption, Owner


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi controls` takes."""
    about = "a control's id, six letters of it or more: record an exception, with --owner, --until and --reason"
    parser.add_argument("--except", dest="exempted", metavar="ID", help=about)
    parser.add_argument("--owner", metavar="WHO", help="only this owner's; with --except: who is responsible for it")
    parser.add_argument("--until", metavar="TIME", help="end of the exception")
    parser.add_argument("--reason", metavar="TEXT", help="the reason")
    common.add_trail(parser)
    common.add_state(parser, assets=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Record an exception if one is given, and list the ledger.

    Raises:
        InputError: the exception or the state is wrong.
    """
    from nhi_watch.detect import history, ledger, publish

    now = common.seconds(args.now, "--now") if args.now else 0  # 0: the data's end
    if args.exempted is None and (args.until or args.reason):
        raise InputError("--until and --reason belong to --except ID")
    with common.opened(args, own=args.exempted is not None) as store:
        full_history = history.read(store)
        asked = (notable for notable in find.every(store) if notable["kind"] != "blind_spot")
        notables = publish.as_of(store, asked, max(now, full_history.now))
        since = {str(notable["id"]): parse(notable["first_time"]) for notable in notables}
        standing = ledger.follow(store, full_history, notables, now)
        tasks = {e.id: ledger.task(e, full_history, since.get(e.notable, e.required)) for e in standing}
        if args.exempted is not None:
            exemption = _exemption(args)
            wanted = find.chosen(args.exempted, [entry.id for entry in standing], {}, "control")
            entry = ledger.exempt(store, wanted, exemption)  # refuses before anything is printed
            find.about_to(
                console,
                f"an exception of {tasks[entry.id]} of {visible(entry.name, 200)} "
                f"(control {entry.id}), until {args.until}, by {args.owner}",
                args.json,
            )
            facts = {
                "control": entry.id,
                "notable": entry.notable,
                "what": entry.control,
                "identity": entry.identity,
                "until": args.until,
                "why": args.reason,
            }
            find.note(args, "control", args.owner, facts)
            standing = ledger.follow(store, full_history, notables, now)
            standing = [e for e in standing if e.id == wanted]
    shown = [e for e in standing if args.exempted is not None or args.owner in (None, e.owner)]
    _show(args, [(e, tasks[e.id]) for e in shown], ledger.by_owner(shown), console)
    return 0


def _exemption(args: argparse.Namespace) -> Exemption:
    from nhi_watch.detect.ledger import Exemption

    given = (("--until", args.until), ("--owner", args.owner), ("--reason", args.reason))
    lacks = " and ".join(name for name, value in given if not (value or "").strip())
    if lacks:
        raise InputError(f"an exception needs {lacks}, so that it has an owner and an end")
    return Exemption(
        args.owner or "", args.reason or "", common.seconds(args.until, "--until"), common.seconds(args.now, "--now")
    )


_ORDER = ("open", "done", "verified", "excepted")


def _show(
    args: argparse.Namespace, standing: Sequence[tuple[ControlEntry, str]], owners: Sequence[Owner], console: Console
) -> None:
    """The entries, each with what it comes to (`ledger.task`), and the owners."""
    if args.json or not standing:
        document = {
            "controls": [{**_plain(e), "task": task} for e, task in standing],
            "owners": [o._asdict() for o in owners],
        }
        common.answer(args, console, document, "No controls: no notable or finding requires any.")
        return
    ordered = sorted(standing, key=lambda item: _rank(item[0]))
    common.show_table(console, ("id", "status", "due", "control and owner"), map(_row, *zip(*ordered)), expand=True)
    heads = ("owner", "open", "overdue", "done", "excepted", "hours to rotate (median)")
    common.show_table(
        console,
        heads,
        (
            (
                o.owner,
                o.open,
                o.overdue,
                o.done,
                o.excepted,
                "none yet" if o.hours_to_rotate is None else f"{o.hours_to_rotate:,.1f}",
            )
            for o in owners
        ),
    )


def _rank(entry: ControlEntry) -> tuple[int, bool, int, str]:
    return _ORDER.index(entry.status), not entry.overdue, entry.due, entry.id


def _plain(entry: ControlEntry) -> dict[str, object]:
    times = {"required": render(entry.required), "due": render(entry.due)}
    done, exemption = render(entry.done) if entry.done else None, entry.exemption
    ends = {"until": render(exemption.until), "made": render(exemption.made)} if exemption else {}
    return {
        **entry._asdict(),
        **times,
        "done": done,
        "exemption": {**exemption._asdict(), **ends} if exemption else None,
    }


def _row(entry: ControlEntry, task: str) -> tuple[object, ...]:
    from rich.text import Text

    what = f"{task}: {entry.name.rsplit('/', 1)[-1]} ({entry.owner or 'no owner'})"
    text = Text(visible(what, 200), "bold").append("\n" + visible(entry.evidence, 300), "dim")
    return entry.id, entry.status, f"{render(entry.due)[:10]}{', overdue' if entry.overdue else ''}", text
