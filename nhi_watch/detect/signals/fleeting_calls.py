"""New calls that come once and do not return: new software repeats its calls, an intruder looks around."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import behaviours_of, listing, novel_views

NAME = "fleeting_calls"
TITLE = "New calls that do not return"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ()
CONTROL = "rotate_secret"

HOURS = 2
"""New calls seen in more hours than this have come to stay."""


def _fleeting(episode: EpisodeView) -> list[View]:
    hours: dict[str, set[int]] = {}
    new = novel_views(episode)
    for view in new:
        hours.setdefault(view.shape.action, set()).update(b.hour for b in view.behaviours)
    return [view for view in new if len(hours[view.shape.action]) <= HOURS]


def value(episode: EpisodeView) -> float:
    """log2(1 + number of distinct new calls seen in at most two hours of the day)."""
    return round(log2(1 + len({view.shape.action for view in _fleeting(episode)})), 2)


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    actions = [view.shape.action for view in _fleeting(episode)]
    return f"new calls that came and did not return ({len(set(actions))}): {listing(actions)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """Those calls."""
    return behaviours_of(_fleeting(episode))
