"""evaluate.json → docs/method/simulator.md: no number is typed by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nhi_watch_lab.evaluation.curves_page import Sheet, sheets, told

Figures = Mapping[str, Any]


def render(result: Figures) -> str:
    """The page, in Markdown; of the parts that were measured."""
    parts = [_head(result)]
    if "simulated" in result:
        parts += [_rivals(result["simulated"]), _single(result["simulated"]), _techniques(result["simulated"])]
    parts += ["\n\n".join(p for p in (f"## {s.title}", s.note, table(s.heads, s.rows)) if p) for s in sheets(result)]
    if "real" in result:
        parts += [_real(result["real"]), _grafts(result["grafts"])]
    return "\n\n".join(parts) + "\n"


def _head(result: Figures) -> str:
    machine = result["machine"]
    spent = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in machine["seconds"].items())
    return f"""# Evaluation

Written by `nhi evaluate --page`, from `evaluate.json`; no number is typed by hand.

Model `{result["model"]["id"]}` (SHA-256 `{result["model"]["sha256"][:16]}…`). {_what(result)}
{result["settings"]["resamples"]:,} bootstrap samples over incidents give the 95% intervals.
{_versions(result["settings"]["versions"])}; {machine["cores"]} cores, {machine["workers"]} workers: {spent}.

**How it is counted.** An incident is found at a budget if one of its episodes would have been written (it reaches the
floor, and the threshold that the tenant's own quiet weeks set at that budget) and fewer *benign* episodes of the same
day rank at or above it than the budget allows; at least one a day is allowed, so that small tenants have the same room
at 3 and at 1. Notables of other incidents use none of it. An episode that holds several incidents finds none. Only the
episodes of the day itself count, as they stood at its end. All rivals see the same episodes under the same rules, and
ties count against everybody. *without_threshold* is ours with floor and cap alone."""


def _what(result: Figures) -> str:
    """On what it was measured."""
    settings = result["settings"]
    if "folder" in settings:
        return f"Measured on the labelled logs of `{settings['folder']}`, {result['simulated']['days']} days."
    seeds = ", ".join(map(str, settings["seeds"]))
    size = ""
    if "simulated" in result:
        size = f", {result['simulated']['events']:,} events, {result['simulated']['identity_days']:,} identity-days"
    return (f"Simulator `{settings['simulator_sha256'][:16]}…`, seeds {seeds}: {len(settings['seeds'])} tenants of "
            f"{settings['machines']} machines over {settings['days']} days{size}. None of the seeds from 501 on was "
            "trained or tuned on: tenants and their identities were never seen.")  # fmt: skip


def curve_tables(result: Figures) -> Iterator[tuple[str, Sequence[str], Sequence[Sequence[str]]]]:
    """Title, heads and rows of the curves."""
    return ((sheet.title, sheet.heads, sheet.rows) for sheet in sheets(result))


def _versions(versions: Figures) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items() if version)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table.

    >>> print(table(["a", "b"], [["1", "2|3"]]))
    | a | b |
    |---|---|
    | 1 | 2/3 |
    """
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(_row(line) for line in lines).replace("| --- |", "|---|").replace(" --- |", "---|")


def as_csv(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The same as a sheet, for tables too long for a page.

    >>> as_csv(["a", "b"], [[1, "2,3"]])
    'a,b\\n1,"2,3"\\n'
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([heads, *rows])
    return out.getvalue()


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"


def _rivals(simulated: Figures) -> str:
    heads = ["detector", *(f"{o} at {b}" for b in ("10", "3") for o in ("all", "external", "inside")), "behind at 3"]
    rows = []
    for name, row in simulated["rivals"].items():
        cells = [told(row["recall"][b][o]) for b in ("10", "3") for o in ("all", "external", "inside")]
        rows.append([name, *cells, told(row["behind"]["3"])])
    count = simulated["recall"]["10"]["all"]["incidents"]
    everything = simulated["recall_with_indistinguishable"]
    unlike = ", ".join(simulated["indistinguishable"]) or "none"
    return f"""## Recall at a budget, beside what people would use instead

Notables a day per 1,000 identities; {count} incidents. *Behind* is how much of the recall the detector lacks
compared with ours, on the same incidents.

{table(heads, rows)}

Incidents that differ from ordinary use in nothing that a log tells are left out above and named here: {unlike}.
With them: {told(everything["10"]["all"])} at 10 and {told(everything["3"]["all"])} at 3, of
{everything["10"]["all"]["incidents"]} incidents."""


def single_figures(simulated: Figures) -> Iterator[tuple[str, str]]:
    """Figures that stand alone, in words."""
    episodes, written = simulated["episodes"], simulated["notables_written"]
    yield (
        "average precision of episodes",
        f"{episodes['average_precision']:.3f} at prevalence {episodes['prevalence']:.4f}",
    )
    for budget, row in written["benign_a_day"].items():
        yield (f"benign notables a day per 1,000 identities, at {budget}",
               f"{row['mean']} on average, {row['max']} at worst; first week {row['first_week_mean']}")  # fmt: skip
    for unit in ("minutes", "records"):
        times = simulated[f"time_to_detect_{unit}"]
        yield f"{unit} to detect", f"{times['median']} (median), {times['p90']} (p90), of {times['n']} found"
    alerts = simulated["alerts"]
    yield "alerts in, notables out", (
        f"a rule for calls never seen before would alert on {alerts['first_seen_rule_in']:,} identity-days, other "
        f"products sent {alerts['other_products_in']:,} alerts; {alerts['notables_out']:,} notables written"
    )
    yield "severity of benign notables written", _mix(written["benign_severity"])
    yield "severity of incidents", _mix(simulated["severity_of_incidents"])
    for name, brier in (("episodes", episodes["brier"]), ("notables written", written["brier"])):
        yield (
            f"Brier skill over the base rate, {name}",
            f"{brier['skill']:.3f} ({brier['brier']:.5f}, n {brier['n']:,})",
        )
    yield "calibration error, 10 equal-mass bins of notables written", f"{written['calibration']['error']:.3f}"


def _mix(counts: Figures) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"


def _single(simulated: Figures) -> str:
    curve = simulated["notables_written"]["calibration"]["bins"]
    bins = [[str(b["n"]), f"{b['told']:.3f}", f"{b['held']:.3f}"] for b in curve]
    return f"""## Other figures

{table(["figure", "value"], list(single_figures(simulated)))}

Reliability of the notables written:

{table(["n", "probability told", "share of incidents"], bins)}"""


def techniques_sheet(simulated: Figures) -> Sheet:
    """How many incidents of each technique are found."""
    rows = []
    for name, row in simulated["by_technique"].items():
        cells = [row[b][o] for b in ("10", "3") for o in ("external", "inside")]
        rows.append([name, *(f"{c['found']} of {c['incidents']}" if c["incidents"] else "" for c in cells)])
    heads = ["technique", "external at 10", "inside at 10", "external at 3", "inside at 3"]
    return Sheet("By technique", heads, rows)


def _techniques(simulated: Figures) -> str:
    missed = [
        [m["technique"], m["origin"], f"{m['seed']} / {m['day']}", _score(m), str(m["benign_above"])]
        for m in simulated["missed"]
    ]
    sheet = techniques_sheet(simulated)
    return (f"## {sheet.title}\n\n{table(sheet.heads, sheet.rows)}\n\nMissed at 10 a day:\n\n"
            f"{table(['technique', 'origin', 'seed / day', 'score', 'benign above'], missed)}")  # fmt: skip


def _score(missed: Figures) -> str:
    return str(missed["episode"]["score"]) if missed["episode"] else "none"


def real_figures(figures: Figures) -> Iterator[tuple[str, str]]:
    """Log → what it showed."""
    row = figures["invictus"]
    yield "invictus", (f"average precision of behaviours {row['average_precision']:.3f} at prevalence "
                       f"{row['prevalence']:.3f} ({row['attack_behaviours']} of {row['behaviours']})")  # fmt: skip
    for name, row in figures["benign"].items():
        yield name, f"{_mix(row['over_the_floor'])} ({row['identity_days']} identity-days)"


def _real(figures: Figures) -> str:
    loud = [
        [name, each["day"], each["identity"], str(each["score"]), _signals(each)]
        for name, row in figures["benign"].items()
        for each in row["medium_or_higher"]
    ]
    return f"""## Real logs

*invictus*: the attack tool's name is taken out of every text and the attacker is given the operator's own agent;
behaviours are scored with nothing learnt before. *Cold*: each day as if it were the first. *boogy warm*: its only day,
five minutes long, after a week each day of which is a different half of its records, so that what it does often is
known well, and what it did once on some days or none. *boogy split*: the second half of its records after one day made
of the first half, so that nothing that is scored was learnt. *grycap warm*: its own days in order. *ids repaired*:
anonymising gave all roles of boogy one id; here each ARN has its own again.

{table(["log", "notables over the floor, whatever the budget"], list(real_figures(figures)))}

Medium or higher on ordinary accounts:

{table(["log", "day", "identity", "score", "signals (points)"], loud)}"""


def _signals(each: Figures) -> str:
    rows = sorted(each["signals"].items(), key=lambda row: -row[1][1])[:6]
    return ", ".join(f"{name} ({points:+.1f})" for name, (_, points) in rows)


def _grafts(figures: Figures) -> str:
    rows, failed = [], []
    for account, origins in figures.items():
        for origin, row in origins.items():
            rows.append([f"{account}, {origin}", f"{row['won_on_most_hosts']} of {row['techniques']}",
                         f"{row['won_on_all_hosts']}", f"{row['share_of_grafts']:.3f}", f"{row['share_first']:.3f}",
                         f"{row['share_high_or_critical']:.3f}"])  # fmt: skip
            failed += [[f"{account}, {origin}", name, f"{share:.2f}"]
                       for name, share in row["by_technique"].items() if share <= 0.5]  # fmt: skip
    heads = [
        "account",
        "techniques won on most hosts",
        "on all hosts",
        "share of grafts won",
        "first",
        "high or critical",
    ]
    return f"""## A real attack, made by an ordinary machine

Each of 26 techniques (its real calls, parameters and errors; nothing of its networks, names, regions and agents) made
by the five busiest and five middling machines of a real account, from a hosting provider with an SDK's agent or from
the machine's own network with its own agent. Won: the machine is high or critical, and first of the day. Before the
day lies a week, each day of it a different half of that day's records.

{table(heads, rows)}

Not won on most hosts:

{table(["account", "technique", "share of hosts"], failed)}"""
