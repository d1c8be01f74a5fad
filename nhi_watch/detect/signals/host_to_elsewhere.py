"""Credentials are touched on a host, and soon somebody works from its address or with them elsewhere."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import behaviours_of, listing

NAME = "host_to_elsewhere"
TITLE = "From a host to elsewhere"
SCOPE = "linked"
FRAMEWORKS: tuple[str, ...] = ("T1552.001", "T1078.004")
CONTROL = "rotate_secret"
HEADLINE = 4

HOST = "host_user"


def _sides(episode: EpisodeView) -> tuple[list[View], list[View]]:
    news = [view for view in episode.views if not view.quiet and "alert" not in view.shape.traits]
    host = [view for view in news if view.shape.identity.kind == HOST]
    return host, [view for view in news if view.shape.identity.kind != HOST]


def value(episode: EpisodeView) -> float:
    """1, plus the bits of what is newest on the host; 0 where either side made no news."""
    host, elsewhere = _sides(episode)
    return 1.0 + max(max(view.action, view.agent) for view in host) if host and elsewhere else 0.0


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    host, elsewhere = _sides(episode)
    used = listing([view.shape.identity.name for view in elsewhere], 2)
    return f"{host[0].shape.action} on a host, then news of {used}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """What happened on the host, and elsewhere."""
    host, elsewhere = _sides(episode)
    return behaviours_of([*host, *elsewhere])
