"""Makes the likelihood true: of the product's notables, in worlds of generators that the trees never saw.

Trees order single days whose past is labelled. What an analyst sees is a notable: the likeliest of several days, of
linked identities, after a past in which ordinary oddities waited in quarantine like attacks. So each generator's worlds
are scored by the product with trees that never saw that generator, and the log-odds of its notables are held against
the truth (Platt 1999), incidents weighed to PREVALENCE of the identity-days. Usual companies count as much as those in
which many machines are odd by nature.

A tenant's first day has trees and a calibration of its own: see `first`.
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
from nhi_watch_lab.training import first, write
from nhi_watch_lab.training.fit import PREVALENCE, Days, First, Fitted, Forests, platt, tested
from nhi_watch_lab.training.rows import Rows, Source, code, days_of, in_parallel, name_of

VARIANTS = ("", "unsteady")
"""Of companies whose notables count. In one kind more incidents are plain to see, in the other more ordinary machines
look like incidents: a likelihood that was fitted on either alone is wrong for the other."""
WORLDS = 2
"""Of each family, so many are scored: the product takes longer over a world than training does."""
BUDGET = 10.0
LOWEST = 2.0
"""Likelihood from which notables count: the many that nobody is shown would decide it."""


class Scored(NamedTuple):
    """The notables of one world."""

    hand: str
    likelihoods: list[float]
    bad: list[bool]
    incidents: int
    identity_days: int
    """Of the test."""

    @property
    def days(self) -> Days:
        """Log-odds, truth and weight of each notable: incidents are PREVALENCE of the identity-days."""
        odds, bad = np.array(self.likelihoods) / 100, np.array(self.bad)
        weight = np.where(bad, min(1.0, PREVALENCE * self.identity_days / max(1, self.incidents)), 1.0)
        return Days(np.log(odds / (1 - odds))[:, None], bad.astype(float), weight / weight.sum())


class Task(NamedTuple):
    """One world for one process."""

    hand: str
    source: Source
    model: Mapping[str, Any]
    identity_days: int
    """Of the test."""


def scored(
    forests: Forests,
    sources: Mapping[str, Sequence[Source]],
    rows: Mapping[str, Sequence[Rows]],
    prior: Any,
    kept: Path,
    workers: int,
) -> list[Scored]:
    """The notables of worlds by trees that never saw their generator, the likelihood true of single days.

    `kept`: a folder for the results, for the next training.
    """
    (slope, offset), tasks = forests.by_days, list[Task]()
    for name, family in sources.items():
        generator, _, variant = name.partition(" ")
        # the first simulator and what is drawn from it are left out together, and count once
        if variant in VARIANTS and generator in forests.hands:
            interim = Fitted(*forests.grown(generator), slope, offset, offset, First((), slope, offset))
            built = write.document(interim, prior)
            for source, item in [*zip(family, rows[name])][:WORLDS]:
                tasks.append(Task(generator, source, built, int((tested(item) & (item.own_days > 0)).sum())))
    kept.mkdir(parents=True, exist_ok=True)
    return in_parallel([joblib.delayed(_kept)(task, kept) for task in tasks], workers)


def fitted(forests: Forests, worlds: Sequence[Scored], without: str = "") -> Fitted:
    """The model of all hands but one, true of the notables of those hands; of single days where there are none."""
    slope, offset = forests.by_days
    parts = [world.days for world in worlds if world.hand != without and world.likelihoods]
    if any(part.y.any() for part in parts):
        times, more = platt(Days(*(np.concatenate(column) for column in zip(*parts))))
        slope, offset = round(slope * times, 4), round(offset * times + more, 4)
    first_days = [each for each in forests.first_days if each.hand != without]
    first_offset, reading = first.fitted(first_days, slope, offset)
    return Fitted(*forests.grown(without), slope, offset, first_offset, reading)


def _kept(task: Task, folder: Path) -> Scored:
    path = folder / f"scored-{name_of(task.source, code() + task.model['id'])}.json"
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_text(json.dumps(_scored(task)))
        part.replace(path)
    return Scored(*json.loads(path.read_text()))


def _scored(task: Task) -> Scored:
    days = list(days_of(task.source))
    incidents = [item for begun, _ in days for item in begun]
    with tempfile.TemporaryDirectory() as folder:
        write.write(Path(folder), dict(task.model), task.hand)
        result = compromises(incidents, (some for _, some in days), Path(folder), BUDGET, task.identity_days)
    begins = first_day(incidents)
    shown = [(n, of) for n, of in result if n["likelihood"] >= LOWEST and parse(n["last_time"]) // DAY >= begins]
    return Scored(
        task.hand,
        [min(n["likelihood"], 99.9) for n, _ in shown],
        [bool(of) for _, of in shown],
        len(incidents),
        task.identity_days,
    )
