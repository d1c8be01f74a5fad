"""Real records: what is found in an attacked account, and how quiet ordinary accounts stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nhi_watch.core import timestamps
from nhi_watch.core.behaviour import Shape, shape_of
from nhi_watch.core.notable import severity_of
from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.detect.features import View
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.ranking import FLOOR
from nhi_watch.detect.scoring import Baselines, behaviour_row
from nhi_watch_lab.evaluation import folder
from nhi_watch_lab.evaluation.background import event_of, moved, week_before
from nhi_watch_lab.evaluation.counting import average_precision, mix
from nhi_watch_lab.evaluation.giveaways import is_attack, stripped
from nhi_watch_lab.evaluation.incidents import card
from nhi_watch_lab.evaluation.replay import Replay, Replayed
from nhi_watch_lab.evaluation.summary import plain_card

Record = dict[str, Any]
LOUD = ("critical", "high", "medium")
SHOWN = 12


def real(model: Scorecard, data: Path) -> dict[str, Any]:
    """All figures on real records without grafts."""
    logs = data / "cloudtrail"
    boogy, grycap = folder.read(logs / "boogy.json"), folder.read(logs / "grycap.ndjson")
    whole = folder.repaired(boogy)
    return {
        "invictus": invictus(model, folder.read(logs / "invictus")),
        "benign": {
            "boogy cold": quiet(model, [], boogy),
            "boogy cold, ids repaired": quiet(model, [], whole),
            "boogy warm": quiet(model, week_before(boogy), boogy),
            "boogy warm, ids repaired": quiet(model, week_before(whole), whole),
            "boogy split": quiet(model, *halves(boogy)),
            "boogy split, ids repaired": quiet(model, *halves(whole)),
            "grycap cold": each_day_cold(model, grycap),
            "grycap warm": quiet(model, [], grycap),
        },
    }


# ---- ordinary accounts


def halves(records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """The first half by time, on the day before; and the second half.

    No record that is scored was learnt: a call that only the second half holds is new. One day before, not
    seven alike: half of five minutes is no evidence of what a machine does not do in a week.
    """
    ordered = sorted(records, key=lambda record: str(record.get("eventTime")))
    middle = len(ordered) // 2
    return [moved(record, -1, "half") for record in ordered[:middle]], ordered[middle:]


def quiet(model: Scorecard, before: Sequence[Record], records: Sequence[Record]) -> dict[str, Any]:
    """Severities of the notables of ordinary days after some others; nothing should be high."""
    replay = Replay(model)
    for _ in replay.run(before):
        pass
    return _severities(replay.run(records))


def each_day_cold(model: Scorecard, records: Sequence[Record]) -> dict[str, Any]:
    """Each day as if it were the first."""
    days: dict[str, list[Record]] = {}
    for record in records:
        days.setdefault(str(record.get("eventTime"))[:10], []).append(record)
    return _severities(item for day in sorted(days) for item in Replay(model).run(days[day]))


def _severities(items: Iterable[Replayed]) -> dict[str, Any]:
    eligible = [item for item in items if item.ranked.eligible]
    over = [item for item in eligible if item.ranked.score >= FLOOR]
    over.sort(key=lambda item: (-item.ranked.priority, -item.ranked.points))
    loud = [item for item in over if severity_of(item.ranked.score) in LOUD]
    return {
        "identity_days": len(eligible),
        "over_the_floor": mix(severity_of(item.ranked.score) for item in over),
        "medium_or_higher": [named(item) for item in loud],
        "highest": [named(item) for item in over[:3]],
    }


def named(item: Replayed) -> dict[str, Any]:
    """An episode with its day, severity and signals."""
    return {"day": timestamps.render_day(item.day), "severity": severity_of(item.ranked.score),
            **plain_card(card(item))}  # fmt: skip


# ---- the attacked account


def invictus(model: Scorecard, records: Sequence[Record]) -> dict[str, Any]:
    """Average precision of behaviours, attack against the rest, from nothing learnt.

    A behaviour is an attack if the tool made one of its events, as the original user agent tells; the tool's
    names are gone before anything is read. Behaviours that hold both are counted as attacks and named.
    """
    found: dict[tuple[Shape, int], Counter[bool]] = {}
    for original, record in zip(records, stripped(records)):
        event = event_of(record)
        if event is not None:
            key = (shape_of(event), event.time // HOUR)
            found.setdefault(key, Counter())[is_attack(original)] += 1
    rows = [(_points(model, shape, hour), shape, bool(held[True])) for (shape, hour), held in found.items()]
    rows.sort(key=lambda row: (-row[0], row[1]))
    attacks = sum(attack for _, _, attack in rows)
    return {
        "events": sum(sum(held.values()) for held in found.values()),
        "attack_events": sum(held[True] for held in found.values()),
        "behaviours": len(rows),
        "attack_behaviours": attacks,
        "mixed_behaviours": sum(len(held) == 2 for held in found.values()),
        "prevalence": round(attacks / max(1, len(rows)), 4),
        "average_precision": average_precision((points, attack) for points, _, attack in rows),
        "precision_at_number_of_attacks": _share([attack for _, _, attack in rows[:attacks]]),
        "ordinary_on_top": [_line(row) for row in rows if not row[2]][:SHOWN],
        "attacks_at_the_bottom": [_line(row) for row in rows if row[2]][-SHOWN:],
    }


def _points(model: Scorecard, shape: Shape, hour: int) -> float:
    """The points: a score to one decimal would tie where the model does not."""
    baselines = Baselines(model)
    past = baselines.past(shape.identity, hour * HOUR // DAY)
    return baselines.bound(past, shape.identity).total(behaviour_row(View(shape, past)))


def _line(row: tuple[float, Shape, bool]) -> str:
    points, shape, _ = row
    who = shape.identity.name.rsplit("/", 1)[-1]
    return f"{points:.2f} {shape.action} {shape.error} by {who} from {shape.network} with {shape.agent}"


def _share(values: Sequence[bool]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def lines(result: Mapping[str, Any]) -> list[str]:
    """The figures in lines, for tuning."""
    attacked = result["invictus"]
    told = [f"invictus: average precision {attacked['average_precision']} at prevalence {attacked['prevalence']} "
            f"({attacked['attack_behaviours']} of {attacked['behaviours']} behaviours)"]  # fmt: skip
    told += [f"  ordinary on top: {text}" for text in attacked["ordinary_on_top"]]
    told += [f"  attack at the bottom: {text}" for text in attacked["attacks_at_the_bottom"]]
    for name, figures in result["benign"].items():
        told.append(f"{name}: {figures['identity_days']} identity-days, over the floor {figures['over_the_floor']}")
        told += [f"  {_named_line(each)}" for each in figures["medium_or_higher"] or figures["highest"]]
    return told


def _named_line(each: Mapping[str, Any]) -> str:
    signals = sorted(each["signals"].items(), key=lambda row: -row[1][1])
    top = ", ".join(f"{name}={value}({points:+.2f})" for name, (value, points) in signals if abs(points) >= 0.1)
    return f"{each['day']} {each['identity'].rsplit('/', 1)[-1]} score {each['score']}: {top}"
