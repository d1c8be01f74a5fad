"""Makes the likelihood true: of notables, as the product tells them, of worlds by hands that the trees never saw.

Trees order single days whose past is labelled. What an analyst sees is a notable: the likeliest of several days, of
linked identities, after a past in which ordinary oddities waited in quarantine like attacks. So each hand's worlds are
judged by the product with trees that never saw that hand, and the log-odds of its notables are held against the truth
(Platt 1999), incidents weighed to PREVALENCE of the identity-days.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np

from nhi_watch.core.timestamps import DAY, parse
from nhi_watch_lab.evaluation.harness import compromises, first_day
from nhi_watch_lab.training import write
from nhi_watch_lab.training.fit import PREVALENCE, Days, Fitted, Forests, hand_of, platt, tested
from nhi_watch_lab.training.rows import Rows, Source, code, days_of, in_parallel, name_of

WORLDS = 2
"""Of each family, so many are judged: the product takes longer over a world than training does."""
BUDGET = 10.0
LOWEST = 2.0
"""Likelihood from which notables count: the many of which nobody is told would decide it."""


class Told(NamedTuple):
    """The notables of one world."""

    hand: str
    likelihoods: list[float]
    bad: list[bool]
    weight: float
    """Of each of those that are incidents; the others weigh 1."""


class Task(NamedTuple):
    """One world for one process."""

    hand: str
    source: Source
    model: Mapping[str, Any]
    identity_days: int
    """Of the test."""


def told(
    forests: Forests,
    sources: Mapping[str, Sequence[Source]],
    rows: Mapping[str, Sequence[Rows]],
    prior: Any,
    kept: Path,
    workers: int,
) -> list[Told]:
    """What the product tells of each hand's worlds by trees that never saw it, the likelihood true of single days.

    `kept`: a folder for what worlds came to, for the next training.
    """
    scale, tasks = forests.by_days, list[Task]()
    for name, family in sources.items():
        if not name.endswith(" unsteady"):  # they hold all that the others do, and what fills a list
            continue
        hand = hand_of(name)
        built = write.document(Fitted(*forests.grown(hand), *scale), prior)
        for source, item in [*zip(family, rows[name])][:WORLDS]:
            tasks.append(Task(hand, source, built, int((tested(item) & (item.own_days > 0)).sum())))
    kept.mkdir(parents=True, exist_ok=True)
    return in_parallel([joblib.delayed(_kept)(task, kept) for task in tasks], workers)


def fitted(forests: Forests, calibrated: Sequence[Told], without: str = "") -> Fitted:
    """The model of all hands but one, true of the notables of those hands; of single days where there are none."""
    scale = forests.by_days
    parts = list[Days]()
    for item in calibrated:
        if item.hand == without or not item.likelihoods:
            continue
        odds = np.array(item.likelihoods) / 100
        x, bad = np.log(odds / (1 - odds))[:, None], np.array(item.bad)
        weight = np.where(bad, item.weight, 1.0)
        parts.append(Days(x, bad.astype(float), weight / weight.sum()))
    if not any(part.y.any() for part in parts):
        return Fitted(*forests.grown(without), *scale)
    slope, offset = platt(Days(*(np.concatenate(column) for column in zip(*parts))))
    return Fitted(*forests.grown(without), round(slope * scale[0], 4), round(slope * scale[1] + offset, 4))


def _kept(task: Task, folder: Path) -> Told:
    path = folder / f"told-{name_of(task.source, code() + task.model['id'])}.json"
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_text(json.dumps(_told(task)))
        part.replace(path)
    return Told(*json.loads(path.read_text()))


def _told(task: Task) -> Told:
    days = list(days_of(task.source))
    incidents = [item for begun, _ in days for item in begun]
    with tempfile.TemporaryDirectory() as folder:
        write.write(Path(folder), dict(task.model), task.hand)
        result = compromises(incidents, (some for _, some in days), Path(folder), BUDGET, task.identity_days)
    begins = first_day(incidents)
    shown = [(n, of) for n, of in result if n["likelihood"] >= LOWEST and parse(n["last_time"]) // DAY >= begins]
    weight = min(1.0, PREVALENCE * task.identity_days / max(1, len(incidents)))
    return Told(task.hand, [min(n["likelihood"], 99.9) for n, _ in shown], [bool(of) for _, of in shown], weight)
