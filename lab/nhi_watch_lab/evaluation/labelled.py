"""A user's own labelled logs: a folder of any files that `nhi score` reads, and a JSON file that tells the incidents.

The labels file is what `nhi simulate` writes: `{"incidents": [{"id", "record_ids"}]}`. Each incident may also tell its
`technique` and `origin` (external or inside), and whether it is `distinguishable` from ordinary use at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nhi_watch.core.behaviour import IdentityDay, fingerprint
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.files import reader
from nhi_watch.intake.days import Intake
from nhi_watch_lab.evaluation.kept import KeptDay
from nhi_watch_lab.evaluation.replay import SOURCES

Label = dict[str, Any]
ORIGINS = ("external", "inside")


class Labelled(NamedTuple):
    """Labelled logs, grouped by days."""

    days: list[KeptDay]
    alerts: int
    """Alerts of other products among the records."""
    rejected: int
    """Records that could not be read."""


def load(folder: Path, labels: Path) -> Labelled:
    """Read logs and labels.

    Raises:
        InputError: there is nothing to read, or a label is wrong; the message says which and what it needs.
    """
    told, grouping, rejected = read_labels(labels), Intake(SOURCES), list[int]()

    def reject(index: int, why: RejectError) -> None:
        rejected.append(index)

    for batch in reader.read([str(folder)]):
        if Path(batch.file).resolve() != labels.resolve():
            rejected += range(len(batch.bad))
            grouping.feed(batch.records, reject)
    if not grouping.days:
        raise InputError(f"--folder {folder}: none of its records could be read; try `nhi score` on it")
    days = grouping.days
    times = {day: _times(wholes, told) for day, wholes in days.items()}
    begun = _begun(times, told)
    found = [
        KeptDay(begun.get(day, []), {day: wholes}, sum(w.events() for w in wholes.values()), times[day])
        for day, wholes in sorted(days.items())
    ]
    return Labelled(found, days.alerts, len(rejected))


def _begun(times: Mapping[int, Mapping[str, list[int]]], told: list[Label]) -> dict[int, list[Label]]:
    """Day → the incidents that begin on it."""
    found: dict[int, list[Label]] = {}
    for label in told:
        days = [day for day in sorted(times) if label["id"] in times[day]]
        if not days:
            raise InputError(f"--labels: the folder holds none of the records of incident {label['id'][:80]!r}")
        first = render(min(times[days[0]][label["id"]]))
        found.setdefault(days[0], []).append({**label, "first_time": label["first_time"] or first})
    return found


def _times(wholes: Mapping[str, IdentityDay], told: list[Label]) -> dict[str, list[int]]:
    """Incident → a time for each of its records: the first and last of behaviours are known, others lie between."""
    owner = {fingerprint(record): label["id"] for label in told for record in label["record_ids"]}
    times: dict[str, list[int]] = {}
    for whole in wholes.values():
        for behaviour in whole.behaviours.values():
            marks = {fingerprint(record) for record in behaviour.record_ids}
            for incident in {owner[mark] for mark in marks & owner.keys()}:
                whens = [behaviour.first, *[behaviour.last] * (behaviour.count - 1)]
                times.setdefault(incident, []).extend(whens)
    return times


def read_labels(path: Path) -> list[Label]:
    """The incidents of a labels file, with what they leave out filled in.

    Raises:
        InputError: the file cannot be read, or an incident lacks what it needs.
    """
    try:
        told = json.loads(path.read_text("utf-8"))
        incidents = told["incidents"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f'--labels {path}: cannot be read ({error}); it must hold {{"incidents": […]}}') from error
    if not isinstance(incidents, list) or not incidents:
        raise InputError(f"--labels {path}: it names no incidents")
    return [_label(path, number, each) for number, each in enumerate(incidents)]


def _label(path: Path, number: int, each: Any) -> Label:
    where = f"--labels {path}: incident {number + 1}"
    if not isinstance(each, dict):
        raise InputError(f"{where} is no object")
    records = each.get("record_ids")
    if not isinstance(records, list) or not records or not all(isinstance(r, str) for r in records):
        raise InputError(f"{where} needs record_ids, a list of the ids of its records")
    origin = str(each.get("origin") or "external")
    if origin not in ORIGINS:
        raise InputError(f"{where}: origin {origin[:40]!r} is neither external nor inside")
    return {
        "id": str(each.get("id") or f"incident-{number + 1}"), "technique": str(each.get("technique") or "unnamed"),
        "origin": origin, "distinguishable": each.get("distinguishable") is not False, "record_ids": records,
        "first_time": each.get("first_time"),
    }  # fmt: skip
