"""Holds what `nhi score` found against the labels of a simulated tenant: which incidents are listed, which not, and
what is listed that is none.

`python -m nhi_watch_lab.truth out/demo` reads OUT/data/labels.json, OUT/state.sqlite and OUT/notables.jsonl.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.notable import BANDS, SEVERITIES, risk_of
from nhi_watch.detect import publish
from nhi_watch.report import jsonlines
from nhi_watch.report.words import all_refused
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch_lab.simulator.raid import REGISTER

Document = Mapping[str, Any]


def told(incidents: Iterable[Document], notables: Sequence[Document]) -> Iterator[str]:
    """A line for each incident, in order of time."""
    for incident in sorted(incidents, key=lambda item: str(item["first_time"])):
        records = set(incident["record_ids"])
        hit = [notable for notable in notables if records & set(notable["record_ids"])]
        best = max(hit, key=lambda item: (item.get("listed", True), item["likelihood"]), default=None)
        yield f"  {incident['first_time'][:16]}  {incident['technique']:22} {incident['origin']:9} {_fate(best)}"
        if best is None or not best.get("listed", True):
            yield f"      {_missed(incident)}"


def _missed(incident: Document) -> str:
    """Why an incident has no place in the list, in a sentence."""
    calls = len(incident["record_ids"])
    how = "from its own network with its own client" if incident["origin"] == "inside" else "from outside"
    known = REGISTER.get(incident["technique"])
    what = (known.act.__doc__ or "").split(".")[0] if known else incident["technique"].replace("_", " ").capitalize()
    return f"{what}: {calls} call{'s'[: calls != 1]} {how}, too few to stand out from the identity's own days."


def no_incidents(
    incidents: Iterable[Document], listed: Sequence[NotableDocument], oddities: Sequence[Document] = ()
) -> Iterator[str]:
    """How many of the listed notables hold no record of any incident, and a line for each of them."""
    records = {record for incident in incidents for record in incident["record_ids"]}
    wrong = [item for item in listed if not records & set(item["record_ids"])]
    yield f"Of the {len(listed)} notables listed, {len(wrong)} {'is' if len(wrong) == 1 else 'are'} no incident:"
    for item in sorted(wrong, key=lambda item: -float(item["likelihood"])):
        yield f"  {item['id'][:6]}, {item['likelihood']:g}% {item['severity']}: {item['title']}"
        yield f"      {_harmless(item, oddities)}"


def _harmless(notable: NotableDocument, oddities: Iterable[Document]) -> str:
    """What a false alarm was, in a sentence."""
    records = set(notable["record_ids"])
    if any(records & set(oddity["record_ids"]) for oddity in oddities):
        return f"An engineer used this identity from the office to find a fault; its owner can tell{_edge(notable)}."
    if len(notable.get("members", ())) > 1:
        return f"Ordinary work: identities that use each other did something new on the same day{_edge(notable)}."
    if all_refused(notable):
        return "Ordinary work that a change of policy broke: all of it was refused, so that it is low although likely."
    days = notable["usual"]["active_days"]
    return (
        f"Ordinary work: a job or a release did this for the first time in {days} active days; its owner can tell"
        f"{_edge(notable)}."
    )


def _edge(notable: NotableDocument) -> str:
    """Whether it is hardly listed at all."""
    least = BANDS[-1][0]
    return f" (hardly above {least:g}, where the list begins)" if risk_of(notable) < least + 1 else ""


def precision(incidents: Iterable[Document], listed: Sequence[NotableDocument]) -> str:
    """How many of the listed notables are incidents, by severity."""
    records = {record for incident in incidents for record in incident["record_ids"]}
    lines = []
    for severity in reversed(SEVERITIES):
        these = [item for item in listed if item["severity"] == severity]
        right = sum(bool(records & set(item["record_ids"])) for item in these)
        lines += [f"{severity} {right} of {len(these)}"] if these else []
    return f"Listed notables that are incidents, by severity: {', '.join(lines) or 'none listed'}."


def _fate(best: Document | None) -> str:
    if best is None:
        return "missed: none of its records made a notable; they look like the identity's own days"
    name = f"{best['id'][:6]}, {best['likelihood']:g}% {best['severity']}"
    if best.get("listed", True):
        return f"found: {name}"
    return f"not listed: {name}"


def main(folder: Path) -> None:
    """Print what became of each incident, and what else is listed."""
    labels = json.loads((folder / "data" / "labels.json").read_text("utf-8"))
    incidents = labels["incidents"]
    store = SqliteStore(folder / "state.sqlite")
    try:
        notables = publish.stored(store)
    finally:
        store.close()
    listed = list(jsonlines.read(folder / "notables.jsonl"))
    lines = list(told(incidents, notables))
    found = sum(" found: " in line for line in lines)
    head = (
        f"The simulator hid {len(incidents)} incidents in these logs; {found} of them became a notable "
        f"(.venv/bin/nhi explain ID --out {folder} opens any, listed or not):"
    )
    sys.stdout.write(
        "\n".join(
            [
                "",
                head,
                *lines,
                *no_incidents(incidents, listed, labels["benign_oddities"]),
                precision(incidents, listed),
            ]
        )
        + "\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
