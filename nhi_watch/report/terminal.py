"""The ranked table that a tired analyst reads in ten seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from nhi_watch.core.documents import NotableDocument, TimelineDocument, framework_ids
from nhi_watch.core.notable import MAX_TIMELINE, short_ids
from nhi_watch.core.status import is_resolved, lowers, tells_calls, unusual_calls
from nhi_watch.detect.habits import TenantHabits
from nhi_watch.detect.model import EDGES, Model, percent
from nhi_watch.report import run_summary, words
from nhi_watch.report.words import (
    PARTS,
    clock,
    lasted,
    likely,
    part_of,
    place_of,
    severity_line,
    short_name,
    shown,
    signal_bars,
    sum_of,
    visible,
)
from nhi_watch.state.baseline import Profile

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
_MOST_BACK = 400
"""Characters of why a notable is back that a list shows."""
_FIXED = 42
"""Columns that rank, likelihood, time and the gaps take."""


def show(
    notables: Sequence[NotableDocument], run: Json, console: Console, below: Sequence[NotableDocument] = ()
) -> None:
    """Write the table and one line about the run; colour only where the console has it.

    `below`: what is not listed or settled, where it is to be listed as well.

    A narrow console gets no times; a character that its encoding lacks becomes a question mark.
    """
    short = short_ids(str(notable["id"]) for notable in (*notables, *below))
    for title in PARTS:
        part = [notable for notable in (*notables, *below) if part_of(notable, words.in_work(run)) == title]
        if part:
            console.print(_text(console, f"{title} ({len(part)})", 100, "bold"))
            if title in (words.STILL_OPEN, words.CONFIRMED):
                waiting = words.waiting(part, run)
                ids = {notable["id"] for notable in waiting}
                for notable in part:
                    if notable["id"] not in ids:
                        console.print(_going_on(notable, short[notable["id"]], console, words.handled(notable, run)))
                if waiting:
                    line = words.waiting_line(waiting, words.confirmed(run))
                    console.print(_text(console, line, max(console.width, 2 * _NARROW)))
                console.print()
            else:
                console.print(_table(part, console, short, words.confirmed(run)))
    if notables:
        console.print(_text(console, f"{words.ORDERED}.", 100, "dim"))
        if run_summary.could_not_tell(run):
            console.print(_text(console, run_summary.could_not_tell(run), 500))
    else:
        console.print(_text(console, run_summary.no_notables(run), 1_200))
    routines = run_summary.routines(run)
    if routines:
        console.print(_text(console, f"{run_summary.ROUTINES} ({len(routines)})", 100, "bold"))
        for line in [*routines[:_ROUTINES], run_summary.VERDICT_HINT]:
            console.print(_text(console, f"  {line}", 310))
    summary = run_summary.line(run)
    if summary:
        console.print(_text(console, summary, 500))


def _going_on(notable: NotableDocument, short_id: str, console: Console, said: str) -> Text:
    """What was read before, in a line or two."""
    colour = _COLOURS.get(notable["severity"], "")
    lines = words.going_on(notable, short_id, said, console.width)
    return Text("\n").join(_text(console, line, 500, colour) for line in lines)


def _table(
    notables: Sequence[NotableDocument], console: Console, short: Mapping[str, str], confirmed: Mapping[str, str]
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


def _cells(notable: NotableDocument, short_id: str, console: Console, confirmed: str) -> list[Text]:
    what = _text(console, words.named(notable), 220, "bold")
    what.append("\n")
    said = f"confirmed, by {visible(confirmed, 24)}: " if confirmed else ""
    what.append_text(_text(console, said + _whom(notable), max(console.width - _FIXED, 12), "dim"))
    if words.is_back(notable):
        what.append("\n").append_text(_text(console, notable["since"], _MOST_BACK, "italic"))
    when = Text(clock(shown(notable)[0]))
    for line in lasted(notable):
        when.append(f"\n{line}", "dim")
    sure = f"{words.likely(notable['likelihood'])} {words.short_severity(notable)}".lstrip()
    likelihood_text = _text(console, sure, 16, _COLOURS.get(notable["severity"], ""))
    likelihood_text.append(f"\n{short_id}", "dim")
    if words.all_refused(notable):
        likelihood_text.append("\nall refused", "dim")
    return [Text(str(notable["rank"])), likelihood_text, what, when]


def _whom(notable: NotableDocument) -> str:
    days = notable["usual"]["active_days"]
    history = f"known {days} d" if days else "new identity"
    owner = visible(notable["identity"]["owner"], 24) or "no owner"
    resolved = f"{notable['closed_why']}: " if is_resolved(notable) else ""
    return f"{resolved}{visible(short_name(notable['identity']), 40)}, {history}, {owner}"


def _text(console: Console, text: str, limit: int, style: str = "") -> Text:
    printable = visible(text, limit).encode(console.encoding, "replace").decode(console.encoding)
    return Text(printable, style)


# ---- explanation
#
# One notable, or the model, in words on a terminal.


_MOST_STEPS = 12
_MOST_LINKS = 12


def show_explanation(
    notable: NotableDocument, console: Console, events: Mapping[str, Json] | None = None, every: bool = False
) -> None:
    """What raises the likelihood, evidence, the unusual calls, what would have been normal, controls.

    `events`: raw records by id, as far as they are at hand; `every`: routine calls and signals that add little, too.
    """
    sure = f"{likely(notable['likelihood'])} likely  " if notable["likelihood"] else ""
    line = f"{notable['severity'].upper()}  {sure}{notable['title']}"
    console.print(Text(visible(line), style="bold"))
    if notable.get("since"):
        console.print(Text(visible(notable["since"]), style="italic"))
    console.print(Text(visible(notable["summary"])))
    identity = notable["identity"]
    began = f"since {notable['first_time']}, " if shown(notable)[0] != notable["first_time"] else ""
    text = f"{notable['id']}  {began}{' to '.join(dict.fromkeys(shown(notable)))}  {identity['name']}  "
    account = f"account {identity['account'] or 'unknown'}, owner {identity['owner'] or 'unknown'}"
    console.print(Text(visible(f"{text}{account}")))
    for line in _members(notable):
        console.print(Text(visible(line)))
    for line in _calls(notable, events or {}):
        console.print(Text(visible(line)))
    _show_timeline(notable, console, every)
    console.print(bars(notable, every))
    for line in filter(None, (sum_of(notable), severity_line(notable))):
        console.print(Text(line))
    if notable["usual"]["dimensions"]:
        console.print(_usual(notable))
    for line in _claims(notable):
        console.print(Text(visible(line)))
    console.print(Text(visible(words.impact_line(notable))))
    for control in notable["controls"]:
        console.print(Text(visible(f"{words.heading(control)}: {control['reason']}")))
    ids = framework_ids(notable)
    console.print(Text(f"Frameworks: {', '.join(ids)}"))
    first = f"; such as {', '.join(notable['record_ids'][:3])}" if notable["record_ids"] else ""
    console.print(Text(visible(f"Records: {notable['record_count']}{first}")))


def _members(notable: NotableDocument) -> list[str]:
    """The linked identities in order, and what proves that they belong together."""
    lines = [f"{n}. {m['provider']} {m['kind']} {m['name']}" for n, m in enumerate(notable["members"], 1)]
    proofs = [
        f"   link: {link['kind']} {link['value']}, records {', '.join(link['record_ids'])}"
        for link in notable["links"][:_MOST_LINKS]
    ]
    return lines + proofs


def _calls(notable: NotableDocument, events: Mapping[str, Json]) -> list[str]:
    """First and last unusual call with their records, addresses, the share that was refused, full user agents."""
    if not notable["timeline"] or not tells_calls(notable):
        return []
    unusual, others = unusual_calls(notable)
    calls = sum(entry["count"] for entry in unusual)
    refused = sum(entry["count"] for entry in unusual if entry["outcome"] != "success")
    sources = list(dict.fromkeys(entry["source"] for entry in unusual if entry["source"]))
    theirs = [events[entry["record_id"]] for entry in unusual if entry["record_id"] in events] or events.values()
    agents = dict.fromkeys(match[1] for event in theirs if (match := _AGENT.search(event["raw"])))
    ended = f"{refused:,} of them refused or failed"
    least = "at least " if len(notable["timeline"]) >= MAX_TIMELINE else ""
    ends = ["First unusual call", "Last unusual call"] if len(unusual) > 1 else ["Unusual call"]
    return [
        *(f"{end}: {_call(entry, events)}" for end, entry in zip(ends, (unusual[0], unusual[-1]))),
        f"Unusual calls: {least}{calls:,}, {ended}; from {', '.join(sources[:6]) or 'unknown'}",
        *_elsewhen(others),
        *(f"User agent: {agent}" for agent in list(agents)[:3]),
    ]


def _elsewhen(unusual: Sequence[TimelineDocument]) -> Iterator[str]:
    """What was odd on other days of the same notable."""
    if unusual:
        days = " to ".join(dict.fromkeys((unusual[0]["time"], unusual[-1]["time"])))
        calls = sum(entry["count"] for entry in unusual)
        yield f"On other days, {days}: {words.some(calls, 'unusual call')}"


_AGENT = re.compile(r'"[^"]*user_?agent[^"]*"\s*:\s*"((?:[^"\\]|\\.){1,400})"', re.IGNORECASE)
"""A user agent as the log has it, whatever the log calls it; the report's page looks for the same."""


def _call(entry: TimelineDocument, events: Mapping[str, Json]) -> str:
    event = events.get(entry["record_id"])
    where = f" ({place_of(event)})" if event else ""
    alike = f", the first of {entry['count']:,} alike within the hour" if entry["count"] > 1 else ""
    return f"{entry['time']} {entry['action']} {entry['outcome']}, record {entry['record_id']}{where}{alike}"


_MOST_ROWS = 30
"""Rows of the timeline that are shown unless all are asked for: those with most points."""


def _show_timeline(notable: NotableDocument, console: Console, every: bool) -> None:
    """The unusual calls by time, and how many routine ones are left out."""
    if not notable["timeline"] or not tells_calls(notable):
        return
    unusual = sorted(
        (entry for part in unusual_calls(notable) for entry in part),
        key=lambda entry: (entry["action"] not in notable["title"], -entry["points"]),
    )
    rows = notable["timeline"] if every else sorted(unusual[:_MOST_ROWS], key=lambda entry: entry["time"])
    numbers = {member["id"]: f"{number}. " for number, member in enumerate(notable["members"], 1)}
    cells = [("time (UTC)", "count", "outcome", "from", "call")]
    cells += [
        (
            entry["time"][:19].replace("T", " "),
            f"{entry['count']:,}",
            entry["outcome"],
            visible(entry["source"] or "unknown", 60),
            _actor(entry, numbers) + entry["action"],
        )
        for entry in rows
    ]
    wide = [max(map(len, column)) for column in zip(*cells)]
    for at, (time, count, outcome, source, call) in enumerate(cells):  # plain lines: a table takes ten times as long
        line = f"{time:{wide[0]}}  {count:>{wide[1]}}  {outcome:{wide[2]}}  {source:{wide[3]}}  {call}"
        console.print(_text(console, line, 400, "" if at else "bold"), soft_wrap=True)
    for line in () if every else words.left_out(notable, unusual[_MOST_ROWS:]):
        console.print(Text(line, "dim"))


def _actor(entry: TimelineDocument, numbers: Mapping[str, str]) -> str:
    """Who acted: a member by its number, one of another day by its name, nobody where there is only one."""
    who = entry.get("identity", "")
    return numbers.get(who) or (f"{visible(words.bare_name(who), 40)}: " if who else "")


_BAR = 12
"""Width of the longest bar."""


def bars(notable: NotableDocument, every: bool) -> Table:
    """What each signal adds to the ordinary day's log-odds, the most first."""
    heavy, light = signal_bars(notable)
    if every:
        heavy, light = [*heavy, *light], []
    table = Table("raises", "signal", Column("evidence", overflow="fold"), box=box.SIMPLE_HEAD)
    most = max((abs(signal["log_odds"]) for signal in heavy), default=0.0) or 1.0
    for signal in heavy:
        bar = "█" * round(_BAR * abs(signal["log_odds"]) / most)
        title = Text(words.signal(signal["id"]))
        raised = f"{signal['log_odds']:+.2f} {bar}" if notable["likelihood"] else ""
        table.add_row(Text(raised), title, Text(visible(signal["evidence"])))
    if light:
        names = ", ".join(words.signal(signal["id"]).lower() for signal in light)
        table.add_row(f"{sum(signal['log_odds'] for signal in light):+.2f}", "the rest", f"{names} (--all)")
    silent = [
        words.signal(signal["id"]).lower()
        for signal in notable["signals"]
        if signal["cannot_tell"] and signal not in heavy
    ]
    if silent:
        table.add_row("cannot tell", "", ", ".join(silent))
    return table


def _usual(notable: NotableDocument) -> Table:
    table = Table("", "usual", "observed (* new)", box=box.SIMPLE_HEAD)
    names = {member["id"]: short_name(member) for member in notable["members"]}
    for dimension in notable["usual"]["dimensions"]:
        usual = ", ".join(f"{value['value']} ({value['days']} d)" for value in dimension["usual"])
        observed = ", ".join(f"{value['value']}{'*' if value['new'] else ''}" for value in dimension["observed"])
        if usual or observed:
            who = names.get(dimension.get("identity", ""), "")
            name = Text(dimension["name"] + (f", {visible(who, 40)}" if who else ""))
            table.add_row(name, Text(visible(usual)), Text(visible(observed)))
    return table


def _claims(notable: NotableDocument) -> list[str]:
    """What would have been normal, what signals are worth alone and together, what missing telemetry leaves open."""
    lines = []
    instead = notable["usual"].get("instead")
    if instead:
        lines.append(f"A normal day for it: {instead['text']}")
    lowering = (signal for signal in notable["signals"] if lowers(notable, signal))
    lines += [f"Without the records of “{words.signal(s['id'])}”: {s['without']:g}%" for s in lowering]
    if notable.get("likelihood_range"):
        low, high = notable["likelihood_range"]
        lines.append(f"Telemetry is missing: with it, the likelihood could be anywhere from {low:g}% to {high:g}%")
    return lines


def show_model(model: Model, console: Console) -> None:
    """What each signal's values are worth where nothing but the world's habits is known, and how trees read them."""
    console.print(f"{model.id}  SHA-256 {model.sha256}")
    console.print(
        f"{len(model.readings[0].trees.trees)} trees; "
        f"an ordinary day is {percent(model.ordinary):g}% likely an intrusion."
    )
    console.print("Points with the model's own habits; in a tenant with a history, the tenant's habits replace them.")
    away = TenantHabits(model, Profile(), model.ages[-1])
    table = Table("signal", "points by value (above: points)", box=box.SIMPLE_HEAD)
    for at, name in enumerate(model.signals):
        steps = list(_steps(away.points(at)))
        some_steps = steps if len(steps) <= _MOST_STEPS else steps[:: max(1, len(steps) // _MOST_STEPS)]
        table.add_row(name, ", ".join(some_steps))
    console.print(table)


def _steps(points: Sequence[float]) -> Iterator[str]:
    before = 0.0
    for edge, worth in zip(EDGES, points[1:]):
        if worth > before:
            yield f"{edge:g}: {worth:.2f}"
            before = worth
