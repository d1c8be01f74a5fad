"""`nhi health`: which logs are silent, which fields are missing, what drifted, and whether the model is whole."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from nhi_watch.core.timestamps import DAY, HOUR, render
from nhi_watch.detect.health import (
    ERROR,
    OK,
    PROBLEMS,
    STALE_DAYS,
    STATUSES,
    UNKNOWN,
    WARN,
    Check,
    check,
    fields_check,
    model_check,
    parsing_check,
    questions,
    to_json,
    worst,
)
from nhi_watch.hosts.files import common

if TYPE_CHECKING:
    from nhi_watch.detect.drift import Moved
    from nhi_watch.state.store import Rows

_MOST = 8
ASKED = ("source", "fields", "history", "model", "drift", "blind spot", "parsing", "late")
_STOPPED = f"no log was read in the last {common.LIVE} days; everything else is as of the end of the data"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi health` takes."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"It asks:\n{questions(ASKED)}"
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
        stopped = [check("source", ERROR, _STOPPED, "all")] if common.has_ended(args, now) else []
        listing = [*stopped, *checks(rows, args.model or model.FOLDER, now)]
    listing.sort(key=lambda each: STATUSES.index(each.status))
    listing += _of_run(common.run_of(args.out))
    shown = [each for each in listing if each.status in PROBLEMS] if args.problems else listing
    if args.json:
        plain = [to_json(each) for each in shown]
        common.print_json({"now": render(now), "status": worst(listing), "checks": plain}, console)
        return 0
    common.say(console, as_of, *([] if shown else ["Nothing needs attention."]))
    styles = {"error": "bold red", "warn": "yellow"}
    common.show_table(
        console,
        ("status", "check", "about", ""),
        ((Text(each.status, styles.get(each.status, "")), each.name, each.about, each.advice) for each in shown),
    )
    return 0


def _end(rows: Rows) -> int:
    """The end of the data's last day; 0: there is none."""
    from nhi_watch.state.state import State

    return max(((day + 1) * DAY for day in State(rows).daybook.days), default=0)


def checks(rows: Rows, folder: Path, now: int) -> list[Check]:
    """Everything that the state shows, as of a moment."""
    from nhi_watch.state.state import State

    state = State(rows)
    return [*_logs(rows, state, now), _baseline(state, now), *_model(rows, state, folder), *_blind(rows, now)]


def _logs(rows: Rows, state: Any, now: int) -> Iterator[Check]:
    from nhi_watch.detect.telemetry import NEEDS, WINDOW, Rhythms, standing

    days = state.daybook.between(now // DAY - WINDOW, now // DAY + 1)
    streams = standing(Rhythms(rows).days(days), now)
    if not streams:
        yield check("source", ERROR, f"no log was read in the {WINDOW} days before {render(now)}", "all")
    for stream in streams:
        about = f"{stream.stream.provider} {stream.stream.account}".strip()
        text = f"last event before {render(stream.last)}, silent for {stream.silent // HOUR} h"
        text += f", longest pause {stream.pause // HOUR} h"
        text += f", {stream.events_a_day:,.0f} events a day"
        yield check("source", ERROR if stream.is_silent else OK, text, about)
        lacking = [name for name in stream.missing if name != "credential"]
        if lacking:
            yield fields_check(about, lacking, NEEDS)


def _baseline(state: Any, now: int) -> Check:
    days = state.daybook.between(0, now // DAY + 1)
    if len(days) < 2:
        return check("history", WARN, "there is no history yet: every place and tool is new")
    age = now // DAY - days[-1]
    text = f"{len(days)} days with records, the last {render(days[-1] * DAY)[:10]}"
    is_old = age > STALE_DAYS
    return check("history", WARN if is_old else OK, f"{text}{', old' * is_old}")


def _model(rows: Rows, state: Any, folder: Path) -> Iterator[Check]:
    from nhi_watch.core.errors import ModelError
    from nhi_watch.detect import drift, model

    try:
        the_model = model.load(folder)
        reference = drift.reference(folder, the_model.sha256)
    except ModelError as error:
        yield check("model", ERROR, str(error), remedy="")
        return
    yield model_check(the_model.id, the_model.sha256)
    report = drift.report(rows, state.daybook.closed_days, reference)
    yield _moved("since training", report.since_training)
    yield _moved("since the week before", report.since_last_week)
    for name, (before, now) in report.cannot_tell.items():
        text = f"cannot tell on {now:.0%} of identity days, the week before on {before:.0%}"
        yield check("drift", WARN, text, name)


def _moved(about: str, moved: tuple[Moved, ...] | None) -> Check:
    if moved is None:
        return check("drift", UNKNOWN, "not enough to compare yet", about)
    far = [each for each in moved if each.status != "ok"]
    names = ", ".join(f"{each.name} {each.shift:.2f}" for each in far[:_MOST])
    more = f" and {len(far) - _MOST} more" if len(far) > _MOST else ""
    if not far:
        return check("drift", OK, "distributed as before", about)
    return check("drift", WARN, f"population stability index over 0.1: {names}{more}", about, _MEANS[about])


_MEANS = {
    "since training": "ordinary days here differ from those of training: trust the order more than the likelihood",
    "since the week before": "something changed in this tenant: a new log, fewer fields, or how machines work",
}


def _blind(rows: Rows, now: int) -> Iterator[Check]:
    """The blind spots of the last week."""
    from nhi_watch.detect import blind_spots

    recent = [n for n in blind_spots.stored(rows) if n["last_time"] >= render(max(0, now - 7 * DAY))]
    for notable in recent[-_MOST:]:
        yield check("blind spot", WARN, notable["title"], notable["identity"]["provider"])


def _of_run(run: Mapping[str, Any]) -> Iterator[Check]:
    """What the latest run could not read."""
    from nhi_watch.core.errors import OUT_OF_SCOPE

    if not run:
        return
    bad = {reason: n for reason, n in (run.get("rejected") or {}).items() if reason not in OUT_OF_SCOPE}
    unread = sum(bad.values())
    details = ", ".join(f"{n:,} {reason}" for reason, n in sorted(bad.items()))
    yield parsing_check(unread, max(0, run.get("read", 0) - unread), details)
    if run.get("too_late"):
        yield check("late", WARN, f"{run['too_late']:,} records arrived after their day was closed")
