"""The figures of simulated tenants, as plain values; and a digest in lines, for tuning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nhi_watch.core.notable import severity_of
from nhi_watch.detect import ranking
from nhi_watch_lab.evaluation.ablation import WITHOUT
from nhi_watch_lab.evaluation.counting import (
    BUDGETS,
    average_precision,
    brier,
    calibration,
    interval,
    mix,
    quantile,
    recall,
)
from nhi_watch_lab.evaluation.incidents import NO_THRESHOLD, OURS, Card, Incident, Scored, TenantResult

QUIET_DAYS = 7
"""The simulator starts no campaign before: figures over episodes leave out these days without incidents."""
WRITTEN_AT = 10.0
Group = Callable[[Incident], bool]


def summarise(results: Sequence[TenantResult]) -> dict[str, Any]:
    """All figures of some tenants."""
    incidents = [incident for result in results for incident in result.incidents]
    plain = [incident for incident in incidents if incident.distinguishable]
    episodes = [e for result in results for e in result.episodes]
    warm = [e for e in episodes if e.day >= QUIET_DAYS]
    written = notables(results, WRITTEN_AT)
    return {
        "tenants": len(results),
        "events": sum(result.events for result in results),
        "identity_days": len(episodes),
        "recall": recalls(plain),
        "recall_with_indistinguishable": recalls(incidents),
        "indistinguishable": by_technique([i for i in incidents if not i.distinguishable]),
        "by_technique": by_technique(plain),
        "episodes": _over_episodes(warm),
        "notables_written": _over_written(written, results),
        "severity_of_incidents": mix(severity_of(i.card.score if i.card else 0.0) for i in plain),
        "time_to_detect_minutes": _times(plain, "minutes"),
        "time_to_detect_records": _times(plain, "records"),
        "alerts": _alerts(results, written),
        "splits": splits(plain),
        "rivals": rivals_table(plain),
        "missed": [_missed(i) for i in plain if not i.found(WRITTEN_AT)],
    }


ORIGINS: dict[str, Group] = {
    "all": lambda i: True,
    "external": lambda i: i.origin == "external",
    "inside": lambda i: i.origin == "inside",
}


def recalls(incidents: Sequence[Incident], detector: str = OURS) -> dict[str, dict[str, Any]]:
    """Budget → origin → recall."""
    return {
        f"{budget:g}": {
            name: recall([i.found(budget, detector) for i in incidents if group(i)]) for name, group in ORIGINS.items()
        }
        for budget in BUDGETS
    }


def by_technique(incidents: Sequence[Incident]) -> dict[str, dict[str, Any]]:
    """Technique → budget → origin → recall."""
    names = sorted({i.technique for i in incidents})
    return {name: recalls([i for i in incidents if i.technique == name]) for name in names}


def rivals_table(incidents: Sequence[Incident]) -> dict[str, Any]:
    """Detector → recalls, and by how much ours is ahead, with the interval of the paired differences."""
    told = sorted({name.partition(" at ")[0] for i in incidents for name in i.places if not name.startswith(WITHOUT)})
    names = dict.fromkeys([OURS, *told])
    table = {name: {"recall": recalls(incidents, name)} for name in names}
    for name in names:
        table[name]["behind"] = {f"{budget:g}": _behind(incidents, name, budget) for budget in BUDGETS}
    return table


def _behind(incidents: Sequence[Incident], detector: str, budget: float) -> dict[str, Any]:
    gaps = [float(i.found(budget)) - float(i.found(budget, detector)) for i in incidents]
    mean = round(sum(gaps) / len(gaps), 4) if gaps else 0.0
    return {"recall": mean, "interval": list(interval(gaps))}


def notables(results: Sequence[TenantResult], budget: float) -> list[Scored]:
    """The episodes that would have been written: over floor and threshold, and within the budget of their day."""
    which, found = BUDGETS.index(budget), list[Scored]()
    for result in results:
        days: dict[int, list[Scored]] = {day.day: [] for day in result.days}
        for e in result.episodes:
            days[e.day].append(e)
        for size in result.days:
            over = [e for e in days[size.day] if e.place >= 0 and e.score >= size.thresholds[which]]
            over.sort(key=lambda e: e.place)
            found += over[: ranking.allowance(budget, size.identities)]
    return found


def _over_episodes(warm: Sequence[Scored]) -> dict[str, Any]:
    told = [(e.probability, e.bad) for e in warm]
    return {
        "n": len(warm),
        "prevalence": round(sum(e.bad for e in warm) / max(1, len(warm)), 6),
        "average_precision": average_precision((e.points, e.bad) for e in warm),
        "brier": brier(told),
    }


def _over_written(written: Sequence[Scored], results: Sequence[TenantResult]) -> dict[str, Any]:
    warm = [(e.probability, e.bad) for e in written if e.day >= QUIET_DAYS]
    return {
        "budget": WRITTEN_AT,
        "benign_severity": mix(severity_of(e.score) for e in written if not e.bad),
        "brier": brier(warm),
        "calibration": calibration(warm),
        "benign_a_day": _benign_a_day(results),
    }


def _benign_a_day(results: Sequence[TenantResult]) -> dict[str, Any]:
    """Budget → benign notables a day per 1,000 identities, on average and at worst; the first week apart."""
    found = {}
    for budget in BUDGETS:
        counts = {(d.seed, d.day): [0, d.identities] for result in results for d in result.days}
        for e in notables(results, budget):
            counts[e.seed, e.day][0] += not e.bad
        rates = {day: 1000 * n / max(1, size) for day, (n, size) in counts.items()}
        warm = [rate for (_, day), rate in rates.items() if day >= QUIET_DAYS]
        cold = [rate for (_, day), rate in rates.items() if day < QUIET_DAYS]
        found[f"{budget:g}"] = {"mean": _mean(warm), "max": round(max(warm, default=0.0), 2),
                                "first_week_mean": _mean(cold)}  # fmt: skip
    return found


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 2) if values else 0.0


def _alerts(results: Sequence[TenantResult], written: Sequence[Scored]) -> dict[str, int]:
    """What would have come to people's desks, and what comes instead, from the day on that incidents may happen."""
    return {
        "other_products_in": sum(result.alerts.products for result in results),
        "first_seen_rule_in": sum(result.alerts.first_seen for result in results),
        "notables_out": sum(e.day >= QUIET_DAYS for e in written),
    }


def splits(incidents: Sequence[Incident]) -> dict[str, dict[str, Any]]:
    """Recalls by tenant, by time and by identity; by technique: see `by_technique` and the unseen ones' folds."""
    cuts: dict[str, Callable[[Incident], str]] = {
        "tenant": lambda i: str(i.seed),
        "week": lambda i: str(i.day // 7 + 1),
        "kind of identity": lambda i: i.whose.kind or "no episode",
        "age of identity": lambda i: _age(i.whose.days),
    }
    return {name: _split(incidents, cut) for name, cut in cuts.items()}


def _split(incidents: Sequence[Incident], cut: Callable[[Incident], str]) -> dict[str, Any]:
    parts: dict[str, list[Incident]] = {}
    for incident in incidents:
        parts.setdefault(cut(incident), []).append(incident)
    return {name: recalls(part) for name, part in sorted(parts.items())}


def _age(days: int) -> str:
    return "never seen before" if not days else f"{'1 to 6' if days < 7 else '7 and more'} active days"


def _times(incidents: Sequence[Incident], what: str) -> dict[str, Any]:
    """Of the incidents found; from its first record to the event at which its notable would be written."""
    told = [getattr(i, what) for i in incidents if i.found(WRITTEN_AT)]
    times = [each for each in told if each is not None]
    middle, late = quantile(times, 0.5), quantile(times, 0.9)
    return {"n": len(times), "median": None if middle is None else round(middle, 1),
            "p90": None if late is None else round(late, 1)}  # fmt: skip


def _missed(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id, "seed": incident.seed, "day": incident.day, "technique": incident.technique,
        "origin": incident.origin, "benign_above": _above(incident),
        "episode": plain_card(incident.card) if incident.card else None,
        "outranked_by": [plain_card(c) for c in incident.above],
    }  # fmt: skip


def plain_card(card: Card) -> dict[str, Any]:
    """An episode's numbers as plain values."""
    return {**card._asdict(), "signals": {name: list(told) for name, told in card.signals.items()}}


# ---- lines


def digest(results: Sequence[TenantResult], most: int) -> list[str]:
    """Recall by origin, the techniques that are missed, the missed incidents and what outranks them."""
    incidents = [incident for result in results for incident in result.incidents]
    plain = [i for i in incidents if i.distinguishable]
    return [
        *_recall_lines(plain, "distinguishable"),
        *_recall_lines(incidents, "everything"),
        *_rival_lines(plain),
        *_technique_lines(plain),
        *_top_lines(plain),
        *_missed_lines(plain, most),
    ]


def _recall_lines(incidents: Sequence[Incident], title: str) -> Iterator[str]:
    for budget, origins in recalls(incidents).items():
        told = "  ".join(
            f"{name} {r['recall']:.3f} {r['interval']} ({r['found']}/{r['incidents']})" for name, r in origins.items()
        )
        yield f"{title} at {budget:>2}: {told}"


def _rival_lines(incidents: Sequence[Incident]) -> Iterator[str]:
    for name, row in rivals_table(incidents).items():
        told = "  ".join(
            f"at {budget} " + " / ".join(f"{o[origin]['recall']:.3f}" for origin in ORIGINS)
            for budget, o in row["recall"].items()
        )
        yield f"{name:18} {told}"


def _technique_lines(incidents: Sequence[Incident]) -> Iterator[str]:
    yield "missed at 10, at 3, of all: technique, origin"
    groups: dict[tuple[str, str], list[Incident]] = {}
    for i in incidents:
        groups.setdefault((i.technique, i.origin), []).append(i)
    lost = {key: [sum(not i.found(b) for i in group) for b in (10.0, 3.0)] for key, group in groups.items()}
    for key in sorted(lost, key=lambda key: (lost[key], key), reverse=True):
        if any(lost[key]):
            yield f"  {lost[key][0]:3} {lost[key][1]:3} {len(groups[key]):3}  {key[0]} {key[1]}"


def _top_lines(incidents: Sequence[Incident]) -> Iterator[str]:
    """Which signals carry the benign episodes that outrank missed incidents."""
    cards = {(i.seed, i.day, c.identity): c for i in incidents if not i.found(3.0) for c in i.above}
    total: dict[str, float] = {}
    for c in cards.values():
        for name, (_, points) in c.signals.items():
            total[name] = total.get(name, 0.0) + points
    top = sorted(total, key=lambda name: -total[name])[:15]
    yield f"signals' points in the {len(cards)} benign episodes above incidents missed at 3: " + ", ".join(
        f"{name} {total[name] / len(cards):.2f}" for name in top
    )


def _missed_lines(incidents: Sequence[Incident], most: int) -> Iterator[str]:
    missed = [i for i in incidents if not i.found(10.0)]
    missed += [i for i in incidents if i.found(10.0) and not i.found(3.0)]
    for i in missed[:most]:
        yield f"MISSED {i.technique} {i.origin} seed {i.seed} day {i.day} {i.id}: benign above {_above(i)}"
        for mark, c in [("  it ", i.card), *(("  over ", c) for c in i.above)]:
            if c is not None:
                name = c.identity.rsplit("/", 1)[-1]
                yield f"{mark}{name} score {c.score} points {c.points:.2f}: {_told(c)}"


def _above(incident: Incident) -> int | None:
    """Benign episodes at or above its best; None: nothing of it reached the floor alone."""
    return min((above for _, above, _ in incident.places.get(NO_THRESHOLD, ())), default=None)


def _told(card: Card) -> str:
    rows = sorted(card.signals.items(), key=lambda row: -row[1][1])
    return ", ".join(
        f"{name}={'?' if value is None else f'{value:g}'}({points:+.2f})" for name, (value, points) in rows
        if abs(points) >= 0.1
    )  # fmt: skip
