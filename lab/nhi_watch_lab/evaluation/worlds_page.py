"""Judged worlds → docs/method/worlds.md: no number is typed by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nhi_watch_lab.evaluation.curves_page import Sheet
from nhi_watch_lab.evaluation.curves_page import told as with_interval
from nhi_watch_lab.evaluation.judged import OURS
from nhi_watch_lab.evaluation.page import table

Figures = Mapping[str, Any]
BUDGETS = ("10", "3")
COLUMNS = [(budget, origin) for budget in BUDGETS for origin in ("inside", "external")]
_HEADS = [f"{origin} at {budget}" for budget, origin in COLUMNS]
GROUPS = {
    "second": "The independent second world",
    "third": "The independent third world",
    "fourth": "The independent fourth world",
    "drawn": "Drawn worlds",
    "second padded": "The second world, attackers padded",
    "third padded": "The third world, attackers padded",
    "fourth padded": "The fourth world, attackers padded",
    "drawn padded": "Drawn worlds, attackers padded",
    "old": "The old simulator, one account with its own rates",
}
"""In the order of the page; the old simulator comes last."""


def render(result: Figures, command: str = "nhi evaluate --only worlds --worlds-page FILE") -> str:
    """The page, in Markdown, of an evaluation that judged worlds; `command` makes it."""
    worlds = result["worlds"]
    parts = ["# The score in worlds that nobody tuned on", "For: whoever asks how good it is.", _head(result, command)]
    parts += ["\n\n".join(p for p in (f"## {s.title}", s.note, table(s.heads, s.rows)) if p) for s in sheets(worlds)]
    return "\n\n".join(parts) + "\n"


def _head(result: Figures, command: str) -> str:
    model = result["model"]
    rules = result["worlds"].get("rules")
    told = f" Open rules: {rules['rules']} Sigma rules, {rules['left_out']} left out." if rules else ""
    lacking = result["worlds"].get("rivals_left_out") or {}
    out = "".join(f" Not compared: {name} ({why})." for name, why in lacking.items())
    return f"""Written by `{command}`; no number is typed by hand. Model `{model["id"]}`
(SHA-256 `{model["sha256"][:16]}…`).{told}{out}

**How it is counted.** *Found at B* means: fewer than B × days × identities / 1,000 benign notables rank at or above the
incident over the whole test. The test begins with the first attack; *identities* is the mean number of non-human ones
that were active a day and had been seen on an earlier day. What goes on for days is one notable of an identity: it
counts once, by its best day, and so does an incident. A tie counts against the detector, and so does an entry that
holds several incidents. Rivals see the same days and the same identities. *Mean* and *worst* are over worlds;
intervals are 95%, of 1,000 bootstrap samples over incidents, paired where detectors are compared. Nothing was trained,
tuned or selected on these seeds; whoever wrote the second, third and fourth world had seen neither signals nor
simulator (decision 9)."""


def first_sheets(worlds: Figures) -> Iterator[Sheet]:
    """The tables that matter most: recall by world, what padding costs, rivals."""
    groups = _groups(worlds)
    yield _overview(groups)
    if worlds["padding"]:
        yield _padding(worlds["padding"])
    for name, group in groups.items():
        yield _rivals(GROUPS[name], group)


def _groups(worlds: Figures) -> Figures:
    return {name: worlds["groups"][name] for name in GROUPS if name in worlds["groups"]}


def sheets(worlds: Figures) -> Iterator[Sheet]:
    """All tables."""
    groups = _groups(worlds)
    yield from first_sheets(worlds)
    yield _each(worlds["worlds"])
    yield _special(groups)
    yield _benign(groups)
    yield _calibration(groups)
    for name, group in groups.items():
        if "padded" not in name:
            yield _techniques(GROUPS[name], group)


def _overview(groups: Figures) -> Sheet:
    rows = []
    for name, group in groups.items():
        ours = group["detectors"][OURS]
        cells = [f"{ours[b][o]['mean']:.3f} ({ours[b][o]['worst'][0]:.2f})" for b, o in COLUMNS]
        rows.append([GROUPS[name], str(group["worlds"]), *cells])
    return Sheet("Recall by world", ["worlds", "how many", *_HEADS], rows,
                 "Mean over worlds; in brackets the worst of them.")  # fmt: skip


def _rivals(title: str, group: Figures) -> Sheet:
    rows = []
    for name, row in group["detectors"].items():
        cells = [with_interval(row[b][o]) for b, o in COLUMNS]
        ahead = [] if name == OURS else [with_interval(row[b]["inside"]["ahead"]) for b in BUDGETS]
        rows.append([name, *cells, *(ahead or ["", ""])])
    counts = ", ".join(f"{count} {origin}" for origin, count in group["incidents"].items())
    note = f"{group['worlds']} worlds pooled; incidents: {counts}. *Ahead*: ours minus the rival's, inside."
    if group["indistinguishable"]:
        note += f" Left out, since no log tells them from ordinary use: {', '.join(group['indistinguishable'])}."
    return Sheet(title, ["detector", *_HEADS, "ahead at 10", "ahead at 3"], rows, note)


def _each(worlds: Sequence[Figures]) -> Sheet:
    rows = []
    for world in worlds:
        cells = [_found(world["recall"][b][o]) for b, o in COLUMNS]
        room = f"{world['room']['10']:g}"
        rows.append([world["name"], str(world["days"]), f"{world['identities']:g}", room, *cells])
    return Sheet("Each world", ["world", "days of the test", "identities a day", "room at 10", *_HEADS], rows)


def _found(figure: Figures) -> str:
    return f"{figure['found']} of {figure['incidents']}" if figure["incidents"] else ""


def _padding(padding: Figures) -> Sheet:
    rows = [[GROUPS[name], *(with_interval(row[b][o]) for b, o in COLUMNS)] for name, row in padding.items()]
    return Sheet("Recall lost to padding", ["worlds", *_HEADS], rows,
                 "The same attacks, each hidden among harmless calls; pairs of incidents.")  # fmt: skip


def _special(groups: Figures) -> Sheet:
    rows = [
        [GROUPS[name], kind, *_counts(counts)]
        for name, group in groups.items()
        for kind, counts in group["special"].items()
    ]
    return Sheet("Parallel sessions and slow discovery", ["worlds", "incidents", *_HEADS], rows)


def _counts(counts: Figures) -> list[str]:
    return [f"{counts[b][o][0]} of {counts[b][o][1]}" if counts[b][o][1] else "" for b, o in COLUMNS]


def _benign(groups: Figures) -> Sheet:
    rows = [[GROUPS[name], ", ".join(f"{count} {kind}" for kind, count in group["benign"].items()) or "none"]
            for name, group in groups.items()]  # fmt: skip
    return Sheet("Benign notables at 10, by kind of identity", ["worlds", "notables"], rows)


def _calibration(groups: Figures) -> Sheet:
    rows = [[GROUPS[name], str(c["n"]), f"{c['prevalence']:.3f}", f"{c['error']:.3f}"]
            for name, group in groups.items() for c in [group["calibration"]]]  # fmt: skip
    return Sheet("Calibration", ["worlds", "notables", "share of incidents", "error"], rows,
                 "Of what is written at 10 once a tenant has two weeks of history; ten bins of equal mass.")


def _techniques(title: str, group: Figures) -> Sheet:
    rows = [[name, *_counts(counts)] for name, counts in group["techniques"].items()]
    return Sheet(f"{title}, by technique", ["technique", *_HEADS], rows)
