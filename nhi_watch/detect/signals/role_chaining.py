"""Assumes roles, or gets tokens of accounts, that this identity did not take before."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView
from nhi_watch.detect.signals._kit import listing

NAME = "role_chaining"
TITLE = "New role assumed"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1548.005", "T1550.001")
CONTROL = "reduce_privilege"
HEADLINE = 26
ON_ORDINARY_DAYS = True

MINTS = frozenset({"impersonation", "token_minted"})
"""Traits of what assuming a role is called elsewhere: acting as another, a token made for another."""


def _roles(episode: EpisodeView) -> list[tuple[str, Behaviour]]:
    known = episode.past.own.dimension("target").values
    found = [
        (target, b)
        for view in episode.views
        if view.shape.action.startswith("sts:Assume") or MINTS.intersection(view.shape.traits)
        for b in view.behaviours
        for target in b.targets
        if target not in known
    ]
    return sorted(found, key=lambda pair: (pair[0], pair[1].first, pair[1].shape))


def value(episode: EpisodeView) -> float | None:
    """log2(1 + number of new roles); None without history."""
    if episode.past.own.days < 3:
        return None
    return log2(1 + len({role for role, _ in _roles(episode)}))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    return f"takes roles or accounts for the first time: {listing([role for role, _ in _roles(episode)], 2)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The calls that assumed them."""
    return [b for _, b in _roles(episode)]
