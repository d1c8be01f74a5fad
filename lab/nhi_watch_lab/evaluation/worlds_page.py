"""Judged worlds → docs/method/worlds.md, and its long tables as a sheet beside it: no number is typed by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nhi_watch.detect.ranking import LEAST
from nhi_watch_lab.evaluation.curves_page import Sheet
from nhi_watch_lab.evaluation.curves_page import told as with_interval
from nhi_watch_lab.evaluation.judged import OURS
from nhi_watch_lab.evaluation.page import as_csv, table

Figures = Mapping[str, Any]
BUDGETS = ("10", "3")
COLUMNS = [(budget, origin) for budget in BUDGETS for origin in ("inside", "external")]
_HEADS = [f"{origin} at {budget}" for budget, origin in COLUMNS]
GROUPS = {
    "second": "The independent second world",
    "third": "The independent third world",
    "fourth": "The independent fourth world",
    "fifth": "The independent fifth world",
    "drawn": "Drawn worlds",
    "second padded": "The second world, attackers padded",
    "third padded": "The third world, attackers padded",
    "fourth padded": "The fourth world, attackers padded",
    "fifth padded": "The fifth world, attackers padded",
    "drawn padded": "Drawn worlds, attackers padded",
    "old": "The old simulator, one account with its own rates",
}
"""In the order of the page; the old simulator comes last."""
_RIVALS = """Incidents pooled, of those worlds that a detector judged: boosting, open rules and *unseen* (ours, but each
technique by a card that was trained without it and its likes) take long. *Ahead*: ours minus the rival's on the same
incidents, inside."""


def write(path: Path, result: Figures, command: str = "nhi evaluate --only worlds --worlds-page FILE") -> None:
    """The page, and the sheet beside it; `command` makes both."""
    beside = path.with_suffix(".csv")
    path.write_text(render(result, command, beside.name), "utf-8")
    beside.write_text(sheet(result["worlds"]), "utf-8")


def render(result: Figures, command: str, beside: str) -> str:
    """The page, in Markdown, of an evaluation that judged worlds."""
    parts = ["# The score in worlds that nobody tuned on", "For: whoever asks how good it is.", _head(result, command)]
    told = [*first_sheets(result["worlds"]), _calibration(result["worlds"])]
    parts += ["\n\n".join(p for p in (f"## {s.title}", s.note, table(s.heads, s.rows)) if p) for s in told]
    parts.append(f"Each world, techniques, rivals where attackers are padded, benign notables: [{beside}]({beside}).")
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
tuned or selected on these seeds; whoever wrote the worlds that have a number had seen neither signals nor
simulator (decision 9). Left out is what no log tells from ordinary use (the sheet names it). The product's own list
gives no place to a score below {LEAST:g}, so that a quiet day stays empty; that is not counted here."""


def first_sheets(worlds: Figures) -> Iterator[Sheet]:
    """The tables that matter most: recall by world, what padding costs, rivals."""
    groups = _groups(worlds)
    yield _overview(groups)
    if worlds["padding"]:
        yield _padding(worlds["padding"])
    rows = [[GROUPS[name], *row] for name, group in groups.items() if "padded" not in name for row in _rivals(group)]
    heads = ["worlds", "detector", "incidents inside, external", *_HEADS, "ahead at 10", "ahead at 3"]
    yield Sheet("Beside rivals", heads, rows, _RIVALS)


def sheet(worlds: Figures) -> str:
    """What is too long for the page, as CSV."""
    rows = [["world", world["name"], "", *_recalls(world), _size(world)] for world in worlds["worlds"]]
    for name, group in _groups(worlds).items():
        if "padded" in name:
            rows += [["detector", name, who, *cells, f"ahead {at_10} at 10, {at_3} at 3" if at_10 else ""]
                     for who, _, *cells, at_10, at_3 in _rivals(group)]  # fmt: skip
        counted = {**group["special"], **group["techniques"]}
        rows += [["technique", name, technique, *_counts(counts), ""] for technique, counts in counted.items()]
        rows += [["left out", name, technique, *[""] * 5] for technique in group["indistinguishable"]]
        rows += [["benign at 10", name, kind, *[""] * 4, count] for kind, count in group["benign"].items()]
    return as_csv(["table", "worlds", "of", *_HEADS, "more"], rows)


def _groups(worlds: Figures) -> Figures:
    return {name: worlds["groups"][name] for name in GROUPS if name in worlds["groups"]}


def _overview(groups: Figures) -> Sheet:
    rows = []
    for name, group in groups.items():
        ours = group["detectors"][OURS]
        cells = [f"{ours[b][o]['mean']:.3f} ({ours[b][o]['worst'][0]:.2f})" for b, o in COLUMNS]
        counts = [str(group["incidents"][origin]) for origin in ("inside", "external")]
        rows.append([GROUPS[name], str(group["worlds"]), *counts, *cells])
    return Sheet("Recall by world", ["worlds", "how many", "incidents inside", "external", *_HEADS], rows,
                 "Mean over worlds; in brackets the worst of them.")  # fmt: skip


def _rivals(group: Figures) -> Iterator[list[str]]:
    for name, row in group["detectors"].items():
        ahead = ["", ""] if name == OURS else [with_interval(row[b]["inside"]["ahead"]) for b in BUDGETS]
        size = ", ".join(str(row["10"][origin]["incidents"]) for origin in ("inside", "external"))
        yield [name, size, *(with_interval(row[b][o]) for b, o in COLUMNS), *ahead]


def _recalls(world: Figures) -> list[str]:
    figures = [world["recall"][b][o] for b, o in COLUMNS]
    return [f"{figure['found']} of {figure['incidents']}" if figure["incidents"] else "" for figure in figures]


def _size(world: Figures) -> str:
    return f"{world['days']} days; {world['identities']:g} identities a day; room for {world['room']['10']:g} at 10"


def _padding(padding: Figures) -> Sheet:
    rows = [[GROUPS[name], *(with_interval(row[b][o]) for b, o in COLUMNS)] for name, row in padding.items()]
    return Sheet("Recall lost to padding", ["worlds", *_HEADS], rows,
                 "The same attacks, each hidden among harmless calls; pairs of incidents.")  # fmt: skip


def _counts(counts: Figures) -> list[str]:
    return [f"{counts[b][o][0]} of {counts[b][o][1]}" if counts[b][o][1] else "" for b, o in COLUMNS]


def _calibration(worlds: Figures) -> Sheet:
    told = {**{GROUPS[name]: group["calibration"] for name, group in _groups(worlds).items()},
            "**All of them, not padded**": worlds["calibration"]}  # fmt: skip
    rows = [[name, str(c["n"]), f"{c['prevalence']:.3f}", f"{c['error']:.3f}"] for name, c in told.items()]
    return Sheet("Calibration", ["worlds", "notables", "share of incidents", "error"], rows,
                 "Of what is written at 10 after two weeks of history; ten bins of equal mass.")  # fmt: skip
