"""Does the budget hold? Thirty ordinary days of some tenants, and the same days with campaigns in them.

On the ordinary days everything that is written is false, so silence would look like precision: recall is told of
the same tenants with campaigns, under the same thresholds. What honest machines did that day (deploys, newcomers,
new agents, a gateway that moved) is counted beside it, because there the days are not like the weeks before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.detect import ranking
from nhi_watch.detect.calibration import Quiet
from nhi_watch.detect.model import Scorecard
from nhi_watch_lab.evaluation.counting import BUDGETS, recall
from nhi_watch_lab.evaluation.kept import tenant_days
from nhi_watch_lab.evaluation.replay import Replay, Replayed, linked, quiet_time
from nhi_watch_lab.simulator import Spec, Tenant

SEEDS = (512, 514, 516)
"""The first three from 511 on in whose 30 days machines are deployed and born, a fleet upgraded and a gateway moved."""
QUIET_DAYS = 7
DAYS = QUIET_DAYS + 30
FLEET = 3
"""Machines that get a new agent on one day, to call it an upgrade of a fleet."""
HAPPENINGS = ("deploys", "newcomers", "fleet_upgrades", "moved_gateways")


class DayCount(NamedTuple):
    """One budget on one day."""

    seed: int
    day: int
    budget: float
    identities: int
    room: int
    threshold: float
    over: int
    """Benign episodes over floor and threshold."""
    written: int
    """Benign ones that were written."""
    overflow: int
    """Episodes over floor and threshold for which the cap had no room."""


class Stream(NamedTuple):
    """What one tenant gave."""

    seed: int
    days: list[DayCount]
    found: dict[float, set[str]]
    """Budget → incidents of which an episode was over the threshold and within the budget."""
    incidents: dict[str, Mapping[str, Any]]
    """Id → label, of those that a log can tell."""
    happenings: dict[int, Counter[str]]


class Work(NamedTuple):
    """One tenant to be watched."""

    spec: Spec
    model: Scorecard
    kept: Optional[Path] = None


def watch(work: Work) -> Stream:
    """All days of a tenant, under every budget."""
    replay, days = Replay(work.model), list[DayCount]()
    found: dict[float, set[str]] = {budget: set() for budget in BUDGETS}
    incidents: dict[str, Mapping[str, Any]] = {}
    for number, day in enumerate(tenant_days(work.spec, work.kept)):
        replay.label(day.incidents)
        incidents.update((label["id"], label) for label in day.incidents if label["distinguishable"])
        for everybody in replay.by_day(day.days):
            quiet = quiet_time(replay, everybody[0].day)
            items = [item for item in linked(everybody) if item.ranked.eligible]
            size = sum(item.ranked.eligible for item in everybody)
            for budget in BUDGETS:
                count, names = one_day(items, size, budget, quiet)
                days.append(count._replace(seed=work.spec.seed, day=number))
                found[budget] |= names
    return Stream(work.spec.seed, days, found, incidents, happenings(work.spec))


def one_day(items: Sequence[Replayed], size: int, budget: float, quiet: Quiet) -> tuple[DayCount, set[str]]:
    """How a day fares under a budget, and the incidents that it finds: see `counting` for the rules."""
    room = ranking.allowance(budget, size)
    threshold = max(ranking.FLOOR, quiet.threshold(room, size))
    over = [item for item in items if item.ranked.score >= threshold]
    over.sort(key=lambda i: (-i.ranked.priority, -i.ranked.points, bool(i.incidents), i.ranked.identity_id))
    benign, names = 0, set[str]()
    for item in over:
        benign += not item.incidents
        if len(item.incidents) == 1 and benign < room:
            names |= item.incidents
    written = sum(not item.incidents for item in over[:room])
    return DayCount(0, 0, budget, size, room, threshold, benign, written, len(over[room:])), names


def happenings(spec: Spec) -> dict[int, Counter[str]]:
    """Day → what honest machines did that is not like the days before."""
    tenant = Tenant(spec)
    found: dict[int, Counter[str]] = {}
    agents: Counter[int] = Counter()
    for machine in tenant.machines:
        agents.update(day for day, _ in machine.agents if day > 0)
        _add(found, "newcomers", [machine.born])
        _add(found, "deploys", {activity.since for activity in machine.activities if activity.since > machine.born})
    _add(found, "fleet_upgrades", [day for day, machines in agents.items() if machines >= FLEET])
    for place in tenant.parts.subnets:
        _add(found, "moved_gateways", place.moves)
    return {day: counts for day, counts in sorted(found.items()) if 0 < day < spec.days}


def _add(found: dict[int, Counter[str]], name: str, days: Iterable[int]) -> None:
    for day in days:
        found.setdefault(day, Counter())[name] += 1


# ---- figures


def summarise(benign: Sequence[Stream], attacked: Sequence[Stream]) -> dict[str, Any]:
    """Budget → how it held on ordinary days, and what was found on the same tenants' days with campaigns."""
    return {
        "tenants": len(benign),
        "days_a_tenant": DAYS - QUIET_DAYS,
        "happenings": _happenings(benign),
        "budgets": {f"{budget:g}": _budget(benign, attacked, budget) for budget in BUDGETS},
    }


def _happenings(streams: Sequence[Stream]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for stream in streams:
        for day, counts in stream.happenings.items():
            total.update(counts if day >= QUIET_DAYS else ())
    return {name: total[name] for name in HAPPENINGS}


def _budget(benign: Sequence[Stream], attacked: Sequence[Stream], budget: float) -> dict[str, Any]:
    days = [c for stream in benign for c in stream.days if c.budget == budget and c.day >= QUIET_DAYS]
    apart = {(stream.seed, day) for stream in benign for day in stream.happenings if _unlike(stream.happenings[day])}
    odd = [c for c in days if (c.seed, c.day) in apart]
    plain = [c for c in days if (c.seed, c.day) not in apart]
    return {
        "days": len(days),
        "days_within": sum(c.written <= c.room for c in days),
        "room": _rate(days, "room"),
        "over": _rate(days, "over"),
        "written": _rate(days, "written"),
        "overflow": sum(c.overflow for c in days),
        "days_with_overflow": sum(c.overflow > 0 for c in days),
        "over_on_days_like_others": _rate(plain, "over"),
        "over_on_days_unlike_others": {"days": len(odd), "rate": _rate(odd, "over"), "written": _rate(odd, "written")},
        "recall": {origin: _recall(attacked, budget, origin) for origin in ("external", "inside")},
        "benign_written_beside_campaigns": _rate(
            [c for s in attacked for c in s.days if c.budget == budget and c.day >= QUIET_DAYS], "written"
        ),
    }


def _unlike(counts: Mapping[str, int]) -> bool:
    """Whether something changed for many identities at once."""
    return bool(counts.get("fleet_upgrades") or counts.get("moved_gateways"))


def _rate(days: Sequence[DayCount], field: str) -> float:
    """A day and 1,000 identities, on average."""
    size = sum(c.identities for c in days)
    return round(1000 * sum(getattr(c, field) for c in days) / size, 2) if size else 0.0


def _recall(streams: Sequence[Stream], budget: float, origin: str) -> dict[str, Any]:
    return recall([
        name in stream.found[budget]
        for stream in streams
        for name, label in stream.incidents.items()
        if label["origin"] == origin
    ])  # fmt: skip
