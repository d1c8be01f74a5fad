"""`nhi health`: which logs are silent, which fields are missing, what drifted, and whether the model is whole."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from nhi_watch.core.timestamps import DAY, HOUR, render
from nhi_watch.hosts.files import common

if TYPE_CHECKING:
    from nhi_watch.detect.drift import Moved
    from nhi_watch.state.store import Rows

Row = dict[str, Any]
STATUS = ("error", "warn", "unknown", "ok")
_STALE_DAYS = 2
_MOST = 8
_STOPPED = f"no log was read in the last {common.LIVE} days; everything else is as of the end of the data"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi health` takes."""
    parser.add_argument("--model", type=Path, metavar="DIR", help="the model (default: the one in use)")
    parser.add_argument("--problems", action="store_true", help="show only what needs attention")
    common.add_state(parser, assets=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Look at the state as of now.

    Raises:
        InputError: there is no state.
    """
    from nhi_watch.detect import model

    with common.opened(args) as rows:
        now, as_of = common.moment(args, _end(rows))
        stopped = [row("log", "all", "error", _STOPPED)] if common.has_ended(args, now) else []
        listing = [*stopped, *checks(rows, args.model or model.FOLDER, now)]
    listing.sort(key=lambda row: STATUS.index(row["status"]))
    listing += _of_run(common.run_of(args.out))
    shown = [row for row in listing if row["status"] in ("error", "warn")] if args.problems else listing
    if args.json:
        common.print_json({"now": render(now), "status": _worst(listing), "checks": shown}, console)
        return 0
    common.say(console, as_of, *([] if shown else ["Nothing needs attention."]))
    styles = {"error": "bold red", "warn": "yellow"}
    common.show_table(
        console,
        ("status", "check", "about", ""),
        (
            (Text(check["status"], styles.get(check["status"], "")), check["check"], check["about"], check["text"])
            for check in shown
        ),
    )
    return 0


def _end(rows: Rows) -> int:
    """The end of the data's last day; 0: there is none."""
    from nhi_watch.state.state import State

    return max(((day + 1) * DAY for day in State(rows).daybook.days), default=0)


def _worst(checks: list[Row]) -> str:
    statuses = {row["status"] for row in checks}
    return next((status for status in ("error", "warn") if status in statuses), "ok")


def row(check: str, about: str, status: str, text: str) -> Row:
    """One check."""
    return {"check": check, "about": about, "status": status, "text": text}


def checks(rows: Rows, folder: Path, now: int) -> list[Row]:
    """Everything that the state tells, as of a moment."""
    from nhi_watch.state.state import State

    state = State(rows)
    return [*_logs(rows, state, now), _baseline(state, now), *_model(rows, state, folder), *_blind(rows, now)]


def _logs(rows: Rows, state: Any, now: int) -> Iterator[Row]:
    from nhi_watch.detect.telemetry import WINDOW, Rhythms, standing

    days = state.daybook.between(now // DAY - WINDOW, now // DAY + 1)
    streams = standing(Rhythms(rows).days(days), now)
    if not streams:
        yield row("log", "all", "error", f"no log was read in the {WINDOW} days before {render(now)}")
    for stream in streams:
        about = f"{stream.stream.provider} {stream.stream.account}".strip()
        text = f"last event before {render(stream.last)}, silent for {stream.silent // HOUR} h"
        text += f", longest pause {stream.pause // HOUR} h"
        status, more = ("error", "; check its collection") if stream.is_silent else ("ok", "")
        yield row("log", about, status, f"{text}, {stream.events_a_day:,.0f} events a day{more}")
        yield from _fields(about, [name for name in stream.missing if name != "credential"])


def _fields(about: str, missing: list[str]) -> Iterator[Row]:
    from nhi_watch.detect.telemetry import NEEDS

    if missing:
        lost = [signal for name in missing for signal in NEEDS[name]]
        text = f"no event of its last day has {', '.join(missing)}: {len(lost)} signals cannot tell: {', '.join(lost)}"
        yield row("fields", about, "warn", text)


def _baseline(state: Any, now: int) -> Row:
    days = state.daybook.between(0, now // DAY + 1)
    if len(days) < 2:
        return row("baseline", "", "warn", "there is no history yet: every place and tool is new")
    age = now // DAY - days[-1]
    text = f"{len(days)} days with records, the last {render(days[-1] * DAY)[:10]}"
    return row("baseline", "", "warn" if age > _STALE_DAYS else "ok", f"{text}{', old' if age > _STALE_DAYS else ''}")


def _model(rows: Rows, state: Any, folder: Path) -> Iterator[Row]:
    from nhi_watch.core.errors import ModelError
    from nhi_watch.detect import drift, model

    try:
        the_model = model.load(folder)
        reference = drift.reference(folder, the_model.sha256)
    except ModelError as error:
        yield row("model", "", "error", str(error))
        return
    yield row("model", the_model.id, "ok", f"matches its manifest, SHA-256 {the_model.sha256[:16]}…")
    report = drift.report(rows, state.daybook.closed_days, reference)
    yield _moved("since training", report.since_training)
    yield _moved("since the week before", report.since_last_week)
    for name, (before, now) in report.cannot_tell.items():
        yield row("drift", name, "warn", f"cannot tell on {now:.0%} of identity days, the week before on {before:.0%}")


def _moved(about: str, moved: tuple[Moved, ...] | None) -> Row:
    if moved is None:
        return row("drift", about, "unknown", "not enough to compare yet")
    far = [each for each in moved if each.status != "ok"]
    names = ", ".join(f"{each.name} {each.shift:.2f}" for each in far[:_MOST])
    more = f" and {len(far) - _MOST} more" if len(far) > _MOST else ""
    text = f"population stability index over 0.1: {names}{more}; {_MEANS[about]}" if far else "distributed as before"
    return row("drift", about, "warn" if far else "ok", text)


_MEANS = {
    "since training": "ordinary days here differ from those of training: trust the order more than the likelihood",
    "since the week before": "something changed in this tenant: a new log, fewer fields, or how machines work",
}


def _blind(rows: Rows, now: int) -> Iterator[Row]:
    """The blind spots of the last week."""
    from nhi_watch.detect import blind_spots

    recent = [n for n in blind_spots.stored(rows) if n["last_time"] >= render(max(0, now - 7 * DAY))]
    for notable in recent[-_MOST:]:
        yield row("blind spot", notable["identity"]["provider"], "warn", notable["title"])


def _of_run(run: Row) -> Iterator[Row]:
    """What the latest run could not read."""
    from nhi_watch.core.errors import OUT_OF_SCOPE

    if not run:
        return
    bad = {reason: n for reason, n in (run.get("rejected") or {}).items() if reason not in OUT_OF_SCOPE}
    share = sum(bad.values()) / max(1, run.get("read", 0))
    reasons_text = ", ".join(f"{n:,} {reason}" for reason, n in sorted(bad.items()))
    text = f"{share:.1%} of the latest run's records could not be read{': ' if reasons_text else ''}{reasons_text}"
    yield row("parsing", "", "warn" if share > 0.01 else "ok", text)
    if run.get("too_late"):
        yield row("late", "", "warn", f"{run['too_late']:,} records arrived after their day was closed")
