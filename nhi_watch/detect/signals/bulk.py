"""A call that the identity knows, suddenly in bulk; or far more calls than on any day before."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView
from nhi_watch.state.baseline import bucket

NAME = "bulk"
TITLE = "In bulk"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1530", "T1496.004")
CONTROL = "rotate_secret"
HEADLINE = 29
ON_ORDINARY_DAYS = True


KNOWN_DAYS = 3


def _excess(episode: EpisodeView) -> list[tuple[int, str]]:
    known = episode.past.own.dimension("action").values
    return sorted(
        (bucket(count) - known[action].top, action)
        for action, count in episode.daily().items()
        if action in known and known[action].days >= KNOWN_DAYS
    )


def value(episode: EpisodeView) -> float | None:
    """Doublings over the largest day so far, of the call that grew most; None without history."""
    if episode.past.own.days < KNOWN_DAYS:
        return None
    excess = _excess(episode)
    return float(max(0, excess[-1][0])) if excess else 0.0


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    grown, action = _excess(episode)[-1]
    return f"{action} {episode.daily()[action]:,} times, {2**grown} times its largest day so far or more"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The call that grew most."""
    excess = _excess(episode)
    top = excess[-1][1] if excess else ""
    return [b for view in episode.views for b in view.behaviours if view.shape.action == top]
