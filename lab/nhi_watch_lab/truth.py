"""Holds what `nhi score` found against the labels of a simulated tenant: which incidents are listed, which not, and
which listed notables are no incidents.

`python -m nhi_watch_lab.truth out/demo` reads OUT/data/labels.json, OUT/state.sqlite and OUT/notables.jsonl.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.core.notable import BANDS, SEVERITIES, risk_of
from nhi_watch.detect import publish
from nhi_watch.report import jsonlines
from nhi_watch.report.words import all_refused
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch_lab.simulator.raid import REGISTER

Document = Mapping[str, Any]


def fates(incidents: Iterable[Document], notables: Sequence[Document]) -> Iterator[str]:
    """A line for each incident, in order of time."""
    for incident in sorted(incidents, key=lambda item: str(item["first_time"])):
        records = set(incident["record_ids"])
        hit = [notable for notable in notables if records & set(notable["record_ids"])]
        best = max(hit, key=lambda item: (publish.is_shown(item), had_row(item), item["likelihood"]), default=None)
        yield f"  {incident['first_time'][:16]}  {incident['technique']:22} {incident['origin']:8}  {_fate(best)}"
        if best is None or not had_row(best):
            yield f"      {_missed(incident)}"


def had_row(notable: Document) -> bool:
    """Whether a notable is in the list, or was until it ended."""
    return bool(notable["listed"] or notable["listed_on"])


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
    if publish.is_shown(best):
        return f"listed: {name}"
    if had_row(best):
        return f"was listed, now closed ({best['closed_why'] or 'part of another'}): {name}"
    return f"not listed: {name}"


def main(words: Optional[Sequence[str]] = None) -> None:
    """Print what became of each incident, and what else is listed."""
    parser = argparse.ArgumentParser(prog="python -m nhi_watch_lab.truth", description=_ABOUT)
    about = "folder of results; the simulated logs and their labels are in FOLDER/data"
    parser.add_argument("folder", type=Path, metavar="FOLDER", help=about)
    folder = parser.parse_args(words).folder
    try:
        text = report(folder)
    except (InputError, StoreError, OSError, ValueError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    sys.stdout.write(text)


_ABOUT = "Compare what `nhi score` listed with the labels of a simulated tenant: what is listed, what is missed."


def report(folder: Path) -> str:
    """What became of each incident, and what else is listed."""
    labels = json.loads((folder / "data" / "labels.json").read_text("utf-8"))
    incidents = labels["incidents"]
    store = SqliteStore(folder / "state.sqlite")
    try:
        notables = publish.stored(store)
    finally:
        store.close()
    listed = [notable for notable in jsonlines.read(folder / "notables.jsonl") if publish.is_shown(notable)]
    lines = list(fates(incidents, notables))
    counts = [sum(f"  {fate}" in line for line in lines) for fate in ("listed: ", "was listed, ")]
    also = f", and {counts[1]} were until they closed" if counts[1] else ""
    head = (
        f"The simulator hid {len(incidents)} incidents in these logs; {counts[0]} of them are in the list{also} "
        f"(.venv/bin/nhi explain ID --out {folder} opens any, listed or not):"
    )
    more = no_incidents(incidents, listed, labels["benign_oddities"])
    return "\n".join(["", head, *lines, *more, precision(incidents, listed), ""])


if __name__ == "__main__":
    main()
