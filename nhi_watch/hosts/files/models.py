"""`nhi model`: show, verify and compare scorecards; switch to another, and go back."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import render
from nhi_watch.detect import model
from nhi_watch.detect.home import MACHINE, Bound, Home
from nhi_watch.detect.model import EDGES, Scorecard, shelf
from nhi_watch.hosts.files import common, find
from nhi_watch.state.baseline import Profile

WHAT = ("show", "verify", "diff", "use", "rollback", "history")
_MOST = 20
WORTH = 0.05
"""Points by which a signal must change to be listed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi model` takes."""
    parser.add_argument("what", choices=WHAT, metavar="|".join(WHAT))
    parser.add_argument("name", nargs="?", metavar="MODEL", help="diff, use: a folder, `shipped`, or the first letters "
                        "of the id or SHA-256 of one that was installed")  # fmt: skip
    parser.add_argument("other", nargs="?", metavar="MODEL", help="diff: the one to compare (default: the one in use)")
    parser.add_argument("--model", type=Path, metavar="DIR", help="show, verify: this one (default: the one in use)")
    parser.add_argument("--by", metavar="WHO", help="use, rollback: who answers for it")
    find.add_trail(parser)
    common.add_state(parser, assets=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Show, compare or switch.

    Raises:
        InputError: no such model, or nothing to go back to.
        ModelError: a model does not match its manifest.
    """
    place = shelf.beside(args.state or args.out / "state.sqlite")
    if args.what in ("use", "rollback"):
        _switch(args, console, place)
    elif args.what == "diff":
        _diff(args, console, place)
    elif args.what == "history":
        _history(args, console, place)
    else:
        _show(args, console, args.model or shelf.in_use(place))
    return 0


def _show(args: argparse.Namespace, console: Console, folder: Path) -> None:
    from nhi_watch.report import explanation

    card = model.load(folder)
    if args.what == "verify":
        told = {"id": card.id, "sha256": card.sha256, "verified": True}
        console.print_json(json.dumps(told)) if args.json else console.print(
            f"{card.id} matches its manifest (SHA-256 {card.sha256}).", soft_wrap=True)  # fmt: skip
    elif args.json:
        console.out((folder / model.MANIFEST).read_text("utf-8"), highlight=False)
    else:
        explanation.show_model(card, console)


def _switch(args: argparse.Namespace, console: Console, place: Path) -> None:
    from nhi_watch.act import audit

    now, by = render(common.seconds(args.now, "--now")), args.by or find.login()
    if args.what == "use":
        if not args.name:
            raise InputError("nhi model use MODEL: which one? `nhi model history` lists those that were installed")
        done = shelf.use(place, shelf.find(place, args.name), now, by)
    else:
        done = shelf.rollback(place, now, by)
    audit.append(find.trail(args), "model", by, {**done._asdict(), "login": find.login()})
    if args.json:
        console.print_json(json.dumps(done._asdict()))
        return
    console.print(f"From now on nhi score uses {done.id} (SHA-256 {done.sha256[:16]}…).", markup=False)


def _history(args: argparse.Namespace, console: Console, place: Path) -> None:
    told = [switch._asdict() for switch in shelf.history(place)]
    if args.json:
        console.print_json(json.dumps({"history": told, "in_use": model.load(shelf.in_use(place)).sha256}))
        return
    table = Table("time", "what", "model", "SHA-256", "by", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in told:
        table.add_row(*(Text(str(row[name])[:40]) for name in ("time", "what", "id", "sha256", "by")))
    console.print(table if told else "No model was installed yet: the one that ships is in use.")


# ---- comparing


class Changed(NamedTuple):
    """One episode whose score would be another."""

    identity: str
    day: str
    old: float
    new: float


def _diff(args: argparse.Namespace, console: Console, place: Path) -> None:
    if not args.name:
        raise InputError("nhi model diff MODEL [MODEL]: name the one to compare with the one in use")
    new = model.load(shelf.find(place, args.name))
    old = model.load(shelf.find(place, args.other) if args.other else shelf.in_use(place))
    path = args.state or args.out / "state.sqlite"
    told = compared(old, new)
    if path.is_file():
        with common.opened(args) as store:
            told.update(on_episodes(old, new, store))
    console.print_json(json.dumps(told)) if args.json else _tell(told, console)


def compared(old: Scorecard, new: Scorecard) -> dict[str, Any]:
    """Which signals' points changed where the world's habits hold, and by how much at most: new less old."""
    names = [*old.signals, *(name for name in new.signals if name not in old.signals)]
    before, after = (_away(card.aligned(tuple(names))) for card in (old, new))
    changed = [{"signal": name, **_shift((old, before), (new, after), at)} for at, name in enumerate(names)]
    return {
        "old": old.id, "new": new.id,
        "signals": sorted((row for row in changed if row["status"] != "same"), key=lambda row: -abs(row["points"])),
        "calibration": {"slope": [old.slope, new.slope], "offset": [old.offset, new.offset]},
    }  # fmt: skip


def _away(card: Scorecard) -> Home:
    """What signals are worth in a tenant of which nothing is known but its age."""
    return Home(card, Profile(), card.ages[-1])


def _shift(old: tuple[Scorecard, Home], new: tuple[Scorecard, Home], at: int) -> dict[str, Any]:
    name = new[1].card.signals[at]
    if name not in old[0].signals or name not in new[0].signals:
        return {"status": "added" if name in new[0].signals else "removed", "points": 0.0, "at": None}
    shifts = [(after - before, edge) for before, after, edge in zip(old[1].points(at), new[1].points(at), EDGES)]
    most, edge = max(shifts, key=lambda pair: abs(pair[0]))
    return {"status": "changed" if abs(most) >= WORTH else "same", "points": round(most, 4), "at": edge}


def on_episodes(old: Scorecard, new: Scorecard, store: Any) -> dict[str, Any]:
    """On which stored episodes the score changes, and which would begin or cease to be worth a look."""
    from nhi_watch.detect.ranking import FLOOR

    found = list(_episodes(old, new, store))
    changed = sorted((c for c in found if c.old != c.new), key=lambda c: (-abs(c.new - c.old), c.day, c.identity))
    return {
        "episodes": len(found), "changed": len(changed),
        "over_the_floor": sum(c.old < FLOOR <= c.new for c in changed),
        "under_the_floor": sum(c.new < FLOOR <= c.old for c in changed),
        "most": [c._asdict() for c in changed[:_MOST]],
    }  # fmt: skip


def _episodes(old: Scorecard, new: Scorecard, store: Any) -> Iterator[Changed]:
    """All stored episodes, weighed by both models under today's habits."""
    from nhi_watch.core.timestamps import render_day
    from nhi_watch.detect import signal_values
    from nhi_watch.detect.scoring import Baselines
    from nhi_watch.state.state import State

    state = State(store)
    today = state.next_open_day()
    homes = [Baselines.of(card, state.groups_on(today)).homes(today)[MACHINE] for card in (old, new)]
    for day, stored in state.every_judged():
        told = signal_values.unpack(stored.values)
        if stored.ranked.eligible and told is not None:
            values = signal_values.row(told)
            scores = (home.card.score(Bound(home, Profile()).total(values)) for home in homes)
            yield Changed(stored.ranked.identity_id, render_day(day), *scores)


def _tell(told: dict[str, Any], console: Console) -> None:
    from nhi_watch.report.words import visible

    console.print(f"{told['old']} → {told['new']}: {len(told['signals'])} signals changed",
                  markup=False)  # fmt: skip
    table = Table("signal", "", "points, new less old", "most above value", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in told["signals"]:
        at = "" if row["at"] is None else f"{row['at']:g}"
        table.add_row(row["signal"], row["status"], f"{row['points']:+.2f}", at)
    console.print(table)
    if "episodes" not in told:
        console.print("No state here: name one with --state to see on which stored episodes the score changes.")
        return
    rise, fall = told["over_the_floor"], told["under_the_floor"]
    console.print(f"Of {told['episodes']:,} stored episodes {told['changed']:,} score otherwise: "
                  f"{rise:,} rise over the floor, {fall:,} fall under it.")  # fmt: skip
    for row in told["most"]:
        console.print(visible(f"  {row['day']} {row['old']:5.1f} → {row['new']:5.1f}  {row['identity']}", 160),
                      markup=False, soft_wrap=True)  # fmt: skip
