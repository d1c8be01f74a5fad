"""The figures of judged worlds, as plain values: by world, pooled, on average and at worst; and a digest in lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nhi_watch_lab.evaluation.counting import calibration, interval, recall
from nhi_watch_lab.evaluation.exams import Exam
from nhi_watch_lab.evaluation.judged import BUDGETS, OURS, Case, Judged, Notable

ORIGINS = ("external", "inside")
SPECIAL = {
    "parallel session": re.compile("parallel"),
    "slow discovery": re.compile("(slow|patient).discovery"),
}
"""Kinds of incidents that are told apart, by the names of techniques."""
SETTLED = 14
"""Days of history from which the calibration is told."""
Hit = tuple[Case, float]
"""A case, and the room that its world has."""


def summarise(worlds: Sequence[Judged]) -> dict[str, Any]:
    """All figures: of each world, and of each group of worlds."""
    groups: dict[str, list[Judged]] = {}
    for world in worlds:
        groups.setdefault(group_of(world.exam), []).append(world)
    return {
        "worlds": [_world(world) for world in worlds],
        "groups": {name: _group(group) for name, group in groups.items()},
        "padding": {name: _padding(groups[name], groups[f"{name} padded"])
                    for name in groups if f"{name} padded" in groups},
        "calibration": _calibration([world for world in worlds if not world.exam.padded]),
    }  # fmt: skip


def group_of(exam: Exam) -> str:
    """What an exam's figures are pooled with."""
    return f"{exam.kind}{' padded' if exam.padded else ''}"


def plain(world: Judged) -> list[Case]:
    """The incidents that a log can tell from ordinary use."""
    return [case for case in world.cases if case.distinguishable]


def share(world: Judged, budget: float, origin: str, detector: str = OURS) -> dict[str, Any]:
    """Recall of one origin in one world."""
    cases = [case for case in plain(world) if case.origin == origin and detector in case.above]
    return recall([case.found(world.room(budget), detector) for case in cases])


def _world(world: Judged) -> dict[str, Any]:
    recalls = {f"{b:g}": {origin: share(world, b, origin) for origin in ORIGINS} for b in BUDGETS}
    return {
        "name": world.exam.name, "group": group_of(world.exam), "days": world.days, "identities": world.identities,
        "room": {f"{b:g}": round(world.room(b), 2) for b in BUDGETS}, "recall": recalls,
        "missed": [_missed(case, world) for case in plain(world) if not case.found(world.room(BUDGETS[0]))],
        "above": [notable._asdict() for notable in world.benign[: int(world.room(BUDGETS[0])) + 1]],
    }  # fmt: skip


def _missed(case: Case, world: Judged) -> dict[str, Any]:
    best = case.best._asdict() if case.best else None
    return {"id": case.id, "technique": case.technique, "origin": case.origin, "above": case.above[OURS], "best": best}


def _group(worlds: Sequence[Judged]) -> dict[str, Any]:
    detectors = list(dict.fromkeys(name for world in worlds for case in world.cases for name in case.above))
    detectors = [OURS, *(name for name in detectors if name != OURS)]
    return {
        "worlds": len(worlds),
        "incidents": {o: sum(case.origin == o for world in worlds for case in plain(world)) for o in ORIGINS},
        "indistinguishable": sorted({c.technique for world in worlds for c in world.cases if not c.distinguishable}),
        "detectors": {name: _detector(worlds, name) for name in detectors},
        "techniques": _techniques(worlds),
        "special": {name: _special(worlds, pattern) for name, pattern in SPECIAL.items()},
        "benign": _benign(worlds),
        "calibration": _calibration(worlds),
    }


def _detector(worlds: Sequence[Judged], name: str) -> dict[str, Any]:
    return {f"{b:g}": {origin: _figure(worlds, b, origin, name) for origin in ORIGINS} for b in BUDGETS}


def _figure(worlds: Sequence[Judged], budget: float, origin: str, name: str) -> dict[str, Any]:
    """Pooled, mean over worlds, the worst world; and by how much ours is ahead on the same incidents.

    Of incidents that the detector judged: a model that lacks some techniques judges those alone.
    """
    having = [world for world in worlds if any(case.origin == origin and name in case.above for case in plain(world))]
    told = [(share(world, budget, origin, name)["recall"], world.exam.name) for world in having]
    hits = [hit for hit in _hits(worlds) if hit[0].origin == origin and name in hit[0].above]
    found = [float(case.found(budget * room, name)) for case, room in hits]
    gaps = [float(case.found(budget * room)) - mine for (case, room), mine in zip(hits, found)]
    return {
        **recall([hit > 0 for hit in found]),
        "mean": _mean([value for value, _ in told]),
        "worst": list(min(told, default=(0.0, ""))),
        "ahead": {"recall": _mean(gaps), "interval": list(interval(gaps))},
    }


def _hits(worlds: Sequence[Judged]) -> Iterator[Hit]:
    """Every case with its world's room at a budget of 1."""
    return ((case, world.room(1.0)) for world in worlds for case in plain(world))


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def _techniques(worlds: Sequence[Judged]) -> dict[str, Any]:
    names = sorted({case.technique for case, _ in _hits(worlds)})
    return {name: _counts(worlds, lambda case, name=name: case.technique == name) for name in names}  # type: ignore[misc]


def _special(worlds: Sequence[Judged], pattern: re.Pattern[str]) -> dict[str, Any]:
    return _counts(worlds, lambda case: bool(pattern.search(case.technique)))


def _counts(worlds: Sequence[Judged], wanted: Callable[[Case], bool]) -> dict[str, Any]:
    hits = [hit for hit in _hits(worlds) if wanted(hit[0])]
    return {
        f"{b:g}": {o: [sum(c.found(b * room) for c, room in hits if c.origin == o), sum(c.origin == o for c, _ in hits)]
                   for o in ORIGINS}
        for b in BUDGETS
    }  # fmt: skip


def _benign(worlds: Sequence[Judged]) -> dict[str, int]:
    """Kind of identity → benign notables that the first budget has room for."""
    kinds = Counter(n.kind for world in worlds for n in world.benign[: int(world.room(BUDGETS[0]))])
    return dict(sorted(kinds.items(), key=lambda row: (-row[1], row[0])))


def _calibration(worlds: Sequence[Judged]) -> dict[str, Any]:
    """Of what is written once a tenant has two weeks of history."""
    told = [(chance, bad) for world in worlds for chance, bad, age in world.calibration if age >= SETTLED]
    found = calibration(told)
    return {**found, "prevalence": _mean([float(bad) for _, bad in told])}


def _padding(plain_worlds: Sequence[Judged], padded: Sequence[Judged]) -> dict[str, Any]:
    """What padding costs, on incidents that both variants of a world have."""
    hidden = {(w.exam.seed, *c[:3]): (c, w) for w in padded for c in plain(w)}
    both = [(c, w, (w.exam.seed, *c[:3])) for w in plain_worlds for c in plain(w)]
    pairs = [(c, w, *hidden[key]) for c, w, key in both if key in hidden]
    found: dict[str, Any] = {}
    for budget in BUDGETS:
        for origin in ORIGINS:
            gaps = [
                float(c.found(w.room(budget))) - float(d.found(v.room(budget)))
                for c, w, d, v in pairs if c.origin == origin
            ]  # fmt: skip
            told = {"incidents": len(gaps), "recall": _mean(gaps), "interval": list(interval(gaps))}
            found.setdefault(f"{budget:g}", {})[origin] = told
    return found


# ---- lines


def digest(worlds: Sequence[Judged], missed: int) -> list[str]:
    """How each world and each group fares; the incidents missed in each world, and what outranks them."""
    told = summarise(worlds)
    lines = [_line(world) for world in told["worlds"]]
    for name, group in told["groups"].items():
        lines.append(f"{name}: {group['incidents']}, benign in the budget {group['benign']}, "
                     f"calibration error {group['calibration']['error']} of {group['calibration']['n']}")  # fmt: skip
        lines += [f"  {who:18} {_figures(figures)}" for who, figures in group["detectors"].items()]
        lines += [f"  {special}: {counts}" for special, counts in group["special"].items()]
    for world in worlds:
        lines += list(_studied(world, missed))
    return lines


def _line(world: dict[str, Any]) -> str:
    told = [(f"{origin} at {b}", row[origin]) for b, row in world["recall"].items() for origin in ORIGINS]
    cells = [f"{name} {figure['found']}/{figure['incidents']}" for name, figure in told]
    return f"{world['name']:18} {world['identities']:6} identities, room {world['room']['10']:5}: {', '.join(cells)}"


def _figures(figures: dict[str, Any]) -> str:
    cells = [f"{o} at {b} {row[o]['recall']:.2f} (mean {row[o]['mean']:.2f}, worst {row[o]['worst'][0]:.2f})"
             for b, row in figures.items() for o in ORIGINS]  # fmt: skip
    return ", ".join(cells)


def _studied(world: Judged, most: int) -> Iterator[str]:
    lost = [case for case in plain(world) if not case.found(world.room(BUDGETS[0]))][:most]
    if not lost:
        return
    yield f"{world.exam.name}: missed at {BUDGETS[0]:g}"
    for case in lost:
        yield f"  {case.origin} {case.technique} ({case.above[OURS]} above): {_why(case.best)}"
    yield "  benign on top"
    yield from (f"    {_why(notable)}" for notable in world.benign[: int(world.room(BUDGETS[0])) + 1][:most])


def _why(notable: Notable | None) -> str:
    if notable is None:
        return "no notable"
    signals = ", ".join(f"{name}={value}({points:.1f})" for name, (value, points) in notable.why.items())
    return f"{notable.kind} {notable.identity.rsplit('/', 1)[-1]} {notable.day} {notable.points:.1f} points: {signals}"
