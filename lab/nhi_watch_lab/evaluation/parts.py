"""The parts of an evaluation, each of which can be asked for by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.detect.model import Scorecard
from nhi_watch_lab.evaluation import (
    ablation,
    cold,
    graft_rivals,
    grafts,
    incidents,
    learners,
    losses,
    poison,
    prevalence,
    real,
    streams,
    summary,
    worlds,
)
from nhi_watch_lab.evaluation.exams import Exam
from nhi_watch_lab.evaluation.incidents import Job, Progress
from nhi_watch_lab.evaluation.labelled import Labelled
from nhi_watch_lab.evaluation.unseen import Fold
from nhi_watch_lab.simulator import Spec

Result = dict[str, Any]


class Task(NamedTuple):
    """What is to be measured, and with what."""

    model: Scorecard
    specs: Sequence[Spec]
    """The simulated tenants."""
    stream_seeds: Sequence[int]
    """The tenants whose ordinary days the budget must hold on."""
    data: Optional[Path]
    """Real logs."""
    kept: Path
    """Where simulated days are kept."""
    progress: Progress
    workers: int = 2
    exams: Sequence[Exam] = ()
    """The worlds that the score is judged in."""
    rules: Optional[Path] = None
    """A folder of Sigma rules, as a rival."""
    folds: Sequence[Fold] = ()
    """Models that judge techniques which they were not trained on."""

    @property
    def some(self) -> list[Spec]:
        """The tenants of the curves, which cost more than one pass."""
        return list(self.specs[:CURVE_TENANTS])


CURVE_TENANTS = 3
POISONED = 12
"""Campaigns of a tenant that are poisoned for."""


def judged_worlds(task: Task) -> Result:
    """Drawn worlds, the second one, padded variants, the old simulator; with rivals."""
    work = worlds.Task(task.model, task.exams, task.kept.parent, True, task.rules, task.folds, task.workers)
    return {"worlds": worlds.measure(work, task.progress)}


def simulated(task: Task) -> Result:
    """Recall of ours and of all rivals, and what follows from the same days."""
    (boosted,) = _boosting(task.progress)
    jobs = [Job(spec, task.model, kept=task.kept, boosting=boosted) for spec in task.specs]
    results = incidents.all_tenants(jobs, task.progress, task.workers)
    episodes = [episode for result in results for episode in result.episodes]
    shifted = prevalence.shift(episodes, summary.notables(results, summary.WRITTEN_AT))
    figures = summary.summarise(results)
    return {"simulated": figures, "rivals_left_out": learners.left_out(boosted), "prevalence": shifted}


def _boosting(progress: Progress) -> list[Any]:
    """The unrestricted boosting, fitted in a process of one thread: many threads on few cores wait for each other."""
    return incidents.spread(learners.boosting, [None], (progress, "training of the boosting"), workers=2)


def real_logs(task: Task) -> Result:
    """Real accounts, and real attacks grafted onto their machines, by ours and by all rivals."""
    if task.data is None:
        return {}
    (boosted,) = _boosting(task.progress)
    compared = graft_rivals.compare(task.model, task.data, boosted, task.progress)
    return {
        "real": real.real(task.model, task.data),
        "grafts": grafts.summarise(grafts.all_grafts(task.model, task.data, task.progress)),
        "real_rivals": graft_rivals.summarise(compared),
        "real_rivals_by_background": graft_rivals.by_background(compared),
    }


def budget(task: Task) -> Result:
    """Thirty ordinary days, and the same days with campaigns."""
    works = [
        streams.Work(Spec(streams.DAYS, task.specs[0].machines, seed, campaigns=campaigns), task.model, task.kept)
        for campaigns in (0, task.specs[0].campaigns)
        for seed in task.stream_seeds
    ]
    found = incidents.spread(streams.watch, works, (task.progress, "budget on ordinary days"), task.workers)
    half = len(task.stream_seeds)
    return {"budget": {"seeds": list(task.stream_seeds), **streams.summarise(found[:half], found[half:])}}


def cold_start(task: Task) -> Result:
    """The same attacks after 0 to 30 days of history."""
    works = [cold.Work(cold.spec_of(spec), task.model, task.kept) for spec in task.some]
    found = incidents.spread(cold.cold, works, (task.progress, "cold start"), task.workers)
    return {"cold_start": cold.summarise(found)}


def poisoning(task: Task) -> Result:
    """Days until an attacker who knows everything passes unseen."""
    works = [poison.Work(replace(spec, campaigns=POISONED), task.model) for spec in task.some]
    found = incidents.spread(poison.poison, works, (task.progress, "poisoning"), task.workers)
    return {"poisoning": poison.summarise([fate for fates in found for fate in fates])}


def signals(task: Task) -> Result:
    """What is lost without each signal."""
    jobs = [Job(spec, task.model, rivals=False, kept=task.kept, ablate=True) for spec in task.specs]
    results = incidents.spread(incidents.one_tenant, jobs, (task.progress, "without each signal"), task.workers)
    return {"signals": losses.by_signal([i for r in results for i in r.incidents if i.distinguishable])}


def fields(task: Task) -> Result:
    """What is lost where logs lack a field."""
    names = ["", *ablation.FIELDS]
    jobs = [Job(spec, task.model, rivals=False, kept=task.kept, blank=name) for name in names for spec in task.some]
    results = incidents.spread(incidents.one_tenant, jobs, (task.progress, "without each field"), task.workers)
    size = len(task.some)
    by_name = {name: results[n * size : (n + 1) * size] for n, name in enumerate(names)}
    told = {name: [i for r in part for i in r.incidents if i.distinguishable] for name, part in by_name.items()}
    return {"fields": {"tenants": size, "recall": losses.by_field(told)}}


PARTS: dict[str, Callable[[Task], Result]] = {
    "worlds": judged_worlds, "simulated": simulated, "real": real_logs, "budget": budget, "cold": cold_start,
    "poison": poisoning, "signals": signals, "fields": fields,
}  # fmt: skip
CURVES = ("cold", "poison", "signals", "fields")


def own(model: Scorecard, logs: Labelled, quiet_days: int, progress: Progress) -> Result:
    """A user's own labelled logs, by ours and by all rivals."""
    spec = Spec(len(logs.days), 0, 0, quiet_days=quiet_days)
    (boosted,) = _boosting(progress)
    result = incidents.one_tenant(Job(spec, model, boosting=boosted, own=logs))
    figures = {**summary.summarise([result]), "rejected": logs.rejected, "days": len(logs.days)}
    return {"simulated": figures, "rivals_left_out": learners.left_out(boosted)}
