"""Active at an hour at which this machine never is."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import ORDINARY, EpisodeView, Past
from nhi_watch.state.baseline import bits

NAME = "off_rhythm"
TITLE = "Off its schedule"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1078.004",)
CONTROL = "rotate_secret"
DIMENSION = "hour"
ON_ORDINARY_DAYS = True


KNOWN_DAYS = 5


def _odd(episode: EpisodeView) -> list[tuple[float, Behaviour]]:
    odd = _by_hour(episode)
    found = [(odd[b.hour % 24], b) for view in episode.views for b in view.behaviours]
    return sorted(found, key=lambda pair: (-pair[0], pair[1].first, pair[1].shape))


def _by_hour(episode: EpisodeView) -> dict[int, float]:
    """The bits of each hour in which it was active."""
    hours = {b.hour % 24 for view in episode.views for b in view.behaviours}
    return {hour: bits(_share(episode.past, hour)) for hour in hours}


def _share(past: Past, hour: int) -> float:
    """A neighbouring hour counts: clocks drift, jobs get longer, summer time comes."""
    return max(past.own.share("hour", str(h % 24), 1 / 24, past.today) for h in (hour - 1, hour, hour + 1))


def value(episode: EpisodeView) -> float | None:
    """Bits of the oddest hour; None with less than five days of history."""
    if episode.past.own.days < KNOWN_DAYS:
        return None
    worst = max(_by_hour(episode).values())
    return worst if worst >= ORDINARY else 0.0


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    hour = _odd(episode)[0][1].hour % 24
    return f"active at {hour:02}:00 UTC, when it was hardly ever active in {episode.past.own.days} days"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """What happened at odd hours."""
    return [b for odd, b in _odd(episode) if odd >= ORDINARY]
