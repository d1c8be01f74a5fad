"""When things happen: hours of offices, ticks, runs."""
from __future__ import annotations

import math
from typing import List

from .chance import Chance
from .model import DAY, HOUR, Identity
from .tenant import Tenant

OFFICE = [1, 1, 1, 1, 1, 2, 3, 6, 11, 15, 16, 15, 12, 14, 16, 16, 14, 10, 6, 4, 3, 2, 2, 1]


def weekday(tenant: Tenant, day: int) -> int:
    return (tenant.first.weekday() + day) % 7


def office_hour(tenant: Tenant, day: int, rng: Chance, person: bool = False) -> float:
    """A moment of a working day; people keep stricter hours than the load they make."""
    if person:
        hour = min(20.0, max(6.5, rng.gauss(13, 2.6)))
    else:
        point, hour = rng.random() * sum(OFFICE), 0.0
        for index, weight in enumerate(OFFICE):
            point -= weight
            if point <= 0:
                hour = index + rng.random()
                break
    return tenant.start + day * DAY + (hour - tenant.habits["timezone"]) * HOUR


def busy(tenant: Tenant, day: int) -> float:
    return tenant.habits["weekend"] if weekday(tenant, day) >= 5 else 1.0


def flow_times(tenant: Tenant, who: Identity, day: int, rate: float, rng: Chance) -> List[float]:
    """Single calls of a day for the rhythms that flow."""
    start = tenant.start + day * DAY
    if who.kind.rhythm == "poll":
        step = DAY / max(rate, 0.2)
        first = start + (who.phase % step) - ((start - tenant.start) % step)
        count = int(math.ceil((start + DAY - first) / step))
        jitter = step * tenant.habits["jitter"] * 0.2
        times = [first + index * step + rng.uniform(-jitter, jitter) for index in range(count)]
        return [time for time in times if time >= start and not rng.chance(0.01)]
    if who.kind.rhythm == "office":
        return sorted(office_hour(tenant, day, rng) for _ in range(rng.poisson(rate * busy(tenant, day))))
    return sorted(start + rng.random() * DAY for _ in range(rng.poisson(rate)))


def run_times(tenant: Tenant, who: Identity, day: int, rng: Chance) -> List[float]:
    """Starts of runs on a day for the rhythms of jobs."""
    start, kind = tenant.start + day * DAY, who.kind.rhythm
    moment = start + who.phase + rng.gauss(0, 60 + 600 * tenant.habits["jitter"])
    if kind == "nightly":
        return [moment]
    if kind == "hourly":
        return [start + hour * HOUR + (who.phase % HOUR) + rng.uniform(0, 40) for hour in range(24)]
    if kind == "weekly":
        return [moment] if (day + int(who.phase)) % 7 == 3 else []
    if kind == "monthly":
        return [moment] if (day + int(who.phase)) % 30 == 14 else []
    if kind == "quarterly":
        return [moment] if (day + int(who.phase)) % 91 == 40 else []
    if kind == "sparse":
        return [office_hour(tenant, day, rng, True) for _ in range(rng.poisson(0.35 * busy(tenant, day)))]
    count = rng.poisson(who.rate * busy(tenant, day))
    return sorted(office_hour(tenant, day, rng, rng.chance(0.8)) for _ in range(min(count, 25)))
