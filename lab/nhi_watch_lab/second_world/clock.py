# ruff: noqa: E501
"""When things happen: rhythms of machines and of people."""
from __future__ import annotations

import math
import time
from random import Random

from nhi_watch_lab.second_world.ids import DAY, poisson
from nhi_watch_lab.second_world.tenant import Tenant


def weekday(t: float) -> int:
    return time.gmtime(t).tm_wday


def monthday(t: float) -> int:
    return time.gmtime(t).tm_mday


def office_time(tenant: Tenant, rng: Random, day: float) -> float:
    """A moment in the tenant's working day, sometimes late."""
    hour = rng.gauss(13.2, 2.7) if rng.random() < 0.93 else rng.uniform(0, 24)
    return day + ((hour - tenant.offset) * 3600.0) % DAY + rng.random()


def works(tenant: Tenant, rng: Random, day: float) -> bool:
    return rng.random() < (tenant.habits["weekend"] if weekday(day) >= 5 else 0.88)


def starts(tenant: Tenant, rng: Random, rhythm: str, runs: float, phase: float, day: float) -> list[float]:
    """The moments of a day at which a machine's routine begins."""
    if rhythm == "night":
        base = day + ((1.0 + 5 * phase - tenant.offset) * 3600.0) % DAY
        return [base + i * 3600.0 + rng.uniform(0, 240) for i in range(max(1, round(runs)))]
    if rhythm == "weekly":
        return [day + ((phase * 24) * 3600.0) % DAY + rng.uniform(0, 60)] if weekday(day) == int(phase * 70) % 7 else []
    if rhythm == "monthly":
        return [day + phase * 80000.0 + rng.uniform(0, 900)] if monthday(day) == 1 + int(phase * 270) % 27 else []
    if rhythm == "office":
        level = runs * (0.25 if weekday(day) >= 5 else 1.0) * rng.lognormvariate(0, 0.5)
        return sorted(office_time(tenant, rng, day) if rng.random() < 0.75 else day + rng.uniform(0, DAY) for _ in range(poisson(rng, level)))
    return _steady(rng, runs, phase, day)


def _steady(rng: Random, runs: float, phase: float, day: float) -> list[float]:
    """A timer with jitter, for most; machines fed by traffic are irregular."""
    if phase < 0.65:
        count = max(1, round(runs))
        step = DAY / count
        return [day + (i + phase * 7 % 1.0) * step + rng.uniform(0, min(step * 0.1, 20)) for i in range(count)]
    wave = [day + rng.uniform(0, DAY) for _ in range(poisson(rng, runs))]
    return sorted(t for t in wave if rng.random() < 0.75 + 0.25 * math.sin(t / DAY * 2 * math.pi + phase * 6))
